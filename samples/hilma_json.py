"""Writes planted notices in the shape that Hilma had of its own: as its read API gave them, and in the wrapper of its list of what was
sent. Both hold what says nothing: default objects, empty texts, decoys beside what is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from samples.facts import Award, Lot, Notice, Organisation, Procedure, Result, Supplier
from samples.people import Person
from samples.ted import journal_number

HELSINKI = ZoneInfo("Europe/Helsinki")
ONE_OBJECT_UNTIL = date(2021, 3, 9)
"""Up to this day the contract of a lot was one object, later an array."""
TO_INTERNAL = 560_000
_PROCEDURES = {"open": 1, "restricted": 2, "neg-w-call": 3, "comp-dial": 4, "neg-wo-call": 15, "oth-mult": 14}
_NATURES = {"supplies": 1, "services": 2, "works": 4}
_CRITERIA = {("price",): 4, ("price", "quality"): 5, ("cost",): 2, ("cost", "quality"): 3}
_NO_CONTRACT = {"contractors": [], "numberOfTenders": {"total": 0, "sme": None}, "finalTotalValue": {"type": 0, "currency": ""}}
_DEFAULT = {
    "contractAwarded": 0,
    "noAwardedContract": {"failureReason": 0},
    "awardedContract": _NO_CONTRACT,
    "awardedContracts": [],
}
Json = dict[str, object]


def internal(notice: Notice) -> int:
    """Hilma's own number of the notice, which is not the one in the Official Journal."""
    return int(notice.number[:6]) - TO_INTERNAL


def contract(procedure: Procedure, notice: Notice, person: Person) -> Json:
    """The notice as the read API gave it."""
    number = _project(procedure, notice)
    content = _content(procedure, notice, person)
    project = _purchase(procedure, notice) | {"organisation": _organisation(procedure.buyers[0], person)}
    return content | {
        "project": project,
        "id": internal(notice),
        "noticeNumber": _own_number(notice),
        "procurementProjectId": number,
        "procurementObject": {"shortDescription": ["Näyte"], "mainCpvCode": _cpv(procedure), **_values(procedure, notice, float)},
        "datePublished": published(notice),
        "state": 16 if internal(notice) % 11 == 0 else 2,
        "isLatest": notice is procedure.notices[-1],
        "isPrivateSmallValueProcurement": False,
        "hilmaSubmissionDate": published(notice),
    }


def wrapped(procedure: Procedure, notice: Notice, person: Person) -> Json:
    """The notice as it was sent, in the wrapper of the list of what was sent: amounts as texts, the lots' numbers as numbers."""
    content = _content(procedure, notice, person)
    content |= {"organisation": _organisation(procedure.buyers[0], person), "mainCPVCode": _cpv(procedure), "links": []}
    content |= _values(procedure, notice, lambda euros: f"{euros:.2f}")
    for lot in content["objectDescriptions"]:  # type: ignore[attr-defined]
        lot["lotNumber"] = int(lot["lotNumber"]) if lot["lotNumber"] else ""
    return {
        "noticeNumber": _own_number(notice),
        "noticeOjsNumber": content["noticeOjsNumber"],
        "hilmaStatus": 2,
        "hilmaPublicationDate": published(notice),
        "creationDate": published(notice),
        "projectId": _project(procedure, notice),
        "noticeId": internal(notice),
        "etsIdentifier": f"nayte_{internal(notice)}",
        "tedPublicationInfo": None,
        "notice": content,
    }


def cased(value: object, change: Callable[[str], str]) -> object:
    """The same with every key changed."""
    if isinstance(value, dict):
        return {change(key): cased(item, change) for key, item in value.items()}
    return [cased(item, change) for item in value] if isinstance(value, list) else value


def published(notice: Notice) -> str:
    """Time of publication in UTC without saying so: in the morning, or on the evening before, when a new day has begun in Finland."""
    late = internal(notice) % 3 == 0 or notice.day.timetuple().tm_yday == 1
    local = datetime.combine(notice.day, time(0, 30) if late else time(10, 0, 31), HELSINKI)
    return local.astimezone(UTC).replace(tzinfo=None).isoformat() + ".5000000"


def _project(procedure: Procedure, notice: Notice) -> int:
    """The key of the procedure; an award within a dynamic purchasing system has one of its own."""
    return int(procedure.procedure_id) + (900_000 if notice.subtype == "301" else 0)


def _own_number(notice: Notice) -> str:
    return f"{notice.day.year}-{internal(notice):06d}"


def _content(procedure: Procedure, notice: Notice, person: Person) -> Json:
    earlier = _earlier(procedure, notice)
    changed = notice.role == "change"
    return {
        "type": int(notice.subtype),
        "legalBasis": "32014L0024" if procedure.is_ted else None,
        "parentId": internal(earlier) if earlier else None,
        "noticeOjsNumber": journal_number(notice) if procedure.is_ted else None,
        "previousNoticeOjsNumber": journal_number(earlier) if earlier and procedure.is_ted and not _is_forgotten(notice) else "",
        "language": "FI",
        "corrigendumPreviousNoticeNumber": f"{person.name} {person.personal_id}",  # people type anything anywhere
        "isCorrigendum": changed and internal(notice) % 4 != 0,
        "isCancelled": notice.cancels,
        "cancelledReason": [],
        "changes": [{"section": "IV.2.2", "oldText": [], "newText": []}] if changed and not notice.cancels else [],
        "contactPerson": {"name": person.name, "email": person.email, "phone": person.phone},
        "project": _purchase(procedure, notice),
        "lotsInfo": {"divisionLots": len(procedure.lots) > 1, "quantityOfLots": len(procedure.lots)},
        "objectDescriptions": [_lot(procedure, notice, lot) for lot in procedure.lots],
        "procedureInformation": _information(procedure, notice),
        "tenderingInformation": {
            "languages": ["FI"],
            "tendersOrRequestsToParticipateDueDateTime": f"{notice.deadline}T12:00:00" if notice.deadline else None,
        },
        "hilmaStatistics": _statistics(procedure, notice),
        "proceduresForReview": {"reviewBody": _address("Esimerkkioikeus (näyte)", "")},
        "contractAwardsDefence": [],
    }


def _is_forgotten(notice: Notice) -> bool:
    """Whether the sender left out what the notice follows in the Official Journal; Hilma's key of the procedure tells it all the same."""
    return internal(notice) % 5 == 0 and notice.subtype != "301"


def _purchase(procedure: Procedure, notice: Notice) -> Json:
    return {
        "title": procedure.title,
        "contractType": _NATURES[procedure.lots[0].nature],
        "procurementCategory": 4 if notice.subtype in ("500", "600") else 1,
        "jointProcurement": len(procedure.buyers) > 1,
        "centralPurchasing": procedure.central,
        "coPurchasers": [_address(buyer.name_fi, buyer.business_id) for buyer in procedure.buyers[1:]],
        "publish": 1 if procedure.is_ted else 2,
        "state": 0,
    }


def _earlier(procedure: Procedure, notice: Notice) -> Notice | None:
    """The notice that this one continues: what a corrigendum corrects, what an award follows, what was announced beforehand."""
    before = procedure.notices[: procedure.notices.index(notice)]
    calls = [earlier for earlier in before if earlier.role in ("call", "change", "veat")]
    return calls[-1] if calls and notice.role in ("change", "result") else None


def _organisation(buyer: Organisation, person: Person) -> Json:
    return {
        "information": _address(buyer.name_fi, buyer.business_id) | {"department": person.name, "contactPerson": person.email},
        "contractingAuthorityType": 4,
        "mainActivity": 1,
    }


def _address(name: str, number: str, country: str = "FI") -> Json:
    return {
        "officialName": name,
        "nationalRegistrationNumber": number,
        "nutsCodes": ["FI", "FI1B1"],
        "postalAddress": {"town": "Esimerkkilä", "country": country},
    }


def _cpv(procedure: Procedure) -> Json:
    return {"code": procedure.lots[0].cpv, "name": "", "vocCodes": []}


def _values(procedure: Procedure, notice: Notice, written: Callable[[float], object]) -> Json:
    """Estimate and total. What is not told is an empty object, or, every other time, a range that is withheld."""
    estimate: Json = {"type": 0, "currency": "EUR"}
    if notice.role not in ("planning", "outside") and procedure.estimated_cents is not None and not _has_results(notice):
        estimate |= {"type": internal(notice) % 2, "value": written(procedure.estimated_cents / 100)}
    elif not _has_results(notice) and internal(notice) % 2:
        estimate = {"type": 2, "minValue": 150_000.0, "maxValue": 250_000.0, "currency": "EUR", "disagreeToBePublished": True}
    return {"estimatedValue": estimate, "totalValue": {"type": 0, "currency": ""}}


def _has_results(notice: Notice) -> bool:
    return notice.role in ("result", "veat")


def _lot(procedure: Procedure, notice: Notice, lot: Lot) -> Json:
    return {
        "title": "Osa",
        "lotNumber": lot.lot_id.removeprefix("LOT-") if len(procedure.lots) > 1 else "",
        "mainCpvCode": {"code": "", "name": "", "vocCodes": []},
        "additionalCpvCodes": [_cpv(procedure)],
        "nutsCodes": ["FI1B1", "FI"],
        "awardCriteria": {"criterionTypes": _CRITERIA[lot.criteria], "priceCriterion": {}},
        "estimatedValue": {"type": 0, "currency": "EUR"},
        "awardContract": _awarded(notice, lot.result) if _has_results(notice) and lot.result else _DEFAULT,
    }


def _awarded(notice: Notice, result: Result) -> Json:
    if not result.awards:
        return _DEFAULT | {"contractAwarded": 2, "noAwardedContract": {"failureReason": 1, "originalNoticeSentVia": 2}}
    contracts = [_contract(notice, result, award) for award in result.awards]
    if notice.day <= ONE_OBJECT_UNTIL:
        return {"contractAwarded": 1, "awardedContract": contracts[0]}
    return {"contractAwarded": 1, "awardedContract": _NO_CONTRACT, "awardedContracts": contracts}


def _contract(notice: Notice, result: Result, award: Award) -> Json:
    """One contract. What is withheld stands in it all the same, beside the flag that withholds it."""
    if result.withheld:
        return {
            "conclusionDate": _moment(result),
            "numberOfTenders": {"total": 5, "sme": 4, "otherEu": 1, "disagreeTenderInformationToBePublished": True},
            "contractors": [_address("Salattu Näyte Oy", "") | {"isSmallMediumEnterprise": True}],
            "disagreeContractorInformationToBePublished": True,
            "finalTotalValue": {"type": 1, "value": 720_000.0, "currency": "EUR", "disagreeToBePublished": True},
        }
    counts = {"total": result.tenders or 0, "sme": result.sme_tenders, "otherEu": None, "nonEu": 0, "electronic": None}
    value: Json = (
        {"type": 0, "currency": "EUR"} if award.cents is None else {"type": 1, "value": award.cents / 100, "currency": "EUR"}
    )
    return {
        "conclusionDate": _moment(result),
        "contractNumber": "1",
        "numberOfTenders": counts if notice.role == "result" else {"total": 0, "sme": 0},
        "contractors": [_contractor(winner) for winner in award.winners],
        "finalTotalValue": value,
        "initialEstimatedValueOfContract": {"type": 0, "currency": ""},
    }


def _moment(result: Result) -> str | None:
    return f"{result.decision}T00:00:00" if result.decision else None


def _contractor(winner: Supplier) -> Json:
    return _address(winner.name, winner.identity or "", winner.country) | {"isSmallMediumEnterprise": winner.size == "sme"}


def _information(procedure: Procedure, notice: Notice) -> Json:
    lot = procedure.lots[0]
    kind = 17 if notice.subtype == "9905" else 0 if notice.role == "planning" else _PROCEDURES[procedure.procedure_type]
    return {
        "procedureType": kind,
        "acceleratedProcedure": False,
        "contestType": 0,
        "frameworkAgreement": {
            "includesFrameworkAgreement": lot.framework != "none",
            "frameworkAgreementType": 2 if lot.framework != "none" else 0,
            "includesDynamicPurchasingSystem": lot.dps != "none",
            "dynamicPurchasingSystemInvolvesAdditionalPurchasers": lot.dps == "dps-nlist",
        },
    }


def _statistics(procedure: Procedure, notice: Notice) -> Mapping[str, object] | None:
    """The notice's answers: those of its awarded lots, or of all it calls for."""
    if notice.role == "result":
        given = next((lot.result_answers for lot in procedure.lots if lot.result_answers), {})
    else:
        given = procedure.lots[0].call_answers if notice.role in ("call", "change") else {}
    return dict(given) | {"validationState": 2} if given else None


def ted_twin(procedure: Procedure, notice: Notice) -> tuple[Procedure, Notice]:
    """The same notice as the TED XML that Hilma made of it tells it: with 0 for counts not told, and the day of dispatch for decisions."""
    dispatched = notice.day - timedelta(days=1)
    lots = [replace(lot, result=lot.result and replace(lot.result, sme_tenders=0, decision=dispatched)) for lot in procedure.lots]
    form = {"call": "F02", "result": "F03"}
    notices = [replace(one, subtype=form[one.role], dispatched=one.day - timedelta(days=1)) for one in procedure.notices]
    twin = replace(procedure, lots=lots, notices=notices)
    return twin, notices[procedure.notices.index(notice)]
