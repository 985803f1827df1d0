"""Forms: delivered file -> the tables of a contract described by `schemas/forms.py`. One way for every such source.

A file holds one or more of the contract's tables (sheets of a workbook, keys of a JSON object, one table otherwise); which one
a grid holds is told by its headings, in any of the three languages. Cells become what their columns ask for; rows that break a
rule are quarantined with the column and, where it cannot be a person, the value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl

from schemas.contract import Column, Contract, Table
from schemas.errors import DeliveryRefused, Reason
from schemas.forms import FALSE, FIRST_DAY, FIRST_YEAR, LAST_DAY, LAST_YEAR, TRUE, delivered
from schemas.reference import Reference
from transforms.aliases import aliases_on
from transforms.amounts import READ, guess_decimal_mark, parse_cents
from transforms.dates import detect_date_format, parse_dates
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
from transforms.formats import grids
from transforms.formats.detect import HEADER_WITHIN, normalise_header, refusal
from transforms.formats.grids import FORMULA, Grid
from transforms.moments import parse_moments
from transforms.personal import contact_values, personal_values, told
from transforms.suppliers import business_id, organisation_names, words_of

MARK = "nyckeltal-template"
"""First cell of a template's first sheet; the source stands beside it."""
REASONS_SHOWN = 10
VALUE_LENGTH = 200
Broken = tuple[str, str | None, pl.Expr]
"""A rule, the column it speaks of, and where it is broken."""
Check = Callable[[str, Reference], Sequence[Broken]]
"""(table, registers) -> rules of the source's own, over the typed columns."""
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
        found = [self.ready(grid, context.reference, item.agency, item.day) for grid in read]
        frames: dict[str, pl.DataFrame] = {}
        marks: dict[str, str | None] = {}
        last_days: dict[str, set[str]] = {}
        notes: dict[str, object] = {"delivery_id": item.delivery_id, "format": found[0].kind if found else "empty"}
        used: dict[str, str] = {}
        unknown: list[str] = []
        malformed: list[tuple[str, int, str]] = []
        for grid in found:
            placed = _place(grid, self.contract)
            if placed is None:
                continue
            if placed.table in frames:
                text = f"two sheets hold the table {placed.table}; deliver one of them"
                raise refusal("several_sheets", text, item.file_name)
            frame, bad = grids.frame_of(grid, placed.header_at, placed.columns)
            frames[placed.table] = frame
            marks[placed.table] = grid.decimal_mark
            malformed += [(placed.table, line, reason) for line, reason in bad]
            header = grid.rows[placed.header_at]
            last_days[placed.table] = _last_days(self.contract.table(placed.table), header, placed.columns)
            used |= {header[place].strip(): name for place, name in placed.columns.items()}
            unknown += [
                header[place].strip() for place in range(len(header)) if place not in placed.columns and header[place].strip()
            ]
        if not frames:
            raise self._unrecognised(found, item.file_name)
        notes |= {
            "columns": used,
            "unknown_columns": _shown(unknown),
            "decimal_marks": marks,
            "last_days": last_days,
            "malformed": malformed,
        }
        return RawPart(frames, notes)

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
        marks = raw.notes.pop("decimal_marks")
        last_days = raw.notes.pop("last_days", {})  # none of the registers beside surveys has any
        malformed = raw.notes.pop("malformed")
        assert isinstance(marks, Mapping)  # noqa: S101 - set by read
        assert isinstance(last_days, Mapping)  # noqa: S101
        assert isinstance(malformed, list)  # noqa: S101
        cleaned = [
            _Cleaning(
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
        return max((_score(grid, self.contract) for grid in found), default=0)


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


@dataclass(frozen=True)
class _Placed:
    table: str
    header_at: int
    columns: dict[int, str]


@lru_cache(maxsize=256)
def _headings(contract_id: int, table_name: str) -> Mapping[str, str]:
    table = _CONTRACTS[contract_id].table(table_name)
    found: dict[str, str] = {}
    for item in delivered(table):
        for heading in (*(item.labels or {}).values(), item.name, *item.also, *item.last_day):
            found.setdefault(heading_of(heading), item.name)
    return found


_CONTRACTS: dict[int, Contract] = {}


def headings(contract: Contract, table: Table) -> Mapping[str, str]:
    """Known heading (normalised) -> column of a table."""
    _CONTRACTS[id(contract)] = contract
    return _headings(id(contract), table.name)


def heading_of(text: str) -> str:
    """A heading as it is compared: without the star of what must be filled in."""
    return normalise_header(text).rstrip("*").strip()


def _match(cells: Sequence[str], known: Mapping[str, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        name = known.get(heading_of(cell))
        if name is not None and name not in found.values():
            found[place] = name
    return found


def _last_days(table: Table, header: Sequence[str], columns: Mapping[int, str]) -> set[str]:
    """Columns whose heading in the file speaks of the last day where the contract wants the day after."""
    inclusive = {name: {heading_of(text) for text in table.column(name).last_day} for name in columns.values()}
    return {name for place, name in columns.items() if heading_of(header[place]) in inclusive[name]}


def _place(grid: Grid, contract: Contract) -> _Placed | None:
    """The table that a grid holds: the one most of whose headings stand in one of the first rows, all required ones among them."""
    best: tuple[int, _Placed] | None = None
    for table in contract.tables:
        known = headings(contract, table)
        required = {item.name for item in delivered(table) if item.required}
        for at, cells in enumerate(grid.rows[: 1 if grid.has_header else HEADER_WITHIN]):
            columns = _match(cells, known)
            if required <= set(columns.values()) and (best is None or len(columns) > best[0]):
                best = len(columns), _Placed(table.name, at, columns)
    return best[1] if best and best[0] >= 2 else None


def _score(grid: Grid, contract: Contract) -> int:
    placed = _place(grid, contract)
    if placed is None:
        return 0
    named = sum(1 for cell in grid.rows[placed.header_at] if cell.strip())
    return min(99, 40 + round(59 * len(placed.columns) / max(named, 1)))


def _shown(cells: Sequence[str]) -> list[str]:
    values = pl.Series(cells, dtype=pl.String)
    hidden = (personal_values(values, surely=False) | contact_values(values)).to_list() if cells else []
    return ["***" if personal else cell[:60] for cell, personal in zip(cells, hidden, strict=True)]


@dataclass(frozen=True)
class _Cleaned:
    table: str
    accepted: pl.DataFrame
    failures: pl.DataFrame
    warnings: pl.DataFrame
    counts: pl.DataFrame
    set_aside: pl.DataFrame


class _Cleaning:
    """One table of one delivery."""

    def __init__(
        self,
        table: Table,
        raw: pl.DataFrame,
        item: Delivered,
        reference: Reference,
        mark: str | None,
        last_days: Collection[str],
        check: Check,
    ) -> None:
        self.table = table
        self.item = item
        self.reference = reference
        self.mark = mark
        self.last_days = last_days
        self.check = check
        self.columns = delivered(table)
        text = [_tidied(raw, column.name) for column in self.columns]
        self.raw = pl.DataFrame([*text, raw["source_line"]])
        self.failures: list[pl.DataFrame] = []
        self.warnings: list[pl.DataFrame] = []

    def result(self, malformed: Sequence[tuple[int, str]]) -> _Cleaned:
        names = [column.name for column in self.columns]
        blank = self.raw.select(pl.all_horizontal(pl.col(names).is_null())).to_series()
        aside, self.raw = self.raw.filter(blank), self.raw.filter(~blank)
        for line, reason in malformed:
            self._fail("row_malformed", None, pl.DataFrame({"source_line": [line], "value": [reason]}))
        typed = pl.DataFrame([self._typed(column) for column in self.columns] + [self.raw["source_line"]])
        self._own_rules(typed)
        self._repeated(typed)
        failures = pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *self.failures])
        bad = failures["source_line"].unique()
        accepted = typed.filter(~pl.col("source_line").is_in(bad.to_list())).with_columns(
            delivery_id=pl.lit(self.item.delivery_id),
            agency=pl.lit(self.item.agency),
            produced_at=pl.lit(self.item.produced_at).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")),
        )
        schema = self.table.polars_schema()
        rows_read = self.raw.height + aside.height + len(malformed)
        counts = dict.fromkeys(COUNT_SCHEMA.names(), 0) | {
            "delivery_id": self.item.delivery_id,
            "table_name": self.table.name,
            "rows_read": rows_read,
            "rows_accepted": accepted.height,
            "rows_set_aside": aside.height,
            "rows_quarantined": rows_read - accepted.height - aside.height,
        }
        return _Cleaned(
            self.table.name,
            accepted.select(schema.names()).cast(schema),
            failures,
            pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *self.warnings]),
            pl.DataFrame([counts], schema=COUNT_SCHEMA),
            aside.select(
                delivery_id=pl.lit(self.item.delivery_id),
                table_name=pl.lit(self.table.name),
                source_line="source_line",
                reason=pl.lit("blank_row"),
                cents=pl.lit(0, pl.Int64),
            ),
        )

    def _typed(self, column: Column) -> pl.Series:
        """A column as its contract wants it; what cannot be read is told and null."""
        text = self.raw[column.name]
        formula = (text == FORMULA).fill_null(value=False)
        self._broken("value_is_formula", column, formula, shown=False)
        text = _nulled(text, formula)
        personal = personal_values(text)
        if personal.any():
            self._warn("personal_id_found", column.name, personal)
            text = _nulled(text, personal)
        if column.dtype == pl.String and not column.is_organisation and column.words is None:
            reachable = contact_values(text)
            if reachable.any():
                self._warn("contact_found", column.name, reachable)
                text = _nulled(text, reachable)
        if column.name == "organisation_name":
            text = organisation_names(text, words_of(self.reference))
        if column.is_organisation:
            values, rule = self._organisations(text), "organisation_unknown"
        elif column.words is not None:
            values, rule = _coded(text, column.words), "code_unknown"
        else:
            values, rule = self._read(text, column), "value_unreadable"
        self._broken(rule, column, text.is_not_null() & values.is_null())
        if column.required:
            self._broken("value_missing", column, text.is_null() & ~formula, shown=False)
        self._broken("value_out_of_range", column, _outside(values, column))
        return values.alias(column.name)

    def _read(self, text: pl.Series, column: Column) -> pl.Series:
        if column.dtype == pl.Boolean:
            return _yes_no(text)
        if column.dtype == pl.Date:
            known = detect_date_format(text)
            days = parse_dates(text, known) if known else pl.Series([None], dtype=pl.Date).new_from_index(0, len(text))
            return days.dt.offset_by("1d") if column.name in self.last_days else days
        if isinstance(column.dtype, pl.Datetime):
            return parse_moments(text, self.reference.agencies[self.item.agency].date_format)
        if column.unit in ("cent", "hundredth"):
            if self.mark == ".":  # a text cell among number cells: "10,5" can be nothing else than ten and a half
                text = text.str.replace(r"^([^,.]*),(\d{1,2})(\D*)$", "$1.$2$3")
            mark = guess_decimal_mark(text, self.mark or ".") if self.mark in (None, ",") else self.mark
            cents, state = parse_cents(text, mark or ".")
            return _nulled(cents, (state != READ) | text.is_null())
        if column.dtype == pl.Int64:
            return text.str.replace_all(r"[\s\u00a0]", "").str.replace(r"[.,]0+$", "").cast(pl.Int64, strict=False)
        return text

    def _organisations(self, text: pl.Series) -> pl.Series:
        known = set(self.reference.table("organisations.csv")["organisation_id"].to_list())
        aliases = aliases_on(self.reference, self.item.agency, self.item.day)

        def one(value: str) -> str | None:
            return value if value in known else aliases.get(value) or business_id(value)

        found = {value: one(value) for value in text.drop_nulls().unique().to_list()}
        return text.replace_strict(found, default=None, return_dtype=pl.String) if found else text

    def _own_rules(self, typed: pl.DataFrame) -> None:
        for rule, name, where in self.check(self.table.name, self.reference):
            hit = typed.select(where.fill_null(value=False)).to_series()
            severity = self.table.rule(rule).severity
            if severity == "fail":
                self._fail(rule, name, self._values(hit, name))
            else:
                self._warn(rule, name, hit)

    def _repeated(self, typed: pl.DataFrame) -> None:
        key = list(self.table.primary_key)
        if not key or typed.is_empty():
            return
        whole = pl.all_horizontal(pl.col(key).is_not_null())
        later = typed.select(whole & ~pl.struct(key).is_first_distinct()).to_series()
        self._fail("key_repeated", key[-1], self._values(later, key[-1]))

    def _broken(self, rule: str, column: Column, where: pl.Series, shown: bool = True) -> None:
        if where.any():
            self._fail(rule, column.name, self._values(where, column.name if shown else None))

    def _values(self, where: pl.Series, name: str | None) -> pl.DataFrame:
        """source_line and the delivered text of the rows that are hit, as far as it may be told."""
        hit = self.raw.filter(where)
        hidden = pl.Series([None], dtype=pl.String).new_from_index(0, hit.height)
        text = told(hit[name]).str.slice(0, VALUE_LENGTH) if name and not self._hidden(name) else hidden
        return pl.DataFrame({"source_line": hit["source_line"], "value": text})

    def _hidden(self, name: str) -> bool:
        column = self.table.column(name)
        return column.personal or column.is_masked

    def _fail(self, rule: str, name: str | None, hit: pl.DataFrame) -> None:
        self.failures.append(self._shaped(rule, name, hit))

    def _warn(self, rule: str, name: str | None, where: pl.Series) -> None:
        hit = self.raw.filter(where).select("source_line", pl.lit(None, pl.String).alias("value"))
        self.warnings.append(self._shaped(rule, name, hit))

    def _shaped(self, rule: str, name: str | None, hit: pl.DataFrame) -> pl.DataFrame:
        return hit.select(
            pl.lit(self.item.delivery_id).alias("delivery_id"),
            pl.lit(self.table.name).alias("table_name"),
            "source_line",
            pl.lit(name, dtype=pl.String).alias("column_name"),
            pl.lit(rule).alias("rule"),
            "value",
        ).cast(FAILURE_SCHEMA)


def _tidied(raw: pl.DataFrame, name: str) -> pl.Series:
    """A delivered column with blanks collapsed; blank cells are null. A column that the file does not have is null throughout."""
    if name not in raw.columns:
        return pl.Series(name, [None], dtype=pl.String).new_from_index(0, raw.height)
    text = raw[name].str.replace_all(r"[\s\u00a0\u200b\ufeff]+", " ").str.strip_chars()
    return _nulled(text, text == "").alias(name)


def _nulled(values: pl.Series, where: pl.Series) -> pl.Series:
    return values.zip_with(~where.fill_null(value=False), pl.Series([None], dtype=values.dtype).new_from_index(0, len(values)))


def _coded(text: pl.Series, words: Mapping[str, tuple[str, ...]]) -> pl.Series:
    known = {normalise_header(word): code for code, spoken in words.items() for word in (code, *spoken)}
    lowered = text.str.to_lowercase()
    found = {value: known.get(normalise_header(value)) for value in lowered.drop_nulls().unique().to_list()}
    return lowered.replace_strict(found, default=None, return_dtype=pl.String) if found else text


def _yes_no(text: pl.Series) -> pl.Series:
    lowered = text.str.to_lowercase()
    answers = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
    return lowered.replace_strict(answers, default=None, return_dtype=pl.Boolean)


def _outside(values: pl.Series, column: Column) -> pl.Series:
    if values.dtype == pl.Date:
        return ((values < FIRST_DAY) | (values > LAST_DAY)).fill_null(value=False)
    if isinstance(values.dtype, pl.Datetime):
        return ~values.dt.year().is_between(FIRST_YEAR, LAST_YEAR - 1).fill_null(value=True)
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    if values.dtype != pl.Int64:
        return none
    below = (values < column.minimum).fill_null(value=False) if column.minimum is not None else none
    above = (values > column.maximum).fill_null(value=False) if column.maximum is not None else none
    return below | above
