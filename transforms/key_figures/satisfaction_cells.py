"""What the satisfaction figures share: answers at every level and period, respondents' means as exact integers, cells.

Respondents whose organisation is not known count in the nation only. Where a respondent answered k questions with the sum s, the
mean is carried as s x 2520 / k, an integer for k up to ten.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.key_figure import CELL, NATIONAL, SCALE
from transforms import levels
from transforms.key_figures.facts import ALL
from transforms.periods import months_of

SOURCE = "satisfaction_surveys"
PLACE = ("level", "level_id", "period_kind", "period_start")
POINT = SCALE["score"]
CUSTOMERS, SUPPLIERS = "customers", "suppliers"
AUDIENCES = {"customer": CUSTOMERS, "supplier": SUPPLIERS, "minicomp": "mini_competitions"}
AUDIENCE_NAMES = {
    CUSTOMERS: {"fi": "Asiakkaat", "sv": "Kunder", "en": "Customers"},
    SUPPLIERS: {"fi": "Toimittajat", "sv": "Leverantörer", "en": "Suppliers"},
    "mini_competitions": {"fi": "Minikilpailutukset", "sv": "Minikonkurrensutsättningar", "en": "Mini-competitions"},
}
RESPONDENTS = 5
"""Fewest respondents of a mean (METHOD 5, P2)."""
RESPONDENTS_OF_SHARE = 10
"""Fewest respondents of a share."""
OF_AREAS = "Respondents with an answer to any area / respondents of the survey."


def placed(answers: pl.DataFrame, touched: pl.DataFrame, members: pl.DataFrame, kinds: Sequence[str]) -> pl.DataFrame:
    """Answers (of `survey_response`) once for every period of `kinds` and every level that they belong to."""
    rows = answers.join(months_of(touched.filter(pl.col("period_kind").is_in(list(kinds)))), on="month")
    nation = rows.with_columns(level=pl.lit("national"), level_id=pl.lit(NATIONAL))
    others = members.filter(pl.col("level") != "national")
    return pl.concat([nation, levels.placed(rows.drop_nulls("organisation_id"), others)], how="diagonal")


def respondents(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """PLACE, survey, respondent -> k (answers with a value to questions of `kind`) and their total, of everyone who was asked."""
    counted = pl.col("kind") == kind
    return rows.group_by(*PLACE, "survey", "respondent").agg(
        pl.col("value").filter(counted).count().cast(pl.Int64).alias("k"),
        pl.col("value").filter(counted).sum().alias("total"),
    )


MEAN = pl.col("total") * POINT // pl.col("k")
"""A respondent's mean in 2520ths, where `k` is not 0."""


def summed(
    rows: pl.DataFrame, by: Sequence[str], numerator: pl.Expr, known: pl.Expr, asked: pl.Expr | None = None
) -> pl.DataFrame:
    """numerator over the rows that are `known`, their count as denominator, n and covered; asked: all rows unless given.

    `numerator` is null or counts nothing where a row is not known. Places without a known row have no cell."""
    counts = rows.group_by(*PLACE, *by).agg(
        numerator.filter(known).cast(pl.Int64).sum().alias("numerator"),
        known.sum().cast(pl.Int64).alias("denominator"),
        (pl.len() if asked is None else asked).cast(pl.Int64).alias("asked"),
    )
    return counts.filter(pl.col("denominator") > 0).with_columns(n="denominator", covered="denominator")


def cells(figure_id: str, counts: pl.DataFrame, **labels: pl.Expr) -> pl.DataFrame:
    """CELL rows from PLACE, numerator, denominator, n, covered, asked; `labels` set variant, breakdown, direct_value, reason."""
    defaults = {
        "figure_id": pl.lit(figure_id),
        "variant": pl.lit(""),
        "scope": pl.lit(ALL),
        "breakdown_kind": pl.lit(""),
        "breakdown_id": pl.lit(""),
        "direct_value": pl.lit(None, pl.Float64),
        "reason": pl.lit(None, pl.String),
    }
    schema = CELL.polars_schema()
    return counts.with_columns(**(defaults | labels)).select(schema.names()).cast(schema)


def stacked(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """CELL rows of several figures under each other."""
    return pl.concat([pl.DataFrame(schema=CELL.polars_schema()), *parts])
