"""Refreshing: touched months -> cells -> settled key figures -> history -> a new generation, when anything changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import ModuleType

import polars as pl

from flows import absent, code_marks, panelling, protecting
from flows.deviating import judge
from flows.publishing import Labels, Published, last_published, next_number, publish, put_back, register
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
from warehouse import figures, ledger, revisions, withheld
from warehouse import reach as reaches
from warehouse.publication import condition
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
    row, names = revise(store, reference, as_of, at)
    damage = condition.of_published(store)
    labels = Labels(names.labels, _through(store))
    if row is None:
        return put_back(store, reference, labels, damage, keep) if damage else last_published(store)
    publish(store, reference, labels, row, as_of, at, keep)
    replaced = f"publication {row.publication_no}, made whole from the history, stands in its place"
    return replace(row, mended=tuple(replace(item, cure=replaced, is_healed=True) for item in damage))


def revise(store: Store, reference: Reference, as_of: date, at: datetime) -> tuple[Published | None, Names]:
    """Compute what changed and bring the history in line; returns the publication to make, None where nothing changed, and the names
    of this run. Raises InvariantBroken."""
    broken = ledger.check_conservation(store)
    if broken:
        raise InvariantBroken(f"nothing is published: {len(broken)} conservation breaches, first: {broken[0]}")
    with store.transaction():
        names, touched, wanted, figure_ids = _computed(store, reference, as_of)
        _resettle(store, reference, names, wanted, figure_ids, as_of)
        scene = panelling.Scene(names.known, names.members, names.labels, _bounds(store))
        panelling.follow(store, reference, scene, touched, wanted, as_of, next_number(store))
        judge(store, reference, next_number(store))
        revisions.write(store, next_number(store))
        row = register(store, as_of, at)
        if row is None:
            revisions.forget(store)
    return row, names


def look_ahead(store: Store, reference: Reference, as_of: date) -> pl.DataFrame:
    """What the figures would be: CELL of revisions and `value` of those that differ from what is published. Figures under disclosure
    control and those of panels stay as they are.

    Called inside a transaction that is taken back.
    """
    names, _, wanted, figure_ids = _computed(store, reference, as_of)
    _resettle(store, reference, names, wanted, figure_ids, as_of, is_step=True)
    return revisions.changed(store, next_number(store)).drop("value_before")


def _computed(
    store: Store, reference: Reference, as_of: date
) -> tuple[Names, pl.DataFrame, pl.DataFrame, Collection[str] | None]:
    """Cells brought up to date; names, the periods computed, the periods to settle, and the figures to settle (None: all)."""
    names, has_moved = _names(store, reference)
    _adopt(store, reference, names)
    basis = repr((code_marks.of(store).figures, reference.fingerprint, sorted(DEFINITIONS.items())))
    anew = ledger.differs(store, ledger.COMPUTED_WITH, basis) or has_moved
    touched, computed = _recompute(store, reference, names, as_of, anew)
    wanted, is_closing = _to_settle(store, touched, as_of, anew)
    return names, touched, wanted, None if is_closing or anew else computed


def _adopt(store: Store, reference: Reference, names: Names) -> None:
    """Where the last publication was made before the memory of disclosure control was kept, the cells still tell what it rests
    on: without them the same data would be protected a second time."""
    last, then = next_number(store) - 1, ledger.state(store, "as_of")
    if last < 1 or then is None or not withheld.is_new(store):
        return
    classes = rules(reference, DEFINITIONS)
    every = periods.of(figures.all_periods(store))
    settled = _settled(store, reference, names, every, protected(classes), date.fromisoformat(then))
    protecting.adopt(store, settled, classes, names.members, last)


def compute_anew(store: Store) -> None:
    """Ask for all key figures to be computed from the measures by the next refresh, whatever has changed."""
    ledger.set_state(store, ledger.COMPUTED_WITH, "")


def _names(store: Store, reference: Reference) -> tuple[Names, bool]:
    """Organisations, membership and labels; whether the membership of a known organisation changed."""
    observed = _observed(store, reference)
    known = levels.organisations(reference, observed)
    same = levels.same_by_name(observed, known)
    members = levels.joined(levels.membership(known, levels.group_members(reference)), same)
    known = known.join(same, on="organisation_id", how="anti")
    has_moved = figures.remember_membership(store, members)
    return Names(known, members, levels.names(reference, known), levels.spans(known)), has_moved


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


def _bounds_within(store: Store, reach: pl.DataFrame) -> dict[str, tuple[date, date]]:
    """First and last month of what figures ask for the first and the last month of: each measure of forms, the same as far as its
    agencies' deliveries reach, and what is expected of invoices. Each is named by its source and a word."""
    columns = _month_columns()
    forms = {slug: columns[slug] for slug, source in SOURCES.items() if isinstance(source.measures, TableMeasures)}
    named = {f"{slug} {table}.{column}": [(table, column)] for slug, found in forms.items() for table, column in found}
    return figures.bounds(store, named) | figures.bounds_reached(store, forms, reach) | figures.expected_bounds(store, INVOICES)


def _mark_moved(store: Store, former: Mapping[str, tuple[date, date]], now: Mapping[str, tuple[date, date]]) -> None:
    """Mark the months that have come to lie between bounds, or do no more: also those that hold nothing. Names begin with a source."""
    for name in sorted({*former, *now}):
        before, after = (set(periods.month_range(*bounds[name])) if name in bounds else set() for bounds in (former, now))
        ledger.mark_dirty(store, name.split()[0], before ^ after)


def _everything_dirty(store: Store, bounds: Mapping[str, tuple[date, date]]) -> None:
    """Mark every month that any cell can rest on: those of the data, and those between that hold none."""
    for slug, columns in _month_columns().items():
        between = periods.month_range(*bounds[slug]) if slug in bounds else []
        ledger.mark_dirty(store, slug, {*figures.months(store, columns), *between})


def _recompute(
    store: Store, reference: Reference, names: Names, as_of: date, anew: bool
) -> tuple[pl.DataFrame, set[str] | None]:
    """Replace the cells of every touched period, all of them `anew`; returns those periods, and the figures computed (None: all,
    and none is left of those that are no longer defined)."""
    former, bounds, reach = _remembered(store, "bounds"), _bounds(store, as_of), _reach(store)
    former_data, data = _remembered(store, "data_bounds") or former, _whole(reach, _bounds(store))
    if anew:
        store.con.execute("DELETE FROM figure.cell")
        _everything_dirty(store, bounds)
    for source, month in reaches.remember(store, reach).rows():
        ledger.mark_dirty(store, source, [month])
    _count_once(store, reference, names, bounds[INVOICES][1] if INVOICES in bounds else None)
    _mark_moved(store, former, bounds)
    within, former_within = _bounds_within(store, reach), _remembered(store, "bounds_within")
    _mark_moved(store, former_within, within)
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
    _remember(store, "bounds_within", within)
    return pl.concat([*every, filled]).unique().sort(PERIOD_KEY), computed if filled.is_empty() else None


def _without_data(store: Store, sources: Sequence[str], former: Mapping[str, object]) -> pl.DataFrame:
    """Clear the cells of figures whose source has just lost its last delivery; returns their periods."""
    if sources[0] not in former:
        return pl.DataFrame(schema=periods.SCHEMA)
    gone = periods.of(figures.all_periods(store))
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
    # whole calendar years: a year without dates stands in its January, and what is asked of a year is asked of all of it
    first, last = int(touched["period_start"].dt.year().min()), int(touched["period_end"].dt.year().max())  # type: ignore[arg-type]
    measures = _measures(store, date(first - years, 1, 1), date(last, 12, 31)) | forms
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
    found["expected_first"] = store.frame("SELECT min(month) AS month FROM expected")
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


def _to_settle(store: Store, touched: pl.DataFrame, as_of: date, anew: bool) -> tuple[pl.DataFrame, bool]:
    """Touched periods, the same a year later (their trend), and those that closed since the last run; `anew`: all that there are
    and that are told. And whether any closed."""
    former = ledger.state(store, "as_of")
    told = figures.told_periods(store) if anew else []
    existing = periods.of({*figures.all_periods(store), *told})
    closed = existing if former is None else flips(DEFINITIONS, existing, date.fromisoformat(former), as_of)
    ledger.set_state(store, "as_of", as_of.isoformat())
    every = [existing] if anew else []
    return pl.concat([touched, periods.a_year_later(touched), closed, *every]).unique().sort(PERIOD_KEY), not closed.is_empty()


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
    told = protecting.as_told(
        store, _settled(store, reference, names, needed, guarded, as_of), classes, names.members, years, number
    )
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
