"""The warehouse file: one writer, its lock, its tables.

`ledger` holds what happened to deliveries, `measure` what the key figures are computed from, `figure` the key figures and
their history. DuckDB's own file lock would refuse a second writer too; ours says who waits for whom and is freed by a crash.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from schemas.contract import Table
from schemas.errors import Busy, StorageFailed
from warehouse.home import Home

LEDGER = """
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE SCHEMA IF NOT EXISTS measure;
CREATE SCHEMA IF NOT EXISTS figure;
CREATE TABLE IF NOT EXISTS ledger.delivery (
    delivery_id VARCHAR PRIMARY KEY, source VARCHAR NOT NULL, agency VARCHAR NOT NULL, sha256 VARCHAR NOT NULL,
    file_name VARCHAR NOT NULL, size_bytes BIGINT NOT NULL, produced_at TIMESTAMP NOT NULL, produced_from VARCHAR NOT NULL,
    received_at TIMESTAMP NOT NULL, receipts_n INTEGER NOT NULL, journal_n INTEGER NOT NULL, attempt INTEGER NOT NULL,
    is_active BOOLEAN NOT NULL, is_released BOOLEAN NOT NULL, is_held BOOLEAN NOT NULL, status VARCHAR NOT NULL,
    batch_id VARCHAR, contract_version VARCHAR, notes VARCHAR, reasons VARCHAR,
    coverage_from DATE, coverage_to DATE, part VARCHAR NOT NULL, run_id VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.table_count (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rows_read BIGINT NOT NULL, rows_accepted BIGINT NOT NULL,
    rows_set_aside BIGINT NOT NULL, rows_quarantined BIGINT NOT NULL, cents_read BIGINT NOT NULL, cents_accepted BIGINT NOT NULL,
    cents_set_aside BIGINT NOT NULL, cents_quarantined BIGINT NOT NULL, amounts_unreadable BIGINT NOT NULL,
    PRIMARY KEY (delivery_id, table_name));
CREATE TABLE IF NOT EXISTS ledger.batch_file (
    batch_id VARCHAR NOT NULL, source VARCHAR NOT NULL, table_name VARCHAR NOT NULL, agency VARCHAR NOT NULL,
    path VARCHAR NOT NULL, rows_n BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.left_batch (batch_id VARCHAR PRIMARY KEY, left_at TIMESTAMP NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.covered (
    delivery_id VARCHAR NOT NULL, part VARCHAR NOT NULL, slice_period DATE NOT NULL, slice_kind VARCHAR NOT NULL,
    rows_n BIGINT NOT NULL, cents BIGINT NOT NULL, PRIMARY KEY (delivery_id, part, slice_period));
CREATE TABLE IF NOT EXISTS ledger.slice (
    source VARCHAR NOT NULL, agency VARCHAR NOT NULL, part VARCHAR NOT NULL, slice_period DATE NOT NULL,
    slice_kind VARCHAR NOT NULL, delivery_id VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, valid_from TIMESTAMP NOT NULL,
    valid_to TIMESTAMP);
CREATE TABLE IF NOT EXISTS ledger.quarantine (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, source_line BIGINT, column_name VARCHAR, rule VARCHAR NOT NULL,
    value VARCHAR, severity VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.rule_count (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rule VARCHAR NOT NULL, severity VARCHAR NOT NULL, rows_n BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.set_aside (
    delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, source_line BIGINT, reason VARCHAR NOT NULL, cents BIGINT);
CREATE TABLE IF NOT EXISTS ledger.validation (
    run_id VARCHAR NOT NULL, delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, rule VARCHAR NOT NULL,
    expectation VARCHAR NOT NULL, severity VARCHAR NOT NULL, rows_checked BIGINT NOT NULL, rows_failed BIGINT NOT NULL,
    limit_share DOUBLE, is_success BOOLEAN NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.receipt (delivery_id VARCHAR PRIMARY KEY, mark VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.dirty (source VARCHAR NOT NULL, month DATE NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.register (name VARCHAR NOT NULL, content VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.state (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS ledger.publication (
    publication_no INTEGER PRIMARY KEY, published_at TIMESTAMP NOT NULL, as_of DATE NOT NULL, fingerprint VARCHAR NOT NULL,
    cells_n BIGINT NOT NULL, cells_changed BIGINT NOT NULL, is_out BOOLEAN NOT NULL);
"""

MEMORY_LIMIT = "800MB"
"""What DuckDB may hold beside what preparing left; more was no faster on ten million lines (it spills what is cold)."""


class Store:
    """An open warehouse. Use `writing` or `reading`; `con` is the DuckDB connection."""

    def __init__(self, con: duckdb.DuckDBPyConnection, home: Home) -> None:
        self.con = con
        self.home = home

    def rows(self, sql: str, parameters: Iterable[object] | Mapping[str, object] = ()) -> list[dict[str, Any]]:
        """The result as dicts, fetched whole (a result left open would block the next call)."""
        cursor = self.con.execute(sql, dict(parameters) if isinstance(parameters, Mapping) else list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def frame(self, sql: str, parameters: Iterable[object] = ()) -> pl.DataFrame:
        """The result as a Polars frame."""
        return pl.DataFrame(self.con.execute(sql, list(parameters)).to_arrow_table())

    def scalar(self, sql: str, parameters: Iterable[object] = ()) -> Any:
        rows = self.con.execute(sql, list(parameters)).fetchall()
        return rows[0][0] if rows else None

    @contextmanager
    def relation(self, name: str, frame: pl.DataFrame) -> Iterator[str]:
        """`frame` as a relation that SQL may name, for the time of the block."""
        self.con.register(name, frame.to_arrow())
        try:
            yield name
        finally:
            self.con.unregister(name)

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Insert a frame's rows by column name."""
        if frame.is_empty():
            return
        names = ", ".join(f'"{name}"' for name in frame.columns)
        with self.relation("appended_frame", frame):
            self.con.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM appended_frame")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a full disk becomes StorageFailed and leaves the former state."""
        self.con.execute("BEGIN")
        try:
            yield
            self.con.execute("COMMIT")
        except BaseException as error:
            _rollback(self.con)
            raise _storage(error) from error

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """A transaction whose every change is taken back at the end, to see what would be."""
        self.con.execute("BEGIN")
        try:
            yield
        except BaseException as error:
            raise _storage(error) from error
        finally:
            _rollback(self.con)


def _rollback(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # the transaction is gone already (failed COMMIT)


def _storage(error: BaseException) -> BaseException:
    if isinstance(error, duckdb.Error | OSError) and "No space left" in str(error):
        return StorageFailed(f"the disk is full; nothing was half-loaded, free space and run again ({error})")
    return error


def configuration(home: Home) -> dict[str, str | bool | int | float | list[str]]:
    """Settings of every connection: offline, quiet, bounded memory, as many threads as Polars uses (POLARS_MAX_THREADS)."""
    return {
        "threads": pl.thread_pool_size(),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(home.work / "duckdb"),
        "preserve_insertion_order": "false",
        "disabled_compression_methods": "fsst",  # a third of the time of writing a large measure, for no smaller file
    }


def create_table(con: duckdb.DuckDBPyConnection, schema: str, table: Table) -> None:
    """A DuckDB table from a contract: types from the empty Polars frame, NOT NULL from `required`."""
    con.register("empty_contract", pl.DataFrame(schema=table.polars_schema()).to_arrow())
    types = {row[0]: row[1] for row in con.execute("DESCRIBE empty_contract").fetchall()}
    con.unregister("empty_contract")
    columns = [f'"{column.name}" {types[column.name]}{" NOT NULL" if column.required else ""}' for column in table.columns]
    con.execute(f'CREATE TABLE IF NOT EXISTS {schema}."{table.name}" ({", ".join(columns)})')


def comment(con: duckdb.DuckDBPyConnection, qualified: str, text: str, columns: Mapping[str, str]) -> None:
    """COMMENT ON a table and its columns; texts are ours, quoted all the same."""
    con.execute(f"COMMENT ON TABLE {qualified} IS {quoted(text)}")
    for name, description in columns.items():
        con.execute(f'COMMENT ON COLUMN {qualified}."{name}" IS {quoted(description)}')


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def writing(home: Home, wait_seconds: float = 0) -> Iterator[Store]:
    """The warehouse for its one writer. Raises Busy when another process writes for longer than `wait_seconds`."""
    home.create()
    lock = FileLock(str(home.writer_lock))
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise Busy(f"another run is writing {home.warehouse}; wait for it, or raise --wait") from error
    try:
        _clean_work(home)
        con = duckdb.connect(str(home.warehouse), config=configuration(home))
        try:
            con.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
            con.execute(LEDGER)
            _confine(con, home)
            yield Store(con, home)
        except BaseException as error:
            raise _storage(error) from error
        finally:
            con.close()
    finally:
        lock.release()


@contextmanager
def reading(home: Home, wait_seconds: float = 30) -> Iterator[Store | None]:
    """The warehouse read-only, for `status` and `quarantine`; None where there is none yet. Raises Busy when a run writes for
    longer than `wait_seconds`. DuckDB opens the file for one writer or for readers, so a reader keeps writers waiting: be brief.
    """
    if not home.warehouse.exists():
        yield None
        return
    lock = FileLock(str(home.writer_lock))
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise Busy(f"a run is writing {home.warehouse}; ask again when it has ended") from error
    try:
        con = duckdb.connect(str(home.warehouse), read_only=True, config=configuration(home))
        try:
            _confine(con, home)
            yield Store(con, home)
        finally:
            con.close()
    finally:
        lock.release()


def _confine(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Whatever SQL comes later reads the lake and no other file, writes none but the warehouse, and cannot change that."""
    con.execute(f"SET allowed_directories = [{quoted(str(home.lake))}]; SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _clean_work(home: Home) -> None:
    """Scratch of runs that died; only the lock's holder comes here."""
    shutil.rmtree(home.work, ignore_errors=True)
    home.work.mkdir(parents=True, exist_ok=True)
