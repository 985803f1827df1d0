"""Periods and levels."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reference import Reference
from transforms import levels, periods

HEADER = "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note\n"


def starts(frame: pl.DataFrame, kind: str) -> list[date]:
    return frame.filter(period_kind=kind)["period_start"].to_list()


def test_a_month_touches_its_month_quarter_year_and_whole_windows_only() -> None:
    found = periods.touched([date(2024, 5, 1)], date(2023, 1, 15), date(2024, 12, 31))

    assert starts(found, "month") == [date(2024, 5, 1)]
    assert starts(found, "quarter") == [date(2024, 4, 1)]
    assert starts(found, "year") == [date(2024, 1, 1)]
    windows = found.filter(period_kind="rolling_12m").select("period_start", "period_end").rows()
    assert windows[0] == (date(2023, 6, 1), date(2024, 5, 31))
    assert windows[-1] == (date(2024, 1, 1), date(2024, 12, 31))
    assert len(windows) == 8


@pytest.mark.parametrize(
    ("last", "as_of", "through"),
    [
        (date(2024, 6, 1), date(2024, 8, 20), date(2024, 6, 1)),  # July closes on 14 September
        (date(2024, 6, 1), date(2024, 9, 13), date(2024, 6, 1)),
        (date(2024, 6, 1), date(2024, 9, 14), date(2024, 7, 1)),
        (date(2024, 6, 1), date(2025, 2, 13), date(2024, 11, 1)),
        (date(2024, 6, 1), date(2025, 2, 14), date(2024, 12, 1)),
        (date(2024, 6, 1), date(2026, 11, 21), date(2024, 12, 1)),  # the next year nobody has begun
        (date(2024, 12, 1), date(2026, 11, 21), date(2024, 12, 1)),
        (date(2024, 6, 1), date(2024, 1, 1), date(2024, 6, 1)),  # data are there whatever the day
    ],
)
def test_months_are_expected_to_the_last_that_has_closed_in_the_datas_last_year(last: date, as_of: date, through: date) -> None:
    assert periods.expected_through(last, as_of) == through


def test_windows_end_with_the_data_though_months_after_them_are_expected() -> None:
    data, bounds = (date(2023, 1, 1), date(2024, 6, 1)), (date(2023, 1, 1), date(2024, 12, 1))
    inside, gone = periods.scope([date(2024, 5, 1), date(2024, 12, 1)], bounds, None, data)
    assert max(starts(inside, "rolling_12m")) == date(2023, 7, 1)
    assert starts(inside, "month") == [date(2024, 5, 1), date(2024, 12, 1)]
    assert gone.is_empty()
    inside, gone = periods.scope([], (date(2023, 1, 1), date(2023, 12, 1)), data, (date(2023, 1, 1), date(2023, 12, 1)))
    assert inside.is_empty()
    assert starts(gone, "rolling_12m") == [date(2023, month, 1) for month in range(2, 8)]


def test_eleven_months_of_data_have_no_window() -> None:
    assert starts(periods.touched([date(2024, 1, 1)], date(2024, 1, 1), date(2024, 11, 30)), "rolling_12m") == []


@given(st.dates(date(2001, 1, 1), date(2090, 1, 1)), st.integers(-400, 400))
def test_adding_months_is_undone_by_subtracting(day: date, months: int) -> None:
    first = day.replace(day=1)

    assert periods.add_months(periods.add_months(first, months), -months) == first


@pytest.mark.parametrize(
    ("kind", "end", "rule", "closes"),
    [
        ("month", date(2024, 1, 31), "invoices", date(2024, 3, 16)),
        ("year", date(2024, 12, 31), "invoices", date(2025, 6, 30)),
        ("quarter", date(2024, 3, 31), "invoices", date(2024, 5, 15)),
        ("year", date(2024, 12, 31), "notices", date(2025, 3, 1)),
    ],
)
def test_closing_days(kind: str, end: date, rule: str, closes: date) -> None:
    frame = pl.DataFrame({"period_kind": [kind], "period_end": [end]})

    assert frame.select(periods.closing(pl.col("period_kind"), pl.col("period_end"), rule)).item() == closes


def test_months_of_a_quarter() -> None:
    frame = pl.DataFrame([periods.period("quarter", date(2024, 4, 1))], schema=periods.SCHEMA, orient="row")

    assert periods.months_of(frame)["month"].to_list() == [date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1)]


def test_the_same_period_a_year_earlier_ends_in_a_leap_february() -> None:
    frame = pl.DataFrame([periods.period("month", date(2025, 2, 1))], schema=periods.SCHEMA, orient="row")

    assert periods.a_year_later(frame, -1).row(0) == ("month", date(2024, 2, 1), date(2024, 2, 29))


def observed(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=levels.OBSERVED_SCHEMA, orient="row")


def test_the_register_wins_and_validity_decides_membership_on_the_last_day() -> None:
    register = (
        HEADER
        + "9000001-1,9000001-1,Vanha,,,joint_authority,,06,,2022-12-31,,\n9000001-1,9000001-1,Uusi,,,wellbeing_county,,06,2023-01-01,,,\n"
    )
    reference = Reference.load({"organisations.csv": register})
    known = levels.organisations(reference, observed(("9000001-1", "Said otherwise", "municipality", None, None, None)))
    spans = pl.DataFrame(
        [periods.period("year", date(2022, 1, 1)), periods.period("rolling_12m", date(2022, 2, 1))],
        schema=periods.SCHEMA,
        orient="row",
    )

    members = levels.membership(known).filter(organisation_id="9000001-1")
    placed = levels.placed(spans.with_columns(organisation_id=pl.lit("9000001-1")), members)
    placed = placed.filter(level="sector").sort("period_start")

    assert placed["level_id"].to_list() == ["joint_authority", "wellbeing_county"]


def test_observed_organisations_take_the_first_word_whatever_the_order() -> None:
    reference = Reference.load()
    rows = [("x", "Beta", None, None, None, None), ("x", "Alfa", None, "25", "Oikeusministeriön hallinnonala", None)]

    one = levels.organisations(reference, observed(*rows)).filter(organisation_id="x")
    other = levels.organisations(reference, observed(*reversed(rows))).filter(organisation_id="x")

    assert one.equals(other)
    assert one.select("name_fi", "sector", "branch").row(0) == ("Alfa", "unknown", "25")


def test_an_organisation_that_ended_inside_a_period_stays_in_the_nation() -> None:
    register = HEADER + "9000001-1,9000001-1,Lakkautettu,,,joint_authority,,06,2020-01-01,2022-06-30,,\n"
    known = levels.organisations(Reference.load({"organisations.csv": register}), observed())
    spans = pl.DataFrame([periods.period("year", date(2022, 1, 1))], schema=periods.SCHEMA, orient="row")

    placed = levels.placed(spans.with_columns(organisation_id=pl.lit("9000001-1")), levels.membership(known))

    assert set(placed["level"]) == {"national", "sector", "region", "organisation"}
    assert levels.spans(known).filter(organisation_id="9000001-1").row(0)[1:] == (date(2020, 1, 1), date(2022, 6, 30))


REGISTER = (
    "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note\n"
    "0201256-6,0201256-6,Mallila,Modellby,,municipality,,01,,,,\n"
)
ELSEWHERE = observed(
    ("2345678-4", "Malliverkko Oy", "other_public", None, None, "06"),
    ("2345678-4", "MALLIVERKKO OY, hankinnat", None, None, None, None),
    ("1234567-1", "Kaksoset", None, None, None, None),
    ("0112038-9", "Kaksoset", None, None, None, None),
)


@pytest.mark.parametrize(
    ("name", "same_as"),
    [
        ("malliverkko  oy", "2345678-4"),
        ("Malliverkko Oy, hankinnat", "2345678-4"),
        ("Modellby", "0201256-6"),
        ("Kaksoset", None),
        ("Malliverkko", None),
        (None, None),
    ],
    ids=["in other letters", "its other name", "its name in the register", "a name of two", "another name", "no name"],
)
def test_a_buyer_whose_name_one_organisation_bears_elsewhere_is_that_organisation(name: str | None, same_as: str | None) -> None:
    nameless = f"{levels.NAMED_ONLY}0123456789ab"
    seen = pl.concat([ELSEWHERE, observed((nameless, name, None, None, None, None))])
    known = levels.organisations(Reference.load({"organisations.csv": REGISTER}), seen)

    same = levels.same_by_name(seen, known)
    members = levels.joined(levels.membership(known), same).filter(organisation_id=nameless)

    assert same.rows() == ([(nameless, same_as)] if same_as else [])
    told = dict(members.select("level", "level_id").iter_rows())
    assert told["organisation"] == same_as or (same_as is None and told["organisation"] == nameless)
    if same_as == "2345678-4":
        assert (told["sector"], told["region"]) == ("other_public", "06")
    assert levels.joined(levels.membership(known), same).filter(pl.col("organisation_id") != nameless).height == (
        levels.membership(known).filter(pl.col("organisation_id") != nameless).height
    )
