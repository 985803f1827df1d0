"""Hilma's API delivery: JSON that carries eForms notices as Base64, with Hilma's statistics answers beside them, or notices in
Hilma's own shape (hilma_json).

One notice, a list, or a wrapper around a list (a batch of at most 50). Key names differ between the API's endpoints and
versions, so a notice is known by what it holds: a text that is Base64 of XML, or XML itself. Unknown keys are ignored.
Source: hilma-api, endpoints/avpendpoints.md and endpoints/hilmastatistics.md.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from schemas.errors import DeliveryRefused, Reason
from transforms.delivery import Limits
from transforms.formats import hilma_json
from transforms.formats.json_text import require_bounded

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
INDEX_KEYS = frozenset({"maintype", "cpvcodes", "organisationnationalregistrationnumber"})
INDEX_DOCUMENT = "an entry of the search index, which is no notice; fetch the notice by its number from the read API and deliver it"
CUT = "a notice of Hilma without its project or its object; deliver the whole answer of the read API again"
NO_NOTICE = "among notices an object that is no notice, such as an error's message; fetch that notice again and deliver it"
MAX_DEPTH = 6
SHORTEST_NOTICE = 60
"""No Base64 text shorter than this can hold a notice: ids and flags need no decoding."""


@dataclass(frozen=True)
class Document:
    """One notice of a delivery: its 1-based position, the XML (empty when `refused` says why there is none, or `content` is the
    notice in Hilma's own shape) and the statistics answers by lot id."""

    position: int
    data: bytes
    answers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    refused: str | None = None
    content: Mapping[str, object] | None = None


def documents(data: bytes, file_name: str = "", limits: Limits | None = None) -> list[Document]:
    """Every notice in a JSON delivery, in order. Raises DeliveryRefused: `json_broken`, `json_without_notices`."""
    found = [
        replace(document, position=position)
        for position, document in enumerate(_walk(_loaded(data, file_name, limits or Limits()), 0), start=1)
    ]
    if not found:
        text = "no notice in the JSON (a Base64 text of eForms XML, or Hilma's own shape); deliver what the read API returns for notices"
        raise DeliveryRefused(Reason("json_without_notices", text, file=file_name or None))
    return found


def _loaded(data: bytes, file_name: str, limits: Limits) -> object:
    try:
        text = data.decode("utf-8-sig")
        require_bounded(text, file_name, limits)
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
        told = [list(_walk(item, depth + 1)) for item in node]
        for item, documents in zip(node, told, strict=True):
            yield from documents
            if not documents and isinstance(item, dict) and any(told):
                yield Document(0, b"", refused=NO_NOTICE)
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
    elif hilma_json.is_notice(lowered):
        yield Document(0, b"", content=node)
    elif "projecttitle" in lowered and INDEX_KEYS & lowered.keys():
        yield Document(0, b"", refused=INDEX_DOCUMENT)
    elif len(PRE_EFORMS_KEYS & lowered.keys()) >= 2:
        yield Document(0, b"", refused=CUT)
    else:
        answers = _statistics(lowered)
        for value in node.values():
            if isinstance(value, list | dict):
                for document in _walk(value, depth + 1):
                    yield replace(document, answers=document.answers or answers)


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
    if '"procurementprojectid"' in text or '"objectdescriptions"' in text or ('"noticenumber"' in text and '"hilmastatus"' in text):
        return 85
    return 70 if '"pd94bw' in text or '"pfbyaw9y' in text or '"pennb250' in text else 40 if '"noticenumber"' in text else 0
