"""Hilma's API delivery: JSON that carries eForms notices as Base64, with Hilma's statistics answers beside them.

One notice, a list, or a wrapper around a list (a batch of at most 50). Key names differ between the API's endpoints and
versions, so a notice is known by what it holds: a text that is Base64 of XML, or XML itself. Unknown keys are ignored.
Source: hilma-api, endpoints/avpendpoints.md and endpoints/hilmastatistics.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.errors import DeliveryRefused, Reason

LIKELY_KEYS = (
    "eform",
    "eforms",
    "eformxml",
    "eformsxml",
    "eformbase64",
    "noticexml",
    "notice",
    "xml",
    "content",
    "document",
    "base64",
    "data",
)
STATISTICS_KEYS = ("hilmastatistics", "statistics")
PRE_EFORMS_KEYS = frozenset({"noticenumber", "procurementprojectid", "lotsinfo", "project", "creatorsystem"})
MAX_DEPTH = 6
SHORTEST_NOTICE = 60
"""No Base64 text shorter than this can hold a notice: ids and flags need no decoding."""


@dataclass(frozen=True)
class Document:
    """One notice of a delivery: its 1-based position, the XML (empty when `refused` says why there is none) and the
    statistics answers by lot id."""

    position: int
    data: bytes
    answers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    refused: str | None = None


def documents(data: bytes, file_name: str = "") -> list[Document]:
    """Every notice in a JSON delivery, in order. Raises DeliveryRefused: `json_broken`, `json_without_notices`."""
    found = [
        Document(position, document.data, document.answers, document.refused)
        for position, document in enumerate(_walk(_loaded(data, file_name), 0), start=1)
    ]
    if not found:
        text = "no eForms notice in the JSON (a Base64 text of XML); deliver what the read API returns for eForms notices"
        raise DeliveryRefused(Reason("json_without_notices", text, file=file_name or None))
    return found


def _loaded(data: bytes, file_name: str) -> object:
    try:
        text = data.decode("utf-8-sig")
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":  # JSON lines: one notice a line
                return [json.loads(line) for line in text.splitlines() if line.strip()]
            raise
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        text = "not JSON in UTF-8, cut off, or nested too deeply; deliver the whole answer of the API again"
        raise DeliveryRefused(Reason("json_broken", text, file=file_name or None, row=line)) from error


def _walk(node: object, depth: int) -> Iterator[Document]:
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, depth + 1)
    elif isinstance(node, str):
        xml = _xml(node)
        if xml is not None:
            yield Document(0, xml)
    elif isinstance(node, dict):
        yield from _object(node, depth)


def _object(node: dict[str, object], depth: int) -> Iterator[Document]:
    """A notice object, or a wrapper whose values hold some."""
    lowered = {str(key).lower(): value for key, value in node.items()}
    xml = _notice_xml(lowered)
    if xml is not None:
        yield Document(0, xml, _statistics(lowered))
    elif len(PRE_EFORMS_KEYS & lowered.keys()) >= 2:
        yield Document(0, b"", refused="a notice in Hilma's form from before eForms; deliver its eForms or TED XML instead")
    else:
        answers = _statistics(lowered)
        for value in node.values():
            if isinstance(value, list | dict):
                for document in _walk(value, depth + 1):
                    yield Document(0, document.data, document.answers or answers, document.refused)


def _notice_xml(lowered: Mapping[str, object]) -> bytes | None:
    likely = [lowered[key] for key in LIKELY_KEYS if key in lowered]
    others = [value for key, value in lowered.items() if key not in LIKELY_KEYS]
    for value in likely + others:
        if isinstance(value, str):
            xml = _xml(value)
            if xml is not None:
                return xml
    return None


def _xml(text: str) -> bytes | None:
    """The XML in a text: as it is, or Base64 (also the URL-safe alphabet, wrapped lines, missing padding). None if neither."""
    head = text[:64].lstrip("\ufeff \t\r\n")
    if head.startswith("<"):
        return text.lstrip("\ufeff").encode("utf-8", "replace")
    if len(text) < SHORTEST_NOTICE or not head[:1].isascii():
        return None
    packed = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        xml = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    start = xml[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    return xml if start.startswith(b"<") else None


def _statistics(lowered: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Answers by lot id; also from a list of objects that name their lot, and from JSON kept as text."""
    value: object = next((lowered[key] for key in STATISTICS_KEYS if lowered.get(key)), None)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    if isinstance(value, list):
        named = [item for item in value if isinstance(item, dict)]
        return {str(lot): item for item in named if (lot := item.get("lotId") or item.get("lot"))}
    if isinstance(value, dict):
        return {str(lot): answers for lot, answers in value.items() if isinstance(answers, dict)}
    return {}


def looks_like(head: bytes) -> int:
    """How much the first bytes look like a Hilma delivery, 0 to 100."""
    text = head[:65_536].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    if not text.startswith(("{", "[")):
        return 0
    if "hilmastatistics" in text or '"eform' in text:
        return 90
    return 70 if '"pd94bw' in text or '"pfbyaw9y' in text or '"pennb250' in text else 40 if '"noticenumber"' in text else 0
