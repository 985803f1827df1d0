"""Homes that earlier releases left (tests/homes): unpacked, what they told, and what their warehouses hold."""

from __future__ import annotations

import json
import subprocess
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from tests.acceptance import support

HOMES = support.ROOT / "tests" / "homes"
DAY = date(2025, 7, 1)
"""The day that the homes were made for."""
KILLED = """
import os, sys
from importlib import import_module
module, name, place = {module!r}, {name!r}, import_module({module!r})
done, calls = getattr(place, name), [0]
def dies(*given, **named):
    calls[0] += 1
    if calls[0] == {call} and not {after}:
        os.kill(os.getpid(), 9)
    result = done(*given, **named)
    if calls[0] == {call}:
        os.kill(os.getpid(), 9)
    return result
setattr(place, name, dies)
from flows.cli import main
main()
"""


NEWEST = 4
"""The publication of the first night of this release: its registers and definitions are others than those of the release that left
the homes, which published three."""
MOVED = ("missing_call_share",)
"""Figures whose national values it tells otherwise: another version."""
BESIDE = {
    "ledger.migration": "WHERE false",
    "ledger.state": "WHERE key NOT IN ('last_nightly', 'causes')",
    "ledger.publication": f"WHERE publication_no < {NEWEST}",
    "ledger.published_file": "WHERE false",
    "figure.protection": f"WHERE publication_no <= {NEWEST}",
    "figure.step": f"WHERE publication_no > {NEWEST}",
}
"""Rows that two warehouses of the same content may differ in: how they were migrated, when the last night was and what it owes the
next, when this release published, on what publications decided that did not come out, the steps to publications that are out."""


def unpack(name: str, target: Path) -> Path:
    """The home `name` below `target`."""
    with tarfile.open(HOMES / f"{name}.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target / "home"


def told(name: str) -> list[dict[str, Any]]:
    """What the release itself told after each of its publications."""
    content: dict[str, Any] = json.loads((HOMES / f"{name}.json").read_text("utf-8"))
    assert content["as_of"] == DAY.isoformat()
    publications: list[dict[str, Any]] = content["publications"]
    return publications


def as_kept(table: dict[str, list[Any]], frame: pl.DataFrame) -> list[list[Any]]:
    """Rows of a frame as the kept files hold them, of the columns that were there then."""
    rows = frame.select(table["columns"]).rows()
    return sorted(([cell if cell is None or isinstance(cell, bool) else str(cell) for cell in row] for row in rows), key=repr)


def differences(home: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Tables of two warehouses that differ: rows on the one side only, and on the other. BESIDE is left
    out."""
    con, found = duckdb.connect(), {}
    try:
        for name, place in (("one", home), ("two", other)):
            con.execute(f"ATTACH '{place / 'warehouse.duckdb'}' AS {name} (READ_ONLY)")
        sql = "SELECT DISTINCT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name IN ('one', 'two') ORDER BY ALL"
        for (name,) in con.execute(sql).fetchall():
            where = BESIDE.get(name, "")
            one, two = (f"(FROM {side}.{name} {where})" for side in ("one", "two"))
            counts = [con.execute(f"SELECT count(*) FROM ({a} EXCEPT ALL {b})").fetchall()[0][0] for a, b in ((one, two), (two, one))]
            if any(counts):
                found[name] = (counts[0], counts[1])
    finally:
        con.close()
    return found


def columns(home: Path) -> set[tuple[Any, ...]]:
    """Every column of the warehouse with its type, whether it may be null, and its default."""
    sql = "SELECT schema_name, table_name, column_name, column_index, data_type, is_nullable, column_default FROM duckdb_columns()"
    return set(support.ledger(home, sql).rows())


def killed_at(home: Path, place: str, *words: str, call: int = 1, after: bool = False) -> None:
    """Run a command that kills itself at the given call of a function, before or `after` it."""
    module, _, name = place.rpartition(".")
    code = KILLED.format(module=module, name=name, call=call, after=after)
    line = support.arguments(home, *words)
    line[2] = code
    line[line.index("--as-of") + 1] = DAY.isoformat()
    done = subprocess.run(line, env=support.environment(), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == -9, done.stderr
