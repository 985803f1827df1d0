"""Tables that are made from the contracts of cells and key figures, and follow them when they change."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import CELL, KEY_FIGURE
from warehouse import ledger
from warehouse.figures import CONTENT_HASH, SETTLED
from warehouse.store import Store, columns_of, create_table, declared_columns, is_as_declared

HASHED_WITH = "history_hashed_with"
OF_TRUTH = {"content_hash": "UHUGEINT", "valid_from_no": "INTEGER", "valid_to_no": "INTEGER"}
OF_HISTORY = {"revision_no": "INTEGER", **OF_TRUTH, "is_restricted": "BOOLEAN"}
"""Columns of a row of history beside the figure's own. is_restricted: for its owner only (METHOD 5), never in the open file."""


def follow_contracts(store: Store) -> bool:
    """Bring the tables of cells, of history and of what is before protection in line with their contracts, in the caller's
    transaction. Returns whether figures must be computed again.

    Cells are made anew. The others keep their rows, and columns that a contract has given up; new columns of former rows are null.
    """
    is_new = not columns_of(store.con, "figure", "history")
    has_changed = not is_as_declared(store.con, "figure", CELL)
    if has_changed:
        store.con.execute("DROP TABLE IF EXISTS figure.cell")
        create_table(store.con, "figure", CELL)
    has_columns = [_follow(store, "history", OF_HISTORY), _follow(store, "truth", OF_TRUTH)]
    former, hashed = ledger.state(store, HASHED_WITH), ",".join(SETTLED)
    if former != hashed:
        ledger.set_state(store, HASHED_WITH, hashed)
    if former not in (None, hashed) or not all(has_columns):  # a release that kept no word hashed the columns that it had
        rehash(store)
        has_changed = True
    return has_changed and not is_new


def rehash(store: Store) -> None:
    """Work out again what follows from the rows of history and of what is before protection."""
    for table in ("history", "truth"):
        store.con.execute(f"UPDATE figure.{table} SET content_hash = {CONTENT_HASH}")


def _follow(store: Store, table: str, beside: Mapping[str, str]) -> bool:
    """Returns whether a table had all columns of a settled figure, or was not there."""
    schema = KEY_FIGURE.polars_schema()
    declared = {**declared_columns(pl.Schema({name: schema[name] for name in SETTLED})), **beside}
    known = columns_of(store.con, "figure", table)
    if not known:
        store.con.execute(f"CREATE TABLE figure.{table} ({', '.join(map(_definition, declared, declared.values()))})")
        return True
    for name, kind in declared.items():
        if name not in known:
            store.con.execute(f"ALTER TABLE figure.{table} ADD COLUMN {_definition(name, kind)}")
        elif known[name] != kind:
            store.con.execute(f'ALTER TABLE figure.{table} ALTER COLUMN "{name}" TYPE {kind}')
    return set(SETTLED) <= known.keys()


def _definition(name: str, kind: str) -> str:
    return f'"{name}" {kind}{" DEFAULT false" if name == "is_restricted" else ""}'
