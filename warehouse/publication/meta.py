"""What the published file says of itself: schema `meta`, taken from the ledger."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from schemas.file_names import told_name
from warehouse.publication.generations import STORAGE_VERSION, PublishedTable
from warehouse.store import Store

DELIVERY = {
    "delivery_id": "Delivery: stands for source, agency and sha256 of the file.",
    "source": "Kind of data.",
    "agency": "Who delivered.",
    "file_name": "Name of the file: the parts that are known, and a hash for each of the others; whole in the deliverer's receipt.",
    "sha256": "SHA-256 of the file's bytes.",
    "size_bytes": "Size of the file.",
    "produced_at": "When the delivery was produced (UTC): manifest, else file name, else receipt.",
    "received_at": "When it was first received (UTC).",
    "receipts_n": "How often the same bytes were received.",
    "status": "received, loaded, refused, superseded, withdrawn.",
    "is_held": "Held by the shrink guard until released.",
    "reasons": "Why it was refused or held, as JSON: codes with row and column; the receipt says the rest to who delivered.",
    "rows_read": "Rows read.",
    "rows_accepted": "Rows accepted.",
    "rows_set_aside": "Rows set aside: grand totals, blank lines.",
    "rows_quarantined": "Rows in quarantine: they broke a rule.",
}

QUALITY = {
    "delivery_id": "Delivery checked.",
    "table_name": "Table of the contract.",
    "rule": "Rule or structural check.",
    "expectation": "What was expected.",
    "severity": "fail: breaks refuse rows or the delivery; warn: counted.",
    "rows_checked": "Rows checked.",
    "rows_failed": "Rows that broke the rule.",
    "limit_share": "Largest share of rows that may break it; null: no limit.",
    "is_success": "Within the limit.",
}

QUARANTINE = {
    "source": "Kind of data.",
    "agency": "Who delivered.",
    "delivery_id": "Delivery.",
    "table_name": "Table of the contract.",
    "rule": "Rule broken.",
    "severity": "fail: the row is in quarantine; warn: loaded and counted.",
    "rows_n": "Rows that broke the rule.",
}

PUBLICATION = {
    "publication_no": "Number of the publication.",
    "published_at": "When it was built (UTC).",
    "as_of": "Day it was computed for, in Helsinki.",
    "fingerprint": "Hash of all current figures without revision numbers and times.",
    "cells_n": "Figures in force.",
    "cells_changed": "Figures new or changed against the former publication.",
    "storage_version": "DuckDB storage format of this file.",
    "product_version": "Version of nyckeltal that built it.",
}


_REASONS = (
    'to_json(from_json(coalesce(d.reasons, \'[]\'), \'[{"code": "VARCHAR", "row": "BIGINT", "column": "VARCHAR"}]\'))::VARCHAR'
)
"""Texts and values of reasons may quote what was delivered."""


def tables(
    store: Store,
    number: int,
    at: datetime,
    as_of: date,
    fingerprint: str,
    counts: tuple[int, int],
    version: str,
) -> list[PublishedTable]:
    """The meta tables as of the load that this publication rests on; `counts` are the figures in force and changed."""
    deliveries = store.frame(
        "SELECT d.delivery_id, d.source, d.agency, d.file_name, d.sha256, d.size_bytes, d.produced_at, d.received_at, "
        f"d.receipts_n, d.status, d.is_held, {_REASONS} AS reasons, coalesce(sum(c.rows_read), 0)::BIGINT AS rows_read, "
        "coalesce(sum(c.rows_accepted), 0)::BIGINT AS rows_accepted, "
        "coalesce(sum(c.rows_set_aside), 0)::BIGINT AS rows_set_aside, "
        "coalesce(sum(c.rows_quarantined), 0)::BIGINT AS rows_quarantined FROM ledger.delivery d "
        "LEFT JOIN ledger.table_count c USING (delivery_id) GROUP BY ALL ORDER BY d.source, d.agency, d.delivery_id"
    )
    names = [told_name(*row) for row in deliveries.select("file_name", "agency", "source").iter_rows()]
    deliveries = deliveries.with_columns(file_name=pl.Series(names, dtype=pl.String))
    quality = store.frame(
        "SELECT delivery_id, table_name, rule, expectation, severity, rows_checked, rows_failed, limit_share, is_success "
        "FROM ledger.validation QUALIFY row_number() OVER (PARTITION BY delivery_id, table_name, rule ORDER BY run_id DESC) = 1 "
        "ORDER BY ALL"
    )
    quarantine = store.frame(
        "SELECT d.source, d.agency, q.delivery_id, q.table_name, q.rule, q.severity, q.rows_n FROM ledger.rule_count q "
        "JOIN ledger.delivery d USING (delivery_id) ORDER BY ALL"
    )
    publication = pl.DataFrame(
        [(number, at.replace(tzinfo=None), as_of, fingerprint, *counts, STORAGE_VERSION, version)],
        schema={
            "publication_no": pl.Int32,
            "published_at": pl.Datetime("us"),
            "as_of": pl.Date,
            "fingerprint": pl.String,
            "cells_n": pl.Int64,
            "cells_changed": pl.Int64,
            "storage_version": pl.String,
            "product_version": pl.String,
        },
        orient="row",
    )
    return [
        PublishedTable("meta", "delivery", "Every delivery and what became of it.", DELIVERY, deliveries, ("delivery_id",)),
        PublishedTable("meta", "quality_result", "Newest quality result per delivery, table and rule.", QUALITY, quality),
        PublishedTable("meta", "quarantine_summary", "Rows that broke rules, counted; no values.", QUARANTINE, quarantine),
        PublishedTable("meta", "publication", "This publication; one row.", PUBLICATION, publication, ("publication_no",)),
    ]
