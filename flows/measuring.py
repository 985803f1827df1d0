"""Measuring: slices and measures are brought in line with the ledger, and the months marked that must be computed again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version

import polars as pl

from schemas.contract import Contract
from schemas.reference import Reference
from transforms.delivery import KeyedMeasures, SnapshotMeasures, Source, TableMeasures
from transforms.newest import newest
from transforms.registry import SOURCES
from warehouse import ledger, measures
from warehouse.landing import Landed
from warehouse.store import Store


@dataclass
class Split:
    """Leaves out of what deliveries bring (`brought`) all that was not there before, and tells what there is of both kinds.

    Of snapshot sources slices were there before, of keyed ones the units of a contract (a notice, a unit's return for a year).
    """

    brought: frozenset[str]
    corrects: bool = False
    adds: bool = False

    def known(self, contract: Contract, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """Rows of a keyed source without the units that only the deliveries brought hold."""
        is_brought = pl.col("delivery_id").is_in(list(self.brought))
        found = {}
        for table in contract.tables:
            frame, unit = tables[table.name], list(table.unit or table.primary_key[:1])
            units = tables.get("notice", frame).filter(~is_brought).select(unit).unique()
            rows = frame.filter(is_brought)
            corrections = rows.join(units, on=unit, how="semi", nulls_equal=True)
            self.corrects |= not corrections.is_empty()
            self.adds |= corrections.height < rows.height
            found[table.name] = pl.concat([frame.filter(~is_brought), corrections])
        return found


def measure(store: Store, reference: Reference, moved: Sequence[Landed], at: datetime, split: Split | None = None) -> None:
    """Bring slices and measures in line with the ledger and mark the months that must be computed again.

    When registers or plans changed since the last run, everything in force is measured again. `split` leaves out what was not
    there before; for a transaction that is taken back.
    """
    again = _measured_otherwise(store, reference)
    there = ledger.sources_loaded(store)
    for slug, source in SOURCES.items():
        if again:
            measures.forget(store, source.measures.tables)
        measures.create(store, source.measures.tables)
        read = (slug, *source.measures.beside) if isinstance(source.measures, TableMeasures) else (slug,)
        of_source = [item for item in moved if item.intent.source in read]
        if not of_source and not (again and there.intersection(read)):
            continue
        if isinstance(source.measures, SnapshotMeasures):
            months = _measure_slices(store, reference, slug, source.measures, of_source, at, again, split)
        elif isinstance(source.measures, KeyedMeasures):
            months = _measure_keys(store, reference, source, source.measures, of_source, again, split)
        else:
            months = _measure_tables(store, reference, source, source.measures, of_source, split)
        ledger.mark_dirty(store, slug, months)


def _measured_otherwise(store: Store, reference: Reference) -> bool:
    """Whether registers, plans or the product's version differ from those the measures were made with; remembers the new ones."""
    mark = hashlib.sha256("\n".join([version("nyckeltal"), reference.fingerprint, *plans_of()]).encode()).hexdigest()
    if ledger.state(store, "measured_with") == mark:
        return False
    ledger.set_state(store, "measured_with", mark)
    return True


def plans_of() -> list[str]:
    """What all sources are measured by, as text."""
    return [repr(source.measures.tables) + repr(getattr(source.measures, "plans", "")) for source in SOURCES.values()]


def _measure_slices(
    store: Store,
    reference: Reference,
    slug: str,
    plan: SnapshotMeasures,
    moved: Sequence[Landed],
    at: datetime,
    again: bool,
    split: Split | None,
) -> set[date]:
    changes = []
    for agency in sorted({item.intent.agency for item in moved}):
        if split:
            corrections, additions = ledger.due_changes(store, slug, agency)
            split.corrects |= bool(corrections)
            split.adds |= bool(additions)
        changes.extend(ledger.change_slices(store, slug, agency, at, opens=split is None))
    if again:
        changes = ledger.slices_in_force(store, slug)
    if not changes:
        return set()
    measures.register_reference(store, plan.relations(reference))
    return measures.replace_slices(store, plan.source_table, plan.plans, changes)


def _measure_keys(
    store: Store,
    reference: Reference,
    source: Source,
    plan: KeyedMeasures,
    moved: Sequence[Landed],
    again: bool,
    split: Split | None,
) -> set[date]:
    slug = source.contract.source
    ledger.set_keyed_statuses(store, slug)
    procedures = None if again else measures.procedures_of(store, slug, [item.delivery_id for item in moved])
    tables = measures.keyed_tables(store, slug, source.contract.tables, procedures)
    if split:
        split.corrects |= any(item.delivery_id not in split.brought for item in moved)
        tables = split.known(source.contract, tables)
    return measures.replace_keyed(store, plan.tables, plan.measure(tables, reference), procedures)


def _measure_tables(
    store: Store, reference: Reference, source: Source, plan: TableMeasures, moved: Sequence[Landed], split: Split | None
) -> set[date]:
    ledger.set_keyed_statuses(store, source.contract.source)
    tables: dict[str, pl.DataFrame] = {}
    for contract in (source.contract, *(SOURCES[slug].contract for slug in plan.beside)):
        rows = measures.keyed_tables(store, contract.source, contract.tables, None)
        if split:
            split.corrects |= any(item.delivery_id not in split.brought for item in moved)
            rows = split.known(contract, rows)
        tables |= newest(contract, rows)
    return measures.replace_tables(store, plan.tables, plan.measure(tables, reference))
