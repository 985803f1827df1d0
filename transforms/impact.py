"""The impact index: arithmetic of scores and weights in whole numbers.

Stage index = 100 x sum(w s) / sum(2 w) over the assessed factors, at least four of five (KEY_FIGURES section 4, formula ours).
Weights are versioned data (catalogue/impact_weights.csv). Results are carried in 2520ths of a point (schemas.key_figure.SCALE):
exact as long as the weights of the five factors add up to at most ten, for every sum up to ten divides 2520.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.errors import ConfigurationError
from schemas.impact_assessments import FACTORS, HIGHEST, LEAST_FACTORS
from schemas.key_figure import SCALE
from schemas.reference import Reference

REGISTER = "catalogue/impact_weights.csv"
MOST_WEIGHT = 10
POINT = SCALE["score"]
INDEX = 100 * POINT // HIGHEST
"""What all weights' worth of one score step is: (100 / 2) points."""


def weights(reference: Reference) -> pl.DataFrame:
    """valid_from and a column weight_<factor> per factor, sorted. Raises ConfigurationError naming row and column."""
    rows = []
    for number, row in enumerate(reference.table(REGISTER).iter_rows(named=True), start=2):
        try:
            found = [int(row[factor] or "") for factor in FACTORS]
            since = date.fromisoformat(row["valid_from"] or "")
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                f"{REGISTER}, row {number}: needs a day and a whole number for each factor ({error})"
            ) from error
        if min(found) < 1 or sum(found) > MOST_WEIGHT:
            raise ConfigurationError(f"{REGISTER}, row {number}: weights are 1 or more and together at most {MOST_WEIGHT}")
        rows.append((since, *found))
    schema = {"valid_from": pl.Date} | {f"weight_{factor}": pl.Int64 for factor in FACTORS}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("valid_from")


def weighted(assessments: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """Assessments with the weights in force on the day of the assessment; without any before the first version."""
    dated = assessments.sort("assessed_on")
    return dated.join_asof(versions, left_on="assessed_on", right_on="valid_from").drop("valid_from")


def stage_index() -> pl.Expr:
    """The stage index of a weighted assessment, in 2520ths of a point; null under four factors."""
    assessed = {factor: pl.col(factor).is_not_null() for factor in FACTORS}
    return _scaled({factor: pl.col(factor) for factor in FACTORS}, assessed)


def difference_of_indices(before: str) -> pl.Expr:
    """Index - index before, both over the factors assessed at both measuring points; `before`: suffix of the earlier scores."""
    steps = {factor: pl.col(factor) - pl.col(factor + before) for factor in FACTORS}
    return _scaled(steps, {factor: step.is_not_null() for factor, step in steps.items()})


def mean_difference(before: str) -> pl.Expr:
    """Mean of score - score before over the factors assessed at both, in 2520ths of a score; null under four."""
    steps = [pl.col(factor) - pl.col(factor + before) for factor in FACTORS]
    both = pl.sum_horizontal(step.is_not_null().cast(pl.Int64) for step in steps)
    return pl.when(both >= LEAST_FACTORS).then(pl.sum_horizontal(steps) * POINT // both)


def _scaled(steps: dict[str, pl.Expr], counts: dict[str, pl.Expr]) -> pl.Expr:
    weight = {factor: pl.col(f"weight_{factor}") for factor in FACTORS}
    total = pl.sum_horizontal(weight[factor] * steps[factor] for factor in FACTORS)
    whole = pl.sum_horizontal(pl.when(counts[factor]).then(weight[factor]) for factor in FACTORS)
    enough = pl.sum_horizontal(counts[factor].cast(pl.Int64) for factor in FACTORS) >= LEAST_FACTORS
    return pl.when(enough & (whole > 0)).then(total * INDEX // whole)
