"""What both modules of the older TED schema need: elements by local name, dates, lot names, money, organisations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree

from transforms.formats.codes import alpha2
from transforms.formats.eforms_parts import Organisation
from transforms.formats.rows import Notice, Value
from transforms.formats.values import UnreadableError, cents, count

Element = etree._Element

UNDIVIDED = "LOT-0000"
LANGUAGES = {
    "BG": "BUL", "CS": "CES", "DA": "DAN", "DE": "DEU", "EL": "ELL", "EN": "ENG", "ES": "SPA", "ET": "EST", "FI": "FIN",
    "FR": "FRA", "GA": "GLE", "HR": "HRV", "HU": "HUN", "IT": "ITA", "LT": "LIT", "LV": "LAV", "MT": "MLT", "NL": "NLD",
    "PL": "POL", "PT": "POR", "RO": "RON", "SK": "SLK", "SL": "SLV", "SV": "SWE",
}  # fmt: skip


def below(parent: Element, name: str) -> Element | None:
    """The first descendant of that local name, found in C."""
    for element in parent.iter("{*}" + name):
        if element is not parent:
            return element
    return None


def text_below(parent: Element, name: str) -> str | None:
    """Stripped text of the first descendant of that local name; None when absent or blank."""
    element = below(parent, name)
    return (element.text or "").strip() or None if element is not None else None


def date_of(text: str | None) -> str | None:
    """ISO date of `20220216`, `20160726 12:00` or `2016-12-23`; None for anything else."""
    match = re.match(r"^([0-9]{4})-?([0-9]{2})-?([0-9]{2})", text or "")
    return "-".join(match.groups()) if match else None


def day_month_year(holder: Element | None) -> str | None:
    """ISO date of the R2.0.8 triple DAY, MONTH, YEAR."""
    if holder is None:
        return None
    year, month, day = (text_below(holder, name) or "" for name in ("YEAR", "MONTH", "DAY"))
    if not all(re.fullmatch(r"[0-9]{1,4}", part) for part in (year, month, day)):
        return None
    return f"{int(year):04d}-{int(month):02d}-{int(day):02d}"


def lot_name(number: str) -> str:
    """LOT-<number>; plain numbers lose their leading zeros so that 01 and 1 are the same lot."""
    text = re.sub(r"[\s.]+", "", number)
    return f"LOT-{int(text)}" if text.isascii() and text.isdigit() and len(text) < 8 else f"LOT-{text[:40]}"


@dataclass(eq=False)
class Reading:
    """One notice being read: its rows, the organisations by (name, id, country), what is withheld."""

    notice: Notice
    withheld: list[str] = field(default_factory=list)
    _organisations: dict[tuple[str | None, str | None, str | None], Organisation] = field(default_factory=dict)

    def is_hidden(self, element: Element, code: str) -> bool:
        """Whether the section is not for publication; noted as withheld."""
        hidden = (element.get("PUBLICATION") or "").upper() == "NO"
        if hidden:
            self.withheld.append(code)
        return hidden

    def euros(self, amount: Element | None, column: str) -> int | None:
        """Cents of an element with CURRENCY; None when absent, unreadable or not in euros (both noted)."""
        if amount is None:
            return None
        text = (amount.get("FMTVAL") or amount.text or "").strip()
        currency = (amount.get("CURRENCY") or "").strip().upper()
        if not text:
            return None
        try:
            value = cents(text)
        except UnreadableError:
            self.notice.found("value_unreadable", column, text)
            return None
        if currency != "EUR":
            self.notice.currencies.add(currency if currency.isalpha() and len(currency) == 3 else "unknown")
            return None
        return value

    def number(self, text: str | None, column: str) -> int | None:
        """A count; None when absent or unreadable (noted)."""
        try:
            return count(text) if text else None
        except UnreadableError:
            self.notice.found("value_unreadable", column, text)
            return None

    def organisation(self, element: Element) -> Organisation | None:
        """The organisation an address block describes; the same block twice is one organisation. None without a name."""
        found: dict[str, Element] = {}
        for part in element.iter():
            found.setdefault(part.tag.rpartition("}")[2], part)
        name = " ".join("".join(map(str, found["OFFICIALNAME"].itertext())).split()) if "OFFICIALNAME" in found else ""
        if not name:
            return None
        registration = (found["NATIONALID"].text or "").strip() or None if "NATIONALID" in found else None
        country = alpha2(found["COUNTRY"].get("VALUE")) if "COUNTRY" in found else None
        nuts = found["NUTS"].get("CODE") if "NUTS" in found else None
        key = (name.casefold(), registration, country)
        if key not in self._organisations:
            ref = f"ORG-{len(self._organisations) + 1:04d}"
            self._organisations[key] = Organisation(
                ref, name, registration, country, nuts, None, is_central=False, is_person=False
            )
        return self._organisations[key]

    def organisation_rows(self) -> list[tuple[Value, ...]]:
        """Raw organisation rows in the order met."""
        return [organisation.row() for organisation in self._organisations.values()]
