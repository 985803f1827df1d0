"""The memory of disclosure control: what publications withheld, what the last one told, and on what content they decided.

What was told and withheld stands in the history of figures. `figure.truth` holds the protected figures before protection, as of
now and as of the last publication that is out; `figure.protection` the marks of the contents that publications decided on. None
of it is ever published.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from warehouse.figures import CONTENT_HASH, KEY, SETTLED
from warehouse.store import Store, quoted

SAME_CELL = "figure_id, variant, scope, breakdown_kind, breakdown_id, level, level_id, period_kind, period_start"


def remembered(store: Store, figure_ids: Collection[str], years: Sequence[int], publication_no: int) -> pl.DataFrame:
    """Cells of some figures and years that a publication before `publication_no` withheld."""
    return store.frame(
        f"SELECT DISTINCT {SAME_CELL} FROM figure.history WHERE status = 'suppressed' AND panel = 'all' AND {_of(figure_ids, years)} "
        "AND valid_from_no < ? ORDER BY ALL",
        [publication_no],
    )


def former(store: Store, figure_ids: Collection[str], years: Sequence[int], publication_no: int) -> pl.DataFrame:
    """What the publication before `publication_no` told of some figures and years in the open file, and behind_n: the units
    behind each row then (null: not known)."""
    then = "valid_from_no < $1 AND (valid_to_no IS NULL OR valid_to_no >= $1)"
    return store.frame(
        f"SELECT {SAME_CELL}, status, numerator, denominator, h.n, t.n AS behind_n FROM (SELECT * FROM figure.history "
        f"WHERE NOT is_restricted AND panel = 'all' AND {_of(figure_ids, years)} AND {then}) h "
        f"LEFT JOIN (SELECT {SAME_CELL}, n FROM figure.truth WHERE {then}) t USING ({SAME_CELL}) ORDER BY ALL",
        [publication_no],
    )


def as_withheld(store: Store, figure_ids: Collection[str], years: Sequence[int], publication_no: int) -> pl.DataFrame:
    """Cells of some figures and years that publication `publication_no` withheld in the open file."""
    return store.frame(
        f"SELECT DISTINCT {SAME_CELL} FROM figure.history WHERE status = 'suppressed' AND NOT is_restricted AND panel = 'all' "
        f"AND {_of(figure_ids, years)} AND valid_from_no <= $1 AND (valid_to_no IS NULL OR valid_to_no > $1)",
        [publication_no],
    )


def is_new(store: Store) -> bool:
    """Whether no publication has been remembered yet."""
    return not store.scalar("SELECT count(*) FROM figure.protection")


def decided(store: Store, table_name: str, year: int, mark: str, publication_no: int) -> int | None:
    """The last publication before `publication_no` that decided on a table's and year's content of that mark."""
    found = store.scalar(
        "SELECT max(publication_no) FROM figure.protection WHERE table_name = ? AND year = ? AND mark = ? AND publication_no < ?",
        [table_name, year, mark, publication_no],
    )
    return None if found is None else int(found)


def remember(store: Store, marks: pl.DataFrame, years: Collection[int], publication_no: int) -> None:
    """Keep the marks (table_name, year, mark) of the years that a publication tells anew."""
    store.con.execute(
        "DELETE FROM figure.protection WHERE publication_no = ? AND list_contains(?, year)", [publication_no, list(years)]
    )
    wanted = marks.filter(pl.col("year").is_in(list(years)))
    store.append("figure.protection", wanted.with_columns(publication_no=pl.lit(publication_no, pl.Int32)))


def keep_truth(store: Store, settled: pl.DataFrame, periods: pl.DataFrame, figure_ids: Collection[str], publication_no: int) -> None:
    """Keep the protected figures `figure_ids` of `periods` before protection; those of other figures go.

    What the last publication rested on stays beside what this one rests on until the next one is made.
    """
    names = ", ".join(f'"{name}"' for name in SETTLED)
    on = " AND ".join(f't."{name}" = n."{name}"' for name in KEY)
    inside = f"figure_id IN ({', '.join(quoted(name) for name in figure_ids)}) AND (period_kind, period_start) IN (FROM true_period)"
    with store.relation("settled", settled.select(SETTLED)), store.relation("true_period", periods.select("period_kind", "period_start")):
        store.con.execute(
            f"""
            DELETE FROM figure.truth WHERE valid_to_no < {publication_no};
            DELETE FROM figure.truth WHERE valid_from_no = {publication_no} AND {inside};
            UPDATE figure.truth SET valid_to_no = NULL WHERE valid_to_no = {publication_no} AND {inside};
            CREATE OR REPLACE TEMP TABLE new_truth AS SELECT {names}, {CONTENT_HASH} AS content_hash FROM settled;
            UPDATE figure.truth t SET valid_to_no = {publication_no} WHERE valid_to_no IS NULL AND {inside}
                AND NOT EXISTS (FROM new_truth n WHERE {on} AND t.content_hash = n.content_hash);
            INSERT INTO figure.truth BY NAME SELECT n.*, {publication_no} AS valid_from_no FROM new_truth n
                ANTI JOIN (FROM figure.truth WHERE valid_to_no IS NULL) t ON {on};
            UPDATE figure.truth SET valid_to_no = {publication_no} WHERE valid_to_no IS NULL
                AND figure_id NOT IN ({", ".join(quoted(name) for name in figure_ids)});
            """
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
