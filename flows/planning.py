"""Planning: what the next night would do, by letting it do all but publish, over a home that is only read (warehouse/overlay)."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows import pipeline, rebuilding, receiving
from flows.preparing import Progress, silent
from flows.publishing import next_number
from flows.refreshing import revise
from flows.settings import Settings
from schemas.errors import ConfigurationError, Damage
from schemas.reference import Reference
from warehouse import landing, planned, store
from warehouse.home import Home
from warehouse.overlay import overlay
from warehouse.planned import CLOSED, NEW, OTHER, STATUS, VALUE
from warehouse.publication import condition
from warehouse.revisions import CELL
from warehouse.validation import warming_up

LEFT, WAITS = ("file_not_permitted", "file_not_taken"), "left"
"""Reasons with which a file stays in the inbox, and how that is told: the night does nothing about it but try."""
DAY = "day"
"""The cause of a change that no cause of a revision explains: the day that figures are computed for has moved on."""
COUNTED = {"new": NEW, "closed": CLOSED, "value_changed": VALUE, "status_changed": STATUS, "otherwise_changed": OTHER}


@dataclass(frozen=True)
class Plan:
    """What a night would do. `publication_no` is None where it would publish nothing; `deliveries` are those whose standing would
    change and the files that would be refused, `cells` planned.cells with `cause` and `difference`, `causes` planned.causes,
    `names` the levels' (level, level_id, name_*)."""

    as_of: date
    publication_no: int | None
    names: pl.DataFrame
    cells: pl.DataFrame
    causes: pl.DataFrame
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    damaged: list[dict[str, Any]] = field(default_factory=list)
    """file, wrong, cure: what the night would find damaged, and heal where it can."""

    @property
    def does_something(self) -> bool:
        is_moved = any(row["outcome"] != WAITS for row in self.deliveries)
        return self.publication_no is not None or is_moved or bool(self.damaged)


def plan(
    settings: Settings,
    registry: Path | None = None,
    scratch: Path | None = None,
    progress: Progress = silent,
    at: datetime | None = None,
) -> Plan:
    """What `nightly` would do now, with the registers of `registry` (None: the home's own); `scratch` is where the scratch goes.

    Nothing is changed in the home, which this user need only be able to read. Raises what the night would raise, and Busy,
    ConfigurationError as warehouse.overlay does.
    """
    moment = at or landing.now()
    with overlay(settings.home.resolve(), registry, scratch, settings.wait_seconds) as home:
        reference = _reference(home, registry)
        swept = receiving.sweep_inbox(home, reference, moment, settings.settle_seconds, settings.limits(), meanwhile=warming_up)
        received = list(swept) if home.inbox.is_dir() else []
        rebuilding.put_back(home, reference, moment, settings.wait_seconds, settings.memory_mb)
        with store.writing(home, memory_mb=settings.memory_mb) as warehouse:
            before = planned.standings(warehouse)
            ingested = pipeline.take_in(warehouse, settings, reference, "plan", moment, progress)
            row, names = revise(warehouse, reference, settings.today(), moment)
            number = next_number(warehouse)
            causes = planned.causes(warehouse, number)
            return Plan(
                as_of=settings.today(),
                publication_no=number if row else None,
                names=names.labels,
                cells=_with_causes(planned.cells(warehouse, number), causes),
                causes=causes,
                deliveries=_deliveries(before, planned.standings(warehouse), ingested.changed, received),
                damaged=[
                    {"file": item.path, "wrong": item.text, "cure": item.cure}
                    for item in (*ingested.damaged, *_damaged_publication(warehouse))
                ],
            )


def _damaged_publication(warehouse: store.Store) -> list[Damage]:
    """What the night would put back of what is published; of files for owners only where this user may look at them."""
    base = warehouse.home.base
    may_look = base is None or not (base / "published" / "restricted").exists() or os.access(base / "published" / "restricted", os.R_OK)
    return [item for item in condition.of_published(warehouse) if may_look or not item.path.startswith("published/restricted/")]


def _reference(home: Home, registry: Path | None) -> Reference:
    try:
        return pipeline.reference_of(home)
    except ConfigurationError as error:
        if registry is None:
            raise
        raise ConfigurationError(str(error).replace("HOME/registry", str(registry))) from error


def _deliveries(
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    moved: Collection[str],
    received: Sequence[receiving.Received],
) -> list[dict[str, Any]]:
    """file, delivery_id, agency, source, outcome, was (None: not known yet), reasons and rows by outcome: of the files that are
    refused at the door, and of the deliveries that a run moves or that stand otherwise after it."""
    files = {item.landed.delivery_id: item.name for item in received if item.landed}
    counts = ("rows_read", "rows_accepted", "rows_quarantined")
    rows: list[dict[str, Any]] = [
        {
            "file": item.name,
            "delivery_id": None,
            "agency": None,
            "source": None,
            "outcome": WAITS if any(reason.code in LEFT for reason in item.reasons) else "refused",
            "was": None,
            "reasons": [reason.text for reason in item.reasons],
            **dict.fromkeys(counts),
        }
        for item in received
        if item.landed is None
    ]
    for delivery_id, row in after.items():
        was = before[delivery_id]["status"] if delivery_id in before else None
        if row["status"] != was or delivery_id in moved:
            rows.append(
                {"file": files.get(delivery_id, row["file_name"]), "delivery_id": delivery_id, "outcome": row["status"], "was": was}
                | {name: row[name] for name in ("agency", "source", "reasons", *counts)}
            )
    return rows


def _with_causes(cells: pl.DataFrame, causes: pl.DataFrame) -> pl.DataFrame:
    """Cells with `difference` and the names of the causes that made it, in their order."""
    key = list(CELL)
    told = causes.group_by(key, maintain_order=True).agg(cause=pl.col("cause").str.join(", "))
    has_value = pl.col("change") == VALUE
    return cells.join(told, on=key, how="left").with_columns(
        cause=pl.when(has_value).then(pl.col("cause").fill_null(DAY)),
        difference=pl.when(has_value).then(pl.col("value") - pl.col("value_before")),
    )


def summary(found: Plan, limit: int) -> dict[str, Any]:
    """A plan for machines and for tables: counts by cause, by change of status, by figure and level; and the `limit` largest changes,
    of each figure and level its largest, by how large they are beside the value."""
    cells = found.cells
    counts = {name: pl.col("change").eq(change).sum() for name, change in COUNTED.items()}
    changed = cells.filter(pl.col("change") == VALUE)
    parts = pl.concat(
        [
            found.causes.filter(pl.col("difference").is_null() | (pl.col("difference") != 0)).select("figure_id", "cause"),
            changed.filter(pl.col("cause") == DAY).select("figure_id", "cause"),
        ]
    )
    statuses = cells.filter(pl.col("change").is_in([VALUE, STATUS]), pl.col("status") != pl.col("status_before"))
    return {
        "as_of": found.as_of,
        "does_something": found.does_something,
        "publication_no": found.publication_no,
        "deliveries": found.deliveries,
        "damaged": found.damaged,
        "cells": cells.select(**counts).row(0, named=True),
        "causes": _counted(parts, ["cause"], figures=pl.col("figure_id").n_unique()),
        "statuses": _counted(statuses, ["status_before", "status"]),
        "figures": cells.group_by("figure_id", "level").agg(**counts).sort("figure_id", "level").to_dicts(),
        "largest": _largest(changed, found.names, limit),
    }


def _counted(rows: pl.DataFrame, key: list[str], **further: pl.Expr) -> list[dict[str, Any]]:
    return rows.group_by(key).agg(cells=pl.len(), **further).sort("cells", *key, descending=[True, *(False for _ in key)]).to_dicts()


def _largest(changed: pl.DataFrame, names: pl.DataFrame, limit: int) -> list[dict[str, Any]]:
    """Of each figure and level the cell whose value changes most; those first that change most beside the larger of both values (one
    that comes or goes by the whole)."""
    size = pl.col("difference").abs().cast(pl.Float64)
    beside = pl.max_horizontal(pl.col("value_before").abs(), pl.col("value").abs()).cast(pl.Float64)
    rows = (
        changed.with_columns(size=size, share=(size / beside).fill_null(1.0), cells=pl.len().over("figure_id", "level"))
        .sort("size", *CELL, descending=[True, *(False for _ in CELL)], nulls_last=True)
        .unique(["figure_id", "level"], keep="first", maintain_order=True)
        .sort("share", "figure_id", "level", descending=[True, False, False])
        .head(limit)
        .join(names.select("level", "level_id", who="name_en"), on=["level", "level_id"], how="left", maintain_order="left")
    )
    return rows.select(*CELL, "who", "unit", "value_before", "value", "difference", "cause", "status", "cells").to_dicts()
