"""Readers: whatever a delivery does to the process that reads it, its run goes on and is told."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from flows import readers
from flows.readers import Bounds, ReaderDied
from schemas.errors import DeliveryRefused, Reason
from transforms.delivery import Limits

MB = 1024**2
BOUNDS = Bounds(100 * MB, 20.0)
Progress = Callable[..., None]


def double(shared: int, number: int, progress: Progress) -> int:
    progress("half", number)
    logging.getLogger("tests.reader").warning("at %s", number)
    return shared * number


def abort(_shared: None, _progress: Progress) -> None:
    os.abort()


def leave(_shared: None, _progress: Progress) -> None:
    os._exit(0)


def eat(_shared: None, _progress: Progress) -> None:
    held = []
    while True:
        held.append(bytearray(5 * MB))


def keep(_shared: None, size: int, _progress: Progress) -> int:
    globals()["_kept"] = bytearray(b"x" * size)
    return os.getpid()


def sleep(_shared: None, seconds: float, _progress: Progress) -> None:
    time.sleep(seconds)


def fail(_shared: None, error: BaseException, _progress: Progress) -> None:
    raise error


def pid(_shared: None, _progress: Progress) -> int:
    return os.getpid()


def test_an_answer_progress_and_log_come_back(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[object] = []
    with caplog.at_level(logging.WARNING):
        assert readers.ask(double, 21, 2, bounds=BOUNDS, progress=lambda *told: seen.append(told)) == 42
    assert seen == [("half", 2)]
    assert "at 2" in caplog.text


@pytest.mark.parametrize("error", [EOFError("x"), OSError(28, "full"), MemoryError(), DeliveryRefused(Reason("a", "b", file="c"))])
def test_what_it_raises_is_raised(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        readers.ask(fail, None, error, bounds=BOUNDS)
    assert str(raised.value) == str(error)
    assert getattr(raised.value, "reasons", None) == getattr(error, "reasons", None)


@pytest.mark.parametrize(
    ("question", "arguments", "bounds", "said"),
    [
        (abort, (), BOUNDS, "SIGABRT"),
        (leave, (), BOUNDS, "status 0"),
        (eat, (), BOUNDS, "more than 100 MB"),
        (sleep, (30.0,), Bounds(100 * MB, 0.2), "within 0 seconds"),
    ],
)
def test_a_reader_that_dies_costs_its_question(
    question: Callable[..., object], arguments: tuple[object, ...], bounds: Bounds, said: str
) -> None:
    with pytest.raises(ReaderDied) as died:
        readers.ask(question, None, *arguments, bounds=bounds)
    assert said in str(died.value)
    assert died.value.reasons[0].code == "reader_died"
    assert readers.ask(double, 2, 3, bounds=BOUNDS) == 6


def test_one_that_has_grown_is_not_asked_again() -> None:
    first = readers.ask(keep, None, 90 * MB, bounds=Bounds(500 * MB, 20.0))
    assert readers.ask(pid, None, bounds=BOUNDS) != first
    again = readers.ask(pid, None, bounds=BOUNDS)
    assert readers.ask(pid, None, bounds=BOUNDS) == again
    assert not psutil.pid_exists(first)


def test_several_are_asked_at_once() -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(readers.ask(double, 10, n, bounds=BOUNDS))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 10, 20, 30, 40, 50, 60, 70]


def test_a_run_outlives_the_process_that_forks_readers() -> None:
    readers.ask(pid, None, bounds=BOUNDS)
    readers.rest()
    assert readers._crew._process is not None
    os.kill(readers._crew._process.pid, signal.SIGKILL)
    assert readers.ask(double, 2, 3, bounds=BOUNDS) == 6


RUN = """
import os, sys, threading, time
from flows import readers
from tests.unit.flows import test_readers as t
threading.Thread(target=lambda: readers.ask(t.sleep, None, 60.0, bounds=t.BOUNDS), daemon=True).start()
time.sleep(0.2)
other = readers.ask(t.pid, None, bounds=t.BOUNDS)
print(readers._crew._process.pid, other, flush=True)
time.sleep(60)
"""


def test_no_reader_outlives_a_run_that_is_killed() -> None:
    """A reader that went on would write into the batch that the next run prepares."""
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, cwd=root) as run:
        assert run.stdout
        forker, reader = map(int, run.stdout.readline().split())
        process = psutil.Process(forker)
        beside = process.children()
        assert len(beside) == 2
        run.kill()
    gone, alive = psutil.wait_procs([process, psutil.Process(reader) if psutil.pid_exists(reader) else process, *beside], timeout=10)
    assert gone
    assert not alive


def test_bounds_grow_with_large_files() -> None:
    limits = Limits(reader_bytes=100, reader_seconds=10.0)
    assert readers.bounds(limits, 1) == readers.bounds(limits, 50 * 10**6) == Bounds(100, 10.0)
    assert readers.bounds(limits, 150 * 10**6) == Bounds(300, 30.0)
    assert readers.bounds(limits, 10**9) == Bounds(400, 200.0)
