"""No figure is missing from the national table: what has no national cell gets one that says why.

no_source        no source lets the figure be computed (its definition says what it waits for)
no_delivery      nothing was delivered of its first source
nothing_counted  deliveries are there, but nothing in them that the figure counts

The cell is that of the last full year; it follows from what is there alone, not from the way to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import polars as pl

from schemas.key_figure import CELL, NATIONAL, KeyFigure
from transforms import periods
from warehouse import absent
from warehouse.store import Store

REASONS = ("no_source", "no_delivery", "nothing_counted")


def fill_in(store: Store, definitions: Mapping[str, KeyFigure], delivered: Collection[str], as_of: date) -> pl.DataFrame:
    """Bring these cells up to date; returns the periods (periods.SCHEMA) in which that changed anything.

    `delivered`: the sources that have data.
    """
    there = absent.present(store, REASONS)
    year = date(as_of.year - 1, 1, 1)
    rows = [_cell(figure, year, delivered) for figure_id, figure in sorted(definitions.items()) if figure_id not in there]
    changed = absent.replace(store, pl.DataFrame(rows, schema=CELL.polars_schema(), orient="row"), REASONS)
    return periods.of(changed.iter_rows())


def _cell(figure: KeyFigure, year: date, delivered: Collection[str]) -> dict[str, object]:
    reason = "no_source" if figure.waits_for else "nothing_counted" if figure.sources[0] in delivered else "no_delivery"
    return {
        "figure_id": figure.figure_id,
        "variant": figure.variants[0],
        "scope": figure.scopes[0],
        "breakdown_kind": "",
        "breakdown_id": "",
        "level": "national",
        "level_id": NATIONAL,
        "period_kind": "year",
        "period_start": year,
        "n": 0,
        "covered": 0,
        "asked": 0,
        "reason": reason,
    }
