"""Parquet as raw parts: the mapped columns as text, records numbered from 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.delivery import Limits, RawPart
from transforms.formats.delimited import MALFORMED, MALFORMED_SCHEMA, ROWS, ROWS_PER_PART, wanted
from transforms.formats.detect import Header, HeaderMap, refusal, require_header

MAGIC = b"PAR1"


def read_parquet(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> Iterator[RawPart]:
    """Raw parts as the delimited reader gives them. Raises DeliveryRefused."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    file = _open(path, file_name)
    cells = tuple(file.schema_arrow.names)
    columns = header_map.match(cells)
    header = require_header(Header(0, cells, columns) if len(columns) >= 2 else None, cells, file_name)
    unpacked = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
    if unpacked > limits.unpacked_bytes or len(set(cells)) < len(cells):
        text = f"the file unpacks to {unpacked} bytes (limit {limits.unpacked_bytes}) or repeats a column's name; deliver it in parts"
        raise refusal("parquet_refused", text, file_name)
    taken = wanted(header.columns)
    notes: dict[str, object] = {
        "format": "parquet",
        "header_row": 0,
        "columns": {cells[position]: column for position, column in header.columns.items()},
        "unknown_columns": header.unknown,
    }
    record, first = 1, True
    try:
        for batch in file.iter_batches(ROWS_PER_PART, columns=[cells[position] for position in taken]):
            yield _part(batch, [cells[position] for position in taken], list(taken.values()), record, notes)
            record, first = record + batch.num_rows, False
    except (pa.ArrowException, OSError) as error:
        raise refusal(
            "parquet_broken", "the Parquet file is damaged or holds nested columns; write it again", file_name
        ) from error
    if first:
        empty = {**dict.fromkeys(taken.values(), pl.String), "source_line": pl.Int64}
        yield RawPart({ROWS: pl.DataFrame(schema=empty), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _part(batch: pa.RecordBatch, names: list[str], columns: list[str], record: int, notes: dict[str, object]) -> RawPart:
    texts = {column: _text(batch.column(name)) for name, column in zip(names, columns, strict=True)}
    frame = pl.DataFrame(pl.from_arrow(pa.table(texts)))
    lines = pl.int_range(record, record + batch.num_rows, dtype=pl.Int64, eager=True).alias("source_line")
    return RawPart({ROWS: frame.with_columns(lines), MALFORMED: pl.DataFrame(schema=MALFORMED_SCHEMA)}, notes)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.date32(), safe=False)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def header_of(path: Path, file_name: str) -> list[str]:
    """The column names."""
    return list(_open(path, file_name).schema_arrow.names)


def _open(path: Path, file_name: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise refusal(
            "parquet_broken", "the Parquet file is damaged or cut off; write and deliver it again", file_name
        ) from error
