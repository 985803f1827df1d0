"""XLSX as raw parts: cells as text, sheet rows as line numbers, formula cells in amount columns marked.

Sizes, member count and packing ratio are checked before anything is opened. fastexcel gives a formula's cached value (0
where the writer kept none), so formulas are looked for in the sheet's XML itself. No DOCTYPE is accepted in any part.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
from lxml import etree

from transforms.delivery import Limits, RawPart
from transforms.formats.archive import members, open_member
from transforms.formats.delimited import MALFORMED, MALFORMED_SCHEMA, ROWS, ROWS_PER_PART, wanted
from transforms.formats.detect import (
    AMOUNT_COLUMNS,
    HEADER_WITHIN,
    Fixes,
    Header,
    HeaderMap,
    find_header,
    refusal,
    require_header,
)

FORMULA = "amount_is_formula"
_CHUNK = 1024**2
_OVERLAP = 64
_HAS_FORMULA = re.compile(rb"<(?:\w{1,20}:)?f[\s>/]")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class _Sheet:
    name: str
    member: str | None
    frame: pl.DataFrame
    header: Header


@dataclass(frozen=True)
class Sheet:
    """A sheet's used cells as text from its first row on, and the places (1-based row, 0-based frame column) of formulas."""

    name: str
    frame: pl.DataFrame
    formulas: frozenset[tuple[int, int]]


def sheets(path: Path, file_name: str, limits: Limits, rows: int | None = None) -> Iterator[Sheet]:
    """Every visible or hidden sheet of a workbook; with `rows` only so many of each, formulas not looked for. Raises
    DeliveryRefused."""
    reader = _open(path, file_name, limits)
    targets = _targets(path, limits, file_name)
    for name in reader.sheet_names:
        frame = _cells(reader, name, file_name, rows=rows)
        formulas = set() if rows else _formula_cells(path, targets.get(name), limits, file_name)
        yield Sheet(name, frame, frozenset(formulas))


def read_spreadsheet(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them, with the Boolean `amount_is_formula`. Raises DeliveryRefused.

    The one sheet with a header of purchase invoices is read; two such sheets with rows are refused, for their row numbers
    (and often their contents: a sheet of sums) would mix.
    """
    sheet = _the_sheet(path, file_name, header_map, fixes, limits)
    taken = wanted(sheet.header.columns)
    body = sheet.frame.slice(sheet.header.row)
    columns = [body.to_series(position).alias(column) for position, column in taken.items()]
    lines = pl.int_range(sheet.header.row + 1, sheet.header.row + 1 + body.height, dtype=pl.Int64, eager=True)
    amounts = [position for position, column in taken.items() if column in AMOUNT_COLUMNS]
    formulas = _formula_rows(path, sheet.member, amounts, limits, file_name)
    frame = pl.DataFrame([*columns, lines.alias("source_line")])
    frame = frame.with_columns(pl.col("source_line").is_in(sorted(formulas)).alias(FORMULA))
    notes: dict[str, object] = {
        "format": "spreadsheet",
        "sheet": sheet.name,
        "header_row": sheet.header.row,
        "columns": {sheet.header.cells[position].strip(): column for position, column in sheet.header.columns.items()},
        "unknown_columns": sheet.header.unknown,
    }
    for start in range(0, max(frame.height, 1), ROWS_PER_PART):
        yield RawPart({ROWS: frame.slice(start, ROWS_PER_PART), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _the_sheet(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> _Sheet:
    reader = _open(path, file_name, limits)
    targets = _targets(path, limits, file_name)
    found: list[_Sheet] = []
    first_row: list[str] = []
    for name in reader.sheet_names:
        top = _cells(reader, name, file_name, rows=max(HEADER_WITHIN, fixes.header_row or 0) + 1)
        rows = [["" if cell is None else cell for cell in row] for row in top.rows()]
        first_row = first_row or (rows[0] if rows else [])
        header = find_header(rows, header_map, fixes.header_row)
        if header is not None and top.height > header.row:
            found.append(_Sheet(name, targets.get(name), top, header))
    if not found:
        require_header(None, first_row, file_name)
    with_amounts = [sheet for sheet in found if set(sheet.header.columns.values()) & set(AMOUNT_COLUMNS)]
    if len(with_amounts) > 1:
        names = ", ".join(repr(sheet.name) for sheet in with_amounts[:5])
        raise refusal("several_sheets", f"several sheets hold invoice rows ({names}); deliver one sheet a file", file_name)
    chosen = (with_amounts or found)[0]
    require_header(chosen.header, chosen.header.cells, file_name)
    return _Sheet(chosen.name, chosen.member, _cells(reader, chosen.name, file_name, rows=None), chosen.header)


def _open(path: Path, file_name: str, limits: Limits) -> fastexcel.ExcelReader:
    """A reader of a workbook whose parts were checked. Raises DeliveryRefused."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    names = {member.name for member in members(path, limits, file_name)}
    if "xl/workbook.xml" not in names:
        text = "the file is a zip archive but no XLSX workbook; deliver the table itself as CSV or XLSX"
        raise refusal("wrong_format", text, file_name)
    try:
        return fastexcel.read_excel(path)
    except (fastexcel.FastExcelError, OSError, ValueError) as error:
        raise _broken(file_name) from error


def _cells(reader: fastexcel.ExcelReader, name: str, file_name: str, rows: int | None) -> pl.DataFrame:
    """The sheet from its first row on as text; a frame's row 0 is the sheet's row 1."""
    try:
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        return sheet.to_polars() if sheet.width else pl.DataFrame()
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, ValueError) as error:
        raise _broken(file_name) from error


def _targets(path: Path, limits: Limits, file_name: str) -> dict[str, str]:
    """Sheet name -> its part in the archive. Every XML part is scanned for a DOCTYPE on the way."""
    parts = {member.name: member for member in members(path, limits, file_name)}
    for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"):
        if name in parts and _scan(path, name, limits, _DOCTYPE, file_name):
            raise refusal(
                "doctype_refused", f"{name} holds a DOCTYPE; save the workbook again with a spreadsheet program", file_name
            )
    relations: dict[str, str] = {}
    sheets: dict[str, str] = {}
    for element in _elements(path, "xl/_rels/workbook.xml.rels", limits, file_name):
        if element.get("Id") and element.get("Target"):
            relations[str(element.get("Id"))] = str(element.get("Target"))
    for element in _elements(path, "xl/workbook.xml", limits, file_name):
        target = relations.get(str(element.get(_RELATION)))
        if etree.QName(element).localname == "sheet" and target:
            member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            sheets[str(element.get("name"))] = member
    return sheets


def _formula_rows(path: Path, member: str | None, amounts: list[int], limits: Limits, file_name: str) -> set[int]:
    """Sheet rows with a formula in an amount column. `amounts` are positions in the frame, which starts at the sheet's
    first used column."""
    return {row for row, column in _formula_cells(path, member, limits, file_name) if column in amounts}


def _formula_cells(path: Path, member: str | None, limits: Limits, file_name: str) -> set[tuple[int, int]]:
    """(sheet row, column from the sheet's first used one) of every formula."""
    if member is None:
        return set()
    if _scan(path, member, limits, _DOCTYPE, file_name):
        raise refusal(
            "doctype_refused", f"{member} holds a DOCTYPE; save the workbook again with a spreadsheet program", file_name
        )
    if not _scan(path, member, limits, _HAS_FORMULA, file_name):
        return set()
    first_column: int | None = None
    formulas: list[tuple[int, int]] = []
    for cell in _elements(path, member, limits, file_name, tag="{*}c"):
        place = _CELL.fullmatch(str(cell.get("r") or ""))
        if place is None:
            continue
        column = _column_number(place[1])
        first_column = column if first_column is None else min(first_column, column)
        if any(etree.QName(child).localname == "f" for child in cell):
            formulas.append((int(place[2]), column))
    return {(row, column - (first_column or 0)) for row, column in formulas}


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _elements(path: Path, name: str, limits: Limits, file_name: str, tag: str | None = None) -> Iterator[etree._Element]:
    """Elements of a part as they end, hardened (no entities, no network), each freed after use."""
    member = next((item for item in members(path, limits, file_name) if item.name == name), None)
    if member is None:
        return
    try:
        with open_member(path, member, limits) as stream:
            events = etree.iterparse(
                stream, events=("end",), tag=tag, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            for _, element in events:
                yield element
                element.clear()
                while element.getprevious() is not None and (parent := element.getparent()) is not None:
                    del parent[0]
    except (etree.XMLSyntaxError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise _broken(file_name) from error


def _scan(path: Path, name: str, limits: Limits, pattern: re.Pattern[bytes], file_name: str) -> bool:
    """Whether a part holds a pattern, read in pieces."""
    member = next((item for item in members(path, limits, file_name) if item.name == name), None)
    if member is None:
        return False
    tail = b""
    try:
        with open_member(path, member, limits) as stream:
            while chunk := stream.read(_CHUNK):
                if pattern.search(tail + chunk):
                    return True
                tail = chunk[-_OVERLAP:]
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise _broken(file_name) from error
    return False


def _broken(file_name: str) -> Exception:
    return refusal("workbook_broken", "the workbook is damaged or cut off; save and deliver it again", file_name)


def header_of(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> list[str]:
    """The header cells of the first sheet that has a known header."""
    reader = _open(path, file_name, limits)
    for name in reader.sheet_names:
        top = _cells(reader, name, file_name, rows=HEADER_WITHIN + 1)
        header = find_header([["" if cell is None else cell for cell in row] for row in top.rows()], header_map)
        if header is not None:
            return list(header.cells)
    return []
