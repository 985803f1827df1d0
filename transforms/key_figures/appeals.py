"""Appeals: Market Court cases against the procurements of the same months."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms import levels
from transforms.key_figures.facts import ALL, contributions, stacked
from transforms.key_figures.form_figures import MONTHS_KNOWN, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of
from transforms.reach import reached

SOURCE = "market_court_cases"
NO_CASES = "no_court_data"

DEFINITIONS = (
    form_figure(
        "appeals_n",
        SOURCE,
        ("Markkinaoikeuteen tulleet hankinta-asiat", "Upphandlingsärenden till marknadsdomstolen", "Appeals filed"),
        (
            "Markkinaoikeudessa vireille tulleet hankinta-asiat.",
            "Upphandlingsärenden som anhängiggjorts i marknadsdomstolen.",
            "Procurement cases filed with the Market Court.",
        ),
        unit="count",
        aggregate="sum",
        numerator="Cases, by the day of filing.",
        denominator=None,
        origin="Market Court, yearly statistics (count); KEY_FIGURES 3.5",
        standing="official_goal",
        coverage_text=f"Every delivered case: 1{MONTHS_KNOWN}",
    ),
    form_figure(
        "appeal_rate",
        SOURCE,
        ("Valitusaste", "Andel överklagade", "Appeal rate"),
        (
            "Markkinaoikeuteen tulleet hankinta-asiat tuhatta hankintaa kohti.",
            "Upphandlingsärenden till marknadsdomstolen per tusen upphandlingar.",
            "Procurement cases filed with the Market Court per thousand procurements.",
        ),
        unit="per_mille",
        direction="down",
        factor=1000,
        sources=("procurement_notices", "market_court_cases"),
        period_kinds=("quarter", "year", "rolling_12m"),
        closing="notices",
        numerator="Cases filed in the period.",
        denominator="Procurements (distinct procedures) with a notice in the period, as procurements_n.",
        origin="KEY_FIGURES 7.1",
        coverage_text="Procurements of months between the first and the last case of a month that had ended when it was delivered / procurements.",
        assumptions=("Cases lag: a case filed in January may concern a procedure of the year before.",),
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions of appeals_n from `court_case`."""
    return stacked([contributions(reached(measures, "court_case", SOURCE), "appeals_n", pl.lit(1))])


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of appeal_rate: cases and distinct procurements (those of `procurements_n`) of each place and period."""
    cases, notices = reached(measures, "court_case", SOURCE), measures["notice_fact"].drop_nulls("procedure_id")
    cases = cases.filter((pl.col("month") <= pl.col("reaches")).fill_null(value=True))
    inside = pl.col("month").is_between(cases["month"].min(), cases["month"].max()) if cases.height else pl.lit(value=False)
    months = months_of(touched.filter(pl.col("period_kind") != "month"))
    place = ["level", "level_id", "period_kind", "period_start"]

    def placed(facts: pl.DataFrame) -> pl.DataFrame:
        return levels.placed(facts.join(months, on="month"), members)

    begun = placed(notices.select("organisation_id", "month", "procedure_id", inside=inside))
    procurements = begun.group_by(place).agg(
        pl.col("procedure_id").filter("inside").n_unique().cast(pl.Int64).alias("denominator"),
        pl.col("procedure_id").n_unique().cast(pl.Int64).alias("asked"),
    )
    filed = placed(cases.select("organisation_id", "month")).group_by(place).agg(pl.len().cast(pl.Int64).alias("numerator"))
    joined = procurements.join(filed, on=place, how="full", coalesce=True)
    return joined.with_columns(pl.col("numerator", "denominator", "asked").fill_null(0)).select(
        figure_id=pl.lit("appeal_rate"),
        variant=pl.lit(""),
        scope=pl.lit(ALL),
        breakdown_kind=pl.lit(""),
        breakdown_id=pl.lit(""),
        level="level",
        level_id="level_id",
        period_kind="period_kind",
        period_start="period_start",
        numerator="numerator",
        denominator="denominator",
        direct_value=pl.lit(None, pl.Float64),
        n="denominator",
        covered="denominator",
        asked="asked",
        reason=pl.when(pl.col("denominator") == 0, pl.col("asked") > 0).then(pl.lit(NO_CASES)),
    )
