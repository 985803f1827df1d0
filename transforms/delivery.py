"""What passes between reading, cleaning and the warehouse: delivered files, raw parts, cleaned parts.

A source is read in parts so that a file of any size needs little memory: `read` yields `RawPart`s in order, `clean` (pure,
thread-safe) turns one raw part into one `CleanPart`, `conclude` looks at all parts' counts at the end and decides what only
the whole delivery shows (grand totals, refusals).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from schemas.contract import Contract, Table
from schemas.errors import Reason
from schemas.reference import Agency, Reference

FAILURE_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String,
        "table_name": pl.String,
        "source_line": pl.Int64,
        "column_name": pl.String,
        "rule": pl.String,
        "value": pl.String,
    }
)
"""One row per broken rule and row. `value` is at most 200 characters, null where the column is personal."""

COUNT_SCHEMA = pl.Schema(
    {
        "delivery_id": pl.String,
        "table_name": pl.String,
        "rows_read": pl.Int64,
        "rows_accepted": pl.Int64,
        "rows_set_aside": pl.Int64,
        "rows_quarantined": pl.Int64,
        "cents_read": pl.Int64,
        "cents_accepted": pl.Int64,
        "cents_set_aside": pl.Int64,
        "cents_quarantined": pl.Int64,
        "amounts_unreadable": pl.Int64,
    }
)
"""Conservation: rows_read = accepted + set aside + quarantined; cents_read = accepted + set aside + quarantined over rows
whose amount could be read; rows whose amount could not are counted in amounts_unreadable. Cents are 0 in tables without money."""


LOSS_SCHEMA = pl.Schema(
    {"delivery_id": pl.String, "table_name": pl.String, "cents_lost": pl.Int64, "cents_all": pl.Int64}
)
"""What a delivery loses: absolute cents of its quarantined rows, and of these and its accepted ones; estimated where an amount
cannot be read."""

READER_FREE_BYTES = 50 * 10**6
"""Up to this size a file may take what the limits of readers say, larger ones more."""


@dataclass(frozen=True)
class Limits:
    """Sizes beyond which a file is refused. Bytes unless said otherwise. `reader_*`: what reading a file of at most 50 MB may take
    beyond an idle process; larger files may take more."""

    delimited_bytes: int = 10 * 1024**3
    other_bytes: int = 200 * 1024**2
    unpacked_bytes: int = 1024**3
    unpacked_ratio: int = 100
    zip_members: int = 50_000
    xml_depth: int = 100
    line_bytes: int = 1024**2
    reader_bytes: int = 512 * 1024**2
    reader_seconds: float = 600.0

    def reader_bytes_of(self, size: int) -> int:
        """Memory that reading `size` bytes may take: grown with large files up to fourfold, for they are read in parts."""
        return int(self.reader_bytes * min(max(1.0, size / READER_FREE_BYTES), 4.0))

    def reader_seconds_of(self, size: int) -> float:
        """Time that reading `size` bytes may take."""
        return self.reader_seconds * max(1.0, size / READER_FREE_BYTES)


@dataclass(frozen=True)
class Delivered:
    """One delivered file as it lies in landing. `coverage_from`/`coverage_to` (inclusive days) and `part` come from the
    manifest, else from the file's name, else are None (then from the dates inside)."""

    delivery_id: str
    source: str
    agency: str
    path: Path
    file_name: str
    size: int
    produced_at: datetime
    coverage_from: date | None = None
    coverage_to: date | None = None
    part: str = ""

    @property
    def day(self) -> date:
        """The day that the file speaks for as a whole: the last one it covers, else that on which it was made."""
        return self.coverage_to or self.produced_at.date()


@dataclass(frozen=True)
class Context:
    """What reading and cleaning may know: registers and limits. No clock: days come from `Delivered`."""

    reference: Reference
    limits: Limits = field(default_factory=Limits)

    def agency(self, delivered: Delivered) -> Agency:
        return self.reference.agencies[delivered.agency]


@dataclass
class RawPart:
    """Raw frames, all text: one frame per raw table with `source_line` (Int64) and `delivery_id` where several deliveries are
    read together. `notes` carries what the reader found out about the file (encoding, delimiter, header row, date format,
    header -> column map) under the `delivery_id` that it is about; equal for all parts of a file, and told in receipts. `refused` names
    deliveries that could not be read at all. `beside` is what the reader hands to cleaning besides, and nobody is told of."""

    frames: dict[str, pl.DataFrame]
    notes: dict[str, object] = field(default_factory=dict)
    refused: dict[str, list[Reason]] = field(default_factory=dict)
    beside: dict[str, object] = field(default_factory=dict)


@dataclass
class CleanPart:
    """Accepted rows per contract table (exactly the contract's columns and types), failures and counts.

    `failures` holds rows that are quarantined (fail rules); `warnings` the same shape for warn rules, rows loaded.
    `deferred` holds rows whose fate only `conclude` knows. `values` of quarantined rows are masked where personal.
    `facts` are small things the conclusion needs besides (months seen, lines set aside); the pipeline passes them on untouched.
    """

    accepted: dict[str, pl.DataFrame]
    failures: pl.DataFrame
    warnings: pl.DataFrame
    counts: pl.DataFrame
    deferred: pl.DataFrame | None = None
    refused: dict[str, list[Reason]] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)


@dataclass
class Conclusion:
    """What the whole delivery shows: rows finally set aside or failed, coverage, refusals.

    `counts` holds only what the conclusion ADDS to the parts' counts (a part counts deferred rows in rows_read and cents_read
    and in no other column; the conclusion adds them to set aside or quarantined with rows_read and cents_read 0); the same
    for `failures`.

    `losses`: what the quarantined rows of tables with money hold (LOSS_SCHEMA); the gate looks at it.

    `slices` lists (delivery_id, part, slice_period, slice_kind) for snapshot sources; slice_kind is month or year.
    """

    failures: pl.DataFrame
    counts: pl.DataFrame
    set_aside: pl.DataFrame
    slices: pl.DataFrame
    refused: dict[str, list[Reason]] = field(default_factory=dict)
    losses: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOSS_SCHEMA))


SLICE_SCHEMA = pl.Schema({"delivery_id": pl.String, "part": pl.String, "slice_period": pl.Date, "slice_kind": pl.String})
SET_ASIDE_SCHEMA = pl.Schema(
    {"delivery_id": pl.String, "table_name": pl.String, "source_line": pl.Int64, "reason": pl.String, "cents": pl.Int64}
)

Read = Callable[[Sequence[Delivered], Context], Iterator[RawPart]]
Clean = Callable[[RawPart, Sequence[Delivered], Context], CleanPart]
Conclude = Callable[[Sequence[CleanPart], Sequence[Delivered], Context], Conclusion]


@dataclass(frozen=True)
class SnapshotMeasures:
    """Measures of a snapshot source: `plans` (SQL by measure table) over the contract table `source_table` and the reference
    relations that `relations(reference)` gives; the warehouse runs them slice by slice."""

    tables: Sequence[Table]
    plans: Mapping[str, str]
    source_table: str
    relations: Callable[[Reference], Mapping[str, pl.DataFrame]]


@dataclass(frozen=True)
class KeyedMeasures:
    """Measures of a keyed source: `measure(tables, reference)` turns accepted rows (all versions) of whole procedures into
    the measure tables; rows of a procedure depend on that procedure alone, and on those that `names` tells of as the same:
    (procedure_id, name) from accepted rows of the first table, where a procedure goes by several names."""

    tables: Sequence[Table]
    measure: Callable[[Mapping[str, pl.DataFrame], Reference], Mapping[str, pl.DataFrame]]
    names: Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True)
class TableMeasures:
    """Measures of a source of some thousands of rows a year, measured whole whenever it moves: `measure(tables, reference)`
    turns the rows that count (`transforms.newest`) into the measure tables. Months whose rows come out otherwise are computed
    again, no others. `beside`: other keyed sources whose tables `measure` is given too; it is called when they move as well."""

    tables: Sequence[Table]
    measure: Callable[[Mapping[str, pl.DataFrame], Reference], Mapping[str, pl.DataFrame]]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One source wired: its contract and the functions that read, clean and conclude its deliveries.

    `recognise(path)` answers whether a file looks like this source: 0 no .. 100 sure.
    `coverage(file_name)` reads (from, to, part) out of a file's name, Nones where it says nothing.
    `recognise_agency(path, reference, source)` names the one agency that a file speaks of; None: files never do.
    """

    contract: Contract
    read: Read
    clean: Clean
    conclude: Conclude
    recognise: Callable[[Path], int]
    coverage: Callable[[str], tuple[date | None, date | None, str]]
    measures: SnapshotMeasures | KeyedMeasures | TableMeasures
    recognise_agency: Callable[[Path, Reference, str], str | None] | None = None
