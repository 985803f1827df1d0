"""Figures of contact requests: percentiles by Kaplan and Meier against published data and a calculation of its own; shares."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.key_figure import CELL
from transforms import periods
from transforms.key_figures import contact_times, contacts
from transforms.key_figures.contact_times import percentiles
from transforms.key_figures.parameters import Parameters
from transforms.measures.contact_requests import BACKLOG, CASES, CLOSINGS

# Freireich et al., Blood 21 (1963): weeks in remission; "+" still in remission. Medians 23 and 8 as published with it.
TREATED = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
JANUARY = date(2024, 1, 1)
MEMBERS = pl.DataFrame(
    {
        "organisation_id": ["a", "a", "b", "b"],
        "level": ["national", "organisation"] * 2,
        "level_id": ["FI", "a", "FI", "b"],
        "valid_from": [date(1900, 1, 1)] * 4,
        "valid_to": [date(9999, 12, 31)] * 4,
    }
)


def _observed(text: str) -> tuple[list[int], list[bool]]:
    rows = sorted((int(word.rstrip("+")), word.endswith("+")) for word in text.split())
    return [time for time, _ in rows], [not waits for _, waits in rows]


@pytest.mark.parametrize(("text", "median"), [(TREATED, 23), (PLACEBO, 8)])
def test_published_medians(text: str, median: int) -> None:
    assert percentiles(*_observed(text))["median"] == median


@pytest.mark.parametrize(
    ("text", "median", "p90"),
    [
        ("5", 5, 5),
        ("1 2", 1, 2),
        ("1 2 3", 2, 3),
        ("1 2 3 4 5 6 7 8 9 10", 5, 9),
        ("1 2 3 4 5 6 7 8 9 10 11", 6, 10),
        ("1+ 2+", None, None),
        ("1 2+", 1, None),
        ("1 2+ 3+", None, None),
        ("5 5+", 5, None),  # what ends at a time was still at risk then, as was what waits
        ("1+ 2 3", 2, 3),
        ("", None, None),
    ],
)
def test_small_cases_by_hand(text: str, median: int | None, p90: int | None) -> None:
    assert percentiles(*_observed(text)) == {"median": median, "p90": p90}


def _by_definition(times: list[int], ended: list[bool], share: Fraction) -> int | None:
    left = Fraction(1)
    for moment in sorted(set(times)):
        at_risk = sum(time >= moment for time in times)
        gone = sum(time == moment and done for time, done in zip(times, ended, strict=True))
        left *= Fraction(at_risk - gone, at_risk)
        if left <= 1 - share:
            return moment
    return None


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=25))
def test_percentiles_follow_the_definition(rows: list[tuple[int, bool]]) -> None:
    ordered = sorted(rows, key=lambda row: (row[0], not row[1]))
    times, ended = [time for time, _ in ordered], [done for _, done in ordered]

    assert percentiles(times, ended) == {
        "median": _by_definition(times, ended, Fraction(1, 2)),
        "p90": _by_definition(times, ended, Fraction(9, 10)),
    }


def _case(organisation: str, number: int, hours: float | None, state: str = "ended", **values: object) -> dict[str, object]:
    seconds = None if hours is None else round(hours * 3_600)
    own = {"organisation_id": organisation, "month": JANUARY, "agency": "x", "case_id": str(number)}
    times = {"response": state, "response_seconds": seconds, "resolution": state, "resolution_seconds": seconds}
    return dict.fromkeys(CASES.polars_schema().names()) | own | times | values


def _cells(*cases: dict[str, object]) -> dict[tuple[str, str, str], tuple[float | None, int, int, str | None]]:
    """(figure, variant, level id) -> value, n, asked, reason of January."""
    touched = pl.DataFrame([periods.period("month", JANUARY)], schema=periods.SCHEMA, orient="row")
    frame = pl.DataFrame(list(cases), schema=CASES.polars_schema())
    found = contact_times.cells({"contact_case": frame}, Parameters(), touched, MEMBERS)
    assert set(found.columns) == set(CELL.polars_schema())
    return {
        (row["figure_id"], row["variant"], row["level_id"]): (row["direct_value"], row["n"], row["asked"], row["reason"])
        for row in found.iter_rows(named=True)
    }


def test_times_of_a_place_are_taken_from_its_cases_not_from_its_organisations() -> None:
    found = _cells(*(_case("a", n, hours) for n, hours in enumerate((1, 2, 3))), _case("b", 9, 48))

    assert found["contact_first_response_hours", "median", "FI"] == (2.0, 4, 4, None)
    assert found["contact_first_response_hours", "median", "a"] == (2.0, 3, 3, None)
    assert found["contact_first_response_hours", "p90", "FI"] == (48.0, 4, 4, None)
    assert found["contact_resolution_days", "p90", "b"] == (2.0, 1, 1, None)


def test_p90_is_empty_only_over_ten_per_cent_open() -> None:
    ten = [_case("a", n, n + 1) for n in range(9)]
    at_limit = _cells(*ten, _case("a", 99, 50, "waiting"))
    over = _cells(*ten[1:], _case("a", 99, 50, "waiting"))

    assert at_limit["contact_resolution_days", "p90", "a"] == (9 / 24, 10, 10, None)
    assert over["contact_resolution_days", "p90", "a"] == (None, 9, 9, "too_many_open")
    assert over["contact_resolution_days", "median", "a"] == (6 / 24, 9, 9, None)


def test_unknown_times_lower_the_coverage_and_none_leave_no_figure() -> None:
    some = _cells(_case("a", 1, 3), _case("a", 2, None, "unknown"))
    none = _cells(_case("a", 2, None, "unknown"))

    assert some["contact_first_response_hours", "median", "a"] == (3.0, 1, 2, None)
    assert none["contact_first_response_hours", "p90", "a"] == (None, 0, 1, "no_response_times")
    assert none["contact_resolution_days", "median", "a"] == (None, 0, 1, "no_closing_times")


def test_no_cases_have_no_times() -> None:
    assert _cells() == {}


def _sums(cases: list[dict[str, object]], closings: list[dict[str, object]], backlog: list[dict[str, object]]) -> pl.DataFrame:
    frames = {
        table.name: pl.DataFrame(rows, schema=table.polars_schema())
        for table, rows in ((CASES, cases), (CLOSINGS, closings), (BACKLOG, backlog))
    }
    series = ["figure_id", "breakdown_kind", "breakdown_id"]
    return (
        contacts.compute(frames, Parameters()).group_by(series).agg(pl.col("numerator", "denominator", "covered", "asked").sum())
    )


def test_requests_by_type_and_joint_procurement() -> None:
    kinds = ("advice", "advice", "document_comment", "mini_competition", "unmapped", None)
    joints = ("YH-1", "YH-1", None, None, "unmapped", None)
    cases = [
        _case("a", n, 1, request_type=kind, joint_procurement=joint)
        for n, (kind, joint) in enumerate(zip(kinds, joints, strict=True))
    ]
    found = {tuple(row[:3]): tuple(row[3:]) for row in _sums(cases, [], []).iter_rows()}

    assert found["contacts_n", "", ""][0] == 6
    by_type = {key[2]: value[0] for key, value in found.items() if key[1] == "request_type"}
    assert by_type == {"advice": 2, "document_comment": 1, "mini_competition": 1, "unmapped": 2}
    by_joint = {key[2]: value[0] for key, value in found.items() if key[1] == "joint_procurement"}
    assert by_joint == {"YH-1": 2, "unmapped": 1}
    assert found["contacts_advice_share", "", ""] == (2, 4, 4, 6)
    assert found["contacts_doc_comment_n", "", ""][0] == 1
    assert found["contacts_doc_comment_n", "", ""][2:] == (4, 6)


def test_reopened_share_and_backlog_sum_over_organisations() -> None:
    whose = {"month": JANUARY, "organisation_name": None}
    closings = [{"organisation_id": key, "closed_n": n, "reopened_n": m, **whose} for key, n, m in (("a", 10, 1), ("b", 30, 1))]
    backlog = [{"organisation_id": key, "open_n": n, **whose} for key, n in (("a", 0), ("b", 7))]
    found = {row[0]: row[3:] for row in _sums([], closings, backlog).iter_rows()}

    assert found["contact_reopen_share"][:2] == (2, 40)
    assert found["contact_backlog"][0] == 7
