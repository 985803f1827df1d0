"""JSON lines as raw parts: one flat object a line, numbers kept as the text they were written with (no floats)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from transforms.delivery import Limits, RawPart
from transforms.formats.cell_kinds import Number
from transforms.formats.delimited import MALFORMED, MALFORMED_SCHEMA, ROWS, ROWS_PER_PART, read_head, wanted
from transforms.formats.detect import (
    AMOUNT_COLUMNS,
    Fixes,
    Header,
    HeaderMap,
    is_number,
    normalise_header,
    refusal,
    require_header,
)
from transforms.formats.lines import read_blocks

Record = dict[str, str | None]


def looks_like(head: bytes) -> bool:
    """The first line starts an object."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def read_json_lines(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them. The keys of the first lines are the header; a known key that turns up
    later only makes its row malformed, another is told as unused (nothing is dropped silently). Raises DeliveryRefused."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    encoding, skip, lines = read_head(path, file_name, fixes.encoding, limits)
    cells = _keys(lines)
    columns = header_map.match(cells)
    header = require_header(Header(0, cells, columns) if len(columns) >= 2 else None, cells, file_name)
    taken = {cells[position]: column for position, column in wanted(header.columns).items()}
    notes: dict[str, object] = {
        "format": "json_lines",
        "encoding": encoding,
        "header_row": 0,
        "columns": {cells[position]: column for position, column in header.columns.items()},
        "unknown_columns": header.unknown,
    }
    late: dict[str, None] = {}
    known = frozenset(header_map.columns)
    rows = _Rows(taken, frozenset(cells), known, late)
    nothing_yet = True
    for block in read_blocks(path, encoding, skip, limits, file_name, fixes.encoding is not None):
        for number, line in enumerate(block.data.decode().split("\n")[:-1], start=block.first_line):
            rows.add(number, line, broken=number in block.broken)
            if len(rows.lines) + len(rows.malformed) >= ROWS_PER_PART:
                yield rows.part(notes | {"unknown_columns": [*header.unknown, *Header(0, tuple(late), {}).unknown]})
                rows, nothing_yet = _Rows(taken, frozenset(cells), known, late), False
    if nothing_yet or rows.lines or rows.malformed:
        yield rows.part(notes | {"unknown_columns": [*header.unknown, *Header(0, tuple(late), {}).unknown]})


class _Rows:
    def __init__(self, taken: dict[str, str], keys: frozenset[str], known: frozenset[str], late: dict[str, None]) -> None:
        self.late = late
        self.taken, self.keys, self.known = taken, keys, known
        self.cells: dict[str, list[str | None]] = {column: [] for column in taken.values()}
        self.lines: list[int] = []
        self.malformed: list[tuple[int, str]] = []

    def add(self, number: int, line: str, broken: bool) -> None:
        if broken:
            self.malformed.append((number, "characters that cannot be read in the file's encoding"))
            return
        record = {} if not line.strip() else parse_record(line)
        if record is None:
            self.malformed.append((number, "not one flat JSON object"))
        elif any(key not in self.keys and normalise_header(key) in self.known for key in record):
            self.malformed.append((number, "a key that the first lines do not have"))
        else:
            self.late |= dict.fromkeys(key for key in record if key not in self.keys)
            self.lines.append(number)
            for key, column in self.taken.items():
                self.cells[column].append(record.get(key))

    def part(self, notes: dict[str, object]) -> RawPart:
        frame = pl.DataFrame(self.cells, schema=dict.fromkeys(self.cells, pl.String))
        flags = [
            pl.Series(is_number(name), [isinstance(cell, Number) for cell in self.cells[name]], dtype=pl.Boolean)
            for name in AMOUNT_COLUMNS
            if name in self.cells
        ]
        frame = frame.with_columns(pl.Series("source_line", self.lines, dtype=pl.Int64), *flags)
        malformed = pl.DataFrame(self.malformed, schema=MALFORMED_SCHEMA, orient="row")
        return RawPart({ROWS: frame, MALFORMED: malformed}, notes)


def parse_record(line: str) -> Record | None:
    """A flat JSON object with its values as text; None for anything else. Numbers keep their digits, as `Number`."""
    try:
        value = json.loads(line, parse_float=Number, parse_int=Number, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if any(isinstance(cell, (dict, list)) for cell in value.values()):
        return None
    return {key: _cell(cell) for key, cell in value.items()}


def _cell(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Number):
        return cell
    return str(cell).encode("utf-8", "replace").decode()  # a lone surrogate is no text


def _keys(lines: list[str]) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for line in lines:
        for key in parse_record(line) or {}:
            keys.setdefault(key)
    return tuple(keys)


def header_of(path: Path, file_name: str, limits: Limits) -> list[str]:
    """The keys of the first lines."""
    _, _, lines = read_head(path, file_name, None, limits)
    return list(_keys(lines))
