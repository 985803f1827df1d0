"""The gate counts euros as well as rows: few rows that hold much refuse a delivery of invoices, whatever their share of the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from schemas.errors import Reason
from schemas.purchase_invoices import CONTRACT
from tests.unit.transforms.invoice_files import HEADER, balance, put, run
from transforms.amounts import likely_cents
from warehouse.publication.wording import reason_text
from warehouse.validation import Prepared, check

GOOD = 400
"""Good rows of 100.00 EUR."""


def lost(path: Path) -> tuple[int, int]:
    """Cents lost, and all."""
    parts, conclusion = run(path)
    balance(parts, conclusion)
    [(_, _, cents, every)] = conclusion.losses.rows()
    return cents, every


def csv(folder: Path, *bad: str) -> Path:
    return put(folder, HEADER + "".join(f"{n};01.03.2021;Oy {n};0988084-1;4340;100,00\n" for n in range(GOOD)) + "".join(bad))


def book(folder: Path, *bad: str) -> Path:
    with xlsxwriter.Workbook(folder / "ostot_2021.xlsx") as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, HEADER.strip().split(";"))
        for row in range(1, GOOD + 1):
            sheet.write_row(row, 0, [str(row), "01.03.2021", "Oy", "0988084-1", "4340", 100.0])
        for row, line in enumerate(bad, GOOD + 1):
            sheet.write_row(row, 0, line.strip().split(";"))
    return folder / "ostot_2021.xlsx"


def lines(folder: Path, *bad: str) -> Path:
    heads = HEADER.strip().split(";")
    rows = [*(f"{n};2021-03-01;Oy;0988084-1;4340;" for n in range(GOOD)), *bad]
    records = [dict(zip(heads, row.strip().split(";"), strict=True)) for row in rows]
    for record in records[:GOOD]:
        record[heads[-1]] = 100.0  # type: ignore[assignment]
    return put(folder, "\n".join(map(json.dumps, records)) + "\n", "ostot_2021.jsonl")


@pytest.mark.parametrize("made", [csv, book, lines])
@pytest.mark.parametrize(
    ("bad", "cents"),
    [
        (["9;31.31.2021;Oy;0988084-1;4340;9000,00\n"], 900_000),
        (["9;31.31.2021;Oy;0988084-1;4340;-9000,00\n"], 900_000),
        (["9;01.03.2021;Oy;0988084-1;4340;n. 50 000 EUR/kk\n"], 5_000_000),
        (["9;01.03.2021;Oy;0988084-1;4340;ei tiedossa\n"], 10_000),
        (["9;01.03.2021;Oy;0988084-1;4340;\n"] * 3, 30_000),
        ([], 0),
    ],
    ids=["day", "credit", "words around", "no number", "blank", "nothing"],
)
def test_what_quarantined_rows_hold(tmp_path: Path, made: Callable[..., Path], bad: Sequence[str], cents: int) -> None:
    assert lost(made(tmp_path, *bad)) == (cents, GOOD * 10_000 + cents)


def test_broken_lines_and_keyless_rows_weigh_too(tmp_path: Path) -> None:
    assert lost(csv(tmp_path, "9;01.03.2021;Oy\n"))[0] == 10_000
    assert lost(csv(tmp_path, ";;;;;777,00\n"))[0] == 77_700
    assert lost(put(tmp_path, HEADER + "9;01.03.2021;Oy;0988084-1;4340;x\n"))[0] == 0, "nothing to estimate by: rows decide"


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1.000", 100_000), ("12,5", 1_250), ("1 250,- / kk", 125_000), ("-5", 500), ("2021-03-01", None), ("", None), ("9" * 45, None)],
)
def test_the_most_that_a_text_may_mean(text: str, cents: int | None) -> None:
    assert likely_cents(text) == cents


def refusals(folder: Path, path: Path) -> list[Reason]:
    parts, conclusion = run(path)
    for number, part in enumerate(parts):
        part.accepted["posting_line"].write_parquet(folder / f"{number}.parquet")
    files = [str(folder / f"{number}.parquet") for number in range(len(parts))]
    rules = parts[0].failures.group_by("delivery_id", "table_name", "rule").len("rows_n").cast({"rows_n": int})
    held = Prepared(CONTRACT, {"posting_line": files}, parts[0].counts, rules, losses=conclusion.losses)
    validation, refused = check([held], folder / "gate")
    euros = validation.filter(rule="euros_lost")
    assert euros.height == 1
    assert euros["is_success"][0] is not bool(refused)
    return refused.get("id", [])


def test_one_row_in_four_hundred_refuses_where_it_holds_the_euros(tmp_path: Path) -> None:
    [reason] = refusals(tmp_path, csv(tmp_path, "9;31.31.2021;Oy;0988084-1;4340;404,05\n"))
    assert reason.code == "euros_lost"
    assert "404.05 of 40404.05 EUR; at most 1% may be lost" in reason.text
    assert "404.05 euroa 40404.05 eurosta; enintään 1%" in reason_text(reason.code, reason.text, "fi")
    assert "404.05 av 40404.05 euro; högst 1%" in reason_text(reason.code, reason.text, "sv")
    assert refusals(tmp_path, csv(tmp_path, "9;31.31.2021;Oy;0988084-1;4340;404,04\n")) == [], "one per cent is taken"
