"""One measured run: a fresh process, its wall time, CPU time and memory. The parent stays small: a child's `ru_maxrss` begins
with what its parent held when it was started."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY = 0.02
BLOCK = 16 * 1024**2


@dataclass(frozen=True)
class Run:
    """Seconds of wall and CPU (descendants included); the child's own peak and that of its whole process tree, MB (10^6)."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    tree_mb: float


def run(command: Sequence[str | Path], quiet: bool = True) -> Run:
    """Run a command to its end. Raises CalledProcessError with its output when it fails."""
    output = subprocess.PIPE if quiet else None
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=subprocess.STDOUT if quiet else None)
    tree = _Tree(process.pid)
    tree.start()
    said = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    tree.stop()
    if process.returncode:
        sys.stderr.write(said.decode("utf-8", "replace"))
        raise subprocess.CalledProcessError(process.returncode, list(command))
    own = usage.ru_maxrss * 1024 / 1e6
    return Run(seconds, usage.ru_utime + usage.ru_stime, own, max(own, tree.peak / 1e6))


def python(module: str, *arguments: str | Path) -> list[str | Path]:
    """The command that runs a module in a fresh interpreter of this environment."""
    return [sys.executable, "-m", module, *arguments]


def nyckeltal(home: Path, *arguments: str | Path) -> list[str | Path]:
    """The installed command line on a home directory."""
    return [Path(sys.executable).with_name("nyckeltal"), "--home", home, *arguments]


def warm(path: Path) -> None:
    """Read a file through, so that every run finds it in the page cache."""
    with path.open("rb") as file:
        while file.read(BLOCK):
            pass


class _Tree(threading.Thread):
    """Watches the resident memory of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid = pid
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(EVERY):
            self.peak = max(self.peak, _resident(self._pid))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _resident(pid: int) -> int:
    total = 0
    try:
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            total += member.memory_info().rss
    except psutil.Error:
        return total  # it ended while we looked
    return total
