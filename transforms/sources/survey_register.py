"""Registers of surveys as the reading needs them: which question asks what, which answer has which value, which wave is meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from schemas.satisfaction_surveys import ITEM_KINDS, QUESTIONS_MAX, SURVEYS
from transforms.formats.detect import normalise_header

QUESTIONS, SCALES = "codelists/survey_questions.csv", "codelists/survey_scales.csv"
NAMES, RULES = "codelists/survey_names.csv", "codelists/survey_rules.csv"
ORDERS = ("ascending", "descending")
WAVES = ("year", "month")
_NUMBERED = re.compile(r"\(?(\d{1,4})\)?\s*[-–—=:.)]*\s+(\D.*)", re.DOTALL)
HIGHEST, BEYOND_N, BEYOND_SHARE = 10, 3, 0.02
"""Numbers up to here that a question's scale does not know may count on a longer scale; so few of them, or so small a share of the
numbers given, are slips."""
_WHOLE = re.compile(r"(\d{1,4})(?:[.,]0+)?")


@dataclass(frozen=True)
class Question:
    """A question of a survey. `scale` is blank where the answer is an id; `is_descending`: code 1 is the best answer."""

    survey: str
    item: str
    kind: str
    scale: str
    is_descending: bool


@dataclass(frozen=True)
class Scale:
    """Code or word (as `spoken` gives it) -> value; None: does not know."""

    values: Mapping[str, int | None]

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest value."""
        known = [value for value in self.values.values() if value is not None]
        return min(known), max(known)


@dataclass(frozen=True)
class Rule:
    """To which wave a response belongs: the year (and, with `is_monthly`, month) that lay `months_back` before it."""

    months_back: int
    is_monthly: bool


@dataclass(frozen=True)
class Named:
    """What an id of a survey or a word in a file's name says: the survey, and the wave's year where it is pinned."""

    survey: str
    year: int | None


def spoken(text: str) -> str:
    """A question or an answer as registers are searched: lower case, blanks collapsed, no star or colon at the end."""
    return normalise_header(text).rstrip("*: ").strip()


def questions_of(reference: Reference, agency: str) -> Mapping[str, Mapping[str, Question]]:
    """survey -> question (id or text, `spoken`) -> what it asks; the agency's own rows before those of all. Raises
    ConfigurationError for rows that cannot be."""
    scales, found = scales_of(reference), {survey: dict[str, Question]() for survey in SURVEYS}
    for number, row in _rows(reference, QUESTIONS, agency):
        _one_of(QUESTIONS, number, "survey", row["survey"], SURVEYS)
        _one_of(QUESTIONS, number, "kind", row["kind"], ITEM_KINDS)
        order = row["code_order"] or ORDERS[0]
        _one_of(QUESTIONS, number, "code_order", order, ORDERS)
        is_id = row["kind"] in ("organisation", "company")
        if not is_id:
            _one_of(QUESTIONS, number, "scale", row["scale"], scales)
        question = Question(row["survey"] or "", row["item"] or "", row["kind"] or "", row["scale"] or "", order == ORDERS[1])
        found[question.survey][spoken(row["question"] or "")] = question
    for survey, own in found.items():
        for kind in ("area", "support"):
            items = {question.item for question in own.values() if question.kind == kind}
            if len(items) > QUESTIONS_MAX:
                text = f"the survey {survey} has {len(items)} items of the kind {kind}; means are computed over {QUESTIONS_MAX} at most"
                raise ConfigurationError(f"{QUESTIONS}: {text}")
    return found


@lru_cache(maxsize=4)
def scales_of(reference: Reference) -> Mapping[str, Scale]:
    """Every scale of the register."""
    found: dict[str, dict[str, int | None]] = {}
    for number, row in enumerate(reference.table(SCALES).iter_rows(named=True), start=2):
        value = _whole(SCALES, number, "value", row["value"])
        found.setdefault(row["scale"] or "", {})[spoken(row["delivered"] or "")] = value
    return {name: Scale(values) for name, values in found.items()}


def names_of(reference: Reference, agency: str) -> Mapping[str, Named]:
    """Id of a survey or word in a file's name, `folded` -> survey and year."""
    found = {}
    for number, row in _rows(reference, NAMES, agency):
        _one_of(NAMES, number, "survey", row["survey"], SURVEYS)
        found[folded(row["delivered"] or "")] = Named(row["survey"] or "", _whole(NAMES, number, "year", row["year"]))
    return found


def rules_of(reference: Reference) -> Mapping[str, Rule]:
    """survey -> to which wave its responses belong."""
    found = {}
    for number, row in enumerate(reference.table(RULES).iter_rows(named=True), start=2):
        _one_of(RULES, number, "survey", row["survey"], SURVEYS)
        _one_of(RULES, number, "wave", row["wave"], WAVES)
        months = _whole(RULES, number, "months_back", row["months_back"])
        found[row["survey"] or ""] = Rule(months or 0, row["wave"] == "month")
    missing = set(SURVEYS) - set(found)
    if missing:
        raise ConfigurationError(f"{RULES}: no row for the survey {sorted(missing)[0]}")
    return found


def folded(text: str) -> str:
    """Letters and digits only, without accents: file names are written in many ways."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in plain if letter.isalnum())


def _rows(reference: Reference, name: str, agency: str) -> Iterator[tuple[int, Mapping[str, str | None]]]:
    """(row, cells): the rows of all agencies, then the agency's own, which win."""
    rows = list(enumerate(reference.table(name).iter_rows(named=True), start=2))
    yield from ((number, row) for number, row in rows if not row["agency"])
    yield from ((number, row) for number, row in rows if row["agency"] == agency)


def _one_of(name: str, number: int, column: str, value: str | None, known: Mapping[str, object] | Sequence[str]) -> None:
    if value not in known:
        raise ConfigurationError(f"{name}, row {number}: {column} {value!r} is none of {', '.join(known)}")


def _whole(name: str, number: int, column: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal():
        raise ConfigurationError(f"{name}, row {number}: {column} {text!r} is not a whole number")
    return int(text)


@dataclass(frozen=True)
class Values:
    """What the answers to one question mean: delivered answer -> value (None: does not know). `unknown`: answers that are
    neither. `is_contradictory`: the labels number the scale both ways, or numbers count on another scale: nothing is read."""

    found: Mapping[str, int | None]
    unknown: frozenset[str]
    is_contradictory: bool = False


def values_of(answers: Mapping[str, int], scale: Scale, is_descending: bool) -> Values:
    """Values of a question's distinct `answers` (answer -> respondents).

    Words decide. Labels such as "5 - Täysin samaa mieltä" tell which way the delivery numbers the scale, and bare numbers
    beside them follow; where no label tells, the register's order does. A label whose word is unknown is not read: its number
    may count from either end. Bare numbers beyond the scale's codes tell of a longer scale (1-7), of which none is read.
    """
    low, high = scale.bounds
    known, numbers, unknown = dict[str, int | None](), dict[str, int](), set[str]()
    directions, misnumbered = set[bool](), False
    for answer in answers:
        plain = spoken(answer)
        number = _WHOLE.fullmatch(plain)
        label = _NUMBERED.fullmatch(plain)
        if number is not None:
            numbers[answer] = int(number[1])
        elif plain in scale.values:
            known[answer] = scale.values[plain]
        elif label is not None and spoken(label[2]) in scale.values:
            value = scale.values[spoken(label[2])]
            known[answer] = value
            if value is not None and low + high != 2 * value:  # the middle is itself from either end
                directions |= {is_down for is_down in (False, True) if int(label[1]) == _turned(value, low, high, is_down)}
                misnumbered |= int(label[1]) not in (value, low + high - value)
        else:
            unknown.add(answer)
    if misnumbered or len(directions) > 1:
        return Values({}, frozenset(), is_contradictory=True)
    is_down = directions.pop() if directions else is_descending
    beyond = sum(answers[answer] for answer, code in numbers.items() if high < code <= HIGHEST and str(code) not in scale.values)
    if beyond >= max(BEYOND_N, BEYOND_SHARE * sum(answers[answer] for answer in numbers)):
        return Values({}, frozenset(), is_contradictory=True)
    for answer, code in numbers.items():
        if str(code) not in scale.values:
            unknown.add(answer)
            continue
        value = scale.values[str(code)]
        known[answer] = None if value is None else _turned(value, low, high, is_down)
    return Values(known, frozenset(unknown))


def _turned(value: int, low: int, high: int, is_down: bool) -> int:
    return low + high - value if is_down else value
