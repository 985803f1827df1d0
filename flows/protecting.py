"""Protecting: figures with disclosure control are settled by whole years, as their cells are linked, and withheld where unsafe."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from flows import code_marks
from schemas.key_figure import NATIONAL
from schemas.reference import Reference
from transforms import periods
from transforms.disclosure.protect import BEHIND, NODE, PART, Cells, protect
from transforms.disclosure.rules import Rules, protected
from transforms.key_figures import suppliers
from warehouse import figures, withheld
from warehouse.store import Store


def reach(store: Store, wanted: pl.DataFrame) -> pl.DataFrame:
    """Every period that begins in a year in which one of `wanted` begins: cells of protected tables are linked within a year."""
    years = wanted["period_start"].dt.year().unique().to_list()
    every = pl.concat([wanted, periods.of((kind, start) for kind, start in figures.all_periods(store) if start.year in years)])
    return every.unique().sort("period_kind", "period_start")


def as_told(
    store: Store, settled: pl.DataFrame, rules: Rules, members: pl.DataFrame, told: pl.DataFrame, publication_no: int
) -> pl.DataFrame:
    """Settled rows of all protected figures as publication `publication_no` may tell them, with is_restricted.

    Keeps what it rests on and how it was decided, of the periods `told`, which are whole years.
    """
    ids = protected(rules)
    years = sorted(settled["period_start"].dt.year().unique()) or [0]
    memory = _Memory(store, ids, publication_no)
    before = withheld.remembered(store, ids, years, publication_no)
    former = withheld.former(store, ids, years, publication_no)
    protected_rows = protect(settled, rules, members, _behind(store, rules, settled), before, former, memory.recall)
    withheld.remember(store, memory.marked(protected_rows.marks), told["period_start"].dt.year().unique().to_list(), publication_no)
    withheld.keep_truth(store, settled.join(told, on=["period_kind", "period_start"], how="semi"), told, ids, publication_no)
    return protected_rows.rows


def adopt(store: Store, settled: pl.DataFrame, rules: Rules, members: pl.DataFrame, last: int) -> None:
    """Remember what publication `last` rested on and how it was decided, where it was made before that was kept: `settled` are the
    protected figures of its cells, before protection."""
    ids = protected(rules)
    every = settled.select(periods.SCHEMA.names()).unique()
    years = every["period_start"].dt.year().unique().to_list()
    memory = _Memory(store, ids, last)
    nothing = withheld.remembered(store, ids, years, 0), withheld.former(store, ids, years, 0)
    found = protect(settled, rules, members, _behind(store, rules, settled), *nothing, memory.of_last)
    withheld.remember(store, memory.marked(found.marks), years, last)
    withheld.keep_truth(store, settled, every, ids, last)


class _Memory:
    """What publications before one withheld, asked for by the content that they decided on."""

    def __init__(self, store: Store, ids: Collection[str], publication_no: int) -> None:
        self._store, self._ids, self._number = store, ids, publication_no
        self._code = code_marks.of(store).protection
        self._found: dict[tuple[int, int], Cells] = {}

    def recall(self, table: str, year: int, mark: str) -> Cells | None:
        number = withheld.decided(self._store, table, year, f"{self._code}{mark}", self._number)
        return None if number is None else self._withheld(number, year)

    def marked(self, marks: pl.DataFrame) -> pl.DataFrame:
        """Marks of contents with that of the code that decides on them: other code decides anew."""
        return marks.with_columns(mark=pl.concat_str(pl.lit(self._code), "mark"))

    def of_last(self, _table: str, year: int, _mark: str) -> Cells:
        """What the publication itself withheld, whatever it rested on."""
        return self._withheld(self._number, year)

    def _withheld(self, number: int, year: int) -> Cells:
        if (number, year) not in self._found:
            rows = withheld.as_withheld(self._store, self._ids, [year], number)
            self._found[number, year] = {(cell[: len(PART)], cell[len(PART) :]) for cell in rows.select(*PART, *NODE).iter_rows()}
        return self._found[number, year]


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
