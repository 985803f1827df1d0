"""Drawn panels in the warehouse: which there are, who stands in them, and the growth within them.

Drawing itself is transforms/panel. A panel that is final is never written again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from warehouse.store import Store


def drawn(store: Store) -> pl.DataFrame:
    """panel, panel_year, drawn_on, is_final."""
    return store.frame("FROM figure.panel ORDER BY ALL")


def members(store: Store) -> pl.DataFrame:
    """Members of all drawn panels."""
    return store.frame("FROM figure.panel_member ORDER BY ALL")


def redraw(store: Store, panels: pl.DataFrame, rows: pl.DataFrame) -> None:
    """Write panels (as `drawn`) and their members in place of every panel that is not final."""
    store.con.execute(
        "DELETE FROM figure.panel_member m WHERE NOT EXISTS "
        "(FROM figure.panel p WHERE p.is_final AND p.panel = m.panel AND p.panel_year = m.panel_year)"
    )
    store.con.execute("DELETE FROM figure.panel WHERE NOT is_final")
    store.append("figure.panel", panels)
    store.append("figure.panel_member", rows)


def keep_growth(store: Store, rows: pl.DataFrame, years: Collection[int]) -> None:
    """Write the growth into some years anew, that of all drawn panels."""
    store.con.execute("DELETE FROM figure.panel_growth WHERE list_contains(?, year)", [list(years)])
    store.append("figure.panel_growth", rows)


def growth(store: Store) -> pl.DataFrame:
    """The growth within all drawn panels."""
    return store.frame("FROM figure.panel_growth ORDER BY ALL")


def whole_cells(store: Store, figure_ids: Collection[str], levels: Sequence[str], periods: pl.DataFrame) -> pl.DataFrame:
    """Cells over all units of some figures at some levels in some periods (period_kind, period_start)."""
    ids, places = (", ".join(f"'{name}'" for name in names) for names in (sorted(figure_ids), levels))
    with store.relation("wanted_period", periods.select("period_kind", "period_start").unique()):
        return store.frame(
            f"FROM figure.cell SEMI JOIN wanted_period USING (period_kind, period_start) "
            f"WHERE figure_id IN ({ids}) AND level IN ({places})"
        )
