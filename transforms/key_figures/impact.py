"""Impact of cases: stage indices, what the customer adds, targets attained, change after a year (KEY_FIGURES section 4, METHOD 25)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts, contributions, share_of, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters

SOURCE = "impact_assessments"
VARIANT_NAMES = {
    "cases": {"fi": "Tapausten keskiarvo", "sv": "Medelvärde av fallen", "en": "Mean of cases"},
    "by_value": {"fi": "Arvolla painotettu", "sv": "Vägt med värdet", "en": "Weighted by value"},
}
MODEL = "Hansel's impact model: factors, scale and measuring points official; formula ours (KEY_FIGURES section 4)."
NOT_ASSESSED = "A factor that was not assessed is left out; it is never 0."
WEIGHTS = "Weights of the factors are versioned data (catalogue/impact_weights.csv), 1 each: the model's own are not published."
INDEXED = "Assessments of at least four of the five factors / assessments at the measuring point."
COMMON = "Only factors assessed at both measuring points, at least four."
POINTS_OF = {"impact_joint": "joint", "impact_final": "final", "impact_lift": "lift", "impact_followup_change": "followup"}
"""Figure -> the measure in `impact_points` that it is the mean of."""


def _figure(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "direction": "up",
        "period_kinds": YEAR_ONLY,
        "aggregate": "mean",
        "numerator_quantity": "score",
        "origin": MODEL,
        "assumptions": (NOT_ASSESSED, WEIGHTS),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


def _index(figure_id: str, names: Texts, definitions: Texts, cases: str) -> KeyFigure:
    return _figure(
        figure_id,
        names,
        definitions,
        unit="index",
        variants=tuple(VARIANT_NAMES),
        variant_names=VARIANT_NAMES,
        numerator=f"Stage indices of {cases}, 100 x sum(w s) / sum(2 w) over the assessed factors; variant by_value: times EUR.",
        denominator=f"{cases.capitalize()} with at least four factors assessed; variant by_value: their value in whole EUR.",
        coverage_text=f"{INDEXED} Variant by_value: those of them whose value is told.",
    )


DEFINITIONS = (
    _index(
        "impact_joint",
        ("Yhteishankinnan vaikuttavuusindeksi", "Genomslagsindex, gemensam upphandling", "Impact index, stage 1"),
        (
            "Yhteishankinnan itsensä tuottaman vaikuttavuuden indeksi 0-100.",
            "Index 0-100 för det genomslag som den gemensamma upphandlingen i sig ger.",
            "Index 0-100 of the impact that the joint procurement itself produces.",
        ),
        "joint procurements",
    ),
    _index(
        "impact_final",
        ("Minikilpailutuksen vaikuttavuusindeksi", "Genomslagsindex efter minikonkurrensutsättning", "Impact index, stage 2"),
        (
            "Minikilpailutuksen lopputuloksen vaikuttavuusindeksi 0-100.",
            "Genomslagsindex 0-100 för minikonkurrensutsättningens resultat.",
            "Impact index 0-100 of the result of the mini-competition.",
        ),
        "mini-competitions",
    ),
    _figure(
        "impact_lift",
        ("Asiakkaan lisävaikuttavuus", "Kundens höjning av genomslaget", "Customer lift"),
        (
            "Minikilpailutuksen indeksin ero yhteishankinnan indeksiin indeksipisteinä, molemmissa arvioitujen tekijöiden osalta.",
            "Skillnaden mellan minikonkurrensutsättningens och den gemensamma upphandlingens index i indexpoäng, för de faktorer som bedömts i båda.",
            "Index of the mini-competition less that of its joint procurement, in index points, over the factors assessed in both.",
        ),
        unit="points",
        numerator="Differences of the two indices, case by case.",
        denominator="Mini-competitions whose result and whose joint procurement were assessed on at least four factors in common.",
        coverage_text="Mini-competitions with both indices / mini-competitions with an assessed result.",
        assumptions=(NOT_ASSESSED, WEIGHTS, COMMON, "The customer can raise the index: a negative lift is told as a warning, not refused."),
    ),
    _figure(
        "impact_goal_attainment",
        ("Vaikuttavuustavoitteiden toteutuma", "Måluppfyllelse för genomslaget", "Target attainment"),
        (
            "Tekijät, joiden tulos on vähintään tavoitteen tasolla, osuutena tekijöistä, joilla on tavoite ja tulos; myös tekijöittäin.",
            "Faktorer vars resultat minst når målet, som andel av faktorerna med mål och resultat; även per faktor.",
            "Factors whose result reaches the target, as a share of factors with target and result; by factor too.",
        ),
        unit="share",
        aggregate="ratio",
        numerator_quantity="count",
        numerator="Factors of mini-competitions with result >= target.",
        denominator="Factors of mini-competitions with a target and a result.",
        coverage_text="Factors with a target and a result / factors with a result.",
        assumptions=(NOT_ASSESSED, "n counts mini-competitions, not factors."),
    ),
    _figure(
        "impact_followup_change",
        ("Seurannan muutos", "Förändring vid uppföljning efter ett år", "Follow-up change"),
        (
            "Tekijöiden pisteiden (0-2) keskimääräinen muutos tuloksesta noin vuoden päästä tehtyyn seurantaan.",
            "Faktorpoängens (0-2) förändring i medeltal från resultatet till uppföljningen efter ungefär ett år.",
            "Mean change of the factors' scores (0-2) from the result to the follow-up about a year later.",
        ),
        unit="points",
        numerator="Mean changes of the scores, case by case: score at the follow-up - score at the result.",
        denominator="Mini-competitions followed up, with at least four factors in common.",
        coverage_text="Follow-ups with at least four factors in common with the result / follow-ups.",
        assumptions=(NOT_ASSESSED, COMMON, "Points of the scale 0-2, not weighted; not points of the index."),
    ),
)  # fmt: skip


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions of every figure from `impact_points` and `impact_factor`."""
    points, factors = measures["impact_points"], measures["impact_factor"]
    parts = []
    for figure_id, measure in POINTS_OF.items():
        facts = points.filter(measure=measure)
        known = pl.col("points").is_not_null()
        has_variants = measure in ("joint", "final")
        parts.append(
            contributions(
                facts,
                figure_id,
                pl.col("points").fill_null(0),
                known,
                n=known,
                covered=known,
                variant="cases" if has_variants else "",
            )
        )
        if has_variants:
            weighed = known & (pl.col("euros") > 0).fill_null(value=False)
            euros = pl.when(weighed).then(pl.col("euros")).otherwise(0)
            worth = pl.col("points").fill_null(0) * euros
            parts.append(contributions(facts, figure_id, worth, euros, n=weighed, covered=weighed, variant="by_value"))
    attained, both = pl.col("is_attained"), pl.col("is_attained").is_not_null()
    is_case = both & (both.cast(pl.Int64).cum_sum().over("case_id") == 1)
    parts += [
        contributions(
            factors, "impact_goal_attainment", attained.fill_null(value=False), both, n=is_case, covered=both, asked=pl.lit(1)
        ),
        share_of(factors, "impact_goal_attainment", attained, both, breakdown_kind="factor", breakdown_id=pl.col("factor")),
    ]
    return stacked(parts)
