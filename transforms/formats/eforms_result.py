"""The result part of an eForms notice: lot results, tenders, contracts, winners.

Winner chain (OPT-320..322): lot result -> tenders that one of its settled contracts holds -> tendering party -> tenderers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.formats.eforms_counts import APPEALS, appeals, received, small_tenders
from transforms.formats.eforms_parts import (
    CAC,
    CBC,
    EFAC,
    EFBC,
    Element,
    Organisations,
    Reading,
    children,
    first,
    text_in,
    text_of,
)
from transforms.formats.values import DUMMY_DATES, flag

TENDER = EFAC + "LotTender"
CONTRACT = EFAC + "SettledContract"
LOT_RESULT = EFAC + "LotResult"


@dataclass(frozen=True)
class Results:
    """What the notice row needs from the results: the notice total (BT-161, FI-70) and the lots that found a winner."""

    total_cents: int | None = None
    awarded_lots: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Tender:
    lot: str | None
    party: str | None
    rank: int | None
    cents: int | None
    currency: str | None


@dataclass(slots=True)
class _Contract:
    tenders: list[str]
    decision: str | None
    signed: str | None
    within: bool | None
    cents: int | None
    lot_results: int = 0


@dataclass(slots=True)
class _Parts:
    tenders: dict[str, _Tender] = field(default_factory=dict)
    contracts: dict[str, _Contract] = field(default_factory=dict)
    parties: dict[str, list[str]] = field(default_factory=dict)


def read(
    holder: Element | None, reading: Reading, organisations: Organisations, contract_values: Mapping[str, int | None]
) -> Results:
    """Fills lot results, tenders, winners and contracts of the notice. `contract_values` is FI-70 by contract id."""
    if holder is None:
        return Results()
    parts = _Parts()
    for element in holder.iterchildren(TENDER, CONTRACT, EFAC + "TenderingParty"):
        _part(element, parts, reading, organisations, contract_values)
    lot_results = list(holder.iterchildren(LOT_RESULT))
    for element in lot_results:
        for reference in _references(element, CONTRACT):
            if reference in parts.contracts:
                parts.contracts[reference].lot_results += 1
    awarded = set()
    named: set[str] = set()
    for element in lot_results:
        lot, code = _lot_result(element, parts, reading, organisations, named)
        if code == "selec-w" and lot:
            awarded.add(lot)
    _unnamed_tenders(parts, named, reading)
    for reference, contract in parts.contracts.items():
        reading.notice.contracts.append((reference, contract.decision, contract.signed, contract.within, contract.cents))
    total = reading.euros(first(holder, CBC + "TotalAmount"), "total_value_cents", "BT-161" in reading.withheld(holder))
    if contract_values:
        values = list(contract_values.values())
        total = None if None in values else sum(value for value in values if value is not None)
    return Results(total, frozenset(awarded))


def _references(element: Element, tag: str) -> list[str]:
    return [reference for child in element.iterchildren(tag) if (reference := text_of(child, CBC + "ID"))]


def _part(
    element: Element, parts: _Parts, reading: Reading, organisations: Organisations, values: Mapping[str, int | None]
) -> None:
    parts_of = children(element)
    identifier = text_in(parts_of, CBC + "ID")
    if element.tag == EFAC + "TenderingParty":
        tenderers = _references(element, EFAC + "Tenderer")
        parts.parties[identifier or ""] = tenderers
        for reference in tenderers + _references(element, EFAC + "SubContractor"):
            organisation = organisations.find(reference)
            if organisation is None:
                reading.notice.found("reference_broken", "organisation_ref", reference)
            else:
                organisation.is_tenderer = True
        return
    if identifier is None:
        reading.notice.found("identifier_missing", "tender_id" if element.tag == TENDER else "contract_id")
    elif element.tag == TENDER:
        withheld = reading.withheld(element)
        amount = first(parts_of.get(CAC + "LegalMonetaryTotal"), CBC + "PayableAmount")
        hidden = "BT-720" in withheld
        parts.tenders[identifier] = _Tender(
            text_of(parts_of.get(EFAC + "TenderLot"), CBC + "ID"),
            text_of(parts_of.get(EFAC + "TenderingParty"), CBC + "ID"),
            None if "BT-171" in withheld else reading.number(text_in(parts_of, CBC + "RankCode"), "rank"),
            reading.euros(amount, "value_cents", hidden),
            None if hidden or amount is None else amount.get("currencyID"),
        )
    else:
        parts.contracts[identifier] = _Contract(
            _references(element, TENDER),
            text_in(parts_of, CBC + "AwardDate"),
            text_in(parts_of, CBC + "IssueDate"),
            flag(text_in(parts_of, EFBC + "ContractFrameworkIndicator")),
            values.get(identifier),
        )


def _lot_result(
    element: Element, parts: _Parts, reading: Reading, organisations: Organisations, named: set[str]
) -> tuple[str | None, str | None]:
    """One lot result with its tenders and winners; returns its lot and its result code (None when withheld)."""
    notice = reading.notice
    withheld = reading.withheld(element)
    own = children(element)
    identifier, lot = text_in(own, CBC + "ID"), text_of(own.get(EFAC + "TenderLot"), CBC + "ID")
    code = None if "BT-142" in withheld else text_in(own, CBC + "TenderResultCode")
    reason = own.get(EFAC + "DecisionReason")
    contracts = _known(_references(element, CONTRACT), parts.contracts, "contract_id", reading)
    tenders = _known(_references(element, TENDER), parts.tenders, "tender_id", reading)
    winning = _winning(lot, tenders, contracts, parts)
    for tender in dict.fromkeys((*tenders, *winning)):
        named.add(tender)
        details = parts.tenders[tender]
        contract = winning.get(tender)
        notice.tenders.append(
            (
                tender,
                identifier,
                details.lot or lot,
                contract is not None,
                details.rank,
                details.cents,
                details.currency,
                contract,
            )
        )
    _winners(identifier, lot, winning, parts, reading, organisations)
    counts = received(element, reading)
    notice.lot_results.append(
        (
            identifier,
            lot,
            code,
            None if "BT-144" in withheld | reading.withheld(reason) else text_of(reason, EFBC + "DecisionReasonCode"),
            counts.get("tenders"),
            small_tenders(counts, _parties(winning, parts), reading, organisations),
            counts.get("part-req"),
            _within(contracts, parts),
            _decision_date(contracts, parts),
            _award_value(winning, contracts, parts),
            reading.euros(own.get(CBC + "LowerTenderAmount"), "lowest_cents", "BT-710" in withheld),
            reading.euros(own.get(CBC + "HigherTenderAmount"), "highest_cents", "BT-711" in withheld),
            appeals(element, "review-type", reading) if APPEALS in own else None,
            appeals(element, "irregularity-type", reading) if APPEALS in own else None,
        )
    )
    return lot, code


def _known(references: list[str], known: Mapping[str, object], column: str, reading: Reading) -> list[str]:
    for reference in references:
        if reference not in known:
            reading.notice.found("reference_broken", column, reference)
    return [reference for reference in references if reference in known]


def _winning(lot: str | None, tenders: list[str], contracts: list[str], parts: _Parts) -> dict[str, str]:
    """Winning tender -> contract that holds it. A contract may hold tenders of several lots: only those that the lot result
    names count, or, when it names none, those of its lot."""
    winning: dict[str, str] = {}
    for contract in contracts:
        for tender in parts.contracts[contract].tenders:
            if tender in tenders or (not tenders and tender in parts.tenders and parts.tenders[tender].lot == lot):
                winning.setdefault(tender, contract)
    return winning


def _parties(winning: Mapping[str, str], parts: _Parts) -> list[list[str]]:
    """The tenderers of each winning tender."""
    return [parts.parties.get(parts.tenders[tender].party or "", []) for tender in winning]


def _winners(
    identifier: str | None,
    lot: str | None,
    winning: Mapping[str, str],
    parts: _Parts,
    reading: Reading,
    organisations: Organisations,
) -> None:
    seen: set[str] = set()
    for party in _parties(winning, parts):
        for reference in party:
            organisation = organisations.find(reference)
            if organisation is not None and organisation.ref not in seen:
                seen.add(organisation.ref)
                organisation.is_winner = True
                reading.notice.winners.append((identifier, lot, organisation.ref, organisation.size))


def _within(contracts: list[str], parts: _Parts) -> bool | None:
    flags = [parts.contracts[contract].within for contract in contracts]
    if True in flags:
        return True
    return False if flags and None not in flags else None


def _decision_date(contracts: list[str], parts: _Parts) -> str | None:
    """Earliest BT-1451; the notice-wide cac:TenderResult/cbc:AwardDate is a dummy by rule and never read."""
    dates = [date for contract in contracts if (date := parts.contracts[contract].decision)]
    return min((date for date in dates if date[:10] not in DUMMY_DATES), default=None)


def _award_value(winning: Mapping[str, str], contracts: list[str], parts: _Parts) -> int | None:
    """FI-70 of the result's own contracts, else BT-720 of its winning tenders; None unless every one is known: a part of
    the sum would pass for the whole. A contract over several lot results cannot be split."""
    held = [parts.contracts[contract] for contract in contracts]
    if any(contract.cents is not None for contract in held):
        if any(contract.cents is None or contract.lot_results > 1 for contract in held):
            return None
        return sum(contract.cents or 0 for contract in held)
    values = [parts.tenders[tender].cents for tender in winning]
    if not values or None in values:
        return None
    return sum(value for value in values if value is not None)


def _unnamed_tenders(parts: _Parts, named: set[str], reading: Reading) -> None:
    """Tenders that no lot result names (contract modifications): kept, without a result."""
    held = {tender: reference for reference, contract in parts.contracts.items() for tender in contract.tenders}
    for identifier, tender in parts.tenders.items():
        if identifier not in named:
            reading.notice.tenders.append(
                (identifier, None, tender.lot, False, tender.rank, tender.cents, tender.currency, held.get(identifier))
            )
