"""Personal identity codes in delivered text: Finnish codes anywhere, Swedish personal numbers where an id belongs; e-mail
addresses and telephone numbers; what may be told of text that may hold any of them.

A code is searched with every kind of dash made one and with blanks left out, so `131052 - 308T`, `131052–308T` and
`Potilas131052-308T` are all found. Two strengths: in a supplier's cells the shape with a possible day is enough (mistyped codes
are personal data too); elsewhere, where numbers of cases and accounts stand, the check character must fit or be a letter.
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl
from stdnum import luhn

_DASH = "\\-\u00ad\u02d7\u058a\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_BLANK = "\\s\u200b-\u200d\u2060\ufeff"
_DASHES = re.compile(f"[{_DASH}]")
_BLANKS = re.compile(f"[{_BLANK}]+")
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_MARK = r"[0-9A-Z]"
_SIGNED = re.compile(rf"(?<!\d)({_DAY}{_MONTH}\d\d)([-+A-FU-Y])(\d{{3}})({_MARK})(?!\d)", re.IGNORECASE | re.ASCII)
_SPACED = re.compile(
    rf"(?<!\d)({_DAY}\s*{_MONTH}\s*\d\s*\d)\s*([-+A-FU-Y])\s*(\d\s*\d\s*\d)\s*({_MARK})(?!\d)", re.IGNORECASE | re.ASCII
)
_UNSIGNED = re.compile(rf"(?<![0-9A-Z])({_DAY}{_MONTH}\d\d)(\d{{3}})([A-Z])(?![0-9A-Z])", re.IGNORECASE | re.ASCII)
_CHECKS = "0123456789ABCDEFHJKLMNPRSTUVWXY"

_BORN = r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"  # 60 is added to the day of coordination numbers
_SWEDISH = re.compile(rf"(SE)?(?:1[89]|20)?({_BORN})([-+]?)(\d{{4}})(?:01)?", re.IGNORECASE | re.ASCII)
_SWEDISH_INSIDE = re.compile(rf"(?<!\d)(?:1[89]|20)?{_BORN}[-+]\d{{4}}(?!\d)", re.ASCII)

_ANY_BLANK = rf"[{_BLANK}]*"
_DATE = ("0-3", "0-9", "01", "0-9", "0-9", "0-9")
_BORN_ON = ("0-9", "0-9", "01", "0-9", "0-9", "0-9")
_DIGITS = [rf"[0-9]{_ANY_BLANK}"]
_SIGN = rf"[+A-FU-Y{_DASH}]{_ANY_BLANK}"
_CANDIDATE = (
    "(?i)"
    + "".join(rf"[{place}]{_ANY_BLANK}" for place in _DATE)
    + "(?:"
    + _SIGN
    + "".join(_DIGITS * 3)
    + "[0-9A-Z]|"
    + "".join(_DIGITS * 3)
    + "[A-Z])"
)
_SWEDISH_CANDIDATE = "".join(rf"[{place}]{_ANY_BLANK}" for place in _BORN_ON) + _SIGN + "".join(_DIGITS * 4)
_TWO_WORDS = r"\p{L}{2}.*[^\p{L}]\p{L}{2}"
"""Rust's regular expressions know no look-around: these find what is worth a closer look, many values at once."""


@lru_cache(maxsize=1 << 16)
def has_personal_id(text: str, surely: bool = False) -> bool:
    """A Finnish personal identity code stands in the text. `surely`: a digit as check character, or a century's letter as
    sign, counts only where the check character fits, so that numbers of cases and references are left alone."""
    plain = _DASHES.sub("-", text)
    blanks = _BLANKS.sub(" ", plain)
    tight = blanks.replace(" ", "")
    for pattern, where in ((_SIGNED, blanks), (_SPACED, blanks), (_SIGNED, tight)):
        for match in pattern.finditer(where):
            day, sign, number, mark = (part.replace(" ", "") for part in match.groups())
            if not surely or (mark.isalpha() and sign in "-+") or _fits(day, number, mark):
                return True
    return any(_fits(*match.groups()) for where in (blanks, tight) for match in _UNSIGNED.finditer(where))


def _fits(day: str, number: str, mark: str) -> bool:
    return number >= "002" and _CHECKS[int(day + number) % 31] == mark.upper()


def is_swedish_number(text: str) -> bool:
    """The id has the shape of a Swedish personal number, with or without country, century and VAT suffix; without dash and
    country its check digit must fit too. Organisation numbers never have a month in their third and fourth digit."""
    match = _SWEDISH.fullmatch(_BLANKS.sub("", _DASHES.sub("-", text)))
    if match is None:
        return False
    country, born, sign, number = match.groups()
    return bool(country or sign or luhn.is_valid(born + number))


def has_swedish_number(text: str) -> bool:
    """A Swedish personal number with its dash stands somewhere in a name."""
    plain = _DASHES.sub("-", text)
    return _SWEDISH_INSIDE.search(plain) is not None or _SWEDISH_INSIDE.search(_BLANKS.sub("", plain)) is not None


def personal_values(values: pl.Series, surely: bool = True) -> pl.Series:
    """Which texts hold a personal identity code: one flag per value, false for nulls. `surely` as in `has_personal_id`; without
    it Swedish numbers count too."""
    candidate = _CANDIDATE if surely else f"{_CANDIDATE}|{_SWEDISH_CANDIDATE}"
    worth = values.str.contains(candidate)
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    if not worth.any():
        return none
    places = worth.arg_true()
    found = [
        has_personal_id(text, surely) or (not surely and has_swedish_number(text)) for text in values.gather(places).to_list()
    ]
    return none.scatter(places, pl.Series(found, dtype=pl.Boolean))


_EMAIL = r"[\w.+-]@[\w-]+\.[\w.-]{2}"
_PHONE = (
    r"(?:^|[^\w/.-]|\p{L}\.)(?:\+358[\s-]?\(?0?\)?\d{1,3}|0(?:4\d|50)\d?)[\s-]?\d{3}[\s-]?\d{2,4}(?:[\s-]?\d{1,2})?(?:$|[^\w/.-])"
)
"""Finnish mobile numbers, and any with the country code; fixed numbers without it look like other numbers."""
_CONTACT_SIGNS = ["@", "+358", "04", "050"]
"""What every address or number above holds."""


def contact_values(values: pl.Series) -> pl.Series:
    """Which texts hold an e-mail address or a telephone number: one flag per value, false for nulls."""
    worth = values.str.contains_any(_CONTACT_SIGNS)  # the patterns cost much more
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    if not worth.any():
        return none
    places = worth.arg_true()
    return none.scatter(places, values.gather(places).str.contains(f"{_EMAIL}|{_PHONE}"))


_CODE = r"^[^\s\p{L}]*(?:\p{L}{1,3}[^\s\p{L}]+)*\p{L}{0,3}$"
_UUID = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:-[0-9]{2})?$"
_CALLABLE = r"(?:\+|^00)[0-9]{8,}|358[0-9]{6,}|0(?:4[0-9]|50)[0-9]{5,8}(?:[^0-9]|$)"
"""Telephone numbers once blanks, brackets and hyphens are left out: also those that stand against a word."""


def told(values: pl.Series) -> pl.Series:
    """What may be told of delivered text that broke a rule. Numbers, days and codes (a digit, no blank, at most three letters
    in a row: `ORG-0001`, `2024-02-30`) cannot be names and stay; of other text the shape is left; null where an identity code or
    contact details stand, or where two words of letters may be a person's name."""
    text = pl.col("text")
    is_code = ~text.str.contains(r"\p{L}") | (text.str.contains(_CODE) & text.str.contains(r"[0-9]"))
    marks = values.to_frame("text").select(
        is_callable=text.str.replace_all(r"[\s().\u00a0-]", "").str.contains(_CALLABLE).fill_null(value=False),
        is_uuid=text.str.contains(_UUID).fill_null(value=False),  # some look like an identity code by chance
        is_code=is_code.fill_null(value=True),
    )
    hidden = personal_values(values, surely=False) | contact_values(values) | marks["is_callable"]
    masked = values.zip_with(marks["is_code"] | marks["is_uuid"], _masked(values))
    return masked.zip_with(marks["is_uuid"] | ~hidden, pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))


def shapes(values: pl.Series) -> pl.Series:
    """What may be shown of cells where a date or an amount belongs: letters as x; null where an identity code stands or where
    two or more words of letters may be a person's name."""
    hidden = personal_values(values, surely=False)
    return _masked(values).zip_with(~hidden, pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))


def _masked(values: pl.Series) -> pl.Series:
    """Letters as x; null where two or more words of letters stand."""
    text = pl.col("text")
    masked = pl.when(~text.str.contains(_TWO_WORDS)).then(text.str.replace_all(r"\p{L}", "x"))
    return values.to_frame("text").select(masked.alias(values.name)).to_series()
