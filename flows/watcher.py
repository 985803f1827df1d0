"""The watcher: lands whole files as they appear in the inbox, then says so.

It wakes up on the file system's own notices and looks once a second besides, so file systems that give none (NFS, SMB, FUSE)
only cost that second. Landing comes first; the event is a hint that the server may refuse or lose. Whenever it may have lost
one (at start, after a refusal, after the server was away, when a landed delivery is not published in time) it starts a sweep.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import watch as watch_files

from flows import events, guards, pipeline, receiving
from flows.events import Event
from flows.prefect_api import PrefectApi
from flows.settings import Settings
from schemas.errors import ServiceUnavailable, is_panic
from warehouse.home import Home

log = logging.getLogger(__name__)

TICK_MS = 1000
RECOVER_SECONDS = 20.0
WATCH_AGAIN_SECONDS = 60.0
PUBLISHED_WITHIN = 30.0
"""A server whose database is locked may lose an event that it has acknowledged. A load that takes longer costs one idle sweep."""


@dataclass
class Announcer:
    """Says things to the server; remembers when something may not have been heard."""

    api: PrefectApi | None
    home: Home
    owes: bool = True
    awaited: dict[Path, float] = field(default_factory=dict)
    """Receipts of deliveries that were said, and when they were."""

    def say(self, hints: Sequence[Event]) -> None:
        """Emit; a refusal is logged and owed."""
        if self.api is None or not hints:
            return
        moment = time.time()
        for hint in hints:
            agency, source, delivery = hint.subject.split("/")
            self.awaited[self.home.receipts / agency / source / f"{delivery}.json"] = moment
        try:
            self.api.emit(hints)
        except ServiceUnavailable as error:
            log.warning("%s hints not delivered, the next sweep makes up for them: %s", len(hints), error)
            self.owes = True

    def follow_up(self) -> None:
        """Owe a sweep for what was said and is not published in time."""
        for receipt, said in list(self.awaited.items()):
            if _published_since(self.home, receipt, said):
                del self.awaited[receipt]
            elif time.time() - said > PUBLISHED_WITHIN:
                log.warning("%s is not published %.0f s after it was said; sweeping", receipt.stem, PUBLISHED_WITHIN)
                del self.awaited[receipt]
                self.owes = True

    def catch_up(self) -> None:
        """Notice that the server is away; once it is back, ask for a sweep if anything may have been missed."""
        if self.api is None:
            return
        if not self.api.is_healthy():
            self.owes = True
        elif self.owes:
            try:
                self.api.start(guards.SWEEP)
                self.owes = False
            except ServiceUnavailable as error:
                log.info("no sweep yet: %s", error)  # the flows are not served yet


def _published_since(home: Home, receipt: Path, moment: float) -> bool:
    """Whether a delivery was loaded (its receipt written) after a moment and a publication made after that."""
    try:
        loaded = receipt.stat().st_mtime
        return loaded >= moment and (home.published / "current").lstat().st_mtime >= loaded
    except OSError:
        return False


def watch(settings: Settings, stop: threading.Event) -> None:
    """Watch the inbox until `stop` is set."""
    home = pipeline.home_of(settings)
    api = PrefectApi.of(settings)
    if api is None:
        log.warning("no Prefect API is known: files are landed, and loaded by the next `nyckeltal nightly`")
    with api or nullcontext():
        announcer = Announcer(api, home)
        recovery = guards.Recovery(home, api) if api else None
        recovered_at = 0.0
        for _ in _ticks(home, stop):
            if stop.is_set():
                break
            announcer.follow_up()
            announcer.catch_up()
            if recovery and time.monotonic() - recovered_at >= RECOVER_SECONDS:
                _recover(recovery)
                recovered_at = time.monotonic()
            if receiving.anything_waits(home):
                announcer.say(_land(settings, announcer))


def _ticks(home: Home, stop: threading.Event) -> Iterator[None]:
    """Once a second, and as soon as the file system tells of a change, until `stop` is set. Where it cannot be watched (a name that is
    no UTF-8, no watches left) once a second alone, with a mark that `doctor` tells of; watching is tried again each minute."""
    mark = polling_mark(home)
    while not stop.is_set():
        try:
            for _ in watch_files(
                home.inbox,
                stop_event=stop,
                yield_on_timeout=True,
                rust_timeout=TICK_MS,
                ignore_permission_denied=True,
                watch_filter=None,
            ):
                mark.unlink(missing_ok=True)
                yield
            return
        except BaseException as error:
            if not (isinstance(error, Exception) or is_panic(error)):
                raise
            kind = type(error).__name__  # not its text: it may name a file
            log.warning("the inbox cannot be watched (%s): it is looked at once a second", kind)
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text(kind, "utf-8")
        retry = time.monotonic() + WATCH_AGAIN_SECONDS
        while time.monotonic() < retry and not stop.wait(TICK_MS / 1000):
            yield


def polling_mark(home: Home) -> Path:
    """The file that is there while the inbox is looked at once a second alone; it says why."""
    return home.service / "inbox-polled"


def _land(settings: Settings, announcer: Announcer) -> list[Event]:
    """Land what is whole in the inbox; one hint per delivery. What goes wrong with the whole inbox is logged and tried again."""
    try:
        received = pipeline.land(settings)
    except Exception as error:
        announcer.owes = True  # some of it may have landed
        log.error("the inbox could not be taken in, trying again: %s", type(error).__name__)
        return []
    for item in received:
        if item.landed is None:
            # not its name: what agencies write there may name a person
            log.warning("refused a file, see refused/: %s", "; ".join(reason.code for reason in item.reasons))
        else:
            log.info("landed %s", events.received(item.landed).subject)
    return [events.received(item.landed) for item in received if item.landed]


def _recover(recovery: guards.Recovery) -> None:
    try:
        recovery.look()
    except ServiceUnavailable as error:
        log.warning("dead runs not looked for: %s", error)
