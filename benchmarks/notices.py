"""Twenty thousand eForms notices from bytes to raw frames on two cores, against lxml only parsing them on one.

`python -m benchmarks.notices OUT NOTICES RUNS`: notices of 10-40 kB written by the samples' own templates (EU and Finnish
national ones), nothing else in the process; best of RUNS, the two in turn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from lxml import etree

from samples import eforms, procedures, registry
from transforms.formats.notices import read_many

SMALLEST, LARGEST = 10_000, 40_000
Named = tuple[str, bytes]


def made(count: int) -> list[Named]:
    """`count` notices of the wanted size, all different."""
    found: list[Named] = []
    for name, data in _written():
        if SMALLEST <= len(data) <= LARGEST:
            found.append((name, data))
        if len(found) == count:
            break
    return found


def _written() -> Iterator[Named]:
    rng = Random("notices")
    world = registry.build(rng, 180)
    while True:
        planted = procedures.plant(rng, world, per_year=1_000, first_year=2024, last_year=2025)
        for procedure, notice in procedures.in_order(planted):
            if notice.form != "ted":
                yield notice.notice_id, eforms.write(procedure, notice, 1)


def parse_only(blobs: list[Named]) -> None:
    """What any reader must do: every document to a tree, with the same hardening, and nothing else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    for _, data in blobs:
        etree.fromstring(data, parser)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    out, count, runs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    blobs = made(count)
    frames = read_many(blobs, processes=2)
    assert frames["notice"].height == count, f"{frames['notice'].height} of {count} notices were read"
    del frames
    ours, floor = [], []
    for _ in range(runs):
        floor.append(seconds(lambda: parse_only(blobs)))
        ours.append(seconds(lambda: read_many(blobs, processes=2)))
    result = {
        "notices": count,
        "bytes": sum(len(data) for _, data in blobs),
        "ours_s": round(min(ours), 2),
        "lxml_s": round(min(floor), 2),
        "ratio_lxml": round(min(ours) / min(floor), 3),
        "per_second": round(count / min(ours)),
    }
    out.write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main()
