"""Figures of drawn panels (METHOD 7): what is shown, and growth linked over the same organisations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from schemas.key_figure import CELL
from transforms import panel_figures, periods
from transforms.key_figures import spend
from transforms.measures.purchase_invoices import SPEND_MONTH
from transforms.panel import COUNTIES, GENERAL, MEMBERS, usable

MONTHS = periods.month_range(date(2020, 1, 1), date(2024, 12, 1))
MONTHLY = 1_000
"""Cents of every organisation in every month."""
GIVEN = {"organisation_id": pl.String, "period": pl.Date, "has_date": pl.Boolean, "net_cents": pl.Int64}
DRAWN = [(GENERAL, 2024)]


def contributions(names: list[str], undated: str = "", missing: str = "") -> pl.DataFrame:
    """Equal spend in every month; of one organisation only the years are known, one lacks May 2023."""
    rows = []
    for name in names:
        for month in MONTHS:
            if name == undated:
                rows += [(name, month, False, 12 * MONTHLY)] if month.month == 1 else []
            elif not (name == missing and month == date(2023, 5, 1)):
                rows.append((name, month, True, MONTHLY))
    given = pl.DataFrame(rows, schema=GIVEN, orient="row")
    kinds = {pl.Int64: 0, pl.Boolean: False, pl.String: "", pl.Date: date(2020, 1, 1)}
    rest = [
        pl.lit(kinds[column.dtype], column.dtype).alias(column.name)  # type: ignore[index]
        for column in SPEND_MONTH.columns
        if column.name not in given.columns
    ]
    spent = given.with_columns(rest).with_columns(known_absolute_cents="net_cents", procurement_lines=pl.lit(1, pl.Int64))
    expected = [(name, month, (name, month) != (missing, date(2023, 5, 1))) for name in names for month in MONTHS]
    schema = {"organisation_id": pl.String, "month": pl.Date, "present": pl.Boolean}
    return spend.compute({"spend_month": spent, "expected": pl.DataFrame(expected, schema=schema, orient="row")}, None)  # type: ignore[arg-type]


def facts(names: list[str], **odd: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contributions, and the months that are there."""
    found = contributions(names, **odd)
    return found, usable(found.filter(figure_id="spend_total"))


def members(names: list[str], panel: str = GENERAL, sector: str = "municipality") -> pl.DataFrame:
    rows = [(panel, 2024, name, name, date(2020, 1, 1), date(9999, 12, 31), sector) for name in names]
    return pl.DataFrame(rows, schema=MEMBERS, orient="row")


def whole(kind: str, start: date, cents: int, level: str = "national", level_id: str = "FI") -> pl.DataFrame:
    """The spend of all units in one period."""
    row = ("spend_total", "", "all", "", "", level, level_id, kind, start, cents, None, None, 1, 1, 1, None)
    return pl.DataFrame([row], schema=CELL.polars_schema(), orient="row")


def shown(kind: str, start: date, cents: int, names: list[str], **odd: str) -> tuple[int | None, str | None]:
    """Numerator and reason of the panel's national cell."""
    wanted = panel_figures.asked(pl.DataFrame([periods.period(kind, start)], schema=periods.SCHEMA, orient="row"), DRAWN)
    found = panel_figures.cells(members(names), whole(kind, start, cents), *facts(names, **odd), wanted)
    assert found.height == 1
    return found.select("numerator", "reason").row(0)


@pytest.mark.parametrize(
    ("names", "all_units", "expected"),
    [
        (["a", "b", "c"], 120_000, (36_000, None)),  # exactly 30 %
        (["a", "b", "c"], 120_001, (None, "panel_too_small")),
        (["a", "b", "c"], 0, (None, "panel_too_small")),
        (["a", "b"], 24_000, (None, "panel_too_small")),
        ([], 24_000, (None, "panel_too_small")),
    ],
)
def test_shown_from_three_organisations_and_thirty_per_cent(
    names: list[str], all_units: int, expected: tuple[int | None, str | None]
) -> None:
    assert shown("year", date(2023, 1, 1), all_units, names) == expected


def test_a_missing_month_makes_every_period_that_holds_it_incomplete() -> None:
    names = ["a", "b", "c"]
    assert shown("year", date(2023, 1, 1), 36_000, names, missing="b") == (None, "panel_incomplete")
    assert shown("quarter", date(2023, 4, 1), 9_000, names, missing="b") == (None, "panel_incomplete")
    assert shown("rolling_12m", date(2022, 6, 1), 36_000, names, missing="b") == (None, "panel_incomplete")
    assert shown("quarter", date(2023, 7, 1), 9_000, names, missing="b") == (9_000, None)
    assert shown("year", date(2022, 1, 1), 36_000, names, missing="b") == (36_000, None)


def test_an_organisation_that_ends_leaves_the_panel_incomplete_not_smaller() -> None:
    names, start = ["a", "b", "c", "d"], date(2023, 1, 1)
    ending = pl.when(pl.col("entity_id") == "d").then(date(2023, 6, 30)).otherwise("until").alias("until")
    year = pl.DataFrame([periods.period("year", start)], schema=periods.SCHEMA, orient="row")
    wanted = panel_figures.asked(year, DRAWN)
    found = panel_figures.cells(members(names).with_columns(ending), whole("year", start, 48_000), *facts(names), wanted)
    assert found.select("numerator", "reason").rows() == [(None, "panel_incomplete")]


def test_rows_without_dates_serve_years_only() -> None:
    names = ["a", "b", "c"]
    assert shown("year", date(2023, 1, 1), 36_000, names, undated="c") == (36_000, None)
    assert shown("quarter", date(2023, 4, 1), 9_000, names, undated="c") == (None, "panel_incomplete")


def test_a_year_no_panel_speaks_for_is_too_small() -> None:
    assert shown("year", date(2019, 1, 1), 36_000, ["a", "b", "c"]) == (None, "panel_too_small")
    assert shown("year", date(2025, 1, 1), 36_000, ["a", "b", "c"]) == (None, "panel_incomplete")  # 2024's runs on


def test_counties_are_shown_by_their_own_panel_only() -> None:
    names, sector = ["a", "b", "c"], "wellbeing_county"
    drawn = [(GENERAL, 2024), (COUNTIES, 2024)]
    year = pl.DataFrame([periods.period("year", date(2024, 1, 1))], schema=periods.SCHEMA, orient="row")
    wanted = panel_figures.asked(year, drawn)
    every = pl.concat([whole("year", date(2024, 1, 1), 36_000, *place) for place in (("national", "FI"), ("sector", sector))])
    found = panel_figures.cells(members(names, COUNTIES, sector), every, *facts(names), wanted)
    assert found.sort("level").select("level", "numerator", "reason").rows() == [
        ("national", None, "panel_too_small"),
        ("sector", 36_000, None),
    ]


def test_growth_compares_the_panels_own_years_only() -> None:
    names, drawn = ["a", "b", "c"], [(GENERAL, 2024)]
    years = [periods.period("year", date(year, 1, 1)) for year in range(2019, 2026)]
    wanted = panel_figures.asked(pl.DataFrame(years, schema=periods.SCHEMA, orient="row"), drawn)
    every = pl.concat([whole("year", start, 36_000) for _, start, _ in years])
    cells = panel_figures.cells(members(names), every, *facts(names, missing="b"), wanted)
    found = panel_figures.growth(cells, members(names), drawn)
    assert found.select("year", "numerator", "denominator", "reason", "is_linked").rows() == [
        (2021, 36_000, 36_000, None, True),
        (2022, 36_000, 36_000, None, True),
        (2023, None, None, "panel_incomplete", True),
        (2024, None, None, "panel_incomplete", True),
        (2025, None, None, "panel_incomplete", True),
    ]


def test_the_index_multiplies_linked_growths_and_begins_anew_after_a_gap() -> None:
    def row(year: int, panel_year: int, is_linked: bool, numerator: int | None, denominator: int | None) -> tuple[object, ...]:
        reason = None if numerator else "panel_too_small"
        return (GENERAL, "spend_total", "national", "FI", year, panel_year, is_linked, 3, numerator, denominator, reason)

    rows = [
        row(2020, 2020, True, 110, 100),
        row(2021, 2020, False, 999, 110),
        row(2021, 2021, True, 1, 3),
        row(2022, 2021, True, None, None),
        row(2023, 2023, True, 50, 100),
    ]
    found = panel_figures.grown(pl.DataFrame(rows, schema=panel_figures.GROWTH, orient="row"))
    assert found["index_value"].to_list() == [Decimal(110), None, Decimal("36.66666667"), None, Decimal(50)]
    assert found["growth"].to_list() == [
        Decimal("0.1"),
        Decimal("8.08181818"),
        Decimal("-0.66666667"),
        None,
        Decimal("-0.5"),
    ]
