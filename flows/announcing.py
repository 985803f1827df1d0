"""Announcing what a run did: events with acknowledgement, and the two artifacts people read in Prefect."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from flows import events, pipeline
from flows.events import Event
from flows.prefect_api import PrefectApi
from flows.receiving import Received
from flows.settings import Settings
from schemas.errors import ServiceUnavailable
from warehouse import landing
from warehouse.alerts import Raised

log = logging.getLogger(__name__)

WAREHOUSE = "nyckeltal.warehouse"
ROWS_SHOWN = 100


def announce(settings: Settings, run: pipeline.Run) -> bool:
    """Emit the events of a run; returns whether a server took them (or there is none to take them)."""
    moment = landing.now()
    said = []
    if run.ingested.changed and run.published is None:
        data = {"run_id": run.run_id, "loaded": len(run.ingested.loaded), "refused": len(run.ingested.refused)}
        said.append(Event(events.LOADED, WAREHOUSE, f"run {run.run_id}", moment, data))
    if run.published and run.published.is_new:
        published = run.published
        data = {
            "publication_no": published.publication_no,
            "cells": published.cells_n,
            "cells_changed": published.cells_changed,
            "fingerprint": published.fingerprint,
        }
        said.append(Event(events.PUBLISHED, "nyckeltal.publication", f"publication {published.publication_no}", moment, data))
    return _emit(settings, said)


def landed(settings: Settings, received: Iterable[Received]) -> bool:
    """Say which deliveries have landed, as the watcher does."""
    return _emit(settings, [events.received(item.landed) for item in received if item.landed])


def send_alerts(settings: Settings) -> int:
    """Emit the alerts that wait in the outbox; returns how many. Raises ServiceUnavailable and leaves them there.

    Without a server there is nobody to tell but whoever runs the command: they count as told.
    """
    api = PrefectApi.of(settings)
    if api is None:
        return pipeline.send_alerts(settings, lambda _: None)
    with api:
        return pipeline.send_alerts(settings, lambda waiting: api.emit([_event(item) for item in waiting]))


def _event(alert: Raised) -> Event:
    """An alert as event. File names stay behind: what agencies write there may name a person."""
    data = {name: value for name, value in alert.data.items() if name != "file_name"}
    resource = f"nyckeltal.{alert.kind}.{alert.subject}"
    return Event(f"nyckeltal.{alert.kind}", resource, alert.subject, alert.raised_at, data, id=alert.alert_id)


def nightly_ended(settings: Settings) -> bool:
    """Say that the nightly run has ended; when this is not heard for 26 hours, the night is late."""
    return _emit(settings, [Event(events.NIGHTLY_ENDED, "nyckeltal.nightly", "nightly ended", landing.now())])


def _emit(settings: Settings, said: Sequence[Event]) -> bool:
    api = PrefectApi.of(settings)
    if api is None or not said:
        return True
    try:
        with api:
            api.emit(said)
    except ServiceUnavailable as error:
        log.warning("%s", error)
        return False
    return True


def quality_markdown(run: pipeline.Run) -> str:
    """What a run did with each delivery, for Prefect's artifact page: names of rules and counts, no delivered values."""
    lines = [f"# Run {run.run_id}", "", f"{len(run.ingested.loaded)} loaded, {len(run.ingested.refused)} refused."]
    if run.published:
        lines.append(f"Publication {run.published.publication_no}: {run.published.cells_n} figures in force.")
    if run.quality:
        head = ("agency", "source", "delivery_id", "status", "rows_read", "rows_accepted", "rows_quarantined", "rules", "reasons")
        lines += ["", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        lines += [f"| {' | '.join(str(row[name]) for name in head)} |" for row in run.quality[:ROWS_SHOWN]]
        if len(run.quality) > ROWS_SHOWN:
            lines += ["", f"... and {len(run.quality) - ROWS_SHOWN} more; `nyckeltal status` lists them."]
    return "\n".join(lines)


def changes_table(run: pipeline.Run) -> list[dict[str, str]]:
    """The national figures that changed, as text cells."""
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in run.changes]
