"""The action programme in the sample nation's branches: a file per year, the last year's branch by branch, one with bad rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from random import Random

from samples.cells import Cell, Place, Series, Span
from samples.deliveries import Written
from samples.registry import BRANCHES, World

SOURCE = "action_programme"
AGENCY = "sample-ministry"
YEARS = (2021, 2022)
ACTIONS = 14
CATEGORY = {number: 1 + (number - 1) * 4 // ACTIONS for number in range(1, ACTIONS + 1)}
UNREPORTED = 14
"""An action that no branch reports of in the first year."""
HEADER = ("Hallinnonala", "Vuosi", "Toimenpiteen numero", "Toimenpideluokka", "Tila")
WORDS = {"done": "Toteutettu", "in_progress": "käynnissä", "not_started": "Ei aloitettu", "not_applicable": "ei koske"}
FIGURE = "action_programme_progress"

States = dict[tuple[str, int], str]


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Every branch's 14 actions in 2022, all but one in 2021."""
    del world, span, known
    from samples.form_files import outcome

    cells: dict[tuple[Series, Place], Cell] = {}
    for year in YEARS:
        states = _states(rng, year)
        by_file = {f"toimenpiteet_{year + 1}-01-31.csv": states}
        if year == 2022:
            by_file = {
                f"toimenpiteet_{branch}_{year + 1}-01-31.csv": {key: state for key, state in states.items() if key[0] == branch}
                for branch, _ in BRANCHES
            }
        for name, part in by_file.items():
            rows = [
                [branch, str(year), str(number), str(CATEGORY[number]), WORDS[state]] for (branch, number), state in part.items()
            ]
            bad = [["0", str(year), "1", "1", "Toteutettu"], ["91", str(year), "15", "4", "Toteutettu"]] if year == 2021 else []
            _write(written, name, [*rows, *bad])
            rules = {"code_unknown": 1, "value_out_of_range": 1} if bad else {}
            outcome(written, AGENCY, SOURCE, name, len(rows), rows_quarantined=len(bad), rules=rules)
        cells |= _cells(states, year)
    return cells


def _states(rng: Random, year: int) -> States:
    words = ["done"] * (4 if year == 2021 else 12) + ["in_progress", "not_started", "not_applicable"]
    return {
        (branch, number): rng.choice(words)
        for branch, _ in BRANCHES
        for number in range(1, ACTIONS + 1)
        if year != 2021 or number != UNREPORTED
    }


def _cells(states: States, year: int) -> dict[tuple[Series, Place], Cell]:
    """An action is done in the nation when all branches that it applies to have done it."""
    nation = Place("national", "FI", "year", date(year, 1, 1))
    done = set()
    for number in {number for _, number in states}:
        asked = [state for (_, its_number), state in states.items() if its_number == number and state != "not_applicable"]
        if asked and set(asked) == {"done"}:
            done.add(number)
    found = {(Series(FIGURE, "all"), nation): Cell(len(done), ACTIONS, ACTIONS, Fraction(len(done), ACTIONS))}
    for category in set(CATEGORY.values()):
        numbers = {number for _, number in states if CATEGORY[number] == category}
        found[Series(FIGURE, "all", "", "category", str(category)), nation] = Cell(
            len(numbers & done), len(numbers), len(numbers)
        )
    for branch, _ in BRANCHES:
        own = [state for (its_branch, _), state in states.items() if its_branch == branch and state != "not_applicable"]
        place = Place("branch", branch, "year", date(year, 1, 1))
        found[Series(FIGURE, "all"), place] = Cell(own.count("done"), len(own), len(own))
    return found


def _write(written: Written, name: str, rows: list[list[str]]) -> None:
    with written.place(AGENCY, name, SOURCE).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
