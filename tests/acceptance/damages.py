"""Kinds of damage: how each comes about, what `doctor` says of it, what a night does with it, what heals it. docs/damage.md tells
the same of each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.home import Home
from warehouse.landing import Landing

HEALS, GOES_ON, SEES_NOTHING = "heals it", "goes on, names it", "does not see it"
ENDS_3, ENDS_5, ENDS_7 = "ends with 3, names it", "ends with 5, names it", "ends with 7, names it"
REBUILDS = "makes it anew from the journal"
UNTIL_READ = "does not see it until it reads there, then ends with 7, names it"
NIGHTLY, MEND, RECEIVE = "`nightly`", "`mend`", "`receive` the same file"
ONLY, RESTORE, NOTHING = "`restore FROM --only`", "`restore FROM` or `rebuild`", "nothing needed"
ALL = "`restore FROM`"
DOCTOR, DEEP = "doctor", "doctor --deep"
GENERATION = "published/generations/000001/nyckeltal.duckdb"


@dataclass(frozen=True)
class Kind:
    """`harm` does the damage in a home and returns the path that must be named; `says` is what doctor says of it, `seen` which
    doctor; `night` and `cure` are words of this module."""

    name: str
    seen: str
    says: str
    night: str
    cure: str
    harm: Callable[[Path], str]
    size: str = "tiny"

    @property
    def row(self) -> str:
        """Its row in docs/damage.md."""
        return f"| {self.name} | `{self.seen}`: {self.says} | {self.night} | {self.cure} |"


def delivery(home: Path, source: str = "purchase_invoices") -> Path:
    return next(item.directory for item in Landing(Home(home)).all() if item.intent.source == source)


def below(home: Path, path: Path) -> str:
    return str(path.relative_to(home))


def written(home: Path, path: Path, data: bytes) -> str:
    """Other bytes in a file's place, whatever its rights."""
    path.chmod(0o600)
    path.write_bytes(data)
    return below(home, path)


def gone(home: Path, path: Path) -> str:
    path.unlink()
    return below(home, path)


def cut(home: Path, path: Path) -> str:
    path.chmod(0o600)
    return written(home, path, path.read_bytes()[: path.stat().st_size // 2])


def garbled(home: Path, path: Path) -> str:
    """As long as before, and as if nobody had touched it."""
    status = path.stat()
    name = written(home, path, b"\x5a" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return name


def lake_file(home: Path, below_lake: str = "purchase_invoices") -> Path:
    return next(iter(sorted((home / "lake" / below_lake).rglob("*.parquet"))))


def entry(home: Path) -> Path:
    return delivery(home) / "journal" / "0001-received.json"


def journal_gone(home: Path) -> str:
    shutil.rmtree(delivery(home) / "journal")
    return below(home, delivery_without(home) / "journal")


def delivery_without(home: Path) -> Path:
    """The delivery whose journal is gone."""
    return next(path.parent for path in sorted((home / "landing").rglob("manifest.json")) if not (path.parent / "journal").exists())


def entry_before_gone(home: Path) -> str:
    later = entry(home).with_name("0002-received.json")
    entry(home).rename(later)
    return below(home, later)


def sql(home: Path, *statements: str) -> None:
    con = duckdb.connect(str(home / "warehouse.duckdb"))
    for statement in statements:
        con.execute(statement)
    con.close()


def newest_entry_gone(home: Path) -> str:
    identity = next(item.delivery_id for item in Landing(Home(home)).all())
    sql(home, f"UPDATE ledger.delivery SET journal_n = 2 WHERE delivery_id = '{identity}'")
    return below(home, next(item.directory for item in Landing(Home(home)).all()) / "journal")


def lake_file_and_original(home: Path) -> str:
    path = lake_file(home)
    identity = path.parent.name.split("-", maxsplit=1)[0]
    next(item.file for item in Landing(Home(home)).all() if item.delivery_id == identity).unlink()
    return gone(home, path)


def lake_gone(home: Path) -> str:
    path = below(home, lake_file(home))
    shutil.rmtree(home / "lake")
    return path


def lake_and_originals_gone(home: Path) -> str:
    for item in Landing(Home(home)).all():
        item.file.unlink()
    return lake_gone(home).split("/", maxsplit=1)[0]


def notices_table_gone(home: Path) -> str:
    path = below(home, lake_file(home, "procurement_notices/lot"))
    shutil.rmtree(home / "lake" / "procurement_notices" / "lot")
    return path


def garbled_and_measured(home: Path) -> str:
    register = home / "registry" / "agencies.csv"
    register.write_text(register.read_text("utf-8").replace("Koelan kaupunki", "Koelan kunta"), "utf-8")
    return garbled(home, lake_file(home))


def warehouse(harm: Callable[[Path, Path], str]) -> Callable[[Path], str]:
    return lambda home: harm(home, home / "warehouse.duckdb")


def middle_overwritten(home: Path) -> str:
    path = home / "warehouse.duckdb"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 5)
        file.write(b"\x5a" * (size // 2))
    return below(home, path)


def one_block_overwritten(home: Path) -> str:
    """A block of a table: the file opens, the table cannot be read."""
    path = home / "warehouse.duckdb"
    block = 262144
    for number in range(path.stat().st_size // block - 1, 0, -1):
        with path.open("r+b") as file:
            file.seek(12288 + number * block + 1000)
            before = file.read(1000)
            file.seek(12288 + number * block + 1000)
            file.write(b"\x5a" * 1000)
        if opens_but_cannot_be_read(path):
            return below(home, path)
        with path.open("r+b") as file:
            file.seek(12288 + number * block + 1000)
            file.write(before)
    raise AssertionError("no block of this file holds rows of a measure alone")


def opens_but_cannot_be_read(path: Path) -> bool:
    try:
        con = duckdb.connect(str(path), read_only=True)
    except duckdb.Error:
        return False
    try:
        con.execute("SELECT count(*), bit_xor(hash(h)) FROM figure.history h").fetchall()
    except duckdb.Error:
        return True
    finally:
        con.close()
    return False


def older_warehouse(home: Path) -> str:
    (home / "published" / "generations" / "000001").rename(home / "published" / "generations" / "000002")
    (home / "published" / "current").unlink()
    (home / "published" / "current").symlink_to("generations/000002")
    return "warehouse.duckdb"


def broken_log(home: Path) -> str:
    """A process dies with commits in the log, and the log is damaged."""
    path = home / "warehouse.duckdb"
    died = f"import duckdb, os; con = duckdb.connect({str(path)!r}); con.execute('CREATE TABLE ledger.left AS FROM range(99)'); os._exit(1)"
    subprocess.run([sys.executable, "-c", died], check=False)
    log = path.with_name(path.name + ".wal")
    data = log.read_bytes()
    log.write_bytes(data[: len(data) // 2] + b"\x5a" * 20 + data[len(data) // 2 + 20 :])
    return below(home, path)


def does_not_add_up(home: Path) -> str:
    sql(home, "UPDATE ledger.table_count SET rows_read = rows_read + 1")
    return "warehouse.duckdb"


def published_gone(home: Path) -> str:
    shutil.rmtree(home / "published")
    return GENERATION


def link_is_a_copy(home: Path) -> str:
    path = home / "published" / "nyckeltal.duckdb"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)
    return below(home, path)


def former_generation_gone(home: Path) -> str:
    name = "generations/000000/nyckeltal.duckdb"
    sql(home, f"INSERT INTO ledger.published_file VALUES ('{name}', 1, 'x')")
    return f"published/{name}"


def owners_file(home: Path) -> Path:
    return min((home / "published" / "restricted").glob("*/nyckeltal.duckdb"))


def delivery_gone(home: Path) -> str:
    path = delivery(home)
    shutil.rmtree(path)
    return below(home, path)


KINDS = (
    Kind("delivery gone from landing", DOCTOR, "is missing", GOES_ON, RECEIVE, delivery_gone),
    Kind("manifest cut short", DOCTOR, "cannot be read", GOES_ON, RECEIVE, lambda home: cut(home, delivery(home) / "manifest.json")),
    Kind("manifest gone", DOCTOR, "is missing", GOES_ON, RECEIVE, lambda home: gone(home, delivery(home) / "manifest.json")),
    Kind(
        "manifest that says nothing",
        DOCTOR,
        "is no manifest",
        GOES_ON,
        RECEIVE,
        lambda home: written(home, delivery(home) / "manifest.json", b"{}"),
    ),
    Kind("journal entry unreadable", DOCTOR, "cannot be read", GOES_ON, RECEIVE, lambda home: written(home, entry(home), b"\xff\xfe")),
    Kind("journal entry that says nothing", DOCTOR, "is no receipt", GOES_ON, RECEIVE, lambda home: written(home, entry(home), b"{}")),
    Kind("journal entry gone before another", DOCTOR, "one before it is missing", GOES_ON, RECEIVE, entry_before_gone),
    Kind("newest journal entry gone", DOCTOR, "has 1 entries, the ledger has seen 2", GOES_ON, RECEIVE, newest_entry_gone),
    Kind("journal gone", DOCTOR, "is missing", GOES_ON, RECEIVE, journal_gone),
    Kind("original gone", DEEP, "is missing", SEES_NOTHING, RECEIVE, lambda home: gone(home, delivery(home) / "file")),
    Kind("original cut short", DEEP, "is not what was received", SEES_NOTHING, RECEIVE, lambda home: cut(home, delivery(home) / "file")),
    Kind("original garbled", DEEP, "is not what was received", SEES_NOTHING, RECEIVE, lambda home: garbled(home, delivery(home) / "file")),
    Kind(
        "original of notices garbled",
        DEEP,
        "is not what was received",
        SEES_NOTHING,
        ONLY,
        lambda home: garbled(home, delivery(home, "procurement_notices") / "file"),
    ),
    Kind("lake file gone", DOCTOR, "is missing", HEALS, NIGHTLY, lambda home: gone(home, lake_file(home))),
    Kind("lake file cut short", DOCTOR, "bytes instead of", HEALS, NIGHTLY, lambda home: cut(home, lake_file(home, "procurement_notices"))),
    Kind("lake file garbled", DEEP, "is not what was written", SEES_NOTHING, MEND, lambda home: garbled(home, lake_file(home))),
    Kind("lake file garbled, then measured anew", DEEP, "is not what was written", HEALS, NIGHTLY, garbled_and_measured),
    Kind("lake table of a source gone", DOCTOR, "is missing", HEALS, NIGHTLY, notices_table_gone),
    Kind("whole lake gone", DOCTOR, "is missing", HEALS, NIGHTLY, lake_gone),
    Kind("lake file and its original gone", DOCTOR, "is missing", GOES_ON, RECEIVE, lake_file_and_original),
    Kind("whole lake and originals gone", DOCTOR, "is missing", ENDS_7, ALL, lake_and_originals_gone),
    Kind("warehouse gone", DOCTOR, "knows 0 publications", REBUILDS, NIGHTLY, warehouse(gone)),
    Kind("warehouse empty", DOCTOR, "cannot be read", REBUILDS, NIGHTLY, warehouse(lambda home, path: written(home, path, b""))),
    Kind("warehouse cut short", DOCTOR, "cannot be read", ENDS_7, RESTORE, warehouse(cut)),
    Kind("another file in the warehouse's place", DOCTOR, "cannot be read", ENDS_7, RESTORE, warehouse(garbled)),
    Kind("half of the warehouse overwritten", DOCTOR, "cannot be read", ENDS_7, RESTORE, middle_overwritten),
    Kind("a block of the warehouse overwritten", DEEP, "cannot be read", UNTIL_READ, RESTORE, one_block_overwritten),
    Kind("older warehouse in its place", DOCTOR, "knows 1 publications, but number 2 is out", ENDS_7, RESTORE, older_warehouse),
    Kind("log of the warehouse broken", DOCTOR, "cannot be read", ENDS_7, RESTORE, broken_log),
    Kind("counts of the warehouse do not add up", DEEP, "does not add up", ENDS_5, ALL, does_not_add_up),
    Kind("publication gone", DOCTOR, "is missing", HEALS, NIGHTLY, lambda home: gone(home, home / GENERATION)),
    Kind("publication cut short", DOCTOR, "bytes instead of", HEALS, NIGHTLY, lambda home: cut(home, home / GENERATION)),
    Kind("publication garbled", DOCTOR, "cannot be opened", HEALS, NIGHTLY, lambda home: garbled(home, home / GENERATION)),
    Kind("a byte of the publication other", DEEP, "is not what was built", SEES_NOTHING, MEND, lambda home: one_byte(home, home / GENERATION)),
    Kind("link to the publication gone", DOCTOR, "does not lead to", HEALS, NIGHTLY, lambda home: gone(home, home / "published" / "current")),
    Kind("a copy in place of the link", DOCTOR, "is not the link", HEALS, NIGHTLY, link_is_a_copy),
    Kind("all that is published gone", DOCTOR, "is missing", HEALS, NIGHTLY, published_gone),
    Kind("former generation gone", DEEP, "is missing", SEES_NOTHING, NOTHING, former_generation_gone),
    Kind("owner's file gone", DOCTOR, "is missing", HEALS, NIGHTLY, lambda home: gone(home, owners_file(home)), "demo"),
    Kind("owner's file garbled", DEEP, "is not what was built", SEES_NOTHING, MEND, lambda home: garbled(home, owners_file(home)), "demo"),
    Kind(
        "register that is no text",
        DOCTOR,
        "is not UTF-8",
        ENDS_3,
        ONLY,
        lambda home: written(home, home / "registry" / "accounts.csv", b"\xff\xfe").removeprefix("registry/"),
    ),
)


def one_byte(home: Path, path: Path) -> str:
    """One byte of the last block, where no reader of the meta tables comes."""
    with path.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1000, os.SEEK_END)
        file.write(bytes([byte[0] ^ 0xFF]))
    return below(home, path)
