"""What the watcher owes: a sweep whenever something it said may not have been heard, and nothing otherwise."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import doctoring, events, watcher
from flows.events import Event
from flows.guards import SWEEP
from flows.watcher import Announcer
from schemas.errors import ServiceUnavailable
from tests.unit.flows.inbox_files import PanicException
from warehouse.home import Home


class Server:
    """What the announcer asks of a server, and whether it is there."""

    def __init__(self) -> None:
        self.is_there = True
        self.said: list[Event] = []
        self.started: list[str] = []

    def is_healthy(self) -> bool:
        return self.is_there

    def emit(self, hints: Sequence[Event]) -> None:
        if not self.is_there:
            raise ServiceUnavailable("away")
        self.said += hints

    def start(self, deployment: str) -> None:
        if not self.is_there:
            raise ServiceUnavailable("away")
        self.started.append(deployment)


HINT = Event(events.RECEIVED, "nyckeltal.delivery.abc", "espoo/purchase_invoices/abc", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.create()
    return home


@pytest.fixture
def announcer(server: Server, home: Home) -> Announcer:
    announcer = Announcer(server, home)  # type: ignore[arg-type]
    announcer.catch_up()
    assert server.started == [SWEEP], "one sweep at start: what came before nobody knows"
    server.started.clear()
    return announcer


def _publish(home: Home, at: float) -> None:
    receipt = home.receipts / "espoo" / "purchase_invoices" / "abc.json"
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_text("{}", "utf-8")
    os.utime(receipt, (at, at))
    (home.published / "current").unlink(missing_ok=True)
    (home.published / "current").symlink_to("generations")
    os.utime(home.published / "current", (at, at), follow_symlinks=False)  # the file system's clock may lag behind time.time()


def test_what_is_heard_and_published_owes_nothing(announcer: Announcer, server: Server, home: Home) -> None:
    announcer.say([HINT])
    _publish(home, time.time())
    announcer.follow_up()
    announcer.catch_up()
    assert server.said == [HINT]
    assert not announcer.awaited
    assert not server.started


def test_a_refused_hint_owes_a_sweep_once_the_server_is_back(announcer: Announcer, server: Server) -> None:
    server.is_there = False
    announcer.say([HINT])
    announcer.catch_up()
    assert not server.started
    server.is_there = True
    announcer.catch_up()
    announcer.catch_up()
    assert server.started == [SWEEP]


def test_a_server_that_was_away_is_swept_after(announcer: Announcer, server: Server) -> None:
    server.is_there = False
    announcer.catch_up()
    server.is_there = True
    announcer.catch_up()
    assert server.started == [SWEEP]


@pytest.mark.parametrize("loaded", [False, True], ids=["never loaded", "loaded before it was said"])
def test_a_hint_that_leads_to_nothing_owes_a_sweep(
    announcer: Announcer, server: Server, home: Home, monkeypatch: pytest.MonkeyPatch, loaded: bool
) -> None:
    announcer.say([HINT])
    if loaded:
        _publish(home, time.time() - 1000)
    announcer.follow_up()
    announcer.catch_up()
    assert not server.started, "it has its time"
    later = time.time() + watcher.PUBLISHED_WITHIN + 1
    monkeypatch.setattr(watcher.time, "time", lambda: later)
    announcer.follow_up()
    announcer.catch_up()
    assert server.started == [SWEEP]


def test_without_a_server_nothing_is_owed(home: Home) -> None:
    announcer = Announcer(None, home)
    announcer.say([HINT])
    announcer.follow_up()
    announcer.catch_up()
    assert not announcer.awaited


@pytest.mark.parametrize("error", [UnicodeDecodeError("utf-8", b"\xe4", 0, 1, "no"), OSError(28, "no watches left"), PanicException("x")])
def test_an_inbox_that_cannot_be_watched_is_looked_at_all_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    calls = []

    def watch(*_arguments: object, **_options: object) -> Iterator[set[object]]:
        calls.append(1)
        if len(calls) == 1:
            raise error
        yield set()

    monkeypatch.setattr(watcher, "watch_files", watch)
    monkeypatch.setattr(watcher, "TICK_MS", 1)
    monkeypatch.setattr(watcher, "WATCH_AGAIN_SECONDS", 0.05)
    ticks = watcher._ticks(home, threading.Event())
    next(ticks)
    [finding] = doctoring._inbox(home)
    assert (finding.severity, type(error).__name__ in finding.text) == ("warn", True)
    assert len(list(ticks)) > 1
    assert doctoring._inbox(home) == []  # watched again


def test_a_folder_whose_name_is_no_utf_8_does_not_end_the_watcher(home: Home) -> None:
    folder = os.fsencode(home.inbox) + b"/kaarina/purchase_\xe4"
    os.makedirs(folder)  # noqa: PTH103
    stop = threading.Event()
    seen = 0
    for _ in watcher._ticks(home, stop):
        seen += 1
        with open(folder + b"/a%d.csv" % seen, "wb") as file:  # noqa: PTH123
            file.write(b"x")
        if seen == 3:
            stop.set()
    assert seen >= 3
