"""Landing: the durable queue and the archive of originals.

    landing/<source>/<agency>/<sha256>/file            the bytes as delivered; retention may remove them, nothing else goes
    landing/<source>/<agency>/<sha256>/manifest.json   what is fixed: id, size, hash, first name
    landing/<source>/<agency>/<sha256>/journal/NNNN-<kind>.json   what happened: received, withdrawn, released, reprocess

The tree is the truth: the warehouse can be rebuilt from it. A delivery's state is a pure function of its journal, so the
order in which deliveries are processed never matters. Files move in by `.incoming/<token>/`, where a crash leaves either an
intent without file (dropped) or a file with its intent (finished by `recover`).
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
import stat
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from schemas.errors import Damaged, DeliveryRefused, Reason
from warehouse.home import Home, digest, sync_directory, write_durably
from warehouse.landed import Intent, Landed, append, delivery_id, last_entry, manifest_of, mend, now, read

__all__ = [
    "Intent",
    "Landed",
    "Landing",
    "copy_ordinary",
    "delivery_id",
    "last_entry",
    "move_away",
    "now",
    "opened",
    "read",
    "require_regular_file",
]
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
log = logging.getLogger(__name__)
CHUNK = 4 * 1024 * 1024


def require_regular_file(path: Path, name: str) -> os.stat_result:
    """Refuse everything but an ordinary file: symlinks, FIFOs, devices."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from error
    if not stat.S_ISREG(found.st_mode):
        raise _no_file(name)
    return found


@contextmanager
def opened(path: Path, name: str, below: Path | None = None) -> Iterator[tuple[int, int]]:
    """An ordinary file opened once, and its folder: two descriptors, so that what is put in its place meanwhile changes nothing.

    The file itself is never reached through a link; of a file below the folder `below` no folder on the way there is either.
    Raises DeliveryRefused for everything else.
    """
    try:
        folder = _folder(path.parent, below)
    except (OSError, ValueError) as error:
        raise _unreadable(error, name) from error
    try:
        try:
            file = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.ENXIO, errno.EMLINK):
                raise _no_file(name) from error
            raise _unreadable(error, name) from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _no_file(name)
            yield folder, file
        finally:
            os.close(file)
    finally:
        os.close(folder)


def _folder(path: Path, below: Path | None) -> int:
    inner = path.is_relative_to(below) if below else False
    folder = os.open(below if below and inner else path, os.O_RDONLY | os.O_DIRECTORY)
    for part in path.relative_to(below).parts if below and inner else ():
        try:
            inner_folder = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner_folder
    return folder


def _unreadable(error: Exception, name: str) -> DeliveryRefused:
    why = error.strerror if isinstance(error, OSError) else error
    return DeliveryRefused(Reason("file_unreadable", f"cannot be read ({why}); deliver it again", file=name))


def _no_file(name: str) -> DeliveryRefused:
    return DeliveryRefused(Reason("not_a_file", "is a link, pipe, device or folder; deliver an ordinary file", file=name))


class Landing:
    """Takes files in and reads them out. `take` may run while a load runs; takers wait for each other."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.incoming = home.landing / ".incoming"
        self._lock = FileLock(str(home.landing_lock))

    def take(self, path: Path, intent: Intent, move: bool) -> tuple[Landed, bool]:
        """Land one file; returns the delivery and whether its bytes are new.

        `move` takes the file away (inbox), else it is copied; a file with a second name is copied too, so that nobody can
        change what is landed. Raises DeliveryRefused for anything but an ordinary, non-empty file that does not change
        meanwhile.
        """
        for word, what in ((intent.source, "source"), (intent.agency, "agency")):
            if not NAME.fullmatch(word):
                raise DeliveryRefused(Reason(f"{what}_invalid", f"{what} {word!r} is not a plain name", file=intent.file_name))
        with opened(path, intent.file_name, self.home.inbox) as (folder, file):
            before = os.fstat(file)
            if before.st_size == 0:
                raise DeliveryRefused(Reason("file_empty", "the file is empty; deliver it again", file=intent.file_name))
            with self._lock:
                self._recover()
                waiting = self.incoming / uuid.uuid4().hex
                waiting.mkdir(mode=0o700, parents=True)
                try:
                    write_durably(waiting / "intent.json", json.dumps(intent.to_json()).encode())
                    if not move or before.st_nlink > 1 or not _moved(folder, file, path.name, waiting / "file"):
                        _copy(file, path.name, waiting / "file")
                    if move:
                        _unlink(folder, file, path.name)
                    landed, is_new = self._finish(waiting)
                except BaseException:
                    if not move or not (waiting / "file").exists():
                        shutil.rmtree(waiting, ignore_errors=True)
                    raise
        return landed, is_new

    def recover(self) -> int:
        """Finish what a crash interrupted; returns how many files were landed."""
        with self._lock:
            return self._recover()

    def _recover(self) -> int:
        finished = 0
        if not self.incoming.is_dir():
            return 0
        for waiting in sorted(self.incoming.iterdir()):
            if _is_ordinary(waiting / "file") and (waiting / "intent.json").is_file():
                try:
                    self._finish(waiting)
                except (OSError, ValueError, KeyError) as error:
                    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                        raise
                    log.error("a file in %s cannot be landed (%s); it stays there", waiting, type(error).__name__)
                    continue  # one file must not stop everybody's
                finished += 1
            else:
                shutil.rmtree(waiting, ignore_errors=True)
        return finished

    def _finish(self, waiting: Path) -> tuple[Landed, bool]:
        """Hash the waiting file and put it in its place; the last step is the journal entry that makes it pending."""
        intent = Intent.from_json(json.loads((waiting / "intent.json").read_text("utf-8")))
        sha256, size = digest(waiting / "file")
        directory = self.home.landing / intent.source / intent.agency / sha256
        is_new = not (directory / "journal").is_dir()
        if is_new:
            manifest = manifest_of(intent, sha256, size)
            shutil.rmtree(waiting / "journal", ignore_errors=True)  # of an attempt that ended here
            (waiting / "journal").mkdir(mode=0o700)
            (waiting / "file").chmod(0o400)
            write_durably(waiting / "manifest.json", json.dumps(manifest, indent=2).encode())
            append(waiting / "journal", "received", intent.to_json())
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.rmtree(directory, ignore_errors=True)
            # the intent goes last: a waiting file without one would be taken for an unfinished copy and dropped
            waiting.rename(directory)
            sync_directory(directory.parent)
            (directory / "intent.json").unlink()
        else:
            mend(directory, intent, size)
            file = directory / "file"
            if not file.is_file() or digest(file) != (sha256, size):  # pruned, damaged, or changed by whoever held it open
                _put_back(waiting / "file", file)
            append(directory / "journal", "received", intent.to_json())
            shutil.rmtree(waiting)
        return read(directory), is_new

    def note(self, landed: Landed, kind: str, at: datetime, reason: str) -> None:
        """Record a command (withdrawn, released, reprocess) in the delivery's journal, after receipts that still wait."""
        with self._lock:
            self._recover()
            append(landed.directory / "journal", kind, {"at": at.isoformat(), "reason": reason})

    def retire(self, landed: Landed, at: datetime, reason: str) -> Landed | None:
        """Withdraw a delivery unless its journal has moved since it was read; returns how it stands then, else None."""
        with self._lock:
            self._recover()
            if read(landed.directory).journal_n != landed.journal_n:
                return None
            append(landed.directory / "journal", "withdrawn", {"at": at.isoformat(), "reason": reason})
            return read(landed.directory)

    def drop_file(self, landed: Landed) -> bool:
        """Remove the original of a withdrawn delivery unless its journal has moved since it was read; manifest and journal
        stay. Returns whether a file was removed."""
        with self._lock:
            self._recover()
            newest = read(landed.directory)
            if newest.active or newest.journal_n != landed.journal_n or not newest.file.is_file():
                return False
            newest.file.unlink()
            return True

    def purge_file(self, landed: Landed) -> bool:
        """Remove the original of a delivery that stays in force, unless its journal has moved since it was read. Returns whether a
        file was removed."""
        with self._lock:
            self._recover()
            if read(landed.directory).journal_n != landed.journal_n or not landed.file.is_file():
                return False
            landed.file.unlink()
            return True

    def all(self, damaged: list[Damaged] | None = None, sources: Collection[str] | None = None) -> Iterator[Landed]:
        """Every landed delivery (of some sources, None: all), in path order. One whose manifest or journal cannot be read is left
        out, for the others go on; what is wrong with it is put into `damaged`."""
        if not self.home.landing.is_dir():
            return
        for source in sorted(self.home.landing.iterdir()):
            if source.name.startswith(".") or not source.is_dir() or (sources is not None and source.name not in sources):
                continue
            for agency in sorted(path for path in source.iterdir() if path.is_dir()):
                for directory in sorted(path for path in agency.iterdir() if path.is_dir()):
                    try:
                        yield read(directory)
                    except Damaged as error:
                        if damaged is None:
                            log.info("%s", error)
                        else:
                            damaged.append(error)


def _is_ordinary(path: Path) -> bool:
    """A file that is no link: what a crash left of a move that `_moved` had not looked at yet may be one."""
    return path.is_file() and not path.is_symlink()


def _put_back(waiting: Path, target: Path) -> None:
    """The file of a delivery whose original was pruned, before the receipt that makes it pending: a crash in between leaves
    the waiting file for `recover`."""
    target.with_name(target.name + ".part").unlink(missing_ok=True)
    copy_ordinary(waiting, target)
    target.chmod(0o400)
    sync_directory(target.parent)


def _is_same(found: os.stat_result, file: int) -> bool:
    opened_file = os.fstat(file)
    return (found.st_dev, found.st_ino) == (opened_file.st_dev, opened_file.st_ino)


def _moved(folder: int, file: int, name: str, target: Path) -> bool:
    """Move the opened file; False where it lies on another file system. What was put in its place meanwhile goes back there: then,
    as for a file that is gone, DeliveryRefused."""
    try:
        os.rename(name, target, src_dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise _growing(name) from error
        return False
    if _is_same(os.lstat(target), file):
        return True
    os.rename(target, name, dst_dir_fd=folder)
    raise _growing(name)


def _unlink(folder: int, file: int, name: str) -> None:
    """Remove the opened file's name, where it is still its name."""
    try:
        if _is_same(os.stat(name, dir_fd=folder, follow_symlinks=False), file):
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def move_away(path: Path, target: Path) -> None:
    """Move a file or link, whatever it is, also to another file system; but no pipe or device there. Raises OSError, and
    DeliveryRefused for what cannot be copied or changes meanwhile; then `path` is still there."""
    try:
        path.rename(target)
        return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if path.is_symlink():
            target.symlink_to(path.readlink())
        else:
            copy_ordinary(path, target)
    path.unlink()


def copy_ordinary(path: Path, target: Path, below: Path | None = None) -> None:
    """Copy an ordinary file, opened once and through no link; `target` appears when it is whole. Raises DeliveryRefused."""
    with opened(path, path.name, below) as (_, file):
        _copy(file, path.name, target)


def _copy(file: int, name: str, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    with os.fdopen(os.dup(file), "rb") as reader, part.open("xb") as writer:
        before = os.fstat(file)
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fsync(writer.fileno())
        after = os.fstat(file)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        part.unlink()
        raise _growing(name)
    part.replace(target)


def _growing(name: str) -> DeliveryRefused:
    return DeliveryRefused(Reason("file_growing", "the file changed while it was read; deliver it when it is whole", file=name))
