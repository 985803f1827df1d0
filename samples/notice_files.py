"""Packs planted notices into deliveries: zips of older TED notices, zips of eForms XML, Hilma API batches in JSON, and lists of notices
in Hilma's own shape."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from samples import eforms, hilma_json, ted
from samples.agencies import NOTICES
from samples.deliveries import Written
from samples.facts import Notice, Outcome, Procedure
from samples.people import FIRST_OF_FORMS, Person, beside_the_buyer
from samples.procedures import in_order
from samples.xlsx import write_zip

SOURCE = "procurement_notices"
BATCH = 50
"""Hilma's API gives at most 50 notices at a time."""


def deliver(procedures: Sequence[Procedure], written: Written, *, broken: bool) -> None:
    """Writes every version of every notice. A later version comes in a later delivery than the former one."""
    zips: dict[str, dict[str, bytes]] = defaultdict(dict)
    batches: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    people: dict[str, list[Person]] = defaultdict(list)
    for number, (procedure, notice) in enumerate(in_order(procedures)):
        if notice.form == "ted":
            zips[f"ted_{notice.day.year}.zip"][f"{notice.number}.xml"] = ted.write(procedure, notice)
            continue
        for version in range(1, notice.versions + 1):
            person = Person.numbered(number % FIRST_OF_FORMS)
            content = beside_the_buyer(eforms.write(procedure, notice, version), person)
            later = "" if version == 1 else "_tasmennykset"
            if notice.form == "hilma":
                batch = batches[f"hilma_{notice.day.year}{later}"]
                people[_batch_name(f"hilma_{notice.day.year}{later}", len(batch))].append(person)
                batch.append(_element(procedure, notice, content))
            else:
                name = f"eforms_{notice.day.year}{later}.zip"
                people[name].append(person)
                zips[name][f"{notice.notice_id}-{version:02d}.xml"] = content
    for name, members in sorted(zips.items()):
        path = written.place(NOTICES, name, SOURCE)
        write_zip(path, members)
        _note(written, name, len(members))
    for name, elements in sorted(batches.items()):
        for start in range(0, len(elements), BATCH):
            file = _batch_name(name, start)
            chunk = elements[start : start + BATCH]
            written.place(NOTICES, file, SOURCE).write_text(json.dumps(chunk, ensure_ascii=False, indent=1) + "\n", "utf-8")
            _note(written, file, len(chunk))
    _note_people(people, written)
    if broken:
        _broken(procedures, written)


FIRST_IN_JSON = 2_000
"""Number of the first person beside the notices in Hilma's own shape."""


def deliver_hilma(procedures: Sequence[Procedure], written: Written) -> None:
    """Writes the notices in Hilma's own shape: by year those of the read API, and those in wrappers (every other year with keys in
    capitals); and the TED XML of those that come twice."""
    lists: dict[str, list[object]] = defaultdict(list)
    people: dict[str, list[Person]] = defaultdict(list)
    twins: dict[str, bytes] = {}
    for number, (procedure, notice) in enumerate(in_order(procedures)):
        person = Person.numbered(FIRST_IN_JSON + number)
        if notice.form == "hilma_contract":
            name, element = f"hilma_oma_{notice.day.year}.json", hilma_json.contract(procedure, notice, person)
        else:
            name, element = f"hilma_lahetetyt_{notice.day.year}.json", hilma_json.wrapped(procedure, notice, person)
        lists[name].append(hilma_json.cased(element, _capital) if notice.day.year % 2 else element)
        people[name].append(person)
        if notice.also_ted:
            twins[f"{notice.number}.xml"] = ted.write(*hilma_json.ted_twin(procedure, notice))
    for name, elements in sorted(lists.items()):
        content = elements if "oma" in name else {"value": elements}
        written.place(NOTICES, name, SOURCE).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
        _note(written, name, len(elements))
    write_zip(written.place(NOTICES, "ted_samat_ilmoitukset.zip", SOURCE), twins)
    _note(written, "ted_samat_ilmoitukset.zip", len(twins))
    _note_people(people, written)


def _capital(key: str) -> str:
    return key[:1].upper() + key[1:]


def _note_people(people: Mapping[str, Sequence[Person]], written: Written) -> None:
    for name, planted in people.items():
        file = str(written.place(NOTICES, name, SOURCE).relative_to(written.out))
        for person in planted:
            person.note(written, file, "contact of the buyer")


def _batch_name(name: str, place: int) -> str:
    """The file that holds the notice at a place of a year's list."""
    return f"{name}_{place // BATCH + 1:02d}.json"


def _element(procedure: Procedure, notice: Notice, content: bytes) -> Mapping[str, object]:
    """One notice as the API gives it: Base64 of the XML, Hilma's statistics beside it by lot."""
    lots = [lot for lot in procedure.told(notice) if lot.lot_id in notice.lot_ids]
    chosen = {lot.lot_id: dict(lot.result_answers if notice.role == "result" else lot.call_answers) for lot in lots}
    element: dict[str, object] = {
        "id": int(notice.number.split("-")[0]),
        "noticeNumber": f"{notice.day.year}-{notice.number[:6]}",
        "isPlan": False,
        "eForm": base64.b64encode(content).decode("ascii"),
    }
    if notice.role in ("call", "result"):
        element["hilmaStatistics"] = {lot_id: given for lot_id, given in chosen.items() if given}
    return element


def _broken(procedures: Sequence[Procedure], written: Written) -> None:
    """A notice that was cut off on its way, and entries of the search index, which are no notices: refused alone."""
    procedure, notice = next((procedure, notice) for procedure, notice in in_order(procedures) if notice.form != "ted")
    content = eforms.write(procedure, notice, 1)
    name = "katkennut_ilmoitus.xml"
    written.place(NOTICES, name, SOURCE).write_bytes(content[: len(content) * 2 // 3])
    file = f"inbox/{NOTICES}/{SOURCE}/{name}"
    written.outcomes.append(Outcome(file, NOTICES, SOURCE, "refused", "xml_refused"))
    name = "hilma_hakutulokset.json"
    entry = {"noticeNumber": f"{notice.day.year}-000001", "projectTitle": "Näyte", "mainType": "ContractNotices", "cpvCodes": "72000000 Näyte"}
    written.place(NOTICES, name, SOURCE).write_text(json.dumps({"value": [entry, entry]}, ensure_ascii=False) + "\n", "utf-8")
    written.outcomes.append(Outcome(f"inbox/{NOTICES}/{SOURCE}/{name}", NOTICES, SOURCE, "refused", "notice_unknown"))


def _note(written: Written, name: str, count: int) -> None:
    written.outcomes.append(Outcome(f"inbox/{NOTICES}/{SOURCE}/{name}", NOTICES, SOURCE, "loaded", rows_accepted=count))
