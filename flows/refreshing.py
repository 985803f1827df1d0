"""Refreshing: touched months -> cells -> settled key figures -> history -> a new generation, when anything changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from types import ModuleType

import polars as pl

from flows import absent, panelling, protecting
from flows.deviating import judge
from flows.publishing import Labels, Published, last_published, next_number, publish, register
from schemas.errors import InvariantBroken
from schemas.key_figure import CELL, KeyFigure
from schemas.reference import Reference
from transforms import levels, periods
from transforms import reach as reaching
from transforms.delivery import KeyedMeasures, TableMeasures
from transforms.disclosure.rules import protected, rules
from transforms.key_figures import DEFINITIONS, MODULES
from transforms.key_figures.parameters import parameters_of
from transforms.registry import SOURCES
from transforms.rollup import by_month, roll_up
from transforms.settle import PANEL, flips, settle
from warehouse import figures, ledger, revisions
from warehouse import reach as reaches
from warehouse.store import Store

INVOICES = "purchase_invoices"
INVOICE_MEASURES = ("spend_month", "supplier_month", "case_month", "category_month")
PERIOD_KEY = ["period_kind", "period_start"]
ROWS_AT_ONCE = 250_000
"""Rows of a measure that a plan may group at once; what it makes of them is some times their size."""


@dataclass(frozen=True)
class Names:
    """Organisations and levels as of this run."""

    known: pl.DataFrame
    members: pl.DataFrame
    labels: pl.DataFrame
    spans: pl.DataFrame


def refresh_and_publish(store: Store, reference: Reference, as_of: date, at: datetime, keep: int) -> Published:
    """Compute what changed, publish when anything did. Raises InvariantBroken and leaves the former publication in force."""
    broken = ledger.check_conservation(store)
    if broken:
        raise InvariantBroken(f"nothing is published: {len(broken)} conservation breaches, first: {broken[0]}")
    figures.create(store)
    revisions.create(store)
    with store.transaction():
        names = _names(store, reference)
        touched, computed = _recompute(store, reference, names, as_of)
        wanted, is_closing = _to_settle(store, touched, as_of)
        _resettle(store, reference, names, wanted, None if is_closing else computed, as_of)
        scene = panelling.Scene(names.known, names.members, names.labels, _bounds(store))
        panelling.follow(store, reference, scene, touched, wanted, as_of, next_number(store))
        judge(store, reference, next_number(store))
        revisions.write(store, next_number(store))
        row = register(store, as_of, at)
        if row is None:
            revisions.forget(store)
    if row is None:
        return last_published(store)
    publish(store, reference, Labels(names.labels, _through(store)), row, as_of, at, keep)
    return row


def look_ahead(store: Store, reference: Reference, as_of: date) -> pl.DataFrame:
    """What the figures would be: CELL of revisions and `value` of those that differ from what is published. Figures under disclosure
    control and those of panels stay as they are.

    Called inside a transaction that is taken back.
    """
    figures.create(store)
    names = _names(store, reference)
    touched, computed = _recompute(store, reference, names, as_of)
    wanted, is_closing = _to_settle(store, touched, as_of)
    _resettle(store, reference, names, wanted, None if is_closing else computed, as_of, is_step=True)
    return revisions.changed(store, next_number(store)).drop("value_before")


def _names(store: Store, reference: Reference) -> Names:
    """Organisations, membership and labels; when the membership of a known organisation changed, everything is computed again."""
    known = levels.organisations(reference, _observed(store, reference))
    members = levels.membership(known, levels.group_members(reference))
    if figures.remember_membership(store, members):
        _everything_dirty(store)
    return Names(known, members, levels.names(reference, known), levels.spans(known))


def _observed(store: Store, reference: Reference) -> pl.DataFrame:
    """What deliveries say of organisations, their words for sectors mapped by sector_aliases.csv (kind state_file)."""
    aliases = reference.table("sector_aliases.csv").filter(kind="state_file").select("delivered", "sector")
    from_invoices = store.frame(
        "SELECT DISTINCT organisation_id, organisation_name AS name, sector_name AS delivered, "
        "coalesce(branch_code, branch_name) AS branch, branch_name, NULL::VARCHAR AS region FROM measure.spend_month"
    ).join(aliases, on="delivered", how="left")
    frames = [from_invoices.select(levels.OBSERVED_SCHEMA.names()).cast(levels.OBSERVED_SCHEMA)]
    from_notices = store.frame(
        "SELECT DISTINCT organisation_id, name, sector, NULL::VARCHAR AS branch, NULL::VARCHAR AS branch_name, region FROM measure.notice_buyer"
    )
    frames.append(from_notices.select(levels.OBSERVED_SCHEMA.names()).cast(levels.OBSERVED_SCHEMA))
    for source in SOURCES.values():
        if isinstance(source.measures, TableMeasures):
            for table in source.measures.tables:
                if {"organisation_id", "organisation_name"} <= set(table.polars_schema()):
                    frames.append(_named(store, table.name))
    return pl.concat(frames)


def _named(store: Store, table: str) -> pl.DataFrame:
    """What the rows of a measure table call their organisations."""
    nothing = ", ".join(f"NULL::VARCHAR AS {name}" for name in ("sector", "branch", "branch_name", "region"))
    found = store.frame(f'SELECT DISTINCT organisation_id, organisation_name AS name, {nothing} FROM measure."{table}"')
    return found.drop_nulls("organisation_id").select(levels.OBSERVED_SCHEMA.names()).cast(levels.OBSERVED_SCHEMA)


def _month_columns() -> dict[str, list[tuple[str, str]]]:
    """Per source, its measure tables and the column of the month."""
    found: dict[str, list[tuple[str, str]]] = {}
    for slug, source in SOURCES.items():
        names = [(table.name, column.name) for table in source.measures.tables for column in table.columns]
        found[slug] = [(table, column) for table, column in names if column in ("period", "month") or column.endswith("_month")]
    return found


def _bounds(store: Store, as_of: date | None = None) -> dict[str, tuple[date, date]]:
    """First and last month of each source's data: what slices cover, else what measures hold.

    With `as_of`, the last month of invoices is the last one expected by then, delivered or not.
    """
    keyed = [slug for slug, source in SOURCES.items() if source.contract.kind == "keyed"]
    columns = _month_columns()
    found = figures.slice_bounds(store) | figures.bounds(store, {slug: columns[slug] for slug in keyed})
    if as_of is not None:
        for slug in found.keys() - set(keyed):
            found[slug] = (found[slug][0], periods.expected_through(found[slug][1], as_of))
    return {slug: found[slug] for slug in SOURCES if slug in found}


def _reach(store: Store) -> pl.DataFrame:
    """transforms.reach.SCHEMA: how far the deliveries in force of every agency reach."""
    newest = reaches.newest(store)
    return newest.select("source", "agency", reaches=reaching.last_ended(pl.col("produced_at"))).cast(reaching.SCHEMA)


def _whole(reach: pl.DataFrame, bounds: dict[str, tuple[date, date]]) -> dict[str, tuple[date, date]]:
    """Bounds of the data without the months of forms that had not ended when the newest delivery was produced."""
    ends = dict(reach.group_by("source").agg(pl.col("reaches").max()).iter_rows())
    forms = {slug for slug, source in SOURCES.items() if isinstance(source.measures, TableMeasures)}
    return {slug: (low, min(high, ends.get(slug, high)) if slug in forms else high) for slug, (low, high) in bounds.items()}


def _everything_dirty(store: Store) -> None:
    for slug, columns in _month_columns().items():
        ledger.mark_dirty(store, slug, figures.months(store, columns))


def _recompute(store: Store, reference: Reference, names: Names, as_of: date) -> tuple[pl.DataFrame, set[str] | None]:
    """Replace the cells of every touched period; returns those periods, and the figures computed (None: all, and none is left of
    those that are no longer defined)."""
    basis = repr((version("nyckeltal"), reference.fingerprint, sorted(DEFINITIONS.items())))
    anew = ledger.differs(store, "computed_with", basis)
    if anew:
        store.con.execute("DELETE FROM figure.cell")
        _everything_dirty(store)
    former, bounds, reach = _remembered(store, "bounds"), _bounds(store, as_of), _reach(store)
    former_data, data = _remembered(store, "data_bounds") or former, _whole(reach, _bounds(store))
    for source, month in reaches.remember(store, reach).rows():
        ledger.mark_dirty(store, source, [month])
    _count_once(store, reference, names, bounds[INVOICES][1] if INVOICES in bounds else None)
    for source in bounds:
        changed = set(periods.month_range(*bounds[source])) ^ set(
            periods.month_range(*former[source]) if source in former else []
        )
        ledger.mark_dirty(store, source, changed)
    dirty = figures.dirty_months(store)
    every = [pl.DataFrame(schema=periods.SCHEMA)]
    computed: set[str] = set()
    forms = {} if dirty.is_empty() else _forms(store, reach)
    sizes = {} if dirty.is_empty() else figures.rows_by_year(store, INVOICE_MEASURES)
    for sources, years in sorted({(figure.sources, figure.reach_years) for figure in DEFINITIONS.values()}):
        months = dirty.filter(pl.col("source").is_in(list(sources)))["month"].to_list()
        if sources[0] not in bounds:
            lost = _without_data(store, sources, former)
            every.append(lost)
            if not lost.is_empty():
                computed |= {key for key, figure in DEFINITIONS.items() if figure.sources == sources}
            continue
        if not months:
            continue
        reached = _reached(months, years, bounds[sources[0]][1])
        touched, gone = periods.scope(reached, bounds[sources[0]], former_data.get(sources[0]), data[sources[0]])
        wanted = {key: figure for key, figure in DEFINITIONS.items() if (figure.sources, figure.reach_years) == (sources, years)}
        replaced = pl.concat([touched, gone])
        figures.replace_cells(
            store, _cells(store, reference, names, wanted, touched, years, forms, sizes), list(wanted), replaced
        )
        every.append(replaced)
        computed |= set(wanted)
    filled = absent.fill_in(store, DEFINITIONS, bounds, as_of)
    store.con.execute("DELETE FROM ledger.dirty")
    _remember(store, "bounds", bounds)
    _remember(store, "data_bounds", data)
    return pl.concat([*every, filled]).unique().sort(PERIOD_KEY), computed if filled.is_empty() and not anew else None


def _without_data(store: Store, sources: Sequence[str], former: Mapping[str, object]) -> pl.DataFrame:
    """Clear the cells of figures whose source has just lost its last delivery; returns their periods."""
    if sources[0] not in former:
        return pl.DataFrame(schema=periods.SCHEMA)
    rows = [periods.period(kind, start) for kind, start in figures.all_periods(store)]
    gone = pl.DataFrame(rows, schema=periods.SCHEMA, orient="row")
    wanted = [key for key, figure in DEFINITIONS.items() if figure.sources == sources]
    figures.replace_cells(store, pl.DataFrame(schema=CELL.polars_schema()), wanted, gone)
    return gone


def _remembered(store: Store, name: str) -> dict[str, tuple[date, date]]:
    """Bounds when figures were last computed."""
    known = json.loads(ledger.state(store, name) or "{}")
    return {source: (date.fromisoformat(first), date.fromisoformat(last)) for source, (first, last) in known.items()}


def _remember(store: Store, name: str, bounds: Mapping[str, tuple[date, date]]) -> None:
    ledger.set_state(store, name, json.dumps({source: [day.isoformat() for day in days] for source, days in bounds.items()}))


def _count_once(store: Store, reference: Reference, names: Names, through: date | None) -> None:
    """Decide which copy of an organisation's month counts and which months are expected; what moved is computed again."""
    agencies = [(agency.agency, agency.precedence, agency.frame_from, agency.frame_to) for agency in reference.agencies.values()]
    frame = pl.DataFrame(
        agencies, schema={"agency": pl.String, "rank": pl.Int64, "frame_from": pl.String, "frame_to": pl.String}, orient="row"
    ).with_columns(pl.col("frame_from", "frame_to").str.to_date())
    own = [(agency.organisation_id, agency.agency) for agency in reference.agencies.values() if agency.organisation_id]
    own_frame = pl.DataFrame(own, schema={"organisation_id": pl.String, "agency": pl.String}, orient="row")
    with store.relation("own_frame", own_frame):
        store.con.execute("CREATE OR REPLACE TEMP TABLE agency_own AS FROM own_frame")
    figures.counting(store, frame, names.spans, through)
    ledger.mark_dirty(store, INVOICES, figures.recount(store))


def _reached(months: list[date], reach: int, last: date) -> list[date]:
    """Months, and the same months of the `reach` following years as far as the data's last year: they hold them too."""
    ahead = {periods.add_months(month, 12 * years) for month in months for years in range(reach + 1)}
    return sorted(month for month in ahead if month in months or month.year <= last.year)


def _cells(
    store: Store,
    reference: Reference,
    names: Names,
    wanted: Mapping[str, KeyFigure],
    touched: pl.DataFrame,
    years: int,
    forms: dict[str, pl.DataFrame],
    sizes: Mapping[int, int],
) -> pl.DataFrame:
    """Cells of some figures, which reach so many `years` back, in some periods: contributions rolled up, what modules compute for
    each place by themselves (figures that are no sums), and what the plans group in DuckDB."""
    if touched.is_empty():
        return pl.DataFrame(schema=CELL.polars_schema())
    first, last = touched["period_start"].min(), touched["period_end"].max()
    assert isinstance(first, date)  # noqa: S101 - of a frame that is not empty
    assert isinstance(last, date)  # noqa: S101
    measures = _measures(store, periods.add_months(first.replace(day=1), -12 * years), last) | forms
    parameters = parameters_of(reference)
    parts, contributions = [], []
    for module in MODULES:
        ids = [definition.figure_id for definition in module.DEFINITIONS if definition.figure_id in wanted]
        if not ids:
            continue
        if hasattr(module, "PLANS"):
            parts.append(_planned(store, module, reference, names, touched, sizes).filter(pl.col("figure_id").is_in(ids)))
        if hasattr(module, "compute"):
            found = module.compute(measures, parameters).filter(pl.col("figure_id").is_in(ids))
            contributions.append(by_month(found, wanted))  # what waits for the others is small
        if hasattr(module, "cells"):
            parts.append(module.cells(measures, parameters, touched, names.members).filter(pl.col("figure_id").is_in(ids)))
    if contributions:  # in one go: rolling up few rows costs about as much as many
        parts.append(roll_up(pl.concat(contributions, how="diagonal_relaxed"), wanted, touched, names.members))
    return pl.concat([part.select(CELL.polars_schema().names()).cast(CELL.polars_schema()) for part in parts])


def _forms(store: Store, reach: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Measure frames of forms, whole, and how far they reach: they are small, and what some of their figures ask (the first and the
    last case there is) must not depend on the months computed together."""
    tables = [
        table.name
        for source in SOURCES.values()
        if isinstance(source.measures, TableMeasures)
        for table in source.measures.tables
    ]
    return {name: store.frame(f'FROM measure."{name}"') for name in tables} | {reaching.REACH: reach}


def _measures(store: Store, first: date, last: date) -> dict[str, pl.DataFrame]:
    """Measure frames of invoices and notices between two months, invoices restricted to the copy that counts."""
    figures.counted(store, INVOICE_MEASURES, first, last)
    found = {name: store.frame(f"FROM {name}") for name in ("spend_month", "category_month")}
    found["expected"] = store.frame("FROM expected WHERE month BETWEEN ? AND ?", [first, last])
    for slug, columns in _month_columns().items():
        if isinstance(SOURCES[slug].measures, KeyedMeasures):
            for table in {table for table, _ in columns}:
                months = [column for name, column in columns if name == table]
                found[table] = figures.frame_between(store, table, months, first, last)
    return found


def _planned(
    store: Store, module: ModuleType, reference: Reference, names: Names, touched: pl.DataFrame, sizes: Mapping[int, int]
) -> pl.DataFrame:
    """Cells of quarters and years, the kinds that plans have; `sizes`: rows of the years.

    A module whose plans name registers gives them as `relations`."""
    registers = module.relations(reference) if hasattr(module, "relations") else {}
    limits = reference.table("catalogue/limits.csv").select(
        "limit_id",
        (pl.col("value").cast(pl.Decimal(20, 2)) * 100).cast(pl.Int64).alias("cents"),
        pl.col("valid_from").str.to_date().fill_null(levels.ALWAYS[0]),
        pl.col("valid_to").str.to_date().fill_null(levels.ALWAYS[1]),
    )
    within = touched.filter(pl.col("period_kind").is_in(["quarter", "year"]))
    year = pl.col("period_start").dt.year()
    cells = []
    for first, last in _years_together(sorted(within.select(year.unique()).to_series()), sizes):
        figures.counted(store, INVOICE_MEASURES, date(first, 1, 1), date(last, 12, 31))
        relations = {
            "period": within.filter(year.is_between(first, last)),
            "membership": names.members,
            "limits": limits,
            **registers,
        }
        cells += [figures.run_plan(store, plan, relations) for plan in module.PLANS.values()]
    return pl.concat(cells, how="diagonal_relaxed") if cells else pl.DataFrame(schema=CELL.polars_schema())


def _years_together(years: Sequence[int], sizes: Mapping[int, int]) -> list[tuple[int, int]]:
    """Spans of calendar years that plans group at once: as many as hold ROWS_AT_ONCE, for the sake of memory, one at least."""
    spans: list[tuple[int, int]] = []
    for year in years:
        first = spans[-1][0] if spans else year
        if spans and sum(sizes.get(one, 0) for one in range(first, year + 1)) <= ROWS_AT_ONCE:
            spans[-1] = (first, year)
        else:
            spans.append((year, year))
    return spans


def _to_settle(store: Store, touched: pl.DataFrame, as_of: date) -> tuple[pl.DataFrame, bool]:
    """Touched periods, the same a year later (their trend), and those that closed since the last run; whether any closed."""
    former = ledger.state(store, "as_of")
    rows = [periods.period(kind, start) for kind, start in figures.all_periods(store)]
    existing = pl.DataFrame(rows, schema=periods.SCHEMA, orient="row")
    closed = existing if former is None else flips(DEFINITIONS, existing, date.fromisoformat(former), as_of)
    ledger.set_state(store, "as_of", as_of.isoformat())
    return pl.concat([touched, periods.a_year_later(touched), closed]).unique().sort(PERIOD_KEY), not closed.is_empty()


def _resettle(
    store: Store,
    reference: Reference,
    names: Names,
    wanted: pl.DataFrame,
    figure_ids: Collection[str] | None,
    as_of: date,
    is_step: bool = False,
) -> None:
    """Settle some figures (None: all) in `wanted` and bring the history in line; figures under disclosure control by whole years
    and all together (METHOD 5), `is_step`: not at all."""
    if wanted.is_empty():
        return
    classes, number = rules(reference, DEFINITIONS), next_number(store)
    guarded = protected(classes)
    free = [key for key in DEFINITIONS if key not in guarded and (figure_ids is None or key in figure_ids)]
    if free or figure_ids is None:
        needed = pl.concat([wanted, periods.a_year_later(wanted, -1)]).unique()
        settled = _settled(store, reference, names, needed, free, as_of).join(wanted, on=PERIOD_KEY, how="semi")
        settled = protecting.closed_suppliers(store, reference, settled)
        figures.revise(store, settled, wanted, number, PANEL, only=() if figure_ids is None else free, never=guarded)
    if is_step or (figure_ids is not None and not set(guarded) & set(figure_ids)):
        return
    years = protecting.reach(store, wanted)
    needed = protecting.reach(store, pl.concat([wanted, periods.a_year_later(wanted, -1)]))
    told = protecting.as_told(store, _settled(store, reference, names, needed, guarded, as_of), classes, names.members, number)
    figures.revise(store, told.join(years, on=PERIOD_KEY, how="semi"), years, number, PANEL, only=guarded)


def _settled(
    store: Store, reference: Reference, names: Names, needed: pl.DataFrame, figure_ids: Sequence[str], as_of: date
) -> pl.DataFrame:
    """Some figures settled in some periods."""
    cells = figures.cells_in(store, needed, figure_ids).join(needed, on=PERIOD_KEY)
    return settle(cells, {key: DEFINITIONS[key] for key in figure_ids}, reference, names.members, names.labels, as_of)


def _through(store: Store) -> pl.DataFrame:
    """figure_id, data_through: the last day that all sources of a figure with data reach."""
    bounds = _bounds(store)
    rows = [
        (figure.figure_id, min(periods.month_end(bounds[source][1]) for source in figure.sources if source in bounds))
        for figure in DEFINITIONS.values()
        if any(source in bounds for source in figure.sources)
    ]
    return pl.DataFrame(rows, schema={"figure_id": pl.String, "data_through": pl.Date}, orient="row")
