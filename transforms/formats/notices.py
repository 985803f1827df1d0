"""Many notice documents, of whichever schema, to raw frames, in two processes when there are many.

A document that cannot be read is a finding without a notice; it never stops the others.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from multiprocessing.process import BaseProcess

import polars as pl

from schemas.errors import speaks_of_content
from transforms.delivery import Delivered, Limits
from transforms.formats import archive, eforms, hilma, hilma_json, ted
from transforms.formats.eforms_parts import Answers
from transforms.formats.rows import Columns, Notice
from transforms.formats.xml import Parser, XmlRefused

log = logging.getLogger(__name__)

Frames = dict[str, pl.DataFrame]
FEW = 1_000
"""Up to this many documents are read by this process alone: starting another takes a second of a processor, as they do."""
CHUNK_DOCUMENTS = 250
CHUNK_BYTES = 16 * 1024**2
UNREAD = "the notice's content cannot be read; check it against its schema and deliver it again"


@dataclass(frozen=True, slots=True)
class Blob:
    """One document: the delivery it belongs to, its 1-based position there, its bytes or its content (Hilma's own JSON), and
    Hilma's answers if any."""

    delivery_id: str
    position: int
    data: bytes
    answers: Answers | None = None
    refused: str | None = None
    content: Mapping[str, object] | None = None


@lru_cache(maxsize=4)
def _parser(limits: Limits) -> Parser:
    """One parser per process: building one compiles its depth test."""
    return Parser(limits.other_bytes, limits.xml_depth)


def read_chunk(blobs: Sequence[Blob], limits: Limits) -> Frames:
    """Raw frames (columns of rows.RAW) of some documents; notice_no counts from 0 within the chunk."""
    parser, columns = _parser(limits), Columns()
    for number, blob in enumerate(blobs):
        if blob.refused is not None:
            columns.unread(blob.delivery_id, blob.position, "notice_unknown", blob.refused)
            continue
        try:
            notice = _read(blob, parser)
        except XmlRefused as error:
            columns.unread(blob.delivery_id, blob.position, "xml_refused", error.reasons[0].text)
            continue
        except hilma_json.NotTakenError as error:
            columns.unread(blob.delivery_id, blob.position, "notice_unknown", str(error))
            continue
        except Exception as error:
            if not speaks_of_content(error):
                raise
            log.exception("document %s of delivery %s could not be read", blob.position, blob.delivery_id)
            columns.unread(blob.delivery_id, blob.position, "notice_unknown", UNREAD)
            continue
        if notice is None:
            text = "the root element or form is none of eForms or TED R2.0.8/R2.0.9; deliver procurement notices"
            columns.unread(blob.delivery_id, blob.position, "notice_unknown", text)
        else:
            columns.add(number, blob.delivery_id, blob.position, notice)
    return columns.frames()


def _read(blob: Blob, parser: Parser) -> Notice | None:
    """The notice in a document; None where its root is of neither schema."""
    if blob.content is not None:
        return hilma_json.read(blob.content)
    root = parser.parse(blob.data)
    if eforms.is_eforms(root):
        return eforms.read(root, blob.answers)
    return ted.read(root) if ted.is_ted(root) else None


def read_many(blobs: Sequence[tuple[str, bytes]], processes: int, limits: Limits | None = None) -> Frames:
    """Raw frames of (name, bytes) documents in order, each a delivery of its own; the whole of it for benchmarks.

    `processes` is how many work at once; 1 works in this process.
    """
    wrapped = (Blob(name, 1, data) for name, data in blobs)
    return joined(list(read_chunks(wrapped, limits or Limits(), processes, expected=len(blobs))))


def read_chunks(blobs: Iterable[Blob], limits: Limits, processes: int, expected: int | None = None) -> Iterator[Frames]:
    """Raw frames chunk by chunk, in order. Processes are started only when more than FEW documents come."""
    chunks = chunked(blobs)
    head: list[list[Blob]] = []
    waiting = 0
    for chunk in chunks:
        head.append(chunk)
        waiting += len(chunk)
        if waiting > FEW:
            break
    if processes < 2 or max(waiting, expected or 0) <= FEW:
        for chunk in [*head, *chunks]:
            yield read_chunk(chunk, limits)
        return
    yield from _in_processes(head, chunks, limits, processes)


def _in_processes(head: list[list[Blob]], chunks: Iterator[list[Blob]], limits: Limits, processes: int) -> Iterator[Frames]:
    """This process reads too: it starts at once and saves sending half of the bytes. Results keep the order of the chunks.

    The others are spawned, not forked: this process runs threads (Polars), and a forked copy of a held lock would hang. When
    one is killed (memory), its chunks are read here.
    """
    helpers = processes - 1
    results: deque[Frames | tuple[list[Blob], Future[Frames]]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(helpers, mp_context=context, initializer=_start_helper) as pool:
        for chunk in chain(head, chunks):
            given = sum(isinstance(result, tuple) and not result[1].done() for result in results)
            results.append(_given(pool, chunk, limits) if given < 2 * helpers else read_chunk(chunk, limits))
            while results and (not isinstance(results[0], tuple) or results[0][1].done()):
                yield _settled(results.popleft(), limits)
        while results:
            yield _settled(results.popleft(), limits)


def _start_helper() -> None:
    """A helper collects no garbage (rows hold no cycles) and ends with its parent: waiting for work it would not notice that
    the parent was killed."""
    gc.disable()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _given(pool: ProcessPoolExecutor, chunk: list[Blob], limits: Limits) -> Frames | tuple[list[Blob], Future[Frames]]:
    try:
        return chunk, pool.submit(read_chunk, chunk, limits)
    except BrokenProcessPool:
        return read_chunk(chunk, limits)


def _settled(result: Frames | tuple[list[Blob], Future[Frames]], limits: Limits) -> Frames:
    if not isinstance(result, tuple):
        return result
    try:
        return result[1].result()
    except BrokenProcessPool:
        return read_chunk(result[0], limits)


def chunked(blobs: Iterable[Blob]) -> Iterator[list[Blob]]:
    """Groups documents by number and bytes, keeping their order."""
    chunk: list[Blob] = []
    size = 0
    for blob in blobs:
        chunk.append(blob)
        size += len(blob.data)
        if len(chunk) >= CHUNK_DOCUMENTS or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def joined(chunks: Sequence[Frames]) -> Frames:
    """Frames of several chunks one after another, with notice_no made unique."""
    if not chunks:
        return Columns().frames()
    shifted = [
        {table: frame.with_columns(pl.col("notice_no") + position * CHUNK_DOCUMENTS) for table, frame in chunk.items()}
        for position, chunk in enumerate(chunks)
    ]
    return {table: pl.concat([chunk[table] for chunk in shifted]) for table in chunks[0]}


def blobs_of(delivered: Delivered, limits: Limits) -> Iterator[Blob]:
    """The documents in one delivered file: XML, a zip of XML and JSON files, or Hilma's JSON.

    Raises DeliveryRefused when the file as a whole cannot be taken (size, zip rules, JSON that is none).
    """
    data = archive.read_limited(delivered.path, limits.other_bytes)
    if not archive.is_zip(data):
        yield from _numbered(delivered.delivery_id, _documents(data, delivered.file_name, limits), 0)
        return
    position = 0
    for member, content in archive.read_members(data, limits, delivered.file_name):
        if member.name.lower().endswith((".xml", ".json")):
            documents = _documents(content, member.name, limits)
        else:
            documents = [hilma.Document(1, b"", refused="a file in the archive that is neither XML nor JSON; pack notices only")]
        for blob in _numbered(delivered.delivery_id, documents, position):
            position = blob.position
            yield blob


def _documents(data: bytes, name: str, limits: Limits) -> list[hilma.Document]:
    if data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return hilma.documents(data, name, limits)
    return [hilma.Document(1, data)]


def _numbered(delivery_id: str, documents: Sequence[hilma.Document], start: int) -> Iterator[Blob]:
    for document in documents:
        yield Blob(delivery_id, start + document.position, document.data, document.answers or None, document.refused, document.content)
