"""Market Court cases of the sample nation, as a CSV with Finnish headings and one with a row that breaks a rule."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from samples.cells import Cell, Place, Series, Span, Sums
from samples.deliveries import Written
from samples.facts import Canary
from samples.ids import personal_id
from samples.registry import World

SOURCE = "market_court_cases"
AGENCY = "sample-ministry"
HEADER = ("Diaarinumero", "Hankintayksikön Y-tunnus", "Organisaatio", "Vireilletulopäivä", "Ratkaisupäivä", "Ratkaisu")
OUTCOMES = ("Hylätty", "hyväksytty", "Peruutettu")


Cells = Mapping[tuple[Series, Place], Cell]


def deliver(rng: Random, world: World, written: Written, span: Span, known: Cells) -> dict[tuple[Series, Place], Cell]:
    """Two to five cases a month; the second file of a year brings the decisions of the first one's cases (newer versions)."""
    from samples.form_files import outcome

    sums = Sums(span)
    organisations = list(world.organisations.values())
    rows: dict[int, list[list[str]]] = defaultdict(list)
    day = span.first
    while day <= span.last:
        for number in range(rng.randint(2, 5)):
            organisation = rng.choice(organisations)
            filed = day + timedelta(days=rng.randrange(28))
            sums.add(Series("appeals_n", "all"), organisation, filed, 1)
            rows[day.year].append(
                [
                    f"{day.year}/{day.month:02d}{number}",
                    organisation.organisation_id,
                    organisation.name_fi,
                    f"{filed:%d.%m.%Y}",
                    "",
                    "",
                ]
            )
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    for year, cases in rows.items():
        _plant_people(rng, written, f"marko_{year}-12-31.csv", cases)
        _write(written, f"marko_{year}-12-31.csv", cases)
        outcome(written, AGENCY, SOURCE, f"marko_{year}-12-31.csv", len(cases))
        decided = [[*case[:4], f"{rng.randint(1, 28)}.11.{year + 1}", rng.choice(OUTCOMES)] for case in cases]
        decided.append(["", organisations[0].organisation_id, "", f"1.12.{year}", "", ""])
        _write(written, f"marko_ratkaisut_{year + 1}-12-31.csv", decided)
        outcome(
            written, AGENCY, SOURCE, f"marko_ratkaisut_{year + 1}-12-31.csv", len(cases),
            rows_quarantined=1, rules={"value_missing": 1},
        )  # fmt: skip
    filed_cells = sums.cells()
    return {**filed_cells, **_rates(filed_cells, known)}


def _rates(filed: Cells, known: Cells) -> dict[tuple[Series, Place], Cell]:
    """Cases per thousand procurements of the years from the first case on: from the procurements that other parts of the sample
    planted."""
    cases = {place: cell.numerator or 0 for (_, place), cell in filed.items()}
    begun = min(place.period_start for place in cases)
    return {
        (Series("appeal_rate", "all"), place): Cell(
            cases.get(place, 0), cell.numerator, cell.n, Fraction(1000 * cases.get(place, 0), cell.numerator or 1)
        )
        for (series, place), cell in known.items()
        if series == Series("procurements_n", "all_notices") and place.period_kind == "year" and place.period_start >= begun.replace(month=1)
    }


def _plant_people(rng: Random, written: Written, name: str, cases: list[list[str]]) -> None:
    """Every third row's name cell holds a person's number or address, as people write beside a name."""
    file = str(written.place(AGENCY, name, SOURCE).relative_to(written.out))
    for number, case in enumerate(cases[::3]):
        text = (
            f"04{rng.randrange(10)} {rng.randrange(1000000, 9999999)}",
            f"asianhoitaja.{rng.randrange(100000)}@example.org",
            personal_id(rng.randrange(100_000)),
        )[number % 3]
        case[2] = f"{case[2]}, {text}"
        written.canaries.append(Canary(text, ("phone", "email", "personal_id")[number % 3], file, HEADER[2]))


def _write(written: Written, name: str, rows: list[list[str]]) -> None:
    with written.place(AGENCY, name, SOURCE).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
