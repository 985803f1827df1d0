"""What units count in the yearly strategy return: preparedness, competence, dialogue, Green Deals, development, experiments."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts, contributions, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.strategy_shares import FRAME, SOURCE, unanswered, with_frame

COVERAGE = "Units that answered / units of the frame."
STAGES = {"present_state": "cases_present_state_n", "plan": "cases_plan_n", "measures": "cases_measures_n"}
COUNTS = {
    "trained_persons_n": "trained_n",
    "market_dialogues_n": "market_dialogues_n",
    "experiments_started_n": "experiments_started_n",
    "experiments_in_use_n": "experiments_in_use_n",
    "branch_workshops_n": "branch_workshops_n",
}
"""Figure -> the question whose numbers are added up."""
SHARES = {
    "critical_prepared_share": ("critical_prepared_n", "critical_n"),
    "trained_persons_share": ("trained_n", "staff_n"),
    "green_deals_kept_share": ("green_deals_kept_n", "green_deals_n"),
}
"""Figure -> (part, whole), over units that gave both."""


def _figure(figure_id: str, names: Texts, definitions: Texts, numerator: str, intent: str | None, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "period_kinds": YEAR_ONLY,
        "unit": "count",
        "aggregate": "sum",
        "numerator": numerator,
        "denominator": None,
        "origin": "KEY_FIGURES 7.6 and METHOD 28; formula ours.",
        "coverage_text": COVERAGE,
        "strategy_intent": intent,
        "assumptions": (FRAME,),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


def _ratio(
    figure_id: str, names: Texts, definitions: Texts, numerator: str, denominator: str, intent: str, **values: object
) -> KeyFigure:
    ratio: dict[str, object] = {"unit": "share", "aggregate": "ratio", "direction": "up", "denominator": denominator}
    return _figure(figure_id, names, definitions, numerator, intent, **(ratio | values))


DEFINITIONS = (
    _ratio(
        "critical_prepared_share",
        ("Varautuminen kriittisissä hankinnoissa", "Beredskap i kritiska upphandlingar", "Critical procurements prepared"),
        (
            "Kriittiset hankinnat, joissa on varautumissuunnitelma tai -ehdot, osuutena tunnistetuista kriittisistä hankinnoista.",
            "Kritiska upphandlingar med beredskapsplan eller beredskapsvillkor, som andel av de identifierade kritiska.",
            "Critical procurements with a preparedness plan or terms, as a share of the critical ones identified.",
        ),
        "Critical procurements with a preparedness plan or terms.",
        "Critical procurements that the units have identified.",
        "I1-3",
        assumptions=(FRAME, "Read it beside critical_identified_share: a unit that identifies nothing is not in it (METHOD 27)."),
    ),
    _ratio(
        "competence_level_mean",
        ("Osaamisen taso", "Kompetensnivå", "Competence level"),
        (
            "Yksiköiden arvio hankintaosaamisensa tasosta (1-5), keskiarvo.",
            "Enheternas bedömning av nivån på sin upphandlingskompetens (1-5), medelvärde.",
            "Units' assessment of their level of procurement competence (1-5), mean.",
        ),
        "Sum of the levels 1-5.",
        "Units that gave a level.",
        "I2-1",
        unit="score",
        aggregate="mean",
        origin="The national view lists the level of competence; no official scale was found, 1-5 is ours (KEY_FIGURES 7.6).",
        assumptions=(FRAME, "A self-assessment: every unit weighs the same."),
    ),
    _figure(
        "trained_persons_n",
        ("Koulutetut", "Utbildade", "Persons trained"),
        (
            "Hankintahenkilöstöstä vuoden aikana koulutetut henkilöt.",
            "Personer i upphandlingspersonalen som utbildats under året.",
            "Procurement staff trained during the year.",
        ),
        "Persons, each once per unit and year.",
        "I2-3",
        direction="up",
    ),
    _ratio(
        "trained_persons_share",
        ("Koulutettujen osuus", "Andel utbildade", "Share of staff trained"),
        (
            "Vuoden aikana koulutetut osuutena hankintahenkilöstöstä.",
            "De som utbildats under året som andel av upphandlingspersonalen.",
            "Procurement staff trained during the year, as a share of procurement staff.",
        ),
        "Persons trained, in units that gave both numbers.",
        "Procurement staff of the same units.",
        "I2-3",
    ),
    _figure(
        "market_dialogues_n",
        ("Markkinavuoropuhelut", "Marknadsdialoger", "Market dialogues"),
        (
            "Yksiköiden käymät markkinavuoropuhelut.",
            "Marknadsdialoger som enheterna fört.",
            "Market dialogues that the units held.",
        ),
        "Market dialogues.",
        "I5-2",
        direction="up",
    ),
    _figure(
        "green_deal_units",
        ("Green deal -yksiköt", "Enheter med Green Deal-avtal", "Units in Green Deals"),
        (
            "Yksiköt, jotka ovat mukana vähintään yhdessä green deal -sopimuksessa.",
            "Enheter som är med i minst ett Green Deal-avtal.",
            "Units that have joined at least one Green Deal.",
        ),
        "Units with at least one Green Deal.",
        "I8-1",
        direction="up",
    ),
    _ratio(
        "green_deals_kept_share",
        ("Pidetyt green deal -sitoumukset", "Uppfyllda Green Deal-avtal", "Green Deals kept"),
        (
            "Green deal -sopimukset, joiden sitoumukset on pidetty, osuutena yksiköiden green deal -sopimuksista.",
            "Green Deal-avtal vars åtaganden uppfyllts, som andel av enheternas Green Deal-avtal.",
            "Green Deals whose commitments were kept, as a share of the units' Green Deals.",
        ),
        "Green Deals whose commitments were kept.",
        "Green Deals that the same units have joined.",
        "I8-1",
    ),
    _figure(
        "development_cases_n",
        ("Kehittämistapaukset", "Utvecklingsfall", "Development cases"),
        (
            "Hankintatoimen kehittämistapaukset vuoden lopussa; erittely vaiheen mukaan: nykytila, suunnitelma, toimenpiteet.",
            "Utvecklingsfall inom upphandlingen vid årets slut; per stadium: nuläge, plan, åtgärder.",
            "Development cases of procurement at the year's end; by stage: present state, plan, measures.",
        ),
        "Development cases; by stage: in that stage.",
        "I1-2",
        origin="Development service (PRODUCT S16); count ours.",
        assumptions=(FRAME, "A case stands in one stage."),
    ),
    _figure(
        "experiments_started_n",
        ("Aloitetut kokeilut", "Inledda försök", "Experiments started"),
        ("Vuoden aikana aloitetut kokeilut.", "Försök som inletts under året.", "Experiments started during the year."),
        "Experiments.",
        "I5-1",
        origin="Experiment accelerator (PRODUCT S16); count ours.",
        direction="up",
    ),
    _figure(
        "experiments_in_use_n",
        ("Käyttöön otetut kokeilut", "Försök som tagits i bruk", "Experiments taken into use"),
        (
            "Kokeilut, joiden tulos on otettu käyttöön vuoden aikana.",
            "Försök vars resultat tagits i bruk under året.",
            "Experiments whose result was taken into use during the year.",
        ),
        "Experiments, whenever started.",
        "I5-1",
        origin="Experiment accelerator (PRODUCT S16); count ours.",
        direction="up",
    ),
    _figure(
        "branch_workshops_n",
        ("Hallinnonalojen työpajat", "Förvaltningsområdenas verkstäder", "Workshops of administrative branches"),
        (
            "Hallinnonaloilla pidetyt hankintojen työpajat.",
            "Verkstäder om upphandling som hållits inom förvaltningsområdena.",
            "Workshops on procurement held in the administrative branches.",
        ),
        "Workshops.",
        "I1-4",
        origin="PRODUCT S14; count ours.",
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """Contributions of every count, mean and ratio from `unit_return` and the frame."""
    facts = with_frame(measures["unit_return"], parameters)
    parts = [_sum(facts, figure_id, pl.col(name)) for figure_id, name in COUNTS.items()]
    parts.append(_sum(facts, "green_deal_units", (pl.col("green_deals_n") > 0).cast(pl.Int64)))
    parts.append(_sum(facts, "development_cases_n", pl.sum_horizontal(list(STAGES.values()), ignore_nulls=False)))
    parts += [_sum(facts, "development_cases_n", pl.col(name), "stage", stage) for stage, name in STAGES.items()]
    for figure_id, (part, whole) in SHARES.items():
        both = pl.col(part).is_not_null() & pl.col(whole).is_not_null()
        base = pl.when(both).then(pl.col(whole))
        given = {"n": base.fill_null(0), "covered": both, "reason": unanswered(both)}
        parts.append(contributions(facts, figure_id, pl.when(both).then(pl.col(part)), base, **given))
    level = pl.col("competence_level")
    levelled = level.is_not_null()
    parts.append(
        contributions(facts, "competence_level_mean", level, levelled, n=levelled, covered=levelled, reason=unanswered(levelled))
    )
    return stacked(parts)


def _sum(facts: pl.DataFrame, figure_id: str, number: pl.Expr, kind: str = "", key: str = "") -> pl.LazyFrame:
    given = number.is_not_null()
    return contributions(
        facts, figure_id, number, n=given, covered=given, reason=unanswered(given), breakdown_kind=kind, breakdown_id=key
    )
