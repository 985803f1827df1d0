"""Definitions and cells for tests of settling: an ordinary figure of each aggregate, an ordinary national year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from schemas.key_figure import KeyFigure


def share(figure_id: str = "test_share") -> KeyFigure:
    return KeyFigure(
        figure_id=figure_id,
        version=1,
        name={"fi": "f", "sv": "s", "en": "e"},
        definition={"fi": "f", "sv": "s", "en": "e"},
        unit="share",
        direction="down",
        sources=("procurement_notices",),
        aggregate="ratio",
        numerator="hits",
        denominator="all",
        standing="proposal",
        origin="test",
        coverage_text="known of all",
        closing="notices",
        scopes=("ted",),
    )


def spend(figure_id: str = "test_spend") -> KeyFigure:
    figure = share(figure_id)
    return replace(figure, unit="eur", aggregate="sum", denominator=None, numerator_quantity="cent", closing="invoices")


def median() -> KeyFigure:
    return replace(share("test_median"), unit="days", aggregate="median", denominator=None)


def distinct() -> KeyFigure:
    return replace(share("test_distinct"), unit="count", aggregate="distinct", denominator=None)


def cell_row(figure_id: str, **values: object) -> dict[str, object]:
    """A CELL row of the nation in 2024 that rests on a hundred of a hundred."""
    row: dict[str, object] = {
        "figure_id": figure_id,
        "variant": "",
        "scope": "ted",
        "breakdown_kind": "",
        "breakdown_id": "",
        "level": "national",
        "level_id": "FI",
        "period_kind": "year",
        "period_start": date(2024, 1, 1),
        "numerator": None,
        "denominator": None,
        "direct_value": None,
        "n": 100,
        "covered": 100,
        "asked": 100,
        "reason": None,
    }
    return row | values
