"""Receiving: from a file someone dropped or named to a delivery in landing, or a refusal that says why.

Each file is taken by itself: whatever is wrong with one, the others are taken. Only a disk of ours that is full ends a run.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from flows import intents
from flows.intents import at_the_door
from flows.walking import DONE, MANIFEST, Found, files_below, growing, is_inside, place_of
from schemas.errors import DeliveryRefused, Reason
from schemas.reference import Reference
from transforms.delivery import Limits
from transforms.formats import archive, gzipped
from transforms.registry import SOURCES
from warehouse import refused
from warehouse.home import Home
from warehouse.landing import Landed, Landing, copy_ordinary, require_regular_file

log = logging.getLogger(__name__)

UNPACKING = ".unpacking-"
UNPACKING_SECONDS = 3600
"""Unpacking takes minutes at most; an older folder is nobody's."""
OUR_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Received:
    """What became of one file: the delivery, or the reasons why there is none."""

    name: str
    landed: Landed | None
    is_new: bool
    reasons: tuple[Reason, ...] = ()


def receive(
    home: Home,
    reference: Reference,
    paths: Iterable[Path],
    agency: str | None,
    source: str | None,
    at: datetime,
    limits: Limits,
) -> Iterator[Received]:
    """Land named files, folders (recursively), zips and gzips; files outside the inbox are copied and stay where they are.

    A zip of notices is one delivery; of any other zip each file is a delivery, and so is the file that a gzip packs.
    """
    for path in paths:
        inside = is_inside(home.inbox, path)
        for found in files_below(path):
            place = place_of(home.inbox, found) if inside else (None, None)
            name = str(found.relative_to(path.parent))
            yield from _guarded(home, reference, Found(found, name, agency or place[0], source or place[1], inside), at, limits)


def sweep_inbox(
    home: Home,
    reference: Reference,
    at: datetime,
    settle_seconds: float,
    limits: Limits,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[Received]:
    """Land everything whole in the inbox; a file that still changes waits for the next run. `meanwhile` is begun where files have
    to settle first. Of another home's inbox files are copied and stay."""
    _remove_left_over(home)
    paths = list(files_below(home.inbox))
    unsettled = growing(paths, settle_seconds, meanwhile)
    for path in paths:
        if path in unsettled:
            continue
        found = Found(path, str(path.relative_to(home.inbox)), *place_of(home.inbox, path), move=home.base is None)
        yield from _guarded(home, reference, found, at, limits)


def anything_waits(home: Home) -> bool:
    """Whether any file lies in the inbox."""
    return next(files_below(home.inbox), None) is not None


def _remove_left_over(home: Home) -> None:
    """Folders that a crash left while a zip was unpacked; the zip itself is still where it was."""
    for folder in home.root.glob(f"{UNPACKING}*"):
        try:
            if time.time() - folder.stat().st_mtime > UNPACKING_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue  # whoever unpacked there is done


def _guarded(home: Home, reference: Reference, found: Found, at: datetime, limits: Limits) -> Iterator[Received]:
    """Take one file. What nobody foresaw is logged and said, and leaves the file where it is; only a full disk is raised."""
    try:
        yield from _take(home, reference, found, at, limits)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OUR_DISK:
            raise
        # of an error of the file system not its text: it names the file, which may name a person
        log.error(
            "a file could not be taken in (%s); it stays where it is",
            type(error).__name__,
            exc_info=not isinstance(error, OSError),
        )
        text = f"could not be taken in ({type(error).__name__}); it stays where it is and is tried again with the next run"
        yield Received(found.name, None, False, (Reason("file_not_taken", text, file=found.name),))


def _take(home: Home, reference: Reference, found: Found, at: datetime, limits: Limits) -> Iterator[Received]:
    """A file, or the files of a zip that is not itself a delivery. What cannot be read is left where it is."""
    found = replace(found, path=found.path.absolute())  # a reader may have begun in another folder
    if not _is_readable(found.path):
        text = "may not be read by nyckeltal's user; give it the right to, and it is taken"
        yield Received(found.name, None, False, (Reason("file_not_permitted", text, file=found.name),))
        return
    try:
        if not _is_bundle(reference, found, limits):
            yield _take_file(home, reference, found, at, limits)
            return
        with tempfile.TemporaryDirectory(prefix=UNPACKING, dir=home.root) as directory:
            packed = Path(directory) / "packed"
            copy_ordinary(found.path, packed, home.inbox)
            inside = at_the_door(unpacked, reference, replace(found, path=packed), limits, found, limits)
            packed.unlink()
            for member in inside:
                yield _take_file(home, reference, member, at, limits)
    except DeliveryRefused as refusal:
        yield _refused(home, reference, found, refusal.reasons, at)
        return
    if found.move:
        _clear(found.path, "", MANIFEST, DONE)


def _is_readable(path: Path) -> bool:
    """False for an ordinary file that may not be opened; everything else is judged further on."""
    try:
        if path.is_symlink() or not path.is_file():
            return True
        with path.open("rb"):
            return True
    except PermissionError:
        return False
    except OSError:
        return True


def _is_bundle(reference: Reference, found: Found, limits: Limits) -> bool:
    """Whether a file is a packed one or a zip of deliveries: neither a workbook nor, by its place or content, a zip of notices."""
    if found.path.is_symlink() or not found.path.is_file():
        return False
    head = archive.first_bytes(found.path, 4)
    if gzipped.is_gzip(head):
        return True
    if not archive.is_zip(head):
        return False
    return at_the_door(is_bundle, reference, found, limits, found.source)


def is_bundle(reference: Reference, path: Path, source: str | None, *_: object) -> bool:
    """Of a zip; what a reader is asked."""
    if {"[Content_Types].xml", "mimetype"} & set(archive.names(path)):
        return False
    source = source or intents.recognised(reference, path)
    return source not in SOURCES or SOURCES[source].contract.kind == "snapshot"


def unpacked(_reference: Reference, packed: Path, found: Found, limits: Limits, *_: object) -> list[Found]:
    """The files of a zip, or the one of a gzip, copied to `packed`, each in a folder of its own beside it with the manifest of what
    packs them. Raises DeliveryRefused. What a reader is asked."""
    manifest = found.path.with_name(found.path.name + MANIFEST)
    if passed := archive.passed_over(packed):
        log.info("a zip was taken without what a file manager left in it: %s", ", ".join(passed))
    inside = []
    for member, data in _members(packed, found, limits):
        place = packed.with_name(str(member.position))
        shutil.rmtree(place, ignore_errors=True)  # of a reader that died
        place.mkdir()
        path = place / refused.plain_name(Path(member.name).name)
        with path.open("wb") as file:
            file.writelines(data)
        if _is_ordinary(manifest):
            copy_ordinary(manifest, path.with_name(path.name + MANIFEST))
        inside.append(Found(path, f"{found.name}/{member.name}", found.agency, found.source, True))
    return inside


def _members(packed: Path, found: Found, limits: Limits) -> Iterator[tuple[archive.Member, Iterator[bytes]]]:
    if not gzipped.is_gzip(archive.first_bytes(packed, 4)):
        yield from archive.stream_members(packed, limits, found.name)
        return
    name = gzipped.inner_name(Path(found.name).name)
    yield archive.Member(name, 0, 1), gzipped.pieces(packed, limits, found.name)


def _is_ordinary(path: Path) -> bool:
    """A file that is no link. pathlib raises where the longer name of a manifest is too long to exist."""
    return os.path.isfile(path) and not os.path.islink(path)  # noqa: PTH113, PTH114


def _take_file(home: Home, reference: Reference, found: Found, at: datetime, limits: Limits) -> Received:
    try:
        require_regular_file(found.path, found.name)
        intent = intents.intent_of(reference, found, at, limits)
        landed, is_new = Landing(home).take(found.path, intent, found.move)
    except DeliveryRefused as refusal:
        return _refused(home, reference, found, refusal.reasons, at)
    if found.move:
        _clear(found.path, MANIFEST, DONE)
    return Received(found.name, landed, is_new)


def _clear(path: Path, *marks: str) -> None:
    """Remove what lies beside a file under its name and a mark."""
    for mark in marks:
        beside = path.with_name(path.name + mark)
        if os.path.lexists(beside):  # pathlib raises where the longer name is too long to exist
            beside.unlink()


def _refused(home: Home, reference: Reference, found: Found, reasons: Sequence[Reason], at: datetime) -> Received:
    """A refusal; a file of the inbox is set apart with its receipt, in its agency's language."""
    if found.move and os.path.lexists(found.path):
        told = intents.told(found)
        language = reference.agencies[told[0]].language if told[0] in reference.agencies else "en"
        manifest = found.path.with_name(found.path.name + MANIFEST)
        try:
            refused.set_apart(
                home, found.path, manifest if _is_ordinary(manifest) else None, found.name, told, reasons, at, language
            )
        except (OSError, DeliveryRefused) as error:
            if isinstance(error, OSError) and error.errno in OUR_DISK:
                raise
            log.error("a refused file cannot be set apart (%s); it stays where it is", type(error).__name__)
    return Received(found.name, None, False, tuple(reasons))
