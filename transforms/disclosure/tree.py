"""Linked cells as a tree, and what a reader can work out of them.

A node is a place and a period; it is the sum of its children in each of its arms (sectors of the nation, organisations of a
sector, quarters of a year). Every node has at most one parent, so the smallest and largest value that a withheld node can
have given all published ones follows exactly from two passes, in integers: up (what the children say of the parent) and down
(what the parent and the siblings say of the child). Tests hold the result against linear programming.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

Node = tuple[str, str, str, date]
"""level, level_id, period_kind, period_start."""
INFINITY = float("inf")
Interval = tuple[float, float]
"""Ends are integers or infinite."""


@dataclass(frozen=True)
class Arm:
    """A sum: the parent is its children and what belongs to no child."""

    parent: Node
    children: tuple[Node, ...]


@dataclass
class Tree:
    """Arms from the leaves up; `order` lists parents before their children."""

    nodes: tuple[Node, ...]
    arms: tuple[Arm, ...]
    own_arms: Mapping[Node, tuple[Arm, ...]] = field(init=False)
    above: Mapping[Node, Arm] = field(init=False)
    order: tuple[Node, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.own_arms = {node: tuple(arm for arm in self.arms if arm.parent == node) for node in {a.parent for a in self.arms}}
        self.above = {child: arm for arm in self.arms for child in arm.children}
        self.order = tuple(sorted(self.nodes, key=lambda node: (self._depth(node), node)))

    def _depth(self, node: Node) -> int:
        arm = self.above.get(node)
        return 0 if arm is None else 1 + self._depth(arm.parent)

    def bounds(
        self, values: Mapping[Node, int], unknown: Collection[Node], caps: Mapping[Node, int] | None = None
    ) -> dict[Node, Interval]:
        """The values that `unknown` nodes can have, none below zero or above its cap, when all others are known.

        What belongs to no child is taken as known: whoever knows it learns most.
        """
        rest = {arm: values.get(arm.parent, 0) - sum(values.get(child, 0) for child in arm.children) for arm in self.arms}
        found: dict[Node, Interval] = {
            node: (0, (caps or {}).get(node, INFINITY)) if node in unknown else (values.get(node, 0), values.get(node, 0))
            for node in self.nodes
        }
        for node in reversed(self.order):
            if node in unknown:
                for arm in self.own_arms.get(node, ()):
                    low, high = (rest[arm] + sum(found[child][end] for child in arm.children) for end in (0, 1))
                    found[node] = _both(found[node], (low, high))
        below = dict(found)
        for node in self.order:
            for arm in self.own_arms.get(node, ()):
                hidden = [child for child in arm.children if child in unknown]
                low, high = (found[node][end] - rest[arm] for end in (0, 1))
                lows, highs = sum(below[child][0] for child in arm.children), [below[child][1] for child in arm.children]
                endless, most = highs.count(INFINITY), sum(end for end in highs if end != INFINITY)
                for child in hidden:
                    is_endless = below[child][1] == INFINITY
                    others = INFINITY if endless - is_endless else most - (0 if is_endless else below[child][1])
                    found[child] = _both(found[child], (low - others, high - (lows - below[child][0])))
        return {node: found[node] for node in unknown}


def _both(one: Interval, other: Interval) -> Interval:
    return max(one[0], other[0]), min(one[1], other[1])


def build(nodes: Iterable[Node], sector_of: Mapping[tuple[str, date], str]) -> Tree:
    """The tree of a table's nodes: quarters and months below the nation's year, sectors below the nation, organisations below
    the sector that `sector_of` (organisation, first day of the period) gives."""
    present = set(nodes)
    below: dict[tuple[Node, str], list[Node]] = defaultdict(list)
    for node in sorted(present):
        level, level_id, kind, start = node
        if level == "organisation":
            sector = sector_of.get((level_id, start))
            parents = [("sector", sector, kind, start)] if sector else []
        elif level == "sector":
            parents = [
                (nation, of, kind, start)
                for nation, of, at, day in present
                if nation == "national" and (at, day) == (kind, start)
            ]
        else:
            parents = _longer(node)
        parent = next((each for each in parents if each in present), None)
        if parent:
            below[parent, level if level != "national" else kind].append(node)
    return Tree(tuple(sorted(present)), tuple(Arm(parent, tuple(children)) for (parent, _), children in sorted(below.items())))


def _longer(node: Node) -> list[Node]:
    """The periods that a national month or quarter is part of, the shorter first."""
    level, level_id, kind, start = node
    quarter = (level, level_id, "quarter", date(start.year, (start.month - 1) // 3 * 3 + 1, 1))
    year = (level, level_id, "year", date(start.year, 1, 1))
    return {"month": [quarter, year], "quarter": [year]}.get(kind, [])
