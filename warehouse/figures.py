"""Key figures in the warehouse: cells by level and period, the settled figures, and their history by publication."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import date

import polars as pl

from schemas.key_figure import CELL, KEY_FIGURE
from warehouse.store import Store

KEY = KEY_FIGURE.primary_key
DERIVED = ("is_latest", "data_through", "level_name", "revision_no")
"""Columns that follow from the whole publication: not part of a cell's history, not compared between publications."""
SETTLED = tuple(name for name in KEY_FIGURE.polars_schema().names() if name not in DERIVED)
CONTENT = tuple(name for name in SETTLED if name not in KEY)

CONTENT_HASH = "md5_number(concat_ws(chr(31), " + ", ".join(f"coalesce(\"{name}\"::VARCHAR, '')" for name in SETTLED) + "))"
"""Hash of a row's content, as SQL: without revision numbers and times."""


def dirty_months(store: Store) -> pl.DataFrame:
    """source, month of what must be computed again."""
    return store.frame("SELECT DISTINCT source, month FROM ledger.dirty ORDER BY ALL")


def replace_cells(store: Store, cells: pl.DataFrame, figure_ids: Sequence[str], periods: pl.DataFrame) -> None:
    """Replace the cells of `figure_ids` in `periods` (period_kind, period_start)."""
    wanted = pl.DataFrame({"figure_id": list(figure_ids)}, schema={"figure_id": pl.String})
    with (
        store.relation("touched_figure", wanted),
        store.relation("touched_period", periods.select("period_kind", "period_start")),
    ):
        store.con.execute(
            "DELETE FROM figure.cell c USING touched_period p "
            "WHERE c.period_kind = p.period_kind AND c.period_start = p.period_start AND c.figure_id IN (SELECT figure_id FROM touched_figure)"
        )
    store.append("figure.cell", cells.select(CELL.polars_schema().names()))


def cells_in(store: Store, periods: pl.DataFrame, figure_ids: Collection[str]) -> pl.DataFrame:
    """Cells of some figures in some periods (period_kind, period_start)."""
    with store.relation("wanted_period", periods.select("period_kind", "period_start").unique()):
        return store.frame(
            f"SELECT c.* FROM figure.cell c SEMI JOIN wanted_period USING (period_kind, period_start) WHERE figure_id IN ({_quoted(figure_ids)})"
        )


def revise(
    store: Store,
    settled: pl.DataFrame,
    periods: pl.DataFrame,
    publication_no: int,
    panel: str,
    only: Collection[str] = (),
    never: Collection[str] = (),
) -> None:
    """Bring the history of a panel's `periods` in line with `settled`; of the figures `only`, if given, and `never` of others.

    A changed row closes the old one; `revision_no` rises only when the value is another than the one last published. Cells that
    are gone are closed. `settled` may say `is_restricted` (for the owner only).
    """
    if "is_restricted" not in settled.columns:
        settled = settled.with_columns(is_restricted=pl.lit(value=False))
    limits = [f"figure_id {word} ({_quoted(names)})" for word, names in (("IN", only), ("NOT IN", never)) if names]
    chosen = " AND ".join(["true", *limits])
    same = " AND ".join(f'h."{name}" IS NOT DISTINCT FROM s."{name}"' for name in (*CONTENT, "is_restricted"))
    on = " AND ".join(f'h."{name}" = s."{name}"' for name in KEY)
    names = ", ".join(f's."{name}"' for name in (*SETTLED, "is_restricted"))
    with (
        store.relation("settled", settled.select(*SETTLED, "is_restricted")),
        store.relation("settled_period", periods.select("period_kind", "period_start")),
    ):
        store.con.execute(
            "CREATE OR REPLACE TEMP TABLE known_row AS SELECT h.* FROM figure.history h "
            "SEMI JOIN settled_period USING (period_kind, period_start) WHERE h.panel = $1 "
            f"AND (h.valid_to_no IS NULL OR h.valid_to_no = $2) AND {chosen}",
            [panel, publication_no],
        )
        store.con.execute("CREATE OR REPLACE TEMP VIEW current_row AS FROM known_row WHERE valid_to_no IS NULL")
        # an attempt that was not published may have closed what was
        store.con.execute(f"CREATE OR REPLACE TEMP VIEW published_row AS FROM known_row WHERE valid_from_no < {publication_no}")
        store.con.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_row AS SELECT {names}, "
            "coalesce(p.revision_no + (p.value IS DISTINCT FROM s.value)::INTEGER, 0) AS revision_no "
            f"FROM settled s LEFT JOIN current_row h ON {on} LEFT JOIN published_row p ON {on.replace('h.', 'p.')} "
            f"WHERE h.figure_id IS NULL OR NOT ({same})"
        )
        store.con.execute(f"CREATE OR REPLACE TEMP TABLE gone_row AS SELECT h.* FROM current_row h ANTI JOIN settled s ON {on}")
    closing = " AND ".join(f'h."{name}" = c."{name}"' for name in KEY)
    for table in ("changed_row", "gone_row"):
        store.con.execute(
            f"UPDATE figure.history h SET valid_to_no = {publication_no} FROM {table} c WHERE h.valid_to_no IS NULL AND {closing}"
        )
    store.con.execute(
        f"INSERT INTO figure.history BY NAME SELECT *, {CONTENT_HASH} AS content_hash, "
        f"{publication_no} AS valid_from_no FROM changed_row"
    )
    # a row written and superseded within one unpublished attempt never was published
    store.con.execute("DELETE FROM figure.history WHERE valid_from_no = valid_to_no")


def current(store: Store) -> pl.DataFrame:
    """The figures of the open file as of now, with revision_no."""
    names = ", ".join(f'"{name}"' for name in (*SETTLED, "revision_no"))
    return store.frame(f"SELECT {names} FROM figure.history WHERE valid_to_no IS NULL AND NOT is_restricted")


def restricted(store: Store) -> pl.DataFrame:
    """The figures for their owners only as of now, with revision_no."""
    names = ", ".join(f'"{name}"' for name in (*SETTLED, "revision_no"))
    return store.frame(f"SELECT {names} FROM figure.history WHERE valid_to_no IS NULL AND is_restricted")


def restricted_changes(store: Store, publication_no: int) -> set[str]:
    """Owners whose own figures a publication changed."""
    rows = store.rows(
        "SELECT DISTINCT level_id FROM figure.history WHERE is_restricted AND (valid_from_no = $1 OR valid_to_no = $1)",
        [publication_no],
    )
    return {row["level_id"] for row in rows}


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def changes(store: Store, publication_no: int) -> tuple[int, int]:
    """Rows that a publication opens and closes."""
    row = store.rows(
        "SELECT count(*) FILTER (valid_from_no = $1) AS opened, count(*) FILTER (valid_to_no = $1) AS closed FROM figure.history",
        [publication_no],
    )[0]
    return row["opened"], row["closed"]


def delta(store: Store, publication_no: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that a publication opens in the open file (with revision_no), and the keys of those it closes."""
    names = ", ".join(f'"{name}"' for name in (*SETTLED, "revision_no"))
    opened = store.frame(
        f"SELECT {names} FROM figure.history WHERE valid_from_no = ? AND valid_to_no IS NULL AND NOT is_restricted",
        [publication_no],
    )
    key = ", ".join(f'"{name}"' for name in KEY)
    return opened, store.frame(f"SELECT {key} FROM figure.history WHERE valid_to_no = ?", [publication_no])


def largest_changes(store: Store, publication_no: int, limit: int) -> list[dict[str, object]]:
    """National figures that a publication changed, newest periods first: figure, period, former and new value, light."""
    same = " AND ".join(f'o."{name}" = n."{name}"' for name in KEY)
    return store.rows(
        f"SELECT n.figure_id, n.variant, n.scope, n.period_kind, n.period_start, o.value AS former, n.value, n.unit, n.status, n.light "
        f"FROM figure.history n LEFT JOIN figure.history o ON {same} AND o.valid_to_no = n.valid_from_no "
        "WHERE n.valid_from_no = ? AND n.valid_to_no IS NULL AND n.level = 'national' AND n.breakdown_kind = '' "
        "AND n.panel = 'all' AND n.value IS DISTINCT FROM o.value ORDER BY n.period_start DESC, n.figure_id, n.variant, n.scope, n.period_kind LIMIT ?",
        [publication_no, limit],
    )


def versions(store: Store) -> dict[str, int]:
    """figure_id -> version of its definition, of the figures that are published."""
    rows = store.rows("SELECT figure_id, max(version) AS version FROM figure.history WHERE valid_to_no IS NULL GROUP BY ALL")
    return {row["figure_id"]: row["version"] for row in rows}


def places(store: Store) -> pl.DataFrame:
    """level, level_id of the open figures in force."""
    return store.frame("SELECT DISTINCT level, level_id FROM figure.history WHERE valid_to_no IS NULL AND NOT is_restricted")


def fingerprint(store: Store) -> tuple[str, int]:
    """Hash of all current open figures, and how many they are: without revision numbers, times and order.

    The exclusive or of the rows' hashes: equal for equal content whatever the way to it. This one is published: it rests on
    nothing but what is told, for whoever knows all but one of the numbers behind a hash can find that one by trying.
    """
    return _mark(store, "SELECT content_hash FROM figure.history WHERE valid_to_no IS NULL AND NOT is_restricted")


def true_fingerprint(store: Store) -> str:
    """Hash of all current figures before protection, their owners' too: equal for equal data and code. For whoever may read the
    warehouse; it is never published."""
    mark, _ = _mark(
        store,
        "SELECT content_hash FROM figure.truth WHERE valid_to_no IS NULL UNION ALL "
        "SELECT content_hash FROM figure.history WHERE valid_to_no IS NULL "
        "AND figure_id NOT IN (SELECT DISTINCT figure_id FROM figure.truth WHERE valid_to_no IS NULL)",
    )
    return mark


def _mark(store: Store, hashes: str) -> tuple[str, int]:
    row = store.rows(f"SELECT bit_xor(content_hash) AS mark, count(*) AS cells FROM ({hashes})")[0]
    return hashlib.sha256(f"{row['cells']}:{row['mark'] or 0}".encode()).hexdigest(), row["cells"]


def counting(store: Store, agencies: pl.DataFrame, spans: pl.DataFrame, through: date | None) -> None:
    """Temporary tables `counting` (organisation_id, agency, period) and `expected` (organisation_id, month, present).

    `agencies`: agency, rank, frame_from, frame_to. An organisation is expected in every month of the frame of an agency that
    has delivered it, as long as it exists (`spans`: organisation_id, since, until); it is present when such an agency's slice
    is in force, rows or not (no rows is a true zero). Nothing is expected after the month `through` (None: no data).

    One copy counts: of the agencies that hold an organisation's month, the one with the lowest precedence number, then the
    first by name. An agency holds a month when it has rows of the organisation there, or when the organisation is its own
    and the slice is in force. A year slice holds all twelve months.
    """
    with store.relation("span_frame", spans):
        store.con.execute("CREATE OR REPLACE TEMP TABLE organisation_span AS FROM span_frame")
    with store.relation("rank_frame", agencies):
        store.con.execute("CREATE OR REPLACE TEMP TABLE agency_rank AS FROM rank_frame")
    store.con.execute("SET VARIABLE expected_through = ?::DATE", [through])
    store.con.execute(
        """
        CREATE OR REPLACE TEMP TABLE slice_month AS
        SELECT DISTINCT agency, CASE slice_kind WHEN 'month' THEN slice_period
            ELSE (date_trunc('year', slice_period) + to_months(m::INTEGER))::DATE END AS month
        FROM ledger.slice, range(12) r(m)
        WHERE valid_to IS NULL AND source = 'purchase_invoices' AND (slice_kind = 'year' OR m = 0);
        CREATE OR REPLACE TEMP TABLE held_month AS
        SELECT DISTINCT organisation_id, agency, CASE WHEN has_date THEN period
            ELSE (date_trunc('year', period) + to_months(m::INTEGER))::DATE END AS month
        FROM measure.spend_month, range(12) r(m) WHERE NOT has_date OR m = 0
        UNION
        SELECT o.organisation_id, o.agency, s.month FROM agency_own o JOIN slice_month s USING (agency);
        CREATE OR REPLACE TEMP TABLE counting AS
        SELECT organisation_id, month AS period, arg_min(agency, (rank, agency)) AS agency
        FROM (SELECT h.*, coalesce(r.rank, 1000) AS rank FROM held_month h LEFT JOIN agency_rank r USING (agency))
        GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE agency_window AS
        SELECT s.agency, coalesce(any_value(r.frame_from), min(s.month)) AS first_month,
            least(coalesce(any_value(r.frame_to), DATE '9999-12-01'), getvariable('expected_through')) AS last_month
        FROM slice_month s LEFT JOIN agency_rank r USING (agency) GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE expected AS
        SELECT organisation_id, month, bool_or(s.agency IS NOT NULL) AS present
        FROM (SELECT DISTINCT organisation_id, agency FROM held_month) o
        JOIN (SELECT agency, unnest(generate_series(date_trunc('month', first_month), last_month, INTERVAL 1 MONTH))::DATE AS month
              FROM agency_window) w USING (agency)
        LEFT JOIN slice_month s USING (agency, month)
        LEFT JOIN organisation_span x USING (organisation_id)
        WHERE month BETWEEN date_trunc('month', coalesce(x.since, month)) AND coalesce(x.until, month)
        GROUP BY ALL;
        """
    )


def recount(store: Store) -> list[date]:
    """Keep `counting` and `expected`; returns the months in which they differ from those kept before."""
    moved: set[date] = set()
    for name, month in (("counting", "period"), ("expected", "month")):
        if not store.scalar("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'figure' AND table_name = ?", [name]):
            store.con.execute(f"CREATE TABLE figure.{name} AS FROM {name} LIMIT 0")
        for one, other in ((name, f"figure.{name}"), (f"figure.{name}", name)):
            rows = store.rows(f"SELECT DISTINCT {month} AS month FROM (FROM {one} EXCEPT FROM {other})")
            moved |= {row["month"] for row in rows}
        store.con.execute(f"CREATE OR REPLACE TABLE figure.{name} AS FROM {name}")
    return sorted(moved)


def counted(store: Store, names: Sequence[str], first: date, last: date) -> None:
    """Temporary views over the measures `names`, without their schema: rows of the copy that counts, between two months."""
    for name in names:
        store.con.execute(
            f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT m.* FROM measure."{name}" m '
            f"SEMI JOIN counting USING (organisation_id, agency, period) WHERE m.period BETWEEN DATE '{first}' AND DATE '{last}'"
        )


def rows_by_year(store: Store, names: Sequence[str]) -> dict[int, int]:
    """Calendar year -> rows of the largest of the measures `names`."""
    scans = [f'SELECT year(period) AS year, count(*) AS n FROM measure."{name}" GROUP BY ALL' for name in names]
    rows = store.rows(f"SELECT year, max(n) AS n FROM ({' UNION ALL '.join(scans)}) GROUP BY ALL")
    return {row["year"]: row["n"] for row in rows}


def run_plan(store: Store, plan: str, relations: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """CELL rows of a plan (SQL that a figure's module states) over the counted measures and `relations`."""
    with ExitStack() as stack:
        for name, frame in relations.items():
            stack.enter_context(store.relation(name, frame))
        return store.frame(plan)


def frame_between(store: Store, table: str, columns: Sequence[str], first: date, last: date) -> pl.DataFrame:
    """Rows of a measure table with any of its months between two days."""
    between = " OR ".join(f"\"{column}\" BETWEEN DATE '{first}' AND DATE '{last}'" for column in columns)
    return store.frame(f'SELECT * FROM measure."{table}" WHERE {between}')


def months(store: Store, columns: Sequence[tuple[str, str]]) -> list[date]:
    """Every month that some measure tables hold; `columns` are (table, column of the month)."""
    found = set()
    for table, column in columns:
        for row in store.rows(f'SELECT DISTINCT date_trunc(\'month\', "{column}")::DATE AS month FROM measure."{table}"'):
            found.add(row["month"])
    return sorted(month for month in found if month)


def bounds(store: Store, columns: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, tuple[date, date]]:
    """First and last month that the measure tables of sources hold; `columns` are (table, column of the month) per source."""
    scans = [
        f'SELECT \'{source}\' AS source, min("{column}") AS low, max("{column}") AS high FROM measure."{table}"'
        for source, found in columns.items()
        for table, column in found
    ]
    return _spans(store, " UNION ALL ".join(scans)) if scans else {}


def bounds_reached(
    store: Store, columns: Mapping[str, Sequence[tuple[str, str]]], reach: pl.DataFrame
) -> dict[str, tuple[date, date]]:
    """First and last month that measure tables with agencies hold as far as `reach` (source, agency, reaches) goes, by
    "source table.column reached"; `columns` as `bounds` has them."""
    known = store.rows("SELECT table_name FROM duckdb_columns() WHERE schema_name = 'measure' AND column_name = 'agency'")
    with_agency = {row["table_name"] for row in known}
    scans = [
        f"SELECT '{source} {table}.{column} reached' AS source, min(\"{column}\") AS low, max(\"{column}\") AS high "
        f"FROM measure.\"{table}\" m LEFT JOIN agency_reach r ON r.source = '{source}' AND r.agency = m.agency "
        f"WHERE \"{column}\" <= coalesce(r.reaches, \"{column}\")"
        for source, found in columns.items()
        for table, column in found
        if table in with_agency
    ]
    with store.relation("agency_reach", reach):
        return _spans(store, " UNION ALL ".join(scans)) if scans else {}


def expected_bounds(store: Store, source: str) -> dict[str, tuple[date, date]]:
    """First and last month in which `counting` expects anything, by "source expected"."""
    return _spans(store, f"SELECT '{source} expected' AS source, min(month) AS low, max(month) AS high FROM expected")


def slice_bounds(store: Store) -> dict[str, tuple[date, date]]:
    """First and last month that slices in force of each source cover."""
    return _spans(
        store,
        "SELECT source, slice_period AS low, CASE slice_kind WHEN 'year' THEN (slice_period + INTERVAL 11 MONTH)::DATE "
        "ELSE slice_period END AS high FROM ledger.slice WHERE valid_to IS NULL",
    )


def _spans(store: Store, spans: str) -> dict[str, tuple[date, date]]:
    sql = (
        "SELECT source, date_trunc('month', min(low))::DATE AS low, date_trunc('month', max(high))::DATE AS high "
        f"FROM ({spans}) GROUP BY source HAVING min(low) IS NOT NULL"
    )
    return {row["source"]: (row["low"], row["high"]) for row in store.rows(sql)}


def told_periods(store: Store) -> list[tuple[str, date]]:
    """(period_kind, period_start) of every row of the history in force."""
    rows = store.rows("SELECT DISTINCT period_kind, period_start FROM figure.history WHERE valid_to_no IS NULL ORDER BY ALL")
    return [(row["period_kind"], row["period_start"]) for row in rows]


def all_periods(store: Store) -> list[tuple[str, date]]:
    """(period_kind, period_start) of every cell."""
    rows = store.rows("SELECT DISTINCT period_kind, period_start FROM figure.cell ORDER BY ALL")
    return [(row["period_kind"], row["period_start"]) for row in rows]


def remember_membership(store: Store, members: pl.DataFrame) -> bool:
    """Keep the membership; returns whether that of an organisation known before has changed."""
    with store.relation("new_membership", members):
        if not store.scalar("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'figure' AND table_name = 'membership'"):
            store.con.execute("CREATE TABLE figure.membership AS FROM new_membership")
            return False
        changed = store.scalar("SELECT count(*) FROM (FROM figure.membership EXCEPT FROM new_membership)")
        added = store.scalar(
            "SELECT count(*) FROM (FROM new_membership EXCEPT FROM figure.membership) n SEMI JOIN figure.membership USING (organisation_id)"
        )
        store.con.execute("CREATE OR REPLACE TABLE figure.membership AS FROM new_membership")
    return bool(changed or added)


def ledger_mark(store: Store) -> str:
    """Changes when a delivery's row changes: the published meta tables follow the ledger too."""
    rows = store.rows("SELECT delivery_id, status, is_held, journal_n, batch_id FROM ledger.delivery ORDER BY delivery_id")
    return hashlib.sha256(repr(rows).encode()).hexdigest()
