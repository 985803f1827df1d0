"""Parquet as raw parts: the mapped columns as text, records numbered from 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.delivery import Limits, RawPart
from transforms.formats.archive import BROKEN
from transforms.formats.delimited import MALFORMED, MALFORMED_SCHEMA, ROWS, ROWS_PER_PART, wanted
from transforms.formats.detect import AMOUNT_COLUMNS, Header, HeaderMap, is_number, refusal, require_header

MAGIC = b"PAR1"
PART_BYTES = 64 * 1024**2
"""What the rows of one part may hold; several parts are worked on at a time."""
FIXED_BYTES = 1024


def read_parquet(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them. Raises DeliveryRefused."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    file = opened(path, file_name, limits)
    cells = tuple(file.schema_arrow.names)
    columns = header_map.match(cells)
    header = require_header(Header(0, cells, columns) if len(columns) >= 2 else None, cells, file_name)
    if len(set(cells)) < len(cells):
        raise refusal("parquet_refused", "the file repeats a column's name; deliver each column once", file_name)
    taken = wanted(header.columns)
    notes: dict[str, object] = {
        "format": "parquet",
        "header_row": 0,
        "columns": {cells[position]: column for position, column in header.columns.items()},
        "unknown_columns": header.unknown,
    }
    record, unpacked = 1, 0
    names = [cells[position] for position in taken]
    waiting: list[RawPart] = []  # row groups may be small: thousands of them are no thousands of parts
    held = rows_n = 0
    for batch in batches(file, file_name, names):
        found = decoded_bytes(batch)
        unpacked += found
        if found > PART_BYTES or unpacked > limits.unpacked_bytes:
            text = f"the file unpacks to {unpacked} bytes or more; deliver it in parts or as CSV"
            raise refusal("parquet_refused", text, file_name)
        if waiting and (held + found > PART_BYTES or rows_n + batch.num_rows > ROWS_PER_PART):
            yield _joined(waiting)
            waiting, held, rows_n = [], 0, 0
        with refusing(file_name):
            waiting.append(_part(batch, names, list(taken.values()), record, notes))
        record, held, rows_n = record + batch.num_rows, held + found, rows_n + batch.num_rows
    if waiting:
        yield _joined(waiting)
    if record == 1:
        empty = {**dict.fromkeys(taken.values(), pl.String), "source_line": pl.Int64}
        yield RawPart({ROWS: pl.DataFrame(schema=empty), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _joined(parts: Sequence[RawPart]) -> RawPart:
    if len(parts) == 1:
        return parts[0]
    frames = {name: pl.concat([part.frames[name] for part in parts]) for name in parts[0].frames}
    return RawPart(frames, parts[0].notes)


def _part(batch: pa.RecordBatch, names: list[str], columns: list[str], record: int, notes: dict[str, object]) -> RawPart:
    texts = {column: _text(batch.column(name)) for name, column in zip(names, columns, strict=True)}
    frame = pl.DataFrame(pl.from_arrow(pa.table(texts)))
    lines = pl.int_range(record, record + batch.num_rows, dtype=pl.Int64, eager=True).alias("source_line")
    numbers = [
        pl.lit(_is_number(batch.schema.field(name).type)).alias(is_number(column))
        for name, column in zip(names, columns, strict=True)
        if column in AMOUNT_COLUMNS
    ]
    return RawPart({ROWS: frame.with_columns(lines, *numbers), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def header_of(path: Path, file_name: str) -> list[str]:
    """The column names."""
    with refusing(file_name):
        return list(pq.ParquetFile(path).schema_arrow.names)


def opened(path: Path, file_name: str, limits: Limits) -> pq.ParquetFile:
    """A file whose texts are read as the dictionaries they are packed in: how much they unpack to is known before they do. Raises
    DeliveryRefused for a file that declares more than the limits, or that holds nested columns."""
    with refusing(file_name):
        file = pq.ParquetFile(path)
        meta, schema = file.metadata, file.schema_arrow
        groups = [meta.row_group(number) for number in range(meta.num_row_groups)]
        unpacked = sum(max(group.total_byte_size, 0) for group in groups)
        texts = [column.name for column in schema if _is_text(column.type)]
        file = pq.ParquetFile(path, read_dictionary=texts)
    ratio = limits.unpacked_ratio * path.stat().st_size
    if unpacked > min(limits.unpacked_bytes, max(ratio, PART_BYTES)):
        raise refusal("parquet_refused", f"the file unpacks to {unpacked} bytes; deliver it in parts or as CSV", file_name)
    if any(pa.types.is_nested(column.type) or _width(column.type) > FIXED_BYTES for column in schema):
        raise refusal("parquet_refused", "the file holds nested or very wide columns; write plain columns", file_name)
    return file


def batches(file: pq.ParquetFile, file_name: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The file's rows in batches. Raises DeliveryRefused."""
    found = file.iter_batches(ROWS_PER_PART, columns=columns)
    while True:
        with refusing(file_name):
            batch = next(found, None)
            if batch is None:
                return
            batch.validate(full=True)  # Arrow believes indices and offsets until something reads beyond
        yield batch


def decoded_bytes(batch: pa.RecordBatch) -> int:
    """What a batch's columns hold once every row has its own text."""
    return sum(_decoded(column) for column in batch.columns)


def _decoded(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    if not _is_text(column.type.value_type):
        return 8 * len(column)
    lengths = pc.binary_length(column.dictionary)
    return int(pc.sum(pc.take(lengths, column.indices)).as_py() or 0) + 8 * len(column)


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _width(kind: pa.DataType) -> int:
    return int(kind.byte_width) if pa.types.is_fixed_size_binary(kind) else 0


@contextmanager
def refusing(file_name: str) -> Iterator[None]:
    """What Arrow raises on hostile bytes, as DeliveryRefused."""
    try:
        yield
    except (pa.ArrowException, TypeError, *BROKEN) as error:
        raise refusal(
            "parquet_broken", "the Parquet file is damaged or cut off; write and deliver it again", file_name
        ) from error
