"""Until when the deliveries in force of each source and agency were produced, and how far that reached when last computed."""

from __future__ import annotations

import json

import polars as pl

from warehouse import ledger
from warehouse.store import Store

STATE = "reach"
KEY = ["source", "agency"]


def newest(store: Store) -> pl.DataFrame:
    """source, agency, produced_at (UTC) of the newest delivery in force."""
    return store.frame(
        "SELECT source, agency, max(produced_at) AS produced_at FROM ledger.delivery "
        "WHERE is_active AND batch_id IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).with_columns(pl.col("produced_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))


def remember(store: Store, reach: pl.DataFrame) -> pl.DataFrame:
    """Keep `reach` (source, agency, reaches) and return source, month of the months that it has come to hold, or holds no more."""
    former = pl.DataFrame(
        json.loads(ledger.state(store, STATE) or "[]"), schema=dict.fromkeys(reach.columns, pl.String), orient="row"
    )
    ledger.set_state(store, STATE, json.dumps(reach.with_columns(pl.col("reaches").cast(pl.String)).sort(KEY).rows()))
    ends = reach.join(former.with_columns(was=pl.col("reaches").str.to_date()).drop("reaches"), on=KEY)
    moved = ends.filter(pl.col("was") != pl.col("reaches")).select(
        "source",
        low=pl.min_horizontal("was", "reaches").dt.offset_by("1mo"),
        high=pl.max_horizontal("was", "reaches"),
    )
    return moved.select("source", month=pl.date_ranges("low", "high", interval="1mo")).explode("month").unique().sort(pl.all())
