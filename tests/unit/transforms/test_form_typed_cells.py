"""In workbooks, JSON and Parquet a form's number, text, truth value, day and share are different things; texts follow each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tests.unit.transforms.test_forms import broken, taken, text_file
from transforms.amounts import guess_decimal_mark, parse_cents
from transforms.sources.form_numbers import read_numbers

Cell = object
HEADS = ["Organisaation Y-tunnus", "Vuosi", "Summa euroina", "Henkilöitä", "Päivä", "Valmis"]


def book(folder: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    with xlsxwriter.Workbook(folder / "f.xlsx", {"default_date_format": "dd.mm.yyyy"}) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate([HEADS, *rows]):
            sheet.write_row(number, 0, row)
    return folder / "f.xlsx"


def objects(folder: Path, rows: Sequence[Sequence[Cell]]) -> Path:
    path = folder / "f.json"
    path.write_text(json.dumps([dict(zip(HEADS, row, strict=True)) for row in rows], default=str), "utf-8")
    return path


def rows_of(cells: Sequence[Cell], place: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = [["0101263-6", 2000 + number, 1, 1, "1.3.2024", "ei"] for number in range(len(cells))]
    for row, cell in zip(rows, cells, strict=True):
        row[place] = cell
    return rows


AMOUNTS = [
    ([1000.25, "1.000,50", "2.000"], [100025, 100050, 200000], []),
    ([1000.25, "1,000.50", "2,000"], [100025, 100050, 200000], []),
    ([1000, "1.000"], [100000], ["value_ambiguous"]),
    (["100,-", "100, -", "1 250, -", 5], [10000, 10000, 125000, 500], []),
    ([True, 5], [500], ["value_unreadable"]),
    (["10,5", 2.125], [1050, 213], []),
    ([date(2024, 3, 1), 5], [500], ["value_unreadable"]),
]


@pytest.mark.parametrize("made", [book, objects])
@pytest.mark.parametrize(("cells", "cents", "rules"), AMOUNTS)
def test_amounts(tmp_path: Path, made: Callable[..., Path], cells: list[Cell], cents: list[int], rules: list[str]) -> None:
    part, _ = taken(made(tmp_path, rows_of(cells, 2)))
    assert part.accepted["return"]["spent_cents"].to_list() == cents
    assert [rule for _, _, rule, _ in broken(part)] == rules


WHOLE = [
    ([7, "7"], [7, 7], []),
    ([7, "1.000"], [7], ["value_ambiguous"]),
    (["1.000", "0.250", 3], [1, 3], ["value_unreadable"]),
    (["1 000", "1000"], [1000, 1000], []),
    (["3,0", "4,00"], [3, 4], []),
    ([4.0, 4.5], [4], ["value_unreadable"]),
    ([True, 4], [4], ["value_unreadable"]),
]


@pytest.mark.parametrize("made", [book, objects])
@pytest.mark.parametrize(("cells", "numbers", "rules"), WHOLE)
def test_whole_numbers(tmp_path: Path, made: Callable[..., Path], cells: list[Cell], numbers: list[int], rules: list[str]) -> None:
    part, _ = taken(made(tmp_path, rows_of(cells, 3)))
    assert [rule for _, _, rule, _ in broken(part)] == rules
    assert part.accepted["return"]["people_n"].to_list() == numbers


@pytest.mark.parametrize(
    ("texts", "default", "whole"),
    [
        (["1.000", "1.250"], None, [1000, 1250]),
        (["1,000", "2,500"], None, [1000, 2500]),
        (["1.000"], ",", [1000]),
        (["5.0", "6"], ",", [5, 6]),
        (["1.5", "2"], ",", [None, 2]),
        (["5 EUR", "(5)", "1e3", "5-"], ",", [None] * 4),
        (["12.000", "3,0"], ",", [12000, 3]),
    ],
)
def test_whole_numbers_of_text_files(texts: list[str], default: str | None, whole: list[int | None]) -> None:
    assert read_numbers(pl.Series(texts), None, default, is_whole=True).values.to_list() == whole


def test_a_thousand_people_are_not_one(tmp_path: Path) -> None:
    lines = [";".join(HEADS), "0101263-6;2023;1,50;1.000;1.3.2024;ei"]
    part, _ = taken(text_file(tmp_path, *lines))
    assert part.accepted["return"]["people_n"].to_list() == [1000]


def test_shares_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet, share = made.add_worksheet(), made.add_format({"num_format": "0 %"})
        for number, row in enumerate([HEADS, *rows_of([1, 1, 1], 2)]):
            sheet.write_row(number, 0, row)
        sheet.write_number(1, 2, 0.24, share)
        sheet.write_number(2, 3, 1, share)
    part, _ = taken(path)
    assert broken(part) == [(2, "spent_cents", "value_unreadable", None), (3, "people_n", "value_unreadable", None)]


def test_numbers_and_texts_of_parquet(tmp_path: Path) -> None:
    base = {"Organisaation Y-tunnus": ["0101263-6"] * 2, "Vuosi": [2023, 2024]}
    pl.DataFrame(base | {"Summa euroina": ["1.000", "2.000,50"], "Henkilöitä": [3.0, 4.0]}).write_parquet(tmp_path / "f.parquet")
    part, _ = taken(tmp_path / "f.parquet")
    assert part.accepted["return"].select("spent_cents", "people_n").rows() == [(100000, 3), (200050, 4)]
    pl.DataFrame(base | {"Summa euroina": ["1.000", None]}).write_parquet(tmp_path / "f.parquet")
    assert [rule for _, _, rule, _ in broken(taken(tmp_path / "f.parquet")[0])] == ["value_ambiguous"]


def test_true_days_and_texts_stand_in_one_column(tmp_path: Path) -> None:
    part, _ = taken(book(tmp_path, rows_of([date(2024, 3, 1), "2.3.2024", "2024-03-03", True], 4)))
    assert part.accepted["return"]["given_on"].to_list() == [date(2024, 3, day) for day in (1, 2, 3)]
    assert [rule for _, _, rule, _ in broken(part)] == ["value_unreadable"]


def test_truth_values_and_words(tmp_path: Path) -> None:
    for made in (book, objects):
        part, _ = taken(made(tmp_path, rows_of([True, False, "kyllä", 0, 2.5], 5)))
        assert part.accepted["return"]["is_done"].to_list() == [True, False, True, False]


@pytest.mark.parametrize("text", ["100,-", "100, -", "100 ,-", "100 , -", "100,\u00a0-", "100, \u2013", "100. -", "EUR 100, -", "100, - €"])
def test_a_dash_for_no_cents_with_blanks(text: str) -> None:
    for mark in ",.":
        cents, _ = parse_cents(pl.Series([text]), mark)
        assert cents.to_list() == [10_000]
    if "," in text and "€" not in text:
        assert guess_decimal_mark(pl.Series([text]), ".") == ","
