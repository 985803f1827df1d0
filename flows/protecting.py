"""Protecting: figures with disclosure control are settled by whole years, as their cells are linked, and withheld where unsafe."""

from __future__ import annotations

import polars as pl

from schemas.key_figure import NATIONAL
from schemas.reference import Reference
from transforms import periods
from transforms.disclosure.protect import BEHIND, protect
from transforms.disclosure.rules import Rules, protected
from transforms.key_figures import suppliers
from warehouse import figures, withheld
from warehouse.store import Store


def reach(store: Store, wanted: pl.DataFrame) -> pl.DataFrame:
    """Every period that begins in a year in which one of `wanted` begins: cells of protected tables are linked within a year."""
    years = wanted["period_start"].dt.year().unique().to_list()
    rows = [periods.period(kind, start) for kind, start in figures.all_periods(store) if start.year in years]
    every = pl.concat([wanted, pl.DataFrame(rows, schema=periods.SCHEMA, orient="row")])
    return every.unique().sort("period_kind", "period_start")


def as_told(store: Store, settled: pl.DataFrame, rules: Rules, members: pl.DataFrame, publication_no: int) -> pl.DataFrame:
    """Settled rows of all protected figures as publication `publication_no` may tell them, with is_restricted."""
    ids = protected(rules)
    years = sorted(settled["period_start"].dt.year().unique()) or [0]
    before = withheld.remembered(store, ids, years, publication_no)
    former = withheld.former(store, ids, years, publication_no)
    return protect(settled, rules, members, _behind(store, rules, settled), before, former)


def _behind(store: Store, rules: Rules, settled: pl.DataFrame) -> pl.DataFrame:
    """Who stands behind the nation's cells, for the measures that rules name."""
    wanted = settled.select(periods.SCHEMA.names()).unique()
    parts = [pl.DataFrame(schema=BEHIND)]
    present = set(settled["figure_id"].unique())
    for name in sorted({rule.contributor for (figure_id, _), rule in rules.items() if rule.contributor and figure_id in present}):
        table, _, column = name.partition(".")
        found = withheld.behind(store, table, column, wanted)
        placed = found.with_columns(table=pl.lit(name), level=pl.lit("national"), level_id=pl.lit(NATIONAL))
        parts.append(placed.select(list(BEHIND)).cast(BEHIND))
    return pl.concat(parts)


SUPPLIERS = tuple(figure.figure_id for figure in suppliers.DEFINITIONS)


def closed_suppliers(store: Store, reference: Reference, settled: pl.DataFrame) -> pl.DataFrame:
    """`settled` with is_restricted: what is said of the suppliers of one organisation, in a period with a month that counts from
    an agency that does not publish its invoices openly, is the organisation's own (METHOD 5, P1)."""
    closed = [agency.agency for agency in reference.agencies.values() if not agency.openly_published]
    rows = settled.with_row_index("row")
    months = store.frame(
        "SELECT DISTINCT organisation_id AS level_id, period AS month FROM figure.counting WHERE list_contains(?, agency)",
        [closed],
    )
    own = rows.filter(pl.col("figure_id").is_in(SUPPLIERS), level="organisation").join(months, on="level_id")
    held = own.filter(pl.col("month").is_between("period_start", "period_end"))["row"].unique()
    return rows.with_columns(is_restricted=pl.col("row").is_in(held.implode())).drop("row")
