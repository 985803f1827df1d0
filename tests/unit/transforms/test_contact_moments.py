"""Points in time: zones as written, Finnish local time without one, spreadsheets' serials, days that are ambiguous."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.moments import parse_moments

HELSINKI = ZoneInfo("Europe/Helsinki")


def _read(*texts: str | None, date_format: str | None = None) -> list[str | None]:
    found = parse_moments(pl.Series(texts, dtype=pl.String), date_format)
    return found.dt.strftime("%Y-%m-%d %H:%M:%S").to_list()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020-06-26T09:31:17Z", "2020-06-26 09:31:17"),
        ("2020-06-26T09:31:17.999Z", "2020-06-26 09:31:17"),
        ("2020-06-26T09:31Z", "2020-06-26 09:31:00"),
        ("2013-05-02T11:02:07+03:00", "2013-05-02 08:02:07"),
        ("2013-05-02 11:02:07 +0300", "2013-05-02 08:02:07"),
        ("2023-05-02 11:02:07", "2023-05-02 08:02:07"),
        ("2023-01-02T11:02", "2023-01-02 09:02:00"),
        ("2.5.2023 klo 14.05", "2023-05-02 11:05:00"),
        ("02.05.2023 kl. 14:05:09", "2023-05-02 11:05:09"),
        ("2.5.2023", "2023-05-01 21:00:00"),
        ("45048.459803241", "2023-05-02 08:02:07"),
        ("45048", "2023-05-01 21:00:00"),
        ("2023-03-26 02:59:59", "2023-03-26 00:59:59"),
        ("2023-03-26 03:30", None),  # spring leaves this hour out
        ("2023-03-26 04:00", "2023-03-26 01:00:00"),
        ("2023-10-29 03:30", "2023-10-29 00:30:00"),  # autumn has it twice: the first one
        ("2023-05-02T11:02:07+25:00", None),
        ("31.12.2023 24:00", None),
        ("31.11.2023 12:00", None),
        ("2023-05", None),
        ("eilen", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_is_read_to_the_second_or_not_at_all(text: str | None, utc: str | None) -> None:
    assert _read(text) == [utc]


def test_am_and_pm_mean_that_the_month_stands_first() -> None:
    assert _read("5/2/2023 12:02 AM", "5/3/2023 12:02 pm") == ["2023-05-01 21:02:00", "2023-05-03 09:02:00"]
    assert _read("5/2/2023 13:02 PM") == [None]


def test_without_am_and_pm_the_day_stands_first_unless_the_file_or_the_agency_says_otherwise() -> None:
    assert _read("5/2/2023 11:02") == ["2023-02-05 09:02:00"]
    assert _read("5/2/2023 11:02", "5/13/2023 11:02") == ["2023-05-02 08:02:00", "2023-05-13 08:02:00"]
    assert _read("5/2/2023 11:02", date_format="%m/%d/%Y") == ["2023-05-02 08:02:00"]


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)))  # noqa: DTZ001 - hypothesis wants plain bounds
def test_a_moment_written_in_any_way_is_the_same_moment(moment: datetime) -> None:
    utc = moment.replace(microsecond=0, tzinfo=UTC)
    local = utc.astimezone(HELSINKI)
    expected = [f"{utc:%Y-%m-%d %H:%M:%S}"]

    assert _read(f"{utc:%Y-%m-%dT%H:%M:%SZ}") == expected
    assert _read(local.isoformat()) == expected
    if not local.fold:
        assert _read(f"{local:%Y-%m-%d %H:%M:%S}") == expected
        serial = (local.replace(tzinfo=None) - datetime(1899, 12, 30)) / timedelta(days=1)  # noqa: DTZ001 - serials know no zone
        assert _read(f"{serial:.9f}") == expected
