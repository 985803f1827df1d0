"""Strategic goals of units: on track, and tied to procurements (METHOD 27)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.key_figures.facts import contributions, share_of, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters

SOURCE = "strategic_goals"
ON_TRACK = ("reached", "on_track")
DROPPED = "Goals that were dropped."

DEFINITIONS = (
    form_figure(
        "goals_on_track_share",
        SOURCE,
        ("Tavoitteet aikataulussa", "Mål enligt plan", "Goals on track"),
        (
            "Saavutetut tai aikataulussa olevat strategiset tavoitteet osuutena tavoitteista, joista oli raportoitava.",
            "Strategiska mål som uppnåtts eller följer planen, som andel av de mål som skulle rapporteras.",
            "Strategic goals reached or on track, as a share of goals whose report was due.",
        ),
        direction="up",
        period_kinds=YEAR_ONLY,
        variants=("due", "of_reported"),
        variant_names={
            "due": {"fi": "Raportoitavista", "sv": "Av dem som skulle rapporteras", "en": "Of those due"},
            "of_reported": {"fi": "Raportoiduista", "sv": "Av de rapporterade", "en": "Of those reported"},
        },
        numerator="Goals due with status reached or on track.",
        denominator="Variant due: goals whose report was due by the year's last day; of_reported: those of them with a status.",
        origin="Hankintaluotsi (PRODUCT S8); formula ours (METHOD 27).",
        coverage_text="Goals due with a status / goals due.",
        strategy_intent="I1",
        exclusions=(
            DROPPED,
            "Goals whose report falls due after the year, or had not fallen due when the newest list was delivered.",
        ),
        assumptions=(
            "A goal without a day is due when the year has ended.",
            "A goal due without a report is not on track.",
        ),
    ),
    form_figure(
        "goals_linked_share",
        SOURCE,
        ("Hankintoihin kytketyt tavoitteet", "Mål kopplade till upphandlingar", "Goals linked to procurements"),
        (
            "Strategiset tavoitteet, joihin on kytketty vähintään yksi hankinta, osuutena tavoitteista.",
            "Strategiska mål som minst en upphandling är kopplad till, som andel av målen.",
            "Strategic goals to which at least one procurement is tied, as a share of goals.",
        ),
        direction="up",
        period_kinds=YEAR_ONLY,
        numerator="Goals with a procurement tied to them.",
        denominator="Goals for which it was told whether procurements are tied to them.",
        origin="Hankintaluotsi ties goals to single procurements (KEY_FIGURES 7.6); formula ours.",
        coverage_text="Goals for which it was told / goals.",
        strategy_intent="I1-1",
        exclusions=(DROPPED,),
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions of both shares from `goal_state`."""
    goals = measures["goal_state"].filter(pl.col("status").is_null() | (pl.col("status") != "dropped"))
    due = goals.filter("is_due")
    reported, on_track = pl.col("status").is_not_null(), pl.col("status").is_in(ON_TRACK).fill_null(value=False)
    return stacked(
        [
            contributions(due, "goals_on_track_share", on_track, pl.lit(1), covered=reported, variant="due"),
            share_of(due, "goals_on_track_share", on_track, reported, variant="of_reported"),
            share_of(goals, "goals_linked_share", pl.col("is_linked"), pl.col("is_linked").is_not_null()),
        ]
    )
