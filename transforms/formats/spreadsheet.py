"""Workbooks as raw parts: cells as text, sheet rows as line numbers, of amounts what they are: numbers, formulas, texts.

`workbook` looks at every part before anything is opened. fastexcel gives text for all that a cell may be, and a formula's cached
value (0 where the writer kept none), so what the cells are is looked for in the sheet's XML itself. Old Excel (xls, xlsb) and
OpenDocument files are read by the same reader; of their cells only the text is known (`untyped`), which the receipt says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import fastexcel
import polars as pl

from transforms.delivery import Limits, RawPart
from transforms.formats import untyped
from transforms.formats.cell_kinds import Kinds, kinds_of
from transforms.formats.delimited import MALFORMED, MALFORMED_SCHEMA, ROWS, ROWS_PER_PART, wanted
from transforms.formats.detect import (
    AMOUNT_COLUMNS,
    HEADER_WITHIN,
    SHARE,
    TRUTH,
    Fixes,
    Header,
    HeaderMap,
    find_header,
    is_number,
    normalise_header,
    refusal,
    require_header,
)
from transforms.formats.workbook import Workbook, examine, refusing

FORMULA = "amount_is_formula"


@dataclass(frozen=True)
class _Sheet:
    """A sheet with its header; `before`: rows of the sheets that are read before it."""

    name: str
    frame: pl.DataFrame
    header: Header
    before: int = 0
    numeric: frozenset[int] = frozenset()
    """Of a workbook that is not typed: columns of which every cell below the header is a number."""


@dataclass(frozen=True)
class Sheet:
    """A sheet's used cells as text from its first row on, and what they are (1-based rows by 0-based frame columns)."""

    name: str
    frame: pl.DataFrame
    kinds: Kinds
    is_typed: bool = True


def sheets(path: Path, file_name: str, limits: Limits, rows: int | None = None) -> Iterator[Sheet]:
    """Every visible or hidden sheet of a workbook; with `rows` only so many of each, kinds of cells not looked for. Raises
    DeliveryRefused."""
    book = examine(path, file_name, limits)
    reader = _open(book)
    for name in reader.sheet_names:
        frame, _ = _cells(reader, name, file_name, rows=rows)
        kinds = Kinds() if rows else kinds_of(book, book.sheets.get(name))
        if not rows and not book.is_typed:
            kinds = replace(kinds, texts={place: untyped.texts(cells) for place, cells in enumerate(frame)})
        yield Sheet(name, frame, kinds, book.is_typed)


def read_spreadsheet(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them, with the Boolean `amount_is_formula` and `<amount>_is_number`. Raises
    DeliveryRefused.

    The sheet with a header of purchase invoices is read; several of them as one table where their headers are the same (a sheet
    for each month), their rows numbered on from sheet to sheet. Others beside it are refused: a sheet of sums would be counted
    again. Hidden sheets are passed over and named.
    """
    book = examine(path, file_name, limits)
    found, passed_over, hidden = _the_sheets(book, header_map, fixes)
    header = found[0].header
    notes: dict[str, object] = {
        "format": "spreadsheet",
        "sheet": ", ".join(sheet.name for sheet in found),
        "header_row": header.row,
        "columns": {header.cells[position].strip(): column for position, column in header.columns.items()},
        "unknown_columns": header.unknown,
    }
    if not book.is_typed:
        notes[untyped.NOTE] = True
    if passed_over:
        notes["passed_over"] = passed_over
    if hidden:
        notes["hidden_sheets"] = hidden
    if len(found) > 1:
        notes["first_rows"] = {sheet.name: sheet.before + sheet.header.row + 1 for sheet in found}
    frame = pl.concat([_rows(book, sheet) for sheet in found])
    for start in range(0, max(frame.height, 1), ROWS_PER_PART):
        yield RawPart({ROWS: frame.slice(start, ROWS_PER_PART), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _rows(book: Workbook, sheet: _Sheet) -> pl.DataFrame:
    """The rows below a sheet's header: what cleaning reads, source_line, and of amounts what they are."""
    taken = wanted(sheet.header.columns)
    body = sheet.frame.slice(sheet.header.row)
    kinds = kinds_of(book, book.sheets.get(sheet.name))
    if not book.is_typed:
        kinds = replace(kinds, texts={position: untyped.texts(body.to_series(position), position in sheet.numeric, sheet.header.row) for position in taken})
    rows = pl.int_range(sheet.header.row + 1, sheet.header.row + 1 + body.height, dtype=pl.Int64, eager=True)
    columns = [body.to_series(position).alias(column) for position, column in taken.items()]
    amounts = {position: column for position, column in taken.items() if column in AMOUNT_COLUMNS}
    formulas = [row for position in amounts for row in kinds.formulas.get(position, ())]
    frame = pl.DataFrame([*columns, (rows + sheet.before).alias("source_line"), _are_in(rows, formulas).alias(FORMULA)])
    return frame.with_columns(*(cells for position, column in amounts.items() for cells in _amounts(frame[column], rows, kinds, position)))


def _are_in(rows: pl.Series, places: Sequence[int]) -> pl.Series:
    return rows.is_in(pl.Series(places, dtype=pl.Int64).implode())


def _amounts(cells: pl.Series, rows: pl.Series, kinds: Kinds, position: int) -> list[pl.Series]:
    """An amount's cells as text that says what they are, and which of them are numbers."""
    texts, truths, shares = (_are_in(rows, places.get(position, ())) for places in (kinds.texts, kinds.truths, kinds.shares))
    told = pl.when(pl.lit(shares)).then(pl.format(SHARE + "{}", cells)).otherwise(pl.lit(cells))
    told = pl.when(pl.lit(truths)).then(pl.format(TRUTH + "{}", cells)).otherwise(told)
    return [pl.select(told.alias(cells.name)).to_series(), (~(texts | truths | shares)).alias(is_number(cells.name))]


def _the_sheets(book: Workbook, header_map: HeaderMap, fixes: Fixes) -> tuple[list[_Sheet], list[str], list[str]]:
    """The sheets to be read, whole, the names of those that hold something else, and of hidden ones."""
    file_name, reader = book.file_name, _open(book)
    found: list[_Sheet] = []
    others: list[str] = []
    hidden: list[str] = []
    first_row: list[str] = []
    for name in reader.sheet_names:
        top, is_visible = _cells(reader, name, file_name, rows=max(HEADER_WITHIN, fixes.header_row or 0) + 1)
        if not is_visible:
            hidden.append(name)
            continue
        rows = [["" if cell is None else cell for cell in row] for row in top.rows()]
        others += [name] if any(cell.strip() for row in rows for cell in row) else []
        first_row = first_row or (rows[0] if rows else [])
        header = find_header(rows, header_map, fixes.header_row)
        if header is not None and top.height > header.row:
            found.append(_Sheet(name, top, header))
    if not found:
        require_header(None, first_row, file_name)
    with_amounts = [sheet for sheet in found if set(sheet.header.columns.values()) & set(AMOUNT_COLUMNS)]
    if len({tuple(map(normalise_header, sheet.header.cells)) for sheet in with_amounts}) > 1:
        names = ", ".join(repr(sheet.name) for sheet in with_amounts[:5])
        text = f"several sheets hold invoice rows ({names}) under different headers; deliver one of them, or give all the same header"
        raise refusal("several_sheets", text, file_name)
    whole: list[_Sheet] = []
    for sheet in with_amounts or found[:1]:
        require_header(sheet.header, sheet.header.cells, file_name)
        frame, _ = _cells(reader, sheet.name, file_name, rows=None)
        before = whole[-1].before + whole[-1].frame.height if whole else 0
        numeric = frozenset() if book.is_typed else _numeric(reader, sheet, file_name)
        whole.append(replace(sheet, frame=frame, before=before, numeric=numeric))
    read = {sheet.name for sheet in whole}
    return whole, [name for name in others if name not in read], hidden


def _numeric(reader: fastexcel.ExcelReader, sheet: _Sheet, file_name: str) -> frozenset[int]:
    with refusing(file_name):
        body = reader.load_sheet(sheet.name, header_row=None, skip_rows=sheet.header.row).to_polars()
    return frozenset(place for place, kind in enumerate(body.dtypes) if kind.is_numeric())


def _open(book: Workbook) -> fastexcel.ExcelReader:
    with refusing(book.file_name):
        return fastexcel.read_excel(book.path)


def _cells(reader: fastexcel.ExcelReader, name: str, file_name: str, rows: int | None) -> tuple[pl.DataFrame, bool]:
    """The sheet from its first row on as text (a frame's row 0 is the sheet's row 1), and whether it is visible."""
    with refusing(file_name):
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        return sheet.to_polars() if sheet.width else pl.DataFrame(), sheet.visible == "visible"


def header_of(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> list[str]:
    """The header cells of the first sheet that has a known header."""
    reader = _open(examine(path, file_name, limits))
    for name in reader.sheet_names:
        top, _ = _cells(reader, name, file_name, rows=HEADER_WITHIN + 1)
        header = find_header([["" if cell is None else cell for cell in row] for row in top.rows()], header_map)
        if header is not None:
            return list(header.cells)
    return []
