"""Retention: what has been kept long enough, and letting it go.

Files go; what happened stays: of a delivery its manifest with the hash, its journal and its ledger rows. A delivery whose
original goes is withdrawn first (reason `retention`), so that it can never be in force or asked for again without its file.
Killed at any point, the next ingest and the next pruning end in the same state.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from warehouse import ledger, refused
from warehouse.home import Home
from warehouse.landing import Landed, Landing, last_entry
from warehouse.publication import generations
from warehouse.slices import InForce, in_force
from warehouse.store import Store

REASON = "retention"


@dataclass(frozen=True)
class Retention:
    """How long what is kept; days count from the refusal, the withdrawal, the day a delivery lost its last slice."""

    refused_days: int = 90
    """Files that were refused at the door and never became a delivery."""
    withdrawn_days: int = 365
    """Originals and lake files of deliveries withdrawn or refused."""
    superseded_days: int = 1095
    """Originals and lake files of deliveries that newer ones replaced wholly."""
    personal_days: int = 30
    """Originals of personal sources, from their last receipt or command on: what was accepted of them lies in the lake."""
    personal_sources: frozenset[str] = frozenset()
    keep_generations: int = 3


@dataclass(frozen=True)
class Pruned:
    """Something that goes. `kind`: refused, original, lake, generation; `path` below the home directory."""

    kind: str
    path: str
    bytes: int
    why: str


@dataclass(frozen=True)
class Outgoing:
    """A delivery to let go; `retires`: it is still active and is withdrawn first."""

    landed: Landed
    retires: bool
    why: str


def refused_files(home: Home, retention: Retention, at: datetime) -> list[Pruned]:
    """Folders of `refused/` that are old enough."""
    before = at - timedelta(days=retention.refused_days)
    return [
        _pruned("refused", home, place, f"refused at the door {since:%Y-%m-%d}")
        for place, since in refused.places(home)
        if since < before
    ]


def surplus_generations(home: Home, retention: Retention) -> list[Pruned]:
    """What `generations.prune` will remove."""
    known = sorted(path for path in home.generations.glob("*") if path.name.isdigit())
    current = generations.in_force(home)
    beyond = [path for path in known[: -retention.keep_generations] if int(path.name) != current]
    left = sorted(home.generations.glob(".building-*"))
    return [_pruned("generation", home, path, f"beyond the newest {retention.keep_generations}") for path in beyond] + [
        _pruned("generation", home, path, "left by a crash") for path in left
    ]


def outgoing(store: Store, retention: Retention, at: datetime) -> list[Outgoing]:
    """Deliveries that were withdrawn, refused or superseded long enough ago, and that nothing has happened to since the last
    load."""
    rows = store.rows(
        "SELECT d.delivery_id, d.source, d.agency, d.status, d.journal_n, coalesce(max(s.valid_to), any_value(d.received_at)) AS since "
        "FROM ledger.delivery d LEFT JOIN ledger.slice s USING (delivery_id) WHERE d.status IN ('withdrawn', 'refused', 'superseded') "
        "GROUP BY ALL ORDER BY d.source, d.agency, d.delivery_id"
    )
    known = {row["delivery_id"]: row for row in rows}
    landed = [item for item in Landing(store.home).all() if item.delivery_id in known]
    found = [_old(item, known[item.delivery_id], retention, at) for item in landed]
    return _without_effect(store, [item for item in found if item])


def _old(landed: Landed, row: dict[str, Any], retention: Retention, at: datetime) -> Outgoing | None:
    if landed.journal_n != row["journal_n"]:
        return None
    _, moment, reason = last_entry(landed)
    status, days = row["status"], retention.withdrawn_days
    if status == "superseded":
        moment, days = row["since"].replace(tzinfo=UTC), retention.superseded_days
    if moment >= at - timedelta(days=days) and not (status == "withdrawn" and reason == REASON):
        return None
    return Outgoing(landed, landed.active, f"{status} since {moment:%Y-%m-%d}")


def _without_effect(store: Store, found: Sequence[Outgoing]) -> list[Outgoing]:
    """Those whose going changes nothing that is in force or held.

    A superseded delivery may still matter: it is what makes the shrink guard hold another one back.
    """
    kept = [item for item in found if not item.retires]
    retiring = [item for item in found if item.retires]
    for source, agency in sorted({(item.landed.intent.source, item.landed.intent.agency) for item in retiring}):
        staying = ledger.candidates(store, source, [agency])[agency]
        now = _standing(in_force(staying))
        for item in sorted(retiring, key=lambda item: (item.landed.intent.produced_at, item.landed.sha256)):
            if (item.landed.intent.source, item.landed.intent.agency) != (source, agency):
                continue
            without = [candidate for candidate in staying if candidate.delivery_id != item.landed.delivery_id]
            if _standing(in_force(without)) == now:
                staying = without
                kept.append(item)
    return sorted(kept, key=lambda item: item.landed.directory)


def _standing(folded: InForce) -> tuple[dict[Any, str], set[str]]:
    return {key: candidate.delivery_id for key, candidate in folded.slices.items()}, set(folded.held)


def left_batches(store: Store, retention: Retention, at: datetime) -> dict[str, str]:
    """Batches whose rows were read again into others long enough ago, each with why it goes; nothing reads them any more."""
    since = (at - timedelta(days=retention.superseded_days)).astimezone(UTC).replace(tzinfo=None)
    rows = store.rows("SELECT batch_id, left_at FROM ledger.left_batch WHERE left_at < ? ORDER BY ALL", [since])
    return {row["batch_id"]: f"read again {row['left_at']:%Y-%m-%d}" for row in rows}


def files_of(store: Store, going: Sequence[Outgoing], left: Mapping[str, str]) -> list[Pruned]:
    """Originals and lake files of deliveries that go, and lake files of `left_batches`. A batch goes when all its deliveries do."""
    home = store.home
    found = [
        Pruned("original", _below(home, item.landed.file), item.landed.file.stat().st_size, item.why)
        for item in going
        if item.landed.file.is_file()
    ]
    why = {item.landed.delivery_id: item.why for item in going}
    batches = {batch_id: why[deliveries[0]] for batch_id, deliveries in _whole_batches(store, going).items()}
    for batch_id, reason in {**batches, **left}.items():
        for row in store.rows(
            "SELECT DISTINCT parse_dirpath(path) AS place FROM ledger.batch_file WHERE batch_id = ? ORDER BY 1", [batch_id]
        ):
            found.append(_pruned("lake", home, home.lake / row["place"], reason))
    return found


def _whole_batches(store: Store, going: Sequence[Outgoing]) -> dict[str, list[str]]:
    """Batches that only deliveries which go name: batch, deliveries."""
    ids = {item.landed.delivery_id for item in going}
    batches: dict[str, list[str]] = {}
    for row in store.rows("SELECT batch_id, delivery_id FROM ledger.delivery WHERE batch_id IS NOT NULL ORDER BY ALL"):
        batches.setdefault(row["batch_id"], []).append(row["delivery_id"])
    return {batch_id: deliveries for batch_id, deliveries in batches.items() if ids.issuperset(deliveries)}


def personal_originals(store: Store, retention: Retention, at: datetime) -> list[Landed]:
    """Deliveries of personal sources whose original has served: loaded or refused, and quiet for long enough."""
    rows = store.rows("SELECT delivery_id, journal_n FROM ledger.delivery WHERE status <> 'received'")
    done = {row["delivery_id"]: row["journal_n"] for row in rows}
    since = at - timedelta(days=retention.personal_days)
    return [
        item
        for item in Landing(store.home).all(sources=retention.personal_sources)
        if done.get(item.delivery_id) == item.journal_n
        and item.file.is_file()
        and last_entry(item)[1] < since
    ]


def purge(store: Store, going: Sequence[Landed], dry_run: bool) -> list[Pruned]:
    """Remove the originals of `personal_originals`, or list them; the deliveries stay as they are."""
    listed = [(item, Pruned("original", _below(store.home, item.file), item.size, "holds personal data")) for item in going]
    landing = Landing(store.home)
    return [pruned for item, pruned in listed if dry_run or landing.purge_file(item)]


def let_go(store: Store, going: Sequence[Outgoing], left: Mapping[str, str], at: datetime) -> list[Pruned]:
    """Withdraw what is still active, forget the lake files in the ledger, then remove the files. Returns what went.

    A delivery that somebody delivers or commands at this very moment stays.
    """
    landing = Landing(store.home)
    settled = []
    for item in going:
        landed = landing.retire(item.landed, at, REASON) if item.retires else item.landed
        if landed:
            settled.append(Outgoing(landed, item.retires, item.why))
    files = files_of(store, settled, left)
    batches = [*_whole_batches(store, settled), *left]
    with store.transaction():
        ledger.withdraw(store, [item.landed for item in settled if item.retires], f"{at:%Y%m%dT%H%M%S}-prune")
        with store.relation("gone_batch", pl.DataFrame({"batch_id": batches}, schema={"batch_id": pl.String})):
            for table in ("batch_file", "left_batch"):
                store.con.execute(f"DELETE FROM ledger.{table} WHERE batch_id IN (FROM gone_batch)")
    for pruned in files:
        if pruned.kind == "lake":
            shutil.rmtree(store.home.root / pruned.path, ignore_errors=True)
    stayed = {_below(store.home, item.landed.file) for item in settled if not landing.drop_file(item.landed)}
    return [pruned for pruned in files if pruned.path not in stayed]


def remove(home: Home, pruned: Sequence[Pruned], retention: Retention) -> None:
    """Remove refused files and surplus generations."""
    for item in pruned:
        if item.kind == "refused":
            shutil.rmtree(home.root / item.path, ignore_errors=True)
    if home.generations.is_dir():
        generations.prune(home, retention.keep_generations)


def _pruned(kind: str, home: Home, path: Path, why: str) -> Pruned:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())
    return Pruned(kind, _below(home, path), size, why)


def _below(home: Home, path: Path) -> str:
    return str(path.relative_to(home.root))
