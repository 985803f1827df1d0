"""The impact index: exact, over assessed factors only, four at least; targets, follow-up, coverage; words never stay."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from tests.unit.transforms.form_deliveries import broken, cleaned, counting
from transforms import impact, levels, periods
from transforms.key_figures import impact as figures
from transforms.key_figures import impact_coverage
from transforms.key_figures.parameters import Parameters
from transforms.measures import impact_assessments as measures
from transforms.sources import impact_assessments, mini_competitions

HEADER = (
    "Arvioidun hankinnan tunnus;Hankinnan laji;Yhteishankinnan tunnus;Y-tunnus;Mittauspiste;Arviointipäivä;"
    "Kustannussäästöt;Innovaatiot;Osaamisen kasvu;Tuotteen tai palvelun laatu;Vastuullisuus;Hankinnan arvo"
)
COMPETITIONS = "Minikilpailutuksen tunnus;Yhteishankinnan tunnus;Y-tunnus;Tila;Päätöspäivä"
A, B = "0101263-6", "0201256-6"
REFERENCE = Reference.load()
POINT = 2520
JOINT = f"YH-1;yhteishankinta;;{A};Vaihe 1;1.1.2023;1;1;1;1;1;"


def _case(number: int, stage: str, scores: str, day: str = "1.5.2023", value: str = "", agreement: str = "YH-1") -> str:
    return f"MK-{number};minikilpailutus;{agreement};{A};{stage};{day};{scores};{value}"


def _measured(
    tmp_path: Path, *rows: str, competitions: tuple[str, ...] = (), reference: Reference = REFERENCE
) -> dict[str, pl.DataFrame]:
    part = cleaned(impact_assessments.FORM, tmp_path / "f.csv", [HEADER, *rows])
    assert broken(part) == []
    tables = counting(impact_assessments.FORM, part)
    cases = [cleaned(mini_competitions.FORM, tmp_path / "m.csv", [COMPETITIONS, *competitions])] if competitions else []
    empty = {"mini_competition": pl.DataFrame(schema=mini_competitions.FORM.contract.tables[0].polars_schema())}
    return measures.measure(tables | (counting(mini_competitions.FORM, *cases) if cases else empty), reference)


def _points(measured: dict[str, pl.DataFrame], measure: str) -> dict[str, Fraction | None]:
    return {
        row["case_id"]: None if row["points"] is None else Fraction(row["points"], POINT)
        for row in measured["impact_points"].filter(measure=measure).iter_rows(named=True)
    }


def _sums(measured: dict[str, pl.DataFrame], figure_id: str, **where: str) -> tuple[int, ...]:
    found = figures.compute(measured, Parameters()).filter(figure_id=figure_id, **where)
    return found.select(pl.col("numerator", "denominator", "n", "covered", "asked").sum()).row(0)


def test_an_index_rests_on_the_assessed_factors_and_on_four_of_them_at_least(tmp_path: Path) -> None:
    measured = _measured(
        tmp_path,
        _case(1, "tulos", "2;2;2;2;2"),
        _case(2, "tulos", "0;0;0;0;0"),
        _case(3, "tulos", "2;1;;1;1"),  # 5 of 8, not of 10
        _case(4, "tulos", "2;;;2;2"),
        _case(5, "tulos", ";;;;"),
    )

    assert _points(measured, "final") == {"MK-1": 100, "MK-2": 0, "MK-3": Fraction(125, 2), "MK-4": None, "MK-5": None}
    found = _sums(measured, "impact_final", variant="cases")
    assert found == (Fraction(325, 2) * POINT, 3, 3, 3, 5)


def test_the_mean_by_value_weighs_cases_whose_value_is_told(tmp_path: Path) -> None:
    measured = _measured(
        tmp_path,
        _case(1, "tulos", "2;2;2;2;2", value="100,00"),
        _case(2, "tulos", "0;0;0;0;0", value="300,00"),
        _case(3, "tulos", "1;1;1;1;1"),
        _case(4, "tulos", "1;1;1;;", value="900,00"),
    )

    top, bottom, n, covered, asked = _sums(measured, "impact_final", variant="by_value")
    assert (Fraction(top, bottom * POINT), bottom, n, covered, asked) == (25, 400, 2, 2, 4)


def test_lift_compares_the_factors_that_both_have(tmp_path: Path) -> None:
    joint = f"YH-2;yhteishankinta;;{A};Vaihe 1;1.1.2023;2;0;0;0;;"
    measured = _measured(
        tmp_path,
        JOINT,
        joint,
        _case(1, "tulos", "2;2;1;1;1"),
        _case(2, "tulos", "0;0;1;1;2", agreement="YH-2"),  # four in common: (-2 + 0 + 1 + 1) / 8
        _case(3, "tulos", "2;;2;2;2", agreement="YH-2"),  # three in common
        _case(4, "tulos", "2;2;2;2;2", agreement="YH-9"),  # its joint procurement was not assessed
        _case(5, "tulos", "1;1;0;0;", agreement="YH-1"),
    )

    lifts = {"MK-1": 20, "MK-2": 0, "MK-3": None, "MK-4": None, "MK-5": -25}
    assert _points(measured, "lift") == lifts
    assert _sums(measured, "impact_lift") == (-5 * POINT, 3, 3, 3, 5)


def test_the_change_at_the_follow_up_is_a_mean_of_score_differences(tmp_path: Path) -> None:
    measured = _measured(
        tmp_path,
        _case(1, "tulos", "1;1;1;1;1"), _case(1, "seuranta", "2;1;1;1;0", "1.6.2024"),
        _case(2, "tulos", "1;1;1;1;"), _case(2, "seuranta", "0;0;1;1;2", "1.6.2024"),
        _case(3, "tulos", "1;1;1;;"), _case(3, "seuranta", "2;2;2;2;2", "1.6.2024"),
        _case(4, "seuranta", "2;2;2;2;2", "1.6.2024"),
    )  # fmt: skip

    assert _points(measured, "followup") == {"MK-1": 0, "MK-2": Fraction(-1, 2), "MK-3": None, "MK-4": None}
    assert set(measured["impact_points"].filter(measure="followup")["month"]) == {date(2024, 6, 1)}


def test_a_target_is_attained_from_its_own_level_up_and_n_counts_cases(tmp_path: Path) -> None:
    measured = _measured(
        tmp_path,
        _case(1, "tavoite", "1;1;2;;1", "1.1.2023"), _case(1, "tulos", "1;2;1;2;"),
        _case(2, "tavoite", ";;;;", "1.1.2023"), _case(2, "tulos", "2;2;2;2;2"),
        _case(3, "tavoite", "0;0;0;0;0", "1.1.2023"),
    )  # fmt: skip

    assert _sums(measured, "impact_goal_attainment", breakdown_kind="") == (2, 3, 1, 3, 9)
    by_factor = {
        factor: _sums(measured, "impact_goal_attainment", breakdown_id=factor)[:3] for factor in ("competence", "innovation")
    }
    assert by_factor == {"competence": (0, 1, 1), "innovation": (1, 1, 1)}


def test_an_assessment_counts_for_the_month_in_which_its_case_was_decided(tmp_path: Path) -> None:
    cases = (
        f"MK-1;YH-1;{A};päättynyt;31.12.2022", f"MK-2;YH-1;{A};päättynyt;1.1.2023", f"MK-3;YH-2;{A};päättynyt;2.1.2023",
        f"MK-4;;{A};päättynyt;3.1.2023", f"MK-5;YH-3;{A};käynnissä;", f"MK-6;YH-1;{B};päättynyt;3.1.2023",
    )  # fmt: skip
    measured = _measured(
        tmp_path, JOINT, _case(1, "tulos", "1;1;1;1;1"), _case(2, "tavoite", "1;1;1;1;1"), _case(3, "tulos", "1;1;1;;"), competitions=cases
    )  # fmt: skip

    completed = measured["impact_completed"].select("competition_id", "month", "is_assessed", "is_stage1_assessed").rows()
    december, january = date(2022, 12, 1), date(2023, 1, 1)
    assert completed == [
        ("MK-1", december, True, True),
        ("MK-2", january, False, True),
        ("MK-3", january, False, False),
        ("MK-4", january, False, False),
        ("MK-6", january, False, True),
    ]
    year = pl.DataFrame([periods.period("year", january)], schema=periods.SCHEMA, orient="row")
    members = levels.membership(levels.organisations(REFERENCE, pl.DataFrame(schema=levels.OBSERVED_SCHEMA)))
    cells = impact_coverage.cells(measured, Parameters(), year, members).filter(level="national")
    assert cells.select("numerator", "denominator", "covered", "asked").rows() == [(1, 2, 3, 4)]


def test_while_nobody_delivered_an_assessment_nothing_is_said_of_coverage() -> None:
    contracts = (impact_assessments.FORM.contract, mini_competitions.FORM.contract)
    tables = {table.name: pl.DataFrame(schema=table.polars_schema()) for contract in contracts for table in contract.tables}

    assert measures.measure(tables, REFERENCE)["impact_completed"].is_empty()


@pytest.mark.parametrize("weights", [(1, 1, 1, 1, 1), (3, 2, 2, 2, 1), (6, 1, 1, 1, 1), (2, 1, 1, 1, 1), (1, 4, 1, 2, 1)])
def test_every_index_is_exact_for_every_set_of_scores(weights: tuple[int, ...]) -> None:
    names = list(impact.FACTORS)
    rows = list(product((None, 0, 1, 2), repeat=5))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row").with_columns(
        pl.lit(weight, pl.Int64).alias(f"weight_{name}") for name, weight in zip(names, weights, strict=True)
    )
    found = frame.select(points=impact.stage_index())["points"].to_list()

    for scores, points in zip(rows, found, strict=True):
        told = [(weight, score) for weight, score in zip(weights, scores, strict=True) if score is not None]
        top, bottom = (sum(weight * part for weight, part in pairs) for pairs in (told, [(weight, 2) for weight, _ in told]))
        assert points == (Fraction(100 * top, bottom) * POINT if len(told) >= 4 else None), scores


def test_weights_change_on_their_day_and_older_assessments_keep_theirs(tmp_path: Path) -> None:
    later = "valid_from,cost_savings,innovation,competence,quality,responsibility,source\n2023-06-01,4,1,1,1,1,test\n"
    reference = Reference.load({"catalogue/impact_weights.csv": later})
    measured = _measured(
        tmp_path,
        _case(1, "tulos", "2;0;0;0;0", "31.5.2023"),
        _case(2, "tulos", "2;0;0;0;0", "1.6.2023"),
        reference=reference,
    )

    assert _points(measured, "final") == {"MK-1": 20, "MK-2": 50}


@pytest.mark.parametrize(
    "row",
    [
        "2023-06-01,3,2,2,2,2,x",
        "2023-06-01,0,1,1,1,1,x",
        "2023-06-01,1.5,1,1,1,1,x",
        "1.6.2023,1,1,1,1,1,x",
        "2023-06-01,,1,1,1,1,x",
    ],
)
def test_weights_that_cannot_be_carried_exactly_name_file_and_row(row: str) -> None:
    header = "valid_from,cost_savings,innovation,competence,quality,responsibility,source\n"
    with pytest.raises(ConfigurationError, match=r"impact_weights\.csv, row [23]"):
        impact.weights(Reference.load({"catalogue/impact_weights.csv": header + row + "\n"}))


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        (_case(1, "tulos", "3;1;1;1;1"), "cost_savings", "value_out_of_range"),
        (_case(1, "tulos", "1;1,5;1;1;1"), "innovation", "value_unreadable"),
        (_case(1, "tulos", "1;1;hyvä, sanoo Maija Mallikas;1;1"), "competence", "value_unreadable"),
        (_case(1, "tulos", "1;1;=1+1;1;1"), "competence", "value_unreadable"),
        (_case(1, "vaihe 1", "1;1;1;1;1"), "stage", "stage_of_other_kind"),
        (JOINT.replace("Vaihe 1", "tavoite"), "stage", "stage_of_other_kind"),
        (_case(1, "arvio", "1;1;1;1;1"), "stage", "code_unknown"),
        (_case(1, "tulos", "1;1;1;1;1", ""), "assessed_on", "value_missing"),
        (_case(1, "tulos", "1;1;1;1;1", value="-1"), "value_cents", "value_out_of_range"),
        (_case(1, "tulos", "1;1;1;1;1", agreement="Siivous Mallikas"), "agreement_id", "text_not_a_code"),
        (_case(1, "tulos", "1;1;1;1;1").replace("MK-1", "Maija Mallikas"), "case_id", "text_not_a_code"),
    ],
)
def test_sentences_and_impossible_scores_are_quarantined_without_their_words(
    tmp_path: Path, row: str, column: str, rule: str
) -> None:
    part = cleaned(impact_assessments.FORM, tmp_path / "f.csv", [HEADER, _case(9, "tulos", "1;1;1;1;1"), row])

    assert broken(part) == [(3, column, rule)]
    assert "Mallikas" not in str(part.failures.rows())


def test_verbal_assessments_are_not_taken_in(tmp_path: Path) -> None:
    row = _case(1, "tulos", "1;1;1;1;1") + ";Maija Mallikas: kehuttu"
    part = cleaned(impact_assessments.FORM, tmp_path / "f.csv", [HEADER + ";Sanallinen arvio", row])

    assert part.accepted["impact_assessment"].height == 1
    assert "Mallikas" not in str(part.accepted["impact_assessment"].rows())


def test_a_result_below_its_joint_procurement_is_loaded_with_a_warning(tmp_path: Path) -> None:
    rows = [
        JOINT,
        _case(1, "tulos", "1;1;1;1;0"),
        _case(2, "tulos", "1;1;1;1;1"),
        _case(3, "tulos", "0;0;0;;"),
        _case(4, "tavoite", "0;0;0;0;0"),
        _case(5, "tulos", "0;0;0;0;0", agreement=""),
    ]
    for order in (rows, rows[::-1]):
        part = cleaned(impact_assessments.FORM, tmp_path / "f.csv", [HEADER, *order])
        line = order.index(rows[1]) + 2
        assert part.warnings.select("source_line", "rule").rows() == [(line, "lift_negative")]
        assert part.accepted["impact_assessment"].height == len(rows)


def test_of_a_case_at_a_measuring_point_the_newest_delivery_counts(tmp_path: Path) -> None:
    first = cleaned(impact_assessments.FORM, tmp_path / "a.csv", [HEADER, _case(1, "tulos", "0;0;0;0;0"), _case(1, "tavoite", "2;2;2;2;2")], 1)  # fmt: skip
    later = cleaned(impact_assessments.FORM, tmp_path / "b.csv", [HEADER, _case(1, "tulos", "2;2;2;2;2")], 2)

    for order in ((first, later), (later, first)):
        rows = counting(impact_assessments.FORM, *order)["impact_assessment"].select("stage", "quality").sort("stage").rows()
        assert rows == [("result", 2), ("target", 2)]
