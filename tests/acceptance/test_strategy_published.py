"""The strategy map in the published file: every goal and slot says computed, proxy or no data, by what was published."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.acceptance.support import ledger, published

pytestmark = pytest.mark.slow


def test_goals_and_slots_say_what_the_publication_holds_for_them(demo_home: Path) -> None:
    goals = {row["goal"]: row for row in published(demo_home, "FROM mart.strategy_goal").iter_rows(named=True)}
    valued = set(published(demo_home, "SELECT DISTINCT figure_id FROM mart.key_figure WHERE value IS NOT NULL")["figure_id"])
    slots = published(demo_home, "FROM mart.strategy_indicator")

    assert len(goals) == 25
    assert all((row["data"] == "no_data") == (row["figures"] == "") for row in goals.values())
    assert {name for row in goals.values() for name in row["figures"].split(",") if name} <= valued
    assert (goals["I5-3"]["data"], goals["I2-1"]["data"], goals["I8-1"]["data"]) == ("computed", "computed", "proxy")
    assert {goal for goal, row in goals.items() if row["status"] == "official_text_missing"} == {"I4-1", "I4-2", "I4-3"}
    assert {goals[goal]["data"] for goal in ("I4-1", "I4-2", "I4-3", "I2-4", "I8-2")} == {"no_data"}
    assert slots.select("official_no", "official_name_fi", "official_name_sv", "status", "data").rows() == [
        (number, None, None, "official_text_missing", "no_data") for number in range(1, 28)
    ]


def test_every_published_figure_has_its_place_in_the_map(demo_home: Path) -> None:
    unmapped = published(
        demo_home,
        "SELECT DISTINCT figure_id FROM mart.key_figure EXCEPT SELECT figure_id FROM mart.strategy_map",
    )

    assert unmapped.rows() == []


def test_no_figure_is_missing_from_the_national_table(demo_home: Path) -> None:
    missing = "SELECT figure_id FROM mart.figure EXCEPT SELECT figure_id FROM mart.key_figure WHERE level = 'national'"
    waiting = published(
        demo_home,
        "SELECT f.figure_id, k.level, k.period_kind, k.period_start::VARCHAR AS period, k.status, k.reason, f.waits_for IS NOT NULL AS told "
        "FROM mart.figure f JOIN mart.key_figure k USING (figure_id) WHERE f.status = 'no_data'",
    )

    assert published(demo_home, missing).rows() == []
    assert {"market_dialogue_share", "spend_deviation", "food_spend_share"} <= set(waiting["figure_id"])
    assert waiting["figure_id"].n_unique() == waiting.height
    assert set(waiting.drop("figure_id").rows()) == {("national", "year", "2024-01-01", "no_data", "no_source", True)}


def test_a_sentence_where_a_code_is_asked_for_is_nowhere(demo_home: Path) -> None:
    hidden = ledger(demo_home, "SELECT table_name, value FROM ledger.quarantine WHERE rule = 'text_not_a_code'")

    expected = pl.read_csv(demo_home / "truth" / "outcomes.csv", infer_schema=False)["rules"].drop_nulls()
    planted = expected.str.extract(r"text_not_a_code:(\d+)").cast(pl.Int64).sum()
    assert hidden.height == planted > 2
    assert {"strategic_goal", "mini_competition", "market_court_case"} <= set(hidden["table_name"])
    assert hidden["value"].null_count() == hidden.height
    receipts = [path for path in (demo_home / "receipts").rglob("*") if path.is_file()]
    assert receipts
    assert [path for path in receipts if b"hiilijalanj" in path.read_bytes()] == []
    goals = f"read_parquet('{demo_home}/lake/strategic_goals/strategic_goal/*/*/*.parquet')"
    assert {code[0] for (code,) in duckdb.sql(f"SELECT DISTINCT goal_id FROM {goals}").fetchall()} == {"T"}
