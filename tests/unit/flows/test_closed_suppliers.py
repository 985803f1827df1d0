"""Suppliers of invoices that are not published openly: an organisation's own figures are its own, the rest stays open."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from flows.protecting import closed_suppliers
from schemas.reference import Reference
from tests.unit.flows import history_rows

HEAD = (
    "agency,name,language,sources,organisation_id,chart,layout,amount_basis,encoding,delimiter,decimal_mark,date_format,header_row,"
    "rhythm,due_working_days,frame_from,frame_to,precedence,openly_published,confirmed,note\n"
)
ROW = "{0},{0},fi,purchase_invoices,,municipal,,net,,,,,,year,,,,10,{1},yes,\n"
REFERENCE = Reference.load({"agencies.csv": HEAD + ROW.format("closed", "no") + ROW.format("open", "yes")})


def test_only_the_organisations_own_periods_with_a_closed_month_are_restricted(tmp_path: Path) -> None:
    year, next_year = date(2023, 1, 1), date(2024, 1, 1)
    rows = [
        ("suppliers_n", "organisation", "one", year, True),
        ("top10_share", "organisation", "one", year, True),
        ("hhi_supplier", "organisation", "one", year, True),
        ("hhi_supplier", "organisation", "one", next_year, False),
        ("hhi_supplier", "organisation", "two", year, False),
        ("spend_total", "organisation", "one", year, False),
        ("hhi_supplier", "sector", "state", year, False),
    ]
    settled = pl.DataFrame(rows, schema=["figure_id", "level", "level_id", "period_start", "expected"], orient="row")
    settled = settled.with_columns(period_end=pl.col("period_start").dt.offset_by("1y").dt.offset_by("-1d"))

    with history_rows.warehouse(tmp_path) as opened:
        opened.con.execute("CREATE TABLE figure.counting (organisation_id VARCHAR, agency VARCHAR, period DATE)")
        opened.con.execute(
            "INSERT INTO figure.counting VALUES ('one', 'closed', '2023-05-01'), ('one', 'open', '2024-05-01'), ('two', 'open', '2023-05-01')"
        )
        found = closed_suppliers(opened, REFERENCE, settled)

    assert found["is_restricted"].to_list() == found["expected"].to_list()
