"""One table of one delivered form: cells become what their columns ask for; rows that break a rule are told with the column and,
where it cannot be a person, the value."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.contract import Column, Table
from schemas.forms import FALSE, FIRST_DAY, FIRST_YEAR, LAST_DAY, LAST_YEAR, TRUE, delivered
from schemas.reference import Reference
from transforms.aliases import aliases_on
from transforms.dates import detect_date_format, parse_dates
from transforms.delivery import COUNT_SCHEMA, FAILURE_SCHEMA, Delivered
from transforms.formats.detect import is_number, normalise_header
from transforms.formats.grids import FORMULA
from transforms.ids import read_ids
from transforms.moments import parse_moments
from transforms.personal import contact_values, personal_values, told
from transforms.sources.form_numbers import read_numbers
from transforms.suppliers import business_id, organisation_names, words_of

VALUE_LENGTH = 200
Broken = tuple[str, str | None, pl.Expr]
"""A rule, the column it speaks of, and where it is broken."""
Check = Callable[[str, Reference], Sequence[Broken]]
"""(table, registers) -> rules of the source's own, over the typed columns."""


@dataclass(frozen=True)
class Cleaned:
    """What became of one table of one delivery, in the shapes of `transforms.delivery`."""

    table: str
    accepted: pl.DataFrame
    failures: pl.DataFrame
    warnings: pl.DataFrame
    counts: pl.DataFrame
    set_aside: pl.DataFrame


class Cleaning:
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
        numbers = [raw[name] for column in self.columns if (name := is_number(column.name)) in raw.columns]
        self.raw = pl.DataFrame([*text, *numbers, raw["source_line"]])
        self.ambiguous: dict[str, pl.Series] = {}
        self.failures: list[pl.DataFrame] = []
        self.warnings: list[pl.DataFrame] = []

    def result(self, malformed: Sequence[tuple[int, str]]) -> Cleaned:
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
        return Cleaned(
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
        formula = text == FORMULA
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
        if column.is_id:
            text = self._ids(text, column)
        if column.name == "organisation_name":
            text = organisation_names(text, words_of(self.reference))
        if column.is_organisation:
            values, rule = self._organisations(text), "organisation_unknown"
        elif column.words is not None:
            values, rule = _coded(text, column.words), "code_unknown"
        else:
            values, rule = self._read(text, column), "value_unreadable"
        cells = pl.DataFrame([text.alias("text"), values.alias("value"), formula.alias("formula")])
        unread = _where(cells, pl.col("text").is_not_null() & pl.col("value").is_null())
        if column.name in self.ambiguous:
            unread = unread & ~self.ambiguous[column.name]
        self._broken(rule, column, unread)
        if column.required:
            missing = _where(cells, pl.col("text").is_null() & pl.col("formula").ne_missing(other=True))
            self._broken("value_missing", column, missing, shown=False)
        self._broken("value_out_of_range", column, _outside(values, column))
        return values.alias(column.name)

    def _ids(self, text: pl.Series, column: Column) -> pl.Series:
        """Ids as they were before programs took them for numbers, as far as that can be known."""
        ids = read_ids(text.str.replace(r"^(\d+)\.0+$", "${1}"))
        self._broken("id_is_number", column, ids.ruined)
        if ids.shortened.any():
            self._warn("id_zeros_lost", column.name, ids.shortened)
        return ids.values

    def _read(self, text: pl.Series, column: Column) -> pl.Series:
        if column.dtype == pl.Boolean:
            return _yes_no(text)
        if column.dtype == pl.Date:
            known = detect_date_format(text)
            days = parse_dates(text, known) if known else pl.Series([None], dtype=pl.Date).new_from_index(0, len(text))
            return days.dt.offset_by("1d") if column.name in self.last_days else days
        if isinstance(column.dtype, pl.Datetime):
            return parse_moments(text, self.reference.agencies[self.item.agency].date_format)
        if column.dtype == pl.Int64:
            numbers = self.raw[is_number(column.name)] if is_number(column.name) in self.raw.columns else None
            found = read_numbers(text, numbers, self.mark, is_whole=column.unit not in ("cent", "hundredth"))
            self._broken("value_ambiguous", column, found.ambiguous)
            self.ambiguous[column.name] = found.ambiguous
            return found.values
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
        """Tell the rows where `where` is true; null is not."""
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
    text = pl.col(name).str.replace_all(r"[\s\u00a0\u200b\ufeff]+", " ").str.strip_chars()
    return raw.select(pl.when(text != "").then(text).alias(name)).to_series()


def _where(cells: pl.DataFrame, flag: pl.Expr) -> pl.Series:
    return cells.select(flag).to_series()


def _nulled(values: pl.Series, where: pl.Series) -> pl.Series:
    """The values, null `where` it is true; where it is null they stay."""
    nothing = pl.Series(values.name, [None], dtype=values.dtype).new_from_index(0, len(values))
    return nothing.zip_with(where, values)


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
    """Where a value lies outside what its column may hold; null or false elsewhere."""
    if values.dtype == pl.Date:
        return (values < FIRST_DAY) | (values > LAST_DAY)
    if isinstance(values.dtype, pl.Datetime):
        year = values.dt.year()
        return (year < FIRST_YEAR) | (year >= LAST_YEAR)
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    if values.dtype != pl.Int64:
        return none
    below = values < column.minimum if column.minimum is not None else none
    above = values > column.maximum if column.maximum is not None else none
    return below | above
