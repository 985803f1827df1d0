"""Intents: which agency delivers which source with a file, when it was made and what it covers.

Agency and source come from the options, else the manifest beside the file (`<file>.manifest.json`), else the inbox path
(`inbox/<agency>/<source>/file`), else the file's own header (of invoices, the agency by the buyer's id on the first rows too);
what none of them tells is refused.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flows import readers
from flows.readers import ReaderDied
from flows.walking import MANIFEST, Found
from schemas.errors import DeliveryRefused, Reason, speaks_of_content
from schemas.reference import Reference
from transforms.delivery import Limits
from transforms.registry import SOURCES
from warehouse.landing import Intent, opened

log = logging.getLogger(__name__)

MANIFEST_LIMIT = 64 * 1024
SURE = 50
"""Score from which a header counts as recognised."""
FULL_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")

HOME_ZONE = ZoneInfo("Europe/Helsinki")

T = TypeVar("T")


def intent_of(reference: Reference, found: Found, at: datetime, limits: Limits) -> Intent:
    """What a file is said to be; one that says it itself is looked into by a reader. Raises DeliveryRefused where that is not
    known, not registered or not agreed."""
    manifest = read_manifest(found.path, found.name)
    agency, source = _told(found, manifest)
    if not source:
        source = at_the_door(recognised, reference, found, limits) or ""
    agency = agency or _only_agency(reference, source) or ""
    if not agency and source in SOURCES and SOURCES[source].recognise_agency:
        agency = at_the_door(agency_of, reference, found, limits, source) or ""
    _require_agreed(reference, agency, source, found.name)
    coverage_from, coverage_to, part = SOURCES[source].coverage(found.path.name)
    produced_at, produced_from = _produced(found.path.name, manifest, at)
    return Intent(
        source=source,
        agency=agency,
        file_name=_text(found.path.name),
        received_at=at,
        produced_at=produced_at,
        produced_from=produced_from,
        coverage_from=manifest.get("coverage_from") or coverage_from,
        coverage_to=manifest.get("coverage_to") or coverage_to,
        part=_text(str(manifest.get("part") or part)),
        origin=_text(found.name),
    )


def told(found: Found) -> tuple[str, str]:
    """Agency and source as options, place or manifest say, '' where none does; a refusal must not fail on a broken manifest."""
    try:
        manifest = read_manifest(found.path, found.name)
    except (DeliveryRefused, OSError):
        manifest = {}
    return _told(found, manifest)


def at_the_door(look: Callable[..., T], reference: Reference, found: Found, limits: Limits, *arguments: object) -> T:
    """What `look(reference, path, *arguments)` finds in a file, in a reader. Raises DeliveryRefused where that ends it twice."""
    bounds = readers.bounds(limits, found.path.stat().st_size)
    for is_last in (False, True):
        try:
            return readers.ask(look, reference, found.path, *arguments, bounds=bounds)
        except ReaderDied as died:
            if is_last:
                raise DeliveryRefused(died.of(found.name)) from died
    raise AssertionError


def recognised(_reference: Reference, path: Path, *_: object) -> str | None:
    """The source whose header signature the file bears, when one is sure."""
    scores: dict[str, int] = {slug: _tried(source.recognise, path) or 0 for slug, source in SOURCES.items()}
    best = max(scores, key=lambda slug: scores[slug], default=None)
    return best if best and scores[best] >= SURE else None


def agency_of(reference: Reference, path: Path, source: str, *_: object) -> str | None:
    """The one agency that the file's rows or header speak of."""
    agency: str | None = _tried(SOURCES[source].recognise_agency, path, reference, source)
    return agency


def read_manifest(path: Path, name: str) -> dict[str, Any]:
    """The manifest beside a file, or {}. Raises DeliveryRefused when it is there but cannot be read."""
    manifest = path.with_name(path.name + MANIFEST)
    if not os.path.lexists(manifest):  # also where the longer name would be too long for the file system
        return {}
    with opened(manifest, manifest.name) as (_, file), os.fdopen(os.dup(file), "rb") as reader:
        content = reader.read(MANIFEST_LIMIT + 1)
    if len(content) > MANIFEST_LIMIT:
        raise DeliveryRefused(Reason("manifest_invalid", "the manifest is larger than 64 KiB", file=name))
    try:
        data = json.loads(content.decode("utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not an object")
        for key in ("coverage_from", "coverage_to"):
            if data.get(key):
                data[key] = date.fromisoformat(data[key])
        if data.get("produced_at"):
            produced = datetime.fromisoformat(data["produced_at"])
            data["produced_at"] = (produced if produced.tzinfo else produced.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DeliveryRefused(
            Reason("manifest_invalid", f"the manifest cannot be read ({error}); correct it", file=name)
        ) from error
    return data


def _told(found: Found, manifest: dict[str, Any]) -> tuple[str, str]:
    return _text(str(found.agency or manifest.get("agency") or "")), _text(str(found.source or manifest.get("source") or ""))


def _text(name: str) -> str:
    """A delivered name as text that can be stored: bytes that are no UTF-8, and lone surrogates, are written out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _require_agreed(reference: Reference, agency: str, source: str, name: str) -> None:
    if source not in SOURCES:
        known = ", ".join(sorted(SOURCES))
        text = f"source {source or None!r} is not known; say --source, one of {known}"
        raise DeliveryRefused(Reason("source_unknown", text, file=name))
    if not agency:
        text = "agency not recognised; say --agency, or put the file into inbox/AGENCY/SOURCE"
        raise DeliveryRefused(Reason("agency_unrecognised", text, file=name))
    if agency not in reference.agencies:
        text = f"agency {agency!r} is not in agencies.csv; say --agency, or add a row for it"
        raise DeliveryRefused(Reason("agency_unknown", text, file=name))
    if source not in reference.agencies[agency].sources:
        text = f"agency {agency} does not deliver {source} by agencies.csv; correct the row or the place"
        raise DeliveryRefused(Reason("source_not_agreed", text, file=name))


def _only_agency(reference: Reference, source: str) -> str | None:
    """The one agency that delivers a source, when there is just one; of a source whose rows are their deliverer's own it must be
    said: that nobody else is registered does not make a file that agency's."""
    if source in SOURCES and any(column.name == "agency" for table in SOURCES[source].contract.tables for column in table.columns):
        return None
    agencies = [agency.agency for agency in reference.agencies.values() if source in agency.sources]
    return agencies[0] if len(agencies) == 1 else None


def _tried(look: Callable[..., Any] | None, *arguments: object) -> Any:
    """What a look at a file's content finds; a content that a reader cannot stand is not recognised."""
    try:
        return look(*arguments) if look else None
    except BaseException as error:
        if not speaks_of_content(error):
            raise
        log.exception("a delivered file could not be looked at")
        return None


def _produced(file_name: str, manifest: dict[str, Any], at: datetime) -> tuple[datetime, str]:
    """When the delivery was produced: manifest, else a full date in the file's name, else the receipt. A day that is still to come
    would put the delivery before every later one: then the receipt counts."""
    if manifest.get("produced_at"):
        return _not_later(manifest["produced_at"], "manifest", at)
    dates = FULL_DATE.findall(file_name)
    if len(dates) == 1:
        try:
            day = datetime(*map(int, dates[0]), tzinfo=UTC)  # type: ignore[arg-type, misc]
        except ValueError:
            return at, "receipt"
        if day.date() == at.astimezone(HOME_ZONE).date():
            return min(day, at), "file_name"  # the day begins in Finland before it does in UTC
        return _not_later(day, "file_name", at)
    return at, "receipt"


def _not_later(produced_at: datetime, produced_from: str, at: datetime) -> tuple[datetime, str]:
    return (produced_at, produced_from) if produced_at <= at else (at, f"{produced_from}_later")
