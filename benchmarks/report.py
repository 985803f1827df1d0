"""What was measured, for machines (results.json) and for people (docs/benchmarks.md)."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = ("nyckeltal", "polars", "duckdb", "pyarrow", "lxml", "great-expectations", "pandas")
BARS = {
    "invoices.ratio_duckdb": ("at most", 1.6, "ours / plain DuckDB, wall time"),
    "invoices.ratio_pandas": ("at least", 2.5, "naive pandas / ours, wall time"),
    "invoices.peak_mb": ("at most", 1600, "peak resident memory of our process tree, MB"),
    "increment.seconds": ("at most", 4, "10,000 rows of one agency's month on the long history, warm, s"),
    "increment.cold_seconds": ("reported", None, "the same by the command line, start of Python included, s"),
    "increment.ratio_history": ("at most", 1.3, "long history / one of its years, warm"),
    "notices.ratio_lxml": ("at most", 2.0, "bytes to raw frames on two cores / only parsing on one"),
    "notices.ratio_lxml_bare": ("reported", None, "the same on the samples' notices as they are: every element of them is read"),
    "notices.per_second": ("reported", None, "notices a second"),
    "sample.nightly_s": ("at most", 30, "the demo's nightly run by the command line, start of Python included, s"),
    "sample.survey_s": ("at most", 3, "one survey delivery on the demo's home, from receiving to published, warm, s"),
    "plan.ratio_night": ("at most", 2, "`plan` of one corrected delivery on the demo's home / the night that then takes it in, warm"),
    "receive.mb_per_s": ("reported", None, "receiving: hashing, copying, making durable, MB/s"),
}

PAGE = """# Benchmarks

Written by `make bench` (`python -m benchmarks`); every figure also stands in `benchmarks/results.json`. Do not edit by hand.

Machine: {cpu}, {cores} cores, {memory_gb} GB, {system}. Python {python}, {packages}. Commit {commit}, {date}.

| Key | Measured | Bar | What |
|---|---|---|---|
{bars}

## What is measured

**Invoices.** {rows:,} posting lines of 60 organisations and up to 60,000 suppliers over 8 years in one file of {gigabytes:.2f} GB: latin-1, `;`,
decimal comma, 22 columns, 0.05 % dirty rows. *Ours* is `nyckeltal nightly` in a fresh process, from the landed file to the published figures, with the
row rules, quarantine, quality gate, ledger and history; receiving is measured apart. *The floor* is the same DuckDB version in a fresh process with two
threads: one typed `read_csv` with stored rejects into a table of the columns that our lake keeps, then the same ten figures in SQL, at every level and
kind of period that occurs, written to a table. It checks no ids, keeps no rejected rows and no history. *Pandas* reads everything as text, converts,
and works out the figures at national and organisation level only. Accepted and refused rows and {cells:,} cells (value, numerator, denominator) were compared
with the floor's and are equal; the run fails otherwise. Files are read through before every run; ours and the floor's runs alternate while a run is
shorter than a minute, the median counts.

| | wall s | CPU s | peak MB |
|---|---|---|---|
| ours | {ours_s} | {ours_cpu_s} | {peak_mb} |
| plain DuckDB | {duckdb_s} | {duckdb_cpu_s} | {duckdb_peak_mb} |
| naive pandas | {pandas_s} | | {pandas_peak_mb} |

**Increment.** Another agency's month of 10,000 rows, dropped into the inbox, until the new publication is in force: on the history above, and on one of
its years alone ({short_rows:,} rows). Warm: in one process that has done it once before, median of the next three. Cold: by the command line.

**Notices.** {notices:,} eForms notices of 10-40 kB from the samples' own templates, bytes in memory to raw frames, two processes; against lxml parsing
them and doing nothing else in one. The samples write only what is read; they are indented and filled up with the contacts, texts and terms that real
notices carry besides (mean {notice_bytes:,} bytes; the fixtures of the eForms SDK: 18,500). Best of alternating runs.

**Sample.** The demo's home, made anew for every run: the median nightly run in a fresh process. Then the survey files of the sample, kept back from the
last run, one after the other in one process: landed, loaded, computed, published; median of all but the first.

**Plan.** On the demo's home, in one process: a month of a city's invoices comes corrected, `plan` says what the night would do, then the night does it;
six times, medians of all but the first.
"""


def environment() -> dict[str, Any]:
    """Machine, versions, commit and day."""
    return {
        "machine": {
            "cpu": _cpu(),
            "cores": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in PACKAGES}},
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def write(results: Mapping[str, Any], path: Path, page: Path | None) -> None:
    """Write the results, and the page when all parts have been measured."""
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if page is not None:
        page.write_text(_page(results), "utf-8")


def missed(results: Mapping[str, Any]) -> list[str]:
    """Bars that were measured and not met, as sentences."""
    found = []
    for key, (word, bar, _) in BARS.items():
        value = _value(results, key)
        if value is None or bar is None:
            continue
        if value > bar if word == "at most" else value < bar:
            found.append(f"{key} is {value}, {word} {bar} wanted")
    return found


def _value(results: Mapping[str, Any], key: str) -> float | None:
    section, name = key.split(".")
    value = results.get(section, {}).get(name)
    return None if value is None else float(value)


def _page(results: Mapping[str, Any]) -> str:
    machine, versions, invoices = results["machine"], dict(results["versions"]), results["invoices"]
    lines = []
    for key, (word, bar, text) in BARS.items():
        value = _value(results, key)
        lines.append(
            f"| `{key}` | {'-' if value is None else f'{value:g}'} | {word}{'' if bar is None else f' {bar:g}'} | {text} |"
        )
    return PAGE.format(
        **machine,
        python=versions.pop("python"),
        packages=", ".join(f"{name} {version}" for name, version in versions.items()),
        commit=results["commit"],
        date=results["date"],
        bars="\n".join(lines),
        rows=invoices["rows"],
        gigabytes=invoices["file_bytes"] / 1e9,
        cells=invoices["cells_compared"],
        **{
            name: invoices.get(name, "-")
            for name in ("ours_s", "ours_cpu_s", "peak_mb", "duckdb_s", "duckdb_cpu_s", "duckdb_peak_mb")
        },
        **{name: invoices.get(name, "-") for name in ("pandas_s", "pandas_peak_mb")},
        short_rows=results["increment"]["short_history_rows"],
        notices=results["notices"]["notices"],
        notice_bytes=results["notices"]["bytes"] // results["notices"]["notices"],
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit measured; `+` when the checkout had changes of its own."""
    root = Path(__file__).parents[1]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    if commit.returncode:
        return "unknown"
    changes = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=root, capture_output=True, check=False)
    return commit.stdout.strip() + ("+" if changes.returncode else "")
