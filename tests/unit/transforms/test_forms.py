"""Forms: any of the usual files, headings in any language; rows that break a rule are told with column and value; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from schemas.contract import Contract
from schemas.forms import coded, column, form, labels, organisation, year
from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered
from transforms.newest import newest
from transforms.sources.forms import MARK, Form

TITLE = labels("Paluut", "Svar", "Returns")
RETURN = form(
    "return",
    TITLE,
    "A return.",
    columns=(
        *organisation(),
        year(),
        coded("answer", {"yes": ("kyllä", "ja", "yes"), "partly": ("osittain", "delvis", "partly")}, "Vastaus", "Svar", "Answer"),
        column("spent_cents", pl.Int64, "Summa euroina", "Summa i euro", "Sum in EUR", unit="cent"),
        column("people_n", pl.Int64, "Henkilöitä", "Personer", "People", minimum=0, maximum=1000),
        column("given_on", pl.Date, "Päivä", "Dag", "Day"),
        column("is_done", pl.Boolean, "Valmis", "Klar", "Done"),
        column("note", pl.String, "Koodi", "Kod", "Code"),
    ),
    key=("organisation_id", "year"),
    unit=("organisation_id", "year"),
)
GOAL = form(
    "goal", TITLE, "A goal.", columns=(column("goal_id", pl.String, "Tavoite", "Mål", "Goal", required=True), year()), key=("goal_id",), unit=("goal_id",)
)  # fmt: skip
CONTRACT = Contract("returns", "1.0", "keyed", TITLE, "Returns.", (RETURN, GOAL))
FORM = Form(CONTRACT)
HEADER = "Organisaation Y-tunnus;Vuosi;Vastaus;Summa euroina;Henkilöitä;Päivä;Valmis;Koodi"
ROW = "0101263-6;2023;Osittain;1 234,50;7;5.3.2024;kyllä;A1"


def delivered(path: Path, number: int = 1) -> Delivered:
    moment = datetime(2024, 4, number, tzinfo=UTC)
    return Delivered(f"d{number}", "returns", "sample", path, path.name, path.stat().st_size, moment)


def taken(path: Path, number: int = 1) -> tuple[CleanPart, Conclusion]:
    """What becomes of one file, through all steps."""
    overlay = {"agencies.csv": "agency,name,sources\nsample,Sample,returns\n"}
    context = Context(Reference.load(overlay))
    item = delivered(path, number)
    parts = [FORM.clean(raw, [item], context) for raw in FORM.read([item], context)]
    assert len(parts) == 1
    return parts[0], FORM.conclude(parts, [item], context)


def text_file(folder: Path, *lines: str, name: str = "f.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def broken(part: CleanPart) -> list[tuple[int, str | None, str, str | None]]:
    return (
        part.failures.select("source_line", "column_name", "rule", "value")
        .sort("source_line", "column_name", nulls_last=True)
        .rows()
    )


EXPECTED = ("0101263-6", 2023, "partly", 123450, 7, date(2024, 3, 5), True, "A1")


def _workbook(folder: Path, rows: list[list[object]], name: str = "f.xlsx") -> Path:
    path = folder / name
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Ohje").write_row(0, 0, [MARK, "returns"])
        sheet = book.add_worksheet("Paluut")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str) and cell.startswith("=="):
                    sheet.write_formula(number, place, cell[1:])
                elif isinstance(cell, date):
                    sheet.write_datetime(number, place, cell, book.add_format({"num_format": "yyyy-mm-dd"}))
                else:
                    sheet.write(number, place, cell)
    return path


def _csv(folder: Path) -> Path:
    return text_file(folder, HEADER, ROW)


def _latin(folder: Path) -> Path:
    return text_file(folder, "Otsikko", "", HEADER.replace(";", "\t"), ROW.replace(";", "\t"), encoding="latin-1")


def _swedish(folder: Path) -> Path:
    header = '"FO-nummer","År","SVAR *","Summa i euro","Personer","Dag","Klar","Kod"'
    return text_file(folder, header, '"FI01012636","2023","delvis","1234.50","7","2024-03-05","ja","A1"')


RECORD = {
    "organisation_id": "0101263-6",
    "year": 2023,
    "answer": "partly",
    "spent_cents": 1234.50,
    "people_n": 7,
    "given_on": "2024-03-05",
    "is_done": True,
    "note": "A1",
}


def _json(folder: Path) -> Path:
    return text_file(folder, json.dumps({"return": [RECORD], "anything": 1}), name="f.json")


def _json_lines(folder: Path) -> Path:
    return text_file(folder, json.dumps(RECORD), name="f.jsonl")


def _parquet(folder: Path) -> Path:
    path = folder / "f.parquet"
    pl.DataFrame([{**RECORD, "spent_cents": "1234.50", "given_on": date(2024, 3, 5)}]).write_parquet(path)
    return path


def _excel(folder: Path) -> Path:
    return _workbook(folder, [HEADER.split(";"), ["0101263-6", 2023, "osittain", 1234.5, 7, date(2024, 3, 5), "kyllä", "A1"]])


@pytest.mark.parametrize("write", [_csv, _latin, _swedish, _json, _json_lines, _parquet, _excel])
def test_every_kind_of_file_gives_the_same_row(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    part, conclusion = taken(write(tmp_path))
    assert broken(part) == []
    assert not conclusion.refused
    names = [
        item.name
        for item in RETURN.columns
        if item.name not in ("organisation_name", "delivery_id", "agency", "produced_at", "source_line")
    ]
    assert part.accepted["return"].select(names).row(0) == EXPECTED
    assert part.accepted["return"].schema == RETURN.polars_schema()


def test_rules_name_column_and_value(tmp_path: Path) -> None:
    path = text_file(
        tmp_path,
        HEADER,
        ROW,
        "0101263-7;2023;ehkä;abc;1001;32.1.2024;vissiin;B",
        ";2023;kyllä;1,00;1;1.1.2024;ei;C",
        "0201256-6;;;;;;;",
        ROW,
        ";;;;;;;",
        "0201256-6;2024;kyllä;1;2;3;4;5;6;7",
    )
    part, conclusion = taken(path)
    assert broken(part) == [
        (3, "answer", "code_unknown", "xxxx"),
        (3, "given_on", "value_unreadable", "32.1.2024"),
        (3, "is_done", "value_unreadable", "xxxxxxx"),
        (3, "organisation_id", "organisation_unknown", "0101263-7"),
        (3, "people_n", "value_out_of_range", "1001"),
        (3, "spent_cents", "value_unreadable", "xxx"),
        (4, "organisation_id", "value_missing", None),
        (5, "year", "value_missing", None),
        (6, "year", "key_repeated", "2023"),
        (8, None, "row_malformed", "10 cells where the header has 8"),
    ]
    counts = part.counts.row(0, named=True)
    assert (counts["rows_read"], counts["rows_accepted"], counts["rows_set_aside"], counts["rows_quarantined"]) == (7, 1, 1, 5)
    assert conclusion.set_aside.height == 1


def test_identity_codes_go_nowhere(tmp_path: Path) -> None:
    part, _ = taken(text_file(tmp_path, HEADER, ROW.replace("A1", "potilas 131052-308T"), "131052-308T;2023;kyllä;;;;;"))
    assert part.accepted["return"]["note"].to_list() == [None]
    assert set(part.warnings["rule"]) == {"personal_id_found"}
    shown = [text for frame in (part.failures, part.warnings) for text in frame["value"].drop_nulls()]
    assert not [text for text in shown if "131052" in text]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("maija.mallikas@example.org", False),
        ("Maija, puh. 040 123 4567", False),
        ("+358 50 1234567", False),
        ("050-1234567", False),
        ("0101263-6", True),
        ("CAS-01002-S8K4Y2", True),
        ("2023-040123", True),
        ("045-2023/1234", True),
        ("72000000-5", True),
    ],
)
def test_addresses_and_numbers_of_people_go_nowhere(tmp_path: Path, text: str, kept: bool) -> None:
    part, _ = taken(text_file(tmp_path, HEADER, ROW.replace("A1", text), "0201256-6;" + text + ";;;;;;"))
    assert part.accepted["return"]["note"].to_list() == ([text] if kept else [None])
    assert (set(part.warnings["rule"]) == {"contact_found"}) is not kept
    assert (text in part.failures["value"].to_list()) is kept


def test_formulas_are_refused(tmp_path: Path) -> None:
    part, _ = taken(
        _workbook(tmp_path, [HEADER.split(";"), ["0101263-6", 2023, "osittain", "==1+1"], ["0201256-6", 2023, "kyllä"]])
    )
    assert broken(part) == [(2, "spent_cents", "value_is_formula", None)]
    assert part.accepted["return"].height == 1


def test_a_workbook_may_hold_several_tables(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("A").write_row(0, 0, ["Goal", "Year"])
        book.worksheets()[0].write_row(1, 0, ["g1", 2023])
        sheet = book.add_worksheet("B")
        sheet.write_row(0, 0, HEADER.split(";"))
        sheet.write_row(1, 0, ["0101263-6", 2023])
    part, _ = taken(path)
    assert {name: frame.height for name, frame in part.accepted.items()} == {"goal": 1, "return": 1}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"   \n", "file_empty"),
        (b"a;b\n1;2\n", "header_unrecognised"),
        (HEADER.encode() + b"\n", "no_rows"),
        (HEADER.encode() + b"\nxx;2023;;;;;;\n", "organisation_unknown"),
        (b"\x00\x01\x02" * 400, "binary_file"),
        (b"%PDF-1.7 ...", "wrong_format"),
        (b'{"return": [', "json_broken"),
        (b"[" * 100_000, "json_broken"),
        (b'{"return": [1, 2]}', "json_shape"),
        (b"PAR1" + b"x" * 100, "parquet_broken"),
        (b"PK\x03\x04" + b"x" * 100, "zip_broken"),
        (b'"' + b"x" * 500_000, "header_unrecognised"),
    ],
)
def test_hostile_files_are_refused_with_a_reason(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    part, conclusion = taken(path)
    reasons = [reason.code for reasons in (*part.refused.values(), *conclusion.refused.values()) for reason in reasons]
    assert code in reasons, reasons
    assert FORM.recognise(path) in range(101)


def test_a_template_is_recognised_surely_and_others_are_not(tmp_path: Path) -> None:
    assert FORM.recognise(_excel(tmp_path)) == 100
    assert FORM.recognise(_csv(tmp_path)) == 99
    assert FORM.recognise(text_file(tmp_path, "a;b", "1;2")) == 0


def test_the_newest_delivery_of_a_unit_counts_whatever_the_order(tmp_path: Path) -> None:
    first = text_file(tmp_path, HEADER, ROW, "0201256-6;2023;kyllä;;;;;", name="a.csv")
    second = text_file(tmp_path, HEADER, ROW.replace("A1", "A2"), name="b.csv")
    frames = [taken(first, 1)[0].accepted["return"], taken(second, 2)[0].accepted["return"]]
    empty = {"goal": pl.DataFrame(schema=GOAL.polars_schema())}
    one, other = (newest(CONTRACT, {"return": pl.concat(order), **empty})["return"] for order in (frames, frames[::-1]))
    assert one.equals(other)
    assert one.select("organisation_id", "note").rows() == [("0101263-6", "A2"), ("0201256-6", None)]


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=9), max_size=12))
def test_whatever_the_rows_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / "f.json"
    names = [item.name for item in RETURN.columns][:9]
    path.write_text(json.dumps([dict.fromkeys(names, "")] + [dict(zip(names, row, strict=False)) for row in rows]), "utf-8")
    part, conclusion = taken(path)
    counts = part.counts
    total = counts["rows_accepted"].sum() + counts["rows_set_aside"].sum() + counts["rows_quarantined"].sum()
    assert counts["rows_read"].sum() == total == len(rows) + 1
    assert part.failures["source_line"].n_unique() == counts["rows_quarantined"].sum()
    assert part.accepted["return"].height == counts["rows_accepted"].sum()
    assert bool(conclusion.refused) == (counts["rows_accepted"].sum() == 0)


def test_a_sum_typed_as_text_into_a_workbook_is_read_with_its_comma(tmp_path: Path) -> None:
    header = HEADER.split(";")
    sums = {2019: 1234.5, 2020: "1234,5", 2021: "1 234,50", 2022: "1234,50 €", 2023: "1234.5", 2024: "1,234.50", 2025: "1,234"}
    path = _workbook(tmp_path, [header, *(["0101263-6", year, "ja", amount] for year, amount in sums.items())])
    part, _ = taken(path)
    assert broken(part) == [(8, "spent_cents", "value_ambiguous", "1,234")], "as many texts have a comma as a point"
    found = dict(part.accepted["return"].select("year", "spent_cents").iter_rows())
    assert found == dict.fromkeys(list(sums)[:-1], 123450)


def test_what_a_receipt_tells_is_what_was_read_of_the_file(tmp_path: Path) -> None:
    """The notes as they come out of reading, before any cleaning: the pipeline tells them as they are then."""
    path = tmp_path / "returns.csv"
    path.write_text(f"{HEADER}\n{ROW}\n{ROW};one;too;many\n", "utf-8")
    [raw] = FORM.read([delivered(path)], Context(Reference.load({"agencies.csv": "agency,name,sources\nsample,Sample,returns\n"})))

    assert set(raw.notes) == {"delivery_id", "format", "columns", "unknown_columns", "passed_over", "rows_above_header"}
