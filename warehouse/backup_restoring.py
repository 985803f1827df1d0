"""Restoring: a home, or some of its files, from a backup. Every file is checked while it is copied."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path, PurePosixPath

from schemas.errors import ConfigurationError, Damage, Damaged, UsageError
from warehouse.backup import Kept, Manifest, Report, copy_bytes, object_of, read_manifest
from warehouse.home import MARK, Home, digest, sync_directory

RESTORING = ".nyckeltal-restoring"
ALONE = (("landing",), ("lake",), ("registry",), ("journal",))
"""Rooms whose files stand for themselves."""


def restore(place: Path, home: Home, report: Report) -> tuple[Manifest, list[Damage]]:
    """Make a home at `home.root` from the backup; every file is checked while it is copied. Returns what the backup holds and what of
    it is damaged: that is left out, all else is there.

    Raises ConfigurationError for a place that holds anything, UsageError and Damaged as `read_manifest` does.
    """
    manifest = read_manifest(place)
    if place == home.root or place in home.root.parents:
        raise ConfigurationError(f"{home.root} lies in the backup itself; name another place for the home")
    _require_empty(home.root)
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        (home.root / RESTORING).touch()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigurationError(f"{home.root} cannot be written ({error.strerror}); name another place for the home") from error
    damaged = []
    for path in sorted(manifest.directories):
        _below(home.root, path).mkdir(mode=0o700, parents=True, exist_ok=True)
    for kept in manifest.files.values():
        if kept.path == MARK:
            continue
        if text := _put(place, kept, _below(home.root, kept.path)):
            damaged.append(Damage(kept.path, text, "the copy in the backup is damaged, the file was left out: see `doctor --deep`"))
        report(PurePosixPath(kept.path).parts[0], kept.size)
    for path, target in manifest.links.items():
        _below(home.root, path).symlink_to(target)
    for path in sorted(manifest.directories, reverse=True):  # last: what is within must be writable until then
        _below(home.root, path).chmod(manifest.directories[path])
    os.sync()
    (home.root / MARK).touch()
    (home.root / RESTORING).unlink()
    return manifest, damaged


def _require_empty(root: Path) -> None:
    if not root.is_dir():
        if root.exists() or root.is_symlink():
            raise ConfigurationError(f"{root} is a file; name a directory that is empty or not there yet")
        return
    if (root / RESTORING).exists():  # a restore that was killed: all that is here came from it
        for entry in root.iterdir():
            if entry.name != RESTORING:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        return
    names = sorted(entry.name for entry in root.iterdir())
    if names:
        what = "holds a home" if MARK in names else f"holds other things ({', '.join(names[:3])})"
        raise ConfigurationError(f"{root} {what}; restore to an empty directory or one that is not there yet, nothing was changed")


def _put(place: Path, kept: Kept, target: Path) -> str | None:
    """Write one file with its rights and time; what is wrong with its copy in the backup, then there is no file."""
    source = object_of(place, kept.sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        sha256, size = copy_bytes(source, target)
    except FileNotFoundError:
        return "is missing in the backup"
    except PermissionError as error:
        if error.filename != str(source):
            raise
        return f"may not be read in the backup ({error.strerror})"
    if (sha256, size) != (kept.sha256, kept.size):
        target.unlink()
        return "is not what was backed up (another sha256)"
    target.chmod(kept.mode)
    os.utime(target, ns=(kept.mtime_ns, kept.mtime_ns))
    return None


def _below(root: Path, path: str) -> Path:
    """A path of a manifest below a home; one that would lead out of it is none of ours."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise Damaged(Damage(path, "leads out of the home", "take another backup"))
    return root / pure


def put_back(place: Path, home: Home, below: str) -> list[str]:
    """Bring files of landing, lake, registry or journal that are missing, or not as they were, back into the home from the backup: `below`
    names one, or a folder. Returns which. The caller holds the writer's lock.

    Raises UsageError for what cannot come back alone: the warehouse, receipts and publications belong together.
    """
    if PurePosixPath(below).parts[:1] not in ALONE:
        rooms = ", ".join(room for (room,) in ALONE)
        raise UsageError(f"{below} does not come back alone, only what lies below {rooms} does; restore all to another place")
    files = [kept for path, kept in read_manifest(place).files.items() if path == below or path.startswith(f"{below.rstrip('/')}/")]
    if not files:
        raise UsageError(f"the backup holds nothing below {below}")
    brought, damaged = [], []
    for kept in files:
        target = _below(home.root, kept.path)
        if target.is_file() and digest(target) == (kept.sha256, kept.size):
            continue
        waiting = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        if text := _put(place, kept, waiting):
            damaged.append(Damage(kept.path, text, "take another backup"))
            continue
        waiting.replace(target)
        sync_directory(target.parent)
        brought.append(kept.path)
    if damaged:
        raise Damaged(*damaged)
    return brought
