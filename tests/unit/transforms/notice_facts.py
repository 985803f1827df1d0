"""Notice tables from few words: tests say what matters, everything else is an ordinary award of one lot."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from schemas.contract import Table
from schemas.procurement_notices import CONTRACT

Row = Mapping[str, Any]
Given = Mapping[str, Sequence[Row]]
BUYER = "0201256-6"
NOTICE: Row = {
    "delivery_id": "d1", "notice_version": 1, "source_line": 1, "schema": "eforms", "form_type": "result", "subtype": "29",
    "is_ted": True, "procedure_id": "P1", "notice_date": "2024-06-03", "country": "FI", "is_national_population": True,
}  # fmt: skip
DEFAULTS: Mapping[str, Row] = {
    "procedure": {"procedure_type": "open", "buyers_n": 1, "lots_n": 1, "is_joint": False, "is_central_purchasing": False},
    "lot": {"lot_id": "LOT-0001", "framework": "none", "dps": "none", "criteria": "price,quality", "is_asked": False},
    "lot_result": {"lot_id": "LOT-0001", "result_code": "selec-w"},
    "tender": {"tender_id": "TEN-0001", "result_id": "RES-0001", "lot_id": "LOT-0001", "is_winner": True},
    "winner": {"result_id": "RES-0001", "lot_id": "LOT-0001", "id_kind": "none"},
    "contract": {"contract_id": "CON-0001"},
    "organisation": {
        "organisation_ref": "ORG-0001", "registration_id": BUYER, "id_kind": "business_id", "country": "FI", "is_buyer": True,
        "buyer_no": 1, "is_winner": False, "is_service": False, "is_central_purchasing": False,
    },
}  # fmt: skip
EVERY_NOTICE = ("procedure", "lot", "organisation")
"""Tables of which a notice has one default row when a test gives none."""


def tables(given: Given) -> dict[str, pl.DataFrame]:
    """The contract's tables from sparse rows; a row of a child table names its notice by notice_id (all versions get it)."""
    notices = [_dated({**NOTICE, **row}) for row in given["notice"]]
    found = {"notice": _frame(CONTRACT.table("notice"), notices)}
    for table in CONTRACT.tables[1:]:
        rows: list[Row] = []
        by_notice = defaultdict(list)
        for row in given.get(table.name, ()):
            by_notice[row.get("notice_id")].append(row)
        for notice in notices:
            key = {name: notice[name] for name in ("delivery_id", "notice_id", "notice_version")}
            own = [row for name in (notice["notice_id"], None) for row in by_notice[name] if _is_of(row, notice)]
            if not own and table.name in EVERY_NOTICE:
                own = [{}]
            for position, row in enumerate(own, start=1):
                numbered = {"result_id": f"RES-{position:04d}"} if table.name == "lot_result" else {}
                procedure = {"procedure_id": notice["procedure_id"]} if table.name == "procedure" else {}
                rows.append({**DEFAULTS[table.name], **numbered, **procedure, **row, **key})
        if table.name == "procedure":
            rows = [row for row in rows if row["procedure_id"] is not None]
        found[table.name] = _frame(table, rows)
    return found


def _is_of(row: Row, notice: Row) -> bool:
    """Whether a child row belongs to a notice: its id, and version and delivery where the row names them."""
    named = ("notice_id", "notice_version", "delivery_id")
    return all(row[name] == notice[name] for name in named if name in row)


def _dated(notice: dict[str, Any]) -> dict[str, Any]:
    day = date.fromisoformat(str(notice["notice_date"]))
    notice.setdefault("dispatch_date", day.isoformat())
    notice.setdefault("dispatch_at", datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat())
    return notice


def _frame(table: Table, rows: Sequence[Row]) -> pl.DataFrame:
    schema = table.polars_schema()
    unknown = {name for row in rows for name in row} - set(schema)
    assert not unknown, f"{table.name} has no column {sorted(unknown)}"
    return pl.DataFrame({name: [_value(dtype, row.get(name)) for row in rows] for name, dtype in schema.items()}, schema=schema)


def _value(dtype: pl.DataType, value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    if dtype == pl.Boolean:
        return {"yes": True, "no": False}[value]
    if dtype.is_integer():
        return int(value)
    if dtype == pl.Date:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(dtype, pl.Datetime) else value


def read_rows(path: Path) -> list[dict[str, str | None]]:
    """Rows of a case's CSV file: an empty cell says nothing (the default counts), `null` is a missing value."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return [{name: None if text == "null" else text for name, text in row.items() if text} for row in rows]
