"""What every row of a register must be: days, numbers and words that can be read, one row per key, one row per day.

Rows are checked once, when the registers are loaded; each bears its place (`WHERE`: file and row as a spreadsheet counts it),
so a person is told where the mistake stands, shipped or own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

import polars as pl

from schemas.errors import ConfigurationError

WHERE = "__where"
"""Column with the place of a row while registers are loaded; no register has it afterwards."""

DAYS = ("valid_from", "valid_to", "break_date", "frame_from", "frame_to")
"""Columns that hold days, in whatever register."""
DAYS_NEEDED = {("catalogue/breaks.csv", "break_date"), ("catalogue/impact_weights.csv", "valid_from")}
YES_NO = (
    "confirmed",
    "in_frame",
    "is_procurement",
    "is_support_service",
    "linked",
    "matches",
    "openly_published",
    "owned",
    "without_largest",
)
"""Columns that hold yes or no, in whatever register; blank is allowed here and refused where an answer is needed."""

WHOLE: Mapping[str, Sequence[str]] = {
    "catalogue/gdp.csv": ("year",),
    "catalogue/total_expenditure.csv": ("year",),
    "catalogue/disclosure.csv": ("minimum_n", "minimum_contributors", "extreme_below"),
    "catalogue/strategy_indicators.csv": ("official_no",),
    "catalogue/strategy_map.csv": ("official_no",),
    "codelists/survey_names.csv": ("year",),
    "codelists/survey_rules.csv": ("months_back",),
    "codelists/survey_scales.csv": ("value",),
}
NUMBERS: Mapping[str, Sequence[str]] = {
    "catalogue/gdp.csv": ("gdp_eur",),
    "catalogue/total_expenditure.csv": ("eur",),
    "catalogue/limits.csv": ("value",),
    "catalogue/targets.csv": ("target", "green_value", "red_value"),
    "catalogue/reference_values.csv": ("value", "tolerance"),
}
_OPERATORS = (">=", ">", "<=", "<")
WORDS: Mapping[tuple[str, str], Sequence[str]] = {
    ("agencies.csv", "language"): ("fi", "sv", "en"),
    ("agencies.csv", "amount_basis"): ("net", "gross"),
    ("supplier_words.csv", "kind"): ("company_form", "first_name", "masked", "organisation", "private_person", "private_trader", "total"),
    ("sector_aliases.csv", "kind"): ("state_file", "legal_type", "name_word", "name_end"),
    ("cpv.csv", "kind"): ("supplies", "services", "works"),
    ("codelists/agreement_categories.csv", "kind"): ("register", "invoice"),
    ("codelists/contact_words.csv", "kind"): ("state", "status_reason", "origin", "request_type"),
    ("catalogue/limits.csv", "unit"): ("eur",),
    ("catalogue/targets.csv", "target_operator"): _OPERATORS,
    ("catalogue/targets.csv", "green_operator"): _OPERATORS,
    ("catalogue/targets.csv", "red_operator"): _OPERATORS,
    ("catalogue/targets.csv", "rule"): ("official", "own", "line"),
}
"""Columns that hold one of a few words; blank is allowed here."""
KNOWN: Mapping[tuple[str, str], tuple[str, str]] = {
    ("organisations.csv", "sector"): ("sectors.csv", "sector"),
    ("organisations.csv", "region"): ("regions.csv", "region"),
    ("sector_aliases.csv", "sector"): ("sectors.csv", "sector"),
    ("supplier_domiciles.csv", "region"): ("regions.csv", "region"),
    ("group_members.csv", "group"): ("groups.csv", "group"),
}
"""Columns whose values another register must know."""
MERGED = ("public_bodies.csv", "supplier_groups.csv")
"""Registers whose rows say nothing but that somebody is of a kind: their days are put together, and may overlap."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def check(tables: Mapping[str, pl.DataFrame]) -> None:
    """Every cell that is no free text. Raises ConfigurationError naming file, row, column, value and what to write."""
    for name, table in tables.items():
        for column in table.columns:
            for reads, advice in _readers(name, column, tables):
                for where, value in table.select(WHERE, column).drop_nulls(column).iter_rows():
                    if not reads(value):
                        raise ConfigurationError(f"{where}: {column} {value!r} is {advice}")
            if (name, column) in DAYS_NEEDED and table[column].null_count():
                where = table.filter(pl.col(column).is_null())[WHERE][0]
                raise ConfigurationError(f"{where}: {column} is blank; write a day as 2024-12-31")


def _readers(name: str, column: str, tables: Mapping[str, pl.DataFrame]) -> Iterator[tuple[Callable[[str], bool], str]]:
    """How a column's cells are tried, and what is said of one that fails."""
    if column in DAYS:
        yield _is_day, "not a day; write it as 2024-12-31"
    if column in YES_NO:
        yield ("yes", "no").__contains__, "not yes or no"
    if column in WHOLE.get(name, ()):
        yield _is_whole, "not a whole number; write digits only"
    if column in NUMBERS.get(name, ()):
        yield _is_number, "not a number; write it as 0.05, with a point and without spaces"
    if words := WORDS.get((name, column)):
        yield words.__contains__, f"not one of {', '.join(words)}"
    if register := KNOWN.get((name, column)):
        known = frozenset(tables[register[0]][register[1]])
        yield known.__contains__, f"not in {register[0]}; correct it or add it there"


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and "_" not in text
    except InvalidOperation:
        return False


def require_unique(key: Sequence[str], table: pl.DataFrame) -> None:
    """One row per key in one file. Raises ConfigurationError naming both rows."""
    seen: dict[tuple[str | None, ...], str] = {}
    for where, *cells in table.select(WHERE, *key).iter_rows():
        found = tuple(cells)
        if found in seen:
            told = ", ".join(f"{column} {value or 'blank'}" for column, value in zip(key, found, strict=True))
            raise ConfigurationError(f"{where}: the same {told} as {seen[found]}; one row may have them, remove the other")
        seen[found] = where


def ended(name: str, key: Sequence[str], table: pl.DataFrame) -> pl.DataFrame:
    """The rows of register `name` with validity, one per day for what `key` names beside its valid_from: a row without valid_to ends the day before the
    next one begins. Raises ConfigurationError for a row that ends before it begins or reaches into the next."""
    if not {"valid_from", "valid_to"} <= set(table.columns):
        return table
    may_overlap = name in MERGED
    subject = [column for column in key if column != "valid_from"]
    ends = table["valid_to"].to_list()
    rows = sorted(enumerate(table.select(WHERE, "valid_from", "valid_to", *subject).iter_rows()), key=lambda row: row[1][1] or "")
    former: dict[tuple[str | None, ...], tuple[int, str, str | None]] = {}
    for place, (where, since, until, *cells) in rows:
        if since and until and until < since:
            raise ConfigurationError(f"{where}: valid_to {until!r} lies before valid_from {since!r}; correct one of them")
        who = tuple(cells)
        if who in former and since and not may_overlap:
            at, other, last = former[who]
            if last and last >= since:
                named = ", ".join(cell or "blank" for cell in cells)
                raise ConfigurationError(
                    f"{where}: for {named} two rows are valid on {since}; end the earlier one ({other}) the day before"
                )
            if last is None:
                ends[at] = str(date.fromisoformat(since) - timedelta(days=1))
        former[who] = place, where, until
    return table.with_columns(valid_to=pl.Series(ends, dtype=pl.String))
