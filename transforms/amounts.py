"""Amounts as text to integer cents, exactly: no floating point anywhere.

Read: decimal comma or point, thousands parted by blanks (NBSP too), apostrophes or the other mark, any minus sign in front
or behind, brackets for minus, a currency word, scientific notation. More than two decimals are rounded to cents half away
from zero (spreadsheets deliver 9.680000000001 for 9.68).
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

import polars as pl

from schemas.purchase_invoices import MAX_CENTS

READ, BLANK, UNREADABLE, OUT_OF_RANGE = 0, 1, 2, 3
"""States of a cell beside its cents."""

_MINUS = re.compile("[\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d]")
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009\u200b]+")
_CURRENCY = re.compile(r"(?i)^(?:eur|euroa|€)|(?:eur|euroa|€)$")
_CENT = Decimal("0.01")
_LONGEST = 60


def guess_decimal_mark(amounts: pl.Series, default: str) -> str:
    """ "," or "." by how the sample's amounts end; `default` when none has decimals."""
    text = amounts.drop_nulls().cast(pl.String)
    comma = int(text.str.contains(r",\d{1,2}\D*$").sum()) + int(text.str.contains(r"\d\.\d{3},\d").sum())
    point = int(text.str.contains(r"\.\d{1,2}\D*$|^\D?\d+\.\d{4,}$").sum()) + int(text.str.contains(r"\d,\d{3}\.\d").sum())
    if comma == point:
        return default
    return "," if comma > point else "."


def parse_cents(amounts: pl.Series, decimal_mark: str) -> tuple[pl.Series, pl.Series]:
    """(cents Int64, null where not READ; state UInt8) of a text series."""
    text = amounts.fill_null("") if amounts.null_count() else amounts
    plain = text.str.contains(rf"^-?\d{{1,10}}(?:{re.escape(decimal_mark)}\d{{1,2}})?$")
    cents = _cast(text if decimal_mark == "." else text.str.replace(",", ".", literal=True))
    state = pl.Series("state", [READ], dtype=pl.UInt8).new_from_index(0, len(text))
    if bool(plain.all()):
        return cents.alias("cents"), state
    rest = plain.not_().arg_true()
    unusual = text.gather(rest)
    values = unusual.unique()
    read = [parse_amount(value, decimal_mark) for value in values.to_list()]
    known = pl.DataFrame(
        {"text": values, "cents": [c for c, _ in read], "state": [s for _, s in read]},
        schema={"text": pl.String, "cents": pl.Int64, "state": pl.UInt8},
    )
    found = pl.DataFrame({"text": unusual}).join(known, on="text", how="left", maintain_order="left")
    return cents.scatter(rest, found["cents"]).alias("cents"), state.scatter(rest, found["state"])


def _cast(text: pl.Series) -> pl.Series:
    """Text with a decimal point and at most two decimals to cents; others are replaced by the caller."""
    return text.cast(pl.Decimal(20, 2), strict=False).to_physical().cast(pl.Int64, strict=False)


@lru_cache(maxsize=1 << 16)
def parse_amount(text: str, decimal_mark: str) -> tuple[int | None, int]:
    """(cents, state) of one cell."""
    if len(text) > _LONGEST:
        stripped = _BLANKS.sub("", text)
        if len(stripped) > _LONGEST:
            return None, _too_long(stripped)
        text = stripped
    compact = _MINUS.sub("-", _BLANKS.sub(" ", text)).strip()
    if not compact:
        return None, BLANK
    plain = _plain(_CURRENCY.sub("", compact).strip(), decimal_mark)
    if plain is None:
        return None, UNREADABLE
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None, UNREADABLE
    if number and number.adjusted() > 15:
        return None, OUT_OF_RANGE
    if number.adjusted() < -4:
        return 0, READ
    cents = int(number.quantize(_CENT, rounding=ROUND_HALF_UP).scaleb(2))
    return (cents, READ) if abs(cents) <= MAX_CENTS else (None, OUT_OF_RANGE)


def _too_long(text: str) -> int:
    return OUT_OF_RANGE if re.fullmatch(r"[-+]?\d{40,}(?:[.,]\d+)?", text) else UNREADABLE


def _plain(text: str, decimal_mark: str) -> str | None:
    """Sign, digits and decimal point only, or None when the text is no number with this decimal mark."""
    sign = ""
    if text.startswith("(") and text.endswith(")"):
        text, sign = text[1:-1].strip(), "-"
    elif text.endswith(("-", "+")):
        text, sign = text[:-1].strip(), text[-1]
    if text.startswith(("-", "+")):
        if sign:
            return None
        text, sign = text[1:].strip(), text[0]
    other = "." if decimal_mark == "," else ","
    mark = re.escape(decimal_mark)
    whole = rf"\d{{1,3}}(?:(?:[ '’]|{re.escape(other)})\d{{3}})+|\d*"
    match = re.fullmatch(rf"({whole})(?:{mark}(\d*))?(?:[eE]([-+]?\d{{1,6}}))?", text)
    if match is None or not (match[1] or match[2]):
        return None
    digits = re.sub(r"\D", "", match[1]) or "0"
    return f"{sign}{digits}.{match[2] or '0'}" + (f"e{match[3]}" if match[3] else "")
