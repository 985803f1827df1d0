"""Every published notice is taken (METHOD 42): what it does not say is unknown; refused is only what cannot be read at all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tests.unit.transforms.hilma_shapes import REFERENCE, award, awarded, notice
from tests.unit.transforms.test_notices_contradictory import ted
from tests.unit.transforms.test_notices_source import AWARD, CALL, TED, refusals, take
from transforms.delivery import CleanPart
from transforms.measures.procurement_notices import measure


def one(tmp_path: Path, data: bytes) -> CleanPart:
    """The part of a notice that must be taken whole."""
    name = "notice.json" if data.startswith(b"{") else "notice.xml"
    [part], conclusion = take(tmp_path, {name: data})
    assert refusals([part], conclusion) == {}
    assert part.accepted["notice"].height == 1
    assert part.failures.is_empty()
    return part


def told(part: CleanPart) -> set[str]:
    return set(part.warnings["rule"])


def said(part: CleanPart) -> tuple[object, ...]:
    return part.accepted["notice"].select("form_type", "subtype").row(0)


def subtype(code: str, data: bytes = AWARD) -> bytes:
    return re.sub(rb'(<cbc:SubTypeCode listName="notice-subtype">)[^<]*', rb"\g<1>" + code.encode(), data)


def without(tag: str, data: bytes) -> bytes:
    """The document without elements of that name."""
    return re.sub(rf"<{tag}(?:>| [^>]*>).*?</{tag}>".encode(), b"", data, flags=re.DOTALL)


JSON_AWARD = award(awarded(4, 2, 70_000))


@pytest.mark.parametrize(
    ("data", "form_type", "code"),
    [
        (subtype("41"), "result", "41"),
        (subtype("E9", CALL), "competition", "E9"),
        (subtype("", AWARD), "result", None),
        (without("efac:NoticeSubType", CALL), "competition", None),
        (subtype("Maija Esimerkki"), "result", None),
        (TED.replace(b'FORM="F03"', b'FORM="F26"').replace(b"F03_2014", b"F26_2014"), "result", "F26"),
        (TED.replace(b'FORM="F03"', b'FORM="T02"').replace(b"F03_2014", b"MOVE"), "result", "T02"),
        (json.dumps(JSON_AWARD | {"type": 302}).encode(), "result", "302"),
    ],
    ids=["eForms 41", "eForms E9", "eForms blank", "eForms none", "eForms words", "TED F26", "TED T02", "Hilma 302"],
)
def test_an_unknown_subtype_of_a_known_form_is_taken(tmp_path: Path, data: bytes, form_type: str, code: str | None) -> None:
    part = one(tmp_path, data)
    assert said(part) == (form_type, code)
    assert ("subtype_unknown" in told(part)) == (code != "T02")  # a form of the older schema, if a rare one
    fact = measure(part.accepted, REFERENCE)["notice_fact"]
    assert fact["role"].to_list() == [{"result": "result", "competition": "call"}[form_type]]


def test_a_known_result_keeps_its_facts_under_an_unknown_subtype(tmp_path: Path) -> None:
    known, unknown = one(tmp_path, AWARD), one(tmp_path, subtype("41"))
    columns = ("lot_id", "tenders_n", "award_value_cents")
    assert unknown.accepted["lot_result"].select(columns).equals(known.accepted["lot_result"].select(columns))


WITHOUT_AWARDS = {
    "eForms without NoticeResult": without("efac:NoticeResult", AWARD),
    "eForms with an empty one": without("efac:LotResult", AWARD),
    "TED F03 without sections": ted(""),
    "TED F22 of the document type 7": without("AWARD_CONTRACT", TED)
    .replace(b'FORM="F03"', b'FORM="F22"')
    .replace(b"F03_2014", b"F22_2014"),
    "Hilma 300 with defaults": json.dumps(notice(300, 9, noticeOjsNumber="2022/S 105-290001")).encode(),
    "Hilma 600 without lots": json.dumps(notice(600, 9, noticeOjsNumber="2022/S 105-290001", objectDescriptions=[])).encode(),
}


@pytest.mark.parametrize("name", WITHOUT_AWARDS)
def test_an_award_form_without_awards_is_taken(tmp_path: Path, name: str) -> None:
    part = one(tmp_path, WITHOUT_AWARDS[name])
    assert part.accepted["notice"]["form_type"].to_list() == ["result"]
    assert part.accepted["lot_result"].is_empty()
    assert "result_missing" in told(part)

    measured = measure(part.accepted, REFERENCE)
    assert measured["notice_fact"].height == 1
    assert measured["lot_result_fact"].is_empty()
    assert measured["closed_lot"].is_empty()
    # nobody knows how it ended: not that nothing was awarded
    assert measured["procedure_result"].select("awarded_n", "is_price_only").rows() == [(None, None)]


def test_a_call_without_lots_counts_as_a_notice_only(tmp_path: Path) -> None:
    part = one(tmp_path, without("cac:ProcurementProjectLot", CALL))
    assert told(part) == {"lot_missing"}
    measured = measure(part.accepted, REFERENCE)
    assert (measured["notice_fact"].height, measured["call_lot"].height) == (1, 0)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (subtype("41").replace(b'listName="result">can-standard', b'listName="later">new'), "form_type_unknown"),
        (
            re.sub(rb'<TD_DOCUMENT_TYPE CODE="7">', b'<TD_DOCUMENT_TYPE CODE="X">', TED.replace(b'FORM="F03"', b'FORM="F26"')),
            "notice_unknown",
        ),
        (json.dumps(notice(302, 9)).encode(), "form_type_unknown"),
        (b"<Invoice/>", "notice_unknown"),
        (AWARD[:2000], "xml_refused"),
    ],
    ids=["eForms", "TED", "Hilma", "another document", "cut"],
)
def test_what_nothing_says_what_it_is_is_refused(tmp_path: Path, data: bytes, rule: str) -> None:
    name = "notice.json" if data.startswith(b"{") else "notice.xml"
    parts, conclusion = take(tmp_path, {name: data})
    assert rule in refusals(parts, conclusion)[name]


def test_beside_others_nothing_is_lost(tmp_path: Path) -> None:
    [part], _ = take(
        tmp_path, {f"{n}.xml": data for n, data in enumerate([CALL, WITHOUT_AWARDS["TED F03 without sections"], TED])}
    )
    counts = part.counts.filter(pl.col("table_name") == "notice")
    assert counts.select(pl.col("rows_read").sum(), pl.col("rows_accepted").sum()).row(0) == (3, 3)
