"""Migrations: numbered steps that bring the tables of an older home forward, each in one transaction, so that a crash leaves the
home before or after it.

The number of the last one done is the schema of the home (ledger.migration). A new home takes the same way from an empty file, so
both end with the same tables. What is made from contracts (measure.*, figure.cell, figure.history) follows the contracts and needs
no migration: see warehouse/upkeep.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from schemas.errors import ConfigurationError
from warehouse.home import Home
from warehouse.migrations import m0000_baseline, m0001_years
from warehouse.store import Store

MIGRATIONS: Sequence[ModuleType] = (m0000_baseline, m0001_years)
"""In order: the place is the schema number that a migration leads to. Each has `apply(store)`. Never changed once released."""


def newest() -> int:
    """The schema that this code works with."""
    return len(MIGRATIONS) - 1


def schema_of(store: Store) -> int:
    """The schema number of an open warehouse: 0 of homes that know none, -1 of an empty file."""
    known = {
        row["table_name"]
        for row in store.rows("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ledger' AND NOT temporary")
    }
    if "migration" in known:
        return int(store.scalar("SELECT max(number) FROM ledger.migration"))
    return 0 if known else -1


def require_known(home: Home, number: int) -> None:
    """Raises ConfigurationError for the schema of a home that a newer release has brought forward."""
    if number > newest():
        raise ConfigurationError(
            f"{home.root} has schema {number}, this release of nyckeltal knows {newest()}: a newer release has worked here. "
            "Use that release, or restore a backup that this one made"
        )


def bring_forward(store: Store, to: int | None = None) -> None:
    """Do the migrations that are left, up to the number `to` (None: all). Raises ConfigurationError for a newer home."""
    found = schema_of(store)
    last = newest() if to is None else to
    require_known(store.home, max(found, last))
    # what a home without a number lacks of schema 0 is made too
    for number in range(found + 1 if found > 0 else 0, last + 1):
        with store.transaction():
            MIGRATIONS[number].apply(store)
            if number:
                name = MIGRATIONS[number].__name__.rpartition(".")[2]
                store.con.execute("INSERT INTO ledger.migration VALUES (?, ?, now()::TIMESTAMP)", [number, name])
