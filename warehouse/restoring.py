"""Restoring: an empty warehouse is filled from the journal; measures and cells then follow from the lake.

What the journal lacks is named. Where it has nothing of any publication, the generation in force tells what it told. Deliveries
whose rows the lake has lost are forgotten, so that the next load reads their original again; where that is gone too they are
refused until they are delivered again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from warehouse import figure_tables, journal, ledger, migrations, upkeep
from warehouse.figures import KEY, SETTLED
from warehouse.landing import Landing
from warehouse.publication import generations
from warehouse.store import Store, columns_of

OF_DELIVERY = ("table_count", "covered", "quarantine", "rule_count", "set_aside", "validation", "receipt")
"""Tables of the ledger that speak of one delivery each, beside its own row."""
REBUILT = "rebuilt"
"""The word of a warehouse that was made anew and has not loaded yet what waits."""
LOST = "its rows and its original are lost; deliver the file again"


@dataclass
class Restored:
    """What was made anew: publications and deliveries known, deliveries to be read again from their original, what is lost."""

    publications: int = 0
    deliveries: int = 0
    again: int = 0
    lost: list[str] = field(default_factory=list)


def restore(store: Store, at: datetime, from_landing: bool) -> Restored:
    """Fill an empty warehouse, but for measures and cells. `from_landing`: forget every delivery whose original stands, so that it
    is read again.

    Raises ConfigurationError where a newer release wrote the journal.
    """
    found = Restored()
    _tables(store, found)
    _publications(store, found)
    figure_tables.rehash(store)
    _deliveries(store, at, from_landing, found)
    ledger.set_state(store, REBUILT, at.isoformat())
    found.publications = store.scalar("SELECT count(*) FROM ledger.publication")
    found.deliveries = store.scalar("SELECT count(*) FROM ledger.delivery")
    return found


def _tables(store: Store, found: Restored) -> None:
    """The small tables as the journal has them, by the schema it was written with, then brought forward."""
    schema, tables = None, journal.Content()
    path = store.home.journal / journal.LEDGER
    try:
        manifest, tables = journal.read(path)
        schema = int(manifest["schema"])
    except journal.UNREADABLE as error:
        found.lost.append(
            f"{_below(store, path)} {_why(error)}: all deliveries are read again from their originals; since when slices are in "
            "force, commands of the ledger and causes that waited are lost"
        )
    migrations.bring_forward(store, schema)
    there = {row["name"] for row in store.rows("SELECT schema_name || '.' || table_name AS name FROM duckdb_tables()")}
    for name in tables.keys() & there:
        store.append(name, tables[name])
    upkeep.bring_forward(store)
    for name in tables.keys() - there:  # made from a contract, not by a migration
        schema_name, _, table = name.partition(".")
        _append(store, schema_name, table, tables[name])


def _publications(store: Store, found: Restored) -> None:
    """History, revisions and rows of publications from their files."""
    key = ", ".join(f'"{name}"' for name in KEY)
    store.con.execute(f"CREATE OR REPLACE TEMP TABLE closing AS SELECT {key}, valid_from_no, valid_to_no FROM figure.history LIMIT 0")
    known = {row["publication_no"] for row in store.rows("SELECT publication_no FROM ledger.publication")}
    read, damaged = set(), {}
    for number in journal.numbers(store.home):
        try:
            manifest, content = journal.read(journal.path_of(store.home, number))
            if manifest["publication_no"] != number:
                raise ValueError(f"holds publication {manifest['publication_no']}")
            rows, opened, closed, revised = (content[name] for name in ("publication", "opened", "closed", "revision"))
        except journal.UNREADABLE as error:
            damaged[number] = _why(error)
            continue
        read.add(number)
        _append(store, "figure", "history", opened)
        store.append("closing", closed.with_columns(valid_to_no=pl.lit(number, pl.Int32)))
        if number not in known:
            _append(store, "ledger", "publication", rows)
            _append(store, "figure", "revision", revised)
    same = " AND ".join(f'h."{name}" = c."{name}"' for name in (*KEY, "valid_from_no"))
    store.con.execute(f"UPDATE figure.history h SET valid_to_no = c.valid_to_no FROM closing c WHERE {same}; DROP TABLE closing")
    in_force = generations.in_force(store.home)
    _from_generation(store, in_force, rows_too=not read)
    _mark_out(store, read, in_force)
    last = store.scalar("SELECT max(publication_no) FROM ledger.publication") or 0
    missing = sorted(set(range(1, last + 1)) - read)
    for number in missing:
        name = _below(store, journal.path_of(store.home, number))
        told = "; what it told is taken from its generation" if not read and number == in_force else ""
        found.lost.append(f"{name} {damaged.get(number, 'is gone')}: what publication {number} changed is lost{told}")
    if missing:
        _close_gaps(store)


def _append(store: Store, schema: str, table: str, frame: pl.DataFrame) -> None:
    """Rows that an older release may have written: columns that are no more are left out."""
    known = columns_of(store.con, schema, table)
    store.append(f"{schema}.{table}", frame.select(name for name in frame.columns if name in known))


def _mark_out(store: Store, read: Collection[int], in_force: int | None) -> None:
    """A publication's file is written just before it is out: the newest one is, where readers open it. What was begun and has no
    file never came out."""
    store.con.execute("DELETE FROM ledger.publication WHERE NOT is_out AND NOT list_contains(?, publication_no)", [list(read)])
    store.con.execute(
        "UPDATE ledger.publication SET is_out = true WHERE publication_no <= ? "
        "OR publication_no < (SELECT max(publication_no) FROM ledger.publication)",
        [in_force or 0],
    )


def _close_gaps(store: Store) -> None:
    """A row that a lost file closed ends where the next one of its cell begins."""
    key = ", ".join(f'"{name}"' for name in KEY)
    same = " AND ".join(f'h."{name}" = n."{name}"' for name in (*KEY, "valid_from_no"))
    store.con.execute(
        f"UPDATE figure.history h SET valid_to_no = n.next_no FROM (SELECT {key}, valid_from_no, "
        f"lead(valid_from_no) OVER (PARTITION BY {key} ORDER BY valid_from_no) AS next_no FROM figure.history) n "
        f"WHERE {same} AND h.valid_to_no IS NULL AND n.next_no IS NOT NULL"
    )


def _from_generation(store: Store, number: int | None, rows_too: bool) -> None:
    """What the generation in force tells of tables that are empty: panels, verdicts; `rows_too`: its rows, as opened by it."""
    if number is None or not (generations.directory(store.home, number) / generations.FILE_NAME).exists():
        return
    with generations.attached(store.con, generations.directory(store.home, number) / generations.FILE_NAME) as file:
        for name in ("panel", "panel_member", "deviation"):
            if not store.scalar(f"SELECT count(*) FROM figure.{name}"):
                _append(store, "figure", name, store.frame(f"FROM {file}.mart.{name}"))
        if not rows_too:
            return
        _append(store, "figure", "revision", store.frame(f"FROM {file}.mart.revision"))
        row = store.frame(f"FROM {file}.meta.publication").with_columns(is_out=pl.lit(value=True))
        store.con.execute("DELETE FROM ledger.publication WHERE publication_no = ?", [number])
        _append(store, "ledger", "publication", row)
        _told(store, file, number, is_restricted=False)
    for path in sorted(store.home.restricted.glob(f"*/{generations.FILE_NAME}")):
        with generations.attached(store.con, path) as file:
            _told(store, file, number, is_restricted=True)


def _told(store: Store, file: str, number: int, is_restricted: bool) -> None:
    """The rows of a published file, as publication `number` opened them."""
    known = columns_of(store.con, "mart", "key_figure")
    names = ", ".join(f'"{name}"' for name in (*SETTLED, "revision_no") if name in known)
    store.con.execute(
        f"INSERT INTO figure.history BY NAME SELECT {names}, {number} AS valid_from_no, {is_restricted} AS is_restricted "
        f"FROM {file}.mart.key_figure"
    )


def _deliveries(store: Store, at: datetime, from_landing: bool, found: Restored) -> None:
    """Forget the deliveries that are to be read again; refuse those whose rows and original are both lost."""
    landed = list(Landing(store.home).all())
    originals = {item.delivery_id for item in landed if item.active and item.file.is_file()}
    batches: dict[str, list[str]] = {}
    for row in store.rows("SELECT batch_id, delivery_id FROM ledger.delivery WHERE batch_id IS NOT NULL ORDER BY ALL"):
        batches.setdefault(row["batch_id"], []).append(row["delivery_id"])
    files = store.rows("SELECT DISTINCT batch_id, path FROM ledger.batch_file ORDER BY ALL")
    broken = {row["batch_id"] for row in files if not (store.home.lake / row["path"]).is_file()}
    # a batch that is read again takes the place of the former one: what else lies there must be read again too
    whole = {batch for batch, members in batches.items() if from_landing and originals.issuperset(members)}
    again: list[str] = []
    gone: list[str] = []
    for batch in sorted((broken | whole) & batches.keys()):
        for delivery in batches[batch]:
            (again if delivery in originals else gone).append(delivery)
    known = {row["delivery_id"] for row in store.rows("SELECT delivery_id FROM ledger.delivery")}
    found.again = len(again)
    _let_go(store, sorted(broken | whole), again, gone, at)
    for row in _of(store, gone):
        found.lost.append(f"{row['agency']}/{row['source']}: {row['file_name']} ({row['delivery_id']}): {LOST}")
    for item in landed:
        if item.active and item.delivery_id not in known and not item.file.is_file():
            name = f"{item.intent.agency}/{item.intent.source}: {item.intent.file_name} ({item.delivery_id})"
            found.lost.append(f"{name}: {LOST}")
        found.again += item.delivery_id in originals and item.delivery_id not in known
    for source, agency in sorted({(row["source"], row["agency"]) for row in _of(store, gone)}):
        ledger.change_slices(store, source, agency, at)


def _of(store: Store, deliveries: Sequence[str]) -> list[dict[str, str]]:
    with store.relation("wanted", _column("delivery_id", deliveries)):
        return store.rows(
            "SELECT agency, source, file_name, delivery_id FROM ledger.delivery SEMI JOIN wanted USING (delivery_id) ORDER BY ALL"
        )


def _let_go(store: Store, batches: Sequence[str], again: Sequence[str], gone: Sequence[str], at: datetime) -> None:
    """Take batches and what their deliveries brought out of the ledger; slices that rest on them end now. Deliveries to be read
    `again` are forgotten, the others refused."""
    moment = at.astimezone(UTC).replace(tzinfo=None)
    with store.relation("going_batch", _column("batch_id", batches)):
        going = "batch_id IN (FROM going_batch)"
        store.con.execute(f"UPDATE ledger.slice SET valid_to = ? WHERE valid_to IS NULL AND {going}", [moment])
        store.con.execute(f"DELETE FROM ledger.batch_file WHERE {going}")
    with store.relation("going", _column("delivery_id", [*again, *gone])), store.relation("again", _column("delivery_id", again)):
        for table in OF_DELIVERY:
            store.con.execute(f"DELETE FROM ledger.{table} WHERE delivery_id IN (FROM going)")
        store.con.execute("DELETE FROM ledger.delivery WHERE delivery_id IN (FROM again)")
        store.con.execute(
            "UPDATE ledger.delivery SET batch_id = NULL, status = 'refused', is_held = false, reasons = ? "
            "WHERE delivery_id IN (FROM going)",
            [json.dumps([{"code": "rows_lost", "text": LOST}])],
        )


def _column(name: str, values: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({name: list(values)}, schema={name: pl.String})


def _below(store: Store, path: Path) -> str:
    return str(path.relative_to(store.home.root))


def _why(error: Exception) -> str:
    return "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read ({type(error).__name__}: {error})"
