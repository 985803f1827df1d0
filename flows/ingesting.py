"""Ingesting: everything in landing that the warehouse does not hold yet is prepared, checked and loaded in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from flows import code_marks, mending
from flows.measuring import measure
from flows.preparing import Progress, prepare, silent
from flows.stepping import Steps
from schemas.errors import Damage, Damaged
from transforms.delivery import Context
from transforms.registry import SOURCES
from warehouse import ledger
from warehouse.findings import Findings, PreparedBatch
from warehouse.lake import commit, speaks_of_files, sweep
from warehouse.landing import Landed, Landing
from warehouse.store import Store
from warehouse.validation import VALIDATION_SCHEMA, Prepared, check, warming_up

log = logging.getLogger(__name__)


@dataclass
class Ingested:
    """What a run did: deliveries by outcome. `changed` are all whose ledger row moved (their receipts are written)."""

    changed: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    damaged: list[Damage] = field(default_factory=list)
    """What was found damaged in landing and lake: healed, or set apart."""


def ingest(
    store: Store, context: Context, run_id: str, at: datetime, progress: Progress = silent, steps: Steps | None = None
) -> Ingested:
    """Drain landing: what is read again by other code than before, then all the rest, so that what the code changes is told apart
    from what agencies do.

    `steps` is told what is about to be loaded, before it is. A lake file that cannot be read is set apart and all is done once more.
    """
    try:
        return _ingest(store, context, run_id, at, progress, steps)
    except BaseException as error:
        if not speaks_of_files(error) or not mending.find_damaged_rows(store):
            raise
        log.error("a lake file could not be read (%s); loading again without it", type(error).__name__)
    return _ingest(store, context, run_id, at, progress, steps)


def _ingest(store: Store, context: Context, run_id: str, at: datetime, progress: Progress, steps: Steps | None) -> Ingested:
    home = store.home
    Landing(home).recover()
    sweep(home, {row["path"] for row in store.rows("SELECT path FROM ledger.batch_file")})
    damaged = mending.mend_lake(store, at)
    remembered = ledger.known(store)
    marks = code_marks.of(store).reading
    unreadable: list[Damaged] = []
    landed = list(Landing(home).all(unreadable))
    damaged += [item for error in unreadable for item in error.damage] + ledger.journals_cut(landed, remembered)
    damaged += ledger.gone_from_landing(store, landed, unreadable)
    moved = [item for item in landed if _moved(item, remembered.get(item.delivery_id))]
    groups: dict[bool, list[Landed]] = {True: [], False: []}
    for item in moved:
        groups[_by_other_code(item, remembered.get(item.delivery_id), marks)].append(item)
    done = Ingested(damaged=damaged)
    for by_code, items in groups.items():
        if items or not by_code:
            taken = _take_in(store, context, items, remembered, run_id, at, progress, steps, by_code)
            done.changed += taken.changed
            done.loaded += taken.loaded
            done.refused += taken.refused
    return done


def _take_in(
    store: Store,
    context: Context,
    moved: Sequence[Landed],
    remembered: Mapping[str, ledger.Known],
    run_id: str,
    at: datetime,
    progress: Progress,
    steps: Steps | None,
    by_code: bool,
) -> Ingested:
    """Take in what has moved. One transaction: ledger, slices, quarantine, validation, measures and what must be computed again."""
    home = store.home
    marks = code_marks.of(store).reading
    pending = [item for item in moved if ledger.needs_preparation(item, remembered.get(item.delivery_id))]
    warming = warming_up() if pending else None
    of_source = [(source, [item for item in pending if item.intent.source == slug]) for slug, source in SOURCES.items()]
    findings, validations = Findings(), [pl.DataFrame(schema=VALIDATION_SCHEMA)]
    for batches in prepare(of_source, context, home, progress):
        if warming:
            warming.join()
        validations.append(_gate(batches, store))
        findings.add(batches)
    commit(findings.batches)

    def apply() -> None:
        ledger.record(store, moved, run_id, findings.outcomes, marks)
        ledger.store_findings(store, findings)

    # what was loaded before and is read again brings nothing new
    loaded_before = {delivery_id for delivery_id, item in remembered.items() if item.status == "loaded"}
    refused = [delivery_id for delivery_id, outcome in findings.outcomes.items() if outcome.reasons]
    accepted = findings.outcomes.keys() - refused
    note_causes = steps.data(moved, accepted - loaded_before, apply, by_code) if steps else None
    with store.transaction():
        apply()
        if note_causes:
            note_causes()
        store.append("ledger.validation", pl.concat(validations).with_columns(run_id=pl.lit(run_id)))
        measure(store, context.reference, moved, at)
        ledger.remember_left(store, at)
    loaded = [item.delivery_id for item in pending if item.delivery_id in accepted]
    return Ingested([item.delivery_id for item in moved], loaded, refused)


def _moved(landed: Landed, remembered: ledger.Known | None) -> bool:
    """Whether something has happened to a delivery; what has lost entries of its journal stays as it is known."""
    return remembered is None or landed.journal_n > remembered.journal_n


def _by_other_code(landed: Landed, remembered: ledger.Known | None, marks: Mapping[str, str]) -> bool:
    """Whether a loaded delivery is read again, and by other code (or by code that nobody knows) the time before."""
    if remembered is None or remembered.status not in ("loaded", "superseded"):
        return False
    again = ledger.needs_preparation(landed, remembered)
    return again and remembered.read_with != marks.get(landed.intent.source)


def _gate(batches: Sequence[PreparedBatch], store: Store) -> pl.DataFrame:
    """Run the quality gate over what was prepared; adds its refusals to the batches and returns the validation rows."""
    checked = [batch for batch in batches if not batch.counts.is_empty() and len(batch.refused) < len(batch.deliveries)]
    validation, refused = check([_for_gate(batch) for batch in checked], store.home.work / "gate", store.memory_mb)
    for batch in checked:
        for delivery_id in batch.deliveries:
            if delivery_id in refused:
                batch.refused.setdefault(delivery_id, []).extend(refused[delivery_id])
    return validation


def _for_gate(batch: PreparedBatch) -> Prepared:
    rules = pl.concat([batch.failures, batch.warnings])
    rule_counts = rules.group_by("delivery_id", "table_name", "rule").agg(pl.len().cast(pl.Int64).alias("rows_n"))
    parquet = {table.name: batch.batch.paths_aside(table.name) for table in batch.contract.tables}
    return Prepared(batch.contract, parquet, batch.counts, rule_counts, frozenset(batch.refused), batch.losses)
