"""A small random world of posting lines, and what METHOD says of it in plain Python loops: truth for the invoice tests."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import polars as pl

from schemas.purchase_invoices import POSTING_LINE
from transforms import periods
from transforms.measures.purchase_invoices import MEASURES, PLANS

LOW, HIGH = date(1900, 1, 1), date(9999, 12, 31)
MONTHS = [date(year, month, 1) for year in (2023, 2024) for month in range(1, 13)]
ACCOUNTS = [
    ("chart", "43", True, LOW, HIGH),
    ("chart", "431", False, LOW, HIGH),
    ("chart", "4319", True, date(2023, 7, 1), date(2024, 3, 31)),
    ("chart", "41", False, LOW, HIGH),
    ("chart", "45", True, LOW, date(2023, 12, 31)),
]
CODES = ("4300", "4310", "4319", "43191", "4100", "4500", "9000", None)
PUBLIC = [("0201256-6", LOW, HIGH), ("0988084-1", LOW, date(2023, 8, 31)), ("0988084-1", date(2024, 2, 1), HIGH)]
SUPPLIERS = [("business_id", f"910000{i}-{i}") for i in range(9)] + [
    ("business_id", "0201256-6"),
    ("business_id", "0988084-1"),
    ("foreign_id", "SE5560001"),
    ("no_id", None),
    ("masked", None),
    ("private_trader", None),
]
AGENCIES = {"a": "chart", "b": "chart", "gross": "chart", "bare": None}
MISSING = ("A3", date(2024, 5, 1))
"""A month that A3's agency was asked for and did not deliver."""
MEMBERS = [
    ("A1", "sector", "state", LOW, HIGH),
    ("A2", "sector", "state", LOW, date(2023, 12, 31)),
    ("A2", "sector", "city", date(2024, 1, 1), HIGH),
    ("A3", "sector", "city", LOW, HIGH),
    ("B", "sector", "city", LOW, HIGH),
    ("G", "sector", "other", LOW, HIGH),
    ("N", "sector", "other", LOW, HIGH),
    ("A1", "branch", "VM", LOW, HIGH),
]
ORGANISATIONS = ("A1", "A2", "A3", "B", "G", "N")


@dataclass(frozen=True)
class Line:
    """One posting line of the world."""

    agency: str
    organisation: str
    month: date
    dated: bool
    kind: str
    supplier: str | None
    account: str | None
    category: str | None
    case: str | None
    cents: int | None

    @property
    def is_procurement(self) -> bool | None:
        """By the longest prefix in force on the line's period; None: unknown account."""
        found = [
            (len(prefix), yes)
            for chart, prefix, yes, since, until in ACCOUNTS
            if chart == AGENCIES[self.agency]
            and self.account
            and self.account.startswith(prefix)
            and since <= self.month <= until
        ]
        return max(found)[1] if found else None

    @property
    def is_public(self) -> bool:
        return any(self.supplier == identity and since <= self.month <= until for identity, since, until in PUBLIC)


def lines(seed: int, count: int = 2500) -> list[Line]:
    """Random lines: B has no dates in 2023, A3 no case ids, G amounts with VAT only, N a chart that no one knows."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        organisation = chance.choice(ORGANISATIONS)
        month = chance.choice(MONTHS)
        if (organisation, month) == MISSING:
            continue
        dated = not (organisation == "B" and month.year == 2023)
        kind, supplier = chance.choice(SUPPLIERS)
        found.append(
            Line(
                agency={"B": "b", "G": "gross", "N": "bare"}.get(organisation, "a"),
                organisation=organisation,
                month=month if dated else date(month.year, 1, 1),
                dated=dated,
                kind=kind,
                supplier=supplier,
                account=chance.choice(CODES),
                category=chance.choice(("ICT", "Ruoka", None)),
                case=None if organisation == "A3" or chance.random() < 0.1 else f"{chance.randrange(count // 8)}",
                cents=None if organisation == "G" else chance.choice((1, -1, 1, 1)) * chance.randrange(1, 20_000),
            )
        )
    return found


def frame(world: Iterable[Line]) -> pl.DataFrame:
    """The lines as accepted rows with agency, part and delivery_id."""
    rows = [
        {
            "source_line": number,
            "organisation_id": line.organisation,
            "organisation_name": f"Nimi {line.organisation}",
            "case_id": line.case,
            "supplier_kind": line.kind,
            "supplier_id": line.supplier,
            "account_code": line.account,
            "category_name": line.category,
            "posting_date": line.month + timedelta(days=3) if line.dated else None,
            "period": line.month,
            "slice_period": line.month,
            "net_cents": line.cents,
            "gross_cents": 124 if line.cents is None else None,
            "agency": line.agency,
            "part": "",
            "delivery_id": line.agency,
        }
        for number, line in enumerate(world, start=2)
    ]
    extra = {"agency": pl.String, "part": pl.String, "delivery_id": pl.String}
    return pl.DataFrame(rows, schema={**POSTING_LINE.polars_schema(), **extra}, orient="row")


def _table(rows: Iterable[tuple[object, ...]], names: str) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=names.split(), orient="row")


def relations() -> dict[str, pl.DataFrame]:
    return {
        "account_class": _table(ACCOUNTS, "chart account_prefix is_procurement valid_from valid_to"),
        "agency_format": _table(
            [(agency, chart, "net", True) for agency, chart in AGENCIES.items()], "agency chart amount_basis openly_published"
        ),
        "public_body": _table(PUBLIC, "business_id valid_from valid_to"),
        "known_category": _table([("ict",), ("ruoka",)], "category"),
    }


def members() -> pl.DataFrame:
    always = [(name, "organisation", name, LOW, HIGH) for name in ORGANISATIONS]
    nation = [(name, "national", "FI", LOW, HIGH) for name in ORGANISATIONS]
    return _table([*always, *nation, *MEMBERS], "organisation_id level level_id valid_from valid_to")


def expected() -> pl.DataFrame:
    rows = [(name, month, (name, month) != MISSING) for name in ORGANISATIONS for month in MONTHS]
    return _table(rows, "organisation_id month present")


def all_periods() -> pl.DataFrame:
    return periods.touched(MONTHS, MONTHS[0], MONTHS[-1])


def warehouse(posting_line: pl.DataFrame, limits: pl.DataFrame | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the measures of `posting_line` and every relation that plans name."""
    con = duckdb.connect(":memory:")
    limit = _table([("small_invoice_limit", 100_00, LOW, HIGH)], "limit_id cents valid_from valid_to")
    given = {
        "posting_line": posting_line,
        **relations(),
        "membership": members(),
        "expected": expected(),
        "period": all_periods(),
        "limits": limit if limits is None else limits,
    }
    for name, table in given.items():
        con.register("given", table.to_arrow())
        con.execute(f"CREATE TABLE {name} AS FROM given")
        con.unregister("given")
    for table in MEASURES:
        con.register("empty", pl.DataFrame(schema=table.polars_schema()).to_arrow())
        con.execute(f"CREATE TABLE {table.name} AS FROM empty")
        for column in table.columns:
            if column.required:
                con.execute(f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET NOT NULL")
        con.execute(f"INSERT INTO {table.name} BY NAME {PLANS[table.name]}")
    return con


def read(con: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    return pl.DataFrame(con.execute(sql).to_arrow_table())


Place = tuple[str, str, str, date]


def places() -> Iterator[tuple[Place, date, set[str]]]:
    """((level, level_id, period_kind, period_start), period_end, organisations that count there on the last day)."""
    for kind, start, end in all_periods().iter_rows():
        groups: dict[tuple[str, str], set[str]] = {}
        for organisation, level, level_id, since, until in members().iter_rows():
            if since <= end <= until:
                groups.setdefault((level, level_id), set()).add(organisation)
        for (level, level_id), found in groups.items():
            yield (level, level_id, kind, start), end, found


def inside(world: Iterable[Line], place: Place, end: date, who: set[str]) -> list[Line]:
    """Lines that count in a place: lines without a date count in years only."""
    kind, start = place[2], place[3]
    return [x for x in world if x.organisation in who and start <= x.month <= end and (x.dated or kind == "year")]


def bought(found: Iterable[Line]) -> list[Line]:
    """Lines on procurement accounts with a net amount."""
    return [line for line in found if line.is_procurement and line.cents is not None]


def by(found: Iterable[Line], *names: str) -> Mapping[tuple[object, ...], int]:
    """Cents by some attributes."""
    sums: dict[tuple[object, ...], int] = {}
    for line in found:
        key = tuple(getattr(line, name) for name in names)
        sums[key] = sums.get(key, 0) + (line.cents or 0)
    return sums
