"""Contact requests as files: Dataverse pages, Excel and CSV exports of views, JSON lines. Titles, descriptions and people that
stand in such exports are planted too, as canaries.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from samples.deliveries import Written
from samples.facts import Canary
from samples.ids import personal_id
from samples.xlsx import write_workbook

if TYPE_CHECKING:
    from samples.contacts import Case

SOURCE = "contact_requests"
LABEL = "@OData.Community.Display.V1.FormattedValue"
TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"
CODES = {
    "advice": (1, "Question"),
    "document_comment": (100_000_001, "Document comments"),
    "mini_competition": (100_000_002, "Mini competition"),
    "other": (2, "Problem"),
    "unmapped": (100_000_009, "Special"),
}
FINNISH = {
    "advice": "Neuvonta",
    "document_comment": "Asiakirjakommentti",
    "mini_competition": "Minikilpailutuksen tuki",
    "other": "Muu",
    "unmapped": "Erikoistapaus",
    "": "",
}
SWEDISH = {
    "advice": "Rådgivning",
    "document_comment": "Dokumentkommentar",
    "mini_competition": "Förnyad konkurrensutsättning",
    "other": "Annan",
    "unmapped": "Specialfall",
    "": "",
}
FREE_TEXT = "Toimistotarvikkeet 2021-2025"
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel serials know no zone
VIEW = (
    "(Älä muokkaa) Tapaus", "(Älä muokkaa) Rivin tarkistussumma", "(Älä muokkaa) Muokattu", "Tapausnumero", "Otsikko", "Asiakas",
    "Yhteyshenkilö", "Luotu", "Ensivastaus", "Ratkaisupäivä", "Tila", "Tilan syy", "Alkuperä", "Tyyppi", "Tuote", "Ylätason tapaus",
)  # fmt: skip
COLUMNS = (
    "Ärendenummer", "Ändrad", "Inkom", "Första svar", "Löst den", "Status", "Statusorsak", "Ursprung", "Ärendetyp",
    "Gemensam upphandling", "Kund", "Kundens FO-nummer", "Överordnat ärende", "Beskrivning",
)  # fmt: skip
FORMATS = ("pages", "view", "columns", "page_list", "lines")


def write(rng: Random, written: Written, agency: str, layout: str, day: str, cases: Sequence[Case]) -> None:
    """One delivery in one of FORMATS, produced on `day`."""
    from samples.form_files import outcome

    def place(name: str) -> Path:
        return written.place(agency, name, SOURCE)

    def person(name: str) -> tuple[str, str]:
        return _person(rng, written, str(place(name).relative_to(written.out)))

    broken = 0
    if layout == "pages":
        half = len(cases) // 2
        name = f"incidents_{day}.jsonl"
        records = [_record(case, *person(name)) for case in cases]
        pages = [_page(records[:half], more=True), _page(records[half:], more=False)]
        place(name).write_text("".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages), "utf-8")
    elif layout == "page_list":
        name = f"incidents_{day}.json"
        records = [_record(case, *person(name)) for case in cases]
        _json(place(name), [_page(records[:1], more=True), _page(records[1:], more=False)])
    elif layout == "lines":
        name = f"contacts_{day}.jsonl"
        lines = [json.dumps(_line(case), ensure_ascii=False) for case in cases]
        place(name).write_text("\n".join(lines) + "\n", "utf-8")
    elif layout == "view":
        name = f"Yhteydenotot_{day}.xlsx"
        without_id = ["" if name != "Tila" else "Aktiivinen" for name in VIEW]
        write_workbook(place(name), [VIEW, *(_view(case, *person(name)) for case in cases), without_id], "Kaikki yhteydenotot")
        broken = 1
    else:
        name = f"kontakter_{day}.csv"
        with place(name).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
            writer.writerow(COLUMNS)
            writer.writerows(_columns(case, *person(name)) for case in cases)
    outcome(written, agency, SOURCE, name, len(cases), rows_quarantined=broken, rules={"value_missing": 2} if broken else {})


def _person(rng: Random, written: Written, file: str) -> tuple[str, str]:
    """Somebody that nobody is, and a title that tells it all: planted in the file; every other time nobody."""
    number = rng.randrange(10**6)
    if number % 2:
        return "", "Kysymys"
    name, mail, code = f"Testi Henkilöläinen-{number:06d}", f"testi.{number:06d}@kunta.example", personal_id(number)
    phone = f"040 {number // 1_000:03d} {number % 1_000:04d}"
    planted = {"person_name": name, "email": mail, "phone": phone, "personal_id": code}
    written.canaries += [Canary(text, kind, file, "title") for kind, text in planted.items()]
    return name, f"Kysymys, {', '.join(planted.values())}"


def _json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")


def _page(records: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    service = "https://cpb.example/api/data/v9.2"
    page: dict[str, Any] = {"@odata.context": f"{service}/$metadata#incidents", "value": records}
    return page | ({"@odata.nextLink": f"{service}/incidents?$skiptoken=2"} if more else {})


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _state(case: Case) -> int:
    """0 active, 1 resolved, 2 cancelled (merged too)."""
    return 2 if case.apart in ("cancelled", "merged") else int(case.closed is not None)


def _status(case: Case) -> int:
    return {"merged": 2000, "cancelled": 6}.get(case.apart, 5 if case.closed else 1)


def _joint(case: Case) -> str:
    return FREE_TEXT if case.joint == "unmapped" else case.joint


def _record(case: Case, person: str, title: str) -> dict[str, Any]:
    """A Dataverse record; what is formatted is so in another time zone, as the caller's settings would have it."""
    record: dict[str, Any] = {
        "incidentid": case.case_id,
        "ticketnumber": f"CAS-{case.number:05d}-A1B2C3",
        "title": title,
        "description": title,
    }
    for name, moment in (
        ("createdon", case.received), ("modifiedon", case.changed_at), ("firstresponseat", case.responded), ("deactivatedon", case.closed),
    ):  # fmt: skip
        if moment is not None:
            record[name + LABEL] = f"{moment.astimezone(UTC) + timedelta(hours=5, minutes=30):%d-%m-%Y %H:%M}"
        record[name] = _utc(moment)
    labelled = [("statecode", _state(case), ("Active", "Resolved", "Cancelled")[_state(case)])]
    labelled.append(
        ("statuscode", _status(case), {2000: "Merged", 6: "Cancelled", 5: "Problem Solved", 1: "In Progress"}[_status(case)])
    )
    labelled.append(("caseorigincode", 1, "Phone") if case.apart == "phone" else ("caseorigincode", 100_000_000, "Teams"))
    if case.kind:
        labelled.append(("casetypecode", *CODES[case.kind]))
    for name, number, label in labelled:
        record |= {name + LABEL: label, name: number}
    if not case.kind:
        record["casetypecode"] = None
    looked_up = [
        ("_customerid_value", case.organisation.name_fi, "account")
        if case.organisation.name_fi
        else ("_customerid_value", person, "contact")
    ]
    looked_up.append(("_primarycontactid_value", person, "contact"))
    looked_up.append(("_productid_value", _joint(case), "product"))
    for name, label, table in looked_up:
        known = {name + LABEL: label, name + TABLE: table, name: str(UUID(int=_number(label)))}
        record |= known if label else {name: None}
    return record | {"merged": case.apart == "merged", "_parentcaseid_value": str(UUID(int=1)) if case.apart == "child" else None}


def _number(text: str) -> int:
    """A number of a text, the same in every run."""
    return int.from_bytes(text.encode().rjust(16, b"0")[-16:], "big")


def _serial(moment: datetime | None) -> Decimal | None:
    """Local time as a spreadsheet keeps it."""
    if moment is None:
        return None
    since = moment.replace(tzinfo=None) - EPOCH
    return Decimal(since.days) + (Decimal(since.seconds) / 86_400).quantize(Decimal("1e-9"))


def _local(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.day}.{moment.month}.{moment.year} {moment:%H.%M}"


def _view(case: Case, person: str, title: str) -> Sequence[str | int | Decimal | None]:
    state = ("Aktiivinen", "Ratkaistu", "Peruutettu")[_state(case)]
    reason = {2000: "Yhdistetty", 6: "Peruutettu", 5: "Ongelma ratkaistu", 1: "Käynnissä"}[_status(case)]
    return (
        case.case_id, "aGFzaA==", _serial(case.changed_at), f"CAS-{case.number:05d}", title, case.organisation.name_fi or person, person,
        _serial(case.received), _local(case.responded), _local(case.closed), state, reason,
        "Puhelin" if case.apart == "phone" else "Verkko", FINNISH[case.kind], _joint(case), title if case.apart == "child" else "",
    )  # fmt: skip


def _columns(case: Case, person: str, title: str) -> Sequence[str]:
    state = ("Aktiv", "Löst", "Avbruten")[_state(case)]
    reason = {2000: "Sammanfogad", 6: "Avbruten", 5: "Problemet har lösts", 1: "Pågår"}[_status(case)]
    return (
        case.case_id, _local(case.changed_at), _local(case.received), _local(case.responded), _local(case.closed), state, reason,
        "Telefon" if case.apart == "phone" else "E-post", SWEDISH[case.kind], _joint(case), case.organisation.name_sv or person,
        case.organisation.business_id, title if case.apart == "child" else "", title,
    )  # fmt: skip


def _line(case: Case) -> dict[str, Any]:
    """Our own names and codes; times in Finnish time with its offset."""
    closed = case.closed and case.closed.isoformat()
    return {
        "case_id": case.case_id,
        "received_at": case.received.isoformat(),
        "modified_at": case.changed_at.isoformat(),
        "first_response_at": case.responded and case.responded.isoformat(),
        "closed_at": closed,
        "state": ("active", "resolved", "cancelled")[_state(case)],
        "origin": "phone" if case.apart == "phone" else "email",
        "request_type": case.kind,
        "joint_procurement": _joint(case),
        "organisation_id": case.organisation.organisation_id if case.organisation.name_fi else "",
        "is_child": case.apart == "child",
    }
