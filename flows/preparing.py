"""Preparing: landed deliveries -> Parquet written aside, counts, failures. Needs no lock and knows no warehouse tables.

Parts of a file are read in order and cleaned and written by a small pool of threads (the work releases the interpreter),
with a bounded queue, so memory does not grow with the file.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import polars as pl

from schemas.contract import Table
from schemas.errors import DeliveryRefused, Reason, speaks_of_content
from transforms.delivery import (
    COUNT_SCHEMA,
    FAILURE_SCHEMA,
    SET_ASIDE_SCHEMA,
    SLICE_SCHEMA,
    CleanPart,
    Context,
    Delivered,
    RawPart,
    Source,
)
from warehouse.home import Home
from warehouse.lake import Batch
from warehouse.landing import Landed
from warehouse.ledger import PreparedBatch

log = logging.getLogger(__name__)

WORKERS = 2
WAITING_PARTS = 3
LARGE_BYTES = 32 * 1024 * 1024
"""From this size a delivery keeps both cores busy by itself."""
COVERED_SCHEMA = pl.Schema([*SLICE_SCHEMA.items(), ("rows_n", pl.Int64), ("cents", pl.Int64)])
Progress = Callable[[str, int], None]
"""Called with a delivery's file name and the rows done so far."""


def silent(_name: str, _rows: int) -> None:
    """The progress of those who do not watch."""


def delivered(landed: Landed) -> Delivered:
    """The landed delivery as reading sees it."""
    intent = landed.intent
    return Delivered(
        delivery_id=landed.delivery_id,
        source=intent.source,
        agency=intent.agency,
        path=landed.file,
        file_name=intent.file_name,
        size=landed.size,
        produced_at=intent.produced_at,
        coverage_from=intent.coverage_from,
        coverage_to=intent.coverage_to,
        part=intent.part,
    )


def prepare(
    pending: Sequence[tuple[Source, Sequence[Landed]]], context: Context, home: Home, progress: Progress = silent
) -> list[PreparedBatch]:
    """Prepare the pending deliveries of each source: each alone for a snapshot source, an agency's together for a keyed one.

    Small ones are prepared side by side, a large one alone, for the sake of memory. The order of the answer is fixed.
    """
    groups = [(source, group) for source, landed in pending for group in _groups(source, landed)]

    def one(source: Source, group: Sequence[Landed]) -> list[PreparedBatch]:
        return list(_prepare_isolated(source, group, context, home, progress))

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="prepare") as pool:
        small = {
            n: pool.submit(one, *group) for n, group in enumerate(groups) if sum(item.size for item in group[1]) < LARGE_BYTES
        }
        done = {n: future.result() for n, future in small.items()}
    return [batch for n, group in enumerate(groups) for batch in (done[n] if n in done else one(*group))]


def _groups(source: Source, landed: Sequence[Landed]) -> list[Sequence[Landed]]:
    """What is read together; a file that is not what was landed stands alone, for it is refused alone."""
    alone = [item for item in landed if source.contract.kind == "snapshot" or not _is_whole(item)]
    together = [item for item in landed if item not in alone]
    agencies = sorted({item.intent.agency for item in together})
    return [*([item] for item in alone), *([item for item in together if item.intent.agency == name] for name in agencies)]


def _is_whole(item: Landed) -> bool:
    """A file that its writer still held open while it was landed is not what was hashed; nor is one that is gone."""
    try:
        return item.file.stat().st_size == item.size
    except FileNotFoundError:
        return False


def _prepare_isolated(
    source: Source, group: Sequence[Landed], context: Context, home: Home, progress: Progress
) -> Iterator[PreparedBatch]:
    """A group together; where one file spoils it, its files one by one."""
    try:
        yield _prepare_group(source, group, context, home, progress, isolate=len(group) > 1)
    except BaseException as error:
        if not speaks_of_content(error):
            raise
        log.exception(
            "%s deliveries of %s could not be read together; reading them one by one", len(group), group[0].intent.agency
        )
        for item in group:
            yield _prepare_group(source, [item], context, home, progress)


def _prepare_group(
    source: Source, group: Sequence[Landed], context: Context, home: Home, progress: Progress, isolate: bool = False
) -> PreparedBatch:
    first = group[0]
    batch = Batch(home, source.contract.source, first.intent.agency, f"{first.delivery_id}-{first.journal_n}")
    batch.discard()
    deliveries = [delivered(item) for item in group]
    refused: dict[str, list[Reason]] = {}
    parts: list[CleanPart] = []
    notes: dict[str, object] = {}
    covered = _Covered(source.contract.tables)
    try:
        if len(group) == 1:
            _require_whole(first)
        for part in _clean_parts(source, deliveries, context, batch, covered, notes, progress):
            parts.append(part)
        conclusion = source.conclude(parts, deliveries, context)
    except DeliveryRefused as refusal:
        refused = {item.delivery_id: list(refusal.reasons) for item in group}
        conclusion = None
    except BaseException as error:
        if isolate or not speaks_of_content(error):
            raise
        log.exception("delivery %s could not be read", first.delivery_id)
        kind = type(error).__name__
        text = f"cannot be read as {source.contract.source} ({kind}); check that it is whole and deliver it again"
        refused = {item.delivery_id: [Reason("file_unreadable", text, file=item.intent.file_name)] for item in group}
        conclusion = None
    if conclusion is not None:
        for found in (*(part.refused for part in parts), conclusion.refused):
            for delivery_id, reasons in found.items():
                refused.setdefault(delivery_id, []).extend(reasons)
    return PreparedBatch(
        contract=source.contract,
        batch=batch,
        deliveries=[item.delivery_id for item in group],
        counts=_counts(parts, conclusion.counts if conclusion else None),
        failures=_concat([*(part.failures for part in parts), *([conclusion.failures] if conclusion else [])], FAILURE_SCHEMA),
        warnings=_concat([part.warnings for part in parts], FAILURE_SCHEMA),
        set_aside=conclusion.set_aside if conclusion else pl.DataFrame(schema=SET_ASIDE_SCHEMA),
        covered=covered.of(conclusion.slices) if conclusion else pl.DataFrame(schema=COVERED_SCHEMA),
        notes={item.delivery_id: json.dumps(notes, ensure_ascii=False, default=str) for item in group},
        refused=refused,
    )


def _require_whole(item: Landed) -> None:
    if not _is_whole(item):
        text = "the file changed after it was received; deliver it when it is whole"
        raise DeliveryRefused(Reason("file_growing", text, file=item.intent.file_name))


def _clean_parts(
    source: Source,
    deliveries: Sequence[Delivered],
    context: Context,
    batch: Batch,
    covered: _Covered,
    notes: dict[str, object],
    progress: Progress,
) -> Iterator[CleanPart]:
    """Clean and write parts in a pool; yields them in order without their accepted rows."""
    room = threading.Semaphore(WORKERS + WAITING_PARTS)
    name = deliveries[0].file_name if len(deliveries) == 1 else f"{len(deliveries)} files of {deliveries[0].agency}"

    def work(number: int, raw: RawPart) -> CleanPart:
        try:
            part = source.clean(raw, deliveries, context)
            batch.write(number, part.accepted)
            covered.add(part.accepted)
            part.accepted = {}
            return part
        finally:
            room.release()

    futures: list[Future[CleanPart]] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="clean") as pool:
        try:
            for number, raw in enumerate(source.read(deliveries, context)):
                notes.update(raw.notes)
                room.acquire()
                futures.append(pool.submit(work, number, raw))
                del raw
                while futures and futures[0].done():
                    yield _finished(futures, name, progress)
            while futures:
                yield _finished(futures, name, progress)
        finally:
            for future in futures:
                future.cancel()


def _finished(futures: list[Future[CleanPart]], name: str, progress: Progress) -> CleanPart:
    part = futures.pop(0).result()
    progress(name, int(part.counts["rows_read"].sum()))
    return part


class _Covered:
    """Accepted rows and absolute cents per slice, summed while parts are written: the shrink guard's measure of size."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._table = next((table.name for table in tables if "slice_period" in table.polars_schema()), None)
        self._sizes: dict[object, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def add(self, accepted: dict[str, pl.DataFrame]) -> None:
        if self._table is None or self._table not in accepted:
            return
        cents = pl.coalesce("net_cents", "gross_cents").abs().sum()
        sizes = accepted[self._table].group_by("slice_period").agg(pl.len(), cents.alias("cents"))
        with self._lock:
            for period, rows_n, absolute in sizes.iter_rows():
                before = self._sizes.get(period, (0, 0))
                self._sizes[period] = (before[0] + rows_n, before[1] + (absolute or 0))

    def of(self, slices: pl.DataFrame) -> pl.DataFrame:
        """The covered slices with their sizes; a covered slice without rows has zero."""
        sizes = pl.DataFrame(
            [(period, *size) for period, size in self._sizes.items()],
            schema={"slice_period": pl.Date, "rows_n": pl.Int64, "cents": pl.Int64},
            orient="row",
        )
        joined = slices.join(sizes, on="slice_period", how="left").with_columns(pl.col("rows_n", "cents").fill_null(0))
        return joined.select(COVERED_SCHEMA.names()).cast(COVERED_SCHEMA)


def _concat(frames: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    full = [frame.select(schema.names()) for frame in frames if not frame.is_empty()]
    return pl.concat(full) if full else pl.DataFrame(schema=schema)


def _counts(parts: Sequence[CleanPart], concluded: pl.DataFrame | None) -> pl.DataFrame:
    """Counts summed per delivery and table; the conclusion adds what it decided on deferred rows."""
    frames = [part.counts for part in parts] + ([concluded] if concluded is not None else [])
    every = _concat(frames, COUNT_SCHEMA)
    return every.group_by("delivery_id", "table_name", maintain_order=True).agg(pl.col(pl.Int64).sum())
