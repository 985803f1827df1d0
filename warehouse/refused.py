"""Refused at the door: files that never became a delivery, kept with a receipt each.

    refused/<time>-<token>/receipt.json, receipt.txt    what was refused and why, for machines and for people
    refused/<time>-<token>/delivered/<name>             the file, and its manifest if it had one

What was delivered has a folder of its own: no name that anyone gives a file can pass for our receipt.
"""

from __future__ import annotations

import json
import os
import stat
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.errors import Reason
from warehouse.home import Home, write_durably
from warehouse.landing import move_away
from warehouse.publication import receipts

REFUSED, DELIVERED = "refused", "delivered"
RECEIPT, RECEIPT_TEXT = "receipt.json", "receipt.txt"
FORMER_RECEIPT = ".refused.json"
"""Until 2026-11 the receipt lay beside the file, under the file's name and this ending."""
RECEIPT_LIMIT = 1024**2


def receipt_of(delivery_id: str, name: str, agency: str, source: str, reasons: Sequence[Reason], at: datetime) -> dict[str, Any]:
    """What a receipt says of a file that never became a delivery; `name` may have folders before it."""
    return {
        "delivery_id": delivery_id,
        "file": name,
        "agency": agency,
        "source": source,
        "file_name": Path(name).name,
        "received_at": at.isoformat(),
        "status": "refused",
        "is_held": False,
        "reasons": [reason.__dict__ for reason in reasons],
        "tables": [],
        "rules": [],
        "read_as": {},
    }


def set_apart(
    home: Home,
    path: Path,
    manifest: Path | None,
    name: str,
    told: tuple[str, str],
    reasons: Sequence[Reason],
    at: datetime,
    language: str,
) -> None:
    """Move a refused file and its manifest out of the way, with a receipt; it never disappears. `told`: agency and source.

    Raises OSError or DeliveryRefused when it cannot be moved; then it is where it was.
    """
    place = home.root / REFUSED / f"{at:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"  # two refused files of a run may bear one name
    target = place / DELIVERED / plain_name(path.name)
    target.parent.mkdir(mode=0o700, parents=True)
    try:
        move_away(path, target)
    except BaseException:
        target.parent.rmdir()
        place.rmdir()
        raise
    if manifest:
        move_away(manifest, target.with_name(target.name + manifest.name.removeprefix(path.name)))
    content = receipt_of(place.name, name, *told, reasons, at)
    for file_name, text in (
        (RECEIPT, json.dumps(content, ensure_ascii=False, indent=2)),
        (RECEIPT_TEXT, receipts.as_text(content, language)),
    ):
        write_durably(place / file_name, text.encode("utf-8", "backslashreplace"))


def places(home: Home) -> Iterator[tuple[Path, datetime]]:
    """Folders of `refused/` and when they were made, by their name; others are not ours."""
    try:
        found = sorted(entry.name for entry in os.scandir(home.root / REFUSED) if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return
    for name in found:
        try:
            since = datetime.strptime(name.split("-", maxsplit=1)[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            continue
        yield home.root / REFUSED / name, since


def at_the_door(home: Home) -> Iterator[dict[str, Any]]:
    """Receipts of the files in `refused/`: delivery_id, agency, source, file_name, reasons (with code and text); of a file whose
    receipt is lost what can still be seen. What was delivered is not opened."""
    for place, _ in places(home):
        file_name, receipt = _lying(place)
        if file_name is None:
            continue
        told = _read(receipt)
        texts = {key: value for key, value in told.items() if isinstance(value, str)}
        given = told.get("reasons")
        reasons = [
            reason
            for reason in (given if isinstance(given, list) else [])
            if isinstance(reason, dict) and isinstance(reason.get("code"), str) and isinstance(reason.get("text"), str)
        ]
        known = {"agency": "", "source": "", "file_name": file_name}
        yield known | texts | {"delivery_id": place.name, "reasons": reasons}


def _lying(place: Path) -> tuple[str | None, Path]:
    """The name of the file that lies in a place and where its receipt is; None when nothing was moved there."""
    try:
        is_ours = (place / DELIVERED).is_dir()
        names = sorted(path.name for path in (place / DELIVERED if is_ours else place).iterdir())
    except OSError:
        return None, place  # gone meanwhile
    if is_ours:
        return min(names, key=len, default=None), place / RECEIPT  # a manifest's name is the longer one
    delivered = next((name for name in names if f"{name}{FORMER_RECEIPT}" in names), None)
    return delivered, place / f"{delivered}{FORMER_RECEIPT}"


def _read(path: Path) -> dict[str, Any]:
    """A receipt; {} for what is none, without following a link or waiting at a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return {}
        told = json.loads(os.read(descriptor, RECEIPT_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    finally:
        os.close(descriptor)
    return told if isinstance(told, dict) else {}


def plain_name(name: str) -> str:
    """A name of at most 200 bytes without what could confuse a reader or a shell."""
    plain = "".join(character if character.isprintable() and character not in "/\\" else "_" for character in name)
    return plain.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or "_"
