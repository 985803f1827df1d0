"""Ingesting: everything in landing that the warehouse does not hold yet is prepared, checked and loaded in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from flows.measuring import measure
from flows.preparing import Progress, prepare, silent
from flows.stepping import Steps
from transforms.delivery import Context
from transforms.registry import SOURCES
from warehouse import ledger
from warehouse.home import Home
from warehouse.lake import sweep
from warehouse.landing import Landed, Landing
from warehouse.ledger import PreparedBatch
from warehouse.store import Store
from warehouse.validation import Prepared, check, warming_up

log = logging.getLogger(__name__)


@dataclass
class Ingested:
    """What a run did: deliveries by outcome. `changed` are all whose ledger row moved (their receipts are written)."""

    changed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def ingest(
    store: Store, context: Context, run_id: str, at: datetime, progress: Progress = silent, steps: Steps | None = None
) -> Ingested:
    """Drain landing. One transaction: ledger, slices, quarantine, validation, measures and what must be computed again.

    `steps` is told what is about to be loaded, before it is.
    """
    home = store.home
    Landing(home).recover()
    sweep(home, {row["path"] for row in store.rows("SELECT path FROM ledger.batch_file")})
    remembered = ledger.known(store)
    moved = [item for item in Landing(home).all() if _moved(item, remembered.get(item.delivery_id))]
    pending = [item for item in moved if ledger.needs_preparation(item, remembered.get(item.delivery_id))]
    warming = warming_up() if pending else None
    of_source = [(source, [item for item in pending if item.intent.source == slug]) for slug, source in SOURCES.items()]
    batches = prepare(of_source, context, home, progress)
    if warming:
        warming.join()
    validation = _gate(batches, home)
    by_delivery = {delivery_id: batch for batch in batches for delivery_id in batch.deliveries}
    for batch in batches:
        if len(batch.refused) < len(batch.deliveries):
            batch.batch.commit()
        else:
            batch.batch.discard()

    def apply() -> None:
        for item in moved:
            ledger.record(store, item, run_id, by_delivery.get(item.delivery_id))
        ledger.store_batches(store, batches)

    # what was loaded before and is read again brings nothing new
    loaded_before = {delivery_id for delivery_id, item in remembered.items() if item.status == "loaded"}
    accepted = {delivery_id for delivery_id, batch in by_delivery.items() if delivery_id not in batch.refused}
    note_causes = steps.data(moved, accepted - loaded_before, apply) if steps else None
    with store.transaction():
        apply()
        if note_causes:
            note_causes()
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
