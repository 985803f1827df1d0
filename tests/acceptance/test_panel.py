"""The fixed panel (METHOD 7) from delivered files to the published file: who stands in it, what it says, and that it stays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from flows import pipeline
from tests.acceptance import support
from tests.acceptance.buyers import BUYERS, COUNTY, MUNICIPALITY, deliver, everything
from tests.acceptance.conftest import CommandLine
from tests.acceptance.support import assert_same

pytestmark = pytest.mark.slow
JUNE, JULY = date(2025, 6, 30), date(2025, 7, 1)
Row = tuple[Any, ...]
PANELS = {2023: ("alku", "betoni", "citta", "sulautuva"), 2024: ("alku", "betoni", "citta", "sulautuva", "viides")}
"""Who has all months of five years; the four first are three entities."""
SPEAKS = {2019: 2023, 2020: 2023, 2021: 2023, 2022: 2023, 2023: 2023, 2024: 2024}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, published for the first time after 1 July 2025: panels of 2023 and 2024. Never changed."""
    home = everything(tmp_path_factory.mktemp("panel") / "home")
    support.nightly(home, as_of=JULY)
    return home


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, published on the last day of June and again on 1 July 2025. Never changed."""
    home = everything(tmp_path_factory.mktemp("drawn") / "home")
    support.nightly(home, as_of=JUNE)
    shutil.copytree(home, home.parent / "june", symlinks=True)
    support.nightly(home, as_of=JULY)
    return home


def fixed(home: Path, figure: str = "spend_total", kind: str = "year", level_id: str = MUNICIPALITY) -> dict[date, Row]:
    """value, status, reason, trend by the period's first day."""
    sql = (
        "SELECT period_start, value, status, reason, trend FROM mart.key_figure WHERE panel = 'fixed' "
        "AND figure_id = ? AND period_kind = ? AND level_id = ? ORDER BY period_start"
    )
    return {row[0]: row[1:] for row in support.published(home, sql, [figure, kind, level_id]).iter_rows()}


def first(year: int, month: int = 1) -> date:
    return date(year, month, 1)


def total(panel: int, year: int) -> int:
    return sum(BUYERS[key].year(year) for key in PANELS[panel])


def late(home: Path) -> None:
    """The newcomer's missing years, delivered afterwards."""
    for year in (2019, 2020, 2021):
        deliver(home, replace(BUYERS["uusi"], years=range(2019, 2025)), year)


def test_who_merged_is_one_composite_and_who_joined_late_stays_out(home: Path) -> None:
    """The newcomer of 2022 moves the municipalities' spend of all units, not that of the panel."""
    found = {start: row[:3] for start, row in fixed(home).items()}
    assert found == {first(year): (total(panel, year), "final", None) for year, panel in SPEAKS.items()}
    sql = "SELECT value FROM mart.key_figure WHERE panel = 'all' AND figure_id = 'spend_total' AND period_kind = 'year' AND level_id = ? AND period_start = ?"
    every = support.published(home, sql, [MUNICIPALITY, first(2022)]).item()
    assert every == total(2024, 2022) + BUYERS["uusi"].year(2022)
    members = support.published(home, "SELECT panel_year, organisation_id FROM mart.panel_member WHERE panel = 'general'")
    assert set(members.iter_rows()) == {(year, key) for year, keys in PANELS.items() for key in keys}
    sizes = "SELECT panel, panel_year, organisations_n, is_final FROM mart.panel ORDER BY ALL"
    assert support.published(home, sizes).rows() == [
        ("counties", 2023, 3, False),
        ("counties", 2024, 3, False),
        ("general", 2023, 3, False),
        ("general", 2024, 4, False),
    ]


def test_quarters_twelve_months_and_shares_are_of_the_same_organisations(home: Path) -> None:
    quarter = sum(BUYERS[key].of(2023, month) for key in PANELS[2023] for month in (4, 5, 6))
    assert fixed(home, kind="quarter")[first(2023, 4)][0] == quarter
    window = [(2023, month) for month in range(6, 13)] + [(2024, month) for month in range(1, 6)]
    rolled = sum(BUYERS[key].of(*month) for key in PANELS[2024] for month in window) + BUYERS["alku"].masked(2024)
    assert fixed(home, kind="rolling_12m")[first(2023, 6)][0] == rolled
    share = fixed(home, figure="masked_supplier_share")[first(2022)][0]
    assert abs(Fraction(str(share)) - Fraction(90, total(2023, 2022))) < Fraction(1, 10**8)
    assert fixed(home, figure="spend_market") == fixed(home)


def test_the_trend_compares_two_years_of_one_panel(home: Path) -> None:
    """The panel of 2024 is larger than that of 2023; over its own organisations, spend rose by far less than the series shows."""
    found = fixed(home)
    assert found[first(2024)][0] > found[first(2023)][0] * Decimal("1.5")
    assert abs(total(2024, 2024) - total(2024, 2023)) < total(2024, 2023) // 100
    assert found[first(2024)][3] == "flat"
    assert found[first(2022)][3] == "down"


def test_growth_is_linked_over_the_same_organisations(home: Path) -> None:
    sql = (
        "SELECT year, panel_year, is_linked, numerator, denominator, growth, index_value FROM mart.panel_growth "
        "WHERE figure_id = 'spend_total' AND level_id = ? ORDER BY year, panel_year"
    )
    rows = support.published(home, sql, [MUNICIPALITY]).rows()
    index, expected = Fraction(100), []
    for year, panel in [
        (2020, 2023),
        (2021, 2023),
        (2021, 2024),
        (2022, 2023),
        (2022, 2024),
        (2023, 2023),
        (2023, 2024),
        (2024, 2023),
        (2024, 2024),
    ]:
        linked = SPEAKS[year] == panel
        ratio = Fraction(total(panel, year), total(panel, year - 1))
        index = index * ratio if linked else index
        expected.append(
            (
                year,
                panel,
                linked,
                total(panel, year),
                total(panel, year - 1),
                _rounded(ratio - 1),
                _rounded(index) if linked else None,
            )
        )
    assert rows == expected


def _rounded(ratio: Fraction) -> Decimal:
    return Decimal(round(ratio * 10**8)).scaleb(-8)


def test_counties_have_their_own_panel_from_2023_and_none_before(home: Path) -> None:
    counties = [buyer for buyer in BUYERS.values() if buyer.sector == COUNTY]
    assert {start: row[0] for start, row in fixed(home, level_id=COUNTY).items()} == {
        first(year): sum(buyer.year(year) for buyer in counties) for year in (2023, 2024)
    }
    windows = fixed(home, kind="rolling_12m", level_id=COUNTY)
    assert {start for start, row in windows.items() if row[0] is not None} == {first(2023, month) for month in range(1, 13)} | {
        first(2024)
    }
    assert {row[2] for start, row in windows.items() if start < first(2023)} == {"panel_incomplete"}


def test_under_thirty_per_cent_of_all_units_nothing_is_shown(home: Path) -> None:
    """From 2023 the counties, who stand in no panel across 2023-01-01, hold most of the nation's spend."""
    found = fixed(home, level_id="FI")
    everybody = {year: sum(buyer.year(year) for buyer in BUYERS.values()) for year in SPEAKS}
    for year, panel in SPEAKS.items():
        is_shown = 10 * total(panel, year) >= 3 * everybody[year]
        assert found[first(year)][:3] == (
            (total(panel, year), "final", None) if is_shown else (None, "no_data", "panel_too_small")
        )
    assert {row[0] is None for row in found.values()} == {True, False}


def test_the_panel_of_the_year_before_runs_on_until_the_first_of_july(drawn: Path) -> None:
    june = fixed(drawn.parent / "june")
    assert june[first(2024)][0] == total(2023, 2024)
    assert fixed(drawn)[first(2024)][0] == total(2024, 2024)


def test_as_of_an_earlier_day_a_panel_drawn_later_is_silent(drawn: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(drawn, home, symlinks=True)
    support.nightly(home, as_of=JUNE)
    assert_same(home, drawn.parent / "june")
    support.nightly(home, as_of=JULY)
    assert_same(home, drawn)


@pytest.mark.long
def test_a_drawn_panel_stays_when_data_arrive_late(home: Path, drawn: Path, tmp_path: Path) -> None:
    """A home that lived through 1 July keeps its panels; one that began after it is still taking in its past."""
    old, young = tmp_path / "old", tmp_path / "young"
    shutil.copytree(drawn, old, symlinks=True)
    shutil.copytree(home, young, symlinks=True)
    for late_home in (old, young):
        late(late_home)
        support.nightly(late_home, as_of=date(2025, 7, 2))
    assert fixed(old) == fixed(drawn)
    assert support.published(old, "SELECT bool_and(is_final) FROM mart.panel").item()
    members = "SELECT DISTINCT panel_year FROM mart.panel_member WHERE entity_id = 'uusi' ORDER BY 1"
    assert support.published(old, members)["panel_year"].to_list() == []
    assert support.published(young, members)["panel_year"].to_list() == [2023, 2024]
    every = (
        "SELECT value FROM mart.key_figure WHERE panel = 'all' AND figure_id = 'spend_total' AND level_id = 'uusi' "
        "AND period_start = DATE '2019-01-01' AND period_kind = 'year'"
    )
    assert support.published(old, every).item() == replace(BUYERS["uusi"], years=range(2019, 2025)).year(2019)


@pytest.mark.long
def test_before_the_first_of_july_the_order_of_arrival_is_moot(drawn: Path, tmp_path: Path) -> None:
    """Files that come after a first publication, and the same files at once: equal figures, equal panels."""
    whole, steps = everything(tmp_path / "whole"), tmp_path / "steps"
    late(whole)
    support.nightly(whole, as_of=JUNE)
    shutil.copytree(drawn.parent / "june", steps, symlinks=True)
    late(steps)
    support.nightly(steps, as_of=JUNE)
    assert_same(whole, steps)
    for name in ("panel", "panel_member", "panel_growth"):
        sql = f"SELECT * FROM mart.{name} ORDER BY ALL"
        assert support.published(whole, sql).equals(support.published(steps, sql)), name
    for home in (whole, steps):
        support.nightly(home, as_of=JULY)
    assert_same(whole, steps)


@pytest.mark.long
def test_a_year_that_a_panel_runs_on_to_needs_all_its_organisations(drawn: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(drawn, home, symlinks=True)
    following = {key: replace(BUYERS[key], years=range(2019, 2026)) for key in PANELS[2024] if key != "sulautuva"}
    for key, buyer in following.items():
        if key != "betoni":
            deliver(home, buyer, 2025)
    support.nightly(home, as_of=date(2026, 3, 1))
    assert fixed(home)[first(2025)][:3] == (None, "no_data", "panel_incomplete")
    deliver(home, following["betoni"], 2025)
    support.nightly(home, as_of=date(2026, 3, 1))
    value = sum(buyer.year(2025) for buyer in following.values())
    assert fixed(home)[first(2025)][:3] == (value, "provisional", None)
    growth = "SELECT numerator, denominator, is_linked FROM mart.panel_growth WHERE year = 2025 AND figure_id = 'spend_total' AND level_id = ?"
    assert support.published(home, growth, [MUNICIPALITY]).rows() == [(value, total(2024, 2024), True)]


def test_a_withdrawn_month_of_a_drawn_panel_is_missing_not_smaller(drawn: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(drawn, home, symlinks=True)
    sql = "SELECT delivery_id FROM ledger.delivery WHERE agency = 'alku' AND file_name LIKE '%2022%'"
    pipeline.command(support.settings(home), "withdrawn", support.ledger(home, sql).item(), "wrong")
    support.nightly(home, as_of=JULY)
    assert fixed(home)[first(2022)][:3] == (None, "no_data", "panel_incomplete")
    assert fixed(home)[first(2023)][0] == total(2023, 2023)


def test_the_command_line_shows_one_panel_at_a_time(home: Path, nyckeltal: CommandLine) -> None:
    words = ("figures", "--figure", "spend_total", "--level", "sector", "--level-id", MUNICIPALITY, "--period", "2022-01-01")
    every = json.loads(nyckeltal(home, *words, "--format", "json").out)
    panel = json.loads(nyckeltal(home, *words, "--panel", "fixed", "--format", "json").out)
    assert [Decimal(row["value"]) for row in every] == [total(2024, 2022) + BUYERS["uusi"].year(2022)]
    assert [Decimal(row["value"]) for row in panel] == [total(2023, 2022)]
