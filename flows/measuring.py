"""Measuring: slices and measures are brought in line with the ledger, and the months marked that must be computed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from importlib.metadata import version

import polars as pl

from schemas.contract import Contract, Table
from schemas.reference import Reference
from transforms.delivery import KeyedMeasures, SnapshotMeasures, Source, TableMeasures
from transforms.newest import newest
from transforms.registry import SOURCES
from warehouse import ledger, measures
from warehouse.landing import Landed
from warehouse.store import Store


def tell(store: Store, moved: Sequence[Landed], brought: Collection[str]) -> tuple[bool, bool]:
    """Whether what has moved corrects what was there before, and whether it adds what was not: slices of snapshot sources, units
    of keyed ones (a notice, a unit's return for a year).

    Called when the ledger's rows are written, before anything is measured; `brought` are the deliveries that are new.
    """
    corrects = adds = False
    for slug, source in SOURCES.items():
        of_source = [item for item in moved if item.intent.source == slug]
        if isinstance(source.measures, SnapshotMeasures):
            for agency in sorted({item.intent.agency for item in of_source}):
                corrections, additions = ledger.due_changes(store, slug, agency)
                corrects |= bool(corrections)
                adds |= bool(additions)
        elif of_source:
            corrects |= any(item.delivery_id not in brought for item in of_source)
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

    When registers or plans changed since the last run, everything in force is measured again. `without` leaves out what was not
    there before these deliveries; for a transaction that is taken back.
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
            months = _measure_slices(store, reference, slug, source.measures, of_source, at, again, opens=without is None)
        elif isinstance(source.measures, KeyedMeasures):
            months = _measure_keys(store, reference, source, source.measures, of_source, again, without)
        else:
            months = _measure_tables(store, reference, source, source.measures, without)
        ledger.mark_dirty(store, slug, months)


def _measured_otherwise(store: Store, reference: Reference) -> bool:
    """Whether registers, plans or the product's version differ from those the measures were made with; remembers the new ones."""
    return ledger.differs(store, "measured_with", "\n".join([version("nyckeltal"), reference.fingerprint, *plans_of()]))


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
    opens: bool,
) -> set[date]:
    changes = []
    for agency in sorted({item.intent.agency for item in moved}):
        changes.extend(ledger.change_slices(store, slug, agency, at, opens))
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
    without: Collection[str] | None,
) -> set[date]:
    slug = source.contract.source
    ledger.set_keyed_statuses(store, slug)
    procedures = None if again else measures.procedures_of(store, slug, [item.delivery_id for item in moved])
    tables = measures.keyed_tables(store, slug, source.contract.tables, procedures)
    if without:
        tables = _known(source.contract, tables, without)
    return measures.replace_keyed(store, plan.tables, plan.measure(tables, reference), procedures)


def _measure_tables(
    store: Store, reference: Reference, source: Source, plan: TableMeasures, without: Collection[str] | None
) -> set[date]:
    ledger.set_keyed_statuses(store, source.contract.source)
    tables: dict[str, pl.DataFrame] = {}
    for contract in (source.contract, *(SOURCES[slug].contract for slug in plan.beside)):
        rows = measures.keyed_tables(store, contract.source, contract.tables, None)
        if without:
            rows = _known(contract, rows, without)
        tables |= newest(contract, rows)
    return measures.replace_tables(store, plan.tables, plan.measure(tables, reference))
