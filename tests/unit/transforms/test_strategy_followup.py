"""The yearly strategy return: read in three languages, shares of those answering and of the frame, silence is not a no."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.forms import delivered
from schemas.key_figure import KeyFigure
from schemas.reference import Reference
from schemas.strategy_followup import QUESTIONS, RETURN
from tests.unit.transforms.form_deliveries import broken, cleaned, counting
from transforms import levels, periods
from transforms.key_figures import strategy_counts, strategy_networks, strategy_shares
from transforms.key_figures.parameters import Parameters
from transforms.measures.strategy_followup import RETURNS, measure
from transforms.rollup import roll_up
from transforms.sources.strategy_followup import FORM

A, B, C, D = "0101263-6", "0124610-9", "1061512-1", "0201256-6"
HUS = "1567535-0"
COLUMNS = delivered(RETURN)
ANSWERS: dict[str, object] = {
    "strategy": "guidelines", "has_plan": True, "follow_up": "regularly", "critical_identified": True, "critical_n": 4,
    "critical_prepared_n": 3, "competence_level": 4, "staff_n": 10, "trained_n": 7, "in_ownership_steering": False,
}  # fmt: skip
KNOWN = levels.organisations(Reference.load(), pl.DataFrame(schema=levels.OBSERVED_SCHEMA))
YEARS = pl.DataFrame([periods.period("year", date(year, 1, 1)) for year in (2022, 2023)], schema=periods.SCHEMA, orient="row")


def _file(language: int, answers: dict[str, object]) -> list[str]:
    """Headings and words of a language: 0 fi, 1 sv, 2 en."""

    def word(name: str, value: object) -> str:
        column = RETURN.column(name)
        if column.words is not None:
            return column.words[str(value)][language]
        return (
            {True: ("Kyllä", "Ja", "Yes"), False: ("Ei", "Nej", "No")}[value][language] if isinstance(value, bool) else str(value)
        )

    given = {"organisation_id": A, "year": 2023, **answers}
    header = ";".join(f'"{(column.labels or {})[("fi", "sv", "en")[language]]}"' for column in COLUMNS)
    return [header, ";".join(word(column.name, given[column.name]) if column.name in given else "" for column in COLUMNS)]


@pytest.mark.parametrize("language", [0, 1, 2])
def test_a_return_reads_alike_in_three_languages(tmp_path: Path, language: int) -> None:
    part = cleaned(FORM, tmp_path / "f.csv", _file(language, ANSWERS))

    row = part.accepted["strategy_return"].row(0, named=True)
    assert broken(part) == []
    assert {name: row[name] for name in ANSWERS} == ANSWERS
    assert row["has_responsible_person"] is None  # left blank: neither yes nor no


@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({"critical_prepared_n": 5}, "critical_prepared_n", "value_out_of_range"),
        ({"trained_n": 11}, "trained_n", "value_out_of_range"),
        ({"green_deals_n": 1, "green_deals_kept_n": 2}, "green_deals_kept_n", "value_out_of_range"),
        ({"critical_identified": False}, "critical_n", "value_out_of_range"),
        ({"competence_level": 6}, "competence_level", "value_out_of_range"),
        ({"market_dialogues_n": -1}, "market_dialogues_n", "value_out_of_range"),
        ({"market_dialogues_n": "9" * 30}, "market_dialogues_n", "value_unreadable"),
        ({"has_plan": "kohta"}, "has_plan", "value_unreadable"),
        ({"year": 1924}, "year", "value_out_of_range"),
        ({"organisation_id": "1234567-2"}, "organisation_id", "organisation_unknown"),
    ],
)
def test_a_row_that_contradicts_itself_is_told_by_column(
    tmp_path: Path, changes: dict[str, object], column: str, rule: str
) -> None:
    part = cleaned(FORM, tmp_path / "f.csv", _file(0, ANSWERS | changes))

    assert broken(part) == [(2, column, rule)]
    assert part.accepted["strategy_return"].is_empty()


def test_who_is_responsible_is_not_taken_even_if_written(tmp_path: Path) -> None:
    part = cleaned(FORM, tmp_path / "f.csv", _file(0, ANSWERS | {"has_responsible_person": "Maija Mallikas"}))

    assert broken(part) == [(2, "has_responsible_person", "value_unreadable")]
    assert "Mallikas" not in str(part.failures.rows())
    assert part.accepted["strategy_return"].is_empty()


def test_a_later_return_replaces_the_unit_and_year_and_no_other(tmp_path: Path) -> None:
    first = cleaned(FORM, tmp_path / "a.csv", [*_file(0, ANSWERS), _file(0, ANSWERS | {"organisation_id": B})[1]], 1)
    later = cleaned(FORM, tmp_path / "b.csv", _file(2, {"has_plan": False}), 2)

    one, other = (measure(counting(FORM, *order), Reference.load())["unit_return"] for order in ((first, later), (later, first)))

    assert one.equals(other)
    assert dict(one.select("organisation_id", "has_plan").rows()) == {A: False, B: True}
    assert one.filter(organisation_id=A)["strategy"].to_list() == [None]
    assert set(one["month"]) == {date(2023, 1, 1)}


def _returns(*rows: dict[str, object]) -> dict[str, pl.DataFrame]:
    blank: dict[str, object] = {column.name: None for column in QUESTIONS}
    filled = [{**blank, "organisation_name": None, "month": date(2023, 1, 1), **row} for row in rows]
    return {"unit_return": pl.DataFrame(filled, schema=RETURNS.polars_schema())}


def _figures(module: object) -> dict[str, KeyFigure]:
    return {definition.figure_id: definition for definition in module.DEFINITIONS}  # type: ignore[attr-defined]


def _national(
    measures: dict[str, pl.DataFrame], module: object, parameters: Parameters, figure_id: str
) -> dict[str, tuple[object, ...]]:
    """variant and breakdown -> numerator, denominator, covered, asked, reason."""
    contributions = module.compute(measures, parameters)  # type: ignore[attr-defined]
    cells = roll_up(contributions, _figures(module), YEARS, levels.membership(KNOWN))
    own = cells.filter(figure_id=figure_id, level="national", period_start=date(2023, 1, 1))
    return {
        f"{row['variant']} {row['breakdown_id']}".strip(): tuple(row[name] for name in ("numerator", "denominator", "covered", "asked", "reason"))
        for row in own.iter_rows(named=True)
    }  # fmt: skip


ALWAYS = (date(1900, 1, 1), date(9999, 12, 31))
FRAME = Parameters(frame=((B, *ALWAYS), (C, *ALWAYS), (D, ALWAYS[0], date(2023, 12, 30))))
"""D is gone one day too early for the frame of 2023."""


def test_shares_of_those_answering_and_of_the_frame_stand_side_by_side() -> None:
    measures = _returns(
        {"organisation_id": A, "strategy": "strategy"}, {"organisation_id": B, "strategy": "dont_know"}, {"organisation_id": HUS}
    )

    found = _national(measures, strategy_shares, FRAME, "strategy_exists_share")

    # answered: A, B (who does not know has answered); frame: A, B, HUS returned, C is silent
    assert found == {"responding": (1, 2, 2, 4, None), "frame": (1, 4, 2, 4, None)}


def test_without_a_frame_those_who_return_are_the_frame() -> None:
    measures = _returns({"organisation_id": A, "has_plan": True}, {"organisation_id": B, "has_plan": False})

    found = _national(measures, strategy_shares, Parameters(), "strategy_plan_share")

    assert found == {"responding": (1, 2, 2, 2, None), "frame": (1, 2, 2, 2, None)}


def test_a_place_where_nobody_answered_has_no_share() -> None:
    found = _national(_returns({"organisation_id": A}), strategy_shares, FRAME, "category_model_share")

    assert {variant: cell[-1] for variant, cell in found.items()} == {"responding": "no_answer", "frame": "no_answer"}


def test_either_kind_of_steering_counts_and_a_blank_beside_an_answer_is_a_no() -> None:
    measures = _returns(
        {"organisation_id": A, "in_performance_steering": True},
        {"organisation_id": B, "in_performance_steering": False},
        {"organisation_id": C, "in_performance_steering": False, "in_ownership_steering": False},
        {"organisation_id": D},
    )

    found = _national(measures, strategy_shares, Parameters(), "steering_share")

    assert found["responding"] == (1, 3, 3, 4, None)
    assert found["responding performance"][:3] == (1, 3, 3)
    assert found["responding ownership"][:3] == (0, 1, 1)


@pytest.mark.parametrize(
    ("figure_id", "expected"),
    [
        ("critical_prepared_share", (2, 5, 1, 3, None)),
        ("trained_persons_share", (3, 4, 1, 3, None)),
        ("trained_persons_n", (5, None, 2, 3, None)),
        ("competence_level_mean", (7, 2, 2, 3, None)),
        ("green_deal_units", (1, None, 2, 3, None)),
        ("green_deals_kept_share", (None, None, 0, 3, "no_answer")),
    ],
)
def test_ratios_hold_units_that_gave_both_numbers(figure_id: str, expected: tuple[object, ...]) -> None:
    measures = _returns(
        {"organisation_id": A, "critical_n": 5, "critical_prepared_n": 2, "staff_n": 4, "trained_n": 3, "competence_level": 5, "green_deals_n": 3},
        {"organisation_id": B, "critical_n": 8, "trained_n": 2, "competence_level": 2, "green_deals_n": 0},
    )  # fmt: skip

    assert _national(measures, strategy_counts, FRAME, figure_id)[""] == expected


def _cells(measures: dict[str, pl.DataFrame], groups: str, members: str, counties: int = 1) -> pl.DataFrame:
    """Cells of both figures, where so many wellbeing counties (HUS and others) are registered."""
    overlay = {
        "groups.csv": f"group,kind,name_fi\n{groups}\n",
        "group_members.csv": f"group,organisation_id,valid_from,valid_to\n{members}\n",
    }
    reference = Reference.load(overlay)
    parameters = Parameters(group_kinds=dict(reference.table("groups.csv").select("group", "kind").iter_rows()))
    placed = levels.membership(KNOWN, levels.group_members(reference))
    county = placed.filter(organisation_id=HUS, level="sector")
    others = [county.with_columns(organisation_id=pl.lit(f"county {number}")) for number in range(1, counties)]
    return strategy_networks.cells(measures, parameters, YEARS, pl.concat([placed, *others]))


def test_use_of_the_view_is_told_of_the_pilots_of_the_years_last_day() -> None:
    measures = _returns(
        {"organisation_id": A, "uses_decisions": True}, {"organisation_id": B, "uses_decisions": False}, {"organisation_id": D, "uses_decisions": True}
    )  # fmt: skip
    members = f"p,{A},,\np,{B},,2023-12-30\np,{C},2023-12-31,\nother,{D},,"

    cells = _cells(measures, "p,pilot,Pilotti\nother,network,Muu", members)

    found = cells.filter(figure_id="view_use", level="national", breakdown_id="decisions", period_start=date(2023, 1, 1))
    assert dict(found.select("variant", pl.concat_list("numerator", "denominator")).iter_rows()) == {
        "pilot": [1, 2],
        "responding": [2, 3],
    }
    assert cells.filter(period_start=date(2022, 1, 1)).is_empty()  # a year without returns has no figure


@pytest.mark.parametrize(("said", "members", "numerator"), [(True, "", 1), (False, f"w,{HUS},,", 1), (None, f"w,{A},,", 0)])
def test_counties_in_the_network_by_return_or_register_and_nobody_else(said: bool | None, members: str, numerator: int) -> None:
    measures = _returns({"organisation_id": HUS, "in_wellbeing_network": said}, {"organisation_id": A, "month": date(2022, 1, 1)})

    columns = ("period_start", "level", "numerator", "denominator", "covered", "asked", "reason")

    def told(counties: int) -> list[tuple[object, ...]]:
        cells = _cells(measures, "w,wellbeing_network,Verkosto", members or "w,none,,", counties)
        return cells.filter(figure_id="wellbeing_network_coverage").select(columns).rows()

    assert told(22) == [(date(2023, 1, 1), "national", numerator, 22, 22, 22, None)]
    assert told(21) == [(date(2023, 1, 1), "national", None, 22, 21, 22, "no_register")]
    assert told(1) == [(date(2023, 1, 1), "national", None, 22, 1, 22, "no_register")]  # HUS alone, as shipped


def test_without_returns_there_are_no_figures() -> None:
    measures = _returns()

    for module in (strategy_shares, strategy_counts):
        assert module.compute(measures, FRAME).is_empty()
    assert _cells(measures, "p,pilot,Pilotti", f"p,{A},,").is_empty()
