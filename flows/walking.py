"""Walking: the files that lie below a place, what their place says of them, and which of them still grow.

Whoever delivers decides what lies there: a folder or file that cannot be looked at is passed over or handed on to be refused,
it never ends the walk.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MANIFEST = ".manifest.json"
DONE = ".done"


@dataclass(frozen=True)
class Found:
    """A file to receive and what its place says of it."""

    path: Path
    name: str
    agency: str | None
    source: str | None
    move: bool


def files_below(path: Path) -> Iterator[Path]:
    """Files below `path`, never through a symlink, in name order; manifests and done marks belong to their file."""
    waiting = [path]
    while waiting:  # not by recursion: folders may be nested deeper than that reaches
        place = waiting.pop()
        if _is_folder(place):
            waiting += reversed(_entries(place))
        elif not place.name.endswith((MANIFEST, DONE)) and not place.name.startswith("."):
            yield place


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False  # receiving says why it cannot be taken


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / name for name in sorted(entry.name for entry in entries)]
    except OSError as error:
        log.warning("a folder cannot be read (%s); passed over", type(error).__name__)
        return []


def is_inside(root: Path, path: Path) -> bool:
    """Whether a path lies below `root`; the path's own last part is not followed."""
    return root.resolve() in (path.parent.resolve() / path.name).parents


def place_of(inbox: Path, path: Path) -> tuple[str | None, str | None]:
    """Agency and source from inbox/<agency>/<source>/..., as far as the path goes."""
    parts = (path.parent.resolve() / path.name).relative_to(inbox.resolve()).parts[:-1]
    return (parts[0] if parts else None), (parts[1] if len(parts) > 1 else None)


def growing(paths: Sequence[Path], settle_seconds: float, meanwhile: Callable[[], object] = lambda: None) -> set[Path]:
    """Files touched within `settle_seconds` whose size or time changes until those have passed since; a manifest or `.done` says
    whole. `meanwhile` is begun before there is something to wait for."""
    now = time.time()
    young = {}
    youngest = 0.0
    for path in paths:
        found = _stat(path)
        whole = any(os.path.lexists(path.with_name(path.name + mark)) for mark in (MANIFEST, DONE))
        if found and not whole and now - found.st_mtime < settle_seconds:
            young[path] = (found.st_size, found.st_mtime_ns)
            youngest = max(youngest, min(found.st_mtime, now))
    if not young:
        return set()
    meanwhile()
    time.sleep(max(0.0, settle_seconds - (time.time() - youngest)))
    return {
        path for path, before in young.items() if (found := _stat(path)) is None or (found.st_size, found.st_mtime_ns) != before
    }


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
