"""Notices in Hilma's own shape for tests, each with what they plant, and what reading makes of them."""

from __future__ import annotations

import copy
import json
from typing import Any

from schemas.reference import Reference
from transforms.delivery import CleanPart, Limits, RawPart
from transforms.formats import hilma, notices
from transforms.sources import notice_cleaning

REFERENCE = Reference.load()
Json = dict[str, Any]


def organisation(name: str, number: str) -> Json:
    return {"officialName": name, "nationalRegistrationNumber": number, "nutsCodes": ["FI", "FI1C7"], "postalAddress": {"country": "FI"}}


def notice(kind: int, number: int, **values: Any) -> Json:
    """A published notice of the town of Koivula: one undivided purchase with the default award object."""
    default = {"contractAwarded": 0, "awardedContracts": [{"numberOfTenders": {"total": 0}, "contractors": [{"officialName": ""}]}]}
    buyer = {"information": organisation("Koivulan kaupunki", "2345678-4"), "contractingAuthorityType": 4, "mainActivity": 512}
    return {
        "id": number, "procurementProjectId": 700, "noticeNumber": f"2022-{number:06d}", "type": kind, "state": 2,
        "datePublished": "2022-05-31T21:30:00.123", "language": "SV", "isCorrigendum": False, "isCancelled": False,
        "project": {"title": "Koulukuljetus", "contractType": 2, "procurementCategory": 1, "organisation": buyer},
        "procurementObject": {"mainCpvCode": {"code": "60130000"}, "estimatedValue": {"type": 1, "value": 81_000.5, "currency": "EUR"}},
        "objectDescriptions": [{"lotNumber": "", "awardCriteria": {"criterionTypes": 16}, "awardContract": default}],
        "procedureInformation": {"procedureType": 1, "frameworkAgreement": {"includesFrameworkAgreement": False}},
        "tenderingInformation": {"tendersOrRequestsToParticipateDueDateTime": "2022-12-01T14:00:00"},
        "hilmaStatistics": {"lowCarbon": True, "smeParticipationConsidered": False, "howManyOpportunitiesIsEstimated": 2},
        **values,
    }  # fmt: skip


def awarded(total: int | None, sme: int | None, value: float, **more: Any) -> Json:
    return {
        "conclusionDate": "2022-05-03T00:00:00", "numberOfTenders": {"total": total, "sme": sme},
        "contractors": [organisation("Linja Oy", "1234567-1") | {"isSmallMediumEnterprise": False}],
        "finalTotalValue": {"type": 1, "value": value, "currency": "EUR"}, **more,
    }  # fmt: skip


def award(*contracts: Json, kind: int = 300, **values: Any) -> Json:
    described = [{"lotNumber": "01", "awardContract": {"contractAwarded": 1, "awardedContracts": list(contracts)}}]
    return notice(kind, 9, objectDescriptions=described, noticeOjsNumber="2022/S 105-290001", **values)


def read(*documents: object) -> notices.Frames:
    """Raw frames of a delivery that lists the documents."""
    found = hilma.documents(json.dumps(documents).encode())
    blobs = [notices.Blob("d", item.position, item.data, item.answers, item.refused, item.content) for item in found]
    return notices.read_chunk(blobs, Limits())


def cleaned_from(frames: notices.Frames) -> CleanPart:
    return notice_cleaning.clean(RawPart(frames=frames, refused={}), REFERENCE)


def cleaned(*documents: object) -> CleanPart:
    return cleaned_from(read(*documents))


def row(part: CleanPart, table: str) -> Json:
    return part.accepted[table].row(0, named=True)


def cased(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {change(key): cased(item, change) for key, item in value.items()}
    return [cased(item, change) for item in value] if isinstance(value, list) else value


def pascal(key: str) -> str:
    return key[:1].upper() + key[1:]


def sent() -> Json:
    """The same call as its sender wrote it, in the wrapper of the status list."""
    sent = copy.deepcopy(notice(9902, 5))
    sent["organisation"] = sent["project"].pop("organisation")
    sent["mainCPVCode"] = sent["procurementObject"]["mainCpvCode"]
    sent["estimatedValue"] = {"type": "1", "value": "81000.50", "currency": "EUR"}
    for key in ("procurementObject", "datePublished", "noticeNumber", "procurementProjectId", "state"):
        del sent[key]
    sent["lotsInfo"] = {}
    wrapper = {"noticeNumber": "2022-000005", "hilmaStatus": 2, "hilmaPublicationDate": "2022-05-31T21:30:00.123"}
    return wrapper | {"projectId": 700, "noticeId": "5", "notice": sent}
