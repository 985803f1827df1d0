"""What every part of an eForms notice needs: element access, withheld fields, money, organisations, Hilma's answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from schemas.procurement_notices import ANSWERS
from transforms.formats.codes import alpha2
from transforms.formats.rows import Notice, Value
from transforms.formats.values import UnreadableError, cents, count, flag

Element = etree._Element
Answers = Mapping[str, Mapping[str, object]]
"""Hilma's statistics: lot id -> question -> answer, as delivered."""

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CBC = f"{{{_UBL}CommonBasicComponents-2}}"
CAC = f"{{{_UBL}CommonAggregateComponents-2}}"
EXT = f"{{{_UBL}CommonExtensionComponents-2}}"
EFAC = "{http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1}"
EFBC = "{http://data.europa.eu/p27/eforms-ubl-extension-basic-components/1}"
HILMA = "{urn:hanselHilma:NationalNoticeExtension}"
PRIVACY = EFAC + "FieldsPrivacy"
# Tags of the organisation block, which every notice repeats: joined once.
_COMPANY, _TOUCH_POINT = EFAC + "Company", EFAC + "TouchPoint"
_NATURAL_PERSON, _SIZE = EFBC + "NaturalPersonIndicator", EFBC + "CompanySizeCode"
_AWARDING, _ACQUIRING = EFBC + "AwardingCPBIndicator", EFBC + "AcquiringCPBIndicator"
_PARTY_ID, _ID, _PARTY_NAME, _NAME = CAC + "PartyIdentification", CBC + "ID", CAC + "PartyName", CBC + "Name"
_ADDRESS, _COUNTRY, _COUNTRY_CODE = CAC + "PostalAddress", CAC + "Country", CBC + "IdentificationCode"
_NUTS, _LEGAL_ENTITY, _COMPANY_ID = CBC + "CountrySubentityCode", CAC + "PartyLegalEntity", CBC + "CompanyID"
_WRAPPERS = frozenset(
    {
        "{http://data.europa.eu/p27/eforms-ubl-extensions/1}EformsExtension",
        EXT + "ExtensionContent",
        EXT + "UBLExtension",
        EXT + "UBLExtensions",
    }
)

WITHHELD_FIELDS: Mapping[str, str] = {
    "pro-typ": "BT-105", "pro-acc": "BT-106", "win-cho": "BT-142", "no-awa-rea": "BT-144", "not-val": "BT-161",
    "ten-ran": "BT-171", "awa-cri-typ": "BT-539", "ten-val-low": "BT-710", "ten-val-hig": "BT-711", "buy-rev-cou": "BT-712",
    "buy-rev-typ": "BT-712", "win-ten-val": "BT-720", "rec-sub-cou": "BT-759", "rec-sub-typ": "BT-759",
}  # fmt: skip
"""Code list non-publication-identifier to the field it withholds, as far as we read the field. Later SDK versions name the
field itself (BT-759-LotResult): both are understood."""
_FIELD_CODE = re.compile(r"^(BT-[0-9]+)")
_SAME_FIELD = {"BT-760": "BT-759", "BT-635": "BT-712", "BT-636": "BT-712"}

LANGUAGES = ("FIN", "SWE", "ENG")

HILMA_QUESTIONS: Mapping[str, str] = {
    "energy_efficiency": "energyefficiencyconsidered",
    "low_carbon": "lowcarbon",
    "circular_economy": "circulareconomy",
    "biodiversity": "biodiversity",
    "sustainable_food": "sustainablefoodproduction",
    "listed_green_criteria": "listedgreencriteriaused",
    "just_working_conditions": "justworkingconditions",
    "employment_condition": "employmentcondition",
    "code_of_conduct": "codeofconduct",
    "innovation_considered": "innovationconsidered",
    "new_to_buyer": "solutionnewtobuyer",
    "new_to_market": "solutionnewtomarketorindustry",
    "sme_considered": "smeparticipationconsidered",
    "end_user_involved": "enduserinvolved",
}
"""Contract answer to the question's key in hilmaStatistics, lower-cased (senders differ in capitals)."""
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def first(parent: Element | None, tag: str) -> Element | None:
    """The first child with this tag; None for no parent or no such child.

    A plain loop: UBL elements have few children, and lxml's own tag filter costs more to set up than it saves.
    """
    if parent is not None:
        for child in parent:
            if child.tag == tag:
                return child
    return None


def children(parent: Element | None) -> dict[str, Element]:
    """The first child of every tag: one pass, where several children are wanted."""
    return {child.tag: child for child in parent.iterchildren(reversed=True)} if parent is not None else {}


def text_in(found: Mapping[str, Element], tag: str) -> str | None:
    """Stripped text of a child found by `children`; None when absent or blank."""
    element = found.get(tag)
    return (element.text or "").strip() or None if element is not None else None


def text_of(parent: Element | None, tag: str) -> str | None:
    """Stripped text of the first child with this tag; None when absent or blank."""
    if parent is not None:
        for child in parent:
            if child.tag == tag:
                return (child.text or "").strip() or None
    return None


def texts_of(parent: Element, tag: str) -> list[str]:
    """Stripped non-blank texts of the children with this tag."""
    return [text for child in parent.iterchildren(tag) if (text := (child.text or "").strip())]


def lot_answers(answers: Mapping[str, object]) -> tuple[Value, ...]:
    """The statistics answers of one lot in the contract's order, the number of jobs last; None where unanswered."""
    given = {str(key).lower(): value for key, value in answers.items()}
    jobs = given.get("howmanyopportunitiesisestimated")
    try:
        number = None if jobs is None or isinstance(jobs, bool) else count(str(jobs).strip())
    except UnreadableError:
        number = None
    return (*(_answer(given.get(HILMA_QUESTIONS[name])) for name in ANSWERS), number)


def _answer(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    return _WORDS.get(str(value).strip().lower())


@dataclass(slots=True, eq=False)
class Organisation:
    """An organisation of the notice while its roles are still being found."""

    ref: str
    name: str | None
    registration: str | None
    country: str | None
    nuts: str | None
    size: str | None
    is_central: bool
    is_person: bool
    is_buyer: bool = False
    buyer_no: int | None = None
    is_tenderer: bool = False
    is_winner: bool = False
    legal_type: str | None = None

    def row(self) -> tuple[Value, ...]:
        """The raw organisation row. Who neither buys nor tenders is there to serve: e-sender, review body, adviser."""
        return (
            self.ref or None,
            self.name,
            self.registration,
            self.country,
            self.nuts,
            self.size,
            self.is_buyer,
            self.buyer_no,
            self.is_winner,
            not (self.is_buyer or self.is_tenderer),
            self.legal_type,
            self.is_central,
            self.is_person,
        )


class Organisations:
    """The notice's organisations by reference; touch points (TPO-) stand for the organisation they belong to."""

    def __init__(self) -> None:
        self.all: list[Organisation] = []
        self._by_ref: dict[str, Organisation] = {}

    def add(self, organisation: Organisation, touch_points: list[str]) -> None:
        """Registers an organisation under its own reference and those of its touch points."""
        self.all.append(organisation)
        for ref in (organisation.ref, *touch_points):
            if ref:
                self._by_ref.setdefault(ref, organisation)

    def find(self, ref: str | None) -> Organisation | None:
        """The organisation behind a reference; None when the notice does not hold it."""
        return self._by_ref.get(ref or "")


class Reading:
    """One notice being read: the rows so far, and which fields are withheld where."""

    def __init__(self, root: Element, notice_day: str) -> None:
        self.notice = Notice()
        self.withheld_codes: list[str] = []
        self._withheld: dict[Element, set[str]] = {}
        self._everywhere: set[str] = set()
        for privacy in root.iter(PRIVACY):
            self._withhold(privacy, notice_day, root)

    def _withhold(self, privacy: Element, notice_day: str, root: Element) -> None:
        """A field is withheld unless its date of release (BT-198) had come when the notice was published."""
        code = text_of(privacy, EFBC + "FieldIdentifierCode")
        release = (text_of(privacy, EFBC + "PublicationDate") or "")[:10]
        if code is None or (release and release not in ("1970-01-01", "2000-01-01") and notice_day and release <= notice_day):
            return
        self.withheld_codes.append(code)
        match = _FIELD_CODE.match(code)
        field = WITHHELD_FIELDS.get(code) or (match.group(1) if match else code)
        field = _SAME_FIELD.get(field, field)
        holder = privacy.getparent()
        while holder is not None and holder.tag in _WRAPPERS:
            holder = holder.getparent()
        if holder is None or holder is root:
            self._everywhere.add(field)
        else:
            self._withheld.setdefault(holder, set()).add(field)

    def withheld(self, element: Element | None) -> set[str]:
        """Field numbers withheld at this element (empty for nearly every notice)."""
        if not self.withheld_codes or element is None:
            return self._everywhere
        return self._withheld.get(element, set()) | self._everywhere

    def euros(self, amount: Element | None, column: str, withheld: bool = False) -> int | None:
        """Cents of an amount in euros; None when absent, withheld, masked, unreadable or in another currency (both noted)."""
        if amount is None or withheld:
            return None
        text = (amount.text or "").strip()
        if not text:
            return None
        try:
            value = cents(text)
        except UnreadableError:
            self.notice.found("value_unreadable", column, text)
            return None
        currency = (amount.get("currencyID") or "").strip().upper()
        if currency != "EUR" and value is not None:
            self.notice.currencies.add(currency if currency.isalpha() and len(currency) == 3 else "unknown")
            return None
        return value

    def number(self, text: str | None, column: str) -> int | None:
        """A count; None when absent, masked or unreadable (noted)."""
        if text is None:
            return None
        try:
            return count(text)
        except UnreadableError:
            self.notice.found("value_unreadable", column, text)
            return None

    def organisations(self, extension: Element | None) -> Organisations:
        """OPT-200 organisations with BT-500, 501, 507, 514, 165 and the central purchasing flags. One name each."""
        found = Organisations()
        holder = first(extension, EFAC + "Organizations")
        for element in holder.iterchildren(EFAC + "Organization") if holder is not None else ():
            found.add(*_organisation(element))
        return found


def _organisation(element: Element) -> tuple[Organisation, list[str]]:
    """One organisation and the references of its touch points. Whether it is a person its name decides too, when it is cleaned."""
    own = children(element)
    company = own.get(_COMPANY)
    parts = children(company)
    address = children(parts.get(_ADDRESS))
    organisation = Organisation(
        text_of(parts.get(_PARTY_ID), _ID) or "",
        _name(company),
        text_of(parts.get(_LEGAL_ENTITY), _COMPANY_ID),
        alpha2(text_of(address.get(_COUNTRY), _COUNTRY_CODE)),
        text_in(address, _NUTS),
        text_in(parts, _SIZE),
        bool(flag(text_in(own, _AWARDING)) or flag(text_in(own, _ACQUIRING))),
        bool(flag(text_in(own, _NATURAL_PERSON))),
    )
    points = element.iterchildren(_TOUCH_POINT) if _TOUCH_POINT in own else ()
    return organisation, [text_of(first(point, _PARTY_ID), _ID) or "" for point in points]


def _name(company: Element | None) -> str | None:
    """BT-500 in Finnish, else Swedish, else English, else the first: one name however many languages are given."""
    names: dict[str, str] = {}
    for party_name in company.iterchildren(_PARTY_NAME) if company is not None else ():
        for name in party_name.iterchildren(_NAME):
            text = " ".join((name.text or "").split())
            if text:
                names.setdefault((name.get("languageID") or "").upper(), text)
    for language in LANGUAGES:
        if language in names:
            return names[language]
    return next(iter(names.values()), None)
