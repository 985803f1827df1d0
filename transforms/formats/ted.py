"""The older TED schema (R2.0.9 and R2.0.8, forms F01-F25) to raw rows.

Only the form with CATEGORY="ORIGINAL" is read: the others are translations of the same notice. Elements are matched by local
name, because every schema version has its own namespace. R2.0.9 forms share one layout; the R2.0.8 forms that lived on
(defence, F16-F19) and the pre-2016 ones name their sections differently; where they do, both names are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from transforms.formats import ted_award as award
from transforms.formats.codes import (
    TED_ACTIVITIES,
    TED_AUTHORITY_TYPES,
    TED_LEGAL_TYPES,
    TED_PROCEDURE_CODES,
    TED_PROCEDURES,
    alpha2,
)
from transforms.formats.eforms_parts import Organisation
from transforms.formats.rows import NO_ANSWERS, Notice, Value
from transforms.formats.ted_parts import (
    LANGUAGES,
    UNDIVIDED,
    Element,
    Reading,
    below,
    date_of,
    day_month_year,
    lot_name,
    text_below,
)
from transforms.formats.values import codes

FORM_TYPES = {
    1: "planning", 2: "competition", 3: "result", 4: "planning", 5: "competition", 6: "result", 7: "competition", 8: "planning",
    9: "competition", 10: "competition", 11: "competition", 12: "competition", 13: "result", 14: "change", 15: "dir-awa-pre",
    16: "planning", 17: "competition", 18: "result", 19: "competition", 20: "cont-modif", 24: "competition", 25: "result",
}  # fmt: skip
"""Forms 21-23 (social and other specific services) hold every stage: see `_form_type`."""
PUBLIC_TRANSPORT = {"T01": "planning", "T02": "result"}
"""Forms of regulation 1370/2007."""
DOCUMENT_TYPES = {
    "0": "planning", "P": "planning", "2": "change", "7": "result", "J": "result", "R": "result", "V": "dir-awa-pre", "K": "cont-modif",
    **dict.fromkeys("345CDHIMOY", "competition"),
}  # fmt: skip
"""TD_DOCUMENT_TYPE of the coded data: the form type of forms that are none of these (METHOD 42)."""
DOCUMENT_NUMBER = re.compile(r"^([0-9]{4})/S [0-9]{1,3}-([0-9]{1,8})$")
BUYERS = ("{*}ADDRESS_CONTRACTING_BODY", "{*}ADDRESS_CONTRACTING_BODY_ADDITIONAL")
WITH_LOTS = ("competition", "result", "dir-awa-pre", "cont-modif")
CRITERIA = {"AC_PRICE": "price", "AC_COST": "cost", "AC_QUALITY": "quality"}


def is_ted(root: Element) -> bool:
    """Whether the root element is that of the older schema."""
    return etree.QName(root).localname == "TED_EXPORT"


def read(root: Element) -> Notice | None:
    """Raw rows of one notice; None when no ORIGINAL form is in it of which its number or the document type says what it is. Never
    raises for content."""
    form = next((e for e in _forms(root) if e.get("CATEGORY") == "ORIGINAL"), None)
    if form is None:
        return None
    number, code = _form_number(form)
    coded = next(root.iterchildren("{*}CODED_DATA_SECTION"), root)
    form_type = _form_type(number, code, form, _attribute(coded, "TD_DOCUMENT_TYPE", "CODE"))
    if form_type is None:
        return None
    reading = Reading(Notice())
    if not number and code not in PUBLIC_TRANSPORT:
        reading.notice.found("subtype_unknown", "subtype", code)
    own, previous = _document_number(root), oj_number(text_below(form, "NOTICE_NUMBER_OJ"))
    buyers = _buyers(form, coded, reading)
    country = buyers[0].country if buyers else alpha2(_attribute(coded, "ISO_COUNTRY", "VALUE"))
    procedure_id = own if form_type in ("planning", "competition") else previous or own
    lots = _lots(form, form_type, number, reading)
    award.read(form, form_type, lots, reading)
    if not buyers:
        reading.notice.found("buyer_missing", "organisation_ref")
    notice = reading.notice
    if procedure_id:
        notice.procedure = (procedure_id, *_procedure(coded, form, buyers, reading), len(lots))
    total = _notice_total(form, reading)
    notice.notice = (
        own,
        "1",
        "ted",
        root.get("VERSION") or form.get("VERSION"),
        form_type,
        code,
        code,
        _attribute(form, "LEGAL_BASIS", "VALUE"),
        True,
        procedure_id,
        previous,
        previous if form_type in ("change", "cont-modif") else None,
        None,
        date_of(text_below(coded, "DS_DATE_DISPATCH")) or day_month_year(below(form, "NOTICE_DISPATCH_DATE")),
        None,
        date_of(text_below(coded, "DATE_PUB")),
        own,
        LANGUAGES.get((form.get("LG") or "").upper()),
        country,
        total,
        codes(list(notice.currencies)),
        codes(reading.withheld),
    )
    notice.organisations = reading.organisation_rows()
    return notice


def _forms(root: Element) -> Iterator[Element]:
    section = next(root.iterchildren("{*}FORM_SECTION"), None)
    return iter(section) if section is not None else iter(())


def _form_number(form: Element) -> tuple[int, str | None]:
    """The number in FORM="F03" or FORM="3", else in the element's name, and the form as F03; of others 0 and what stands there."""
    named = re.match(r"F([0-9]{2})_", etree.QName(form).localname)
    text = (form.get("FORM") or "").strip().upper() or (named.group(1) if named else "")
    digits = re.fullmatch(r"F?([0-9]{1,3})", text)
    number = int(digits.group(1)) if digits else 0
    if 1 <= number <= 25:
        return number, f"F{number:02d}"
    return 0, text if re.fullmatch(r"[A-Z]?[0-9]{1,3}", text) else None


def _form_type(number: int, code: str | None, form: Element, document: str | None) -> str | None:
    """Forms 21-23 by what they hold: an award section decides, then the notice type, then the document type."""
    if not number:
        return PUBLIC_TRANSPORT.get(code or "") or DOCUMENT_TYPES.get(document or "")
    if number in FORM_TYPES:
        if number in (1, 4) and _attribute(form, "NOTICE", "TYPE") == "PRI_CALL_COMPETITION":
            return "competition"
        return FORM_TYPES[number]
    kind = _attribute(form, "NOTICE", "TYPE") or ""
    if below(form, "AWARD_CONTRACT") is not None or "AWARD" in kind or document == "7":
        return "result"
    return "planning" if kind in ("PRI_ONLY", "") and document in ("0", "P", "M", None) else "competition"


def _attribute(parent: Element, name: str, attribute: str) -> str | None:
    element = below(parent, name)
    return (element.get(attribute) or "").strip() or None if element is not None else None


def _document_number(root: Element) -> str | None:
    return (root.get("DOC_ID") or "").strip() or oj_number(text_below(root, "NO_DOC_OJS"))


def oj_number(text: str | None) -> str | None:
    """`2016/S 177-317897` as `317897-2016`; None for anything else."""
    match = DOCUMENT_NUMBER.match(" ".join((text or "").split()))
    return f"{match.group(2).zfill(6)}-{match.group(1)}" if match else None


def _buyers(form: Element, coded: Element, reading: Reading) -> list[Organisation]:
    """Contracting bodies in order, distinct; in R2.0.8 the first organisation of the form's first section. Forms of utilities do
    not ask what the buyer is: the coded data tell."""
    elements = list(form.iter(*BUYERS))
    if not elements:
        section = next((e for e in form.iter("{*}CA_CE_CONCESSIONAIRE_PROFILE", "{*}CONTRACTING_AUTHORITY_INFORMATION")), None)
        elements = [section] if section is not None else []
    legal = TED_LEGAL_TYPES.get(
        _attribute(form, "CA_TYPE", "VALUE") or _attribute(form, "TYPE_OF_CONTRACTING_AUTHORITY", "VALUE") or ""
    ) or TED_AUTHORITY_TYPES.get(_attribute(coded, "AA_AUTHORITY_TYPE", "CODE") or "")
    central = below(form, "CENTRAL_PURCHASING") is not None or below(form, "PURCHASING_ON_BEHALF_YES") is not None
    buyers: list[Organisation] = []
    for element in elements:
        organisation = reading.organisation(element)
        if organisation is not None and organisation not in buyers:
            organisation.is_buyer = True
            organisation.legal_type = legal
            organisation.is_central = central
            buyers.append(organisation)
            organisation.buyer_no = len(buyers)
    return buyers


def _procedure(coded: Element, form: Element, buyers: list[Organisation], reading: Reading) -> tuple[Value, ...]:
    kind = _procedure_type(form)
    joint = below(form, "JOINT_PROCUREMENT_INVOLVED") is not None or len(buyers) > 1
    activity = _attribute(form, "CA_ACTIVITY", "VALUE") or _attribute(form, "CE_ACTIVITY", "VALUE")
    contract = below(form, "OBJECT_CONTRACT")
    return (
        kind or TED_PROCEDURE_CODES.get(_attribute(coded, "PR_PROC", "CODE") or ""),
        below(form, "ACCELERATED_PROC") is not None or below(form, "PT_ACCELERATED_RESTRICTED") is not None,
        _nature(form),
        _cpv(form),
        len(buyers),
        joint,
        any(buyer.is_central for buyer in buyers),
        buyers[0].legal_type if buyers else None,
        TED_ACTIVITIES.get(activity or ""),
        reading.euros(
            next(contract.iterchildren("{*}VAL_ESTIMATED_TOTAL"), None) if contract is not None else None, "estimated_value_cents"
        ),
    )


def _procedure_type(form: Element) -> str | None:
    """BT-105 of the PT_ element: a child of PROCEDURE in R2.0.9, anywhere in R2.0.8."""
    section = below(form, "PROCEDURE")
    names = (e.tag.rpartition("}")[2] for e in (form.iter() if section is None else section))
    return next((TED_PROCEDURES[name] for name in names if name in TED_PROCEDURES), None)


def _nature(form: Element) -> str | None:
    for name, attribute in (("TYPE_CONTRACT", "CTYPE"), ("TYPE_CONTRACT", "VALUE")):
        value = (_attribute(form, name, attribute) or "").lower()
        if value in ("works", "supplies", "services"):
            return value
    return None


def _cpv(element: Element) -> str | None:
    main = next((e for e in element.iter("{*}CPV_MAIN")), None)
    code = next(main.iter("{*}CPV_CODE"), None) if main is not None else None
    return (code.get("CODE") or "")[:8] or None if code is not None else None


def _notice_total(form: Element, reading: Reading) -> int | None:
    """OBJECT_CONTRACT/VALUES/VAL_TOTAL (II.1.7); not the values of single awards, which lie elsewhere."""
    contract = below(form, "OBJECT_CONTRACT")
    for holder in contract.iterchildren("{*}VALUES", "{*}VALUE", "{*}VAL_TOTAL") if contract is not None else ():
        if reading.is_hidden(holder, "not-val"):
            return None
        amount = holder if etree.QName(holder).localname == "VAL_TOTAL" else next(holder.iterchildren("{*}VAL_TOTAL"), None)
        if amount is not None:
            return reading.euros(amount, "total_value_cents")
    return None


def _lots(form: Element, form_type: str, number: int, reading: Reading) -> list[str]:
    """Lots from OBJECT_DESCR; an undivided contract is LOT-0000. Forms without descriptions (old ones, design contests) have
    the one lot too, where the stage has lots at all."""
    elements = list(form.iter("{*}OBJECT_DESCR"))
    if not elements and form_type not in WITH_LOTS:
        return []
    divided = len(elements) > 1 or any(text_below(e, "LOT_NO") for e in elements)
    common = _common(form, number)
    lots: dict[str, Element | None] = {}
    for position, element in enumerate(elements, start=1):
        lot = lot_name(text_below(element, "LOT_NO") or str(position)) if divided else UNDIVIDED
        lots.setdefault(lot, element)
    for lot, description in (lots or {UNDIVIDED: None}).items():
        reading.notice.lots.append(_lot(lot, description, form, common, reading))
    return list(lots) or [UNDIVIDED]


def _common(form: Element, number: int) -> tuple[Value, ...]:
    """Framework, DPS and deadline stand once for all lots. The schema does not tell the kinds of framework: fa-mix. Absence
    means none only in forms that ask."""
    asks = number in (2, 3, 5, 6, 15, 17, 18, 21, 22)
    return (
        "fa-mix" if below(form, "FRAMEWORK") is not None else "none" if asks else None,
        "dps-list" if below(form, "DPS") is not None else "none" if asks else None,
        date_of(text_below(form, "DATE_RECEIPT_TENDERS")),
        text_below(form, "TIME_RECEIPT_TENDERS"),
    )


def _lot(lot: str, element: Element | None, form: Element, common: tuple[Value, ...], reading: Reading) -> tuple[Value, ...]:
    estimate = next(element.iterchildren("{*}VAL_OBJECT"), None) if element is not None else None
    return (
        lot,
        _nature(form),
        _cpv(element) or _cpv(form) if element is not None else _cpv(form),
        *common,
        _criteria(element),
        reading.euros(estimate, "estimated_value_cents"),
        *(None,) * 5,
        False,
        *NO_ANSWERS,
    )


def _criteria(element: Element | None) -> str | None:
    """AC children; None when they stand in the procurement documents only."""
    holder = below(element, "AC") if element is not None else None
    if holder is None or below(holder, "AC_PROCUREMENT_DOC") is not None:
        return None
    return codes([CRITERIA[name] for e in holder if (name := etree.QName(e).localname) in CRITERIA])
