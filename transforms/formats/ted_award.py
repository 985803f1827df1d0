"""Awards of the older TED schema: results, tenders, contractors; and the helpers its two modules share."""

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
AWARDS = ("{*}AWARD_CONTRACT", "{*}AWARD_OF_CONTRACT", "{*}AWARD_OF_CONTRACT_DEFENCE", "{*}AWARD_CONTRACT_CONTRACT_AWARD_UTILITIES", "{*}RESULTS")  # fmt: skip
FAILED = ("{*}PROCUREMENT_UNSUCCESSFUL", "{*}PROCUREMENT_DISCONTINUED", "{*}NO_AWARDED_CONTRACT", "{*}NO_AWARDED_PRIZE")
OLD_CONTRACTORS = ("{*}ECONOMIC_OPERATOR_NAME_ADDRESS",)
OLD_VALUE = ("{*}CONTRACT_VALUE_INFORMATION",)
AMOUNT_WITH_CURRENCY = ("{*}COSTS_RANGE_AND_CURRENCY_WITH_VAT_RATE", "{*}COSTS_RANGE_AND_CURRENCY")
LANGUAGES = {
    "BG": "BUL", "CS": "CES", "DA": "DAN", "DE": "DEU", "EL": "ELL", "EN": "ENG", "ES": "SPA", "ET": "EST", "FI": "FIN",
    "FR": "FRA", "GA": "GLE", "HR": "HRV", "HU": "HUN", "IT": "ITA", "LT": "LIT", "LV": "LAV", "MT": "MLT", "NL": "NLD",
    "PL": "POL", "PT": "POR", "RO": "RON", "SK": "SLK", "SL": "SLV", "SV": "SWE",
}  # fmt: skip
HIDDEN = {"VALUES": "win-ten-val", "VALUE": "win-ten-val", "TENDERS": "rec-sub-cou", "CONTRACTORS": "winner"}
"""Sections that utilities may keep from publication (PUBLICATION="NO") and the eForms code of what they withhold."""


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


def read(form: Element, form_type: str, lots: list[str], reading: Reading) -> None:
    """Lot results, tenders, winners and contracts of the form's award sections. Planning and call forms have none."""
    if form_type not in ("result", "dir-awa-pre", "cont-modif"):
        return
    sections = [
        e for e in form.iter(*AWARDS) if etree.QName(e).localname != "RESULTS" or etree.QName(form).localname.startswith("F13")
    ]
    for position, section in enumerate(sections, start=1):
        _award(section, position, lots, reading)


def _award(section: Element, position: int, lots: list[str], reading: Reading) -> None:
    result_id, notice = f"RES-{position}", reading.notice
    lot = _lot_of(section, lots, reading)
    failed = next(section.iter(*FAILED), None)
    tenders = below(section, "TENDERS")
    hidden = tenders is not None and reading.is_hidden(tenders, HIDDEN["TENDERS"])
    decision = date_of(text_below(section, "DATE_CONCLUSION_CONTRACT")) or date_of(text_below(section, "DATE_DECISION_JURY"))
    decision = decision or day_month_year(below(section, "CONTRACT_AWARD_DATE"))
    value, low, high, currency = _values(section, reading)
    winners = [] if failed is not None else _contractors(section, reading)
    if failed is None:
        contract, tender = f"CON-{position}", f"TEN-{position}"
        notice.contracts.append((contract, decision, None, None, value))
        notice.tenders.append((tender, result_id, lot, True, None, value, currency, contract))
        notice.winners.extend((result_id, lot, winner.ref, size) for winner, size in winners)
    notice.lot_results.append(
        (
            result_id,
            lot,
            "selec-w" if failed is None else "clos-nw",
            _failure(section) if failed is not None else None,
            None if hidden else reading.number(_received(section), "tenders_n"),
            None if hidden else reading.number(text_below(section, "NB_TENDERS_RECEIVED_SME"), "tenders_sme_n"),
            None,
            None,
            decision,
            value,
            low,
            high,
            None,
            None,
        )
    )


def _received(section: Element) -> str | None:
    return text_below(section, "NB_TENDERS_RECEIVED") or text_below(section, "OFFERS_RECEIVED_NUMBER")


def _failure(section: Element) -> str | None:
    """Why nothing was awarded, in BT-144 words; the schema tells only "no tenders" and "discontinued" apart."""
    if below(section, "PROCUREMENT_UNSUCCESSFUL") is not None:
        return "all-rej" if (_received(section) or "0").strip("0") else "no-rece"
    return "other" if below(section, "PROCUREMENT_DISCONTINUED") is not None else None


def _lot_of(section: Element, lots: list[str], reading: Reading) -> str:
    number = text_below(section, "LOT_NO") or text_below(section, "LOT_NUMBER")
    if number is not None:
        lot = lot_name(number)
        if lot in lots:
            return lot
        if len(lots) > 1:
            reading.notice.found("reference_broken", "lot_id", lot)
            return lot
    if len(lots) > 1:
        reading.notice.found("reference_broken", "lot_id")
        return UNDIVIDED
    return lots[0] if lots else UNDIVIDED


def _values(section: Element, reading: Reading) -> tuple[int | None, int | None, int | None, str | None]:
    """(value, lowest, highest, currency) of one award."""
    holder = next((e for e in section.iter("{*}VALUES", "{*}VALUE")), section)
    if reading.is_hidden(holder, HIDDEN["VALUES"]):
        return None, None, None, None
    amount = below(holder, "VAL_TOTAL")
    spread = below(holder, "VAL_RANGE_TOTAL")
    low = high = None
    if spread is not None:
        low, high = (_ranged(spread, name, reading) for name in ("LOW", "HIGH"))
    if amount is None:
        amount = _old_value(section)
    currency = amount.get("CURRENCY") if amount is not None else None
    return reading.euros(amount, "award_value_cents"), low, high, currency


def _ranged(spread: Element, name: str, reading: Reading) -> int | None:
    bound = below(spread, name)
    if bound is None:
        return None
    if bound.get("CURRENCY") is None and spread.get("CURRENCY"):
        bound.set("CURRENCY", spread.get("CURRENCY") or "")
    return reading.euros(bound, "lowest_cents" if name == "LOW" else "highest_cents")


def _old_value(section: Element) -> Element | None:
    """R2.0.8: the total final value, whose currency stands on the element around VALUE_COST; not the initial estimate."""
    for information in section.iter(*OLD_VALUE):
        for holder in information.iterchildren(*AMOUNT_WITH_CURRENCY):
            amount = next(holder.iterchildren("{*}VALUE_COST"), None)
            if amount is not None:
                amount.set("CURRENCY", holder.get("CURRENCY") or "")
                return amount
    return None


def _contractors(section: Element, reading: Reading) -> list[tuple[Organisation, str | None]]:
    """Contractors with their size: distinct within the award."""
    holder = next(section.iter("{*}CONTRACTORS"), None)
    if holder is not None and reading.is_hidden(holder, HIDDEN["CONTRACTORS"]):
        return []
    found: dict[str, tuple[Organisation, str | None]] = {}
    for element in section.iter("{*}CONTRACTOR", "{*}WINNER", *OLD_CONTRACTORS):
        organisation = reading.organisation(element)
        if organisation is None:
            continue
        size = "sme" if below(element, "SME") is not None else "large" if below(element, "NO_SME") is not None else None
        organisation.is_tenderer = organisation.is_winner = True
        organisation.size = organisation.size or size
        found.setdefault(organisation.ref, (organisation, size))
    return list(found.values())
