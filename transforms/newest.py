"""What counts of a keyed source that is kept whole: of the rows of one unit, those of its newest delivery.

A contract's table says what a unit is (one case; one organisation's return of one year; one wave of one survey) and by which
columns its rows are newer than others (a time of change). Otherwise the production time of the delivery decides, then its id,
so that any order of arrival ends alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Contract

NEWEST = ("produced_at", "delivery_id")


def newest(contract: Contract, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The rows of each table that count, sorted by the table's key and line; tables without a unit pass as they are."""
    found = {}
    for table in contract.tables:
        frame = tables[table.name]
        if table.unit:
            marks = [*table.newest_by, *NEWEST]
            best = (
                frame.select(*table.unit, *marks)
                .sort(marks, descending=True, nulls_last=True)
                .unique(list(table.unit), keep="first", maintain_order=True)
            )
            frame = frame.join(best, on=[*table.unit, *marks], how="semi", nulls_equal=True)
        found[table.name] = frame.sort(*(name for name in (*table.primary_key, "source_line") if name in frame.columns))
    return found
