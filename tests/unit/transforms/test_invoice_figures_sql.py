"""Invoice figures against an independent calculation in plain SQL on random posting lines.

The lines are classed here by a loop over the registers, and every figure is asked straight from the lines: no measure, no
shared statement. Ours runs the plans as the warehouse does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import polars as pl
import pytest

from schemas.purchase_invoices import POSTING_LINE
from schemas.reference import Reference
from transforms import levels, periods
from transforms.key_figures import cases, spend, suppliers
from transforms.key_figures.parameters import parameters_of
from transforms.measures.purchase_invoices import PLANS, relations
from transforms.rollup import roll_up
from transforms.settle import settle

MONTHS = [date(2022 + m // 12, m % 12 + 1, 1) for m in range(24)]
MODULES = (spend, suppliers, cases)
FIGURES = {figure.figure_id: figure for module in MODULES for figure in module.DEFINITIONS}
ORGANISATIONS = [
    (f"900000{i}-x", sector, branch, region)
    for i, (sector, branch, region) in enumerate(
        [
            ("state", "25", "01"),
            ("state", "25", "06"),
            ("state", "30", None),
            ("municipality", None, "06"),
            ("municipality", None, "01"),
        ]
    )
]
NO_CASES = ORGANISATIONS[1][0]
UNDATED = ORGANISATIONS[4][0]
REGISTERS = {
    "organisations.csv": "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note\n"
    + "".join(f"{i},,{i},,,{s},{b or ''},{r or ''},,,,\n" for i, s, b, r in ORGANISATIONS),
    "accounts.csv": "chart,account_prefix,is_procurement,name,valid_from,valid_to,confirmed,note\n"
    "test,4,yes,,2000-01-01,,yes,\ntest,41,no,,2000-01-01,,yes,\ntest,415,yes,,2022-07-01,2023-02-28,yes,\ntest,5,no,,2000-01-01,,yes,\n",
    "public_bodies.csv": "business_id,name,kind,valid_from,valid_to,note\nS0,,,,2022-12-31,\nS0,,,2023-06-01,,\nS1,,,,,\n",
    "category_models.csv": "delivered,category_model,is_support_service,valid_from,valid_to,source\nIct,model,no,2000-01-01,,here\n",
    "agencies.csv": "agency,name,language,sources,organisation_id,chart,layout,amount_basis,encoding,delimiter,decimal_mark,date_format,header_row,"
    "rhythm,frame_from,frame_to,precedence,openly_published,confirmed,note\none,one,fi,purchase_invoices,,test,,net,,,,,,year,,,10,yes,yes,\n",
}
ACCOUNTS = ["4000", "4100", "4150", "4159", "5000", "9000", None]


def is_procurement(account: str | None, month: date) -> bool:
    """The account map above, read by a person."""
    if account is None or account[0] == "9" or account[0] == "5":
        return False
    if account.startswith("415"):
        return date(2022, 7, 1) <= month <= date(2023, 2, 28)
    return not account.startswith("41")


def is_public(supplier: str | None, month: date) -> bool:
    return supplier == "S1" or (supplier == "S0" and not date(2023, 1, 1) <= month <= date(2023, 5, 31))


def lines(seed: int) -> pl.DataFrame:
    """Random posting lines of two years with every oddity that figures must survive, classed by hand."""
    chance = random.Random(seed)
    rows = []
    for number in range(4000):
        organisation = chance.choice(ORGANISATIONS)[0]
        month = chance.choice(MONTHS)
        kind = chance.choices(["business_id", "foreign_id", "no_id", "private_trader", "masked"], [80, 5, 5, 5, 5])[0]
        supplier = (
            f"{'S' if kind == 'business_id' else 'F'}{int(chance.paretovariate(0.7)) % 40}" if kind.endswith("s_id") else None
        )
        supplier = f"F{chance.randrange(9)}" if kind == "foreign_id" else supplier
        period = date(month.year, 1, 1) if organisation == UNDATED else month
        day = None if organisation == UNDATED else month + timedelta(days=chance.randrange(28))
        account = chance.choice(ACCOUNTS)
        cents = round(chance.lognormvariate(9, 2)) * (-1 if chance.random() < 0.1 else 1)
        rows.append(
            {
                "source_line": number + 2,
                "organisation_id": organisation,
                "case_id": None if organisation == NO_CASES else f"C{chance.randrange(900)}",
                "supplier_kind": kind,
                "supplier_id": supplier,
                "account_code": account,
                "category_name": chance.choice(["ICT", "Rakentaminen", None]),
                "posting_date": day,
                "period": period,
                "slice_period": period,
                "net_cents": cents,
                "procurement": is_procurement(account, period),
                "known": account is not None and account[0] != "9",
                "public": kind == "business_id" and is_public(supplier, period),
            }
        )
    schema = {**POSTING_LINE.polars_schema(), "procurement": pl.Boolean, "known": pl.Boolean, "public": pl.Boolean}
    return pl.DataFrame(rows, schema=schema)


class World:
    """A DuckDB with the lines, the measures by the plans, and the settled figures."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.con = duckdb.connect()
        self.reference = Reference.load(REGISTERS)
        self.lines = frame
        known = levels.organisations(self.reference, pl.DataFrame(schema=levels.OBSERVED_SCHEMA))
        mine = pl.col("organisation_id").is_in([identity for identity, *_ in ORGANISATIONS])
        self.members = levels.membership(known).filter(mine)
        self.names = levels.names(self.reference, known)
        self.expected = pl.DataFrame({"organisation_id": [o[0] for o in ORGANISATIONS]}).join(
            pl.DataFrame({"month": MONTHS, "present": True}), how="cross"
        )
        self.put("line", frame)
        everywhere = (
            self.expected.select("organisation_id").unique().join(periods.touched(MONTHS, MONTHS[0], MONTHS[-1]), how="cross")
        )
        self.put("place", levels.placed(everywhere, self.members))
        self.con.execute("CREATE VIEW posting_line AS SELECT *, 'one' AS agency, '' AS part, 'd' AS delivery_id FROM line")
        for name, relation in relations(self.reference).items():
            self.put(name, relation)
        for name, plan in PLANS.items():
            self.con.execute(f"CREATE TABLE {name} AS {plan}")
        self.con.execute("DROP VIEW posting_line")

    def put(self, name: str, frame: pl.DataFrame) -> None:
        self.con.register("given", frame.to_arrow())
        self.con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")

    def cells(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Cells of all invoice figures in some periods, as the pipeline computes them."""
        limits = pl.DataFrame(
            {
                "limit_id": ["small_invoice_limit"],
                "cents": [10_000],
                "valid_from": [levels.ALWAYS[0]],
                "valid_to": [levels.ALWAYS[1]],
            }
        )
        for name, frame in (("expected", self.expected), ("period", spans), ("membership", self.members), ("limits", limits)):
            self.put(name, frame)
        measures = {"spend_month": pl.DataFrame(self.con.sql("FROM spend_month").to_arrow_table()), "expected": self.expected}
        parts = [roll_up(spend.compute(measures, parameters_of(self.reference)), FIGURES, spans, self.members)]
        for module in (suppliers, cases):
            parts += [pl.DataFrame(self.con.sql(plan).to_arrow_table()) for plan in module.PLANS.values()]
        return pl.concat([part.select(parts[0].columns).cast(dict(parts[0].schema)) for part in parts]).join(
            spans, on=["period_kind", "period_start"]
        )

    def settled(self, spans: pl.DataFrame) -> pl.DataFrame:
        return settle(self.cells(spans), FIGURES, self.reference, self.members, self.names, date(2030, 1, 1))


@pytest.fixture(scope="module", params=[1, 2])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(lines(request.param))
    yield made
    made.con.close()


@pytest.fixture(scope="module")
def figures(world: World) -> pl.DataFrame:
    return world.settled(periods.touched(MONTHS, MONTHS[0], MONTHS[-1]))


# Lines in their places: undated lines count in whole years only.
LINE = """
    WITH l AS (
        SELECT l.*, p.level, p.level_id, p.period_kind, p.period_start
        FROM line l JOIN place p ON p.organisation_id = l.organisation_id
            AND (CASE p.period_kind WHEN 'month' THEN l.period = p.period_start
                WHEN 'quarter' THEN date_trunc('quarter', l.period) = p.period_start
                WHEN 'year' THEN year(l.period) = year(p.period_start)
                ELSE l.period BETWEEN p.period_start AND p.period_start + INTERVAL 11 MONTH END)
            AND (l.posting_date IS NOT NULL OR p.period_kind = 'year')
        WHERE procurement)"""
PLACE = "level, level_id, period_kind, period_start"


def _share(kind: str) -> str:
    return f"{LINE} SELECT {PLACE}, sum(CASE WHEN supplier_kind = '{kind}' THEN net_cents ELSE 0 END), sum(net_cents) FROM l GROUP BY ALL"


SUPPLIER = f"""{LINE}, s AS (
        SELECT {PLACE}, supplier_id, sum(net_cents) AS cents FROM l WHERE supplier_id IS NOT NULL AND NOT public
        GROUP BY ALL HAVING sum(net_cents) > 0)"""
CASE = f"{LINE}, c AS (SELECT {PLACE}, organisation_id, case_id, sum(net_cents) AS cents, count(*) AS n FROM l WHERE case_id IS NOT NULL GROUP BY ALL)"
INDEPENDENT = {
    "spend_total": f"{LINE} SELECT {PLACE}, sum(net_cents), NULL FROM l GROUP BY ALL",
    "spend_market": f"{LINE} SELECT {PLACE}, sum(net_cents) FILTER (NOT public), NULL FROM l GROUP BY ALL",
    "masked_supplier_share": _share("masked"),
    "no_id_supplier_share": _share("no_id"),
    "private_trader_share": _share("private_trader"),
    "suppliers_n": f"{SUPPLIER} SELECT {PLACE}, count(*), NULL FROM s GROUP BY ALL",
    "top10_share": f"""{SUPPLIER}, r AS (SELECT *, row_number() OVER (PARTITION BY {PLACE} ORDER BY cents DESC) AS rank FROM s)
        SELECT {PLACE}, sum(cents) FILTER (rank <= 10), sum(cents) FROM r GROUP BY ALL""",
    "small_invoice_share": f"{CASE} SELECT {PLACE}, count(*) FILTER (cents > 0 AND cents <= 10000), count(*) FROM c GROUP BY ALL",
    "invoice_lines_per_case": f"{CASE} SELECT {PLACE}, sum(n), count(*) FROM c GROUP BY ALL",
}


def independent(world: World, figure_id: str) -> dict[tuple[Any, ...], tuple[int, int | None]]:
    rows = world.con.execute(INDEPENDENT[figure_id]).fetchall()
    kinds = FIGURES[figure_id].period_kinds
    return {row[:4]: row[4:] for row in rows if row[2] in kinds and row[4] is not None}


@pytest.mark.parametrize("figure_id", sorted(INDEPENDENT))
def test_figures_equal_plain_sql_to_the_cent(world: World, figures: pl.DataFrame, figure_id: str) -> None:
    truth = independent(world, figure_id)
    figure = FIGURES[figure_id]
    published = figures.filter(figure_id=figure_id, breakdown_kind="").drop_nulls("value")
    seen = set()
    for row in published.filter(scope=figure.scopes[0]).iter_rows(named=True):
        key = (row["level"], row["level_id"], row["period_kind"], row["period_start"])
        top, bottom = truth.get(key, (0, None))
        scale = 100 if figure.unit in ("eur", "share") and figure.numerator_quantity == "cent" else 1
        assert row["numerator"] == Decimal(top) / scale, key
        if bottom is None:
            assert row["value"] == Decimal(top) / scale, key
        else:
            assert row["value"] == Decimal(round(Fraction(int(top), int(bottom)) * 10**8)).scaleb(-8), key
            assert row["denominator"] == Decimal(bottom) / scale, key
        seen.add(key)
    missing = {key for key, (_, bottom) in truth.items() if bottom is None or bottom > 0} - seen
    assert not missing
    assert len(seen) > 60


def test_hhi_is_pooled_per_category_and_the_buyers_own_over_all(world: World, figures: pl.DataFrame) -> None:
    rows = world.con.execute(
        f"""{LINE} SELECT {PLACE}, category_name, supplier_id, sum(net_cents) AS cents FROM l
        WHERE supplier_id IS NOT NULL AND NOT public AND period_kind IN ('quarter', 'year') GROUP BY ALL"""
    ).fetchall()
    places: dict[tuple[Any, ...], dict[tuple[Any, ...], int]] = {}
    for *place, category, supplier, cents in rows:
        group = None if place[0] == "organisation" else category
        found = places.setdefault(tuple(place), {})
        found[group, supplier] = found.get((group, supplier), 0) + int(cents)
    published = figures.filter(figure_id="hhi_supplier").drop_nulls("value")
    for place, spend_by in places.items():
        groups: dict[Any, list[int]] = {}
        for (group, _), cents in spend_by.items():
            if cents > 0:
                groups.setdefault(group, []).append(cents)
        base = sum(sum(values) for values in groups.values())
        index = {group: Fraction(10_000 * sum(v * v for v in values), sum(values)) for group, values in groups.items()}
        here = published.filter(level=place[0], level_id=place[1], period_kind=place[2], period_start=place[3])
        assert float(here.filter(breakdown_kind="")["value"].item()) == pytest.approx(float(sum(index.values()) / base), rel=1e-9)
        if place[0] == "national":
            ict = here.filter(breakdown_kind="category", breakdown_id="ICT")["value"].item()
            assert float(ict) == pytest.approx(float(index["ICT"] / sum(groups["ICT"])), rel=1e-9)
    by_category = published.filter(breakdown_kind="category")
    assert by_category["level"].unique().to_list() == ["national"]
    assert by_category["breakdown_id"].unique().to_list() == ["ICT"], "Rakentaminen stands in no register: it weighs in and is not told"


def test_what_a_delivery_cannot_serve_says_so(figures: pl.DataFrame) -> None:
    def reasons(figure_id: str, kind: str, organisation: str) -> set[str | None]:
        rows = figures.filter(
            figure_id=figure_id, period_kind=kind, level="organisation", level_id=organisation, breakdown_kind=""
        )
        assert rows.height > 0
        assert rows["value"].is_null().all() or rows["value"].is_not_null().all()
        return set(rows["reason"].to_list())

    assert reasons("spend_total", "month", UNDATED) == {"no_date"}
    assert reasons("spend_total", "year", UNDATED) == {None}
    assert reasons("suppliers_n", "quarter", UNDATED) == {"no_date"}
    assert reasons("suppliers_n", "year", UNDATED) == {None}
    assert reasons("small_invoice_share", "year", NO_CASES) == {"no_case_id"}
    assert reasons("spend_total", "month", NO_CASES) <= {None, "net_credit"}


def test_coverage_is_the_known_share_of_the_months_expected(world: World, figures: pl.DataFrame) -> None:
    known = world.con.execute(
        "SELECT organisation_id, period, sum(abs(net_cents)) FILTER (known) / sum(abs(net_cents)) FROM line WHERE year(period) = 2022 GROUP BY ALL"
    ).fetchall()
    share = {(organisation, month): value for organisation, month, value in known}
    for organisation, *_ in ORGANISATIONS[:4]:
        months = [share.get((organisation, month), 1.0) for month in MONTHS[:12]]
        row = figures.filter(
            figure_id="spend_total", scope="all", level_id=organisation, period_kind="year", period_start=date(2022, 1, 1)
        )
        assert float(row["coverage"].item()) == pytest.approx(sum(months) / 12, abs=1e-4)


def test_recomputing_what_is_touched_equals_computing_all(world: World) -> None:
    every = periods.touched(MONTHS, MONTHS[0], MONTHS[-1])
    touched = periods.touched([date(2023, 5, 1)], MONTHS[0], MONTHS[-1])
    order = [*world.cells(touched).columns[:9]]

    full, part = world.cells(every), world.cells(touched)

    again = full.join(touched, on=["period_kind", "period_start"], how="semi")
    assert part.sort(order).equals(again.sort(order))


def test_the_order_of_lines_is_of_no_matter(world: World) -> None:
    every = periods.touched(MONTHS, MONTHS[0], MONTHS[-1])
    shuffled = World(world.lines.sample(fraction=1.0, shuffle=True, seed=5))
    order = [*KEYS]

    assert shuffled.settled(every).sort(order).equals(world.settled(every).sort(order))
    shuffled.con.close()


KEYS = ("figure_id", "variant", "scope", "level", "level_id", "breakdown_kind", "breakdown_id", "period_kind", "period_start")


def test_rows_of_months_that_nobody_covers_stay_in_the_sums() -> None:
    world = World(lines(3))
    strays = pl.col("organisation_id") == ORGANISATIONS[0][0]
    world.expected = world.expected.filter(~(strays & (pl.col("month") == MONTHS[0]))).with_columns(
        present=~(strays & (pl.col("month") == MONTHS[1]))
    )
    figures = world.settled(periods.touched(MONTHS, MONTHS[0], MONTHS[-1])).filter(figure_id="spend_total", scope="all")
    planted = world.con.execute("SELECT sum(net_cents) FROM line WHERE procurement").fetchall()[0][0]
    world.con.close()

    assert figures.filter(level="national", period_kind="year")["value"].sum() == Decimal(planted) / 100
    month = figures.filter(level="organisation", level_id=ORGANISATIONS[0][0], period_kind="month")
    missing = month.filter(period_start=MONTHS[1])
    assert missing.select("value", "status", "reason").row(0) == (None, "no_data", "missing_delivery")
    assert month.filter(period_start=MONTHS[0]).select("coverage").item() is None
