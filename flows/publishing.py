"""Publishing: from the history of key figures to a new generation, by what changed since the former one."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl

from flows import code_marks
from schemas.errors import Damage
from schemas.reference import Reference
from transforms import panel_figures
from transforms.key_figures import DEFINITIONS
from transforms.reference_values import reference_values as read_reference_values
from warehouse import figures, journal, ledger, panels
from warehouse.publication import (
    condition,
    deviation,
    generations,
    mart,
    meta,
    panel,
    reference_values,
    restricted,
    revision,
    strategy,
)
from warehouse.store import Store

WHOLE_EVERY = 50
"""A generation is built from nothing so often, and where other code builds it; in between the former one is copied and what
changed replaced."""
BUILT_WITH = "built_with"
CHANGED_IN_PLACE = {"key_figure": mart.key_figure_columns(), "deviation": deviation.DEVIATION}
"""Tables of the published file of which a generation takes over the former one's rows, and their columns."""


@dataclass(frozen=True)
class Published:
    """The publication in force after a run; `is_new` when this run made it."""

    publication_no: int
    is_new: bool
    cells_n: int
    cells_changed: int
    fingerprint: str
    mended: tuple[Damage, ...] = ()
    """What was found damaged of what is published; it is in order again."""


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
    if same and not unfinished and number > 1 and not _is_of_other_columns(store, number - 1):
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
    if condition.of_published(store) or _is_of_other_columns(store, last):
        return True
    return ledger.state(store, "published_ledger") != figures.ledger_mark(store)


def _is_of_other_columns(store: Store, number: int) -> bool:
    """Whether a publication that can be read has other columns than are published today."""
    return condition.is_sound(store, number, deep=False) and not generations.has_columns(store.home, number, CHANGED_IN_PLACE)


def last_published(store: Store) -> Published:
    """The publication that stays in force."""
    row = store.rows("SELECT * FROM ledger.publication ORDER BY publication_no DESC LIMIT 1")[0]
    return Published(row["publication_no"], False, row["cells_n"], 0, row["fingerprint"])


def _is_to_copy(store: Store, number: int) -> bool:
    """Whether readers open a generation, it is what was built, and has the columns that are published today."""
    return (
        generations.in_force(store.home) == number
        and condition.is_sound(store, number)
        and generations.has_columns(store.home, number, CHANGED_IN_PLACE)
    )


def put_back(store: Store, reference: Reference, labels: Labels, damage: Sequence[Damage], keep: int) -> Published:
    """Make the publication in force again under its own number, from the history alone; nothing has changed since it was made."""
    row = last_published(store)
    if condition.only_links(damage):
        generations.put_in_force(store.home, row.publication_no)
    else:
        made = store.rows("SELECT * FROM ledger.publication WHERE publication_no = ?", [row.publication_no])[0]
        again = replace(row, cells_changed=made["cells_changed"])
        publish(store, reference, labels, again, made["as_of"], made["published_at"], keep, whole=True)
    told = f"publication {row.publication_no} was put back from the history, under its number"
    return replace(row, mended=tuple(replace(item, cure=told, is_healed=True) for item in damage))


def publish(
    store: Store, reference: Reference, labels: Labels, row: Published, as_of: date, at: datetime, keep: int, whole: bool = False
) -> None:
    """Build generation `row.publication_no`, put it in force by one rename, remember that it is out.

    It starts as a copy of the former one, or from nothing: now and then, where the former one is damaged, or as `whole` says. The
    files for their owners only are written beside the open one, by a second thread, and put in force just before it.
    """
    number = row.publication_no
    marks = code_marks.of(store)
    built_with = f"{marks.publication} {marks.engine}"
    is_copied = not whole and number % WHOLE_EVERY and ledger.state(store, BUILT_WITH) == built_with
    former = number - 1 if is_copied and _is_to_copy(store, number - 1) else None
    about = meta.tables(
        store,
        number,
        at,
        as_of,
        row.fingerprint,
        (row.cells_n, row.cells_changed),
        importlib.metadata.version("nyckeltal"),
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
        written = pool.submit(restricted.write, store.home, own, beside, labels.names, labels.through, store.memory_mb)
        path = generations.build(store.home, number, fill, former, store.memory_mb)
        written.result()
    journal.write(store, number)  # before it counts as out: what is out can be told again without the warehouse
    put = restricted.put_in_force(store.home, own)
    generations.put_in_force(store.home, number)
    with store.transaction():
        store.con.execute("UPDATE ledger.publication SET is_out = true WHERE publication_no = ?", [number])
        ledger.set_state(store, BUILT_WITH, built_with)
        owners = {restricted.directory(store.home, owner) for owner in own.owners}
        condition.record(store, [path, *put], owners, number - keep)
    generations.prune(store.home, keep)
