"""Yearly strategy returns of the sample nation: one collected file a year in another language each, one correction, bad rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from random import Random

from samples.cells import Cell, Place, Series, Span, Sums
from samples.deliveries import Written
from samples.facts import Organisation
from samples.registry import World
from samples.strategy_words import HEADINGS, ORDER, WORDS
from samples.xlsx import write_workbook

SOURCE = "strategy_followup"
AGENCY = "sample-ministry"
YEARS = (2020, 2021, 2022, 2023, 2024)
"""Five, so that the panel of returns is drawn."""
NEVER = "jyvaskyla"
"""A city of the frame that never returns."""
PILOTS = {"901": None, "904": None, "907": None, "910": date(2023, 12, 30), "espoo": None, "jyvaskyla": None}
"""Pilot organisations of the management view, with the last day of the one that left a day too early for 2023."""
NETWORK_FROM = date(2024, 1, 1)
"""The county and a joint authority stand in the wellbeing counties' network from here on; before, the county says so itself."""
COUNTIES = 22

Answer = str | int | bool | None
Answers = Mapping[str, Answer]
Returns = Mapping[tuple[Organisation, int], Answers]

YES_NO = (
    "has_plan", "has_responsible_person", "in_performance_steering", "in_ownership_steering", "strategic_identified",
    "has_category_model", "in_large_buyers_network", "uses_overall_picture", "uses_regular_followup", "uses_deviations",
    "uses_decisions",
)  # fmt: skip
NUMBERS = {
    "market_dialogues_n": 6, "cases_present_state_n": 3, "cases_plan_n": 2, "cases_measures_n": 2, "experiments_started_n": 4,
    "experiments_in_use_n": 2, "branch_workshops_n": 5,
}  # fmt: skip
PARTS = {"critical_n": ("critical_prepared_n", 9), "staff_n": ("trained_n", 40), "green_deals_n": ("green_deals_kept_n", 3)}


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """A file per year; 2023's first file is corrected by a later one that brings two of its units anew."""
    del known
    returns = {
        (organisation, year): _answers(rng, organisation, year)
        for year in YEARS
        for key, organisation in world.organisations.items()
        if key != NEVER and organisation.since.year <= year and (key in PILOTS or rng.random() > 0.15)
    }
    _write_all(rng, written, returns)
    from samples.overlays import frame

    cells = _cells(returns, frame(world), world, span)
    return {**cells, **_network()}


def groups(world: World) -> Iterator[tuple[str, str, list[tuple[Organisation, date | None, date | None]]]]:
    """(group, kind, members with first and last day) that the returns' figures speak of."""
    yield "sample-pilot", "pilot", [(world.organisations[key], None, until) for key, until in PILOTS.items()]
    members: list[tuple[Organisation, date | None, date | None]]
    members = [(world.organisations[key], NETWORK_FROM, None) for key in ("county", "joint")]
    yield "sample-wellbeing-network", "wellbeing_network", members


def _answers(rng: Random, organisation: Organisation, year: int) -> dict[str, Answer]:
    """One unit's answers; about every tenth question is left blank."""

    def drawn(value: Answer) -> Answer:
        return None if rng.random() < 0.1 else value

    found: dict[str, Answer] = {name: drawn(rng.random() < 0.55) for name in YES_NO}
    found |= {name: drawn(rng.randint(0, most)) for name, most in NUMBERS.items()}
    for whole, (part, most) in PARTS.items():
        number = rng.randint(0, most)
        found |= {whole: drawn(number), part: drawn(rng.randint(0, number))}
    found["strategy"] = drawn(rng.choice(["strategy", "guidelines", "none", "dont_know"]))
    found["follow_up"] = drawn(rng.choice(["regularly", "irregularly", "no", "dont_know"]))
    found["critical_identified"] = drawn((found["critical_n"] or 0) != 0 or rng.random() < 0.3)
    found["competence_level"] = drawn(rng.randint(1, 5))
    found["in_wellbeing_network"] = organisation.sector == "wellbeing_county" and year == 2023
    return found


def _write_all(rng: Random, written: Written, returns: Returns) -> None:
    from samples.form_files import outcome

    for year, language in zip(YEARS, ("en", "fi", "fi", "sv", "en"), strict=True):
        rows = [(organisation, answers) for (organisation, its_year), answers in returns.items() if its_year == year]
        table = [_row(organisation, year, answers, language) for organisation, answers in rows]
        name = f"strategiaseuranta_{year + 1}-03-01.{'xlsx' if language == 'sv' else 'csv'}"
        broken = []
        if year == 2023:
            # two units answered wrongly at first; their correction comes in a file of its own
            for place in (0, 1):
                organisation = rows[place][0]
                table[place] = _row(organisation, year, _answers(rng, organisation, year), language)
            later = [_row(organisation, year, answers, "en") for organisation, answers in rows[:2]]
            _write(written, f"strategiaseuranta_korjaus_{year + 1}-05-02.csv", "en", later)
            outcome(written, AGENCY, SOURCE, f"strategiaseuranta_korjaus_{year + 1}-05-02.csv", len(later))
        if year == 2024:
            broken = [_row(rows[0][0], 1924, rows[0][1], language)]
        _write(written, name, language, [*table, *broken])
        rules = {"value_out_of_range": 1} if broken else {}
        outcome(written, AGENCY, SOURCE, name, len(table), rows_quarantined=len(broken), rules=rules)


def _row(organisation: Organisation, year: int, answers: Answers, language: str) -> list[str | int]:
    """One row's cells: numbers stay numbers, answers become the language's words."""
    words: Mapping[str | int | bool, str] = WORDS[language]
    cells: list[str | int] = [organisation.organisation_id, organisation.name_fi, year]
    for value in map(answers.get, ORDER):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        cells.append("" if value is None else value if is_number else words.get(value, str(value)))
    return cells


def _write(written: Written, name: str, language: str, rows: Sequence[Sequence[str | int]]) -> None:
    header = HEADINGS.get(language, ("organisation_id", "organisation_name", "year", *ORDER))
    path = written.place(AGENCY, name, SOURCE)
    if name.endswith("xlsx"):
        write_workbook(path, [header, *rows], "Svar")
        return
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


def _any(*answers: Answer) -> bool | None:
    """Yes if any is yes, unknown if none is told."""
    return True if True in answers else False if False in answers else None


def _questions(answers: Answers) -> Iterator[tuple[str, str, str, bool | None]]:
    """(figure, breakdown_kind, breakdown_id, answer) of every share."""
    strategy, follow_up = answers.get("strategy"), answers.get("follow_up")
    yield "strategy_exists_share", "", "", None if strategy is None else strategy in ("strategy", "guidelines")
    yield "strategy_followup_share", "", "", None if follow_up is None else follow_up == "regularly"
    for figure_id, name in (
        ("strategy_plan_share", "has_plan"),
        ("strategic_items_identified_share", "strategic_identified"),
        ("critical_identified_share", "critical_identified"),
        ("responsible_person_share", "has_responsible_person"),
        ("category_model_share", "has_category_model"),
    ):
        yield figure_id, "", "", _any(answers.get(name))
    for figure_id, kind, names in (
        ("steering_share", "steering", {"performance": "in_performance_steering", "ownership": "in_ownership_steering"}),
        (
            "network_membership_share",
            "network",
            {"large_buyers": "in_large_buyers_network", "wellbeing_counties": "in_wellbeing_network"},
        ),
        (
            "view_use",
            "use",
            {name: f"uses_{name}" for name in ("overall_picture", "regular_followup", "deviations", "decisions")},
        ),
    ):
        yield figure_id, "", "", _any(*(answers.get(name) for name in names.values()))
        for key, name in names.items():
            yield figure_id, kind, key, _any(answers.get(name))


def _numbers(answers: Answers) -> Iterator[tuple[Series, int | None, int | None]]:
    """(series, number, base) of every count, mean and ratio that the unit answered; no base: a sum."""
    for figure_id in ("market_dialogues_n", "experiments_started_n", "experiments_in_use_n", "branch_workshops_n"):
        yield Series(figure_id, "all"), _number(answers, figure_id), None
    yield Series("trained_persons_n", "all"), _number(answers, "trained_n"), None
    deals = _number(answers, "green_deals_n")
    yield Series("green_deal_units", "all"), None if deals is None else min(deals, 1), None
    stages = {stage: _number(answers, f"cases_{stage}_n") for stage in ("present_state", "plan", "measures")}
    for stage, number in stages.items():
        yield Series("development_cases_n", "all", "", "stage", stage), number, None
    given = [number for number in stages.values() if number is not None]
    yield Series("development_cases_n", "all"), sum(given) if len(given) == len(stages) else None, None
    level = _number(answers, "competence_level")
    yield Series("competence_level_mean", "all"), level, 1
    for figure_id, part, whole in (
        ("critical_prepared_share", "critical_prepared_n", "critical_n"),
        ("trained_persons_share", "trained_n", "staff_n"),
        ("green_deals_kept_share", "green_deals_kept_n", "green_deals_n"),
    ):
        base = _number(answers, whole)
        yield Series(figure_id, "all"), None if base is None else _number(answers, part), base


def _number(answers: Answers, name: str) -> int | None:
    value = answers.get(name)
    return value if isinstance(value, int) else None


def _cells(
    returns: Returns, frame: Sequence[tuple[Organisation, date]], world: World, span: Span
) -> dict[tuple[Series, Place], Cell]:
    """All sums; places where nobody answered a question are left out: their cells have no value."""
    sums, answered = Sums(span), Sums(span)
    for year in YEARS:
        day, last = date(year, 1, 1), date(year, 12, 31)
        returned = {organisation: answers for (organisation, its_year), answers in returns.items() if its_year == year}
        in_frame = {organisation: returned.get(organisation, {}) for organisation, until in frame if until >= last}
        pilots = {world.organisations[key]: until for key, until in PILOTS.items()}
        piloting = {one: returned.get(one, {}) for one, until in pilots.items() if until is None or until >= last}
        for variant, units in (("responding", returned), ("frame", in_frame | returned), ("pilot", piloting)):
            for organisation, answers in units.items():
                for figure_id, kind, key, answer in _questions(answers):
                    if variant == ("frame" if figure_id == "view_use" else "pilot") or (
                        variant == "responding" and answer is None
                    ):
                        continue
                    series = Series(figure_id, "all", variant, kind, key)
                    sums.add(series, organisation, day, int(answer is True), 1)
                    if answer is not None:
                        answered.add(series, organisation, day, 1)
        for organisation, answers in returned.items():
            for series, number, base in _numbers(answers):
                if number is not None:
                    sums.add(series, organisation, day, number, base)
                    answered.add(series, organisation, day, 1)
    there = answered.cells()
    return {key: cell for key, cell in sums.cells().items() if key in there}


def _network() -> dict[tuple[Series, Place], Cell]:
    """Coverage of the wellbeing counties' network: not told, as the register knows one county of the sample nation only."""
    series = Series("wellbeing_network_coverage", "all")
    years = [year for year in YEARS if year >= 2023]
    return {(series, Place("national", "FI", "year", date(year, 1, 1))): Cell(None, COUNTIES, 1) for year in years}
