"""Amounts as text to integer cents, exactly: no floating point anywhere.

Read: decimal comma or point, thousands parted by blanks (NBSP too), apostrophes or the other mark, any minus sign in front
or behind, brackets for minus, a dash for no cents after a decimal mark (`100,-`, `100, -`; `100,00-` is negative), a currency word,
scientific notation. More than two decimals are rounded to cents half away
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

_DASH = "[-\u2212\u2013\u2014\u2010\u2011\u2012\u2015\ufe63\uff0d]"
_MINUS = re.compile(_DASH)
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009\u200b]+")
_CURRENCY = re.compile(r"(?i)^(?:eur|euroa|€)|(?:eur|euroa|€)$")
_CENT = Decimal("0.01")
_JOINT = "[ \u00a0\u202f]"
_GAP = f"{_JOINT}?"
_LONGEST = 60
_NO_CENTS = re.compile(r"(?<=\d) ?([.,]) ?-{1,2}$")
_NUMBER = re.compile(r"\d(?:[\d.,'’ \u00a0\u202f]*\d)?")
_AMBIGUOUS = r"^\D*[1-9]\d{0,2}[.,]\d{3}\D*$"
"""One mark before three digits: thousands, or decimals."""


def guess_decimal_mark(amounts: pl.Series, default: str) -> str:
    """"," or "." by how the sample's amounts end and what parts their thousands; `default` when they do not tell."""
    text = amounts.drop_nulls().cast(pl.String)
    comma = _count(text, rf",\d{{1,2}}\D*$|\d{_GAP},{_GAP}{_DASH}|^\D?0,\d") + _count(text, r"\d\.\d{3}(?:,\d|\.\d{3})")
    point = _count(text, rf"\.\d{{1,2}}\D*$|^\D?\d+\.\d{{4,}}$|\d{_GAP}\.{_GAP}{_DASH}|^\D?0\.\d") + _count(text, r"\d,\d{3}(?:\.\d|,\d{3})")
    if comma == point:
        return default
    return "," if comma > point else "."


def _count(text: pl.Series, pattern: str) -> int:
    return int(text.str.contains(pattern).sum())


def are_ambiguous(amounts: pl.Series) -> pl.Series:
    """Whether a text is read one way with a decimal comma and another with a point: `1.000`, `-12,500 EUR`."""
    return amounts.cast(pl.String).str.contains(_AMBIGUOUS).fill_null(value=False)


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


def likely_cents(text: str) -> int | None:
    """The most that a text may mean as an amount, with either mark and without the words around it; None where it holds no number.
    For weighing what is lost where an amount cannot be read, never for the amount itself."""
    found = _NUMBER.findall(text)
    texts = [text, *(found if len(found) == 1 else [])]
    read = [parse_amount(one.strip(), mark)[0] for one in texts for mark in ",."]
    return max((abs(cents) for cents in read if cents is not None), default=None)


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
    no_cents = _NO_CENTS.search(text)
    if no_cents:
        text, decimal_mark = text[: no_cents.start()], no_cents[1]
    elif not sign and text.endswith(("-", "+")):
        text, sign = text[:-1].strip(), text[-1]
    if text.startswith(("-", "+")):
        if sign:
            return None
        text, sign = text[1:].strip(), text[0]
    other = "." if decimal_mark == "," else ","
    mark = re.escape(decimal_mark)
    whole = rf"[1-9]\d{{0,2}}(?:(?:[ '’]|{re.escape(other)})\d{{3}})+|\d*"
    match = re.fullmatch(rf"({whole})(?:{mark}(\d*))?(?:[eE]([-+]?\d{{1,6}}))?", text)
    # What stands before a dash for no cents is whole: `1.250.-` is not 1.25.
    if match is None or not (match[1] or match[2]) or (no_cents and match[1] != text):
        return None
    digits = re.sub(r"\D", "", match[1]) or "0"
    return f"{sign}{digits}.{match[2] or '0'}" + (f"e{match[3]}" if match[3] else "")
