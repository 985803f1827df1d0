"""Rows of sums among postings are set aside where word and sum agree; one of the two alone is told."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.transforms.invoice_files import HEADER, accepted, balance, put, refused, run, warnings


def line(number: object, supplier: str, account: str, euros: float) -> str:
    return f"{number};05.03.2021;{supplier};;{account};{euros:.2f}\n".replace(".", ",").replace("05,03,2021", "05.03.2021")


def aside(path: Path) -> list[tuple[int, str]]:
    parts, conclusion = run(path)
    balance(parts, conclusion)
    return sorted(conclusion.set_aside.select("source_line", "reason").iter_rows())


def cents(path: Path) -> int:
    return int(accepted(run(path)[0])["net_cents"].sum())


NESTED = (
    line(1, "Sähkö Oy", "4300", 10)
    + line(2, "Vesi Oy", "4300", 5.5)
    + line("", "Yhteensä", "4300", 15.5)
    + line(3, "Sähkö Oy", "4340", -2)
    + line("", "YHTEENSÄ:", "4340", -2)
    + line("", "Tulosyksikkö 1 yhteensä", "", 13.5)
    + line(4, "Summa Oy", "4340", 13.5)
    + line("", "Yhteensä", "4340", 13.5)
    + line("", "Kaikki yhteensä", "", 27)
)


def test_subtotals_at_every_level_are_set_aside(tmp_path: Path) -> None:
    path = put(tmp_path, HEADER + NESTED)
    assert aside(path) == [(row, "subtotal") for row in (4, 6, 7, 9, 10)]
    assert cents(path) == 2700
    assert warnings(run(path)[0])[0][0] != "total_without_sum"


@pytest.mark.parametrize("word", ["Totalt", "Delsumma", "Summa yhteensä", "Sammanlagt 4300", "Grand total"])
def test_words_of_all_languages_in_any_cell(tmp_path: Path, word: str) -> None:
    rows = line(1, "Sähkö Oy", "4300", 10) + line(2, "Vesi Oy", "4300", 5)
    for last in (line(3, word, "4300", 15), line(3, "", word, 15), line(word, word, "", 15)):
        assert aside(put(tmp_path, HEADER + rows + last)) == [(4, "subtotal")]


def test_a_workbook_with_subtotals(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "sums_2021.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["case_id", "posting_date", "supplier_name", "net_amount"])
    for number, row in enumerate([("1", "Sähkö Oy", 10.25), ("2", "Vesi Oy", 5), ("", "Yhteensä", 15.25)], start=1):
        sheet.write_row(number, 0, [row[0], "2021-03-01", *row[1:]])
    book.close()
    assert aside(tmp_path / "sums_2021.xlsx") == [(4, "subtotal")]


def test_a_word_without_the_sum_is_told_and_counts(tmp_path: Path) -> None:
    rows = line(1, "Sähkö Oy", "4300", 10) + line(2, "Vesi Oy", "4300", 5) + line(3, "Yhteensä", "4300", 6)
    path = put(tmp_path, HEADER + rows)
    assert aside(path) == []
    assert cents(path) == 2100
    assert [(rule, row) for rule, row, _ in warnings(run(path)[0]) if rule == "total_without_sum"] == [("total_without_sum", 4)]


def test_words_that_hold_a_third_of_the_euros_without_a_sum_are_refused(tmp_path: Path) -> None:
    rows = line(1, "Sähkö Oy", "4300", 10) + line(2, "Vesi Oy", "4300", 5) + line(3, "Yhteensä", "4300", 15.01)
    assert refused(put(tmp_path, HEADER + rows)) == {"totals_unclear"}


@pytest.mark.parametrize("name", ["Summa Oy", "Oy Total Ab", "Summanen Virpi Oy", "Kuntasumma", "Totaltech Oy"])
def test_companies_whose_name_holds_a_word_are_postings(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, HEADER + line(1, "Sähkö Oy", "4300", 10) + line(2, name, "4300", 10))
    assert aside(path) == []
    assert cents(path) == 2000


def test_a_grand_total_beside_subtotals(tmp_path: Path) -> None:
    rows = line(1, "Sähkö Oy", "4300", 10) + line("", "Yhteensä", "4300", 10) + line(2, "Vesi Oy", "4340", 5) + line("", "Yhteensä", "4340", 5)
    path = put(tmp_path, HEADER + rows + ";;Yhteensä;;;15,00\n")
    assert aside(path) == [(3, "subtotal"), (5, "subtotal"), (6, "grand_total")]
    assert cents(path) == 1500


Groups = list[list[list[int]]]


@given(st.lists(st.lists(st.lists(st.integers(-90_000, 90_000), min_size=1, max_size=4), min_size=1, max_size=3), min_size=1, max_size=4))
def test_whatever_is_summed_the_postings_are_left(tmp_path_factory: pytest.TempPathFactory, groups: Groups) -> None:
    """Units of accounts of rows, each with its sum below; what is left is the rows, in their order."""
    rows, wanted = [], []
    for unit in groups:
        for account in unit:
            rows += [line(1, "Sähkö Oy", "4300", value / 100) for value in account]
            wanted += account
            rows.append(line("", "Yhteensä", "4300", sum(account) / 100))
        rows.append(line("", "Yksikkö yhteensä", "", sum(map(sum, unit)) / 100))
    path = put(tmp_path_factory.mktemp("sums"), HEADER + "".join(rows))
    assert accepted(run(path)[0]).select(pl.col("net_cents")).to_series().to_list() == wanted
