"""Measures: what the key figures are computed from, kept in the warehouse and replaced slice by slice or key by key.

Snapshot sources are grouped by DuckDB from plans (SQL) that `transforms/measures` states: grouping ten million lines is
plainly faster here. Keyed sources are measured in Polars and handed over as frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from schemas.contract import Table
from warehouse.lake import packed, read_together, there
from warehouse.ledger import SliceChange, live_files
from warehouse.store import Store, create_table, other_than_declared, quoted


def create(store: Store, tables: Iterable[Table]) -> None:
    """Make the measure tables that are not there yet."""
    existing = {row["table_name"] for row in store.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'measure'")}
    for table in tables:
        if table.name not in existing:
            create_table(store.con, "measure", table)


def outdated(store: Store, tables: Iterable[Table]) -> set[str]:
    """Names of the measure tables that are there and other than their contracts say."""
    return {table.name for table in other_than_declared(store.con, "measure", tables)}


def forget(store: Store, tables: Iterable[Table]) -> None:
    """Drop measure tables: reference data or a plan changed, everything is measured again."""
    for table in tables:
        store.con.execute(f'DROP TABLE IF EXISTS measure."{table.name}"')


def register_reference(store: Store, relations: Mapping[str, pl.DataFrame]) -> None:
    """Reference data as temporary tables that the plans name (account_class, agency, public_body)."""
    for name, frame in relations.items():
        with store.relation("reference_frame", frame):
            store.con.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS FROM reference_frame')


def replace_slices(store: Store, source_table: Table, plans: Mapping[str, str], changes: Sequence[SliceChange]) -> set[date]:
    """Measure slices that changed hands; returns the months whose rows changed.

    `source_table` is the contract's table that the plans read (posting_line); every measure table has agency, part and
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
    for batches in _together(store, source_table):
        _insert(store, source_table, plans, batches)
    for name in plans:
        months |= _months(store, name)
    for change in changes:
        _, period, kind = change.key
        months |= {date(period.year, month, 1) for month in range(1, 13)} if kind == "year" else {period}
    return months


def _together(store: Store, source_table: Table) -> Iterator[pl.DataFrame]:
    """Files of the batches that changed slices name, by batches that are read together: path, batch_id, agency, delivery_id, rows_n."""
    files = store.frame(
        "SELECT ? || '/' || f.path AS path, f.batch_id, f.agency, d.delivery_id, f.rows_n FROM ledger.batch_file f "
        "JOIN ledger.delivery d USING (batch_id) SEMI JOIN changed_slice USING (batch_id) WHERE f.table_name = ? ORDER BY ALL",
        [str(store.home.lake), source_table.name],
    )
    sizes = files.group_by("batch_id", maintain_order=True).agg(pl.len(), pl.col("rows_n").sum())
    for some in packed(sizes.rows(), lambda size: size[1:]):
        yield files.filter(pl.col("batch_id").is_in([batch_id for batch_id, _, _ in some]))


def _insert(store: Store, source_table: Table, plans: Mapping[str, str], files: pl.DataFrame) -> None:
    """Measure the changed slices of some batches: those of one where they lie in the lake, those of several from their rows read
    together, so that there is one scan and not one for each batch."""
    if files["batch_id"].n_unique() > 1:
        slices = store.frame("SELECT DISTINCT batch_id, slice_period, part FROM changed_slice")
        rows = read_together(files.drop("rows_n"), source_table).join(slices.lazy(), on=["batch_id", "slice_period"])
        with store.relation(source_table.name, rows.drop("batch_id").collect()):
            _run(store, plans)
        return
    batch_id, agency, delivery_id = files.select("batch_id", "agency", "delivery_id").row(0)
    slices = store.frame("SELECT part, slice_period FROM changed_slice WHERE batch_id = ? ORDER BY ALL", [batch_id])
    periods = ", ".join(f"DATE '{period}'" for period in slices["slice_period"])
    paths = ", ".join(quoted(path) for path in files["path"])
    store.con.execute(
        f'CREATE OR REPLACE TEMP VIEW "{source_table.name}" AS SELECT *, {quoted(agency)} AS agency, '
        f"{quoted(slices['part'][0])} AS part, {quoted(delivery_id)} AS delivery_id "
        f"FROM read_parquet([{paths}]) WHERE slice_period IN ({periods})"
    )
    _run(store, plans)
    store.con.execute(f'DROP VIEW "{source_table.name}"')


def _run(store: Store, plans: Mapping[str, str]) -> None:
    for name, plan in plans.items():
        store.con.execute(f'INSERT INTO measure."{name}" BY NAME {plan}')


def without_rows(store: Store, source_table: str, changes: Sequence[SliceChange]) -> set[str]:
    """Batches of slices to be measured whose rows are lost: a lake file of theirs is not there."""
    batches = pl.DataFrame({"batch_id": sorted({change.new for change in changes if change.new})}, schema={"batch_id": pl.String})
    with store.relation("wanted_batch", batches):
        rows = store.rows(
            "SELECT batch_id, path FROM ledger.batch_file SEMI JOIN wanted_batch USING (batch_id) WHERE table_name = ?", [source_table]
        )
    return {row["batch_id"] for row in rows if not there(store.home, [row["path"]])}


def broken_batches(store: Store, source: str) -> set[str]:
    """Batches of a keyed source that lack a file: a notice without its lots would be counted wrong, so none of it is measured."""
    return {row["batch_id"] for row in live_files(store, source) if not there(store.home, [row["path"]])}


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


def procedures_of(
    store: Store, source: str, deliveries: Sequence[str], names: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.DataFrame:
    """procedure_id, else notice_id, of every notice that some deliveries brought, in force or not, in any of its versions; and of
    the procedures that are the same by another name (`names`: notices -> procedure_id, name)."""
    rows = store.rows("SELECT path FROM ledger.batch_file WHERE source = ? AND table_name = 'notice' ORDER BY path", [source])
    files = there(store.home, [row["path"] for row in rows])
    if not files:
        return pl.DataFrame(schema={"procedure_id": pl.String})
    wanted = pl.LazyFrame({"delivery_id": list(deliveries)}, schema={"delivery_id": pl.String})
    notices = pl.scan_parquet(files)
    brought = notices.join(wanted, on="delivery_id", how="semi").select("notice_id").unique()
    found = notices.join(brought, on="notice_id", how="semi").select(pl.coalesce("procedure_id", "notice_id")).unique().collect()
    return _with_other_names(found, names(notices).collect())


def _with_other_names(procedures: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """The procedures and all that hang together with them by names (procedure_id, name)."""
    while True:
        projects = names.filter(pl.any_horizontal(pl.col("procedure_id", "name").is_in(procedures["procedure_id"].implode())))
        more = pl.concat([procedures["procedure_id"], projects["procedure_id"], projects["name"]]).unique()
        if len(more) == procedures.height:
            return procedures
        procedures = more.to_frame()


def keyed_frame(
    store: Store, source: str, table: Table, keys: pl.DataFrame | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Accepted rows of one table of a keyed source from deliveries in force: those of `keys` (delivery_id, notice_id), None all;
    `columns` (and delivery_id) only, None all."""
    files = store.frame("SELECT path, batch_id FROM ledger.batch_file WHERE source = ? AND table_name = ?", [source, table.name])
    wanted = None if columns is None else ["delivery_id", *columns]
    whole = pl.Series(there(store.home, files["path"]), dtype=pl.String)
    files = files.with_columns(pl.format("{}/{}", pl.lit(str(store.home.lake)), "path").alias("path"))
    files = files.filter(pl.col("path").is_in(whole.implode())).sort("path")
    if files.is_empty():
        return pl.DataFrame(schema=table.polars_schema()).select(wanted or pl.all())
    # a delivery that was prepared again lies in two batches; the ledger names the one that counts
    deliveries = store.frame(
        "SELECT delivery_id, batch_id FROM ledger.delivery WHERE source = ? AND is_active AND batch_id IS NOT NULL", [source]
    )
    lazy = pl.scan_parquet(files["path"].to_list(), include_file_paths="path").join(files.lazy(), on="path")
    lazy = lazy.join(deliveries.lazy(), on=["delivery_id", "batch_id"], how="semi").drop("path", "batch_id")
    if keys is not None:
        lazy = lazy.join(keys.lazy(), on=["delivery_id", "notice_id"], how="semi")
    return lazy.select(wanted or pl.all()).collect()


def alike(store: Store, tables: Sequence[Table], again: Mapping[str, tuple[str, str]]) -> set[str]:
    """Deliveries of a source read `again` (their batch before, and now) whose accepted rows are the same ones: those whose files
    are, and those of batches of several deliveries whose rows, compared, are."""
    together: dict[tuple[str, str], list[str]] = {}
    for delivery_id, batches in again.items():
        together.setdefault(batches, []).append(delivery_id)
    return {delivery_id for (former, now), ids in together.items() for delivery_id in _alike(store, tables, ids, former, now)}


def _alike(store: Store, tables: Sequence[Table], deliveries: Sequence[str], former: str, now: str) -> set[str]:
    files_then, files_now = _files(store, former), _files(store, now)
    if [(name, Path(path).name, sha256) for name, path, sha256 in files_then] == [
        (name, Path(path).name, sha256) for name, path, sha256 in files_now
    ] and all(sha256 for *_, sha256 in files_now):
        return set(deliveries)
    same = set(deliveries)
    for table in tables:
        then, rows = (_rows_of(store, table, files, deliveries) for files in (files_then, files_now))
        if then is None or rows is None:
            return set()
        same = {key for key in same if _are_of(key, then).equals(_are_of(key, rows))}
    return same


def _files(store: Store, batch_id: str) -> list[tuple[str, str, str | None]]:
    """table_name, path and sha256 of a batch's lake files."""
    rows = store.rows("SELECT table_name, path, sha256 FROM ledger.batch_file WHERE batch_id = ? ORDER BY ALL", [batch_id])
    return [(row["table_name"], row["path"], row["sha256"]) for row in rows]


def _rows_of(
    store: Store, table: Table, files: Sequence[tuple[str, str, str | None]], deliveries: Sequence[str]
) -> pl.DataFrame | None:
    """Rows of deliveries in a batch's files, sorted; None where they cannot be told: of a table without delivery_id (one large
    delivery fills the batch), or where a file is gone."""
    names = table.polars_schema().names()
    paths = [path for name, path, _ in files if name == table.name]
    found = there(store.home, paths)
    if "delivery_id" not in names or len(found) < len(paths):
        return None
    if not found:
        return pl.DataFrame(schema=table.polars_schema())
    return pl.scan_parquet(found).select(names).filter(pl.col("delivery_id").is_in(list(deliveries))).sort(names).collect()


def _are_of(delivery_id: str, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("delivery_id") == delivery_id)


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
