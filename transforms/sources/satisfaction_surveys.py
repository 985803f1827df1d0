"""Satisfaction surveys: a delivery's answers -> one row per respondent and question, with the question's item and value.

Which survey, question and value is meant stands in registers (`survey_register`). Texts of answers that are no value of a known
question's scale go no further than here: such rows are set aside or quarantined without their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from schemas.contract import Contract
from schemas.errors import DeliveryRefused
from schemas.forms import labels
from schemas.reference import Reference
from schemas.satisfaction_surveys import ANSWER, CONTRACT, SURVEYS, WAVE
from transforms.delivery import CleanPart, Conclusion, Context, Delivered, RawPart
from transforms.formats import dataverse, grids
from transforms.formats.detect import heading_of, refusal
from transforms.formats.survey import ABOUT, LONG, Asked, Collected, asked_of, read_table
from transforms.formats.survey_webropol import looks_like, read_webropol
from transforms.sources import forms
from transforms.sources.form_headings import headings
from transforms.sources.survey_cleaning import Lines, clean_answers
from transforms.sources.survey_register import Named, Question, folded, names_of, questions_of, spoken

WAVES = forms.Form(Contract(CONTRACT.source, "1.0", "keyed", labels("", "", ""), "Waves alone.", (WAVE,)))
RAW_SCHEMA = pl.Schema(
    {
        "source_line": pl.Int64,
        "respondent": pl.Int64,
        **dict.fromkeys(ABOUT, pl.String),
        "pinned_year": pl.Int64,
        "item": pl.String,
        "scale": pl.String,
        "is_descending": pl.Boolean,
        "answer": pl.String,
    }
)
"""A raw answer; `survey` is a code or null, `item` null where the register does not know the question (then no `answer`)."""
_WORDS = {spoken(word): survey for survey, words in SURVEYS.items() for word in (survey, *words)}
Known = Mapping[str, Mapping[str, Question]]


def read(deliveries: Sequence[Delivered], context: Context) -> Iterator[RawPart]:
    """One part per delivery: raw answers and waves. A file that cannot be read refuses its own delivery only."""
    for item in deliveries:
        try:
            yield _read_one(item, context)
        except DeliveryRefused as refused:
            yield RawPart({}, {"delivery_id": item.delivery_id}, {item.delivery_id: list(refused.reasons)})


def _read_one(item: Delivered, context: Context) -> RawPart:
    known = questions_of(context.reference, item.agency)
    if looks_like(item.path):
        collected: Collected | None = read_webropol(item.path, item.file_name, context.limits)
        waves = RawPart({})
    else:
        collected = _tables(item, context, known)
        waves = next(WAVES.read([item], context))
    frames = dict(waves.frames)
    notes = {**waves.notes, "delivery_id": item.delivery_id}
    beside = dict(waves.beside)
    if collected is not None:
        named = _named(item, context.reference, collected.survey_id)
        frames[ANSWER.name] = _mapped(collected, known, named, item.file_name)
        told: Any = waves.notes.get("unknown_columns", []) if collected.beside else []
        others: Any = waves.notes.get("passed_over", collected.beside)
        notes["passed_over"] = forms.shown([name for name in others if name in collected.beside])
        notes |= {"format": collected.kind, "unknown_columns": [*told, *collected.unused]}
        beside |= {"answers_malformed": collected.malformed, "ids_apart": collected.apart, "ids_lost": collected.lost}
    is_read = WAVE.name in frames or (collected is not None and (not collected.answers or _is_mapped(frames[ANSWER.name])))
    if not is_read:
        text = (
            "no question of survey_questions.csv was recognised, and no table of waves; "
            f"add the survey's questions to it, or fill in what `nyckeltal template {CONTRACT.source}` writes"
        )
        raise refusal("header_unrecognised", text, item.file_name)
    return RawPart(frames, notes, beside=beside)


def _is_mapped(answers: pl.DataFrame) -> bool:
    """Whether anything is left to read, or to tell of: known questions, or surveys that are not known."""
    return bool(answers["item"].is_not_null().any() or answers["survey"].is_null().any())


def _tables(item: Delivered, context: Context, known: Known) -> Collected | None:
    """The one table of answers among a file's sheets."""
    every = {name for questions in known.values() for name in questions}
    read = grids.read_grids(item.path, item.file_name, context.limits, context.agency(item).encoding)
    for grid in read:
        dataverse.require_whole(grid)
    tables = [read_table(grid, headings(ANSWER), lambda asked: _is_known(asked, every)) for grid in read]
    found = [collected for collected in tables if collected is not None]
    if len(found) > 1:
        raise refusal("several_sheets", "two sheets hold answers; deliver one of them, or a file for each", item.file_name)
    if not found:
        return None
    found[0].beside = [grid.name for grid, collected in zip(read, tables, strict=True) if collected is None]
    found[0].beside += [name for grid in read for name in grid.passed_over]
    return found[0]


@lru_cache(maxsize=1)
def _shipped() -> Set[str]:
    """Questions that the shipped register knows: files are recognised before an agency's own rows are at hand."""
    return {name for questions in questions_of(Reference.load(), "").values() for name in questions}


def _is_known(asked: Asked, names: Set[str]) -> bool:
    return any(spoken(name) in names for _, name in asked.names())


def _named(item: Delivered, reference: Reference, survey_id: str) -> Named | None:
    """What the survey's id, else the longest known word in the file's name, says."""
    names, text = names_of(reference, item.agency), folded(item.file_name)
    if survey_id and folded(survey_id) in names:
        return names[folded(survey_id)]
    words = [word for word in names if word in text]
    return names[max(words, key=len)] if words else None


def _mapped(collected: Collected, known: Known, named: Named | None, file_name: str) -> pl.DataFrame:
    """RAW_SCHEMA: every answer with its question's item. Raises DeliveryRefused where two questions are one item."""
    asked = list(dict.fromkeys(answer.asked for answer in collected.answers))
    told = {number: about.get("survey", "").strip() for number, about in collected.about.items()}
    default = named.survey if named else ("" if all(told.values()) else _likeliest(asked, known, file_name))
    surveys = {number: _WORDS.get(spoken(text), "") if text else default for number, text in told.items()}
    whose: dict[str, dict[Asked, set[int]]] = {}
    for answer in collected.answers:
        whose.setdefault(surveys[answer.respondent], {}).setdefault(answer.asked, set()).add(answer.respondent)
    questions = {
        survey: _questions(asked, known[survey], collected.repeated, file_name) for survey, asked in whose.items() if survey
    }
    rows = []
    for answer in collected.answers:
        survey = surveys[answer.respondent]
        question = questions[survey].get(answer.asked) if survey else None
        about = collected.about[answer.respondent]
        if question is not None and question.kind in ("organisation", "company"):
            about.setdefault(question.item, answer.text)
            continue
        rows.append((answer, survey, question, about))
    pinned = named.year if named else None
    data = [
        (
            answer.line,
            answer.respondent,
            survey or None,
            *(about.get(name) for name in ABOUT[1:]),
            pinned,
            question and question.item,
            question and question.scale,
            question and question.is_descending,
            question and answer.text,
        )
        for answer, survey, question, about in rows
    ]
    return pl.DataFrame(data, schema=RAW_SCHEMA, orient="row")


def _likeliest(asked: Sequence[Asked], known: Known, file_name: str) -> str:
    """The survey most of whose questions were asked."""
    scores = {survey: sum(_is_known(one, set(questions)) for one in asked) for survey, questions in known.items()}
    best = [survey for survey, score in scores.items() if score == max(scores.values())]
    if len(best) > 1:
        text = (
            f"the questions fit the surveys {', '.join(best)} alike; name the survey in the file's name, in a column, "
            "or add its id to survey_names.csv"
        )
        raise refusal("survey_unclear", text, file_name)
    return best[0]


def _questions(
    asked: Mapping[Asked, set[int]], known: Mapping[str, Question], repeated: Set[Asked], file_name: str
) -> Mapping[Asked, Question]:
    """What each question (-> its respondents) asks: of two that would be one item the more exactly named one; two named alike are
    one question in two languages where nobody answered both. Raises DeliveryRefused where somebody did, or one heading stands
    over two columns."""
    found: dict[str, dict[int, dict[Asked, Question]]] = {}
    for one in asked:
        hit = next(((rank, known[spoken(name)]) for rank, name in one.names() if spoken(name) in known), None)
        if hit is not None:
            found.setdefault(hit[1].item, {}).setdefault(hit[0], {})[one] = hit[1]
    chosen = {item: ranks[min(ranks)] for item, ranks in found.items()}
    for item, alike in chosen.items():
        answered_both = sum(len(asked[one]) for one in alike) > len(set().union(*(asked[one] for one in alike)))
        if answered_both or repeated & set(alike):
            text = f"two questions are taken for {item}; name the right one by its id or whole text in survey_questions.csv"
            raise refusal("question_ambiguous", text, file_name)
    return {one: question for alike in chosen.values() for one, question in alike.items()}


def clean(raw: RawPart, deliveries: Sequence[Delivered], context: Context) -> CleanPart:
    """Accepted answers and waves, failures, warnings and counts."""
    if raw.refused:
        return WAVES.clean(raw, deliveries, context)
    item = next(one for one in deliveries if one.delivery_id == raw.notes["delivery_id"])
    parts = []
    if WAVE.name in raw.frames:
        parts.append(WAVES.clean(replace(raw, frames={WAVE.name: raw.frames[WAVE.name]}), deliveries, context))
    if ANSWER.name in raw.frames:
        malformed, apart, lost = (raw.beside[name] for name in ("answers_malformed", "ids_apart", "ids_lost"))
        assert isinstance(malformed, list)  # noqa: S101 - set by read
        assert isinstance(apart, list)  # noqa: S101
        assert isinstance(lost, list)  # noqa: S101
        parts.append(clean_answers(raw.frames[ANSWER.name], malformed, Lines(apart, lost), item, context.reference))
    return CleanPart(
        accepted={name: frame for part in parts for name, frame in part.accepted.items()},
        failures=pl.concat([part.failures for part in parts]),
        warnings=pl.concat([part.warnings for part in parts]),
        counts=pl.concat([part.counts for part in parts]),
        facts={"set_aside": [frame for part in parts for frame in part.facts["set_aside"]]},  # type: ignore[attr-defined]
    )


def conclude(parts: Sequence[CleanPart], deliveries: Sequence[Delivered], _context: Context) -> Conclusion:
    """Refuses deliveries of which no row could be taken, with the rules that its rows broke."""
    return forms.conclude(CONTRACT, parts, deliveries)


def recognise(path: Path) -> int:
    """How surely a file is a survey, 0-100: Webropol's answers, a template, a long table, else headings that are questions."""
    if looks_like(path):
        return 100
    every = _shipped()
    best = max(forms.Form(CONTRACT).recognise(path), WAVES.recognise(path))
    known = headings(ANSWER)
    for grid in grids.head_of(path):
        for cells in grid.rows[:1] if grid.has_header else grid.rows[:20]:
            columns = {known.get(heading_of(cell)) for cell in cells}
            questions = sum(1 for cell in cells if cell.strip() and _is_known(asked_of(cell), every))
            best = max(best, 80 if set(LONG) <= columns or questions >= 3 else 0)
    return best
