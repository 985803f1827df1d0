"""Events: hints that something happened. Landing and the ledger are the truth; a lost event costs minutes.

An event has the fields of CloudEvents 1.0 (id, source, type, subject, time, data). They travel as the payload of a Prefect
event of the same name, so that automations can match and template them. Never a delivered value, name or secret in here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from warehouse.landing import Landed

SOURCE = "urn:nyckeltal"
RECEIVED = "nyckeltal.delivery.received"
LOADED = "nyckeltal.slices.loaded"
PUBLISHED = "nyckeltal.publication.made"
NIGHTLY_ENDED = "nyckeltal.nightly.ended"


@dataclass(frozen=True)
class Event:
    """One CloudEvent. `resource` is the thing it is about, as Prefect's resource id; `subject` names it for people."""

    type: str
    resource: str
    subject: str
    time: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def for_prefect(self) -> dict[str, Any]:
        """The body of Prefect's POST /events; equal events (type, resource, time, given id) bear an equal id."""
        identity = self.id or f"{self.type} {self.resource} {self.time.isoformat()}"
        number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SOURCE}:{identity}"))
        cloud = {
            "specversion": "1.0",
            "id": number,
            "source": SOURCE,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.isoformat(),
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }
        resource = {"prefect.resource.id": self.resource, "prefect.resource.name": self.subject}
        return {"id": number, "occurred": self.time.isoformat(), "event": self.type, "resource": resource, "payload": cloud}


def received(landed: Landed) -> Event:
    """A delivery has landed. The same receipt always makes the same event."""
    intent = landed.intent
    return Event(
        type=RECEIVED,
        resource=f"nyckeltal.delivery.{landed.delivery_id}",
        subject=f"{intent.agency}/{intent.source}/{landed.delivery_id}",
        time=intent.received_at,
        data={
            "delivery_id": landed.delivery_id,
            "agency": intent.agency,
            "source": intent.source,
            "sha256": landed.sha256,
            "size": landed.size,
            "receipt": landed.receipts_n,
        },
        id=f"{RECEIVED} {landed.delivery_id} {landed.journal_n}",
    )
