"""Panelling: panels are drawn on 1 July, their figures follow the periods that changed (METHOD 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.reference import Reference
from transforms import panel, panel_figures, periods
from transforms.disclosure.rules import protected, rules
from transforms.key_figures import DEFINITIONS, spend, strategy_counts, strategy_shares
from transforms.key_figures.parameters import parameters_of
from transforms.panel import INVOICES, MEMBERS, Bounds
from transforms.settle import settle
from warehouse import figures, ledger, panels
from warehouse.store import Store

LAST_DRAWN, DRAWN_WITH = "panels_as_of", "panels_drawn_with"
PERIOD_KEY = ["period_kind", "period_start"]
Drawn = dict[tuple[str, int], frozenset[tuple[object, ...]]]
"""Panels (name, year) with their members."""


@dataclass(frozen=True)
class Scene:
    """What figures of panels rest on: organisations, members and names of levels, first and last month of the sources."""

    known: pl.DataFrame
    members: pl.DataFrame
    labels: pl.DataFrame
    bounds: Bounds


@dataclass(frozen=True)
class Facts:
    """What every organisation's month contributes to the figures of panels, and the months that are there (THERE)."""

    contributions: pl.DataFrame
    there: pl.DataFrame


def follow(
    store: Store,
    reference: Reference,
    scene: Scene,
    touched: pl.DataFrame,
    wanted: pl.DataFrame,
    as_of: date,
    publication_no: int,
) -> None:
    """Draw what is to be drawn, and settle the panels' figures of the periods that are settled anyway or that another panel
    speaks for now.

    `touched`: periods whose cells were computed again, `wanted`: those settled again. Called inside the transaction that
    revises the history, after the counting tables were made.
    """
    text = ledger.state(store, LAST_DRAWN)
    former = date.fromisoformat(text) if text else None
    ledger.set_state(store, LAST_DRAWN, as_of.isoformat())
    has_come = former is None or panel.last_drawing_day(former) != panel.last_drawing_day(as_of)
    if touched.is_empty() and wanted.is_empty() and not has_come:
        return
    facts = _facts(store, reference, scene.bounds)
    before = _drawn(store, former)
    if has_come or not touched.is_empty():
        _draw(store, reference, scene, facts.there, former, as_of)
    drawn = _drawn(store, as_of)
    if former is not None:
        moved = [year for _, year in before.keys() ^ drawn.keys()]
        moved += [key[1] for key in before.keys() & drawn.keys() if before[key] != drawn[key]]
        years = {of for year in moved for of in range(year - panel.YEARS + 1, year + 2)}
        if years:
            wanted = pl.concat([wanted, _periods(store).filter(pl.col("period_end").dt.year().is_in(years))]).unique()
    else:
        wanted = _periods(store)
    _settle(store, reference, scene, facts, drawn, wanted.sort(PERIOD_KEY), as_of, publication_no)


def _periods(store: Store) -> pl.DataFrame:
    """Every period that has a cell."""
    return periods.of(figures.all_periods(store))


def _facts(store: Store, reference: Reference, bounds: Bounds) -> Facts:
    """Of invoices, the copy that counts; of returns, those that count, in December."""
    spent = _spent(store, reference, bounds.get(INVOICES))
    returns = store.frame("FROM measure.unit_return")
    parameters = parameters_of(reference)
    modules = () if returns.is_empty() else (strategy_shares, strategy_counts)
    said = [module.compute({"unit_return": returns}, parameters) for module in modules]
    said = [part.with_columns(month=panel.december(pl.col("month")), period_kinds=pl.lit("all")) for part in said]
    total = spent.filter(pl.col("figure_id") == panel_figures.WHOLE)
    return Facts(pl.concat([spent, *said], how="diagonal_relaxed"), pl.concat([panel.usable(total), panel.returned(returns)]))


def _spent(store: Store, reference: Reference, bounds: tuple[date, date] | None) -> pl.DataFrame:
    """Contributions of the invoices that count."""
    if bounds is None:
        measures = {
            "spend_month": store.frame("FROM measure.spend_month LIMIT 0"),
            "expected": store.frame("FROM expected LIMIT 0"),
        }
    else:
        figures.counted(store, ("spend_month",), *bounds)
        measures = {"spend_month": store.frame("FROM spend_month"), "expected": store.frame("FROM expected")}
    return spend.compute(measures, parameters_of(reference))


def _drawn(store: Store, as_of: date | None) -> Drawn:
    """Every drawn panel whose drawing day has come, with its members."""
    found: dict[tuple[str, int], set[tuple[object, ...]]] = {
        (row["panel"], row["panel_year"]): set()
        for row in panels.drawn(store).iter_rows(named=True)
        if as_of is not None and panel.drawing_day(row["panel_year"]) <= as_of
    }
    for row in panels.members(store).iter_rows():
        if row[:2] in found:
            found[row[:2]].add(row)
    return {key: frozenset(rows) for key, rows in found.items()}


def _draw(store: Store, reference: Reference, scene: Scene, there: pl.DataFrame, former: date | None, as_of: date) -> None:
    """Draw every panel that is not final yet, if what it rests on has changed; on the first run after a 1 July they become final."""
    drawn = panels.drawn(store)
    final = set(drawn.filter("is_final").select("panel", "panel_year").iter_rows())
    keys = [key for key in panel.to_draw(scene.bounds, as_of) if key not in final]
    register = reference.table("organisations.csv").select("organisation_id")
    some = pl.concat([there.select("organisation_id"), register]).unique()
    known = scene.known.join(some, on="organisation_id", how="semi")
    # a 1 July that the home lived through ends the drawing; one before its first publication does not: data are still coming
    is_final = former is not None and panel.last_drawing_day(as_of) > former
    mark = repr((keys, is_final, reference.fingerprint, _digest(there), _digest(known)))
    if (not keys and drawn["is_final"].all()) or ledger.state(store, DRAWN_WITH) == mark:
        return
    ledger.set_state(store, DRAWN_WITH, mark)
    whole = panel.entities(known, reference)
    found = [panel.draw(name, year, known, whole, there) for name, year in keys]
    rows = pl.DataFrame(
        [(name, year, as_of, is_final) for name, year in keys],
        schema={"panel": pl.String, "panel_year": pl.Int32, "drawn_on": pl.Date, "is_final": pl.Boolean},
        orient="row",
    )
    panels.redraw(store, rows, pl.concat([pl.DataFrame(schema=MEMBERS), *found]))


def _digest(frame: pl.DataFrame) -> int:
    """A number that changes with the rows, whatever their order."""
    return int(frame.hash_rows().sum())


def _settle(
    store: Store,
    reference: Reference,
    scene: Scene,
    facts: Facts,
    drawn: Drawn,
    wanted: pl.DataFrame,
    as_of: date,
    publication_no: int,
) -> None:
    """Settle the panels' figures of `wanted`, bring the history in line, and write growth anew."""
    members = panels.members(store).cast(MEMBERS)
    asked = panel_figures.asked(wanted, drawn)
    whole = panels.whole_cells(store, panel_figures.FIGURES, panel_figures.LEVELS, asked)
    cells = panel_figures.cells(members, whole, facts.contributions, facts.there, asked)
    # a figure under disclosure control has no panel: beside the cells of all units it would tell what is withheld there
    guarded = protected(rules(reference, DEFINITIONS))
    cells = cells.filter(~pl.col("figure_id").is_in(list(guarded)))
    settled = settle(
        cells.join(asked.select(PERIOD_KEY + ["period_end"]).unique(), on=PERIOD_KEY),
        panel_figures.FIGURES,
        reference,
        scene.members,
        scene.labels,
        as_of,
        panel_figures.FIXED,
    )
    figures.revise(store, panel_figures.spoken(settled, asked), wanted, publication_no, panel_figures.FIXED)
    years = wanted.filter(period_kind="year")["period_start"].dt.year().to_list()
    panels.keep_growth(store, panel_figures.growth(cells, members, drawn).filter(pl.col("year").is_in(years)), years)
