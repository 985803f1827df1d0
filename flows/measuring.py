"""Measuring: slices and measures are brought in line with the ledger, and the months marked that must be computed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import polars as pl

from flows import code_marks
from schemas.contract import Contract, Table
from schemas.reference import Reference
from transforms.delivery import KeyedMeasures, SnapshotMeasures, Source, TableMeasures
from transforms.newest import newest
from transforms.registry import SOURCES
from warehouse import ledger, measures
from warehouse.landing import Landed
from warehouse.store import Store

MEASURED_WITH = "measured_with"
"""Words of the ledger, one for each source: what its measures were made with."""


def tell(store: Store, moved: Sequence[Landed], brought: Collection[str], former: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether what has moved corrects what was there before, and whether it adds what was not: slices of snapshot sources, units
    of keyed ones (a notice, a unit's return for a year). What was read again to the same rows does neither.

    Called when the ledger's rows are written, before anything is measured; `brought` are the deliveries that are new, `former` is
    what `ledger.batches` said before.
    """
    corrects = adds = False
    now = ledger.batches(store)
    for slug, source in SOURCES.items():
        of_source = [item for item in moved if item.intent.source == slug]
        ids = {item.delivery_id for item in of_source}
        again = {key: (former[key], now[key]) for key in ids & former.keys() & now.keys() if former[key] != now[key]}
        alike = measures.alike(store, source.contract.tables, again)
        if isinstance(source.measures, SnapshotMeasures):
            agencies = {item.intent.agency for item in of_source}
            corrections, additions = ledger.due_changes(store, slug, agencies, dict(again[key] for key in alike))
            corrects |= corrections
            adds |= additions
        elif of_source:
            same = alike | {key for key in ids if former.get(key) == now.get(key)}
            corrects |= bool(ids - same - set(brought))
            for table in _told_by(source.contract):
                rows = measures.keyed_frame(store, slug, table, columns=_unit(table))
                new = _of_new_units(rows, rows, _unit(table), brought)
                adds |= not new.is_empty()
                corrects |= new.height < rows.filter(_is_of(brought)).height
    return corrects, adds


def _told_by(contract: Contract) -> Sequence[Table]:
    """The tables that say which units there are: of notices the notice's own, what hangs on it may change with its version."""
    return [table for table in contract.tables if table.name == "notice"] or contract.tables


def _unit(table: Table) -> list[str]:
    """What a unit is, whenever it was changed: a case that is told of again is the same one."""
    types = table.polars_schema()
    return [name for name in table.unit or table.primary_key[:1] if not isinstance(types.get(name), pl.Datetime)]


def _is_of(deliveries: Collection[str]) -> pl.Expr:
    return pl.col("delivery_id").is_in(list(deliveries))


def _of_new_units(rows: pl.DataFrame, told: pl.DataFrame, unit: list[str], brought: Collection[str]) -> pl.DataFrame:
    """Rows of deliveries brought whose unit no other delivery holds in `told`."""
    there = told.filter(~_is_of(brought)).select(unit).unique()
    return rows.filter(_is_of(brought)).join(there, on=unit, how="anti", nulls_equal=True)


def _known(contract: Contract, tables: Mapping[str, pl.DataFrame], brought: Collection[str]) -> dict[str, pl.DataFrame]:
    """Rows of a keyed source without the units that only the deliveries brought hold."""
    found = {}
    for table in contract.tables:
        frame = tables[table.name].with_row_index("row")
        new = _of_new_units(frame, tables.get("notice", frame), _unit(table), brought)
        found[table.name] = frame.join(new.select("row"), on="row", how="anti").drop("row")
    return found


def measure(
    store: Store, reference: Reference, moved: Sequence[Landed], at: datetime, without: Collection[str] | None = None
) -> None:
    """Bring slices and measures in line with the ledger and mark the months that must be computed again.

    A source that was measured by other code or under other registers is measured again whole. `without` leaves out what was not
    there before these deliveries; for a transaction that is taken back.
    """
    otherwise = _measured_otherwise(store, reference)
    there = ledger.sources_loaded(store)
    every = [table for source in SOURCES.values() for table in source.measures.tables]
    outdated = measures.outdated(store, every)
    again_of = {
        slug: slug in otherwise or any(table.name in outdated for table in source.measures.tables) for slug, source in SOURCES.items()
    }
    measures.forget(store, [table for slug, source in SOURCES.items() if again_of[slug] for table in source.measures.tables])
    measures.create(store, every)
    for slug, source in SOURCES.items():
        again = again_of[slug]
        read = (slug, *source.measures.beside) if isinstance(source.measures, TableMeasures) else (slug,)
        of_source = [item for item in moved if item.intent.source in read]
        if not of_source and not (again and there.intersection(read)):
            continue
        if isinstance(source.measures, SnapshotMeasures):
            agencies = ledger.agencies_of(store, slug) if otherwise.get(slug) else {item.intent.agency for item in of_source}
            months = _measure_slices(store, reference, slug, source.measures, agencies, at, again, opens=without is None)
        elif isinstance(source.measures, KeyedMeasures):
            months = _measure_keys(store, reference, source, source.measures, of_source, again, without)
        else:
            months = _measure_tables(store, reference, source, source.measures, without)
        ledger.mark_dirty(store, slug, months)


def _measured_otherwise(store: Store, reference: Reference) -> dict[str, bool]:
    """Sources whose measures were made by other code or under other registers (True), or that have none or are asked for anew
    (False); remembers the present ones."""
    marks = code_marks.of(store).measures
    known = ledger.states(store)
    otherwise = {}
    for slug in SOURCES:
        key = f"{MEASURED_WITH} {slug}"
        mark = ledger.mark_of(f"{marks[slug]} {reference.fingerprint}")
        if known.get(key) != mark:
            otherwise[slug] = bool(known.get(key))
            ledger.set_state(store, key, mark)
    return otherwise


def measure_anew(store: Store) -> None:
    """Ask for everything in force to be measured again by the next `measure`."""
    for slug in SOURCES:
        ledger.set_state(store, f"{MEASURED_WITH} {slug}", "")


def remeasure(store: Store, reference: Reference, at: datetime) -> None:
    """Measure again what was measured by other code or under other registers, where nothing is loaded."""
    with store.transaction():
        measure(store, reference, [], at)


def _measure_slices(
    store: Store,
    reference: Reference,
    slug: str,
    plan: SnapshotMeasures,
    agencies: Collection[str],
    at: datetime,
    again: bool,
    opens: bool,
) -> set[date]:
    changes = _changes(store, slug, agencies, at, again, opens)
    while lost := measures.without_rows(store, plan.source_table, changes):
        left = {change.agency for change in changes if change.new in lost}
        ledger.give_up(store, lost)
        former = [] if again else changes
        instead = [*former, *_changes(store, slug, left, at, again, opens)]
        changes = list({(change.agency, change.key): change for change in instead}.values())
    if not changes:
        return set()
    measures.register_reference(store, plan.relations(reference))
    table = next(table for table in SOURCES[slug].contract.tables if table.name == plan.source_table)
    return measures.replace_slices(store, table, plan.plans, changes)


def _changes(
    store: Store, slug: str, agencies: Collection[str], at: datetime, again: bool, opens: bool
) -> list[ledger.SliceChange]:
    """Slices to be measured once the ledger's map is brought in line: those that change hands, or all where all are measured
    `again`."""
    found = ledger.change_slices(store, slug, agencies, at, opens)
    return ledger.slices_in_force(store, slug) if again else found


def _measure_keys(
    store: Store,
    reference: Reference,
    source: Source,
    plan: KeyedMeasures,
    moved: Sequence[Landed],
    again: bool,
    without: Collection[str] | None,
) -> set[date]:
    slug = source.contract.source
    ledger.give_up(store, measures.broken_batches(store, slug))
    ledger.set_keyed_statuses(store, slug)
    procedures = None if again else measures.procedures_of(store, slug, [item.delivery_id for item in moved], plan.names)
    tables = measures.keyed_tables(store, slug, source.contract.tables, procedures)
    if without:
        tables = _known(source.contract, tables, without)
    return measures.replace_keyed(store, plan.tables, plan.measure(tables, reference), procedures)


def _measure_tables(
    store: Store, reference: Reference, source: Source, plan: TableMeasures, without: Collection[str] | None
) -> set[date]:
    for slug in (source.contract.source, *plan.beside):
        ledger.give_up(store, measures.broken_batches(store, slug))
    ledger.set_keyed_statuses(store, source.contract.source)
    tables: dict[str, pl.DataFrame] = {}
    for contract in (source.contract, *(SOURCES[slug].contract for slug in plan.beside)):
        rows = measures.keyed_tables(store, contract.source, contract.tables, None)
        if without:
            rows = _known(contract, rows, without)
        tables |= newest(contract, rows)
    return measures.replace_tables(store, plan.tables, plan.measure(tables, reference))
