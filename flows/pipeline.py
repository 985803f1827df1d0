"""The pipeline, plain Python: what the command line and the Prefect flows call.

    receive -> ingest -> refresh -> publish        nightly = sweep the inbox, then all of it

Every step is safe to repeat; whatever was interrupted, the next `nightly` ends in the same state as an undisturbed one.
"""

from __future__ import annotations

import errno
import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from flows import receiving
from flows.ingesting import Ingested, ingest
from flows.preparing import Progress, silent
from flows.publishing import Published
from flows.refreshing import refresh_and_publish
from flows.settings import Settings
from schemas.errors import ConfigurationError, UsageError
from schemas.reference import KEYS, Reference
from transforms.delivery import Context
from warehouse import landing, store
from warehouse.home import Home
from warehouse.landing import Landed, Landing
from warehouse.publication import receipts

log = logging.getLogger(__name__)


@dataclass
class Nightly:
    """What one run did."""

    run_id: str
    received: list[receiving.Received] = field(default_factory=list)
    ingested: Ingested = field(default_factory=Ingested)
    published: Published | None = None


def home_of(settings: Settings) -> Home:
    """The home directory, made when missing. Raises ConfigurationError when that place cannot be one."""
    home = Home(settings.home.resolve())
    try:
        home.create()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigurationError(f"{home.root} cannot be used as home directory: {error}") from error
    return home


def reference_of(home: Home) -> Reference:
    """The shipped registers with those of `<home>/registry` on top."""
    overlay = {}
    for name in KEYS:
        path = home.registry / name
        if path.is_file():
            try:
                overlay[name] = path.read_text("utf-8")
            except UnicodeDecodeError as error:
                raise ConfigurationError(f"registry file {name} is not UTF-8 ({error}); save it as UTF-8") from error
    return Reference.load(overlay)


def receive(
    settings: Settings, paths: Iterable[Path], agency: str | None = None, source: str | None = None, at: datetime | None = None
) -> list[receiving.Received]:
    """Land files and folders; loading is `nightly`'s. Returns what became of each file."""
    home = home_of(settings)
    return list(receiving.receive(home, reference_of(home), paths, agency, source, at or landing.now(), settings.limits()))


def nightly(settings: Settings, progress: Progress = silent, at: datetime | None = None) -> Nightly:
    """Sweep the inbox, load what landed, compute what changed, publish. Raises Busy while another run writes."""
    home = home_of(settings)
    reference = reference_of(home)
    moment = at or landing.now()
    run = Nightly(run_id=f"{moment:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}")
    run.received = list(receiving.sweep_inbox(home, reference, moment, settings.settle_seconds, settings.limits()))
    with store.writing(home, settings.wait_seconds) as warehouse:
        context = Context(reference, settings.limits())
        run.ingested = ingest(warehouse, context, run.run_id, moment, progress)
        write_receipts(warehouse, reference)
        run.published = refresh_and_publish(warehouse, reference, settings.today(), moment, settings.keep_generations)
    return run


def write_receipts(warehouse: store.Store, reference: Reference) -> None:
    """Receipts of the deliveries whose standing is not what their receipt says: moved, superseded, or left by a crash."""
    written = []
    for row in warehouse.rows(
        "SELECT d.delivery_id, d.source, d.agency, r.mark AS written, "
        "concat_ws('|', d.status, d.is_held, d.journal_n, d.run_id, d.reasons) AS mark "
        "FROM ledger.delivery d LEFT JOIN ledger.receipt r USING (delivery_id) ORDER BY ALL"
    ):
        path = warehouse.home.receipts / row["agency"] / row["source"] / f"{row['delivery_id']}.json"
        if row["mark"] != row["written"] or not path.exists():
            agency = reference.agencies.get(row["agency"])
            receipts.write(warehouse.home, receipts.receipt(warehouse, row["delivery_id"]), agency.language if agency else "en")
            written.append((row["delivery_id"], row["mark"]))
    if written:
        with warehouse.transaction():
            warehouse.con.executemany("INSERT OR REPLACE INTO ledger.receipt VALUES (?, ?)", written)


def command(settings: Settings, kind: str, delivery: str, reason: str, at: datetime | None = None) -> Landed:
    """Record withdrawn, released or reprocess for a delivery (id or its unambiguous beginning); the next run acts on it."""
    home = home_of(settings)
    found = [item for item in Landing(home).all() if item.delivery_id.startswith(delivery)]
    if len(found) != 1:
        raise UsageError(f"{len(found)} deliveries begin with {delivery!r}; `nyckeltal status` lists them")
    Landing(home).note(found[0], kind, at or landing.now(), reason)
    return found[0]
