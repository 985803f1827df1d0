"""What `plan` costs beside the night it speaks of: the demo's home, one corrected delivery at a time.

`python -m benchmarks.plan HOME OUT`: in one process with the libraries imported; the first round warms up, the medians of the
others count.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.measuring import nyckeltal, python, run

AGENCY, SOURCE, FILE = "sample-koela", "purchase_invoices", "koela_ostolaskut_2025-07.csv"
ROUNDS = 6


def measure(work: Path) -> Mapping[str, float | list[float]]:
    """Section `plan`."""
    home, out = work / "planned", work / "plan.json"
    run(python("samples", home, "--size", "demo"))
    delivered = (home / "inbox" / AGENCY / SOURCE / FILE).read_bytes()
    run(nyckeltal(home, "nightly"))
    (work / FILE).write_bytes(delivered)
    run(python("benchmarks.plan", home, out, work / FILE))
    found = json.loads(out.read_text("utf-8"))
    plan, night = median(found["plan"][1:]), median(found["night"][1:])
    return {
        "ratio_night": round(plan / night, 3),
        "plan_s": round(plan, 3),
        "night_s": round(night, 3),
        "plan_runs_s": [round(one, 3) for one in found["plan"]],
        "night_runs_s": [round(one, 3) for one in found["night"]],
    }


def _correct(home: Path, delivered: bytes, number: int) -> None:
    """The month comes again, produced later and with another amount in its last line."""
    place = home / "inbox" / AGENCY / SOURCE
    place.mkdir(parents=True, exist_ok=True)
    head, _, last = delivered.rstrip().rpartition(b"\n")
    euros, _, rest = last.partition(b",")
    (place / FILE).write_bytes(head + b"\n" + euros + str(number).encode() + b"," + rest + b"\n")
    manifest = {"produced_at": f"2027-01-{number:02d}", "coverage_from": "2025-07-01", "coverage_to": "2025-07-31"}
    (place / f"{FILE}.manifest.json").write_text(json.dumps(manifest), "utf-8")


def main() -> None:
    from flows import pipeline, planning
    from flows.settings import Settings

    home, out, file = map(Path, sys.argv[1:])
    settings = Settings(home=home)
    seconds: dict[str, list[float]] = {"plan": [], "night": []}
    for number in range(1, ROUNDS + 1):
        _correct(home, file.read_bytes(), number)
        started = time.perf_counter()
        planned = planning.plan(settings)
        seconds["plan"].append(time.perf_counter() - started)
        started = time.perf_counter()
        done = pipeline.nightly(settings)
        seconds["night"].append(time.perf_counter() - started)
        assert len(done.ingested.loaded) == 1, done.ingested
        assert done.published is not None
        assert done.published.publication_no == planned.publication_no
        assert not planned.cells.is_empty()
    out.write_text(json.dumps(seconds), "utf-8")


if __name__ == "__main__":
    main()
