"""The journal: what the warehouse is made anew from when it is lost.

    journal/000007.zip   what publication 7 changed: rows of history it opened, keys of those it closed, revisions, its own row
    journal/ledger.zip   the newest state of all small tables: what became of deliveries, slices, panels, verdicts, words

Zips of Parquet, for their owner only: they hold what is withheld from others. A publication's file is written before it counts
as out and never again; the ledger's is replaced by one rename at the end of every run that changed it. Nothing here is ever pruned.
Measures and cells are not kept: they follow from the lake; nor are hashes of rows: they follow from the rows.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import WarehouseLost
from warehouse import migrations
from warehouse.figure_tables import OF_HISTORY
from warehouse.figures import KEY, SETTLED
from warehouse.home import Home, sync_directory, sync_file
from warehouse.store import Store

LEDGER = "ledger.zip"
MANIFEST = "manifest.json"
REMADE = frozenset(
    {
        "ledger.migration",
        "figure.cell",
        "figure.counting",
        "figure.expected",
        "figure.history",
        "figure.membership",
    }
)
"""Tables that the ledger's file leaves out: they stand in the publications' files, follow from the lake, or say how the tables
themselves were made."""
ROWS_AT_ONCE = 100_000
COMPRESSION_LEVEL = 1
WHOLE_HISTORY = (*SETTLED, *(name for name in OF_HISTORY if name not in ("content_hash", "valid_to_no")))
"""What is kept of a row of history: its hash follows from it, its end is what a later publication says."""
UNREADABLE = (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, pl.exceptions.PolarsError)
"""What reading a broken zip or its Parquet raises."""
Content = dict[str, pl.DataFrame]
log = logging.getLogger(__name__)


def path_of(home: Home, number: int) -> Path:
    return home.journal / f"{number:06d}.zip"


def numbers(home: Home) -> list[int]:
    """Publications that have a file, in order."""
    return sorted(int(path.stem) for path in home.journal.glob("*.zip") if path.stem.isdigit())


def write(store: Store, number: int) -> None:
    """Write the file of a publication, in place of that of an attempt that did not come out."""
    kept = {column["column_name"] for column in store.rows("DESCRIBE figure.history")}
    names = ", ".join(f'"{name}"' for name in WHOLE_HISTORY if name in kept)
    key = ", ".join(f'"{name}"' for name in KEY)
    parts = {
        "publication": f"FROM ledger.publication WHERE publication_no = {number}",
        "opened": f"SELECT {names} FROM figure.history WHERE valid_from_no = {number}",
        "closed": f"SELECT {key}, valid_from_no FROM figure.history WHERE valid_to_no = {number}",
        "revision": f"FROM figure.revision WHERE publication_no = {number}",
    }

    def fill(archive: zipfile.ZipFile) -> None:
        for name, sql in parts.items():
            for at, frame in enumerate(_frames(store, sql)):
                _add(archive, f"{name}-{at:05d}.parquet", frame)
        archive.writestr(MANIFEST, json.dumps({"schema": migrations.newest(), "publication_no": number}))

    _replace(path_of(store.home, number), fill)


def _frames(store: Store, sql: str) -> Iterator[pl.DataFrame]:
    """The result by so many rows; one frame at least, so that the columns are known."""
    reader = store.con.execute(sql).to_arrow_reader(ROWS_AT_ONCE)
    yield pl.DataFrame(reader.schema.empty_table())
    for batch in reader:
        yield pl.DataFrame(batch)


def wrong_with(path: Path, deep: bool = False) -> str | None:
    """What is wrong with a file of the journal; `deep` reads its parts against their checksums."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip() if deep else None
    except FileNotFoundError:
        return "is missing"
    except UNREADABLE as error:
        broken = type(error).__name__
    return f"cannot be read ({broken})" if broken else None


def catch_up(store: Store) -> None:
    """Write the files of publications that are out and have none that opens: of a home that an older release made, or that lost them.

    Raises WarehouseLost for a warehouse that is older than its journal: going on would write over what was published since.
    """
    for left in store.home.journal.glob(".*.tmp"):  # by a crash
        left.unlink()
    there = set(numbers(store.home))
    last = store.scalar("SELECT max(publication_no) FROM ledger.publication") or 0
    if max(there, default=0) > last:
        raise WarehouseLost(
            f"{store.home.warehouse} knows {last} publications, its journal tells of publication {max(there)}: an older warehouse was "
            "put back; `nyckeltal rebuild` makes it anew"
        )
    for row in store.rows("SELECT publication_no FROM ledger.publication WHERE is_out ORDER BY publication_no"):
        if text := wrong_with(path_of(store.home, row["publication_no"])):
            log.info("journal of publication %s %s; written from the warehouse", row["publication_no"], text)
            write(store, row["publication_no"])


def keep_ledger(store: Store) -> None:
    """Replace the ledger's file if any of its tables is another than there; what is the same is taken over as it stands."""
    path = store.home.journal / LEDGER
    if not path.exists() and not store.scalar("SELECT count(*) FROM (FROM ledger.delivery LIMIT 1)"):
        return  # nothing has happened yet
    marks = _marks(store)
    manifest = {"schema": migrations.newest(), "tables": marks}
    former, kept = _former(path)
    if former == manifest:
        return

    def fill(archive: zipfile.ZipFile) -> None:
        for name, mark in marks.items():
            member = f"{name}.parquet"
            if former.get("tables", {}).get(name) == mark:
                archive.writestr(member, kept[member])
            else:
                _add(archive, member, store.frame(f"SELECT COLUMNS(c -> c <> 'content_hash') FROM {name}"))
        archive.writestr(MANIFEST, json.dumps(manifest))

    _replace(path, fill)


def _marks(store: Store) -> dict[str, str]:
    """Per table what changes with its columns and rows, not with their order."""
    columns: dict[str, list[object]] = {}
    for row in store.rows(
        "SELECT schema_name || '.' || table_name AS name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name IN ('ledger', 'figure') AND database_name = current_database() ORDER BY name, column_index"
    ):
        if row["name"] not in REMADE:
            columns.setdefault(row["name"], []).append((row["column_name"], row["data_type"]))
    scans = [f"SELECT '{name}' AS name, count(*) AS n, sum(hash(t)::HUGEINT)::VARCHAR AS mark FROM {name} t" for name in columns]
    return {
        row["name"]: f"{row['n']}:{row['mark'] or 0}:{hashlib.sha256(repr(columns[row['name']]).encode()).hexdigest()[:16]}"
        for row in store.rows(" UNION ALL ".join(scans))
    }


def _former(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Manifest of the ledger's file and its members; nothing where the file is not there or broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            members = {name: archive.read(name) for name in archive.namelist()}
    except UNREADABLE:
        return {}, {}
    return manifest, members


def _add(archive: zipfile.ZipFile, name: str, frame: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=COMPRESSION_LEVEL)
    archive.writestr(name, buffer.getvalue())


def _replace(path: Path, fill: Callable[[zipfile.ZipFile], None]) -> None:
    """Write a zip so that after a crash the former one or the new one is there, whole; readable by its owner only."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            fill(archive)
        sync_file(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def read(path: Path) -> tuple[Mapping[str, Any], Content]:
    """Manifest and tables of a file of the journal, checked; parts of a table are put together.

    Raises one of UNREADABLE for a file that is lost or not what was written.
    """
    with zipfile.ZipFile(path) as archive:
        manifest: Mapping[str, Any] = json.loads(_member(archive, MANIFEST))
        parts: dict[str, list[pl.DataFrame]] = {}
        for name in sorted(archive.namelist()):
            if name.endswith(".parquet"):
                table = name.removesuffix(".parquet").partition("-")[0]
                parts.setdefault(table, []).append(pl.read_parquet(io.BytesIO(archive.read(name))))
    return manifest, {name: pl.concat(frames) for name, frames in parts.items()}


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except KeyError as error:
        raise ValueError(f"lacks {name}") from error
