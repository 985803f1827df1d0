"""Random lives of a home: small deliveries of many kinds, corrections, withdrawals, registers edited and restored, publications.

The world is a handful of municipalities and units: invoices by year and by month, with and without dates, and the answers of a
customer survey, so that open and protected figures move. What a life ends with can be reached at once in a fresh home.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import duckdb
import polars as pl

from flows import pipeline
from flows.settings import Settings
from tests.acceptance import support
from warehouse import figures, store
from warehouse.home import Home

DAYS = (date(2025, 8, 20), date(2025, 10, 1), date(2025, 11, 21))
"""As-of days that a life goes through; no 1 July between them, on which panels would be drawn for good."""
PLACES = ("alku", "betoni", "citta", "delta", "ekovalta", "fasaani")
DATED = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka"
)
DATELESS = "Vastuualue;Toimittaja nro;Y-tunnus;Toimittajan nimi;Tiliryhmä;Tili nro;Tilin nimi;Netto"
ASKED = ("Palveluasenne", "Yhteyshenkilöt", "Tiedottaminen", "Sähköiset palvelut")
SUPPLIERS = ("Otos-Paino 24 Oy;9048548-5", "Näyte-Kumi Oy;9041932-2", "Salassa pidettävä;")
ORGANISATIONS = (
    "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note"
)
AGENCIES = "agency,name,language,sources,organisation_id,chart,layout,amount_basis,rhythm,precedence,frame_from,frame_to,openly_published"
ANOTHER_AGENCY = "uusi,Uusi,fi,purchase_invoices,,municipal,kaarina,net,year,30,,,yes\n"
EVENTS = ("deliver",) * 5 + ("correct", "correct", "withdraw", "reprocess", "edit", "restore", "night", "night", "night")
Registers = Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file of one agency: what stands in its manifest, and its text."""

    name: str
    agency: str
    source: str
    text: str
    manifest: Mapping[str, str]


def registers(rng: Random) -> dict[str, str]:
    """agencies.csv and organisations.csv of the world."""
    agencies = [AGENCIES, "kysely,Kysely,fi,satisfaction_surveys,,,,net,year,10,,,yes"]
    organisations = [ORGANISATIONS]
    for number, key in enumerate(PLACES):
        sector = ("municipality", "municipality", "joint_authority")[number % 3]
        organisations.append(f"{key},,{key.title()},,,{sector},,,,,,")
        layout = "jyvaskyla" if number == 1 else "kaarina"
        frame = "2022-01-01" if rng.random() < 0.5 else ""
        agencies.append(f"{key},{key},fi,purchase_invoices,{key},municipal,{layout},net,year,10,{frame},,yes")
    return {"agencies.csv": "\n".join(agencies) + "\n", "organisations.csv": "\n".join(organisations) + "\n"}


def edited(rng: Random, original: Registers) -> dict[str, str]:
    """The registers with one of them changed: an agency more, a unit in another sector, what an agency publishes, a name."""
    changed = dict(original)
    kind = rng.randrange(4)
    if kind == 0:
        changed["agencies.csv"] += ANOTHER_AGENCY
    elif kind == 1:
        place = rng.choice(PLACES).title()
        changed["organisations.csv"] = changed["organisations.csv"].replace(f"{place},,,municipality", f"{place},,,joint_authority")
    elif kind == 2:
        changed["agencies.csv"] = changed["agencies.csv"].replace(",yes\n", ",no\n", rng.randint(1, 3))
    else:
        changed["organisations.csv"] = changed["organisations.csv"].replace("Alku,", "Alkula,")
    return changed


def files(rng: Random) -> list[File]:
    """What may be delivered, each file once and in up to two versions."""
    found = []
    for number, key in enumerate(PLACES):
        for year in sorted(rng.sample(range(2021, 2026), k=rng.randint(1, 3))):
            if number == 1:
                found += [dateless(rng, key, year, version) for version in range(2)]
            elif year == 2025 or rng.random() < 0.3:
                months = sorted(rng.sample(range(1, 10), k=rng.randint(1, 4)))
                found += [dated(rng, key, year, [month], version) for month in months for version in range(rng.randint(1, 2))]
            else:
                found += [dated(rng, key, year, range(1, 13), version) for version in range(2)]
    for year in sorted(rng.sample((2023, 2024), k=rng.randint(1, 2))):
        found += [survey(rng, year, version) for version in range(2)]
    return found


def dated(rng: Random, key: str, year: int, months: range | list[int], version: int) -> File:
    rows = [DATED]
    for month in months:
        for _ in range(rng.randint(1, 3)):
            supplier = rng.choice(SUPPLIERS)
            rows.append(f"{key};{year}{month:02d};15.{month:02d}.{year};{supplier};FI;{rng.randint(-50, 900)},00;43010000;Kunnossapito;Ylläpito")
    first, last = date(year, months[0], 1), date(year + months[-1] // 12, months[-1] % 12 + 1, 1) - timedelta(days=1)
    span = f"{year}" if len(months) > 1 else f"{year}-{months[0]:02d}"
    return _file(f"{key}_{span}_{version}.csv", key, "purchase_invoices", rows, version, first, last)


def dateless(rng: Random, key: str, year: int, version: int) -> File:
    rows = [DATELESS]
    rows += [f"Sivistys;0;9048548-5;Otos-Paino 24 Oy;43;4340;Palvelut;{rng.randint(1, 500)},12" for _ in range(rng.randint(2, 5))]
    return _file(f"{key}_{year}_{version}.csv", key, "purchase_invoices", rows, version, date(year, 1, 1), date(year, 12, 31))


def survey(rng: Random, year: int, version: int, unanswered: float = 0) -> File:
    """Answers of the customers, `unanswered` of them left out; organisations of few and of many respondents."""
    heads = ["ID;Completion time;Organisaation Y-tunnus", *(f"Arvioi toimintaamme: {asked}" for asked in ASKED)]
    rows = [";".join(heads)]
    number = 0
    for key in PLACES:
        for _ in range(rng.choice((0, 1, 2, 4, 5, 7, 9))):
            number += 1
            answers = ";".join("" if rng.random() < unanswered else str(rng.randint(1, 5)) for _ in ASKED)
            rows.append(f"{number};{year}-{rng.randint(1, 12):02d}-17 09:00:00;{key};{answers}")
    name = f"asiakaskysely_{year + 1}-02-0{version + 1}.csv"
    return _file(name, "kysely", "satisfaction_surveys", rows, version, None, None)


def _file(
    name: str, agency: str, source: str, rows: list[str], version: int, first: date | None, last: date | None
) -> File:
    produced = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=version)
    manifest = {"agency": agency, "source": source, "produced_at": produced.isoformat()}
    if first and last:
        manifest |= {"coverage_from": first.isoformat(), "coverage_to": last.isoformat()}
    return File(name, agency, source, "\n".join(rows) + "\n", manifest)


@dataclass
class Life:
    """A home and what has happened to it: `active` holds the files that are in it, by name, with their delivery."""

    home: Path
    original: dict[str, str]
    active: dict[str, str] = field(default_factory=dict)
    as_of: date = DAYS[0]
    registers: dict[str, str] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    """Agency and year of everything that was ever delivered."""
    causes: set[str] = field(default_factory=set)
    """Of what has happened since the last night."""

    def write_registers(self, texts: Registers) -> None:
        folder = self.home / "registry"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8")
        if self.registers and self.registers != texts:
            self.causes.add("reference")
        self.registers = dict(texts)

    def deliver(self, file: File) -> None:
        path = self.home.parent / f"{self.home.name}-out" / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(file.text, "utf-8")
        path.with_name(path.name + ".manifest.json").write_text(json.dumps(dict(file.manifest)), "utf-8")
        (received,) = pipeline.receive(self.settings, [path], file.agency, file.source)
        assert received.landed is not None, received.reasons
        self.active[file.name] = received.landed.delivery_id
        place = (file.agency, file.name.split("_")[1][:4])
        self.causes |= {"correction", "late"} if place in self.places else {"late"}
        self.places.add(place)

    def command(self, word: str, name: str) -> None:
        pipeline.command(self.settings, word, self.active[name], "")
        if word == "withdrawn":
            del self.active[name]
            self.causes.add("correction")

    def night(self) -> pipeline.Run:
        """A night, whose revisions bear no cause that has not come."""
        run = pipeline.nightly(self.settings)
        assert run.published is not None
        if run.published.is_new:
            sql = "SELECT DISTINCT cause FROM figure.revision WHERE publication_no = ?"
            told = set(support.ledger(self.home, sql, [run.published.publication_no])["cause"])
            assert told <= self.causes, f"revised for {told}, and there was {self.causes}"
        self.causes.clear()
        return run

    @property
    def settings(self) -> Settings:
        return _settings(self.home, self.as_of)


@cache
def _settings(home: Path, as_of: date) -> Settings:
    """Made once: each reads the environment anew."""
    return support.settings(home, as_of=as_of)


def live(rng: Random, home: Path, events_n: int) -> tuple[Life, list[File]]:
    """A home after a random life, which ends with a night; and the files that may be in it."""
    life, every = Life(home, registers(rng)), files(rng)
    life.write_registers(life.original)
    for file in every[:: rng.randint(2, 3)]:
        life.deliver(file)
    life.night()
    for _ in range(events_n):
        _happen(rng, life, every)
    life.as_of = DAYS[-1]
    life.night()
    return life, every


def _happen(rng: Random, life: Life, every: list[File]) -> None:
    word = rng.choice(EVENTS)
    if word in ("deliver", "correct"):
        life.deliver(rng.choice(every))
    elif word in ("withdraw", "reprocess") and life.active:
        life.command({"withdraw": "withdrawn"}.get(word, word), rng.choice(sorted(life.active)))
    elif word == "edit":
        life.write_registers(edited(rng, life.original))
    elif word == "restore":
        life.write_registers(life.original)
    elif word == "night":
        life.as_of = max(life.as_of, rng.choice(DAYS))
        life.night()


def at_once(life: Life, every: list[File], home: Path) -> Life:
    """A fresh home that gets in one night what a life ended with."""
    other = Life(home, life.original, as_of=life.as_of)
    other.write_registers(life.registers)
    for file in every:
        if file.name in life.active:
            other.deliver(file)
    other.night()
    return other


def true_mark(home: Path) -> str:
    """The fingerprint before protection."""
    with store.reading(Home(home)) as warehouse:
        assert warehouse is not None
        return figures.true_fingerprint(warehouse)


def told(home: Path) -> pl.DataFrame:
    """Every row in force, those for their owners too, without what tells of the way to it."""
    con = duckdb.connect(str(home / "warehouse.duckdb"), read_only=True)
    try:
        rows = con.execute(
            "SELECT * EXCLUDE (revision_no, content_hash, valid_from_no, valid_to_no) FROM figure.history WHERE valid_to_no IS NULL"
        )
        return pl.DataFrame(rows.to_arrow_table()).sort(*support.KEY, "panel", "version")
    finally:
        con.close()
