"""Slices: which delivery is in force for (agency, part, period). A pure fold over the deliveries, so arrival order is moot.

A delivery replaces the slices it covers when it is newer (produced_at, then sha256). A year slice and the month slices of
the same year (and part) replace each other. A delivery that would replace slices, all of them together or any of them, with
far fewer rows or euros is held: it takes no effect until it is released.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

SHRINK_LIMIT = 0.5
"""A delivery is held when what it would replace shrinks below this share in rows or in absolute cents."""
SHRINK_ROWS = 20
"""Replacing fewer rows than this never holds a delivery: small slices vary."""


@dataclass(frozen=True)
class Covered:
    """One slice that a delivery covers, with its accepted rows and absolute cents."""

    part: str
    slice_period: date
    slice_kind: str
    rows_n: int
    cents: int


@dataclass(frozen=True)
class Candidate:
    """A loaded, not withdrawn delivery of one agency and source."""

    delivery_id: str
    batch_id: str
    sha256: str
    produced_at: datetime
    is_released: bool
    covered: Sequence[Covered]


SliceKey = tuple[str, date, str]
"""(part, slice_period, slice_kind)"""


@dataclass
class InForce:
    """Result of the fold: delivery per slice, and the deliveries held."""

    slices: dict[SliceKey, Candidate] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)


def in_force(candidates: Iterable[Candidate]) -> InForce:
    """Fold deliveries from oldest to newest."""
    state = InForce()
    sizes: dict[SliceKey, Covered] = {}
    for candidate in sorted(candidates, key=lambda item: (item.produced_at, item.sha256)):
        replaced = _replaced(state.slices, candidate.covered)
        reason = None if candidate.is_released else _shrinks(replaced, sizes, candidate.covered)
        if reason:
            state.held[candidate.delivery_id] = reason
            continue
        for key in replaced:
            del state.slices[key]
            del sizes[key]
        for covered in candidate.covered:
            key = (covered.part, covered.slice_period, covered.slice_kind)
            state.slices[key] = candidate
            sizes[key] = covered
    return state


def _replaced(slices: Mapping[SliceKey, Candidate], covered: Sequence[Covered]) -> list[SliceKey]:
    same = {(item.part, item.slice_period, item.slice_kind) for item in covered}
    years = {(item.part, item.slice_period.year) for item in covered if item.slice_kind == "year"}
    months_of = {(item.part, item.slice_period.year) for item in covered if item.slice_kind == "month"}
    return [
        key
        for key in slices
        if key in same
        or (key[2] == "month" and (key[0], key[1].year) in years)
        or (key[2] == "year" and (key[0], key[1].year) in months_of)
    ]


def _shrinks(replaced: Sequence[SliceKey], sizes: Mapping[SliceKey, Covered], covered: Sequence[Covered]) -> str | None:
    """Why a delivery is held: all that it replaces, or any slice of it, shrinks too much. None: it does not."""
    keys = {(part, period.year) for part, period, _ in replaced}
    new = [item for item in covered if (item.part, item.slice_period.year) in keys]
    exact = {key[:2] for key in replaced}
    if all(key[2] == "month" for key in replaced) and all(item.slice_kind == "month" for item in covered):
        new = [item for item in new if (item.part, item.slice_period) in exact]
    told = _falls("", [sizes[key] for key in replaced], new)
    return told or next((found for name, old, new in _pairs(replaced, sizes, covered) if (found := _falls(name, old, new))), None)


def _pairs(
    replaced: Sequence[SliceKey], sizes: Mapping[SliceKey, Covered], covered: Sequence[Covered]
) -> Iterator[tuple[str, list[Covered], list[Covered]]]:
    """What is compared with what: a slice with its like; where a year stands against months, the year with all of them."""
    like = {(item.part, item.slice_period, item.slice_kind): item for item in covered}
    unlike = sorted({(part, period.year) for part, period, kind in replaced if (part, period, kind) not in like})
    for key in sorted(set(replaced) & set(like)):
        yield f" of {key[1]:%Y-%m}" if key[2] == "month" else f" of {key[1]:%Y}", [sizes[key]], [like[key]]
    for part, number in unlike:
        old = [sizes[key] for key in replaced if (key[0], key[1].year) == (part, number)]
        new = [item for item in covered if (item.part, item.slice_period.year) == (part, number)]
        yield f" of {number}", old, new


def _falls(name: str, old: Sequence[Covered], new: Sequence[Covered]) -> str | None:
    rows, cents = sum(item.rows_n for item in old), sum(item.cents for item in old)
    new_rows, new_cents = sum(item.rows_n for item in new), sum(item.cents for item in new)
    if rows >= SHRINK_ROWS and new_rows < rows * SHRINK_LIMIT:
        return f"would replace {rows} rows{name} with {new_rows}; release it if that is right"
    if rows >= SHRINK_ROWS and new_cents < cents * SHRINK_LIMIT:
        return f"would replace {cents / 100:.2f} EUR (absolute){name} with {new_cents / 100:.2f} EUR; release it if that is right"
    return None
