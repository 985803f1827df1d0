"""`python -m benchmarks`: the whole benchmark, in fresh processes; writes benchmarks/results.json and docs/benchmarks.md.

A quick look: `python -m benchmarks --rows 1000000 --notices 2000 --no-pandas --out bench-work/quick.json`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks import increment, invoices, plan, report, sample
from benchmarks.measuring import python, run

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
PARTS = ("invoices", "increment", "notices", "sample", "plan")
FULL_ROWS, FULL_NOTICES = 10_000_000, 20_000


def main() -> int:
    """Exit code 0, or 1 when a bar of a full run was missed."""
    options = _options()
    work: Path = options.work
    shutil.rmtree(work / "bench", ignore_errors=True)
    work = work / "bench"
    work.mkdir(parents=True)
    results: dict[str, Any] = report.environment()
    try:
        if "invoices" in options.only or "increment" in options.only:
            results |= invoices.measure(work, options.rows, options.runs, options.pandas)
        if "increment" in options.only:
            results["increment"] = increment.measure(work, options.rows)
        if "notices" in options.only:
            out = work / "notices.json"
            run(python("benchmarks.notices", out, str(options.notices), str(max(3, options.runs))), quiet=False)
            results["notices"] = json.loads(out.read_text("utf-8"))
        if "sample" in options.only:
            results["sample"] = sample.measure(work, options.runs)
        if "plan" in options.only:
            results["plan"] = plan.measure(work)
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    full = set(options.only) == set(PARTS) and options.rows == FULL_ROWS and options.notices == FULL_NOTICES and options.pandas
    page = ROOT / "docs" / "benchmarks.md" if full and options.out == RESULTS else None
    report.write(results, options.out, page)
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    missed = report.missed(results)
    sys.stdout.writelines(f"missed: {line}\n" for line in missed)
    return int(full and bool(missed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=FULL_ROWS, help="invoice rows of the long history")
    parser.add_argument("--notices", type=int, default=FULL_NOTICES)
    parser.add_argument("--runs", type=int, default=3, help="runs of ours and the floor's, in turn, while shorter than a minute")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--no-pandas", dest="pandas", action="store_false", help="pandas takes minutes and 8 GB at full size")
    parser.add_argument("--work", type=Path, default=ROOT / "bench-work", help="scratch; needs about 10 GB at full size")
    parser.add_argument("--keep", action="store_true", help="leave the scratch for a look")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
