"""The result part of planted eForms notices: lot results, tenders, contracts, tendering parties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from samples.eforms_parts import Organisations, amount, coded, offset
from samples.facts import Lot, Notice, Procedure, Result


@dataclass
class _Pieces:
    tenders: list[str] = field(default_factory=list)
    contracts: list[str] = field(default_factory=list)
    parties: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


def total_cents(lots: Sequence[Lot]) -> int | None:
    """BT-161 as planted: the sum of the awards, given when every award's value is known and in euros."""
    awards = [award for lot in lots if lot.result for award in lot.result.awards]
    if not awards or any(award.cents is None or award.currency != "EUR" for award in awards):
        return None
    return sum(award.cents or 0 for award in awards)


def write(lots: Sequence[Lot], organisations: Organisations, procedure: Procedure, notice: Notice, *, outdated: bool) -> str:
    """efac:NoticeResult of the lots. National notices carry contract values in Hilma's extension, not here."""
    pieces = _Pieces()
    chosen = (
        [lot for lot in lots if lot.result]
        if notice.role != "modification"
        else [lot for lot in lots if lot.result and lot.result.awards][:1]
    )
    if notice.role == "veat":
        chosen = list(lots)
    for number, lot in enumerate(chosen, start=1):
        result = lot.result or Result("selec-w")
        _lot_result(pieces, number, lot, result, organisations, procedure, notice, outdated=outdated)
    cents = total_cents(chosen) if notice.role == "result" and procedure.is_ted else None
    total = amount("cbc:TotalAmount", cents, "EUR") if cents is not None else ""
    inner = "".join((total, *pieces.results, *pieces.tenders, *pieces.contracts, *pieces.parties))
    return f"<efac:NoticeResult>{inner}</efac:NoticeResult>"


def _lot_result(
    pieces: _Pieces,
    number: int,
    lot: Lot,
    result: Result,
    organisations: Organisations,
    procedure: Procedure,
    notice: Notice,
    *,
    outdated: bool,
) -> None:
    lot_reference = f'<efac:TenderLot><cbc:ID schemeName="Lot">{lot.lot_id}</cbc:ID></efac:TenderLot>'
    references, contracts = [], []
    for award in result.awards:
        index = len(pieces.tenders) + 1
        tender, party, contract = f"TEN-{index:04d}", f"TPA-{index:04d}", f"CON-{index:04d}"
        references.append(f'<efac:LotTender><cbc:ID schemeName="tender">{tender}</cbc:ID></efac:LotTender>')
        contracts.append(f'<efac:SettledContract><cbc:ID schemeName="contract">{contract}</cbc:ID></efac:SettledContract>')
        pieces.tenders.append(
            f'<efac:LotTender>{_privacy("win-ten-val", result)}<cbc:ID schemeName="tender">{tender}</cbc:ID>'
            f"{_value(award.cents, award.currency, result, procedure)}"
            f'<efac:TenderingParty><cbc:ID schemeName="tendering-party">{party}</cbc:ID></efac:TenderingParty>{lot_reference}</efac:LotTender>'
        )
        pieces.contracts.append(_contract(contract, tender, result, notice))
        tenderers = "".join(
            f'<efac:Tenderer><cbc:ID schemeName="organization">{organisations.winner(winner)}</cbc:ID></efac:Tenderer>'
            for winner in award.winners
        )
        pieces.parties.append(
            f'<efac:TenderingParty><cbc:ID schemeName="tendering-party">{party}</cbc:ID>{tenderers}</efac:TenderingParty>'
        )
    reason = ""
    if result.reason:
        reason = f"<efac:DecisionReason>{coded('efbc:DecisionReasonCode', 'non-award-justification', result.reason)}</efac:DecisionReason>"
    pieces.results.append(
        f'<efac:LotResult><cbc:ID schemeName="result">RES-{number:04d}</cbc:ID>{coded("cbc:TenderResultCode", "winner-selection-status", result.code)}'
        f"{reason}{''.join(references)}{_statistics(result, outdated=outdated)}{''.join(contracts)}{lot_reference}</efac:LotResult>"
    )


def _value(cents: int | None, currency: str, result: Result, procedure: Procedure) -> str:
    """BT-720; a withheld value is masked as the publisher does."""
    if "win-ten-val" in result.withheld:
        return f"<cac:LegalMonetaryTotal>{amount('cbc:PayableAmount', -100, currency)}</cac:LegalMonetaryTotal>"
    if cents is None or not procedure.is_ted:
        return ""
    return f"<cac:LegalMonetaryTotal>{amount('cbc:PayableAmount', cents, currency)}</cac:LegalMonetaryTotal>"


def _privacy(code: str, result: Result) -> str:
    if code not in result.withheld:
        return ""
    return (
        f"<efac:FieldsPrivacy>{coded('efbc:FieldIdentifierCode', 'non-publication-identifier', code)}"
        f"{coded('cbc:ReasonCode', 'non-publication-justification', 'oth-int')}<efbc:PublicationDate>2099-12-31Z</efbc:PublicationDate>"
        "</efac:FieldsPrivacy>"
    )


def _contract(contract: str, tender: str, result: Result, notice: Notice) -> str:
    """A settled contract; without a decision date some systems write the placeholder 2000-01-01."""
    awarded = ""
    if notice.role == "result":
        day = result.decision
        awarded = f"<cbc:AwardDate>{f'{day}{offset(day)}' if day else '2000-01-01Z'}</cbc:AwardDate>"
    within = "true" if result.within_framework else "false"
    return (
        f'<efac:SettledContract><cbc:ID schemeName="contract">{contract}</cbc:ID>{awarded}'
        f"<efbc:ContractFrameworkIndicator>{within}</efbc:ContractFrameworkIndicator>"
        f'<efac:LotTender><cbc:ID schemeName="tender">{tender}</cbc:ID></efac:LotTender></efac:SettledContract>'
    )


def _statistics(result: Result, *, outdated: bool) -> str:
    """BT-759 by type; requests to participate are another count, sizes may stand in for t-sme."""
    if "rec-sub-cou" in result.withheld:
        return _statistic("tenders", -1, _privacy("rec-sub-cou", result))
    rows = []
    if result.tenders is not None:
        rows.append(_statistic("tenders", result.tenders + (4 if outdated else 0)))
    if result.requests is not None:
        rows.append(_statistic("part-req", result.requests))
    if result.sme_tenders is not None and result.sme_by_size:
        small = result.sme_tenders // 2
        rows += [_statistic("t-micro", 0), _statistic("t-small", small), _statistic("t-med", result.sme_tenders - small)]
    elif result.sme_tenders is not None:
        rows.append(_statistic("t-sme", result.sme_tenders))
    return "".join(rows)


def _statistic(code: str, count: int, privacy: str = "") -> str:
    return (
        f"<efac:ReceivedSubmissionsStatistics>{privacy}{coded('efbc:StatisticsCode', 'received-submission-type', code)}"
        f"<efbc:StatisticsNumeric>{count}</efbc:StatisticsNumeric></efac:ReceivedSubmissionsStatistics>"
    )


def national_values(lots: Sequence[Lot]) -> str:
    """FI-70: the contract values of a national award notice, in the numbering of `write`."""
    awards = [award for lot in lots if lot.result for award in lot.result.awards]
    contracts = "".join(
        f'<hilma:SettledContract><cbc:ID schemeName="contract">CON-{index:04d}</cbc:ID>'
        f"{amount('hilma:ContractValueAmount', award.cents, award.currency)}</hilma:SettledContract>"
        for index, award in enumerate(awards, start=1)
        if award.cents is not None
    )
    return (
        f"<hilma:NoticeResult><hilma:SettledContracts>{contracts}</hilma:SettledContracts></hilma:NoticeResult>"
        if contracts
        else ""
    )
