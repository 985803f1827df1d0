"""Roll-up: contributions by organisation and month -> cells by level and period.

Shares are sums of numerators over sums of denominators, never means of shares; medians are taken anew from the single
observations of every level and period (METHOD 1 and 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.key_figure import CELL, KeyFigure
from transforms import levels, reach
from transforms.periods import months_of

SERIES = ("figure_id", "variant", "scope", "breakdown_kind", "breakdown_id")
PLACE = ("level", "level_id", "period_kind", "period_start")
SUMS = ("n", "covered", "asked")
OPTIONAL = {"period_kinds": pl.lit("all"), "unit_id": pl.lit(None, pl.String), "reaches": pl.lit(None, pl.Date)}
"""Columns that contributions need not have, and what stands there then."""


def by_month(contributions: pl.DataFrame, figures: Mapping[str, KeyFigure]) -> pl.DataFrame:
    """Contributions of sums and ratios summed by organisation and month: fewer rows that roll up to equal cells; those of medians
    and distinct counts as they are. The optional columns (see `roll_up`) stand there afterwards."""
    whole = contributions.with_columns(**{name: value for name, value in OPTIONAL.items() if name not in contributions.columns})
    is_observed = _is_of(figures, "median", "distinct")
    summed = _summed(whole.filter(~is_observed), ["organisation_id", "month", "period_kinds", "reaches"])
    return pl.concat([summed, whole.filter(is_observed)], how="diagonal_relaxed")


def roll_up(
    contributions: pl.DataFrame, figures: Mapping[str, KeyFigure], periods: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows for `periods` (period_kind, period_start, period_end).

    `contributions` has figure_id and the CONTRIBUTION columns, `members` is `levels.membership`. Levels and kinds of period
    that a figure does not have are left out; an optional column `period_kinds` (all, year, shorter) says in which kinds a row
    counts, and `reaches` how far the deliveries behind it do (transforms/reach). A cell whose every contribution bears a reason
    bears the first of them.
    """
    if contributions.is_empty() or periods.is_empty():
        return pl.DataFrame(schema=CELL.polars_schema())
    allowed = pl.DataFrame(
        [
            (figure.figure_id, kind, level)
            for figure in figures.values()
            for kind in figure.period_kinds
            for level in figure.levels
        ],
        schema={"figure_id": pl.String, "period_kind": pl.String, "level": pl.String},
        orient="row",
    )
    stocks = [figure.figure_id for figure in figures.values() if figure.is_stock]
    at_the_end = ~pl.col("figure_id").is_in(stocks) | (pl.col("month") == pl.col("period_end").dt.month_start())
    rows = by_month(contributions, figures).join(months_of(periods), on="month").filter(_counts_in_period() & at_the_end)
    rows = reach.with_coverage(rows)

    def cells(rows: pl.DataFrame, *aggregates: pl.Expr) -> pl.DataFrame:
        placed = levels.placed(rows, members).join(allowed, on=["figure_id", "period_kind", "level"], how="semi")
        return _summed(placed, list(PLACE), aggregates)

    sums = rows.filter(~_is_of(figures, "median", "distinct"))
    parts = [
        cells(_summed(sums, ["organisation_id", "period_kind", "period_start", "period_end"])),
        cells(rows.filter(_is_of(figures, "median")), pl.col("amount").median().alias("direct_value")),
        cells(rows.filter(_is_of(figures, "distinct")), _distinct()).with_columns(numerator="distinct").drop("distinct"),
    ]
    return pl.concat(parts, how="diagonal").select(CELL.polars_schema().names()).cast(CELL.polars_schema())


def _is_of(figures: Mapping[str, KeyFigure], *aggregates: str) -> pl.Expr:
    return pl.col("figure_id").is_in([figure.figure_id for figure in figures.values() if figure.aggregate in aggregates])


def _counts_in_period() -> pl.Expr:
    """`period_kinds` of a contribution: all; year (years only: rows without dates); shorter (all but years)."""
    is_year = pl.col("period_kind") == "year"
    return pl.when(is_year).then(pl.col("period_kinds") != "shorter").otherwise(pl.col("period_kinds") != "year")


def _distinct() -> pl.Expr:
    return pl.col("unit_id").drop_nulls().n_unique().cast(pl.Int64).alias("distinct")


def _summed(frame: pl.DataFrame, by: list[str], aggregates: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    """Sums by series and `by`; a numerator or denominator that no row gives stays null."""

    def total(name: str) -> pl.Expr:
        return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)

    return frame.group_by(*SERIES, *by).agg(
        total("numerator"), total("denominator"), pl.col(SUMS).sum(), common_reason(), *aggregates
    )


def common_reason() -> pl.Expr:
    """The first reason of rows that all bear one, else null."""
    return pl.when(pl.col("reason").is_null().any()).then(None).otherwise(pl.col("reason").min()).alias("reason")
