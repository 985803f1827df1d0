"""The ledger: what happened to every delivery, and the one transaction that loads a run's deliveries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import Damage, Damaged, Reason
from warehouse.findings import Findings, Outcome
from warehouse.landing import Landed, delivery_id
from warehouse.slices import Candidate, Covered, InForce, SliceKey, in_force
from warehouse.store import Store

COMPUTED_WITH = "computed_with"
"""The word that remembers what cells were made with; empty: they are to be made anew."""
Columns = dict[str, pl.DataType | type[pl.DataType]]
SLICE_OPENED: Columns = {
    "source": pl.String,
    "agency": pl.String,
    "part": pl.String,
    "slice_period": pl.Date,
    "slice_kind": pl.String,
    "delivery_id": pl.String,
    "batch_id": pl.String,
    "valid_from": pl.Datetime("us"),
}
BATCH_FILE: Columns = {
    "batch_id": pl.String,
    "source": pl.String,
    "table_name": pl.String,
    "agency": pl.String,
    "path": pl.String,
    "rows_n": pl.Int64,
    "size_bytes": pl.Int64,
    "sha256": pl.String,
}
JOURNAL: Columns = {
    "produced_at": pl.Datetime("us"),
    "produced_from": pl.String,
    "receipts_n": pl.Int64,
    "journal_n": pl.Int64,
    "attempt": pl.Int64,
    "is_active": pl.Boolean,
    "is_released": pl.Boolean,
    "run_id": pl.String,
}
"""What a delivery's journal tells, written anew whenever it has moved."""
OUTCOME: Columns = {
    "status": pl.String,
    "batch_id": pl.String,
    "read_with": pl.String,
    "notes": pl.String,
    "reasons": pl.String,
}
"""What preparing and the gate found, written when a delivery was prepared."""
RECORDED: Columns = {
    **JOURNAL,
    **OUTCOME,
    "delivery_id": pl.String,
    "source": pl.String,
    "agency": pl.String,
    "sha256": pl.String,
    "file_name": pl.String,
    "size_bytes": pl.Int64,
    "received_at": pl.Datetime("us"),
    "is_held": pl.Boolean,
    "coverage_from": pl.Date,
    "coverage_to": pl.Date,
    "part": pl.String,
    "is_prepared": pl.Boolean,
}


@dataclass(frozen=True)
class Known:
    """What the ledger remembers of a delivery, to tell what has changed in landing since; `read_with` is the mark of the code that
    read it (None: by code from before marks were kept, or not read)."""

    status: str
    journal_n: int
    attempt: int
    read_with: str | None


@dataclass(frozen=True)
class SliceChange:
    """A slice that changes hands: `new` is the batch in force from now on (None: none)."""

    agency: str
    key: SliceKey
    new: str | None


def known(store: Store) -> dict[str, Known]:
    """Every delivery in the ledger."""
    rows = store.rows("SELECT delivery_id, status, journal_n, attempt, read_with FROM ledger.delivery")
    return {row.pop("delivery_id"): Known(**row) for row in rows}


def readings(store: Store) -> list[dict[str, Any]]:
    """source, delivery_id, file_name, read_with of the deliveries in force, and of those set apart because they ended their reader:
    other code may read them."""
    rows = store.rows(
        "SELECT * FROM ledger.delivery WHERE (status = 'loaded' AND NOT is_held) "
        "OR (status = 'refused' AND is_active AND reasons LIKE '%\"reader_died\"%') ORDER BY source, delivery_id"
    )
    return [{name: row.get(name) for name in ("source", "delivery_id", "file_name", "read_with")} for row in rows]


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


def journals_cut(items: Iterable[Landed], known: Mapping[str, Known]) -> list[Damage]:
    """Deliveries whose journal has fewer entries than the ledger has seen."""
    return [
        Damage(
            f"{item.place}/journal",
            f"has {item.journal_n} entries, the ledger has seen {known[item.delivery_id].journal_n}",
            "bring the entries back by `nyckeltal restore FROM --only`, or receive the file again",
        )
        for item in items
        if item.delivery_id in known and item.journal_n < known[item.delivery_id].journal_n
    ]


def gone_from_landing(store: Store, items: Iterable[Landed], unreadable: Iterable[Damaged]) -> list[Damage]:
    """Deliveries that are known here and have no directory in landing any more."""
    there = {item.delivery_id for item in items}
    for error in unreadable:
        there |= {delivery_id(*Path(item.path).parts[1:4]) for item in error.damage}
    rows = store.rows("SELECT delivery_id, source, agency, sha256 FROM ledger.delivery ORDER BY source, agency, sha256")
    cure = "receive the same file again, or bring it back by `nyckeltal restore FROM --only`; what was loaded of it stays in force"
    return [
        Damage("/".join((store.home.landing.name, row["source"], row["agency"], row["sha256"])), "is missing", cure)
        for row in rows
        if row["delivery_id"] not in there
    ]


def needs_preparation(landed: Landed, remembered: Known | None) -> bool:
    """New, asked to be prepared again, or delivered again after a refusal."""
    if not landed.active:
        return False
    if remembered is None or landed.attempt > remembered.attempt:
        return True
    return remembered.status == "refused" and landed.journal_n > remembered.journal_n


def record(store: Store, moved: Sequence[Landed], run_id: str, outcomes: Mapping[str, Outcome], read_with: Mapping[str, str]) -> None:
    """Write or update the ledger's rows of deliveries; of those without an outcome only the journal moved. `read_with`: the marks of
    the code that prepared them, by source."""
    told = [_row(item, run_id, outcomes.get(item.delivery_id), read_with.get(item.intent.source)) for item in moved]
    rows = pl.DataFrame(told, schema=RECORDED, orient="row")
    always = ", ".join(f"{name} = r.{name}" for name in JOURNAL)
    outcome = ", ".join(f"{name} = CASE WHEN r.is_prepared THEN r.{name} ELSE d.{name} END" for name in OUTCOME)
    names = ", ".join(name for name in RECORDED if name != "is_prepared")
    with store.relation("recorded", rows):
        store.con.execute(f"UPDATE ledger.delivery d SET {always}, {outcome} FROM recorded r WHERE d.delivery_id = r.delivery_id")
        store.con.execute(
            f"INSERT INTO ledger.delivery ({names}) SELECT {names} FROM recorded ANTI JOIN ledger.delivery USING (delivery_id)"
        )


def _row(landed: Landed, run_id: str, outcome: Outcome | None, read_with: str | None) -> tuple[object, ...]:
    """RECORDED of one delivery."""
    intent = landed.intent
    found: tuple[object, ...] = ("received", None, None, None, None)
    if outcome:
        reasons = json.dumps([reason.__dict__ for reason in outcome.reasons], ensure_ascii=False)
        status, batch_id = ("refused", None) if outcome.reasons else ("loaded", outcome.batch_id)
        found = (status, batch_id, read_with, outcome.notes, reasons)
    return (
        intent.produced_at.replace(tzinfo=None),
        intent.produced_from,
        landed.receipts_n,
        landed.journal_n,
        landed.attempt,
        landed.active,
        landed.released,
        run_id,
        *found,
        landed.delivery_id,
        intent.source,
        intent.agency,
        landed.sha256,
        intent.file_name,
        landed.size,
        landed.first_received_at.replace(tzinfo=None),
        False,
        intent.coverage_from,
        intent.coverage_to,
        intent.part,
        outcome is not None,
    )


def withdraw(store: Store, landed: Sequence[Landed], run_id: str) -> None:
    """Remember that deliveries were withdrawn, without a load."""
    record(store, landed, run_id, {}, {})
    gone = pl.DataFrame({"delivery_id": [item.delivery_id for item in landed]}, schema={"delivery_id": pl.String})
    with store.relation("withdrawn_id", gone):
        store.con.execute("UPDATE ledger.delivery SET status = 'withdrawn' WHERE delivery_id IN (FROM withdrawn_id)")


def store_findings(store: Store, found: Findings) -> None:
    """Replace what the ledger holds of deliveries that were prepared: files, counts, quarantine, coverage."""
    ids = pl.DataFrame({"delivery_id": list(found.outcomes)}, schema={"delivery_id": pl.String})
    with store.relation("loaded_ids", ids):
        for table in ("table_count", "quarantine", "rule_count", "set_aside", "covered"):
            store.con.execute(f"DELETE FROM ledger.{table} WHERE delivery_id IN (SELECT delivery_id FROM loaded_ids)")
    files = [
        (batch.batch_id, batch.source, file.table_name, batch.agency, file.path, file.rows_n, file.size_bytes, file.sha256)
        for batch in found.batches
        for file in batch.files
    ]
    store.append("ledger.batch_file", pl.DataFrame(files, schema=BATCH_FILE, orient="row"))
    for name, frame in found.tables():
        store.append(f"ledger.{name}", frame)


def remember_receipts(store: Store, marks: Sequence[tuple[str, str]]) -> None:
    """Remember what receipts were written for: delivery, mark."""
    written = pl.DataFrame(marks, schema={"delivery_id": pl.String, "mark": pl.String}, orient="row")
    with store.transaction(), store.relation("written_receipt", written):
        store.con.execute("INSERT OR REPLACE INTO ledger.receipt SELECT delivery_id, mark FROM written_receipt")


def candidates(store: Store, source: str, agencies: Collection[str]) -> dict[str, list[Candidate]]:
    """The loaded, not withdrawn deliveries of agencies, from the ledger alone."""
    found: dict[str, list[Candidate]] = {agency: [] for agency in agencies}
    covered: dict[str, list[Covered]] = {}
    with store.relation("asked_agency", _named(agencies)):
        for row in store.rows(
            "SELECT c.* FROM ledger.covered c JOIN ledger.delivery d USING (delivery_id) SEMI JOIN asked_agency USING (agency) "
            "WHERE d.source = ? AND d.is_active AND d.batch_id IS NOT NULL",
            [source],
        ):
            item = Covered(row["part"], row["slice_period"], row["slice_kind"], row["rows_n"], row["cents"])
            covered.setdefault(row["delivery_id"], []).append(item)
        for row in store.rows(
            "SELECT delivery_id, agency, batch_id, sha256, produced_at, is_released FROM ledger.delivery "
            "SEMI JOIN asked_agency USING (agency) WHERE source = ? AND is_active AND batch_id IS NOT NULL",
            [source],
        ):
            agency, delivery_id = row.pop("agency"), row["delivery_id"]
            found[agency].append(Candidate(**row, covered=covered.get(delivery_id, [])))
    return found


def _named(agencies: Collection[str]) -> pl.DataFrame:
    return pl.DataFrame({"agency": sorted(set(agencies))}, schema={"agency": pl.String})


def fold(store: Store, source: str, agency: str, without: Collection[str] = ()) -> InForce:
    """Which deliveries of an agency are in force, from the ledger alone; `without`: as if these did not exist."""
    return in_force(item for item in candidates(store, source, [agency])[agency] if item.delivery_id not in without)


@dataclass(frozen=True)
class _Standing:
    """An agency's slices: as they should be by the fold, and as they are (key -> batch)."""

    agency: str
    wanted: InForce
    current: Mapping[SliceKey, str]

    def moved(self) -> set[SliceKey]:
        """Slices of now that are to be replaced or closed."""
        slices = self.wanted.slices
        return {key for key, batch_id in self.current.items() if key not in slices or slices[key].batch_id != batch_id}

    def added(self) -> set[SliceKey]:
        """Slices where there was none. A year and the months of it stand in each other's place."""
        left = {(part, period.year, kind) for part, period, kind in set(self.current) - set(self.wanted.slices)}
        return {
            (part, period, kind)
            for part, period, kind in set(self.wanted.slices) - set(self.current)
            if not any((part, period.year, other) in left for other in ("month", "year") if other != kind)
        }


def batches(store: Store) -> dict[str, str]:
    """The batch that counts of every delivery that is active and was accepted."""
    rows = store.rows("SELECT delivery_id, batch_id FROM ledger.delivery WHERE is_active AND batch_id IS NOT NULL")
    return {row["delivery_id"]: row["batch_id"] for row in rows}


def _standings(store: Store, source: str, agencies: Collection[str]) -> list[_Standing]:
    current: dict[str, dict[SliceKey, str]] = {agency: {} for agency in agencies}
    with store.relation("asked_agency", _named(agencies)):
        for row in store.rows(
            "FROM ledger.slice SEMI JOIN asked_agency USING (agency) WHERE source = ? AND valid_to IS NULL", [source]
        ):
            current[row["agency"]][row["part"], row["slice_period"], row["slice_kind"]] = row["batch_id"]
    found = candidates(store, source, agencies)
    return [_Standing(agency, in_force(found[agency]), current[agency]) for agency in sorted(current)]


def due_changes(store: Store, source: str, agencies: Collection[str], alike: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether `change_slices` would replace, close or open slices in another's place, and whether it would open some where there
    was none; `alike`: batches and those that hold the same rows in their place."""
    corrects = adds = False
    for found in _standings(store, source, agencies):
        standing = replace(found, current={key: alike.get(batch_id, batch_id) for key, batch_id in found.current.items()})
        added = standing.added()
        adds |= bool(added)
        corrects |= bool(standing.moved() or set(standing.wanted.slices) - set(standing.current) - added)
    return corrects, adds


def change_slices(store: Store, source: str, agencies: Collection[str], at: datetime, opens: bool = True) -> list[SliceChange]:
    """Bring the slice map of agencies in line with the fold; closes and opens rows, sets held and superseded. Returns what changed.

    `opens` False leaves out slices where there was none.
    """
    moment = at.replace(tzinfo=None)
    standings = _standings(store, source, agencies)
    changes: list[SliceChange] = []
    opened: list[tuple[object, ...]] = []
    for standing in standings:
        slices = standing.wanted.slices
        left_out = set() if opens else standing.added()
        for key in sorted(standing.moved() | (set(slices) - set(standing.current)) - left_out):
            new = slices.get(key)
            changes.append(SliceChange(standing.agency, key, new.batch_id if new else None))
            if new:
                opened.append((source, standing.agency, *key, new.delivery_id, new.batch_id, moment))
    closed = pl.DataFrame(
        [(change.agency, *change.key) for change in changes],
        schema={name: SLICE_OPENED[name] for name in ("agency", "part", "slice_period", "slice_kind")},
        orient="row",
    )
    with store.relation("closed_slice", closed):
        store.con.execute(
            "UPDATE ledger.slice s SET valid_to = ? FROM closed_slice c WHERE s.source = ? AND s.valid_to IS NULL "
            "AND s.agency = c.agency AND s.part = c.part AND s.slice_period = c.slice_period AND s.slice_kind = c.slice_kind",
            [moment, source],
        )
    store.append("ledger.slice", pl.DataFrame(opened, schema=SLICE_OPENED, orient="row"))
    _set_statuses(store, source, standings)
    return changes


def _set_statuses(store: Store, source: str, standings: Sequence[_Standing]) -> None:
    """Loaded, superseded, withdrawn and held, of all deliveries of agencies; rows that say so already are not written."""
    taken = [candidate.delivery_id for standing in standings for candidate in standing.wanted.slices.values()]
    held = [(delivery_id, text) for standing in standings for delivery_id, text in standing.wanted.held.items()]
    frames = {
        "asked_agency": _named([standing.agency for standing in standings]),
        "taken_delivery": pl.DataFrame({"delivery_id": sorted(set(taken))}, schema={"delivery_id": pl.String}),
        "held_delivery": pl.DataFrame(
            [(delivery_id, json.dumps([{"code": "held", "text": text}], ensure_ascii=False)) for delivery_id, text in held],
            schema={"delivery_id": pl.String, "why": pl.String},
            orient="row",
        ),
    }
    with ExitStack() as stack:
        for name, frame in frames.items():
            stack.enter_context(store.relation(name, frame))
        store.con.execute(
            "UPDATE ledger.delivery d SET status = n.status, is_held = n.is_held, reasons = n.reasons FROM ("
            "  SELECT delivery_id, CASE WHEN NOT is_active THEN 'withdrawn' WHEN batch_id IS NULL THEN status "
            "    WHEN h.why IS NOT NULL OR t.delivery_id IS NOT NULL THEN 'loaded' ELSE 'superseded' END AS status, "
            "    h.why IS NOT NULL AS is_held, coalesce(h.why, CASE WHEN o.is_held THEN '[]' ELSE o.reasons END) AS reasons "
            "  FROM ledger.delivery o SEMI JOIN asked_agency USING (agency) LEFT JOIN held_delivery h USING (delivery_id) "
            "  LEFT JOIN taken_delivery t USING (delivery_id) WHERE source = ?) n "
            "WHERE d.delivery_id = n.delivery_id AND (d.status, d.is_held, d.reasons) IS DISTINCT FROM (n.status, n.is_held, n.reasons)",
            [source],
        )


def set_keyed_statuses(store: Store, source: str) -> None:
    """Withdrawn deliveries of a keyed source; the newest version per key is the measures' business."""
    store.con.execute(
        "UPDATE ledger.delivery SET status = CASE WHEN NOT is_active THEN 'withdrawn' "
        "WHEN batch_id IS NOT NULL THEN 'loaded' ELSE status END "
        "WHERE source = ? AND status <> CASE WHEN is_active THEN 'loaded' ELSE 'withdrawn' END",
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


def live_files(store: Store, source: str | None = None) -> list[dict[str, Any]]:
    """Lake files (of a source, None: of all) that measures may be made from: batch_id, source, table_name, path, rows_n, size_bytes,
    sha256 (None where they were not kept) and the active deliveries whose rows they hold."""
    return store.rows(
        "SELECT f.batch_id, f.source, f.table_name, f.path, f.rows_n, f.size_bytes, f.sha256, "
        "list(d.delivery_id ORDER BY d.delivery_id) AS deliveries FROM ledger.batch_file f JOIN ledger.delivery d "
        "ON d.batch_id = f.batch_id WHERE d.is_active AND f.source = coalesce(?, f.source) GROUP BY ALL ORDER BY f.path",
        [source],
    )


def tell_lost(store: Store, delivery_ids: Iterable[str], reason: Reason) -> None:
    """Give deliveries whose rows are lost the reason; what was computed from them stands."""
    text = json.dumps([reason.__dict__], ensure_ascii=False)
    for identity in delivery_ids:
        store.con.execute("UPDATE ledger.delivery SET reasons = ? WHERE delivery_id = ? AND NOT is_held", [text, identity])


def give_up(store: Store, batch_ids: Iterable[str]) -> None:
    """Take deliveries whose rows are lost and would have to be measured out of force, as if they had never been loaded. Their
    reason has been told; the same bytes received again bring them back."""
    for batch_id in batch_ids:
        store.con.execute("UPDATE ledger.delivery SET status = 'refused', batch_id = NULL WHERE batch_id = ?", [batch_id])


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


def agencies_of(store: Store, source: str) -> set[str]:
    """Agencies that have delivered a source."""
    return {row["agency"] for row in store.rows("SELECT DISTINCT agency FROM ledger.delivery WHERE source = ?", [source])}


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


def states(store: Store) -> dict[str, str]:
    """Every remembered word of the warehouse."""
    return {row["key"]: row["value"] for row in store.rows("SELECT key, value FROM ledger.state")}


def mark_of(basis: str) -> str:
    """What is remembered of what something was made with."""
    return hashlib.sha256(basis.encode()).hexdigest()


def differs(store: Store, key: str, basis: str) -> bool:
    """Whether what something was made with is another than when this was last asked; remembers it (its mark)."""
    mark = mark_of(basis)
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
