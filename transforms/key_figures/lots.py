"""Lots: how long they were open and how long decisions took (METHOD 10), and how many ended without an award."""

from __future__ import annotations

import polars as pl

from transforms.key_figures.facts import stacked
from transforms.key_figures.notices import ALL_KNOWN, SCOREBOARD, Measures, contributions, notice_figure, share_of
from transforms.key_figures.parameters import Parameters

SHORT_DAYS = 15
DECISION = (
    "Lots with DPS usage and procedures without a call.",
    "Differences below zero or above two years.",
    "The placeholder date of the notice's tender result (2000-01-01).",
)
DECISION_COVERAGE = (
    "Awarded lots with a linked call's deadline and a plausible decision date / awarded lots outside DPS and no-call procedures."
)

DEFINITIONS = (
    notice_figure(
        "decision_days_mean",
        ("Päätösaika, keskiarvo", "Beslutstid, medelvärde", "Decision speed, mean"),
        (
            "Päiviä tarjousten määräajasta päätökseen, keskiarvo osaa kohden.",
            "Dagar från anbudstidens utgång till beslutet, medelvärde per del.",
            "Days from the submission deadline to the award decision, mean over lots.",
        ),
        unit="days",
        aggregate="mean",
        direction="down",
        numerator="Days from the deadline of the linked call (BT-131, newest version) to the earliest decision (BT-1451).",
        denominator="Lots with both dates.",
        numerator_quantity="days",
        standing="official",
        origin=SCOREBOARD,
        coverage_text=DECISION_COVERAGE,
        exclusions=DECISION,
    ),
    notice_figure(
        "decision_days_median",
        ("Päätösaika, mediaani", "Beslutstid, median", "Decision speed, median"),
        (
            "Päiviä tarjousten määräajasta päätökseen, mediaani.",
            "Dagar från anbudstidens utgång till beslutet, median.",
            "Days from the submission deadline to the award decision, median over lots.",
        ),
        unit="days",
        aggregate="median",
        direction="down",
        numerator="Days from the deadline to the earliest decision.",
        denominator=None,
        numerator_quantity="days",
        origin="METHOD 10",
        coverage_text=DECISION_COVERAGE,
        exclusions=DECISION,
    ),
    notice_figure(
        "short_deadline_share",
        ("Lyhyiden tarjousaikojen osuus", "Andel korta anbudstider", "Short submission period"),
        (
            "Osat, joiden tarjousaika on alle 15 kokonaista päivää.",
            "Delar vars anbudstid är under 15 hela dagar.",
            "Lots called for with fewer than 15 whole days from publication to the deadline.",
        ),
        direction="down",
        numerator="Lots with a submission period below 15 days.",
        denominator="Lots with a deadline, DPS left out.",
        standing="official",
        origin="Open Contracting Partnership, Cardinal indicator R003",
        coverage_text="Lots with a deadline / lots called for.",
        exclusions=("Lots with DPS usage.",),
    ),
    notice_figure(
        "cancelled_share",
        ("Keskeytettyjen osuus", "Andel avbrutna", "Cancelled lots"),
        (
            "Osat, joissa ei tehty hankintapäätöstä tai jotka keskeytettiin.",
            "Delar utan tilldelning eller som avbröts.",
            "Closed lots without an award or cancelled.",
        ),
        direction="down",
        numerator="Lots closed without a winner, and lots that a notice cancelled before any result.",
        denominator="Lots with a winner or closed without one, and lots that a notice cancelled.",
        standing="official",
        origin="Open Contracting Partnership, use case U007",
        coverage_text=ALL_KNOWN,
        exclusions=(
            "Lots still open (open-nw).",
            "Results that are withheld.",
            "Cancelled national calls in Hilma's own shape: national awards were never published, so all that ended would be cancelled.",
        ),
    ),
)


def compute(measures: Measures, _parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows from call_lot, closed_lot and lot_decision."""
    return stacked([*_lots(measures), *_speed(measures)])


def _lots(measures: Measures) -> list[pl.LazyFrame]:
    called = measures["call_lot"].filter(~pl.col("is_dps"))
    days, always = pl.col("deadline_days"), pl.lit(value=True)
    return [
        share_of(called, "short_deadline_share", days < SHORT_DAYS, days.is_not_null()),
        share_of(measures["closed_lot"], "cancelled_share", ~pl.col("is_awarded"), always),
    ]


def _speed(measures: Measures) -> list[pl.LazyFrame]:
    lots = measures["lot_decision"]
    known = pl.col("outcome") == "counted"
    days = pl.when(known).then("days")
    return [
        contributions(lots, "decision_days_mean", days.fill_null(0), known, n=known, covered=known),
        contributions(lots, "decision_days_median", pl.lit(None), amount=days, n=known, covered=known),
    ]
