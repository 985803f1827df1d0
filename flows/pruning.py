"""Pruning: what retention lets go, listed or done. Never what a published figure rests on."""

from __future__ import annotations

from datetime import datetime

from flows.settings import Settings
from warehouse import retention as kept
from warehouse import store
from warehouse.home import Home
from warehouse.retention import Pruned, Retention

__all__ = ["Pruned", "Retention", "prune", "retention_of"]


def retention_of(settings: Settings) -> Retention:
    """How long things are kept by the settings."""
    return Retention(
        refused_days=settings.keep_refused_days,
        withdrawn_days=settings.keep_withdrawn_days,
        superseded_days=settings.keep_superseded_days,
        keep_generations=settings.keep_generations,
    )


def prune(retention: Retention, home: Home, at: datetime, dry_run: bool, wait_seconds: float = 0) -> list[Pruned]:
    """Let go of what has been kept long enough at `at`; `dry_run` lists the same and changes nothing.

    Holds the writer lock. Raises Busy while another run writes.
    """
    if dry_run:
        with store.reading(home) as warehouse:
            going = kept.files_of(warehouse, kept.outgoing(warehouse, retention, at)) if warehouse else []
            return [*kept.refused_files(home, retention, at), *going, *kept.surplus_generations(home, retention)]
    with store.writing(home, wait_seconds) as warehouse:
        refused, surplus = kept.refused_files(home, retention, at), kept.surplus_generations(home, retention)
        going = kept.let_go(warehouse, kept.outgoing(warehouse, retention, at), at)
        kept.remove(home, refused, retention)
        return [*refused, *going, *surplus]
