"""Hilma's JSON in every shape it comes in, and JSON that is something else."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from schemas.errors import DeliveryRefused
from transforms.formats import hilma
from transforms.formats.eforms_parts import lot_answers

XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<ContractNotice xmlns="urn:x">' + b"x" * 40 + b"</ContractNotice>"
PACKED = base64.b64encode(XML).decode()
ANSWERS = {"LOT-0001": {"lowCarbon": True}}

SHAPES = {
    "one notice": {"id": 1, "eForm": PACKED, "hilmaStatistics": ANSWERS},
    "capitals": {"Id": 1, "EForm": PACKED, "HilmaStatistics": ANSWERS},
    "other key": {"noticeXmlContent": PACKED, "statistics": ANSWERS, "isPlan": False},
    "list": [{"eForms": PACKED, "hilmaStatistics": ANSWERS}],
    "batch": {"count": 1, "notices": [{"noticeId": 7, "eFormsXml": PACKED, "hilmaStatistics": ANSWERS}]},
    "odata": {"@odata.context": "x", "value": [{"document": PACKED, "hilmaStatistics": ANSWERS}]},
    "nested": {"data": {"items": [{"notice": {"eForm": PACKED}, "hilmaStatistics": ANSWERS}]}},
    "statistics as text": {"eForm": PACKED, "hilmaStatistics": json.dumps(ANSWERS)},
    "statistics as list": {"eForm": PACKED, "hilmaStatistics": [{"lotId": "LOT-0001", "lowCarbon": True}]},
    "plain xml": {"eForm": XML.decode(), "hilmaStatistics": ANSWERS},
    "url-safe, unpadded, wrapped": {
        "eForm": "\n".join(base64.urlsafe_b64encode(XML).decode().rstrip("=")[i : i + 76] for i in range(0, 400, 76)),
        "hilmaStatistics": ANSWERS,
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_notice_is_found_with_its_answers(name: str) -> None:
    [document] = hilma.documents(json.dumps(SHAPES[name]).encode())

    assert document.data == XML
    assert document.answers["LOT-0001"]["lowCarbon"] is True
    assert document.position == 1


def test_notices_of_a_batch_keep_their_order_and_their_own_answers() -> None:
    batch = [{"eForm": PACKED, "hilmaStatistics": {"LOT-0001": {"lowCarbon": number}}} for number in (True, False, None)]

    found = hilma.documents(b"\xef\xbb\xbf" + json.dumps(batch).encode())

    assert [(d.position, d.answers["LOT-0001"]["lowCarbon"]) for d in found] == [(1, True), (2, False), (3, None)]


def test_json_lines_are_a_batch() -> None:
    lines = "\n".join(json.dumps({"eForm": PACKED}) for _ in range(3))

    assert [document.position for document in hilma.documents(lines.encode())] == [1, 2, 3]


def test_an_entry_of_the_search_index_is_refused_by_itself() -> None:
    old = {"id": "OLD-5", "noticeNumber": "2021-000001", "projectTitle": "x", "mainType": "National", "cpvCodes": "90910000 x"}

    found = hilma.documents(json.dumps([old, {"eForm": PACKED}]).encode())

    assert [document.refused is None for document in found] == [False, True]
    assert "search index" in (found[0].refused or "")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "json_broken"),
        (b'{"eForm": "' + PACKED.encode(), "json_broken"),
        (b"\xff\xfe{", "json_broken"),
        (b"[" * 100_000, "json_broken"),
        (b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, "json_broken"),
        (b"[]", "json_without_notices"),
        (b"{}", "json_without_notices"),
        (b'{"eForm": null, "hilmaStatistics": {}}', "json_without_notices"),
        (b'{"eForm": "bm90IHhtbA=="}', "json_without_notices"),
        (
            json.dumps({"text": base64.b64encode(b"plain words, no markup at all, however long they are").decode()}).encode(),
            "json_without_notices",
        ),
    ],
)
def test_json_without_notices_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(DeliveryRefused) as refusal:
        hilma.documents(data, "answer.json")

    assert [(reason.code, reason.file) for reason in refusal.value.reasons] == [(code, "answer.json")]


def test_answers_are_read_in_the_contract_s_order_and_words_are_understood() -> None:
    answers = {
        "energyEfficiencyConsidered": "yes",
        "LOWCARBON": 0,
        "circularEconomy": "maybe",
        "howManyOpportunitiesIsEstimated": "3",
        "endUserInvolved": False,
    }

    found = lot_answers(answers)

    assert found[:3] == (True, False, None)
    assert found[-2:] == (False, 3)
    assert lot_answers({"howManyOpportunitiesIsEstimated": -5})[-1] is None
    assert lot_answers({"howManyOpportunitiesIsEstimated": True})[-1] is None


def test_first_bytes_tell(tmp_path: Path) -> None:
    assert hilma.looks_like(json.dumps(SHAPES["batch"]).encode()) == 90
    assert hilma.looks_like(json.dumps({"content": PACKED}).encode()) == 70
    assert hilma.looks_like(b'{"rows": []}') == 0
    assert hilma.looks_like(b"a;b;c") == 0
