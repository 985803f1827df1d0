"""What of an invoice file's texts travels on: only what a register, a code list or a company form knows.

People type names, numbers and addresses wherever text may stand. What tells rows apart (codes, invoice ids, categories) travels as a
short hash where it may be a person's; any other text that nobody knows is left out. The originals stand in landing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from schemas.reference import Reference
from transforms.categories import known_categories
from transforms.coded import Coded
from transforms.suppliers import Words, organisation_names, words_of

HASHED = "#"
"""What a text begins with that stands for one that is not told."""
_HASH_LENGTH = 12
_CODE = r"^[\p{L}\d][\p{L}\d./:_-]{0,15}$"
_CASE = r"^[\p{L}\d][\p{L}\d./:_#-]{0,23}$"
"""One word with a digit in it: the shape of a code and of an invoice's id."""
_ACCOUNT = r"^\p{L}{0,3}\d[\d ./:_-]{0,11}$"
_PRIVATE = r"(?i)^(?:\+|00)\d{9,}$|^0[45]\d{7,9}$|^[a-z]{2}\d{2}(?:[a-z]{4}\d{7,}|\d{13,})"
"""Telephone numbers and account numbers (IBAN), without their blanks and dashes."""


@dataclass(frozen=True)
class Known:
    """Texts, in lower case, that registers and code lists know, by what they name; and the words of organisations' names."""

    accounts: list[str]
    prefixes: tuple[str, ...]
    categories: list[str]
    places: list[str]
    words: Words


@lru_cache(maxsize=8)
def known_of(reference: Reference) -> Known:
    """What the registers of one home know."""

    def column(table: str, *names: str) -> set[str]:
        rows = reference.table(table)
        return {" ".join(text.split()).lower() for name in names for text in rows[name].drop_nulls().to_list()}

    labels = ("name_fi", "name_sv", "name_en")
    return Known(
        accounts=sorted(column("accounts.csv", "name")),
        prefixes=tuple(sorted(column("accounts.csv", "account_prefix"))),
        categories=known_categories(reference),
        places=sorted(
            column("branches.csv", *labels) | column("sectors.csv", *labels) | column("sector_aliases.csv", "delivered")
        ),
        words=words_of(reference),
    )


def told(name: str, column: Coded, known: Known) -> pl.Series:
    """The rows of a text column of the contract as they may leave landing. Work is done once per unique value."""
    return column.spread(_TOLD[name](column.values, known))


def told_cases(ids: pl.Series) -> pl.Series:
    """Invoice ids: one word with a digit stands, any other, and what looks like a telephone or an account number, is hashed."""
    plain = ids.str.contains(r"^\d{1,8}$")
    if plain.all():
        return ids
    return _codes(ids, _CASE)


def _codes(values: pl.Series, shape: str = _CODE) -> pl.Series:
    is_code = values.str.contains(shape) & values.str.contains(r"\d") & ~_bare(values).str.contains(_PRIVATE)
    return _hashed(values, ~is_code)


def _accounts(values: pl.Series, known: Known) -> pl.Series:
    """Accounts are classed by how they begin: what a chart knows stands, whatever else it looks like."""
    is_code = values.str.contains(_ACCOUNT) & ~_bare(values).str.contains(_PRIVATE)
    is_known = values.str.contains(_ACCOUNT) & pl.Series(
        [(text or "").startswith(known.prefixes) for text in values.to_list()], dtype=pl.Boolean
    )
    return _hashed(values, ~(is_code | is_known))


def _bare(values: pl.Series) -> pl.Series:
    return values.str.replace_all(r"[\s\u2010-\u2015()-]", "")


def _hashed(values: pl.Series, where: pl.Series) -> pl.Series:
    """Values with a hash in the place of some; null stays."""
    places = where.fill_null(value=False).arg_true()
    if not len(places):
        return values
    texts = values.gather(places).to_list()
    marks = [f"{HASHED}{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:_HASH_LENGTH]}" for text in texts]
    return values.clone().scatter(places, pl.Series(marks, dtype=pl.String))


def _is_known(values: pl.Series, known: list[str]) -> pl.Series:
    return values.str.to_lowercase().is_in(known)


def _only(values: pl.Series, wanted: pl.Series) -> pl.Series:
    return values.zip_with(wanted.fill_null(value=False), pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))


def _organisations(values: pl.Series, known: Known) -> pl.Series:
    return organisation_names(values, known.words)


def _places(values: pl.Series, known: Known) -> pl.Series:
    """Branches and sectors by their registers, else as organisations."""
    named = _organisations(values, known)
    return values.zip_with(_is_known(values, known.places).fill_null(value=False), named)


_TOLD: Mapping[str, Callable[[pl.Series, Known], pl.Series]] = {
    "organisation_name": _organisations,
    "unit_name": _organisations,
    "branch_name": _places,
    "sector_name": _places,
    "branch_code": lambda values, _: _codes(values),
    "unit_code": lambda values, _: _codes(values),
    "notice_id": lambda values, _: _codes(values),
    "account_code": _accounts,
    "account_name": lambda values, known: _only(values, _is_known(values, known.accounts)),
    "category_name": lambda values, known: _hashed(values, ~_is_known(values, known.categories)),
}
