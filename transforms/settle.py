"""Settling: cells -> key figures with value, status, reason, coverage, target, light, trend, spread over organisations.

Works on any set of whole periods, so only what changed needs settling: `settle` looks at the cells of the same periods a year
earlier (trend, composition) and at nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.key_figure import KEY_FIGURE, QUANTITY, VALUE, KeyFigure
from schemas.reference import Reference
from transforms.lights import targets, with_targets
from transforms.periods import SCHEMA, closing
from transforms.rollup import SERIES

SCALE = 10**8
FLAT = 0.01
"""A change of less than one per cent of the former value is flat (own rule)."""
SPREAD_FROM = 5
"""Median and quartiles over organisations are shown from so many organisations."""
NO_DATA = ("missing_delivery", "gdp_missing", "no_invoices", "no_call_data", "spend_missing")
"""Reasons that mean the data are not there, rather than that they cannot be computed with."""
PANEL = "all"
UNSETTLED = ("revision_no", "is_latest", "data_through")


def settle(
    cells: pl.DataFrame,
    figures: Mapping[str, KeyFigure],
    reference: Reference,
    members: pl.DataFrame,
    level_names: pl.DataFrame,
    as_of: date,
) -> pl.DataFrame:
    """KEY_FIGURE columns without revision_no, is_latest and data_through, one row per cell.

    `cells`: CELL rows with period_end, those to settle and those of a year earlier; every row is settled, the caller keeps
    the periods it wants. `members` and `level_names` come from `levels`. Figures unknown to `figures` raise KeyError.
    """
    settled = _with_definitions(cells, figures)
    settled = _with_value(settled)
    settled = _with_status(settled, as_of)
    settled = with_targets(settled.with_columns(has_value=pl.col("value").is_not_null()), targets(reference))
    settled = settled.with_columns(pl.col("target").cast(VALUE))
    settled = _with_trend(settled)
    settled = _with_spread(settled, members)
    settled = _with_mix(settled, members)
    settled = _with_breaks(settled, reference)
    settled = settled.join(
        level_names.select("level", "level_id", pl.col("name_fi").alias("level_name")), on=["level", "level_id"], how="left"
    )
    settled = settled.with_columns(pl.col("level_name").fill_null(pl.col("level_id")), panel=pl.lit(PANEL))
    schema = {name: dtype for name, dtype in KEY_FIGURE.polars_schema().items() if name not in UNSETTLED}
    return settled.select(list(schema)).cast(schema)


def _with_definitions(cells: pl.DataFrame, figures: Mapping[str, KeyFigure]) -> pl.DataFrame:
    definitions = pl.DataFrame(
        [
            {
                "figure_id": figure.figure_id,
                "version": figure.version,
                "unit": figure.unit,
                "aggregate": figure.aggregate,
                "numerator_cents": figure.numerator_quantity == "cent",
                "denominator_cents": figure.denominator_quantity == "cent",
                "minimum_coverage": figure.minimum_coverage,
                "closing": figure.closing,
            }
            for figure in figures.values()
        ],
        schema={
            "figure_id": pl.String,
            "version": pl.Int32,
            "unit": pl.String,
            "aggregate": pl.String,
            "numerator_cents": pl.Boolean,
            "denominator_cents": pl.Boolean,
            "minimum_coverage": pl.Float64,
            "closing": pl.String,
        },
    )
    unknown = set(cells["figure_id"].unique()) - set(figures)
    if unknown:
        raise KeyError(f"cells of unknown figures: {sorted(unknown)}")
    return cells.join(definitions, on="figure_id")


def _euros(name: str, in_cents: str) -> pl.Expr:
    """Cents become EUR exactly; counts stay."""
    exact = pl.col(name).cast(pl.Decimal(38, 2))
    return pl.when(pl.col(in_cents)).then(exact / 100).otherwise(exact).cast(QUANTITY)


def _with_value(frame: pl.DataFrame) -> pl.DataFrame:
    """value, and why there is none; numerator and denominator for publication stand in shown_*."""
    is_sum = pl.col("aggregate") == "sum"
    has_direct = pl.col("direct_value").is_not_null()
    is_direct = has_direct | pl.col("aggregate").is_in(["median", "distinct"]) | (pl.col("unit") == "hhi")
    why = (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(is_direct & ~has_direct)
        .then(pl.lit("no_observations"))
        .when(is_direct)
        .then(None)
        .when(pl.col("numerator").is_null())
        .then(pl.lit("no_observations"))
        .when(is_sum)
        .then(None)
        .when(pl.col("denominator").is_null() | (pl.col("denominator") == 0))
        .then(pl.lit("denominator_zero"))
        .when(pl.col("denominator") < 0)
        .then(pl.lit("net_credit"))
        .when(pl.col("covered") < pl.col("asked") * pl.col("minimum_coverage"))
        .then(pl.lit("coverage_too_low"))
    )
    # a sum or a figure in EUR per something keeps its unit: cents over counts are euros over counts times 100
    top = pl.col("numerator").cast(pl.Int128) * SCALE
    bottom = pl.when(is_sum).then(1).otherwise(pl.col("denominator")).cast(pl.Int128)
    bottom = bottom * pl.when(pl.col("numerator_cents") & (is_sum | ~pl.col("denominator_cents"))).then(100).otherwise(1).cast(
        pl.Int128
    )
    quotient = _half_even(top, pl.when(bottom > 0).then(bottom))
    scaled = quotient.cast(pl.Decimal(38, 0)).cast(pl.Decimal(38, 8)) / SCALE
    direct = (pl.col("direct_value").round(8) * 1).cast(pl.Decimal(38, 8))
    value = pl.when(is_direct).then(direct).otherwise(scaled).cast(VALUE)
    frame = frame.with_columns(why=why).with_columns(value=pl.when(pl.col("why").is_null()).then(value))
    negative = pl.col("value").is_not_null() & is_sum & (pl.col("numerator") < 0)
    return frame.with_columns(
        shown_numerator=_euros("numerator", "numerator_cents"),
        shown_denominator=_euros("denominator", "denominator_cents"),
        reason=pl.coalesce("why", pl.when(negative).then(pl.lit("net_credit"))),
        coverage=pl.when(pl.col("asked") > 0).then(pl.col("covered") / pl.col("asked")).round(6).cast(pl.Decimal(9, 6)),
    )


def _half_even(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """Integer quotient rounded half to even; `bottom` is positive or null."""
    quotient = top // bottom
    twice = (top - quotient * bottom) * 2
    up = (twice > bottom) | ((twice == bottom) & (quotient % 2 != 0))
    return quotient + up.cast(pl.Int128)


def _with_status(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """METHOD 29: provisional until the closing day; figures that cannot be computed say whether data are missing."""
    kind, end = pl.col("period_kind"), pl.col("period_end")
    closes = pl.when(pl.col("closing") == "notices").then(closing(kind, end, "notices")).otherwise(closing(kind, end, "invoices"))
    status = (
        pl.when(pl.col("why").is_in(NO_DATA))
        .then(pl.lit("no_data"))
        .when(pl.col("value").is_null())
        .then(pl.lit("not_computable"))
        .when(pl.lit(as_of) >= closes)
        .then(pl.lit("final"))
        .otherwise(pl.lit("provisional"))
    )
    return frame.with_columns(status=status)


def _former(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """The same cells a year earlier, keyed as this year's: former_<column>."""
    renamed = {column: f"former_{column}" for column in columns}
    return frame.select(
        *SERIES, "level", "level_id", "period_kind", pl.col("period_start").dt.offset_by("1y").alias("period_start"), *columns
    ).rename(renamed)


CELL_KEY = [*SERIES, "level", "level_id", "period_kind", "period_start"]


def _with_trend(frame: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(_former(frame, ["value"]), on=CELL_KEY, how="left")
    now, before = pl.col("value").cast(pl.Float64), pl.col("former_value").cast(pl.Float64)
    change = now - before
    flat = change.abs() < before.abs() * FLAT
    trend = (
        pl.when(change.is_null())
        .then(pl.lit("none"))
        .when(flat | (change == 0))
        .then(pl.lit("flat"))
        .when(change > 0)
        .then(pl.lit("up"))
        .otherwise(pl.lit("down"))
    )
    return joined.with_columns(trend=trend, change=change)


def _children(members: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """organisation_id, level, level_id, period_kind, period_start of every level above the organisation."""
    above = members.filter(pl.col("level") != "organisation")
    joined = above.join(ends, how="cross").filter(pl.col("period_end").is_between("valid_from", "valid_to"))
    return joined.select("organisation_id", "level", "level_id", "period_kind", "period_start")


def _organisation_cells(frame: pl.DataFrame, members: pl.DataFrame, column: str) -> pl.DataFrame:
    """A column of the organisations' cells, placed at every level above."""
    ends = frame.select(*SCHEMA.names()).unique()
    own = frame.filter((pl.col("level") == "organisation") & pl.col(column).is_not_null()).select(
        *SERIES, "period_kind", "period_start", pl.col("level_id").alias("organisation_id"), column
    )
    return own.join(_children(members, ends), on=["organisation_id", "period_kind", "period_start"])


def _with_spread(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Unweighted median and quartiles over organisations, beside ratios and means (METHOD 1)."""
    ratios = frame.filter(pl.col("aggregate") != "sum")
    values = _organisation_cells(ratios.with_columns(pl.col("value").cast(pl.Float64)), members, "value")
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


def _with_mix(frame: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """mix_flag: a ratio moved against all of at least two organisations below it (composition, METHOD 1)."""
    ratios = frame.filter(pl.col("aggregate").is_in(["ratio", "mean"]))
    changes = _organisation_cells(ratios, members, "change")
    signs = changes.group_by(*CELL_KEY).agg(
        pl.len().alias("children"), (pl.col("change") > 0).all().alias("all_up"), (pl.col("change") < 0).all().alias("all_down")
    )
    joined = frame.join(signs, on=CELL_KEY, how="left")
    against = ((pl.col("change") < 0) & pl.col("all_up")) | ((pl.col("change") > 0) & pl.col("all_down"))
    flag = (against & (pl.col("children") > 1)).fill_null(value=False)
    return joined.with_columns(mix_flag=flag)


def _with_breaks(frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """break_flag: a series break lies after the comparison period's start and not after this period's end."""
    broken = pl.lit(False)
    for row in reference.table("catalogue/breaks.csv").iter_rows(named=True):
        day = date.fromisoformat(row["break_date"])
        inside = (pl.col("period_start").dt.offset_by("-1y") < day) & (pl.col("period_end") >= day)
        broken = broken | ((pl.col("figure_id") == row["figure_id"]) & inside)
    return frame.with_columns(break_flag=broken, numerator=pl.col("shown_numerator"), denominator=pl.col("shown_denominator"))


def flips(figures: Mapping[str, KeyFigure], periods: pl.DataFrame, before: date, now: date) -> pl.DataFrame:
    """Periods (SCHEMA) that close after `before` and not after `now`: their status changes without new data."""
    rules = {figure.closing for figure in figures.values()}
    kind, end = pl.col("period_kind"), pl.col("period_end")
    closes = [
        closing(kind, end, rule).is_between(pl.lit(min(before, now)), pl.lit(max(before, now)), closed="right")
        for rule in sorted(rules)
    ]
    return periods.filter(pl.any_horizontal(closes)) if closes else periods.clear()
