"""Golden cases of contact requests: tests/cases/contacts/<case>/{input.*, case.json, expected.csv}; a new case needs no Python.

`input.sheet.json` is written as a workbook; {"date": ...} and {"formula": ...} are such cells. case.json lists broken rules and
warnings as [line, column, rule].
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from schemas.contact_requests import CASE
from tests.unit.transforms.contact_deliveries import broken, cleaned
from transforms.sources.contact_requests import FORM

CASES = Path(__file__).parents[2] / "cases" / "contacts"
PEOPLE = ("Maija", "Mallikas", "Matti", "131052", "040 123", "@kunta")
SHOWN = [column.name for column in CASE.columns if column.name not in ("delivery_id", "agency", "produced_at")]


def _workbook(rows: list[list[Any]], path: Path) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Kaikki yhteydenotot")
        day = book.add_format({"num_format": "d.m.yyyy h:mm"})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, dict) and "formula" in cell:
                    sheet.write_formula(number, place, cell["formula"])
                elif isinstance(cell, dict):
                    sheet.write_datetime(number, place, datetime.fromisoformat(cell["date"]), day)
                elif cell is not None:
                    sheet.write(number, place, cell)
    return path


def _file(case: Path, folder: Path) -> Path:
    given = next(case.glob("input.*"))
    if given.name == "input.sheet.json":
        return _workbook(json.loads(given.read_text("utf-8")), folder / "input.xlsx")
    return given


def _text(frame: pl.DataFrame) -> list[dict[str, str]]:
    """Cells as text, times in UTC."""
    shown = frame.select(SHOWN).with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return shown.with_columns(pl.all().cast(pl.String).fill_null("")).sort(pl.col("source_line").cast(pl.Int64)).to_dicts()


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_golden_case(tmp_path: Path, case: str) -> None:
    told = json.loads((CASES / case / "case.json").read_text("utf-8"))
    path = _file(CASES / case, tmp_path)

    part = cleaned(path)

    expected = pl.read_csv(CASES / case / "expected.csv", infer_schema=False).with_columns(pl.all().fill_null(""))
    assert broken(part.failures) == told.get("failures", [])
    assert _text(part.accepted["contact_request"]) == expected.to_dicts()
    assert broken(part.warnings) == told.get("warnings", [])
    stored = [part.accepted["contact_request"], part.failures, part.warnings]
    text = "".join(frame.with_columns(pl.all().cast(pl.String)).write_csv() for frame in stored)
    assert [name for name in PEOPLE if name in text] == []
    assert FORM.recognise(path) >= 50
