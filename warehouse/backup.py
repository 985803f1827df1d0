"""Backup: a home in another place, by content. Restoring is warehouse/backup_restoring.

    TO/objects/<ab>/<sha256>    the bytes of files, each kept once whatever it is called; readable by the owner only
    TO/manifest.json            which file has which bytes, size and rights; which links there are; written last, with its own hash

A backup that is interrupted leaves the former manifest and all it names. What has the size and the times of the former backup is
not read again, so that a file which rots in the home does not displace its good copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from schemas.errors import Busy, ConfigurationError, Damage, Damaged, UsageError
from warehouse import journal
from warehouse.home import Home, write_durably

BACKUP_MARK = ".nyckeltal-backup"
FORMAT = 1
LEFT_OUT = {"service", "work", "inbox"}
"""Secrets and logs, scratch, and what has not been received: no part of a backup."""
EARLY = ("landing", "lake", "journal", "published/generations")
"""What never changes once it is there: copied before the lock is taken."""
CHUNK = 1024 * 1024
Report = Callable[[str, float], None]
"""Called with a room of the home and the bytes done."""


@dataclass(frozen=True)
class Kept:
    """A file of a home: `path` from the home on; the times tell whether it is as it was."""

    path: str
    size: int
    sha256: str
    mode: int
    mtime_ns: int
    ctime_ns: int

    def is_as(self, found: os.stat_result) -> bool:
        return (self.size, self.mtime_ns, self.ctime_ns) == (found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass
class Manifest:
    """What a backup holds."""

    made_at: str = ""
    files: dict[str, Kept] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    directories: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Copied:
    """What a backup did: all files it holds, and those whose bytes were new."""

    files: int
    bytes: int
    new_files: int
    new_bytes: int
    damaged: Sequence[Damage] = ()
    """Files of the home that are lost or not what was written; the backup keeps the whole copy where it has one."""


class Backup:
    """A backup in the directory `place`; `early` and then `finish` make it, the latter under the writer's lock."""

    def __init__(self, place: Path, report: Report) -> None:
        self.place = place
        self._report = report
        self._former = former_of(place).files
        self._known = dict(self._former)
        self._new = (0, 0)

    def early(self, home: Home) -> None:
        """Copy what never changes, beside a running night."""
        found = Manifest()
        for room in EARLY:
            if (home.root / room).is_dir():
                self._take(home, room, found)
        self._known |= found.files

    def finish(self, home: Home, at: datetime, truth: Mapping[str, str]) -> Copied:
        """Copy the rest and what came meanwhile, write the manifest, let go of bytes that it does not name.

        `truth`: files that must be there and the hash of each. Where the home's is another or none, the former backup's is kept.
        """
        found = Manifest(made_at=at.isoformat())
        for entry in sorted(os.scandir(home.root), key=lambda item: item.name):
            if entry.name in LEFT_OUT or entry.name.endswith(".lock"):
                continue
            self._take(home, entry.name, found)
        damaged = [item for path, sha256 in truth.items() if (item := self._keep(found, path, sha256))]
        damaged += self._keep_journal(home, found)
        if self._new[0]:
            os.sync()  # the bytes before the manifest that promises them
        body = _body(found)
        text = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "body": body})
        write_durably(self.place / "manifest.json", text.encode())
        self._sweep({item.sha256 for item in found.files.values()})
        return Copied(len(found.files), sum(item.size for item in found.files.values()), *self._new, damaged)

    def _keep(self, found: Manifest, path: str, sha256: str) -> Damage | None:
        """What is wrong with a file of the home that should have this hash; its whole copy stays in the backup."""
        now, former = found.files.get(path), self._former.get(path)
        if now and now.sha256 == sha256:
            return None
        text = "is not what was written (another sha256)" if now else "is missing"
        if former and former.sha256 == sha256 and _has(self.place, former):
            found.files[path] = former
            return Damage(path, text, "the backup keeps its whole copy; `doctor --deep` says what heals it")
        return Damage(path, text, "the backup has no whole copy of it; `doctor --deep` says what heals it")

    def _keep_journal(self, home: Home, found: Manifest) -> list[Damage]:
        """Files of the journal that are not as the former backup has them and cannot be read; no hash of them is kept elsewhere."""
        changed = [path for path, now in found.files.items() if path.startswith("journal/") and now != self._former.get(path)]
        broken = {path: text for path in changed if path.endswith(".zip") and (text := journal.wrong_with(home.root / path, deep=True))}
        for path in broken.keys() & self._former.keys():
            if _has(self.place, self._former[path]):
                found.files[path] = self._former[path]
        return [Damage(path, text, "`doctor --deep` says what heals it, then take another backup") for path, text in broken.items()]

    def _take(self, home: Home, below: str, found: Manifest) -> None:
        """One file or folder of the home's root, with all it holds; a folder may be a link to another disk."""
        for path, entry in _walk(home.root / below, below):
            if path not in (below,) and entry.is_symlink():
                found.links[path] = str(entry.readlink())
            elif entry.is_dir():
                found.directories[path] = stat.S_IMODE(entry.stat().st_mode)
            elif entry.is_file():
                try:
                    found.files[path] = self._copied(entry, path)
                except FileNotFoundError:
                    continue  # retention, or a run that swept what no ledger names
                self._report(PurePosixPath(path).parts[0], found.files[path].size)

    def _copied(self, source: Path, path: str) -> Kept:
        status = source.stat()
        known = self._known.get(path)
        if known and known.is_as(status) and _has(self.place, known):
            return known
        waiting = self.place / f".{uuid.uuid4().hex}"
        try:
            sha256, size = copy_bytes(source, waiting)
            kept = Kept(path, size, sha256, stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_ctime_ns)
            if not _has(self.place, kept):
                target = object_of(self.place, sha256)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                waiting.replace(target)
                self._new = (self._new[0] + 1, self._new[1] + size)
        finally:
            waiting.unlink(missing_ok=True)
        return kept

    def _sweep(self, named: set[str]) -> None:
        for path in (self.place / "objects").glob("*/*"):
            if path.name not in named:
                path.unlink()


def former_of(place: Path) -> Manifest:
    """The backup there is; none when its manifest is lost, then all is read again."""
    try:
        return read_manifest(place)
    except (UsageError, Damaged):
        return Manifest()


@contextmanager
def begun(place: Path, home: Home) -> Iterator[None]:
    """`place` as a place of backups, made or found, locked for the time of the block. Raises ConfigurationError for a directory that
    holds other things or lies in the home, Busy while another backup is written there."""
    if place == home.root or home.root in place.parents:
        raise ConfigurationError(f"{place} lies in the home itself; name a directory on another disk")
    if place.is_dir() and not (place / BACKUP_MARK).exists() and any(place.iterdir()):
        raise ConfigurationError(f"{place} is no backup of nyckeltal and holds other things; name an empty or a new directory")
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
        (place / "objects").mkdir(mode=0o700, exist_ok=True)
        (place / BACKUP_MARK).touch(mode=0o600)
    except OSError as error:
        raise ConfigurationError(f"{place} cannot be written ({error.strerror})") from error
    lock = FileLock(str(place / "backup.lock"), mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Busy(f"another backup is written to {place}; try again when it has ended") from error
    try:
        for left in place.glob(".*"):
            if left.name != BACKUP_MARK:
                left.unlink()  # of a backup that was killed
        yield
    finally:
        lock.release()


def read_manifest(place: Path) -> Manifest:
    """The manifest of a backup. Raises UsageError where there is none, Damaged where it is not what was written."""
    path = place / "manifest.json"
    cure = "take another backup"
    try:
        outer = json.loads(path.read_text("ascii"))
        body = outer["body"]
        whole = hashlib.sha256(body.encode()).hexdigest() == outer["sha256"]
        content = json.loads(body) if whole else {}
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{place} holds no backup that was ended: there is no manifest.json") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(Damage(str(path), f"cannot be read ({type(error).__name__})", cure)) from error
    if not whole:
        raise Damaged(Damage(str(path), "is not what was written (another sha256)", cure))
    if content["format"] != FORMAT:
        raise UsageError(f"{path} is of format {content['format']}, this release reads {FORMAT}; use the release that wrote it")
    files = {item["path"]: Kept(**item) for item in content["files"]}
    return Manifest(content["made_at"], files, content["links"], content["directories"])


def object_of(place: Path, sha256: str) -> Path:
    """Where the bytes with this hash lie in a backup."""
    return place / "objects" / sha256[:2] / sha256


def _has(place: Path, kept: Kept) -> bool:
    try:
        return object_of(place, kept.sha256).stat().st_size == kept.size
    except OSError:
        return False


def _body(manifest: Manifest) -> str:
    files = [asdict(item) for item in manifest.files.values()]
    content = {"format": FORMAT, "made_at": manifest.made_at, "files": files}
    return json.dumps(content | {"links": manifest.links, "directories": manifest.directories})


def _walk(place: Path, name: str) -> Iterator[tuple[str, Path]]:
    """A file or folder and everything below it, in order: path from the home on, and the path itself. Links are not followed below
    the first; what runs build aside is left out."""
    yield name, place
    if not place.is_dir():
        return
    for entry in _entries(place):
        path = Path(entry.path)
        if entry.name.startswith((".building", ".incoming", ".current-", ".file-")) or entry.name.endswith(".tmp"):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, f"{name}/{entry.name}")
        else:
            yield f"{name}/{entry.name}", path


def _entries(place: Path) -> Iterable[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(place), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def copy_bytes(source: Path, target: Path) -> tuple[str, int]:
    """Copy bytes into a file of the owner's only; returns their SHA-256 and how many they are."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader:  # first: no source, no target
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                writer.write(chunk)
                size += len(chunk)
    return digest.hexdigest(), size
