"""METHOD 3, 29 and 33: of a list of cases the months that had not ended when it was made are missing, no fall."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance import support

pytestmark = pytest.mark.slow
HEADER = "Minikilpailutuksen tunnus;Y-tunnus;Tila;Alkamispäivä;Päätöspäivä;Kutsuttuja toimittajia;Saatuja tarjouksia;Tuettu kilpailutus"
LATE = date(2026, 11, 21)
IN_JUNE = datetime(2025, 6, 16, 12, tzinfo=UTC)
AFTER = datetime(2026, 1, 2, tzinfo=UTC)


def _deliver(home: Path, name: str, until: date, produced_at: datetime) -> None:
    """Two mini-competitions a month from January 2024 on, decided on the 1st and the 20th up to `until`."""
    inbox = home / "inbox" / "sample-cpb" / "mini_competitions"
    inbox.mkdir(parents=True, exist_ok=True)
    days = [date(year, month, day) for year in (2024, 2025) for month in range(1, 13) for day in (1, 20)]
    rows = [
        f"MK-{day:%Y%m%d};0101263-6;Päättynyt;1.12.2023;{day.day}.{day.month}.{day.year};5;3;kyllä"
        for day in days
        if day <= until
    ]
    path = inbox / name
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    path.with_name(path.name + ".manifest.json").write_text(json.dumps({"produced_at": produced_at.isoformat()}), "utf-8")


@pytest.fixture
def home(tiny_sample: Path, tmp_path: Path) -> Path:
    """2024 whole, of 2025 what had happened by the middle of June."""
    home = support.empty_home(tiny_sample, tmp_path / "home")
    _deliver(home, "mk1.csv", date(2025, 6, 16), IN_JUNE)
    return home


def _number(home: Path, kind: str, start: date, figure_id: str = "minicomp_n", variant: str = "all") -> tuple[object, ...]:
    sql = (
        "SELECT value, coverage, status, trend, reason FROM mart.key_figure WHERE figure_id = ? AND variant = ? "
        "AND level = 'national' AND breakdown_kind = '' AND period_kind = ? AND period_start = ?"
    )
    (row,) = support.published(home, sql, [figure_id, variant, kind, start]).rows()
    return tuple(row)


def _windows(home: Path) -> list[date]:
    sql = (
        "SELECT period_end FROM mart.key_figure WHERE figure_id = 'minicomp_n' AND variant = 'all' AND level = 'national' "
        "AND period_kind = 'rolling_12m' ORDER BY 1"
    )
    return support.published(home, sql)["period_end"].to_list()


def test_a_year_cut_in_june_is_covered_to_may(home: Path) -> None:
    support.nightly(home, as_of=LATE)

    covered = (Decimal(5) / Decimal(12)).quantize(Decimal("0.000001"))
    assert _number(home, "year", date(2025, 1, 1)) == (Decimal(11), covered, "final", "none", None)
    assert _number(home, "year", date(2024, 1, 1))[:3] == (Decimal(24), Decimal(1), "final")
    assert _number(home, "month", date(2025, 5, 1))[:4] == (Decimal(2), Decimal(1), "final", "flat")
    assert _number(home, "month", date(2025, 6, 1)) == (None, Decimal(0), "no_data", "none", "missing_delivery")
    days = "SELECT covered * 12 = asked * 5 FROM figure.cell WHERE figure_id = 'minicomp_lead_days' AND level = 'national' AND period_kind = 'year'"
    assert support.ledger(home, days + " AND period_start = DATE '2025-01-01'").rows() == [(True,)]
    assert _number(home, "year", date(2025, 1, 1), "minicomp_lead_days", "")[2] == "suppressed"  # of one customer alone
    assert _number(home, "quarter", date(2025, 4, 1))[1:3] == (Decimal("0.666667"), "final")


def test_the_running_year_is_provisional_with_the_months_that_have_ended(home: Path) -> None:
    support.nightly(home, as_of=date(2025, 6, 20))
    value, coverage, status, trend, _ = _number(home, "year", date(2025, 1, 1))
    assert (value, coverage, status, trend) == (Decimal(11), Decimal("0.416667"), "provisional", "none")


def test_a_month_cut_short_ends_no_twelve_months(home: Path) -> None:
    support.nightly(home, as_of=LATE)
    assert _windows(home)[-1] == date(2025, 5, 31)


@pytest.mark.long
def test_what_comes_later_fills_the_year_whatever_came_first(home: Path, tiny_sample: Path, tmp_path: Path) -> None:
    support.nightly(home, as_of=LATE)
    _deliver(home, "mk2.csv", date(2025, 12, 31), AFTER)
    support.nightly(home, as_of=LATE)
    assert _number(home, "year", date(2025, 1, 1)) == (Decimal(24), Decimal(1), "final", "flat", None)
    assert _windows(home)[-1] == date(2025, 12, 31)

    other = support.empty_home(tiny_sample, tmp_path / "other")
    _deliver(other, "mk2.csv", date(2025, 12, 31), AFTER)
    support.nightly(other, as_of=LATE)
    _deliver(other, "mk1.csv", date(2025, 6, 16), IN_JUNE)
    support.nightly(other, as_of=LATE)
    support.assert_same(home, other)


def test_a_list_made_later_without_anything_new_tells_of_quiet_months(home: Path) -> None:
    """Nothing but the day changed: the months until then are known to be without cases."""
    support.nightly(home, as_of=LATE)
    _deliver(home, "mk2.csv", date(2025, 6, 16), AFTER)
    support.nightly(home, as_of=LATE)
    assert _number(home, "year", date(2025, 1, 1)) == (Decimal(11), Decimal(1), "final", "down", None)
    assert _number(home, "month", date(2025, 6, 1))[:3] == (Decimal(1), Decimal(1), "final")
