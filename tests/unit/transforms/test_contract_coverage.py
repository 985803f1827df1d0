"""Contract coverage by hand: what matches by supplier, category and date, whose spend is off contract, what stays in no category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms import periods
from transforms.key_figures import contract_coverage, supplier_sizes
from transforms.measures.joint_procurements import AGREEMENTS, SUPPLIERS

REGISTER = (
    "agency,kind,delivered,category,note\n"
    ",invoice,konsultit,expert,\n"
    "own,invoice,konsultit,own_expert,\n"
    ",invoice,siivous,cleaning,\n"
    ",register,ruoka,food,a word of agreements only\n"
)
AGREED = (
    ("P-1", "expert", "2024-01", "2024-12", "*", True),
    ("P-2", "cleaning", "2024-02", "2024-03", "sector:state|city", False),
    ("P-3", "food", "2024-01", "2024-12", "*", True),
    ("P-4", "own_expert", "2024-01", "2024-12", "nobody", True),
)
ON_IT = (("P-1", "S1", "2024-01", "2024-12"), ("P-2", "S2", "2024-02", "2024-02"), ("P-3", "S1", "2024-01", "2024-12"))
BOUGHT = (
    ("state", "konsultit", "S1", "2024-01", True, 100),  # matched
    ("state", "KONSULTIT ", "S2", "2024-01", True, 20),  # off contract: not on an agreement of the category
    ("state", "siivous", "S2", "2024-01", True, 3),  # the agreement begins in February
    ("state", "siivous", "S2", "2024-02", True, 5),  # matched, without a notice
    ("state", "siivous", "S2", "2024-03", True, 7),  # the supplier has left
    ("state", "ruoka", "S1", "2024-01", True, 11),  # a word of agreements, not of invoices
    ("state", "", "S1", "2024-01", True, 13),
    ("state", "konsultit", "S1", "2024-02", True, -30),  # a credit
    ("city", "siivous", "S2", "2024-02", True, 1000),  # named by its id
    ("city", "siivous", "S2", "2024-01", False, 2000),  # no date: in force at some time of the year
    ("town", "siivous", "S2", "2024-02", True, 50),  # neither its sector nor itself is named
    ("own", "konsultit", "S1", "2024-01", True, 400),  # its own word for the category, which is open to nobody
    ("bare", "kukkia", "S1", "2024-01", True, 9),  # no category that any register knows
)
"""Buyer (and agency), category, supplier, month, whether the line has a date, cents."""
SECTORS = {"state": "state", "city": "municipality", "town": "municipality", "own": "municipality", "bare": "municipality"}
OTHER = 5
"""Cents of every buyer's month that have no supplier id."""


def _day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _months(since: str, until: str) -> list[date]:
    return periods.month_range(_day(since), _day(until))


def _frame(columns: Sequence[str], rows: Sequence[Sequence[object]], schema: Mapping[str, object] | None = None) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={name: (schema or {}).get(name) for name in columns}, orient="row")  # type: ignore[arg-type]


def _cells(
    plan: str, relations: Mapping[str, pl.DataFrame], known_from: str = "2024-01"
) -> dict[tuple[str, ...], tuple[object, ...]]:
    """(figure, variant, level_id) -> numerator, denominator, reason of the year."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA measure")
    lines = [
        (buyer, "", _day(month), buyer, _day(month), dated, category, supplier, cents, 1)
        for buyer, category, supplier, month, dated, cents in BOUGHT
    ]
    key = ("agency", "part", "slice_period", "organisation_id", "period", "has_date")
    frames = {"supplier_month": _frame((*key, "category", "supplier_id", "net_cents", "lines"), lines)}
    spent = frames["supplier_month"].group_by(key, maintain_order=True).agg(pl.col("net_cents").sum() + OTHER + 1000)
    frames["spend_month"] = spent.with_columns(
        is_gross=pl.lit(value=False),
        public_cents=pl.lit(1000),
        known_absolute_cents=pl.lit(1),
        unknown_absolute_cents=pl.lit(0),
        procurement_lines=pl.lit(2),
        public_lines=pl.lit(1),
        business_id_lines=pl.lit(1),
        foreign_id_lines=pl.lit(0),
    )
    frames["expected"] = _frame(
        ("organisation_id", "month", "present"),
        [(buyer, month, True) for buyer in SECTORS for month in _months("2024-01", "2024-12")],
    )
    frames["period"] = pl.DataFrame([periods.period("year", date(2024, 1, 1))], schema=periods.SCHEMA, orient="row")
    always = (date(1900, 1, 1), date(9999, 12, 31))
    placed = [
        (buyer, level, one, *always)
        for buyer, sector in SECTORS.items()
        for level, one in (("organisation", buyer), ("sector", sector), ("national", "FI"))
    ]
    frames["membership"] = _frame(("organisation_id", "level", "level_id", "valid_from", "valid_to"), placed)
    for name, frame in {**frames, **relations}.items():
        con.register(name, frame)
    agreed = [
        {
            "organisation_id": "body",
            "month": month,
            "agency": "body",
            "agreement_id": one,
            "category": category,
            "is_in_force": True,
            "has_notice": notice,
            "kind": "dps",
            "is_ending": False,
            "open_to": open_to,
        }
        for one, category, since, until, open_to, notice in AGREED
        for month in _months(since, until)
        if month >= _day(known_from)
    ]
    facts = {one: (category, notice) for one, category, *_, notice in AGREED}
    on_it = [
        {
            "organisation_id": "body",
            "month": month,
            "agency": "body",
            "agreement_id": one,
            "category": facts[one][0],
            "is_in_force": True,
            "has_notice": facts[one][1],
            "supplier_id": supplier,
        }
        for one, supplier, since, until in ON_IT
        for month in _months(since, until)
    ]
    for table, rows in ((AGREEMENTS, agreed), (SUPPLIERS, on_it)):
        con.register("rows_frame", pl.DataFrame(rows, schema=table.polars_schema()))
        con.execute(f"CREATE TABLE measure.{table.name} AS FROM rows_frame")
    found = con.execute(plan).fetchall()
    names = [column[0] for column in con.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return {
        (row["figure_id"], row["variant"], row["level_id"]): (row["numerator"], row["denominator"], row["reason"]) for row in rows
    }


def test_supplier_category_date_and_buyer_decide() -> None:
    reference = Reference.load({contract_coverage.CATEGORIES: REGISTER})

    found = _cells(contract_coverage.PLANS["contract_coverage"], contract_coverage.relations(reference))

    def split(level_id: str) -> tuple[object, ...]:
        parts = [
            found[figure, variant, level_id]
            for figure, variant in (
                ("contract_coverage", "of_market"),
                ("off_contract_share", "of_market"),
                ("no_category_share", ""),
            )
        ]
        return (*(numerator for numerator, _, _ in parts), parts[-1][1])

    assert split("state") == (100 + 5 - 30, 20 + 7, 3 + 11 + 13 + 3 * OTHER, 129 + 3 * OTHER)
    assert split("city") == (3000, 0, 2 * OTHER, 3000 + 2 * OTHER)
    assert split("town") == (0, 0, 50 + OTHER, 50 + OTHER)
    assert split("own") == (0, 0, 400 + OTHER, 400 + OTHER)
    assert found["contract_coverage", "of_addressable", "state"] == (75, 102, None)
    assert found["off_contract_share", "of_addressable", "state"] == (27, 102, None)
    assert found["tendered_share", "", "state"] == (70, 129 + 3 * OTHER, None)
    assert found["tendered_share", "", "city"] == (None, None, "no_notice_ids")
    assert found["contract_coverage", "of_market", "bare"] == (None, None, "no_category")
    assert found["no_category_share", "", "bare"] == (9 + OTHER, 9 + OTHER, None)
    nation = [sum(part) for part in zip(*(split(one) for one in ("state", "city", "town", "own")), strict=True)]
    assert split("FI") == (nation[0], nation[1], nation[2] + 9 + OTHER, nation[3] + 9 + OTHER)


def test_a_year_without_dates_needs_a_register_of_the_whole_year() -> None:
    reference = Reference.load({contract_coverage.CATEGORIES: REGISTER})

    found = _cells(contract_coverage.PLANS["contract_coverage"], contract_coverage.relations(reference), "2024-02")

    assert found["contract_coverage", "of_market", "city"] == (1000, 1000 + OTHER, None)
    assert found["no_category_share", "", "own"] == (None, None, "no_register")


def test_sizes_count_in_their_time_and_unknown_ones_stand_outside() -> None:
    sizes = (
        "business_id,size,valid_from,valid_to,source\n"
        "S1,small,,2024-01-31,x\nS1,large,2024-02-01,,x\nS2,unknown,,2024-01-31,x\nS2,medium,2024-02-01,,x\n"
    )
    reference = Reference.load({supplier_sizes.FILE: sizes})

    found = _cells(supplier_sizes.PLANS["sizes"], supplier_sizes.relations(reference))

    assert found["sme_spend_share", "", "state"] == (100 + 11 + 13 + 5 + 7, 100 + 11 + 13 + 5 + 7 - 30, None)
    assert found["sme_spend_share", "", "bare"] == (9, 9, None)
    none = _cells(supplier_sizes.PLANS["sizes"], supplier_sizes.relations(Reference.load()))
    assert set(none.values()) == {(None, None, "sizes_missing")}


def test_a_size_that_is_no_size_is_told_with_its_row() -> None:
    reference = Reference.load({supplier_sizes.FILE: "business_id,size,valid_from,valid_to,source\nS1,huge,,,x\n"})

    with pytest.raises(ConfigurationError, match=r"supplier_sizes\.csv, business_id S1: size 'huge'"):
        supplier_sizes.relations(reference)
