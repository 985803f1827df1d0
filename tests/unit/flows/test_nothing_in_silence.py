"""Receipts tell of their own file, and of all that was in it and was not read: columns, sheets, tables, rows, in every source and format."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from flows import pipeline
from flows.settings import Settings
from schemas.forms import delivered
from tests.unit.flows.inbox_files import put
from transforms.registry import SOURCES

UNREAD = "Oma sarake"
SHEET = "Muistio"
FORMS = sorted(set(SOURCES) - {"purchase_invoices", "procurement_notices"})
REGISTER = (
    "agency,name,language,sources,layout,amount_basis\n"
    f"anyone,Anyone,en,{'|'.join(FORMS)},,\n"
    "hilma,Hilma,fi,procurement_notices,,\n"
    "kaarina,Kaarina,fi,purchase_invoices,kaarina,net\n"
)
INVOICES = ["Kunnan nimi", "Tositenumero", "Tapaht.pvm", "Tilinumero", "Laskun summa ilman ALV"]
INVOICE = ["Kaarina", "1", "15.03.2024", "4300", "12,50"]
NOTICE = (Path(__file__).parents[2] / "cases" / "notices" / "joint_procurement" / "input.xml").read_bytes()

Rows = Sequence[Sequence[str]]
Told = dict[str, tuple[dict[str, Any], str]]


def _csv(rows: Rows) -> bytes:
    return "".join(";".join(row) + "\n" for row in rows).encode()


def _records(rows: Rows) -> list[dict[str, str]]:
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def _json_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in _records(rows)).encode()


def _json(rows: Rows) -> bytes:
    return json.dumps({"rows": _records(rows), SHEET: ["not", "a", "table"]}).encode()


def _parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(_records(rows)).write_parquet(buffer)
    return buffer.getvalue()


def _xlsx(rows: Rows, title: bool = True) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("Rivit")
        if title:
            sheet.write(0, 0, "A title")
        for number, row in enumerate(rows, start=int(title)):
            sheet.write_row(number, 0, row)
        book.add_worksheet(SHEET).write(0, 0, "Unread")
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[[Rows], bytes]] = {
    "csv": _csv,
    "jsonl": _json_lines,
    "json": _json,
    "parquet": _parquet,
    "xlsx": _xlsx,
}


def _table(source: str, number: int) -> Rows:
    if source == "purchase_invoices":
        return [[*INVOICES, f"{UNREAD} {number}"], [*INVOICE, "x"], [""] * 6, [*INVOICE, "y"]]
    names = [column.name for column in delivered(SOURCES[source].contract.tables[0])]
    return [[*names, f"{UNREAD} {number}"], ["1"] * (len(names) + 1), [""] * (len(names) + 1)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """File name -> its receipt and its text."""
    home = tmp_path_factory.mktemp("silence") / "home"
    (home / "registry").mkdir(parents=True)
    (home / "registry" / "agencies.csv").write_text(REGISTER, "utf-8")
    settings = Settings(home=home, settle_seconds=0)
    for source in [*FORMS, "purchase_invoices"]:
        for number, (ending, written) in enumerate(FORMATS.items()):
            if source == "purchase_invoices" and ending == "json":
                continue  # no such format: told as a refusal
            agency = "kaarina" if source == "purchase_invoices" else "anyone"
            put(settings, f"{agency}/{source}/{source}.2024.{number}.{ending}", written(_table(source, number)))
    late = _json_lines(_table("purchase_invoices", 9)) + b"".join(
        json.dumps({**dict(zip(INVOICES, INVOICE, strict=True)), "Later key": n}).encode() + b"\n" for n in range(500)
    )
    put(settings, "kaarina/purchase_invoices/late.2023.jsonl", late)
    members = io.BytesIO()
    with zipfile.ZipFile(members, "w") as archive:
        archive.writestr("a.xml", NOTICE)
        archive.writestr("readme.txt", b"read me")
    put(settings, "hilma/procurement_notices/notices.zip", members.getvalue())
    refused = [item for item in pipeline.land(settings) if item.landed is None]
    assert refused == []
    pipeline.load(settings)
    found = {}
    for path in (home / "receipts").rglob("*.json"):
        content = json.loads(path.read_text("utf-8"))
        found[content["file_name"]] = content, path.with_suffix(".txt").read_text("utf-8")
    return found


@pytest.mark.parametrize("source", [*FORMS, "purchase_invoices"])
def test_what_is_not_read_stands_in_the_files_own_receipt(
    told: Told, source: str
) -> None:
    mine = {name: receipt for name, receipt in told.items() if name.startswith(f"{source}.")}
    assert len(mine) == len(FORMATS) - (source == "purchase_invoices")
    width = len(_table(source, 0)[0])
    for name, (content, text) in mine.items():
        number, ending = name.split(".")[-2:]
        named = f"column {width}" if source == "satisfaction_surveys" else f"{UNREAD} {number}"  # questions may name people
        assert content["read_as"]["unknown_columns"] == [named], name
        assert named in text, name
        if ending in ("xlsx", "json"):
            assert content["read_as"]["passed_over"] == [SHEET], name
            assert SHEET in text, name
        if ending == "xlsx" and source != "satisfaction_surveys":
            assert content["read_as"]["rows_above_header"] == 1


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_rows_set_aside_are_told_with_their_reason(told: Told, ending: str) -> None:
    [(content, text)] = [value for name, value in told.items() if name.startswith("purchase_invoices.") and name.endswith(ending)]
    assert [(row["reason"], row["rows_n"]) for row in content["set_aside"]] == [("blank_line", 1)]
    assert "tyhjiä 1" in text


def test_a_key_that_comes_late_is_told(told: Told) -> None:
    assert "Later key" in told["late.2023.jsonl"][0]["read_as"]["unknown_columns"]


def test_a_member_that_is_no_notice_is_told(told: Told) -> None:
    content, _ = told["notices.zip"]
    assert [rule["rule"] for rule in content["rules"] if rule["rule"] == "notice_unknown"] == ["notice_unknown"]
