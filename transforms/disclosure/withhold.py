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
    part), `withheld`: what it withheld.
    """

    tree: Tree
    contents: Mapping[Node, Mapping[Part, Content]]
    rules: Mapping[Part, Rule]
    remembered: Collection[Node] = ()
    told: Mapping[Node, Mapping[Part, tuple[int, int | None, int | None]]] = field(default_factory=dict)
    withheld: Collection[Node] = ()

    def safe(self, parts: Mapping[Part, Content]) -> bool:
        return all(is_safe(content, self.rules[part]) for part, content in parts.items())

    def size(self, node: Node) -> int:
        return max((content.n for content in self.contents.get(node, {}).values()), default=0)

    def together(self, nodes: Sequence[Node], disjoint: bool) -> dict[Part, Content]:
        """The sum of some nodes, part by part."""
        found: dict[Part, Content] = {}
        for node in nodes:
            for part, content in self.contents.get(node, {}).items():
                found[part] = found[part].plus(content, disjoint) if part in found else content
        return found

    def is_known(self, node: Node) -> bool:
        """Whether the last publication showed the node with the content it still has."""
        told, now = self.told.get(node), self.contents.get(node, {})
        return told is not None and all(told[part] == now[part].shown for part in set(told) & set(now))


def withhold(table: Table) -> set[Node]:
    """The nodes to withhold."""
    present = {node for node in table.tree.nodes if table.size(node) > 0}
    unsafe = {node for node in present if not table.safe(table.contents[node])}
    chosen = unsafe | (present & set(table.remembered))
    quantities = _quantities(table)
    while True:
        unknown = {node for node in chosen if not table.is_known(node)}
        added = _from_arms(table, chosen, unknown, present) - chosen
        if not added:
            added = _from_bounds(table, chosen, unknown, present, unsafe, quantities) - chosen
        if not added:
            return chosen
        chosen |= added


def _from_arms(table: Table, chosen: set[Node], unknown: set[Node], present: set[Node]) -> set[Node]:
    """What the arms ask for besides: siblings or parents of what is withheld, a child of a parent that its children tell."""
    added: set[Node] = set()
    for arm in table.tree.arms:
        hidden = [child for child in arm.children if child in unknown]
        if arm.parent in unknown:
            if not hidden:
                added |= _complement(
                    table, arm, chosen, present, -(-table.size(arm.parent) * MARGIN.numerator // MARGIN.denominator)
                )
            continue
        disjoint = arm.children[0][0] != "national"
        if _gives_away(table, arm, hidden, disjoint):
            added.add(arm.parent)
        elif hidden and not (len(hidden) > 1 and table.safe(table.together(hidden, disjoint))):
            added |= _complement(table, arm, chosen, present, _missing(table, hidden)) or {arm.parent}
    return added


def _gives_away(table: Table, arm: Arm, hidden: Sequence[Node], disjoint: bool) -> bool:
    """Whether the parent, published before and now, gives away by its change what was withheld then or is withheld newly."""
    if arm.parent not in table.told:
        return False
    fresh = [child for child in hidden if child not in table.withheld]
    others = len(hidden) > len(fresh)
    gone = [child for child in table.withheld if _is_child(table, child, arm) and table.size(child) == 0]
    if gone:
        return True
    return bool(fresh) and others and not (len(fresh) > 1 and table.safe(table.together(fresh, disjoint)))


def _is_child(table: Table, node: Node, arm: Arm) -> bool:
    above = table.tree.above.get(node)
    return above is not None and above == arm


def _missing(table: Table, hidden: Sequence[Node]) -> int:
    """How large a complement has to be: what lacks of the least number of units, and a tenth of the largest withheld."""
    parts = table.together(hidden, disjoint=True)
    lacking = max((table.rules[part].minimum_n - content.n for part, content in parts.items()), default=0)
    tenth = -(-max(table.size(node) for node in hidden) * MARGIN.numerator // MARGIN.denominator)
    return max(lacking, tenth, 1)


def _complement(table: Table, arm: Arm, chosen: set[Node], present: set[Node], size: int) -> set[Node]:
    """The smallest published child of at least `size` units, else the largest; none where all are withheld or were told."""
    candidates = sorted(
        (table.size(child), child)
        for child in arm.children
        if child in present and child not in chosen and not table.is_known(child)
    )
    large = [child for units, child in candidates if units >= size]
    return {large[0]} if large else {child for _, child in candidates[-1:]}


@dataclass(frozen=True)
class Quantity:
    """One number of one part that adds up: its values by node; `caps`: the most it can be, for numerators of shares, whose
    denominators may stand in another table."""

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
    distinct: dict[tuple[tuple[Node, int], ...], Quantity] = {}
    for (part, which), values in sorted(found.items()):
        is_share = which == 1 and table.rules[part].scale == SHARE
        caps = found.get((part, 2), {}) if is_share else {}
        if min(values.values()) >= 0:
            distinct[(*sorted(values.items()), *sorted(caps.items()))] = Quantity(values, caps)
    return list(distinct.values())


def _from_bounds(
    table: Table, chosen: set[Node], unknown: set[Node], present: set[Node], unsafe: set[Node], quantities: Sequence[Quantity]
) -> set[Node]:
    """What is to be withheld besides, for the first withheld value that can be worked out to within MARGIN."""
    for quantity in quantities:
        for node, interval in sorted(table.tree.bounds(quantity.values, unknown, quantity.caps).items()):
            value = quantity.values.get(node, 0)
            if value > 0 and _is_narrow(interval, value, strictly=node in unsafe and not quantity.caps):
                added = _widen(table, node, chosen, present) - chosen
                if added:
                    return added
    return set()


def _is_narrow(interval: Interval, value: int, strictly: bool) -> bool:
    """Whether the interval lies within MARGIN of the value; `strictly`: whether either end does."""
    low, high = (end * MARGIN.denominator for end in interval)
    near_low = low > value * (MARGIN.denominator - MARGIN.numerator)
    near_high = high < value * (MARGIN.denominator + MARGIN.numerator)
    return near_low or near_high if strictly else near_low and near_high


def _widen(table: Table, node: Node, chosen: set[Node], present: set[Node]) -> set[Node]:
    """One more node to withhold so that `node` can have more values: a sibling, a child, else the parent."""
    size = -(-table.size(node) * MARGIN.numerator // MARGIN.denominator)
    above = table.tree.above.get(node)
    arms = ([above] if above and above.parent not in chosen else []) + list(table.tree.own_arms.get(node, ()))
    for arm in arms:
        found = _complement(table, arm, chosen, present, size)
        if found:
            return found
    return {above.parent} if above else set()
