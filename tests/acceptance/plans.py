"""A plan beside the night it speaks of: what tests of `nyckeltal plan` share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from flows import pipeline, planning
from flows.planning import Plan
from schemas.key_figure import KEY_FIGURE
from tests.acceptance import support
from warehouse.figures import SETTLED
from warehouse.revisions import CELL

KEY = list(CELL)


def traces(home: Path) -> dict[str, tuple[Any, ...]]:
    """Everything below a home: kind, rights, time and content."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in [home, *sorted(home.rglob("*"))]:
        state = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(home))] = (state.st_mode, state.st_mtime_ns, state.st_size, content)
    return found


def told(home: Path) -> pl.DataFrame:
    """The figures of the open file in force, without what follows from the whole of them."""
    names = ", ".join(f'"{name}"' for name in SETTLED)
    if not (home / "published" / "nyckeltal.duckdb").exists():
        return pl.DataFrame(schema={name: KEY_FIGURE.polars_schema()[name] for name in SETTLED})
    return support.published(home, f"SELECT {names} FROM mart.key_figure")


def changed(former: pl.DataFrame, now: pl.DataFrame, withheld: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """CELL, kind of change, both statuses and both values, by comparing two published files row by row."""

    def rows(frame: pl.DataFrame, other: pl.DataFrame) -> dict[tuple[Any, ...], dict[str, Any]]:
        differing = frame.join(other, on=frame.columns, how="anti", nulls_equal=True)
        return {tuple(row[name] for name in KEY): row for row in differing.iter_rows(named=True)}

    before, after = rows(former, now), rows(now, former)
    found = set()
    for key in before.keys() | after.keys():
        old, new = before.get(key, {}), after.get(key, {})
        statuses, values = (old.get("status"), new.get("status")), (old.get("value"), new.get("value"))
        if key in withheld and statuses[0] == statuses[1]:
            continue
        if key in withheld:
            values = (None, None)
        if not old or not new:
            kind = "closed" if old else "new"
        else:
            kind = "value" if values[0] != values[1] else "status" if statuses[0] != statuses[1] else "other"
        found.add((*key, kind, *statuses, *values))
    return found


def withheld(home: Path) -> set[tuple[Any, ...]]:
    """Cells that any publication withheld, and those that are their owners' now."""
    names = ", ".join(KEY)
    sql = f"SELECT DISTINCT {names} FROM figure.history WHERE CASE WHEN is_restricted THEN valid_to_no IS NULL ELSE status = 'suppressed' END"
    return set(support.ledger(home, sql).iter_rows())


def revised(home: Path, number: int) -> set[tuple[Any, ...]]:
    """CELL, cause and difference of the revisions that a publication tells."""
    names = ", ".join([*KEY, "cause", "difference"])
    return set(support.published(home, f"SELECT {names} FROM mart.revision WHERE publication_no = ?", [number]).iter_rows())


def assert_night_does_what_plan_says(home: Path, as_of: date, **changes: Any) -> Plan:
    """Plan, then the night: the same deliveries, cells, values and causes; and the home untouched by planning."""
    settings = support.settings(home, as_of=as_of, **changes)
    untouched = traces(home)
    plan = planning.plan(settings)
    assert traces(home) == untouched
    former = told(home)
    run = pipeline.nightly(settings)
    number = run.published.publication_no if run.published and run.published.is_new else None
    assert plan.publication_no == number
    columns = [*KEY, "change", "status_before", "status", "value_before", "value"]
    assert set(plan.cells.select(columns).iter_rows()) == changed(former, told(home), withheld(home))
    if number:
        causes = set(plan.causes.select(*KEY, "cause", "difference").iter_rows())
        assert revised(home, number) <= causes
        _assert_never_final(home, number, causes - revised(home, number))
    assert _planned(plan) == set(_done(home, run))
    assert plan.does_something == bool(number or any(row["outcome"] != planning.WAITS for row in plan.deliveries))
    return plan


def _assert_never_final(home: Path, number: int, causes: set[tuple[Any, ...]]) -> None:
    """What a plan tells beyond the revisions is of cells that were published and never final."""
    sql = f"SELECT DISTINCT {', '.join(KEY)} FROM figure.history WHERE status = 'final' AND valid_from_no < {number} AND NOT is_restricted"
    final = set(support.ledger(home, sql).iter_rows())
    assert not {row[: len(KEY)] for row in causes} & final


def _planned(plan: Plan) -> set[tuple[Any, ...]]:
    return {
        (row["delivery_id"] or row["file"], row["outcome"], tuple(row["reasons"]))
        for row in plan.deliveries
        if row["outcome"] != "superseded"
    }


def _done(home: Path, run: pipeline.Run) -> Iterator[tuple[Any, ...]]:
    """What became of what a run moved, superseded deliveries left out: they are told by what supersedes them."""
    for item in run.received:
        if item.landed is None:
            yield item.name, "refused", tuple(reason.text for reason in item.reasons)
    sql = (
        "SELECT delivery_id, CASE WHEN is_held THEN 'held' ELSE status END, "
        "list_distinct(from_json(reasons, '[{\"text\": \"VARCHAR\"}]').list_transform(lambda r: r.text)) "
        "FROM ledger.delivery WHERE list_contains(?, delivery_id) AND status <> 'superseded'"
    )
    for delivery_id, status, reasons in support.ledger(home, sql, [run.ingested.changed]).iter_rows():
        yield delivery_id, status, tuple(reasons or ())
