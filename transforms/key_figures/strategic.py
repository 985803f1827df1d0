"""Strategic procurement from Hilma's statistics answers (METHOD 15-16): innovation, environment, social responsibility, food."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts, stacked
from transforms.key_figures.notices import HILMA, Measures, contributions, notice_figure, share_of
from transforms.key_figures.parameters import Parameters

BY_PROCEDURE = "The unit is the procurement: it counts if any of its lots does; the latest answer, the award's before the call's."
FIRST_QUESTIONS = "Notices of May 2020 to December 2021 were asked of the five about energy efficiency alone: the share of those years is too low."
BY_LOT = "The unit is the lot; the latest answer, the award's before the call's."
ANSWERED = "Procurements answered / procurements asked."
ANSWERED_LOTS = "Lots answered / lots asked."
GREEN = ("energy_efficiency", "low_carbon", "circular_economy", "biodiversity", "sustainable_food")
INNOVATION = {
    "new_to_market": ("new_to_market",),
    "new_to_buyer": ("new_to_buyer",),
    "either": ("new_to_market", "new_to_buyer"),
    "considered": ("innovation_considered",),
}
BY_ANY_LOT = {
    "green_share": GREEN,
    "listed_green_share": ("listed_green_criteria",),
    "social_share": ("just_working_conditions", "employment_condition", "code_of_conduct"),
    "food_notice_share": ("sustainable_food",),
}
INNOVATION_NAMES = {
    "new_to_market": {"fi": "Uusi markkinoilla", "sv": "Ny på marknaden", "en": "New to the market or industry"},
    "new_to_buyer": {"fi": "Uusi ostajalle", "sv": "Ny för upphandlaren", "en": "New to the buyer"},
    "either": {"fi": "Uusi jommallekummalle", "sv": "Ny för någondera", "en": "New to the market or the buyer"},
    "considered": {"fi": "Innovaatiot huomioitu", "sv": "Innovationer beaktade", "en": "Innovation considered"},
}
GOAL = f"National public procurement strategy 2020: 10 %; the source says neither value or count nor which definition. {HILMA}"
NEW_PROCEDURE = "No source has 'new procedure'; BT-776 proc-innov is process innovation."
BY_EACH_LOT = {"employment_clause_share": "employment_condition", "human_rights_clause_share": "code_of_conduct"}


def _figure(figure_id: str, names: Texts, definitions: Texts, numerator: str, intent: str, **values: object) -> KeyFigure:
    by_lot = figure_id in BY_EACH_LOT
    common: dict[str, object] = {
        "direction": "up",
        "numerator": numerator,
        "denominator": "Lots answered." if by_lot else "Procurements answered.",
        "origin": HILMA,
        "coverage_text": ANSWERED_LOTS if by_lot else ANSWERED,
        "strategy_intent": intent,
        "assumptions": (BY_LOT if by_lot else BY_PROCEDURE,),
    }
    return notice_figure(figure_id, names, definitions, **(common | values))


DEFINITIONS = (
    notice_figure(
        "innovative_share",
        ("Innovatiivisten hankintojen osuus", "Andel innovativa upphandlingar", "Innovative share"),
        (
            "Innovatiiviseksi ilmoitetut hankinnat osuutena hankinnoista, joista kysymykseen vastattiin.",
            "Upphandlingar som uppgetts vara innovativa, som andel av dem där frågan besvarats.",
            "Procurements reported as innovative by the variant's definition, as a share of those answered.",
        ),
        direction="up",
        numerator="Procurements with a lot answered yes to the variant's question.",
        denominator="Procurements answered.",
        standing="official_goal",
        origin=GOAL,
        coverage_text=ANSWERED,
        strategy_intent="I5-3",
        variants=tuple(INNOVATION),
        variant_names=INNOVATION_NAMES,
        assumptions=(BY_PROCEDURE, NEW_PROCEDURE),
    ),
    notice_figure(
        "innovative_value_share",
        ("Innovatiivisten hankintojen osuus arvosta", "Innovativa upphandlingars andel av värdet", "Innovative share of value"),
        (
            "Innovatiiviseksi ilmoitettujen hankintojen arvo osuutena niiden arvosta, joista kysymykseen vastattiin.",
            "Värdet av upphandlingar som uppgetts vara innovativa, som andel av värdet av dem där frågan besvarats.",
            "Value of procurements reported as innovative by the variant's definition, as a share of the value of those answered.",
        ),
        direction="up",
        numerator="Advertised value of procurements with a lot answered yes to the variant's question.",
        denominator="Advertised value of procurements answered.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        standing="official_goal",
        origin=GOAL,
        coverage_text="Procurements answered whose advertised value is known / procurements asked.",
        strategy_intent="I5-3",
        variants=tuple(INNOVATION),
        variant_names=INNOVATION_NAMES,
        exclusions=("Procurements without a call or without a known advertised value in EUR.",),
        assumptions=(BY_PROCEDURE, "The value is the call's: its estimate, else its lots' when all are known.", NEW_PROCEDURE),
    ),
    _figure(
        "green_share",
        ("Ympäristönäkökohtien osuus", "Andel med miljöhänsyn", "Green share"),
        (
            "Hankinnat, joissa huomioitiin energia, vähähiilisyys, kiertotalous, luonnon monimuotoisuus tai kestävä ruoka.",
            "Upphandlingar som beaktat energi, låga utsläpp, cirkulär ekonomi, biologisk mångfald eller hållbar mat.",
            "Procurements that considered energy, low carbon, circular economy, biodiversity or sustainable food.",
        ),
        "Procurements answered yes to any of the five.",
        "I8-1",
        assumptions=(BY_PROCEDURE, FIRST_QUESTIONS),
    ),
    _figure(
        "listed_green_share",
        ("Listattujen ympäristökriteerien osuus", "Andel med listade miljökriterier", "Listed green criteria share"),
        (
            "Hankinnat, joissa käytettiin julkaistuja ympäristökriteereitä.",
            "Upphandlingar som använt publicerade miljökriterier.",
            "Procurements that used listed green criteria.",
        ),
        "Procurements answered yes to listed green criteria; asked only where any green aspect was considered.",
        "I8-1",
    ),
    _figure(
        "social_share",
        ("Sosiaalisten näkökohtien osuus", "Andel med sociala hänsyn", "Social share"),
        (
            "Hankinnat, joissa huomioitiin työehdot, työllistäminen tai eettiset ohjeet.",
            "Upphandlingar som beaktat arbetsvillkor, sysselsättning eller uppförandekod.",
            "Procurements that considered working conditions, employment or a code of conduct.",
        ),
        "Procurements answered yes to any of the three.",
        "I7",
    ),
    _figure(
        "food_notice_share",
        ("Kestävän ruoan osuus ilmoituksissa", "Andel hållbar mat i annonser", "Sustainable food share, notices"),
        (
            "Hankinnat, joissa huomioitiin kestävä ruoantuotanto.",
            "Upphandlingar som beaktat hållbar livsmedelsproduktion.",
            "Procurements that considered sustainable food production.",
        ),
        "Procurements answered yes to sustainable food production.",
        "I8-3",
    ),
    _figure(
        "employment_clause_share",
        ("Työllistämisehtojen osuus", "Andel med sysselsättningsvillkor", "Employment clause share"),
        ("Osat, joissa on työllistämisehto.", "Delar med sysselsättningsvillkor.", "Lots with an employment condition."),
        "Lots answered yes to employment condition.",
        "I7-1",
    ),
    _figure(
        "human_rights_clause_share",
        ("Ihmisoikeusehtojen osuus", "Andel med villkor om mänskliga rättigheter", "Human-rights clause share"),
        (
            "Osat, joissa on eettiset ohjeet tai ihmisoikeusehto.",
            "Delar med uppförandekod eller villkor om mänskliga rättigheter.",
            "Lots with a code of conduct or human-rights clause.",
        ),
        "Lots answered yes to code of conduct.",
        "I7-2",
    ),
)


def compute(measures: Measures, _parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows from lot_answer."""
    lots = measures["lot_answer"]
    parts = []
    for variant, keys in INNOVATION.items():
        asked = _procurements(lots, keys)
        parts += [share_of(asked, "innovative_share", *_told(), variant=variant), _share_of_value(asked, variant)]
    parts += [share_of(_procurements(lots, keys), figure_id, *_told()) for figure_id, keys in BY_ANY_LOT.items()]
    for figure_id, key in BY_EACH_LOT.items():
        answer = pl.col(f"answer_{key}")
        parts.append(share_of(lots, figure_id, answer, answer.is_not_null()))
    return stacked(parts)


def _procurements(lots: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """One row per procurement asked: `hit` if any lot answers yes to any of the questions, `told` if any answers at all, and its value."""
    columns = [pl.col(f"answer_{key}") for key in keys]
    return lots.group_by("procedure_id", "organisation_id", "month", "is_ted", maintain_order=True).agg(
        pl.any_horizontal(column.fill_null(value=False) for column in columns).any().alias("hit"),
        pl.any_horizontal(column.is_not_null() for column in columns).any().alias("told"),
        pl.col("call_value_cents").first(),
    )


def _share_of_value(procurements: pl.DataFrame, variant: str) -> pl.LazyFrame:
    """The same share weighed by what is known of the procurements' values."""
    value = pl.col("call_value_cents")
    counts = pl.col("told") & value.is_not_null()
    weight = pl.when(counts).then(value).otherwise(0)
    return contributions(
        procurements,
        "innovative_value_share",
        pl.when("hit").then(weight).otherwise(0),
        weight,
        n=counts,
        covered=counts,
        variant=variant,
    )


def _told() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("hit"), pl.col("told")
