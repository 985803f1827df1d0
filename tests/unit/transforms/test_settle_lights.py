"""Roll-up, lights at their boundaries, status, trend, spread; settling a part equals settling all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.key_figure import CELL, CONTRIBUTION
from schemas.reference import Reference
from tests.unit.transforms.plain_figures import cell_row, median, share, spend
from transforms import levels, periods
from transforms.rollup import roll_up
from transforms.settle import settle

SCORE = replace(share(), figure_id="test_score", unit="score", numerator_quantity="score", minimum_n=5)
PER_MILLE = replace(share(), figure_id="test_per_mille", unit="per_mille", factor=1000)
FIGURES = {figure.figure_id: figure for figure in (share(), spend(), median(), SCORE, PER_MILLE)}
TARGET_HEADER = (
    "figure_id,variant,scope,level,valid_from,valid_to,target,target_operator,green_operator,green_value,red_operator,red_value,rule,"
    "confirmed,edition,source\n"
)
AS_OF = date(2025, 2, 28)


def target(row: str) -> Reference:
    return Reference.load({"catalogue/targets.csv": TARGET_HEADER + row + "\n"})


def cell(numerator: int | None, denominator: int | None, figure_id: str = "test_share", **changes: object) -> dict[str, object]:
    return cell_row(figure_id, numerator=numerator, denominator=denominator, **changes)


def settled(reference: Reference, *cells: dict[str, object], as_of: date = AS_OF) -> pl.DataFrame:
    frame = pl.DataFrame(list(cells), schema=CELL.polars_schema())
    spans = [periods.period(kind, start) for kind, start in frame.select("period_kind", "period_start").unique().iter_rows()]
    frame = frame.join(pl.DataFrame(spans, schema=periods.SCHEMA, orient="row"), on=["period_kind", "period_start"])
    known = levels.organisations(reference, pl.DataFrame(schema=levels.OBSERVED_SCHEMA))
    members = pl.DataFrame(
        [(f"o{i}", "national", "FI", date(1900, 1, 1), date(9999, 12, 31)) for i in range(9)],
        schema=levels.membership(known).schema,
        orient="row",
    )
    return settle(frame, FIGURES, reference, members, levels.names(reference, known), as_of)


BANDS = "test_share,,ted,national,2000-01-01,,0.10,<=,<=,0.10,>,0.20,official,yes,2016,test"


@pytest.mark.parametrize(
    ("numerator", "denominator", "light"),
    [
        (10, 100, "green"),
        (100_000_001, 1_000_000_000, "yellow"),
        (20, 100, "yellow"),
        (200_000_001, 1_000_000_000, "red"),
        (0, 100, "green"),
        (1, 3, "red"),
    ],
)
def test_official_bands_are_exact_at_ten_and_twenty_per_cent(numerator: int, denominator: int, light: str) -> None:
    assert settled(target(BANDS), cell(numerator, denominator))["light"].item() == light


@pytest.mark.parametrize(
    ("row", "numerator", "denominator", "light"),
    [
        (",5,<=,<=,0.05,>=,0.10", 10, 100, "red"),
        (",5,<=,<=,0.05,>=,0.10", 99_999_999, 1_000_000_000, "yellow"),
        (",5,<=,<=,0.05,>=,0.10", 5, 100, "green"),
        (",5,<=,<=,0.80,>,0.80", 80, 100, "green"),
        (",5,<=,<=,0.80,>,0.80", 800_000_001, 1_000_000_000, "red"),
        (",5,<=,<=,120,>,120", 12_000, 100, "green"),
        (",5,<=,<=,120,>,120", 12_001, 100, "red"),
        (",5,>=,>=,0.10,<,0.10", 10, 100, "green"),
        (",5,>=,>=,0.10,<,0.10", 99_999_999, 1_000_000_000, "red"),
        (",5,>,>,0.05,<,0.025", 5, 100, "yellow"),
        (",5,>,>,0.05,<,0.025", 25, 1000, "yellow"),
        (",5,>,>,0.05,<,0.025", 24, 1000, "red"),
    ],
)
def test_operators_differ_by_figure(row: str, numerator: int, denominator: int, light: str) -> None:
    reference = target("test_share,,ted,national,2000-01-01," + row + ",official,yes,2016,test")

    assert settled(reference, cell(numerator, denominator))["light"].item() == light


@pytest.mark.parametrize(("numerator", "light"), [(1000, "green"), (999, "yellow"), (900, "yellow"), (899, "red")])
def test_own_targets_are_yellow_when_missed_by_at_most_a_tenth(numerator: int, light: str) -> None:
    reference = target("test_share,,ted,national,2000-01-01,,0.10,>=,,,,,own,yes,,test")

    assert settled(reference, cell(numerator, 10_000))["light"].item() == light


@pytest.mark.parametrize(
    "change",
    [
        {"n": 29},
        {"covered": 79},
        {"scope": "all_notices"},
        {"level": "sector", "level_id": "state"},
        {"breakdown_kind": "cpv", "breakdown_id": "45"},
        {"period_start": date(1999, 1, 1)},
    ],
)
def test_no_light_where_the_target_does_not_speak(change: dict[str, object]) -> None:
    assert settled(target(BANDS), cell(10, 100, **change))["light"].item() == "none"


def test_unconfirmed_and_drawn_targets_show_the_target_without_a_light() -> None:
    for rule, confirmed in (("official", "no"), ("line", "yes")):
        row = BANDS.replace("official,yes", f"{rule},{confirmed}")
        result = settled(target(row), cell(10, 100))
        assert result.select("light", "target").row(0) == ("none", Decimal("0.10000000"))


def test_zero_denominator_is_not_zero() -> None:
    zero, none = settled(Reference.load(), cell(0, 100))["value"].item(), settled(Reference.load(), cell(0, 0))

    assert zero == Decimal(0)
    assert none.select("value", "status", "reason").row(0) == (None, "not_computable", "denominator_zero")


def test_missing_data_are_no_data_and_other_reasons_not_computable() -> None:
    missing = settled(Reference.load(), cell(None, None, reason="missing_delivery"))
    undated = settled(Reference.load(), cell(None, None, reason="no_date"))

    assert (missing["status"].item(), undated["status"].item()) == ("no_data", "not_computable")


def test_money_is_exact_to_the_cent_and_net_credit_is_told() -> None:
    result = settled(Reference.load(), cell(-470_000_000_000_001, None, figure_id="test_spend"))

    assert result.select("value", "numerator", "reason").row(0) == (
        Decimal("-4700000000000.01000000"),
        Decimal("-4700000000000.01"),
        "net_credit",
    )


@pytest.mark.parametrize(("as_of", "status"), [(date(2025, 2, 28), "provisional"), (date(2025, 3, 1), "final")])
def test_final_from_the_closing_day(as_of: date, status: str) -> None:
    assert settled(Reference.load(), cell(1, 10), as_of=as_of)["status"].item() == status


@pytest.mark.parametrize(("before", "now", "trend"), [(50, 51, "up"), (50, 49, "down"), (1000, 1005, "flat"), (None, 5, "none")])
def test_trend_against_a_year_before(before: int | None, now: int, trend: str) -> None:
    former = cell(before, 10_000, period_start=date(2023, 1, 1))

    result = settled(Reference.load(), cell(now, 10_000), former).filter(period_start=date(2024, 1, 1))

    assert result["trend"].item() == trend


def test_spread_over_organisations_from_five_up() -> None:
    organisations = [cell(i, 10, level="organisation", level_id=f"o{i}") for i in range(5)]

    five = settled(Reference.load(), cell(10, 50), *organisations).filter(level="national")
    four = settled(Reference.load(), cell(10, 50), *organisations[:4]).filter(level="national")

    assert five.select("organisation_q1", "organisation_median", "organisation_q3").row(0) == (
        Decimal("0.1"),
        Decimal("0.2"),
        Decimal("0.3"),
    )
    assert four["organisation_median"].item() is None


def test_composition_effect_is_flagged() -> None:
    def year(start: int, a: tuple[int, int], b: tuple[int, int]) -> list[dict[str, object]]:
        total = (a[0] + b[0], a[1] + b[1])
        places = (("national", "FI", total), ("organisation", "o1", a), ("organisation", "o2", b))
        return [cell(n, d, level=level, level_id=identity, period_start=date(start, 1, 1)) for level, identity, (n, d) in places]

    # both organisations fall, but the one with the higher share grows: the nation rises
    cells = year(2023, (10, 100), (9, 10)) + year(2024, (9, 100), (85, 100))

    result = settled(Reference.load(), *cells).filter(level="national", period_start=date(2024, 1, 1))

    assert result.select("trend", "mix_flag").row(0) == ("up", True)


PAIRS = st.tuples(st.integers(-(10**12), 10**12), st.integers(1, 10**12))


@given(st.lists(PAIRS, min_size=1, max_size=9))
def test_shares_round_half_even_at_eight_places(pairs: list[tuple[int, int]]) -> None:
    """Of several organisations at once, for settling takes the same time whatever their number."""
    cells = [cell(*pair, level="organisation", level_id=f"o{number}") for number, pair in enumerate(pairs)]

    values = settled(Reference.load(), *cells).sort("level_id")["value"].to_list()

    assert [int(value * 10**8) for value in values] == [round(Fraction(*pair) * 10**8) for pair in pairs]


def contribution(
    organisation: str, month: date, numerator: int, denominator: int | None, figure: str = "test_share"
) -> dict[str, object]:
    return {
        "figure_id": figure,
        "organisation_id": organisation,
        "month": month,
        "variant": "",
        "scope": "ted",
        "breakdown_kind": "",
        "breakdown_id": "",
        "numerator": numerator,
        "denominator": denominator,
        "amount": numerator,
        "n": 1,
        "covered": 1,
        "asked": 1,
        "reason": None,
    }


def rolled(rows: list[dict[str, object]], *spans: tuple[str, date]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"figure_id": pl.String, **CONTRIBUTION.polars_schema()})
    wanted = pl.DataFrame([periods.period(kind, start) for kind, start in spans], schema=periods.SCHEMA, orient="row")
    known = levels.organisations(
        Reference.load(),
        pl.DataFrame([(f"o{i}", None, "state", None, None, None) for i in range(4)], schema=levels.OBSERVED_SCHEMA, orient="row"),
    )
    return roll_up(frame, FIGURES, wanted, levels.membership(known))


def test_shares_are_sums_over_sums_and_medians_taken_anew() -> None:
    rows = [contribution("o1", date(2024, 1, 1), 1, 2), contribution("o2", date(2024, 2, 1), 0, 8)]
    rows += [contribution(f"o{i}", date(2024, 1, 1), days, None, "test_median") for i, days in enumerate((1, 2, 90))]

    cells = rolled(rows, ("quarter", date(2024, 1, 1))).filter(level="national")

    share = cells.filter(figure_id="test_share")
    assert share.select("numerator", "denominator", "n").row(0) == (1, 10, 2)
    assert cells.filter(figure_id="test_median")["direct_value"].item() == 2.0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30)
)
def test_national_sums_equal_sums_over_organisations(rows: list[tuple[int, int, int, int]]) -> None:
    contributions = [contribution(f"o{o}", date(2024, m, 1), n, d) for o, m, n, d in rows]

    cells = rolled(contributions, ("year", date(2024, 1, 1)))

    for column in ("numerator", "denominator", "n", "covered"):
        assert cells.filter(level="national")[column].sum() == cells.filter(level="organisation")[column].sum()


@pytest.mark.parametrize(("lacking", "light"), [(0, "green"), (1, "yellow")])
def test_scores_are_exact_to_the_last_part(lacking: int, light: str) -> None:
    """Forty respondents whose means are carried in 2520ths, against a target of 4 that is missed by one of them."""
    goal = target("test_score,,ted,national,2000-01-01,,4,>=,>=,4,,,own,yes,,test")
    row = settled(goal, cell(4 * 2520 * 40 - lacking, 40, "test_score", n=40, covered=40, asked=40)).row(0, named=True)
    assert row["light"] == light
    assert row["value"] == (Decimal(4) if lacking == 0 else Decimal("3.99999008"))
    assert (row["numerator"], row["denominator"]) == (Decimal(160), Decimal(40))


def test_per_mille_and_too_few() -> None:
    rows = settled(
        target("test_per_mille,,ted,national,2000-01-01,,20,<=,<=,20,,,own,yes,,test"),
        cell(1, 50, "test_per_mille", n=50, covered=50, asked=50),
        cell(2520 * 4, 4, "test_score", n=4),
    ).sort("figure_id")
    assert rows["value"].to_list() == [Decimal(20), None]
    assert rows["light"].to_list() == ["green", "none"]
    assert rows["reason"].to_list() == [None, "n_too_small"]


def test_a_stock_counts_in_the_last_month_of_its_period_only() -> None:
    stock = replace(spend(), figure_id="test_stock", unit="count", numerator_quantity="count", is_stock=True)
    rows = [
        dict.fromkeys(CONTRIBUTION.polars_schema())
        | {"figure_id": "test_stock", "organisation_id": "o1", "month": date(2024, month, 1), "variant": "", "scope": "all"}
        | {"breakdown_kind": "", "breakdown_id": "", "numerator": month, "n": 1, "covered": 1, "asked": 1}
        for month in range(1, 13)
    ]
    schema = {"figure_id": pl.String} | dict(CONTRIBUTION.polars_schema())
    members = pl.DataFrame(
        [("o1", "national", "FI", date(1900, 1, 1), date(9999, 12, 31))],
        schema=["organisation_id", "level", "level_id", "valid_from", "valid_to"],
        orient="row",
    )
    wanted = pl.DataFrame(
        [
            periods.period("month", date(2024, 5, 1)),
            periods.period("quarter", date(2024, 4, 1)),
            periods.period("year", date(2024, 1, 1)),
        ],
        schema=periods.SCHEMA,
        orient="row",
    )
    cells = roll_up(pl.DataFrame(rows, schema=schema), {"test_stock": stock}, wanted, members)
    assert dict(cells.select("period_kind", "numerator").rows()) == {"month": 5, "quarter": 6, "year": 12}
