"""Fictional identifiers: business ids with a right check digit in a range that was never issued, and their spellings.

Business ids are checksum-valid from 9 000 000 up (PRH's running numbers are far below); personal identity codes have
individual numbers 900-999, which the Digital and Population Data Services Agency never gives to a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from stdnum.fi import hetu, ytunnus

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)
_HETU_MARKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def business_ids(first: int = 9_000_000) -> Iterator[str]:
    """Checksum-valid business ids NNNNNNN-N in order; numbers whose remainder is 1 have no check digit and are skipped."""
    number = first
    while True:
        remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, str(number), strict=True)) % 11
        if remainder != 1:
            text = f"{number}-{(11 - remainder) % 11}"
            yield str(ytunnus.format(ytunnus.validate(text)))
        number += 1


def spellings(business_id: str) -> tuple[str, ...]:
    """The ways one business id is written in delivered files; the first is the right one."""
    digits = business_id.replace("-", "")
    return (business_id, business_id, business_id, business_id, digits, f"FI{digits}", f" {business_id} ")


def wrong_check_digit(business_id: str) -> str:
    """The same number with a check digit that does not fit."""
    head, digit = business_id.split("-")
    return f"{head}-{(int(digit) + 3) % 10}"


def personal_id(number: int) -> str:
    """A checksum-valid personal identity code that belongs to nobody."""
    born = date(1950 + number % 45, number % 12 + 1, number % 28 + 1)
    digits = f"{born:%d%m%y}{900 + number % 100}"
    return str(hetu.validate(f"{digits[:6]}-{digits[6:]}{_HETU_MARKS[int(digits) % 31]}", allow_temporary=True))
