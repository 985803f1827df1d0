"""Protecting settled figures: what is open stays, what is its owner's is marked, what is unsafe is withheld.

Same data, same told cells (METHOD 51): a table whose content a publication has already decided on is told as that one told it.

A withheld row keeps its place with status `suppressed` and reason `disclosure`; value, numerator, denominator, n, coverage,
light, trend and the spread over organisations go together. Places and periods that a protected table does not list have no row.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
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
FORMER = pl.Schema(
    [*((name, SCHEMA[name]) for name in (*PART, *NODE, "status", "numerator", "denominator", "n")), ("behind_n", pl.Int64())]
)
"""What `protect` needs of the publication before: the rows it told, and how many units stood behind those it withheld (null:
nobody knows)."""
BEHIND = pl.Schema(
    [("table", pl.String()), *((name, SCHEMA[name]) for name in NODE), ("contributors", pl.Int64()), ("largest", pl.Int64())]
)
"""Who stands behind a place and period, by the measure table and column that a rule names."""
TableKey = tuple[str, int]
"""Protected table and year."""
ALONE = " (single cells)"
"""Beside a table's name: its cells that do not add up."""
People = Mapping[tuple[Part, Node], tuple[int, int]]
"""How many stand behind a cell, and the units of the largest."""
Cells = Collection[tuple[Part, Node]]
Recall = Callable[[str, int, str], Cells | None]
"""What a former publication withheld of a table and year whose content had a mark; None: none had that content."""


@dataclass(frozen=True)
class Protected:
    """`rows` as they may be told, with is_restricted; `marks`: table, year, mark of the content that was decided on."""

    rows: pl.DataFrame
    marks: pl.DataFrame


MARKS = pl.Schema({"table_name": pl.String, "year": pl.Int32, "mark": pl.String})


def nothing_recalled(_table: str, _year: int, _mark: str) -> None:
    """The memory of a first publication."""


def protect(
    settled: pl.DataFrame,
    rules: Rules,
    members: pl.DataFrame,
    behind: pl.DataFrame,
    remembered: pl.DataFrame,
    former: pl.DataFrame,
    recall: Recall = nothing_recalled,
) -> Protected:
    """`settled` (KEY_FIGURE rows of whole years) as it may be told.

    `members`: levels.membership. `behind` (BEHIND): for figures whose rule names a contributor.
    `remembered`: PART and NODE of every row that a publication withheld, `former` (FORMER): the rows of the last publication.
    `recall`: what was decided on the same content before, which is decided again.
    """
    classes = pl.DataFrame(
        [(figure_id, variant, rule.disclosure_class, rule.table, rule.is_owned) for (figure_id, variant), rule in rules.items()],
        schema={"figure_id": pl.String, "variant": pl.String, "class": pl.String, "table": pl.String, "is_owned": pl.Boolean},
        orient="row",
    )
    rows = settled.with_row_index("row").join(classes, on=["figure_id", "variant"], how="left")
    is_open, is_own = pl.col("class").is_in(OPEN), pl.col("is_owned") & (pl.col("level") == "organisation")
    listed = rows.filter(~is_open).join(_listed(rules), on=["figure_id", "variant", "level", "period_kind"], how="semi")
    people = _contributors(settled, listed.select(*PART, *NODE), rules, members, behind)
    decided = _Decisions(rules, people, members, remembered, former, recall)
    hidden = decided.hidden(listed)
    owned = rows.filter(~is_open & is_own).join(listed, on="row", how="anti")
    restricted = pl.lit(value=True).alias("is_restricted")
    kept = pl.concat([pl.concat([rows.filter(is_open), listed]).with_columns(~restricted), owned.with_columns(restricted)])
    kept = kept.with_columns(is_hidden=pl.col("row").is_in(hidden))
    marks = pl.DataFrame([(*key, mark) for key, mark in sorted(decided.marks.items())], schema=MARKS, orient="row")
    return Protected(_withheld(kept, rules).select(*settled.columns, "is_restricted"), marks)


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


class _Decisions:
    """What is withheld, table by table; `marks` are those of the contents decided on."""

    def __init__(
        self,
        rules: Rules,
        people: People,
        members: pl.DataFrame,
        remembered: pl.DataFrame,
        former: pl.DataFrame,
        recall: Recall,
    ) -> None:
        self._rules, self._people, self._members, self._recall = rules, people, members, recall
        self._before = {(_part(row), _node(row)) for row in remembered.iter_rows(named=True)}
        self._nodes_before: dict[TableKey, set[Node]] = defaultdict(set)
        for row in remembered.iter_rows(named=True):
            self._nodes_before[_table_key(row, rules)].add(_node(row))
        self._told: dict[TableKey, list[dict[str, Any]]] = defaultdict(list)
        for row in former.iter_rows(named=True):
            self._told[_table_key(row, rules)].append(row)
        self._chosen: dict[TableKey, set[Node]] = defaultdict(set)
        self.marks: dict[TableKey, str] = {}

    def hidden(self, listed: pl.DataFrame) -> list[int]:
        """`row` of what is to be withheld: of linked tables first, those that others follow before the others."""
        tables: dict[TableKey, list[dict[str, Any]]] = defaultdict(list)
        alone: dict[TableKey, list[dict[str, Any]]] = defaultdict(list)
        for row in listed.iter_rows(named=True):
            is_linked = self._rules[row["figure_id"], row["variant"]].is_linked
            (tables if is_linked else alone)[_table_key(row, self._rules)].append(row)
        linked = [row for rows in (*tables.values(), *self._told.values()) for row in rows]
        sector_of = _sectors(map(_node, linked), self._members)
        found: list[int] = []
        for key in sorted(tables, key=lambda each: (bool(_followed(tables[each], self._rules)), each)):
            found += self._of_table(key, tables[key], sector_of)
        for key, rows in sorted(alone.items()):
            found += self._of_single_cells((f"{key[0]}{ALONE}", key[1]), rows)
        return found

    def _of_table(self, key: TableKey, rows: Collection[dict[str, Any]], sector_of: Mapping[tuple[str, date], str]) -> list[int]:
        """A table whose cells add up: nodes are withheld whole."""
        forced = {node for table in _followed(rows, self._rules) for node in self._chosen[table, key[1]]}
        recalled = self._recalled(key, rows, forced, sector_of)
        if recalled is None:
            remembered = self._nodes_before[key] | forced
            chosen = withhold(_table(rows, self._rules, self._people, sector_of, remembered, self._told[key]))
        else:
            chosen = {_node(row) for row in rows if (_part(row), _node(row)) in recalled}
        self._chosen[key] = chosen
        return [row["row"] for row in rows if _node(row) in chosen]

    def _of_single_cells(self, key: TableKey, rows: Collection[dict[str, Any]]) -> list[int]:
        """Cells that do not add up: each for itself."""
        forced = {node for table in _followed(rows, self._rules) for node in self._chosen[table, key[1]]}
        recalled = self._recalled(key, rows, forced, {})
        if recalled is not None:
            return [row["row"] for row in rows if (_part(row), _node(row)) in recalled]
        return [row["row"] for row in rows if self._is_unsafe(row, key[1])]

    def _is_unsafe(self, row: Mapping[str, Any], year: int) -> bool:
        rule, node = self._rules[row["figure_id"], row["variant"]], _node(row)
        is_forced = node in self._chosen[rule.follows, year]
        return is_forced or (_part(row), node) in self._before or not is_safe(_content(row, self._people), rule)

    def _recalled(
        self,
        key: TableKey,
        rows: Iterable[Mapping[str, Any]],
        forced: Collection[Node],
        sector_of: Mapping[tuple[str, date], str],
    ) -> Cells | None:
        """What a former publication decided on the same content: the numbers of all cells, who stands behind them, where they
        stand, the rules, and what is withheld already for other tables' sake."""
        contents, rules = [], {}
        for row in rows:
            node, content = _node(row), _content(row, self._people)
            place = sector_of.get((row["level_id"], row["period_start"])) if row["level"] == "organisation" else None
            contents.append(repr((_part(row), node, content, place, node in forced)))
            rules[row["figure_id"], row["variant"]] = repr(self._rules[row["figure_id"], row["variant"]])
        text = "\n".join([*sorted(contents), *(f"{name}{rule}" for name, rule in sorted(rules.items()))])
        self.marks[key] = hashlib.sha256(text.encode()).hexdigest()
        return self._recall(*key, self.marks[key])


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
            if row["behind_n"] != 0:  # a node is withheld whole: a part of nobody was no secret of anyone
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


def _contributors(settled: pl.DataFrame, cells: pl.DataFrame, rules: Rules, members: pl.DataFrame, behind: pl.DataFrame) -> People:
    """How many organisations (or what a rule names instead) stand behind each of `cells` (PART and NODE), and the units of the largest."""
    own = settled.filter(pl.col("level") == "organisation", pl.col("n") > 0)
    own = own.select(*PART, "period_kind", "period_start", "period_end", pl.col("level_id").alias("organisation_id"), "n")
    of_cells = own.join(cells.select(*PART, *NODE[2:]).unique(), on=[*PART, *NODE[2:]], how="semi")
    counted = levels.placed(of_cells, members).group_by(*PART, *NODE).agg(pl.len().alias("count"), pl.col("n").max().alias("largest"))
    counted = counted.join(cells, on=[*PART, *NODE], how="semi")
    end = len(PART) + len(NODE)
    found = {
        (row[: len(PART)], row[len(PART) : end]): (row[end], row[end + 1])
        for row in counted.select(*PART, *NODE, "count", "largest").iter_rows()
    }
    named = {(row["table"], _node(row)): (row["contributors"], row["largest"]) for row in behind.iter_rows(named=True)}
    for row in cells.iter_rows(named=True):
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
