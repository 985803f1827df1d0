"""One agency-month of 10,000 rows that arrives on a history, from the inbox to the new publication.

`python -m benchmarks.increment HOME OUT FILE...`: in one process with the libraries imported, as a worker has them; the first
file warms up, the median of the others counts. Without a process, by the command line, it is `cold`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks import homes
from benchmarks.measuring import nyckeltal, python, run

ROWS = 10_000
MONTHS = ("2024-08-01", "2024-09-01", "2024-10-01", "2024-11-01", "2024-12-01")
YEAR_START = "2024-01-01"


def measure(work: Path, rows: int) -> Mapping[str, float | int | list[float]]:
    """Section `increment`: on `work`/home, which holds `rows` rows of eight years, and on one of its years alone."""
    files = [_month(work, month, number) for number, month in enumerate(MONTHS)]
    short = homes.make(work / "short")
    year = work / "bench_2024.csv"
    run(python("benchmarks.data", year, str(rows // 8), YEAR_START, "12"))
    run(nyckeltal(short, "receive", year, "--agency", homes.HISTORY, "--source", "purchase_invoices"))
    run(nyckeltal(short, "nightly"))
    found = {}
    for name, home in (("long", work / "home"), ("short", short)):
        out = work / f"increment_{name}.json"
        run(python("benchmarks.increment", home, out, *files[:-1]))
        found[name] = json.loads(out.read_text("utf-8"))
        arrive(home, files[-1])
        found[name]["cold"] = run(nyckeltal(home, "nightly")).seconds
    warm, on_short = median(found["long"]["warm"]), median(found["short"]["warm"])
    return {
        "rows": ROWS,
        "history_rows": rows,
        "short_history_rows": rows // 8,
        "seconds": round(warm, 3),
        "cold_seconds": round(found["long"]["cold"], 3),
        "seconds_short": round(on_short, 3),
        "cold_seconds_short": round(found["short"]["cold"], 3),
        "ratio_history": round(warm / on_short, 3),
        "runs_s": [round(one, 3) for one in found["long"]["warm"]],
        "runs_short_s": [round(one, 3) for one in found["short"]["warm"]],
    }


def _month(work: Path, month: str, number: int) -> Path:
    path = work / f"bench_city_{month[:7]}.csv"
    run(python("benchmarks.data", path, str(ROWS), month, "1", homes.CITY_ORGANISATION, str(100 + number)))
    return path


def arrive(home: Path, file: Path) -> None:
    """Drop a file into the inbox, as the agency does; the mark beside it says that it is whole."""
    place = home / "inbox" / homes.CITY / "purchase_invoices"
    place.mkdir(parents=True, exist_ok=True)
    (place / file.name).write_bytes(file.read_bytes())
    (place / f"{file.name}.done").touch()


def main() -> None:
    from flows import pipeline
    from flows.settings import Settings

    home, out, *files = map(Path, sys.argv[1:])
    settings = Settings(home=home)
    seconds = []
    for file in files:
        arrive(home, file)
        started = time.perf_counter()
        done = pipeline.nightly(settings)
        seconds.append(time.perf_counter() - started)
        assert len(done.ingested.loaded) == 1, done.ingested
        assert done.published is not None
        assert done.published.is_new
    out.write_text(json.dumps({"first": seconds[0], "warm": seconds[1:]}), "utf-8")


if __name__ == "__main__":
    main()
