"""Make the small home that a release leaves behind, for the tests of its successors.

    python tests/homes/make.py CHECKOUT NAME     ->  tests/homes/NAME.tar.xz and NAME.json

CHECKOUT is a checkout of the release; its command line is run in processes of its own, with the interpreter that runs this.
What is delivered stands in this file and in notices.zip, so that every release makes its home of the same deliveries. All names,
ids and amounts are invented.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).resolve().parent
AS_OF = "2025-07-01"
COMMAND_LINE = "import sys; from flows.cli import main; sys.argv[0] = 'nyckeltal'; main()"
INVOICES = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka"
)
COMPETITIONS = (
    "Minikilpailutuksen tunnus;Yhteishankinnan tunnus;Organisaation Y-tunnus;Organisaatio;Tila;Alkamispäivä;"
    "Päätöspäivä;Kutsuttuja toimittajia;Saatuja tarjouksia;Tuettu kilpailutus"
)
BUYERS = {"alku": 1000, "betoni": 2000, "viides": 3000}
"""Organisations that deliver their invoices themselves, and what they spend a month, in EUR."""
REGISTERS = {
    "organisations.csv": [
        "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note",
        *(f"{name},,{name.title()},,,municipality,,,,,," for name in BUYERS),
    ],
    "agencies.csv": [
        "agency,name,language,sources,organisation_id,chart,layout,amount_basis,rhythm,precedence,frame_from,frame_to,openly_published",
        *(f"{name},{name},fi,purchase_invoices,{name},municipal,kaarina,net,year,10,,,yes" for name in BUYERS),
        "hilma,hilma,fi,procurement_notices,,,,net,month,10,,,yes",
        "hankinta,hankinta,fi,mini_competitions,,,,net,year,10,,,yes",
    ],
}
TELLS = {
    "national": "SELECT figure_id, version, variant, scope, panel, breakdown_kind, breakdown_id, period_kind, period_start, value, numerator, "
    "denominator, n, status, reason, revision_no FROM mart.key_figure WHERE level = 'national' AND period_kind = 'year' ORDER BY ALL",
    "revisions": "FROM mart.revision WHERE level = 'national' AND period_kind = 'year' ORDER BY ALL",
}


def invoices(home: Path, buyer: str, years: Sequence[int], euros: int, produced: str) -> None:
    """A file of an organisation's invoices, one line a month."""
    rows = [
        f"{buyer};{year}{month:02d};15.{month:02d}.{year};Otos-Paino 24 Oy;9048548-5;FI;{euros + month},00;43010000;Kunnossapito;Ylläpito"
        for year in years
        for month in range(1, 13)
    ]
    covered = {"coverage_from": f"{years[0]}-01-01", "coverage_to": f"{years[-1]}-12-31"}
    deliver(home, buyer, "purchase_invoices", f"{buyer}_{years[0]}.csv", [INVOICES, *rows], produced, **covered)


def competitions(home: Path, name: str, rows: Iterable[tuple[str, str, int]], produced: str) -> None:
    """A list of mini-competitions: number, who bought, bids."""
    lines = [
        f"{number};YH-101;{buyer};{buyer.title()};Päättynyt;01.03.{number[3:7]};01.04.{number[3:7]};5;{bids};kyllä"
        for number, buyer, bids in rows
    ]
    deliver(home, "hankinta", "mini_competitions", name, [COMPETITIONS, *lines], produced)


def deliver(home: Path, agency: str, source: str, name: str, lines: Sequence[str], produced: str, **covered: str) -> None:
    path = home / "inbox" / agency / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    manifest = {"produced_at": f"{produced}T00:00:00+00:00", **covered}
    path.with_name(f"{name}.manifest.json").write_text(json.dumps(manifest), "utf-8")


def first(home: Path) -> None:
    """Two organisations' invoices of two years, notices, mini-competitions: of three organisations in 2022, of two in 2023, whose
    means are withheld."""
    for name, rows in REGISTERS.items():
        path = home / "registry" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(rows) + "\n", "utf-8")
    for buyer in ("alku", "betoni"):
        for year in (2022, 2023):
            invoices(home, buyer, [year], BUYERS[buyer], f"{year + 1}-01-01")
    inbox = home / "inbox" / "hilma" / "procurement_notices"
    inbox.mkdir(parents=True)
    shutil.copyfile(HERE / "notices.zip", inbox / "notices.zip")
    listed = [(f"MK-2022-{number:03d}", buyer, number) for number, buyer in enumerate(BUYERS, 1)]
    listed += [(f"MK-2023-{number:03d}", buyer, number) for number, buyer in enumerate(("alku", "betoni"), 1)]
    competitions(home, "lista_1.csv", listed, "2024-01-31")


def second(home: Path) -> None:
    """A late delivery of both years."""
    invoices(home, "viides", [2022, 2023], BUYERS["viides"], "2024-02-01")


def third(home: Path) -> None:
    """A corrected year, a mini-competition told of anew."""
    invoices(home, "alku", [2023], BUYERS["alku"] + 37, "2025-03-01")
    competitions(home, "lista_2.csv", [("MK-2022-001", "alku", 4)], "2025-03-01")


STEPS = (first, second, third)
"""What is delivered before each publication."""


def command(checkout: Path, home: Path, *words: str) -> str:
    """What a command of the release prints; an exit code other than 0 ends this."""
    line = [sys.executable, "-c", COMMAND_LINE, "--home", str(home), "--as-of", AS_OF, *words]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "NYCKELTAL_SETTLE_SECONDS": "0", "NYCKELTAL_KEEP_GENERATIONS": "1"}
    return subprocess.run(line, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def told(checkout: Path, home: Path) -> dict[str, Any]:
    """What the home tells now: fingerprint, the nation's years, their revisions."""
    con = duckdb.connect(str((home / "published" / "nyckeltal.duckdb").resolve()), read_only=True)
    try:
        tables = {name: rows(con, sql) for name, sql in TELLS.items()}
    finally:
        con.close()
    return {"fingerprint": command(checkout, home, "fingerprint").strip(), **tables}


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, list[list[Any]] | list[str]]:
    """Rows as JSON holds them: numbers and days as text."""
    cursor = con.execute(sql)
    plain = [[str(cell) if not isinstance(cell, str | None | bool) else cell for cell in row] for row in cursor.fetchall()]
    return {"columns": [column[0] for column in cursor.description or ()], "rows": plain}


def make(checkout: Path, name: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        publications = []
        for step in STEPS:
            step(home)
            command(checkout, home, "nightly")
            publications.append(told(checkout, home))
        shutil.rmtree(home / "work", ignore_errors=True)
        with tarfile.open(HERE / f"{name}.tar.xz", "w:xz", preset=9) as archive:
            archive.add(home, "home", filter=nobodys)
    content = {"as_of": AS_OF, "made_on": f"{date.today()}", "publications": publications}  # noqa: DTZ011 - for people
    (HERE / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False).replace("], [", "],\n["), "utf-8")


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member without the name of who made it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve(), sys.argv[2])
