"""The lake: accepted rows as immutable Parquet, one set of part files per batch and table, in arrival order.

A batch is written below `work/` and moved into the lake by renames just before the load; files that no ledger row
names are what a crash left and are swept by the next run.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.home import Home, sync_directory

COMPRESSION_LEVEL = 1
"""zstd 1: measured fastest for the whole way from file to figures."""


@dataclass
class BatchFile:
    """One Parquet part of a batch; `path` is relative to the lake."""

    table_name: str
    path: str
    rows_n: int


@dataclass
class Batch:
    """A batch being written. `write` is thread-safe."""

    home: Home
    source: str
    agency: str
    batch_id: str
    files: list[BatchFile] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
            relative = f"{self.source}/{table_name}/{self.agency}/{self.batch_id}/{name}"
            with self._lock:
                self.files.append(BatchFile(table_name, relative, frame.height))

    def paths_aside(self, table_name: str) -> list[str]:
        """Where the parts of a table lie before the batch is committed."""
        return [str(self.aside / table_name / Path(file.path).name) for file in self.files if file.table_name == table_name]

    def commit(self) -> None:
        """Move the batch into the lake. Called just before the load's transaction: what no ledger row names then is swept."""
        for table_name in sorted({file.table_name for file in self.files}):
            target = self.home.lake / self.source / table_name / self.agency / self.batch_id
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            (self.aside / table_name).rename(target)
            sync_directory(target.parent)
        self.discard()

    def discard(self) -> None:
        shutil.rmtree(self.aside, ignore_errors=True)


def sweep(home: Home, known: set[str]) -> int:
    """Remove batch directories that the ledger does not know (`known`: relative file paths); returns how many."""
    keep = {str(Path(path).parent) for path in known}
    swept = 0
    for directory in home.lake.glob("*/*/*/*"):
        if directory.is_dir() and str(directory.relative_to(home.lake)) not in keep:
            shutil.rmtree(directory)
            swept += 1
    return swept
