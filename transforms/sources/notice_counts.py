"""Conservation counts of notices: what was read is accepted or quarantined, row by row and cent by cent."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.procurement_notices import CONTRACT
from transforms.delivery import COUNT_SCHEMA

Frames = Mapping[str, pl.DataFrame]

MONEY: Mapping[str, str] = {
    "notice": "total_value_cents",
    "procedure": "estimated_value_cents",
    "lot": "estimated_value_cents",
    "lot_result": "award_value_cents",
    "tender": "value_cents",
    "contract": "value_cents",
}
"""The money column whose cents are conserved, per table."""


def counts_of(frames: Frames, accepted: Frames, unread: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Rows and cents per delivery and table. A document that could not be read counts as one notice. Amounts that could not
    be read are counted with the notice."""
    owners = frames["notice"].select("notice_no", pl.col("delivery_id").alias("owner"))
    deliveries = pl.concat([owners["owner"], unread["delivery_id"]]).unique(maintain_order=True)
    amounts = found.filter((pl.col("rule") == "value_unreadable") & pl.col("column_name").str.ends_with("_cents"))
    rows: list[pl.DataFrame] = []
    for table in CONTRACT.tables:
        read = _sums(frames[table.name], owners, MONEY.get(table.name), "read")
        taken = _sums(accepted[table.name], owners, MONEY.get(table.name), "accepted")
        both = deliveries.to_frame("owner").join(read, on="owner", how="left").join(taken, on="owner", how="left")
        both = both.with_columns(pl.lit(table.name).alias("table_name"), pl.lit(0).alias("lost"), pl.lit(0).alias("unreadable"))
        if table.name == "notice":
            lost = unread.group_by(pl.col("delivery_id").alias("owner")).len("lost")
            unreadable = amounts.join(owners, on="notice_no").group_by("owner").len("unreadable")
            both = both.drop("lost", "unreadable").join(lost, on="owner", how="left").join(unreadable, on="owner", how="left")
        rows.append(both)
    every = pl.concat(
        [frame.select(sorted(frame.columns)).with_columns(pl.col(pl.UInt32).cast(pl.Int64)) for frame in map(_whole, rows)]
    )
    return every.select(
        pl.col("owner").alias("delivery_id"),
        "table_name",
        (pl.col("rows_read") + pl.col("lost")).alias("rows_read"),
        "rows_accepted",
        pl.lit(0, pl.Int64).alias("rows_set_aside"),
        (pl.col("rows_read") + pl.col("lost") - pl.col("rows_accepted")).alias("rows_quarantined"),
        "cents_read",
        "cents_accepted",
        pl.lit(0, pl.Int64).alias("cents_set_aside"),
        (pl.col("cents_read") - pl.col("cents_accepted")).alias("cents_quarantined"),
        pl.col("unreadable").alias("amounts_unreadable"),
    ).cast(COUNT_SCHEMA)


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    numbers = [name for name in frame.columns if name not in ("owner", "table_name")]
    return frame.with_columns(pl.col(numbers).cast(pl.Int64).fill_null(0))


def _sums(frame: pl.DataFrame, owners: pl.DataFrame, money: str | None, kind: str) -> pl.DataFrame:
    cents = pl.col(money).sum() if money else pl.lit(0, pl.Int64)
    return (
        frame.join(owners, on="notice_no", how="inner")
        .group_by("owner", maintain_order=True)
        .agg(pl.len().alias(f"rows_{kind}"), cents.alias(f"cents_{kind}"))
    )
