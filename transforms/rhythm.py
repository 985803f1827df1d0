"""Rhythm: which periods an agency should have delivered by a day, in Finnish working days.

A period is due so many working days after its last day. Saturdays, Sundays and the public holidays of Finland (with the eves
of Midsummer and Christmas, when nobody works) are no working days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from transforms.periods import add_months

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Rhythms that deliver whole periods, and their length. `day` delivers whatever there is."""
SATURDAY = 5


@cache
def _holidays(year: int) -> frozenset[date]:
    from holidays import country_holidays  # not at import: it takes a tenth of a second

    return frozenset(country_holidays("FI", years=year))


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY and day not in _holidays(day.year)


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`; `day` itself for 0."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def is_late(end: date, working_days: int, today: date) -> bool:
    """Whether what ended on `end` should have come before `today`: the day it is due may still bring it."""
    return today > working_days_after(end, working_days)


def due(rhythm: str, first: date, last: date | None, today: date, working_days: int) -> Iterator[tuple[date, date]]:
    """First days of the first and last month of every period that should have been delivered before `today`, oldest first.

    `first` and `last` (None: still delivering) bound what the agency delivers; a period they cut is due for the months
    inside. Raises ValueError for a rhythm without periods.
    """
    if rhythm not in MONTHS:
        raise ValueError(rhythm)
    length = MONTHS[rhythm]
    start = date(first.year, (first.month - 1) // length * length + 1, 1)
    while last is None or start <= last:
        after = add_months(start, length)
        if not is_late(after - timedelta(days=1), working_days, today):
            return
        end = add_months(after, -1)
        yield max(start, first.replace(day=1)), min(end, last.replace(day=1)) if last else end
        start = after
