"""What figures may know besides measures: reference numbers with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.errors import ConfigurationError
from schemas.reference import Reference

FIRST, LAST = date(1900, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Parameters:
    """`gdp_cents`: gross domestic product by year, in cents; empty where the register has none.

    `frame`: (organisation_id, first day, last day) of the organisations whose invoice data and yearly returns are waited for.

    `group_kinds`: group -> its kind (network, pilot, ...)."""

    gdp_cents: Mapping[int, int] = field(default_factory=dict)
    frame: tuple[tuple[str, date, date], ...] = ()
    group_kinds: Mapping[str, str] = field(default_factory=dict)


def parameters_of(reference: Reference) -> Parameters:
    """Parameters from the registers. Raises ConfigurationError naming row and column."""
    gdp = {}
    for number, row in enumerate(reference.table("catalogue/gdp.csv").iter_rows(named=True), start=2):
        try:
            gdp[int(row["year"])] = int(Decimal(row["gdp_eur"]) * 100)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigurationError(f"catalogue/gdp.csv, row {number}: year or gdp_eur is not a number") from error
    groups = reference.table("groups.csv")
    return Parameters(gdp, tuple(_frame(reference)), dict(zip(groups["group"], groups["kind"], strict=True)))


def _frame(reference: Reference) -> Iterator[tuple[str, date, date]]:
    for number, row in enumerate(reference.table("organisations.csv").iter_rows(named=True), start=2):
        if row["in_frame"] not in (None, "yes", "no"):
            raise ConfigurationError(f"organisations.csv, row {number}: in_frame {row['in_frame']!r} is not yes or no")
        if row["in_frame"] == "yes":
            try:
                since, until = (date.fromisoformat(row[name]) if row[name] else None for name in ("valid_from", "valid_to"))
            except ValueError as error:
                raise ConfigurationError(f"organisations.csv, row {number}: valid_from or valid_to is not a day") from error
            yield row["organisation_id"], since or FIRST, until or LAST
