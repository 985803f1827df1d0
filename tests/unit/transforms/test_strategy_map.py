"""The strategy map: every figure has its place or is context, nothing official is made up, what is missing says so."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from docs.generate import pages
from schemas.reference import Reference
from transforms.key_figures import DEFINITIONS
from warehouse.publication import strategy

REFERENCE = Reference.load()
MAP = REFERENCE.table("catalogue/strategy_map.csv")
GOALS = REFERENCE.table("catalogue/strategy_goals.csv")


def _tables(reference: Reference, *figures: str) -> dict[str, pl.DataFrame]:
    return {table.name: table.frame for table in strategy.tables(reference, figures)}


def test_eight_intents_twenty_five_goals_and_twenty_seven_empty_slots() -> None:
    intents, slots = REFERENCE.table("catalogue/strategy_intents.csv"), REFERENCE.table("catalogue/strategy_indicators.csv")

    assert intents["intent"].to_list() == [f"I{number}" for number in range(1, 9)]
    assert intents["name_fi"].null_count() == 0
    assert dict(GOALS.group_by("status").len().iter_rows()) == {"shortened": 22, "official_text_missing": 3}
    missing = GOALS.filter(status="official_text_missing")
    assert set(missing["intent"]) == {"I4"}
    assert missing.select("summary_fi", "summary_sv", "summary_en").null_count().row(0) == (3, 3, 3)
    assert slots["official_no"].to_list() == [str(number) for number in range(1, 28)]
    assert set(slots["status"]) == {"official_text_missing"}
    assert slots.select("official_name_fi", "official_name_sv").null_count().row(0) == (27, 27)


def test_fourteen_action_slots_without_a_made_up_title() -> None:
    slots = _tables(REFERENCE)["action_slot"]

    assert slots["slot"].to_list() == list(range(1, 15))
    assert set(slots["status"]) == {"official_text_missing"}
    assert slots.select("category", "official_text_fi", "official_text_sv").null_count().row(0) == (14, 14, 14)


def test_every_figure_is_mapped_or_said_to_be_context() -> None:
    assert set(DEFINITIONS) <= set(MAP["figure_id"])
    assert set(MAP["relation"]) == {"computed", "proxy", "context"}
    assert (MAP["intent"].is_null() == (MAP["relation"] == "context")).all()
    contexts = MAP.filter(relation="context")
    assert contexts.select(pl.col("figure_id").n_unique()).item() == contexts.height
    assert (
        MAP.filter(pl.col("figure_id").is_in(contexts["figure_id"].implode())).height == contexts.height
    )  # context and nothing else


def test_the_map_names_only_goals_that_exist_and_of_the_intent_beside_them() -> None:
    goals = dict(GOALS.select("goal", "intent").iter_rows())

    for figure_id, intent, goal in MAP.drop_nulls("goal").select("figure_id", "intent", "goal").iter_rows():
        assert goals[goal] == intent, figure_id
    assert not MAP.filter(pl.col("goal").str.starts_with("I4")).height  # those goals are not known
    assert MAP["official_no"].null_count() == MAP.height  # no number of an official indicator is known


@pytest.mark.parametrize("figure_id", sorted(key for key, figure in DEFINITIONS.items() if figure.strategy_intent))
def test_a_definition_and_the_map_agree(figure_id: str) -> None:
    own = MAP.filter(figure_id=figure_id)

    assert DEFINITIONS[figure_id].strategy_intent in {*own["goal"], *own.filter(pl.col("goal").is_null())["intent"]}


def test_each_goal_says_computed_proxy_or_no_data_of_this_publication() -> None:
    found = _tables(REFERENCE, "innovative_share", "trained_persons_share", "spend_total")

    data = dict(found["strategy_goal"].select("goal", pl.concat_str("data", "figures", separator=" ")).iter_rows())
    assert data["I5-3"] == "computed innovative_share"
    assert data["I2-2"] == "proxy trained_persons_share"
    assert data["I2-3"] == "computed trained_persons_share"
    assert {text for goal, text in data.items() if goal not in ("I5-3", "I2-2", "I2-3")} == {"no_data "}
    assert set(found["strategy_indicator"]["data"]) == {"no_data"}
    told = found["strategy_map"].group_by("figure_id").agg(pl.col("has_value").all())
    assert set(told["figure_id"]) == set(MAP["figure_id"]) >= set(DEFINITIONS)
    assert set(told.filter("has_value")["figure_id"]) == {"innovative_share", "trained_persons_share", "spend_total"}


def test_an_official_slot_is_filled_in_as_data() -> None:
    filled = Reference.load(
        {
            "catalogue/strategy_indicators.csv": "official_no,official_name_fi,official_name_sv,status,origin\n7,Nimi,Namn,known,Annex\n",
            "catalogue/strategy_map.csv": "figure_id,intent,goal,official_no,relation,note\nstrategy_exists_share,I1,,7,computed,\n",
        }
    )

    slots = _tables(filled, "strategy_exists_share")["strategy_indicator"]

    assert slots.filter(official_no=7).select("official_name_sv", "data", "figures").row(0) == (
        "Namn",
        "computed",
        "strategy_exists_share",
    )
    assert slots.filter(data="no_data").height == 26


def test_figures_without_a_value_leave_the_goal_without_data() -> None:
    con = duckdb.connect()
    con.execute("CREATE SCHEMA mart; CREATE TABLE mart.key_figure (figure_id VARCHAR, value DOUBLE)")
    con.execute(
        "INSERT INTO mart.key_figure VALUES ('innovative_share', NULL), ('steering_share', 0.5), ('steering_share', NULL)"
    )

    strategy.fill(con, REFERENCE)
    strategy.fill(con, REFERENCE)  # a copied generation holds the tables already

    rows = con.execute("SELECT goal, data FROM mart.strategy_goal WHERE data <> 'no_data'").fetchall()
    assert rows == [("I1-4", "computed")]
    assert con.execute("SELECT count(*) FROM mart.strategy_indicator WHERE data = 'no_data'").fetchone() == (27,)


def test_the_page_shows_every_goal_slot_and_figure() -> None:
    page = pages()["strategy-map.md"]

    assert all(f"| {goal} |" in page for goal in GOALS["goal"])
    assert all(f"| {number} | official_text_missing | no_data |" in page for number in range(1, 28))
    assert all(f"(key-figures/{figure_id}.md)" in page for figure_id in DEFINITIONS)
