"""Ids that an agency's deliveries use for organisations (organisation_aliases.csv), by the day that a delivery speaks for."""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.reference import Reference


def aliases_on(reference: Reference, agency: str, day: date) -> dict[str, str]:
    """Delivered code -> organisation, of the agency's rows in force on `day`; open ends never end."""
    text = pl.lit(day.isoformat())  # days of registers are written as 2024-12-31 and sort as text
    inside = (pl.col("valid_from") <= text).fill_null(value=True) & (pl.col("valid_to") >= text).fill_null(value=True)
    rows = reference.table("organisation_aliases.csv").filter(pl.col("agency") == agency, inside)
    return dict(rows.select("delivered_code", "organisation_id").drop_nulls().iter_rows())
