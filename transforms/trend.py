"""What a settled figure looks like beside others: a year before, the organisations below it, breaks of the series."""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.key_figure import VALUE
from schemas.reference import Reference
from transforms import levels
from transforms.periods import SCHEMA
from transforms.rollup import PLACE, SERIES

FLAT = 0.01
"""A change of less than one per cent of the former value is flat (own rule)."""
EXTENSIVE = ("eur", "count")
"""Units that grow with what is delivered."""
SPREAD_FROM = 5
"""Median and quartiles over organisations are shown from so many organisations."""
CELL_KEY = [*SERIES, *PLACE]


def with_trend(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds trend (up, down, flat, none) and change against the same period a year before; needs value, coverage, unit and
    the cell's key. An amount or a number that covers more or less than a year before has none: it would tell of deliveries."""
    joined = frame.join(_former(frame), on=CELL_KEY, how="left")
    now, before = pl.col("value").cast(pl.Float64), pl.col("former_value").cast(pl.Float64)
    unlike = (pl.col("coverage").cast(pl.Float64) - pl.col("former_coverage").cast(pl.Float64)).abs() > FLAT
    change = pl.when(~(pl.col("unit").is_in(EXTENSIVE) & unlike.fill_null(False))).then(now - before)
    trend = (
        pl.when(change.is_null())
        .then(pl.lit("none"))
        .when((change.abs() < before.abs() * FLAT) | (change == 0))
        .then(pl.lit("flat"))
        .when(change > 0)
        .then(pl.lit("up"))
        .otherwise(pl.lit("down"))
    )
    return joined.with_columns(trend=trend, change=change)


def _former(frame: pl.DataFrame) -> pl.DataFrame:
    """The same cells a year earlier, keyed as this year's."""
    moved = pl.col("period_start").dt.offset_by("1y")
    former = (pl.col("value").alias("former_value"), pl.col("coverage").alias("former_coverage"))
    return frame.select(*CELL_KEY, *former).with_columns(moved)


def with_spread(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Unweighted median and quartiles over organisations, beside what is no sum (METHOD 1)."""
    shown = frame.filter(~pl.col("is_sum"))
    values = _below(shown.with_columns(pl.col("value").cast(pl.Float64)), members, "value")
    spread = (
        values.group_by(*CELL_KEY)
        .agg(
            pl.len().alias("organisations"),
            pl.col("value").median().alias("organisation_median"),
            pl.col("value").quantile(0.25, "linear").alias("organisation_q1"),
            pl.col("value").quantile(0.75, "linear").alias("organisation_q3"),
        )
        .filter(pl.col("organisations") >= SPREAD_FROM)
        .drop("organisations")
    )
    places = ("organisation_median", "organisation_q1", "organisation_q3")
    return frame.join(spread, on=CELL_KEY, how="left").with_columns(pl.col(places).round(8).cast(VALUE))


def with_mix(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """mix_flag: a ratio moved against all of at least two children, the sectors or the organisations below it (METHOD 1)."""
    moved = frame.filter(pl.col("aggregate").is_in(["ratio", "mean"]) & pl.col("change").is_not_null())
    sectors = moved.filter(level="sector").select(*SERIES, "period_kind", "period_start", "change")
    nations = moved.filter(level="national").select(CELL_KEY)
    by_sector = nations.join(sectors, on=[*SERIES, "period_kind", "period_start"])
    flags = [_against(moved, _below(moved, members, "change")), _against(moved, by_sector)]
    flagged = pl.concat(flags).unique().with_columns(mix_flag=pl.lit(value=True))
    return frame.join(flagged, on=CELL_KEY, how="left").with_columns(pl.col("mix_flag").fill_null(value=False))


def _against(parents: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Keys of the parents whose change is opposite to every child's; `changes`: the parent's key and a child's change."""
    signs = changes.group_by(*CELL_KEY).agg(
        pl.len().alias("children"), pl.col("change").min().alias("lowest"), pl.col("change").max().alias("highest")
    )
    opposite = ((pl.col("change") < 0) & (pl.col("lowest") > 0)) | ((pl.col("change") > 0) & (pl.col("highest") < 0))
    joined = parents.select(*CELL_KEY, "change").join(signs, on=CELL_KEY)
    return joined.filter(opposite & (pl.col("children") > 1)).select(CELL_KEY)


def _below(frame: pl.DataFrame, members: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of the organisations' cells, placed at every level above on the period's last day."""
    own = frame.filter((pl.col("level") == "organisation") & pl.col(column).is_not_null()).select(
        *SERIES, *SCHEMA.names(), pl.col("level_id").alias("organisation_id"), column
    )
    return levels.placed(own, members.filter(pl.col("level") != "organisation"))


def with_breaks(frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """break_flag: a series break (catalogue/breaks.csv) lies after the comparison period's start, not after this period's end.

    A row of the register speaks of a figure, or of one of its variants, or of its breakdowns of one kind alone.
    """
    key = ["figure_id", "variant", "breakdown_kind", "period_start", "period_end"]
    seen = frame.select(key).unique().with_columns(compared=pl.col("period_start").dt.offset_by("-1y"))
    broken = pl.lit(False)
    for row in reference.table("catalogue/breaks.csv").iter_rows(named=True):
        day = date.fromisoformat(row["break_date"])
        inside = (pl.col("compared") < day) & (pl.col("period_end") >= day)
        narrower = [pl.col(name) == row[name] for name in ("variant", "breakdown_kind") if row[name]]
        broken = broken | pl.all_horizontal(pl.col("figure_id") == row["figure_id"], inside, *narrower)
    return frame.join(seen.select(*key, break_flag=broken), on=key, how="left")
