"""The source as the nightly job uses it: many files of all kinds together, each refused alone; conservation; recognition."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from schemas.errors import DeliveryRefused, Reason
from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered, Limits
from transforms.formats import notices
from transforms.formats.codes import form_of_subtype
from transforms.formats.ted_parts import day_month_year
from transforms.sources import procurement_notices
from transforms.sources.procurement_notices import recognise

CASES = Path(__file__).parents[2] / "cases" / "notices"
CALL = (CASES / "joint_procurement" / "input.xml").read_bytes()
AWARD = (CASES / "service_organisations" / "input.xml").read_bytes()
TED = (CASES / "ted_f03" / "input.xml").read_bytes()
BROKEN_RULES = (CASES / "refused_dummy_dispatch" / "input.xml").read_bytes()
NOTICE_ID = b"00000000-0000-4000-8000-000000000001"


def numbered(data: bytes, number: int) -> bytes:
    return data.replace(NOTICE_ID, f"00000000-0000-4000-8000-{number:012d}".encode())


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members:
            target.writestr(name, content)
    return buffer.getvalue()


def take(folder: Path, files: dict[str, bytes], limits: Limits | None = None) -> tuple[list[CleanPart], Conclusion]:
    """Files by name through read, clean, conclude; the delivery id is the file's name."""
    deliveries = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        produced = datetime(2026, 1, 1, tzinfo=UTC)
        deliveries.append(Delivered(name, "procurement_notices", "hilma", folder / name, name, len(content), produced))
    context = Context(Reference.load(), limits or Limits())
    parts = [procurement_notices.clean(raw, deliveries, context) for raw in procurement_notices.read(deliveries, context)]
    return parts, procurement_notices.conclude(parts, deliveries, context)


def refusals(parts: Sequence[CleanPart], conclusion: Conclusion) -> dict[str, list[str]]:
    every = {delivery: reasons for outcome in (*parts, conclusion) for delivery, reasons in outcome.refused.items()}
    return {delivery: [reason.code for reason in reasons] for delivery, reasons in every.items()}


def test_each_file_stands_for_itself(tmp_path: Path) -> None:
    parts, conclusion = take(
        tmp_path,
        {
            "call.xml": CALL,
            "empty.xml": b"",
            "cut.xml": CALL[: len(CALL) // 2],
            "invoice.xml": b"<Invoice xmlns='urn:x'/>",
            "rules.xml": BROKEN_RULES,
            "ted.xml": TED,
            "translation.xml": TED.replace(b'CATEGORY="ORIGINAL"', b'CATEGORY="TRANSLATION"'),
            "mixed.zip": zipped(("a.xml", numbered(AWARD, 5)), ("b.xml", b"<a>"), ("c.txt", b"words")),
            "bomb.zip": zipped(("a.xml", b"\0" * 3 * 1024**2)),
            "hilma.json": json.dumps({"eForm": base64.b64encode(numbered(CALL, 6)).decode()}).encode(),
            "old.json": b'{"noticeNumber": "2021-1", "project": {}, "lotsInfo": []}',
            "broken.json": b'{"eForm": ',
            "binary.xml": bytes(range(256)) * 10,
        },
    )

    assert refusals(parts, conclusion) == {
        "empty.xml": ["xml_refused"],
        "cut.xml": ["xml_refused"],
        "invoice.xml": ["notice_unknown"],
        "rules.xml": ["buyer_missing", "notice_date_missing", "identifier_duplicate"],
        "translation.xml": ["notice_unknown"],
        "bomb.zip": ["zip_ratio"],
        "old.json": ["notice_unknown"],
        "broken.json": ["json_broken"],
        "binary.xml": ["xml_refused"],
    }
    accepted = parts[0].accepted["notice"].select("delivery_id", "source_line", "subtype").rows()
    assert sorted(accepted) == [("call.xml", 1, "16"), ("hilma.json", 1, "16"), ("mixed.zip", 1, "29"), ("ted.xml", 1, "F03")]
    mixed = parts[0].failures.filter(pl.col("delivery_id") == "mixed.zip").select("source_line", "rule").rows()
    assert sorted(mixed) == [(2, "xml_refused"), (3, "notice_unknown")]
    assert all(reason.text.endswith((".", "again", "notices only", "instead", "file", "it", "notices"))
               for reasons in conclusion.refused.values() for reason in reasons)  # fmt: skip


def test_rows_and_cents_are_conserved(tmp_path: Path) -> None:
    broken = numbered(AWARD, 8).replace(
        b"<cbc:IssueDate>2024-05-06+03:00</cbc:IssueDate>", b"<cbc:IssueDate>0000-01-01</cbc:IssueDate>"
    )
    parts, _ = take(tmp_path, {"a.zip": zipped(("1.xml", numbered(AWARD, 7)), ("2.xml", broken), ("3.xml", b"<a"))})
    counts = parts[0].counts
    rows = {row["table_name"]: row for row in counts.iter_rows(named=True)}

    assert counts.filter(
        (pl.col("rows_read") != pl.sum_horizontal("rows_accepted", "rows_set_aside", "rows_quarantined"))
        | (pl.col("cents_read") != pl.sum_horizontal("cents_accepted", "cents_set_aside", "cents_quarantined"))
    ).is_empty()
    assert sorted(rows) == sorted(table.name for table in CONTRACT.tables)
    assert (rows["notice"]["rows_read"], rows["notice"]["rows_accepted"], rows["notice"]["rows_quarantined"]) == (3, 1, 2)
    assert (rows["tender"]["rows_read"], rows["tender"]["rows_accepted"]) == (4, 2)
    assert (rows["tender"]["cents_read"], rows["tender"]["cents_accepted"], rows["tender"]["cents_quarantined"]) == (
        600_000,
        300_000,
        300_000,
    )


def test_unreadable_amounts_are_left_out_and_counted(tmp_path: Path) -> None:
    odd = AWARD.replace(b">1000</cbc:PayableAmount>", b">1e30</cbc:PayableAmount>").replace(
        b">2000</cbc:PayableAmount>", b">NaN</cbc:PayableAmount>"
    )

    parts, conclusion = take(tmp_path, {"a.xml": odd})

    assert conclusion.refused == {}
    assert parts[0].accepted["tender"]["value_cents"].to_list() == [None, None]
    assert parts[0].counts.filter(pl.col("table_name") == "notice")["amounts_unreadable"].to_list() == [2]
    assert set(parts[0].warnings["rule"]) == {"value_unreadable", "reference_broken"}


def test_the_same_notice_twice_in_a_delivery_counts_once(tmp_path: Path) -> None:
    later = CALL.replace(b"10:30:00+03:00", b"11:30:00+03:00")

    parts, conclusion = take(tmp_path, {"a.zip": zipped(("1.xml", later), ("2.xml", CALL)), "b.xml": CALL})

    assert conclusion.refused == {}
    kept = parts[0].accepted["notice"].select("delivery_id", "source_line").rows()
    assert sorted(kept) == [("a.zip", 1), ("b.xml", 1)]
    assert parts[0].failures.select("delivery_id", "source_line", "rule").rows() == [("a.zip", 2, "notice_repeated")]


def test_two_processes_give_the_same_frames_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "FEW", 200)
    blobs = [(f"d{i}", numbered((CALL, AWARD, b"<a>", TED)[i % 4], i)) for i in range(600)]

    alone, together = notices.read_many(blobs, 1), notices.read_many(blobs, 2)

    assert alone.keys() == together.keys()
    for table in alone:
        assert alone[table].equals(together[table], null_equal=True), table
    assert alone["notice"]["delivery_id"].to_list() == [f"d{i}" for i in range(600) if i % 4 != 2]
    assert alone["notice"]["notice_no"].is_unique().all()


def test_limits_of_size_and_depth_are_settable(tmp_path: Path) -> None:
    parts, conclusion = take(tmp_path, {"a.xml": CALL}, Limits(other_bytes=1000))
    assert refusals(parts, conclusion) == {"a.xml": ["file_too_large"]}

    parts, conclusion = take(tmp_path, {"a.xml": CALL}, Limits(xml_depth=5))
    assert refusals(parts, conclusion) == {"a.xml": ["xml_refused"]}


@pytest.mark.parametrize(
    ("name", "content", "score"),
    [
        ("call.xml", CALL, 95),
        ("ted.xml", TED, 95),
        ("bom.xml", b"\xef\xbb\xbf" + CALL, 95),
        ("head.xml", CALL[:1500], 95),
        ("invoice.xml", b"<Invoice/>", 0),
        ("entity.xml", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 0),
        ("notices.zip", zipped(("a.xml", CALL)), 75),
        ("book.xlsx", zipped(("[Content_Types].xml", b"<a/>"), ("xl/workbook.xml", b"<a/>")), 0),
        ("csv.zip", zipped(("a.csv", b"a;b")), 0),
        ("broken.zip", b"PK\x03\x04nothing", 0),
        ("hilma.json", b'{"eForm": "PD94bWwg", "hilmaStatistics": {}}', 90),
        ("other.json", b'{"rows": [1, 2]}', 0),
        ("invoices.csv", b"a;b;c\n1;2;3\n", 0),
        ("empty", b"", 0),
    ],
)
def test_files_are_recognised_by_their_first_bytes(tmp_path: Path, name: str, content: bytes, score: int) -> None:
    (tmp_path / name).write_bytes(content)

    assert recognise(tmp_path / name) == score


def test_names_of_files_say_nothing_of_coverage() -> None:
    assert procurement_notices.coverage("notices_2024-05.zip") == (None, None, "")


@pytest.mark.parametrize("subtype", ["²", "٣", "9" * 5000, "0", "41", "²16"])
def test_a_subtype_of_odd_digits_is_unknown(subtype: str) -> None:
    assert form_of_subtype(subtype) is None


@pytest.mark.parametrize("day", ["²", "9" * 5000])
def test_a_date_of_odd_digits_is_none(day: str) -> None:
    holder = etree.fromstring(f"<D><YEAR>2016</YEAR><MONTH>1</MONTH><DAY>{day}</DAY></D>")
    assert day_month_year(holder) is None


@pytest.mark.parametrize(
    "error", [AttributeError(), DeliveryRefused(Reason("xml_refused", "too deep"))], ids=["defect", "refusal"]
)
def test_a_document_that_a_reader_cannot_stand_is_refused_alone(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Notices of one delivery: what a reader of ours raises on one of them is said of that one."""
    read = notices.eforms.read

    def fail(root: etree._Element, answers: object) -> object:
        if b"SECOND" in etree.tostring(root):
            raise error
        return read(root, answers)  # type: ignore[arg-type]

    monkeypatch.setattr(notices.eforms, "read", fail)
    blobs = [
        notices.Blob("d", number, numbered(CALL, number).replace(b"</cbc:IssueDate>", b"</cbc:IssueDate><!-- -->"))
        for number in (1, 2, 3)
    ]
    blobs[1] = notices.Blob("d", 2, blobs[1].data.replace(b"00000000-0000-4000-8000-000000000002", b"SECOND"))
    frames = notices.read_chunk(blobs, Limits())
    assert frames["notice"]["source_line"].to_list() == [1, 3]
    (finding,) = frames["finding"].filter(pl.col("source_line") == 2).iter_rows(named=True)
    assert "notice_unknown" in finding.values()


@pytest.mark.parametrize(
    ("day", "clock", "there"),
    [
        ("2024-06-10+03:00", "12:00:00+03:00", "2024-06-10"),
        ("2024-06-10Z", "21:30:00Z", "2024-06-11"),
        ("2024-06-10+00:00", "20:59:00+00:00", "2024-06-10"),
        ("2024-12-10-05:00", "23:00:00-05:00", "2024-12-11"),
        ("2024-06-10", "23:30:00", "2024-06-10"),
    ],
)
def test_a_deadline_falls_on_its_day_in_finland(tmp_path: Path, day: str, clock: str, there: str) -> None:
    text = (CASES / "national_call_statistics" / "input.xml").read_text("utf-8")
    text = text.replace("2024-06-10+03:00", day).replace("12:00:00+03:00", clock)
    parts, _ = take(tmp_path, {"call.xml": text.encode()})
    assert {str(found) for part in parts for found in part.accepted["lot"]["deadline_date"].drop_nulls()} == {there}
