"""Small tables in any of the usual files as grids of text: every sheet of a workbook, delimited text, JSON, JSON lines, Parquet.

For sources of thousands of rows, read whole; `delimited` and `spreadsheet` stream what is large. Nothing is interpreted here:
which row is the header, and which table a grid holds, is the caller's business.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import polars as pl
import pyarrow as pa

from schemas.errors import DeliveryRefused
from transforms.delivery import Limits
from transforms.formats import parquet, spreadsheet
from transforms.formats.archive import first_bytes, read_limited
from transforms.formats.cell_kinds import Kinds, Number
from transforms.formats.detect import DELIMITERS, SHARE, detect_encoding, is_number, known_encoding, refusal
from transforms.formats.json_text import require_bounded
from transforms.formats.workbook import TEXT_MAX, is_workbook

ROWS_MAX = 2_000_000
CELLS_MAX = 10_000_000
SAMPLE = 200_000
HEAD_BYTES = 64 * 1024
HEAD_ROWS = 60
_IS_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_KEY = re.compile(r'"([^"\\]{1,80})"\s*:')
FORMULA = "\x00formula"
"""What stands in a grid for a cell that holds a formula: no delivered text can hold it."""

Cells = Sequence[str]


@dataclass(frozen=True)
class Grid:
    """Rows of text cells with the line, sheet row or record number of each. `has_header`: the first row is one by construction.

    `beside`: what else stood in the JSON object whose key held the rows. `passed_over`: names of what the file holds besides and no
    grid shows. `unread`: headings that a source's own reading has taken out of the header.
    `is_typed`: whether the format tells what its cells are, as far as any does.
    `decimal_mark` is the format's own ("." in JSON, Parquet and spreadsheets); None: to be found out.
    """

    name: str
    rows: list[Cells]
    lines: list[int]
    kind: str
    decimal_mark: str | None = "."
    has_header: bool = False
    malformed: list[tuple[int, str]] = field(default_factory=list)
    beside: Mapping[str, str] = field(default_factory=dict)
    passed_over: Sequence[str] = ()
    unread: Sequence[str] = ()
    is_typed: bool = True


def read_grids(path: Path, file_name: str, limits: Limits, encoding: str | None = None) -> list[Grid]:
    """The grids of a file, empty ones left out. Raises DeliveryRefused for what cannot be read."""
    head = first_bytes(path, 4096)
    if is_workbook(head):
        return [grid for grid in _sheets(path, file_name, limits) if grid.rows]
    if head.startswith(parquet.MAGIC):
        return [_parquet(path, file_name, limits)]
    data = read_limited(path, limits.other_bytes)
    if not data.strip():
        raise refusal("file_empty", "the file is empty", file_name)
    found, skip = detect_encoding(data, file_name)
    if encoding is not None and skip == 0:
        found = known_encoding(encoding, file_name)
    text = data[skip:].decode(found, "replace")
    if text.lstrip()[:1] in ("{", "["):
        require_bounded(text, file_name, limits)
        return _json(text, file_name)
    return [_delimited(text)]


def head_of(path: Path) -> list[Grid]:
    """The first rows of a file's grids, enough to tell what it holds; empty for what cannot be read. Read once for all who ask."""
    try:
        found = path.stat()
        return _head(path, found.st_size, found.st_mtime_ns)
    except (DeliveryRefused, OSError, ValueError):
        return []


@lru_cache(maxsize=8)
def _head(path: Path, _size: int, _moment: int) -> list[Grid]:
    head = first_bytes(path, HEAD_BYTES)
    if is_workbook(head):
        return [grid for grid in _sheets(path, path.name, Limits(), HEAD_ROWS) if grid.rows]
    if head.startswith(parquet.MAGIC):
        return [Grid("", [parquet.header_of(path, path.name)], [0], "parquet", has_header=True)]
    encoding, skip = detect_encoding(head, path.name)
    text = head[skip:].decode(encoding, "replace")
    if text.lstrip()[:1] in ("{", "["):
        return [Grid("", [list(dict.fromkeys(_KEY.findall(text)))], [0], "json", has_header=True)]
    lines = text.splitlines()
    return [_delimited("\n".join(lines[:-1] if len(head) == HEAD_BYTES and len(lines) > 1 else lines))]


def _sheets(path: Path, file_name: str, limits: Limits, rows_n: int | None = None) -> Iterator[Grid]:
    for sheet in spreadsheet.sheets(path, file_name, limits, rows_n):
        columns = [_sheet_column(series.to_list(), place, sheet.kinds) for place, series in enumerate(sheet.frame)]
        rows: list[Cells] = list(zip(*columns, strict=True))
        yield Grid(sheet.name, rows, list(range(1, len(rows) + 1)), "spreadsheet", is_typed=sheet.is_typed)


def _sheet_column(cells: list[str | None], place: int, kinds: Kinds) -> list[str]:
    """The cells of a sheet's column: numbers as `Number`, shares in per cent as a text that is no number, formulas as FORMULA."""
    found = [cell or "" for cell in cells]
    others = {row for places in (kinds.texts, kinds.truths) for row in places.get(place, ())}
    for row, cell in enumerate(found, start=1):
        if cell and row not in others and _IS_NUMBER.fullmatch(cell):
            found[row - 1] = Number(cell)
    for places, told in ((kinds.shares, SHARE), (kinds.formulas, None)):
        for row in places.get(place, ()):
            if row <= len(found):
                found[row - 1] = FORMULA if told is None else told + found[row - 1]
    return found


def _parquet(path: Path, file_name: str, limits: Limits) -> Grid:
    if path.stat().st_size > limits.other_bytes:
        raise refusal("file_too_large", f"the file is larger than {limits.other_bytes} bytes", file_name)
    file = parquet.opened(path, file_name, limits)
    columns = list(file.schema_arrow.names)
    if file.metadata.num_rows > ROWS_MAX:
        raise refusal("file_too_large", f"the file has more than {ROWS_MAX} rows; deliver it in parts", file_name)
    rows: list[Cells] = [columns]
    texts = 0
    for batch in parquet.batches(file, file_name, columns):
        texts += parquet.decoded_bytes(batch)
        if texts > TEXT_MAX or (len(rows) + batch.num_rows) * len(columns) > CELLS_MAX:
            text = f"the file unpacks to more than {CELLS_MAX} cells or {TEXT_MAX} bytes; deliver it in parts"
            raise refusal("file_too_large", text, file_name)
        with parquet.refusing(file_name):
            rows += zip(*(_column(column) for column in batch.columns), strict=True)
    return Grid("", rows, list(range(len(rows))), "parquet", has_header=True)


def _column(column: pa.Array) -> list[str]:
    """A column's cells as text; equal ones of a dictionary are one text."""
    if not pa.types.is_dictionary(column.type):
        return [_cell(value) for value in column.to_pylist()]
    texts = [_cell(value) for value in column.dictionary.to_pylist()]
    return ["" if place is None else texts[place] for place in column.indices.to_pylist()]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return Number(value)
    if isinstance(value, Number):
        return value
    return str(value).encode("utf-8", "replace").decode()  # a lone surrogate is no text


def _delimited(text: str) -> Grid:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = _delimiter(text[:SAMPLE])
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    rows: list[Cells] = []
    lines: list[int] = []
    malformed: list[tuple[int, str]] = []
    before = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            malformed.append((reader.line_num, "quotes that do not close, or a cell beyond all size"))
        else:
            rows.append(row)
            lines.append(before + 1)
        before = reader.line_num
    mark = "," if delimiter in (";", "\t") else None
    return Grid("", rows, lines, "delimited", decimal_mark=mark, malformed=malformed)


def _delimiter(sample: str) -> str:
    """The delimiter under which most rows have as many cells as most others, and many."""
    best, best_score = ";", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if len(row) > 1]
        except csv.Error:
            continue
        common = max(set(widths), key=widths.count) if widths else 0
        score = (float(widths.count(common) * common), common)
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _json(text: str, file_name: str) -> list[Grid]:
    """A list of objects, {"value": [...]}, {"<table>": [...], ...}, or one object a line. Numbers keep their digits."""
    try:
        found = _loads(text)
    except _KeyRepeated as error:
        text = "an object holds the same key twice: which value counts is unknown; deliver each key once"
        raise refusal("json_key_repeated", text, file_name) from error
    except (ValueError, RecursionError):
        return [_json_lines(text, file_name)]
    if isinstance(found, Mapping) and not any(isinstance(value, list) for value in found.values()):
        found = [found]
    named = found.items() if isinstance(found, Mapping) else [("", found)]
    beside = {str(name): _cell(value) for name, value in named if not isinstance(value, list | dict)}
    grids, passed_over = [], []
    for name, records in named:
        if isinstance(records, list) and all(isinstance(record, dict) for record in records):
            lines = list(range(1, len(records) + 1))
            grids.append(replace(_records(str(name), records, lines, [], file_name), beside=beside))
        elif isinstance(records, list | dict):
            passed_over.append(str(name))
    if not grids:
        raise refusal("json_shape", "the file is no list of objects; deliver one object per row", file_name)
    return [replace(grids[0], passed_over=passed_over), *grids[1:]]


def _json_lines(text: str, file_name: str) -> Grid:
    records, lines, malformed = [], [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
            lines.append(number)
        else:
            malformed.append((number, "not one JSON object, or a key twice"))
    if not records:
        raise refusal("json_broken", "the file is no JSON; it may be cut off; deliver it again", file_name)
    return _records("", records, lines, malformed, file_name)


class _KeyRepeated(ValueError):
    """An object with the same key twice."""


def _loads(text: str) -> object:
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=str, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyRepeated
    return found


def _records(
    name: str, records: list[dict[str, object]], lines: list[int], malformed: list[tuple[int, str]], file_name: str
) -> Grid:
    keys = list(dict.fromkeys(key for record in records for key in record))
    if len(keys) * len(records) > CELLS_MAX:
        text = f"{len(records)} records have {len(keys)} different keys; give all records the same keys, or deliver it in parts"
        raise refusal("json_too_large", text, file_name)
    rows: list[Cells] = [keys]
    rows += [[_nested(record.get(key)) for key in keys] for record in records]
    return Grid(name, rows, [0, *lines], "json", has_header=True, malformed=malformed)


def _nested(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _cell(value)


def frame_of(
    grid: Grid, header_at: int, columns: Mapping[int, str], numbers: Collection[str] = ()
) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """(text columns below the header with `source_line`, malformed lines): rows with more cells than the header are malformed;
    missing cells at a row's end are blank. Of the columns `numbers` a format with types says which cells are numbers (`is_number`)."""
    width = len(grid.rows[header_at])
    malformed = [*grid.malformed]
    kept, lines = [], []
    for row, line in zip(grid.rows[header_at + 1 :], grid.lines[header_at + 1 :], strict=True):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            malformed.append((line, f"{len(row)} cells where the header has {width}"))
            continue
        if grid.kind == "delimited" and 1 < len(row) < width - 1:
            malformed.append((line, f"{len(row)} cells where the header has {width}"))
            continue
        kept.append(row)
        lines.append(line)
    data = {name: [row[place] if place < len(row) else "" for row in kept] for place, name in columns.items()}
    frame = pl.DataFrame(data, schema=dict.fromkeys(columns.values(), pl.String))
    if grid.kind != "delimited":
        flags = [pl.Series(is_number(name), [isinstance(c, Number) for c in data[name]], dtype=pl.Boolean) for name in numbers if name in data]
        frame = frame.with_columns(flags)
    return frame.with_columns(pl.Series("source_line", lines, dtype=pl.Int64)), malformed
