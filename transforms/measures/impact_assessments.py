"""Measures of impact assessments: points of cases at their measuring points, factors against targets, completed cases assessed.

Completed mini-competitions come from the source `mini_competitions`: whether one was assessed is told in the month in which it was
decided, whenever the assessment came.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.impact_assessments import FACTORS, LEAST_FACTORS
from schemas.reference import Reference
from transforms import impact

WHOSE = (
    Column("organisation_id", pl.String, "Customer; of a joint procurement, who tendered it.", required=True),
    Column("organisation_name", pl.String, "Its name as delivered."),
)
POINTS = Table(
    "impact_points",
    "Points of assessed cases by the month of the assessment.",
    (
        *WHOSE,
        Column("month", pl.Date, "Month of the assessment.", required=True),
        Column("case_id", pl.String, "Case.", required=True),
        Column(
            "measure", pl.String, "joint, final: stage index; lift: final - joint; followup: change of scores.", required=True
        ),
        Column("points", pl.Int64, "In 2520ths; null: too few factors, or nothing to compare with.", unit="2520th"),
        Column("euros", pl.Int64, "Value of the case in whole EUR; null: not told."),
    ),
)
ATTAINED = Table(
    "impact_factor",
    "Factors of mini-competitions' results beside their targets, by the month of the result.",
    (
        *WHOSE,
        Column("month", pl.Date, "Month of the result.", required=True),
        Column("case_id", pl.String, "Mini-competition.", required=True),
        Column("factor", pl.String, "Factor.", required=True, codes=tuple(FACTORS)),
        Column("is_attained", pl.Boolean, "Result at or above the target; null: no target for the factor."),
    ),
)
COMPLETED = Table(
    "impact_completed",
    "Completed mini-competitions by the month of the decision: assessed or not.",
    (
        *WHOSE,
        Column("month", pl.Date, "Month of the decision.", required=True),
        Column("agency", pl.String, "Who delivered the mini-competition.", required=True),
        Column("competition_id", pl.String, "Mini-competition.", required=True),
        Column("agreement_id", pl.String, "Joint procurement that it belongs to; null: not told."),
        Column("is_assessed", pl.Boolean, "Its result was assessed on four factors or more.", required=True),
        Column("is_stage1_assessed", pl.Boolean, "So was its joint procurement.", required=True),
    ),
)
MEASURES = (POINTS, ATTAINED, COMPLETED)
EARLIER = "_earlier"
"""Ends the columns of the scores that a result is held against."""


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the assessments and mini-competitions that count."""
    rows = impact.weighted(tables["impact_assessment"], impact.weights(reference)).with_columns(
        month=pl.col("assessed_on").dt.month_start(), euros=pl.col("value_cents") // 100
    )
    joint, target, result, followup = (rows.filter(stage=stage) for stage in ("joint", "target", "result", "followup"))
    lifted = _beside(result, joint, "agreement_id")
    changed = _beside(followup, result, "case_id")
    points = [
        _points(joint, "joint", impact.stage_index()),
        _points(result, "final", impact.stage_index()),
        _points(lifted, "lift", impact.difference_of_indices(EARLIER)),
        _points(changed, "followup", impact.mean_difference(EARLIER)),
    ]
    return {
        "impact_points": pl.concat(points).sort("measure", "case_id"),
        "impact_factor": _attained(_beside(result, target, "case_id")),
        "impact_completed": _completed(tables["mini_competition"], rows),
    }


def _beside(rows: pl.DataFrame, earlier: pl.DataFrame, key: str) -> pl.DataFrame:
    """Rows with the scores of the earlier measuring point, whose case is `key`."""
    scores = earlier.select(pl.col("case_id").alias(key), *(pl.col(factor).alias(factor + EARLIER) for factor in FACTORS))
    return rows.join(scores, on=key, how="left")


def _points(rows: pl.DataFrame, measure: str, points: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(measure=pl.lit(measure), points=points).select(POINTS.polars_schema().names())


def _attained(rows: pl.DataFrame) -> pl.DataFrame:
    """A row per case and factor that has a result."""
    names = ATTAINED.polars_schema().names()
    parts = [
        rows.drop_nulls(factor)
        .with_columns(factor=pl.lit(factor), is_attained=pl.col(factor) >= pl.col(factor + EARLIER))
        .select(names)
        for factor in FACTORS
    ]
    return pl.concat(parts).sort("case_id", "factor")


def _completed(competitions: pl.DataFrame, assessments: pl.DataFrame) -> pl.DataFrame:
    """Nothing while no assessment was delivered: then it is not known whether any was made."""
    enough = pl.sum_horizontal(pl.col(factor).is_not_null().cast(pl.Int64) for factor in FACTORS) >= LEAST_FACTORS
    assessed, stage1 = (assessments.filter(enough, stage=stage)["case_id"].to_list() for stage in ("result", "joint"))
    completed = competitions.filter(status="completed") if assessments.height else competitions.clear()
    rows = completed.with_columns(
        month=pl.col("decided_on").dt.month_start(),
        is_assessed=pl.col("competition_id").is_in(assessed),
        is_stage1_assessed=pl.col("agreement_id").is_in(stage1).fill_null(value=False),
    )
    return rows.select(COMPLETED.polars_schema().names()).sort("competition_id")
