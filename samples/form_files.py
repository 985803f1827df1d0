"""Sample deliveries of sources that people fill in or small systems export, one module each; only in samples beyond tiny ones.

A module has SOURCE, AGENCY and `deliver(rng, world, written, span, known)`: writes its files under the agency's inbox, notes
the expected outcomes, and returns the true cells; `known` are the true cells of everything planted before.

Each gets a random generator of its own, so adding one leaves the others' bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import ModuleType

from samples import (
    action_programme,
    contacts,
    court_cases,
    impact_assessments,
    joint_procurements,
    mini_competitions,
    strategic_goals,
    strategy_followup,
    surveys,
)
from samples.cells import Cell, Place, Series, Span
from samples.deliveries import Written
from samples.facts import Outcome
from samples.registry import World

MODULES: tuple[ModuleType, ...] = (
    court_cases,
    strategy_followup,
    strategic_goals,
    action_programme,
    contacts,
    surveys,
    mini_competitions,
    impact_assessments,
    joint_procurements,
)


def deliver_all(
    seed: str, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Writes the deliveries of every module; returns all true cells."""
    cells = dict(known)
    for module in MODULES:
        cells |= module.deliver(Random(f"{seed}-{module.SOURCE}"), world, written, span, cells)
    return cells


def agencies() -> dict[str, list[str]]:
    """Agency -> the sources it delivers."""
    found: dict[str, list[str]] = {}
    for module in MODULES:
        found.setdefault(module.AGENCY, []).append(module.SOURCE)
    return found


def outcome(written: Written, agency: str, source: str, name: str, accepted: int, **more: object) -> None:
    """Notes what is expected to become of a file."""
    path = written.place(agency, name, source).relative_to(written.out)
    written.outcomes.append(Outcome(str(path), agency, source, "loaded", rows_accepted=accepted, **more))  # type: ignore[arg-type]
