"""What the command line shows: deliveries, quarantine, the state of the installation, a dry run for an agency."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.settings import Settings
from schemas.errors import Busy, Damaged, UsageError
from warehouse import figures, store
from warehouse.home import Home
from warehouse.publication import reader

STATUS_TABLE = (
    "delivery_id",
    "agency",
    "source",
    "file_name",
    "status",
    "is_held",
    "rows_read",
    "rows_accepted",
    "rows_quarantined",
    "why",
)
QUARANTINE_TABLE = ("delivery_id", "table_name", "source_line", "column_name", "rule", "severity", "value")
NUMBERS = {"value", "target", "coverage", "rows_read", "rows_accepted", "rows_quarantined", "source_line"}
KNOWN_GOOD = {
    "duckdb": ((1, 5, 5), (2,)),
    "polars": ((2, 1), (3,)),
    "great-expectations": ((1, 24), (2,)),
    "sqlalchemy": ((2, 0, 43), (2, 1)),
    "prefect": ((3, 8, 8), (3, 10)),
    "fastapi": ((0, 139), (0, 151)),
}
"""Versions between which (inclusive, exclusive) the product was measured to work."""
LOW_DISK = 2 * 1024**3
STALE_DAYS = 2


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`: severity ok, warn or fail."""

    severity: str
    what: str
    text: str


GLANCE_SECONDS = 1.0
"""How long `doctor` waits for a run that writes: it says so instead."""


def status(settings: Settings, wait_seconds: float = 30) -> list[dict[str, Any]]:
    """Every landed delivery: as the ledger knows it, or `received` when no run has taken it yet; then what was refused at the door.

    Raises Busy when a run writes for longer than `wait_seconds`."""
    from warehouse.landing import Landing
    from warehouse.refused import at_the_door
    from warehouse.store import reading

    home = Home(settings.home.resolve())
    rows: dict[str, dict[str, Any]] = {}
    empty = dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined"))
    with reading(home, wait_seconds, settings.memory_mb) as warehouse:
        if warehouse:
            sql = (
                "SELECT d.delivery_id, d.agency, d.source, d.file_name, d.status, d.is_held, d.journal_n, d.produced_at, d.received_at, "
                "sum(c.rows_read)::BIGINT AS rows_read, sum(c.rows_accepted)::BIGINT AS rows_accepted, "
                "sum(c.rows_quarantined)::BIGINT AS rows_quarantined, "
                "array_to_string(list_distinct(from_json(any_value(d.reasons), '[{\"text\": \"VARCHAR\"}]').list_transform(lambda r: r.text)), '; ') "
                "AS why FROM ledger.delivery d LEFT JOIN ledger.table_count c USING (delivery_id) GROUP BY ALL ORDER BY d.source, d.agency, d.file_name"
            )
            rows = {row["delivery_id"]: row for row in warehouse.rows(sql)}
    for item in Landing(home).all():
        row = rows.get(item.delivery_id)
        if row is None:
            rows[item.delivery_id] = {
                "delivery_id": item.delivery_id,
                "agency": item.intent.agency,
                "source": item.intent.source,
                "file_name": item.intent.file_name,
                "status": "received",
                "is_held": False,
                **empty,
                "why": "waits for the next nightly",
            }
        elif row["journal_n"] != item.journal_n:
            row["why"] = "a command or receipt waits for the next nightly"
    names = ("delivery_id", "agency", "source", "file_name")
    for told in at_the_door(home):
        why = "; ".join(dict.fromkeys(reason["text"] for reason in told["reasons"]))
        rows[f"{told['delivery_id']}/{told['file_name']}"] = {
            **{name: told[name] for name in names},
            "status": "refused",
            "is_held": False,
            **empty,
            "why": why or "refused; its receipt is lost",
        }
    return list(rows.values())


def quarantine(settings: Settings, delivery: str | None, limit: int) -> list[dict[str, Any]]:
    """Quarantined rows, and rows with warnings, of deliveries whose id begins with `delivery`."""
    from warehouse.store import reading

    with reading(Home(settings.home.resolve()), memory_mb=settings.memory_mb) as warehouse:
        if warehouse is None:
            return []
        return warehouse.rows(
            "SELECT * FROM ledger.quarantine WHERE starts_with(delivery_id, ?) ORDER BY severity, delivery_id, table_name, source_line LIMIT ?",
            [delivery or "", limit],
        )


def fingerprint(settings: Settings) -> str:
    """Fingerprint of the figures in force before protection. Raises UsageError where nothing has been published yet."""
    with store.reading(Home(settings.home.resolve()), memory_mb=settings.memory_mb) as warehouse:
        if warehouse is None or not warehouse.scalar("SELECT count(*) FROM ledger.publication WHERE is_out"):
            raise UsageError(f"nothing is published in {settings.home.resolve()} yet; run `nyckeltal nightly` first")
        return figures.true_fingerprint(warehouse)


def check(settings: Settings, file: Path, agency: str | None, source: str | None, language: str) -> tuple[dict[str, Any], str]:
    """Receive and ingest `file` in a scratch home with the same registers; returns the receipts of all it holds, those refused at the
    door first, and their text."""
    from flows import pipeline
    from flows.ingesting import ingest
    from transforms.delivery import Context
    from warehouse import landing, refused, store
    from warehouse.publication import receipts

    registry = Home(settings.home.resolve()).registry
    with tempfile.TemporaryDirectory(prefix="nyckeltal-check-") as directory:
        scratch = settings.model_copy(update={"home": Path(directory)})
        if registry.is_dir():
            shutil.copytree(registry, Path(directory) / "registry")
        moment = landing.now()
        received = pipeline.receive(scratch, [file], agency, source, moment)
        home = pipeline.home_of(scratch)
        reference = pipeline.reference_of(home)
        contents = [
            refused.receipt_of("", item.name, agency or "", source or "", item.reasons, moment)
            for item in received
            if item.landed is None
        ]
        with store.writing(home, memory_mb=settings.memory_mb) as warehouse:
            ingested = ingest(warehouse, Context(reference, scratch.limits()), "check", moment)
            contents += receipts.receipts(warehouse, ingested.changed)
    if not contents:
        raise UsageError(f"{file} holds no file")
    status = "refused" if any(content["status"] == "refused" for content in contents) else "accepted"
    return {"status": status, "receipts": contents}, "\n".join(receipts.as_text(content, language) for content in contents)


def doctor(settings: Settings) -> list[Finding]:
    """Findings about the installation and the home directory."""
    home = Home(settings.home.resolve())
    findings = [_version(name) for name in KNOWN_GOOD]
    findings.append(_home(home))
    findings.append(_disk(home))
    findings.extend(_publication(home))
    findings.extend(_pending(settings))
    findings.append(_refused(home))
    return findings


def _version(name: str) -> Finding:
    text = importlib.metadata.version(name)
    numbers = tuple(int(part) for part in text.split(".")[:3] if part.isdigit())
    low, high = KNOWN_GOOD[name]
    good = low <= numbers < high
    return Finding(
        "ok" if good else "fail", name, text if good else f"{text} is outside the range this product was measured with"
    )


def _home(home: Home) -> Finding:
    if not home.landing.is_dir():
        return Finding("warn", "home", f"{home.root} is no home yet: `receive` or `nightly` makes it")
    writable = all(os.access(place, os.W_OK | os.X_OK) for place in (home.root, home.landing, home.published))
    return Finding("ok" if writable else "fail", "home", f"{home.root}" + ("" if writable else " cannot be written by this user"))


def _refused(home: Home) -> Finding:
    from warehouse.refused import REFUSED, at_the_door

    count = sum(1 for _ in at_the_door(home))
    text = f"{count} file{'' if count == 1 else 's'} at the door in {home.root / REFUSED}"
    return Finding("warn" if count else "ok", "refused", text + ("; `status` says why" if count else ""))


def _disk(home: Home) -> Finding:
    place = home.root if home.root.exists() else home.root.parent
    free = shutil.disk_usage(place).free
    return Finding("ok" if free > LOW_DISK else "warn", "disk", f"{free / 1024**3:.1f} GiB free at {place}")


def _publication(home: Home) -> list[Finding]:
    try:
        row = reader.query(home, "SELECT * FROM meta.publication")[0]
    except UsageError as error:
        return [Finding("warn", "publication", str(error))]
    except Damaged as error:
        return [Finding("fail", "publication", str(error))]
    age = datetime.now(UTC).replace(tzinfo=None) - row["published_at"]
    severity = "ok" if age < timedelta(days=STALE_DAYS) else "warn"
    return [
        Finding(
            severity,
            "publication",
            f"no {row['publication_no']} of {row['published_at']:%Y-%m-%d %H:%M} UTC, {row['cells_n']} figures",
        )
    ]


def _pending(settings: Settings) -> list[Finding]:
    try:
        waiting = [row for row in status(settings, GLANCE_SECONDS) if row["status"] == "received"]
    except Busy:
        return []  # `lock` says so
    except Damaged:
        return []  # `damage` says so
    return [Finding("ok" if not waiting else "warn", "landing", f"{len(waiting)} deliveries wait for the next nightly")]


def cell(name: str, value: Any) -> str:
    """A value as people read it in a terminal table."""
    if value is None:
        return "-"
    if name == "coverage":
        return f"{value * 100:.1f} %"
    if isinstance(value, Decimal):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def escaped(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay as they are."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return "'" + value
    return value
