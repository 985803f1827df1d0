"""Protecting: figures with disclosure control are settled by whole years, as their cells are linked, and withheld where unsafe."""

from __future__ import annotations

import polars as pl

from schemas.key_figure import NATIONAL
from transforms import periods
from transforms.disclosure.protect import BEHIND, protect
from transforms.disclosure.rules import Rules, protected
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
