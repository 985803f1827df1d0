"""What a publication changes in what is told, cell by cell: what `plan` shows before there is one."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from warehouse import revisions
from warehouse.revisions import CELL
from warehouse.store import Store

NEW, CLOSED, VALUE, STATUS, OTHER = "new", "closed", "value", "status", "other"
"""How a cell changes: it is new, it is closed, its value is another, only its status is (or its reason, light, coverage ...)."""


def cells(store: Store, publication_no: int) -> pl.DataFrame:
    """CELL, change, status_before, status, unit, value_before, value of the cells of the open file that a publication changes.

    Of a cell that any publication withheld, or that is its owner's only, no value is told and no change of it (METHOD 5); that its
    status is another, that it comes or goes, the published file tells too.
    """
    key = ", ".join(f'"{name}"' for name in CELL)
    return store.frame(
        f"""
        WITH opened AS (SELECT {key}, status, value, unit, true AS is_there FROM figure.history
            WHERE valid_from_no = $1 AND valid_to_no IS NULL AND NOT is_restricted),
        closed AS (SELECT {key}, status AS status_before, value AS value_before, unit AS unit_before, true AS was_there FROM figure.history
            WHERE valid_to_no = $1 AND valid_from_no < $1 AND NOT is_restricted),
        withheld AS (SELECT *, true AS is_withheld FROM ({revisions.WITHHELD}))
        SELECT {key}, CASE WHEN was_there IS NULL THEN '{NEW}' WHEN is_there IS NULL THEN '{CLOSED}'
                WHEN is_withheld IS NULL AND value IS DISTINCT FROM value_before THEN '{VALUE}'
                WHEN status <> status_before THEN '{STATUS}' ELSE '{OTHER}' END AS change,
            status_before, status, coalesce(unit, unit_before) AS unit,
            CASE WHEN is_withheld IS NULL THEN value_before END AS value_before, CASE WHEN is_withheld IS NULL THEN value END AS value
        FROM opened FULL JOIN closed USING ({key}) LEFT JOIN withheld USING ({key})
        WHERE is_withheld IS NULL OR status IS DISTINCT FROM status_before
        ORDER BY {key}
        """,
        [publication_no],
    )


def causes(store: Store, publication_no: int) -> pl.DataFrame:
    """revisions.PARTS without what is withheld: what made the values of cells that were published before others."""
    with store.relation("part", revisions.parts(store, publication_no, is_final=False)):
        return store.frame(f"SELECT * FROM part ANTI JOIN ({revisions.WITHHELD}) USING ({', '.join(CELL)})")


def standings(store: Store) -> dict[str, dict[str, Any]]:
    """Every delivery in the ledger and how it stands: agency, source, file_name, status, reasons (texts), rows_read, rows_accepted,
    rows_quarantined, journal_n and batch_id."""
    rows = store.rows(
        "SELECT d.delivery_id, d.agency, d.source, d.file_name, CASE WHEN d.is_held THEN 'held' ELSE d.status END AS status, "
        "d.reasons, d.journal_n, d.batch_id, sum(c.rows_read)::BIGINT AS rows_read, sum(c.rows_accepted)::BIGINT AS rows_accepted, "
        "sum(c.rows_quarantined)::BIGINT AS rows_quarantined "
        "FROM ledger.delivery d LEFT JOIN ledger.table_count c USING (delivery_id) GROUP BY ALL ORDER BY d.source, d.agency, d.file_name"
    )
    for row in rows:
        row["reasons"] = list(dict.fromkeys(reason["text"] for reason in json.loads(row["reasons"] or "[]")))
    return {row["delivery_id"]: row for row in rows}
