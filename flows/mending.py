"""Mending: what is found damaged is healed in the run that finds it where the home holds what it takes, and told in any case.

Lake files are made again from the originals in landing. Where the original is gone too the delivery is set apart: what was
computed from it stands until it would have to be measured again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.errors import Damage, Damaged, Reason
from warehouse import journal, lake, ledger
from warehouse.landing import Landing
from warehouse.publication import condition
from warehouse.store import WAREHOUSE_CURE, Store

log = logging.getLogger(__name__)
LOST = Reason("rows_lost", "the rows of this delivery were lost in the lake and its original is gone; deliver the file again")


def mend_lake(store: Store, at: datetime) -> list[Damage]:
    """Ask for deliveries whose lake files are missing, cut short or set apart to be read again from landing; returns what is said of
    each file. The caller loads next.

    Raises Damaged where no lake file is there at all and not all can be made again: then the lake is not mounted, or moved.
    """
    files = ledger.live_files(store)
    wrong = {row["path"]: text for row in files if (text := _wrong(store, row))}
    if not wrong:
        return []
    landed = {item.delivery_id: item for item in Landing(store.home).all()}
    broken = [row for row in files if row["path"] in wrong]
    whole = {name for row in broken for name in row["deliveries"] if name in landed and landed[name].is_whole()}
    lost = {name for row in broken for name in row["deliveries"]} - whole
    lost -= {name for name in lost if name in landed and not landed[name].active}
    if lost and len(wrong) == len(files):
        text = f"holds none of its {len(files)} files; is it on a disk that is not mounted?"
        raise Damaged(Damage(store.home.lake.name, text, f"bring the disk back, or {WAREHOUSE_CURE}"))
    for row in broken:
        lake.set_apart(store.home, row["path"])
    known = ledger.known(store)
    for name in sorted(whole):
        if landed[name].active and landed[name].attempt <= known[name].attempt:
            Landing(store.home).note(landed[name], "reprocess", at, "a lake file was damaged")
    with store.transaction():
        ledger.tell_lost(store, sorted(lost), LOST)
    return [_told(store, row, wrong[row["path"]], lost) for row in broken]


def _wrong(store: Store, row: Mapping[str, Any], deep: bool = False) -> str | None:
    return lake.wrong_with(store.home, row["path"], row["size_bytes"], row["sha256"], row["rows_n"], deep)


def _told(store: Store, row: Mapping[str, Any], text: str, lost: set[str]) -> Damage:
    path = f"{store.home.lake.name}/{row['path']}"
    gone = [name for name in row["deliveries"] if name in lost]
    if not gone:
        return Damage(path, text, "its rows were read again from landing", is_healed=True)
    ids = ", ".join(gone[:3])
    cure = f"the original of {ids} is gone or damaged too: receive that file again; what it was measured to stands until it must be"
    return Damage(path, text, f"{cure} measured anew, then the delivery is out of force")


def require_whole_lake(store: Store) -> None:
    """Raises Damaged where a lake file is not what was written: measuring without it would change figures."""
    cure = "`nyckeltal mend` first: it reads the delivery again from landing, or says that it must be received again"
    found = [(row, text) for row in ledger.live_files(store) if (text := _wrong(store, row, deep=True))]
    if found:
        raise Damaged(*(Damage(f"{store.home.lake.name}/{row['path']}", text, cure) for row, text in found))


def find_damaged_rows(store: Store) -> bool:
    """Set apart the lake files whose bytes are not those that were written; whether there are any. Reads the whole lake: for when
    measuring could not read a file."""
    found = [row["path"] for row in ledger.live_files(store) if _wrong(store, row, deep=True)]
    for path in found:
        log.error("lake file %s is damaged and was set apart", path)
        lake.set_apart(store.home, path)
    return bool(found)


def uncover(store: Store) -> None:
    """Make damage that only reading finds visible to every run: damaged lake files are set apart, damaged published files in force
    removed, as are those of the journal."""
    find_damaged_rows(store)
    for item in condition.of_published(store, deep=True):
        if item.path not in condition.LINKS:
            (store.home.root / item.path).unlink(missing_ok=True)
    for number in journal.numbers(store.home):
        path = journal.path_of(store.home, number)
        if text := journal.wrong_with(path, deep=True):
            log.warning("journal file %s %s; the run after this writes it from the warehouse", path, text)
            path.unlink()
