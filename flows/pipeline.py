"""The pipeline, plain Python: what the command line and the Prefect flows call.

    receive -> ingest -> refresh -> publish        nightly = sweep the inbox, then all of it

Every step is safe to repeat; whatever was interrupted, the next `nightly` ends in the same state as an undisturbed one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from flows import alerting, mending, pruning, rebuilding, receiving, rereading
from flows.ingesting import Ingested, ingest
from flows.measuring import measure, measure_anew, remeasure
from flows.preparing import Progress, silent
from flows.publishing import Published, is_stale
from flows.refreshing import compute_anew, refresh_and_publish
from flows.settings import Settings
from flows.stepping import Steps
from schemas.errors import ConfigurationError, Damage, Damaged, InvariantBroken, UsageError
from schemas.reference import KEYS, Reference
from transforms.delivery import Context
from transforms.registry import SOURCES
from warehouse import alerts, figures, landing, ledger, store
from warehouse.alerts import Raised
from warehouse.home import Home, prepared
from warehouse.landing import Landed, Landing
from warehouse.publication import condition, receipts
from warehouse.restoring import Restored
from warehouse.validation import warming_up

log = logging.getLogger(__name__)

CHANGES_SHOWN = 50
RECEIPTS_AT_ONCE = 500
LAST_NIGHTLY = "last_nightly"


@dataclass
class Run:
    """What one run did. `published` is None when nothing was to be published, `quality` a row per delivery it moved, `changes`
    the national figures that the publication changed (at most CHANGES_SHOWN), `alerts` what
    it found that people should know, `gone` what was to be read again and has no original any more."""

    run_id: str
    received: list[receiving.Received] = field(default_factory=list)
    ingested: Ingested = field(default_factory=Ingested)
    published: Published | None = None
    quality: list[dict[str, object]] = field(default_factory=list)
    changes: list[dict[str, object]] = field(default_factory=list)
    alerts: list[Raised] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def damaged(self) -> list[Damage]:
        """What was found damaged in the home, healed or set apart."""
        return [*self.ingested.damaged, *(self.published.mended if self.published else ())]


def home_of(settings: Settings) -> Home:
    """The home directory, made when missing. Raises ConfigurationError when that place cannot be one."""
    return prepared(settings.home)


def reference_of(home: Home) -> Reference:
    """The shipped registers with those of `<home>/registry` on top."""
    overlay = {}
    for name in KEYS:
        path = home.registry / name
        if path.is_file():
            try:
                overlay[name] = path.read_text("utf-8")
            except UnicodeDecodeError as error:
                raise ConfigurationError(f"registry file {name} is not UTF-8 ({error}); save it as UTF-8") from error
    return _reference(tuple(sorted(overlay.items())))


@lru_cache(maxsize=1)
def _reference(overlay: tuple[tuple[str, str], ...]) -> Reference:
    """Registers are checked against each other once, not for every step of a run."""
    return Reference.load(dict(overlay))


def receive(
    settings: Settings, paths: Iterable[Path], agency: str | None = None, source: str | None = None, at: datetime | None = None
) -> list[receiving.Received]:
    """Land files and folders; loading is `nightly`'s. Returns what became of each file."""
    home = home_of(settings)
    return list(receiving.receive(home, reference_of(home), paths, agency, source, at or landing.now(), settings.limits()))


def land(settings: Settings, at: datetime | None = None) -> list[receiving.Received]:
    """Land what is whole in the inbox. Needs no writer lock: it works while another run loads."""
    home = home_of(settings)
    return list(receiving.sweep_inbox(home, reference_of(home), at or landing.now(), settings.settle_seconds, settings.limits()))


def load(settings: Settings, progress: Progress = silent, at: datetime | None = None) -> Run:
    """Load everything that has landed; key figures are `refresh`'s. Raises Busy while another run writes."""
    return _run(settings, progress, at, publishes=lambda _: False)


def refresh(settings: Settings, at: datetime | None = None) -> Run:
    """Compute and publish until what is published is what is loaded, so that no hint that got lost or folded matters."""
    run = _run(settings, silent, at, loads=False, publishes=is_stale)
    while run.published and (further := _run(settings, silent, at, loads=False, publishes=is_stale)).published:
        run = further
    return run


def recompute(settings: Settings, from_lake: bool = False, at: datetime | None = None) -> Run:
    """Compute all key figures again, from the measures or (`from_lake`) from the accepted rows, and publish what comes out
    otherwise: nothing, where nothing else has changed. Loads nothing, reads no originals. Raises Damaged for a lake that is not whole.
    """

    def again(warehouse: store.Store, reference: Reference, moment: datetime) -> None:
        if from_lake:
            mending.require_whole_lake(warehouse)
            measure_anew(warehouse)
            measure(warehouse, reference, [], moment)
        compute_anew(warehouse)

    return _run(settings, silent, at, loads=False, publishes=lambda _: True, before=again)


def sweep(settings: Settings, progress: Progress = silent, at: datetime | None = None) -> Run:
    """Take in and publish whatever has been left lying; does nothing when nothing has."""
    return _landed_and(settings, at, lambda: _run(settings, progress, at, publishes=is_stale))


def nightly(settings: Settings, progress: Progress = silent, at: datetime | None = None) -> Run:
    """Sweep the inbox, load what landed, compute what changed (a new day and changed registers too), publish.

    Raises Busy while another run writes.
    """
    moment = at or landing.now()
    return _landed_and(settings, moment, lambda: _run(settings, progress, moment, publishes=lambda _: True, mark=LAST_NIGHTLY))


def _landed_and(settings: Settings, at: datetime | None, work: Callable[[], Run]) -> Run:
    """Land what is whole in the inbox, then `work`. What has landed is worked on also where the landing of something failed,
    which is raised afterwards."""
    failure: Exception | None = None
    received: list[receiving.Received] = []
    home = home_of(settings)
    reference = reference_of(home)
    landed = receiving.sweep_inbox(
        home, reference, at or landing.now(), settings.settle_seconds, settings.limits(), meanwhile=warming_up
    )
    try:
        received.extend(landed)
    except Exception as error:
        log.exception("the inbox could not be taken in wholly; loading what has landed")
        failure = error
    run = work()
    run.received = received
    if failure:
        raise failure
    return run


def mend(settings: Settings, progress: Progress = silent, at: datetime | None = None) -> Run:
    """Read every lake file and what is published, and make again what is damaged, as far as originals and history go."""
    with store.writing(home_of(settings), settings.wait_seconds) as warehouse:
        mending.uncover(warehouse)
    return _run(settings, progress, at, publishes=is_stale)


def backfill(
    settings: Settings,
    source: str | None = None,
    agency: str | None = None,
    first: date | None = None,
    last: date | None = None,
    progress: Progress = silent,
    at: datetime | None = None,
    outdated: bool = False,
) -> tuple[int, Run]:
    """Read deliveries again from landing, load and publish: all, or those of a source, an agency, and a span of days; `outdated`:
    of these, those in force that other code read than the present one.

    A delivery lies in the span when a slice it covers does, or, where it covers none (notices), when it was produced in it.
    Deliveries whose original retention has let go, or is damaged, stay as they are; the run names them.

    Returns how many are read again, and the run. Raises UsageError for a source or agency that does not exist.
    """
    home = home_of(settings)
    reference = reference_of(home)
    if source is not None and source not in SOURCES:
        raise UsageError(f"source {source!r} is not known; known are {', '.join(sorted(SOURCES))}")
    if agency is not None and agency not in reference.agencies:
        raise UsageError(f"agency {agency!r} is not in agencies.csv")
    moment = at or landing.now()
    rebuilding.put_back(home, reference, moment, settings.wait_seconds, settings.memory_mb)
    with store.reading(home, memory_mb=settings.memory_mb) as warehouse:
        wanted = ledger.between(warehouse, source, agency, first, last) if warehouse else set()
        if warehouse and outdated:
            wanted &= {row["delivery_id"] for row in rereading.outdated(warehouse)}
    again, gone = 0, []
    for item in Landing(home).all():
        if item.delivery_id in wanted and item.active:
            if item.is_whole():
                Landing(home).note(item, "reprocess", moment, "backfill")
                again += 1
            else:
                gone.append(f"{item.delivery_id} {item.intent.file_name}")
    run = _run(settings, progress, moment, publishes=lambda _: True)
    run.gone = gone
    return again, run


def rebuild(
    settings: Settings, from_landing: bool = False, progress: Progress = silent, at: datetime | None = None
) -> tuple[Restored, Run]:
    """Make the warehouse anew from the journal and the lake, `from_landing`: from every original that is still there; then load
    what waits, compute all figures and publish what is another than before: nothing, where nothing was lost.

    Returns what was made anew and what is lost, and the run.
    """
    home = home_of(settings)
    moment = at or landing.now()
    found = rebuilding.rebuild(home, reference_of(home), moment, settings.wait_seconds, settings.memory_mb, from_landing)
    return found, _run(settings, progress, moment, publishes=lambda _: True)


def _run(
    settings: Settings,
    progress: Progress,
    at: datetime | None,
    publishes: Callable[[store.Store], bool],
    loads: bool = True,
    mark: str | None = None,
    before: Callable[[store.Store, Reference, datetime], None] | None = None,
) -> Run:
    """Load and publish under one writer lock; `before` publishing, in a transaction, something else. `mark` is a word of the
    ledger that remembers when this was done."""
    home = home_of(settings)
    reference = reference_of(home)
    moment = at or landing.now()
    run = Run(run_id=f"{moment:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}")
    rebuilding.put_back(home, reference, moment, settings.wait_seconds, settings.memory_mb)
    with store.writing(home, settings.wait_seconds, settings.memory_mb) as warehouse:
        _require_newest(home, int(warehouse.scalar("SELECT coalesce(max(publication_no), 0) FROM ledger.publication")))
        loads |= rebuilding.is_unfinished(warehouse)
        run.ingested = take_in(warehouse, settings, reference, run.run_id, moment, progress, loads)
        if loads:
            write_receipts(warehouse, reference)
            run.quality = ledger.quality_of(warehouse, run.run_id)
            rebuilding.finish(warehouse)
        else:
            remeasure(warehouse, reference, moment)
        if before:
            with warehouse.transaction():
                before(warehouse, reference, moment)
        if publishes(warehouse):
            try:
                run.published = refresh_and_publish(warehouse, reference, settings.today(), moment, settings.keep_generations)
            except InvariantBroken as error:
                with warehouse.transaction():
                    alerts.raise_new(warehouse, [alerting.stopped(error)], run.run_id, moment)
                raise
            run.changes = figures.largest_changes(warehouse, run.published.publication_no, CHANGES_SHOWN)
        if loads or run.published:
            broken = [item for item in run.damaged if not item.is_healed] if loads else None
            run.alerts = alerting.take_stock(warehouse, reference, run.run_id, settings.today(), moment, broken)
        if mark:
            pruning.purge_personal(warehouse, pruning.retention_of(settings), moment)
            ledger.set_state(warehouse, mark, moment.isoformat())
    return run


def take_in(
    warehouse: store.Store,
    settings: Settings,
    reference: Reference,
    run_id: str,
    at: datetime,
    progress: Progress = silent,
    loads: bool = True,
) -> Ingested:
    """What comes before anything is computed: other registers and definitions are noted, what has landed is loaded."""
    steps = Steps(warehouse, reference, settings.today(), at)
    steps.registers()
    return ingest(warehouse, Context(reference, settings.limits()), run_id, at, progress, steps) if loads else Ingested()


def _require_newest(home: Home, known: int) -> None:
    """Raises Damaged where publications are out that the warehouse does not know."""
    if damage := condition.of_warehouse_age(home, known):
        raise Damaged(*damage)


def send_alerts(settings: Settings, send: Callable[[list[Raised]], None], at: datetime | None = None) -> int:
    """Hand the alerts that wait in the outbox to `send` and remember that they are out; returns how many.

    What `send` raises leaves them waiting.
    """
    home = home_of(settings)
    with store.writing(home, settings.wait_seconds, settings.memory_mb) as warehouse:
        waiting = alerts.unsent(warehouse)
    if waiting:
        send(waiting)  # without the lock: a slow receiver holds nobody up
        with store.writing(home, settings.wait_seconds, settings.memory_mb) as warehouse:
            alerts.mark_sent(warehouse, [item.alert_id for item in waiting], at or landing.now())
    return len(waiting)


def write_receipts(warehouse: store.Store, reference: Reference) -> None:
    """Receipts of the deliveries whose standing is not what their receipt says: moved, superseded, or left by a crash."""
    due = [
        row
        for row in warehouse.rows(
            "SELECT d.delivery_id, d.source, d.agency, r.mark AS written, "
            "sha256(concat_ws('|', d.status, d.is_held, d.journal_n, d.run_id, d.reasons)) AS mark "
            "FROM ledger.delivery d LEFT JOIN ledger.receipt r USING (delivery_id) ORDER BY ALL"
        )
        if row["mark"] != row["written"]
        or not (warehouse.home.receipts / row["agency"] / row["source"] / f"{row['delivery_id']}.json").exists()
    ]
    for start in range(0, len(due), RECEIPTS_AT_ONCE):
        some = due[start : start + RECEIPTS_AT_ONCE]
        languages = {agency.agency: agency.language for agency in reference.agencies.values()}
        receipts.write(warehouse.home, receipts.receipts(warehouse, [row["delivery_id"] for row in some]), languages)
        ledger.remember_receipts(warehouse, [(row["delivery_id"], row["mark"]) for row in some])


def command(settings: Settings, kind: str, delivery: str, reason: str, at: datetime | None = None) -> Landed:
    """Record withdrawn, released or reprocess for a delivery (id or its unambiguous beginning); the next run acts on it."""
    home = home_of(settings)
    damaged: list[Damaged] = []
    found = [item for item in Landing(home).all(damaged) if item.delivery_id.startswith(delivery)]
    if not found and damaged:
        raise Damaged(*(item for error in damaged for item in error.damage))
    if len(found) != 1:
        raise UsageError(f"{len(found)} deliveries begin with {delivery!r}; `nyckeltal status` lists them")
    if not found[0].active:
        raise UsageError(f"delivery {found[0].delivery_id} is withdrawn; receive the file again to bring it back")
    if kind == "reprocess" and not found[0].file.is_file():
        raise UsageError(
            f"the original of {found[0].delivery_id} is gone by the rules of retention; receive the file again first"
        )
    if kind == "reprocess" and not found[0].is_whole():
        text = "is not what was received (another sha256 or size)"
        raise Damaged(Damage(f"{found[0].place}/file", text, "receive the same file again, then reprocess it"))
    Landing(home).note(found[0], kind, at or landing.now(), reason)
    return found[0]
