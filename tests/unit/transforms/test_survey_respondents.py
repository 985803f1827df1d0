"""A response id that stands twice is one respondent, in every format and layout; the last answer counts, and what it replaces is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.unit.transforms.survey_files import answers, broken, json_file, taken, text_file, workbook
from transforms.delivery import CleanPart

Rows = Sequence[tuple[str, str, str]]
"""Response id, service attitude, contact persons."""
HEADS = ["Vastaajatunnus", "Vuosi", "Palveluasenne", "Yhteyshenkilöt"]


def wide_csv(folder: Path, rows: Rows) -> Path:
    return text_file(folder, "asiakaskysely.csv", ";".join(HEADS), *(f"{identity};2023;{one};{two}" for identity, one, two in rows))


def wide_book(folder: Path, rows: Rows) -> Path:
    return workbook(folder / "asiakaskysely.xlsx", [[*HEADS], *([identity, 2023, one, two] for identity, one, two in rows)])


def wide_json(folder: Path, rows: Rows) -> Path:
    return json_file(folder, "asiakaskysely.json", [dict(zip(HEADS, [i, 2023, one, two], strict=True)) for i, one, two in rows])


def wide_parquet(folder: Path, rows: Rows) -> Path:
    frame = pl.DataFrame([(i, 2023, one, two) for i, one, two in rows], schema=HEADS, orient="row")
    frame.write_parquet(folder / "asiakaskysely.parquet")
    return folder / "asiakaskysely.parquet"


def long_csv(folder: Path, rows: Rows) -> Path:
    lines = [f"{i};2023;{item};{given}" for i, *both in rows for item, given in zip(HEADS[2:], both, strict=True)]
    return text_file(folder, "asiakaskysely.csv", "Vastaaja;Vuosi;Kysymys;Vastaus", *lines)


def webropol(folder: Path, rows: Rows) -> Path:
    responses = [
        {
            "ResponseId": identity,
            "ResponseDate": "2024-01-15T10:00:00",
            "RespondentAnswers": [
                {"QuestionId": f"q{text}", "Question": text, "Answer": given}
                for text, given in zip(HEADS[2:], both, strict=True)
            ],
        }
        for identity, *both in rows
    ]
    return json_file(folder, "asiakaskysely.json", {"SurveyId": "s", "SurveyAnswers": responses})


MADE = [wide_csv, wide_book, wide_json, wide_parquet, long_csv, webropol]


def reasons(part: CleanPart) -> list[str]:
    aside = part.facts["set_aside"]
    assert isinstance(aside, list)
    counts = part.counts.row(0, named=True)
    assert counts["rows_read"] == counts["rows_accepted"] + counts["rows_set_aside"] + counts["rows_quarantined"]
    assert counts["rows_set_aside"] == sum(frame.height for frame in aside)
    return [reason for frame in aside for reason in frame["reason"]]


@pytest.mark.parametrize("made", MADE)
def test_the_same_answers_count_once(tmp_path: Path, made: Callable[[Path, Rows], Path]) -> None:
    _, part, _ = taken(made(tmp_path, [("17", "5", "4"), ("18", "3", "3"), ("17", "5", "4")]))
    assert [(item, value) for _, item, value in answers(part)] == [
        ("contact_persons", 4), ("service_attitude", 5), ("contact_persons", 3), ("service_attitude", 3),
    ]  # fmt: skip
    assert part.accepted["survey_answer"]["respondent"].n_unique() == 2
    assert reasons(part) == ["answer_repeated"] * 2
    assert not broken(part)
    assert part.warnings.is_empty()


@pytest.mark.parametrize("made", MADE)
def test_of_answers_that_contradict_the_last_one_counts_and_the_other_is_told(
    tmp_path: Path, made: Callable[[Path, Rows], Path]
) -> None:
    _, part, _ = taken(made(tmp_path, [("17", "5", "4"), ("18", "3", "3"), ("17", "2", "")]))
    first = part.accepted["survey_answer"]["respondent"].min()
    assert [(item, value) for number, item, value in answers(part) if number == first] == [
        ("contact_persons", 4), ("service_attitude", 2),
    ]  # fmt: skip
    assert part.accepted["survey_answer"]["respondent"].n_unique() == 2
    assert part.warnings.select("column_name", "rule", "value").rows() == [("value", "answers_contradict", "5")]
    assert reasons(part) == ["answer_repeated"]


def test_an_answer_that_cannot_be_read_replaces_none(tmp_path: Path) -> None:
    _, part, _ = taken(wide_csv(tmp_path, [("17", "5", "4"), ("17", "99", "4")]))
    assert answers(part) == [(1, "contact_persons", 4), (1, "service_attitude", 5)]
    assert [(line, rule) for line, _, rule, _ in broken(part)] == [(3, "answer_unknown")]


@pytest.mark.parametrize("identity", ["", "0", "000-000", "Anonyymi", "Yksikkö 12"])
def test_what_is_no_id_makes_nobody_one(tmp_path: Path, identity: str) -> None:
    _, part, _ = taken(wide_csv(tmp_path, [(identity, "5", "4"), (identity, "5", "4")]))
    assert part.accepted["survey_answer"]["respondent"].n_unique() == 2


def test_the_same_id_in_another_wave_is_another_respondent(tmp_path: Path) -> None:
    lines = ("Vastaajatunnus;Vuosi;Palveluasenne", "17;2022;5", "17;2023;4")
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert part.accepted["survey_answer"].select("year", "value").rows() == [(2022, 5), (2023, 4)]
    assert reasons(part) == []


@pytest.mark.parametrize("made", MADE[:4])
@pytest.mark.parametrize("identity", ["2,02501E+11", "2.02501E+11", "Mar-21"])
def test_lost_ids_stay_apart(tmp_path: Path, made: Callable[[Path, Rows], Path], identity: str) -> None:
    _, part, _ = taken(made(tmp_path, [(identity, "5", "4"), (identity, "1", "2"), ("18", "3", "3")]))
    assert part.accepted["survey_answer"]["respondent"].n_unique() == 3
    assert part.warnings["rule"].to_list() == ["response_id_lost"] * 2


def test_single_answers_of_a_lost_id_are_nobodys(tmp_path: Path) -> None:
    _, part, _ = taken(long_csv(tmp_path, [("2,02501E+11", "5", "4"), ("2,02501E+11", "1", "2"), ("18", "3", "3")]))
    assert [value for _, _, value in answers(part)] == [3, 3]
    assert [(line, rule) for line, _, rule, _ in broken(part)] == [(line, "id_is_number") for line in (2, 3, 4, 5)]
    assert reasons(part) == []


def test_what_the_last_response_says_of_its_respondent_counts(tmp_path: Path) -> None:
    lines = ("Vastaajatunnus;Vuosi;Organisaation Y-tunnus;Palveluasenne", "17;2023;0201256-6;5", "17;2023;0101263-6;5", "17;2023;;4")
    _, part, _ = taken(text_file(tmp_path, "asiakaskysely.csv", *lines))
    assert part.accepted["survey_answer"].select("organisation_id", "value").rows() == [("0101263-6", 4)]
