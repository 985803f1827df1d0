"""How many completed mini-competitions, and how many of their joint procurements, had their impact assessed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms import levels
from transforms.key_figures.facts import ALL, Texts, contributions, stacked
from transforms.key_figures.form_figures import MONTHS_KNOWN, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of
from transforms.reach import reached, with_coverage
from transforms.rollup import common_reason

SOURCES = ("impact_assessments", "mini_competitions")
ENOUGH = "Assessed: at least four of the five factors have a score."


def _figure(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "direction": "up",
        "sources": SOURCES,
        "period_kinds": ("quarter", "year", "rolling_12m"),
        "assumptions": (ENOUGH, "By the month of the decision, whenever the assessment was made."),
    }
    return form_figure(figure_id, SOURCES[0], names, definitions, **(common | values))


DEFINITIONS = (
    _figure(
        "impact_coverage",
        ("Vaikuttavuuden mittauskattavuus", "Andel bedömda minikonkurrensutsättningar", "Assessed share"),
        (
            "Päättyneet minikilpailutukset, joiden tuloksen vaikuttavuus on arvioitu, osuutena päättyneistä.",
            "Avslutade minikonkurrensutsättningar vars resultat har bedömts, som andel av de avslutade.",
            "Completed mini-competitions whose result was assessed, as a share of the completed ones.",
        ),
        numerator="Completed mini-competitions with an assessed result.",
        denominator="Completed mini-competitions.",
        origin="KEY_FIGURES 7.4; formula ours. Check: 289 assessments since 2020, all customer tenderings (2024).",
        coverage_text=f"Every completed mini-competition: 1{MONTHS_KNOWN}",
    ),
    _figure(
        "impact_stage1_coverage",
        ("Yhteishankintojen mittauskattavuus", "Andel bedömda gemensamma upphandlingar", "Joint procurements assessed"),
        (
            "Yhteishankinnat, joiden oma vaikuttavuus on arvioitu, osuutena yhteishankinnoista, joihin kuuluva minikilpailutus päättyi.",
            "Gemensamma upphandlingar vars eget genomslag har bedömts, som andel av dem vars minikonkurrensutsättningar avslutades.",
            "Joint procurements whose own impact was assessed, as a share of those with a mini-competition completed.",
        ),
        numerator="Joint procurements of the denominator with a stage 1 assessment.",
        denominator="Distinct joint procurements of the mini-competitions completed in the period.",
        origin="METHOD 28; formula ours.",
        coverage_text=f"Completed mini-competitions whose joint procurement is told / completed ones{MONTHS_KNOWN}",
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions of impact_coverage from `impact_completed`."""
    completed = reached(measures, "impact_completed", SOURCES[1])
    return stacked([contributions(completed, "impact_coverage", pl.col("is_assessed"), pl.lit(1))])


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of impact_stage1_coverage: distinct joint procurements, counted anew for every place and period."""
    months = months_of(touched.filter(pl.col("period_kind") != "month"))
    named = pl.col("agreement_id").is_not_null().cast(pl.Int64)
    dated = reached(measures, "impact_completed", SOURCES[1]).join(months, on="month")
    told = with_coverage(dated.with_columns(covered=named, asked=pl.lit(1, pl.Int64), reason=pl.lit(None, pl.String)))
    completed = levels.placed(told, members)
    counted = completed.group_by("level", "level_id", "period_kind", "period_start").agg(
        pl.col("agreement_id").filter("is_stage1_assessed").n_unique().cast(pl.Int64).alias("numerator"),
        pl.col("agreement_id").drop_nulls().n_unique().cast(pl.Int64).alias("denominator"),
        pl.col("covered", "asked").sum(),
        common_reason(),
    )
    return counted.select(
        "level",
        "level_id",
        "period_kind",
        "period_start",
        "numerator",
        "denominator",
        "covered",
        "asked",
        figure_id=pl.lit("impact_stage1_coverage"),
        variant=pl.lit(""),
        scope=pl.lit(ALL),
        breakdown_kind=pl.lit(""),
        breakdown_id=pl.lit(""),
        direct_value=pl.lit(None, pl.Float64),
        n="denominator",
        reason="reason",
    )
