"""What becomes of one file at the door and in its reader, and how much memory its readers took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows import readers, receiving
from flows.preparing import prepare
from schemas.reference import Reference
from tests.hostile.inputs import Hostile
from transforms.delivery import Context, Limits
from transforms.registry import SOURCES
from warehouse.home import Home

AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Outcome:
    """Codes and texts of refusals, rows by what became of them, and the most that a reader held beyond an idle one."""

    refused: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    read: int = 0
    accepted: int = 0
    told: int = 0
    """Rows quarantined or set aside."""
    peak_bytes: int = 0


@contextmanager
def peaks(found: Outcome) -> Iterator[None]:
    """Notes what readers hold whenever they are looked at."""
    look = readers._Reader.memory_bytes

    def looked(reader: Any) -> int:
        held = look(reader)
        found.peak_bytes = max(found.peak_bytes, held - reader.idle_bytes if reader.idle_bytes else 0)
        return held

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(readers._Reader, "memory_bytes", looked)
        yield


def become(hostile: Hostile, root: Path, reference: Reference, limits: Limits) -> Outcome:
    """The file through inbox, landing and preparation of a home at `root`."""
    home = Home(root)
    home.create()
    path = home.inbox / hostile.place
    path.parent.mkdir(parents=True)
    path.write_bytes(hostile.data())
    found = Outcome()
    with peaks(found):
        for item in receiving.sweep_inbox(home, reference, AT, 0, limits):
            if item.landed is None:
                found.refused += [reason.code for reason in item.reasons]
                found.texts += [reason.text for reason in item.reasons]
                continue
            source = SOURCES[item.landed.intent.source]
            for batches in prepare([(source, [item.landed])], Context(reference, limits), home):
                for batch in batches:
                    found.refused += [reason.code for reasons in batch.refused.values() for reason in reasons]
                    found.texts += [reason.text for reasons in batch.refused.values() for reason in reasons]
                    found.read += int(batch.counts["rows_read"].sum())
                    found.accepted += int(batch.counts["rows_accepted"].sum())
                    found.told += int(batch.counts["rows_quarantined"].sum() + batch.counts["rows_set_aside"].sum())
    return found
