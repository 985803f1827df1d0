"""A delivery in landing: what its manifest and its journal say, and putting them in order where they are damaged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from schemas.errors import Damage, Damaged
from warehouse.home import digest, write_durably

KINDS = ("received", "withdrawn", "released", "reprocess")
CURE = "receive the same file again, or bring it back by `nyckeltal restore FROM --only`"


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

    @property
    def place(self) -> str:
        """Its directory, from the home on."""
        return str(self.directory.relative_to(self.directory.parents[3]))

    def is_whole(self) -> bool:
        """Whether the original is there with the bytes that were received."""
        return self.file.is_file() and digest(self.file) == (self.sha256, self.size)


def delivery_id(source: str, agency: str, sha256: str) -> str:
    """Sixteen hex digits that stand for (source, agency, sha256)."""
    return hashlib.sha256(f"{source}\0{agency}\0{sha256}".encode()).hexdigest()[:16]


def now() -> datetime:
    """The clock of landing: receipts are stamped once and never again."""
    return datetime.now(UTC)


def read(directory: Path) -> Landed:
    """A landed delivery from its directory. Raises Damaged, with the file, for one that is not as it was written."""
    manifest = _read_json(directory / "manifest.json")
    try:
        first = Intent.from_json(manifest)
        identity, size = str(manifest["delivery_id"]), int(manifest["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(directory / "manifest.json", f"is no manifest ({type(error).__name__})") from error
    entries = journal_of(directory)
    active, released, attempt, receipts = False, False, 0, 0
    intent = first
    for entry in entries:
        kind = _kind(entry)
        content = _read_json(entry)
        if kind == "received":
            try:
                new = Intent.from_json(content)
            except (KeyError, TypeError, ValueError) as error:
                raise _damaged(entry, f"is no receipt ({type(error).__name__})") from error
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
        delivery_id=identity,
        sha256=directory.name,
        size=size,
        directory=directory,
        intent=intent,
        first_received_at=first.received_at,
        receipts_n=receipts,
        journal_n=len(entries),
        attempt=attempt,
        active=active,
        released=released,
    )


def journal_of(directory: Path) -> list[Path]:
    """The entries of a delivery's journal, oldest first. Raises Damaged where there is none, or one is missing."""
    try:
        entries = sorted(path for path in (directory / "journal").iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise _damaged(directory / "journal", "is missing") from error
    for number, entry in enumerate(entries, 1):
        if entry.name.split("-", 1)[0] != f"{number:04d}" or _kind(entry) not in KINDS:
            raise _damaged(entry, "is no entry of the journal, or one before it is missing")
    if not entries:
        raise _damaged(directory / "journal", "is empty")
    return entries


def last_entry(landed: Landed) -> tuple[str, datetime, str]:
    """Kind, time and reason ('' of a receipt) of the newest journal entry."""
    newest = journal_of(landed.directory)[-1]
    data = _read_json(newest)
    moment = datetime.fromisoformat(data.get("at") or data["received_at"])
    return _kind(newest), moment, data.get("reason", "")


def append(journal: Path, kind: str, data: dict[str, Any]) -> None:
    """Add the next numbered entry; the caller holds the landing lock."""
    if kind not in KINDS:
        raise ValueError(kind)
    number = 1 + sum(1 for path in journal.iterdir() if not path.name.startswith("."))
    write_durably(journal / f"{number:04d}-{kind}.json", json.dumps(data, indent=2).encode())


def manifest_of(intent: Intent, sha256: str, size: int) -> dict[str, Any]:
    """What is fixed of a delivery with its first receipt."""
    fixed = {"delivery_id": delivery_id(intent.source, intent.agency, sha256), "sha256": sha256, "size": size}
    return fixed | intent.to_json()


def mend(directory: Path, intent: Intent, size: int) -> None:
    """Put manifest and journal entries that are damaged in order, from each other as far as they say the same, else from the receipt
    `intent`, whose bytes are the delivery's. The caller holds the landing lock."""
    manifest, journal = directory / "manifest.json", directory / "journal"
    known = [_intent_of(path) for path in (manifest, *sorted(journal.glob("*-received.json"))[:1])]
    first = next((item for item in known if item), intent)
    if known[0] is None or not manifest_of(first, directory.name, size).items() <= _read_json(manifest).items():
        write_durably(manifest, json.dumps(manifest_of(first, directory.name, size), indent=2).encode())
    for _ in range(2 + sum(1 for _ in journal.iterdir())):  # each turn mends one at least
        try:
            read(directory)
        except Damaged as error:
            _mend_entry(journal, Path(error.damage[0].path).name, first)
        else:
            return


def _intent_of(path: Path) -> Intent | None:
    try:
        return Intent.from_json(_read_json(path))
    except (Damaged, KeyError, TypeError, ValueError):
        return None


def _mend_entry(journal: Path, name: str, first: Intent) -> None:
    """One entry that cannot be read is written anew by the kind its name tells; where names lack, the journal begins with what is
    left of it, numbered anew."""
    entry = journal / name
    if entry.is_file() and _kind(entry) in KINDS and name.startswith(f"{_place(journal, entry):04d}-"):
        lost: dict[str, Any] = {"at": now().isoformat(), "reason": "the entry was damaged"}
        content = first.to_json() if _kind(entry) == "received" else lost
        write_durably(entry, json.dumps(content, indent=2).encode())
        return
    left = [path for path in sorted(journal.iterdir()) if not path.name.startswith(".")]
    for number, path in enumerate((path for path in left if _kind(path) in KINDS), 1):
        path.rename(path.with_name(f"{number:04d}-{_kind(path)}.json"))
    for path in left:
        if _kind(path) not in KINDS:
            path.unlink()
    if not any(path.name.startswith("0001-") for path in journal.iterdir()):
        write_durably(journal / "0001-received.json", json.dumps(first.to_json(), indent=2).encode())


def _place(journal: Path, entry: Path) -> int:
    """Where an entry stands in its journal, from 1."""
    return sorted(path.name for path in journal.iterdir() if not path.name.startswith(".")).index(entry.name) + 1


def _kind(entry: Path) -> str:
    return entry.stem.partition("-")[2]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _damaged(path, "is missing") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, f"cannot be read ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise _damaged(path, "is no JSON object")
    return found


def _damaged(path: Path, text: str) -> Damaged:
    """`path` lies four levels below the home's landing, or five: it is named from there on."""
    place = path.parent if path.parent.name == "journal" else path
    return Damaged(Damage(str(path.relative_to(place.parents[4])), text, CURE))
