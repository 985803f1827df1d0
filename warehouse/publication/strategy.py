"""The strategy map as published: which figures speak of which goal of the national procurement strategy, and where none does.

8 intents, 25 goals (the wording of three could not be obtained) and 27 official indicator slots (none is known by its number):
what is not known stays empty and says so.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from schemas.reference import Reference
from warehouse.publication.generations import Connection, PublishedTable, create_table

DATA = "computed: a figure measures it; proxy: a figure stands for it; no_data: none has a value in this publication."
GOAL = {
    "goal": "Goal, our code: intent and place.",
    "intent": "Intent, I1-I8, our code.",
    "intent_fi": "The intent in Finnish, as the strategy words it.",
    "theme_sv": "The intent's theme in Swedish; null: not obtained.",
    "theme_en": "The theme in English, our wording.",
    "summary_fi": "The goal in short, in Finnish, our wording; null: the goal is not known.",
    "summary_sv": "The same in Swedish, our wording.",
    "summary_en": "The same in English, our wording.",
    "status": "shortened: known in shortened form; official_text_missing: the goal's text was not obtained.",
    "data": DATA,
    "figures": "Figures with values that speak of the goal, comma-separated; see mart.strategy_map.",
    "origin": "Source.",
}
INDICATOR = {
    "official_no": "Number of the official indicator, 1-27.",
    "official_name_fi": "Official name in Finnish; null: not obtained.",
    "official_name_sv": "Official name in Swedish; null: not obtained.",
    "status": "official_text_missing: the indicator is not known by its text; nothing is mapped to it by guess.",
    "data": DATA,
    "figures": "Figures with values mapped to the indicator, comma-separated.",
    "origin": "Source.",
}
MAP = {
    "figure_id": "Key figure.",
    "intent": "Intent that it speaks of; null when the relation is context.",
    "goal": "Goal that it speaks of; null: of the intent as a whole.",
    "official_no": "Official indicator that it is; null: none is known.",
    "relation": "computed: measures it; proxy: stands for it; context: speaks of no intent.",
    "note": "What else is known.",
    "has_value": "The figure has a value in this publication; false: it stands there with its reason.",
}

SLOT = {
    "slot": "Number of the action, 1-14.",
    "category": "Number of its category, 1-4 (management, dissemination of information, competence development, concrete tools); null: which "
    "one was not obtained.",
    "official_text_fi": "Official title in Finnish; null: not obtained.",
    "official_text_sv": "Official title in Swedish; null: not obtained.",
    "status": "official_text_missing: the title is not known, and none is made up.",
    "origin": "Source.",
}


def fill(con: Connection, reference: Reference) -> None:
    """Write the tables into a publication whose `mart.key_figure` is complete."""
    rows = con.execute("SELECT DISTINCT figure_id FROM mart.key_figure WHERE value IS NOT NULL").fetchall()
    for table in tables(reference, {figure_id for (figure_id,) in rows}):
        create_table(con, table)


def tables(reference: Reference, figures: Collection[str]) -> list[PublishedTable]:
    """strategy_goal, strategy_indicator, strategy_map and action_slot, where `figures` are the ones that have values."""
    mapped = reference.table("catalogue/strategy_map.csv").with_columns(
        pl.col("official_no").cast(pl.Int32), has_value=pl.col("figure_id").is_in(list(figures))
    )
    mapped = mapped.sort("figure_id", "intent", "goal", nulls_last=True)
    links = mapped.filter("has_value")
    intents = reference.table("catalogue/strategy_intents.csv")
    goals = reference.table("catalogue/strategy_goals.csv").join(
        intents.select("intent", pl.col("name_fi").alias("intent_fi"), "theme_sv", "theme_en"), on="intent"
    )
    indicators = reference.table("catalogue/strategy_indicators.csv").with_columns(pl.col("official_no").cast(pl.Int32))
    return [
        PublishedTable(
            "mart",
            "strategy_goal",
            "Goals of the national procurement strategy, and whether figures speak of them.",
            GOAL,
            _with_data(goals, links, "goal").select(list(GOAL)).sort("goal"),
            ("goal",),
        ),
        PublishedTable(
            "mart",
            "strategy_indicator",
            "The strategy's 27 official indicators. One is known by what it asks (a strategy or guidelines and an implementation "
            "plan: strategy_exists_share, strategy_plan_share), not by its number; the others not at all.",
            INDICATOR,
            _with_data(indicators, links, "official_no").select(list(INDICATOR)).sort("official_no"),
            ("official_no",),
        ),
        PublishedTable(
            "mart",
            "strategy_map",
            "Every figure, and the intent and goal it speaks of.",
            MAP,
            mapped.select(list(MAP)),
        ),
        PublishedTable(
            "mart",
            "action_slot",
            "The 14 actions of the action programme for innovative public procurement, in 4 categories; action_programme_progress counts them.",
            SLOT,
            reference.table("catalogue/action_slots.csv")
            .select(pl.col("slot").cast(pl.Int32), pl.col("category").cast(pl.Int32), *list(SLOT)[2:])
            .sort("slot"),
            ("slot",),
        ),
    ]


def _with_data(things: pl.DataFrame, links: pl.DataFrame, key: str) -> pl.DataFrame:
    """`things` with data and figures, from the links that name them."""
    found = links.drop_nulls(key).group_by(key).agg(
        pl.col("figure_id").unique().sort().str.join(",").alias("figures"),
        pl.when((pl.col("relation") == "computed").any()).then(pl.lit("computed")).otherwise(pl.lit("proxy")).alias("data"),
    )  # fmt: skip
    return things.join(found, on=key, how="left").with_columns(
        pl.col("data").fill_null("no_data"), pl.col("figures").fill_null("")
    )
