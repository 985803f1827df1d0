"""Generations: a publication is built aside, checked, and put in force by one rename of a link.

    published/generations/<number>/nyckeltal.duckdb
    published/current -> generations/<number>          (swapped by one rename)
    published/nyckeltal.duckdb -> current/nyckeltal.duckdb

Readers open a link and keep the file they opened; they never wait and never see a mixture.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from warehouse.home import Home, sync_directory, sync_file
from warehouse.memory import MEMORY_MB
from warehouse.store import comment, quoted, told

STORAGE_VERSION = "v1.4.0"
"""Every dashboard tool on the 1.4 and 1.5 lines and DuckDB 2 read it."""
FILE_NAME = "nyckeltal.duckdb"
Connection = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class PublishedTable:
    """One table of the published file: simple types, a description for it and for every column, the primary key."""

    schema: str
    name: str
    description: str
    columns: Mapping[str, str]
    frame: pl.DataFrame
    primary_key: Sequence[str] = ()

    @property
    def qualified(self) -> str:
        return f'{self.schema}."{self.name}"'


def directory(home: Home, number: int) -> Path:
    return home.generations / f"{number:06d}"


def in_force(home: Home) -> int | None:
    """Number of the generation that readers open now."""
    try:
        return int((home.published / "current").readlink().name)
    except (OSError, ValueError):
        return None


def has_columns(home: Home, number: int, tables: Mapping[str, Collection[str]]) -> bool:
    """Whether generation `number` is there and some tables of its schema mart have exactly these columns."""
    path = directory(home, number) / FILE_NAME
    if not path.exists():
        return False
    con = duckdb.connect(str(path.resolve()), read_only=True)
    try:
        found = con.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'mart'").fetchall()
    finally:
        con.close()
    return all({column for name, column in found if name == table} == set(names) for table, names in tables.items())


@contextmanager
def attached(con: Connection, path: Path) -> Iterator[str]:
    """A published file under a name that SQL may use, read-only, for the time of the block."""
    con.execute(f"ATTACH {quoted(str(path.resolve()))} AS told_file (READ_ONLY)")
    try:
        yield "told_file"
    finally:
        con.execute("DETACH told_file")


def newest_on_disk(home: Home) -> int:
    """The highest number of a generation that stands there or is in force; 0 where there is none."""
    there = [int(path.name) for path in home.generations.glob("*") if path.name.isdigit()]
    return max([*there, in_force(home) or 0])


def build(home: Home, number: int, fill: Callable[[Connection, bool], None], former: int | None, memory_mb: int = MEMORY_MB) -> Path:
    """Build generation `number` aside and move it among the generations; it is not in force yet.

    `former` names a generation to start from as a copy (fill then replaces what changed), None starts empty. `fill(con,
    copied)` writes into the attached database `mart_file`, whose schemas mart and meta exist.
    """
    aside = home.generations / f".building-{number:06d}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    path = aside / FILE_NAME
    copied = former is not None and (directory(home, former) / FILE_NAME).exists()
    if copied and former is not None:
        shutil.copyfile(directory(home, former) / FILE_NAME, path)
    write_file(home, path, lambda con: fill(con, copied), memory_mb)
    target = directory(home, number)
    shutil.rmtree(target, ignore_errors=True)
    aside.rename(target)
    sync_directory(home.generations)
    return target / FILE_NAME


def write_file(home: Home, path: Path, fill: Callable[[Connection], object], memory_mb: int = MEMORY_MB) -> None:
    """Write into a published file, there already or not: `fill` gets it attached as `mart_file` with schemas mart and meta.

    In one transaction, which goes into the file and not into a log first: a file that is written aside needs none.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": pl.thread_pool_size(),
        "checkpoint_threshold": "1KB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": f"{memory_mb * 3 // 4}MB",  # beside an open warehouse
        # never whatever directory a command was started in, and each its own: two that spill into one crash
        "temp_directory": str(home.work / f"publication-{uuid.uuid4().hex}"),
    }
    con = duckdb.connect(config=settings)
    try:
        con.execute("SET enable_progress_bar = false")
        con.execute(f"ATTACH {quoted(str(path))} AS mart_file (STORAGE_VERSION '{STORAGE_VERSION}')")
        con.execute("USE mart_file; CREATE SCHEMA IF NOT EXISTS mart; CREATE SCHEMA IF NOT EXISTS meta")
        con.execute("BEGIN")
        fill(con)
        con.execute("COMMIT")
        con.execute("CHECKPOINT mart_file; USE memory; DETACH mart_file")
    except BaseException as error:
        raise told(error) from error
    finally:
        con.close()
    sync_file(path)


def create_table(con: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Create or replace one published table with its rows, comments and primary key."""
    missing = set(table.frame.columns) ^ set(table.columns)
    if missing:
        raise ValueError(f"{table.qualified}: columns without description or data: {sorted(missing)}")
    con.execute(f"DROP TABLE IF EXISTS {table.qualified}")
    con.register("published_frame", table.frame.to_arrow())
    con.execute(f"CREATE TABLE {table.qualified} AS FROM published_frame")
    con.unregister("published_frame")
    if table.primary_key:
        key = ", ".join(f'"{name}"' for name in table.primary_key)
        con.execute(f"ALTER TABLE {table.qualified} ADD PRIMARY KEY ({key})")
    comment(con, table.qualified, table.description, table.columns)


def put_in_force(home: Home, number: int) -> None:
    """One rename puts the generation in force."""
    link = home.published / f".current-{number:06d}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("generations") / f"{number:06d}")
    current = home.published / "current"
    if current.is_dir() and not current.is_symlink():  # a copy of the home that followed the links left a generation here
        shutil.rmtree(current)
    link.replace(current)
    if not home.published_file.is_symlink():
        file_link = home.published / f".file-{number:06d}"
        file_link.unlink(missing_ok=True)
        file_link.symlink_to(Path("current") / FILE_NAME)
        file_link.replace(home.published_file)
    sync_directory(home.published)


def prune(home: Home, keep: int) -> None:
    """Remove all but the newest `keep` generations and what crashes left; never the one in force."""
    current = in_force(home)
    for path in home.generations.glob(".building-*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in sorted(path for path in home.generations.iterdir() if path.name.isdigit())[:-keep]:
        if int(path.name) != current:
            shutil.rmtree(path, ignore_errors=True)

