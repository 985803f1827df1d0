"""eForms notices (UBL 2.3 with the EU extensions) to raw rows; national Finnish notices included.

Element paths follow the field list of the eForms SDK (field numbers BT, OPP, OPT in comments) and, for the national
extension, Hilma's SDK (FI-20, FI-30, FI-70). Only known children are visited, by tag, so unknown elements of later SDK
versions cost nothing and break nothing. Contact persons, addresses and beneficial owners are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from schemas.procurement_notices import FORM_TYPES
from transforms.formats import eforms_result as result
from transforms.formats.codes import STATISTICS_SUBTYPES, SUBTYPES, UTILITIES_ENTITY, alpha2, form_of_subtype
from transforms.formats.eforms_lots import PROCESS, PROJECT, cpv, estimate_of, is_lot, read_lot
from transforms.formats.eforms_parts import (
    CAC,
    CBC,
    EFAC,
    EFBC,
    EXT,
    HILMA,
    Answers,
    Organisation,
    Organisations,
    Reading,
    first,
    text_of,
)  # fmt: skip
from transforms.formats.rows import Notice, Value
from transforms.formats.values import codes, flag

Element = etree._Element

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
ROOTS: Mapping[str, str] = {
    f"{{{UBL}{root}-2}}{root}": root
    for root in ("PriorInformationNotice", "ContractNotice", "ContractAwardNotice")
} | {
    "{http://data.europa.eu/p27/eforms-business-registration-information-notice/1}BusinessRegistrationInformationNotice":
        "BusinessRegistrationInformationNotice",
}  # fmt: skip

SDK_VERSION = re.compile(r"eforms-sdk-([0-9]+(?:\.[0-9]+)*)")
CONTRACTING_ENTITY = "cont-ent"
"""BT-740: a buyer of the utilities directive, whose legal type some notices leave out."""
OTHER_SUBTYPE = re.compile(r"^[A-Z]{0,3}[0-9]{0,3}$")
VERSIONED_ID = re.compile(r"^([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})-[0-9]{2}$")

EXTENSIONS = EXT + "UBLExtensions"
EXTENSION = "{http://data.europa.eu/p27/eforms-ubl-extensions/1}EformsExtension"
LOT = CAC + "ProcurementProjectLot"
PARTY = CAC + "ContractingParty"


def is_eforms(root: Element) -> bool:
    """Whether the root element is one of the four of eForms (by name: the namespaces of later versions may move)."""
    return root.tag in ROOTS or etree.QName(root).localname in ROOTS.values()


def read(root: Element, answers: Answers | None = None) -> Notice:
    """Raw rows of one notice. `answers` are Hilma's statistics by lot id, where delivered. Never raises for content: what
    is missing or odd becomes a finding, and `clean` decides."""
    tops: dict[str, list[Element]] = {}
    for child in root:
        tops.setdefault(child.tag, []).append(child)
    extension = next((e for top in tops.get(EXTENSIONS, ()) for e in top.iter(EXTENSION)), None)
    dates = (_text(tops, "IssueDate"), _text(tops, "IssueTime"))
    publication = first(extension, EFAC + "Publication")
    published = text_of(publication, EFBC + "PublicationDate")
    reading = Reading(root, (published or dates[0] or "")[:10])
    subtype = text_of(first(extension, EFAC + "NoticeSubType"), CBC + "SubTypeCode")
    form_type = _form_type(tops, subtype)

    organisations = reading.organisations(extension)
    buyers = _buyers(tops.get(PARTY, ()), organisations, reading)
    country = buyers[0].country if buyers else _business_country(tops)
    if not buyers and form_type != "bri":
        reading.notice.found("buyer_missing", "organisation_ref")
    contract_values = _contract_values(tops, reading)
    results = result.read(first(extension, EFAC + "NoticeResult"), reading, organisations, contract_values)
    asked = results.awarded_lots if form_type == "result" else None
    if subtype not in STATISTICS_SUBTYPES or country != "FI":
        asked = frozenset()
    lots = [element for element in tops.get(LOT, ()) if is_lot(element)]
    for element in lots:
        read_lot(element, reading, asked, answers or {})

    notice = reading.notice
    project, process = _top(tops, PROJECT), _top(tops, PROCESS)
    procedure_id = _text(tops, "ContractFolderID")
    if procedure_id:
        notice.procedure = (procedure_id, *_procedure(process, project, buyers, tops, reading), len(lots))
    number = text_of(publication, EFBC + "NoticePublicationID")
    changes = _changes(extension)
    notice.notice = (
        _notice_id(tops),
        _text(tops, "VersionID"),
        "eforms",
        _sdk_version(_text(tops, "CustomizationID")),
        form_type,
        _text(tops, "NoticeTypeCode"),
        subtype if subtype in SUBTYPES else _other_subtype(subtype, form_type, notice),
        _text(tops, "RegulatoryDomain"),
        _is_ted(subtype, tops, number),
        procedure_id,
        _previous(process, lots, tops),
        plain_id(changes[0]),
        changes[1],
        *dates,
        published,
        number,
        (_text(tops, "NoticeLanguageCode") or "").upper() or None,
        country,
        results.total_cents,
        codes(list(notice.currencies)),
        codes(reading.withheld_codes),
    )
    notice.organisations = [organisation.row() for organisation in organisations.all]
    return notice


def _top(tops: Mapping[str, list[Element]], tag: str) -> Element | None:
    found = tops.get(tag)
    return found[0] if found else None


def _text(tops: Mapping[str, list[Element]], name: str) -> str | None:
    found = tops.get(CBC + name)
    return ((found[0].text or "").strip() or None) if found else None


def _notice_id(tops: Mapping[str, list[Element]]) -> str | None:
    """BT-701; files without the scheme name have the one id only."""
    ids = tops.get(CBC + "ID", [])
    chosen = next((e for e in ids if e.get("schemeName") == "notice-id"), ids[0] if len(ids) == 1 else None)
    return ((chosen.text or "").strip() or None) if chosen is not None else None


def _sdk_version(text: str | None) -> str | None:
    match = SDK_VERSION.search(text or "")
    return match.group(1) if match else None


def plain_id(text: str | None) -> str | None:
    """A notice reference without the version that BT-758 appends (`<uuid>-01`); publication numbers stay as they are."""
    match = VERSIONED_ID.match(text or "")
    return match.group(1) if match else text


def _previous(process: Element | None, lots: list[Element], tops: Mapping[str, list[Element]]) -> str | None:
    """The notice this one follows: OPP-090, else the lots' planning notice (BT-125), else the national one (FI-125)."""
    national = first(_top(tops, HILMA + "NationalExtension"), HILMA + "TenderingProcess")
    reference = text_of(first(process, CAC + "NoticeDocumentReference"), CBC + "ID")
    if reference is None:
        of_lots = (text_of(first(first(lot, PROCESS), CAC + "NoticeDocumentReference"), CBC + "ID") for lot in lots)
        reference = next(filter(None, of_lots), None)
    return plain_id(reference or text_of(national, HILMA + "PreviousPlanningIdentifier"))


def _form_type(tops: Mapping[str, list[Element]], subtype: str | None) -> str | None:
    element = _top(tops, CBC + "NoticeTypeCode")
    named = element.get("listName") if element is not None else None
    return named if named in FORM_TYPES else form_of_subtype(subtype or "")


def _other_subtype(subtype: str | None, form_type: str | None, notice: Notice) -> str | None:
    """A subtype that later versions may have brought: the form type (BT-03) says what the notice is (METHOD 42)."""
    if form_type is not None:
        notice.found("subtype_unknown", "subtype", subtype)
    return subtype if subtype and OTHER_SUBTYPE.match(subtype) else None


def _is_ted(subtype: str | None, tops: Mapping[str, list[Element]], number: str | None) -> bool:
    """EU subtypes always; E subtypes when Hilma sends them on (FI-20) or when they come from TED."""
    if not (subtype or "").startswith("E"):
        return True
    project = first(_top(tops, HILMA + "NationalExtension"), HILMA + "ProcurementProject")
    return bool(flag(text_of(project, HILMA + "IsEUApplicableConstraintIndicator"))) or number is not None


def _buyers(parties: list[Element] | tuple[()], organisations: Organisations, reading: Reading) -> list[Organisation]:
    """OPT-300 with BT-11; distinct, in order. A buyer that is no organisation of the notice is a broken reference."""
    buyers: dict[str, Organisation] = {}
    for party in parties:
        reference = text_of(first(first(party, CAC + "Party"), CAC + "PartyIdentification"), CBC + "ID")
        organisation = organisations.find(reference)
        if organisation is None:
            if reference:
                reading.notice.found("reference_broken", "organisation_ref", reference)
            continue
        organisation.is_buyer = True
        for kind in party.iterchildren(CAC + "ContractingPartyType"):
            code = first(kind, CBC + "PartyTypeCode")
            text = (code.text or "").strip() if code is not None else ""
            if code is not None and code.get("listName", "buyer-legal-type") == "buyer-legal-type":
                organisation.legal_type = text or None
            elif text == CONTRACTING_ENTITY:
                organisation.legal_type = organisation.legal_type or UTILITIES_ENTITY
        buyers.setdefault(organisation.ref, organisation)
        organisation.buyer_no = organisation.buyer_no or len(buyers)
    return list(buyers.values())


def _business_country(tops: Mapping[str, list[Element]]) -> str | None:
    party = _top(tops, CAC + "BusinessParty")
    code = next(party.iter(CBC + "IdentificationCode"), None) if party is not None else None
    return alpha2(code.text) if code is not None else None


def _contract_values(tops: Mapping[str, list[Element]], reading: Reading) -> dict[str, int | None]:
    """FI-70 by contract id; None where the value is not in euros or unreadable."""
    extension = _top(tops, HILMA + "NationalExtension")
    values: dict[str, int | None] = {}
    if extension is not None:
        for contract in extension.iter(HILMA + "SettledContract"):
            amount = first(contract, HILMA + "ContractValueAmount")
            reference = text_of(contract, CBC + "ID") or text_of(contract, HILMA + "ID")
            if reference and amount is not None:
                values[reference] = reading.euros(amount, "value_cents")
    return values


def _changes(extension: Element | None) -> tuple[str | None, bool | None]:
    """BT-758 or BT-1501, and whether a change reason (BT-140) cancels; (None, None) when the notice changes nothing."""
    changed: str | None = None
    cancels: bool | None = None
    for changes in (first(extension, EFAC + "Changes"), first(extension, EFAC + "ContractModification")):
        if changes is not None:
            changed = changed or text_of(changes, EFBC + "ChangedNoticeIdentifier")
            reasons = {(reason.text or "").strip() for reason in changes.iter(CBC + "ReasonCode")}
            cancels = bool(cancels) or "cancel" in reasons
    return changed, cancels


def _procedure(
    process: Element | None,
    project: Element | None,
    buyers: list[Organisation],
    tops: Mapping[str, list[Element]],
    reading: Reading,
) -> tuple[Value, ...]:
    withheld = reading.withheld(process)
    accelerated: bool | None = None
    for reason in process.iterchildren(CAC + "ProcessJustification") if process is not None else ():
        code = first(reason, CBC + "ProcessReasonCode")
        if code is not None and code.get("listName") == "accelerated-procedure" and not reading.withheld(reason) & {"BT-106"}:
            accelerated = flag(code.text)
    activity = first(first(_top(tops, PARTY), CAC + "ContractingActivity"), CBC + "ActivityTypeCode")
    estimate = estimate_of(project, reading)
    if estimate is None:
        estimate = _national_estimate(tops, reading)
    return (
        None if "BT-105" in withheld else text_of(process, CBC + "ProcedureCode"),
        accelerated,
        text_of(project, CBC + "ProcurementTypeCode"),
        cpv(project),
        len(buyers),
        len(buyers) > 1,
        any(buyer.is_central for buyer in buyers),
        buyers[0].legal_type if buyers else None,
        ((activity.text or "").strip() or None) if activity is not None else None,
        estimate,
    )


def _national_estimate(tops: Mapping[str, list[Element]], reading: Reading) -> int | None:
    """FI-30 is a yes/no in Hilma's schema; where a sender writes an amount with a currency it is taken as the estimate."""
    project = first(_top(tops, HILMA + "NationalExtension"), HILMA + "ProcurementProject")
    for child in project if project is not None else ():
        if child.get("currencyID") and "PredictedValue" in child.tag:
            return reading.euros(child, "estimated_value_cents")
    return None
