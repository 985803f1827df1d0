"""A warehouse whose history of figures is written by hand, for what is worked out from it alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from schemas.key_figure import KEY_FIGURE
from transforms import periods
from warehouse import figures, ledger, store
from warehouse.home import Home

PLAIN: Mapping[str, Any] = {
    "figure_id": "single_bid_share",
    "version": 1,
    "variant": "",
    "scope": "ted",
    "panel": "all",
    "level": "national",
    "level_id": "FI",
    "breakdown_kind": "",
    "breakdown_id": "",
    "period_kind": "year",
    "period_start": date(2023, 1, 1),
    "unit": "share",
    "value": Decimal("0.09"),
    "n": 100,
    "status": "final",
    "light": "green",
    "trend": "none",
    "mix_flag": False,
    "break_flag": False,
    "target": Decimal("0.1"),
    "target_operator": "<=",
}


@contextmanager
def warehouse(root: Path) -> Iterator[store.Store]:
    """An empty warehouse with the figure tables, open for writing."""
    home = Home(root)
    home.create()
    with store.writing(home) as opened:
        yield opened


def publish(opened: store.Store, number: int, rows: Iterable[Mapping[str, Any]], as_of: date = date(2030, 1, 1)) -> None:
    """Bring the history of the rows' periods in line with them, as publication `number`; periods not named stay."""
    schema = pl.Schema({name: KEY_FIGURE.polars_schema()[name] for name in figures.SETTLED})
    full = []
    for row in rows:
        merged = {**dict.fromkeys(schema.names()), **PLAIN, **row}
        merged["period_end"] = periods.period(merged["period_kind"], merged["period_start"])[2]
        full.append(merged)
    frame = pl.DataFrame(full, schema=schema)
    with opened.transaction():
        figures.revise(opened, frame, frame.select("period_kind", "period_start").unique(), number, "all")
        ledger.set_state(opened, "as_of", as_of.isoformat())
        opened.con.execute("INSERT INTO ledger.publication VALUES (?, now()::TIMESTAMP, ?, '', 0, 0, true)", [number, as_of])
