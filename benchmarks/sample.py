"""The demo's sample: its nightly run in a fresh process, and one survey delivery on what it leaves.

`python -m benchmarks.sample HOME OUT FILE...`: received and published in one process with the libraries imported, as a worker
has them; the first file warms up, the median of the others counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.measuring import nyckeltal, python, run

AGENCY, SOURCE = "sample-cpb", "satisfaction_surveys"


def measure(work: Path, runs: int) -> Mapping[str, float | int | list[float]]:
    """Section `sample`: each run makes the sample's home anew."""
    out = work / "sample.json"
    nights = []
    for number in range(runs):
        home = work / f"sample{number}"
        run(python("samples", home, "--size", "demo"))
        held = sorted((home / "inbox" / AGENCY / SOURCE).iterdir())
        if number == runs - 1:
            for file in held:
                file.rename(work / file.name)
        nights.append(run(nyckeltal(home, "nightly")))
    run(python("benchmarks.sample", home, out, *(work / file.name for file in held)))
    found = json.loads(out.read_text("utf-8"))
    return {
        "nightly_s": round(median(night.seconds for night in nights), 3),
        "nightly_cpu_s": round(median(night.cpu_seconds for night in nights), 3),
        "peak_mb": round(max(night.tree_mb for night in nights)),
        "nightly_runs_s": [round(night.seconds, 3) for night in nights],
        "survey_s": round(median(found["warm"]), 3),
        "survey_runs_s": [round(one, 3) for one in found["warm"]],
    }


def main() -> None:
    from flows import pipeline
    from flows.settings import Settings

    home, out, *files = map(Path, sys.argv[1:])
    settings = Settings(home=home)
    seconds = []
    for file in files:
        started = time.perf_counter()
        received = pipeline.receive(settings, [file], AGENCY, SOURCE)
        done = pipeline.nightly(settings)
        seconds.append(time.perf_counter() - started)
        assert all(item.landed for item in received), file
        assert len(done.ingested.loaded) == 1, done.ingested
        assert done.published is not None
        assert done.published.is_new
    out.write_text(json.dumps({"first": seconds[0], "warm": seconds[1:]}), "utf-8")


if __name__ == "__main__":
    main()
