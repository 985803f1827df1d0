"""Writes planted notices as eForms XML: EU notices and Finnish national ones with Hilma's extension.

Element names and places follow the eForms SDK (1.13) and Hilma's SDK; field numbers in comments where they help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from xml.sax.saxutils import escape

from samples import eforms_result
from samples.eforms_parts import Organisations, amount, coded, offset
from samples.facts import Lot, Notice, Procedure

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_EU = "http://data.europa.eu/p27/eforms-ubl-"
_ROOTS = {"planning": "PriorInformationNotice", "call": "ContractNotice", "change": "ContractNotice"}
_TYPES = {
    "planning": ("planning", "pin-only"),
    "call": ("competition", "cn-standard"),
    "change": ("competition", "cn-standard"),
    "veat": ("dir-awa-pre", "veat"),
    "result": ("result", "can-standard"),
    "modification": ("cont-modif", "can-modif"),
}


@dataclass
class _Draft:
    """One notice version on its way to XML. `outdated` marks a former version, which says something else."""

    procedure: Procedure
    notice: Notice
    version: int
    outdated: bool
    organisations: Organisations = field(default_factory=Organisations)

    @property
    def lots(self) -> list[Lot]:
        if self.notice.role == "planning":
            return self.procedure.lots[:1]
        told = self.procedure.told(self.notice)
        return [lot for lot in told if not self.notice.lot_ids or lot.lot_id in self.notice.lot_ids]

    @property
    def changed(self) -> Notice | None:
        """The notice that this one changes (BT-758) or whose contract it modifies (BT-1501)."""
        roles = {"change": "call", "modification": "result"}
        if self.notice.role in roles:
            return self.procedure.notice(roles[self.notice.role])
        first = self.procedure.first("result")
        return first if self.notice.role == "result" and self.notice is not first else None


def write(procedure: Procedure, notice: Notice, version: int) -> bytes:
    """The XML of one version; versions before the newest hold other deadlines and tender counts."""
    draft = _Draft(procedure, notice, version, outdated=version < notice.versions)
    root = _ROOTS.get(notice.role, "ContractAwardNotice")
    buyers = [draft.organisations.buyer(buyer, procedure) for buyer in procedure.buyers]
    review = draft.organisations.service("Esimerkkituomioistuin (näyte)")
    sender = draft.organisations.service("Esimerkkilähettäjä (näyte)")
    results = ""
    if notice.role in ("veat", "result", "modification"):
        results = eforms_result.write(draft.lots, draft.organisations, procedure, notice, outdated=draft.outdated)
    body = "".join(
        (
            _extension(draft, results),
            _head(draft),
            _parties(buyers, sender),
            _process(draft),
            _project(draft),
            *(_lot(lot, draft, review) for lot in draft.lots),
            _tail(draft),
        )
    )
    spaces = (
        f' xmlns:cac="{_UBL}CommonAggregateComponents-2" xmlns:cbc="{_UBL}CommonBasicComponents-2"'
        f' xmlns:ext="{_UBL}CommonExtensionComponents-2" xmlns:efac="{_EU}extension-aggregate-components/1"'
        f' xmlns:efbc="{_EU}extension-basic-components/1" xmlns:efext="{_EU}extensions/1"'
        ' xmlns:hilma="urn:hanselHilma:NationalNoticeExtension"'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_UBL}{root}-2"{spaces}>{body}</{root}>'.encode()


def _extension(draft: _Draft, results: str) -> str:
    notice, changed = draft.notice, draft.changed
    parts = []
    if changed:
        identifier = f"{changed.notice_id}-{changed.versions:02d}"
        reason = ("change-corrig-justification", "cancel" if notice.cancels else "update-add")
        holder = "Changes"
        if notice.role == "modification":
            reason, holder = ("modification-justification", "mod-cir"), "ContractModification"
        modified = '<efbc:ModifiedContractIdentifier schemeName="contract">CON-0001</efbc:ModifiedContractIdentifier>'
        parts.append(
            f"<efac:{holder}><efbc:ChangedNoticeIdentifier>{identifier}</efbc:ChangedNoticeIdentifier>"
            f"{modified if holder != 'Changes' else ''}<efac:ChangeReason>{coded('cbc:ReasonCode', *reason)}</efac:ChangeReason></efac:{holder}>"
        )
    parts.append(results)
    parts.append(f"<efac:NoticeSubType>{coded('cbc:SubTypeCode', 'notice-subtype', notice.subtype)}</efac:NoticeSubType>")
    parts.append(f"<efac:Organizations>{draft.organisations.xml()}</efac:Organizations>")
    if notice.published:
        number = f"00{notice.number}"
        parts.append(
            f'<efac:Publication><efbc:NoticePublicationID schemeName="ojs-notice-id">{number}</efbc:NoticePublicationID>'
            f"<efbc:PublicationDate>{notice.published}Z</efbc:PublicationDate></efac:Publication>"
        )
    inner = "".join(parts)
    return (
        "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent><efext:EformsExtension>"
        f"{inner}</efext:EformsExtension></ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
    )


def _head(draft: _Draft) -> str:
    notice = draft.notice
    form, kind = _TYPES[notice.role]
    zone = offset(notice.dispatched)
    legal = "other" if not draft.procedure.is_ted else "32014L0024"
    return (
        f"<cbc:UBLVersionID>2.3</cbc:UBLVersionID><cbc:CustomizationID>eforms-sdk-1.13</cbc:CustomizationID>"
        f'<cbc:ID schemeName="notice-id">{notice.notice_id}</cbc:ID><cbc:ContractFolderID>{draft.procedure.procedure_id}</cbc:ContractFolderID>'
        f"<cbc:IssueDate>{notice.dispatched}{zone}</cbc:IssueDate><cbc:IssueTime>10:{draft.version:02d}:00{zone}</cbc:IssueTime>"
        f"<cbc:VersionID>{draft.version:02d}</cbc:VersionID><cbc:RegulatoryDomain>{legal}</cbc:RegulatoryDomain>"
        f'{coded("cbc:NoticeTypeCode", form, kind)}<cbc:NoticeLanguageCode listName="eu-official-language">FIN</cbc:NoticeLanguageCode>'
    )


def _parties(buyers: list[str], sender: str) -> str:
    service = (
        f"<cac:ServiceProviderParty>{coded('cbc:ServiceTypeCode', 'organisation-role', 'ted-esen')}<cac:Party><cac:PartyIdentification>"
        f'<cbc:ID schemeName="organization">{sender}</cbc:ID></cac:PartyIdentification></cac:Party></cac:ServiceProviderParty>'
    )
    return "".join(
        f"<cac:ContractingParty><cac:ContractingPartyType>{coded('cbc:PartyTypeCode', 'buyer-legal-type', 'body-pl')}"
        f"</cac:ContractingPartyType><cac:ContractingActivity>{coded('cbc:ActivityTypeCode', 'authority-activity', 'gen-pub')}"
        f'</cac:ContractingActivity><cac:Party><cac:PartyIdentification><cbc:ID schemeName="organization">{buyer}</cbc:ID>'
        f"</cac:PartyIdentification>{service if index == 0 else ''}</cac:Party></cac:ContractingParty>"
        for index, buyer in enumerate(buyers)
    )


def _process(draft: _Draft) -> str:
    if draft.notice.role == "planning":
        return ""
    procedure = draft.procedure
    accelerated = "true" if procedure.accelerated else "false"
    reason = ""
    if draft.notice.role in ("call", "change"):
        code = coded("cbc:ProcessReasonCode", "accelerated-procedure", accelerated)
        reason = f"<cac:ProcessJustification>{code}</cac:ProcessJustification>"
    kind = coded("cbc:ProcedureCode", "procurement-procedure-type", procedure.procedure_type)
    return f"<cac:TenderingProcess>{kind}{reason}</cac:TenderingProcess>"


def _project(draft: _Draft) -> str:
    procedure = draft.procedure
    cents = procedure.estimated_cents if draft.notice.role in ("call", "change") else None
    lot = procedure.lots[0]
    return (
        f"<cac:ProcurementProject>{_project_body(procedure.title, lot, cents, procedure.currency, '')}</cac:ProcurementProject>"
    )


def _project_body(title: str, lot: Lot, cents: int | None, currency: str, extra: str) -> str:
    estimate = ""
    if cents is not None:
        value = amount("cbc:EstimatedOverallContractAmount", cents, currency)
        estimate = f"<cac:RequestedTenderTotal>{value}</cac:RequestedTenderTotal>"
    return (
        f'<cbc:Name languageID="FIN">{escape(title)}</cbc:Name>{coded("cbc:ProcurementTypeCode", "contract-nature", lot.nature)}{extra}{estimate}'
        f"<cac:MainCommodityClassification>{coded('cbc:ItemClassificationCode', 'cpv', lot.cpv)}</cac:MainCommodityClassification>"
    )


def _lot(lot: Lot, draft: _Draft, review: str) -> str:
    if draft.notice.role == "planning":
        return _part(lot, draft)
    procedure = draft.procedure
    cents = lot.estimated_cents if draft.notice.role in ("call", "change") else None
    given = lot.result_answers if draft.notice.role == "result" else lot.call_answers
    return (
        f'<cac:ProcurementProjectLot><cbc:ID schemeName="Lot">{lot.lot_id}</cbc:ID>{_terms(lot, review)}'
        f"<cac:TenderingProcess>{_deadline(draft)}{_systems(lot)}</cac:TenderingProcess>"
        f"<cac:ProcurementProject>{_project_body(procedure.title, lot, cents, procedure.currency, _strategic(given))}</cac:ProcurementProject>"
        "</cac:ProcurementProjectLot>"
    )


def _part(lot: Lot, draft: _Draft) -> str:
    """Planning notices have parts or lots; a part (PAR-) is not a lot."""
    identifier, scheme = ("LOT-0000", "Lot") if draft.notice.subtype == "E1" else ("PAR-0000", "Part")
    body = _project_body(draft.procedure.title, lot, None, "EUR", "")
    return (
        f'<cac:ProcurementProjectLot><cbc:ID schemeName="{scheme}">{identifier}</cbc:ID>'
        f"<cac:ProcurementProject>{body}</cac:ProcurementProject></cac:ProcurementProjectLot>"
    )


def _terms(lot: Lot, review: str) -> str:
    if lot.free_text_criteria:
        text = '<cbc:Description languageID="FIN">Katso tarjouspyyntö</cbc:Description>'
        criteria = f"<cac:SubordinateAwardingCriterion>{text}</cac:SubordinateAwardingCriterion>"
    else:
        criteria = "".join(
            f"<cac:SubordinateAwardingCriterion>{coded('cbc:AwardingCriterionTypeCode', 'award-criterion-type', kind)}"
            '<cbc:Description languageID="FIN">Näyte</cbc:Description></cac:SubordinateAwardingCriterion>'
            for kind in lot.criteria
        )
    return (
        f"<cac:TenderingTerms><cac:AwardingTerms><cac:AwardingCriterion>{criteria}</cac:AwardingCriterion></cac:AwardingTerms>"
        f'<cac:AppealTerms><cac:AppealReceiverParty><cac:PartyIdentification><cbc:ID schemeName="organization">{review}</cbc:ID>'
        "</cac:PartyIdentification></cac:AppealReceiverParty></cac:AppealTerms></cac:TenderingTerms>"
    )


def _deadline(draft: _Draft) -> str:
    day = draft.notice.deadline
    if day is None:
        return ""
    if draft.outdated:
        day = day + timedelta(days=9)
    zone = offset(day)
    return (
        f"<cac:TenderSubmissionDeadlinePeriod><cbc:EndDate>{day}{zone}</cbc:EndDate><cbc:EndTime>12:00:00{zone}</cbc:EndTime>"
        "</cac:TenderSubmissionDeadlinePeriod>"
    )


def _systems(lot: Lot) -> str:
    return "".join(
        f"<cac:ContractingSystem>{coded('cbc:ContractingSystemTypeCode', name, code)}</cac:ContractingSystem>"
        for name, code in (("framework-agreement", lot.framework), ("dps-usage", lot.dps))
    )


_STRATEGIC = {
    "circularEconomy": ("environmental-impact", "circ-econ"),
    "biodiversity": ("environmental-impact", "biodiv-eco"),
    "codeOfConduct": ("social-objective", "hum-right"),
    "employmentCondition": ("social-objective", "opp"),
    "justWorkingConditions": ("social-objective", "work-cond"),
    "solutionNewToBuyer": ("innovative-acquisition", "org-nov"),
    "solutionNewToMarketOrIndustry": ("innovative-acquisition", "mar-nov"),
}


def _strategic(given: object) -> str:
    """What of Hilma's answers survives in the XML (BT-774, BT-775, BT-776)."""
    answers = given if isinstance(given, dict) else {}
    return "".join(
        f"<cac:ProcurementAdditionalType>{coded('cbc:ProcurementTypeCode', *_STRATEGIC[key])}</cac:ProcurementAdditionalType>"
        for key, value in answers.items()
        if value and key in _STRATEGIC
    )


def _tail(draft: _Draft) -> str:
    procedure, notice = draft.procedure, draft.notice
    dummy = "<cac:TenderResult><cbc:AwardDate>2000-01-01Z</cbc:AwardDate></cac:TenderResult>"
    tail = dummy if notice.role in ("veat", "result", "modification") else ""
    if procedure.is_ted:
        return tail
    values = eforms_result.national_values(draft.lots) if notice.role == "result" else ""
    return (
        f"{tail}<hilma:NationalExtension><hilma:ProcurementProject><hilma:IsEUApplicableConstraintIndicator>false"
        f"</hilma:IsEUApplicableConstraintIndicator></hilma:ProcurementProject>{values}</hilma:NationalExtension>"
    )
