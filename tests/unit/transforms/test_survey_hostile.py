"""Hostile survey files: what cannot be read is told with line, column and rule; nothing is read upside down; nobody's name, address,
number or words leave the reading."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tests.unit.transforms.survey_files import answers, broken, json_file, taken, text_file, workbook
from transforms.newest import newest
from transforms.sources.satisfaction_surveys import CONTRACT

PEOPLE = (
    "Erkki Esimerkki",
    "erkki.esimerkki@naytevirasto.example",
    "040 1234567",
    "+358 40 765 4321",
    "131052-308T",
    "Esimerkki",
)


def webropol(*responses: tuple[str | None, dict[str, str]], paging: dict[str, int] | None = None) -> dict[str, object]:
    """A page of the old generation: (ResponseId, question -> answer)."""
    page: dict[str, object] = {
        "SurveyId": "s",
        "SurveyAnswers": [
            {
                "ResponseId": identity,
                "RespondentEmail": PEOPLE[1],
                "ResponseDate": "2024-01-15T10:00:00",
                "RespondentAnswers": [
                    {"QuestionId": f"q{text}", "Question": text, "Answer": answer} for text, answer in given.items()
                ],
            }
            for identity, given in responses
        ],
    }
    return page | ({"Paging": paging} if paging else {})


def refused(path: Path) -> list[str]:
    _, _, conclusion = (result := taken(path))
    return [reason.code for reasons in (result[1].refused | conclusion.refused).values() for reason in reasons]


def test_labels_that_number_the_scale_both_ways_are_not_read_at_all(tmp_path: Path) -> None:
    lines = (
        "Palveluasenne;Yhteyshenkilöt;Vuosi",
        "5 - Täysin samaa mieltä;4;2023",
        "1 - Erittäin tyytyväinen;4;2023",
        "2;4;2023",
    )
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert broken(part) == [(line, "value", "scale_contradicts", None) for line in (2, 3, 4)]
    assert answers(part) == [(number, "contact_persons", 4) for number in (1, 2, 3)]


def test_a_label_whose_word_is_unknown_is_not_read_by_its_number(tmp_path: Path) -> None:
    lines = ("Palveluasenne;Vuosi", "1 - Loistavaa;2023", "4;2023", "Erkki;2023", "7;2023", "0401234567;2023", "4,5;2023")
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    shown = {2: None, 4: None, 5: "7", 6: None, 7: "4,5"}
    assert broken(part) == [(line, "value", "answer_unknown", value) for line, value in shown.items()]
    assert answers(part) == [(2, "service_attitude", 4)]


def test_does_not_know_is_no_score_and_a_zero_is_no_answer(tmp_path: Path) -> None:
    given = ["6", "9", "1000", "En osaa sanoa", "vet inte", "Don't know", "0"]
    lines = ("Palveluasenne;Kouluarvosana;Vuosi", *(f"{answer};{9 - place % 2 * 3};2023" for place, answer in enumerate(given)))
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    read = {(number, item): value for number, item, value in answers(part)}
    assert [read[number, "service_attitude"] for number in range(1, 7)] == [None] * 6
    assert [read[number, "school_grade"] for number in range(1, 8)] == [9, 6, 9, 6, 9, 6, 9]
    assert broken(part) == [(8, "value", "answer_unknown", "0")]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (webropol((None, {"Palveluasenne": "5"}), paging={"TotalPages": 2, "CurrentPage": 2, "TotalCount": 1}), "pages_missing"),
        (
            webropol((None, {"Palveluasenne": "5"}), paging={"TotalPages": 1, "CurrentPage": 1, "TotalCount": 3}),
            "responses_missing",
        ),
        ([webropol((None, {})), {**webropol((None, {})), "SurveyId": "other"}], "several_surveys"),
        ({"SurveyAnswers": "none"}, "json_shape"),
        ([webropol(), {"rows": []}], "json_shape"),
        (webropol((None, {"Kouluarvosana": "9"})), "survey_unclear"),
        (webropol(), "no_rows"),
    ],
)
def test_answers_that_are_not_whole_are_refused(tmp_path: Path, page: object, code: str) -> None:
    assert refused(json_file(tmp_path, "vienti.json", page)) == [code]


def test_a_survey_none_of_whose_questions_is_known_is_refused(tmp_path: Path) -> None:
    page = webropol((None, {"Miten meni?": "5"}))
    assert refused(json_file(tmp_path, "asiakaskysely.json", page)) == ["header_unrecognised"]
    lines = ("Kysely;Vuosi;Vastaaja;Kysymys;Vastaus", "asiakaskysely;2023;1;Miten meni?;5")
    assert refused(text_file(tmp_path, "vastaukset.csv", *lines)) == ["header_unrecognised"]


def test_two_pages_of_one_number_are_refused(tmp_path: Path) -> None:
    paging = {"TotalPages": 2, "CurrentPage": 1, "TotalCount": 2}
    page = webropol((None, {"Palveluasenne": "5"}), paging=paging)
    assert refused(json_file(tmp_path, "asiakaskysely.json", [page, page])) == ["pages_missing"]


def test_cut_off_json_is_refused(tmp_path: Path) -> None:
    whole = json.dumps(webropol((None, {"Palveluasenne": "5"})))
    assert refused(text_file(tmp_path, "asiakaskysely.json", whole[: len(whole) * 2 // 3])) == ["json_broken"]


def test_a_key_twice_in_one_object_is_refused(tmp_path: Path) -> None:
    text = json.dumps(webropol((None, {"Palveluasenne": "5"}))).replace('"Answer": "5"', '"Answer": "5", "Answer": "1"')
    assert refused(text_file(tmp_path, "asiakaskysely.json", text)) == ["json_key_repeated"]


def test_a_response_that_comes_twice_counts_once_and_zeros_are_no_id(tmp_path: Path) -> None:
    zeros = "00000000-0000-0000-0000-000000000000"
    given = (("a", "5"), ("a", "5"), (zeros, "4"), (zeros, "4"), (None, "1"))
    page = webropol(*((identity, {"Palveluasenne": answer}) for identity, answer in given))
    _, part, _ = taken(json_file(tmp_path, "asiakaskysely.json", page))
    assert not broken(part)
    assert [value for _, _, value in answers(part)] == [5, 4, 4, 1]


def test_odd_json_values_are_no_answers(tmp_path: Path) -> None:
    page = webropol((None, {"Palveluasenne": "5"}))
    responses = page["SurveyAnswers"]
    assert isinstance(responses, list)
    responses += [
        7,
        {"ResponseDate": None, "RespondentAnswers": None},
        {
            "ResponseDate": "2024-01-15",
            "RespondentAnswers": [
                None,
                {"QuestionId": "x", "QuestionTitle": "Palveluasenne", "QuestionAnswers": [{"OptionAnswer": ["4"]}, "4", None]},
                {"QuestionId": "qYhteyshenkilöt", "Question": "Yhteyshenkilöt", "Answer": 4},
            ],
        },
    ]
    _, part, _ = taken(json_file(tmp_path, "asiakaskysely.json", page))
    assert [(line, rule) for line, _, rule, _ in broken(part)] == [(2, "row_malformed")]
    assert answers(part) == [(1, "service_attitude", 5), (4, "contact_persons", 4)]


def test_one_text_under_two_ids_that_both_were_answered_is_refused(tmp_path: Path) -> None:
    page = webropol((None, {"Palveluasenne": "5"}))
    responses = page["SurveyAnswers"]
    assert isinstance(responses, list)
    responses[0]["RespondentAnswers"].append({"QuestionId": "other", "Question": "Palveluasenne", "Answer": "1"})
    assert refused(json_file(tmp_path, "asiakaskysely.json", page)) == ["question_ambiguous"]


def test_one_heading_over_two_columns_is_refused(tmp_path: Path) -> None:
    lines = ("Palveluasenne;Palveluasenne;Vuosi", "5;1;2023")
    assert refused(text_file(tmp_path, "asiakaskysely.csv", *lines)) == ["question_ambiguous"]


def test_what_is_no_survey_is_refused(tmp_path: Path) -> None:
    assert refused(text_file(tmp_path, "asiakaskysely.csv", "Nimi;Osoite", "Erkki Esimerkki;Kotikatu 1")) == [
        "header_unrecognised"
    ]
    assert refused(text_file(tmp_path, "asiakaskysely.csv", "Palveluasenne;Vuosi", ";2023")) == ["no_rows"]


def test_a_choice_that_bears_the_name_of_an_area_is_no_score(tmp_path: Path) -> None:
    lines = ("Mitä käytit?: Sähköiset palvelut;Palveluasenne;Vuosi", "1;5;2023", "0;4;2023")
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert answers(part) == [(1, "service_attitude", 5), (2, "service_attitude", 4)]


def test_formulas_ragged_rows_and_days_that_are_none(tmp_path: Path) -> None:
    path = workbook(tmp_path / "asiakaskysely.xlsx", [["Palveluasenne", "Vuosi"], ["=1+4", 2023], [4, 2023]])
    _, part, _ = taken(path)
    assert broken(part) == [(2, "value", "value_is_formula", None)]
    lines = (
        "Palveluasenne;Vastauspäivä;Tiedottaminen",
        "5;15.1.2024;4",
        "5;ei tiedossa;4",
        "5;;4",
        "5;15.1.1924;4",
        "5;15.1.2024;4;Erkki",
    )
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    rules = sorted({(line, column, rule) for line, column, rule, _ in broken(part)}, key=str)
    assert rules == [
        (3, "responded_on", "value_unreadable"),
        (4, "year", "wave_unknown"),
        (5, "year", "value_out_of_range"),
        (6, None, "row_malformed"),
    ]
    counts = part.counts.row(0, named=True)
    assert counts["rows_read"] == counts["rows_accepted"] + counts["rows_set_aside"] + counts["rows_quarantined"] == 9


def test_long_rows_without_respondent_with_unknown_survey_or_said_twice(tmp_path: Path) -> None:
    lines = (
        "Kysely;Vuosi;Vastaaja;Kysymys;Vastaus",
        "asiakaskysely;2023;;Palveluasenne;5",
        "henkilöstökysely;2023;1;Palveluasenne;5",
        "asiakaskysely;2023;2;Palveluasenne;5",
        "asiakaskysely;2023;2;Palveluasenne;4",
        "toimittajakysely;2023;2;Palveluasenne;3",
    )
    _, part, _ = taken(text_file(tmp_path, "vastaukset.csv", *lines))
    assert [(line, column, rule) for line, column, rule, _ in broken(part)] == [
        (2, None, "row_malformed"),
        (3, "survey", "code_unknown"),
    ]
    assert part.accepted["survey_answer"].select("survey", "value").rows() == [("customer", 4), ("supplier", 3)]
    assert part.warnings.select("source_line", "rule").rows() == [(4, "answers_contradict")]


def test_the_wave_is_the_year_asked_about(tmp_path: Path) -> None:
    def year_of(
        day: str, overlay: dict[str, str] | None = None, covers: date | None = None, name: str = "asiakaskysely.csv"
    ) -> int:
        _, part, _ = taken(text_file(tmp_path, name, "Palveluasenne;Vastauspäivä", f"5;{day}"), overlay, covers=covers)
        return int(part.accepted["survey_answer"]["year"][0])

    assert [year_of(day) for day in ("15.12.2023", "2.1.2024", "30.6.2024", "1.7.2024")] == [2023, 2023, 2023, 2024]
    assert year_of("2.1.2024", covers=date(2021, 1, 1)) == 2021
    pinned = {"codelists/survey_names.csv": "agency,delivered,survey,year,note\nsample,Kysely 17,customer,2020,\n"}
    assert year_of("2.1.2024", pinned, name="kysely_17.csv") == 2020


def test_a_newer_delivery_of_a_wave_replaces_the_former_whole(tmp_path: Path) -> None:
    first = taken(text_file(tmp_path, "asiakaskysely.csv", "Palveluasenne;Vuosi", "1;2022", "1;2023", "2;2023"), number=1)[1]
    second = taken(text_file(tmp_path, "asiakaskysely.csv", "Palveluasenne;Vuosi", "5;2023"), number=2)[1]
    for parts in ((first, second), (second, first)):
        tables = {
            table.name: pl.concat([pl.DataFrame(schema=table.polars_schema()), *(part.accepted[table.name] for part in parts if table.name in part.accepted)])
            for table in CONTRACT.tables
        }  # fmt: skip
        assert newest(CONTRACT, tables)["survey_answer"].select("year", "value").rows() == [(2022, 1), (2023, 5)]


def _wide(folder: Path) -> Path:
    header = ["Nimi", "Palveluasenne", f"Arvioi yhteyshenkilösi {PEOPLE[0]}", "Organisaation Y-tunnus", "Palaute", "Vuosi"]
    rows = [[PEOPLE[0], person, person, person, person, 2023] for person in PEOPLE]
    return workbook(folder / "asiakaskysely.xlsx", [header, *rows, ["x", 5, 5, "x", "x", 2023]])


def _long(folder: Path) -> Path:
    rows = [f"{who};{PEOPLE[0]};{who};{what};{who};2023" for who in PEOPLE for what in ("Palveluasenne", "Palaute", who)]
    return text_file(
        folder, "asiakaskysely.csv", "Vastaaja;Organisaatio;Y-tunnus;Kysymys;Vastaus;Vuosi", *rows, "1;x;x;Palveluasenne;4;2023"
    )


def _webropol(folder: Path) -> Path:
    given = {f"Arvioi {PEOPLE[0]}": "5", "Palaute": PEOPLE[1], "Organisaation Y-tunnus": PEOPLE[4], "Yhteyshenkilöt": "3"}
    pages = [webropol((None, {**given, "Palveluasenne": person})) for person in PEOPLE]
    return json_file(folder, "asiakaskysely.json", pages)


@pytest.mark.parametrize("write", [_wide, _long, _webropol])
def test_nobody_leaves_the_reading(tmp_path: Path, write: object) -> None:
    raw, part, conclusion = taken(write(tmp_path))  # type: ignore[operator]
    assert part.counts["rows_quarantined"].sum() >= 1
    assert part.counts["rows_accepted"].sum() >= 1
    frames = [*part.accepted.values(), part.failures, part.warnings, conclusion.set_aside, conclusion.failures]
    texts = [frame.write_csv() for frame in frames] + [
        str(raw.notes),
        str(part.refused),
        str(conclusion.refused),
        str(part.facts),
    ]
    assert not [(person, text) for person in PEOPLE for text in texts if person.lower() in text.lower()]


@pytest.mark.parametrize(("highest", "is_read"), [(7, False), (10, False), (6, True), (5, True)])
def test_a_longer_scale_is_not_read_as_one_to_five(tmp_path: Path, highest: int, is_read: bool) -> None:
    """Six is 'does not know' of the scale; a question beside it keeps its own."""
    given = [number % highest + 1 for number in range(10 * highest)]
    lines = ("Palveluasenne;Yhteyshenkilöt;Vuosi", *(f"{answer};4;2023" for answer in given))
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert bool([rule for _, _, rule, _ in broken(part) if rule == "scale_contradicts"]) is not is_read
    assert sum(item == "service_attitude" for _, item, _ in answers(part)) == (len(given) if is_read else 0)
    assert sum(item == "contact_persons" for _, item, _ in answers(part)) == len(given)


def test_single_slips_do_not_cost_the_question(tmp_path: Path) -> None:
    lines = ("Palveluasenne;Vuosi", *["4;2023"] * 200, "7;2023", "55;2023")
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert [(rule, value) for _, _, rule, value in broken(part)] == [("answer_unknown", "7"), ("answer_unknown", "55")]
    assert len(answers(part)) == 200
