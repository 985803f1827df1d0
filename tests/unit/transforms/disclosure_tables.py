"""Random protected tables as settled figures, and what an attacker can work out of what is told, by linear programming.

The attacker knows all open rows of one publication or of two, that cells add up, the ends of each scale, who belongs to no
sector, and (of two publications) which places' data did not change. Nothing here uses the tree that chooses what is withheld.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import linprog

from schemas.key_figure import KEY_FIGURE
from schemas.reference import Reference
from transforms import periods
from transforms.disclosure.protect import BEHIND, FORMER, NODE, PART, protect
from transforms.disclosure.rules import Rule, Rules, rules
from transforms.key_figures import DEFINITIONS
from transforms.levels import ALWAYS

REFERENCE = Reference.load()
RULES: Rules = rules(REFERENCE, DEFINITIONS)
LINKED = sorted({rule.table for rule in RULES.values() if rule.table and rule.is_linked})
YEAR = date(2024, 1, 1)
SCHEMA = pl.Schema(
    {name: kind for name, kind in KEY_FIGURE.polars_schema().items() if name not in ("revision_no", "is_latest", "data_through")}
)
Place = tuple[str, str, str, date]
Series = tuple[str, str, str]
"""figure_id, variant, breakdown_id."""
CLASSES = {"csat_share_ge_350": (0.5, 2.0), "csat_share_middle": (0.25, 0.5), "csat_share_le_299": (-1.0, 0.25)}
"""What respondents of a class say; every respondent is in one."""
Numbers = tuple[int, Decimal]
"""Units (and denominator), numerator."""


@dataclass(frozen=True)
class Respondent:
    """One unit behind the figures: whose it is (None: nobody's known), its quarter, and what it said (0 to 1 by part)."""

    organisation: str | None
    quarter: int
    says: tuple[float, ...]


@dataclass(frozen=True)
class World:
    """Organisations with their sectors and respondents."""

    sector_of: Mapping[str, str]
    respondents: tuple[Respondent, ...]


def world(rng: Random, parts: int) -> World:
    """Two to four sectors of one to seven organisations, most with few respondents and some with many."""
    sectors = {f"S{number}": rng.randint(1, 7) for number in range(rng.randint(2, 4))}
    sector_of = {f"{sector}-{number}": sector for sector, count in sectors.items() for number in range(count)}
    found = [_respondent(rng, name, parts) for name in sector_of for _ in range(_many(rng))]
    found += [_respondent(rng, None, parts) for _ in range(rng.choice((0, 0, 3)))]
    return World(sector_of, tuple(found))


def _many(rng: Random) -> int:
    return rng.choice((0, 1, 1, 2, 3, 4, 5, 6, 8, 11, 15, 22, 40))


def _respondent(rng: Random, organisation: str | None, parts: int) -> Respondent:
    level = rng.random()
    return Respondent(
        organisation, rng.randint(1, 4), tuple(min(1.0, max(0.0, level + rng.uniform(-0.4, 0.4))) for _ in range(parts))
    )


def changed(rng: Random, before: World, parts: int) -> World:
    """The same world after a late delivery: some organisations answered more or less, were withdrawn, or came anew."""
    respondents = list(before.respondents)
    sector_of = dict(before.sector_of)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        name = rng.choice(sorted(sector_of))
        kept = [each for each in respondents if each.organisation != name]
        own = [each for each in respondents if each.organisation == name]
        what = rng.random()
        if what < 0.3:
            own = own[: rng.randint(0, len(own))]
        elif what < 0.8:
            own += [_respondent(rng, name, parts) for _ in range(rng.randint(1, 6))]
        else:
            name = f"{sector_of[name]}-new{rng.randint(0, 9)}"
            sector_of[name] = name.split("-")[0]
            kept, own = respondents, [_respondent(rng, name, parts) for _ in range(_many(rng))]
        respondents = kept + own
    return World(sector_of, tuple(respondents))


def unchanged(table: str, one: World, other: World) -> set[Place]:
    """Places and periods whose respondents say the same in both states of the world."""
    kinds = next(rule.period_kinds for rule in RULES.values() if rule.table == table)
    found: list[dict[Place, list[Respondent]]] = []
    for of in (one, other):
        at: dict[Place, list[Respondent]] = defaultdict(list)
        for each in of.respondents:
            for place in _places(of, each, kinds):
                at[place].append(each)
        found.append(at)
    return {place for place in set(found[0]) & set(found[1]) if Counter(found[0][place]) == Counter(found[1][place])}


def series_of(table: str) -> list[Series]:
    """Every figure and variant of a table; by area where the figure is told by area."""
    found = []
    for (figure_id, variant), rule in sorted(RULES.items()):
        if rule.table == table:
            found += [(figure_id, variant, part) for part in (("a", "b") if figure_id == "csat_item_mean" else ("",))]
    return found


def ends(rule: Rule, figure_id: str) -> tuple[int, int]:
    """The ends of a figure's scale; differences and lifts go below zero."""
    return (rule.scale[0], rule.scale[1]) if rule.scale else (-100, 100) if DEFINITIONS[figure_id].unit == "points" else (0, 10)


def content(table: str, of: World) -> dict[Place, dict[Series, Numbers]]:
    """The true numbers of every place and period, listed or not."""
    found: dict[Place, dict[Series, Numbers]] = defaultdict(dict)
    kinds = next(rule.period_kinds for rule in RULES.values() if rule.table == table)
    for index, series in enumerate(series_of(table)):
        low, high = ends(RULES[series[:2]], series[0])
        for each in of.respondents:
            said = each.says[index % len(each.says)]
            if series[2] and said < 0.15:
                continue  # did not answer this area
            value = low + round(said * (high - low))
            if series[0] in CLASSES:
                value = int(CLASSES[series[0]][0] <= each.says[0] < CLASSES[series[0]][1])
            for place in _places(of, each, kinds):
                n, total = found[place].get(series, (0, Decimal(0)))
                found[place][series] = (n + 1, total + value)
    return found


def _places(of: World, each: Respondent, kinds: Sequence[str]) -> list[Place]:
    own = [
        ("national", "FI"),
        *([("sector", of.sector_of[each.organisation]), ("organisation", each.organisation)] if each.organisation else []),
    ]
    start = date(2024, 3 * each.quarter - 2, 1)
    return [(*place, "year", YEAR) for place in own] + [(*place, "quarter", start) for place in own if "quarter" in kinds]


def settled(numbers: Mapping[Place, Mapping[Series, Numbers]]) -> pl.DataFrame:
    """The rows as `settle` gives them, as far as disclosure control looks at them."""
    rows: list[dict[str, Any]] = []
    for (level, level_id, kind, start), parts in numbers.items():
        for (figure_id, variant, part), (n, total) in parts.items():
            figure = DEFINITIONS[figure_id]
            own = {
                "figure_id": figure_id,
                "version": 1,
                "variant": variant,
                "scope": "all",
                "panel": "all",
                "level": level,
                "level_id": level_id,
            }
            own |= {"level_name": level_id, "breakdown_kind": "item" if part else "", "breakdown_id": part, "period_kind": kind}
            own |= {"period_start": start, "period_end": periods.period(kind, start)[2], "unit": figure.unit, "value": total / n if n else None}
            own |= {
                "numerator": total,
                "denominator": Decimal(n),
                "n": n,
                "status": "final",
                "light": "green",
                "trend": "up",
                "mix_flag": True,
            }
            rows.append({**dict.fromkeys(SCHEMA.names()), **own, "coverage": Decimal(1), "break_flag": False})
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def members(*worlds: World) -> pl.DataFrame:
    rows = {
        (name, level, at, *ALWAYS)
        for of in worlds
        for name, sector in of.sector_of.items()
        for level, at in (("national", "FI"), ("sector", sector), ("organisation", name))
    }
    schema = {"organisation_id": pl.String, "level": pl.String, "level_id": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    return pl.DataFrame(sorted(rows), schema=schema, orient="row")


def told(
    numbers: Mapping[Place, Mapping[Series, Numbers]],
    people: pl.DataFrame,
    *earlier: pl.DataFrame,
    seed: int = 0,
    then: Mapping[Place, Mapping[Series, Numbers]] | None = None,
) -> pl.DataFrame:
    """The open and restricted rows of a publication after those told `earlier`, and nothing remembered of what they decided on;
    `seed` shuffles the rows that go in. `then`: the true numbers of the last one, where known."""
    withheld = [frame.filter(status="suppressed") for frame in earlier]
    unknown = pl.lit(None, pl.Int64).alias("behind_n")
    before = pl.concat([pl.DataFrame(schema=FORMER), *(frame.with_columns(unknown).select(FORMER.names()) for frame in withheld)])
    former = pl.DataFrame(schema=FORMER)
    if earlier:
        former = earlier[-1].filter(~pl.col("is_restricted")).with_columns(unknown)
        if then is not None:
            units = settled(then).select(*PART, *NODE, pl.col("n").alias("behind_n"))
            former = former.drop("behind_n").join(units, on=[*PART, *NODE], how="left")
        former = former.select(FORMER.names())
    rows = settled(numbers).sample(fraction=1, shuffle=True, seed=seed)
    behind = _companies(numbers)
    return protect(rows, RULES, people, behind, before, former).rows


def _companies(numbers: Mapping[Place, object]) -> pl.DataFrame:
    names = {rule.contributor for rule in RULES.values() if rule.contributor}
    rows = [(name, *place, 3, 1) for name in sorted(names) for place in numbers if place[0] == "national"]
    return pl.DataFrame(rows, schema=BEHIND, orient="row")


Variable = tuple[int, Series, Place, str]
"""Publication, series, place, num or den."""
Equation = tuple[dict[int, float], float]
Program = tuple[dict[Variable, int], np.ndarray, np.ndarray, np.ndarray]
"""Where each variable stands; rows and right-hand sides of equations; rows of inequalities <= 0."""


def attack(
    group: Sequence[Series],
    truths: Sequence[Mapping[Place, Mapping[Series, Numbers]]],
    tells: Sequence[pl.DataFrame],
    sector_of: Mapping[str, str],
    same: Collection[Place] = (),
) -> Program:
    """All that is known of some series that are linked: what is told, sums, scales, and which places (`same`) nothing new came
    from between two publications.

    Of one table alone, denominators of shares are taken as known: the means of the same survey are told from fewer respondents
    up. Of series of several tables (`_same_people`) they are what the tables tell together.
    """
    is_alone = len({RULES[series[:2]].table for series in group}) == 1
    places = [{series: listed(series, truth) for series in group} for truth in truths]
    keys = [
        (p, series, place, what)
        for p, of in enumerate(places)
        for series, some in of.items()
        for place in some
        for what in ("num", "den")
    ]
    at = {key: number for number, key in enumerate(keys)}
    equal: list[Equation] = []
    below: list[dict[int, float]] = []
    for p, truth in enumerate(truths):
        equal += _same_people(p, group, places[p], at)
        for series in group:
            equal += _sums_of(p, series, truth, places[p][series], at, sector_of)
        equal += _classes_of(p, group, places[p], at)
        for series in group:
            low, high = ends(RULES[series[:2]], series[0])
            cells = [(at[p, series, place, "num"], at[p, series, place, "den"]) for place in places[p][series]]
            below += [row for num, den in cells for row in ({num: -1.0, den: float(low)}, {num: 1.0, den: -float(high)})]
            equal += _told_of(p, series, truth, tells[p], places[p][series], at, is_alone)
    for series in group:
        for place in set(places[0][series]) & set(places[-1][series]) & set(same):
            equal += [({at[0, series, place, what]: 1.0, at[1, series, place, what]: -1.0}, 0.0) for what in ("num", "den")]
    matrix = _dense([row for row, _ in equal], len(at))
    return at, matrix, np.array([value for _, value in equal]), _dense(below, len(at))


def _told_of(
    p: int,
    series: Series,
    truth: Mapping[Place, Mapping[Series, Numbers]],
    tells: pl.DataFrame,
    places: Sequence[Place],
    at: Mapping[Variable, int],
    is_alone: bool,
) -> list[Equation]:
    """What a publication tells of a series; that nothing is told of a place says that nobody is there."""
    rows = tells.filter(pl.col("status") != "suppressed", ~pl.col("is_restricted")).iter_rows(named=True)
    shown = {_place(row): row for row in rows if _series(row) == series}
    found: list[Equation] = []
    for place in places:
        n, _ = truth[place].get(series, (0, None))
        if place in shown or n == 0:
            found.append(({at[p, series, place, "num"]: 1.0}, float(shown[place]["numerator"]) if n else 0.0))
        if place in shown or n == 0 or (is_alone and RULES[series[:2]].table == "customer_survey_shares"):
            found.append(({at[p, series, place, "den"]: 1.0}, float(n)))
    return found


def _sums_of(
    p: int,
    series: Series,
    truth: Mapping[Place, Mapping[Series, Numbers]],
    places: Sequence[Place],
    at: Mapping[Variable, int],
    sector_of: Mapping[str, str],
) -> list[Equation]:
    """Parents are their children and what belongs to none of them."""
    found: list[Equation] = []
    for parent, children in sums(places, sector_of):
        for what, index in (("num", 1), ("den", 0)):
            rest = _number(truth, parent, series, index) - sum(_number(truth, child, series, index) for child in children)
            row = {at[p, series, child, what]: -1.0 for child in children}
            found.append(({at[p, series, parent, what]: 1.0} | row, rest))
    return found


def _classes_of(
    p: int, group: Sequence[Series], places: Mapping[Series, Sequence[Place]], at: Mapping[Variable, int]
) -> list[Equation]:
    """Everybody is in one of the three classes."""
    classes = [series for series in group if series[0] in CLASSES]
    found: list[Equation] = []
    for place in places[classes[0]] if classes else ():
        row = {at[p, series, place, "num"]: 1.0 for series in classes}
        found.append((row | {at[p, classes[0], place, "den"]: -1.0}, 0.0))
    return found


def _same_people(
    p: int, group: Sequence[Series], places: Mapping[Series, Sequence[Place]], at: Mapping[Variable, int]
) -> list[Equation]:
    """The series of several tables speak of the same respondents: as many at every place that both list."""
    first, *others = group
    return [
        ({at[p, first, place, "den"]: 1.0, at[p, other, place, "den"]: -1.0}, 0.0)
        for other in others
        if RULES[other[:2]].table != RULES[first[:2]].table
        for place in set(places[first]) & set(places[other])
    ]


def listed(series: Series, truth: Mapping[Place, object]) -> list[Place]:
    """The places of a truth that the series' table shows."""
    return [place for place in truth if _is_listed(RULES[series[:2]], place)]


def _is_listed(rule: Rule, place: Place) -> bool:
    level, _, kind, _ = place
    return level in rule.levels and kind in (rule.period_kinds if level == "national" else rule.period_kinds[:1])


def sums(places: Sequence[Place], sector_of: Mapping[str, str]) -> list[tuple[Place, list[Place]]]:
    """Parents and the children that add up to them."""
    nation = ("national", "FI", "year", YEAR)
    sectors = [place for place in places if place[0] == "sector"]
    arms = [(nation, sectors), (nation, [place for place in places if place[2] == "quarter"])]
    arms += [
        (sector, [place for place in places if place[0] == "organisation" and sector_of[place[1]] == sector[1]])
        for sector in sectors
    ]
    return [(parent, children) for parent, children in arms if children]


def _number(truth: Mapping[Place, Mapping[Series, Numbers]], place: Place, series: Series, index: int) -> float:
    return float(truth.get(place, {}).get(series, (0, Decimal(0)))[index])


def _dense(rows: Sequence[Mapping[int, float]], width: int) -> np.ndarray:
    matrix = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        for column, value in row.items():
            matrix[number, column] = value
    return matrix


def _place(row: Mapping[str, Any]) -> Place:
    return row["level"], row["level_id"], row["period_kind"], row["period_start"]


def _series(row: Mapping[str, Any]) -> Series:
    return row["figure_id"], row["variant"], row["breakdown_id"]


def interval(program: Program, variable: Variable) -> tuple[float, float]:
    """The least and the greatest value of a variable."""
    at, equations, values, below = program
    objective = np.zeros(len(at))
    objective[at[variable]] = 1.0
    bounds = [(None, None) if key[3] == "num" else (0, None) for key in at]
    return tuple(_solve(objective * sign, equations, values, below, bounds) * sign for sign in (1, -1))  # type: ignore[return-value]


def interval_of_value(program: Program, variable: Variable) -> tuple[float, float]:
    """The least and the greatest numerator / denominator of a cell (Charnes and Cooper, 1962: scaled so that the denominator is 1)."""
    at, equations, values, below = program
    scaled = np.hstack([equations, -values[:, None]])
    one = np.zeros((1, len(at) + 1))
    one[0, at[(*variable[:3], "den")]] = 1.0
    objective = np.zeros(len(at) + 1)
    objective[at[variable]] = 1.0
    bounds = [*((None, None) if key[3] == "num" else (0, None) for key in at), (0, None)]
    every, right = np.vstack([scaled, one]), np.append(np.zeros(len(values)), 1.0)
    wider = np.hstack([below, np.zeros((len(below), 1))])
    return tuple(_solve(objective * sign, every, right, wider, bounds) * sign for sign in (1, -1))  # type: ignore[return-value]


def _solve(objective: np.ndarray, equations: np.ndarray, values: np.ndarray, below: np.ndarray, bounds: Sequence[Any]) -> float:
    done = linprog(objective, A_ub=below, b_ub=np.zeros(len(below)), A_eq=equations, b_eq=values, bounds=bounds, method="highs")
    assert done.status in (0, 3), done.message  # solved, or unbounded: no limit on that side
    return float(done.fun) if done.status == 0 else -np.inf


def is_within_a_tenth(ends_of: tuple[float, float], value: float) -> bool:
    """Whether all that a cell can be lies within 10 % of what it is."""
    tenth = abs(value) / 10 - 1e-7
    return ends_of[0] >= value - tenth and ends_of[1] <= value + tenth
