"""Impact assessments of the sample's mini-competitions and joint procurements: a file a year, and one that corrects a result.

Files carry words besides the scores, with names in them: they must go nowhere.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from samples.cells import Cell, Place, Series, Span, month_of, places
from samples.deliveries import Written
from samples.facts import Canary, Organisation
from samples.mini_competitions import AGREEMENTS, Competition, plan
from samples.registry import World
from samples.xlsx import Cell as CellText
from samples.xlsx import write_workbook

SOURCE = "impact_assessments"
AGENCY = "sample-cpb"
FACTORS = ("cost_savings", "innovation", "competence", "quality", "responsibility")
LEAST = 4
LAST = date(2025, 12, 31)
HEADINGS = {
    "fi": (
        "Arvioidun hankinnan tunnus", "Hankinnan laji", "Yhteishankinnan tunnus", "Organisaation Y-tunnus", "Mittauspiste",
        "Arviointipäivä", "Kustannussäästöt", "Innovaatiot", "Osaamisen kasvu", "Tuotteen tai palvelun laatu", "Vastuullisuus",
        "Hankinnan arvo", "Sanallinen arvio",
    ),
    "sv": (
        "Den bedömda upphandlingens nummer", "Upphandlingens art", "Den gemensamma upphandlingens nummer",
        "Organisationens FO-nummer", "Mätpunkt", "Bedömd den", "Kostnadsbesparingar", "Innovationer", "Ökad kompetens",
        "Produktens eller tjänstens kvalitet", "Ansvarsfullhet", "Upphandlingens värde", "Verbal bedömning",
    ),
}  # fmt: skip
WORDS = {
    "fi": {"case": "Minikilpailutus", "joint": "Yhteishankinta", "target": "Tavoite", "result": "Tulos", "followup": "Seuranta"},
    "sv": {
        "case": "Minikonkurrensutsättning", "joint": "Gemensam upphandling", "target": "Mål", "result": "Resultat", "followup": "Uppföljning"
    },
}  # fmt: skip
PERSON = "Aino Arvioija-Näyte"

Scores = tuple[int | None, ...]
Cells = dict[tuple[Series, Place], Cell]


@dataclass(frozen=True)
class Assessment:
    """One planted assessment; `euros` None: not told."""

    case: str
    agreement: str
    organisation: Organisation
    stage: str
    day: date
    scores: Scores
    euros: int | None


def deliver(rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]) -> Cells:
    """A Finnish CSV a year (2023: Swedish; 2025: a workbook) with a row whose score is a sentence; one result is corrected later."""
    del known
    from samples.form_files import outcome

    competitions = plan(world)
    facts = list(_planted(rng, world, competitions))
    first = next(fact for fact in facts if fact.stage == "result" and fact.day.year == 2022)
    wrong = Assessment(first.case, first.agreement, first.organisation, "result", first.day, (0, 0, None, None, None), 1)
    for year in sorted({fact.day.year for fact in facts}):
        language = "sv" if year == 2023 else "fi"
        rows = [_row(wrong if fact is first else fact, language) for fact in facts if fact.day.year == year]
        rows += [_row(first, language)] if year == 2024 else []
        bad = [*rows[0][:6], f"hyvä, sanoo {PERSON}", *rows[0][7:]]
        name = f"vaikuttavuus_{year + 1}-02-15.{'xlsx' if year == 2025 else 'csv'}"
        _write(written, name, [HEADINGS[language], *rows, ["X-1", *bad[1:]]])
        outcome(written, AGENCY, SOURCE, name, len(rows), rows_quarantined=1, rules={"value_unreadable": 1})
        file = str(written.place(AGENCY, name, SOURCE).relative_to(written.out))
        written.canaries.append(Canary(PERSON, "person_name", file, HEADINGS[language][-1]))
    return {**_means(facts, span), **_attained(facts, span), **_coverage(facts, competitions, span)}


def _planted(rng: Random, world: World, competitions: Sequence[Competition]) -> Iterator[Assessment]:
    """Joint procurements: all but the last two, one of them on three factors only. Six in ten completed cases have a result."""
    body = next(iter(world.organisations.values()))
    for number, agreement in enumerate(AGREEMENTS[:-1]):
        scores = (
            (1, 0, None, 2, None) if number == 3 else (rng.randint(0, 2), None if number == 1 else 1, 1, rng.randint(0, 2), 1)
        )
        yield Assessment(
            agreement, "", body, "joint", date(2022 + number % 2, 2 + number, 10), scores, rng.choice([None, 250_000])
        )
    for one in competitions:
        if one.status != "completed" or one.decided is None or rng.random() > 0.6:
            continue
        euros = rng.choice([None, 40_000, 125_500, 1_000_001])

        def fact(stage: str, day: date, one: Competition = one, euros: int | None = euros) -> Assessment:
            return Assessment(one.code, one.agreement, one.organisation, stage, day, _scores(rng), euros)

        if one.started and rng.random() < 0.9:
            yield fact("target", one.started)
        yield fact("result", one.decided + timedelta(days=rng.randrange(90)))
        later = one.decided + timedelta(days=rng.randrange(350, 420))
        if later <= LAST and rng.random() < 0.5:
            yield fact("followup", later)


def _scores(rng: Random) -> Scores:
    return tuple(None if rng.random() < 0.08 else rng.choice([0, 1, 1, 2, 2]) for _ in FACTORS)


def _row(fact: Assessment, language: str) -> list[str]:
    words = WORDS[language]
    return [
        fact.case, words["joint" if fact.stage == "joint" else "case"], fact.agreement, fact.organisation.organisation_id,
        words[fact.stage], f"{fact.day:%d.%m.%Y}", *("" if score is None else str(score) for score in fact.scores),
        "" if fact.euros is None else f"{fact.euros},00", f"Kyllä, ks. {PERSON}",
    ]  # fmt: skip


def _stage(facts: Sequence[Assessment], stage: str) -> dict[str, Assessment]:
    return {fact.case: fact for fact in facts if fact.stage == stage}


def _index(scores: Scores) -> Fraction | None:
    told = [score for score in scores if score is not None]
    return Fraction(100 * sum(told), 2 * len(told)) if len(told) >= LEAST else None


def _common(one: Scores, other: Scores) -> list[tuple[int, int]]:
    """The scores of factors that both have; nothing when they are fewer than four."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return pairs if len(pairs) >= LEAST else []


def _means(facts: Sequence[Assessment], span: Span) -> Cells:
    """Stage indices (of cases and by value), lift, change at the follow-up."""
    joint, result = _stage(facts, "joint"), _stage(facts, "result")
    seen: dict[tuple[Series, Place], list[tuple[Fraction, int]]] = defaultdict(list)

    def add(figure_id: str, fact: Assessment, value: Fraction, weight: int = 1, variant: str = "") -> None:
        for place in places(span, fact.organisation, month_of(fact.day), ("year",)):
            seen[Series(figure_id, "all", variant), place].append((value, weight))

    for fact in facts:
        index = _index(fact.scores)
        figure_id = {"joint": "impact_joint", "result": "impact_final"}.get(fact.stage)
        if figure_id and index is not None:
            add(figure_id, fact, index, variant="cases")
            if fact.euros:
                add(figure_id, fact, index, fact.euros, "by_value")
        if fact.stage == "result" and fact.agreement in joint:
            pairs = _common(fact.scores, joint[fact.agreement].scores)
            if pairs:
                add("impact_lift", fact, Fraction(100 * sum(a - b for a, b in pairs), 2 * len(pairs)))
        if fact.stage == "followup" and fact.case in result:
            pairs = _common(fact.scores, result[fact.case].scores)
            if pairs:
                add("impact_followup_change", fact, Fraction(sum(a - b for a, b in pairs), len(pairs)))
    return {
        key: Cell(None, sum(weight for _, weight in seen_here), len(seen_here), _mean(seen_here))
        for key, seen_here in seen.items()
    }


def _mean(weighted: Sequence[tuple[Fraction, int]]) -> Fraction:
    return Fraction(sum(value * weight for value, weight in weighted), sum(weight for _, weight in weighted))


def _attained(facts: Sequence[Assessment], span: Span) -> Cells:
    """Factors at or above their targets, together and one by one; n counts cases."""
    target = _stage(facts, "target")
    cells: dict[tuple[Series, Place], Cell] = defaultdict(lambda: Cell(0, 0))
    for fact in facts:
        if fact.stage != "result" or fact.case not in target:
            continue
        pairs = [
            (factor, a >= b)
            for factor, a, b in zip(FACTORS, fact.scores, target[fact.case].scores, strict=True)
            if a is not None and b is not None
        ]
        for place in places(span, fact.organisation, month_of(fact.day), ("year",)):
            for number, (factor, is_met) in enumerate(pairs):
                for series in (
                    Series("impact_goal_attainment", "all"),
                    Series("impact_goal_attainment", "all", "", "factor", factor),
                ):
                    cell = cells[series, place]
                    cell.numerator = (cell.numerator or 0) + is_met
                    cell.denominator = (cell.denominator or 0) + 1
                    cell.n += int(number == 0 or bool(series.breakdown_id))
    return dict(cells)


def _coverage(facts: Sequence[Assessment], competitions: Sequence[Competition], span: Span) -> Cells:
    """Completed cases with an assessed result; joint procurements of completed cases with an assessment of their own."""
    indexed = {(fact.stage, fact.case) for fact in facts if _index(fact.scores) is not None}
    cells: dict[tuple[Series, Place], Cell] = defaultdict(lambda: Cell(0, 0))
    agreements: dict[Place, set[str]] = defaultdict(set)
    for one in competitions:
        if one.status != "completed" or one.decided is None:
            continue
        for place in places(span, one.organisation, month_of(one.decided), ("year",)):
            cell = cells[Series("impact_coverage", "all"), place]
            cell.numerator = (cell.numerator or 0) + int(("result", one.code) in indexed)
            cell.denominator = (cell.denominator or 0) + 1
            cell.n += 1
            agreements[place].add(one.agreement)
    for place, used in agreements.items():
        assessed = sum(("joint", agreement) in indexed for agreement in used)
        cells[Series("impact_stage1_coverage", "all"), place] = Cell(assessed, len(used), len(used))
    return dict(cells)


def _write(written: Written, name: str, rows: Sequence[Sequence[str]]) -> None:
    path = written.place(AGENCY, name, SOURCE)
    if name.endswith("xlsx"):
        numbers: list[list[CellText]] = [
            list(row) if not at else [*row[:6], *(_number(text) for text in row[6:12]), *row[12:]] for at, row in enumerate(rows)
        ]
        write_workbook(path, numbers, "Arvioinnit")
        return
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerows(rows)


def _number(text: str) -> CellText:
    whole = text.removesuffix(",00")
    return int(whole) if whole.isdigit() else text
