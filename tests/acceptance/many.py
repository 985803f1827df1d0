"""Many small deliveries of many agencies, with what they hold added up beside them: a first load, or the rebuild of a home that grew
by nights, in one go. Invoices by the month, a notice a file, a return of Market Court cases each; sums are plain Python's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl

from samples import eforms, procedures, registry
from samples.ids import business_ids
from tests.acceptance import support
from tests.acceptance.buyers import HEADER

FIRST = date(2023, 1, 1)
ROWS = 24
"""Posting lines of a file."""
Year = tuple[str, int]
"""An agency (its organisation has the same id) and a calendar year."""


@dataclass
class Many:
    """What was written: deliveries, and what the figures must be."""

    deliveries: int = 0
    cents: dict[Year, int] = field(default_factory=lambda: defaultdict(int))
    suppliers: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    appeals: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    notices: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def write(home: Path, agencies: int, months: int, notices: int, seed: str = "many") -> Many:
    """`months` invoice files and a return of each of `agencies`, and about `notices` notices, into a new home's inbox."""
    rng, many = Random(seed), Many()
    names = [f"kunta{number:03d}" for number in range(1, agencies + 1)]
    _registers(home, names)
    numbers = business_ids(9_300_000)
    suppliers = [next(numbers) for _ in range(400)]
    for agency in names:
        for month in range(months):
            day = date(FIRST.year + month // 12, month % 12 + 1, 1)
            _invoices(rng, home, agency, day, suppliers, many)
        _appeals(rng, home, agency, many)
    _notices(home, names, notices, many)
    return many


def _registers(home: Path, names: list[str]) -> None:
    folder = home / "registry"
    folder.mkdir(parents=True)
    organisations = ["organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to"]
    organisations += [f"{name},,{name.title()},,,municipality,,,," for name in names]
    agencies = ["agency,name,language,sources,organisation_id,chart,layout,amount_basis,rhythm,precedence,openly_published"]
    sources = "purchase_invoices|procurement_notices|market_court_cases"
    agencies += [f"{name},{name},fi,{sources},{name},municipal,kaarina,net,month,10,yes" for name in names]
    (folder / "organisations.csv").write_text("\n".join(organisations) + "\n", "utf-8")
    (folder / "agencies.csv").write_text("\n".join(agencies) + "\n", "utf-8")


def _file(home: Path, agency: str, source: str, name: str, content: bytes, many: Many) -> None:
    place = home / "inbox" / agency / source / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    many.deliveries += 1


def _invoices(rng: Random, home: Path, agency: str, month: date, suppliers: list[str], many: Many) -> None:
    lines = [HEADER]
    for number in range(ROWS):
        supplier, cents = rng.choice(suppliers), rng.randrange(-20_000, 900_000)
        day = month + timedelta(days=rng.randrange(28))
        text = f"{cents / 100:.2f}".replace(".", ",")
        lines.append(
            f"{agency};{month:%Y%m}{number:03d};{day:%d.%m.%Y};Toimittaja {supplier[:7]};{supplier};FI;{text};43010000;Kunnossapito;Ylläpito"
        )
        many.cents[agency, month.year] += cents
        many.suppliers[month.year].add(supplier)
    content = ("\n".join(lines) + "\n").encode()
    _file(home, agency, "purchase_invoices", f"{agency}_{month:%Y-%m}.csv", content, many)


def _appeals(rng: Random, home: Path, agency: str, many: Many) -> None:
    lines = ["Diaarinumero;Hankintayksikön Y-tunnus;Vireilletulopäivä;Ratkaisupäivä;Ratkaisu"]
    for number in range(rng.randrange(1, 4)):
        filed = FIRST + timedelta(days=rng.randrange(700))
        lines.append(f"{agency[-3:]}/{number};{agency};{filed:%d.%m.%Y};;")
        many.appeals[filed.year] += 1
    _file(home, agency, "market_court_cases", f"{agency}.csv", ("\n".join(lines) + "\n").encode(), many)


def _notices(home: Path, names: list[str], count: int, many: Many) -> None:
    """Whole procedures until there are `count` notices, each agency's in turn; only the newest version of each."""
    rng, written = Random("notices"), 0
    world = registry.build(rng, 20)
    planted = procedures.plant(rng, world, list(world.organisations.values()), per_year=count + 50, first_year=2024, last_year=2024)
    for place, procedure in enumerate(item for item in planted if item.schema == "eforms" and item.country == "FI"):
        if written >= count:
            return
        for notice in procedure.notices:
            content = eforms.write(procedure, notice, notice.versions)
            _file(home, names[place % len(names)], "procurement_notices", f"{notice.notice_id}.xml", content, many)
            many.notices[notice.day.year] += 1
            written += 1


def national(home: Path, figure: str, column: str = "value") -> dict[int, float]:
    """A national figure by calendar year, of its first scope with data."""
    frame = support.published(
        home,
        f"SELECT year(period_start) AS year, max({column}) AS value FROM mart.key_figure WHERE figure_id = ? AND level = 'national' "
        "AND period_kind = 'year' AND breakdown_kind = '' AND panel = 'all' GROUP BY ALL HAVING value IS NOT NULL",
        [figure],
    )
    return dict(frame.iter_rows())


def spent(home: Path) -> pl.DataFrame:
    """Spend of every organisation by calendar year: level_id, year, value."""
    return support.published(
        home,
        "SELECT level_id, year(period_start)::INTEGER AS year, value FROM mart.key_figure WHERE figure_id = 'spend_total' "
        "AND level = 'organisation' AND period_kind = 'year' AND panel = 'all' AND starts_with(level_id, 'kunta') AND value IS NOT NULL",
    )


def check(home: Path, truth: Many) -> None:
    """The home's figures against what was written."""
    found = {(row["level_id"], row["year"]): round(row["value"] * 100) for row in spent(home).iter_rows(named=True)}
    assert found == dict(truth.cents)
    totals: dict[int, int] = {}
    for (_, year), cents in truth.cents.items():
        totals[year] = totals.get(year, 0) + cents
    assert {year: round(value * 100) for year, value in national(home, "spend_total").items() if value} == totals
    assert national(home, "appeals_n") == dict(truth.appeals)
    assert national(home, "notices_n") == dict(truth.notices)
    assert support.ledger(home, "SELECT count(*) FROM ledger.delivery WHERE status = 'loaded'").item() == truth.deliveries
