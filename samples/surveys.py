"""Satisfaction surveys of the sample nation: planted answers, their true figures in fractions, files in every usual shape."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from random import Random

from samples.cells import Cell, Place, Series, Span, places
from samples.deliveries import Written
from samples.facts import Organisation
from samples.ids import personal_id
from samples.registry import World

SOURCE = "satisfaction_surveys"
AGENCY = "sample-cpb"
YEARS = (2022, 2023, 2024)
AREAS = (
    "service_attitude", "contact_persons", "procurement_law", "joint_benefits", "e_services", "information", "customer_needs",
    "tendering_service", "development_service",
)  # fmt: skip
USERS_ONLY = ("tendering_service", "development_service")
SUPPLIER_AREAS = ("service_attitude", "contact_persons", "e_services", "information", "contract_cooperation")
UNKNOWN = 0
"""A planted "does not know" (no scale of areas has a 0)."""
RESPONDENTS = {"customer": 70, "supplier": 24, "minicomp": 36}
INVITED = {
    ("customer", 2023): 190,
    ("customer", 2024): 205,
    ("supplier", 2023): 80,
    ("supplier", 2024): 85,
    ("minicomp", 2024): 60,
}
"""The waves of 2022, and one of 2023, come without the number of invitations."""
AUDIENCES = {"customer": "customers", "supplier": "suppliers", "minicomp": "mini_competitions"}
LEAST, LEAST_OF_SHARE = 5, 10


@dataclass(frozen=True)
class Respondent:
    """One response. `answers`: item -> value, UNKNOWN for "does not know"; items left blank are missing. `person` and `words` are
    what the survey tool exports besides and nobody may keep."""

    survey: str
    year: int
    day: date
    organisation: Organisation | None
    company: str
    answers: Mapping[str, int]
    person: str
    words: str = ""

    def scores(self, items: Iterable[str]) -> list[int]:
        return [self.answers[item] for item in items if self.answers.get(item, UNKNOWN) != UNKNOWN]


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Three waves of customers and suppliers, each in another shape; three years of mini-competitions; invitations."""
    del known
    planted = [person for survey in RESPONDENTS for year in YEARS for person in _respondents(rng, world, survey, year)]
    from samples import survey_exports

    survey_exports.write_all(rng, written, planted)
    return _cells(planted, span)


def _respondents(rng: Random, world: World, survey: str, year: int) -> Iterator[Respondent]:
    organisations = [organisation for organisation in world.organisations.values() if organisation.since.year <= year]
    companies = [company for company in world.companies if company.identity]
    for number in range(RESPONDENTS[survey]):
        organisation = rng.choice(organisations[:6] if rng.random() < 0.7 else organisations)
        day = date(year + 1, 1, 8) + timedelta(days=rng.randrange(21))
        if survey == "minicomp":
            day = date(year, 1, 1) + timedelta(days=rng.randrange(365))
        word = f"{survey.title()} Koevastaaja{year}{number}"
        yield Respondent(
            survey=survey,
            year=year,
            day=day,
            organisation=organisation if survey != "supplier" and rng.random() < 0.9 else None,
            company=companies[rng.randrange(12)].identity or "" if survey == "supplier" else "",
            answers=_answers(rng, survey),
            person=word,
            words=f"Terveisin {word}, {personal_id(rng.randrange(1000))}, puh. 040 {rng.randrange(1000000, 9999999)}"
            if number % 9 == 0
            else "",
        )


def _answers(rng: Random, survey: str) -> dict[str, int]:
    if survey == "minicomp":
        return {"support": rng.choice((3, 4, 4, 5, 5, 5, UNKNOWN))}
    mood = rng.choice((-1, 0, 0, 0, 1))
    found: dict[str, int] = {}
    for item in AREAS if survey == "customer" else SUPPLIER_AREAS:
        if (item in USERS_ONLY and rng.random() < 0.7) or rng.random() < 0.05:
            continue
        found[item] = UNKNOWN if rng.random() < 0.08 else min(5, max(1, rng.choice((2, 3, 4, 4, 5, 5)) + mood))
    if rng.random() < 0.9:
        found["school_grade"] = min(10, max(4, rng.choice((6, 7, 8, 8, 9)) + mood))
    if rng.random() < 0.8:
        found["recommend"] = min(10, max(1, rng.choice((5, 6, 7, 8, 9, 10)) + mood))
    return found


def _cells(planted: Iterable[Respondent], span: Span) -> dict[tuple[Series, Place], Cell]:
    tallies: dict[tuple[str, Place], list[Respondent]] = defaultdict(list)
    for person in planted:
        month = person.day.replace(day=1) if person.survey == "minicomp" else date(person.year, 1, 1)
        for place in _places(span, person, month):
            tallies[person.survey, place].append(person)
    found: dict[tuple[Series, Place], Cell] = {}
    for (survey, place), people in tallies.items():
        found |= {(series, place): cell for series, cell in _of_place(survey, place, people)}
    return found


def _places(span: Span, person: Respondent, month: date) -> Iterator[Place]:
    if person.organisation is None:
        yield from (Place("national", "FI", kind, start) for kind, start in span.periods(month) if kind in ("quarter", "year"))
    else:
        yield from places(span, person.organisation, month, ("quarter", "year"))


def _of_place(survey: str, place: Place, people: list[Respondent]) -> Iterator[tuple[Series, Cell]]:
    """Every true cell of a survey in one place; means and shares under the fewest respondents are not told."""
    audience = AUDIENCES[survey]
    means = {"customer": "csat_mean", "supplier": "ssat_mean", "minicomp": "minicomp_csat"}
    items = {"customer": AREAS, "supplier": SUPPLIER_AREAS, "minicomp": ("support",)}[survey]
    own = [Fraction(sum(scores), len(scores)) for person in people if (scores := person.scores(items))]
    if place.period_kind == "quarter" and survey != "minicomp":
        return
    if len(own) >= LEAST:
        yield Series(means[survey], "all"), Cell(None, len(own), len(own), sum(own, Fraction()) / len(own))
    if place.period_kind == "year" and place.level == "national":
        invited = INVITED.get((survey, place.period_start.year))
        told = Cell(None, None, len(people)) if invited is None else Cell(len(people), invited, invited)
        yield Series("response_rate", "all", audience), told
    if survey == "minicomp":
        return
    if survey == "customer":
        yield from _bands(own)
        yield from _areas(people)
    grades = [person.answers["school_grade"] for person in people if "school_grade" in person.answers]
    if len(grades) >= LEAST:
        yield Series("school_grade", "all", audience), Cell(sum(grades), len(grades), len(grades))
    given = [person.answers["recommend"] for person in people if "recommend" in person.answers]
    net = sum(answer >= 9 for answer in given) - sum(answer <= 6 for answer in given)
    if len(given) >= LEAST_OF_SHARE:
        yield Series("nps", "all", audience), Cell(net, len(given), len(given), Fraction(100 * net, len(given)))


def _bands(own: list[Fraction]) -> Iterator[tuple[Series, Cell]]:
    if len(own) < LEAST_OF_SHARE:
        return
    good, bad = sum(mean >= Fraction(7, 2) for mean in own), sum(mean <= Fraction(299, 100) for mean in own)
    for figure_id, number in (("ge_350", good), ("le_299", bad), ("middle", len(own) - good - bad)):
        yield Series(f"csat_share_{figure_id}", "all"), Cell(number, len(own), len(own))


def _areas(people: list[Respondent]) -> Iterator[tuple[Series, Cell]]:
    given = {item: [score for person in people for score in person.scores((item,))] for item in AREAS}
    given = {item: scores for item, scores in given.items() if scores}
    respondents = sum(bool(person.scores(AREAS)) for person in people)
    if respondents >= LEAST:
        mean = sum((Fraction(sum(scores), len(scores)) for scores in given.values()), Fraction()) / len(given)
        nine = len(given) == len(AREAS)
        yield Series("csat_area_mean", "all"), Cell(None, len(given), respondents, mean if nine else None)
    for item, scores in given.items():
        if len(scores) >= LEAST:
            series = Series("csat_item_mean", "all", breakdown_kind="item", breakdown_id=item)
            yield series, Cell(sum(scores), len(scores), len(scores))
