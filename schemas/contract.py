"""Contracts: what a source's tables look like. Everything else (Polars schema, DuckDB table and comments, Great
Expectations suite, data dictionary) derives from these records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

Severity = Literal["fail", "warn"]
Dimension = Literal["completeness", "validity", "consistency", "accuracy", "uniqueness", "timeliness"]


@dataclass(frozen=True)
class Column:
    """One column: its type is a Polars type; money is integer cents (`_cents`) or Decimal, never float.

    `personal` columns are masked in quarantine and never stored in the lake.
    `codes` closes the set of values; `minimum` and `maximum` are inclusive. The rest serves sources that people fill in and
    systems export under many headings: `labels` (fi, sv, en) head the column in templates and are known headings, `also` holds
    further ones; `last_day` holds those under which a day is the last one, where the column wants the day after;
    `words` lists per code what people and systems write for it (the first three: fi, sv, en); `hint` tells who
    fills in what to write; `is_organisation` asks for a business id or an id of the register of organisations;
    `is_id` holds ids that no register closes: a number that a spreadsheet has made of one is none;
    `is_masked` hides the delivered text of broken rows, where people write names instead of what is asked for.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    required: bool = False
    unit: str | None = None
    personal: bool = False
    codes: tuple[str, ...] | None = None
    minimum: int | None = None
    maximum: int | None = None
    labels: Mapping[str, str] | None = None
    also: tuple[str, ...] = ()
    last_day: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] | None = None
    hint: Mapping[str, str] | None = None
    is_organisation: bool = False
    is_masked: bool = False
    is_id: bool = False


@dataclass(frozen=True)
class Rule:
    """A row rule: a row that breaks a `fail` rule is quarantined, a row that breaks a `warn` rule is loaded and counted.

    `limit_share` is the gate: a delivery where more than this share of the table's rows break the rule is refused whole
    (None: the rule never refuses a delivery). `of` "euros": no row breaks it by itself; the share is that of the delivery's euros
    (absolute, estimated where an amount cannot be read) that its quarantined rows hold.
    """

    name: str
    column: str | None
    severity: Severity
    dimension: Dimension
    description: str
    limit_share: float | None = None
    of: Literal["rows", "euros"] = "rows"


@dataclass(frozen=True)
class Table:
    """A table of a source: its columns in order, its primary key (may be empty) and its rules.

    `unit` says what a newer delivery replaces in a keyed source that is kept whole: of the rows that share these columns only
    those of the newest delivery count, newest by the `newest_by` columns, then by production time. `title` (fi, sv, en) names
    the table to people.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    unit: tuple[str, ...] = ()
    newest_by: tuple[str, ...] = ()
    title: Mapping[str, str] | None = None

    def polars_schema(self) -> pl.Schema:
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def rule(self, name: str) -> Rule:
        for rule in self.rules:
            if rule.name == name:
                return rule
        raise KeyError(f"{self.name} has no rule {name!r}")


@dataclass(frozen=True)
class Contract:
    """A source's contract.

    `kind` says what replaces what (ARCHITECTURE): a `snapshot` delivery replaces the slices it covers, in a `keyed` source
    the newest version of a key counts. `is_personal`: originals hold people's names, addresses or words; landing lets them go
    some days after the load (hash and line numbers stay).
    """

    source: str
    version: str
    kind: Literal["snapshot", "keyed"]
    title: Mapping[str, str]
    description: str
    tables: tuple[Table, ...]
    delivered_columns: tuple[Column, ...] = field(default=())
    is_personal: bool = False

    def table(self, name: str) -> Table:
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"{self.source} has no table {name!r}")
