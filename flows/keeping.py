"""Keeping: backup beside a running night, and a home made from a backup."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flows.pipeline import home_of
from flows.settings import Settings
from schemas.errors import ConfigurationError, Damage, Damaged
from transforms.registry import SOURCES
from warehouse import backup, backup_restoring, landing, ledger, migrations, store
from warehouse.backup import Backup, Copied, Manifest, Report
from warehouse.home import MARK, Home
from warehouse.landing import Landing
from warehouse.publication import condition
from warehouse.store import Store


def back_up(settings: Settings, to: Path, report: Report, at: datetime | None = None) -> Copied:
    """Bring the backup in `to` up to date. Originals, lake and generations are copied beside a running night; the lock is held while
    the warehouse and what came meanwhile are copied.

    Raises Damaged for a warehouse that cannot be read or is older than what is published: the former backup stays as it is. Raises
    Busy when a run writes for longer than the settings wait.
    """
    home = Home(settings.home.resolve())
    if not (home.root / MARK).exists():
        raise ConfigurationError(f"{home.root} is no home: there is nothing to back up")
    place = to.resolve()
    with backup.begun(place, home):
        work = Backup(place, report)
        work.early(home)
        busy = f"a run is writing {home.warehouse}; the backup was not ended, the former one stands: wait for the run, or raise --wait"
        with store.locked(home, settings.wait_seconds, busy):
            with store.opened(home) as warehouse:
                truth = _truth(home, warehouse)
            return work.finish(home, at or landing.now(), truth)


def _truth(home: Home, warehouse: Store | None) -> dict[str, str]:
    """Files that must be there and their hashes: lake files in use and published files as the warehouse keeps them, and originals,
    which bear theirs; not those of personal sources, which retention lets go, nor of deliveries withdrawn."""
    known = int(warehouse.scalar("SELECT coalesce(max(publication_no), 0) FROM ledger.publication")) if warehouse else 0
    if damage := condition.of_warehouse_age(home, known):
        raise Damaged(*damage)
    personal = {slug for slug, source in SOURCES.items() if source.contract.is_personal}
    kept = [item for item in Landing(home).all() if item.active and item.intent.source not in personal]
    found = {f"{item.place}/file": item.sha256 for item in kept}
    if warehouse and migrations.schema_of(warehouse) == migrations.newest():  # an older one may not have kept any
        found |= {f"{home.lake.name}/{row['path']}": row["sha256"] for row in ledger.live_files(warehouse) if row["sha256"]}
        found |= condition.hashes(warehouse)
    return found


def restore(settings: Settings, source: Path, report: Report) -> tuple[Manifest, list[Damage]]:
    """A home at the settings' place from the backup in `source`; returns what the backup holds and what of it is damaged."""
    return backup_restoring.restore(source.resolve(), Home(settings.home.resolve()), report)


def put_back(settings: Settings, source: Path, below: str) -> list[str]:
    """Bring single files of landing, lake, registry or journal back into the home from the backup; returns which were missing or damaged."""
    home = home_of(settings)
    with store.locked(home, settings.wait_seconds, f"a run is writing {home.warehouse}; wait for it, or raise --wait"):
        return backup_restoring.put_back(source.resolve(), home, below)
