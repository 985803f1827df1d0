"""XLSX as raw parts: cells as text, sheet rows as line numbers, formula cells in amount columns marked.

`workbook` looks at every part before anything is opened. fastexcel gives a formula's cached value (0 where the writer kept
none), so formulas are looked for in the sheet's XML itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from transforms.delivery import Limits, RawPart
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
from transforms.formats.workbook import Workbook, examine, formula_cells, refusing

FORMULA = "amount_is_formula"


@dataclass(frozen=True)
class _Sheet:
    name: str
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
    book = examine(path, file_name, limits)
    reader = _open(book)
    for name in reader.sheet_names:
        frame = _cells(reader, name, file_name, rows=rows)
        formulas = set() if rows else formula_cells(book, book.sheets.get(name))
        yield Sheet(name, frame, frozenset(formulas))


def read_spreadsheet(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them, with the Boolean `amount_is_formula`. Raises DeliveryRefused.

    The one sheet with a header of purchase invoices is read; two such sheets with rows are refused, for their row numbers
    (and often their contents: a sheet of sums) would mix.
    """
    book = examine(path, file_name, limits)
    sheet = _the_sheet(book, header_map, fixes)
    taken = wanted(sheet.header.columns)
    body = sheet.frame.slice(sheet.header.row)
    columns = [body.to_series(position).alias(column) for position, column in taken.items()]
    lines = pl.int_range(sheet.header.row + 1, sheet.header.row + 1 + body.height, dtype=pl.Int64, eager=True)
    amounts = [position for position, column in taken.items() if column in AMOUNT_COLUMNS]
    formulas = {row for row, column in formula_cells(book, book.sheets.get(sheet.name)) if column in amounts}
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


def _the_sheet(book: Workbook, header_map: HeaderMap, fixes: Fixes) -> _Sheet:
    file_name, reader = book.file_name, _open(book)
    found: list[_Sheet] = []
    first_row: list[str] = []
    for name in reader.sheet_names:
        top = _cells(reader, name, file_name, rows=max(HEADER_WITHIN, fixes.header_row or 0) + 1)
        rows = [["" if cell is None else cell for cell in row] for row in top.rows()]
        first_row = first_row or (rows[0] if rows else [])
        header = find_header(rows, header_map, fixes.header_row)
        if header is not None and top.height > header.row:
            found.append(_Sheet(name, top, header))
    if not found:
        require_header(None, first_row, file_name)
    with_amounts = [sheet for sheet in found if set(sheet.header.columns.values()) & set(AMOUNT_COLUMNS)]
    if len(with_amounts) > 1:
        names = ", ".join(repr(sheet.name) for sheet in with_amounts[:5])
        raise refusal("several_sheets", f"several sheets hold invoice rows ({names}); deliver one sheet a file", file_name)
    chosen = (with_amounts or found)[0]
    require_header(chosen.header, chosen.header.cells, file_name)
    return _Sheet(chosen.name, _cells(reader, chosen.name, file_name, rows=None), chosen.header)


def _open(book: Workbook) -> fastexcel.ExcelReader:
    with refusing(book.file_name):
        return fastexcel.read_excel(book.path)


def _cells(reader: fastexcel.ExcelReader, name: str, file_name: str, rows: int | None) -> pl.DataFrame:
    """The sheet from its first row on as text; a frame's row 0 is the sheet's row 1."""
    with refusing(file_name):
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        return sheet.to_polars() if sheet.width else pl.DataFrame()


def header_of(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> list[str]:
    """The header cells of the first sheet that has a known header."""
    reader = _open(examine(path, file_name, limits))
    for name in reader.sheet_names:
        top = _cells(reader, name, file_name, rows=HEADER_WITHIN + 1)
        header = find_header([["" if cell is None else cell for cell in row] for row in top.rows()], header_map)
        if header is not None:
            return list(header.cells)
    return []
