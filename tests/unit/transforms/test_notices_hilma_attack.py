"""Hilma's own JSON as senders and mirrors bend it: read as it was meant, or told; never another value in silence."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from schemas.errors import DeliveryRefused
from tests.unit.transforms.hilma_shapes import Json, award, awarded, cleaned, cleaned_from, notice, organisation, read, row, sent
from transforms.formats import hilma


def _with(kind: int, place: str, value: Any) -> Json:
    """A notice with another value at a dotted place."""
    found = notice(kind, 5)
    *path, last = place.split(".")
    inner = found
    for key in path:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    inner[last] = value
    return found


DEADLINE = "tenderingInformation.tendersOrRequestsToParticipateDueDateTime"
COUNTRY = "project.organisation.information.postalAddress"


@pytest.mark.parametrize(
    ("document", "table", "column", "expected"),
    [
        (_with(9902, "id", 5.0), "notice", "notice_id", "hilma-5"),
        (_with(9902, "id", " 5 "), "notice", "notice_id", "hilma-5"),
        (_with(9902, "procurementProjectId", 0), "notice", "procedure_id", "hilma-5"),
        (_with(9902, "procurementProjectId", None), "procedure", "procedure_type", "open"),
        (_with(9902, "procurementProjectId", "700.0"), "notice", "procedure_id", "hilma-700"),
        (_with(9902, DEADLINE, "2022-12-01T22:30:00Z"), "lot", "deadline_date", "2022-12-02"),
        (_with(9902, DEADLINE, "2022-12-01T23:30:00+02:00"), "lot", "deadline_at", "2022-12-01 21:30:00+00:00"),
        (_with(9902, DEADLINE, "2022-12-01 14:00"), "lot", "deadline_at", "2022-12-01 12:00:00+00:00"),
        (_with(9902, DEADLINE, "2022-07-01T12:00:00.1234567"), "lot", "deadline_at", "2022-07-01 09:00:00+00:00"),
        (_with(9902, DEADLINE, "0001-01-01T00:00:00"), "lot", "deadline_date", None),
        (_with(9902, "datePublished", "2022-05-31T23:30:00+03:00"), "notice", "notice_date", "2022-05-31"),
        (_with(9902, "datePublished", "2022-12-31T22:00:00Z"), "notice", "notice_date", "2023-01-01"),
        (_with(9902, COUNTRY, {}), "notice", "is_national_population", True),
        (_with(9902, COUNTRY, {"country": "Suomi"}), "notice", "is_national_population", True),
        (_with(9902, COUNTRY, {"country": "SE"}), "notice", "is_national_population", False),
        (_with(9902, "type", "9902"), "notice", "subtype", "9902"),
        (_with(200, "noticeOjsNumber", "290001-2022"), "notice", "notice_id", "290001-2022"),
        (_with(200, "tedPublicationInfo", {"no_doc_ojs": "2022/S 105-290001"}), "notice", "notice_id", "290001-2022"),
        (_with(200, "noticeOjsNumber", ""), "notice", "notice_id", "hilma-5"),
        (_with(9902, "hilmaStatistics", None), "lot", "answer_low_carbon", None),
        (_with(9902, "objectDescriptions", None), "lot", "lot_id", "LOT-0000"),
        (_with(9902, "objectDescriptions", {"lotNumber": 3}), "lot", "lot_id", "LOT-3"),
        (_with(9902, "objectDescriptions.0.awardCriteria", [{"criterionTypes": "4"}]), "lot", "criteria", "price"),
        (_with(9902, "objectDescriptions.0.awardCriteria", {"criterionTypes": 8}), "lot", "criteria", None),
        (award(awarded(2, 1, 40.0), kind=301, procedureInformation={}), "lot", "dps", "dps-list"),
        (award(awarded(2, 1, 40.0), procedureInformation={}), "lot", "dps", None),
        (_with(2000, "modifications", {"totalValue": {"type": 1, "value": "7000.10", "currency": "EUR"}}), "notice", "total_value_cents", 700_010),
    ],
)  # fmt: skip
def test_what_is_bent_is_read_as_meant(document: Json, table: str, column: str, expected: object) -> None:
    part = cleaned(document)
    found = row(part, table)[column]

    assert part.failures.is_empty()
    assert (found if isinstance(expected, bool | int | None) else str(found)) == expected


def _award_of(contract: Json, place: str, value: Any) -> Json:
    """An award whose contract has another value at a place."""
    contract[place] = value
    return award(contract)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (_award_of(awarded(3, 1, 1.0), "finalTotalValue", [{"type": 1, "value": 5, "currency": "EUR"}]), (3, 1, 500)),
        (_award_of(awarded(3, 1, 40.0), "numberOfTenders", [{"total": "2", "sme": 0.0}]), (2, 0, 4_000)),
        (award([awarded(3, 1, 2.5)]), (3, 1, 250)),  # type: ignore[arg-type]
        (award(awarded(3, 1, 100.005)), (3, 1, 10_001)),
        (_award_of(awarded(3, 1, 40.0), "conclusionDate", "2022-05-02T21:00:00Z"), (3, 1, 4_000)),
    ],
    ids=["value in a list", "counts in a list", "contracts in a list in a list", "half a cent", "decision with an offset"],
)
def test_lists_where_objects_stand_lose_nothing(document: Json, expected: tuple[int, int, int]) -> None:
    part = cleaned(document)

    assert part.accepted["lot_result"].select("tenders_n", "tenders_sme_n", "award_value_cents").rows() == [expected]
    assert str(row(part, "lot_result")["decision_date"]) == "2022-05-03"
    assert part.failures.is_empty()


@pytest.mark.parametrize("amount", ["100,50", "1 000.50", -100, "1e400", "sata"])
def test_an_amount_that_cannot_be_read_is_told(amount: object) -> None:
    part = cleaned(_award_of(awarded(3, 1, 1.0), "finalTotalValue", {"type": 1, "value": amount, "currency": "EUR"}))

    assert row(part, "lot_result")["award_value_cents"] is None
    assert part.warnings.select("rule", "column_name").rows() == [("value_unreadable", "award_value_cents")]


def test_numbered_and_unnumbered_lots_stand_apart() -> None:
    part = cleaned(notice(9902, 5, objectDescriptions=[{"lotNumber": "2"}, {"lotNumber": ""}, {"lotNumber": ""}]))

    assert part.accepted["lot"]["lot_id"].to_list() == ["LOT-2", "LOT-1", "LOT-3"]
    assert part.warnings.is_empty()


def test_a_draft_in_a_wrapper_without_its_status_is_not_taken() -> None:
    wrapper = sent()
    del wrapper["hilmaStatus"]
    wrapper["notice"]["state"] = 1

    assert "draft" in cleaned(wrapper).failures["value"].item()


def test_a_corrigendum_that_names_only_the_number_of_what_it_corrects_is_the_same_call() -> None:
    later = notice(9902, 6, isCorrigendum=True, corrigendumPreviousNoticeNumber="2022-000005", datePublished="2022-06-10T08:00:00")
    part = cleaned(notice(9902, 5), later)

    assert part.accepted["notice"]["changed_notice_id"].to_list() == [None, "2022-000005"]


@pytest.mark.parametrize(
    ("result", "code", "winners"),
    [
        ({"winners": [organisation("Arkki Oy", "1234567-1")], "dateOfJuryDecision": "2022-05-01T00:00:00"}, "selec-w", 1),
        ({"winners": [organisation("Arkki Oy", "1234567-1")], "disagreeWinnersToBePublished": True}, "selec-w", 0),
        ({"contestWasTerminated": True, "winners": []}, "clos-nw", 0),
        ({"noPrizeType": 1}, "clos-nw", 0),
    ],
    ids=["won", "withheld", "ended", "no prize"],
)
def test_the_result_of_a_design_contest_stands_beside_its_lot(result: Json, code: str, winners: int) -> None:
    part = cleaned(notice(1300, 9, resultsOfContest={"participantsContemplated": 4, "valueOfPrize": {}} | result))

    assert part.accepted["lot_result"].select("result_code", "tenders_n").rows() == [(code, None)]
    assert len(part.accepted["winner"]) == winners


def test_what_is_no_notice_beside_notices_is_told() -> None:
    part = cleaned(notice(9902, 5), {"statusCode": 404, "message": "Resource not found"})

    assert len(part.accepted["notice"]) == 1
    assert "no notice" in part.failures["value"].item()


def test_a_file_of_no_notice_at_all_is_refused_whole() -> None:
    with pytest.raises(DeliveryRefused, match="no notice in the JSON"):
        hilma.documents(json.dumps([{"statusCode": 404}]).encode())


def test_the_json_of_a_notice_wins_over_its_ted_xml_in_one_file() -> None:
    frames = read(notice(200, 5, noticeOjsNumber="2022/S 105-290001"), notice(200, 5, noticeOjsNumber="2022/S 105-290001"))
    is_xml = pl.col("notice_no") == 1
    as_ted = pl.when(is_xml).then(pl.lit("ted")).otherwise("schema")
    later = pl.when(is_xml).then(pl.lit("2022-06-02")).otherwise("dispatch_date")
    frames["notice"] = frames["notice"].with_columns(schema=as_ted, dispatch_date=later)
    part = cleaned_from(frames)

    assert part.accepted["notice"]["schema"].to_list() == ["hilma"]
    assert part.failures["rule"].to_list() == ["notice_repeated"]
