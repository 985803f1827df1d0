"""What `doctor` says of damage: every file of the home against what was kept of it. Each finding names the file and the cure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from flows.pipeline import reference_of
from flows.reporting import GLANCE_SECONDS, Finding
from flows.settings import Settings
from schemas.errors import Busy, ConfigurationError, Damage, Damaged
from transforms.registry import SOURCES
from warehouse import journal, lake, ledger, store
from warehouse.home import Home
from warehouse.landing import Landed, Landing
from warehouse.publication import condition
from warehouse.store import WAREHOUSE_CURE, Store

DEEP_WAIT_SECONDS = 600.0
LAKE_CURE = "`nyckeltal {}` reads its delivery again from landing, or says that it must be received again"
ORIGINAL_CURE = "receive the same file again; what was loaded of it stays in force"
JOURNAL_CURE = (
    "`nyckeltal {}` writes it again from the warehouse; where that is lost too, bring it back by `nyckeltal restore FROM --only` first"
)


def damage(settings: Settings, deep: bool = False) -> list[Finding]:
    """Findings about damaged files: what can be seen without reading them (names, sizes, what must be readable as JSON, the links),
    `deep` all of them: hashes, rows, every table of the warehouse. Long reading is done without the lock."""
    home = Home(settings.home.resolve())
    if not home.landing.is_dir():
        return []
    found: list[Damage] = []
    former: list[Damage] = []
    told: list[Finding] = []
    live: list[dict[str, Any]] = []
    known: dict[str, ledger.Known] = {}
    unreadable: list[Damaged] = []
    landed = list(Landing(home).all(unreadable))
    try:
        with store.reading(home, DEEP_WAIT_SECONDS if deep else GLANCE_SECONDS) as warehouse:
            found += condition.of_warehouse_age(home, _publications(warehouse))
            if warehouse:
                live, known = ledger.live_files(warehouse), ledger.known(warehouse)
                found += condition.of_published(warehouse, deep)
                found += ledger.gone_from_landing(warehouse, landed, unreadable)
                former = condition.of_former(warehouse) if deep else []
                found += _of_tables(warehouse) if deep else []
    except Damaged as error:
        found += error.damage
    except Busy:
        told.append(Finding("ok", "damage", "a run is writing: lake and publications were not looked at"))
    except ConfigurationError as error:  # a home of another release
        told.append(Finding("warn", "damage", str(error)))
    wrong = [item for row in live if (item := _of_lake(home, row, deep))]
    if wrong:
        found += _still_there(home, wrong)
    found += [item for error in unreadable for item in error.damage] + ledger.journals_cut(landed, known)
    found += [item for one in landed if deep and (item := _of_original(one, known))]
    found += _of_journal(home, deep)
    told += _of_registers(home)
    told += [Finding("fail", "damage", str(item)) for item in found]
    told += [Finding("warn", "damage", str(item)) for item in former]  # no reader is led there
    what = "every file is what was written" if deep else "none to be seen; `doctor --deep` reads every file"
    return told or [Finding("ok", "damage", what)]


def _publications(warehouse: Store | None) -> int:
    if warehouse is None:
        return 0
    return int(warehouse.scalar("SELECT coalesce(max(publication_no), 0) FROM ledger.publication"))


def _of_tables(warehouse: Store) -> list[Damage]:
    """Every table of the warehouse, read whole, and whether rows and cents add up."""
    found = []
    for row in warehouse.rows("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL"):
        name = f'{row["schema_name"]}."{row["table_name"]}"'
        try:
            warehouse.scalar(f"SELECT bit_xor(hash(t)) FROM {name} t")
        except duckdb.Error as error:
            found.append(Damage(warehouse.home.warehouse.name, f"cannot be read: {name} ({type(error).__name__})", WAREHOUSE_CURE))
    broken = ledger.check_conservation(warehouse)
    return found + [Damage(warehouse.home.warehouse.name, f"does not add up: {text}", "bring all back by `nyckeltal restore`") for text in broken]


def _of_lake(home: Home, row: Mapping[str, Any], deep: bool) -> Damage | None:
    """A file that is there with its size nobody misses before it is measured: reading the home whole finds it, and `mend` heals it."""
    kept = (row["path"], row["size_bytes"], row["sha256"], row["rows_n"])
    for command, reads in (("nightly", False), ("mend", True))[: 1 + deep]:
        if text := lake.wrong_with(home, *kept, reads):
            return Damage(f"{home.lake.name}/{row['path']}", text, LAKE_CURE.format(command))
    return None


def _still_there(home: Home, wrong: Iterable[Damage]) -> list[Damage]:
    """Without files that a run has let go while they were looked at."""
    with store.reading(home, DEEP_WAIT_SECONDS) as warehouse:
        live = {f"{home.lake.name}/{row['path']}" for row in ledger.live_files(warehouse)} if warehouse else set()
    return [item for item in wrong if item.path in live]


def _of_journal(home: Home, deep: bool) -> list[Damage]:
    """The files from which history comes back when the warehouse is lost: zips with a checksum for each of their parts."""
    found = []
    for path in sorted(home.journal.glob("*.zip")):
        for command, reads in (("nightly", False), ("mend", True))[: 1 + deep]:
            if text := journal.wrong_with(path, reads):
                found.append(Damage(str(path.relative_to(home.root)), text, JOURNAL_CURE.format(command)))
                break
    return found


def _of_registers(home: Home) -> list[Finding]:
    try:
        reference_of(home)
    except ConfigurationError as error:
        return [Finding("fail", "registry", f"{error}; or bring it back by `nyckeltal restore FROM --only registry`")]
    return []


def _of_original(landed: Landed, known: Mapping[str, ledger.Known]) -> Damage | None:
    """Retention removes the originals of what is withdrawn, and of personal sources once they are loaded: that is no damage."""
    if not landed.file.is_file():
        contract = SOURCES[landed.intent.source].contract if landed.intent.source in SOURCES else None
        if not landed.active or (contract and contract.is_personal and landed.delivery_id in known):
            return None
        return Damage(f"{landed.place}/file", "is missing", ORIGINAL_CURE)
    if landed.is_whole():
        return None
    return Damage(f"{landed.place}/file", "is not what was received (another sha256 or size)", ORIGINAL_CURE)
