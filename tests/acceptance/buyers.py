"""Buyers that deliver their invoices themselves, with what they spend planted: what tests of the fixed panel share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEADER = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka"
)
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
        return sum(self.of(year, month) for month in range(1, 13)) + self.masked(year)

    def masked(self, year: int) -> int:
        """One posting line of a masked supplier, in March."""
        return 90 if self.key == "alku" and year in self.years else 0


BUYERS = {
    buyer.key: buyer
    for buyer in (
        Buyer("alku", 1000, 10, range(2019, 2025)),
        Buyer("betoni", 2000, -20, range(2019, 2025)),
        Buyer("citta", 500, 5, range(2019, 2025), valid_from="2022-01-01", predecessor="sulautuva"),
        Buyer("sulautuva", 300, 7, range(2019, 2022), valid_to="2021-12-31"),
        Buyer("viides", 3000, 40, range(2020, 2025)),
        Buyer("uusi", 900, 0, range(2022, 2025)),
        *(Buyer(f"hva{n}", 4000, 100 * n, range(2023, 2025), COUNTY, valid_from="2023-01-01") for n in (1, 2, 3)),
    )
}
"""Citta was another organisation before: it and what merged into it have rows of their own."""


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
        agencies.append(f"{buyer.key},{buyer.key},fi,purchase_invoices,{buyer.key},municipal,kaarina,net,year,10,,,yes")
    (folder / "organisations.csv").write_text("\n".join(organisations) + "\n", "utf-8")
    (folder / "agencies.csv").write_text("\n".join(agencies) + "\n", "utf-8")


def deliver(home: Path, buyer: Buyer, year: int, through: int | None = None, produced: datetime | None = None) -> None:
    """A file of a year's invoices (or of several years', `through` the last), produced on the next 1 January unless said."""
    inbox = home / "inbox" / buyer.key / "purchase_invoices"
    inbox.mkdir(parents=True, exist_ok=True)
    last = through or year
    amounts = [
        (one, month, "Otos-Paino 24 Oy;9048548-5", buyer.of(one, month))
        for one in range(year, last + 1)
        for month in range(1, 13)
    ]
    amounts += [(one, 3, "Salassa pidettävä;", buyer.masked(one)) for one in range(year, last + 1) if buyer.masked(one)]
    rows = [
        f"{buyer.key};{one}{month:02d};15.{month:02d}.{one};{supplier};FI;{euros},00;43010000;Kunnossapito;Ylläpito"
        for one, month, supplier, euros in amounts
    ]
    path = inbox / f"{buyer.key}_{year}.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    manifest = {
        "produced_at": (produced or datetime(year + 1, 1, 1, tzinfo=UTC)).isoformat(),
        "coverage_from": f"{year}-01-01",
        "coverage_to": f"{last}-12-31",
    }
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")


def everything(home: Path) -> Path:
    registers(home, BUYERS.values())
    for buyer in BUYERS.values():
        for year in buyer.years:
            deliver(home, buyer, year)
    return home
