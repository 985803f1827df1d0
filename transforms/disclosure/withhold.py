"""Which nodes of a protected table are withheld: the unsafe ones, and complements so that sums do not give them away.

A node carries the counts and sums of all figures of its table (a part per figure, variant, scope and breakdown) and is withheld
whole. Chosen so, in a fixed order and without chance:

1. unsafe nodes, and those withheld in any former publication;
2. in every arm with a published parent, what is withheld together must itself be safe (it can be had by subtraction);
   else the smallest sibling that suffices is withheld too, or the parent where none does;
3. no withheld value may be known to within a tenth from all that is published.

Former publications count as read: a complement that was published with the value it still has protects nothing, and what is
newly withheld below a parent that was published before must be safe without the nodes withheld then. Where that fails the parent
is withheld, up to the root: the difference of two publications says no more than each of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from transforms.disclosure.rules import SHARE, Rule
from transforms.disclosure.tree import Arm, Interval, Node, Tree

MARGIN = Fraction(1, 10)
"""No withheld value may be known to within this share of itself."""
Part = tuple[str, ...]
"""figure_id, variant, scope, breakdown_kind, breakdown_id."""


@dataclass(frozen=True)
class Content:
    """One part of a node: numbers of units behind it, numerator and denominator (null when it is no sum), how many
    organisations stand behind it and the units of the largest."""

    n: int
    numerator: int | None = None
    denominator: int | None = None
    contributors: int = 0
    largest: int = 0

    @property
    def shown(self) -> tuple[int, int | None, int | None]:
        """What a publication tells."""
        return self.n, self.numerator, self.denominator

    def plus(self, other: Content, disjoint: bool) -> Content:
        """Both together; `disjoint`: no organisation stands behind both."""
        count = self.contributors + other.contributors if disjoint else max(self.contributors, other.contributors)
        largest = max(self.largest, other.largest) if disjoint else self.largest + other.largest
        return Content(
            self.n + other.n, _sum(self.numerator, other.numerator), _sum(self.denominator, other.denominator), count, largest
        )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def is_safe(content: Content, rule: Rule) -> bool:
    """Whether one part may be shown; a part without units says nothing about anyone."""
    if content.n <= 0:
        return True
    if content.n < rule.minimum_n or content.contributors < rule.minimum_contributors:
        return False
    if rule.without_largest and (
        content.n - content.largest < rule.minimum_n or content.contributors - 1 < rule.minimum_contributors
    ):
        return False
    if content.n >= rule.extreme_below or content.numerator is None or content.denominator is None:
        return True
    return content.numerator not in {end * content.denominator for end in rule.scale}


@dataclass
class Table:
    """One protected table of one year: its tree, contents, rules by part, and what former publications told.

    `remembered`: nodes withheld in any former publication. `told`: what the last one showed of each node (Content.shown by
    part), `withheld`: the parts that it withheld.
    """

    tree: Tree
    contents: Mapping[Node, Mapping[Part, Content]]
    rules: Mapping[Part, Rule]
    remembered: Collection[Node] = ()
    told: Mapping[Node, Mapping[Part, tuple[int, int | None, int | None]]] = field(default_factory=dict)
    withheld: Mapping[Node, Collection[Part]] = field(default_factory=dict)

    def is_safe(self, node: Node) -> bool:
        """Whether every part of a node may be shown."""
        return all(is_safe(content, self.rules[part]) for part, content in self.contents[node].items())

    def n(self, node: Node, part: Part) -> int:
        content = self.contents.get(node, {}).get(part)
        return content.n if content else 0

    def size(self, node: Node) -> int:
        return max((content.n for content in self.contents.get(node, {}).values()), default=0)

    def are_safe(self, nodes: Sequence[Node], part: Part, disjoint: bool) -> bool:
        """Whether one part of some nodes may be told as a sum, and is no single node's."""
        together = self.contents[nodes[0]][part]
        for node in nodes[1:]:
            together = together.plus(self.contents[node][part], disjoint)
        return len(nodes) > 1 and is_safe(together, self.rules[part])

    def is_known(self, node: Node, part: Part) -> bool:
        """Whether the last publication told a part of a node as it still is."""
        told, now = self.told.get(node, {}).get(part), self.contents.get(node, {}).get(part)
        return told is not None and now is not None and told == now.shown


def withhold(table: Table) -> set[Node]:
    """The nodes to withhold."""
    present = {node for node in table.tree.nodes if table.size(node) > 0}
    unsafe = {node for node in present if not table.is_safe(node)}
    chosen = unsafe | (present & set(table.remembered))
    quantities = _quantities(table)
    while True:
        added = _from_arms(table, chosen) - chosen or _from_bounds(table, chosen, unsafe, quantities) - chosen
        if not added:
            return chosen
        chosen |= added


def _unknown(table: Table, chosen: Collection[Node], part: Part) -> set[Node]:
    """Nodes whose part is withheld and was not told before as it still is."""
    return {node for node in chosen if table.n(node, part) > 0 and not table.is_known(node, part)}


def _from_arms(table: Table, chosen: set[Node]) -> set[Node]:
    """What the sums ask for besides: a sibling of what is withheld, or the parent where no sibling suffices; a child of what is
    withheld, whose children would tell it."""
    added: set[Node] = set()
    for part in sorted(table.rules):
        unknown = _unknown(table, chosen, part)
        for arm in table.tree.arms:
            hidden = [child for child in arm.children if child in unknown]
            disjoint = arm.children[0][0] != "national"
            if _gives_away(table, arm, hidden, part, disjoint, chosen):
                added |= _nearest_told(table, arm.parent, chosen)
            elif arm.parent in unknown:
                if not hidden:
                    size = _tenth(table.n(arm.parent, part))
                    # who reads this publication alone does not know what the last one told
                    added |= _complement(table, arm, chosen, part, size) or _told_before(table, arm, chosen, part)
            elif hidden and not table.are_safe(hidden, part, disjoint):
                added |= _complement(table, arm, chosen, part, _missing(table, hidden, part)) or {arm.parent}
    return added


def _gives_away(table: Table, arm: Arm, hidden: Sequence[Node], part: Part, disjoint: bool, chosen: Collection[Node]) -> bool:
    """Whether the parent, whose change since the last publication is known, gives away by it what is withheld newly or was
    withheld and is gone."""
    if not _change_is_known(table, arm.parent, part, chosen):
        return False
    if any(part in table.withheld.get(child, ()) and table.n(child, part) == 0 for child in arm.children):
        return True
    fresh = [child for child in hidden if part not in table.withheld.get(child, ())]
    is_mixed = len(fresh) < len(hidden) or arm.parent in chosen
    return bool(fresh) and is_mixed and not table.are_safe(fresh, part, disjoint)


def _change_is_known(table: Table, node: Node, part: Part, chosen: Collection[Node]) -> bool:
    """Whether the last publication and this one tell by how much a part of a node has changed.

    Either both tell the node; or both withhold it below a parent whose change is known, where nothing else may have changed.
    """
    if node not in chosen:
        return part in table.told.get(node, {})
    above = table.tree.above.get(node)
    was_withheld = part in table.withheld.get(node, ())
    return was_withheld and above is not None and _change_is_known(table, above.parent, part, chosen)


def _nearest_told(table: Table, node: Node, chosen: Collection[Node]) -> set[Node]:
    """The node, or the nearest one above it that is not withheld."""
    while node in chosen and node in table.tree.above:
        node = table.tree.above[node].parent
    return {node}


def _missing(table: Table, hidden: Sequence[Node], part: Part) -> int:
    """How large a complement has to be: what lacks of the least number of units, and a tenth of the largest withheld."""
    units = [table.n(node, part) for node in hidden]
    return max(table.rules[part].minimum_n - sum(units), _tenth(max(units)), 1)


def _tenth(units: int) -> int:
    return -(-units * MARGIN.numerator // MARGIN.denominator)


def _complement(table: Table, arm: Arm, chosen: set[Node], part: Part, size: int) -> set[Node]:
    """The smallest published child with at least `size` units of the part, else the largest; none where all are withheld or
    known anyway."""
    candidates = sorted(
        (table.n(child, part), child)
        for child in arm.children
        if child not in chosen and table.n(child, part) > 0 and not table.is_known(child, part)
    )
    large = [child for units, child in candidates if units >= size]
    return {large[0]} if large else {child for _, child in candidates[-1:]}


def _told_before(table: Table, arm: Arm, chosen: set[Node], part: Part) -> set[Node]:
    """The smallest child that is told now as the last publication told it; none where one that counts is withheld already."""
    units = sorted((table.n(child, part), child) for child in arm.children if table.n(child, part) > 0)
    return set() if any(child in chosen for _, child in units) else {child for _, child in units[:1]}


@dataclass(frozen=True)
class Quantity:
    """One number of one part that adds up: its values by node; `caps`: the most it can be, for numerators of shares, whose
    denominators may stand in another table. In its tree, what the last publication withheld below a parent that it told is a
    group of its own: the group's sum was told."""

    part: Part
    tree: Tree
    values: Mapping[Node, int]
    caps: Mapping[Node, int]


def _quantities(table: Table) -> list[Quantity]:
    """Units, numerators and denominators of every part; of numbers that can be below zero nothing can be bounded."""
    found: dict[tuple[Part, int], dict[Node, int]] = defaultdict(dict)
    for node, parts in table.contents.items():
        for part, content in parts.items():
            for which, value in enumerate(content.shown):
                if value is not None:
                    found[part, which][node] = value
    trees = {part: _with_groups(table, part) for part in table.rules}
    quantities = []
    for (part, which), values in sorted(found.items()):
        is_share = which == 1 and table.rules[part].scale == SHARE
        if min(values.values()) >= 0:
            tree, groups = trees[part]
            sums = {group: sum(values.get(node, 0) for node in nodes) for group, nodes in groups.items()}
            quantities.append(Quantity(part, tree, values | sums, found.get((part, 2), {}) if is_share else {}))
    return quantities


def _with_groups(table: Table, part: Part) -> tuple[Tree, dict[Node, tuple[Node, ...]]]:
    """The tree with a node for each sum that the last publication told of what it withheld, and what these nodes sum."""
    arms: list[Arm] = []
    groups: dict[Node, tuple[Node, ...]] = {}
    for arm in table.tree.arms:
        then = tuple(child for child in arm.children if part in table.withheld.get(child, ()) and table.n(child, part) > 0)
        if then and part in table.told.get(arm.parent, {}):
            group = ("group", *then[0][1:])
            groups[group] = then
            arms.append(Arm(group, then))
            arms.append(Arm(arm.parent, tuple(child for child in arm.children if child not in then)))
        else:
            arms.append(arm)
    return Tree((*table.tree.nodes, *groups), tuple(arms)), groups


def _from_bounds(table: Table, chosen: set[Node], unsafe: set[Node], quantities: Sequence[Quantity]) -> set[Node]:
    """What is to be withheld besides, for the first withheld value that can be worked out to within MARGIN."""
    for quantity in quantities:
        unknown = _unknown(table, chosen, quantity.part)
        bounds = quantity.tree.bounds(quantity.values, unknown, quantity.caps)
        for node, interval in sorted(bounds.items()):
            value = quantity.values.get(node, 0)
            if value > 0 and _is_narrow(interval, value, strictly=node in unsafe and not quantity.caps):
                added = _widen(table, node, chosen, quantity.part) - chosen
                if added:
                    return added
    return set()


def _is_narrow(interval: Interval, value: int, strictly: bool) -> bool:
    """Whether the interval lies within MARGIN of the value; `strictly`: whether either end does."""
    low, high = (end * MARGIN.denominator for end in interval)
    near_low = low > value * (MARGIN.denominator - MARGIN.numerator)
    near_high = high < value * (MARGIN.denominator + MARGIN.numerator)
    return near_low or near_high if strictly else near_low and near_high


def _widen(table: Table, node: Node, chosen: set[Node], part: Part) -> set[Node]:
    """One more node to withhold so that `node` can have more values: a sibling, a child, else the parent."""
    above = table.tree.above.get(node)
    arms = ([above] if above and above.parent not in chosen else []) + list(table.tree.own_arms.get(node, ()))
    for arm in arms:
        found = _complement(table, arm, chosen, part, _tenth(table.n(node, part)))
        if found:
            return found
    return {above.parent} if above else set()
