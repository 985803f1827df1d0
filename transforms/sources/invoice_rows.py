"""One raw part of an invoice file to one cleaned part: typed rows, broken rules, counts. Pure and thread-safe.

Every row is accepted, set aside (blank), deferred (a candidate for the grand total) or quarantined with all the rules it
broke. One bit per rule in one mask; only failing rows are copied out.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from schemas.purchase_invoices import CONTRACT, POSTING_LINE
from schemas.reference import Agency
from transforms import amounts
from transforms.delivery import COUNT_SCHEMA, FAILURE_SCHEMA, CleanPart, Context, Delivered, RawPart
from transforms.formats.delimited import MALFORMED, NO_FINAL_NEWLINE, ROWS, UNREPETITIVE
from transforms.formats.detect import AMOUNT_COLUMNS, is_number
from transforms.personal import told
from transforms.sources import invoice_columns as columns
from transforms.sources import invoice_ids, invoice_subtotals, invoice_texts
from transforms.sources.invoice_losses import weigh
from transforms.suppliers import Suppliers, identify, organisation_names, words_of

TABLE = POSTING_LINE.name
FORMULA = "amount_is_formula"
SUBTOTAL = "subtotal"
_IDS = frozenset({"supplier_business_id", "supplier_country", "organisation_business_id", "posting_date"})
AMBIGUOUS = 9
"""State of an amount that is not read because it may be read in two ways, beside those of `amounts`."""
_FAIL_RULES = tuple(rule.name for rule in POSTING_LINE.rules if rule.severity == "fail")
_BIT = {name: 1 << position for position, name in enumerate(_FAIL_RULES)}
_PERSONAL_RULES = frozenset({"supplier_id_invalid", "supplier_id_missing", "personal_id_found"})
_PERSONAL = frozenset(column.name for column in CONTRACT.delivered_columns if column.personal)
_VALUE_LENGTH = 200
Covered = tuple[date, date] | None



def clean_rows(raw: RawPart, delivered: Delivered, context: Context, covered: Covered) -> CleanPart:
    """The cleaned part of one raw part; `covered` is the first and last covered month or year, None when not known."""
    return _Rows(raw, delivered, context, covered).part()


class _Rows:
    """The columns of one part while it is cleaned."""

    def __init__(self, raw: RawPart, delivered: Delivered, context: Context, covered: Covered) -> None:
        self.raw = raw
        self.delivery_id = delivered.delivery_id
        self.agency: Agency = context.agency(delivered)
        self.reference = context.reference
        frame = raw.frames[ROWS]
        self.frame = frame
        self.count = frame.height
        self.lines = frame["source_line"]
        coded = columns.encode(frame.drop("source_line", FORMULA, *map(is_number, AMOUNT_COLUMNS), strict=False), UNREPETITIVE)
        self.coded, self.persons = columns.without_persons(coded)
        self.coded, self.ids = invoice_ids.without_ruined(self.coded)
        self.case_id = self._read_cases()
        self.words = words_of(context.reference)
        self.known = invoice_texts.known_of(context.reference)
        self.mask = np.zeros(self.count, dtype=np.uint16)
        self._read_amounts(str(raw.notes["decimal_mark"]))
        day_format = str(raw.notes.get("date_format") or "%Y-%m-%d")
        produced = delivered.produced_at.date()
        self.dates = columns.dates(self.coded.get("posting_date"), self.count, day_format, covered, produced)
        self.organisation, self.unmatched = columns.organisations(
            self.coded, self.count, self.agency, self.reference, self.dates.posting_date
        )
        self._flag("date_missing", self.dates.missing)
        self._flag("date_unreadable", self.dates.unreadable)
        self._flag("date_out_of_range", self.dates.out_of_range)
        self._flag("organisation_missing", self.organisation.is_null().to_numpy())
        self._set_keyless()

    def _read_cases(self) -> pl.Series:
        if "case_id" not in self.frame.columns:
            return columns.nothing(self.count)
        cases = invoice_ids.read_cases(self.frame["case_id"].cast(pl.String), self.lines, str(self.raw.notes.get("format")))
        if cases.personal.any():
            self.persons["case_id"] = cases.personal.to_numpy()
        self.ids += cases.found
        return cases.values

    def _flag(self, rule: str, where: np.ndarray) -> None:
        if where.any():
            self.mask[where] |= _BIT[rule]

    def _read_amounts(self, mark: str) -> None:
        """The amount the file is about goes by `primary`; where a second one is delivered it must be readable too."""
        delivered = [name for name in ("net_amount", "gross_amount") if name in self.frame.columns]
        self.primary = delivered[0]
        self.cents: dict[str, pl.Series] = {}
        for name in delivered:
            cents, flags = self._cents(name, mark)
            self.cents[name] = cents
            self._flag("amount_unreadable", flags == amounts.UNREADABLE)
            self._flag("amount_out_of_range", flags == amounts.OUT_OF_RANGE)
            if name == self.primary:
                self.readable = flags == amounts.READ
                self.amount_blank = flags == amounts.BLANK
                self._flag("amount_missing", self.amount_blank)
        if FORMULA in self.frame.columns:
            formula = self.frame[FORMULA].to_numpy()
            self.mask[formula] = 0  # a cached value, or none, is not what the agency delivered
            self._flag("amount_is_formula", formula)
            self.amount_blank = self.amount_blank & ~formula
            self.readable = self.readable & ~formula

    def _cents(self, name: str, mark: str) -> tuple[pl.Series, np.ndarray]:
        """Cents and states of an amount. Where the format tells numbers from texts, numbers have a point; a text that may be read
        in two ways is not read where no other tells which is meant."""
        text = self.frame[name].cast(pl.String)
        cents, state = amounts.parse_cents(text, mark)
        if is_number(name) not in self.frame.columns:
            return cents, state.to_numpy()
        numbers = self.frame[is_number(name)]
        if mark != "." and numbers.any():
            of_numbers, their_state = amounts.parse_cents(text, ".")
            cents, state = of_numbers.zip_with(numbers, cents), their_state.zip_with(numbers, state)
        flags = state.to_numpy().copy()
        if not self.raw.notes["is_mark_told"]:
            ambiguous = (amounts.are_ambiguous(text) & ~numbers).to_numpy()
            self._flag("amount_ambiguous", ambiguous)
            flags[ambiguous] = AMBIGUOUS
        return cents, flags

    def _set_keyless(self) -> None:
        """Rows whose every key is blank (but for a total's label): blank lines, candidates for the grand total, failures."""
        keyless = self._keyless()
        self.blank = keyless & self.amount_blank
        self.subtotal, self.total_word = self._subtotals(keyless)
        self.deferred = keyless & self.readable & ~self.subtotal
        self.mask[self.blank | self.deferred | self.subtotal] = 0
        self._flag("keyless_row", keyless & ~self.blank & ~self.deferred & ~self.subtotal)
        self.failed = self.mask != 0
        self.accepted = ~(self.failed | self.blank | self.deferred | self.subtotal)

    def _subtotals(self, keyless: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows that are subtotals, and rows that only say so. The sum of all rows, keyless, may be the grand total of the whole file:
        that is concluded later."""
        says, only = np.zeros(self.count, dtype=bool), np.zeros(self.count, dtype=bool)
        for name, column in self.coded.items():
            if name in _IDS:
                continue
            named, alone = invoice_subtotals.says_total(column.values, self.words)
            if named.any():
                says |= column.where(named)
                only |= column.where(alone)
        if not says.any():
            return says, says
        cents = self.cents[self.primary].fill_null(0).to_numpy()
        found = invoice_subtotals.find(cents, self.readable & ~self.blank, says)
        of_all = keyless & (cents == cents[self.readable & ~self.blank & ~found & ~keyless].sum())
        return found & ~of_all, only & ~found & ~keyless

    def _keyless(self) -> np.ndarray:
        keyless = np.ones(self.count, dtype=bool)
        for column in self.coded.values():
            empty = column.values.is_null() | self._labels_total(column.values)
            if not empty.any():
                return np.zeros(self.count, dtype=bool)
            keyless &= column.where(empty)
        for hit in self.persons.values():
            keyless &= ~hit
        for _, _, hit in self.ids:
            keyless &= ~hit
        if "case_id" in self.frame.columns and keyless.any():
            keyless &= (self.case_id.is_null() | self._labels_total(self.case_id)).to_numpy()
        return keyless

    def _labels_total(self, values: pl.Series) -> pl.Series:
        return values.str.to_lowercase().str.strip_chars(" :").is_in(self.words.totals).fill_null(False)

    def part(self) -> CleanPart:
        suppliers = identify(self.coded.get("supplier_business_id"), self.coded.get("supplier_name"), self.count, self.words)
        rows = self._typed(suppliers)
        if not self.accepted.all():
            rows = rows.filter(pl.Series(self.accepted))
        seen = rows["period"]
        return CleanPart(
            accepted={TABLE: rows},
            failures=self._failures(),
            warnings=self._warnings(suppliers),
            counts=self._counts(),
            deferred=self._set_apart(self.deferred, "deferred") if self.deferred.any() else None,
            facts={
                "set_aside": pl.concat([self._set_apart(self.blank, "blank_line"), self._set_apart(self.subtotal, SUBTOTAL)]),
                "first": seen.min(),
                "last": seen.max(),
                "absolute": int(self._absolute(self.accepted)),
                "weights": weigh(
                    self.cents[self.primary], self.frame[self.primary], self.accepted, self.failed, self.readable, self.raw.frames[MALFORMED].height
                ),
                "absolute_total_words": int(self._absolute(self.accepted & self.total_word)),
            },
        )

    def _absolute(self, where: np.ndarray) -> int:
        return int(np.abs(self.cents[self.primary].fill_null(0).to_numpy()[where]).sum())

    def _text(self, name: str) -> pl.Series:
        column = self.coded.get(name)
        return columns.nothing(self.count) if column is None else invoice_texts.told(name, column, self.known)

    def _typed(self, suppliers: Suppliers) -> pl.DataFrame:
        accounts = dict(zip(("account_code", "account_name"), columns.accounts(self.coded, self.count), strict=True))
        net, gross = self.cents.get("net_amount"), self.cents.get("gross_amount")
        if self.agency.amount_basis == "gross":  # a gross file is never converted and never counts as net
            net, gross = None, gross if gross is not None else net
        made = {
            "source_line": self.lines,
            "organisation_id": self.organisation,
            "case_id": invoice_texts.told_cases(self.case_id),
            "supplier_kind": suppliers.kind,
            "supplier_id": suppliers.id,
            "supplier_name": suppliers.name,
            "supplier_country": columns.countries(self.coded.get("supplier_country"), self.count),
            **{name: invoice_texts.told(name, column, self.known) for name, column in accounts.items()},
            "posting_date": self.dates.posting_date,
            "period": self.dates.period,
            "slice_period": self.dates.slice_period,
            "net_cents": columns.nothing(self.count, pl.Int64) if net is None else net,
            "gross_cents": columns.nothing(self.count, pl.Int64) if gross is None else gross,
        }
        return pl.DataFrame(
            [(made[c.name] if c.name in made else self._text(c.name)).alias(c.name) for c in POSTING_LINE.columns]
        )

    def _value(self, column: str | None, where: pl.Series) -> pl.Series:
        """The delivered text behind a failure, cut; null where the column is not in the file. Not told as it is: see `_told`."""
        if column == "net_amount":
            column = self.primary
        if column is None or column not in self.frame.columns:
            return columns.nothing(len(where))
        text = self.frame[column].gather(where).cast(pl.String).fill_null("").str.slice(0, _VALUE_LENGTH)
        # A fresh copy: a slice would keep the whole part alive.
        return text.to_frame("v").select(pl.concat_str("v", pl.lit(""))).to_series()

    def _told(self, frames: list[pl.DataFrame]) -> pl.DataFrame:
        """Failures with what may be told of their values: where columns are shifted a name stands anywhere. All at once, for the
        patterns cost more than the values. Names of organisations are told: who it is helps an agency most."""
        found = pl.concat([pl.DataFrame(schema=FAILURE_SCHEMA), *frames])
        names = found["column_name"] == "organisation_name"
        if found["value"].null_count() == found.height:
            return found
        safe = told(found["value"])
        if names.any():
            safe = safe.zip_with(~names.fill_null(value=False), organisation_names(found["value"].str.strip_chars(), self.words))
        return found.with_columns(value=safe)

    def _broken(self, rule_name: str, where: np.ndarray, column: str | None = None) -> pl.DataFrame:
        column = column or POSTING_LINE.rule(rule_name).column
        positions = pl.Series(np.flatnonzero(where), dtype=pl.UInt32)
        value = columns.nothing(len(positions)) if rule_name in _PERSONAL_RULES or column in _PERSONAL else self._value(column, positions)
        return _failure_frame(self.delivery_id, self.lines.gather(positions), column, rule_name, value)

    def _failures(self) -> pl.DataFrame:
        frames = [self._broken(name, (self.mask & bit) != 0) for name, bit in _BIT.items() if (self.mask & bit).any()]
        malformed = self.raw.frames[MALFORMED]  # its reasons are our own words
        return pl.concat(
            [
                self._told(frames),
                _failure_frame(self.delivery_id, malformed["source_line"], None, "row_malformed", malformed["reason"]),
            ]
        )

    def _warnings(self, suppliers: Suppliers) -> pl.DataFrame:
        found = (
            ("supplier_id_invalid", suppliers.invalid, None),
            ("supplier_id_missing", suppliers.missing, None),
            ("personal_id_found", suppliers.personal, None),
            ("organisation_unmatched", self.unmatched, None),
            ("total_without_sum", self.total_word, None),
            *((rule, hit, column) for rule, column, hit in self.ids),
            *(("personal_id_found", hit, column) for column, hit in sorted(self.persons.items())),
        )
        frames = [self._broken(rule, hit & self.accepted, column) for rule, hit, column in found if (hit & self.accepted).any()]
        if NO_FINAL_NEWLINE in self.raw.notes:
            line = pl.Series([self.raw.notes[NO_FINAL_NEWLINE]], dtype=pl.Int64)
            frames.append(_failure_frame(self.delivery_id, line, None, NO_FINAL_NEWLINE, columns.nothing(1)))
        return self._told(frames)

    def _counts(self) -> pl.DataFrame:
        malformed = self.raw.frames[MALFORMED].height
        cents = self.cents[self.primary].fill_null(0).to_numpy()
        readable = self.readable & ~self.blank
        row = {
            "delivery_id": self.delivery_id,
            "table_name": TABLE,
            "rows_read": self.count + malformed,
            "rows_accepted": int(self.accepted.sum()),
            "rows_set_aside": int(self.blank.sum() + self.subtotal.sum()),
            "rows_quarantined": int(self.failed.sum()) + malformed,
            "cents_read": int(cents[readable].sum()),
            "cents_accepted": int(cents[self.accepted].sum()),
            "cents_set_aside": int(cents[self.subtotal].sum()),
            "cents_quarantined": int(cents[self.failed & readable].sum()),
            "amounts_unreadable": int((~self.readable & ~self.blank).sum()) + malformed,
        }
        return pl.DataFrame([row], schema=COUNT_SCHEMA)

    def _set_apart(self, where: np.ndarray, reason: str) -> pl.DataFrame:
        """Rows that are neither accepted nor (yet) failed, in the shape of the conclusion's set-aside rows."""
        positions = pl.Series(np.flatnonzero(where), dtype=pl.UInt32)
        cents = self.cents[self.primary].gather(positions).fill_null(0)
        return pl.DataFrame({"source_line": self.lines.gather(positions), "cents": cents}).select(
            pl.lit(self.delivery_id).alias("delivery_id"), pl.lit(TABLE).alias("table_name"), "source_line", pl.lit(reason).alias("reason"), "cents"
        )  # fmt: skip


def _failure_frame(delivery_id: str, lines: pl.Series, column: str | None, rule: str, value: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame({"source_line": lines, "value": value})
    return frame.select(
        pl.lit(delivery_id).alias("delivery_id"),
        pl.lit(TABLE).alias("table_name"),
        "source_line",
        pl.lit(column, dtype=pl.String).alias("column_name"),
        pl.lit(rule).alias("rule"),
        "value",
    ).cast(FAILURE_SCHEMA)
