"""Measures of Market Court cases: one row per case, in the month in which it was filed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference

CASES = Table(
    "court_case",
    "Market Court cases by the month in which they were filed.",
    (
        Column("organisation_id", pl.String, "Contracting authority.", required=True),
        Column("organisation_name", pl.String, "Its name as delivered."),
        Column("month", pl.Date, "Month of filing.", required=True),
        Column("agency", pl.String, "Who delivered it.", required=True),
        Column("case_number", pl.String, "Case.", required=True),
    ),
)
MEASURES = (CASES,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the cases that count."""
    cases = tables["market_court_case"].with_columns(month=pl.col("filed_on").dt.month_start())
    return {"court_case": cases.select(CASES.polars_schema().names()).sort(pl.all())}
