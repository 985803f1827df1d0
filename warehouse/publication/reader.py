"""Reading the published file as every dashboard does: read-only, by the link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import polars as pl

from schemas.errors import Damage, Damaged, UsageError
from warehouse.home import Home
from warehouse.publication import condition, generations


def query(
    home: Home, sql: str, parameters: Sequence[object] = (), relations: Mapping[str, pl.DataFrame] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query on the published file, as dicts; `relations` can be named in it like tables.

    Raises UsageError when nothing is published yet, Damaged when the file is lost or cannot be read.
    """
    path = home.published_file
    if not path.exists():
        if generations.newest_on_disk(home):
            raise Damaged(Damage(str(path.relative_to(home.root)), "leads nowhere", condition.CURE))
        raise UsageError(f"nothing is published in {home.root} yet; run `nyckeltal nightly` first")
    # the link is resolved here: the instance cache of a process is keyed by path
    try:
        con = duckdb.connect(str(path.resolve()), read_only=True)
    except duckdb.Error as error:
        lost = Damage(str(path.resolve().relative_to(home.root)), f"cannot be opened ({type(error).__name__})", condition.CURE)
        raise Damaged(lost) from error
    try:
        for name, frame in (relations or {}).items():
            con.register(name, frame.to_arrow())
        cursor = con.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        con.close()
