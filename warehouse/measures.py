"""Measures: what the key figures are computed from, kept in the warehouse and replaced slice by slice or key by key.

Snapshot sources are grouped by DuckDB from plans (SQL) that `transforms/measures` states: grouping ten million lines is
plainly faster here. Keyed sources are measured in Polars and handed over as frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl

from schemas.contract import Table
from warehouse.ledger import SliceChange
from warehouse.store import Store, create_table, quoted

BATCHES_AT_ONCE = 200
"""Batches that one INSERT reads together."""


def create(store: Store, tables: Iterable[Table]) -> None:
    """Make the measure tables that are not there yet."""
    existing = {row["table_name"] for row in store.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'measure'")}
    for table in tables:
        if table.name not in existing:
            create_table(store.con, "measure", table)


def forget(store: Store, tables: Iterable[Table]) -> None:
    """Drop measure tables: reference data or a plan changed, everything is measured again."""
    for table in tables:
        store.con.execute(f'DROP TABLE IF EXISTS measure."{table.name}"')


def register_reference(store: Store, relations: Mapping[str, pl.DataFrame]) -> None:
    """Reference data as temporary tables that the plans name (account_class, agency, public_body)."""
    for name, frame in relations.items():
        with store.relation("reference_frame", frame):
            store.con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS FROM reference_frame')


def replace_slices(store: Store, source_table: str, plans: Mapping[str, str], changes: Sequence[SliceChange]) -> set[date]:
    """Measure slices that changed hands; returns the months whose rows changed.

    `source_table` is the contract table that the plans read (posting_line); every measure table has agency, part and
    slice_period.
    """
    months: set[date] = set()
    if not changes:
        return months
    keys = pl.DataFrame(
        [(change.agency, change.key[0], change.key[1], change.key[2], change.new) for change in changes],
        schema={"agency": pl.String, "part": pl.String, "slice_period": pl.Date, "slice_kind": pl.String, "batch_id": pl.String},
        orient="row",
    )
    with store.relation("changed_frame", keys):
        store.con.execute("CREATE OR REPLACE TEMP TABLE changed_slice AS FROM changed_frame")
    for name in plans:
        months |= _months(store, name)
        store.con.execute(
            f'DELETE FROM measure."{name}" m USING changed_slice c '
            "WHERE m.agency = c.agency AND m.part = c.part AND m.slice_period = c.slice_period"
        )
    batches = sorted({change.new for change in changes if change.new})
    for start in range(0, len(batches), BATCHES_AT_ONCE):
        _insert(store, source_table, plans, batches[start : start + BATCHES_AT_ONCE])
    for name in plans:
        months |= _months(store, name)
    for change in changes:
        _, period, kind = change.key
        months |= {date(period.year, month, 1) for month in range(1, 13)} if kind == "year" else {period}
    return months


def _insert(store: Store, source_table: str, plans: Mapping[str, str], batches: Sequence[str]) -> None:
    scans = []
    marks = ", ".join("?" * len(batches))
    for row in store.rows(
        "SELECT f.batch_id, f.agency, list(f.path ORDER BY f.path) AS paths, d.delivery_id FROM ledger.batch_file f "
        f"JOIN ledger.delivery d ON d.batch_id = f.batch_id WHERE f.table_name = ? AND f.batch_id IN ({marks}) GROUP BY ALL",
        [source_table, *batches],
    ):
        slices = store.rows("SELECT part, slice_period FROM changed_slice WHERE batch_id = ? ORDER BY ALL", [row["batch_id"]])
        part = quoted(slices[0]["part"])
        periods = ", ".join(f"DATE '{item['slice_period']}'" for item in slices)
        files = ", ".join(quoted(str(store.home.lake / path)) for path in row["paths"])
        scans.append(
            f"SELECT *, '{row['agency']}' AS agency, {part} AS part, '{row['delivery_id']}' AS delivery_id "
            f"FROM read_parquet([{files}]) WHERE slice_period IN ({periods})"
        )
    if not scans:
        return
    store.con.execute(f'CREATE OR REPLACE TEMP VIEW "{source_table}" AS ' + " UNION ALL BY NAME ".join(scans))
    for name, plan in plans.items():
        store.con.execute(f'INSERT INTO measure."{name}" BY NAME {plan}')
    store.con.execute(f'DROP VIEW "{source_table}"')


def _months(store: Store, name: str) -> set[date]:
    """Months of the rows that belong to the changed slices now."""
    sql = f'SELECT DISTINCT m.period FROM measure."{name}" m JOIN changed_slice USING (agency, part, slice_period)'
    return {row["period"].replace(day=1) for row in store.rows(sql) if row["period"]}


def keyed_tables(store: Store, source: str, tables: Sequence[Table], procedures: pl.DataFrame | None) -> dict[str, pl.DataFrame]:
    """Accepted rows of a keyed source from deliveries in force; `procedures` (procedure_id) narrows them, None takes all.

    A notice outside any procedure is known by its own id. Every version of a notice comes along, also one that names another
    procedure: it may be the newest.
    """
    found: dict[str, pl.DataFrame] = {}
    keys: pl.DataFrame | None = None
    for table in tables:
        frame = keyed_frame(store, source, table, keys)
        if table.name == "notice" and procedures is not None:
            wanted = procedures.select("procedure_id").unique()
            own = frame.join(wanted, left_on=pl.coalesce("procedure_id", "notice_id"), right_on="procedure_id", how="semi")
            frame = frame.join(own.select("notice_id").unique(), on="notice_id", how="semi")
            keys = frame.select("delivery_id", "notice_id").unique()
        found[table.name] = frame
    return found


def procedures_of(store: Store, source: str, deliveries: Sequence[str]) -> pl.DataFrame:
    """procedure_id, else notice_id, of every notice that some deliveries brought, in force or not, in any of its versions."""
    files = store.rows("SELECT path FROM ledger.batch_file WHERE source = ? AND table_name = 'notice' ORDER BY path", [source])
    if not files:
        return pl.DataFrame(schema={"procedure_id": pl.String})
    wanted = pl.LazyFrame({"delivery_id": list(deliveries)}, schema={"delivery_id": pl.String})
    notices = pl.scan_parquet([str(store.home.lake / row["path"]) for row in files])
    brought = notices.join(wanted, on="delivery_id", how="semi").select("notice_id").unique()
    return notices.join(brought, on="notice_id", how="semi").select(pl.coalesce("procedure_id", "notice_id")).unique().collect()


def keyed_frame(
    store: Store, source: str, table: Table, keys: pl.DataFrame | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Accepted rows of one table of a keyed source from deliveries in force: those of `keys` (delivery_id, notice_id), None all;
    `columns` (and delivery_id) only, None all."""
    files = store.frame("SELECT path, batch_id FROM ledger.batch_file WHERE source = ? AND table_name = ?", [source, table.name])
    wanted = None if columns is None else ["delivery_id", *columns]
    if files.is_empty():
        return pl.DataFrame(schema=table.polars_schema()).select(wanted or pl.all())
    files = files.with_columns(pl.format("{}/{}", pl.lit(str(store.home.lake)), "path").alias("path")).sort("path")
    # a delivery that was prepared again lies in two batches; the ledger names the one that counts
    deliveries = store.frame(
        "SELECT delivery_id, batch_id FROM ledger.delivery WHERE source = ? AND is_active AND batch_id IS NOT NULL", [source]
    )
    lazy = pl.scan_parquet(files["path"].to_list(), include_file_paths="path").join(files.lazy(), on="path")
    lazy = lazy.join(deliveries.lazy(), on=["delivery_id", "batch_id"], how="semi").drop("path", "batch_id")
    if keys is not None:
        lazy = lazy.join(keys.lazy(), on=["delivery_id", "notice_id"], how="semi")
    return lazy.select(wanted or pl.all()).collect()


def _month_columns(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name == "month" or column.name.endswith("_month")]


def replace_keyed(
    store: Store, tables: Sequence[Table], frames: Mapping[str, pl.DataFrame], procedures: pl.DataFrame | None
) -> set[date]:
    """Replace the measures of `procedures` (all when None) by theirs in `frames`; returns the months whose rows changed."""
    months: set[date] = set()
    touched = procedures if procedures is not None else pl.DataFrame(schema={"procedure_id": pl.String})
    with store.relation("touched_procedure", touched.select("procedure_id")):
        where = "" if procedures is None else "WHERE procedure_id IN (SELECT procedure_id FROM touched_procedure)"
        for table in tables:
            for column in _month_columns(table):
                rows = store.rows(f'SELECT DISTINCT "{column}" AS month FROM measure."{table.name}" {where}')
                months |= {row["month"] for row in rows if row["month"]}
            store.con.execute(f'DELETE FROM measure."{table.name}" {where}')
    for table in tables:
        frame = frames[table.name]
        if procedures is not None:  # a version that names another procedure was only there to supersede
            frame = frame.join(touched.select("procedure_id").unique(), on="procedure_id", how="semi")
        for column in _month_columns(table):
            months |= set(frame[column].drop_nulls().unique())
        store.append(f'measure."{table.name}"', frame.select(table.polars_schema().names()))
    return months


def replace_tables(store: Store, tables: Sequence[Table], frames: Mapping[str, pl.DataFrame]) -> set[date]:
    """Replace whole measure tables by `frames`; returns the months of the rows that differ from before."""
    months: set[date] = set()
    for table in tables:
        columns = _month_columns(table)
        with store.relation("new_rows", frames[table.name].select(table.polars_schema().names())):
            for one, other in ((f'measure."{table.name}"', "new_rows"), ("new_rows", f'measure."{table.name}"')):
                for column in columns:
                    rows = store.rows(f'SELECT DISTINCT "{column}" AS month FROM (FROM {one} EXCEPT ALL FROM {other})')
                    months |= {row["month"] for row in rows if row["month"]}
            store.con.execute(f'DELETE FROM measure."{table.name}"')
            store.con.execute(f'INSERT INTO measure."{table.name}" FROM new_rows')
    return months
