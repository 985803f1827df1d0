"""Mutated input: whatever the bytes, a delivery is accepted or refused with reasons; nothing else is raised."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import DeliveryRefused
from schemas.reference import Reference
from tests.examples import examples
from transforms.delivery import Limits, RawPart
from transforms.formats import hilma, notices
from transforms.sources import notice_cleaning

CASES = Path(__file__).parents[2] / "cases" / "notices"
SEEDS = [path.read_bytes() for path in sorted(CASES.glob("*/input*.xml"))]
REFERENCE = Reference.load()
JUNK = [
    b"",
    b"-1",
    b"9" * 30,
    b"9" * 5000,
    "²".encode(),
    "٣".encode(),
    b"1e30",
    b"NaN",
    b"0000-00-00",
    b"9999-12-31Z",
    "\u202e".encode(),
    b"&#0;",
    b"<![CDATA[",
    b"\0",
    b"<cbc:ID/>",
]


def become(data: bytes) -> tuple[int, int]:
    """(accepted, refused) notices of one document, through reading and cleaning."""
    frames = notices.read_chunk([notices.Blob("d", 1, data)], Limits())
    part = notice_cleaning.clean(RawPart(frames), REFERENCE)
    return part.accepted["notice"].height, part.failures["source_line"].n_unique()


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A case with a few cuts, copies, swapped texts or changed bytes, mostly still XML so that the readers are reached."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["text", "text", "tag", "attribute", "drop", "repeat", "byte", "cut"]))
        data = mutate(data, kind, draw(st.integers(0, 10**6)), draw(st.sampled_from(JUNK)))
    return data


def mutate(data: bytes, kind: str, place: int, junk: bytes) -> bytes:
    if kind == "cut":
        return data[: place % (len(data) + 1)]
    if kind == "byte":
        position = place % max(len(data), 1)
        return data[:position] + bytes([place % 256]) + data[position + 1 :]
    parts = data.split(b"<")
    index = place % len(parts)
    head, bracket, text = parts[index].partition(b">")
    if kind == "text" and bracket:
        parts[index] = head + bracket + junk
    elif kind == "tag":
        parts[index] = b"cbc:Other" + parts[index][1:]
    elif kind == "attribute":
        parts[index] = head.split(b" ")[0] + bracket + text
    elif kind == "drop":
        del parts[index]
    else:
        parts.insert(index, parts[index])
    return b"<".join(parts)


def blanked(data: bytes, place: int) -> bytes:
    """The document with one element's text replaced: always well-formed."""
    spots = [i for i in range(len(data) - 1) if data[i : i + 1] == b">" and data[i + 1 : i + 2] not in (b"<", b"\n", b" ")]
    start = spots[place % len(spots)] + 1
    return data[:start] + JUNK[place % 7] + data[data.index(b"<", start) :]


@settings(max_examples=examples(100), deadline=5000, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_a_mutated_document_is_taken_or_refused(data: bytes) -> None:
    accepted, refused = become(data)

    assert accepted + refused == 1


@pytest.mark.heavy
@settings(max_examples=600, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_thousands_of_mutated_documents_are_taken_or_refused(data: bytes) -> None:
    assert sum(become(data)) == 1


@settings(max_examples=examples(100), deadline=5000, derandomize=True)
@given(st.sampled_from(SEEDS), st.integers(0, 10**6))
def test_any_value_may_be_nonsense(data: bytes, place: int) -> None:
    accepted, refused = become(blanked(data, place))

    assert accepted + refused == 1


@settings(max_examples=examples(60), deadline=5000, derandomize=True)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda node: st.lists(node) | st.dictionaries(
    st.sampled_from(["eForm", "hilmaStatistics", "notices", "LOT-0001", "noticeNumber", "project", "x"]), node), max_leaves=12))  # fmt: skip
def test_any_json_is_taken_or_refused(value: object) -> None:
    xml = base64.b64encode(SEEDS[0]).decode()
    for node in (value, {"eForm": xml, "hilmaStatistics": value}):
        try:
            documents = hilma.documents(json.dumps(node).encode())
        except DeliveryRefused:
            continue
        blobs = [notices.Blob("d", d.position, d.data, d.answers or None, d.refused) for d in documents]
        part = notice_cleaning.clean(RawPart(notices.read_chunk(blobs, Limits())), REFERENCE)
        assert part.counts["rows_read"].sum() >= len(blobs)


@pytest.mark.parametrize("data", SEEDS[:3], ids=["first", "second", "third"])
def test_truncated_at_every_tenth_is_refused(data: bytes) -> None:
    for tenth in range(10):
        started = time.monotonic()
        assert become(data[: len(data) * tenth // 10]) == (0, 1)
        assert time.monotonic() - started < 5
