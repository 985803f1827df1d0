"""Mini-competitions of the sample nation: a list a year in another language each; the second one brings decisions of the first.

What is planted here is what the sample's impact assessments speak of too (`plan`).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from samples.cells import Cell, Place, Series, Span, Sums, median, month_of, places
from samples.deliveries import Written
from samples.facts import Organisation
from samples.registry import World
from samples.xlsx import Cell as CellText
from samples.xlsx import write_workbook

SOURCE = "mini_competitions"
AGENCY = "sample-cpb"
YEARS = (2022, 2023, 2024)
A_YEAR = 60
AGREEMENTS = ("YH-101", "YH-102", "YH-103", "YH-104", "YH-205", "YH-206")
FI = (
    "Minikilpailutuksen tunnus", "Yhteishankinnan tunnus", "Organisaation Y-tunnus", "Organisaatio", "Tila", "Alkamispäivä",
    "Päätöspäivä", "Kutsuttuja toimittajia", "Saatuja tarjouksia", "Tuettu kilpailutus",
)  # fmt: skip
SV = (
    "Minikonkurrensutsättningens nummer", "Den gemensamma upphandlingens nummer", "Organisationens FO-nummer", "Organisation",
    "Status", "Inleddes den", "Beslutsdatum", "Inbjudna leverantörer", "Inkomna anbud", "Stöd gavs",
)  # fmt: skip
WORDS = {
    "fi": {"ongoing": "käynnissä", "completed": "Päättynyt", "cancelled": "Keskeytetty", True: "kyllä", False: "ei", None: ""},
    "sv": {"ongoing": "pågår", "completed": "Avslutad", "cancelled": "avbruten", True: "ja", False: "nej", None: ""},
}


@dataclass(frozen=True)
class Competition:
    """One planted mini-competition as its newest version tells of it."""

    code: str
    agreement: str
    organisation: Organisation
    status: str
    started: date | None
    decided: date | None
    invited: int | None
    bids: int | None
    assisted: bool | None


def plan(world: World) -> list[Competition]:
    """Every mini-competition of the sample: the same in the same world."""
    rng = Random("-".join(organisation.organisation_id for organisation in world.organisations.values()))
    return [_competition(rng, world, year, number) for year in YEARS for number in range(1, A_YEAR + 1)]


def _competition(rng: Random, world: World, year: int, number: int) -> Competition:
    organisation = rng.choice([one for one in world.organisations.values() if one.since.year < year])
    decided = date(year, 1, 1) + timedelta(days=rng.randrange(365))
    started = None if rng.random() < 0.1 else decided - timedelta(days=rng.choice([0, 14, 21, 30, 45, 60, 90]))
    status = rng.choice(["completed"] * 8 + ["ongoing", "cancelled"])
    invited = rng.choice([None, 3, 5, 8, 12, 20, 35])
    bids = rng.choice([None, 0, 1, 1, 2, 3, 3, 4, 6])
    return Competition(
        code=f"MK-{year}-{number:03d}",
        agreement=rng.choice(AGREEMENTS),
        organisation=organisation,
        status=status,
        started=started,
        decided=None if status == "ongoing" else decided,
        invited=invited,
        bids=bids,
        assisted=rng.choice([True, True, True, False, None]),
    )


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Per year a list: Finnish CSV, Swedish CSV, Finnish workbook. A fifth of 2022's were under way in the list of its year."""
    del known
    from samples.form_files import outcome

    competitions = plan(world)
    late = set(rng.sample([one.code for one in competitions if one.decided and one.decided.year == 2022], 12))
    for year in YEARS:
        own = [one for one in competitions if one.code.startswith(f"MK-{year}")]
        rows = [replace(one, status="ongoing", decided=None, bids=None) if one.code in late else one for one in own]
        if year == 2023:
            rows += [one for one in competitions if one.code in late]
        name = f"minikilpailutukset_{year + 1}-01-31.{'xlsx' if year == 2024 else 'csv'}"
        _write(written, name, [_row(one, "sv" if year == 2023 else "fi") for one in rows], year)
        outcome(written, AGENCY, SOURCE, name, len(rows), rows_quarantined=2, rules={"text_not_a_code": 1, "value_missing": 1})
    return {**_summed(competitions, span), **_medians(competitions, span)}


def _row(one: Competition, language: str) -> list[str]:
    words: Mapping[str | bool | None, str] = WORDS[language]  # type: ignore[assignment]
    days = ["" if day is None else f"{day:%d.%m.%Y}" for day in (one.started, one.decided)]
    numbers = ["" if number is None else str(number) for number in (one.invited, one.bids)]
    return [
        one.code, one.agreement, one.organisation.organisation_id, one.organisation.name_fi, words[one.status], *days, *numbers,
        words[one.assisted],
    ]  # fmt: skip


def _summed(competitions: list[Competition], span: Span) -> dict[tuple[Series, Place], Cell]:
    """True cells of the counts, means and shares; a cell with nothing known stands there without a value."""
    sums = Sums(span)
    for one in competitions:
        if one.status != "completed" or one.decided is None:
            continue
        added: list[tuple[str, str, int, int | None]] = [
            ("minicomp_n", "all", 1, None),
            ("minicomp_n", "assisted", int(one.assisted is True), None),
        ]
        if one.bids:
            added += [("minicomp_bids_mean", "", one.bids, 1), ("minicomp_single_bid_share", "", int(one.bids == 1), 1)]
        if one.invited:
            added.append(("minicomp_invited_mean", "", one.invited, 1))
        for figure_id, variant, numerator, denominator in added:
            sums.add(Series(figure_id, "all", variant), one.organisation, one.decided, numerator, denominator)
    return dict(sums.cells())


def _medians(competitions: list[Competition], span: Span) -> dict[tuple[Series, Place], Cell]:
    days: dict[Place, list[int]] = defaultdict(list)
    for one in competitions:
        if one.status == "completed" and one.decided and one.started:
            for place in places(span, one.organisation, month_of(one.decided), ("year",)):
                days[place].append((one.decided - one.started).days)
    return {
        (Series("minicomp_lead_days", "all"), place): Cell(None, None, len(values), median(values))
        for place, values in days.items()
    }


def _write(written: Written, name: str, rows: list[list[str]], year: int) -> None:
    """The rows and two bad ones: a name where an id is asked for, a completed one without a day."""
    first = rows[0]
    rows = [*rows, ["Toimitilojen siivous", *first[1:]], [f"MK-{year}-900", *first[1:4], _completed(year), "", "", *first[7:]]]
    header = SV if year == 2023 else FI
    path = written.place(AGENCY, name, SOURCE)
    if name.endswith("xlsx"):
        cells: list[list[CellText]] = [
            [*row[:5], *map(_day, row[5:7]), *(int(text) if text else None for text in row[7:9]), row[9]] for row in rows
        ]
        write_workbook(path, [header, *cells], "Minikilpailutukset")
        return
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


def _day(text: str) -> date | None:
    return datetime.strptime(text, "%d.%m.%Y").date() if text else None  # noqa: DTZ007 - a day has no time zone


def _completed(year: int) -> str:
    return str(WORDS["sv" if year == 2023 else "fi"]["completed"])
