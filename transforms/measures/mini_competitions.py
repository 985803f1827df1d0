"""Measures of mini-competitions: one row per completed one, in the month of its decision."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference

COMPLETED = Table(
    "completed_competition",
    "Completed mini-competitions by the month of the decision.",
    (
        Column("organisation_id", pl.String, "Customer.", required=True),
        Column("organisation_name", pl.String, "Its name as delivered."),
        Column("month", pl.Date, "Month of the decision.", required=True),
        Column("agency", pl.String, "Who delivered it.", required=True),
        Column("competition_id", pl.String, "Mini-competition.", required=True),
        Column("agreement_id", pl.String, "Joint procurement that it belongs to; null: not told."),
        Column("invited_n", pl.Int64, "Suppliers invited; null: not told."),
        Column("bids_n", pl.Int64, "Bids received; null: not told."),
        Column("lead_days", pl.Int64, "Days from start to decision; null: the start is not told."),
        Column("is_assisted", pl.Boolean, "The central purchasing body helped; null: not told."),
    ),
)
MEASURES = (COMPLETED,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the mini-competitions that count; those under way or cancelled are left out."""
    completed = tables["mini_competition"].filter(status="completed")
    rows = completed.with_columns(
        month=pl.col("decided_on").dt.month_start(),
        lead_days=(pl.col("decided_on") - pl.col("started_on")).dt.total_days(),
    )
    return {"completed_competition": rows.select(COMPLETED.polars_schema().names()).sort("competition_id")}
