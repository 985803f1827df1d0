"""The other side of `flows.readers`: `python -m flows.reader_process FD` imports once what reading needs and forks readers.

Over the control socket FD come eight bytes with either FORK and a socket (answered by the new reader's process id) or the id of a
reader that is no more (answered by its wait status). When the socket ends, the run has: readers must not outlive it, for the next
run prepares the same batches.

Forking is sound here: the libraries are imported and not used before, so that nobody holds a lock in a thread that the fork lacks.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from logging.handlers import QueueHandler
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

__all__ = ["FORK", "NUMBER", "main"]

NUMBER = struct.Struct("<q")
FORK = 0
IMPORTED = ("flows.preparing", "flows.receiving")
"""Modules whose functions are asked for; with them come the engines."""
KILLED_FIRST = "1000"
"""Where the machine's memory is short, the system ends a reader and not the run (Linux: oom_score_adj)."""

Say = Callable[[str, object], None]


def main() -> None:
    """Fork readers until the run is over."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # these are the run's: it ends, and the socket with it
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    gc.set_threshold(50_000)  # as the command line does
    readers: set[int] = set()
    try:
        while True:
            message, handed, _, _ = socket.recv_fds(control, NUMBER.size, 1)
            if len(message) < NUMBER.size:
                return
            (word,) = NUMBER.unpack(message)
            if word == FORK:
                pid = _fork(control, handed[0])
                readers.add(pid)
                control.sendall(NUMBER.pack(pid))
            else:
                _, status = os.waitpid(word, 0)
                readers.discard(word)
                control.sendall(NUMBER.pack(status))
    except OSError:
        return
    finally:
        for pid in readers:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _fork(control: socket.socket, handle: int) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of forks beside threads: see above
        pid = os.fork()
    if pid:
        os.close(handle)
        return pid
    try:
        control.close()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stderr.fileno())  # what a library prints as it gives up may quote what was delivered
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(KILLED_FIRST)
        _answer(Connection(handle))
    finally:
        os._exit(0)


def _answer(connection: Connection) -> None:
    """Answer question after question: (level of the log, what is the same for many as pickled bytes or None, function, arguments)."""
    lock = threading.Lock()

    def say(kind: str, content: object) -> None:
        with lock:
            connection.send((kind, content))

    logging.root.handlers = [_Forwarding(say)]
    shared: Any = None
    while True:
        try:
            level, told, function, arguments = connection.recv()
        except EOFError:
            return
        logging.root.setLevel(level)
        try:
            shared = pickle.loads(told) if told is not None else shared  # noqa: S301 - from the run itself
            answer = function(shared, *arguments, lambda *done: say("progress", done))
        except BaseException as error:
            say("failed", _sendable(error))
        else:
            say("answer", answer)


def _sendable(error: BaseException) -> BaseException:
    """An error that the run can raise, with its traceback as a note; of a class that does not travel, its words."""
    text = "".join(traceback.format_exception(error))
    error.__cause__ = error.__context__ = None
    try:
        same: BaseException = pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:
        same = RuntimeError(f"{type(error).__name__} in a reader")
    same.add_note(text)
    return same


class _Forwarding(QueueHandler):
    """Hands log records to the run, whose handlers know where they go."""

    def __init__(self, say: Say) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._say = say

    def enqueue(self, record: logging.LogRecord) -> None:
        self._say("log", record)


if __name__ == "__main__":
    main()
