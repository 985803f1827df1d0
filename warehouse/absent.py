"""Cells that stand for figures without any: one national row of a year per figure, with the reason, so that none is missing."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from schemas.key_figure import CELL
from warehouse.store import Store


def present(store: Store, reasons: Collection[str]) -> set[str]:
    """Figures with a national cell that says more than one of `reasons`."""
    rows = store.rows(
        "SELECT DISTINCT figure_id FROM figure.cell WHERE level = 'national' AND NOT list_contains(?, coalesce(reason, ''))",
        [list(reasons)],
    )
    return {row["figure_id"] for row in rows}


def replace(store: Store, cells: pl.DataFrame, reasons: Collection[str]) -> pl.DataFrame:
    """Bring the cells with one of `reasons` in line with `cells` (CELL rows); returns period_kind, period_start of what changed."""
    names = CELL.polars_schema().names()
    columns = ", ".join(f'"{name}"' for name in names)
    held = f"(SELECT {columns} FROM figure.cell WHERE list_contains($1, reason))"
    with store.relation("absent_cell", cells.select(names).cast(CELL.polars_schema())):
        absent = f"(SELECT {columns} FROM absent_cell)"
        changed = store.frame(
            f"SELECT DISTINCT period_kind, period_start FROM ((FROM {held} EXCEPT FROM {absent}) "
            f"UNION ALL (FROM {absent} EXCEPT FROM {held}))",
            [list(reasons)],
        )
    if changed.height:
        store.con.execute("DELETE FROM figure.cell WHERE list_contains(?, reason)", [list(reasons)])
        store.append("figure.cell", cells.select(names))
    return changed
