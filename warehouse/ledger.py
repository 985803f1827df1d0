"""The ledger: what happened to every delivery, and the one transaction that loads a run's deliveries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from schemas.contract import Contract
from schemas.errors import Reason
from warehouse.lake import Batch
from warehouse.landing import Landed
from warehouse.slices import Candidate, Covered, InForce, SliceKey, in_force
from warehouse.store import Store

EXAMPLES_KEPT = 1000
"""Rows kept per rule where they are only examples: of warnings (the rows are loaded) and of refused deliveries. All are counted
in ledger.rule_count; a loaded delivery's quarantined rows are all kept."""
SLICE_OPENED = ["source", "agency", "part", "slice_period", "slice_kind", "delivery_id", "batch_id", "valid_from"]


@dataclass
class PreparedBatch:
    """A batch as it comes from preparation: Parquet written aside, counts, failures, coverage, refusals by delivery."""

    contract: Contract
    batch: Batch
    deliveries: Sequence[str]
    counts: pl.DataFrame
    failures: pl.DataFrame
    warnings: pl.DataFrame
    set_aside: pl.DataFrame
    covered: pl.DataFrame
    """delivery_id, part, slice_period, slice_kind, rows_n, cents; empty for keyed sources."""
    notes: Mapping[str, str] = field(default_factory=dict)
    refused: dict[str, list[Reason]] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What the ledger remembers of a delivery, to tell what has changed in landing since."""

    status: str
    journal_n: int
    attempt: int


@dataclass(frozen=True)
class SliceChange:
    """A slice that changes hands: `new` is the batch in force from now on (None: none)."""

    agency: str
    key: SliceKey
    new: str | None


def known(store: Store) -> dict[str, Known]:
    """Every delivery in the ledger."""
    rows = store.rows("SELECT delivery_id, status, journal_n, attempt FROM ledger.delivery")
    return {row["delivery_id"]: Known(row["status"], row["journal_n"], row["attempt"]) for row in rows}


def quality_of(store: Store, run_id: str) -> list[dict[str, object]]:
    """Per delivery that a run moved: agency, source, status, rows by outcome, the rules broken most. No delivered values."""
    return store.rows(
        """
        WITH broken AS (
            SELECT delivery_id, string_agg(rule || ' (' || rows_n || ')', ', ' ORDER BY rows_n DESC, rule) AS rules
            FROM (FROM (SELECT delivery_id, rule, sum(rows_n)::BIGINT AS rows_n FROM ledger.rule_count GROUP BY ALL)
                  QUALIFY row_number() OVER (PARTITION BY delivery_id ORDER BY rows_n DESC, rule) <= 3)
            GROUP BY delivery_id)
        SELECT d.agency, d.source, d.delivery_id, CASE WHEN d.is_held THEN 'held' ELSE d.status END AS status,
            coalesce(sum(c.rows_read), 0)::BIGINT AS rows_read, coalesce(sum(c.rows_accepted), 0)::BIGINT AS rows_accepted,
            coalesce(sum(c.rows_quarantined), 0)::BIGINT AS rows_quarantined, coalesce(any_value(b.rules), '') AS rules,
            coalesce(array_to_string(list_distinct(
                from_json(any_value(d.reasons), '[{"code": "VARCHAR"}]').list_transform(lambda r: r.code)), ', '), '') AS reasons
        FROM ledger.delivery d LEFT JOIN ledger.table_count c USING (delivery_id) LEFT JOIN broken b USING (delivery_id)
        WHERE d.run_id = ? GROUP BY ALL ORDER BY d.agency, d.source, d.delivery_id
        """,
        [run_id],
    )


def between(store: Store, source: str | None, agency: str | None, first: date | None, last: date | None) -> set[str]:
    """Ids of active deliveries of a source and agency (None: any) that speak for days between two days (None: no limit).

    What a delivery speaks for are the slices it covers, else the day it was produced.
    """
    rows = store.rows(
        """
        SELECT DISTINCT d.delivery_id FROM ledger.delivery d LEFT JOIN ledger.covered c USING (delivery_id)
        WHERE d.is_active AND d.source = coalesce($source, d.source) AND d.agency = coalesce($agency, d.agency)
          AND coalesce(c.slice_period, d.produced_at::DATE) <= coalesce($last::DATE, DATE '9999-12-31')
          AND coalesce(CASE c.slice_kind WHEN 'year' THEN c.slice_period + INTERVAL 1 YEAR WHEN 'month' THEN c.slice_period + INTERVAL 1 MONTH END,
                       d.produced_at::DATE + INTERVAL 1 DAY) > coalesce($first::DATE, DATE '0001-01-01')
        """,
        {"source": source, "agency": agency, "first": first, "last": last},
    )
    return {row["delivery_id"] for row in rows}


def needs_preparation(landed: Landed, remembered: Known | None) -> bool:
    """New, asked to be prepared again, or delivered again after a refusal."""
    if not landed.active:
        return False
    if remembered is None or landed.attempt > remembered.attempt:
        return True
    return remembered.status == "refused" and landed.journal_n > remembered.journal_n


def record(store: Store, landed: Landed, run_id: str, prepared: PreparedBatch | None) -> None:
    """Write or update one delivery's ledger row; `prepared` None means only its journal moved."""
    intent = landed.intent
    reasons = prepared.refused.get(landed.delivery_id, []) if prepared else []
    values: dict[str, object] = {
        "produced_at": intent.produced_at.replace(tzinfo=None),
        "produced_from": intent.produced_from,
        "receipts_n": landed.receipts_n,
        "journal_n": landed.journal_n,
        "attempt": landed.attempt,
        "is_active": landed.active,
        "is_released": landed.released,
        "run_id": run_id,
    }
    if prepared:
        values |= {
            "status": "refused" if reasons else "loaded",
            "batch_id": None if reasons else prepared.batch.batch_id,
            "contract_version": prepared.contract.version,
            "notes": prepared.notes.get(landed.delivery_id, "{}"),
            "reasons": json.dumps([reason.__dict__ for reason in reasons], ensure_ascii=False),
        }
    if store.scalar("SELECT count(*) FROM ledger.delivery WHERE delivery_id = ?", [landed.delivery_id]):
        assignments = ", ".join(f"{name} = ?" for name in values)
        store.con.execute(
            f"UPDATE ledger.delivery SET {assignments} WHERE delivery_id = ?", [*values.values(), landed.delivery_id]
        )
        return
    values |= {
        "delivery_id": landed.delivery_id,
        "source": intent.source,
        "agency": intent.agency,
        "sha256": landed.sha256,
        "file_name": intent.file_name,
        "size_bytes": landed.size,
        "received_at": landed.first_received_at.replace(tzinfo=None),
        "is_held": False,
        "coverage_from": intent.coverage_from,
        "coverage_to": intent.coverage_to,
        "part": intent.part,
    }
    values.setdefault("status", "received")
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    store.con.execute(f"INSERT INTO ledger.delivery ({names}) VALUES ({marks})", list(values.values()))


def store_batches(store: Store, batches: Sequence[PreparedBatch]) -> None:
    """Replace what the ledger holds of the batches' deliveries: files, counts, quarantine, coverage."""
    ids = pl.DataFrame(
        {"delivery_id": [name for batch in batches for name in batch.deliveries]}, schema={"delivery_id": pl.String}
    )
    with store.relation("loaded_ids", ids):
        for table in ("table_count", "quarantine", "rule_count", "set_aside", "covered"):
            store.con.execute(f"DELETE FROM ledger.{table} WHERE delivery_id IN (SELECT delivery_id FROM loaded_ids)")
    files = [
        (batch.batch.batch_id, batch.contract.source, file.table_name, batch.batch.agency, file.path, file.rows_n)
        for batch in batches
        if len(batch.refused) < len(batch.deliveries)
        for file in batch.batch.files
    ]
    if files:
        store.con.executemany("INSERT INTO ledger.batch_file VALUES (?, ?, ?, ?, ?, ?)", files)
    written: dict[str, list[pl.DataFrame]] = {}
    for batch in batches:
        for table, frame in _ledger_rows(batch).items():
            if not frame.is_empty():
                written.setdefault(table, []).append(frame)
    for table, frames in written.items():
        store.append(f"ledger.{table}", pl.concat(frames, how="diagonal"))


def _ledger_rows(batch: PreparedBatch) -> dict[str, pl.DataFrame]:
    """Rows of the ledger tables that hold one batch's counts, failures and coverage."""
    severity = pl.DataFrame(
        [(table.name, rule.name, rule.severity) for table in batch.contract.tables for rule in table.rules],
        schema={"table_name": pl.String, "rule": pl.String, "severity": pl.String},
        orient="row",
    )
    broken = pl.concat([batch.failures, batch.warnings]).join(severity, on=["table_name", "rule"], how="left")
    broken = broken.with_columns(pl.col("severity").fill_null("fail"))
    refused = pl.col("delivery_id").is_in(list(batch.refused))
    examples = refused | (pl.col("severity") == "warn")
    kept = broken.filter(examples).group_by("delivery_id", "table_name", "rule", maintain_order=True).head(EXAMPLES_KEPT)
    return {
        "table_count": batch.counts,
        "rule_count": broken.group_by("delivery_id", "table_name", "rule", "severity").agg(rows_n=pl.len().cast(pl.Int64)),
        "quarantine": pl.concat([broken.filter(~examples), kept], how="diagonal"),
        "set_aside": batch.set_aside,
        "covered": batch.covered.filter(~refused),
    }


def fold(store: Store, source: str, agency: str, without: Collection[str] = ()) -> InForce:
    """Which deliveries of an agency are in force, from the ledger alone; `without`: as if these did not exist."""
    covered: dict[str, list[Covered]] = {}
    for row in store.rows(
        "SELECT c.* FROM ledger.covered c JOIN ledger.delivery d USING (delivery_id) "
        "WHERE d.source = ? AND d.agency = ? AND d.is_active AND d.batch_id IS NOT NULL",
        [source, agency],
    ):
        item = Covered(row["part"], row["slice_period"], row["slice_kind"], row["rows_n"], row["cents"])
        covered.setdefault(row["delivery_id"], []).append(item)
    deliveries = store.rows(
        "SELECT * FROM ledger.delivery WHERE source = ? AND agency = ? AND is_active AND batch_id IS NOT NULL", [source, agency]
    )
    return in_force(
        Candidate(
            row["delivery_id"],
            row["batch_id"],
            row["sha256"],
            row["produced_at"],
            row["is_released"],
            covered.get(row["delivery_id"], []),
        )
        for row in deliveries
        if row["delivery_id"] not in without
    )


def due_changes(store: Store, source: str, agency: str) -> tuple[set[SliceKey], set[SliceKey]]:
    """Slices that `change_slices` would replace, close or open in another's place, and those that it would open where there was
    none."""
    wanted, current = fold(store, source, agency).slices, _current_slices(store, source, agency)
    moved = {key for key, row in current.items() if key not in wanted or wanted[key].batch_id != row["batch_id"]}
    added = _added(wanted, current)
    return moved | (set(wanted) - set(current) - added), added


def _added(wanted: Collection[SliceKey], current: Collection[SliceKey]) -> set[SliceKey]:
    """Slices where there was none. A year and the months of it stand in each other's place."""
    left = {(part, period.year, kind) for part, period, kind in set(current) - set(wanted)}
    return {
        (part, period, kind)
        for part, period, kind in set(wanted) - set(current)
        if not any(found[:2] == (part, period.year) and found[2] != kind for found in left)
    }


def _current_slices(store: Store, source: str, agency: str) -> dict[SliceKey, dict[str, Any]]:
    return {
        (row["part"], row["slice_period"], row["slice_kind"]): row
        for row in store.rows("SELECT * FROM ledger.slice WHERE source = ? AND agency = ? AND valid_to IS NULL", [source, agency])
    }


def change_slices(store: Store, source: str, agency: str, at: datetime, opens: bool = True) -> list[SliceChange]:
    """Bring the slice map in line with the fold; closes and opens rows, sets held and superseded. Returns what changed.

    `opens` False leaves out slices where there was none.
    """
    wanted = fold(store, source, agency)
    current = _current_slices(store, source, agency)
    left_out = set() if opens else _added(wanted.slices, current)
    changes, opened = [], []
    moment = at.replace(tzinfo=None)
    for key in sorted((set(current) | set(wanted.slices)) - left_out):
        old, new = current.get(key), wanted.slices.get(key)
        old_batch, new_batch = old["batch_id"] if old else None, new.batch_id if new else None
        if old_batch == new_batch:
            continue
        changes.append(SliceChange(agency, key, new_batch))
        part, period, kind = key
        if old:
            store.con.execute(
                "UPDATE ledger.slice SET valid_to = ? WHERE source = ? AND agency = ? AND part = ? AND slice_period = ? "
                "AND slice_kind = ? AND valid_to IS NULL",
                [moment, source, agency, part, period, kind],
            )
        if new:
            opened.append((source, agency, part, period, kind, new.delivery_id, new.batch_id, moment))
    store.append("ledger.slice", pl.DataFrame(opened, schema=SLICE_OPENED, orient="row"))
    _set_statuses(store, source, agency, wanted)
    return changes


def _set_statuses(store: Store, source: str, agency: str, wanted: InForce) -> None:
    in_force_ids = {candidate.delivery_id for candidate in wanted.slices.values()}
    for row in store.rows(
        "SELECT delivery_id, is_active, batch_id, status FROM ledger.delivery WHERE source = ? AND agency = ?", [source, agency]
    ):
        identity = row["delivery_id"]
        held = identity in wanted.held
        if not row["is_active"]:
            status = "withdrawn"
        elif row["batch_id"] is None:
            status = row["status"]
        else:
            status = "loaded" if held or identity in in_force_ids else "superseded"
        reasons = json.dumps([{"code": "held", "text": wanted.held[identity]}], ensure_ascii=False) if held else None
        store.con.execute(
            "UPDATE ledger.delivery SET status = ?, is_held = ?, "
            "reasons = coalesce(?, CASE WHEN is_held THEN '[]' ELSE reasons END) WHERE delivery_id = ?",
            [status, held, reasons, identity],
        )


def set_keyed_statuses(store: Store, source: str) -> None:
    """Withdrawn deliveries of a keyed source; the newest version per key is the measures' business."""
    store.con.execute(
        "UPDATE ledger.delivery SET status = CASE WHEN NOT is_active THEN 'withdrawn' "
        "WHEN batch_id IS NOT NULL THEN 'loaded' ELSE status END WHERE source = ?",
        [source],
    )


def remember_left(store: Store, at: datetime) -> None:
    """Keep the moment at which batches were left: what reading again replaced, that no delivery and no slice in force names."""
    store.con.execute(
        "INSERT OR IGNORE INTO ledger.left_batch SELECT DISTINCT batch_id, ?::TIMESTAMP FROM ledger.batch_file f "
        "WHERE NOT EXISTS (FROM ledger.delivery d WHERE d.batch_id = f.batch_id) "
        "AND NOT EXISTS (FROM ledger.slice s WHERE s.batch_id = f.batch_id AND s.valid_to IS NULL)",
        [at.replace(tzinfo=None)],
    )


def mark_dirty(store: Store, source: str, months: Iterable[date]) -> None:
    """Remember months whose key figures must be computed again; survives a crash because it commits with the load."""
    store.append(
        "ledger.dirty",
        pl.DataFrame(
            [(source, month) for month in sorted(set(months))], schema={"source": pl.String, "month": pl.Date}, orient="row"
        ),
    )


def slices_in_force(store: Store, source: str) -> list[SliceChange]:
    """Every slice in force, as if it had just been opened."""
    rows = store.rows("SELECT * FROM ledger.slice WHERE source = ? AND valid_to IS NULL ORDER BY ALL", [source])
    return [SliceChange(row["agency"], (row["part"], row["slice_period"], row["slice_kind"]), row["batch_id"]) for row in rows]


def sources_loaded(store: Store) -> set[str]:
    """Sources of which rows lie in the lake."""
    return {row["source"] for row in store.rows("SELECT DISTINCT source FROM ledger.batch_file")}


def keep_registers(store: Store, texts: Mapping[str, str]) -> None:
    """Keep the registers of a run, as text."""
    store.con.execute("DELETE FROM ledger.register")
    rows = {"name": list(texts), "content": list(texts.values())}
    store.append("ledger.register", pl.DataFrame(rows, schema={"name": pl.String, "content": pl.String}))


def kept_registers(store: Store) -> dict[str, str]:
    """The registers of the last run."""
    return {row["name"]: row["content"] for row in store.rows("FROM ledger.register")}


def state(store: Store, key: str) -> str | None:
    """A remembered word of the warehouse."""
    value = store.scalar("SELECT value FROM ledger.state WHERE key = ?", [key])
    return None if value is None else str(value)


def differs(store: Store, key: str, basis: str) -> bool:
    """Whether what something was made with is another than when this was last asked; remembers it (its hash)."""
    mark = hashlib.sha256(basis.encode()).hexdigest()
    if state(store, key) == mark:
        return False
    set_state(store, key, mark)
    return True


def set_state(store: Store, key: str, value: str) -> None:
    store.con.execute("INSERT OR REPLACE INTO ledger.state VALUES (?, ?)", [key, value])


def check_conservation(store: Store) -> list[str]:
    """Invariant 1, per delivery and table: rows and cents read = accepted + set aside + quarantined; and the lake's files hold,
    by their rows as counted when they were written, what was accepted of active deliveries. They may hold more: the unread rows
    of deliveries that the gate refused out of a batch. The gate counts each delivery's rows in the files themselves."""
    broken = [
        f"delivery {row['delivery_id']}, {row['table_name']}: read {row['rows_read']} rows and {row['cents_read']} cents, found "
        f"{row['rows_found']} rows and {row['cents_found']} cents"
        for row in store.rows(
            "SELECT *, rows_accepted + rows_set_aside + rows_quarantined AS rows_found, "
            "cents_accepted + cents_set_aside + cents_quarantined AS cents_found FROM ledger.table_count "
            "WHERE rows_read <> rows_found OR cents_read <> cents_found"
        )
    ]
    broken += [
        f"batch {row['batch_id']}, {row['table_name']}: the lake holds {row['lake']} rows, the ledger accepted {row['accepted']}"
        for row in store.rows(
            "SELECT c.batch_id, c.table_name, coalesce(f.lake, 0) AS lake, c.accepted FROM "
            "(SELECT d.batch_id, t.table_name, sum(t.rows_accepted) AS accepted FROM ledger.table_count t "
            "JOIN ledger.delivery d USING (delivery_id) WHERE d.batch_id IS NOT NULL AND d.is_active GROUP BY ALL) c LEFT JOIN "
            "(SELECT batch_id, table_name, sum(rows_n) AS lake FROM ledger.batch_file GROUP BY ALL) f "
            "ON f.batch_id = c.batch_id AND f.table_name = c.table_name WHERE coalesce(f.lake, 0) < c.accepted ORDER BY ALL"
        )
    ]
    return broken
