"""Pruning: what retention lets go, listed or done. Never what a published figure rests on."""

from __future__ import annotations

from datetime import datetime

from flows.settings import Settings
from transforms.registry import SOURCES
from warehouse import retention as kept
from warehouse import store
from warehouse.home import Home
from warehouse.memory import MEMORY_MB
from warehouse.retention import Pruned, Retention
from warehouse.store import Store

__all__ = ["Pruned", "Retention", "prune", "retention_of"]


def retention_of(settings: Settings) -> Retention:
    """How long things are kept by the settings."""
    return Retention(
        refused_days=settings.keep_refused_days,
        withdrawn_days=settings.keep_withdrawn_days,
        superseded_days=settings.keep_superseded_days,
        personal_days=settings.keep_personal_days,
        personal_sources=frozenset(slug for slug, source in SOURCES.items() if source.contract.is_personal),
        keep_generations=settings.keep_generations,
    )


def prune(
    retention: Retention, home: Home, at: datetime, dry_run: bool, wait_seconds: float = 0, memory_mb: int = MEMORY_MB
) -> list[Pruned]:
    """Let go of what has been kept long enough at `at`; `dry_run` lists the same and changes nothing.

    Holds the writer lock. Raises Busy while another run writes.
    """
    if dry_run:
        with store.reading(home, memory_mb=memory_mb) as warehouse:
            going = kept.files_of(warehouse, *_going(warehouse, retention, at)) if warehouse else []
            listed = {item.path for item in going}
            personal = kept.purge(warehouse, kept.personal_originals(warehouse, retention, at), dry_run=True) if warehouse else []
            going += [item for item in personal if item.path not in listed]
            return [*kept.refused_files(home, retention, at), *going, *kept.surplus_generations(home, retention)]
    with store.writing(home, wait_seconds, memory_mb) as warehouse:
        refused, surplus = kept.refused_files(home, retention, at), kept.surplus_generations(home, retention)
        going = kept.let_go(warehouse, *_going(warehouse, retention, at), at)
        going += purge_personal(warehouse, retention, at)
        kept.remove(home, refused, retention)
        return [*refused, *going, *surplus]


def _going(warehouse: Store, retention: Retention, at: datetime) -> tuple[list[kept.Outgoing], dict[str, str]]:
    return kept.outgoing(warehouse, retention, at), kept.left_batches(warehouse, retention, at)


def purge_personal(warehouse: Store, retention: Retention, at: datetime) -> list[Pruned]:
    """Let the originals of personal sources go that have served; the caller holds the writer lock. Every night does this."""
    return kept.purge(warehouse, kept.personal_originals(warehouse, retention, at), dry_run=False)
