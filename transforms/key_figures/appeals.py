"""Appeals: Market Court cases against the procurements of the same months."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.key_figures.form_figures import contributions, form_figure, none, stacked
from transforms.key_figures.parameters import Parameters

NO_CASES = "no_court_data"

DEFINITIONS = (
    form_figure(
        "appeals_n",
        "market_court_cases",
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
        coverage_text="Every delivered case: 1.",
    ),
    form_figure(
        "appeal_rate",
        "market_court_cases",
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
        denominator="Procedures that began in the period.",
        origin="KEY_FIGURES 7.1",
        coverage_text="Procedures begun in months between the first and the last delivered case / procedures begun.",
        assumptions=("Cases lag: a case filed in January may concern a procedure of the year before.",),
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions from `court_case` and `procedure_start`."""
    cases, begun = measures["court_case"], measures["procedure_start"]
    if cases.is_empty() and begun.is_empty():
        return none()
    known = pl.col("month").is_between(cases["month"].min(), cases["month"].max()) if cases.height else pl.lit(value=False)
    procedures = contributions(
        begun,
        "appeal_rate",
        pl.lit(0),
        known.cast(pl.Int64),
        n=known,
        covered=known,
        reason=pl.when(~known).then(pl.lit(NO_CASES)),
    )
    filed = contributions(cases, "appeal_rate", pl.lit(1), pl.lit(0), n=pl.lit(0), covered=pl.lit(0), asked=pl.lit(0))
    return stacked([contributions(cases, "appeals_n", pl.lit(1)), procedures, filed])
