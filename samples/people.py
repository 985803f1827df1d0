"""People of the sample nation, none of them real, in the places where deliveries hold people: beside organisations in notices, and
where forms ask for something else. Each has a name, an address, a telephone number and an identity code; none may leave landing.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from samples.deliveries import Written
from samples.facts import Canary, Outcome
from samples.ids import personal_id

GIVEN = ("Maija", "Matti", "Ville", "Åsa", "Karl", "Liisa", "Otso", "Elin")
SYLLABLES = ("ta", "ro", "mi", "ke", "lu", "sa", "no", "pi", "vä", "he", "jo", "ku", "li", "mä", "re", "ti")


@dataclass(frozen=True)
class Person:
    """One invented person."""

    name: str
    email: str
    phone: str
    personal_id: str

    @classmethod
    def numbered(cls, number: int) -> Person:
        """The same person for the same number; four thousand of them have names of their own."""
        surname = "Kanari" + "".join(SYLLABLES[number // 16**place % 16] for place in range(3)) + "nen"
        given = GIVEN[number % len(GIVEN)]
        phone = f"+358 4{number % 10} {7_000_000 + number}"
        return cls(f"{given} {surname}", f"kanari.{number}@henkilo.example", phone, personal_id(200_000 + 11 * number))

    def note(self, written: Written, file: str, where: str) -> None:
        """Records all that was planted of the person in a file."""
        written.canaries += [
            Canary(text, kind, file, where)
            for kind, text in (
                ("person_name", self.name),
                ("email", self.email),
                ("phone", self.phone),
                ("personal_id", self.personal_id),
            )
        ]


@dataclass(frozen=True)
class _Rows:
    """Rows appended to a file: what stands in the cells of a copy of its first row (place -> template), and the rules that every
    such row breaks."""

    cells: Mapping[int, str]
    rules: Mapping[str, int]


FORMS: Mapping[str, _Rows] = {
    "market_court_cases/marko_2": _Rows(
        {0: "{name}", 1: "{name}", 2: "{name}, {email}, {personal_id}", 5: "puh. {phone}"},
        {"text_not_a_code": 1, "organisation_unknown": 1, "code_unknown": 1},
    ),
    "strategic_goals/hankintaluotsi_2024": _Rows(
        {0: "{name}", 1: "{name}, {email}", 4: "{email}", 5: "puh. {phone}", 7: "{personal_id}", 8: "", 9: "{name}"},
        {"text_not_a_code": 1, "organisation_unknown": 1, "value_unreadable": 2},
    ),
    "strategy_followup/strategiaseuranta_2025": _Rows(
        {0: "{name}", 1: "{name}", 5: "{name} seuraa", 11: "{email}", 13: "{personal_id}", 14: "{name}", 15: "puh. {phone}"},
        {"organisation_unknown": 1, "code_unknown": 1, "value_unreadable": 3},
    ),
    "action_programme/toimenpiteet_2022": _Rows(
        {0: "{name}", 2: "{email}", 3: "puh. {phone}", 4: "{personal_id}"},
        {"code_unknown": 1, "value_unreadable": 2, "value_missing": 1},
    ),
    "mini_competitions/minikilpailutukset_2023": _Rows(
        {0: "{name}", 1: "{email}", 2: "{name}", 3: "{name}, {email}", 7: "puh. {phone}", 8: "{email}", 9: "{personal_id}"},
        {"text_not_a_code": 1, "organisation_unknown": 1, "value_unreadable": 2},
    ),
    "impact_assessments/vaikuttavuus_2024": _Rows(
        {0: "{name}", 3: "{name}", 6: "{email}", 7: "puh. {phone}", 8: "{personal_id}", 12: "{name}, {email}"},
        {"text_not_a_code": 1, "organisation_unknown": 1, "value_unreadable": 2},
    ),
    "joint_procurements/yhteishankintaostot_2022": _Rows(
        {2: "{name}", 4: "{name}", 5: "puh. {phone}", 6: "{name}, {email}, {personal_id}"},
        {"text_not_a_code": 1, "organisation_unknown": 1, "value_unreadable": 1},
    ),
    "contact_requests/kontakter": _Rows(
        {0: "{name}", 10: "{name}", 13: "{name}, {email}, {phone}, {personal_id}"}, {"value_unreadable": 1}
    ),
}
"""By the beginning of source and file name. Every row breaks a rule, so that no figure rests on it."""
FIRST_OF_FORMS = 3_000
"""Number of the first person in forms; those in notices come before."""


def plant_in_forms(written: Written) -> None:
    """Appends rows of people to CSVs of forms, one for every eighth row that is accepted, and expects them in quarantine."""
    number = FIRST_OF_FORMS
    for outcome in written.outcomes:
        path = Path(outcome.file)
        rows = next((rows for start, rows in FORMS.items() if f"{outcome.source}/{path.name}".startswith(start)), None)
        if rows is None or path.suffix != ".csv":
            continue
        people = [Person.numbered(number + place) for place in range(max(1, outcome.rows_accepted // 8))]
        number += len(people)
        _append(written.out / outcome.file, rows, people)
        _expect(outcome, rows, len(people))
        for person in people:
            person.note(written, outcome.file, "appended row")


def _append(path: Path, rows: _Rows, people: list[Person]) -> None:
    text = path.read_text("utf-8-sig")
    first = next(csv.reader(text.splitlines()[1:], delimiter=";"))
    with path.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n" if "\r\n" in text else "\n")
        for person in people:
            planted = {place: template.format_map(vars(person)) for place, template in rows.cells.items()}
            writer.writerow([planted.get(place, cell) for place, cell in enumerate(first)])


def _expect(outcome: Outcome, rows: _Rows, count: int) -> None:
    outcome.rows_quarantined += count
    broken = dict(outcome.rules)
    for rule, times in rows.rules.items():
        broken[rule] = broken.get(rule, 0) + times * count
    outcome.rules = broken


def beside_the_buyer(content: bytes, person: Person) -> bytes:
    """An eForms notice with the person as the first organisation's contact, as real ones have, and in a reference that leads
    nowhere, where an organisation's number belongs."""
    contact = (
        f"<cac:Contact><cbc:Name>{person.name}</cbc:Name><cbc:Telephone>{person.phone}</cbc:Telephone>"
        f"<cbc:ElectronicMail>{person.email}</cbc:ElectronicMail></cac:Contact></efac:Company>"
    )
    party = (
        "</cac:ContractingParty><cac:ContractingParty><cac:Party><cac:PartyIdentification>"
        f"<cbc:ID>{person.name} {person.personal_id}</cbc:ID></cac:PartyIdentification></cac:Party></cac:ContractingParty>"
    )
    named = content.replace(b"</efac:Company>", contact.encode(), 1)
    return named.replace(b"</cac:ContractingParty>", party.encode(), 1)
