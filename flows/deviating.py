"""Deviating: the months that a publication opened, judged against their own history (METHOD 8)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import polars as pl

from schemas.reference import Reference
from transforms import deviation
from transforms.key_figures import DEFINITIONS
from warehouse import deviations, ledger
from warehouse.store import Store


def judge(store: Store, reference: Reference, publication_no: int) -> int:
    """Judge what publication `publication_no` opened and keep the verdicts; returns how many months were flagged.

    Called inside the transaction that revised the history, after it. Where none was judged yet, every month is.
    """
    count = deviations.find_due(store, publication_no, everything=deviations.has_none(store))
    if not count:
        return 0
    facts, breaks, flagged = _facts(), _breaks(reference), 0
    as_of = ledger.state(store, "as_of") or date.max.isoformat()
    for rows in deviations.windows(store, count, facts, date.fromisoformat(as_of)):
        verdicts = deviation.judge(rows.cast(deviation.INPUT), breaks)
        deviations.keep(store, verdicts, facts, publication_no)
        flagged += verdicts.filter(status="flagged").height
    return flagged


def _facts() -> pl.DataFrame:
    """figure_id, closing, in_counts of every figure."""
    rows = [(figure.figure_id, figure.closing, figure.denominator_quantity == "count") for figure in DEFINITIONS.values()]
    return pl.DataFrame(rows, schema={"figure_id": pl.String, "closing": pl.String, "in_counts": pl.Boolean}, orient="row")


def _breaks(reference: Reference) -> dict[str, list[date]]:
    """Days on which the series of a figure, or of one of its variants or breakdowns, break: no history reaches across."""
    found: dict[str, list[date]] = defaultdict(list)
    for row in reference.table("catalogue/breaks.csv").iter_rows(named=True):
        found[row["figure_id"]].append(date.fromisoformat(row["break_date"]))
    return found
