"""Procurement notices from delivered files to the contract's tables: read, clean, conclude, recognise, coverage.

Keyed source: every version is kept, the measures choose the newest. Many small files are read together, in two processes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path

import polars as pl
from lxml import etree

from schemas.contract import Rule
from schemas.errors import DeliveryRefused, Reason
from schemas.procurement_notices import CONTRACT
from transforms.delivery import (
    COUNT_SCHEMA,
    FAILURE_SCHEMA,
    SET_ASIDE_SCHEMA,
    SLICE_SCHEMA,
    CleanPart,
    Conclusion,
    Context,
    Delivered,
    RawPart,
)
from transforms.formats import archive, eforms, hilma, notices, ted
from transforms.sources import notice_cleaning

PROCESSES = 2
GROUP_FILES = 8_000
GROUP_BYTES = 200 * 1024**2
"""Files read into one part: together at most about this many and this large (archives count tenfold)."""
REASONS_SHOWN = 10


def read(deliveries: Sequence[Delivered], context: Context) -> Iterator[RawPart]:
    """Raw frames (formats.rows.RAW) of many delivered files; a file that cannot be taken is refused alone.

    A delivery never spans parts. Notes: what of each archive was passed over.
    """
    for group in _groups(deliveries):
        refused: dict[str, list[Reason]] = {}
        blobs = _blobs(group, context, refused)
        # files are counted, not opened: an archive or a batch among few files still starts helpers when it unfolds to many
        frames = notices.joined(list(notices.read_chunks(blobs, context.limits, PROCESSES, expected=len(group))))
        passed = {item.delivery_id: {"passed_over": kinds} for item in group if (kinds := archive.passed_over(item.path))}
        notes: dict[str, object] = {"of_deliveries": passed} if passed else {}
        yield RawPart(frames=_without(refused, frames) if refused else frames, notes=notes, refused=refused)


def _groups(deliveries: Sequence[Delivered]) -> Iterator[list[Delivered]]:
    group: list[Delivered] = []
    size = 0
    for delivered in deliveries:
        group.append(delivered)
        size += delivered.size * (10 if delivered.file_name.lower().endswith(".zip") else 1)
        if len(group) >= GROUP_FILES or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _blobs(group: Sequence[Delivered], context: Context, refused: dict[str, list[Reason]]) -> Iterator[notices.Blob]:
    for delivered in group:
        try:
            yield from notices.blobs_of(delivered, context.limits)
        except DeliveryRefused as error:
            refused[delivered.delivery_id] = list(error.reasons)


def _without(refused: Collection[str], frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The frames without the notices of deliveries that turned out broken half-way (a damaged zip member)."""
    kept = {table: frames[table].filter(~pl.col("delivery_id").is_in(list(refused))) for table in ("notice", "finding")}
    known = kept["notice"].select("notice_no")
    children = {table: frame for table, frame in frames.items() if table not in kept}
    return kept | {
        table: frame.join(known, on="notice_no", how="semi", maintain_order="left") for table, frame in children.items()
    }


def clean(raw: RawPart, deliveries: Sequence[Delivered], context: Context) -> CleanPart:
    """The contract's tables from one raw part, with failures, warnings and counts; see notice_cleaning."""
    return notice_cleaning.clean(raw, context.reference)


def conclude(parts: Sequence[CleanPart], deliveries: Sequence[Delivered], context: Context) -> Conclusion:
    """Refuses deliveries of which no notice could be taken, with the rules that its notices broke. Parts hold all counts."""
    counts = pl.concat([part.counts for part in parts] or [pl.DataFrame(schema=COUNT_SCHEMA)])
    totals = (
        counts.filter(pl.col("table_name") == "notice")
        .group_by("delivery_id")
        .agg(pl.col("rows_read").sum(), pl.col("rows_accepted").sum())
    )
    accepted = {delivery_id: (read_n, taken) for delivery_id, read_n, taken in totals.iter_rows()}
    already = {delivery_id for part in parts for delivery_id in part.refused}
    refused: dict[str, list[Reason]] = {}
    for delivered in deliveries:
        if delivered.delivery_id in already:
            continue
        read_n, taken = accepted.get(delivered.delivery_id, (0, 0))
        if read_n == 0:
            text = "the file holds no notice; deliver it with its content"
            refused[delivered.delivery_id] = [Reason("no_notice", text, file=delivered.file_name)]
        elif taken == 0:
            refused[delivered.delivery_id] = _reasons(parts, delivered)
    return Conclusion(
        failures=pl.DataFrame(schema=FAILURE_SCHEMA),
        counts=pl.DataFrame(schema=COUNT_SCHEMA),
        set_aside=pl.DataFrame(schema=SET_ASIDE_SCHEMA),
        slices=pl.DataFrame(schema=SLICE_SCHEMA),
        refused=refused,
    )


def _reasons(parts: Sequence[CleanPart], delivered: Delivered) -> list[Reason]:
    failed = notice_cleaning.failed_rules(parts, delivered.delivery_id).head(REASONS_SHOWN)
    reasons = []
    for row in failed.iter_rows(named=True):
        rule: Rule = CONTRACT.table("notice").rule(row["rule"])
        unreadable = rule.name in ("xml_refused", "notice_unknown") and row["column_name"] is None
        text = row["value"] if unreadable and row["value"] else f"{rule.description} Correct the notice and deliver it again."
        reasons.append(
            Reason(
                rule.name,
                text,
                file=delivered.file_name,
                row=row["source_line"],
                column=row["column_name"],
                value=None if unreadable else row["value"],
            )
        )
    return reasons


def recognise(path: Path) -> int:
    """How surely a file holds notices, 0-100, by its first bytes: a known XML root, Hilma's JSON keys, a zip of XML."""
    head = archive.first_bytes(path)
    if archive.is_zip(head):
        return _zip_score(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return hilma.looks_like(head)
    return _root_score(head)


def _zip_score(path: Path) -> int:
    names = [name.lower() for name in archive.names(path)]
    if {"[content_types].xml", "mimetype"} & set(names):  # an office document is a zip of XML too
        return 0
    return 75 if any(name.endswith(".xml") for name in names) else 30 if any(name.endswith(".json") for name in names) else 0


def _root_score(head: bytes) -> int:
    """The root's name from the first bytes; the pull parser stops at the first start tag."""
    puller = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True, load_dtd=False)
    try:
        puller.feed(head)
    except etree.XMLSyntaxError:
        return 0
    for _, root in puller.read_events():
        return 95 if isinstance(root, etree._Element) and (eforms.is_eforms(root) or ted.is_ted(root)) else 0
    return 0


def coverage(file_name: str) -> tuple[date | None, date | None, str]:
    """Nothing: the versions of notices replace each other by key, whatever file they come in."""
    return None, None, ""
