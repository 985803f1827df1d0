"""Strategic goals and the action programme: what is due counts, reported or not; actions are done when all branches are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.form_deliveries import broken, cleaned, counting
from transforms import periods
from transforms.key_figures import action_programme as action_figures
from transforms.key_figures import strategic_goals as goal_figures
from transforms.key_figures.parameters import Parameters
from transforms.lights import targets
from transforms.measures import action_programme as action_measures
from transforms.measures import strategic_goals as goal_measures
from transforms.sources import action_programme, strategic_goals

GOALS = "FO-nummer;År;Målets kod;Målvärde;Status;Rapporteras senast;Upphandlingar kopplade till målet;De kopplade upphandlingarnas nummer"
ACTIONS = "Hallinnonala;Vuosi;Toimenpiteen numero;Toimenpideluokka;Tila"
A = "0101263-6"
REFERENCE = Reference.load()
YEAR = pl.DataFrame([periods.period("year", date(2018, 1, 1))], schema=periods.SCHEMA, orient="row")


def _goal(number: int, status: str = "", due: str = "", linked: str = "", ids: str = "") -> str:
    return f'{A};2023;T{number};12,5;{status};{due};{linked};"{ids}"'


def _goal_sums(tmp_path: Path, *rows: str) -> dict[str, tuple[int, int, int, int]]:
    part = cleaned(strategic_goals.FORM, tmp_path / "f.csv", [GOALS, *rows])
    assert broken(part) == []
    measures = goal_measures.measure(counting(strategic_goals.FORM, part), REFERENCE)
    found = goal_figures.compute(measures, Parameters())
    sums = found.group_by("figure_id", "variant").agg(pl.col("numerator", "denominator", "covered", "asked").sum())
    return {f"{figure} {variant}".strip(): tuple(rest) for figure, variant, *rest in sums.iter_rows()}


def test_a_due_goal_without_a_report_is_not_on_track(tmp_path: Path) -> None:
    found = _goal_sums(
        tmp_path,
        _goal(1, "uppnått", "31.12.2023"),
        _goal(2, "Enligt plan"),  # no day: due on the year's last day
        _goal(3, "försenat", "30.06.2023"),
        _goal(4),
        _goal(5, "enligt plan", "01.01.2024"),  # due a day after the year
        _goal(6, "slopat", "01.03.2023"),
    )

    assert found["goals_on_track_share due"] == (2, 4, 3, 4)
    assert found["goals_on_track_share of_reported"] == (2, 3, 3, 4)


def test_nothing_is_due_before_its_day_has_passed(tmp_path: Path) -> None:
    """Delivered on 1 April 2024: of goals of 2024 only what fell due by the end of March."""
    rows = [(1, ""), (2, "31.03.2024"), (3, "01.04.2024"), (4, "30.11.2024")]

    found = _goal_sums(tmp_path, *(_goal(number, "enligt plan", due).replace(";2023;", ";2024;") for number, due in rows))

    assert found["goals_on_track_share due"] == (1, 1, 1, 1)


def test_goals_are_linked_by_number_or_by_ids_and_silence_is_unknown(tmp_path: Path) -> None:
    found = _goal_sums(
        tmp_path, _goal(1, linked="2"), _goal(2, linked="0"), _goal(3, ids="2023-001; HEL-12/2023"), _goal(4), _goal(5, "slopat", linked="3")
    )  # fmt: skip

    assert found["goals_linked_share"] == (2, 3, 3, 4)


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (f"{A};2023;Maija Mallikas hoitaa;;;;;", "goal_id", "text_not_a_code"),
        (_goal(1, ids="Maija Mallikas"), "procurement_ids", "text_not_a_code"),
        (_goal(1, ids="2023-1; maija.mallikas"), "procurement_ids", "text_not_a_code"),
        (_goal(1, linked="0", ids="2023-1"), "procurements_n", "value_out_of_range"),
        (_goal(1, "nästan"), "status", "code_unknown"),
        (_goal(1, due="31.2.2023"), "due_on", "value_unreadable"),
    ],
)
def test_sentences_and_names_are_not_taken_as_codes(tmp_path: Path, row: str, column: str, rule: str) -> None:
    part = cleaned(strategic_goals.FORM, tmp_path / "f.csv", [GOALS, _goal(9, due="1.2.2023"), row])

    assert broken(part) == [(3, column, rule)]
    assert "Mallikas" not in str(part.failures.rows())


def test_a_units_newer_return_replaces_all_its_goals_of_the_year(tmp_path: Path) -> None:
    first = cleaned(strategic_goals.FORM, tmp_path / "a.csv", [GOALS, _goal(1), _goal(2)], 1)
    later = cleaned(strategic_goals.FORM, tmp_path / "b.csv", [GOALS, _goal(2, "uppnått")], 2)

    for order in ((first, later), (later, first)):
        goals = counting(strategic_goals.FORM, *order)["strategic_goal"]
        assert goals.select("goal_id", "status", "target_hundredths").rows() == [("T2", "reached", 1250)]


def _progress(tmp_path: Path, *rows: str) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """(level_id, category) -> numerator, denominator, covered, asked."""
    part = cleaned(action_programme.FORM, tmp_path / "f.csv", [ACTIONS, *rows])
    assert broken(part) == []
    measures = action_measures.measure(counting(action_programme.FORM, part), REFERENCE)
    cells = action_figures.cells(measures, Parameters(), YEAR, pl.DataFrame())
    return {
        (row["level_id"], row["breakdown_id"]): (row["numerator"], row["denominator"], row["covered"], row["asked"])
        for row in cells.iter_rows(named=True)
    }


def test_an_action_is_done_when_every_branch_that_it_applies_to_has_done_it(tmp_path: Path) -> None:
    found = _progress(
        tmp_path,
        "28;2018;1;1;Toteutettu", "31;2018;1;1;toteutettu",
        "28;2018;2;1;Toteutettu", "31;2018;2;1;Käynnissä",
        "28;2018;3;2;Toteutettu", "31;2018;3;2;Ei koske",
        "28;2018;4;2;Ei koske", "31;2018;4;2;ei koske",
    )  # fmt: skip

    assert found == {
        ("FI", ""): (2, 14, 4, 14),
        ("FI", "1"): (1, 2, 2, 2),
        ("FI", "2"): (1, 2, 2, 2),
        ("28", ""): (3, 3, 4, 14),
        ("31", ""): (1, 2, 4, 14),
    }


def test_an_action_that_two_files_put_into_two_categories_counts_once_in_the_whole(tmp_path: Path) -> None:
    one = cleaned(action_programme.FORM, tmp_path / "a.csv", [ACTIONS, "28;2018;1;1;Toteutettu"], 1)
    other = cleaned(action_programme.FORM, tmp_path / "b.csv", [ACTIONS, "31;2018;1;2;Toteutettu"], 2)
    measures = action_measures.measure(counting(action_programme.FORM, one, other), REFERENCE)

    cells = action_figures.cells(measures, Parameters(), YEAR, pl.DataFrame()).filter(level="national", breakdown_kind="")

    assert cells.select("numerator", "denominator", "covered").rows() == [(1, 14, 1)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["00;2018;1;1;Toteutettu"], [(2, "branch", "code_unknown")]),
        (["28;2018;15;1;Toteutettu"], [(2, "action_no", "value_out_of_range")]),
        (["28;2018;0;5;Toteutettu"], [(2, "action_no", "value_out_of_range"), (2, "category", "value_out_of_range")]),
        (["28;2018;1;1;"], [(2, "status", "value_missing")]),
        (
            ["28;2018;1;1;Toteutettu", "31;2018;1;2;Toteutettu"],
            [(2, "category", "action_in_two_categories"), (3, "category", "action_in_two_categories")],
        ),
        (["28;2018;1;1;Toteutettu", "28;2018;1;1;Käynnissä"], [(3, "action_no", "key_repeated")]),
    ],
)
def test_only_known_branches_fourteen_actions_and_four_categories(
    tmp_path: Path, rows: list[str], expected: list[tuple[int, str, str]]
) -> None:
    assert broken(cleaned(action_programme.FORM, tmp_path / "f.csv", [ACTIONS, *rows])) == expected


def test_the_programmes_target_is_a_closed_series_without_a_light() -> None:
    own = [target for target in targets(REFERENCE) if target.figure_id == "action_programme_progress"]

    assert {target.level for target in own} == set(action_figures.DEFINITIONS[0].levels)
    assert {(target.target, target.rule, target.valid_to) for target in own} == {(1, "line", date(2020, 9, 8))}


def test_without_reports_there_are_no_figures() -> None:
    goals = {table.name: pl.DataFrame(schema=table.polars_schema()) for table in goal_measures.MEASURES}
    actions = {table.name: pl.DataFrame(schema=table.polars_schema()) for table in action_measures.MEASURES}

    assert goal_figures.compute(goals, Parameters()).is_empty()
    assert action_figures.cells(actions, Parameters(), YEAR, pl.DataFrame()).is_empty()
