"""Numbers of forms: amounts in cents, values in hundredths, whole numbers.

Where the format tells numbers from texts, numbers have a point; what a mark means in texts is told by the column's texts alone, and a
text that may be read in two ways is not read where none tells. Elsewhere the column's texts tell, else what the delimiter suggests.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from transforms.amounts import READ, are_ambiguous, guess_decimal_mark, parse_cents

_WHOLE = r"^[-+\u2212]?(?:\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)?$"
"""What a whole number may look like: no currency, no brackets, no power."""


@dataclass(frozen=True)
class Numbers:
    """Whole numbers, cents or hundredths, null where a text is none; `ambiguous`: texts that may be read in two ways."""

    values: pl.Series
    ambiguous: pl.Series


def read_numbers(text: pl.Series, numbers: pl.Series | None, default: str | None, is_whole: bool) -> Numbers:
    """The numbers of a column. `numbers`: cells that the format calls numbers (None: it does not tell); `default`: the decimal mark
    where the texts do not tell (None: a point)."""
    if is_whole:
        text = _only(text, text.str.contains(_WHOLE))
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(text))
    if numbers is None:
        return Numbers(_parsed(text, _mark(text, default or ".", is_whole), is_whole), none)
    texts = _only(text, ~numbers)
    mark = _mark(texts, "", is_whole)
    if mark != ",":  # "10,5" can be nothing else than ten and a half
        texts = texts.str.replace(r"^([^,.]*),(\d{1,2})(\D*)$", "$1.$2$3")
    values = _parsed(_only(text, numbers), ".", is_whole).zip_with(numbers, _parsed(texts, mark or ".", is_whole))
    ambiguous = none if mark else are_ambiguous(texts)
    return Numbers(_only(values, ~ambiguous), ambiguous)


def _mark(texts: pl.Series, default: str, is_whole: bool) -> str:
    """The decimal mark of texts. Three digits behind a mark are no decimals of a whole number, unless they are zeros."""
    if is_whole:
        for thousands, decimal in ((".", ","), (",", ".")):
            if texts.str.contains(rf"^\D?[1-9]\d{{0,2}}(?:[{thousands}]\d{{3}})*[{thousands}](?:\d\d[1-9]|\d[1-9]\d|[1-9]\d\d)$").any():
                return decimal
    return guess_decimal_mark(texts, default)


def _parsed(text: pl.Series, mark: str, is_whole: bool) -> pl.Series:
    cents, state = parse_cents(text, mark)
    cents = _only(cents, state == READ)
    return _only(cents // 100, cents % 100 == 0) if is_whole else cents


def _only(values: pl.Series, where: pl.Series) -> pl.Series:
    """The values where `where` is true, null elsewhere."""
    return values.zip_with(where.fill_null(value=False), pl.Series([None], dtype=values.dtype).new_from_index(0, len(values)))
