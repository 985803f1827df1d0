"""Answers of surveys, typed: wave, respondent's organisation, value; rows that break a rule are quarantined without their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.forms import FIRST_YEAR, LAST_YEAR
from schemas.reference import Reference
from schemas.satisfaction_surveys import ANSWER
from transforms.aliases import aliases_on
from transforms.dates import detect_date_format, parse_dates
from transforms.delivery import COUNT_SCHEMA, FAILURE_SCHEMA, SET_ASIDE_SCHEMA, CleanPart, Delivered
from transforms.formats.grids import FORMULA
from transforms.sources.survey_register import Values, rules_of, scales_of, values_of
from transforms.suppliers import business_id

_HIT_SCHEMA = pl.Schema(
    {"row": pl.Int64, "source_line": pl.Int64, "column_name": pl.String, "rule": pl.String, "value": pl.String}
)
BARE = r"^\d{1,4}([.,]\d{1,2})?$"
"""What may be shown of an answer that is not known: short numbers. A word may be a name, a long number a telephone."""


@dataclass(frozen=True)
class Lines:
    """Where response ids were lost: of responses that count as respondents of their own, of answers that are nobody's."""

    apart: Sequence[int]
    lost: Sequence[int]


def clean_answers(
    raw: pl.DataFrame, malformed: Sequence[tuple[int, str]], ids: Lines, item: Delivered, reference: Reference
) -> CleanPart:
    """Accepted answers, failures, warnings and counts of one delivery's raw answers (RAW_SCHEMA of `satisfaction_surveys`).

    Of a respondent's answers to one question on several lines the last one that can be read counts; the others are set aside, and
    those that say otherwise told.
    """
    aside = raw.filter(pl.col("survey").is_not_null() & pl.col("item").is_null())
    typed = _typed(raw.filter(pl.col("survey").is_null() | pl.col("item").is_not_null()), item, reference)
    shown = pl.when(pl.col("answer").str.contains(BARE)).then("answer")
    failures = [
        _lines([line for line, _ in malformed], None, "row_malformed", [why for _, why in malformed]),
        _lines(ids.lost, "respondent", "id_is_number"),
        _hit(typed, pl.col("survey").is_null(), "survey", "code_unknown"),
        _hit(typed, pl.col("date_unread"), "responded_on", "value_unreadable"),
        _hit(typed, pl.col("year_unread"), "year", "value_unreadable"),
        _hit(typed, ~pl.col("year").is_between(FIRST_YEAR, LAST_YEAR), "year", "value_out_of_range"),
        _hit(typed, pl.col("year").is_null() & ~pl.col("date_unread") & ~pl.col("year_unread") & pl.col("survey").is_not_null(), "year", "wave_unknown"),
        _hit(typed, pl.col("is_contradictory"), "value", "scale_contradicts"),
        _hit(typed, pl.col("answer") == FORMULA, "value", "value_is_formula"),
        _hit(typed, pl.col("is_unknown") & (pl.col("answer") != FORMULA), "value", "answer_unknown", shown),
    ]  # fmt: skip
    good = typed.join(pl.concat(failures).select("row"), on="row", how="anti", maintain_order="left")
    good, former = _last_answers(good)
    failures.append(_hit(good, ~pl.struct(ANSWER.primary_key).is_first_distinct(), "item", "key_repeated"))
    broken = pl.concat(failures)
    schema = ANSWER.polars_schema()
    accepted = good.filter(pl.struct(ANSWER.primary_key).is_first_distinct()).with_columns(
        delivery_id=pl.lit(item.delivery_id),
        agency=pl.lit(item.agency),
        produced_at=pl.lit(item.produced_at).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")),
    )
    rows_read = raw.height + len(malformed) + len(ids.lost)
    counts = dict.fromkeys(COUNT_SCHEMA.names(), 0) | {
        "delivery_id": item.delivery_id,
        "table_name": ANSWER.name,
        "rows_read": rows_read,
        "rows_accepted": accepted.height,
        "rows_set_aside": aside.height + former.height,
        "rows_quarantined": rows_read - accepted.height - aside.height - former.height,
    }
    warnings = [
        _hit(typed, pl.col(f"{name}_unread"), name, "organisation_not_mapped").unique("source_line", maintain_order=True)
        for name in ("organisation_id", "company_id")
    ]
    warnings += [
        _hit(former, pl.col("is_otherwise"), "value", "answers_contradict", shown),
        _lines(ids.apart, "respondent", "response_id_lost"),
    ]
    return CleanPart(
        accepted={ANSWER.name: accepted.select(schema.names()).cast(schema)},
        failures=_shaped(broken, item),
        warnings=_shaped(pl.concat(warnings), item),
        counts=pl.DataFrame([counts], schema=COUNT_SCHEMA),
        facts={
            "set_aside": [
                frame.select(
                    delivery_id=pl.lit(item.delivery_id),
                    table_name=pl.lit(ANSWER.name),
                    source_line="source_line",
                    reason=pl.lit(reason),
                    cents=pl.lit(0, pl.Int64),
                ).cast(SET_ASIDE_SCHEMA)
                for frame, reason in ((aside, "question_not_mapped"), (former, "answer_repeated"))
            ]
        },
    )


def _last_answers(good: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(answers that count, answers to the same question on the respondent's earlier lines with `is_otherwise`: the last one says
    something else)."""
    key = pl.struct(ANSWER.primary_key)
    is_last = pl.col("source_line") == pl.col("source_line").max().over(key)
    counted = pl.col("value").sort_by("source_line", maintain_order=True).last().over(key)
    marked = good.with_columns(is_last=is_last, is_otherwise=pl.col("value").ne_missing(counted))
    return marked.filter("is_last"), marked.filter(~pl.col("is_last"))


def _lines(lines: Sequence[int], column: str | None, rule: str, values: Sequence[str] | None = None) -> pl.DataFrame:
    """Lines of which no answer was made that break a rule."""
    rows = [(-1, line, column, rule, values[place] if values else None) for place, line in enumerate(lines)]
    return pl.DataFrame(rows, schema=_HIT_SCHEMA, orient="row")


def _hit(typed: pl.DataFrame, where: pl.Expr, column: str, rule: str, value: pl.Expr | None = None) -> pl.DataFrame:
    """Rows that break a rule; what their cells hold is shown only where `value` gives it."""
    shown = pl.lit(None, pl.String) if value is None else value
    found = typed.filter(where.fill_null(value=False))
    return found.select("row", "source_line", column_name=pl.lit(column), rule=pl.lit(rule), value=shown).cast(_HIT_SCHEMA)


def _shaped(hits: pl.DataFrame, item: Delivered) -> pl.DataFrame:
    own = {"delivery_id": pl.lit(item.delivery_id), "table_name": pl.lit(ANSWER.name)}
    return hits.with_columns(**own).select(FAILURE_SCHEMA.names()).cast(FAILURE_SCHEMA)


def _typed(raw: pl.DataFrame, item: Delivered, reference: Reference) -> pl.DataFrame:
    """The raw answers with ANSWER's columns, `row`, and flags of what could not be read."""
    text = pl.col(pl.String).str.strip_chars()
    tidy = raw.with_columns(pl.when(text != "").then(text)).with_row_index("row").cast({"row": pl.Int64})
    known = detect_date_format(tidy["responded_on"])
    dates = parse_dates(tidy["responded_on"], known) if known else pl.Series([None], dtype=pl.Date).new_from_index(0, tidy.height)
    typed = tidy.with_columns(
        dates.alias("responded_on"),
        date_unread=tidy["responded_on"].is_not_null() & dates.is_null(),
        given_year=_whole("year"),
        given_month=_whole("wave_month"),
        year_unread=(pl.col("year").is_not_null() & _whole("year").is_null())
        | (pl.col("wave_month").is_not_null() & ~_whole("wave_month").is_between(1, 12).fill_null(value=False)),
        covered_year=pl.lit(item.coverage_from.year if item.coverage_from else None, pl.Int64),
    )
    return _valued(_placed(_waved(typed, reference), item, reference), reference)


def _whole(name: str) -> pl.Expr:
    return pl.col(name).str.replace(r"[.,]0+$", "").cast(pl.Int64, strict=False)


def _waved(typed: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """year and wave_month: of yearly waves the year that the row, the survey's id, the manifest or else the response date gives;
    of continuous surveys year and month of the response date, else those of the row."""
    rules = pl.DataFrame(
        [(survey, f"-{rule.months_back}mo", rule.is_monthly) for survey, rule in rules_of(reference).items()],
        schema={"survey": pl.String, "back": pl.String, "is_monthly": pl.Boolean},
        orient="row",
    )
    joined = typed.join(rules, on="survey", how="left", maintain_order="left")
    asked_about = pl.col("responded_on").dt.offset_by(pl.col("back"))
    by_row = pl.col("given_month").is_not_null()
    return joined.with_columns(
        year=pl.when("is_monthly")
        .then(pl.coalesce(asked_about.dt.year().cast(pl.Int64), pl.when(by_row).then("given_year")))
        .otherwise(pl.coalesce("given_year", "pinned_year", "covered_year", asked_about.dt.year().cast(pl.Int64))),
        wave_month=pl.when("is_monthly").then(pl.coalesce(asked_about.dt.month().cast(pl.Int64), "given_month")),
    )


def _placed(typed: pl.DataFrame, item: Delivered, reference: Reference) -> pl.DataFrame:
    """organisation_id and company_id as ids, null where a text is none; `*_unread` tells of those."""
    known = set(reference.table("organisations.csv")["organisation_id"].to_list())
    aliases = aliases_on(reference, item.agency, item.day)

    def organisation(text: str) -> str | None:
        return text if text in known else aliases.get(text) or business_id(text)

    found = {
        "organisation_id": {text: organisation(text) for text in typed["organisation_id"].drop_nulls().unique().to_list()},
        "company_id": {text: business_id(text) for text in typed["company_id"].drop_nulls().unique().to_list()},
    }
    read = {name: _replaced(typed[name], values, pl.String) for name, values in found.items()}
    flags = {f"{name}_unread": typed[name].is_not_null() & read[name].is_null() for name in found}
    return typed.with_columns(**read, **flags)


def _valued(typed: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """value, and flags for answers that are no value; read question by question, as its answers together tell its numbering."""
    scales = scales_of(reference)
    read: dict[tuple[str, str, str], tuple[int | None, bool, bool]] = {}
    series = ["survey", "item", "scale", "is_descending"]
    given = typed.drop_nulls("item").group_by(*series, "answer").len().sort(*series, "answer")
    distinct = given.group_by(series, maintain_order=True).agg("answer", "len")
    for survey, item, scale, is_descending, texts, numbers in distinct.iter_rows():
        answers = {text: number for text, number in zip(texts, numbers, strict=True) if text is not None}
        values: Values = values_of(answers, scales[scale], is_descending)
        for answer in answers:
            read[survey, item, answer] = (values.found.get(answer), answer in values.unknown, values.is_contradictory)
    looked = pl.DataFrame(
        [(*key, *result) for key, result in read.items()],
        schema={
            "survey": pl.String, "item": pl.String, "answer": pl.String, "value": pl.Int64, "is_unknown": pl.Boolean,
            "is_contradictory": pl.Boolean,
        },
        orient="row",
    )  # fmt: skip
    return typed.join(looked, on=["survey", "item", "answer"], how="left", maintain_order="left")


def _replaced(values: pl.Series, found: Mapping[str, str | None], dtype: type[pl.DataType]) -> pl.Series:
    return values.replace_strict(found, default=None, return_dtype=dtype) if found else values.cast(dtype)
