"""Openness figures by hand: organisations of the frame with data, and advertised value over spend in windows of 36 months."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from tests.unit.transforms import invoice_lines as lines
from transforms import periods
from transforms.key_figures import spend_openness
from transforms.key_figures.parameters import Parameters, parameters_of
from transforms.rollup import roll_up

YEARS = range(2020, 2025)
FIGURES = {figure.figure_id: figure for figure in spend_openness.DEFINITIONS}


def cells(frame: tuple[tuple[str, date, date], ...] = (), expected_since: date = date(2020, 1, 1)) -> pl.DataFrame:
    """A1 spends 1 000 euros a year and advertises 600 euros in 2020 and 300 in 2023; A2 advertises but delivers no invoices.

    Of what is expected, which begins in 2020, only what comes from `expected_since` on is computed with.
    """
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
        "expected": pl.DataFrame(
            [row for row in expected if row[1] >= expected_since], schema=["organisation_id", "month", "present"], orient="row"
        ),
        "expected_first": pl.DataFrame({"month": months[:1]}),
        "procedure_start": pl.DataFrame(calls, schema=names, orient="row"),
    }
    contributions = spend_openness.compute(measures, Parameters(frame=frame))
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


def test_a_window_rests_on_the_first_month_of_all_not_of_those_computed_together() -> None:
    """Nobody is expected in the first of the window's years: what is known of the years before does not depend on the run."""
    found = cells(expected_since=date(2023, 1, 1)).filter(figure_id="publication_rate_spend", level="national")
    assert dict(found.select(pl.col("period_start").dt.year(), "reason").iter_rows())[2024] is None


ALWAYS = (date(1900, 1, 1), date(9999, 12, 31))


def coverage(frame: tuple[tuple[str, date, date], ...]) -> dict[int, tuple[object, ...]]:
    """numerator, denominator, covered, asked and reason of the nation by year."""
    found = cells(frame).filter((pl.col("figure_id") == "open_invoice_coverage") & (pl.col("level") == "national"))
    assert set(found["period_kind"]) <= {"year"}
    names = ("numerator", "denominator", "covered", "asked", "reason")
    return {row["period_start"].year: tuple(row[name] for name in names) for row in found.to_dicts()}


def test_organisations_of_the_frame_with_data_over_those_in_the_frame() -> None:
    """A1 delivers, A2 is missing, A3 never delivered anything."""
    frame = tuple((organisation, *ALWAYS) for organisation in ("A1", "A2", "A3"))
    assert coverage(frame) == dict.fromkeys(YEARS, (1, 3, 3, 3, None))
    assert "organisation" not in set(cells(frame)["level"])


def test_the_frame_is_that_of_the_years_last_day() -> None:
    frame = (("A1", *ALWAYS), ("A2", ALWAYS[0], date(2022, 6, 30)), ("A3", date(2023, 12, 31), ALWAYS[1]))
    shares = {year: row[:2] for year, row in coverage(frame).items()}
    assert shares == {2020: (1, 2), 2021: (1, 2), 2022: (1, 1), 2023: (1, 2), 2024: (1, 2)}


def test_who_delivers_outside_the_frame_lowers_the_coverage_and_not_the_share() -> None:
    assert coverage((("A2", *ALWAYS), ("A3", *ALWAYS)))[2024] == (0, 2, 2, 3, None)


def test_without_a_frame_nothing_can_be_said() -> None:
    assert coverage(()) == dict.fromkeys(YEARS, (None, None, 0, 2, "no_frame"))


def test_the_frame_is_read_from_the_register() -> None:
    header = "organisation_id,name_fi,sector,valid_from,valid_to,in_frame\n"
    rows = "900,Yksi,municipality,,2022-12-31,yes\n900,Yksi,municipality,2023-01-01,,no\n901,Kaksi,municipality,,,\n"
    frame = parameters_of(Reference.load({"organisations.csv": header + rows})).frame
    assert [item for item in frame if item[0] in ("900", "901")] == [("900", date(1900, 1, 1), date(2022, 12, 31))]


@pytest.mark.parametrize("row", ["900,Yksi,municipality,,,maybe", "900,Yksi,municipality,1.1.2020,,yes"])
def test_a_frame_that_cannot_be_read_names_file_and_row(row: str) -> None:
    header = "organisation_id,name_fi,sector,valid_from,valid_to,in_frame\n"
    with pytest.raises(ConfigurationError, match=r"organisations.csv, row \d+"):
        parameters_of(Reference.load({"organisations.csv": header + row + "\n"}))
