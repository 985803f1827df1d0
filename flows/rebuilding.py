"""Rebuilding: the warehouse made anew from the journal and the lake, aside, and put in its place by one rename."""

from __future__ import annotations

import logging
from datetime import datetime

import duckdb

from flows.measuring import measure, measure_anew
from flows.refreshing import compute_anew
from schemas.errors import ConfigurationError, Damaged, UsageError, WarehouseLost
from schemas.reference import Reference
from warehouse import ledger, restoring, store
from warehouse.home import Home
from warehouse.publication import condition
from warehouse.restoring import Restored
from warehouse.store import Store

LOST_SHOWN = 10
log = logging.getLogger(__name__)


def rebuild(home: Home, reference: Reference, at: datetime, wait_seconds: float, memory_mb: int, from_landing: bool) -> Restored:
    """Make the warehouse anew, whatever state it is in. The next run computes the figures, and reads what is to be read again.

    What a warehouse that can be opened holds and the journal does not yet is journalled first. Raises UsageError where there is
    nothing to make one from, Busy while another run writes.
    """
    if not home.warehouse.exists() and not store.is_lost(home):
        raise UsageError(f"{home.root} has had no warehouse yet; `nyckeltal nightly` makes one")
    if home.warehouse.exists():
        try:
            with store.writing(home, wait_seconds, memory_mb) as warehouse:
                known = warehouse.scalar("SELECT coalesce(max(publication_no), 0) FROM ledger.publication")
                if older := condition.of_warehouse_age(home, int(known)):
                    raise Damaged(*older)  # the journal knows more than it
        except (duckdb.Error, Damaged, WarehouseLost) as error:
            log.warning("what the journal says counts: %s", str(error).partition("\n")[0])
    with store.locked(home, wait_seconds, f"another run is writing {home.warehouse}; wait for it, or raise --wait"):
        return _make_anew(home, reference, at, memory_mb, from_landing)


def put_back(home: Home, reference: Reference, at: datetime, wait_seconds: float, memory_mb: int) -> None:
    """Make a warehouse that is lost anew, before a run begins at publication 1 beside what is published. Raises ConfigurationError
    where things are lost with it: a person decides."""
    if not store.is_lost(home):
        return
    with store.locked(home, wait_seconds, f"another run is writing {home.warehouse}; wait for it, or raise --wait"):
        if store.is_lost(home):  # still, now that nobody else writes
            log.warning("%s is gone; it is made anew from its journal", home.warehouse)
            _make_anew(home, reference, at, memory_mb, from_landing=False, may_lose=False)


def _make_anew(home: Home, reference: Reference, at: datetime, memory_mb: int, from_landing: bool, may_lose: bool = True) -> Restored:
    home.create()
    with store.aside(home, memory_mb) as warehouse:
        found = restoring.restore(warehouse, at, from_landing)
        if found.lost and not may_lose:
            raise ConfigurationError(
                f"{home.warehouse} is gone, and with it what nothing else holds; restore a backup, or run `nyckeltal rebuild`, which "
                f"makes the rest anew. Lost: {'; '.join(found.lost[:LOST_SHOWN])}"
            )
        with warehouse.transaction():
            measure_anew(warehouse)
            measure(warehouse, reference, [], at)
            compute_anew(warehouse)
    return found


def is_unfinished(warehouse: Store) -> bool:
    """Whether the warehouse was made anew and what waits has not been loaded: until then nothing is to be published."""
    return ledger.state(warehouse, restoring.REBUILT) is not None


def finish(warehouse: Store) -> None:
    """What waited is loaded."""
    warehouse.con.execute("DELETE FROM ledger.state WHERE key = ?", [restoring.REBUILT])
