"""Measures of the action programme: one row per branch, year and action, in the year's January.

Branches are levels, not organisations: the figure places its rows by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference

ACTIONS = Table(
    "action_by_branch",
    "State of the programme's actions by branch and year.",
    (
        Column("branch", pl.String, "Administrative branch.", required=True),
        Column("month", pl.Date, "January of the year.", required=True),
        Column("action_no", pl.Int64, "Number of the action.", required=True),
        Column("category", pl.Int64, "Number of its category.", required=True),
        Column("status", pl.String, "State at the year's end.", required=True),
    ),
)
MEASURES = (ACTIONS,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the rows that count."""
    actions = tables["action_state"].with_columns(month=pl.date(pl.col("year"), 1, 1))
    return {"action_by_branch": actions.select(ACTIONS.polars_schema().names()).sort("branch", "month", "action_no")}
