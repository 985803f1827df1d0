"""Refreshing: touched months -> cells -> settled key figures -> history -> a new generation, when anything changed."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl

from schemas.errors import InvariantBroken
from schemas.key_figure import KEY_FIGURE, KeyFigure
from schemas.reference import Reference
from transforms import levels, periods
from transforms.key_figures import DEFINITIONS, MODULES
from transforms.key_figures.parameters import parameters_of
from transforms.registry import SOURCES
from transforms.rollup import roll_up
from transforms.settle import flips, settle
from warehouse import figures, ledger
from warehouse.publication import generations, mart, meta
from warehouse.store import Store

INVOICES, NOTICES = "purchase_invoices", "procurement_notices"
INVOICE_MEASURES = ("spend_month", "supplier_month", "case_month")
PERIOD_KEY = ["period_kind", "period_start"]


@dataclass(frozen=True)
class Published:
    """The publication in force after a run; `is_new` when this run made it."""

    publication_no: int
    is_new: bool
    cells_n: int
    cells_changed: int
    fingerprint: str


@dataclass(frozen=True)
class Names:
    """Organisations and levels as of this run."""

    members: pl.DataFrame
    labels: pl.DataFrame


def refresh_and_publish(store: Store, reference: Reference, as_of: date, at: datetime, keep: int) -> Published:
    """Compute what changed, publish when anything did. Raises InvariantBroken and leaves the former publication in force."""
    broken = ledger.check_conservation(store)
    if broken:
        raise InvariantBroken(f"nothing is published: {len(broken)} conservation breaches, first: {broken[0]}")
    figures.create(store)
    names = _names(store, reference)
    with store.transaction():
        touched = _recompute(store, reference, names)
        settled_periods = _to_settle(store, touched, as_of)
        changed = _resettle(store, reference, names, settled_periods, as_of)
        row = _register_publication(store, changed, as_of, at)
    if row is not None:
        generations.build(store.home, row.publication_no, _filler(store, names, row, as_of, at), None)
        generations.put_in_force(store.home, row.publication_no)
        with store.transaction():
            store.con.execute("UPDATE ledger.publication SET is_out = true WHERE publication_no = ?", [row.publication_no])
        generations.prune(store.home, keep)
        return row
    return _in_force(store)


def _names(store: Store, reference: Reference) -> Names:
    """Membership and labels; when the membership of a known organisation changed, everything is computed again."""
    known = levels.organisations(reference, _observed(store, reference))
    members = levels.membership(known)
    if figures.remember_membership(store, members):
        _everything_dirty(store)
    return Names(members, levels.names(reference, known))


def _observed(store: Store, reference: Reference) -> pl.DataFrame:
    """What deliveries say of organisations, their words for sectors mapped by sector_aliases.csv (kind state_file)."""
    aliases = reference.table("sector_aliases.csv").filter(kind="state_file").select("delivered", "sector")
    from_invoices = store.frame(
        "SELECT DISTINCT organisation_id, organisation_name AS name, sector_name AS delivered, "
        "coalesce(branch_code, branch_name) AS branch, branch_name, NULL::VARCHAR AS region FROM measure.spend_month"
    ).join(aliases, on="delivered", how="left")
    frames = [from_invoices.select(levels.OBSERVED_SCHEMA.names()).cast(dict(levels.OBSERVED_SCHEMA))]
    if NOTICES in SOURCES:
        from_notices = store.frame(
            "SELECT DISTINCT organisation_id, name, sector, NULL::VARCHAR AS branch, NULL::VARCHAR AS branch_name, region FROM measure.notice_buyer"
        )
        frames.append(from_notices.select(levels.OBSERVED_SCHEMA.names()).cast(dict(levels.OBSERVED_SCHEMA)))
    return pl.concat(frames)


def _month_columns() -> dict[str, list[tuple[str, str]]]:
    """Per source, its measure tables and the column of the month."""
    found: dict[str, list[tuple[str, str]]] = {}
    for slug, source in SOURCES.items():
        names = [(table.name, column.name) for table in source.measures.tables for column in table.columns]
        found[slug] = [(table, column) for table, column in names if column in ("period", "month") or column.endswith("_month")]
    return found


def _bounds(store: Store) -> dict[str, tuple[date, date]]:
    """First and last month of each source's data: what slices cover, else what measures hold."""
    found = {}
    for slug, source in SOURCES.items():
        months = figures.months(store, _month_columns()[slug]) if source.contract.kind == "keyed" else []
        bounds = (months[0], months[-1]) if months else figures.slice_bounds(store, slug)
        if bounds:
            found[slug] = bounds
    return found


def _everything_dirty(store: Store) -> None:
    for slug, columns in _month_columns().items():
        ledger.mark_dirty(store, slug, figures.months(store, columns))


def _recompute(store: Store, reference: Reference, names: Names) -> pl.DataFrame:
    """Replace the cells of every touched period; returns those periods."""
    mark = hashlib.sha256(repr([(figure, reference.fingerprint) for figure in DEFINITIONS.values()]).encode()).hexdigest()
    if ledger.state(store, "computed_with") != mark:
        store.con.execute("DELETE FROM figure.cell")
        _everything_dirty(store)
        ledger.set_state(store, "computed_with", mark)
    dirty = figures.dirty_months(store)
    bounds = _bounds(store)
    every = pl.DataFrame(schema=periods.SCHEMA)
    for sources in sorted({figure.sources for figure in DEFINITIONS.values()}):
        months = dirty.filter(pl.col("source").is_in(list(sources)))["month"].to_list()
        if not months or sources[0] not in bounds:
            continue
        touched = periods.touched(months, *bounds[sources[0]])
        wanted = {key: figure for key, figure in DEFINITIONS.items() if figure.sources == sources}
        figures.replace_cells(store, _cells(store, reference, names, wanted, touched), list(wanted), touched)
        every = pl.concat([every, touched])
    store.con.execute("DELETE FROM ledger.dirty")
    return every.unique().sort(PERIOD_KEY)


def _cells(
    store: Store, reference: Reference, names: Names, wanted: Mapping[str, KeyFigure], touched: pl.DataFrame
) -> pl.DataFrame:
    """Cells of some figures in some periods: contributions rolled up, and what the plans group in DuckDB."""
    first, last = touched["period_start"].min(), touched["period_end"].max()
    assert isinstance(first, date)  # noqa: S101 - touched is never empty here
    assert isinstance(last, date)  # noqa: S101
    measures = _measures(store, reference, first, last)
    parameters = parameters_of(reference)
    parts = []
    for module in MODULES:
        ids = [definition.figure_id for definition in module.DEFINITIONS if definition.figure_id in wanted]
        if not ids:
            continue
        if hasattr(module, "PLANS"):
            parts.append(_planned(store, module.PLANS, reference, names, touched).filter(pl.col("figure_id").is_in(ids)))
        if hasattr(module, "compute"):
            contributions = module.compute(measures, parameters).filter(pl.col("figure_id").is_in(ids))
            parts.append(roll_up(contributions, wanted, touched, names.members))
    return pl.concat(
        [part.select(figures.CELL.polars_schema().names()).cast(dict(figures.CELL.polars_schema())) for part in parts]
    )


def _measures(store: Store, reference: Reference, first: date, last: date) -> dict[str, pl.DataFrame]:
    """Measure frames between two months, invoices restricted to the copy that counts."""
    agencies = [(agency.agency, agency.precedence, agency.frame_from, agency.frame_to) for agency in reference.agencies.values()]
    frame = pl.DataFrame(
        agencies, schema={"agency": pl.String, "rank": pl.Int64, "frame_from": pl.String, "frame_to": pl.String}, orient="row"
    ).with_columns(pl.col("frame_from", "frame_to").str.to_date())
    own = [(agency.organisation_id, agency.agency) for agency in reference.agencies.values() if agency.organisation_id]
    own_frame = pl.DataFrame(own, schema={"organisation_id": pl.String, "agency": pl.String}, orient="row")
    with store.relation("own_frame", own_frame):
        store.con.execute("CREATE OR REPLACE TEMP TABLE agency_own AS FROM own_frame")
    figures.counting(store, frame)
    figures.counted(store, INVOICE_MEASURES, first, last)
    found = {"spend_month": store.frame("FROM spend_month")}
    found["expected"] = store.frame("FROM expected WHERE month BETWEEN ? AND ?", [first, last])
    for slug, columns in _month_columns().items():
        if SOURCES[slug].contract.kind == "keyed":
            for table in {table for table, _ in columns}:
                months = [column for name, column in columns if name == table]
                found[table] = figures.frame_between(store, table, months, first, last)
    return found


def _planned(store: Store, plans: Mapping[str, str], reference: Reference, names: Names, touched: pl.DataFrame) -> pl.DataFrame:
    limits = reference.table("catalogue/limits.csv").select(
        "limit_id",
        (pl.col("value").cast(pl.Decimal(20, 2)) * 100).cast(pl.Int64).alias("cents"),
        pl.col("valid_from").str.to_date().fill_null(levels.ALWAYS[0]),
        pl.col("valid_to").str.to_date().fill_null(levels.ALWAYS[1]),
    )
    relations = {"period": touched, "membership": names.members, "limits": limits}
    return pl.concat([figures.run_plan(store, plan, relations) for plan in plans.values()], how="diagonal_relaxed")


def _to_settle(store: Store, touched: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Touched periods, the same a year later (their trend), and those that closed since the last run."""
    former = ledger.state(store, "as_of")
    rows = [periods.period(kind, start) for kind, start in figures.all_periods(store)]
    existing = pl.DataFrame(rows, schema=periods.SCHEMA, orient="row")
    if former is None:
        wanted = existing
    else:
        wanted = pl.concat(
            [touched, periods.a_year_later(touched), flips(DEFINITIONS, existing, date.fromisoformat(former), as_of)]
        )
    ledger.set_state(store, "as_of", as_of.isoformat())
    return wanted.unique().sort(PERIOD_KEY)


def _resettle(store: Store, reference: Reference, names: Names, wanted: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Settle `wanted` and bring the history in line; returns new and changed rows."""
    if wanted.is_empty():
        return pl.DataFrame(schema={name: KEY_FIGURE.polars_schema()[name] for name in figures.SETTLED})
    needed = pl.concat([wanted, periods.a_year_later(wanted, -1)]).unique()
    cells = figures.cells_in(store, needed).join(needed, on=PERIOD_KEY)
    settled = settle(cells, DEFINITIONS, reference, names.members, names.labels, as_of)
    settled = settled.join(wanted.select(PERIOD_KEY), on=PERIOD_KEY, how="semi")
    return figures.revise(store, settled, wanted, _next_number(store))


def _next_number(store: Store) -> int:
    """Number of the publication being made: an unfinished one is made again under its number."""
    last = store.rows("SELECT publication_no, is_out FROM ledger.publication ORDER BY publication_no DESC LIMIT 1")
    if not last:
        return 1
    return int(last[0]["publication_no"]) + bool(last[0]["is_out"])


def _register_publication(store: Store, changed: pl.DataFrame, as_of: date, at: datetime) -> Published | None:
    """A row for the publication to make, or None when nothing changed and the last one is in force."""
    number = _next_number(store)
    gone = store.scalar("SELECT count(*) FROM figure.history WHERE valid_to_no = ?", [number])
    ledger_mark = figures.ledger_mark(store)
    unfinished = store.scalar("SELECT count(*) FROM ledger.publication WHERE publication_no = ?", [number])
    same = changed.is_empty() and not gone and ledger.state(store, "published_ledger") == ledger_mark
    if same and not unfinished and number > 1 and generations.in_force(store.home) == number - 1:
        return None
    ledger.set_state(store, "published_ledger", ledger_mark)
    current = figures.current(store)
    fingerprint = figures.fingerprint(current)
    store.con.execute("DELETE FROM ledger.publication WHERE publication_no = ?", [number])
    store.con.execute(
        "INSERT INTO ledger.publication VALUES (?, ?, ?, ?, ?, ?, false)",
        [number, at.replace(tzinfo=None), as_of, fingerprint, current.height, changed.height],
    )
    return Published(number, True, current.height, changed.height, fingerprint)


def _in_force(store: Store) -> Published:
    row = store.rows("SELECT * FROM ledger.publication ORDER BY publication_no DESC LIMIT 1")[0]
    return Published(row["publication_no"], False, row["cells_n"], 0, row["fingerprint"])


class _filler:  # noqa: N801 - used as a function: what to write into the new generation
    """Fills a generation with all published tables."""

    def __init__(self, store: Store, names: Names, row: Published, as_of: date, at: datetime) -> None:
        self.tables: Sequence[generations.PublishedTable] = [
            mart.figure_table(DEFINITIONS),
            mart.level_table(_used(names.labels, figures.current(store))),
            mart.key_figure_table(_published_rows(store, names)),
            *meta.tables(
                store,
                row.publication_no,
                at,
                as_of,
                row.fingerprint,
                (row.cells_n, row.cells_changed),
                importlib.metadata.version("nyckeltal"),
            ),
        ]

    def __call__(self, con: duckdb.DuckDBPyConnection, copied: bool) -> None:
        for table in self.tables:
            generations.create_table(con, table)


def _used(labels: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    return labels.join(current.select("level", "level_id").unique(), on=["level", "level_id"], how="semi")


def _published_rows(store: Store, names: Names) -> pl.DataFrame:
    """The current figures with what follows from the whole publication: names, newest period, how far the data reach."""
    bounds = _bounds(store)
    through = pl.DataFrame(
        [
            (figure.figure_id, min(periods.month_end(bounds[source][1]) for source in figure.sources if source in bounds))
            for figure in DEFINITIONS.values()
            if any(source in bounds for source in figure.sources)
        ],
        schema={"figure_id": pl.String, "data_through": pl.Date},
        orient="row",
    )
    labels = names.labels.select("level", "level_id", pl.col("name_fi").alias("level_name"))
    series = [name for name in KEY_FIGURE.primary_key if name != "period_start"]
    newest = pl.col("period_start").filter(pl.col("value").is_not_null()).max().over(series)
    return (
        figures.current(store)
        .join(through, on="figure_id", how="left")
        .join(labels, on=["level", "level_id"], how="left")
        .with_columns(
            pl.col("level_name").fill_null(pl.col("level_id")),
            is_latest=(pl.col("period_start") == newest).fill_null(value=False),
        )
    )
