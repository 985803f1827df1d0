"""One award once, placeholders are no values, one tender's value is not that of each lot (METHOD 39, 40)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from tests.unit.transforms.notice_facts import tables
from tests.unit.transforms.test_notices_source import take
from transforms.formats.rows import RAW
from transforms.measures.procurement_notices import measure
from transforms.sources.notice_values import MONEY, without_placeholders

REFERENCE = Reference.load()
CASES = Path(__file__).parents[4] / "shared" / "data" / "cases"
Rows = Sequence[dict[str, Any]]


def raw(**given: Rows) -> dict[str, pl.DataFrame]:
    """Raw frames with some rows, what is not given null."""
    return {
        table: pl.DataFrame([{"notice_no": 0, **row} for row in given.get(table, ())], schema=dict(schema))
        for table, schema in RAW.items()
    }


@pytest.mark.parametrize(
    ("euros", "is_value"),
    [("0", False), ("0.01", False), ("1", False), ("1.01", True), ("9999", True), ("99999", False), ("999999.99", False),
     ("99999.50", True), ("10000000000", True), ("10000000000.01", False), ("199999", True)],
)  # fmt: skip
def test_placeholders_are_no_values_wherever_they_stand(euros: str, is_value: bool) -> None:
    whole, _, part = euros.partition(".")
    cents = int(whole) * 100 + int((part + "00")[:2])
    for table, columns in MONEY.items():
        for column in columns:
            kept, found = without_placeholders(raw(**{table: [{column: cents}]}), REFERENCE)
            assert kept[table][column].to_list() == [cents if is_value else None]
            assert found["rule"].to_list() == ([] if is_value else ["value_implausible"])
            assert found["column_name"].to_list() == ([] if is_value else [column])


def test_the_value_of_one_tender_is_not_that_of_each_lot() -> None:
    results = [{"result_id": f"RES-{n}", "lot_id": f"LOT-{n}", "award_value_cents": 10_000_000 + n} for n in (1, 2, 3)]
    tenders = [{"tender_id": "TEN-1", "result_id": f"RES-{n}", "is_winner": True, "value_cents": 10_000_000} for n in (1, 2)]
    tenders.append({"tender_id": "TEN-3", "result_id": "RES-3", "is_winner": True, "value_cents": 10_000_003})
    kept, found = without_placeholders(raw(lot_result=results, tender=tenders), REFERENCE)
    assert kept["lot_result"]["award_value_cents"].to_list() == [None, None, 10_000_003]
    assert found.select("rule", "column_name").unique().rows() == [("value_shared", "award_value_cents")]


def test_tenders_of_two_notices_share_nothing() -> None:
    results = [{"notice_no": n, "result_id": "RES-1", "award_value_cents": 500_000} for n in (0, 1)]
    tenders = [{"notice_no": n, "tender_id": "TEN-1", "result_id": "RES-1", "is_winner": True} for n in (0, 1)]
    kept, found = without_placeholders(raw(lot_result=results, tender=tenders), REFERENCE)
    assert kept["lot_result"]["award_value_cents"].to_list() == [500_000, 500_000]
    assert found.is_empty()


def results_of(notices: Rows, lot_results: Rows, winners: Rows) -> list[tuple[object, ...]]:
    measured = measure(tables({"notice": notices, "lot_result": lot_results, "winner": winners}), REFERENCE)
    return measured["lot_result_fact"].select("month", "lot_id", "award_value_cents").sort(pl.all()).rows()


MAY = {"notice_id": "n1", "notice_date": "2024-05-06"}
JULY = {"notice_id": "n2", "notice_date": "2024-07-06"}
AWARD = {"lot_id": "LOT-0001", "decision_date": "2024-04-20", "award_value_cents": 4_000_000}
WINNER = {"supplier_id": "0112038-9", "id_kind": "business_id", "organisation_ref": "ORG-0002"}


def test_a_later_notice_that_restates_an_award_adds_what_is_new() -> None:
    later = [
        {"notice_id": "n2", **AWARD},
        {"notice_id": "n2", "lot_id": "LOT-0002", "decision_date": "2024-06-20", "award_value_cents": 7_000_000},
    ]
    winners = [
        {"notice_id": "n1", "lot_id": "LOT-0001", **WINNER},
        {"notice_id": "n2", "result_id": "RES-0001", **WINNER},
        {"notice_id": "n2", "result_id": "RES-0002", "lot_id": "LOT-0002", **WINNER},
    ]
    for order in (1, -1):
        found = results_of([MAY, JULY][::order], [{"notice_id": "n1", **AWARD}, *later], winners)
        assert [(str(month), lot, cents) for month, lot, cents in found] == [
            ("2024-05-01", "LOT-0001", 4_000_000),
            ("2024-07-01", "LOT-0002", 7_000_000),
        ]


@pytest.mark.parametrize(
    "other",
    [{"decision_date": "2024-06-20"}, {"award_value_cents": 4_100_000}, {"lot_id": "LOT-0002"}, {"decision_date": None}],
    ids=["another day", "another value", "another lot", "no day"],
)
def test_another_award_of_the_procedure_counts(other: dict[str, Any]) -> None:
    second = {"notice_id": "n2", **AWARD, **other}
    winners = [{"notice_id": name, "lot_id": lot, **WINNER} for name, lot in (("n1", "LOT-0001"), ("n2", second["lot_id"]))]
    assert len(results_of([MAY, JULY], [{"notice_id": "n1", **AWARD}, second], winners)) == 2


def test_another_supplier_of_the_lot_counts() -> None:
    winners = [{"notice_id": "n1", **WINNER}, {"notice_id": "n2", **WINNER, "supplier_id": "1927400-1"}]
    assert len(results_of([MAY, JULY], [{"notice_id": "n1", **AWARD}, {"notice_id": "n2", **AWARD}], winners)) == 2


def test_two_contracts_of_one_notice_for_one_lot_both_count() -> None:
    results = [{"notice_id": "n1", **AWARD}, {"notice_id": "n1", **AWARD}]
    winners = [{"notice_id": "n1", "result_id": f"RES-000{n}", **WINNER} for n in (1, 2)]
    assert len(results_of([MAY], results, winners)) == 2


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("07-one-tender-three-lots", [None, None, None]),
        ("09-cumulative-award-notices", [4_000_000, 7_000_000]),
        ("11-placeholder-values", [4_000_000, 7_000_000, None, None, None, None]),
    ],
)
def test_shared_cases(folder: str, wanted: list[int | None], tmp_path: Path) -> None:
    parts, _ = take(tmp_path, {path.name: path.read_bytes() for path in sorted((CASES / folder).glob("*.xml"))})
    accepted = {table.name: pl.concat([part.accepted[table.name] for part in parts]) for table in CONTRACT.tables}
    values = measure(accepted, REFERENCE)["lot_result_fact"]["award_value_cents"].to_list()
    assert sorted(values, key=lambda value: (value is None, value or 0)) == wanted
