"""What figures may know besides measures: reference numbers with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from schemas.errors import ConfigurationError
from schemas.reference import Reference


@dataclass(frozen=True)
class Parameters:
    """`gdp_cents`: gross domestic product by year, in cents; empty where the register has none."""

    gdp_cents: Mapping[int, int] = field(default_factory=dict)


def parameters_of(reference: Reference) -> Parameters:
    """Parameters from the registers. Raises ConfigurationError naming row and column."""
    gdp = {}
    for number, row in enumerate(reference.table("catalogue/gdp.csv").iter_rows(named=True), start=2):
        try:
            gdp[int(row["year"])] = int(Decimal(row["gdp_eur"]) * 100)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigurationError(f"catalogue/gdp.csv, row {number}: year or gdp_eur is not a number") from error
    return Parameters(gdp)
