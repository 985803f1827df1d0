"""Deliveries in force, or set apart because they ended their reader, that were read by other code than the present one.

Told by `doctor`, read again by `backfill --outdated`, and by no night of itself, since originals may be gone.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

from flows import code_marks
from flows.reporting import GLANCE_SECONDS, Finding
from schemas.errors import Busy, Damaged
from warehouse import ledger, store
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.store import Store


def outdated(warehouse: Store) -> list[dict[str, Any]]:
    """source, delivery_id, file_name, read_with (None: nobody knows what read it) of the deliveries in force that are to be read again."""
    marks = code_marks.of(warehouse, keeps=False).reading
    return [row for row in ledger.readings(warehouse) if row["read_with"] != marks.get(row["source"])]


def findings(home: Home) -> list[Finding]:
    """Per source with such deliveries, how many they are; one that all is well where there are none."""
    try:
        with store.reading(home, GLANCE_SECONDS) as warehouse:
            rows = outdated(warehouse) if warehouse else []
    except Busy:
        return []  # `lock` says so
    except Damaged:
        return []  # `damage` says so
    there = {item.delivery_id for item in Landing(home).all() if item.file.is_file()} if rows else set()
    found = [_finding(source, list(of_source), there) for source, of_source in groupby(rows, itemgetter("source"))]
    return found or [Finding("ok", "reading", "every delivery in force was read by the present code")]


def _finding(source: str, rows: list[dict[str, Any]], there: set[str]) -> Finding:
    unknown = sum(row["read_with"] is None for row in rows)
    gone = sum(row["delivery_id"] not in there for row in rows)
    text = f"{source}: {len(rows)} deliveries in force were not read by the present code"
    text += f", {unknown} of them by nobody knows which (loaded before that was remembered)" if unknown else ""
    text += f"; {gone} stay so: their originals are gone by the rules of retention" if gone else ""
    if gone == len(rows):
        return Finding("ok", "reading", text)
    return Finding("warn", "reading", f"{text}; `nyckeltal backfill --outdated --source {source}` reads {len(rows) - gone} again")
