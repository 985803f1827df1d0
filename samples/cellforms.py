"""What a file layout is, and how amounts, dates and units stand in its cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from samples.facts import Account, Posting
from samples.xlsx import Cell

NBSP = "\u00a0"


def columns(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _no_category(account: Account) -> str | None:
    return None


def account_group(account: Account) -> str | None:
    return account.group


def account_category(account: Account) -> str | None:
    return account.category


@dataclass(frozen=True)
class Layout:
    """How one file looks. `cells` gives the row of a posting; amounts and dates are already in the layout's form."""

    name: str
    header: tuple[str, ...]
    cells: Callable[[Posting], Sequence[Cell]]
    kind: Literal["text", "xlsx"] = "text"
    encoding: str = "utf-8"
    delimiter: str = ";"
    quoted: bool = True
    amount_index: int = 0
    """Position of the amount that the layout is read by: where a grand total stands."""
    category: Callable[[Account], str | None] = _no_category
    """What the file states as procurement category."""


def point(cents: int) -> str:
    """1234.56"""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def comma(cents: int) -> str:
    """1234,56"""
    return point(cents).replace(".", ",")


def comma_thousands(cents: int) -> str:
    """1 234,56 with a no-break space, as bookkeeping systems print it."""
    sign = "-" if cents < 0 else ""
    whole = f"{abs(cents) // 100:,}".replace(",", NBSP)
    return f"{sign}{whole},{abs(cents) % 100:02d}"


def number(cents: int) -> Decimal:
    """A number cell."""
    return Decimal(cents).scaleb(-2)


def amount_cell(posting: Posting, form: Callable[[int], Cell], cents: int | None = None) -> Cell:
    if posting.defect.startswith("amount"):
        return posting.defect_text
    return form(posting.cents if cents is None else cents)


def date_cell(posting: Posting, form: Callable[[date], Cell]) -> Cell:
    if posting.defect in ("date_missing", "date_unreadable"):
        return posting.defect_text
    return form(posting.day)


def european(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def yymmdd(day: date) -> str:
    return f"{day:%y%m%d}"


def as_is(day: date) -> date:
    return day


def unit(posting: Posting) -> str:
    return f"Yksikkö {posting.unit}"


def centre(posting: Posting) -> str:
    return f"{posting.unit:04d}"
