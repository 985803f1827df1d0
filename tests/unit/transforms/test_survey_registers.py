"""Registers of surveys: labels tell which way a scale is numbered, and rows that cannot be are told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.sources.survey_register import Scale, questions_of, rules_of, values_of

WORDS = {"best": 5, "good": 4, "middling": 3, "bad": 2, "worst": 1}
SCALE = Scale({**WORDS, **{str(value): value for value in range(1, 6)}, "?": None})


@given(st.booleans(), st.booleans(), st.sets(st.sampled_from(sorted(WORDS)), min_size=1), st.randoms(use_true_random=False))
def test_labels_tell_the_direction_and_bare_numbers_follow(
    is_down: bool, register: bool, shown: set[str], rng: random.Random
) -> None:
    def numbered(value: int) -> int:
        return 6 - value if is_down else value

    given = [f"{numbered(value)} - {word}" if word in shown else str(numbered(value)) for word, value in WORDS.items()] + ["?"]
    rng.shuffle(given)
    values = values_of(dict.fromkeys(given, 1), SCALE, is_descending=register)
    tells = is_down if shown - {"middling"} else register
    meant = {answer: (None if answer == "?" else value) for answer in given for value in [_meant(answer, tells)]}
    assert (values.found, values.unknown, values.is_contradictory) == (meant, frozenset(), False)


def _meant(answer: str, is_down: bool) -> int:
    number, _, word = answer.partition(" - ")
    if word:
        return WORDS[word]
    return 0 if number == "?" else 6 - int(number) if is_down else int(number)


@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        ("survey_questions", "agency,survey,question,item,kind,scale,code_order,note\n,staff,Q,i,area,five,,\n", "survey 'staff'"),
        ("survey_questions", "agency,survey,question,item,kind,scale,code_order,note\n,customer,Q,i,area,six,,\n", "scale 'six'"),
        ("survey_questions", "agency,survey,question,item,kind,scale,code_order,note\n,customer,Q,i,area,five,up,\n", "code_order 'up'"),
        (
            "survey_questions",
            "agency,survey,question,item,kind,scale,code_order,note\n,customer,Q,i,area,five,,\n,customer,R,j,area,five,,\n",
            "has 11 items of the kind area",
        ),
        ("survey_scales", "scale,delivered,value,note\nfive,hyvin,4.5,\n", "value '4.5'"),
        ("survey_rules", "survey,months_back,wave,note\ncustomer,6,week,\n", "wave 'week'"),
    ],
)  # fmt: skip
def test_registers_that_cannot_be_are_told_with_row_and_column(name: str, rows: str, told: str) -> None:
    def read() -> None:
        reference = Reference.load({f"codelists/{name}.csv": rows})
        rules_of(reference) if name == "survey_rules" else questions_of(reference, "")

    with pytest.raises(ConfigurationError, match=told):
        read()
