"""Measures of strategic goals: one row per unit, year and goal, in the year's January."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference
from transforms.moments import ZONE

GOALS = Table(
    "goal_state",
    "Goals of units by year.",
    (
        Column("organisation_id", pl.String, "Unit.", required=True),
        Column("organisation_name", pl.String, "Its name as delivered."),
        Column("month", pl.Date, "January of the year.", required=True),
        Column("goal_id", pl.String, "Goal.", required=True),
        Column("status", pl.String, "Status as reported; null: not reported."),
        Column(
            "is_due",
            pl.Boolean,
            "Its report was due by the year's last day, and that day had passed when the newest was delivered.",
            required=True,
        ),
        Column("is_linked", pl.Boolean, "At least one procurement is tied to it; null: not told."),
    ),
)
MEASURES = (GOALS,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the goals that count."""
    last_day = pl.date(pl.col("year"), 12, 31)
    due_on = pl.coalesce("due_on", last_day)
    told_on = pl.col("produced_at").max().over("agency").dt.convert_time_zone(ZONE).dt.date()
    linked = pl.when(pl.col("procurement_ids").is_not_null()).then(pl.lit(value=True)).otherwise(pl.col("procurements_n") > 0)
    goals = tables["strategic_goal"].with_columns(
        month=pl.date(pl.col("year"), 1, 1),
        is_due=(due_on <= last_day) & (due_on < told_on),
        is_linked=linked,
    )
    return {"goal_state": goals.select(GOALS.polars_schema().names()).sort("organisation_id", "month", "goal_id")}
