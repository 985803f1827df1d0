"""Values as notices write them: amounts, counts, yes/no, and the masks and placeholders that mean "not given"."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MAX_CENTS = 10**14
"""A trillion euros: beyond it an amount is an error, and sums of many stay within 64 bits."""
MAX_COUNT = 10**6
MASKS = frozenset({"-1", "-1.0", "-1.00", "unpublished"})
"""What the TED publisher writes in place of a withheld value (eForms SDK, "unpublished fields")."""
DUMMY_DATES = frozenset({"2000-01-01", "1970-01-01"})
"""Placeholders: UBL's mandatory AwardDate, and the mask of withheld dates."""


class UnreadableError(ValueError):
    """A value that is given but cannot be read; it is left out and counted."""


def cents(text: str) -> int | None:
    """Cents of an amount such as `1234`, `1234.5`; halves round away from zero; None for a mask.

    Raises UnreadableError for anything else: words, NaN, negative amounts, more than a trillion.
    """
    if text.isascii() and text.isdigit() and len(text) <= 13:
        value = int(text) * 100
    elif text.lower() in MASKS:
        return None
    else:
        value = _decimal_cents(text)
    if not 0 <= value <= MAX_CENTS:
        raise UnreadableError(text)
    return value


def _decimal_cents(text: str) -> int:
    if len(text) > 40 or not text.isascii():
        raise UnreadableError(text)
    try:
        amount = Decimal(text)
        if not amount.is_finite() or amount.adjusted() > 13:
            raise UnreadableError(text)
        return int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except InvalidOperation as error:
        raise UnreadableError(text) from error


def count(text: str) -> int | None:
    """A whole number such as `3` or `3.0`; None for a mask. Raises UnreadableError for anything else or beyond a million."""
    if text.lower() in MASKS:
        return None
    digits = text[:-2] if text.endswith(".0") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 7 or int(digits) > MAX_COUNT:
        raise UnreadableError(text)
    return int(digits)


def flag(text: str | None) -> bool | None:
    """XML boolean; None when absent or neither."""
    if text is None:
        return None
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())


def codes(values: list[str]) -> str | None:
    """Distinct codes, sorted, comma-separated; None when there are none."""
    return ",".join(sorted(set(values))) if values else None
