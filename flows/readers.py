"""Readers: processes in which what was delivered is read, so that no file takes a run down or fills the machine's memory.

    run, its threads  --ask-->  reader  (one question after another; forked by `flows.reader_process`, which imports once)

A reader that ends over a question, needs more memory than it may, or does not answer in time costs that question alone: `ask`
raises ReaderDied. How often one tries is the asker's.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from flows.reader_process import FORK, NUMBER
from schemas.errors import DeliveryRefused, Reason

if TYPE_CHECKING:  # the command line starts readers before it imports anything heavy
    from transforms.delivery import Limits

__all__ = ["Bounds", "ReaderDied", "ask", "bounds", "rest", "warm_up"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.02
"""How often a reader's memory is looked at: between two looks it grows by some tens of megabytes at most."""
GROWN_BYTES = 64 * 1024**2
"""A reader that holds so much more than before is not asked again: another is forked in its place."""

T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """What a question may cost: bytes of memory beyond those of an idle reader, and seconds."""

    memory_bytes: int
    seconds: float


def bounds(limits: Limits, size: int) -> Bounds:
    """Those of reading `size` bytes."""
    return Bounds(limits.reader_bytes_of(size), limits.reader_seconds_of(size))


class ReaderDied(DeliveryRefused):
    """A delivery cannot be read within its bounds, or ends the process that reads it."""

    def __init__(self, what: str, file: str | None = None) -> None:
        text = f"{what}; save it anew with the program that made it, or deliver it in parts or as CSV"
        super().__init__(Reason("reader_died", text, file=file))
        self.what = what

    def of(self, file: str) -> Reason:
        """The reason why that file is refused."""
        return ReaderDied(self.what, file).reasons[0]


def ask(
    function: Callable[..., T],
    shared: object,
    *arguments: object,
    bounds: Bounds,
    progress: Callable[..., None] = lambda *_: None,
) -> T:
    """What `function(shared, *arguments, progress)` returns or raises, worked out in a reader.

    The function is one of a module; everything is pickled, `shared` only where it is another object than that of the reader's last
    question. Thread-safe: each asker has a reader of its own. Raises ReaderDied.
    """
    reader = _crew.take()
    try:
        has_failed, answer = reader.ask(function, shared, arguments, bounds, progress)
    except BaseException:
        reader.end()  # it may still be at it
        raise
    _crew.give_back(reader)
    if has_failed:
        raise answer
    return answer  # type: ignore[no-any-return]


def warm_up() -> None:
    """Begin to import what readers need, without waiting for it."""
    _crew.start()


def rest() -> None:
    """Let all idle readers go: their memory is free for what comes next."""
    _crew.rest()


@dataclass
class _Reader:
    """One reader."""

    pid: int
    connection: Connection
    bury: Callable[[int], int]
    idle_bytes: int = 0
    shared: object = None
    is_alive: bool = True
    process: psutil.Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = psutil.Process(self.pid)
        self.idle_bytes = self.memory_bytes()

    def memory_bytes(self) -> int:
        """What it holds that no file backs; 0 where it is no more."""
        try:
            found = self.process.memory_info()
        except psutil.Error:
            return 0
        return int(found.rss - getattr(found, "shared", 0))

    def ask(
        self, function: Callable[..., Any], shared: object, arguments: tuple[object, ...], bounds: Bounds, progress: Callable[..., None]
    ) -> tuple[bool, Any]:
        """Whether the function raised, and what it raised or returned."""
        told = pickle.dumps(shared) if shared is not self.shared else None
        self.shared = shared
        end = time.monotonic() + bounds.seconds
        question: Any = (logging.root.getEffectiveLevel(), told, function, arguments)
        while True:
            heard = self._heard(question)
            question = None
            if heard is not None:
                kind, content = heard
                if kind in ("answer", "failed"):
                    return kind == "failed", content
                if kind == "log":
                    _log(content)
                else:
                    progress(*content)
            self._require_within(bounds, end)

    def _heard(self, question: object) -> tuple[str, Any] | None:
        """What the reader says next, None where it says nothing for a while; first it is asked, if there is a question."""
        try:
            if question is not None:
                self.connection.send(question)
            return self.connection.recv() if self.connection.poll(LOOK_SECONDS) else None
        except (EOFError, ConnectionError) as error:
            raise ReaderDied(f"ends the process that reads it ({_said(self.end())})") from error

    def _require_within(self, bounds: Bounds, end: float) -> None:
        if self.memory_bytes() - self.idle_bytes > bounds.memory_bytes:
            raise ReaderDied(f"needs more than {bounds.memory_bytes // 1024**2} MB of memory to be read")
        if time.monotonic() > end:
            raise ReaderDied(f"is not read within {bounds.seconds:.0f} seconds")

    def has_grown(self) -> bool:
        return self.memory_bytes() - self.idle_bytes > GROWN_BYTES

    def end(self) -> int:
        """End it, if it lives; returns its wait status."""
        if not self.is_alive:
            return 0
        self.is_alive = False
        self.connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # nobody else has the number before it is buried
        return self.bury(self.pid)


class _Crew:
    """The process that forks readers, and the readers that nobody asks at the moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._idle: list[_Reader] = []

    def start(self) -> None:
        with self._lock:
            self._started()

    def take(self) -> _Reader:
        with self._lock:
            self._started()
            if self._idle:
                return self._idle.pop()
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    pid = self._told(FORK, theirs)
                except OSError:  # it was killed from outside: once more, with another
                    self._stop()
                    self._started()
                    pid = self._told(FORK, theirs)
            return _Reader(pid, Connection(ours.detach()), self._bury)

    def give_back(self, reader: _Reader) -> None:
        if reader.has_grown():
            reader.end()
            return
        with self._lock:
            self._idle.append(reader)

    def rest(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.end()

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def _started(self) -> socket.socket:
        if self._owner != os.getpid():  # a fork of a run: what it has inherited is the other's
            self._idle, self._control, self._process, self._owner = [], None, None, os.getpid()
        if self._control is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                paths = os.pathsep.join(path or os.getcwd() for path in sys.path)  # noqa: PTH109
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-P", "-m", "flows.reader_process", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": paths},
                )
        return self._control

    def _told(self, word: int, handed: socket.socket | None = None) -> int:
        control = self._started()
        socket.send_fds(control, [NUMBER.pack(word)], [handed.fileno()] if handed else [])
        answer = control.recv(NUMBER.size, socket.MSG_WAITALL)
        if len(answer) < NUMBER.size:
            raise ConnectionError("the process that forks readers has ended")
        return int(NUMBER.unpack(answer)[0])

    def _bury(self, pid: int) -> int:
        with self._lock:
            try:
                return self._told(pid)
            except OSError:
                self._stop()
                return signal.SIGKILL

    def _stop(self) -> None:
        if self._owner == os.getpid() and self._control is not None and self._process is not None:
            for reader in self._idle:
                reader.connection.close()
            self._control.close()
            self._process.wait()
        self._idle, self._control, self._process = [], None, None


def _said(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return f"status {os.waitstatus_to_exitcode(status)}"


def _log(record: logging.LogRecord) -> None:
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


_crew = _Crew()
atexit.register(_crew.stop)
