"""Disclosure rules from catalogue/disclosure.csv: a class for every figure, and for protected ones the table they belong to.

    P0  open                      P1  open, persons masked before the lake
    P2  protected: thresholds     P3  the owner's only: single organisations never stand in the open file

A row of the register speaks of a source (figure_id blank), of a figure, or of one of its variants; the narrowest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import ConfigurationError
from schemas.key_figure import PERIOD_KINDS, KeyFigure
from schemas.reference import Reference
from transforms.registry import SOURCES

REGISTER = "catalogue/disclosure.csv"
SHARE = (0, 1)
"""Scale of shares."""
OPEN = ("P0", "P1")
PROTECTED = ("P2", "P3")
TREE_LEVELS = ("national", "sector", "organisation")
"""The levels of protected tables: each adds up to the one before. Others would cut the same organisations a second way."""


@dataclass(frozen=True)
class Rule:
    """How one figure (or variant) is protected.

    `table`: figures of one table speak of the same people and are withheld together. `levels`: what the open file shows;
    `period_kinds`: the first one at every level, the others of the nation only. `is_linked`: cells add up to each other, so
    a withheld one needs complements; not so medians. `is_owned`: single organisations' cells go to their owner's file.
    A cell is safe from `minimum_n` units and `minimum_contributors` organisations (or companies) up, `without_largest`: also
    when the largest of them is taken away; under `extreme_below` units it must not lie at an end of its `scale` (all said the
    same).
    `follows`: a table that speaks of the same people: what is withheld there is withheld here too (its n would stand here).
    `contributor`: "" for organisations, else `table.column` of the measure that names who stands behind the nation's cells.
    """

    disclosure_class: str
    table: str = ""
    levels: tuple[str, ...] = ()
    period_kinds: tuple[str, ...] = ()
    is_linked: bool = True
    is_owned: bool = False
    minimum_n: int = 0
    minimum_contributors: int = 0
    without_largest: bool = False
    extreme_below: int = 0
    scale: tuple[int, ...] = ()
    contributor: str = ""
    follows: str = ""


Rules = Mapping[tuple[str, str], Rule]
"""(figure_id, variant) -> Rule."""


def rules(reference: Reference, figures: Mapping[str, KeyFigure]) -> Rules:
    """A rule for every variant of every figure. Raises ConfigurationError for a figure without a class and for a bad row."""
    rows = {}
    for number, row in enumerate(reference.table(REGISTER).iter_rows(named=True), start=2):
        rows[row["source"] or "", row["figure_id"] or "", row["variant"] or ""] = _rule(row, number)
    found = {}
    for figure in figures.values():
        source = figure.sources[0]
        for variant in figure.variants:
            keys = ((source, figure.figure_id, variant), (source, figure.figure_id, ""), (source, "", ""))
            rule = next((rows[key] for key in keys if key in rows), None)
            if rule is None:
                raise ConfigurationError(
                    f"{REGISTER}: figure {figure.figure_id} of {source} has no class; add a row for the source or the figure"
                )
            found[figure.figure_id, variant] = rule
    leading = {rule.table for rule in found.values() if rule.is_linked and not rule.follows}
    for rule in found.values():
        if rule.follows and rule.follows not in leading:
            raise ConfigurationError(
                f"{REGISTER}: {rule.table} follows {rule.follows!r}, which is no linked table that follows none"
            )
    return found


def protected(found: Rules) -> tuple[str, ...]:
    """Figures with a variant that is not open."""
    return tuple(sorted({figure_id for (figure_id, _), rule in found.items() if rule.disclosure_class in PROTECTED}))


def _rule(row: Mapping[str, str | None], number: int) -> Rule:
    name = row["class"] or ""
    if name in OPEN:
        return Rule(name)
    if name not in PROTECTED:
        raise ConfigurationError(f"{REGISTER}, row {number}: class {name!r} is none of P0, P1, P2, P3")
    levels, kinds = (tuple((row[column] or "").split("|")) for column in ("levels", "period_kinds"))
    for column, values, known in (("levels", levels, TREE_LEVELS), ("period_kinds", kinds, PERIOD_KINDS)):
        for value in set(values) - set(known):
            raise ConfigurationError(f"{REGISTER}, row {number}: {column} has {value!r}; known are {', '.join(known)}")
    if not row["table"] or levels != TREE_LEVELS[: len(levels)]:
        raise ConfigurationError(f"{REGISTER}, row {number}: a protected table has a name and levels from the nation down")
    if row["contributor"] and levels != TREE_LEVELS[:1]:
        raise ConfigurationError(f"{REGISTER}, row {number}: only figures of the nation alone can name a contributor")
    if row["contributor"] and row["contributor"] not in _columns(row["source"]):
        raise ConfigurationError(
            f"{REGISTER}, row {number}: contributor {row['contributor']!r} is no column of a measure of {row['source']}; "
            "write it as survey_response.company_id"
        )
    return Rule(
        disclosure_class=name,
        table=row["table"],
        levels=levels,
        period_kinds=kinds,
        is_linked=row["linked"] != "no",
        is_owned=row["owned"] == "yes",
        minimum_n=int(row["minimum_n"] or 0),
        minimum_contributors=int(row["minimum_contributors"] or 0),
        without_largest=row["without_largest"] == "yes",
        extreme_below=int(row["extreme_below"] or 0),
        scale=_scale(row["scale"] or "", number),
        contributor=row["contributor"] or "",
        follows=row["follows"] or "",
    )


def _columns(source: str | None) -> set[str]:
    """`table.column` of every column of a source's measures by month."""
    tables = SOURCES[source].measures.tables if source in SOURCES else ()
    return {f"{table.name}.{name}" for table in tables for name in table.polars_schema() if "month" in table.polars_schema()}


def _scale(text: str, number: int) -> tuple[int, ...]:
    ends = text.split("|") if text else []
    if len(ends) not in (0, 2) or not all(end.isdigit() for end in ends):
        raise ConfigurationError(f"{REGISTER}, row {number}: scale {text!r} is not two whole numbers such as 1|5")
    return tuple(int(end) for end in ends)
