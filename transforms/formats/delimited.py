"""Delimited text (CSV, TSV) as a stream of raw parts: all cells text, exact line numbers, memory bounded by blocks.

Quoting is switched off where the first lines do not need it (stray quotes in supplier names are ordinary there). Lines that do not
fit are looked at again by `odd_lines`; what fits in no way is reported as malformed. Repetitive columns come as
dictionary-encoded text (Categorical), which makes everything after the reading cheaper.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from transforms.delivery import Limits, RawPart
from transforms.formats.detect import (
    Fixes,
    HeaderMap,
    detect_delimited,
    detect_encoding,
    known_encoding,
    refusal,
    require_header,
    split_line,
)
from transforms.formats.lines import Block, last_line, read_blocks
from transforms.formats.odd_lines import Numbered, are_wrapped, mended, unwrapped, unwrapped_block

ROWS = "row"
MALFORMED = "malformed"
NO_FINAL_NEWLINE = "no_final_newline"
"""Note on the last part of a file whose last line has all its cells but no line break: that line's number."""
MALFORMED_SCHEMA = pl.Schema({"source_line": pl.Int64, "reason": pl.String})
SAMPLE_BYTES = 512 * 1024
SAMPLE_LINES = 300
ROWS_PER_PART = 100_000
_IN_QUOTES = r'^"(?:[^"]|"")*"$'
BLOCKS_AHEAD = 2
"""Blocks that are parsed or wait for it while the next one is read."""
UNREPETITIVE = frozenset({"case_id", "net_amount", "gross_amount", "vat_amount"})
"""Columns where nearly every cell differs: plain text, a dictionary would only cost."""


@dataclass
class _Shape:
    """What the parser needs: delimiter, quoting, position -> column, number of cells."""

    delimiter: str
    quoting: bool
    columns: dict[int, str]
    width: int

    @property
    def options(self) -> tuple[list[str], pacsv.ConvertOptions]:
        names = [f"c{position}" for position in range(self.width)]
        repetitive = pa.dictionary(pa.int32(), pa.string())
        types = {f"c{p}": pa.string() if c in UNREPETITIVE else repetitive for p, c in self.columns.items()}
        return names, pacsv.ConvertOptions(
            include_columns=list(types), column_types=types, strings_can_be_null=False, check_utf8=False
        )


@dataclass
class _Parsed:
    """A block as a table, its rows' line numbers, (line, reason) of what could not be parsed, and the number of its last line."""

    table: pa.Table
    lines: np.ndarray
    malformed: list[tuple[int, str]]
    last_line: int
    has_quotes: bool = False
    """Quotes stand in it, and were read as letters."""


def _without_quotes(cells: pl.Series) -> pl.Series:
    """Cells that stand in quotes as a whole are what stands in them: some lines are quoted where most of the file is not."""
    if not cells.unique().cast(pl.String).str.contains(_IN_QUOTES).any():
        return cells
    text = pl.col(cells.name).cast(pl.String)
    inner = text.str.slice(1, text.str.len_chars() - 2).str.replace_all('""', '"', literal=True)
    return cells.to_frame().select(pl.when(text.str.contains(_IN_QUOTES)).then(inner).otherwise(text).cast(cells.dtype)).to_series()


def _part(parsed: Sequence[_Parsed], columns: dict[int, str], notes: dict[str, object]) -> RawPart:
    if parsed:
        frame = pl.DataFrame(pl.from_arrow(pa.concat_tables([block.table for block in parsed])))
        frame = frame.rename({f"c{p}": c for p, c in columns.items()})
        lines = np.concatenate([block.lines for block in parsed])
        frame = frame.with_columns(pl.Series("source_line", lines, dtype=pl.Int64)).rechunk()
        if any(block.has_quotes for block in parsed):
            frame = frame.with_columns(_without_quotes(frame[name]) for name in columns.values())
    else:
        frame = pl.DataFrame(schema={**dict.fromkeys(columns.values(), pl.String), "source_line": pl.Int64})
    malformed = [found for block in parsed for found in block.malformed]
    return RawPart({ROWS: frame, MALFORMED: pl.DataFrame(malformed, schema=MALFORMED_SCHEMA, orient="row")}, notes)


def read_delimited(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts with the frames `row` (mapped columns, source_line) and `malformed` (source_line, reason).

    `notes`: format, encoding, delimiter, quoting, header_row, columns, unknown_columns. Raises DeliveryRefused.
    """
    size = path.stat().st_size
    if size > limits.delimited_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.delimited_bytes}", file_name)
    encoding, skip, lines = read_head(path, file_name, fixes.encoding, limits)
    wrapped = are_wrapped(lines)
    if wrapped:
        lines = [unwrapped(line) for line in lines]
    found = detect_delimited(lines, header_map, fixes)
    first = split_line(lines[0], found.delimiter, found.quoting)
    header = require_header(found.header, first, file_name)
    shape = _Shape(found.delimiter, found.quoting, wanted(header.columns), found.width)
    notes: dict[str, object] = {
        "format": "delimited",
        "encoding": encoding,
        "delimiter": found.delimiter,
        "quoting": found.quoting,
        "header_row": header.row,
        "columns": {header.cells[p].strip(): c for p, c in header.columns.items()},
        "unknown_columns": header.unknown,
    }
    if wrapped:
        notes["wrapped_lines"] = True
    last = last_line(path, encoding, skip, limits) if len(lines) > header.row else None
    if last is not None and wrapped:
        last = unwrapped(last)
    if last is not None and (cells := len(split_line(last, found.delimiter, found.quoting))) < found.width:
        text = f"the file ends in the middle of a row: {cells} cells where the header has {found.width}, and no line break"
        raise refusal("file_cut_off", f"{text}; deliver the whole file again", file_name)
    blocks = read_blocks(path, encoding, skip, limits, file_name, fixes.encoding is not None)
    yield from _parts(map(unwrapped_block, blocks) if wrapped else blocks, header.row, shape, notes, whole=last is None)


def wanted(columns: Mapping[int, str]) -> dict[int, str]:
    """The mapped columns that cleaning reads; VAT alone serves no table."""
    return {p: c for p, c in columns.items() if c != "vat_amount"}


def read_head(path: Path, file_name: str, encoding: str | None, limits: Limits) -> tuple[str, int, list[str]]:
    """(encoding, bytes to skip, first lines as text). Raises DeliveryRefused for empty and binary files."""
    with path.open("rb") as file:
        sample = file.read(max(SAMPLE_BYTES, limits.line_bytes + 1))
    if not sample.strip():
        raise refusal("file_empty", "the file is empty", file_name)
    detected, skip = detect_encoding(sample[:SAMPLE_BYTES], file_name)
    if encoding is not None and skip == 0:
        detected = known_encoding(encoding, file_name)
    if len(sample) > limits.line_bytes and b"\n" not in sample and b"\r" not in sample:
        raise refusal(
            "line_too_long", f"the first line is longer than {limits.line_bytes} bytes; is the file a table?", file_name
        )
    text = sample[skip:SAMPLE_BYTES].decode(detected, "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(sample) > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # cut in the middle
    return detected, skip, lines[:SAMPLE_LINES]


def _parts(blocks: Iterator[Block], header_row: int, shape: _Shape, notes: dict[str, object], whole: bool) -> Iterator[RawPart]:
    gathered: list[_Parsed] = []
    nothing_yet, line = True, 0
    for parsed in _parsed(blocks, header_row, shape):
        line = parsed.last_line
        gathered.append(parsed)
        if max(sum(len(one.lines) for one in gathered), sum(len(one.malformed) for one in gathered)) >= ROWS_PER_PART:
            yield _part(gathered, shape.columns, notes)
            gathered, nothing_yet = [], False
    if not whole:
        notes = {**notes, NO_FINAL_NEWLINE: line}
    if nothing_yet or gathered or not whole:
        yield _part(gathered, shape.columns, notes)


def _parsed(blocks: Iterator[Block], header_row: int, shape: _Shape) -> Iterator[_Parsed]:
    """Every block parsed, in order: one thread reads and decodes while another parses (half of the work each)."""
    with ThreadPoolExecutor(1, thread_name_prefix="parse") as pool:
        ahead: deque[Future[_Parsed]] = deque()
        for block in blocks:
            ahead.append(pool.submit(_parse, _below(block, header_row), shape))
            if len(ahead) > BLOCKS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _below(block: Block, header_row: int) -> Block:
    """The block without the lines up to the header."""
    above = header_row - block.first_line + 1
    if above <= 0:
        return block
    start = 0
    for _ in range(min(above, block.lines)):
        start = block.data.find(b"\n", start) + 1
    return Block(header_row + 1, block.data[start:], max(block.lines - above, 0), block.broken)


def _parse(block: Block, shape: _Shape) -> _Parsed:
    bad: list[tuple[int, str]] = []

    def on_invalid(row: pacsv.InvalidRow) -> str:
        bad.append((row.number, f"{row.actual_columns} cells where the header has {row.expected_columns}"))
        return "skip"

    names, convert = shape.options
    last = block.first_line + block.lines - 1
    if not block.data:
        nothing = pa.table({name: pa.array([], convert.column_types[name]) for name in convert.include_columns})
        return _Parsed(nothing, np.empty(0, dtype=np.int64), [], last)
    table = pacsv.read_csv(
        pa.BufferReader(block.data),
        pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(block.data) + 1),
        pacsv.ParseOptions(
            delimiter=shape.delimiter,
            quote_char='"' if shape.quoting else False,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
            invalid_row_handler=on_invalid,
        ),
        convert,
    )
    count = block.lines
    if table.num_rows + len(bad) != count:  # a quote swallowed a line break: read this block line by line
        table, bad = _line_by_line(block.data, shape, convert)
    lines = np.arange(block.first_line, block.first_line + count, dtype=np.int64)
    if bad:
        lines = np.delete(lines, [number - 1 for number, _ in bad])
        rows, bad = mended(block.data, bad, shape.delimiter, shape.width, shape.columns)
        if rows:
            table, lines = _with_rows(table, lines, rows, block.first_line, convert)
    malformed: list[tuple[int, str]] = []
    if block.broken:
        whole = ~np.isin(lines, block.broken)
        table, lines = table.filter(pa.array(whole)), lines[whole]
        # An emptied line may also have had too few cells: it is reported once.
        bad = [(n, reason) for n, reason in bad if n + block.first_line - 1 not in block.broken]
        malformed = [(n, "characters that cannot be read in the file's encoding") for n in block.broken if n >= block.first_line]
    malformed += [(n + block.first_line - 1, reason) for n, reason in bad]
    return _Parsed(table, lines, malformed, last, has_quotes=not shape.quoting and b'"' in block.data)


def _with_rows(
    table: pa.Table, lines: np.ndarray, rows: Numbered, first_line: int, convert: pacsv.ConvertOptions
) -> tuple[pa.Table, np.ndarray]:
    """A block's rows and some more, in the order of their lines."""
    more = pa.table(
        {
            name: pa.array([cells[int(name[1:])] for _, cells in rows], pa.string()).cast(convert.column_types[name])
            for name in convert.include_columns
        }
    )
    numbers = np.concatenate([lines, [first_line + number - 1 for number, _ in rows]])
    order = np.argsort(numbers, kind="stable")
    return pa.concat_tables([table, more]).unify_dictionaries().take(pa.array(order)), numbers[order]


def _line_by_line(data: bytes, shape: _Shape, convert: pacsv.ConvertOptions) -> tuple[pa.Table, list[tuple[int, str]]]:
    """The slow way for blocks with unbalanced quotes: every line stands for itself."""
    bad: list[tuple[int, str]] = []
    rows: list[list[str]] = []
    blank = [""] * shape.width
    for number, line in enumerate(data.decode().split("\n")[:-1], start=1):
        try:
            cells = next(csv.reader([line.rstrip("\r")], delimiter=shape.delimiter, strict=True), blank)
        except csv.Error:
            bad.append((number, "quotes that do not close on the line"))
            continue
        if len(cells) == shape.width:
            rows.append(cells)
        else:
            bad.append((number, f"{len(cells)} cells where the header has {shape.width}"))
    columns = list(zip(*rows, strict=True)) or [()] * shape.width
    arrays = {
        name: pa.array(columns[int(name[1:])], pa.string()).cast(convert.column_types[name]) for name in convert.include_columns
    }
    return pa.table(arrays), bad


def header_of_text(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> list[str]:
    """The header cells of a delimited file, for recognising a source; empty when there is none."""
    _, _, lines = read_head(path, file_name, None, limits)
    if are_wrapped(lines):
        lines = [unwrapped(line) for line in lines]
    found = detect_delimited(lines, header_map, Fixes())
    return list(found.header.cells) if found.header else []
