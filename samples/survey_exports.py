"""Writes the planted survey answers in the shapes that survey tools export: Webropol's REST answers of both generations, wide
tables with labels or codes, long tables; with names, e-mail addresses and open answers that nobody may keep."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from random import Random

from samples.deliveries import Written
from samples.facts import Canary
from samples.surveys import AGENCY, AREAS, INVITED, SOURCE, SUPPLIER_AREAS, UNKNOWN, YEARS, Respondent
from samples.xlsx import write_workbook

TEXTS: Mapping[str, tuple[str, str, str]] = {
    "service_attitude": ("Palveluasenne", "Serviceattityd", "Service attitude"),
    "contact_persons": ("Yhteyshenkilöt", "Kontaktpersoner", "Contact persons"),
    "procurement_law": (
        "Hankintalainsäädännön ja kilpailuttamisen osaaminen", "Kunskap om upphandlingslagstiftning och konkurrensutsättning",
        "Knowledge of procurement law and tendering",
    ),
    "joint_benefits": (
        "Yhteishankintojen hyödyt ja toimivuus", "De gemensamma upphandlingarnas nytta och funktion",
        "Benefits and functioning of joint procurement",
    ),
    "e_services": ("Sähköiset palvelut", "Elektroniska tjänster", "E-services"),
    "information": ("Tiedottaminen", "Information", "Information"),
    "customer_needs": ("Asiakkaan tarpeiden tuntemus", "Kännedom om kundens behov", "Knowledge of customer needs"),
    "tendering_service": (
        "Kilpailutuspalvelun laatu", "Konkurrensutsättningstjänstens kvalitet", "Quality of the tendering service",
    ),
    "development_service": ("Kehittämispalvelun laatu", "Utvecklingstjänstens kvalitet", "Quality of the development service"),
    "contract_cooperation": (
        "Yhteistyö sopimuskauden aikana", "Samarbetet under avtalstiden", "Cooperation during the contract",
    ),
    "school_grade": ("Kouluarvosana", "Skolvitsord", "School grade"),
    "recommend": (
        "Kuinka todennäköisesti suosittelisit meitä?", "Hur sannolikt skulle du rekommendera oss?",
        "How likely would you recommend us?",
    ),
    "support": (
        "Tyytyväisyys minikilpailutuksen tukeen", "Nöjdhet med stödet i minikonkurrensutsättningen",
        "Satisfaction with the mini-competition support",
    ),
}  # fmt: skip
FI, SV, EN = 0, 1, 2
AGREE = {5: "5 - Täysin samaa mieltä", 4: "4", 3: "3", 2: "2", 1: "1 - Täysin eri mieltä", UNKNOWN: "En osaa sanoa"}
SATISFIED = {
    5: "very satisfied", 4: "satisfied", 3: "neither satisfied nor dissatisfied", 2: "dissatisfied", 1: "very dissatisfied",
    UNKNOWN: "Don't know",
}  # fmt: skip
REVERSED = {5: "1 = Erittäin tyytyväinen", 4: "2", 3: "3", 2: "4", 1: "5 = Erittäin tyytymätön", UNKNOWN: "6"}
"""Labels that number the scale from its good end."""
IDENTITIES = {"customer": "Organisaation Y-tunnus", "supplier": "Yrityksen Y-tunnus", "minicomp": "Organisaation Y-tunnus"}
ZEROS = "00000000-0000-0000-0000-000000000000"


def write_all(rng: Random, written: Written, planted: Sequence[Respondent]) -> None:
    """Writes every file, notes its expected outcome and the personal data in it."""

    def of(survey: str, year: int) -> list[Respondent]:
        return [person for person in planted if (person.survey, person.year) == (survey, year)]

    customers, suppliers = (*AREAS, "school_grade", "recommend"), (*SUPPLIER_AREAS, "school_grade", "recommend")
    _wide(written, "asiakaskysely_2023-02-01.xlsx", of("customer", 2022), customers, FI, AGREE)
    _webropol(rng, written, "asiakaskysely_2024-02-01.json", of("customer", 2023), is_new=True)
    wrong = [person for person in of("customer", 2024) if sum(person.answers.values()) % 3]
    _long(written, "kundenkat_2025-02-01.csv", wrong)
    _long(written, "kundenkat_2025-02-20.csv", of("customer", 2024))
    _wide(written, "supplier_survey_2023-02-02.csv", of("supplier", 2022), suppliers, EN, SATISFIED)
    _webropol(rng, written, "toimittajakysely_2024-02-02.json", of("supplier", 2023), is_new=False)
    _wide(written, "toimittajakysely_2025-02-02.csv", of("supplier", 2024), suppliers, FI, REVERSED)
    for year in YEARS:
        words = AGREE if year == 2023 else REVERSED
        _wide(written, f"minikilpailutuskysely_{year}-12-31.csv", of("minicomp", year), ("support",), FI, words)
    _waves(written, "kyselykierrokset_2025-02-25.csv")


def _noted(written: Written, name: str, people: Sequence[Respondent], aside: int = 0, named: bool = False) -> None:
    """The expected outcome of a file, and the personal data in it; `named`: people's names stand in it too."""
    from samples.form_files import outcome

    accepted = sum(len(person.answers) for person in people)
    outcome(written, AGENCY, SOURCE, name, accepted, rows_set_aside=aside)
    file = str(written.place(AGENCY, name, SOURCE).relative_to(written.out))
    for person in people:
        written.canaries.append(Canary(_email(person), "email", file, "RespondentEmail"))
        if named:
            written.canaries.append(Canary(person.person, "person_name", file, "name"))
        if person.words:
            written.canaries.append(Canary(person.words, "free_text", file, "open answer"))


def _email(person: Respondent) -> str:
    return f"{person.person.lower().replace(' ', '.')}@naytevirasto.example"


def _organisation(person: Respondent) -> str:
    return person.organisation.organisation_id if person.organisation else person.company or "ei tiedossa"


def _spoken(item: str, value: int, words: Mapping[int, str]) -> str:
    return str(value) if item in ("school_grade", "recommend") else words[value]


def _wide(
    written: Written, name: str, people: Sequence[Respondent], items: Sequence[str], language: int, words: Mapping[int, str]
) -> None:
    header = ["ID", "Completion time", "Email", "Name", IDENTITIES[people[0].survey]]
    header += [f"Arvioi toimintaamme: {TEXTS[item][language]}" if item in AREAS else TEXTS[item][language] for item in items]
    header += ["Mistä sait tiedon?: Sähköiset palvelut", "Terveisesi meille"]
    rows = [
        [
            str(number), f"{person.day:%Y-%m-%d} 09:{number % 60:02d}:00", _email(person), person.person, _organisation(person),
            *(_spoken(item, person.answers[item], words) if item in person.answers else "" for item in items),
            str(number % 2), person.words,
        ]
        for number, person in enumerate(people, start=1)
    ]  # fmt: skip
    if name.endswith(".xlsx"):
        write_workbook(written.place(AGENCY, name, SOURCE), [header, *rows])
    else:
        _csv(written, name, [header, *rows])
    _noted(written, name, people, named=True)


def _long(written: Written, name: str, people: Sequence[Respondent]) -> None:
    rows = [["Svarande", "Svarsdatum", "Organisationens FO-nummer", "Fråga", "Svar"]]
    aside = 0
    for person in people:
        about = [_email(person), f"{person.day:%d.%m.%Y}", _organisation(person)]
        rows += [
            [*about, TEXTS[item][SV], _spoken(item, value, {number: str(number or 6) for number in range(6)})]
            for item, value in person.answers.items()
        ]
        if person.words:
            rows.append([*about, "Hälsningar till oss", person.words])
            aside += 1
    _csv(written, name, rows)
    _noted(written, name, people, aside)


def _webropol(rng: Random, written: Written, name: str, people: Sequence[Respondent], is_new: bool) -> None:
    """Pages of 40 responses; the ids of responses are zeros in the new generation, as they come for anonymous links."""
    ids = {item: f"{rng.getrandbits(32):08x}-0000-4000-8000-{rng.getrandbits(48):012x}" for item in TEXTS}
    pages, size = [], 40
    chunks = [people[start : start + size] for start in range(0, len(people), size)]
    aside = 0
    for number, chunk in enumerate(chunks, start=1):
        responses = []
        for person in chunk:
            given = [(item, TEXTS[item][FI], _code(item, value)) for item, value in person.answers.items()]
            given.append(("about", IDENTITIES[person.survey], _organisation(person)))
            given += [("open", "Terveisesi meille", person.words)] if person.words else []
            aside += bool(person.words)
            responses.append(
                {
                    "RespondentId": None,
                    "ResponseId": ZEROS if is_new else f"{rng.getrandbits(32):08x}-1111-4111-8111-{rng.getrandbits(48):012x}",
                    "RespondentEmail": _email(person),
                    "ResponseLanguageId": "fi",
                    "ResponseDate": f"{person.day.isoformat()}T11:54:34.253",
                    "RespondentAnswers": [_answer(ids.get(item, ZEROS), text, answer, is_new) for item, text, answer in given],
                }
            )
        paging = {"ItemsPerPage": size, "TotalCount": len(people), "TotalPages": len(chunks), "CurrentPage": number}
        page: dict[str, object] = {"SurveyId": ids["support"], "SurveyAnswers": responses}
        pages.append(page | {"Paging": paging} if is_new else page)
    path = written.place(AGENCY, name, SOURCE)
    path.write_text("\n".join(json.dumps(page, ensure_ascii=False) for page in pages) + "\n", encoding="utf-8")
    _noted(written, name, people, aside)


def _code(item: str, value: int) -> str:
    return str(value) if item in ("school_grade", "recommend") else str(value or 1000)


def _answer(question_id: str, text: str, answer: str, is_new: bool) -> dict[str, object]:
    if is_new:
        option = {"OptionAnswer": answer, "OptionId": ZEROS, "AttahedTextFieldValue": "", "RowText": None}
        return {"QuestionId": question_id, "QuestionTitle": text, "Label": None, "QuestionAnswers": [option]}
    return {"QuestionId": question_id, "Question": text, "Label": "", "Answer": answer, "AnswerKeywords": ""}


def _waves(written: Written, name: str) -> None:
    from samples.form_files import outcome

    words = {"customer": "Asiakaskysely", "supplier": "Toimittajakysely", "minicomp": "Minikilpailutuskysely"}
    rows = [[words[survey], str(year), str(invited), ""] for (survey, year), invited in INVITED.items()]
    _csv(written, name, [["Kysely", "Vuosi, jota kysytään", "Kutsuttuja", "Vastanneita"], *rows])
    outcome(written, AGENCY, SOURCE, name, len(rows))


def _csv(written: Written, name: str, rows: Sequence[Sequence[str]]) -> None:
    with written.place(AGENCY, name, SOURCE).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=";", lineterminator="\r\n").writerows(rows)
