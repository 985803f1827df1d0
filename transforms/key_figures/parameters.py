"""What figures may know besides measures: reference numbers with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from schemas.errors import ConfigurationError
from schemas.reference import Reference

FIRST, LAST = date(1900, 1, 1), date(9999, 12, 31)
SIZES = ("small", "medium", "large")
"""Sizes of organisations; whoever keeps the register draws the line between them."""


@dataclass(frozen=True)
class Parameters:
    """`gdp_cents`: gross domestic product by year, in cents; empty where the register has none.

    `frame`: (organisation_id, first day, last day) of the organisations whose invoice data and yearly returns are waited for.

    `group_kinds`: group -> its kind (network, pilot, ...).

    `expenditure_cents`: (organisation_id, year) -> total expenditure, in cents.

    `sizes`: (organisation_id, size, first day, last day) where the register knows the size.

    `category_models`: every registered category model; `support_models`: those that are support services.

    `customer_areas`: areas that the customer survey asks about (nine as shipped)."""

    gdp_cents: Mapping[int, int] = field(default_factory=dict)
    frame: tuple[tuple[str, date, date], ...] = ()
    group_kinds: Mapping[str, str] = field(default_factory=dict)
    expenditure_cents: Mapping[tuple[str, int], int] = field(default_factory=dict)
    sizes: tuple[tuple[str, str, date, date], ...] = ()
    category_models: frozenset[str] = frozenset()
    support_models: frozenset[str] = frozenset()
    customer_areas: frozenset[str] = frozenset()


def parameters_of(reference: Reference) -> Parameters:
    """Parameters from the registers. Raises ConfigurationError naming row and column."""
    gdp = {}
    for number, row in enumerate(reference.table("catalogue/gdp.csv").iter_rows(named=True), start=2):
        try:
            gdp[int(row["year"])] = int(Decimal(row["gdp_eur"]) * 100)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigurationError(f"catalogue/gdp.csv, row {number}: year or gdp_eur is not a number") from error
    groups = reference.table("groups.csv")
    return Parameters(
        gdp_cents=gdp,
        frame=tuple(_frame(reference)),
        group_kinds=dict(zip(groups["group"], groups["kind"], strict=True)),
        expenditure_cents=_expenditure(reference),
        sizes=tuple(_sizes(reference)),
        category_models=frozenset(reference.table("category_models.csv")["category_model"].drop_nulls()),
        support_models=_support_models(reference),
        customer_areas=frozenset(
            reference.table("codelists/survey_questions.csv").filter(survey="customer", kind="area")["item"].drop_nulls()
        ),
    )


def _expenditure(reference: Reference) -> dict[tuple[str, int], int]:
    found = {}
    for number, row in enumerate(reference.table("catalogue/total_expenditure.csv").iter_rows(named=True), start=2):
        try:
            cents = int(Decimal(row["eur"]) * 100)
            found[row["organisation_id"], int(row["year"])] = cents
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ConfigurationError(f"catalogue/total_expenditure.csv, row {number}: year or eur is not a number") from error
        if cents <= 0:
            raise ConfigurationError(f"catalogue/total_expenditure.csv, row {number}: eur must be above zero")
    return found


def _sizes(reference: Reference) -> Iterator[tuple[str, str, date, date]]:
    for number, row in enumerate(reference.table("organisations.csv").iter_rows(named=True), start=2):
        if row["size"] is None:
            continue
        if row["size"] not in SIZES:
            raise ConfigurationError(f"organisations.csv, row {number}: size {row['size']!r} is not {', '.join(SIZES)}")
        yield row["organisation_id"], row["size"], *_span(row)


def _support_models(reference: Reference) -> frozenset[str]:
    """A category model whose rows do not agree would count half of itself: they must say the same."""
    told: dict[str, str] = {}
    for number, row in enumerate(reference.table("category_models.csv").iter_rows(named=True), start=2):
        model, answer = row["category_model"], row["is_support_service"]
        if answer not in ("yes", "no"):
            raise ConfigurationError(f"category_models.csv, row {number}: is_support_service {answer!r} is not yes or no")
        if told.setdefault(model, answer) != answer:
            raise ConfigurationError(f"category_models.csv, row {number}: is_support_service of {model!r} is both yes and no")
    return frozenset(model for model, answer in told.items() if answer == "yes")


def _span(row: Mapping[str, str | None]) -> tuple[date, date]:
    """The days of a row of organisations.csv."""
    since, until = (date.fromisoformat(text) if (text := row[name]) else None for name in ("valid_from", "valid_to"))
    return since or FIRST, until or LAST


def _frame(reference: Reference) -> Iterator[tuple[str, date, date]]:
    for row in reference.table("organisations.csv").iter_rows(named=True):
        if row["in_frame"] == "yes":
            yield row["organisation_id"], *_span(row)
