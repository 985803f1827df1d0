"""Protecting settled figures: what is open stays, what is its owner's is marked, what is unsafe is withheld.

A withheld row keeps its place with status `suppressed` and reason `disclosure`; value, numerator, denominator, n, coverage,
light, trend and the spread over organisations go together. Places and periods that a protected table does not list have no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from schemas.key_figure import KEY_FIGURE
from transforms import levels
from transforms.disclosure.rules import OPEN, Rule, Rules
from transforms.disclosure.tree import Node, build
from transforms.disclosure.withhold import Content, Part, Table, is_safe, withhold
from transforms.periods import period

SUPPRESSED = "suppressed"
REASON = "disclosure"
HIDDEN = ("value", "numerator", "denominator", "n", "coverage", "organisation_median", "organisation_q1", "organisation_q3")
"""Numbers of a row that tell of what is withheld; light, trend and composition go with them."""
SCHEMA = KEY_FIGURE.polars_schema()
PART = ("figure_id", "variant", "scope", "breakdown_kind", "breakdown_id")
NODE = ("level", "level_id", "period_kind", "period_start")
FORMER = pl.Schema([(name, SCHEMA[name]) for name in (*PART, *NODE, "status", "numerator", "denominator", "n")])
"""What `protect` needs of the publication before: the rows it told."""
BEHIND = pl.Schema(
    [("table", pl.String()), *((name, SCHEMA[name]) for name in NODE), ("contributors", pl.Int64()), ("largest", pl.Int64())]
)
"""Who stands behind a place and period, by the measure table and column that a rule names."""
TableKey = tuple[str, int]
"""Protected table and year."""
People = Mapping[tuple[Part, Node], tuple[int, int]]
"""How many stand behind a cell, and the units of the largest."""


def protect(
    settled: pl.DataFrame,
    rules: Rules,
    members: pl.DataFrame,
    behind: pl.DataFrame,
    remembered: pl.DataFrame,
    former: pl.DataFrame,
) -> pl.DataFrame:
    """`settled` (KEY_FIGURE rows of whole years) with is_restricted, as it may be told.

    `members`: levels.membership. `behind` (BEHIND): for figures whose rule names a contributor.
    `remembered`: PART and NODE of every row that a publication withheld, `former` (FORMER): the rows of the last publication.
    """
    classes = pl.DataFrame(
        [(figure_id, variant, rule.disclosure_class, rule.table, rule.is_owned) for (figure_id, variant), rule in rules.items()],
        schema={"figure_id": pl.String, "variant": pl.String, "class": pl.String, "table": pl.String, "is_owned": pl.Boolean},
        orient="row",
    )
    rows = settled.with_row_index("row").join(classes, on=["figure_id", "variant"], how="left")
    is_open, is_own = pl.col("class").is_in(OPEN), pl.col("is_owned") & (pl.col("level") == "organisation")
    listed = rows.filter(~is_open).join(_listed(rules), on=["figure_id", "variant", "level", "period_kind"], how="semi")
    hidden = _hidden(listed, settled, rules, members, behind, remembered, former) if listed.height else []
    owned = rows.filter(~is_open & is_own).join(listed, on="row", how="anti")
    restricted = pl.lit(value=True).alias("is_restricted")
    kept = pl.concat([pl.concat([rows.filter(is_open), listed]).with_columns(~restricted), owned.with_columns(restricted)])
    kept = kept.with_columns(is_hidden=pl.col("row").is_in(hidden))
    return _withheld(kept, rules).select(*settled.columns, "is_restricted")


def _listed(rules: Rules) -> pl.DataFrame:
    """figure_id, variant, level, period_kind of what protected tables show."""
    rows = [
        (figure_id, variant, level, kind)
        for (figure_id, variant), rule in rules.items()
        for level in rule.levels
        for kind in (rule.period_kinds if level == "national" else rule.period_kinds[:1])
    ]
    schema = {"figure_id": pl.String, "variant": pl.String, "level": pl.String, "period_kind": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _withheld(rows: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Hidden rows without their numbers; what rows beside them would tell of them goes too."""
    hidden = pl.col("is_hidden")
    is_protected = ~pl.col("class").is_in(OPEN) & ~pl.col("is_restricted")
    a_year_later = pl.col("period_start").dt.offset_by("1y")
    told = rows.filter(~hidden, ~pl.col("is_restricted")).select(*PART, *NODE[:3], a_year_later, was_told=pl.lit(value=True))
    small = [table for table, rule in {rule.table: rule for rule in rules.values()}.items() if not _shows_spread(rule)]
    beside = hidden.any().over("table", pl.col("period_start").dt.year()) & (pl.col("class") == "P2")
    no_spread = is_protected & (hidden | beside | pl.col("table").is_in(small))
    rows = rows.join(told, on=[*PART, *NODE], how="left")
    blind = is_protected & (hidden | pl.col("was_told").is_null())
    return rows.with_columns(
        *(pl.when(hidden).then(None).otherwise(pl.col(name)).alias(name) for name in HIDDEN[:5]),
        *(pl.when(no_spread).then(None).otherwise(pl.col(name)).alias(name) for name in HIDDEN[5:]),
        status=pl.when(hidden).then(pl.lit(SUPPRESSED)).otherwise("status"),
        reason=pl.when(hidden).then(pl.lit(REASON)).otherwise("reason"),
        light=pl.when(hidden).then(pl.lit("none")).otherwise("light"),
        trend=pl.when(blind).then(pl.lit("none")).otherwise("trend"),
        mix_flag=pl.col("mix_flag") & ~is_protected,
    )


def _shows_spread(rule: Rule) -> bool:
    """Median and quartiles over organisations: where single organisations are told anyway, and of P3, whose peers they are for."""
    return rule.disclosure_class == "P3" or "organisation" in rule.levels


def _hidden(
    listed: pl.DataFrame,
    settled: pl.DataFrame,
    rules: Rules,
    members: pl.DataFrame,
    behind: pl.DataFrame,
    remembered: pl.DataFrame,
    former: pl.DataFrame,
) -> list[int]:
    """`row` of what is to be withheld."""
    people = _contributors(settled.join(listed.select("figure_id").unique(), on="figure_id", how="semi"), rules, members, behind)
    before = {(_part(row), _node(row)) for row in remembered.iter_rows(named=True)}
    tables: dict[TableKey, list[dict[str, Any]]] = defaultdict(list)
    alone: list[dict[str, Any]] = []
    for row in listed.iter_rows(named=True):
        rule = rules[row["figure_id"], row["variant"]]
        if rule.is_linked:
            tables[_table_key(row, rules)].append(row)
        else:
            alone.append(row)
    nodes_before: dict[TableKey, set[Node]] = defaultdict(set)
    for row in remembered.iter_rows(named=True):
        nodes_before[_table_key(row, rules)].add(_node(row))
    told: dict[TableKey, list[dict[str, Any]]] = defaultdict(list)
    for row in former.iter_rows(named=True):
        told[_table_key(row, rules)].append(row)
    linked = [row for rows in (*tables.values(), *told.values()) for row in rows]
    sector_of = _sectors(map(_node, linked), members)
    hidden: list[int] = []
    chosen: dict[TableKey, set[Node]] = defaultdict(set)
    for key in sorted(tables, key=lambda each: (bool(_followed(tables[each], rules)), each)):
        rows = tables[key]
        forced = {node for table in _followed(rows, rules) for node in chosen[table, key[1]]}
        chosen[key] = withhold(_table(rows, rules, people, sector_of, nodes_before[key] | forced, told[key]))
        hidden += [row["row"] for row in rows if _node(row) in chosen[key]]
    for row in alone:
        rule, node = rules[row["figure_id"], row["variant"]], _node(row)
        is_forced = node in chosen[rule.follows, row["period_start"].year]
        if is_forced or (_part(row), node) in before or not is_safe(_content(row, people), rule):
            hidden.append(row["row"])
    return hidden


def _followed(rows: Iterable[Mapping[str, Any]], rules: Rules) -> set[str]:
    """The tables that speak of the same people as these rows and are withheld first."""
    return {rule.follows for rule in (rules[row["figure_id"], row["variant"]] for row in rows) if rule.follows}


def _table(
    rows: Iterable[Mapping[str, Any]],
    rules: Rules,
    people: People,
    sector_of: Mapping[tuple[str, date], str],
    remembered: Collection[Node],
    former: Iterable[Mapping[str, Any]],
) -> Table:
    """One table of one year with its tree."""
    contents: dict[Node, dict[Part, Content]] = defaultdict(dict)
    for row in rows:
        contents[_node(row)][_part(row)] = _content(row, people)
    told: dict[Node, dict[Part, tuple[int, int | None, int | None]]] = defaultdict(dict)
    withheld: dict[Node, set[Part]] = defaultdict(set)
    for row in former:
        if row["status"] == SUPPRESSED:
            withheld[_node(row)].add(_part(row))
        else:
            told[_node(row)][_part(row)] = _content(row, {}).shown
    parts = {part for content in contents.values() for part in content}
    return Table(
        tree=build({*contents, *withheld}, sector_of),
        contents=contents,
        rules={part: rules[part[0], part[1]] for part in parts},
        remembered=remembered,
        told={node: content for node, content in told.items() if node not in withheld},
        withheld=withheld,
    )


def _content(row: Mapping[str, Any], people: People) -> Content:
    """A row's numbers as integers (amounts and scores in hundredths, as they are published)."""
    count, largest = people.get((_part(row), _node(row)), (0, 0))
    top, bottom = (None if row[name] is None else int(row[name] * 100) for name in ("numerator", "denominator"))
    return Content(row["n"] or 0, top, bottom, count, largest)


def _contributors(settled: pl.DataFrame, rules: Rules, members: pl.DataFrame, behind: pl.DataFrame) -> People:
    """How many organisations (or what a rule names instead) stand behind a cell, and the units of the largest."""
    own = settled.filter(pl.col("level") == "organisation", pl.col("n") > 0)
    own = own.select(*PART, "period_kind", "period_start", "period_end", pl.col("level_id").alias("organisation_id"), "n")
    counted = levels.placed(own, members).group_by(*PART, *NODE).agg(pl.len().alias("count"), pl.col("n").max().alias("largest"))
    found = {(_part(row), _node(row)): (row["count"], row["largest"]) for row in counted.iter_rows(named=True)}
    named = {(row["table"], _node(row)): (row["contributors"], row["largest"]) for row in behind.iter_rows(named=True)}
    for row in settled.select(*PART, *NODE).iter_rows(named=True):
        rule = rules[row["figure_id"], row["variant"]]
        if rule.contributor:
            found[_part(row), _node(row)] = named.get((rule.contributor, _node(row)), (0, 0))
    return found


def _sectors(nodes: Iterable[Node], members: pl.DataFrame) -> dict[tuple[str, date], str]:
    """The sector of each organisation in each period, by the period's last day; of those too that are gone since."""
    own = {(level_id, start, period(kind, start)[2]) for level, level_id, kind, start in nodes if level == "organisation"}
    schema = {"organisation_id": pl.String, "period_start": pl.Date, "period_end": pl.Date}
    frame = pl.DataFrame(sorted(own), schema=schema, orient="row")
    placed = levels.placed(frame, members.filter(level="sector"))
    return {(row["organisation_id"], row["period_start"]): row["level_id"] for row in placed.iter_rows(named=True)}


def _table_key(row: Mapping[str, Any], rules: Rules) -> TableKey:
    return rules[row["figure_id"], row["variant"]].table, row["period_start"].year


def _part(row: Mapping[str, Any]) -> Part:
    return tuple(row[name] for name in PART)


def _node(row: Mapping[str, Any]) -> Node:
    return row["level"], row["level_id"], row["period_kind"], row["period_start"]
