"""Forms: delivered file -> the tables of a contract described by `schemas/forms.py`. One way for every such source.

A file holds one or more of the contract's tables (sheets of a workbook, keys of a JSON object, one table otherwise); which one
a grid holds is told by its headings, in any of the three languages. Cells become what their columns ask for; rows that break a
rule are quarantined with the column and, where it cannot be a person, the value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from schemas.contract import Contract
from schemas.errors import DeliveryRefused, Reason
from schemas.forms import delivered
from schemas.reference import Reference
from transforms.delivery import (
    COUNT_SCHEMA,
    FAILURE_SCHEMA,
    SET_ASIDE_SCHEMA,
    SLICE_SCHEMA,
    CleanPart,
    Conclusion,
    Context,
    Delivered,
    RawPart,
    Source,
    TableMeasures,
)
from transforms.formats import dataverse, grids, untyped
from transforms.formats.detect import refusal
from transforms.formats.grids import Grid
from transforms.personal import contact_values, personal_values
from transforms.sources.form_cleaning import Check, Cleaning
from transforms.sources.form_headings import last_day_columns, place, score

MARK = "nyckeltal-template"
"""First cell of a template's first sheet; the source stands beside it."""
REASONS_SHOWN = 10
Ready = Callable[[Grid, Reference | None, str, date | None], Grid]
"""(grid, registers, agency, day that the file speaks for) -> the grid with the contract's headings and words; neither registers nor
a day while a file is only recognised."""


@dataclass(frozen=True)
class Form:
    """A source of forms: its contract and its own rules. `ready` may rewrite a grid before it is looked at (an export whose
    columns are not the contract's)."""

    contract: Contract
    check: Check = field(default=lambda _table, _reference: ())
    ready: Ready = field(default=lambda grid, _reference, _agency, _day: grid)

    def source(self, measures: TableMeasures) -> Source:
        """The source as the registry wires it."""
        return Source(
            contract=self.contract,
            read=self.read,
            clean=self.clean,
            conclude=self.conclude,
            recognise=self.recognise,
            coverage=no_coverage,
            measures=measures,
        )

    def read(self, deliveries: Sequence[Delivered], context: Context) -> Iterator[RawPart]:
        """One part per delivery: a text frame per table with `source_line`, notes on what was found. A file that cannot be read
        refuses its own delivery only."""
        for item in deliveries:
            try:
                yield self._read_one(item, context)
            except DeliveryRefused as refused:
                reasons = [replace(reason, file=reason.file or item.file_name) for reason in refused.reasons]
                yield RawPart({}, {"delivery_id": item.delivery_id}, {item.delivery_id: reasons})

    def _read_one(self, item: Delivered, context: Context) -> RawPart:
        read = grids.read_grids(item.path, item.file_name, context.limits, context.agency(item).encoding)
        for grid in read:
            dataverse.require_whole(grid)
        untyped_cells = {untyped.NOTE: True} if any(not grid.is_typed for grid in read) else {}
        found = [self.ready(grid, context.reference, item.agency, item.day) for grid in read]
        frames: dict[str, pl.DataFrame] = {}
        marks: dict[str, str | None] = {}
        last_days: dict[str, set[str]] = {}
        notes: dict[str, object] = {"delivery_id": item.delivery_id, "format": found[0].kind if found else "empty"}
        used: dict[str, str] = {}
        unknown: list[str] = []
        passed_over: list[str] = []
        malformed: list[tuple[str, int, str]] = []
        above: dict[str, int] = {}
        for grid in found:
            passed_over += grid.passed_over
            unknown += [name for name in grid.beside if not name.startswith("@odata.")]
            placed = place(grid, self.contract)
            if placed is None:
                passed_over += [grid.name] if grid.name else []
                continue
            if placed.table in frames:
                text = f"two sheets hold the table {placed.table}; deliver one of them"
                raise refusal("several_sheets", text, item.file_name)
            numbers = [column.name for column in delivered(self.contract.table(placed.table)) if column.dtype == pl.Int64]
            frame, bad = grids.frame_of(grid, placed.header_at, placed.columns, numbers)
            frames[placed.table] = frame
            marks[placed.table] = grid.decimal_mark
            malformed += [(placed.table, line, reason) for line, reason in bad]
            header = grid.rows[placed.header_at]
            last_days[placed.table] = last_day_columns(self.contract.table(placed.table), header, placed.columns)
            used |= {header[place].strip(): name for place, name in placed.columns.items()}
            unknown += [name.strip() for name in grid.unread]
            unknown += headings_unread(grid, placed.header_at, placed.columns)
            if title := sum(any(cell.strip() for cell in row) for row in grid.rows[: placed.header_at]):
                above[grid.name] = title
        if not frames:
            raise self._unrecognised(found, item.file_name)
        notes |= {
            **untyped_cells,
            "columns": used,
            "unknown_columns": shown(list(dict.fromkeys(unknown))),
            "passed_over": shown(passed_over),
            "rows_above_header": sum(above.values()),
        }
        return RawPart(frames, notes, beside={"decimal_marks": marks, "last_days": last_days, "malformed": malformed})

    def _unrecognised(self, found: Sequence[Grid], file_name: str) -> DeliveryRefused:
        wanted = "; ".join(
            f"{table.name}: {', '.join(repr((item.labels or {}).get('en', item.name)) for item in delivered(table) if item.required)}"
            for table in self.contract.tables
        )
        text = f"no heading of {self.contract.source} was recognised ({len(found)} tables in the file). Needed are {wanted}"
        advice = f"`nyckeltal template {self.contract.source}` writes a file to fill in"
        return refusal("header_unrecognised", f"{text}; {advice}", file_name)

    def clean(self, raw: RawPart, deliveries: Sequence[Delivered], context: Context) -> CleanPart:
        """Accepted rows of each table, failures, warnings and counts."""
        empty = pl.DataFrame(schema=FAILURE_SCHEMA)
        if raw.refused:
            return CleanPart({}, empty, empty, pl.DataFrame(schema=COUNT_SCHEMA), refused=raw.refused)
        item = next(one for one in deliveries if one.delivery_id == raw.notes["delivery_id"])
        marks, last_days, malformed = (raw.beside[name] for name in ("decimal_marks", "last_days", "malformed"))
        assert isinstance(marks, Mapping)  # noqa: S101 - set by read
        assert isinstance(last_days, Mapping)  # noqa: S101
        assert isinstance(malformed, list)  # noqa: S101
        cleaned = [
            Cleaning(
                self.contract.table(name), frame, item, context.reference, marks[name], last_days.get(name, ()), self.check
            ).result([(line, reason) for table, line, reason in malformed if table == name])
            for name, frame in raw.frames.items()
        ]
        return CleanPart(
            accepted={one.table: one.accepted for one in cleaned},
            failures=pl.concat([empty, *(one.failures for one in cleaned)]),
            warnings=pl.concat([empty, *(one.warnings for one in cleaned)]),
            counts=pl.concat([one.counts for one in cleaned]),
            facts={"set_aside": [one.set_aside for one in cleaned]},
        )

    def conclude(self, parts: Sequence[CleanPart], deliveries: Sequence[Delivered], context: Context) -> Conclusion:
        """Refuses deliveries of which no row could be taken, with the rules that its rows broke."""
        return conclude(self.contract, parts, deliveries)

    def recognise(self, path: Path) -> int:
        """How surely a file is of this source, 0-100: a template's mark, else the share of known headings."""
        found = [self.ready(grid, None, "", None) for grid in grids.head_of(path)]
        for grid in found:
            if grid.rows and [cell.strip() for cell in grid.rows[0][:2]] == [MARK, self.contract.source]:
                return 100
        return max((score(grid, self.contract) for grid in found), default=0)


def no_coverage(file_name: str) -> tuple[date | None, date | None, str]:
    """Nothing: what a delivery replaces is told by its rows."""
    return None, None, ""


def conclude(contract: Contract, parts: Sequence[CleanPart], deliveries: Sequence[Delivered]) -> Conclusion:
    """See `Form.conclude`; for every source whose parts put their set-aside rows into `facts`."""
    counts = pl.concat([pl.DataFrame(schema=COUNT_SCHEMA), *(part.counts for part in parts)])
    totals = {
        row["delivery_id"]: row["rows_accepted"]
        for row in counts.group_by("delivery_id").agg(pl.col("rows_accepted").sum()).iter_rows(named=True)
    }
    failures = pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *(part.failures for part in parts)])
    already = {delivery_id for part in parts for delivery_id in part.refused}
    refused: dict[str, list[Reason]] = {}
    for item in deliveries:
        if item.delivery_id in already or totals.get(item.delivery_id, 0) > 0:
            continue
        own = failures.filter(delivery_id=item.delivery_id)
        if own.is_empty():
            text = "the file holds no filled-in row; deliver it with its content"
            refused[item.delivery_id] = [Reason("no_rows", text, file=item.file_name)]
        else:
            refused[item.delivery_id] = _reasons(contract, own, item.file_name)
    aside = [frame for part in parts for frame in part.facts.get("set_aside", [])]  # type: ignore[attr-defined]
    return Conclusion(
        failures=pl.DataFrame(schema=FAILURE_SCHEMA),
        counts=pl.DataFrame(schema=COUNT_SCHEMA),
        set_aside=pl.concat([pl.DataFrame(schema=SET_ASIDE_SCHEMA), *aside]),
        slices=pl.DataFrame(schema=SLICE_SCHEMA),
        refused=refused,
    )


def _reasons(contract: Contract, failures: pl.DataFrame, file_name: str) -> list[Reason]:
    firsts = failures.unique(["table_name", "rule", "column_name"], keep="first", maintain_order=True).head(REASONS_SHOWN)
    return [
        Reason(
            row["rule"],
            f"{contract.table(row['table_name']).rule(row['rule']).description} Correct it and deliver again.",
            file=file_name,
            row=row["source_line"],
            column=row["column_name"],
            value=row["value"],
        )
        for row in firsts.iter_rows(named=True)
    ]


def headings_unread(grid: Grid, header_at: int, used: Mapping[int, str]) -> list[str]:
    """The headings of columns that are not read; a column that holds something without a heading by its place."""
    header, below = grid.rows[header_at], grid.rows[header_at + 1 :]
    unread = []
    for position, cell in enumerate(header):
        if position in used:
            continue
        if cell.strip():
            unread.append(cell.strip())
        elif not grid.unread and any(position < len(row) and row[position].strip() for row in below):
            unread.append(f"column {position + 1}")
    return unread


def shown(cells: Sequence[str]) -> list[str]:
    """Delivered names as receipts may tell them: personal ones masked, long ones cut."""
    values = pl.Series(cells, dtype=pl.String)
    hidden = (personal_values(values, surely=False) | contact_values(values)).to_list() if cells else []
    return ["***" if personal else cell[:60] for cell, personal in zip(cells, hidden, strict=True)]
