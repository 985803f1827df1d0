"""Publishing: from the history of key figures to a new generation, by what changed since the former one."""

from __future__ import annotations

import importlib.metadata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from schemas.reference import Reference
from transforms import panel_figures
from transforms.key_figures import DEFINITIONS
from transforms.reference_values import reference_values as read_reference_values
from transforms.registry import SOURCES
from warehouse import figures, ledger, panels
from warehouse.publication import deviation, generations, mart, meta, panel, reference_values, restricted, revision, strategy
from warehouse.store import Store

NAMED = frozenset(
    slug
    for slug, source in SOURCES.items()
    if not source.contract.is_personal and not any(table.title for table in source.contract.tables)
)
"""Sources whose files bear the names of systems: neither personal ones nor forms, which people name as they like."""
WHOLE_EVERY = 50
"""A generation is built from nothing so often; in between the former one is copied and what changed replaced."""


@dataclass(frozen=True)
class Published:
    """The publication in force after a run; `is_new` when this run made it."""

    publication_no: int
    is_new: bool
    cells_n: int
    cells_changed: int
    fingerprint: str


@dataclass(frozen=True)
class Labels:
    """What the published rows carry besides history: names of levels (level, level_id, name_*) and how far data reach
    (figure_id, data_through)."""

    names: pl.DataFrame
    through: pl.DataFrame


def next_number(store: Store) -> int:
    """Number of the publication being made: an unfinished one is made again under its number."""
    last = store.rows("SELECT publication_no, is_out FROM ledger.publication ORDER BY publication_no DESC LIMIT 1")
    if not last:
        return 1
    return int(last[0]["publication_no"]) + bool(last[0]["is_out"])


def register(store: Store, as_of: date, at: datetime) -> Published | None:
    """A row for the publication to make, or None when nothing changed and the last one is in force.

    Called inside the transaction that revised the history.
    """
    number = next_number(store)
    opened, closed = figures.changes(store, number)
    mark = figures.ledger_mark(store)
    unfinished = store.scalar("SELECT count(*) FROM ledger.publication WHERE publication_no = ?", [number])
    same = not opened and not closed and ledger.state(store, "published_ledger") == mark
    if same and not unfinished and number > 1 and generations.in_force(store.home) == number - 1:
        return None
    ledger.set_state(store, "published_ledger", mark)
    fingerprint, cells_n = figures.fingerprint(store)
    store.con.execute("DELETE FROM ledger.publication WHERE publication_no = ?", [number])
    store.con.execute(
        "INSERT INTO ledger.publication VALUES (?, ?, ?, ?, ?, ?, false)",
        [number, at.replace(tzinfo=None), as_of, fingerprint, cells_n, opened],
    )
    return Published(number, True, cells_n, opened, fingerprint)


def is_stale(store: Store) -> bool:
    """Whether what is loaded differs from what is published: months to compute, deliveries that moved, an unfinished publication."""
    if store.scalar("SELECT count(*) FROM ledger.delivery") == 0:
        return False
    if store.scalar("SELECT count(*) FROM ledger.dirty") or store.scalar(
        "SELECT count(*) FROM ledger.publication WHERE NOT is_out"
    ):
        return True
    last = store.scalar("SELECT max(publication_no) FROM ledger.publication")
    return generations.in_force(store.home) != last or ledger.state(store, "published_ledger") != figures.ledger_mark(store)


def last_published(store: Store) -> Published:
    """The publication that stays in force."""
    row = store.rows("SELECT * FROM ledger.publication ORDER BY publication_no DESC LIMIT 1")[0]
    return Published(row["publication_no"], False, row["cells_n"], 0, row["fingerprint"])


def publish(store: Store, reference: Reference, labels: Labels, row: Published, as_of: date, at: datetime, keep: int) -> None:
    """Build generation `row.publication_no`, put it in force by one rename, remember that it is out.

    The files for their owners only are written beside the open one, by a second thread, and put in force just before it.
    """
    number = row.publication_no
    former = number - 1 if generations.in_force(store.home) == number - 1 and number % WHOLE_EVERY else None
    about = meta.tables(
        store,
        number,
        at,
        as_of,
        row.fingerprint,
        (row.cells_n, row.cells_changed),
        importlib.metadata.version("nyckeltal"),
        NAMED,
    )
    explaining = [mart.figure_table(DEFINITIONS), mart.target_table(reference.table("catalogue/targets.csv"))]
    small = [
        *explaining,
        mart.level_table(labels.names.join(figures.places(store), on=["level", "level_id"], how="semi")),
        reference_values.cpv_table(reference.table("cpv.csv")),
        *panel.tables(panels.drawn(store), panels.members(store), panel_figures.grown(panels.growth(store))),
        *revision.tables(store),
        *about,
    ]

    published_elsewhere = read_reference_values(reference, DEFINITIONS)

    def fill(con: generations.Connection, copied: bool) -> None:
        if copied:
            mart.replace_rows(con, *figures.delta(store, number), labels.names, labels.through)
        else:
            generations.create_table(
                con, mart.key_figure_table(mart.with_derived(figures.current(store), labels.names, labels.through))
            )
        deviation.fill(con, store, number, copied)
        strategy.fill(con, reference)
        reference_values.fill(con, published_elsewhere)
        for table in small:
            generations.create_table(con, table)

    own = restricted.due(store, number, everything=former is None)
    beside = [*explaining, *(table for table in about if table.name == "publication")]
    with ThreadPoolExecutor(1, thread_name_prefix="restricted") as pool:
        written = pool.submit(restricted.write, store.home, own, beside, labels.names, labels.through)
        generations.build(store.home, number, fill, former)
        written.result()
    restricted.put_in_force(store.home, own)
    generations.put_in_force(store.home, number)
    with store.transaction():
        store.con.execute("UPDATE ledger.publication SET is_out = true WHERE publication_no = ?", [number])
    generations.prune(store.home, keep)
