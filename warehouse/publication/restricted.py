"""The second kind of published file: what is for one organisation only (METHOD 5, P3), in a file that only its owner gets.

    published/restricted/<organisation>/nyckeltal.duckdb     0600, in directories of 0700

It holds the organisation's own cells and the tables that explain them; the nation's and the sectors' stand in the open file,
which every owner can read beside it. A file is written when a publication changes its cells, so a delivery costs the files of
those whom it speaks of; all are written when the open file is built from nothing. They are written aside, and renamed together
when the open file stands too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import polars as pl

from warehouse import figures
from warehouse.home import Home, sync_directory
from warehouse.memory import MEMORY_MB
from warehouse.publication import generations, mart
from warehouse.publication.generations import FILE_NAME, Connection, PublishedTable
from warehouse.store import Store


def directory(home: Home, organisation_id: str) -> Path:
    """Where an organisation's file lies; whatever its id is made of, it names one directory."""
    return home.restricted / quote(organisation_id, safe="").replace(".", "%2E")


@dataclass(frozen=True)
class Due:
    """What a publication writes: the rows (KEY_FIGURE columns of history) of the owners whose file is due, and all who have one."""

    rows: pl.DataFrame
    owners: frozenset[str]


def due(store: Store, number: int, everything: bool) -> Due:
    """The files that publication `number` changes, or `everything`."""
    own = figures.restricted(store)
    owners = frozenset(own["level_id"].unique())
    changed = figures.restricted_changes(store, number)
    wanted = [
        owner
        for owner in sorted(owners)
        if everything or owner in changed or not (directory(store.home, owner) / FILE_NAME).exists()
    ]
    return Due(own.filter(pl.col("level_id").is_in(wanted)), owners)


def write(
    home: Home, found: Due, tables: Sequence[PublishedTable], names: pl.DataFrame, through: pl.DataFrame, memory_mb: int = MEMORY_MB
) -> None:
    """Write the files aside; those in force stay. Needs no warehouse, so it may run beside it.

    `tables`: what explains the cells. `names` and `through`: as in mart.with_derived.
    """
    base = _aside(home)
    shutil.rmtree(base, ignore_errors=True)
    if found.rows.is_empty():
        return
    base.parent.mkdir(mode=0o700, exist_ok=True)
    base.mkdir(mode=0o700)
    rows = mart.with_derived(found.rows, names, through)
    empty = [mart.level_table(names.clear()), mart.key_figure_table(rows.clear())]
    template = base / FILE_NAME
    _write(home, template, partial(_create, (*tables, *empty)), memory_mb)
    for (owner,), cells in rows.partition_by("level_id", as_dict=True).items():
        path = base / directory(home, str(owner)).name
        path.mkdir(mode=0o700)
        shutil.copyfile(template, path / FILE_NAME)
        places = names.join(cells, on=["level", "level_id"], how="semi")
        own = (mart.level_table(places), mart.key_figure_table(cells))
        _write(home, path / FILE_NAME, partial(_fill, own), memory_mb)
    template.unlink()


def put_in_force(home: Home, found: Due) -> list[Path]:
    """Rename what `write` left aside to its place, remove the files of those who have none any more; returns the files renamed."""
    base, put = _aside(home), []
    for path in sorted(base.iterdir()) if base.is_dir() else ():
        target = home.restricted / path.name
        target.mkdir(mode=0o700, exist_ok=True)
        (path / FILE_NAME).replace(target / FILE_NAME)
        sync_directory(target)
        put.append(target / FILE_NAME)
    kept = {directory(home, owner) for owner in found.owners}
    for path in home.restricted.iterdir() if home.restricted.is_dir() else ():
        if path not in kept:
            shutil.rmtree(path)
    return put


def _aside(home: Home) -> Path:
    return home.restricted / ".building"


def _create(tables: Sequence[PublishedTable], con: Connection) -> None:
    for table in tables:
        generations.create_table(con, table)


def _fill(tables: Sequence[PublishedTable], con: Connection) -> None:
    """Rows into tables that the template brought."""
    for table in tables:
        con.register("published_frame", table.frame.to_arrow())
        con.execute(f"INSERT INTO {table.qualified} BY NAME FROM published_frame")
        con.unregister("published_frame")


def _write(home: Home, path: Path, fill: Callable[[Connection], object], memory_mb: int) -> None:
    generations.write_file(home, path, fill, memory_mb)
    path.chmod(0o600)
