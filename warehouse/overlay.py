"""An overlay: a scratch home over another that is only read, in which a run may do whatever it does, to see what would be.

The warehouse is copied, its log too, while nobody writes; registers are copied; what a crash left on its way into landing too.
Of what is large and never changed in place - landing, lake, publications, journal - the scratch has the directories, and a link for every
file: what is renamed, replaced or removed there is a link. The inbox is read where it is. The scratch is its owner's only and is
removed at the end; what a killed process left is removed by the next.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from schemas.errors import Busy, ConfigurationError
from schemas.reference import KEYS
from warehouse.home import MARK, Home

PREFIX = "nyckeltal-plan-"
INCOMING = ".incoming"
POLL_SECONDS = 0.05
TRIES = 5
"""How often the warehouse is copied where its lock cannot be had and it changes meanwhile."""
YOUNG_SECONDS = 60
"""A scratch that young may not have its lock yet."""


@contextmanager
def overlay(base: Path, registry: Path | None, place: Path | None, wait_seconds: float) -> Iterator[Home]:
    """A scratch home over the one at `base`, below `place` (None: where temporary files go), with the registers of `registry` (None:
    those of the base).

    Raises Busy while another process writes the base for longer than `wait_seconds`, ConfigurationError where there is no home,
    where something may not be read or written, and for a directory without registers.
    """
    try:
        with _made(Home(base), registry, place, wait_seconds) as over:
            yield over
    except PermissionError as error:
        raise ConfigurationError(f"{error.filename} may not be read by this user; give it the right to") from error


@contextmanager
def _made(home: Home, registry: Path | None, place: Path | None, wait_seconds: float) -> Iterator[Home]:
    if not home.root.is_dir():
        raise ConfigurationError(f"there is no home at {home.root}; name one by --home")
    home.require_ours()
    names = _registers(registry) if registry else [name for name in KEYS if (home.registry / name).is_file()]
    _remove_left_over(Path(place or tempfile.gettempdir()))
    try:
        scratch = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place)
    except OSError as error:
        where = place or tempfile.gettempdir()
        raise ConfigurationError(f"no scratch can be made in {where} ({error}); name another place by --scratch") from error
    with scratch as name, _locked(Path(name), fcntl.LOCK_EX):
        over = Home(Path(name).resolve(), home.root)
        (over.root / MARK).touch()
        _copy_warehouse(home, over, wait_seconds)
        _copy(registry or home.registry, over.registry, names)
        _copy_incoming(home, over)
        _link(home.landing, over.landing)
        _link(home.lake, over.lake)
        for held, linked in ((home.published, over.published), (home.journal, over.journal)):
            with suppress(PermissionError):  # files for owners only are of no need
                _link(held, linked)
        yield over


def _registers(registry: Path) -> list[str]:
    """The registers of a directory."""
    found = [name for name in KEYS if (registry / name).is_file()]
    if not found and next(registry.iterdir(), None):
        raise ConfigurationError(f"{registry} holds no register (agencies.csv, organisations.csv ...); name the directory with them")
    return found


def _copy(source: Path, target: Path, names: Iterable[str]) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)


def _copy_warehouse(home: Home, over: Home, wait_seconds: float) -> None:
    """The warehouse and its log, as they are between two runs."""
    files = [home.warehouse, home.warehouse.with_name(home.warehouse.name + ".wal")]
    with _at_rest(home, wait_seconds) as is_locked:
        for _ in range(1 if is_locked else TRIES):
            before = [_state(file) for file in files]
            _copy(home.root, over.root, [file.name for file, found in zip(files, before, strict=True) if found])
            if before == [_state(file) for file in files]:
                return
    raise Busy(f"{home.warehouse} changed while it was copied; ask again when no run writes it")


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


@contextmanager
def _at_rest(home: Home, wait_seconds: float) -> Iterator[bool]:
    """Keep writers away where that can be done: a shared lock on the writer's lock file, for which reading it is enough. Whether
    it is held: it is not where there is no such file, where it may not be read, or where the file system has no locks."""
    until = time.monotonic() + wait_seconds
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(_locked(home.writer_lock, fcntl.LOCK_SH))
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise Busy(f"another run is writing {home.warehouse}; wait for it, or raise --wait") from error
                time.sleep(POLL_SECONDS)
                continue
            except OSError:
                yield False
                return
            yield True
            return


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    """A lock on a file or directory that is there, without changing it. Raises BlockingIOError where another holds it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _copy_incoming(home: Home, over: Home) -> None:
    """What a crash left between inbox and landing, whole and with its intent: the next run lands it."""
    incoming = home.landing / INCOMING
    for waiting in sorted(incoming.iterdir()) if incoming.is_dir() else []:
        if (waiting / "file").is_file() and (waiting / "intent.json").is_file():
            with suppress(FileNotFoundError):  # it is being landed now
                _copy(incoming, over.landing / INCOMING, [f"{waiting.name}/{name}" for name in ("file", "intent.json")])


def _link(place: Path, linked: Path) -> None:
    """The directories below `place`, if it is there, and links to their files. What lies on its way into landing is not there yet.
    Raises PermissionError for what may not be read."""
    linked.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        target = linked / entry.name
        if entry.is_symlink():
            target.symlink_to(Path(entry.path).readlink())
        elif not entry.is_dir():
            if not os.access(entry.path, os.R_OK) and os.path.lexists(entry.path):  # else it has just gone
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), entry.path)
            target.symlink_to(entry.path)
        elif entry.name != INCOMING:
            _link(Path(entry.path), target)


def _remove_left_over(place: Path) -> None:
    """Scratches of processes that were killed: old enough to have a lock, which nobody holds."""
    for path in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.stat().st_uid == os.getuid() and time.time() - path.stat().st_mtime > YOUNG_SECONDS:
                with _locked(path, fcntl.LOCK_EX):
                    shutil.rmtree(path)
