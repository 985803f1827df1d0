"""Templates: what is filled in comes back as filled in, in three languages; Excel's checks accept what the pipeline accepts."""

from __future__ import annotations

import dataclasses
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from flows import templates
from flows.cli import app
from schemas.contract import Column, Contract, Table
from schemas.forms import column, form, labels
from schemas.reference import Reference
from transforms.delivery import CleanPart, Context, Delivered
from transforms.registry import SOURCES
from transforms.sources.forms import MARK

FORMS = templates.sources()
LANGUAGES = ("fi", "sv", "en")
AGENCIES = {"agencies.csv": "agency,name,sources\nsample,Sample,all\n"}
BUYERS = ("0101263-6", "0124610-9")
Written = tuple[object, object]
"""What is written into a cell, and what must come back."""
SPECIAL: dict[str, tuple[Written, Written]] = {
    "case_id": (("C-1", "C-1"), ("C-2", "C-2")),
    "competition_id": (("MK-1", "MK-1"), ("MK-2", "MK-2")),
    "agreement_id": (("YH-1", "YH-1"), ("YH-2", "YH-2")),
    "joint_procurement": (("YH-1", "YH-1"), ("a sentence", "unmapped")),
    "organisation_id": ((BUYERS[0], BUYERS[0]), (BUYERS[1], BUYERS[1])),
    "organisation_name": (("Esimerkki Oy", "Esimerkki Oy"), ("Kokeilu Ab", "Kokeilu Ab")),
    "case_number": (("H1/2023", "H1/2023"), ("H2/2023", "H2/2023")),
    "procedure_id": (("N-1", "N-1"), ("N-2", "N-2")),
    "goal_id": (("G-1", "G-1"), ("G-2", "G-2")),
    "procurement_ids": (("H-1; H-2", "H-1; H-2"), ("H-3", "H-3")),
    "branch": (("25", "25"), ("26", "26")),
    "joint_procurements.category": (("Software", "software"), ("energia", "energy")),
    "cpv": (("72000000", "72000000"), ("48000000-8", "48000000-8")),
    "supplier_id": (("1503388-4", "1503388-4"), ("0988084-1", "0988084-1")),
    "valid_to": ((date(2024, 5, 3), date(2024, 5, 3)), (date(2025, 5, 4), date(2025, 5, 4))),
    "respondent": ((1, 1), (2, 2)),
    "item": (("Palveluasenne", "service_attitude"), ("Contact persons", "contact_persons")),
    "company_id": ((None, None), ("1503388-4", "1503388-4")),
    "wave_month": ((None, None), (None, None)),
    "responded_on": ((None, None), (None, None)),
}
"""Columns in which a source takes no free text, translates by a register, or asks for one of two."""
EACH = [pytest.param(source, language, id=f"{source}-{language}") for source in FORMS for language in LANGUAGES]


def _value(source: str, wanted: Column, row: int, language: str) -> Written:
    """A value that the contract allows."""
    special = SPECIAL.get(f"{source}.{wanted.name}", SPECIAL.get(wanted.name))
    day = 3 + row
    values: dict[str | None, Written] = {
        "date": (date(2023, 5, day), date(2023, 5, day)),
        "decimal": (12.5 + row, 1250 + 100 * row),
        "whole": ((2020 if wanted.name == "year" else (wanted.minimum or 0) + 1) + row,) * 2,
        None: (f"=1+{row}",) * 2,
    }
    if isinstance(wanted.dtype, pl.Datetime):  # cells hold Finnish time
        values["date"] = datetime(2023, 5, day, 9, 30), datetime(2023, 5, day, 6, 30, tzinfo=UTC)  # noqa: DTZ001
    if wanted.words:
        place = min(row, len(wanted.words) - 1)
        values["list"] = _words(wanted, language)[place], list(wanted.words)[place]
    elif wanted.dtype == pl.Boolean:  # a no would contradict numbers in other columns
        values["list"] = _words(wanted, language)[0], True
    own = (BUYERS[row],) * 2 if wanted.is_organisation else values[_kind(wanted)]
    return special[row] if special else own


def _filled(path: Path, source: str, language: str) -> dict[str, list[dict[str, object]]]:
    """Fills two rows into every table of a template, by heading; returns what must come back."""
    book = openpyxl.load_workbook(path)
    visible = [sheet for sheet in book.worksheets[1:] if sheet.sheet_state == "visible"]
    expected: dict[str, list[dict[str, object]]] = {}
    for table, sheet in zip(SOURCES[source].contract.tables, visible, strict=True):
        by_heading = {(item.labels or {})[language]: item for item in templates.asked(table)}
        headings = [str(cell.value).removesuffix(" *") for cell in sheet[1]]
        assert set(headings) == set(by_heading)
        for row in range(2):
            back = {}
            for place, heading in enumerate(headings, start=1):
                wanted = by_heading[heading]
                written, back[wanted.name] = _value(source, wanted, row, language)
                cell = sheet.cell(row + 2, place, written)
                if isinstance(written, str):
                    cell.data_type = "s"
            expected.setdefault(table.name, []).append(back)
    book.save(path)
    return expected


def _taken(path: Path, source: str) -> CleanPart:
    context = Context(Reference.load(AGENCIES))
    item = Delivered("d1", source, "sample", path, path.name, path.stat().st_size, datetime(2024, 4, 1, tzinfo=UTC))
    (part,) = [SOURCES[source].clean(raw, [item], context) for raw in SOURCES[source].read([item], context)]
    return part


@pytest.mark.parametrize(("source", "language"), EACH)
def test_what_is_filled_in_comes_back(tmp_path: Path, source: str, language: str) -> None:
    path = tmp_path / "f.xlsx"
    templates.write(source, language, path)
    expected = _filled(path, source, language)

    assert SOURCES[source].recognise(path) == 100
    part = _taken(path, source)
    assert part.refused == {}
    assert part.failures.select("table_name", "source_line", "column_name", "rule", "value").rows() == []
    for table, rows in expected.items():
        assert part.accepted[table].select(list(rows[0])).to_dicts() == rows


@pytest.mark.parametrize(("source", "language"), EACH)
def test_a_blank_template_is_refused_as_empty(tmp_path: Path, source: str, language: str) -> None:
    path = tmp_path / "f.xlsx"
    templates.write(source, language, path)

    part = _taken(path, source)

    assert sum(frame.height for frame in part.accepted.values()) == 0
    assert part.counts["rows_read"].sum() == 0  # neither instructions nor word lists are taken for rows


@pytest.mark.parametrize(("source", "language"), EACH)
def test_every_column_has_a_comment_and_the_check_of_its_kind(tmp_path: Path, source: str, language: str) -> None:
    path = tmp_path / "f.xlsx"
    templates.write(source, language, path)
    book = openpyxl.load_workbook(path)

    for table, sheet in zip(SOURCES[source].contract.tables, book.worksheets[1:], strict=False):
        checks = {str(check.sqref).split(":")[0]: check for check in sheet.data_validations.dataValidation}
        assert sheet.freeze_panes == "A2"
        for wanted, cell in zip(templates.asked(table), sheet[1], strict=True):
            check = checks.get(f"{cell.column_letter}2")
            assert str(cell.value).endswith(" *") == wanted.required
            assert cell.comment is not None
            assert _kind(wanted) == (check.type if check else None), wanted.name
            if check and check.type == "list":
                assert _choices(book, check.formula1) == _words(wanted, language)
            elif check and check.type == "whole":
                assert wanted.minimum in (None, float(check.formula1))
                assert wanted.maximum in (None, float(check.formula2))


def _kind(wanted: Column) -> str | None:
    if wanted.words or wanted.dtype == pl.Boolean:
        return "list"
    if wanted.dtype == pl.Date or isinstance(wanted.dtype, pl.Datetime):
        return "date"
    if wanted.dtype == pl.Int64:
        return "decimal" if wanted.unit in ("cent", "hundredth") else "whole"
    return None


def _words(wanted: Column, language: str) -> list[str]:
    if wanted.words:
        return [spoken[LANGUAGES.index(language)] for spoken in wanted.words.values()]
    return {"fi": ["kyllä", "ei"], "sv": ["ja", "nej"], "en": ["yes", "no"]}[language]


def _choices(book: Any, formula: str) -> list[str]:
    sheet, place = formula.split("!")
    return [str(row[0].value) for row in book[sheet.strip("'")][place.replace("$", "")]]


def _crafted(monkeypatch: pytest.MonkeyPatch, *tables: Table) -> str:
    contract = Contract("crafted", "1.0", "keyed", labels("=1+1", "=1+1", "=1+1"), "Crafted.", tables)
    monkeypatch.setitem(SOURCES, "crafted", dataclasses.replace(SOURCES["market_court_cases"], contract=contract))
    return "crafted"


def test_no_text_becomes_a_formula_or_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '=HYPERLINK("http://example.org","x")'
    words = {"a": (evil, evil, "+1"), "b": ("@SUM(A1)", "-1", "http://example.org")}
    own = column("name", pl.String, evil, evil, evil, required=True)
    secret = column("secret", pl.String, "Henkilö", "Person", "Person", personal=True)  # never asked for
    coded = column("code", pl.String, "=A1", "=A1", "=A1", codes=("a", "b"), words=words, hint=labels(evil, evil, evil))
    source = _crafted(monkeypatch, form("=t", labels("=[a]:b*?/x", "=s", "=e"), "T.", (own, coded, secret), ("name",), ("name",)))
    path = tmp_path / "f.xlsx"

    templates.write(source, "fi", path)

    with zipfile.ZipFile(path) as packed:
        sheets = [packed.read(name).decode() for name in packed.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 3
    assert not [text for text in sheets if "<f>" in text or "<hyperlink" in text]
    assert [cell.value for cell in openpyxl.load_workbook(path).worksheets[1][1]] == [f"{evil} *", "=A1"]


def test_sheets_of_like_titles_get_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    title = "Ohjeet ja " + "pitkä " * 8
    tables = [
        form(name, labels(title, title, title), "T.", (column("a", pl.String, "A", "A", "A"),), ("a",), ("a",)) for name in "xyz"
    ]
    path = tmp_path / "f.xlsx"

    templates.write(_crafted(monkeypatch, *tables), "fi", path)

    names = [sheet.title for sheet in openpyxl.load_workbook(path).worksheets]
    assert len(names) == 5
    assert max(map(len, names)) <= 31
    assert len({name.lower() for name in names}) == 5


def test_a_formula_in_a_filled_in_template_is_told_and_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    templates.write("market_court_cases", "sv", path)
    _filled(path, "market_court_cases", "sv")
    book = openpyxl.load_workbook(path)
    book.worksheets[1]["A2"] = "=1+1"
    book.save(path)

    part = _taken(path, "market_court_cases")

    assert part.failures.select("source_line", "column_name", "rule").rows() == [(2, "case_number", "value_is_formula")]
    assert part.accepted["market_court_case"].height == 1


def test_the_command_writes_the_file_and_never_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    given = ["--home", str(tmp_path / "home"), "template"]

    assert run(app, [*given, "strategy_followup", "--lang", "sv"]).exit_code == 0
    path = tmp_path / "strategy_followup-sv.xlsx"
    first = openpyxl.load_workbook(path).worksheets[0]
    assert (first["A1"].value, first["B1"].value) == (MARK, "strategy_followup")

    before = path.read_bytes()
    again = run(app, [*given, "strategy_followup", "--lang", "sv"])
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert path.read_bytes() == before
    unknown = run(app, [*given, "purchase_invoices", "--out", str(tmp_path / "x.xlsx")])
    assert (unknown.exit_code, "market_court_cases" in unknown.output) == (2, True)
    assert not (tmp_path / "x.xlsx").exists()
    assert not (tmp_path / "home").exists()
