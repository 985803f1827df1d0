"""Amounts as text to integer cents, exactly: no floating point anywhere.

Read: decimal comma or point, thousands parted by blanks (NBSP too), apostrophes or the other mark, any minus sign in front
or behind, brackets for minus, a currency word, scientific notation. More than two decimals are rounded to cents half away
from zero (spreadsheets deliver 9.680000000001 for 9.68).
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import polars as pl

from schemas.purchase_invoices import MAX_CENTS

READ, BLANK, UNREADABLE, OUT_OF_RANGE = 0, 1, 2, 3
"""States of a cell beside its cents."""

_MINUS = re.compile("[\u2212\u2013\u2014\u2010\u2011\ufe63\uff0d]")
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009\u200b]+")
_CURRENCY = re.compile(r"(?i)^(?:eur|euroa|€)|(?:eur|euroa|€)$")
_CENT = Decimal("0.01")
_JOINT = "[ \u00a0\u202f]"
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
    plain, cents = _usual(text, decimal_mark)
    state = pl.Series("state", [READ], dtype=pl.UInt8).new_from_index(0, len(text))
    if bool(plain.all()):
        return cents.alias("cents"), state
    rest = plain.not_().arg_true()
    unusual = text.gather(rest)
    # Thousands parted by blanks are common enough to be worth a pass of their own.
    joined = unusual.str.replace_all(_JOINT, "")
    grouped = unusual.str.contains(rf"^-?\d{{1,3}}(?:[ \u00a0\u202f]\d{{3}})+(?:{re.escape(decimal_mark)}\d{{1,2}})?$")
    fits, grouped_cents = _usual(joined, decimal_mark)
    cents = cents.scatter(rest, grouped_cents)
    slow = (grouped & fits).not_().arg_true()
    rest, unusual = rest.gather(slow), unusual.gather(slow)
    values = unusual.unique()
    read = [parse_amount(value, decimal_mark) for value in values.to_list()]
    known = pl.DataFrame(
        {"text": values, "cents": [c for c, _ in read], "state": [s for _, s in read]},
        schema={"text": pl.String, "cents": pl.Int64, "state": pl.UInt8},
    )
    found = pl.DataFrame({"text": unusual}).join(known, on="text", how="left", maintain_order="left")
    return cents.scatter(rest, found["cents"]).alias("cents"), state.scatter(rest, found["state"])


def _usual(text: pl.Series, decimal_mark: str) -> tuple[pl.Series, pl.Series]:
    """(which are plain digits with at most two decimals, their cents; the cents of the others mean nothing)."""
    plain = text.str.contains(rf"^-?\d{{1,10}}(?:{re.escape(decimal_mark)}\d{{1,2}})?$")
    return plain, _cast(text if decimal_mark == "." else text.str.replace(",", ".", literal=True))


def _cast(text: pl.Series) -> pl.Series:
    """Text with a decimal point and at most two decimals to cents; others are replaced by the caller."""
    return text.cast(pl.Decimal(20, 2), strict=False).to_physical().cast(pl.Int64, strict=False)


@lru_cache(maxsize=1 << 16)
def parse_amount(text: str, decimal_mark: str) -> tuple[int | None, int]:
    """(cents, state) of one cell."""
    compact = _MINUS.sub("-", _BLANKS.sub(" ", text)).strip()
    if not compact:
        return None, BLANK
    if len(compact) > _LONGEST:
        return None, OUT_OF_RANGE if re.fullmatch(r"[-+]?\d{40,}(?:[.,]\d+)?", compact) else UNREADABLE
    plain = _plain(_CURRENCY.sub("", compact).strip(), decimal_mark)
    return (None, UNREADABLE) if plain is None else _to_cents(Decimal(plain))


def _to_cents(number: Decimal) -> tuple[int | None, int]:
    """Rounded half away from zero; sizes are looked at first, so that 1e999999 costs nothing."""
    if number and number.adjusted() > 15:
        return None, OUT_OF_RANGE
    if number.adjusted() < -4:
        return 0, READ
    cents = int(number.quantize(_CENT, rounding=ROUND_HALF_UP).scaleb(2))
    return (cents, READ) if abs(cents) <= MAX_CENTS else (None, OUT_OF_RANGE)


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
