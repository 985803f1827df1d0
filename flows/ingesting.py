"""Ingesting: everything in landing that the warehouse does not hold yet is prepared, checked and loaded in one transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.metadata import version
from threading import Thread

import polars as pl

from flows.preparing import Progress, prepare, silent
from schemas.reference import Reference
from transforms.delivery import Context, KeyedMeasures, SnapshotMeasures, Source, TableMeasures
from transforms.newest import newest
from transforms.registry import SOURCES
from warehouse import ledger, measures
from warehouse.home import Home
from warehouse.lake import sweep
from warehouse.landing import Landed, Landing
from warehouse.ledger import PreparedBatch
from warehouse.store import Store
from warehouse.validation import Prepared, check, warm_up

log = logging.getLogger(__name__)


@dataclass
class Ingested:
    """What a run did: deliveries by outcome. `changed` are all whose ledger row moved (their receipts are written)."""

    changed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def ingest(store: Store, context: Context, run_id: str, at: datetime, progress: Progress = silent) -> Ingested:
    """Drain landing. One transaction: ledger, slices, quarantine, validation, measures and what must be computed again."""
    home = store.home
    Landing(home).recover()
    sweep(home, {row["path"] for row in store.rows("SELECT path FROM ledger.batch_file")})
    remembered = ledger.known(store)
    moved = [item for item in Landing(home).all() if _moved(item, remembered.get(item.delivery_id))]
    pending = [item for item in moved if ledger.needs_preparation(item, remembered.get(item.delivery_id))]
    warming = Thread(target=warm_up, name="warm-up")
    if pending:
        warming.start()
    of_source = [(source, [item for item in pending if item.intent.source == slug]) for slug, source in SOURCES.items()]
    batches = prepare(of_source, context, home, progress)
    if pending:
        warming.join()
    validation = _gate(batches, home)
    by_delivery = {delivery_id: batch for batch in batches for delivery_id in batch.deliveries}
    with store.transaction():
        for item in moved:
            ledger.record(store, item, run_id, by_delivery.get(item.delivery_id))
        ledger.store_batches(store, batches)
        for batch in batches:
            if len(batch.refused) < len(batch.deliveries):
                batch.batch.commit()
            else:
                batch.batch.discard()
        store.append("ledger.validation", validation.with_columns(run_id=pl.lit(run_id)))
        measure(store, context.reference, moved, at)
        ledger.remember_left(store, at)
    refused = [delivery_id for batch in batches for delivery_id in batch.refused]
    loaded = [item.delivery_id for item in pending if item.delivery_id not in set(refused)]
    return Ingested([item.delivery_id for item in moved], loaded, refused)


def _moved(landed: Landed, remembered: ledger.Known | None) -> bool:
    return remembered is None or landed.journal_n != remembered.journal_n


def _gate(batches: Sequence[PreparedBatch], home: Home) -> pl.DataFrame:
    """Run the quality gate over what was prepared; adds its refusals to the batches and returns the validation rows."""
    checked = [batch for batch in batches if not batch.counts.is_empty() and len(batch.refused) < len(batch.deliveries)]
    validation, refused = check([_for_gate(batch) for batch in checked], home.work / "gate")
    for batch in checked:
        for delivery_id in batch.deliveries:
            if delivery_id in refused:
                batch.refused.setdefault(delivery_id, []).extend(refused[delivery_id])
    return validation


def _for_gate(batch: PreparedBatch) -> Prepared:
    rules = pl.concat([batch.failures, batch.warnings])
    rule_counts = rules.group_by("delivery_id", "table_name", "rule").agg(pl.len().cast(pl.Int64).alias("rows_n"))
    parquet = {table.name: batch.batch.paths_aside(table.name) for table in batch.contract.tables}
    return Prepared(batch.contract, parquet, batch.counts, rule_counts, frozenset(batch.refused))


def measure(store: Store, reference: Reference, moved: Sequence[Landed], at: datetime) -> None:
    """Bring slices and measures in line with the ledger and mark the months that must be computed again.

    When registers or plans changed since the last run, everything in force is measured again.
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
            months = _measure_slices(store, reference, slug, source.measures, of_source, at, again)
        elif isinstance(source.measures, KeyedMeasures):
            months = _measure_keys(store, reference, source, source.measures, of_source, again)
        else:
            months = _measure_tables(store, reference, source, source.measures)
        ledger.mark_dirty(store, slug, months)


def _measured_otherwise(store: Store, reference: Reference) -> bool:
    """Whether registers, plans or the product's version differ from those the measures were made with; remembers the new ones."""
    plans = [repr(source.measures.tables) + repr(getattr(source.measures, "plans", "")) for source in SOURCES.values()]
    mark = hashlib.sha256("\n".join([version("nyckeltal"), reference.fingerprint, *plans]).encode()).hexdigest()
    if ledger.state(store, "measured_with") == mark:
        return False
    ledger.set_state(store, "measured_with", mark)
    return True


def _measure_slices(
    store: Store, reference: Reference, slug: str, plan: SnapshotMeasures, moved: Sequence[Landed], at: datetime, again: bool
) -> set[date]:
    changes = []
    for agency in sorted({item.intent.agency for item in moved}):
        changes.extend(ledger.change_slices(store, slug, agency, at))
    if again:
        changes = ledger.slices_in_force(store, slug)
    if not changes:
        return set()
    measures.register_reference(store, plan.relations(reference))
    return measures.replace_slices(store, plan.source_table, plan.plans, changes)


def _measure_keys(
    store: Store, reference: Reference, source: Source, plan: KeyedMeasures, moved: Sequence[Landed], again: bool
) -> set[date]:
    slug = source.contract.source
    ledger.set_keyed_statuses(store, slug)
    procedures = None if again else measures.procedures_of(store, slug, [item.delivery_id for item in moved])
    tables = measures.keyed_tables(store, slug, source.contract.tables, procedures)
    return measures.replace_keyed(store, plan.tables, plan.measure(tables, reference), procedures)


def _measure_tables(store: Store, reference: Reference, source: Source, plan: TableMeasures) -> set[date]:
    ledger.set_keyed_statuses(store, source.contract.source)
    tables: dict[str, pl.DataFrame] = {}
    for contract in (source.contract, *(SOURCES[slug].contract for slug in plan.beside)):
        tables |= newest(contract, measures.keyed_tables(store, contract.source, contract.tables, None))
    return measures.replace_tables(store, plan.tables, plan.measure(tables, reference))
