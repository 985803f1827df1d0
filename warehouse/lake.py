"""The lake: accepted rows as immutable Parquet, one set of part files per batch and table, in arrival order.

A batch is written below `work/` and moved into the lake by renames just before the load; files that no ledger row
names are what a crash left and are swept by the next run.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import polars as pl

from schemas.contract import Table
from schemas.errors import is_panic
from warehouse.home import Home, digest, sync_directory

FILES_AT_ONCE = 4_000
ROWS_AT_ONCE = 200_000
"""Files and rows of small batches that are read together; a batch that has more is read alone."""
APART = ".damaged"
"""Ending of a lake file that was found damaged: nobody reads it any more, and people may look at it."""
COMPRESSION_LEVEL = 1
"""zstd 1: measured fastest for the whole way from file to figures."""

T = TypeVar("T")


@dataclass
class BatchFile:
    """One Parquet part of a batch; `path` is relative to the lake."""

    table_name: str
    path: str
    rows_n: int
    size_bytes: int
    sha256: str


@dataclass
class Batch:
    """A batch being written. `write` is thread-safe."""

    home: Home
    source: str
    agency: str
    batch_id: str
    files: list[BatchFile] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __reduce__(self) -> tuple[type[Batch], tuple[object, ...]]:
        return Batch, (self.home, self.source, self.agency, self.batch_id, self.files)  # as it travels between processes

    @property
    def aside(self) -> Path:
        return self.home.work / "batches" / self.batch_id

    def write(self, number: int, frames: dict[str, pl.DataFrame]) -> None:
        """Write the accepted rows of one part; empty frames leave no file."""
        for table_name, frame in frames.items():
            if frame.is_empty():
                continue
            directory = self.aside / table_name
            directory.mkdir(parents=True, exist_ok=True)
            name = f"part-{number:05d}.parquet"
            frame.write_parquet(directory / name, compression="zstd", compression_level=COMPRESSION_LEVEL, statistics=True)
            sha256, size = digest(directory / name)
            relative = f"{self.source}/{table_name}/{self.agency}/{self.batch_id}/{name}"
            with self._lock:
                self.files.append(BatchFile(table_name, relative, frame.height, size, sha256))

    def paths_aside(self, table_name: str) -> list[str]:
        """Where the parts of a table lie before the batch is committed."""
        return [str(self.aside / table_name / Path(file.path).name) for file in self.files if file.table_name == table_name]

    def move_in(self) -> set[Path]:
        """Move the batch into the lake; returns the directories that have to be made durable."""
        moved = set()
        for table_name in sorted({file.table_name for file in self.files}):
            target = self.home.lake / self.source / table_name / self.agency / self.batch_id
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            (self.aside / table_name).rename(target)
            moved.add(target.parent)
        self.discard()
        return moved

    def discard(self) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)


def commit(batches: Iterable[Batch]) -> None:
    """Move batches into the lake. Called just before the load's transaction: what no ledger row names then is swept."""
    for directory in sorted({directory for batch in batches for directory in batch.move_in()}):
        sync_directory(directory)


def read_together(files: pl.DataFrame, table: Table) -> pl.LazyFrame:
    """Rows of many small files of a contract's table with what `files` says of each beside its `path`.

    Polars opens a small file in a fifth of DuckDB's time and keeps nothing of it.
    """
    lazy = pl.scan_parquet(
        files["path"].to_list(),
        schema=table.polars_schema(),
        include_file_paths="path",
        missing_columns="insert",
        extra_columns="ignore",
    )
    return lazy.join(files.lazy(), on="path").drop("path")


def packed(batches: Iterable[T], size: Callable[[T], tuple[int, int]]) -> Iterator[list[T]]:
    """Batches that are read together, in their order; `size`: the files and rows of one."""
    waiting: list[T] = []
    files = rows = 0
    for batch in batches:
        more_files, more_rows = size(batch)
        if waiting and (files + more_files > FILES_AT_ONCE or rows + more_rows > ROWS_AT_ONCE):
            yield waiting
            waiting, files, rows = [], 0, 0
        waiting.append(batch)
        files, rows = files + more_files, rows + more_rows
    if waiting:
        yield waiting


def speaks_of_files(error: BaseException) -> bool:
    """Whether an error may come of a lake file that is not what was written."""
    return isinstance(error, duckdb.Error | pl.exceptions.PolarsError | OSError) or is_panic(error)


def wrong_with(home: Home, path: str, size: int | None, sha256: str | None, rows: int | None, deep: bool) -> str | None:
    """What is wrong with a lake file (`path` relative to the lake), None when nothing is; `size` and `sha256` None where they were
    not kept. `deep` reads it: its hash, or, where none was kept, all its rows."""
    file = home.lake / path
    try:
        there = file.stat().st_size
    except OSError:
        return "was set apart as damaged" if file.with_name(file.name + APART).exists() else "is missing"
    if size is not None and there != size:
        return f"has {there} bytes instead of {size}"
    if not deep:
        return None
    if sha256 is not None:
        return None if digest(file)[0] == sha256 else "is not what was written (another sha256)"
    try:
        found = pl.read_parquet(file).height
    except BaseException as error:
        if not speaks_of_files(error):
            raise
        return f"cannot be read ({type(error).__name__})"
    return None if rows in (None, found) else f"has {found} rows instead of {rows}"


def set_apart(home: Home, path: str) -> None:
    """Move a damaged file out of the way of those who read; nothing where it is missing."""
    file = home.lake / path
    if file.exists():
        file.replace(file.with_name(file.name + APART))


def there(home: Home, paths: Iterable[str]) -> list[str]:
    """Those of some lake files (relative) that are there, as whole paths; what is not there the run has told of already."""
    return [str(home.lake / path) for path in paths if (home.lake / path).is_file()]


def sweep(home: Home, known: set[str]) -> int:
    """Remove batch directories that the ledger does not know (`known`: relative file paths); returns how many."""
    keep = {str(Path(path).parent) for path in known}
    swept = 0
    for directory in home.lake.glob("*/*/*/*"):
        if directory.is_dir() and str(directory.relative_to(home.lake)) not in keep:
            shutil.rmtree(directory)
            swept += 1
    return swept
