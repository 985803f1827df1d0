"""Generates a sample: deliveries in the agencies' real formats under OUT/inbox, register overlays, and the true figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from samples import (
    agencies,
    corners,
    deliveries,
    form_files,
    hilma_notices,
    notice_files,
    overlays,
    people,
    procedures,
    reference_inputs,
    registry,
    truth,
    truth_notices,
    truth_openness,
    truth_spend,
)
from samples.agencies import Plan, Size
from samples.cells import Cell, Place, Series, Span
from samples.facts import Canary, Organisation, Outcome, Posting, Procedure
from samples.registry import World

COMPANIES = {"tiny": 24, "demo": 180, "large": 5_000}

PROCEDURES = {
    "tiny": {"per_year": 2, "first_year": 2023, "last_year": 2024},
    "demo": {"per_year": 68, "first_year": 2021, "last_year": 2025},
    "large": {"per_year": 400, "first_year": 2021, "last_year": 2025},
}
"""Procedures begun a year; each has about two notices."""


@dataclass(frozen=True)
class Sample:
    """What has been generated: where, and the planted facts that the truth was computed from."""

    out: Path
    postings: list[Posting]
    procedures: list[Procedure]
    outcomes: list[Outcome]
    canaries: list[Canary]
    cells: dict[tuple[Series, Place], Cell]


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
    buyers = _buyers(world, plans, size)
    planted = [*procedures.plant(rng, world, buyers, **PROCEDURES[size]), *corners.plant(rng, world, buyers)]
    notice_files.deliver(planted, written, broken=size != "tiny")
    in_json = hilma_notices.plant(size, seed, world, buyers)
    notice_files.deliver_hilma(in_json, written)
    planted += in_json
    overlays.write(out / "registry", world, plans)
    years = plans[0].years
    span = Span(date(years[0], 1, 1), truth_spend.last_month((years[0], years[-1])))
    cells = {
        **truth_spend.cells(written.postings, span),
        **reference_inputs.cells(written.postings, world, span),
        **truth_notices.cells(planted, span),
        **truth_openness.cells(written.holdings.values(), written.postings, planted, overlays.frame(world), span),
    }
    if size != "tiny":
        cells = form_files.deliver_all(f"{size}-{seed}", world, written, span, cells)
        people.plant_in_forms(written)
    truth.write(out / "truth", cells, written.outcomes, written.canaries)
    return Sample(out, written.postings, planted, written.outcomes, written.canaries, cells)


def _buyers(world: World, plans: Sequence[Plan], size: Size) -> list[Organisation]:
    """Who publishes notices: everybody, in the tiny sample only those whose invoices it holds."""
    everybody = list(world.organisations.values())
    if size != "tiny":
        return everybody
    paying = {organisation for plan in plans for organisation in plan.shape(plan.years[0]).organisations}
    return [organisation for organisation in everybody if organisation in paying]
