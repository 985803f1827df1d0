"""Drawing panels (METHOD 7): who stands in one, and which one speaks for a year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl
import pytest

from schemas.reference import Reference
from transforms import levels, panel
from transforms.panel import COUNTIES, GENERAL, INVOICES, PANELS, RETURNING, RETURNING_COUNTIES, RETURNS, THERE
from transforms.periods import month_range

HEADER = "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note\n"
COUNTY = "wellbeing_county"


def row(name: str, since: str = "", until: str = "", before: str = "", sector: str = "municipality") -> str:
    return f"{name},,{name},,,{sector},,,{since},{until},{before},\n"


def drawn(register: Iterable[str], there: dict[str, list[date]], name: str = GENERAL, year: int = 2024) -> dict[str, set[str]]:
    """The panel of a year: its entities, each with the organisations it consists of."""
    reference = Reference.load({"organisations.csv": HEADER + "".join(register)})
    known = levels.organisations(reference, pl.DataFrame(schema=levels.OBSERVED_SCHEMA))
    source = PANELS[name].source
    months = [(source, organisation, month, True, False) for organisation, found in there.items() for month in found]
    usable = pl.DataFrame(months, schema=THERE, orient="row")
    rows = panel.draw(name, year, known, panel.entities(known, reference), usable)
    assert set(rows["panel_year"]) <= {year}
    found: dict[str, set[str]] = {}
    for entity, part in rows.select("entity_id", "organisation_id").iter_rows():
        found.setdefault(entity, set()).add(part)
    return found


def months(first: int, last: int, without: Iterable[date] = ()) -> list[date]:
    return [month for month in month_range(date(first, 1, 1), date(last, 12, 1)) if month not in without]


WHOLE = months(2020, 2024)


def test_one_missing_month_of_five_years_keeps_an_organisation_out() -> None:
    there = {"whole": WHOLE, "gap": months(2020, 2024, [date(2021, 7, 1)]), "late": months(2021, 2024)}
    assert drawn([row("whole"), row("gap"), row("late")], there) == {"whole": {"whole"}}
    assert drawn([row("whole"), row("gap"), row("late")], there | {"gap": months(2019, 2024)}) == {
        "whole": {"whole"},
        "gap": {"gap"},
    }


def test_who_does_not_exist_all_the_time_is_no_unbroken_entity() -> None:
    there = dict.fromkeys(("ended", "began", "paused", "renamed"), WHOLE)
    register = [
        row("ended", until="2024-06-30"),
        row("began", since="2020-02-01"),
        row("paused", until="2021-12-31"),
        row("paused", since="2022-03-01"),
        row("renamed", until="2021-12-31"),
        row("renamed", since="2022-01-01"),
    ]
    assert drawn(register, there) == {"renamed": {"renamed"}}


def test_what_merged_is_one_composite_back_in_time() -> None:
    register = [
        row("new", since="2022-01-01", before="one; two"),
        row("one", until="2021-12-31"),
        row("two", since="2021-01-01", until="2021-12-31", before="older"),
        row("older", until="2020-12-31"),
    ]
    there = {"new": months(2022, 2024), "one": months(2020, 2021), "two": months(2021, 2021), "older": months(2020, 2020)}
    assert drawn(register, there) == {"new": {"new", "one", "two", "older"}}
    for part in there:
        assert drawn(register, there | {part: there[part][1:]}) == {}, f"{part} has a gap"


def test_who_took_another_in_needs_the_months_of_both() -> None:
    register = [row("big", until="2021-12-31"), row("big", since="2022-01-01", before="small"), row("small", until="2021-12-31")]
    assert drawn(register, {"big": WHOLE, "small": months(2020, 2021)}) == {"big": {"big", "small"}}
    assert drawn(register, {"big": WHOLE, "small": months(2021, 2021)}) == {}
    assert drawn(register, {"big": WHOLE}) == {}


@pytest.mark.parametrize(
    "register",
    [
        [row("rest"), row("part", since="2022-01-01", before="rest")],  # the predecessor goes on
        [
            row("rest", since="2022-01-01", before="old"),
            row("part", since="2022-01-01", before="old"),
            row("old", until="2021-12-31"),
        ],
        [row("rest", since="2022-01-01", before="old"), row("old", until="2021-12-15")],  # two weeks between
        [row("rest", until="2021-12-31"), row("rest", since="2022-01-01", before="nobody")],
    ],
    ids=["divided", "dissolved", "gap", "unknown"],
)
def test_a_division_or_an_unclear_past_breaks_both_sides(register: list[str]) -> None:
    there = dict.fromkeys(("rest", "part", "old"), WHOLE) | {"other": WHOLE}
    assert drawn([*register, row("other")], there) == {"other": {"other"}}


def test_what_was_before_the_panel_breaks_nothing() -> None:
    register = [row("rest"), row("part", since="2020-01-01", before="rest")]
    assert drawn(register, {"rest": WHOLE, "part": WHOLE}) == {"rest": {"rest"}, "part": {"part"}}


def test_predecessors_in_a_circle_end() -> None:
    register = [
        row("a", until="2021-12-31"),
        row("a", since="2023-01-01", before="b"),
        row("b", since="2022-01-01", until="2022-12-31", before="a"),
    ]
    assert drawn(register, {"a": WHOLE, "b": WHOLE}) == {}


def test_no_panel_across_2023_holds_a_wellbeing_county() -> None:
    register = [
        row("city"),
        row("county", since="2023-01-01", sector=COUNTY),
        row("hus", until="2022-12-31", sector="joint_authority"),
        row("hus", since="2023-01-01", sector=COUNTY),
    ]
    there = {"city": months(2018, 2027), "hus": months(2018, 2027), "county": months(2023, 2027)}
    assert drawn(register, there, year=2022) == {"city": {"city"}, "hus": {"hus"}}
    assert drawn(register, there, year=2024) == {"city": {"city"}}
    assert drawn(register, there, COUNTIES, 2024) == {"county": {"county"}, "hus": {"hus"}}
    assert drawn(register, there, COUNTIES, 2023) == {"county": {"county"}, "hus": {"hus"}}
    assert set(drawn(register, there, year=2027)) == {"city", "county", "hus"}
    assert drawn(register, there | {"hus": months(2018, 2027, [date(2023, 5, 1)])}, COUNTIES, 2024) == {"county": {"county"}}


def test_panels_wait_for_their_first_of_july_and_for_data_that_reach_back() -> None:
    bounds = {INVOICES: (date(2019, 1, 1), date(2025, 10, 1))}
    assert panel.to_draw(bounds, date(2025, 6, 30)) == [(GENERAL, 2023), (COUNTIES, 2023)]
    assert panel.to_draw(bounds, date(2025, 7, 1)) == [(GENERAL, 2023), (GENERAL, 2024), (COUNTIES, 2023), (COUNTIES, 2024)]
    assert panel.to_draw(bounds, date(2026, 7, 1)) == panel.to_draw(bounds, date(2025, 7, 1))  # 2025 has not come to its end
    assert panel.to_draw({INVOICES: (date(2019, 2, 1), date(2024, 12, 1))}, date(2025, 7, 1)) == [
        (GENERAL, 2024),
        (COUNTIES, 2023),
        (COUNTIES, 2024),
    ]


def test_a_year_is_spoken_for_by_its_panel_the_one_before_or_the_first_that_reaches_back() -> None:
    panels = [(GENERAL, 2020), (GENERAL, 2021), (GENERAL, 2023), (COUNTIES, 2023)]
    spoken = {year: panel.speaking(panels, GENERAL, year) for year in range(2014, 2027)}
    assert spoken == {
        2014: None,
        2015: None,
        2016: 2020,
        2017: 2020,
        2018: 2020,
        2019: 2020,
        2020: 2020,
        2021: 2021,
        2022: 2021,
        2023: 2023,
        2024: 2023,
        2025: None,
        2026: None,
    }
    assert [panel.speaking(panels, COUNTIES, year) for year in (2022, 2023, 2024)] == [None, 2023, 2023]


def test_months_without_usable_amounts_are_not_there() -> None:
    rows = pl.DataFrame(
        [
            ("a", date(2024, 1, 1), "all", 10, None),
            ("a", date(2024, 2, 1), "all", 10, "missing_delivery"),
            ("a", date(2024, 3, 1), "all", 0, None),  # rows of a month that nobody covers
            ("b", date(2024, 1, 1), "year", 10, None),  # known by the year only
            ("b", date(2024, 1, 1), "shorter", 10, "no_date"),
        ],
        schema={
            "organisation_id": pl.String,
            "month": pl.Date,
            "period_kinds": pl.String,
            "asked": pl.Int64,
            "reason": pl.String,
        },
        orient="row",
    )
    assert panel.usable(rows).sort("organisation_id", "month").rows() == [
        (INVOICES, "a", date(2024, 1, 1), True, True),
        (INVOICES, "a", date(2024, 2, 1), False, False),
        (INVOICES, "b", date(2024, 1, 1), True, False),
    ]


def decembers(first: int, last: int) -> list[date]:
    """Returns for these years."""
    given = pl.DataFrame({"organisation_id": "x", "month": [date(year, 1, 1) for year in range(first, last + 1)]})
    return panel.returned(given)["month"].to_list()


def test_yearly_returns_draw_who_returned_for_five_years() -> None:
    there = {"all": decembers(2019, 2024), "gap": decembers(2020, 2022) + decembers(2024, 2024), "late": decembers(2021, 2024)}
    register = [row(name) for name in there]
    assert drawn(register, there, RETURNING) == {"all": {"all"}}
    assert drawn(register, there, RETURNING, 2023) == {"all": {"all"}}
    assert drawn(register, there, GENERAL) == {}, "a return is no month of invoices"


def test_who_returns_for_a_year_is_who_exists_on_its_last_day() -> None:
    register = [
        row("new", since="2022-07-01", before="one; two"),
        row("one", until="2022-06-30"),
        row("two", since="2022-02-01", until="2022-06-30", before="older"),
        row("older", until="2022-01-31"),
    ]
    there = {"new": decembers(2022, 2024), "one": decembers(2020, 2021), "older": decembers(2020, 2021)}
    assert drawn(register, there, RETURNING) == {"new": {"new", "one", "two", "older"}}
    assert drawn(register, there | {"one": decembers(2021, 2021)}, RETURNING) == {}


def test_panels_of_returns_are_drawn_for_years_and_counties_apart() -> None:
    bounds = {RETURNS: (date(2020, 1, 1), date(2024, 1, 1))}
    assert panel.to_draw(bounds, date(2025, 6, 30)) == [(RETURNING_COUNTIES, 2023)]
    assert panel.to_draw(bounds, date(2025, 7, 1)) == [(RETURNING, 2024), (RETURNING_COUNTIES, 2023), (RETURNING_COUNTIES, 2024)]
    there = {"city": decembers(2020, 2024), "county": decembers(2023, 2024)}
    register = [row("city"), row("county", since="2023-01-01", sector=COUNTY)]
    assert drawn(register, there, RETURNING) == {"city": {"city"}}
    assert drawn(register, there, RETURNING_COUNTIES) == {"county": {"county"}}
