"""Rhythm: Finnish working days, and what is due when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms import rhythm


def test_holidays_and_weekends_are_no_working_days() -> None:
    # Easter 2025: Good Friday 18 April, Monday 21 April
    assert rhythm.working_days_after(date(2025, 4, 17), 1) == date(2025, 4, 22)
    # Midsummer Eve on Friday 20 June, Christmas 24-26 December (Wednesday to Friday), Independence Day 2024 on a Friday
    assert rhythm.working_days_after(date(2025, 6, 19), 1) == date(2025, 6, 23)
    assert rhythm.working_days_after(date(2025, 12, 23), 1) == date(2025, 12, 29)
    assert rhythm.working_days_after(date(2024, 12, 5), 1) == date(2024, 12, 9)
    assert rhythm.working_days_after(date(2025, 6, 1), 0) == date(2025, 6, 1)


@given(st.dates(date(2015, 1, 1), date(2040, 1, 1)), st.integers(0, 60))
def test_so_many_working_days_lie_between(day: date, count: int) -> None:
    end = rhythm.working_days_after(day, count)
    between = [day + timedelta(days=ahead) for ahead in range(1, (end - day).days + 1)]
    assert sum(rhythm.is_working_day(one) for one in between) == count


def test_a_month_is_late_on_the_day_after_it_is_due() -> None:
    due_on = rhythm.working_days_after(date(2025, 4, 30), 20)
    assert due_on == date(2025, 5, 30)  # May Day and Ascension Day between

    def months(today: date) -> list[tuple[date, date]]:
        return list(rhythm.due("month", date(2025, 3, 1), None, today, 20))

    assert months(due_on) == [(date(2025, 3, 1), date(2025, 3, 1))]
    assert months(due_on + timedelta(days=1)) == [(date(2025, 3, 1), date(2025, 3, 1)), (date(2025, 4, 1), date(2025, 4, 1))]


def test_periods_before_the_frame_and_after_it_are_not_expected() -> None:
    years = list(rhythm.due("year", date(2022, 4, 1), date(2024, 6, 30), date(2030, 1, 1), 100))
    assert years == [
        (date(2022, 4, 1), date(2022, 12, 1)),
        (date(2023, 1, 1), date(2023, 12, 1)),
        (date(2024, 1, 1), date(2024, 6, 1)),
    ]
    quarters = list(rhythm.due("quarter", date(2024, 2, 1), None, date(2024, 8, 1), 20))
    assert quarters == [(date(2024, 2, 1), date(2024, 3, 1)), (date(2024, 4, 1), date(2024, 6, 1))]


def test_a_rhythm_without_periods_has_none_due() -> None:
    with pytest.raises(ValueError, match="day"):
        list(rhythm.due("day", date(2024, 1, 1), None, date(2025, 1, 1), 2))


@pytest.mark.parametrize(("days", "of"), [("-1", "month"), ("20", "weekly"), ("soon", "month")])
def test_a_register_that_makes_no_sense_is_named(days: str, of: str) -> None:
    overlay = {"agencies.csv": f"agency,rhythm,due_working_days\nnewtown,{of},{days}\n"}
    with pytest.raises(ConfigurationError, match="agency newtown: due_working_days"):
        _ = Reference.load(overlay).agencies


def test_every_shipped_agency_has_a_rhythm_and_a_limit_and_a_new_one_needs_none() -> None:
    agencies = Reference.load({"agencies.csv": "agency,name\nnewtown,Newtown\n"}).agencies
    assert agencies["newtown"].due_working_days is None
    assert {agency.rhythm: agency.due_working_days for agency in agencies.values() if agency.agency != "newtown"} == {
        "year": 100,
        "day": 2,
    }
