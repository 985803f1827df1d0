"""Ids that a spreadsheet took for numbers: what was lost of them nobody can bring back, and two of them may look alike.

`2,02501E+11` stands for any of a hundred thousand ids, beyond fifteen digits all are rounded, `3-21` has become a month, `00123` a
123. A number in scientific notation that shows all its digits (`2.02501000001e+11`) has lost nothing and is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?[eE]\+?(\d{1,3})")
_IS_SCIENTIFIC = r"^\d[.,]\d+[eE]\+?\d{1,3}$|^\d[eE]\+\d{2,3}$"
"""`5E2` may be an id; spreadsheets and programs write `5E+02`, or a decimal mark."""
_LONG = r"^\d{16,40}$"
_EXACT_DIGITS = 15
_NAMED = (
    r"(?:[Jj]an(?:uar[iy])?|[Ff]eb(?:ruar[iy])?|[Mm]ars?|[Mm]arch|[Aa]pr(?:il)?|[Mm]a[jy]|[Jj]u[nl][eiy]?|[Aa]ug(?:usti?)?|"
    r"[Ss]ept?(?:ember)?|[Oo][ck]t(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?|(?:[Tt]ammi|[Hh]elmi|[Mm]aalis|[Hh]uhti|[Tt]ouko|[Kk]esä|"
    r"[Hh]einä|[Ee]lo|[Ss]yys|[Ll]oka|[Mm]arras|[Jj]oulu)(?:kuu(?:ta)?)?)\.?"
)
"""Spreadsheets write months small or with a capital; `MAR-12` is an id."""
_DAY, _MONTH_NO, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_DATE = "|".join(
    (
        rf"^{_YEAR}-{_MONTH_NO}-{_DAY}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?Z?)?$",
        rf"^{_DAY}[./]{_MONTH_NO}[./]{_YEAR}$|^{_MONTH_NO}/{_DAY}/{_YEAR}$",
        rf"^(?:{_DAY}[-. ] ?)?{_NAMED}[-. ]{{1,2}}(?:\d\d|{_YEAR})$|^{_DAY}[-. ]{{1,2}}{_NAMED}$",
    )
)
_MAY_BE = r"^\d(?:[.,]\d+)?[eE]|^\d{1,4}[-./]\d{1,2}[-./]|[A-Za-z][a-zä]{2}|^0|^\d{16}"
"""What none of these can do without: most columns are done with after one look."""


@dataclass(frozen=True)
class Ids:
    """A column of ids with what a spreadsheet made of some: `ruined` stand for more than one id, `shortened` lack zeros that others
    of the column begin with."""

    values: pl.Series
    ruined: pl.Series
    shortened: pl.Series


def read_ids(texts: pl.Series) -> Ids:
    """The ids of a column of trimmed texts (nulls stay), told apart by the column as a whole."""
    none = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(texts))
    if not texts.str.contains(_MAY_BE).any():
        return Ids(texts, none, none)
    values = texts
    scientific = texts.str.contains(_IS_SCIENTIFIC).fill_null(value=False)
    ruined = texts.str.contains(_DATE).fill_null(value=False)
    if scientific.any():
        places = scientific.arg_true()
        found = [_whole(text) for text in texts.gather(places).to_list()]
        values = texts.clone().scatter(places, [whole or text for whole, text in zip(found, texts.gather(places), strict=True)])
        ruined = ruined | none.clone().scatter(places, [whole is None for whole in found])
    long = values.str.contains(_LONG).fill_null(value=False)
    if long.any() and all(_is_rounded(text) for text in values.filter(long).unique().to_list()):
        ruined = ruined | long
    return Ids(values, ruined, _shortened(values, none))


def _whole(text: str) -> str | None:
    """All digits of a number in scientific notation; None where it does not show them."""
    parts = _SCIENTIFIC.fullmatch(text)
    if parts is None:
        return None
    digits = parts[1] + (parts[2] or "")
    return digits if len(digits) == int(parts[3]) + 1 else None


def _is_rounded(digits: str) -> bool:
    """Whether a number cell may have held it: cells keep fifteen digits, programs what a double can hold."""
    return int(float(digits)) == int(digits) or not digits[_EXACT_DIGITS:].strip("0")


def _shortened(values: pl.Series, none: pl.Series) -> pl.Series:
    """Digits shorter than every id of the column that begins with zeros."""
    padded = values.filter(values.str.contains(r"^0\d+$").fill_null(value=False))
    if padded.is_empty():
        return none
    width = int(str(padded.str.len_bytes().min()))
    return (values.str.contains(r"^[1-9]\d*$") & (values.str.len_bytes() < width)).fill_null(value=False)


@lru_cache(maxsize=1 << 12)
def is_ruined(text: str) -> bool:
    """Whether a text stands for more than one id, looked at by itself."""
    return bool(read_ids(pl.Series([text])).ruined[0])
