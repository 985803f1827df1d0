"""Measures of satisfaction surveys: one row per answer with its respondent, and one per wave with who was invited.

Yearly waves stand in January of the year asked about (METHOD 24), answers on mini-competitions in the month of the response.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference
from schemas.satisfaction_surveys import ITEM_KINDS, SURVEYS

QUESTIONS = "codelists/survey_questions.csv"

ANSWERS = Table(
    "survey_response",
    "Answers to surveys; respondents are counted by `respondent`, the companies of suppliers by `company_id`.",
    (
        Column("organisation_id", pl.String, "The respondent's organisation; null where it is not known."),
        Column(
            "organisation_name",
            pl.String,
            "Always null (names are not asked for); makes customers outside the register a level.",
        ),
        Column("month", pl.Date, "January of the year asked about; month of the response in continuous surveys.", required=True),
        Column("agency", pl.String, "Who delivered it.", required=True),
        Column("survey", pl.String, "customer, supplier, minicomp.", required=True, codes=tuple(SURVEYS)),
        Column("respondent", pl.String, "Delivery and running number within it.", required=True),
        Column("company_id", pl.String, "Supplier's business id; null where it is not known."),
        Column("item", pl.String, "What was asked.", required=True),
        Column("kind", pl.String, "area, grade, nps, support.", required=True, codes=ITEM_KINDS),
        Column("value", pl.Int64, "Value on the question's scale; null: does not know."),
    ),
)
WAVES = Table(
    "survey_invited",
    "Invitations and responses of a survey's wave.",
    (
        Column("month", pl.Date, "January of the year asked about.", required=True),
        Column("survey", pl.String, "customer, supplier, minicomp.", required=True, codes=tuple(SURVEYS)),
        Column("invited_n", pl.Int64, "Invited.", required=True),
        Column("responded_n", pl.Int64, "Responded as the survey tool counts them; null: counted from the answers."),
    ),
)
MEASURES = (ANSWERS, WAVES)


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the waves that count."""
    kinds = (
        reference.table(QUESTIONS).select("survey", "item", "kind").unique(["survey", "item"], keep="last", maintain_order=True)
    )
    answers = tables["survey_answer"].join(kinds, on=["survey", "item"]).with_columns(
        month=pl.date("year", pl.col("wave_month").fill_null(1), 1),
        organisation_name=pl.lit(None, pl.String),
        respondent=pl.format("{}/{}", "delivery_id", "respondent"),
    )  # fmt: skip
    waves = tables["survey_wave"].with_columns(month=pl.date("year", 1, 1))
    return {
        "survey_response": answers.select(ANSWERS.polars_schema().names()).sort(pl.all()),
        "survey_invited": waves.select(WAVES.polars_schema().names()).sort(pl.all()),
    }
