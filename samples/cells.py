"""Adds planted facts up into true cells: by level and period, in integers and fractions only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from samples.facts import Organisation

KINDS = ("month", "quarter", "year", "rolling_12m")
FULL = frozenset(
    {
        "spend_total",
        "spend_market",
        "notices_n",
        "procurements_n",
        "single_bid_share",
        "bids_mean",
        "no_call_share",
        "cancelled_share",
    }
)
"""Figures whose truth is told for every kind of period; the others' for years, and keyed spend figures' for quarters and months."""


def kinds_of(figure_id: str) -> tuple[str, ...]:
    """The kinds of period that the truth of a figure is told for."""
    return KINDS if figure_id in FULL else ("year",)


class Series(NamedTuple):
    """What a number speaks of: figure, variant, scope and breakdown."""

    figure_id: str
    scope: str
    variant: str = ""
    breakdown_kind: str = ""
    breakdown_id: str = ""


class Place(NamedTuple):
    """Level and period of a cell."""

    level: str
    level_id: str
    period_kind: str
    period_start: date


@dataclass(slots=True)
class Cell:
    """A true number. `denominator` None: a sum. `value` is given where it is not numerator / denominator."""

    numerator: int | None = 0
    denominator: int | None = None
    n: int = 0
    value: Fraction | None = None


@dataclass(frozen=True)
class Span:
    """First and last month that the sample speaks for; rolling windows lie wholly inside."""

    first: date
    last: date

    def periods(self, month: date) -> Iterator[tuple[str, date]]:
        """(kind, first day) of every period that holds the month."""
        yield "month", month
        yield "quarter", date(month.year, (month.month - 1) // 3 * 3 + 1, 1)
        yield "year", date(month.year, 1, 1)
        for back in range(12):
            start = shift(month, -back)
            if self.first <= start and shift(start, 11) <= self.last:
                yield "rolling_12m", start


def shift(month: date, months: int) -> date:
    """The first day of the month that lies `months` later."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_of(day: date) -> date:
    return day.replace(day=1)


@dataclass
class Sums:
    """Additive contributions by organisation and month, added up by level and period at the end."""

    span: Span
    parts: dict[tuple[Series, Organisation, date], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    with_denominator: dict[Series, bool] = field(default_factory=dict)

    def add(
        self, series: Series, organisation: Organisation, day: date, numerator: int, denominator: int | None = None, n: int = 1
    ) -> None:
        """One contribution; `denominator` None for figures that are plain sums."""
        part = self.parts[series, organisation, month_of(day)]
        part[0] += numerator
        part[1] += denominator or 0
        part[2] += n
        self.with_denominator[series] = denominator is not None

    def cells(self) -> Mapping[tuple[Series, Place], Cell]:
        found: dict[tuple[Series, Place], Cell] = defaultdict(Cell)
        for (series, organisation, month), (numerator, denominator, n) in self.parts.items():
            for place in places(self.span, organisation, month, kinds_of(series.figure_id)):
                cell = found[series, place]
                cell.numerator = (cell.numerator or 0) + numerator
                cell.n += n
                if self.with_denominator[series]:
                    cell.denominator = (cell.denominator or 0) + denominator
        return found


@lru_cache(maxsize=100_000)
def places(span: Span, organisation: Organisation, month: date, kinds: tuple[str, ...] = KINDS) -> tuple[Place, ...]:
    """Every level and period, of these kinds, that the organisation's month belongs to."""
    levels = organisation.memberships()
    return tuple(
        Place(level, level_id, kind, start) for kind, start in span.periods(month) if kind in kinds for level, level_id in levels
    )


def median(values: list[int]) -> Fraction:
    """The middle value, or the mean of the two middle ones."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return Fraction(ordered[middle]) if len(ordered) % 2 else Fraction(ordered[middle - 1] + ordered[middle], 2)


def decimal_text(value: Fraction | None) -> str:
    """A fraction in twelve decimals; '' when there is none."""
    if value is None:
        return ""
    return f"{Decimal(round(value * 10**12)).scaleb(-12):f}"
