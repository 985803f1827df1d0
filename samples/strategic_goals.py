"""Strategic goals of the sample nation: a workbook with Finnish headings, a CSV with Swedish ones, a return that replaces another."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from samples.cells import Cell, Place, Series, Span, Sums
from samples.deliveries import Written
from samples.facts import Organisation
from samples.registry import World
from samples.xlsx import Cell as CellText
from samples.xlsx import write_workbook

SOURCE = "strategic_goals"
AGENCY = "sample-ministry"
YEARS = (2022, 2023)
FI = (
    "Organisaation Y-tunnus", "Organisaatio", "Vuosi", "Tavoitteen tunnus", "Tavoitearvo", "Toteuma", "Tila",
    "Raportoitava viimeistään", "Tavoitteeseen kytkettyjä hankintoja", "Kytkettyjen hankintojen tunnukset",
)  # fmt: skip
SV = (
    "Organisationens FO-nummer", "Organisation", "År", "Målets kod", "Målvärde", "Utfall", "Status", "Rapporteras senast",
    "Upphandlingar kopplade till målet", "De kopplade upphandlingarnas nummer",
)  # fmt: skip
WORDS = {
    2022: {"reached": "Saavutettu", "on_track": "aikataulussa", "delayed": "Myöhässä", "not_reached": "Ei saavutettu", "dropped": "Luovuttu"},
    2023: {"reached": "uppnått", "on_track": "Enligt plan", "delayed": "försenat", "not_reached": "inte uppnått", "dropped": "slopat"},
}  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """One planted goal in one year; `linked`: number of procurements, None when not told; `named`: ids stand in the file."""

    organisation: Organisation
    year: int
    number: int
    status: str
    due: date | None
    linked: int | None
    named: bool


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Two to six goals a unit and year; the first unit of 2023 returns twice, its second return has fewer goals."""
    del known
    from samples.form_files import outcome

    sums = Sums(span)
    for year in YEARS:
        goals = [
            _goal(rng, organisation, year, number)
            for organisation in world.organisations.values()
            if organisation.since.year <= year
            for number in range(1, rng.randint(3, 7))
        ]
        first = goals[0].organisation
        later = [goal for goal in goals if goal.organisation == first][:2] if year == 2023 else []
        if later:
            name = f"hankintaluotsi_{year}_{first.code}_{year + 1}-06-01.csv"
            _write(written, name, [_row(goal) for goal in later], year)
            outcome(written, AGENCY, SOURCE, name, len(later))
        name = f"hankintaluotsi_{year + 1}-02-01.{'xlsx' if year == 2022 else 'csv'}"
        rows = [_row(goal) for goal in goals]
        sentence = [*rows[-1][:3], "Vähennetään hiilijalanjälkeä", *rows[-1][4:]]
        _write(written, name, [*rows, sentence], year)
        outcome(written, AGENCY, SOURCE, name, len(rows), rows_quarantined=1, rules={"text_not_a_code": 1})
        for goal in [*later, *(goal for goal in goals if not later or goal.organisation != first)]:
            _count(sums, goal)
    return dict(sums.cells())


def _goal(rng: Random, organisation: Organisation, year: int, number: int) -> Goal:
    due = rng.choice([None, date(year, 12, 31), date(year, 6, 30), date(year + 1, 1, 1), date(year + 1, 12, 31)])
    status = rng.choice(["reached", "on_track", "on_track", "delayed", "not_reached", "dropped", "", ""])
    linked = rng.choice([None, 0, 0, 1, 2, 5])
    return Goal(organisation, year, number, status, due, linked, bool(linked) and rng.random() < 0.5)


def _row(goal: Goal) -> list[str]:
    due = "" if goal.due is None else f"{goal.due:%d.%m.%Y}"
    ids = "; ".join(f"{goal.year}-{goal.number:02d}{place:04d}" for place in range(goal.linked or 0)) if goal.named else ""
    return [
        goal.organisation.organisation_id, goal.organisation.name_fi, str(goal.year), f"T{goal.number}", f"{goal.number * 10},5",
        f"{goal.number * 9}", WORDS[goal.year].get(goal.status, ""), due, "" if goal.linked is None else str(goal.linked), ids,
    ]  # fmt: skip


def _count(sums: Sums, goal: Goal) -> None:
    """The goal's part in both figures."""
    if goal.status == "dropped":
        return
    day = date(goal.year, 1, 1)
    if goal.linked is not None:
        sums.add(Series("goals_linked_share", "all"), goal.organisation, day, int(goal.linked > 0), 1)
    if goal.due is None or goal.due.year <= goal.year:
        on_track = int(goal.status in ("reached", "on_track"))
        sums.add(Series("goals_on_track_share", "all", "due"), goal.organisation, day, on_track, 1)
        if goal.status:
            sums.add(Series("goals_on_track_share", "all", "of_reported"), goal.organisation, day, on_track, 1)


def _write(written: Written, name: str, rows: list[list[str]], year: int) -> None:
    path = written.place(AGENCY, name, SOURCE)
    header = FI if year == 2022 else SV
    if name.endswith("xlsx"):
        numbers: list[list[CellText]] = [[*row[:4], Decimal(row[4].replace(",", ".")), int(row[5]), *row[6:]] for row in rows]
        write_workbook(path, [header, *numbers], "Tavoitteet")
        return
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
