"""Writes planted notices in the older TED schema (R2.0.9): F02 contract notices and F03 award notices."""

from __future__ import annotations

from datetime import date
from xml.sax.saxutils import escape

from samples.cellforms import point
from samples.eforms_result import total_cents
from samples.facts import Award, Lot, Notice, Organisation, Procedure, Result, Supplier

_PROCEDURES = {
    "open": "PT_OPEN",
    "restricted": "PT_RESTRICTED",
    "neg-w-call": "PT_COMPETITIVE_NEGOTIATION",
    "comp-dial": "PT_COMPETITIVE_DIALOGUE",
    "neg-wo-call": "PT_AWARD_CONTRACT_WITHOUT_CALL",
}
_CODES = {"open": "1", "restricted": "2", "neg-w-call": "4", "comp-dial": "C", "neg-wo-call": "T"}
_NATURES = {"works": ("WORKS", "1"), "supplies": ("SUPPLIES", "2"), "services": ("SERVICES", "4")}
_NUTS = '<n2016:NUTS CODE="FI1B1"/>'


def write(procedure: Procedure, notice: Notice) -> bytes:
    """The XML of an F02 or F03 notice, with a translation beside the original (the same notice: counted once)."""
    form = f"{notice.subtype}_2014"
    body = "".join(
        (
            _contracting_body(procedure),
            _object(procedure, notice),
            _process(procedure, notice),
            _awards(procedure, notice),
            _end(notice),
        )
    )
    translation = (
        f'<{form} CATEGORY="TRANSLATION" FORM="{notice.subtype}" LG="SV">{body}</{form}>'
        if procedure.procedure_id[0] == "a"
        else ""
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<TED_EXPORT xmlns="http://publications.europa.eu/resource/schema/ted/R2.0.9/publication"'
        ' xmlns:n2016="http://publications.europa.eu/resource/schema/ted/2016/nuts" VERSION="R2.0.9.S03.E01"'
        f' DOC_ID="{notice.number}" EDITION="{notice.day.year}001">{_coded(procedure, notice)}<FORM_SECTION>'
        f'<{form} CATEGORY="ORIGINAL" FORM="{notice.subtype}" LG="FI"><LEGAL_BASIS VALUE="32014L0024"/>{body}</{form}>{translation}'
        "</FORM_SECTION></TED_EXPORT>"
    ).encode()


def journal_number(notice: Notice) -> str:
    """The document number as the Official Journal writes it: 2021/S 004-123456."""
    number, year = notice.number.split("-")
    return f"{year}/S {notice.day.timetuple().tm_yday % 250 + 1:03d}-{number}"


def _coded(procedure: Procedure, notice: Notice) -> str:
    nature = _NATURES[procedure.lots[0].nature]
    document = "3" if notice.subtype == "F02" else "7"
    return (
        f"<CODED_DATA_SECTION><REF_OJS><COLL_OJ>S</COLL_OJ><NO_OJ>1</NO_OJ><DATE_PUB>{notice.day:%Y%m%d}</DATE_PUB></REF_OJS>"
        f'<NOTICE_DATA><NO_DOC_OJS>{journal_number(notice)}</NO_DOC_OJS><LG_ORIG>FI</LG_ORIG><ISO_COUNTRY VALUE="{procedure.country}"/>'
        f'<ORIGINAL_CPV CODE="{procedure.lots[0].cpv}">Näyte</ORIGINAL_CPV></NOTICE_DATA>'
        f"<CODIF_DATA><DS_DATE_DISPATCH>{notice.dispatched:%Y%m%d}</DS_DATE_DISPATCH>"
        f'<AA_AUTHORITY_TYPE CODE="3">Regional or local authority</AA_AUTHORITY_TYPE>'
        f'<TD_DOCUMENT_TYPE CODE="{document}">{"Contract notice" if document == "3" else "Contract award notice"}</TD_DOCUMENT_TYPE>'
        f'<NC_CONTRACT_NATURE CODE="{nature[1]}">{nature[0].capitalize()}</NC_CONTRACT_NATURE>'
        f'<PR_PROC CODE="{_CODES[procedure.procedure_type]}">Procedure</PR_PROC></CODIF_DATA></CODED_DATA_SECTION>'
    )


def _contracting_body(procedure: Procedure) -> str:
    first, *others = procedure.buyers
    body = f"<ADDRESS_CONTRACTING_BODY>{_address(first)}</ADDRESS_CONTRACTING_BODY>"
    body += "".join(
        f"<ADDRESS_CONTRACTING_BODY_ADDITIONAL>{_address(other)}</ADDRESS_CONTRACTING_BODY_ADDITIONAL>" for other in others
    )
    body += "<JOINT_PROCUREMENT_INVOLVED/>" if others else ""
    body += "<CENTRAL_PURCHASING/>" if procedure.central else ""
    return f'<CONTRACTING_BODY>{body}<CA_TYPE VALUE="REGIONAL_AUTHORITY"/><CA_ACTIVITY VALUE="GENERAL_PUBLIC_SERVICES"/></CONTRACTING_BODY>'


def _address(buyer: Organisation) -> str:
    return (
        f"<OFFICIALNAME>{escape(buyer.name_fi)} </OFFICIALNAME><NATIONALID>{buyer.business_id}</NATIONALID><TOWN>Esimerkkilä</TOWN>"
        f'<COUNTRY VALUE="FI"/>{_NUTS}'
    )


def _object(procedure: Procedure, notice: Notice) -> str:
    call = notice.subtype == "F02"
    value = ""
    if call and procedure.estimated_cents is not None:
        value = f'<VAL_ESTIMATED_TOTAL CURRENCY="{procedure.currency}">{point(procedure.estimated_cents)}</VAL_ESTIMATED_TOTAL>'
    total = None if call else total_cents(procedure.lots)
    if total is not None:
        value = f'<VALUES><VAL_TOTAL CURRENCY="EUR">{point(total)}</VAL_TOTAL></VALUES>'
    divided = len(procedure.lots) > 1
    parts = "".join(
        _lot(lot, number, divided, call=call, currency=procedure.currency) for number, lot in enumerate(procedure.lots, start=1)
    )
    return (
        f'<OBJECT_CONTRACT><TITLE><P>{procedure.title}</P></TITLE><CPV_MAIN><CPV_CODE CODE="{procedure.lots[0].cpv}"/></CPV_MAIN>'
        f'<TYPE_CONTRACT CTYPE="{_NATURES[procedure.lots[0].nature][0]}"/><SHORT_DESCR><P>Näyte</P></SHORT_DESCR>{value}'
        f"{'<LOT_DIVISION/>' if divided else '<NO_LOT_DIVISION/>'}{parts}</OBJECT_CONTRACT>"
    )


def _lot(lot: Lot, number: int, divided: bool, *, call: bool, currency: str) -> str:
    value = ""
    if call and lot.estimated_cents is not None:
        value = f'<VAL_OBJECT CURRENCY="{currency}">{point(lot.estimated_cents)}</VAL_OBJECT>'
    return (
        f'<OBJECT_DESCR ITEM="{number}">{f"<LOT_NO>{number}</LOT_NO>" if divided else ""}<CPV_ADDITIONAL><CPV_CODE CODE="{lot.cpv}"/>'
        f"</CPV_ADDITIONAL>{_NUTS}<SHORT_DESCR><P>Näyte</P></SHORT_DESCR>{_criteria(lot)}{value}</OBJECT_DESCR>"
    )


def _criteria(lot: Lot) -> str:
    parts = ""
    if "quality" in lot.criteria:
        parts += '<AC_QUALITY ITEM="1"><AC_CRITERION>Laatu</AC_CRITERION><AC_WEIGHTING>40</AC_WEIGHTING></AC_QUALITY>'
    if "cost" in lot.criteria:
        parts += '<AC_COST ITEM="1"><AC_CRITERION>Kustannukset</AC_CRITERION><AC_WEIGHTING>60</AC_WEIGHTING></AC_COST>'
    if "price" in lot.criteria:
        parts += "<AC_PRICE><AC_WEIGHTING>60</AC_WEIGHTING></AC_PRICE>" if len(lot.criteria) > 1 else "<AC_PRICE/>"
    return f"<AC>{parts}</AC>"


def _process(procedure: Procedure, notice: Notice) -> str:
    lot = procedure.lots[0]
    parts = f"<{_PROCEDURES[procedure.procedure_type]}/>"
    if procedure.procedure_type == "neg-wo-call":
        parts = "<PT_AWARD_CONTRACT_WITHOUT_CALL><D_OUTSIDE_SCOPE/></PT_AWARD_CONTRACT_WITHOUT_CALL>"
    if procedure.accelerated and notice.subtype == "F02":
        parts += "<ACCELERATED_PROC><P>Kiire</P></ACCELERATED_PROC>"
    parts += "<FRAMEWORK><SEVERAL_OPERATORS/></FRAMEWORK>" if lot.framework != "none" else ""
    parts += "<DPS/>" if lot.dps != "none" else ""
    call = procedure.notice("call")
    if notice.subtype == "F03" and call:
        parts += f"<NOTICE_NUMBER_OJ>{journal_number(call)}</NOTICE_NUMBER_OJ>"
    if notice.deadline:
        parts += (
            f"<DATE_RECEIPT_TENDERS>{notice.deadline}</DATE_RECEIPT_TENDERS><TIME_RECEIPT_TENDERS>12:00</TIME_RECEIPT_TENDERS>"
        )
    return f"<PROCEDURE>{parts}</PROCEDURE>"


def _awards(procedure: Procedure, notice: Notice) -> str:
    if notice.subtype != "F03":
        return ""
    divided = len(procedure.lots) > 1
    return "".join(
        f'<AWARD_CONTRACT ITEM="{number}"><CONTRACT_NO>{number}</CONTRACT_NO>{f"<LOT_NO>{number}</LOT_NO>" if divided else ""}'
        f"<TITLE><P>{procedure.title}</P></TITLE>{_award(lot.result)}</AWARD_CONTRACT>"
        for number, lot in enumerate(procedure.lots, start=1)
        if lot.result
    )


def _award(result: Result) -> str:
    if not result.awards:
        return "<NO_AWARDED_CONTRACT><PROCUREMENT_UNSUCCESSFUL/></NO_AWARDED_CONTRACT>"
    (award,) = result.awards
    tenders = f"<NB_TENDERS_RECEIVED>{result.tenders}</NB_TENDERS_RECEIVED>" if result.tenders is not None else ""
    if result.sme_tenders is not None:
        tenders += f"<NB_TENDERS_RECEIVED_SME>{result.sme_tenders}</NB_TENDERS_RECEIVED_SME>"
    day: date | None = result.decision
    return (
        f"<AWARDED_CONTRACT>{f'<DATE_CONCLUSION_CONTRACT>{day}</DATE_CONCLUSION_CONTRACT>' if day else ''}<TENDERS>{tenders}</TENDERS>"
        f"{_contractors(award)}{_value(award)}</AWARDED_CONTRACT>"
    )


def _contractors(award: Award) -> str:
    group = "<AWARDED_TO_GROUP/>" if len(award.winners) > 1 else "<NO_AWARDED_TO_GROUP/>"
    return f"<CONTRACTORS>{group}{''.join(_contractor(winner) for winner in award.winners)}</CONTRACTORS>"


def _contractor(winner: Supplier) -> str:
    number = f"<NATIONALID>{winner.identity}</NATIONALID>" if winner.identity else ""
    size = "" if winner.kind == "foreign_id" or not winner.size else "<SME/>" if winner.size == "sme" else "<NO_SME/>"
    return (
        f"<CONTRACTOR><ADDRESS_CONTRACTOR><OFFICIALNAME>{escape(winner.name)}</OFFICIALNAME>{number}<TOWN>Esimerkkilä</TOWN>"
        f'<COUNTRY VALUE="{winner.country}"/>{_NUTS}</ADDRESS_CONTRACTOR>{size}</CONTRACTOR>'
    )


def _value(award: Award) -> str:
    if award.cents is None:
        return ""
    return f'<VALUES><VAL_TOTAL CURRENCY="{award.currency}">{point(award.cents)}</VAL_TOTAL></VALUES>'


def _end(notice: Notice) -> str:
    return (
        "<COMPLEMENTARY_INFO><ADDRESS_REVIEW_BODY><OFFICIALNAME>Esimerkkituomioistuin (näyte)</OFFICIALNAME><TOWN>Esimerkkilä</TOWN>"
        f'<COUNTRY VALUE="FI"/></ADDRESS_REVIEW_BODY><DATE_DISPATCH_NOTICE>{notice.dispatched}</DATE_DISPATCH_NOTICE></COMPLEMENTARY_INFO>'
    )
