"""Satisfaction figures: both orders of averaging, bands on exact integers, each audience at its own levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.survey_files import taken, text_file
from transforms import levels, periods
from transforms.key_figures import DEFINITIONS, satisfaction_scores, satisfaction_shares
from transforms.key_figures.parameters import Parameters, parameters_of
from transforms.measures.satisfaction_surveys import ANSWERS, WAVES, measure
from transforms.newest import newest
from transforms.settle import settle
from transforms.sources.satisfaction_surveys import CONTRACT

ESPOO, VANTAA = "0101263-6", "0124610-9"
REFERENCE = Reference.load()
KNOWN = levels.organisations(REFERENCE, pl.DataFrame(schema=levels.OBSERVED_SCHEMA))
MEMBERS = levels.membership(KNOWN, levels.group_members(REFERENCE))
AREAS = frozenset("abc")
Given = tuple[str, str | None, Mapping[str, int | None]]
"""Survey, organisation, item -> answer."""


def response(respondent: str, given: Given, month: date) -> list[dict[str, object]]:
    survey, organisation, answers = given
    kinds = {"grade": "grade", "nps": "nps", "support": "support"}
    return [
        {"organisation_id": organisation, "month": month, "survey": survey, "respondent": respondent, "item": item,
         "kind": kinds.get(item, "area"), "value": value}
        for item, value in answers.items()
    ]  # fmt: skip


def cells(
    *given: Given, month: date = date(2023, 1, 1), invited: Sequence[tuple[str, int, int | None]] = ()
) -> dict[tuple[str, ...], dict[str, object]]:
    """(figure, variant, item, level, id) -> cell of the year (of the quarter: the figure's id ends in /q)."""
    rows = [row for number, one in enumerate(given) for row in response(f"r{number}", one, month)]
    waves = [
        {"month": date(2023, 1, 1), "survey": survey, "invited_n": asked, "responded_n": came} for survey, asked, came in invited
    ]
    measures = {
        "survey_response": pl.DataFrame(rows, schema=ANSWERS.polars_schema()),
        "survey_invited": pl.DataFrame(waves, schema=WAVES.polars_schema()),
    }
    touched = periods.touched([month], month, month)
    frames = [
        module.cells(measures, Parameters(customer_areas=AREAS), touched, MEMBERS)
        for module in (satisfaction_scores, satisfaction_shares)
    ]
    return {
        (row["figure_id"] + ("/q" if row["period_kind"] == "quarter" else ""), row["variant"], row["breakdown_id"], row["level"], row["level_id"]): row
        for row in pl.concat(frames).iter_rows(named=True)
    }  # fmt: skip


def nation(
    found: Mapping[tuple[str, ...], dict[str, object]], figure_id: str, variant: str = "", item: str = ""
) -> dict[str, object]:
    return found[figure_id, variant, item, "national", "FI"]


def score(cell: Mapping[str, object]) -> Fraction:
    """The value of a mean, from its integers."""
    return Fraction(int(str(cell["numerator"])), 2520 * int(str(cell["denominator"])))


def customer(organisation: str | None = None, **answers: int | None) -> Given:
    return "customer", organisation, answers


def test_files_become_measures_of_the_year_asked_about_and_of_the_month_of_the_response(tmp_path: Path) -> None:
    files = (
        ("asiakaskysely.csv", "Palveluasenne;Vastauspäivä;Y-tunnus", f"4;15.1.2024;{ESPOO}", "6;16.1.2024;"),
        ("minikilpailutuskysely.csv", "Tyytyväisyys minikilpailutuksen tukeen;Vastauspäivä", "5;15.1.2024"),
        ("kierrokset.csv", "Kysely;Vuosi;Kutsuttuja;Vastanneita", "Asiakaskysely;2023;9;4"),
    )
    parts = [taken(text_file(tmp_path, *file), number=number)[1] for number, file in enumerate(files, start=1)]
    tables = {
        table.name: pl.concat([part.accepted[table.name] for part in parts if table.name in part.accepted])
        for table in CONTRACT.tables
    }

    measures = measure(newest(CONTRACT, tables), REFERENCE)

    answers = measures["survey_response"]
    assert answers.schema == ANSWERS.polars_schema()
    assert answers.select("organisation_id", "month", "survey", "respondent", "kind", "value").sort("respondent").rows() == [
        (ESPOO, date(2023, 1, 1), "customer", "d1/1", "area", 4),
        (None, date(2023, 1, 1), "customer", "d1/2", "area", None),
        (None, date(2024, 1, 1), "minicomp", "d2/1", "support", 5),
    ]
    assert measures["survey_invited"].rows() == [(date(2023, 1, 1), "customer", 9, 4)]


def test_both_orders_of_averaging() -> None:
    found = cells(customer(a=5, b=5, c=5), customer(a=1), customer(a=2, b=4))
    assert score(nation(found, "csat_mean")) == Fraction(5 + 1 + 3, 3) == 3
    areas = nation(found, "csat_area_mean")
    assert areas["direct_value"] == pytest.approx(float((Fraction(8, 3) + Fraction(9, 2) + 5) / 3), abs=1e-12)
    assert areas["direct_value"] != pytest.approx(3, abs=0.5)
    assert (areas["denominator"], areas["n"], areas["covered"], areas["asked"]) == (3, 3, 3, 3)
    assert {item: score(nation(found, "csat_item_mean", item=item)) for item in "abc"} == {
        "a": Fraction(8, 3),
        "b": Fraction(9, 2),
        "c": 5,
    }


def test_a_respondents_mean_over_seven_answers_stays_exact() -> None:
    given = [customer(**{f"a{number}": 5 if number < of else 4 for number in range(7)}) for of in range(7)]
    assert score(nation(cells(*given), "csat_mean")) == sum((4 + Fraction(of, 7) for of in range(7)), Fraction()) / 7


@pytest.mark.parametrize(
    ("total", "k", "band"),
    [
        (299, 100, "le_299"), (2990, 1000, "le_299"), (2991, 1000, "middle"), (2995, 1000, "middle"), (300, 100, "middle"),
        (3, 1, "middle"), (349, 100, "middle"), (3499, 1000, "middle"), (350, 100, "ge_350"), (7, 2, "ge_350"), (28, 8, "ge_350"),
        (31, 9, "middle"), (32, 9, "ge_350"), (26, 9, "le_299"), (27, 9, "middle"),
    ],
)  # fmt: skip
def test_bands_are_exact_at_their_edges(total: int, k: int, band: str) -> None:
    low, extra = divmod(total, k)
    found = cells(customer(**{f"a{number}": low + (number < extra) for number in range(k)}))
    shares = {name: nation(found, f"csat_share_{name}")["numerator"] for name in ("ge_350", "middle", "le_299")}
    assert shares == {name: int(name == band) for name in shares}


def test_who_does_not_know_is_asked_and_not_counted() -> None:
    found = cells(customer(a=None, b=4), customer(a=None), customer(a=2, b=None))
    mean, item = nation(found, "csat_mean"), nation(found, "csat_item_mean", item="a")
    assert score(mean) == 3
    assert (mean["n"], mean["covered"], mean["asked"]) == (2, 2, 3)
    assert (score(item), item["n"], item["asked"]) == (2, 1, 3)


def test_a_place_where_nobody_answered_an_area_has_no_mean_of_all_areas() -> None:
    found = cells(customer(ESPOO, a=4, b=2), customer(VANTAA, a=5, b=5, c=1))
    espoo = found["csat_area_mean", "", "", "organisation", ESPOO]
    assert (espoo["direct_value"], espoo["reason"], espoo["covered"], espoo["asked"]) == (None, "areas_missing", 2, 3)
    assert found["csat_area_mean", "", "", "organisation", VANTAA]["reason"] is None


def test_an_area_that_nobody_at_all_answered_is_missing_too() -> None:
    whole = nation(cells(customer(a=5), customer(b=3), customer(c=1)), "csat_area_mean")
    cut = nation(cells(customer(a=5), customer(b=3)), "csat_area_mean")
    assert (whole["direct_value"], whole["reason"]) == (3, None)
    assert (cut["direct_value"], cut["reason"], cut["covered"], cut["asked"]) == (None, "areas_missing", 2, 3)


def test_the_customer_survey_has_nine_areas() -> None:
    assert len(parameters_of(REFERENCE).customer_areas) == 9


def test_customers_stand_at_their_levels_and_strangers_in_the_nation_only() -> None:
    found = cells(customer(ESPOO, a=4, grade=9), customer(VANTAA, a=2, grade=8), customer(None, a=3, grade=4))
    assert score(nation(found, "csat_mean")) == 3
    assert score(found["csat_mean", "", "", "sector", "municipality"]) == 3
    assert found["csat_mean", "", "", "sector", "municipality"]["n"] == 2
    assert score(found["school_grade", "customers", "", "organisation", ESPOO]) == 9
    assert score(nation(found, "school_grade", "customers")) == 7
    assert not [key for key in found if key[3] == "sector" and key[4] == "unknown"]


def test_suppliers_are_national_and_apart_from_customers() -> None:
    found = cells(("supplier", ESPOO, {"a": 2, "grade": 8, "nps": 10}), customer(ESPOO, a=5, grade=10, nps=0))
    assert score(nation(found, "ssat_mean")) == 2
    assert score(nation(found, "csat_mean")) == 5
    assert (score(nation(found, "school_grade", "suppliers")), score(nation(found, "school_grade", "customers"))) == (8, 10)
    assert nation(found, "nps", "suppliers")["numerator"] == 1
    assert {key[3] for key in found if key[0] == "ssat_mean" or key[1] == "suppliers"} == {"national"}


def test_promoters_minus_detractors() -> None:
    found = nation(cells(*(customer(nps=answer) for answer in (10, 9, 8, 7, 6, 0, 0))), "nps", "customers")
    assert (found["numerator"], found["denominator"]) == (2 - 3, 7)


def test_mini_competitions_stand_in_their_quarter_and_year() -> None:
    given = [("minicomp", ESPOO, {"support": 5}), ("minicomp", None, {"support": 4})]
    found = cells(*given, month=date(2023, 8, 1))  # type: ignore[arg-type]
    assert {key[0] for key in found if key[0].startswith("minicomp")} == {"minicomp_csat", "minicomp_csat/q"}
    quarter = nation(found, "minicomp_csat/q")
    assert (quarter["period_start"], score(quarter)) == (date(2023, 7, 1), Fraction(9, 2))
    assert score(found["minicomp_csat/q", "", "", "organisation", ESPOO]) == 5


def test_response_rate_rests_on_the_tools_count_else_on_the_answers() -> None:
    given = [customer(a=1), customer(a=None), ("supplier", None, {"a": 3})]
    found = cells(*given, invited=[("customer", 8, None), ("supplier", 10, 4)])  # type: ignore[arg-type]
    rates = {variant: nation(found, "response_rate", variant) for variant in ("customers", "suppliers")}
    assert [(cell["numerator"], cell["denominator"], cell["reason"]) for cell in rates.values()] == [(2, 8, None), (4, 10, None)]


def test_without_invitations_there_is_no_rate_but_a_reason() -> None:
    cell = nation(cells(customer(a=1), customer(a=2)), "response_rate", "customers")
    assert (cell["numerator"], cell["denominator"], cell["reason"], cell["asked"], cell["covered"]) == (
        2,
        None,
        "no_invited",
        2,
        0,
    )


def test_no_answers_no_cells() -> None:
    assert cells() == {}


def test_settled_values_wait_for_nothing_and_need_enough_respondents() -> None:
    few, many = [customer(ESPOO, a=4, b=3, nps=9)] * 4, [customer(VANTAA, a=5, b=4, c=5, nps=0)] * 10
    rows = pl.DataFrame(list(cells(*few, *many).values()), infer_schema_length=None)
    rows = rows.with_columns(period_end=pl.lit(date(2023, 12, 31)), direct_value=pl.col("direct_value").cast(pl.Float64))
    settled = settle(rows, DEFINITIONS, REFERENCE, MEMBERS, levels.names(REFERENCE, KNOWN), date(2024, 1, 1))

    def told(figure_id: str, level_id: str) -> tuple[str, str, str]:
        row = settled.filter(figure_id=figure_id, level_id=level_id).row(0, named=True)
        return str(row["value"]), row["status"], str(row["reason"])

    assert told("csat_mean", "FI") == (str(round((4 * 3.5 + 10 * 14 / 3) / 14, 8)), "final", "None")
    assert told("csat_mean", ESPOO) == ("None", "not_computable", "n_too_small")
    assert told("csat_share_ge_350", "FI") == ("1.00000000", "final", "None")
    assert told("csat_share_ge_350", ESPOO)[2] == "n_too_small"
    assert told("nps", "FI") == ("-42.85714286", "final", "None")
    assert told("csat_area_mean", VANTAA) == ("4.66666667", "final", "None")
    assert told("response_rate", "FI") == ("None", "no_data", "no_invited")
