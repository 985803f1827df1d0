"""Reading the published file as every dashboard does: read-only, by the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import polars as pl

from schemas.errors import UsageError
from warehouse.home import Home


def query(
    home: Home, sql: str, parameters: Sequence[object] = (), relations: Mapping[str, pl.DataFrame] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query on the published file, as dicts; `relations` can be named in it like tables.

    Raises UsageError when nothing is published yet.
    """
    path = home.published_file
    if not path.exists():
        raise UsageError(f"nothing is published in {home.root} yet; run `nyckeltal nightly` first")
    # the link is resolved here: the instance cache of a process is keyed by path
    con = duckdb.connect(str(path.resolve()), read_only=True)
    try:
        for name, frame in (relations or {}).items():
            con.register(name, frame.to_arrow())
        cursor = con.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        con.close()
