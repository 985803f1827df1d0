"""In workbooks, JSON and Parquet a number, a text, a truth value and a date are different things; days and marks that only some
lines of a file use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from openpyxl.styles import Font

from tests.unit.transforms.invoice_files import CONTEXT, accepted, balance, delivered_of, failures, put, refused, run
from transforms.sources import purchase_invoices

HEADS = ["case_id", "posting_date", "supplier_name", "net_amount"]
Cell = object


def book(path: Path, sheets: dict[str, Sequence[Sequence[Cell]]], hidden: Sequence[str] = ()) -> Path:
    made = xlsxwriter.Workbook(path, {"default_date_format": "dd.mm.yyyy"})
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name in hidden:
            sheet.hide()
    made.close()
    return path


def amounts(path: Path) -> list[int]:
    parts, _ = run(path)
    return [cents for cents in accepted(parts)["net_cents"].to_list() if cents is not None]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["123,45", 80.645, "1 000,50", 7], [12345, 8065, 100050, 700]),
        (["1.234,00", 1.5], [123400, 150]),
        (["12.50", 1000.25], [1250, 100025]),
        (["100,-", 2.5], [10000, 250]),
        ([-3.25, "-3,25"], [-325, -325]),
    ],
    ids=["comma texts", "thousands by points", "point texts", "a dash for no cents", "minus"],
)
def test_a_number_cell_has_a_point_whatever_texts_use(tmp_path: Path, cells: list[Cell], wanted: list[int]) -> None:
    rows = [[str(number), datetime(2021, 3, 1), "Oy", cell] for number, cell in enumerate(cells)]  # noqa: DTZ001
    assert amounts(book(tmp_path / "mixed_2021.xlsx", {"a": [HEADS, *rows]})) == wanted
    records = [dict(zip(HEADS, [row[0], "2021-03-01", *row[2:]], strict=True)) for row in rows]
    assert amounts(put(tmp_path, "\n".join(map(json.dumps, records)), "mixed_2021.jsonl")) == wanted


def test_numbers_beside_a_column_of_texts_in_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"case_id": ["1", "2"], "posting_date": ["2021-03-01"] * 2, "net_amount": [9.5, 1000.125], "gross_amount": ["11,40", "1.210,00"]})
    frame.write_parquet(tmp_path / "both_2021.parquet")
    parts, _ = run(tmp_path / "both_2021.parquet")
    assert accepted(parts).select("net_cents", "gross_cents").rows() == [(950, 1140), (100013, 121000)]


def test_what_is_no_amount_is_quarantined(tmp_path: Path) -> None:
    path = tmp_path / "kinds_2021.xlsx"
    made = xlsxwriter.Workbook(path)
    sheet, share = made.add_worksheet(), made.add_format({"num_format": "0.00%"})
    own = made.add_format({"num_format": '0.0" %"'})
    sheet.write_row(0, 0, HEADS)
    for row in range(1, 5):
        sheet.write_row(row, 0, [str(row), "2021-03-01", "Oy"])
    sheet.write_boolean(1, 3, True)
    sheet.write_number(2, 3, 0.24, share)
    sheet.write_number(3, 3, 24, own)
    sheet.write_number(4, 3, 5)
    made.close()
    parts, conclusion = run(path)
    assert failures(parts, conclusion) == [("amount_unreadable", row) for row in (2, 3, 4)]
    assert accepted(parts)["net_cents"].to_list() == [500]
    lines = [{"case_id": "1", "posting_date": "2021-03-01", "net_amount": amount} for amount in (True, False, 2)]
    parts, conclusion = run(put(tmp_path, "\n".join(map(json.dumps, lines)), "truth_2021.jsonl"))
    assert failures(parts, conclusion) == [("amount_unreadable", 1), ("amount_unreadable", 2)]


def test_a_text_that_may_be_read_in_two_ways_is_read_where_another_tells_how(tmp_path: Path) -> None:
    rows = [[str(number), "2021-03-01", "Oy", cell] for number, cell in enumerate([5, "1.000", "-2,500 EUR", 1.125])]
    parts, conclusion = run(book(tmp_path / "two_ways_2021.xlsx", {"a": [HEADS, *rows]}))
    assert failures(parts, conclusion) == [("amount_ambiguous", 3), ("amount_ambiguous", 4)]
    assert accepted(parts)["net_cents"].to_list() == [500, 113]
    assert balance(parts, conclusion)["cents_read"] == 613
    told = [*rows, ["9", "2021-03-01", "Oy", "0,50"]]
    assert amounts(book(tmp_path / "told_2021.xlsx", {"a": [HEADS, *told]})) == [500, 100000, -250, 113, 50]


def test_true_dates_and_plain_texts_stand_in_one_column(tmp_path: Path) -> None:
    days: list[Cell] = [datetime(2021, 1, 15), "15.2.2021", datetime(2021, 3, 1), "2021-04-05"]  # noqa: DTZ001
    path = tmp_path / "days_2021.xlsx"
    made = openpyxl.Workbook()
    made.active.append(HEADS)
    for number, day in enumerate(days):
        made.active.append([str(number), day, "Oy", 1])
    made.save(path)
    parts, _ = run(path)
    assert accepted(parts)["posting_date"].to_list() == [date(2021, 1, 15), date(2021, 2, 15), date(2021, 3, 1), date(2021, 4, 5)]
    text = "case_id;posting_date;net_amount\n" + "".join(f"{n};{day};1,00\n" for n, day in enumerate(["01.02.2021"] * 5 + ["2021-12-24", "2/3/2021"]))
    parts, conclusion = run(put(tmp_path, text, "late_2021.csv"))
    assert accepted(parts)["posting_date"].to_list()[-1] == date(2021, 12, 24)
    assert failures(parts, conclusion) == [("date_unreadable", 8)], "whose month stands first is not known"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2020-12-31T22:00:00Z", date(2021, 1, 1)),
        ("2021-05-31T21:00:00.0000000Z", date(2021, 6, 1)),
        ("2021-06-30 23:30:00+03:00", date(2021, 6, 30)),
        ("2021-07-01T00:30:00+0530", date(2021, 6, 30)),
        ("30.6.2021 21:00 UTC", date(2021, 7, 1)),
        ("2021-06-30T23:30:00", date(2021, 6, 30)),
    ],
)
def test_a_time_with_a_zone_is_brought_to_finland(tmp_path: Path, written: str, day: date) -> None:
    record = {"case_id": "1", "posting_date": written, "net_amount": 1}
    for path in (
        put(tmp_path, json.dumps(record), "zone_2021.jsonl"),
        put(tmp_path, f"case_id;posting_date;net_amount\n1;{written};1,00\n", "zone_2021.csv"),
    ):
        assert accepted(run(path)[0])["posting_date"].to_list() == [day]


def test_hidden_sheets_are_passed_over_and_named(tmp_path: Path) -> None:
    rows = {"Data": [HEADS, ["1", "2021-03-01", "Oy", 5]], "Pohja": [HEADS, ["9", "2021-03-01", "Oy", 999]]}
    parts, _ = run(path := book(tmp_path / "hidden_2021.xlsx", rows, hidden=["Pohja"]))
    assert accepted(parts)["net_cents"].to_list() == [500]
    assert notes(path)["hidden_sheets"] == ["Pohja"]


def test_sheets_of_one_header_are_one_table(tmp_path: Path) -> None:
    sheets = {
        "Tammi": [HEADS, ["1", "2021-01-01", "Oy", "10,50"], ["2", "2021-01-02", "Oy", "oops"]],
        "Helmi": [["Helmikuu"], HEADS, ["3", "2021-02-01", "Oy", 20]],
    }
    parts, conclusion = run(path := book(tmp_path / "months_2021.xlsx", sheets))
    assert accepted(parts).select("source_line", "net_cents").rows() == [(2, 1050), (6, 2000)]
    assert failures(parts, conclusion) == [("amount_unreadable", 3)]
    assert notes(path)["first_rows"] == {"Tammi": 2, "Helmi": 6}


def test_sheets_of_different_headers_are_refused(tmp_path: Path) -> None:
    sheets = {"a": [HEADS, ["1", "2021-01-01", "Oy", 5]], "Summat": [["supplier_name", "net_amount"], ["Oy", 5]]}
    assert refused(book(tmp_path / "two_2021.xlsx", sheets)) == {"several_sheets"}


def test_formulas_are_found_beside_columns_that_are_only_formatted(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    for row, cells in enumerate([HEADS, ["1", "2021-03-01", "Oy", 5], ["2", "2021-03-01", "Oy", "=SUM(E2)"]], start=1):
        sheet.cell(row, 1).font = Font(bold=True)  # holds nothing
        for place, cell in enumerate(cells, start=2):
            sheet.cell(row, place, cell)
    made.save(tmp_path / "shifted_2021.xlsx")
    parts, conclusion = run(tmp_path / "shifted_2021.xlsx")
    assert failures(parts, conclusion) == [("amount_is_formula", 3)]


def notes(path: Path) -> dict[str, object]:
    return dict(next(iter(purchase_invoices.read([delivered_of(path)], CONTEXT))).notes)
