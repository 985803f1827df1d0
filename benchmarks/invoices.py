"""Ten million invoice rows from landed file to published figures: ours, plain DuckDB, naive pandas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks import homes
from benchmarks.measuring import Run, nyckeltal, python, run, warm

FIRST_MONTH, MONTHS = "2017-01-01", 96
ALTERNATE_BELOW = 60.0
"""Runs shorter than this many seconds are repeated, ours and the floor's in turn; longer ones say enough once."""
MEGABYTE = 1e6
Result = dict[str, float | int | list[float]]


def measure(work: Path, rows: int, runs: int, pandas: bool) -> Mapping[str, Result]:
    """Sections `invoices` and `receive` of the results; leaves the loaded home in `work`/home for the increment."""
    source = work / "bench_2017-2024.csv"
    run(python("benchmarks.data", source, str(rows), FIRST_MONTH, str(MONTHS)))
    home = homes.make(work / "home")
    size = source.stat().st_size
    warm(source)
    received = run(nyckeltal(home, "receive", source, "--agency", homes.HISTORY, "--source", "purchase_invoices"))
    floor = work / "floor.duckdb"
    ours, theirs = _alternate(home, source, floor, runs)
    compared = _compare(home, floor)
    middle = _middle(ours)
    result: Result = {
        "rows": rows,
        "file_bytes": size,
        "ours_s": round(middle.seconds, 2),
        "ours_cpu_s": round(middle.cpu_seconds, 2),
        "ours_runs_s": [round(one.seconds, 2) for one in ours],
        "duckdb_s": round(_middle(theirs).seconds, 2),
        "duckdb_cpu_s": round(_middle(theirs).cpu_seconds, 2),
        "duckdb_runs_s": [round(one.seconds, 2) for one in theirs],
        "duckdb_peak_mb": round(max(one.tree_mb for one in theirs)),
        "ratio_duckdb": round(median(a.seconds for a in ours) / median(b.seconds for b in theirs), 3),
        "peak_mb": round(max(one.tree_mb for one in ours)),
        "peak_process_mb": round(max(one.peak_mb for one in ours)),
        "cells_compared": compared,
    }
    if pandas:
        warm(source)
        analyst = run(python("benchmarks.naive", source, work / "pandas.csv"))
        result |= {"pandas_s": round(analyst.seconds, 2), "pandas_peak_mb": round(analyst.tree_mb)}
        result["ratio_pandas"] = round(analyst.seconds / middle.seconds, 3)
    receive: Result = {"mb_per_s": round(size / MEGABYTE / received.seconds, 1), "seconds": round(received.seconds, 2)}
    source.unlink()
    return {"invoices": result, "receive": receive}


def _alternate(home: Path, source: Path, floor: Path, runs: int) -> tuple[list[Run], list[Run]]:
    ours: list[Run] = []
    theirs: list[Run] = []
    landed = homes.landed_file(home)
    for number in range(runs):
        if number and min(ours[0].seconds, theirs[0].seconds) >= ALTERNATE_BELOW:
            break
        warm(source)
        theirs.append(run(python("benchmarks.floor", source, floor)))
        homes.reset(home)
        warm(landed)
        ours.append(run(nyckeltal(home, "nightly")))
        sys.stderr.write(f"run {number + 1}: ours {asdict(ours[-1])}, DuckDB {asdict(theirs[-1])}\n")
    return ours, theirs


def _middle(runs: list[Run]) -> Run:
    """The run whose wall time is the (lower) median."""
    return sorted(runs, key=lambda one: one.seconds)[(len(runs) - 1) // 2]


def _compare(home: Path, floor: Path) -> int:
    """In a process of its own: this one must stay small."""
    command = [str(word) for word in python("benchmarks.equality", home / "published" / "nyckeltal.duckdb", floor)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"our figures and the floor's differ:\n{done.stderr}")
    return int(done.stdout)
