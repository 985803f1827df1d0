"""Deviations of monthly figures: what is to be judged, and the verdicts with their fences, frozen at the publication that
gave them.

Judging itself is transforms/deviation. A month judged once is judged again only when its value was revised; one that had too
little history, when its series changed in the months before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import polars as pl

from schemas.key_figure import KEY_FIGURE
from warehouse.store import Store

LEVELS = ("national", "sector", "branch", "region")
"""Levels judged; single organisations are too many and too small."""
SERIES = tuple(name for name in KEY_FIGURE.primary_key if name not in ("period_kind", "period_start"))
HISTORY_MONTHS = 48
WHOLE = 0.99
"""Coverage from which an amount or a number of a form is complete: what trends take for the same coverage."""
SERIES_AT_ONCE = 20_000
"""Series handed over together, for the sake of memory."""

_SERIES = ", ".join(SERIES)
_MONTHLY = f"h.period_kind = 'month' AND h.level IN ({', '.join(repr(level) for level in LEVELS)})"
_SUBJECT = f"concat_ws('/', {_SERIES}, month)"


def has_none(store: Store) -> bool:
    """Whether no month has been judged yet."""
    return not store.scalar("SELECT count(*) FROM (FROM figure.deviation LIMIT 1)")


def find_due(store: Store, publication_no: int, everything: bool) -> int:
    """Temporary tables `due` (series, month) and `due_series` (series and its key): months that publication opened, or all,
    whose value was not judged yet, and later months that had too little history. Returns how many series there are.

    Verdicts on months that have no value any more go.
    """
    same = " AND ".join(f"d.{name} = g.{name}" for name in (*SERIES, "month"))
    opened = "" if everything else f"AND h.valid_from_no = {publication_no}"
    store.con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE opened AS
        SELECT {_SERIES}, period_start AS month, value FROM figure.history h
        WHERE {_MONTHLY} AND h.valid_to_no IS NULL AND h.value IS NOT NULL {opened};
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT DISTINCT {_SERIES}, period_start AS month FROM figure.history h
        WHERE {_MONTHLY} AND h.valid_to_no = {publication_no}
        EXCEPT SELECT {_SERIES}, period_start FROM figure.history h WHERE {_MONTHLY} AND h.valid_to_no IS NULL AND h.value IS NOT NULL;
        DELETE FROM figure.deviation d USING gone g WHERE {same};
        CREATE OR REPLACE TEMP TABLE due_cell AS
        SELECT {_SERIES}, month FROM opened o ANTI JOIN
            (FROM figure.deviation WHERE status <> 'too_little_history') d USING ({_SERIES}, month, value)
        UNION
        SELECT {_SERIES}, month FROM figure.deviation d
        JOIN (SELECT {_SERIES}, min(month) AS first, max(month) AS last FROM opened GROUP BY ALL) USING ({_SERIES})
        WHERE d.status = 'too_little_history' AND d.month BETWEEN first AND last + INTERVAL {HISTORY_MONTHS} MONTH;
        CREATE OR REPLACE TEMP TABLE due_series AS
        SELECT (row_number() OVER (ORDER BY {_SERIES}) - 1)::UINTEGER AS series, *
        FROM (SELECT {_SERIES}, min(month) AS first, max(month) AS last FROM due_cell GROUP BY ALL);
        CREATE OR REPLACE TEMP TABLE due AS SELECT series, month FROM due_cell JOIN due_series USING ({_SERIES});
        """
    )
    return int(store.scalar("SELECT count(*) FROM due_series"))


def windows(store: Store, count: int, facts: pl.DataFrame, as_of: date) -> Iterator[pl.DataFrame]:
    """The months of the `count` series found due, with the history they rest on (INPUT of transforms/deviation).

    `facts`: figure_id, closing, in_counts (a share of counts, not of euros). A month of invoices is usable when every
    expected organisation of the level is there, one of notices when it has closed, one of forms when it has closed and, of an
    amount or a number, all of it is there (of shares and means what is known stands for the rest).
    """
    store.con.execute("CREATE OR REPLACE TEMP TABLE complete (level VARCHAR, level_id VARCHAR, month DATE, is_complete BOOLEAN)")
    if (
        store.scalar(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'figure' AND table_name IN ('expected', 'membership')"
        )
        == 2
    ):
        store.con.execute(
            "INSERT INTO complete SELECT m.level, m.level_id, e.month, bool_and(e.present) FROM figure.expected e "
            "JOIN figure.membership m USING (organisation_id) WHERE last_day(e.month) BETWEEN m.valid_from AND m.valid_to GROUP BY ALL"
        )
    for low in range(0, count, SERIES_AT_ONCE):
        with store.relation("fact", facts):
            yield store.frame(
                f"""
                SELECT s.series, h.figure_id, h.period_start AS month,
                    CASE WHEN h.unit <> 'share' THEN h.value WHEN f.in_counts THEN h.numerator ELSE h.value * h.n END::DOUBLE AS x,
                    CASE WHEN f.in_counts THEN h.denominator ELSE h.n END::DOUBLE AS n, h.unit = 'share' AS is_share,
                    h.value IS NOT NULL AND h.period_end < ? AND CASE f.closing WHEN 'notices' THEN h.status = 'final'
                        WHEN 'invoices' THEN coalesce(c.is_complete, false)
                        ELSE h.status = 'final' AND (h.unit NOT IN ('eur', 'count') OR coalesce(h.coverage, 0) >= {WHOLE}) END AS is_usable,
                    u.series IS NULL AND coalesce(d.status = 'flagged', false) AS was_flagged, u.series IS NOT NULL AS is_due
                FROM figure.history h JOIN due_series s USING ({_SERIES}) JOIN fact f USING (figure_id)
                LEFT JOIN due u ON u.series = s.series AND u.month = h.period_start
                LEFT JOIN complete c ON c.level = h.level AND c.level_id = h.level_id AND c.month = h.period_start
                LEFT JOIN figure.deviation d ON {" AND ".join(f"d.{name} = h.{name}" for name in SERIES)} AND d.month = h.period_start
                WHERE h.valid_to_no IS NULL AND h.period_kind = 'month' AND s.series BETWEEN {low} AND {low + SERIES_AT_ONCE - 1}
                  AND h.period_start BETWEEN s.first - INTERVAL {HISTORY_MONTHS} MONTH AND s.last
                """,
                [as_of],
            )


def keep(store: Store, verdicts: pl.DataFrame, facts: pl.DataFrame, publication_no: int) -> None:
    """Write verdicts (OUTPUT of transforms/deviation) in place of former ones, with their effect in EUR where there is one."""
    with store.relation("verdict", verdicts), store.relation("fact", facts):
        store.con.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE judged AS
            SELECT h.* FROM verdict v JOIN due_series s USING (series)
            JOIN (SELECT {_SERIES}, period_start AS month, unit, value, denominator FROM figure.history h
                  WHERE {_MONTHLY} AND h.valid_to_no IS NULL) h ON {" AND ".join(f"h.{name} = s.{name}" for name in SERIES)} AND h.month = v.month;
            DELETE FROM figure.deviation d USING judged g WHERE {" AND ".join(f"d.{name} = g.{name}" for name in (*SERIES, "month"))};
            INSERT INTO figure.deviation BY NAME
            SELECT {", ".join(f"s.{name}" for name in SERIES)}, v.month, g.unit, g.value, v.expected, v.fence_low, v.fence_high, v.residual, v.status,
                round(CASE WHEN g.unit = 'eur' THEN g.value - v.expected
                    WHEN g.unit = 'share' AND NOT f.in_counts THEN (g.value - v.expected) * g.denominator END, 2) AS effect_eur,
                {publication_no} AS judged_no
            FROM verdict v JOIN due_series s USING (series) JOIN judged g ON {" AND ".join(f"g.{name} = s.{name}" for name in SERIES)}
                AND g.month = v.month JOIN fact f ON f.figure_id = s.figure_id
            """
        )


def newly_flagged(store: Store, publication_no: int, limit: int) -> list[dict[str, Any]]:
    """Months that a publication flagged and that are the newest of their series: largest effect in EUR first, then those
    without one, farthest from their fence first. With `subject`, which names the series and the month."""
    return store.rows(
        f"SELECT *, {_SUBJECT} AS subject FROM figure.deviation d WHERE judged_no = ? AND status = 'flagged' AND NOT EXISTS "
        f"(FROM figure.deviation l WHERE {' AND '.join(f'l.{name} = d.{name}' for name in SERIES)} AND l.month > d.month) "
        "ORDER BY abs(effect_eur) DESC NULLS LAST, abs(residual) DESC, subject LIMIT ?",
        [publication_no, limit],
    )


def still_flagged(store: Store, subjects: Collection[str]) -> set[str]:
    """Which of some subjects still stand flagged."""
    if not subjects:
        return set()
    marks = ", ".join("?" * len(subjects))
    sql = f"SELECT {_SUBJECT} AS subject FROM figure.deviation WHERE status = 'flagged' AND subject IN ({marks})"
    return {row["subject"] for row in store.rows(sql, list(subjects))}


def published(store: Store, publication_no: int | None) -> pl.DataFrame:
    """Verdicts for publication: all, or those whose cell changed or was judged in a publication."""
    where = "" if publication_no is None else f"SEMI JOIN ({_moved(publication_no)}) USING ({_SERIES}, month)"
    return store.frame(
        f"SELECT {_SERIES}, month, unit, value, expected, fence_low, fence_high, residual, status, effect_eur, "
        f"judged_no FROM figure.deviation {where} ORDER BY ALL"
    )


def moved(store: Store, publication_no: int) -> pl.DataFrame:
    """Series and month of the cells that changed or were judged in a publication."""
    return store.frame(_moved(publication_no))


def _moved(publication_no: int) -> str:
    return (
        f"SELECT {_SERIES}, period_start AS month FROM figure.history h WHERE {_MONTHLY} AND "
        f"{publication_no} IN (h.valid_from_no, h.valid_to_no) UNION SELECT {_SERIES}, month FROM figure.deviation "
        f"WHERE judged_no = {publication_no}"
    )
