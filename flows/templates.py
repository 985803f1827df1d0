"""Templates: an XLSX to fill in for a source of forms, which the pipeline takes back as it is.

Everything in it follows from the source's contract: one sheet per table with its headings, hints, drop-downs and checks, and a
first sheet that says what to fill in; its first two cells name the source (`transforms.sources.forms.MARK`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from schemas.contract import Column, Contract, Table
from schemas.forms import FALSE, FIRST_DAY, LANGUAGES, LAST_DAY, TRUE, delivered, labels
from transforms.registry import SOURCES
from transforms.sources.forms import MARK

ROWS = 5_000
"""Rows of a table that bear drop-downs and checks; rows below are read all the same."""
SHEET_NAME = 31
MESSAGE = 255
"""Longest sheet name and longest message that XLSX allows."""
WIDEST, NARROWEST = 48, 12
LARGEST = 10**12
"""Bound of whole numbers that have none of their own: a larger one is a slip."""
MONEY = ("cent", "hundredth")

TEXTS: Mapping[str, Mapping[str, str]] = {
    "who": labels(
        "Täyttäjä: organisaatio, joka toimittaa tiedot, tai sen puolesta toimiva keskusyksikkö.",
        "Ifylls av den organisation som lämnar uppgifterna, eller av en central enhet för dess räkning.",
        "To be filled in by the organisation that delivers the data, or by a central unit on its behalf.",
    ),
    "what": labels(
        "Yksi rivi on yksi kohde. Tähdellä (*) merkityt sarakkeet täytetään aina; muut jätetään tyhjiksi, jos tietoa ei ole.",
        "En rad är ett objekt. Kolumner med stjärna (*) ifylls alltid; de övriga lämnas tomma om uppgiften saknas.",
        "One row is one thing. Columns with a star (*) are always filled in; the others stay blank where nothing is known.",
    ),
    "keep": labels(
        "Älä muuta otsikoita äläkä tämän välilehden ensimmäistä riviä. Kirjoita arvoja, älä kaavoja.",
        "Ändra inte rubrikerna eller den första raden på detta blad. Skriv värden, inte formler.",
        "Do not change the headings or the first row of this sheet. Write values, no formulas.",
    ),
    "people": labels(
        "Älä kirjoita henkilöiden nimiä, sähköpostiosoitteita, puhelinnumeroita tai henkilötunnuksia mihinkään soluun.",
        "Skriv inte personers namn, e-postadresser, telefonnummer eller personbeteckningar i någon cell.",
        "Write no names of people, e-mail addresses, telephone numbers or identity codes into any cell.",
    ),
    "where": labels(
        "Palautus: tallenna XLSX-tiedostona ja toimita sovittuun saapuvien tiedostojen kansioon. Vastaus kertoo hyväksytyt ja hylätyt rivit. "
        "Korjaus: toimita tiedosto uudelleen; uudempi toimitus korvaa saman kohteen aiemman rivin.",
        "Retur: spara som XLSX-fil och lämna i den överenskomna mappen för inkommande filer. Svaret anger godkända och underkända rader. "
        "Rättelse: lämna filen på nytt; en nyare leverans ersätter den tidigare raden om samma objekt.",
        "Return: save as XLSX and deliver it to the inbox agreed on. The receipt tells which rows were accepted and which not. "
        "Correction: deliver the file again; a newer delivery replaces the earlier row on the same thing.",
    ),
    "key": labels("Rivin yksilöivät", "Raden identifieras av", "A row is told by"),
    "column": labels("Tietosarake", "Kolumn i tabellen", "Column to fill in"),
    "required": labels("Pakollisuus", "Obligatorisk", "Must be filled in"),
    "content": labels("Sisältö", "Innehåll", "What to write"),
    "yes": labels(TRUE[0], TRUE[1], TRUE[2]),
    "no": labels(FALSE[0], FALSE[1], FALSE[2]),
    "instructions": labels("Ohjeet", "Anvisningar", "Instructions"),
    "lists": labels("Luettelot", "Listor", "Lists"),
    "choose": labels("Valitse luettelosta", "Välj ur listan", "Choose from the list"),
    "date": labels("Päivä muodossa 31.12.2024", "Datum i formen 31.12.2024", "Day as 31.12.2024"),
    "moment": labels("Päivä ja kellonaika", "Datum och klockslag", "Day and time"),
    "money": labels("Luku, enintään kaksi desimaalia", "Tal, högst två decimaler", "Number with at most two decimals"),
    "euros": labels("Euroja, veroton, enintään kaksi desimaalia", "Euro utan moms, högst två decimaler", "Euros without VAT, at most two decimals"),
    "whole": labels("Kokonaisluku", "Heltal", "Whole number"),
    "text": labels("Teksti", "Text", "Text"),
    "wrong": labels("Arvo ei kelpaa", "Värdet duger inte", "The value does not fit"),
}  # fmt: skip


def sources() -> list[str]:
    """Sources that have a template: those whose contracts name every column to people."""
    return [name for name, source in SOURCES.items() if is_form(source.contract)]


def is_form(contract: Contract) -> bool:
    """Whether every table has a title and every delivered column headings in three languages."""
    return all(table.title and all(column.labels for column in delivered(table)) for table in contract.tables)


def write(source: str, language: str, path: Path) -> None:
    """Write the template of a source; `path` is written anew. Every cell is a string: nothing in it is ever computed."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        _Template(book, SOURCES[source].contract, language).write()


@dataclass(frozen=True)
class _Template:
    book: Any
    contract: Contract
    language: str

    def write(self) -> None:
        first = self.book.add_worksheet(_sheet_name(TEXTS["instructions"][self.language], ()))
        names = [first.get_name()]
        sheets = []
        for table in self.contract.tables:
            assert table.title is not None  # noqa: S101 - is_form
            sheets.append(self.book.add_worksheet(_sheet_name(table.title[self.language], names)))
            names.append(sheets[-1].get_name())
        lists = self.book.add_worksheet(_sheet_name(TEXTS["lists"][self.language], names))
        lists.hide()
        self._instructions(first)
        place = 0
        for table, sheet in zip(self.contract.tables, sheets, strict=True):
            place = self._table(sheet, table, lists, place)
        (sheets[0] if sheets else first).activate()

    def _instructions(self, sheet: Any) -> None:
        bold = self.book.add_format({"bold": True})
        title = self.book.add_format({"bold": True, "font_size": 14})
        wrapped = self.book.add_format({"text_wrap": True, "valign": "top"})
        sheet.write_row(0, 0, [MARK, self.contract.source, self.contract.version])
        sheet.write_string(2, 0, self.contract.title[self.language], title)
        line = 4
        for text in ("who", "what", "keep", "people", "where"):
            sheet.merge_range(line, 0, line, 2, TEXTS[text][self.language], wrapped)
            sheet.set_row(line, 48)
            line += 1
        for table in self.contract.tables:
            key = ", ".join(self._heading(table.column(name)) for name in table.primary_key)
            line += 1
            sheet.write_string(line, 0, (table.title or {})[self.language], title)
            if key:
                sheet.write_string(line + 1, 0, f"{TEXTS['key'][self.language]}: {key}")
            line += 2
            sheet.write_row(line, 0, [TEXTS[text][self.language] for text in ("column", "required", "content")], bold)
            for column in asked(table):
                line += 1
                required = TEXTS["yes" if column.required else "no"][self.language]
                sheet.write_row(line, 0, [self._heading(column), required, self._content(column)], wrapped)
            line += 1
        sheet.set_column(0, 0, WIDEST)
        sheet.set_column(1, 1, NARROWEST + 4)
        sheet.set_column(2, 2, 2 * WIDEST)

    def _table(self, sheet: Any, table: Table, lists: Any, place: int) -> int:
        """One table's sheet; drop-down words go to column `place` of the hidden sheet and on. Returns the next free one."""
        for at, column in enumerate(asked(table)):
            heading = self._heading(column) + (" *" if column.required else "")
            sheet.write_string(0, at, heading, self._header_format(column))
            sheet.write_comment(0, at, self._content(column), {"x_scale": 2})
            width = min(max(len(heading) + 2, NARROWEST), WIDEST)
            sheet.set_column(at, at, width, self.book.add_format({"num_format": _number_format(column)}))
            words = self._words(column)
            if words:
                for line, word in enumerate(words):
                    lists.write_string(line, place, word)
            check = _check(column, f"='{lists.get_name()}'!${xl_col_to_name(place)}$1:${xl_col_to_name(place)}${len(words)}")
            if check:
                texts = {
                    "input_title": self._heading(column)[:32],
                    "input_message": self._content(column)[:MESSAGE],
                    "error_title": TEXTS["wrong"][self.language][:32],
                    "error_message": self._content(column)[:MESSAGE],
                }
                sheet.data_validation(1, at, ROWS, at, check | texts)
            place += bool(words)
        sheet.freeze_panes(1, 0)
        return place

    def _header_format(self, column: Column) -> Any:
        colour = "#DCE6F1" if column.required else "#F2F2F2"
        return self.book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": colour, "border": 1})

    def _heading(self, column: Column) -> str:
        return (column.labels or {})[self.language]

    def _words(self, column: Column) -> list[str]:
        if column.dtype == pl.Boolean:
            return [TEXTS["yes"][self.language], TEXTS["no"][self.language]]
        return [words[LANGUAGES.index(self.language)] for words in (column.words or {}).values()]

    def _content(self, column: Column) -> str:
        """What to write into a column: its hint, its kind and its bounds."""
        parts = [column.hint[self.language]] if column.hint else []
        words = self._words(column)
        if words:
            parts.append(f"{TEXTS['choose'][self.language]}: {', '.join(words)}.")
        elif not column.is_organisation:
            bounds = ""
            if column.minimum is not None or column.maximum is not None:
                shown = ["" if bound is None else str(bound) for bound in (column.minimum, column.maximum)]
                bounds = f", {shown[0]}–{shown[1]}"
            parts.append(f"{TEXTS[_kind(column)][self.language]}{bounds if column.unit not in MONEY else ''}.")
        return " ".join(parts)


def asked(table: Table) -> list[Column]:
    """The columns that a template asks for: the delivered ones, personal ones left out."""
    return [column for column in delivered(table) if not column.personal]


def _kind(column: Column) -> str:
    if column.dtype == pl.Date:
        return "date"
    if isinstance(column.dtype, pl.Datetime):
        return "moment"
    if column.unit in MONEY:
        return "euros" if column.unit == "cent" else "money"
    return "whole" if column.dtype == pl.Int64 else "text"


def _number_format(column: Column) -> str:
    formats = {"date": "d.m.yyyy", "moment": "d.m.yyyy hh:mm", "euros": "#,##0.00", "money": "0.00", "whole": "0"}
    return formats.get(_kind(column), "@")


def _check(column: Column, words: str) -> dict[str, Any] | None:
    """Excel's validation of a column's cells; none for free text and organisations, whose ids may be the register's own."""
    if column.dtype == pl.Boolean or column.words:
        return {"validate": "list", "source": words}
    kind = _kind(column)
    if kind in ("date", "moment"):
        return {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY}
    if kind in ("whole", "euros", "money"):
        scale = 100 if column.unit in MONEY else 1
        low = -LARGEST if column.minimum is None else column.minimum / scale
        high = LARGEST if column.maximum is None else column.maximum / scale
        return {"validate": "integer" if kind == "whole" else "decimal", "criteria": "between", "minimum": low, "maximum": high}
    return None


def _sheet_name(title: str, taken: Sequence[str]) -> str:
    """A name that XLSX allows and no other sheet has."""
    plain = re.sub(r"[\[\]:*?/\\']", " ", title).strip()
    return next(name for name in _candidates(plain) if name.lower() not in {other.lower() for other in taken})


def _candidates(plain: str) -> Iterator[str]:
    yield plain[:SHEET_NAME].strip()
    for number in range(2, 100):
        yield f"{plain[: SHEET_NAME - 3].strip()} {number}"
