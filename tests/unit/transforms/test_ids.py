"""Ids that a spreadsheet took for numbers: told, and never one id of two."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tests.unit.transforms.invoice_files import HEADER, accepted, put, run, warnings
from transforms.ids import read_ids

LOST = ["2,02501E+11", "2.02501E+11", "2.02501e11", "2E+11", "1e+05", "2021-03-01 00:00:00", "2021-03-01", "1.3.2021", "3/21/2021",
        "31/12/2021", "maalis.21", "Mar-21", "01-Mar", "1.maalis", "maj-21", "joulukuu 2021", "123456789012346000", "20250100012345680"]  # fmt: skip
KEPT = ["2.02501000001e+11", "5E2", "12E05", "CAS-01001-X7", "123/2021", "45.12.2021", "2021-13-01", "MAR-12", "A1", "202501000001",
        "Maria-21", "12345678901234567890", "1.10", "3-21", "Helmi 3"]  # fmt: skip


@pytest.mark.parametrize("text", LOST)
def test_what_stands_for_more_than_one_id(text: str) -> None:
    assert read_ids(pl.Series(["A1", text, None])).ruined.to_list() == [False, True, False]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_an_id(text: str) -> None:
    found = read_ids(pl.Series([text, "B"]))
    assert not found.ruined.any()
    assert found.values.to_list() == ["202501000001" if "e+" in text else text, "B"]


def test_long_numbers_of_which_one_ends_otherwise_are_texts() -> None:
    assert not read_ids(pl.Series(["20250100012345680", "20250100012345679"])).ruined.any()


@pytest.mark.parametrize(
    ("texts", "short"),
    [(["00123", "123", "12345"], [1]), (["0012", "012", "12"], [2]), (["123", "12"], []), (["0", "12"], []), (["00A", "1"], [])],
)
def test_zeros_are_missed_where_others_show_them(texts: list[str], short: list[int]) -> None:
    assert read_ids(pl.Series(texts)).shortened.arg_true().to_list() == short


CASES = ["2,02501E+11", "2,02501E+11", "20240000001", "007", "42", "42", "Mar-21", "Mar-21"]


def csv(folder: Path) -> Path:
    return put(folder, HEADER + "".join(f"{case};01.03.2021;Oy;0988084-1;4340;1,00\n" for case in CASES))


def lines(folder: Path) -> Path:
    heads = HEADER.strip().split(";")
    rows = [dict(zip(heads, [case, "2021-03-01", "Oy", "0988084-1", "4340", 1.0], strict=True)) for case in CASES]
    return put(folder, "\n".join(map(json.dumps, rows)) + "\n", "ostot_2021.jsonl")


def book(folder: Path) -> Path:
    with xlsxwriter.Workbook(folder / "ostot_2021.xlsx", {"default_date_format": "mmm-yy"}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, HEADER.strip().split(";"))
        day = datetime(2021, 3, 1)  # noqa: DTZ001
        for row, case in enumerate([*CASES[:4], 42, 42, day, day], 1):
            sheet.write_row(row, 0, [case, "01.03.2021", "Oy", "0988084-1", "4340", 1.0])
    return folder / "ostot_2021.xlsx"


def test_floats_of_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"case_id": [202501000001.0, 7.0, None], "posting_date": ["2021-03-01"] * 3, "net_amount": [1.0] * 3})
    frame.write_parquet(tmp_path / "ostot_2021.parquet")
    parts, _ = run(tmp_path / "ostot_2021.parquet")
    assert accepted(parts)["case_id"].to_list() == ["202501000001", "7", None]


@pytest.mark.parametrize("made", [csv, lines, book])
def test_no_two_invoices_become_one(tmp_path: Path, made: object) -> None:
    parts, _ = run(made(tmp_path))  # type: ignore[operator]
    cases = accepted(parts)["case_id"].to_list()
    assert len(set(cases)) == len(CASES)
    assert cases[2:4] == ["20240000001", "007"]
    told = [(rule, column) for rule, _, column in warnings(parts) if rule.startswith("id_")]
    assert told == [("id_is_number", "case_id")] * 4 + [("id_zeros_lost", "case_id")] * 2


def test_suppliers_and_notices_are_without_an_id_then(tmp_path: Path) -> None:
    head = "Tositenumero;Kirjauspäivämäärä;Toimittajan nimi;Toimittajan y-tunnus;notice_id;Laskun summa ilman ALV\n"
    ids = [("2,02501E+11", "a-1"), ("1,5E+10", "Mar-21"), ("2021-03-01", "a-2"), ("2012566", "a-3"), ("02012566", ""), ("SE556000123401", "")]
    rows = [f"{number};01.03.2021;Betoni Oy;{supplier};{notice};1,00\n" for number, (supplier, notice) in enumerate(ids, 1)]
    parts, _ = run(put(tmp_path, head + "".join(rows)))
    frame = accepted(parts)
    assert frame["supplier_id"].to_list() == [None, None, None, "0201256-6", "0201256-6", "SE556000123401"]
    assert frame["supplier_kind"].to_list() == ["no_id"] * 3 + ["business_id"] * 2 + ["foreign_id"]
    assert frame["notice_id"].to_list() == ["a-1", None, "a-2", "a-3", None, None]
    told = [(line, column) for rule, line, column in warnings(parts) if rule == "id_is_number"]
    assert told == [(2, "supplier_business_id"), (3, "notice_id"), (3, "supplier_business_id"), (4, "supplier_business_id")]
    values = pl.concat([part.warnings for part in parts]).filter(column_name="supplier_business_id")["value"]
    assert values.null_count() == len(values), "personal columns are masked"
