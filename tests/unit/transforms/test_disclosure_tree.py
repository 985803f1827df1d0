"""What can be worked out of a tree of sums is exact: the same as by linear programming."""

from __future__ import annotations

from datetime import date
from random import Random

import numpy as np
import pytest
from scipy.optimize import linprog

from transforms.disclosure.tree import INFINITY, Arm, Node, Tree, build

YEAR = date(2024, 1, 1)


def node(level: str, level_id: str, kind: str = "year", start: date = YEAR) -> Node:
    return level, level_id, kind, start


def random_tree(rng: Random) -> tuple[Tree, dict[Node, int]]:
    """A nation of sectors of organisations, and its quarters; some of each belongs to no child."""
    nation = node("national", "FI")
    values = {nation: 0}
    arms = []
    sectors = [node("sector", f"S{number}") for number in range(rng.randint(1, 4))]
    for sector in sectors:
        children = tuple(node("organisation", f"{sector[1]}-{number}") for number in range(rng.randint(0, 4)))
        values |= {child: rng.randint(0, 30) for child in children}
        values[sector] = sum(values[child] for child in children) + rng.choice((0, 0, 4))
        arms += [Arm(sector, children)] if children else []
    values[nation] = sum(values[sector] for sector in sectors) + rng.choice((0, 3))
    quarters = tuple(node("national", "FI", "quarter", date(2024, month, 1)) for month in (1, 4, 7))
    left = values[nation]
    for quarter in quarters:
        values[quarter] = rng.randint(0, left)
        left -= values[quarter]
    return Tree(tuple(values), (*arms, Arm(nation, tuple(sectors)), Arm(nation, quarters))), values


@pytest.mark.parametrize("seed", range(60))
def test_bounds_are_those_of_linear_programming(seed: int) -> None:
    rng = Random(seed)
    tree, values = random_tree(rng)
    unknown = {each for each in tree.nodes if rng.random() < 0.5}
    caps = {each: values[each] + rng.randint(0, 5) for each in tree.nodes if rng.random() < 0.3}
    at = {each: number for number, each in enumerate(tree.nodes)}
    rows, right = [], []
    for arm in tree.arms:
        row = np.zeros(len(at))
        row[at[arm.parent]] = 1
        for child in arm.children:
            row[at[child]] = -1
        rows.append(row)
        right.append(values[arm.parent] - sum(values[child] for child in arm.children))
    limits = [(0, caps.get(each)) if each in unknown else (values[each], values[each]) for each in tree.nodes]
    found = tree.bounds(values, unknown, caps)
    assert set(found) == unknown
    for each, (low, high) in found.items():
        for sign, end in ((1, low), (-1, high)):
            objective = np.zeros(len(at))
            objective[at[each]] = sign
            done = linprog(objective, A_eq=np.array(rows), b_eq=right, bounds=limits, method="highs")
            expected = sign * done.fun if done.status == 0 else INFINITY
            assert end == pytest.approx(expected), (each, sign)


def test_a_tree_is_built_from_places_and_periods() -> None:
    nation, quarter, month = (
        node("national", "FI"),
        node("national", "FI", "quarter"),
        node("national", "FI", "month", date(2024, 2, 1)),
    )
    sector, other = node("sector", "state"), node("sector", "state", "year", date(2023, 1, 1))
    own, unplaced = node("organisation", "1"), node("organisation", "2")
    tree = build([nation, quarter, month, sector, other, own, unplaced], {("1", YEAR): "state"})
    assert set(tree.arms) == {Arm(nation, (sector,)), Arm(nation, (quarter,)), Arm(quarter, (month,)), Arm(sector, (own,))}
    assert tree.order.index(nation) < tree.order.index(sector) < tree.order.index(own)


def test_a_month_without_its_quarter_is_part_of_the_year() -> None:
    nation, month = node("national", "FI"), node("national", "FI", "month", date(2024, 5, 1))
    assert build([nation, month], {}).arms == (Arm(nation, (month,)),)
