"""The fixed panel (METHOD 7) from delivered files to the published file: who stands in it, what it says, and that it stays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
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
JUNE, JULY = date(2025, 6, 30), date(2025, 7, 1)
MUNICIPALITY, COUNTY = "municipality", "wellbeing_county"


@dataclass(frozen=True)
class Buyer:
    """An organisation that delivers itself, from one year to another, `euros` a month growing by `growth` a year."""

    key: str
    euros: int
    growth: int
    years: range
    sector: str = MUNICIPALITY
    valid_from: str = ""
    valid_to: str = ""
    predecessor: str = ""

    def of(self, year: int, month: int) -> int:
        return self.euros + self.growth * (year - 2018) + month if year in self.years else 0

    def year(self, year: int) -> int:
        return sum(self.of(year, month) for month in range(1, 13))


BUYERS = {
    buyer.key: buyer
    for buyer in (
        Buyer("alku", 1000, 10, range(2019, 2025)),
        Buyer("betoni", 2000, -20, range(2019, 2025)),
        Buyer("citta", 500, 5, range(2019, 2025), valid_from="2022-01-01", predecessor="sulautuva"),
        Buyer("sulautuva", 300, 7, range(2019, 2022), valid_to="2021-12-31"),
        Buyer("uusi", 900, 0, range(2022, 2025)),
        *(Buyer(f"hva{n}", 4000, 100 * n, range(2023, 2025), COUNTY, valid_from="2023-01-01") for n in (1, 2, 3)),
    )
}
"""Citta was another organisation before: it and what merged into it have rows of their own."""
PANEL = ("alku", "betoni", "citta", "sulautuva")


def registers(home: Path, buyers: Iterable[Buyer]) -> None:
    folder = home / "registry"
    folder.mkdir(parents=True)
    organisations = [
        "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note"
    ]
    agencies = [
        "agency,name,language,sources,organisation_id,chart,layout,amount_basis,rhythm,precedence,frame_from,frame_to,openly_published"
    ]
    for buyer in buyers:
        if buyer.key == "citta":
            organisations.append(f"citta,,Citta,,,{buyer.sector},,,,2021-12-31,,")
        organisations.append(
            f"{buyer.key},,{buyer.key.title()},,,{buyer.sector},,,{buyer.valid_from},{buyer.valid_to},{buyer.predecessor},"
        )
        agencies.append(
            f"{buyer.key},{buyer.key},fi,purchase_invoices,{buyer.key},municipal,kaarina,net,year,10,{buyer.years[0]}-01-01,,yes"
        )
    (folder / "organisations.csv").write_text("\n".join(organisations) + "\n", "utf-8")
    (folder / "agencies.csv").write_text("\n".join(agencies) + "\n", "utf-8")


def deliver(home: Path, buyer: Buyer, year: int, months: Iterable[int] = range(1, 13), extra: int = 0) -> None:
    inbox = home / "inbox" / buyer.key / "purchase_invoices"
    inbox.mkdir(parents=True, exist_ok=True)
    rows = [
        f"{buyer.key};{year}{month:02d};15.{month:02d}.{year};Otos-Paino 24 Oy;9048548-5;FI;{buyer.of(year, month) + extra},00;"
        "43010000;Rakennusten kunnossapitopalvelut;Rakennusten ylläpito"
        for month in months
    ]
    path = inbox / f"{buyer.key}_{year}_{extra}.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    manifest = {
        "produced_at": datetime(year + 1, 1, 1 + extra, tzinfo=UTC).isoformat(),
        "coverage_from": f"{year}-01-01",
        "coverage_to": f"{year}-12-31",
    }
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")


def everything(home: Path) -> Path:
    registers(home, BUYERS.values())
    for buyer in BUYERS.values():
        for year in buyer.years:
            deliver(home, buyer, year)
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = everything(tmp_path_factory.mktemp("panel") / "home")
    support.nightly(home, as_of=JULY)
    return home


def rows(home: Path, figure: str = "spend_total", kind: str = "year", level_id: str = "FI") -> dict[int, tuple[object, ...]]:
    sql = (
        "SELECT year(period_start) AS year, value, status, reason, trend FROM mart.key_figure WHERE panel = 'fixed' "
        "AND figure_id = ? AND period_kind = ? AND level_id = ? AND month(period_start) = 1 ORDER BY period_start"
    )
    return {row[0]: row[1:] for row in support.published(home, sql, [figure, kind, level_id]).iter_rows()}


def panel_year(year: int) -> int:
    return sum(BUYERS[key].year(year) for key in PANEL)


def test_who_merged_is_one_composite_and_who_joined_late_stays_out(home: Path) -> None:
    """The newcomer of 2022 moves the municipalities' spend of all units, not that of the panel."""
    found = rows(home, level_id=MUNICIPALITY)
    assert {year: row[:3] for year, row in found.items()} == {
        year: (Decimal(panel_year(year)), "final", None) for year in range(2019, 2025)
    }
    sql = "SELECT year(period_start), value FROM mart.key_figure WHERE panel = 'all' AND figure_id = 'spend_total' AND period_kind = 'year' AND level_id = ?"
    every = dict(support.published(home, sql, [MUNICIPALITY]).iter_rows())
    assert every[2021] == panel_year(2021)
    assert every[2022] == panel_year(2022) + BUYERS["uusi"].year(2022)


def test_counties_have_their_own_panel_from_2023_and_none_before(home: Path) -> None:
    counties = [buyer for buyer in BUYERS.values() if buyer.sector == COUNTY]
    assert {year: row[0] for year, row in rows(home, level_id=COUNTY).items()} == {
        year: sum(buyer.year(year) for buyer in counties) for year in (2023, 2024)
    }


def test_under_thirty_per_cent_of_all_units_nothing_is_shown(home: Path) -> None:
    """From 2023 the counties, who stand in no panel across 2023-01-01, hold most of the nation's spend."""
    found = rows(home)
    assert {year: row[:3] for year, row in found.items() if year >= 2023} == dict.fromkeys(
        (2023, 2024), (None, "no_data", "panel_too_small")
    )
    assert found[2022][0] == panel_year(2022)
