"""Openness figures by hand: organisation-months delivered, and advertised value over spend in windows of 36 months."""

from __future__ import annotations

from datetime import date

import polars as pl

from tests.unit.transforms import invoice_lines as lines
from transforms import periods
from transforms.key_figures import spend_openness
from transforms.key_figures.parameters import Parameters
from transforms.rollup import roll_up

YEARS = range(2020, 2025)
FIGURES = {figure.figure_id: figure for figure in spend_openness.DEFINITIONS}


def cells() -> pl.DataFrame:
    """A1 spends 1 000 euros a year and advertises 600 euros in 2020 and 300 in 2023; A2 advertises but delivers no invoices."""
    months = [date(year, month, 1) for year in YEARS for month in range(1, 13)]
    bought = [
        lines.Line(
            "a",
            "A1",
            date(year, 5, 1),
            dated=True,
            kind="no_id",
            supplier=None,
            account="4300",
            category=None,
            case=None,
            cents=1000_00,
        )
        for year in YEARS
    ]
    expected = [("A1", month, True) for month in months] + [("A2", month, False) for month in months]
    calls = [
        ("A1", date(2020, 3, 1), True, 600_00, "known"),
        ("A1", date(2023, 3, 1), True, 300_00, "known"),
        ("A1", date(2023, 4, 1), True, None, "unknown"),
        ("A1", date(2023, 4, 1), False, None, None),
        ("A2", date(2023, 4, 1), True, 9_000_00, "known"),
    ]
    names = ["organisation_id", "month", "has_call", "call_value_cents", "call_value_state"]
    measures = {
        "spend_month": lines.read(lines.warehouse(lines.frame(bought)), "FROM spend_month"),
        "expected": pl.DataFrame(expected, schema=["organisation_id", "month", "present"], orient="row"),
        "procedure_start": pl.DataFrame(calls, schema=names, orient="row"),
    }
    contributions = spend_openness.compute(measures, Parameters())
    return roll_up(contributions, FIGURES, periods.touched(months, months[0], months[-1]), lines.members())


def test_publication_rate_looks_back_36_months_at_the_same_organisations() -> None:
    nation = (
        cells().filter((pl.col("figure_id") == "publication_rate_spend") & (pl.col("level") == "national")).sort("period_start")
    )
    got = {row["period_start"].year: (row["numerator"], row["denominator"], row["n"], row["reason"]) for row in nation.to_dicts()}
    assert got == {
        2020: (None, None, 1, "incomplete_window"),
        2021: (None, None, 1, "incomplete_window"),
        2022: (600_00, 3000_00, 1, None),
        2023: (300_00, 3000_00, 1, None),
        2024: (300_00, 3000_00, 1, None),
    }
    assert set(nation["period_kind"]) == {"year"}


def test_invoice_data_are_open_where_a_delivery_is_in_force() -> None:
    frame = cells().filter((pl.col("figure_id") == "open_invoice_coverage") & (pl.col("level") == "national"))
    kinds = {row["period_kind"]: (row["numerator"], row["denominator"]) for row in frame.to_dicts()}
    assert kinds == {"month": (1, 2), "quarter": (3, 6), "year": (12, 24), "rolling_12m": (12, 24)}
    assert "organisation" not in set(cells()["level"])
