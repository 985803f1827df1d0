"""The fixed panel of yearly returns (METHOD 31): who has returned for five years in a row, and what these same units say."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from tests.acceptance import support
from tests.acceptance.buyers import BUYERS, COUNTY, MUNICIPALITY, everything

pytestmark = pytest.mark.slow
JULY = date(2025, 7, 1)
COUNTIES = ("hva1", "hva2", "hva3")
RETURNED = {
    "alku": (2020, 2021, 2022, 2023, 2024),
    "betoni": (2020, 2022, 2023, 2024),
    "citta": (2022, 2023, 2024),
    "sulautuva": (2020, 2021),
    "viides": (2020, 2021, 2022, 2023, 2024),
    "uusi": (2020, 2021, 2022, 2023, 2024),
    **dict.fromkeys(COUNTIES, (2023, 2024)),
}
"""Citta and what merged into it are one entity, but before 2022 citta itself did not return: neither stands in the panel."""
MEMBERS = ("alku", "viides", "uusi")
"""Uusi has no invoices before 2022: it stands in the panel of returns, not in that of invoices."""


def answers(key: str, year: int) -> tuple[str, int, int]:
    """has_plan (left blank by alku in 2021), market dialogues, level of competence."""
    place = list(BUYERS).index(key)
    plan = "" if (key, year) == ("alku", 2021) else "yes" if (place + year) % 3 else "no"
    return (plan, 2 * place + year - 2020, 1 + (place + year) % 5)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = everything(tmp_path_factory.mktemp("returns") / "home")
    with (home / "registry" / "agencies.csv").open("a", encoding="utf-8") as file:
        file.write("ministry,Ministry,fi,strategy_followup,,,,,year,10,,,yes\n")
    for year in range(2020, 2025):
        deliver_returns(home, year, [key for key, years in RETURNED.items() if year in years])
    support.nightly(home, as_of=JULY)
    return home


def deliver_returns(home: Path, year: int, keys: list[str]) -> None:
    rows = [(key, year, *answers(key, year)) for key in keys]
    lines = [";".join(map(str, row)) for row in rows]
    inbox = home / "inbox" / "ministry" / "strategy_followup"
    inbox.mkdir(parents=True, exist_ok=True)
    path = inbox / f"returns_{year}.csv"
    header = "organisation_id;year;has_plan;market_dialogues_n;competence_level"
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    manifest = {"produced_at": datetime(year + 1, 3, 1, tzinfo=UTC).isoformat()}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")


def cells(home: Path, figure: str, panel: str, level_id: str = MUNICIPALITY, variant: str = "") -> dict[int, tuple[object, ...]]:
    """numerator, denominator, reason by year."""
    sql = (
        "SELECT year(period_start), numerator, denominator, reason FROM mart.key_figure "
        "WHERE figure_id = ? AND panel = ? AND level_id = ? AND variant = ? AND period_kind = 'year'"
    )
    return {row[0]: row[1:] for row in support.published(home, sql, [figure, panel, level_id, variant]).iter_rows()}


def test_who_returned_for_five_years_stands_in_the_panel(home: Path) -> None:
    sql = "SELECT panel, panel_year, organisation_id FROM mart.panel_member WHERE panel LIKE 'returns%' ORDER BY ALL"
    expected = [("returns", 2024, key) for key in sorted(MEMBERS)]
    expected += [("returns_counties", year, key) for year in (2023, 2024) for key in COUNTIES]
    assert support.published(home, sql).rows() == expected


def test_the_same_units_are_compared_from_year_to_year(home: Path) -> None:
    plans = {year: sum(answers(key, year)[0] == "yes" for key in MEMBERS) for year in range(2020, 2025)}
    dialogues = {year: sum(answers(key, year)[1] for key in MEMBERS) for year in range(2020, 2025)}
    found = cells(home, "strategy_plan_share", "fixed", variant="frame")
    assert found == {year: (number, len(MEMBERS), None) for year, number in plans.items()}
    assert cells(home, "market_dialogues_n", "fixed") == {year: (number, None, None) for year, number in dialogues.items()}
    every = cells(home, "market_dialogues_n", "all")
    assert all(every[year][0] != dialogues[year] for year in dialogues), "all units that answered are others each year"


def test_a_question_left_blank_is_not_answered_in_the_panel_either(home: Path) -> None:
    found = cells(home, "strategy_plan_share", "fixed", variant="responding")
    blank = {2021: 1}
    assert {year: row[1:] for year, row in found.items()} == {
        year: (len(MEMBERS) - blank.get(year, 0), None) for year in range(2020, 2025)
    }


def test_a_figure_under_disclosure_control_has_no_panel(home: Path) -> None:
    assert cells(home, "competence_level_mean", "all")
    assert cells(home, "competence_level_mean", "fixed") == {}


def test_counties_have_their_own_panel_and_the_nation_shows_what_holds_thirty_per_cent_of_spend(home: Path) -> None:
    sums = {year: sum(answers(key, year)[1] for key in COUNTIES) for year in (2023, 2024)}
    found = cells(home, "market_dialogues_n", "fixed", COUNTY)
    assert {year: row for year, row in found.items() if row[2] is None} == {
        year: (number, None, None) for year, number in sums.items()
    }
    national = cells(home, "market_dialogues_n", "fixed", "FI")
    for year in range(2020, 2025):
        held = sum(BUYERS[key].year(year) for key in MEMBERS)
        is_shown = 10 * held >= 3 * sum(buyer.year(year) for buyer in BUYERS.values())
        assert national[year][2] == (None if is_shown else "panel_too_small"), year
    assert {national[year][2] for year in national} == {None, "panel_too_small"}


def test_growth_of_a_count_is_linked(home: Path) -> None:
    sql = (
        "SELECT year, panel, numerator, denominator, growth, is_linked FROM mart.panel_growth "
        "WHERE figure_id = 'market_dialogues_n' AND level_id = ? ORDER BY year"
    )
    sums = {year: sum(answers(key, year)[1] for key in MEMBERS) for year in range(2020, 2025)}
    found = support.published(home, sql, [MUNICIPALITY]).rows()
    assert [row[:4] for row in found] == [(year, "returns", sums[year], sums[year - 1]) for year in range(2021, 2025)]
    for _, _, numerator, denominator, growth, is_linked in found:
        assert is_linked
        assert abs(Fraction(str(growth)) - (Fraction(int(numerator), int(denominator)) - 1)) < Fraction(1, 10**8)


def test_invoices_are_compared_by_their_own_panel(home: Path) -> None:
    found = cells(home, "spend_total", "fixed")[2022]
    assert found == (sum(BUYERS[key].year(2022) for key in ("alku", "betoni", "citta", "sulautuva")), None, None)


@pytest.mark.long
def test_a_unit_that_returns_no_more_leaves_the_panel_incomplete(home: Path, tmp_path: Path) -> None:
    """The panel of 2024 runs on to 2025; two of its three units have returned by then."""
    later = tmp_path / "home"
    shutil.copytree(home, later, symlinks=True)
    deliver_returns(later, 2025, ["alku", "uusi", "betoni"])
    support.nightly(later, as_of=date(2026, 4, 1))
    assert cells(later, "market_dialogues_n", "fixed")[2025] == (None, None, "panel_incomplete")
    deliver_returns(later, 2025, ["alku", "uusi", "betoni", "viides"])
    support.nightly(later, as_of=date(2026, 4, 1))
    found = cells(later, "market_dialogues_n", "fixed")[2025]
    assert found == (None, None, "panel_too_small"), "no invoices of 2025 say how much of the spend these units hold"
