"""Mini-competitions: how many, how many bids and invitations, how long. Apart from the figures on notices (KEY_FIGURES 8, trap 2)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts, contributions, stacked
from transforms.key_figures.form_figures import MONTHS_KNOWN, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.reach import reached

SOURCE = "mini_competitions"
VARIANT_NAMES = {
    "assisted": {"fi": "Tuetut", "sv": "Med stöd", "en": "Assisted"},
    "all": {"fi": "Kaikki", "sv": "Alla", "en": "All"},
}
UNFINISHED = "Mini-competitions cancelled or under way."
NO_BIDS = "Mini-competitions without any bid."
APART = "Mini-competitions under frameworks and dynamic purchasing systems never enter the figures on notices."
BIDS_KNOWN = f"Completed mini-competitions with a known number of bids / completed ones{MONTHS_KNOWN}"


def _figure(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    common: dict[str, object] = {"origin": "KEY_FIGURES 7.3; formula ours.", "exclusions": (UNFINISHED,)}
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


DEFINITIONS = (
    _figure(
        "minicomp_n",
        ("Minikilpailutukset", "Minikonkurrensutsättningar", "Mini-competitions"),
        (
            "Päättyneet minikilpailutukset päätöspäivän mukaan: yhteishankintayksikön tukemat ja kaikki.",
            "Avslutade minikonkurrensutsättningar enligt beslutsdatum: de som inköpscentralen stött, och alla.",
            "Completed mini-competitions by the day of the decision: those that the central purchasing body assisted, and all.",
        ),
        unit="count",
        aggregate="sum",
        variants=tuple(VARIANT_NAMES),
        variant_names=VARIANT_NAMES,
        numerator="Completed mini-competitions; variant assisted: those with assistance.",
        denominator=None,
        standing="official",
        origin="Hansel, annual reports 2022 and 2023 (127 and 120 assisted); KEY_FIGURES 7.3",
        coverage_text=f"Variant assisted: completed ones of which it is told whether they were assisted / completed ones; all: 1{MONTHS_KNOWN}",
    ),
    _figure(
        "minicomp_bids_mean",
        ("Tarjoukset minikilpailutuksissa, keskiarvo", "Anbud i minikonkurrensutsättningar, medelvärde", "Bids per mini-competition, mean"),
        (
            "Tarjouksia keskimäärin minikilpailutuksissa, joihin saatiin tarjouksia.",
            "Anbud i medeltal i de minikonkurrensutsättningar som fick anbud.",
            "Bids on average in mini-competitions that drew any.",
        ),
        unit="per_case",
        direction="up",
        aggregate="mean",
        numerator="Bids received.",
        denominator="Completed mini-competitions with at least one bid.",
        coverage_text=BIDS_KNOWN,
        exclusions=(UNFINISHED, NO_BIDS),
        assumptions=(APART,),
    ),
    _figure(
        "minicomp_single_bid_share",
        ("Yhden tarjouksen minikilpailutukset", "Minikonkurrensutsättningar med ett anbud", "Mini-competitions with a single bid"),
        (
            "Minikilpailutukset, joihin saatiin yksi tarjous, osuutena niistä, joihin saatiin tarjouksia.",
            "Minikonkurrensutsättningar med ett enda anbud som andel av dem som fick anbud.",
            "Mini-competitions with one bid as a share of those that drew any.",
        ),
        direction="down",
        numerator="Completed mini-competitions with exactly one bid.",
        denominator="Completed mini-competitions with at least one bid.",
        coverage_text=BIDS_KNOWN,
        exclusions=(UNFINISHED, NO_BIDS),
        assumptions=(APART,),
    ),
    _figure(
        "minicomp_invited_mean",
        ("Kutsutut toimittajat, keskiarvo", "Inbjudna leverantörer, medelvärde", "Suppliers invited per mini-competition, mean"),
        (
            "Minikilpailutukseen kutsuttuja toimittajia keskimäärin.",
            "Leverantörer som i medeltal bjudits in till en minikonkurrensutsättning.",
            "Suppliers invited to a mini-competition on average.",
        ),
        unit="per_case",
        aggregate="mean",
        numerator="Suppliers invited.",
        denominator="Completed mini-competitions with a known number of suppliers invited.",
        coverage_text=f"Completed mini-competitions with a known number of suppliers invited / completed ones{MONTHS_KNOWN}",
    ),
    _figure(
        "minicomp_lead_days",
        ("Minikilpailutuksen läpimenoaika", "Minikonkurrensutsättningens ledtid", "Lead time of mini-competitions"),
        (
            "Päivien mediaani minikilpailutuksen alusta hankintapäätökseen.",
            "Median av dagarna från minikonkurrensutsättningens början till upphandlingsbeslutet.",
            "Median of days from the start of a mini-competition to the decision.",
        ),
        unit="days",
        direction="down",
        aggregate="median",
        numerator_quantity="days",
        numerator="Days from start to decision.",
        denominator=None,
        coverage_text=f"Completed mini-competitions with a known start / completed ones{MONTHS_KNOWN}",
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions of every figure from `completed_competition`."""
    completed = reached(measures, "completed_competition", SOURCE)
    bids, invited, days = pl.col("bids_n"), pl.col("invited_n"), pl.col("lead_days")
    told, drew = bids.is_not_null(), (bids >= 1).fill_null(value=False)
    asked_in, dated = invited.is_not_null(), days.is_not_null()
    assisted = pl.col("is_assisted")
    helped = assisted.fill_null(value=False)
    return stacked(
        [
            contributions(completed, "minicomp_n", pl.lit(1), variant="all"),
            contributions(completed, "minicomp_n", helped, n=helped, covered=assisted.is_not_null(), variant="assisted"),
            contributions(completed, "minicomp_bids_mean", bids.fill_null(0), drew, n=drew, covered=told),
            contributions(completed, "minicomp_single_bid_share", (bids == 1).fill_null(value=False), drew, n=drew, covered=told),
            contributions(completed, "minicomp_invited_mean", invited.fill_null(0), asked_in, n=asked_in, covered=asked_in),
            contributions(completed, "minicomp_lead_days", pl.lit(None), amount=days, n=dated, covered=dated),
        ]
    )
