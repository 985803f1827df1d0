"""Hilma's own JSON notices: what each says, in every layout, and what their defaults do not say."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from tests.unit.transforms.hilma_shapes import REFERENCE, Json, award, awarded, cased, cleaned, notice, pascal, row, sent
from transforms.measures.notice_versions import counting, current
from transforms.measures.procurement_notices import measure
from transforms.sources.notice_hilma_ted import without_guesses

SHARED = Path(__file__).parents[4] / "shared/data/hilma-json"
def test_a_national_call_is_read_with_local_deadline_and_utc_publication() -> None:
    part = cleaned(notice(9902, 5))
    told, lot = row(part, "notice"), row(part, "lot")

    assert (told["notice_id"], told["procedure_id"], told["subtype"], told["form_type"], told["is_ted"]) == (
        "hilma-5", "hilma-700", "9902", "competition", False,
    )  # fmt: skip
    assert str(told["notice_date"]) == "2022-06-01"  # 21:30 UTC is the next day in Finland
    assert told["dispatch_at"].isoformat() == "2022-05-31T21:30:00+00:00"
    assert lot["deadline_at"].isoformat() == "2022-12-01T12:00:00+00:00"
    assert (lot["criteria"], lot["is_asked"], lot["answer_low_carbon"], lot["answer_sme_considered"]) == ("price", True, True, False)
    assert (lot["answer_biodiversity"], lot["answer_employment_opportunities"]) == (None, 2)
    assert row(part, "procedure")["estimated_value_cents"] == 8_100_050
    assert row(part, "organisation")["nuts"] == "FI1C7"
    assert part.accepted["lot_result"].is_empty()  # defaults are no result
    assert part.accepted["winner"].is_empty()


@pytest.mark.parametrize(
    "layout",
    [cased(notice(9902, 5), pascal), cased(notice(9902, 5), str.upper), sent(), {"value": [notice(9902, 5)]}],
    ids=["pascal", "upper", "wrapper", "list in a list"],
)
def test_every_layout_says_the_same(layout: object) -> None:
    expected, part = cleaned(notice(9902, 5)), cleaned(layout)

    for table in expected.accepted:
        assert part.accepted[table].equals(expected.accepted[table]), table


def test_several_contracts_of_a_lot_are_one_result() -> None:
    part = cleaned(award(awarded(2, None, 100.5), awarded(2, 0, 50.0)))
    result = row(part, "lot_result")

    assert (len(part.accepted["lot_result"]), len(part.accepted["contract"])) == (1, 2)
    assert (result["lot_id"], result["tenders_n"], result["tenders_sme_n"], result["award_value_cents"]) == ("LOT-1", 2, 0, 15_050)
    assert row(part, "winner")["size"] is None  # a box that is not ticked is no large company
    assert row(part, "notice")["notice_id"] == "290001-2022"


@pytest.mark.parametrize(
    ("contracts", "tenders"),
    [
        ([awarded(0, None, 1.0)], None),
        ([awarded(None, None, 1.0)], None),
        ([awarded(3, 1, 1.0), awarded(1, 1, 1.0)], None),
        ([awarded(3, 1, 1.0), awarded(0, None, 1.0)], 3),
    ],
    ids=["default", "absent", "two counts", "one told"],
)
def test_a_count_that_is_not_told_is_unknown(contracts: list[Json], tenders: int | None) -> None:
    assert row(cleaned(award(*contracts)), "lot_result")["tenders_n"] == tenders


def test_what_is_withheld_is_unknown_and_named() -> None:
    hidden = awarded(5, 4, 720.0, disagreeContractorInformationToBePublished=True)
    hidden["numberOfTenders"]["disagreeTenderInformationToBePublished"] = "true"
    hidden["finalTotalValue"]["disagreeToBePublished"] = True
    part = cleaned(award(hidden, kind=600))
    result = row(part, "lot_result")

    assert (result["result_code"], result["tenders_n"], result["tenders_sme_n"], result["award_value_cents"]) == ("selec-w", None, None, None)
    assert part.accepted["winner"].is_empty()
    assert row(part, "notice")["withheld_fields"] == "rec-sub-cou,win-ten-val,winner"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (notice(9902, 5, state=1), "draft"),
        (notice(9902, 5, state=4), "draft"),
        (notice(9912, 5, isPrivateSmallValueProcurement=True), "not public"),
        (sent()["notice"], "status list"),
        ({"projectTitle": "x", "mainType": "y", "noticeNumber": "2022-000005"}, "search index"),
        ({"noticeNumber": "2022-000005", "lotsInfo": {}}, "whole answer"),
    ],
    ids=["draft", "waiting", "private", "bare", "index", "cut"],
)
def test_what_is_no_published_notice_is_refused_by_its_own_words(document: Json, words: str) -> None:
    part = cleaned(document, notice(9902, 6))

    assert len(part.accepted["notice"]) == 1
    assert words in part.failures["value"].item()


@pytest.mark.parametrize(
    ("kind", "role"), [(9902, "call"), (9905, "veat"), (9901, "planning"), (9912, "small_value"), (9913, "small_value"), (9911, "call")]
)
def test_each_type_has_its_role(kind: int, role: str) -> None:
    counted = counting(current(cleaned(notice(kind, 5)).accepted), REFERENCE)

    assert counted.notices["role"].to_list() == [role]


@pytest.mark.parametrize("sign", [{"isCorrigendum": True}, {"changes": [{"section": "IV.2.2"}]}], ids=["flagged", "forgotten"])
def test_a_corrigendum_of_an_eu_call_stays_in_its_procedure(sign: Json) -> None:
    call = notice(200, 5, noticeOjsNumber="2022/S 105-290001")
    later = {"noticeOjsNumber": "2022/S 110-300002", "previousNoticeOjsNumber": "2022/S 105-290001"}
    part = cleaned(call, notice(200, 6, **later, **sign, datePublished="2022-06-10T08:00:00"))
    [speaker] = counting(current(part.accepted), REFERENCE).speaking("call").rows(named=True)

    assert (speaker["notice_id"], speaker["procedure_id"]) == ("300002-2022", "290001-2022")


def test_a_lot_that_stands_twice_is_told() -> None:
    part = cleaned(notice(9902, 5, objectDescriptions=[{"lotNumber": 1}, {"lotNumber": "01"}, {"lotNumber": "2"}]))

    assert part.accepted["lot"]["lot_id"].to_list() == ["LOT-1", "LOT-2"]
    assert part.warnings.select("rule", "value").rows() == [("reference_broken", "LOT-1")]


def test_a_farm_stands_outside_the_population() -> None:
    assert row(cleaned(notice(9903, 5)), "notice")["is_national_population"] is False


@pytest.mark.parametrize("flag", [True, False], ids=["flagged", "forgotten"])
def test_a_corrigendum_of_a_national_call_is_the_same_call(flag: bool) -> None:
    moved = {"tendersOrRequestsToParticipateDueDateTime": "2022-12-09T14:00:00"}
    later = notice(9902, 6, parentId=5, isCorrigendum=flag, datePublished="2022-06-10T08:00:00", tenderingInformation=moved)
    counted = counting(current(cleaned(notice(9902, 5), later).accepted), REFERENCE)
    [speaker] = counted.speaking("call").rows(named=True)

    assert (speaker["notice_id"], str(speaker["family_date"])) == ("hilma-6", "2022-06-01")


def test_the_json_of_a_notice_wins_over_its_ted_xml() -> None:
    tables = cleaned(award(awarded(2, 1, 10.0))).accepted
    xml = {
        name: frame.with_columns(delivery_id=pl.lit("z"), **({"schema": pl.lit("ted")} if name == "notice" else {}))
        for name, frame in tables.items()
    }
    later = xml["notice"].with_columns(pl.col("dispatch_at") + pl.duration(days=1))
    both = {name: pl.concat([frame, later if name == "notice" else xml[name]]) for name, frame in tables.items()}

    assert current(both)["notice"]["schema"].to_list() == ["hilma"]
    assert len(current(both)["lot_result"]) == 1


EXAMPLES = [
    ("01", "notice", {"notice_id": "078901-2021", "subtype": "16", "notice_date": "2021-02-16"}),
    ("01", "procedure", {"buyers_n": 3, "is_joint": True, "estimated_value_cents": 30_000_000, "lots_n": 2}),
    ("02", "notice", {"procedure_id": "hilma-41001", "previous_notice_id": "078901-2021", "total_value_cents": 23_500_050}),
    ("02", "lot_result", {"tenders_n": 4, "tenders_sme_n": 3, "decision_date": "2021-05-20", "award_value_cents": 11_000_000}),
    ("03", "notice", {"notice_id": "133999-2020", "previous_notice_id": "503999-2019", "total_value_cents": 94_000_000}),
    ("03", "lot_result", {"tenders_n": 3, "tenders_sme_n": 0, "decision_date": "2020-03-02"}),
    ("04", "procedure", {"procedure_id": "hilma-62004", "nature": "works", "estimated_value_cents": None}),
    ("04", "lot", {"lot_id": "LOT-0000", "deadline_at": "2022-03-31 12:00:00+00:00", "criteria": "price"}),
    ("05", "notice", {"form_type": "change", "changed_notice_id": "hilma-95004", "is_cancelled": False}),
    ("06", "lot_result", {"tenders_n": None, "decision_date": None, "award_value_cents": 4_500_000}),
    ("07", "notice", {"form_type": "planning", "subtype": "9901", "notice_date": "2023-06-01"}),
    ("08", "lot", {"dps": "dps-nlist", "deadline_at": "2025-04-08 09:00:00+00:00"}),
    ("09", "lot", {"deadline_at": "2026-08-17 09:00:00+00:00", "answer_just_working_conditions": True}),
    ("10", "lot_result", {"result_code": "selec-w", "tenders_n": None, "award_value_cents": None, "decision_date": "2022-05-30"}),
]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared examples are not here")
@pytest.mark.parametrize(("example", "table", "expected"), EXAMPLES)
def test_the_shared_examples(example: str, table: str, expected: Json) -> None:
    document = json.loads(next(SHARED.glob(f"{example}-*.json")).read_text())
    part = cleaned(*(document if isinstance(document, list) else [document]))
    found = row(part, table)

    assert part.failures.is_empty()
    assert {key: found[key] if isinstance(found[key], bool | int | None) else str(found[key]) for key in expected} == expected


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared examples are not here")
def test_the_shared_examples_together_are_the_procedures_that_they_say() -> None:
    part = cleaned(*(json.loads(path.read_text()) for path in sorted(SHARED.glob("*.json"))))
    tables = measure(part.accepted, REFERENCE)
    facts = tables["notice_fact"].group_by("procedure_id").agg(pl.col("role").sort().str.join(","))

    assert dict(facts.iter_rows()) == {
        "078901-2021": "call,result",
        "503999-2019": "result",
        "hilma-62004": "call,call,call",
        "hilma-58006": "veat",
        "623456-2021": "veat",
        "hilma-87007": "planning",
        "181234-2021": "call,result",
        "hilma-111009": "small_value",
        "104321-2022": "result",
    }  # fmt: skip
    bids = tables["lot_result_fact"].select("procedure_id", "lot_id", "result_code", "tenders_n", "tenders_sme_n", "series")
    assert set(bids.filter(procedure_id="078901-2021").drop("procedure_id").rows()) == {
        ("LOT-1", "selec-w", 4, 3, "outside"), ("LOT-2", "selec-w", 1, None, "outside"), ("LOT-3", "clos-nw", None, None, "outside"),
    }  # fmt: skip


def _guesses(schema: str, sent: str, country: str, decided: str) -> dict[str, pl.DataFrame]:
    number = pl.lit(0).alias("notice_no")
    rows = {
        "notice": {"schema": schema, "country": country, "dispatch_date": sent},
        "lot_result": {"tenders_sme_n": 3, "decision_date": decided},
        "winner": {"size": "large"}, "organisation": {"size": "sme"}, "contract": {"decision_date": decided},
    }  # fmt: skip
    days = cs.ends_with("_date").str.to_date()
    return {table: pl.DataFrame([values]).with_columns(number, days) for table, values in rows.items()}


@pytest.mark.parametrize(
    ("schema", "sent", "country", "decided", "sme", "decision"),
    [
        ("ted", "2022-03-01", "FI", "2022-03-01", None, None),
        ("ted", "2019-12-01", "FI", "2019-11-30", None, "2019-11-30"),
        ("ted", "2023-12-31", "FI", "2023-12-31", None, None),
        ("ted", "2019-11-30", "FI", "2019-11-30", 3, "2019-11-30"),
        ("ted", "2022-03-01", "SE", "2022-03-01", 3, "2022-03-01"),
        ("hilma", "2022-03-01", "FI", "2022-03-01", 3, "2022-03-01"),
        ("eforms", "2023-12-01", "FI", "2023-12-01", 3, "2023-12-01"),
    ],
)
def test_what_hilma_guessed_in_ted_xml_is_unknown(
    schema: str, sent: str, country: str, decided: str, sme: int | None, decision: str | None
) -> None:
    frames, found = without_guesses(_guesses(schema, sent, country, decided))

    assert frames["lot_result"]["tenders_sme_n"].item() == sme
    assert frames["winner"]["size"].item() == ("large" if sme else None)
    for table in ("lot_result", "contract"):
        assert frames[table]["decision_date"].cast(pl.String).item() == decision
    assert found.is_empty() == (sme is not None)


def test_the_boxes_of_the_json_are_no_share_of_small_winners() -> None:
    small = awarded(2, 1, 10.0)
    small["contractors"][0]["isSmallMediumEnterprise"] = True
    tables = measure(cleaned(award(small)).accepted, REFERENCE)

    assert tables["lot_result_fact"].select("winners_n", "winners_sized_n", "winners_sme_n", "tenders_sme_n").row(0) == (1, 0, 0, 1)


@pytest.mark.parametrize(("kind", "ended"), [(9902, []), (200, [True])], ids=["national", "EU"])
def test_a_cancelled_national_call_is_no_lot_that_ended(kind: int, ended: list[bool]) -> None:
    number = {"noticeOjsNumber": "2022/S 105-290001"} if kind == 200 else {}
    later = {"noticeOjsNumber": "2022/S 110-300002", "previousNoticeOjsNumber": "2022/S 105-290001"} if kind == 200 else {"parentId": 5}
    cancelled = notice(kind, 6, isCancelled=True, datePublished="2022-06-10T08:00:00", **later)
    tables = measure(cleaned(notice(kind, 5, **number), cancelled).accepted, REFERENCE)

    assert tables["closed_lot"]["is_cancelled_by_notice"].to_list() == ended
    assert tables["procedure_start"]["is_cancelled"].to_list() == [True]
