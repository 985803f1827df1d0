"""Figures of forms against a second calculation: plain SQL over the accepted rows, national level, years.

The rows that count are chosen anew here, from the lake; nothing of transforms is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.acceptance.support import published

pytestmark = pytest.mark.slow

UNITS: Mapping[str, tuple[str, str]] = {
    "market_court_case": ("market_court_cases", "case_number"),
    "strategy_return": ("strategy_followup", "organisation_id, year"),
    "strategic_goal": ("strategic_goals", "organisation_id, goal_id, year"),
    "action_state": ("action_programme", "branch, action_no, year"),
    "mini_competition": ("mini_competitions", "competition_id"),
    "agreement": ("joint_procurements", "agency, agreement_id"),
    "agreement_supplier": ("joint_procurements", "agency, agreement_id"),
    "reported_purchase": ("joint_procurements", "agency, year"),
    "impact_assessment": ("impact_assessments", "case_id, kind, stage"),
}
"""Table of the lake -> its source, and the columns whose newest delivery counts."""
FACTORS = ("cost_savings", "innovation", "competence", "quality", "responsibility")
RETURNS = "SELECT year, {top}, {bottom} FROM strategy_return WHERE {asked} GROUP BY year"


def _share(hit: str, asked: str) -> str:
    return RETURNS.format(top=f"count(*) FILTER ({hit})", bottom="count(*)", asked=f"{asked} IS NOT NULL")


def _sum(column: str, per: str | None = None) -> str:
    asked = f"{column} IS NOT NULL" + (f" AND {per} IS NOT NULL" if per else "")
    return RETURNS.format(top=f"sum({column})", bottom=f"sum({per})" if per else "NULL", asked=asked)


def _competitions(top: str, bottom: str, known: str = "true") -> str:
    return f"SELECT year(decided_on), {top}, {bottom} FROM mini_competition WHERE status = 'completed' AND {known} GROUP BY 1"


def _assessed(stage: str) -> str:
    scores = " + ".join(f"({factor} IS NOT NULL)::INT" for factor in FACTORS)
    return f"(SELECT case_id FROM impact_assessment WHERE stage = '{stage}' AND {scores} >= 4)"


def _in_force(top: str, bottom: str = "NULL", known: str = "true", joined: str = "") -> str:
    """Agreements, with their suppliers where `joined` names them, at the ends of the years that the register knows."""
    on_the_day = " AND ".join(
        f"coalesce({table}.valid_from, DATE '2000-01-01') <= day AND coalesce({table}.valid_to, DATE '2100-01-01') > day"
        for table in ("a", *(["s"] if joined else []))
    )
    days = "(SELECT make_date(2021 + n::INT, 12, 31) AS day FROM range(4) r(n))"
    return (
        f"SELECT year(day), {top}, {bottom} FROM {days} CROSS JOIN agreement a {joined} WHERE {on_the_day} AND {known} GROUP BY 1"
    )


ON_AGREEMENTS = "JOIN agreement_supplier s USING (agency, agreement_id)"
SUPPLIERS = "count(DISTINCT supplier_id) FILTER ({})"

SQL: Mapping[tuple[str, str], str] = {
    ("framework_n", ""): _in_force("count(*) FILTER (kind = 'framework')"),
    ("dps_n", ""): _in_force("count(*) FILTER (kind = 'dps')"),
    ("small_scale_n", ""): _in_force("count(*) FILTER (kind = 'small_scale')"),
    ("contracts_expiring_12m", ""): _in_force("count(*) FILTER (a.valid_to <= day + INTERVAL 1 YEAR)"),
    ("prestudy_level_share", "preparedness_2"): _in_force(
        "count(*) FILTER (preparedness_level = 2)", "count(*)", "preparedness_level IS NOT NULL"
    ),
    ("preparedness_plan_share", ""): _in_force(
        "count(*) FILTER (has_preparedness_plan)", "count(*)", "is_critical AND has_preparedness_plan IS NOT NULL"
    ),
    ("contract_suppliers_n", ""): _in_force("count(DISTINCT supplier_id)", joined=ON_AGREEMENTS),
    ("contract_supplier_sme_share", ""): _in_force(
        SUPPLIERS.format("size IN ('micro', 'small', 'medium')"), SUPPLIERS.format("size <> 'unknown'"), joined=ON_AGREEMENTS
    ),
    ("customers_active_n", ""): "SELECT year, count(*), NULL FROM (SELECT year, organisation_id FROM reported_purchase "
    "WHERE organisation_id IS NOT NULL GROUP BY ALL HAVING sum(purchase_cents) > 0 UNION "
    "SELECT year(timezone('Europe/Helsinki', received_at)), organisation_id FROM contact_request WHERE organisation_id IS NOT NULL "
    "AND coalesce(status_reason, '') NOT IN ('merged', 'cancelled') AND coalesce(state, '') <> 'cancelled' "
    "AND NOT coalesce(is_merged, false) AND NOT coalesce(is_child, false) AND coalesce(origin, '') <> 'phone') "
    "WHERE year IN (SELECT year FROM reported_purchase) GROUP BY year",
    ("appeals_n", ""): "SELECT year(filed_on), count(*), NULL FROM market_court_case GROUP BY 1",
    ("minicomp_n", "all"): _competitions("count(*)", "NULL"),
    ("minicomp_n", "assisted"): _competitions("count(*) FILTER (is_assisted)", "NULL"),
    ("minicomp_bids_mean", ""): _competitions("sum(bids_n)", "count(*)", "bids_n >= 1"),
    ("minicomp_single_bid_share", ""): _competitions("count(*) FILTER (bids_n = 1)", "count(*)", "bids_n >= 1"),
    ("minicomp_invited_mean", ""): _competitions("sum(invited_n)", "count(*)", "invited_n IS NOT NULL"),
    ("impact_coverage", ""): _competitions(f"count(*) FILTER (competition_id IN {_assessed('result')})", "count(*)"),
    ("impact_stage1_coverage", ""): _competitions(
        f"count(DISTINCT agreement_id) FILTER (agreement_id IN {_assessed('joint')})", "count(DISTINCT agreement_id)"
    ),
    ("strategy_exists_share", "responding"): _share("strategy IN ('strategy', 'guidelines')", "strategy"),
    ("strategy_plan_share", "responding"): _share("has_plan", "has_plan"),
    ("strategy_followup_share", "responding"): _share("follow_up = 'regularly'", "follow_up"),
    ("strategic_items_identified_share", "responding"): _share("strategic_identified", "strategic_identified"),
    ("critical_identified_share", "responding"): _share("critical_identified", "critical_identified"),
    ("responsible_person_share", "responding"): _share("has_responsible_person", "has_responsible_person"),
    ("category_model_share", "responding"): _share("has_category_model", "has_category_model"),
    ("trained_persons_n", ""): _sum("trained_n"),
    ("market_dialogues_n", ""): _sum("market_dialogues_n"),
    ("experiments_started_n", ""): _sum("experiments_started_n"),
    ("experiments_in_use_n", ""): _sum("experiments_in_use_n"),
}
"""(figure, variant) -> year, numerator, denominator of the nation."""


@pytest.fixture(scope="session")
def rows(demo_home: Path) -> duckdb.DuckDBPyConnection:
    """The accepted rows that count, as tables."""
    con = duckdb.connect()
    for table, (source, unit) in UNITS.items():
        files = f"read_parquet('{demo_home}/lake/{source}/{table}/*/*/*.parquet', union_by_name = true)"
        con.execute(
            f"CREATE TABLE {table} AS SELECT * FROM {files} "
            f"QUALIFY rank() OVER (PARTITION BY {unit} ORDER BY produced_at DESC, delivery_id DESC) = 1"
        )
    con.execute(
        f"CREATE TABLE contact_request AS FROM read_parquet('{demo_home}/lake/contact_requests/contact_request/*/*/*.parquet') "
        "QUALIFY row_number() OVER (PARTITION BY agency, case_id ORDER BY coalesce(modified_at, produced_at) DESC, "
        "produced_at DESC, delivery_id DESC, source_line DESC) = 1"
    )
    return con


@pytest.mark.parametrize(("figure_id", "variant"), sorted(SQL))
def test_plain_sql_agrees(demo_home: Path, rows: duckdb.DuckDBPyConnection, figure_id: str, variant: str) -> None:
    expected = {year: (top, bottom) for year, top, bottom in rows.execute(SQL[figure_id, variant]).fetchall()}
    assert len(expected) >= 3
    found = published(
        demo_home,
        "SELECT year(period_start)::INT AS year, numerator, denominator FROM mart.key_figure WHERE figure_id = ? AND variant = ? "
        "AND level = 'national' AND period_kind = 'year' AND breakdown_kind = '' AND panel = 'all' AND value IS NOT NULL",
        [figure_id, variant],
    )
    computed = {year: (top, bottom) for year, top, bottom in found.with_columns(pl.col("year").cast(pl.Int64)).rows()}
    assert {year: (int(top), None if bottom is None else int(bottom)) for year, (top, bottom) in computed.items()} == expected
