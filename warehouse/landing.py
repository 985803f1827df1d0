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
import hashlib
import json
import logging
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from schemas.errors import DeliveryRefused, Reason
from warehouse.home import Home, sync_directory, write_durably

KINDS = ("received", "withdrawn", "released", "reprocess")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
log = logging.getLogger(__name__)
CHUNK = 4 * 1024 * 1024


@dataclass(frozen=True)
class Intent:
    """What a delivered file is said to be, before it is landed. Times are UTC."""

    source: str
    agency: str
    file_name: str
    received_at: datetime
    produced_at: datetime
    produced_from: str
    coverage_from: date | None = None
    coverage_to: date | None = None
    part: str = ""
    origin: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "agency": self.agency,
            "file_name": self.file_name,
            "received_at": self.received_at.isoformat(),
            "produced_at": self.produced_at.isoformat(),
            "produced_from": self.produced_from,
            "coverage_from": self.coverage_from.isoformat() if self.coverage_from else None,
            "coverage_to": self.coverage_to.isoformat() if self.coverage_to else None,
            "part": self.part,
            "origin": self.origin,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Intent:
        return cls(
            source=data["source"],
            agency=data["agency"],
            file_name=data["file_name"],
            received_at=datetime.fromisoformat(data["received_at"]),
            produced_at=datetime.fromisoformat(data["produced_at"]),
            produced_from=data["produced_from"],
            coverage_from=date.fromisoformat(data["coverage_from"]) if data["coverage_from"] else None,
            coverage_to=date.fromisoformat(data["coverage_to"]) if data["coverage_to"] else None,
            part=data["part"],
            origin=data.get("origin", ""),
        )


@dataclass(frozen=True)
class Landed:
    """A delivery in landing, read with its journal.

    `journal_n` entries lead to: `active` (not withdrawn since its last receipt), `intent` of the newest receipt (by
    produced_at since the last withdrawal), `released` (a hold is lifted), `attempt` (how often it was to be prepared).
    """

    delivery_id: str
    sha256: str
    size: int
    directory: Path
    intent: Intent
    first_received_at: datetime
    receipts_n: int
    journal_n: int
    attempt: int
    active: bool
    released: bool

    @property
    def file(self) -> Path:
        return self.directory / "file"


def delivery_id(source: str, agency: str, sha256: str) -> str:
    """Sixteen hex digits that stand for (source, agency, sha256)."""
    return hashlib.sha256(f"{source}\0{agency}\0{sha256}".encode()).hexdigest()[:16]


def require_regular_file(path: Path, name: str) -> os.stat_result:
    """Refuse everything but an ordinary file: symlinks, FIFOs, devices."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError) as error:
        raise DeliveryRefused(Reason("file_unreadable", f"cannot be read ({error}); deliver it again", file=name)) from error
    if not stat.S_ISREG(found.st_mode):
        raise DeliveryRefused(Reason("not_a_file", "is a link, pipe, device or folder; deliver an ordinary file", file=name))
    return found


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
        before = require_regular_file(path, intent.file_name)
        if before.st_size == 0:
            raise DeliveryRefused(Reason("file_empty", "the file is empty; deliver it again", file=intent.file_name))
        with self._lock:
            self._recover()
            waiting = self.incoming / uuid.uuid4().hex
            waiting.mkdir(mode=0o700, parents=True)
            try:
                write_durably(waiting / "intent.json", json.dumps(intent.to_json()).encode())
                if move and before.st_nlink == 1:
                    _move(path, waiting / "file")
                else:
                    _copy(path, waiting / "file")
                if move:
                    path.unlink(missing_ok=True)
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
            if (waiting / "file").is_file() and (waiting / "intent.json").is_file():
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
        sha256, size = _digest(waiting / "file")
        directory = self.home.landing / intent.source / intent.agency / sha256
        is_new = not (directory / "manifest.json").is_file()
        if is_new:
            manifest = {
                "delivery_id": delivery_id(intent.source, intent.agency, sha256),
                "sha256": sha256,
                "size": size,
            } | intent.to_json()
            shutil.rmtree(waiting / "journal", ignore_errors=True)  # of an attempt that ended here
            (waiting / "journal").mkdir(mode=0o700)
            (waiting / "file").chmod(0o400)
            write_durably(waiting / "manifest.json", json.dumps(manifest, indent=2).encode())
            _append(waiting / "journal", "received", intent.to_json())
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.rmtree(directory, ignore_errors=True)
            # the intent goes last: a waiting file without one would be taken for an unfinished copy and dropped
            waiting.rename(directory)
            sync_directory(directory.parent)
            (directory / "intent.json").unlink()
        else:
            file = directory / "file"
            if not file.is_file() or file.stat().st_size != size:  # pruned, or changed by whoever held it open
                _put_back(waiting / "file", file)
            _append(directory / "journal", "received", intent.to_json())
            shutil.rmtree(waiting)
        return read(directory), is_new

    def note(self, landed: Landed, kind: str, at: datetime, reason: str) -> None:
        """Record a command (withdrawn, released, reprocess) in the delivery's journal, after receipts that still wait."""
        with self._lock:
            self._recover()
            _append(landed.directory / "journal", kind, {"at": at.isoformat(), "reason": reason})

    def retire(self, landed: Landed, at: datetime, reason: str) -> Landed | None:
        """Withdraw a delivery unless its journal has moved since it was read; returns how it stands then, else None."""
        with self._lock:
            self._recover()
            if read(landed.directory).journal_n != landed.journal_n:
                return None
            _append(landed.directory / "journal", "withdrawn", {"at": at.isoformat(), "reason": reason})
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

    def all(self) -> Iterator[Landed]:
        """Every landed delivery, in path order."""
        if not self.home.landing.is_dir():
            return
        for source in sorted(self.home.landing.iterdir()):
            if source.name.startswith(".") or not source.is_dir():
                continue
            for agency in sorted(source.iterdir()):
                for directory in sorted(agency.iterdir()):
                    if (directory / "manifest.json").is_file():
                        yield read(directory)


def read(directory: Path) -> Landed:
    """A landed delivery from its directory."""
    manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
    entries = sorted(path for path in (directory / "journal").iterdir() if not path.name.startswith("."))
    active, released, attempt, receipts = False, False, 0, 0
    intent = first = Intent.from_json(manifest)
    for entry in entries:
        kind = entry.stem.split("-", 1)[1]
        if kind == "received":
            new = Intent.from_json(json.loads(entry.read_text("utf-8")))
            intent = new if not active or new.produced_at > intent.produced_at else intent
            attempt += not active
            receipts += 1
            active = True
        elif kind == "withdrawn":
            active = released = False
        elif kind == "released":
            released = True
        elif kind == "reprocess":
            attempt += 1
    return Landed(
        delivery_id=manifest["delivery_id"],
        sha256=manifest["sha256"],
        size=manifest["size"],
        directory=directory,
        intent=intent,
        first_received_at=first.received_at,
        receipts_n=receipts,
        journal_n=len(entries),
        attempt=attempt,
        active=active,
        released=released,
    )


def _append(journal: Path, kind: str, data: dict[str, Any]) -> None:
    """Add the next numbered entry; the caller holds the landing lock."""
    if kind not in KINDS:
        raise ValueError(kind)
    number = 1 + sum(1 for path in journal.iterdir() if not path.name.startswith("."))
    write_durably(journal / f"{number:04d}-{kind}.json", json.dumps(data, indent=2).encode())


def last_entry(landed: Landed) -> tuple[str, datetime, str]:
    """Kind, time and reason ('' of a receipt) of the newest journal entry."""
    entries = sorted(path for path in (landed.directory / "journal").iterdir() if not path.name.startswith("."))
    data = json.loads(entries[-1].read_text("utf-8"))
    moment = datetime.fromisoformat(data.get("at") or data["received_at"])
    return entries[-1].stem.split("-", 1)[1], moment, data.get("reason", "")


def _put_back(waiting: Path, target: Path) -> None:
    """The file of a delivery whose original was pruned, before the receipt that makes it pending: a crash in between leaves
    the waiting file for `recover`."""
    target.with_name(target.name + ".part").unlink(missing_ok=True)
    _copy(waiting, target)
    target.chmod(0o400)
    sync_directory(target.parent)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError:
        _copy(path, target)  # the inbox lies on another file system


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
            require_regular_file(path, path.name)
            _copy(path, target)
    path.unlink()


def _copy(path: Path, target: Path) -> None:
    """Copy without following a link that was put in the file's place meanwhile; `target` appears when it is whole."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    part = target.with_name(target.name + ".part")
    with os.fdopen(descriptor, "rb") as reader, part.open("xb") as writer:
        before = os.fstat(reader.fileno())
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fsync(writer.fileno())
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        part.unlink()
        reason = Reason("file_growing", "the file changed while it was read; deliver it when it is whole", file=path.name)
        raise DeliveryRefused(reason)
    part.replace(target)


def now() -> datetime:
    """The clock of landing: receipts are stamped once and never again."""
    return datetime.now(UTC)
