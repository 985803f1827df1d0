"""What publications withheld, and what the last one told: the memory of disclosure control is the history of figures itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from warehouse.figures import KEY, SETTLED
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


TOLD = ("value", "numerator", "denominator", "n", "coverage", "organisation_median", "organisation_q1", "organisation_q3")
"""What a withheld row does not tell; status, reason, light and trend say so."""


def as_published(store: Store, publication_no: int) -> pl.DataFrame:
    """The figures of the open file as a past publication had them, with revision_no.

    What a later publication withheld is withheld here too: suppressed stays suppressed in every publication (METHOD 5).
    """
    cell = [name for name in KEY if name != "version"]
    withheld = {name: f"CASE WHEN is_withheld THEN NULL ELSE {name} END" for name in TOLD}
    withheld |= {name: f"CASE WHEN is_withheld THEN 'none' ELSE {name} END" for name in ("light", "trend")}
    withheld |= {
        "status": "CASE WHEN is_withheld THEN 'suppressed' ELSE status END",
        "reason": "CASE WHEN is_withheld THEN 'disclosure' ELSE reason END",
        "mix_flag": "mix_flag AND NOT is_withheld",
    }
    names = ", ".join(f'{withheld.get(name, name)} AS "{name}"' for name in (*SETTLED, "revision_no"))
    same = " AND ".join(f'w."{name}" = h."{name}"' for name in cell)
    return store.frame(
        f"SELECT {names} FROM (SELECT h.*, EXISTS (SELECT 1 FROM figure.history w WHERE w.status = 'suppressed' "
        f"AND NOT w.is_restricted AND {same}) AS is_withheld FROM figure.history h WHERE h.valid_from_no <= $1 "
        "AND coalesce(h.valid_to_no > $1, true) AND NOT h.is_restricted)",
        [publication_no],
    )
