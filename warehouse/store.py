"""The warehouse file: one writer, its lock.

`ledger` holds what happened to deliveries, `measure` what the key figures are computed from, `figure` the key figures and
their history. DuckDB's own file lock would refuse a second writer too; ours says who waits for whom and is freed by a crash.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from schemas.contract import Table
from schemas.errors import Busy, ConfigurationError, Damage, Damaged, MemoryShort, StorageFailed, WarehouseLost
from warehouse.home import Home, sync_directory, sync_file
from warehouse.memory import MEMORY_MB

BROKEN_MARKS = (
    "not a valid DuckDB database file",
    "Corrupt database file",
    "Corrupt WAL",
    "replaying WAL",
    "Could not read",
    "Serialization Error",
)
"""What DuckDB says of a file that is not, or not wholly, what it wrote."""
WAREHOUSE_CURE = (
    "bring it back by `nyckeltal restore` from a backup, or make it anew from what else stands in the home by `nyckeltal rebuild`"
)


class Store:
    """An open warehouse. Use `writing` or `reading`; `con` is the DuckDB connection, `memory_mb` what it may hold."""

    def __init__(self, con: duckdb.DuckDBPyConnection, home: Home, memory_mb: int = MEMORY_MB) -> None:
        self.con = con
        self.home = home
        self.memory_mb = memory_mb

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
            raise told(error) from error

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        """A transaction whose every change is taken back at the end, to see what would be."""
        self.con.execute("BEGIN")
        try:
            yield
        except BaseException as error:
            raise told(error) from error
        finally:
            _rollback(self.con)


def _rollback(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.Error:
        return  # the transaction is gone already (failed COMMIT)


def told(error: BaseException) -> BaseException:
    """An error as people are told of it: a full disk, or memory that is short, is no defect of ours."""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        line = str(error).partition("\n")[0] or "the machine has no more"
        return MemoryShort(
            "memory is short; nothing was half-loaded: allow more by NYCKELTAL_MEMORY_MB, see that the machine has it and that there is "
            f"room on the disk of the home for what is moved out of memory, and run again ({line})"
        )
    if isinstance(error, duckdb.Error | OSError) and "No space left" in str(error):
        return StorageFailed(f"the disk is full; nothing was half-loaded, free space and run again ({error})")
    return error


def _named(error: BaseException, home: Home) -> BaseException:
    """What went wrong while the warehouse was open: a full disk, a broken warehouse file, else the error as it is."""
    if isinstance(error, duckdb.Error) and any(mark in str(error) for mark in BROKEN_MARKS) and not _of_another_file(error, home):
        return Damaged(Damage(home.warehouse.name, f"cannot be read ({_first_line(error)})", WAREHOUSE_CURE))
    return told(error)


def _of_another_file(error: BaseException, home: Home) -> bool:
    """Whether the error names a file that is not the warehouse: one of the lake, a published one."""
    return str(home.root) in str(error) and str(home.warehouse) not in str(error)


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", maxsplit=1)[0]


OWNERS = 0o600
"""Rights of the warehouse: it holds what is withheld."""


def _open(home: Home, read_only: bool, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """The connection. Raises Damaged for a file that is no warehouse or whose log is broken."""
    try:
        con = duckdb.connect(str(home.warehouse), read_only=read_only, config=configuration(home, memory_mb))
        if not read_only:
            home.warehouse.chmod(OWNERS)
        return con
    except duckdb.Error as error:
        raise _named(error, home) from error


def configuration(home: Home, memory_mb: int) -> dict[str, str | bool | int | float | list[str]]:
    """Settings of every connection: offline, quiet, bounded memory, as many threads as Polars uses (POLARS_MAX_THREADS)."""
    return {
        "threads": pl.thread_pool_size(),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{memory_mb}MB",
        "temp_directory": str(home.work / "duckdb"),
        "preserve_insertion_order": "false",
        "disabled_compression_methods": "fsst",  # a third of the time of writing a large measure, for no smaller file
    }


def declared_columns(schema: pl.Schema) -> dict[str, str]:
    """Column -> DuckDB's type, of the columns of a contract."""
    return dict(_declared(tuple(schema.items())))


@lru_cache
def _declared(columns: tuple[tuple[str, pl.DataType], ...]) -> tuple[tuple[str, str], ...]:
    """Asked once a process: every opening of a warehouse compares its tables with the contracts."""
    con = duckdb.connect()
    try:
        con.register("empty_contract", pl.DataFrame(schema=dict(columns)).to_arrow())
        return tuple((row[0], row[1]) for row in con.execute("DESCRIBE empty_contract").fetchall())
    finally:
        con.close()


def columns_of(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Column -> DuckDB's type, of a table as it is; empty when there is none."""
    sql = "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index"
    return dict(con.execute(sql, [schema, table]).fetchall())


def is_as_declared(con: duckdb.DuckDBPyConnection, schema: str, table: Table) -> bool:
    """Whether a table has the columns, types and obligations of its contract; not where there is none."""
    return not other_than_declared(con, schema, [table], is_missing_other=True)


def other_than_declared(
    con: duckdb.DuckDBPyConnection, schema: str, tables: Iterable[Table], is_missing_other: bool = False
) -> list[Table]:
    """The tables that have other columns, types or obligations than their contract; `is_missing_other`: also those that are not there."""
    there: dict[str, list[tuple[str, str, bool]]] = {}
    sql = "SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE schema_name = ? ORDER BY table_name, column_index"
    for name, *column in con.execute(sql, [schema]).fetchall():
        there.setdefault(name, []).append(tuple(column))
    found = []
    for table in tables:
        types = declared_columns(table.polars_schema())
        declared = [(column.name, types[column.name], not column.required) for column in table.columns]
        if there.get(table.name, [] if is_missing_other else declared) != declared:
            found.append(table)
    return found


def create_table(con: duckdb.DuckDBPyConnection, schema: str, table: Table) -> None:
    """A DuckDB table from a contract: types from the empty Polars frame, NOT NULL from `required`."""
    types = declared_columns(table.polars_schema())
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


def is_lost(home: Home) -> bool:
    """Whether there is no warehouse though there was one."""
    return not (home.warehouse.exists() and home.warehouse.stat().st_size) and _was_one(home)


def _was_one(home: Home) -> bool:
    """Whether a warehouse has left its journal, or what was published from it."""
    return any(home.journal.glob("*.zip")) or any(home.generations.glob("[0-9]*"))


@contextmanager
def writing(home: Home, wait_seconds: float = 0, memory_mb: int = MEMORY_MB) -> Iterator[Store]:
    """The warehouse for its one writer, brought forward where an older release left it (warehouse/upkeep).

    Raises Busy when another process writes for longer than `wait_seconds`, ConfigurationError for a home of a newer release,
    WarehouseLost for one that has lost its warehouse, Damaged for one that cannot be read.
    """
    from warehouse import migrations, upkeep  # they need what stands here

    home.create()
    with locked(home, wait_seconds, f"another run is writing {home.warehouse}; wait for it, or raise --wait"):
        if is_lost(home):
            raise _lost(home)
        _clean_work(home)
        con = _open(home, read_only=False, memory_mb=memory_mb)
        try:
            opened = _opened(con, home, memory_mb)
            if migrations.schema_of(opened) < 0 and _was_one(home):
                raise _lost(home)  # an empty file in its place
            upkeep.begin(opened)
            _confine(con, home)
            yield opened
            upkeep.end(opened)
        except BaseException as error:
            raise _named(error, home) from error
        finally:
            con.close()


@contextmanager
def aside(home: Home, memory_mb: int) -> Iterator[Store]:
    """An empty warehouse that is put in the place of the one there is (kept as warehouse.duckdb.before-rebuild) when the block
    ends without an error. The caller holds the lock (`locked`)."""
    _clean_work(home)
    path = home.work / "rebuilt.duckdb"
    con = duckdb.connect(str(path), config=configuration(home, memory_mb))
    path.chmod(OWNERS)
    try:
        yield _opened(con, home, memory_mb)
    except BaseException as error:
        raise told(error) from error
    finally:
        con.close()
    sync_file(path)
    log, kept = (home.warehouse.with_name(f"{home.warehouse.name}{end}") for end in (".wal", ".before-rebuild"))
    if home.warehouse.exists():
        home.warehouse.replace(kept)
        if log.exists():
            log.replace(kept.with_name(f"{kept.name}.wal"))
    log.unlink(missing_ok=True)  # of a warehouse that is gone: it must not be played back into another one
    path.replace(home.warehouse)
    sync_directory(home.root)


@contextmanager
def locked(home: Home, wait_seconds: float, otherwise: str) -> Iterator[None]:
    """The writer's lock for the time of the block. Raises Busy, saying `otherwise`."""
    lock = FileLock(str(home.writer_lock))
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise Busy(otherwise) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def reading(home: Home, wait_seconds: float = 30, memory_mb: int = MEMORY_MB) -> Iterator[Store | None]:
    """The warehouse read-only, for `status` and `quarantine`; None where there is none yet. Raises Busy when a run writes for
    longer than `wait_seconds`, Damaged when the file cannot be read. DuckDB opens the file for one writer or for readers, so a
    reader keeps writers waiting: be brief.

    An older home is read as it is; raises ConfigurationError where it lacks what is asked for, and for a newer one.
    """
    if not home.warehouse.exists():
        yield None
        return
    with (
        locked(home, wait_seconds, f"a run is writing {home.warehouse}; ask again when it has ended"),
        opened(home, memory_mb) as warehouse,
    ):
        yield warehouse


@contextmanager
def opened(home: Home, memory_mb: int = MEMORY_MB) -> Iterator[Store | None]:
    """What `reading` gives, for who holds the lock already."""
    from warehouse import migrations  # they need what stands here

    if not home.warehouse.exists():
        yield None
        return
    con = _open(home, read_only=True, memory_mb=memory_mb)
    found = migrations.newest()
    try:
        store = Store(con, home, memory_mb)
        found = migrations.schema_of(store)
        migrations.require_known(home, found)
        _confine(con, home)
        yield store
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        if found == migrations.newest():
            raise
        raise ConfigurationError(
            f"{home.root} was made by an older release (schema {found}) and lacks what is asked for; run `nyckeltal nightly` first"
        ) from error
    except BaseException as error:
        raise _named(error, home) from error
    finally:
        con.close()


def _lost(home: Home) -> WarehouseLost:
    return WarehouseLost(
        f"{home.warehouse} is gone, its journal or what it published is not; `nyckeltal rebuild` makes it anew, as does the next "
        "`nightly` where nothing else is lost"
    )


def _opened(con: duckdb.DuckDBPyConnection, home: Home, memory_mb: int) -> Store:
    con.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
    return Store(con, home, memory_mb)


def _confine(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Whatever SQL comes later reads the lake and no other file, writes none but the warehouse, and cannot change that."""
    lakes = ", ".join(quoted(str(lake)) for lake in home.lakes)
    con.execute(f"SET allowed_directories = [{lakes}]; SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _clean_work(home: Home) -> None:
    """Scratch of runs that died; only the lock's holder comes here."""
    shutil.rmtree(home.work, ignore_errors=True)
    home.work.mkdir(mode=0o700, parents=True, exist_ok=True)
