"""Receiving: from a file someone dropped or named to a delivery in landing, or a refusal that says why.

Agency and source come from the options, else the manifest beside the file (`<file>.manifest.json`), else the inbox path
(`inbox/<agency>/<source>/file`), else the file's own header (of invoices, the agency by the buyer's id on the first rows too);
what none of them tells is refused.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from schemas.errors import DeliveryRefused, Reason
from schemas.reference import Reference
from transforms.delivery import Limits
from transforms.formats import archive
from transforms.registry import SOURCES
from warehouse.home import Home, write_durably
from warehouse.landing import Intent, Landed, Landing, require_regular_file
from warehouse.publication import receipts

log = logging.getLogger(__name__)

MANIFEST = ".manifest.json"
MANIFEST_LIMIT = 64 * 1024
DONE = ".done"
REFUSED = "refused"
RECEIPT, RECEIPT_TEXT = ".refused.json", ".refused.txt"
UNPACKING = ".unpacking-"
UNPACKING_SECONDS = 3600
"""Unpacking takes minutes at most; an older folder is nobody's."""
SURE = 50
"""Score from which a header counts as recognised."""
FULL_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True)
class Received:
    """What became of one file: the delivery, or the reasons why there is none."""

    name: str
    landed: Landed | None
    is_new: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Found:
    """A file to receive and what its place says of it."""

    path: Path
    name: str
    agency: str | None
    source: str | None
    move: bool


def receive(
    home: Home,
    reference: Reference,
    paths: Iterable[Path],
    agency: str | None,
    source: str | None,
    at: datetime,
    limits: Limits,
) -> Iterator[Received]:
    """Land named files, folders (recursively) and zips; files outside the inbox are copied and stay where they are.

    A zip of notices is one delivery; of any other zip each file is a delivery.
    """
    for path in paths:
        inside = _inside(home.inbox, path)
        for found in _walk(path, path.parent if not path.is_dir() else path):
            place = _place(home.inbox, found) if inside else (None, None)
            name = str(found.relative_to(path.parent))
            yield from _take(home, reference, Found(found, name, agency or place[0], source or place[1], inside), at, limits)


def sweep_inbox(home: Home, reference: Reference, at: datetime, settle_seconds: float, limits: Limits) -> Iterator[Received]:
    """Land everything whole in the inbox; a file that still changes waits for the next run."""
    _remove_left_over(home)
    paths = list(_walk(home.inbox, home.inbox))
    growing = _growing(paths, settle_seconds)
    for path in paths:
        if path in growing:
            continue
        agency, source = _place(home.inbox, path)
        yield from _take(home, reference, Found(path, str(path.relative_to(home.inbox)), agency, source, True), at, limits)


def anything_waits(home: Home) -> bool:
    """Whether any file lies in the inbox."""
    return next(_walk(home.inbox, home.inbox), None) is not None


def _remove_left_over(home: Home) -> None:
    """Folders that a crash left while a zip was unpacked; the zip itself is still where it was."""
    for folder in home.root.glob(f"{UNPACKING}*"):
        if time.time() - folder.stat().st_mtime > UNPACKING_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _inside(root: Path, path: Path) -> bool:
    return root.resolve() in (path.parent.resolve() / path.name).parents


def _walk(path: Path, root: Path) -> Iterator[Path]:
    """Files below `path`, never through a symlink, in name order; manifests and done marks belong to their file."""
    if path.is_dir() and not path.is_symlink():
        try:
            entries = sorted(os.scandir(path), key=lambda item: item.name)
        except OSError as error:
            log.warning("a folder of %s cannot be read (%s); passed over", root, type(error).__name__)
            return
        for entry in entries:
            yield from _walk(Path(entry.path), root)
    elif not path.name.endswith((MANIFEST, DONE)) and not path.name.startswith("."):
        yield path


def _growing(paths: list[Path], settle_seconds: float) -> set[Path]:
    """Files touched within `settle_seconds` whose size or time changes while we wait; a manifest or `.done` says whole."""
    now = time.time()
    young = {}
    for path in paths:
        try:
            found = path.lstat()
        except OSError:
            continue
        whole = any(os.path.lexists(path.with_name(path.name + mark)) for mark in (MANIFEST, DONE))
        if not whole and now - found.st_mtime < settle_seconds:
            young[path] = (found.st_size, found.st_mtime_ns)
    if not young:
        return set()
    time.sleep(settle_seconds)
    return {path for path, before in young.items() if not path.exists() or _stamp(path) != before}


def _stamp(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns


def _place(inbox: Path, path: Path) -> tuple[str | None, str | None]:
    """Agency and source from inbox/<agency>/<source>/..., as far as the path goes."""
    parts = (path.parent.resolve() / path.name).relative_to(inbox.resolve()).parts[:-1]
    return (parts[0] if parts else None), (parts[1] if len(parts) > 1 else None)


def _take(home: Home, reference: Reference, found: Found, at: datetime, limits: Limits) -> Iterator[Received]:
    """A file, or the files of a zip that is not itself a delivery. What cannot be read is left where it is."""
    if not _is_readable(found.path):
        text = "may not be read by nyckeltal's user; give it the right to, and it is taken"
        yield Received(found.name, None, False, (Reason("file_unreadable", text, file=found.name),))
        return
    if not _is_bundle(found):
        yield _take_file(home, reference, found, at)
        return
    with tempfile.TemporaryDirectory(prefix=UNPACKING, dir=home.root) as directory:
        try:
            inside = list(_unpacked(found, Path(directory), limits))
        except DeliveryRefused as refusal:
            if found.move:
                _set_apart(home, reference, found, refusal.reasons, at)
            yield Received(found.name, None, False, refusal.reasons)
            return
        for member in inside:
            yield _take_file(home, reference, member, at)
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


def _is_bundle(found: Found) -> bool:
    """Whether a file is a zip of deliveries: neither a workbook nor, by its place or content, a zip of notices."""
    if found.path.is_symlink() or not found.path.is_file() or not archive.is_zip(archive.first_bytes(found.path)):
        return False
    if "[Content_Types].xml" in archive.names(found.path):
        return False
    source = found.source or _recognised(found.path)
    return source not in SOURCES or SOURCES[source].contract.kind == "snapshot"


def _unpacked(found: Found, directory: Path, limits: Limits) -> Iterator[Found]:
    """The zip's files, each in a folder of its own with the zip's manifest beside it. Raises DeliveryRefused."""
    manifest = found.path.with_name(found.path.name + MANIFEST)
    for member, data in archive.read_members(found.path, limits, found.name):
        place = directory / str(member.position)
        place.mkdir()
        path = place / _plain(Path(member.name).name)
        path.write_bytes(data)
        if os.path.isfile(manifest) and not os.path.islink(manifest):  # noqa: PTH113, PTH114 - as in `_clear`
            shutil.copyfile(manifest, path.with_name(path.name + MANIFEST))
        yield Found(path, f"{found.name}/{member.name}", found.agency, found.source, True)


def _take_file(home: Home, reference: Reference, found: Found, at: datetime) -> Received:
    try:
        require_regular_file(found.path, found.name)
        manifest = read_manifest(found.path, found.name)
        intent = _intent(reference, found, manifest, at)
        landed, is_new = Landing(home).take(found.path, intent, found.move)
    except DeliveryRefused as refusal:
        if found.move and os.path.lexists(found.path):
            _set_apart(home, reference, found, refusal.reasons, at)
        return Received(found.name, None, False, refusal.reasons)
    if found.move:
        _clear(found.path, MANIFEST, DONE)
    return Received(found.name, landed, is_new)


def _clear(path: Path, *marks: str) -> None:
    """Remove what lies beside a file under its name and a mark. pathlib raises where the longer name is too long to exist."""
    for mark in marks:
        beside = path.with_name(path.name + mark)
        if os.path.lexists(beside):
            beside.unlink()


def _set_apart(home: Home, reference: Reference, found: Found, reasons: tuple[Reason, ...], at: datetime) -> None:
    """Move a refused inbox file out of the way, with a receipt beside it as JSON and as text; it never disappears."""
    place = f"{at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"  # two refused files of a run may bear one name
    target = home.root / REFUSED / place / _plain(found.path.name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest = found.path.with_name(found.path.name + MANIFEST)
    agency, source = _told(found)
    found.path.rename(target)
    if os.path.lexists(manifest) and not manifest.is_symlink():
        shutil.move(manifest, target.with_name(target.name + MANIFEST))
    receipt = {
        "delivery_id": place,
        "file": found.name,
        "agency": agency,
        "source": source,
        "file_name": Path(found.name).name,
        "received_at": at.isoformat(),
        "status": "refused",
        "is_held": False,
        "reasons": [reason.__dict__ for reason in reasons],
    }
    language = reference.agencies[agency].language if agency in reference.agencies else "en"
    text = receipts.as_text(receipt | {"tables": [], "rules": [], "read_as": {}}, language)
    for ending, written in (
        (RECEIPT, json.dumps(receipt, ensure_ascii=False, indent=2)),
        (RECEIPT_TEXT, text),
    ):
        write_durably(target.with_name(target.name + ending), written.encode("utf-8", "backslashreplace"))


def _told(found: Found) -> tuple[str, str]:
    """Agency and source as options, place or manifest say, '' where none does; a refusal must not fail on a broken manifest."""
    try:
        manifest = read_manifest(found.path, found.name)
    except (DeliveryRefused, OSError):
        manifest = {}
    return str(found.agency or manifest.get("agency") or ""), str(found.source or manifest.get("source") or "")


def refused_at_the_door(home: Home) -> Iterator[dict[str, Any]]:
    """Receipts of the files in `refused/`; of a file whose receipt is lost what can still be seen."""
    for path in sorted((home.root / REFUSED).glob("*/*")):
        if path.name.endswith((MANIFEST, RECEIPT, RECEIPT_TEXT)) or path.name.startswith("."):
            continue
        known = {"delivery_id": path.parent.name, "agency": "", "source": "", "file_name": path.name, "reasons": []}
        try:
            told = json.loads(path.with_name(path.name + RECEIPT).read_text("utf-8"))
        except (OSError, ValueError):
            told = {}
        yield known | (told if isinstance(told, dict) else {})


def _plain(name: str) -> str:
    """A name of at most 200 bytes without what could confuse a reader or a shell."""
    plain = "".join(character if character.isprintable() and character not in "/\\" else "_" for character in name)
    return plain.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or "_"


def read_manifest(path: Path, name: str) -> dict[str, Any]:
    """The manifest beside a file, or {}. Raises DeliveryRefused when it is there but cannot be read."""
    manifest = path.with_name(path.name + MANIFEST)
    if not os.path.lexists(manifest):  # also where the longer name would be too long for the file system
        return {}
    found = require_regular_file(manifest, manifest.name)
    if found.st_size > MANIFEST_LIMIT:
        raise DeliveryRefused(Reason("manifest_invalid", "the manifest is larger than 64 KiB", file=name))
    try:
        data = json.loads(manifest.read_text("utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
        for key in ("coverage_from", "coverage_to"):
            if data.get(key):
                data[key] = date.fromisoformat(data[key])
        if data.get("produced_at"):
            produced = datetime.fromisoformat(data["produced_at"])
            data["produced_at"] = produced if produced.tzinfo else produced.replace(tzinfo=UTC)
    except (ValueError, TypeError, RecursionError) as error:
        raise DeliveryRefused(
            Reason("manifest_invalid", f"the manifest cannot be read ({error}); correct it", file=name)
        ) from error
    return data


def _intent(reference: Reference, found: Found, manifest: dict[str, Any], at: datetime) -> Intent:
    agency = str(found.agency or manifest.get("agency") or "")
    source: str | None = found.source or manifest.get("source")
    source = source or _recognised(found.path)
    agency = agency or _only_agency(reference, source) or _agency_of(reference, source, found.path) or ""
    if source not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        raise DeliveryRefused(
            Reason("source_unknown", f"source {source!r} is not known; say --source, one of {known}", file=found.name)
        )
    if not agency:
        text = "agency not recognised; say --agency, or put the file into inbox/AGENCY/SOURCE"
        raise DeliveryRefused(Reason("agency_unrecognised", text, file=found.name))
    if agency not in reference.agencies:
        raise DeliveryRefused(
            Reason(
                "agency_unknown", f"agency {agency!r} is not in agencies.csv; say --agency, or add a row for it", file=found.name
            )
        )
    if source not in reference.agencies[agency].sources:
        raise DeliveryRefused(
            Reason(
                "source_not_agreed",
                f"agency {agency} does not deliver {source} by agencies.csv; correct the row or the place",
                file=found.name,
            )
        )
    coverage_from, coverage_to, part = SOURCES[source].coverage(found.path.name)
    produced_at, produced_from = _produced(found.path.name, manifest, at)
    return Intent(
        source=source,
        agency=agency,
        file_name=found.path.name.encode("utf-8", "backslashreplace").decode("utf-8"),
        received_at=at,
        produced_at=produced_at,
        produced_from=produced_from,
        coverage_from=manifest.get("coverage_from") or coverage_from,
        coverage_to=manifest.get("coverage_to") or coverage_to,
        part=str(manifest.get("part") or part),
        origin=found.name.encode("utf-8", "backslashreplace").decode("utf-8"),
    )


def _recognised(path: Path) -> str | None:
    """The source whose header signature the file bears, when one is sure."""
    scores = {slug: source.recognise(path) for slug, source in SOURCES.items()}
    best = max(scores, key=lambda slug: scores[slug], default=None)
    return best if best and scores[best] >= SURE else None


def _only_agency(reference: Reference, source: str | None) -> str | None:
    """The one agency that delivers a source, when there is just one."""
    agencies = [agency.agency for agency in reference.agencies.values() if source in agency.sources]
    return agencies[0] if len(agencies) == 1 else None


def _agency_of(reference: Reference, source: str | None, path: Path) -> str | None:
    """The one agency that the file's rows or header speak of."""
    recognise = SOURCES[source].recognise_agency if source in SOURCES else None
    return recognise(path, reference, source) if recognise and source else None


def _produced(file_name: str, manifest: dict[str, Any], at: datetime) -> tuple[datetime, str]:
    """When the delivery was produced: manifest, else a full date in the file's name, else the receipt."""
    if manifest.get("produced_at"):
        return manifest["produced_at"].astimezone(UTC), "manifest"
    dates = FULL_DATE.findall(file_name)
    if len(dates) == 1:
        try:
            return datetime(*map(int, dates[0]), tzinfo=UTC), "file_name"  # type: ignore[arg-type, misc]
        except ValueError:
            pass
    return at, "receipt"
