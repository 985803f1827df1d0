"""Settling: cells -> key figures with value, status, reason, coverage, target, light, trend, spread over organisations.

Works on any set of whole periods, so only what changed needs settling: `settle` looks at the cells of the same periods a year
earlier (trend, composition) and at nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import polars as pl

from schemas.key_figure import KEY_FIGURE, QUANTITY, SCALE, VALUE, KeyFigure
from schemas.reference import Reference
from transforms.lights import targets, with_targets
from transforms.periods import closing
from transforms.trend import with_breaks, with_mix, with_spread, with_trend

DECIMALS = 10**8
COVERAGE_SCALE = 10**6
NO_DATA = (
    "no_delivery",
    "no_source",
    "nothing_counted",
    "missing_delivery",
    "no_invited",
    "gdp_missing",
    "expenditure_missing",
    "domiciles_missing",
    "no_category_model",
    "no_support_model",
    "no_network_members",
    "no_invoices",
    "no_call_data",
    "spend_missing",
    "no_court_data",
    "no_contact_data",
    "no_notice_ids",
    "no_category",
    "no_register",
    "sizes_missing",
    "no_customers_told",
    "no_reported_purchases",
    "no_answer",
    "no_response_times",
    "no_closing_times",
    "panel_too_small",
    "panel_incomplete",
)
"""Reasons that mean the data are not there, rather than that they cannot be computed with."""
PANEL = "all"
"""Cells of every organisation that delivers; those of drawn panels are settled apart."""
UNSETTLED = ("revision_no", "is_latest", "data_through")


def settle(
    cells: pl.DataFrame,
    figures: Mapping[str, KeyFigure],
    reference: Reference,
    members: pl.DataFrame,
    level_names: pl.DataFrame,
    as_of: date,
    panel: str = PANEL,
) -> pl.DataFrame:
    """KEY_FIGURE columns without revision_no, is_latest and data_through, one row per cell.

    `cells`: CELL rows with period_end, those to settle and those of a year earlier; every row is settled, the caller keeps
    the periods it wants. `members` and `level_names` come from `levels`. Figures unknown to `figures` raise KeyError.
    """
    settled = _with_definitions(cells, figures)
    settled = _with_value(settled)
    settled = _with_status(settled, as_of)
    settled = _with_lights(settled, reference)
    settled = with_mix(with_spread(with_trend(settled), members), members)
    settled = with_breaks(settled, reference)
    settled = settled.join(
        level_names.select("level", "level_id", pl.col("name_fi").alias("level_name")), on=["level", "level_id"], how="left"
    )
    settled = settled.with_columns(
        pl.col("level_name").fill_null(pl.col("level_id")),
        panel=pl.lit(panel),
        numerator=pl.col("shown_numerator"),
        denominator=pl.col("shown_denominator"),
    )
    schema = pl.Schema({name: dtype for name, dtype in KEY_FIGURE.polars_schema().items() if name not in UNSETTLED})
    return settled.select(schema.names()).cast(schema)


def _with_definitions(cells: pl.DataFrame, figures: Mapping[str, KeyFigure]) -> pl.DataFrame:
    rows = [_definition(figure) for figure in figures.values()]
    schema = {
        "figure_id": pl.String,
        "version": pl.Int32,
        "unit": pl.String,
        "aggregate": pl.String,
        "is_sum": pl.Boolean,
        "is_direct": pl.Boolean,
        "numerator_scale": pl.Int64,
        "denominator_scale": pl.Int64,
        "factor": pl.Int64,
        "minimum_n": pl.Int64,
        "least_covered": pl.Int64,
        "least_asked": pl.Int64,
        "closing": pl.String,
    }
    unknown = set(cells["figure_id"].unique()) - set(figures)
    if unknown:
        raise KeyError(f"cells of unknown figures: {sorted(unknown)}")
    return cells.join(pl.DataFrame(rows, schema=schema, orient="row"), on="figure_id")


def _definition(figure: KeyFigure) -> tuple[object, ...]:
    least = None if figure.minimum_coverage is None else Fraction(str(figure.minimum_coverage))
    return (
        figure.figure_id,
        figure.version,
        figure.unit,
        figure.aggregate,
        figure.aggregate in ("sum", "distinct"),
        figure.aggregate == "median" or figure.unit == "hhi",
        SCALE[figure.numerator_quantity],
        SCALE[figure.denominator_quantity],
        figure.factor,
        figure.minimum_n,
        least and least.numerator,
        least and least.denominator,
        figure.closing,
    )


def _shown(name: str, scale: str) -> pl.Expr:
    """In units: cents become EUR exactly, scores are rounded to hundredths, counts stay."""
    hundredths = _half_even(pl.col(name).cast(pl.Int128) * 100, pl.col(scale).cast(pl.Int128))
    return (hundredths.cast(pl.Decimal(38, 0)).cast(pl.Decimal(38, 2)) / 100).cast(QUANTITY)


def _with_value(frame: pl.DataFrame) -> pl.DataFrame:
    """value, and why there is none; numerator and denominator for publication stand in shown_*."""
    frame = frame.with_columns(is_direct=pl.col("is_direct") | pl.col("direct_value").is_not_null())
    direct = pl.col("direct_value").round(8).cast(pl.Decimal(38, 8))
    value = pl.when("is_direct").then(direct).otherwise(_quotient()).cast(VALUE)
    frame = frame.with_columns(why=_why()).with_columns(value=pl.when(pl.col("why").is_null()).then(value))
    negative = pl.col("value").is_not_null() & pl.col("is_sum") & (pl.col("numerator") < 0)
    millionths = pl.col("covered").cast(pl.Int128) * COVERAGE_SCALE
    coverage = _half_even(millionths, pl.when(pl.col("asked") > 0).then(pl.col("asked").cast(pl.Int128)))
    return frame.with_columns(
        shown_numerator=_shown("numerator", "numerator_scale"),
        shown_denominator=_shown("denominator", "denominator_scale"),
        reason=pl.coalesce("why", pl.when(negative).then(pl.lit("net_credit"))),
        coverage=(coverage.cast(pl.Decimal(38, 0)).cast(pl.Decimal(38, 6)) / COVERAGE_SCALE).cast(pl.Decimal(9, 6)),
    )


def _why() -> pl.Expr:
    """Why a cell has no value: the reason it came with, no rows, a denominator that allows no share, too little coverage."""
    missing = pl.when("is_direct").then(pl.col("direct_value").is_null()).otherwise(pl.col("numerator").is_null())
    is_share = ~pl.col("is_direct") & ~pl.col("is_sum")
    too_little = pl.col("covered").cast(pl.Int128) * pl.col("least_asked") < pl.col("asked").cast(pl.Int128) * pl.col(
        "least_covered"
    )
    # rows that other months' deliveries happen to hold of a month are no figure of that month
    uncovered = (pl.col("closing") == "invoices") & (pl.col("asked") > 0) & (pl.col("covered") == 0)
    return (
        pl.when(pl.col("reason").is_not_null())
        .then("reason")
        .when(missing)
        .then(pl.lit("no_observations"))
        .when(is_share & (pl.col("denominator").fill_null(0) == 0))
        .then(pl.lit("denominator_zero"))
        .when(is_share & (pl.col("denominator") < 0))
        .then(pl.lit("net_credit"))
        .when(uncovered)
        .then(pl.lit("missing_delivery"))
        .when(too_little)
        .then(pl.lit("coverage_too_low"))
        .when(pl.col("n") < pl.col("minimum_n"))
        .then(pl.lit("n_too_small"))
    )


def _with_lights(frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """target, target_operator, light: compared on integers whose quotient is the figure's value in its unit."""
    top = pl.col("numerator").cast(pl.Int128) * pl.col("factor").cast(pl.Int128) * _lower()
    bottom = pl.when("is_sum").then(1).otherwise(pl.col("denominator")).cast(pl.Int128) * pl.col("numerator_scale")
    compared = frame.with_columns(
        summed=pl.col("numerator"),
        over=pl.col("denominator"),
        numerator=top,
        denominator=bottom,
        has_value=pl.col("value").is_not_null(),
    )
    lit = with_targets(compared, targets(reference)).with_columns(numerator="summed", denominator="over")
    return lit.drop("summed", "over").with_columns(pl.col("target").cast(VALUE))


def _lower() -> pl.Expr:
    """The denominator's scale; 1 for sums, which have none."""
    return pl.when("is_sum").then(1).otherwise(pl.col("denominator_scale")).cast(pl.Int128)


def _quotient() -> pl.Expr:
    """numerator / denominator (a sum: numerator) in units, times the figure's factor, at eight decimals, half to even, from
    integers."""
    bottom = pl.when("is_sum").then(1).otherwise(pl.col("denominator")).cast(pl.Int128)
    top = pl.col("numerator").cast(pl.Int128) * pl.col("factor").cast(pl.Int128) * DECIMALS * _lower()
    whole = bottom * pl.col("numerator_scale").cast(pl.Int128)
    quotient = _half_even(top, pl.when(whole > 0).then(whole))
    return quotient.cast(pl.Decimal(38, 0)).cast(pl.Decimal(38, 8)) / DECIMALS


def _half_even(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """Integer quotient rounded half to even; `bottom` is positive or null."""
    quotient = top // bottom
    twice = (top - quotient * bottom) * 2
    up = (twice > bottom) | ((twice == bottom) & (quotient % 2 != 0))
    return quotient + up.cast(pl.Int128)


def _with_status(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """METHOD 29: provisional until the closing day; figures that cannot be computed say whether data are missing."""
    kind, end = pl.col("period_kind"), pl.col("period_end")
    closes = closing(kind, end, "invoices")
    for rule in ("notices", "months", "waves"):
        closes = pl.when(pl.col("closing") == rule).then(closing(kind, end, rule)).otherwise(closes)
    key = ["closing", "period_kind", "period_end"]
    closed = frame.select(key).unique().select(*key, is_closed=pl.lit(as_of) >= closes)
    status = (
        pl.when(pl.col("why").is_in(NO_DATA))
        .then(pl.lit("no_data"))
        .when(pl.col("value").is_null())
        .then(pl.lit("not_computable"))
        .when("is_closed")
        .then(pl.lit("final"))
        .otherwise(pl.lit("provisional"))
    )
    return frame.join(closed, on=key, how="left").with_columns(status=status).drop("is_closed")


def flips(figures: Mapping[str, KeyFigure], periods: pl.DataFrame, before: date, now: date) -> pl.DataFrame:
    """Periods (SCHEMA) that close after `before` and not after `now`: their status changes without new data."""
    rules = {figure.closing for figure in figures.values()}
    kind, end = pl.col("period_kind"), pl.col("period_end")
    closes = [
        closing(kind, end, rule).is_between(pl.lit(min(before, now)), pl.lit(max(before, now)), closed="right")
        for rule in sorted(rules)
    ]
    return periods.filter(pl.any_horizontal(closes)) if closes else periods.clear()
