"""The second kind of published file: what is for one organisation only (METHOD 5, P3), in a file that only its owner gets.

    published/restricted/<organisation>/nyckeltal.duckdb     0600, in directories of 0700

It holds the organisation's own cells and the tables that explain them; the nation's and the sectors' stand in the open file,
which every owner can read beside it. A file is written aside and renamed when a publication changes its cells, so a delivery
costs the files of those whom it speaks of; all are written when the open file is built from nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import polars as pl

from warehouse import figures
from warehouse.home import Home, sync_directory
from warehouse.publication import generations, mart
from warehouse.publication.generations import FILE_NAME, Connection, PublishedTable
from warehouse.store import Store


def directory(home: Home, organisation_id: str) -> Path:
    """Where an organisation's file lies; whatever its id is made of, it names one directory."""
    return home.restricted / quote(organisation_id, safe="").replace(".", "%2E")


def write(
    store: Store, number: int, tables: Sequence[PublishedTable], names: pl.DataFrame, through: pl.DataFrame, everything: bool
) -> int:
    """Write the files that publication `number` changes, or `everything`; remove those without content; returns how many were
    written.

    `tables`: what explains the cells. `names` and `through`: as in mart.with_derived.
    """
    home, own = store.home, figures.restricted(store)
    owners = {directory(home, owner): owner for owner in own["level_id"].unique().sort()}
    for path in home.restricted.iterdir() if home.restricted.is_dir() else ():
        if path not in owners:
            shutil.rmtree(path)
    changed = figures.restricted_changes(store, number)
    due = {path: owner for path, owner in owners.items() if everything or owner in changed or not (path / FILE_NAME).exists()}
    if not due:
        return 0
    home.restricted.mkdir(mode=0o700, exist_ok=True)
    base = home.restricted / ".building"
    base.mkdir(mode=0o700)
    rows = mart.with_derived(own, names, through).partition_by("level_id", as_dict=True)
    explaining = base / "explaining.duckdb"
    _write(home, explaining, tables)
    for path, owner in due.items():
        path.mkdir(mode=0o700, exist_ok=True)
        own_names = mart.level_table(names.join(rows[owner,], on=["level", "level_id"], how="semi"))
        shutil.copyfile(explaining, base / FILE_NAME)
        _write(home, base / FILE_NAME, [own_names, mart.key_figure_table(rows[owner,])])
        (base / FILE_NAME).replace(path / FILE_NAME)
        sync_directory(path)
    shutil.rmtree(base)
    return len(due)


def _write(home: Home, path: Path, tables: Sequence[PublishedTable]) -> None:
    def fill(con: Connection) -> None:
        for table in tables:
            generations.create_table(con, table)

    generations.write_file(home, path, fill)
    path.chmod(0o600)
