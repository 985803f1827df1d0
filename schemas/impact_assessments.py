"""Impact assessments: five factors scored 0-2 at up to four measuring points, one row per case and measuring point.

Origin: Hansel's impact model (annual reports 2019-2024): five factors, the scale 0-1-2, targets set at the start, the same
measurement when the winner is known and about a year after; a mini-competition is split in two stages, first what the joint
procurement itself produces, then what the customer adds. No export is published, so the columns are ours and a template writes
them. The words beside the numbers (the verbal assessment) are free text: they are not asked for and not stored.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Contract, Rule
from schemas.forms import CODE_HINT, CODE_RULE, coded, column, form, labels, organisation
from schemas.mini_competitions import agreement

FACTORS = {
    "cost_savings": ("Kustannussäästöt", "Kostnadsbesparingar", "Cost savings"),
    "innovation": ("Innovaatiot", "Innovationer", "Innovation"),
    "competence": ("Osaamisen kasvu", "Ökad kompetens", "Growth of competence"),
    "quality": ("Tuotteen tai palvelun laatu", "Produktens eller tjänstens kvalitet", "Quality of product or service"),
    "responsibility": ("Vastuullisuus", "Ansvarsfullhet", "Responsibility"),
}
"""The five factors, with their headings: fi, sv, en."""
ALSO = {
    "innovation": ("Innovatiivisuus",),
    "competence": ("Osaamisen kasvattaminen", "Kompetensökning"),
    "responsibility": ("Hållbarhet",),
}
"""Headings of factors as the central purchasing body prints them."""
HIGHEST = 2
LEAST_FACTORS = 4
"""So many of the five must be assessed for an index, and at both measuring points for a comparison (METHOD 25)."""

KINDS = {
    "joint_procurement": ("yhteishankinta", "gemensam upphandling", "joint procurement"),
    "mini_competition": ("minikilpailutus", "minikonkurrensutsättning", "mini-competition"),
}
STAGES = {
    "joint": ("yhteishankinta", "gemensam upphandling", "joint procurement", "vaihe 1", "steg 1", "stage 1"),
    "target": ("tavoite", "mål", "target"),
    "result": ("tulos", "resultat", "result", "toteuma", "utfall", "vaihe 2", "steg 2", "stage 2"),
    "followup": ("seuranta", "uppföljning", "follow-up", "vuoden seuranta", "uppföljning ett år"),
}
"""joint: what the joint procurement itself produces; target, result, followup (about a year after): of a mini-competition."""
SCORE_HINT = labels("0, 1 tai 2; tyhjä: ei arvioitu.", "0, 1 eller 2; tomt: inte bedömt.", "0, 1 or 2; blank: not assessed.")
VALUE_LIMIT = 1_000_000_000_000
"""Cents: value-weighted sums of some thousand cases stay exact below it."""


def _scores() -> tuple[Column, ...]:
    """A score per factor. Words may stand there instead of a number: quarantine does not show them."""
    return tuple(
        column(name, pl.Int64, *headings, minimum=0, maximum=HIGHEST, hint=SCORE_HINT, is_masked=True, also=ALSO.get(name, ()), description=f"{headings[2]}, 0-2; null: not assessed.")
        for name, headings in FACTORS.items()
    )  # fmt: skip


ASSESSMENT = form(
    "impact_assessment",
    labels("Vaikuttavuuden arvioinnit", "Bedömningar av genomslag", "Impact assessments"),
    "One assessment of one case at one measuring point.",
    columns=(
        column("case_id", pl.String, "Arvioidun hankinnan tunnus", "Den bedömda upphandlingens nummer", "Case id", is_id=True, required=True, is_masked=True, hint=CODE_HINT, description="Id of the mini-competition, or of the joint procurement where its own stage is assessed."),
        coded("kind", KINDS, "Hankinnan laji", "Upphandlingens art", "Kind of case", required=True),
        agreement(),
        *organisation(also=("asiakkaan y-tunnus", "kundens fo-nummer", "customer id")),
        coded("stage", STAGES, "Mittauspiste", "Mätpunkt", "Measuring point", required=True, also=("vaihe", "skede", "stage")),
        column("assessed_on", pl.Date, "Arviointipäivä", "Bedömd den", "Assessed on", required=True),
        *_scores(),
        column("value_cents", pl.Int64, "Hankinnan arvo", "Upphandlingens värde", "Value", unit="cent", minimum=0, maximum=VALUE_LIMIT, description="Value of the case, EUR without VAT, in cents; null: not told."),
    ),
    key=("case_id", "kind", "stage"),
    unit=("case_id", "kind", "stage"),
    rules=(
        CODE_RULE,
        Rule("stage_of_other_kind", "stage", "fail", "consistency", "A joint procurement is assessed at the measuring point joint procurement, a mini-competition at target, result and follow-up.", limit_share=0.5),
        Rule("lift_negative", "stage", "warn", "accuracy", "The mini-competition's result lies below what the joint procurement produces: a customer can raise the index; check both."),
    ),
)  # fmt: skip

CONTRACT = Contract(
    source="impact_assessments",
    version="1.0",
    kind="keyed",
    title=labels("Vaikuttavuuden arvioinnit", "Bedömningar av genomslag", "Impact assessments"),
    description="Scores of the two-stage impact index: joint procurement, then mini-competition, with targets and follow-up.",
    tables=(ASSESSMENT,),
)
