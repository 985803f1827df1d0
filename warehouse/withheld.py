"""What publications withheld, and what the last one told: the memory of disclosure control is the history of figures itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from warehouse.store import Store

SAME_CELL = "figure_id, variant, scope, breakdown_kind, breakdown_id, level, level_id, period_kind, period_start"


def remembered(store: Store, figure_ids: Collection[str], years: Sequence[int], publication_no: int) -> pl.DataFrame:
    """Cells of some figures and years that a publication before `publication_no` withheld."""
    return store.frame(
        f"SELECT DISTINCT {SAME_CELL} FROM figure.history WHERE status = 'suppressed' AND panel = 'all' AND {_of(figure_ids, years)} "
        "AND valid_from_no < ? ORDER BY ALL",
        [publication_no],
    )


def former(store: Store, figure_ids: Collection[str], years: Sequence[int], publication_no: int) -> pl.DataFrame:
    """What the publication before `publication_no` told of some figures and years in the open file."""
    return store.frame(
        f"SELECT {SAME_CELL}, status, numerator, denominator, n FROM figure.history WHERE NOT is_restricted AND panel = 'all' "
        f"AND {_of(figure_ids, years)} AND valid_from_no < $1 AND (valid_to_no IS NULL OR valid_to_no >= $1) ORDER BY ALL",
        [publication_no],
    )


def _of(figure_ids: Collection[str], years: Sequence[int]) -> str:
    ids, numbers = ", ".join(f"'{name}'" for name in figure_ids), ", ".join(str(int(year)) for year in years)
    return f"figure_id IN ({ids}) AND year(period_start) IN ({numbers})"


def behind(store: Store, table: str, column: str, periods: pl.DataFrame) -> pl.DataFrame:
    """period_kind, period_start, contributors, largest: how many a measure's column names, and the most rows of one of them."""
    table, column = (name.replace('"', '""') for name in (table, column))
    with store.relation("wanted_period", periods):
        return store.frame(
            f'SELECT period_kind, period_start, count(*) AS contributors, max(rows_n) AS largest FROM (SELECT period_kind, period_start, "{column}", '
            f'count(*) AS rows_n FROM measure."{table}" JOIN wanted_period ON month BETWEEN period_start AND period_end '
            f'WHERE "{column}" IS NOT NULL GROUP BY ALL) GROUP BY ALL'
        )
