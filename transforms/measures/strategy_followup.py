"""Measures of the yearly strategy return: one row per unit and year, in the year's January."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference
from schemas.strategy_followup import QUESTIONS

RETURNS = Table(
    "unit_return",
    "Yearly strategy returns that count.",
    (
        Column("organisation_id", pl.String, "Unit.", required=True),
        Column("organisation_name", pl.String, "Its name as delivered."),
        Column("month", pl.Date, "January of the year.", required=True),
        *QUESTIONS,
    ),
)
MEASURES = (RETURNS,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the returns that count."""
    returns = tables["strategy_return"].with_columns(month=pl.date(pl.col("year"), 1, 1))
    return {"unit_return": returns.select(RETURNS.polars_schema().names()).sort("organisation_id", "month")}
