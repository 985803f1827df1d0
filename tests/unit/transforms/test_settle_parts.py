"""Settling and rolling up a part equals settling and rolling up the whole; the order of rows is of no matter; exactness."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.key_figure import CELL, KEY_FIGURE, KeyFigure
from schemas.reference import Reference
from tests.examples import examples
from tests.unit.transforms.plain_figures import cell_row, distinct, median, share, spend
from transforms import levels, periods
from transforms.rollup import roll_up
from transforms.settle import UNSETTLED, flips, settle

BASE = share("single_bid_share")
FIGURES = {figure.figure_id: figure for figure in (BASE, spend("spend_total"), median(), distinct())}
MONTHS = [date(2022 + m // 12, m % 12 + 1, 1) for m in range(36)]
ORGANISATIONS = [(f"o{i}", None, "state" if i < 4 else "municipality", "25" if i % 2 else None, None, "06") for i in range(7)]
REFERENCE = Reference.load()
KNOWN = levels.organisations(REFERENCE, pl.DataFrame(ORGANISATIONS, schema=levels.OBSERVED_SCHEMA, orient="row"))
MEMBERS = levels.membership(KNOWN).filter(pl.col("organisation_id").str.starts_with("o"))
NAMES = levels.names(REFERENCE, KNOWN)
KEY = list(KEY_FIGURE.primary_key)
AS_OF = date(2024, 6, 15)

ROWS = st.lists(
    st.tuples(
        st.sampled_from(sorted(FIGURES)),
        st.integers(0, 6),
        st.sampled_from(MONTHS),
        st.integers(-5, 40),
        st.integers(0, 60),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def contributions(rows: list[tuple[str, int, date, int, int, bool]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "figure_id": figure_id,
                "organisation_id": f"o{organisation}",
                "month": month,
                "variant": "",
                "scope": "ted",
                "breakdown_kind": "",
                "breakdown_id": "",
                "numerator": None if fails else top,
                "denominator": None if fails else bottom,
                "amount": None if fails else top,
                "unit_id": None if fails else str(top),
                "n": bottom,
                "covered": 0 if fails else bottom,
                "asked": bottom,
                "reason": "no_date" if fails else None,
            }
            for figure_id, organisation, month, top, bottom, fails in rows
        ],
        schema_overrides={
            "numerator": pl.Int64,
            "denominator": pl.Int64,
            "amount": pl.Int64,
            "unit_id": pl.String,
            "reason": pl.String,
        },
    )


def settled(frame: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    cells = roll_up(frame, FIGURES, spans, MEMBERS).join(spans, on=["period_kind", "period_start"])
    return settle(cells, FIGURES, REFERENCE, MEMBERS, NAMES, AS_OF)


@settings(max_examples=examples(25), deadline=None)
@given(ROWS, st.sampled_from(MONTHS))
def test_what_a_month_touches_settled_alone_equals_settling_all(
    rows: list[tuple[str, int, date, int, int, bool]], month: date
) -> None:
    frame = contributions(rows)
    every = periods.touched(MONTHS, MONTHS[0], MONTHS[-1])
    touched = periods.touched([month], MONTHS[0], MONTHS[-1])
    wanted = pl.concat([touched, periods.a_year_later(touched)]).unique()
    needed = pl.concat([wanted, periods.a_year_later(wanted, -1)]).unique()
    needed = needed.join(every, on=every.columns, how="semi")  # the warehouse keeps cells of whole windows only

    part = settled(frame, needed).join(wanted, on=["period_kind", "period_start"], how="semi")
    whole = settled(frame, every).join(wanted, on=["period_kind", "period_start"], how="semi")

    assert part.sort(KEY).equals(whole.sort(KEY))


@settings(max_examples=examples(15), deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_contributions_is_of_no_matter(rows: list[tuple[str, int, date, int, int, bool]], chance: Random) -> None:
    every = periods.touched(MONTHS, MONTHS[0], MONTHS[-1])
    shuffled = list(rows)
    chance.shuffle(shuffled)

    assert settled(contributions(shuffled), every).sort(KEY).equals(settled(contributions(rows), every).sort(KEY))


def cell(figure: KeyFigure, **values: object) -> pl.DataFrame:
    row = cell_row(figure.figure_id, period_start=date(2023, 1, 1), **values)
    frame = pl.DataFrame([row], schema=CELL.polars_schema()).with_columns(period_end=pl.lit(date(2023, 12, 31)))
    return settle(frame, {figure.figure_id: figure}, REFERENCE, MEMBERS, NAMES, AS_OF)


@pytest.mark.parametrize(("covered", "reason"), [(8, None), (7, "coverage_too_low")])
def test_minimum_coverage_is_compared_exactly(covered: int, reason: str | None) -> None:
    figure = replace(BASE, minimum_coverage=0.8)

    assert cell(figure, numerator=1, denominator=2, covered=covered, asked=10)["reason"].item() == reason


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_coverage_is_rounded_half_to_even_from_integers(covered: int, asked: int) -> None:
    value = cell(BASE, numerator=1, denominator=2, covered=min(covered, asked), asked=asked)["coverage"].item()

    assert value == Decimal(round(Fraction(min(covered, asked), asked) * 10**6)).scaleb(-6)


def test_a_figure_without_integers_has_no_light_even_where_a_target_stands() -> None:
    figure = replace(BASE, aggregate="median")

    row = cell(figure, direct_value=0.05)

    assert row.select("value", "light").row(0) == (Decimal("0.05"), "none")
    assert row["target"].item() is not None


def test_every_column_of_the_published_table_is_settled() -> None:
    assert cell(BASE, numerator=1, denominator=2).columns == [
        name for name in KEY_FIGURE.polars_schema() if name not in UNSETTLED
    ]


def test_figures_flip_on_their_closing_day() -> None:
    spans = periods.touched([date(2024, 1, 1)], date(2024, 1, 1), date(2024, 3, 31))

    first = flips({"a": BASE}, spans, date(2024, 3, 30), date(2024, 3, 31))
    invoices = flips({"a": replace(BASE, closing="invoices")}, spans, date(2024, 3, 15), date(2024, 3, 16))

    assert first["period_kind"].to_list() == ["month"]
    assert invoices["period_kind"].to_list() == ["month"]


def test_distinct_counts_units_once_and_facts_without_a_unit_not_at_all() -> None:
    rows = [
        ("test_distinct", organisation, MONTHS[0], top, 1, fails)
        for organisation, top, fails in ((0, 1, False), (1, 1, False), (1, 2, False), (2, 9, True))
    ]

    year = settled(contributions(rows), periods.touched([MONTHS[0]], MONTHS[0], MONTHS[-1])).filter(
        period_kind="year", level="national"
    )

    assert year["value"].item() == 2
