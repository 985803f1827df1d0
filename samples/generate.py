"""Generates a sample: deliveries in the agencies' real formats under OUT/inbox, register overlays, and the true figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from samples import agencies, deliveries, overlays, registry
from samples.agencies import Size
from samples.facts import Canary, Outcome, Posting

COMPANIES = {"tiny": 24, "demo": 180, "large": 5_000}


@dataclass(frozen=True)
class Sample:
    """What has been generated: where, and the planted facts that the truth was computed from."""

    out: Path
    postings: list[Posting]
    outcomes: list[Outcome]
    canaries: list[Canary]


def generate(out: Path, size: Size, seed: int = 1, rows: int | None = None) -> Sample:
    """Writes a sample under `out` (made when missing) and returns its facts. Equal arguments give equal bytes.

    `rows` sets about how many posting lines a large sample holds. Raises OSError when the folder cannot be written.
    """
    rng = Random(f"{size}-{seed}")
    world = registry.build(rng, COMPANIES[size])
    plans = agencies.plans(world, size, rows)
    written = deliveries.Written(out)
    deliveries.deliver_all(rng, world, plans, size, written)
    if size != "tiny":
        deliveries.refused(written)
    overlays.write(out / "registry", world, plans)
    return Sample(out, written.postings, written.outcomes, written.canaries)
