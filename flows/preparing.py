"""Preparing: landed deliveries -> Parquet written aside, counts, failures. Needs no lock and knows no warehouse tables.

Deliveries are read in readers (`flows.readers`): what one of them does to its reader costs no other. There, parts of a file are
read in order and cleaned and written by a small pool of threads (the work releases the interpreter), with a bounded queue, so
memory does not grow with the file.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import polars as pl

from flows import readers
from flows.readers import ReaderDied
from schemas.contract import Table
from schemas.errors import DeliveryRefused, Reason, speaks_of_content
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
    Source,
)
from transforms.registry import SOURCES
from warehouse.findings import PreparedBatch
from warehouse.home import Home
from warehouse.lake import Batch
from warehouse.landing import Landed

log = logging.getLogger(__name__)

WORKERS = 2
WAITING_PARTS = 3
FAILURES_MAX = 200_000
"""Broken rules of one delivery from which on one looks whether it is broken for the most part."""
ASIDE_MAX = 2_000_000
"""Blank lines of one delivery: more than a spreadsheet has rows."""
GROUPS_AT_ONCE = 500
"""What is prepared before the gate looks at it."""
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
) -> Iterator[list[PreparedBatch]]:
    """Prepare the pending deliveries of each source: each alone for a snapshot source, an agency's together for a keyed one.

    A few hundred at a time, so that memory does not grow with their number; of these small ones side by side, a large one alone.
    The order of the answer is fixed.
    """
    groups = [(source, group) for source, landed in pending for group in _groups(source, landed)]
    shared = Shared(context, home)
    for start in range(0, len(groups), GROUPS_AT_ONCE):
        some = groups[start : start + GROUPS_AT_ONCE]
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="prepare") as pool:
            small = {
                n: pool.submit(_first, shared, *group, progress) for n, group in enumerate(some) if _size(group[1]) < LARGE_BYTES
            }
            done = {n: future.result() for n, future in small.items()}
        found = [done[n] if n in done else _first(shared, *group, progress) for n, group in enumerate(some)]
        readers.rest()
        yield [
            batch
            for batches, group in zip(found, some, strict=True)
            for batch in (_again(shared, *group, progress, batches) if isinstance(batches, ReaderDied) else batches)
        ]
    readers.rest()


@dataclass(frozen=True)
class Shared:
    """What reading needs beside the deliveries: the same for all of a run."""

    context: Context
    home: Home


def _first(shared: Shared, source: Source, group: Sequence[Landed], progress: Progress) -> list[PreparedBatch] | ReaderDied:
    """A group prepared beside others, or what became of its reader."""
    try:
        return _asked(shared, source, group, progress)
    except ReaderDied as died:
        return died


def _again(
    shared: Shared, source: Source, group: Sequence[Landed], progress: Progress, died: ReaderDied
) -> Iterator[PreparedBatch]:
    """Each delivery of a group whose reader died, by itself and with nothing beside it; what ends its reader once more is refused."""
    log.error("a reader died over %s of %s (%s); reading by itself", len(group), group[0].intent.agency, died.what)
    for item in group:
        try:
            yield from _asked(shared, source, [item], progress)
        except ReaderDied as again:
            log.error("delivery %s is set apart: it %s", item.delivery_id, again.what)
            batch = _batch_of(source, item, shared.home)
            batch.discard()
            yield _outcome(source, batch, [item], refused={item.delivery_id: [again.of(item.intent.file_name)]})


def _asked(shared: Shared, source: Source, group: Sequence[Landed], progress: Progress) -> list[PreparedBatch]:
    bounds = readers.bounds(shared.context.limits, _size(group))
    batches = readers.ask(prepare_group, shared, source.contract.source, list(group), bounds=bounds, progress=progress)
    return [replace(batch, contract=source.contract) for batch in batches]


def _size(group: Sequence[Landed]) -> int:
    return sum(item.size for item in group)


def _groups(source: Source, landed: Sequence[Landed]) -> list[Sequence[Landed]]:
    """What is read together; a file that is not what was landed stands alone, for it is refused alone."""
    alone: list[Sequence[Landed]] = []
    together: dict[str, list[Landed]] = {}
    for item in landed:
        if source.contract.kind == "snapshot" or not _is_whole(item):
            alone.append([item])
        else:
            together.setdefault(item.intent.agency, []).append(item)
    return [*alone, *(together[agency] for agency in sorted(together))]


def _is_whole(item: Landed) -> bool:
    """A file that its writer still held open while it was landed is not what was hashed; nor is one that is gone. What is read
    again has lain there for long: its hash is asked too."""
    if item.attempt > 1:
        return item.is_whole()
    try:
        return item.file.stat().st_size == item.size
    except FileNotFoundError:
        return False


def prepare_group(shared: Shared, slug: str, group: Sequence[Landed], progress: Progress) -> list[PreparedBatch]:
    """A group together; where one file spoils it, its files one by one. What a reader is asked."""
    source, context, home = SOURCES[slug], shared.context, shared.home
    try:
        return [_prepare_group(source, group, context, home, progress, isolate=len(group) > 1)]
    except BaseException as error:
        if not speaks_of_content(error):
            raise
        log.exception(
            "%s deliveries of %s could not be read together; reading them one by one", len(group), group[0].intent.agency
        )
        return [_prepare_group(source, [item], context, home, progress) for item in group]


def _prepare_group(
    source: Source, group: Sequence[Landed], context: Context, home: Home, progress: Progress, isolate: bool = False
) -> PreparedBatch:
    first = group[0]
    batch = _batch_of(source, first, home)
    batch.discard()
    deliveries = [delivered(item) for item in group]
    refused: dict[str, list[Reason]] = {}
    parts: list[CleanPart] = []
    notes: dict[str, dict[str, object]] = {item.delivery_id: {} for item in deliveries}
    covered = _Covered(source.contract.tables)
    try:
        if len(group) == 1:
            _require_whole(first)
        for part in _clean_parts(source, deliveries, context, batch, covered, notes, progress):
            parts.append(part)
            if len(group) == 1:
                _require_sound(parts, first.intent.file_name)
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
    return _outcome(source, batch, group, parts, conclusion, covered, notes, refused)


def _batch_of(source: Source, first: Landed, home: Home) -> Batch:
    return Batch(home, source.contract.source, first.intent.agency, f"{first.delivery_id}-{first.journal_n}")


def _outcome(
    source: Source,
    batch: Batch,
    group: Sequence[Landed],
    parts: Sequence[CleanPart] = (),
    conclusion: Conclusion | None = None,
    covered: _Covered | None = None,
    notes: Mapping[str, Mapping[str, object]] | None = None,
    refused: dict[str, list[Reason]] | None = None,
) -> PreparedBatch:
    """What was found, in one piece; of what was not read at all, nothing but the refusals."""
    concluded = [conclusion.failures] if conclusion else []
    return PreparedBatch(
        contract=source.contract,
        batch=batch,
        deliveries=[item.delivery_id for item in group],
        counts=_counts(parts, conclusion.counts if conclusion else None),
        failures=_concat([*(part.failures for part in parts), *concluded], FAILURE_SCHEMA),
        warnings=_concat([part.warnings for part in parts], FAILURE_SCHEMA),
        set_aside=conclusion.set_aside if conclusion else pl.DataFrame(schema=SET_ASIDE_SCHEMA),
        losses=conclusion.losses if conclusion else None,
        covered=covered.of(conclusion.slices) if conclusion and covered else pl.DataFrame(schema=COVERED_SCHEMA),
        notes={key: json.dumps(told, ensure_ascii=False, default=str) for key, told in (notes or {}).items()},
        refused=refused or {},
    )


def _require_sound(parts: Sequence[CleanPart], file_name: str) -> None:
    """What is broken for the most part is refused by the gate in the end, and blank lines without end are no delivery: neither
    is collected until the memory is full."""
    read, quarantined, aside = (
        sum(int(part.counts[name].sum()) for part in parts) for name in ("rows_read", "rows_quarantined", "rows_set_aside")
    )
    if aside > ASIDE_MAX and 2 * aside > read:
        text = f"{aside} of the first {read} rows are blank or sums, and the rest was not read; delete them and deliver the file again"
        raise DeliveryRefused(Reason("rows_blank", text, file=file_name))
    if sum(part.failures.height for part in parts) > FAILURES_MAX and 2 * quarantined > read:
        text = f"{quarantined} of the first {read} rows break rules, and the rest was not read; correct them and deliver the file again"
        raise DeliveryRefused(Reason("rows_broken", text, file=file_name))


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
    notes: dict[str, dict[str, object]],
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
                _note(notes, raw.notes)
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


def _note(notes: dict[str, dict[str, object]], told: Mapping[str, object]) -> None:
    """Keep what a part's notes tell of its delivery (`delivery_id`), or of each of its deliveries (`of_deliveries`)."""
    by_delivery = told.get("of_deliveries")
    if isinstance(by_delivery, Mapping):
        for delivery_id, own in by_delivery.items():
            notes[delivery_id].update(own)
    elif "delivery_id" in told:
        notes[str(told["delivery_id"])].update(told)


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
