"""The outbox of alerts: raised in a transaction of the warehouse, sent afterwards, so that a crash loses none.

Whoever sends marks them sent after the receiver took them: after a crash in between an alert goes out twice, never not at
all. `alert_id` follows from kind, subject and time, so that a receiver can tell the second time.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse.store import Store


@dataclass(frozen=True)
class Alert:
    """Something people should know. `subject` says of what, and is the same as long as it is the same matter; `data` holds
    plain JSON values: no delivered values, no personal data."""

    kind: str
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Raised(Alert):
    """An alert in the outbox; times are UTC."""

    alert_id: str
    raised_at: datetime
    run_id: str


def raise_new(store: Store, alerts: Iterable[Alert], run_id: str, at: datetime) -> list[Raised]:
    """Put those alerts into the outbox that are not open yet (same kind and subject, not ended); returns them."""
    moment = _utc(at)
    open_now = {
        (row["kind"], row["subject"]) for row in store.rows("SELECT kind, subject FROM ledger.alert WHERE ended_at IS NULL")
    }
    raised = []
    for alert in alerts:
        if (alert.kind, alert.subject) in open_now:
            continue
        open_now.add((alert.kind, alert.subject))
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"nyckeltal:{alert.kind}:{alert.subject}:{moment.isoformat()}")
        raised.append(Raised(alert.kind, alert.subject, alert.data, str(identity), at, run_id))
    rows = [
        (item.alert_id, item.kind, item.subject, moment, run_id, json.dumps(item.data, ensure_ascii=False, default=str))
        for item in raised
    ]
    if rows:
        # the same moment again (a clock that is given): the matter ended and is back within it, one alert is enough
        store.con.executemany(
            "INSERT INTO ledger.alert VALUES (?, ?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT DO UPDATE SET ended_at = NULL", rows
        )
    return raised


def end(store: Store, kind: str, subjects_still_true: Collection[str], at: datetime) -> int:
    """Close the open alerts of a kind whose matter is over; returns how many. They may be raised again later."""
    ended = [subject for subject in open_subjects(store, kind) if subject not in subjects_still_true]
    if ended:
        marks = ", ".join("?" * len(ended))
        store.con.execute(
            f"UPDATE ledger.alert SET ended_at = ? WHERE kind = ? AND ended_at IS NULL AND subject IN ({marks})",
            [_utc(at), kind, *ended],
        )
    return len(ended)


def open_subjects(store: Store, kind: str) -> list[str]:
    """Subjects of the alerts of a kind that have not ended."""
    rows = store.rows("SELECT subject FROM ledger.alert WHERE kind = ? AND ended_at IS NULL ORDER BY subject", [kind])
    return [row["subject"] for row in rows]


def unsent(store: Store) -> list[Raised]:
    """What waits to be sent, oldest first; also what has ended meanwhile: it was true and nobody was told."""
    rows = store.rows("SELECT * FROM ledger.alert WHERE sent_at IS NULL ORDER BY raised_at, kind, subject")
    return [
        Raised(
            row["kind"],
            row["subject"],
            json.loads(row["data"]),
            row["alert_id"],
            row["raised_at"].replace(tzinfo=UTC),
            row["run_id"],
        )
        for row in rows
    ]


def mark_sent(store: Store, ids: Sequence[str], at: datetime) -> None:
    """Remember that alerts (by alert_id) are out."""
    if ids:
        marks = ", ".join("?" * len(ids))
        store.con.execute(f"UPDATE ledger.alert SET sent_at = ? WHERE alert_id IN ({marks})", [_utc(at), *ids])


def _utc(at: datetime) -> datetime:
    """UTC without zone, as the ledger keeps times; a time without zone is UTC already."""
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
