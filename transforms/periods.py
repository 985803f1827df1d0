"""Periods: months, quarters, years, and twelve complete months; when a period's figures close.

A period is (period_kind, period_start, period_end), both days inclusive. METHOD 3 and 29.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

SCHEMA = pl.Schema({"period_kind": pl.String, "period_start": pl.Date, "period_end": pl.Date})
MONTH_DAYS_INVOICES = 45
NOTICE_DAYS = 60


def add_months(first: date, months: int) -> date:
    """First day of the month `months` after that of `first`."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_end(first: date) -> date:
    """Last day of the month that begins on `first`."""
    return add_months(first, 1) - timedelta(days=1)


def period(kind: str, start: date) -> tuple[str, date, date]:
    """The period of a kind that begins on `start`."""
    months = {"month": 1, "quarter": 3, "year": 12, "rolling_12m": 12}[kind]
    return kind, start, month_end(add_months(start, months - 1))


def of(starts: Iterable[tuple[str, date]]) -> pl.DataFrame:
    """SCHEMA of the periods with some kinds and first days, in their order."""
    return pl.DataFrame([period(kind, start) for kind, start in starts], schema=SCHEMA, orient="row")


def expected_through(last: date, as_of: date) -> date:
    """The last month (its first day) that deliveries of invoices are expected for, where the data reach `last` (METHOD 29).

    Months of the data's last year that have closed by `as_of` are expected too: what is not there then is missing.
    """
    closed = last
    while closed.month < 12 and month_end(add_months(closed, 1)) + timedelta(days=MONTH_DAYS_INVOICES) <= as_of:
        closed = add_months(closed, 1)
    return closed


def touched(months: Iterable[date], first: date, last: date) -> pl.DataFrame:
    """Every period that contains one of `months` (first days): SCHEMA, sorted, without duplicates.

    Rolling windows are whole: they lie between the months of `first` and `last`, the bounds of the data.
    """
    low, high = first.replace(day=1), last.replace(day=1)
    found = set()
    for month in set(months):
        found.add(period("month", month))
        found.add(period("quarter", date(month.year, (month.month - 1) // 3 * 3 + 1, 1)))
        found.add(period("year", date(month.year, 1, 1)))
        for ahead in range(12):
            start = add_months(month, ahead - 11)
            if start >= low and add_months(start, 11) <= high:
                found.add(period("rolling_12m", start))
    return pl.DataFrame(sorted(found), schema=SCHEMA, orient="row")


def windows(first: date, last: date) -> list[tuple[str, date, date]]:
    """Every window of twelve whole months between the months of `first` and `last`."""
    found, start = [], first.replace(day=1)
    while add_months(start, 11) <= last.replace(day=1):
        found.append(period("rolling_12m", start))
        start = add_months(start, 1)
    return found


def month_range(first: date, last: date) -> list[date]:
    """First days of the months from that of `first` to that of `last`."""
    start, end = first.replace(day=1), last.replace(day=1)
    count = (end.year - start.year) * 12 + end.month - start.month + 1
    return [add_months(start, ahead) for ahead in range(count)]


def scope(
    months: Iterable[date],
    bounds: tuple[date, date],
    old_data: tuple[date, date] | None,
    new_data: tuple[date, date],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Periods to compute again, and periods to clear, when `months` changed and figures reach from one bound to the other.

    Windows lie between the bounds of the data themselves (METHOD 3: twelve complete months), which went from `old_data` to
    `new_data`. Growing bounds add windows that hold no changed month; shrinking ones leave periods without data. What comes
    out depends on the new state alone, not on the way to it.
    """
    before, after = set(windows(*old_data)) if old_data else set(), set(windows(*new_data))
    touched_rows = set(touched(months, *new_data).rows()) | (after - before)
    low, high = bounds[0].replace(day=1), month_end(bounds[1].replace(day=1))
    inside = {row for row in touched_rows if row[1] <= high and row[2] >= low}
    gone = (touched_rows - inside) | (before - after)
    return tuple(pl.DataFrame(sorted(rows), schema=SCHEMA, orient="row") for rows in (inside, gone))  # type: ignore[return-value]


def months_of(periods: pl.DataFrame) -> pl.DataFrame:
    """SCHEMA plus `month`: one row per month of each period."""
    return periods.with_columns(month=pl.date_ranges("period_start", "period_end", interval="1mo")).explode("month")


def a_year_later(periods: pl.DataFrame, years: int = 1) -> pl.DataFrame:
    """The same periods `years` later (negative: earlier)."""
    moved = (
        periods.select("period_kind", pl.col("period_start").dt.offset_by(f"{years}y"))
        .unique()
        .sort("period_kind", "period_start")
    )
    return of(moved.iter_rows())


def closing(kind: pl.Expr, end: pl.Expr, rule: str) -> pl.Expr:
    """Day from which a period's figure is final: invoices 45 days after the end, years 30 June of the next; notices 60 days;
    months: 45 days whatever the period; waves: the period's last day."""
    if rule == "notices":
        return end.dt.offset_by(f"{NOTICE_DAYS}d")
    if rule == "months":
        return end.dt.offset_by(f"{MONTH_DAYS_INVOICES}d")
    if rule == "waves":
        return end
    june = pl.date(end.dt.year() + 1, 6, 30)
    return pl.when(kind == "year").then(june).otherwise(end.dt.offset_by(f"{MONTH_DAYS_INVOICES}d"))
