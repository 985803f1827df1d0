"""Procurement's share of all expenditure, by year: spend of the organisations whose total expenditure is registered."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.key_figures.parameters import Parameters
from transforms.key_figures.spend import ASSUMPTIONS, COVERAGE, contribution, months, spend_figure

MONTHS = 12
MISSING = "expenditure_missing"

DEFINITIONS = (
    spend_figure(
        "spend_share_of_total",
        ("Hankintamenojen osuus kokonaismenoista", "Upphandlingsutgifternas andel av de totala utgifterna", "Procurement share of expenditure"),
        (
            "Hankintamenot osuutena samojen organisaatioiden kokonaismenoista.",
            "Upphandlingsutgifterna som andel av samma organisationers totala utgifter.",
            "Procurement spend as a share of the same organisations' total expenditure.",
        ),
        "all",
        period_kinds=("year",),
        numerator="Procurement spend (spend_total) of organisations whose total expenditure of the year is known.",
        denominator="Total expenditure (Kokonaismenot) of the same organisations and year, from catalogue/total_expenditure.csv.",
        standing="official_goal",
        origin="Hankintatutka: Hankintamenot and Kokonaismenot (KEY_FIGURES 5); formula ours.",
        coverage_text=f"{COVERAGE} Organisations without registered expenditure, and years not wholly delivered, cover nothing.",
        assumptions=(
            *ASSUMPTIONS,
            ("An organisation counts in a year when all twelve months can be computed: a year's expenditure beside part of a year's "
            "spend would give too small a share."),
            "Expenditure is registered by organisation: that of a whole sector would stand beside the spend of those that deliver.",
        ),
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows, with period_kinds, from spend_month and expected; the year's expenditure in
    one contribution of the year."""
    schema = {"organisation_id": pl.String, "year": pl.Int32, "expenditure": pl.Int64}
    known = pl.DataFrame([(*key, cents) for key, cents in parameters.expenditure_cents.items()], schema=schema, orient="row")
    frame = months(measures).filter(pl.col("period_kinds") != "shorter").with_columns(year=pl.col("month").dt.year())
    frame = frame.join(known, on=["organisation_id", "year"], how="left", maintain_order="left")
    asked = pl.col("asked") > 0
    whole = (asked.sum() == MONTHS) & (asked & pl.col("reason").is_not_null()).sum().eq(0)
    whole = whole.over("organisation_id", "year")
    counts = pl.col("expenditure").is_not_null() & whole & pl.col("reason").is_null()
    first = pl.struct("organisation_id", "year", counts.alias("counts")).is_first_distinct()
    reason = pl.when(pl.col("expenditure").is_null()).then(pl.lit(MISSING)).when(~whole).then(pl.lit("incomplete_year"))
    told = frame.with_columns(
        denominator=pl.when(counts).then(pl.when(first).then("expenditure").otherwise(0)),
        numerator=pl.when(counts).then("net_cents"),
        covered=pl.when(counts).then("covered").otherwise(0),
        reason=pl.coalesce("reason", reason),
        period_kinds=pl.lit("year"),
    )
    return contribution(told, "spend_share_of_total", "all", pl.col("numerator"), pl.col("denominator"))
