"""METHOD 29: what has not come when a period closes is missing, also at the end of the data; the coverage says so."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance import support

pytestmark = pytest.mark.slow
HEADER = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka"
)
AUGUST, LATE = date(2024, 8, 20), date(2026, 11, 21)


def _deliver(home: Path, year: int, months: int) -> None:
    """A year's file that holds and covers its first `months`, 1000 euros each."""
    inbox = home / "inbox" / "sample-koela" / "purchase_invoices"
    inbox.mkdir(parents=True, exist_ok=True)
    rows = [
        f"Koelan kaupunki;{year}{month:02d};15.{month:02d}.{year};Otos-Paino 24 Oy;9048548-5;FI;1000,00;43010000;"
        "Rakennusten kunnossapitopalvelut;Rakennusten ylläpito"
        for month in range(1, months + 1)
    ]
    path = inbox / f"koela_{year}.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    manifest = {
        "produced_at": datetime(year + 1, 1, 1, tzinfo=UTC).isoformat(),
        "coverage_from": f"{year}-01-01",
        "coverage_to": f"{year}-{months:02d}-28",
    }
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")


def _delivered(tiny_sample: Path, home: Path) -> Path:
    """2023 whole, of 2024 the first half."""
    support.empty_home(tiny_sample, home)
    _deliver(home, 2023, 12)
    _deliver(home, 2024, 6)
    return home


@pytest.fixture
def home(tiny_sample: Path, tmp_path: Path) -> Path:
    return _delivered(tiny_sample, tmp_path / "home")


@pytest.fixture(scope="module")
def august(tiny_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """First published on 20 August 2024, before July closes. Never changed."""
    home = _delivered(tiny_sample, tmp_path_factory.mktemp("august") / "home")
    support.nightly(home, as_of=AUGUST)
    return home


@pytest.fixture(scope="module")
def late(tiny_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """First published when everything has closed. Never changed."""
    home = _delivered(tiny_sample, tmp_path_factory.mktemp("late") / "home")
    support.nightly(home, as_of=LATE)
    return home


def _copied(home: Path, tmp_path: Path) -> Path:
    shutil.copytree(home, tmp_path / "copied", symlinks=True)
    return tmp_path / "copied"


def _spend(home: Path, kind: str, start: date) -> tuple[object, ...]:
    sql = (
        "SELECT value, coverage, status, trend FROM mart.key_figure WHERE figure_id = 'spend_total' AND scope = 'all' "
        "AND panel = 'all' AND level = 'national' AND breakdown_kind = '' AND variant = '' AND period_kind = ? AND period_start = ?"
    )
    rows = support.published(home, sql, [kind, start]).rows()
    assert len(rows) == 1, rows
    return tuple(rows[0])


def test_half_a_year_is_half_covered(late: Path) -> None:
    assert _spend(late, "year", date(2024, 1, 1)) == (Decimal(6000), Decimal("0.5"), "final", "none")
    assert _spend(late, "year", date(2023, 1, 1))[:3] == (Decimal(12000), Decimal(1), "final")
    assert _spend(late, "month", date(2024, 6, 1))[:3] == (Decimal(1000), Decimal(1), "final")
    value, coverage, status, _ = _spend(late, "month", date(2024, 7, 1))
    assert value is None
    assert coverage == 0
    assert status in ("no_data", "not_computable")


def test_twelve_months_roll_to_the_end_of_the_data_only(august: Path, tmp_path: Path) -> None:
    """METHOD 3: rolling twelve months need twelve complete months; half of them missing is no year. A night later neither."""
    sql = (
        "SELECT period_start, is_latest FROM mart.key_figure WHERE figure_id = 'spend_total' AND level = 'national' "
        "AND panel = 'all' AND breakdown_kind = '' AND period_kind = 'rolling_12m' ORDER BY 1"
    )
    starts = [date(2023, month, 1) for month in range(1, 8)]
    home = _copied(august, tmp_path)
    support.nightly(home, as_of=LATE)
    for published in (august, home):
        assert support.published(published, sql).rows() == [(start, start == starts[-1]) for start in starts]


def test_numbers_of_suppliers_have_no_trend_either(late: Path) -> None:
    sql = (
        "SELECT coverage, trend FROM mart.key_figure WHERE figure_id = 'suppliers_n' AND level = 'national' "
        "AND breakdown_kind = '' AND period_kind = 'year' AND period_start = ?"
    )
    assert support.published(late, sql, [date(2024, 1, 1)]).rows() == [(Decimal("0.5"), "none")]


def test_what_is_not_due_yet_is_not_missing(august: Path) -> None:
    """On 20 August the half year is all that has closed (July closes on 14 September)."""
    value, coverage, status, _ = _spend(august, "year", date(2024, 1, 1))
    assert (value, coverage, status) == (Decimal(6000), Decimal(1), "provisional")


def test_the_day_on_which_a_month_closes_counts(home: Path) -> None:
    """45 days after 31 July is 14 September."""
    support.nightly(home, as_of=date(2024, 9, 13))
    assert _spend(home, "year", date(2024, 1, 1))[1] == 1
    support.nightly(home, as_of=date(2024, 9, 14))
    assert _spend(home, "year", date(2024, 1, 1))[1] == pytest.approx(Decimal(6) / Decimal(7), abs=Decimal("0.000001"))


@pytest.mark.long
def test_days_passing_one_by_one_end_as_one_late_night(august: Path, late: Path, tmp_path: Path) -> None:
    home = _copied(august, tmp_path)
    for day in (date(2024, 10, 1), date(2025, 2, 1), LATE):
        support.nightly(home, as_of=day)
    support.assert_same(home, late)


def test_what_comes_late_fills_the_year(late: Path, tmp_path: Path) -> None:
    home = _copied(late, tmp_path)
    _deliver(home, 2024, 12)
    support.nightly(home, as_of=LATE)
    assert _spend(home, "year", date(2024, 1, 1)) == (Decimal(12000), Decimal(1), "final", "flat")
