"""Shares of units in the yearly strategy return: of those that answered, and of the whole frame side by side (METHOD 27)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import Texts, contributions, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters

SOURCE = "strategy_followup"
VARIANT_NAMES = {
    "responding": {"fi": "Vastanneista", "sv": "Av dem som svarat", "en": "Of those answering"},
    "frame": {"fi": "Koko kehikosta", "sv": "Av hela ramen", "en": "Of the whole frame"},
}
COVERAGE = "Units that answered the question / units of the frame."
FRAME = (
    "The frame: organisations with in_frame yes in organisations.csv that exist on the year's last day, and every unit that "
    "returned; where no organisation is registered so, the frame is the units that returned."
)
EITHER = "In the whole, a question left blank beside one that was answered counts as no."
BLANK = "A question left blank is not answered: the unit stands in the frame only."
NO_ANSWER = "no_answer"
"""Reason where no unit of a place answered: nothing is known of it, which is not 0 %."""
KEINO = "KEINO's survey of 2021 (KEY_FIGURES 3.5 and 7.6)"
OFFICIAL = f"One of the strategy's 27 official indicators, number unknown (KEINO); formula ours. Check values: {KEINO}."

ANSWERS: Mapping[str, pl.Expr] = {
    "strategy_exists_share": pl.col("strategy").is_in(["strategy", "guidelines"]),
    "strategy_plan_share": pl.col("has_plan"),
    "strategy_followup_share": pl.col("follow_up") == "regularly",
    "strategic_items_identified_share": pl.col("strategic_identified"),
    "critical_identified_share": pl.col("critical_identified"),
    "responsible_person_share": pl.col("has_responsible_person"),
    "category_model_share": pl.col("has_category_model"),
}
"""Figure -> whether the unit counts; null: not answered."""
STEERING = {"performance": "in_performance_steering", "ownership": "in_ownership_steering"}
NETWORKS = {"large_buyers": "in_large_buyers_network", "wellbeing_counties": "in_wellbeing_network"}


def _share(figure_id: str, names: Texts, definitions: Texts, numerator: str, intent: str, **values: object) -> KeyFigure:
    common: dict[str, object] = {
        "direction": "up",
        "period_kinds": YEAR_ONLY,
        "numerator": numerator,
        "denominator": "Variant responding: units that answered the question; variant frame: all units of the frame.",
        "origin": "KEY_FIGURES 7.6 and METHOD 28; formula ours.",
        "coverage_text": COVERAGE,
        "variants": tuple(VARIANT_NAMES),
        "variant_names": VARIANT_NAMES,
        "strategy_intent": intent,
        "assumptions": (FRAME, BLANK),
    }
    return form_figure(figure_id, SOURCE, names, definitions, **(common | values))


DEFINITIONS = (
    _share(
        "strategy_exists_share",
        ("Hankintastrategia laadittu", "Upphandlingsstrategi finns", "Units with procurement strategy or guidelines"),
        (
            "Yksiköt, joilla on hankintastrategia tai strategiset linjaukset, osuutena yksiköistä.",
            "Enheter som har en upphandlingsstrategi eller strategiska riktlinjer, som andel av enheterna.",
            "Units that have a procurement strategy or strategic guidelines, as a share of units.",
        ),
        "Units with a strategy or guidelines.",
        "I1",
        standing="official_goal",
        origin=OFFICIAL,
        assumptions=(FRAME, BLANK, "A unit that does not know has answered."),
    ),
    _share(
        "strategy_plan_share",
        ("Operatiivinen toteuttamissuunnitelma", "Operativ genomförandeplan", "Units with an operative implementation plan"),
        (
            "Yksiköt, joilla on operatiivinen toteuttamissuunnitelma, osuutena yksiköistä.",
            "Enheter som har en operativ genomförandeplan, som andel av enheterna.",
            "Units that have an operative implementation plan, as a share of units.",
        ),
        "Units with an operative implementation plan.",
        "I1",
        standing="official_goal",
        origin=OFFICIAL,
    ),
    _share(
        "strategy_followup_share",
        ("Seuranta säännöllistä", "Regelbunden uppföljning", "Regular follow-up"),
        (
            "Yksiköt, jotka seuraavat hankintastrategiansa toteutumista säännöllisesti, osuutena yksiköistä.",
            "Enheter som regelbundet följer upp sin upphandlingsstrategi, som andel av enheterna.",
            "Units that follow up their procurement strategy regularly, as a share of units.",
        ),
        "Units with regular follow-up.",
        "I1",
        standing="official_goal",
        origin=f"Asked in {KEINO}; formula ours.",
        assumptions=(FRAME, BLANK, "A unit that does not know has answered."),
    ),
    _share(
        "strategic_items_identified_share",
        ("Strategiset hankinnat tunnistettu", "Strategiska upphandlingar identifierade", "Strategic procurements identified"),
        (
            "Yksiköt, jotka ovat tunnistaneet strategisesti merkittävät hankintansa, osuutena yksiköistä.",
            "Enheter som har identifierat sina strategiskt betydande upphandlingar, som andel av enheterna.",
            "Units that have identified their strategically important procurements, as a share of units.",
        ),
        "Units that have identified them.",
        "I1-1",
    ),
    _share(
        "critical_identified_share",
        ("Kriittiset hankinnat tunnistettu", "Kritiska upphandlingar identifierade", "Critical procurements identified"),
        (
            "Yksiköt, jotka ovat tunnistaneet varautumisen kannalta kriittiset hankintansa, osuutena yksiköistä.",
            "Enheter som har identifierat sina för beredskapen kritiska upphandlingar, som andel av enheterna.",
            "Units that have identified the procurements critical to preparedness, as a share of units.",
        ),
        "Units that have identified them.",
        "I1-3",
        origin="METHOD 27: shown beside every preparedness share; formula ours.",
    ),
    _share(
        "steering_share",
        ("Hankinnat osana ohjausta", "Upphandling en del av styrningen", "Procurement part of steering"),
        (
            "Yksiköt, joissa hankinnat ovat osa tulos- tai omistajaohjausta, osuutena yksiköistä; erittely ohjauksen mukaan.",
            "Enheter där upphandling är en del av resultat- eller ägarstyrningen, som andel av enheterna; per typ av styrning.",
            "Units in which procurement is part of performance or ownership steering, as a share of units; by kind of steering.",
        ),
        "Units with procurement in either kind of steering; by kind: in that one.",
        "I1-4",
        assumptions=(FRAME, BLANK, EITHER),
    ),
    _share(
        "responsible_person_share",
        ("Vastuuhenkilö nimetty", "Ansvarig person utsedd", "Responsible person named"),
        (
            "Yksiköt, joissa hankinnoille on nimetty vastuuhenkilö, osuutena yksiköistä.",
            "Enheter där en ansvarig person har utsetts för upphandlingen, som andel av enheterna.",
            "Units that have named a person responsible for procurement, as a share of units.",
        ),
        "Units with a responsible person; who it is is not asked.",
        "I1-2",
    ),
    _share(
        "category_model_share",
        ("Kategoriamalli käytössä", "Kategorimodell i bruk", "Category model in use"),
        (
            "Yksiköt, jotka käyttävät hankintojen kategoriamallia, osuutena yksiköistä.",
            "Enheter som använder en kategorimodell för upphandlingen, som andel av enheterna.",
            "Units that use a category model of procurement, as a share of units.",
        ),
        "Units with a category model in use.",
        "I1-2",
    ),
    _share(
        "network_membership_share",
        ("Hankintaverkostojen jäsenyys", "Medlemskap i upphandlingsnätverk", "Membership of procurement networks"),
        (
            "Yksiköt, jotka kuuluvat hankintaverkostoon, osuutena yksiköistä; erittely verkoston mukaan.",
            "Enheter som hör till ett upphandlingsnätverk, som andel av enheterna; per nätverk.",
            "Units that belong to a procurement network, as a share of units; by network.",
        ),
        "Units in either network asked about; by network: in that one.",
        "I1",
        origin="Networks of the national strategy (PRODUCT S13); formula ours.",
        assumptions=(FRAME, BLANK, EITHER),
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """Contributions of every share from `unit_return` and the frame."""
    facts = with_frame(measures["unit_return"], parameters)
    return stacked([part for figure_id, kind, key, hit in _questions() for part in _both(facts, figure_id, kind, key, hit)])


def with_frame(returns: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """Returns, and a row without answers for every other organisation of the frame in the years that have returns."""
    frame = pl.DataFrame(
        list(parameters.frame), schema={"organisation_id": pl.String, "since": pl.Date, "until": pl.Date}, orient="row"
    ).join(returns.select("month").unique(), how="cross")
    last_day = pl.date(pl.col("month").dt.year(), 12, 31)
    silent = frame.filter(last_day.is_between("since", "until")).select("organisation_id", "month").unique()
    silent = silent.join(returns, on=["organisation_id", "month"], how="anti")
    return pl.concat([returns, silent], how="diagonal")


def any_of(columns: Mapping[str, str]) -> pl.Expr:
    """Whether any of the questions was answered yes; null where none was answered.

    A blank beside an answer counts as no: left out, only those units would drop out that have no yes, and the share would rise.
    """
    names = list(columns.values())
    answered = pl.any_horizontal(pl.col(names).is_not_null())
    return pl.when(answered).then(pl.any_horizontal(pl.col(names).fill_null(value=False)))


def unanswered(answered: pl.Expr) -> pl.Expr:
    """The reason of a contribution without an answer."""
    return pl.when(~answered).then(pl.lit(NO_ANSWER))


def _questions() -> Iterator[tuple[str, str, str, pl.Expr]]:
    """(figure, breakdown_kind, breakdown_id, whether the unit counts)."""
    for figure_id, hit in ANSWERS.items():
        yield figure_id, "", "", hit
    for figure_id, kind, columns in (
        ("steering_share", "steering", STEERING),
        ("network_membership_share", "network", NETWORKS),
    ):
        yield figure_id, "", "", any_of(columns)
        for key, name in columns.items():
            yield figure_id, kind, key, pl.col(name)


def _both(facts: pl.DataFrame, figure_id: str, kind: str, key: str, hit: pl.Expr) -> Iterator[pl.LazyFrame]:
    answered, yes = hit.is_not_null(), hit.fill_null(value=False)
    reason = unanswered(answered)
    for variant, denominator in (("responding", answered), ("frame", pl.lit(1))):
        yield contributions(
            facts, figure_id, yes, denominator, n=denominator, covered=answered,
            variant=variant, breakdown_kind=kind, breakdown_id=key, reason=reason,
        )  # fmt: skip
