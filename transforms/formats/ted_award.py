"""Awards of the older TED schema: results, tenders, contractors."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from schemas.procurement_notices import SME_SIZES
from transforms.formats.eforms_parts import Organisation
from transforms.formats.rows import agreed
from transforms.formats.ted_parts import UNDIVIDED, Element, Reading, below, date_of, day_month_year, lot_name, text_below

AWARDS = ("{*}AWARD_CONTRACT", "{*}AWARD_OF_CONTRACT", "{*}AWARD_OF_CONTRACT_DEFENCE", "{*}AWARD_CONTRACT_CONTRACT_AWARD_UTILITIES", "{*}RESULTS")  # fmt: skip
FAILED = ("{*}PROCUREMENT_UNSUCCESSFUL", "{*}PROCUREMENT_DISCONTINUED", "{*}NO_AWARDED_CONTRACT", "{*}NO_AWARDED_PRIZE")
OLD_CONTRACTORS = ("{*}ECONOMIC_OPERATOR_NAME_ADDRESS",)
OLD_VALUE = ("{*}CONTRACT_VALUE_INFORMATION",)
AMOUNT_WITH_CURRENCY = ("{*}COSTS_RANGE_AND_CURRENCY_WITH_VAT_RATE", "{*}COSTS_RANGE_AND_CURRENCY")
HIDDEN = {"VALUES": "win-ten-val", "VALUE": "win-ten-val", "TENDERS": "rec-sub-cou", "CONTRACTORS": "winner"}
"""Sections that utilities may keep from publication (PUBLICATION="NO") and the eForms code of what they withhold."""


def read(form: Element, form_type: str, lots: list[str], reading: Reading) -> None:
    """Lot results, tenders, winners and contracts of the form's award sections. Planning and call forms have none."""
    if form_type not in ("result", "dir-awa-pre", "cont-modif"):
        return
    sections = [
        e for e in form.iter(*AWARDS) if etree.QName(e).localname != "RESULTS" or etree.QName(form).localname.startswith("F13")
    ]
    groups: dict[object, list[_Award]] = {}
    for position, section in enumerate(sections, start=1):
        award = _award(section, position, lots, reading)
        groups.setdefault(award.told_again() or position, []).append(award)
    for awards in groups.values():
        _result(awards, reading)


@dataclass(frozen=True, slots=True)
class _Award:
    """What one award section says."""

    position: int
    lot: str
    is_numbered: bool
    failure: tuple[str | None] | None
    tenders: int | None
    small: int | None
    decision: str | None
    values: tuple[int | None, int | None, int | None]
    currency: str | None
    winners: list[tuple[Organisation, str | None]]

    def told_again(self) -> object:
        """What sections without a lot number that are one result have in common; None where it cannot be told."""
        if self.is_numbered or self.failure or self.tenders is None or self.values[0] is None:
            return None
        return ("told", self.tenders, self.small, self.values)


def _award(section: Element, position: int, lots: list[str], reading: Reading) -> _Award:
    failed = next(section.iter(*FAILED), None)
    tenders = below(section, "TENDERS")
    hidden = tenders is not None and reading.is_hidden(tenders, HIDDEN["TENDERS"])
    decision = date_of(text_below(section, "DATE_CONCLUSION_CONTRACT")) or date_of(text_below(section, "DATE_DECISION_JURY"))
    number = text_below(section, "LOT_NO") or text_below(section, "LOT_NUMBER")
    value, low, high, currency = _values(section, reading)
    return _Award(
        position,
        _lot_of(number, lots, reading),
        number is not None,
        (_failure(section),) if failed is not None else None,
        None if hidden else reading.number(_received(section), "tenders_n"),
        None if hidden else reading.number(text_below(section, "NB_TENDERS_RECEIVED_SME"), "tenders_sme_n"),
        decision or day_month_year(below(section, "CONTRACT_AWARD_DATE")),
        (value, low, high),
        currency,
        [] if failed is not None else _contractors(section, reading),
    )


def _result(awards: list[_Award], reading: Reading) -> None:
    """The rows of one result: its section, or the sections that repeat it, whose value is told once."""
    award, notice = awards[0], reading.notice
    result_id, lot, (value, low, high) = f"RES-{award.position}", award.lot, award.values
    small = award.small
    if award.failure is None:
        for again in awards:
            number, own = again.position, value if again is award else None
            notice.contracts.append((f"CON-{number}", again.decision, None, None, own))
            notice.tenders.append((f"TEN-{number}", result_id, lot, True, None, own, award.currency, f"CON-{number}"))
        sized: dict[str, str | None] = {}
        for winner, size in (pair for again in awards for pair in again.winners):
            sized[winner.ref] = sized.get(winner.ref) or size
        notice.winners.extend((result_id, lot, ref, size) for ref, size in sized.items())
        small = agreed(small, _won_by_smes([again.winners for again in awards]), notice)
    if len(awards) > 1:
        notice.found("result_repeated", "result_id")
    notice.lot_results.append(
        (
            result_id,
            lot,
            "selec-w" if award.failure is None else "clos-nw",
            award.failure[0] if award.failure is not None else None,
            award.tenders,
            small,
            None,
            None,
            min((again.decision for again in awards if again.decision), default=None),
            value,
            low,
            high,
            None,
            None,
        )
    )


def _won_by_smes(awards: list[list[tuple[Organisation, str | None]]]) -> int:
    """At least so many tenders of SMEs won: the same contractors may have several contracts from one tender, and several
    contractors of a section may have tendered together."""
    parties = {frozenset(winner.ref for winner, _ in won) for won in awards if won and all(size in SME_SIZES for _, size in won)}
    return len(parties)


def _received(section: Element) -> str | None:
    return text_below(section, "NB_TENDERS_RECEIVED") or text_below(section, "OFFERS_RECEIVED_NUMBER")


def _failure(section: Element) -> str | None:
    """Why nothing was awarded, in BT-144 words; the schema tells only "no tenders" and "discontinued" apart."""
    if below(section, "PROCUREMENT_UNSUCCESSFUL") is not None:
        return "all-rej" if (_received(section) or "0").strip("0") else "no-rece"
    return "other" if below(section, "PROCUREMENT_DISCONTINUED") is not None else None


def _lot_of(number: str | None, lots: list[str], reading: Reading) -> str:
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
