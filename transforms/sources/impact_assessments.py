"""Impact assessments: the form and its own rules; a negative lift is told, not refused."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.impact_assessments import CONTRACT, FACTORS, LEAST_FACTORS
from schemas.reference import Reference
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form
from transforms.sources.mini_competitions import CODE


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    is_joint = pl.col("stage") == "joint"
    return [
        ("text_not_a_code", "case_id", ~pl.col("case_id").str.contains(CODE)),
        ("text_not_a_code", "agreement_id", ~pl.col("agreement_id").str.contains(CODE)),
        ("stage_of_other_kind", "stage", is_joint != (pl.col("kind") == "joint_procurement")),
        ("lift_negative", "stage", (pl.col("stage") == "result") & _is_below()),
    ]


def _is_below() -> pl.Expr:
    """Whether a row's scores add up to less than those of its joint procurement in the same file, over the factors of both."""
    joint = pl.when(pl.col("stage") == "joint").then(pl.col("case_id")).otherwise(pl.col("agreement_id"))
    steps = [pl.col(factor) - pl.col(factor).filter(pl.col("stage") == "joint").first().over(joint) for factor in FACTORS]
    both = pl.sum_horizontal(step.is_not_null().cast(pl.Int64) for step in steps)
    return (both >= LEAST_FACTORS) & (pl.sum_horizontal(steps) < 0)


FORM = Form(CONTRACT, _check)
