"""Notices that arrive delivery by delivery, in any order, are measured as if they had come together."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from tests.unit.transforms.notice_random import random_notices
from transforms.measures.procurement_notices import MEASURES, measure
from warehouse import measures
from warehouse.home import Home
from warehouse.store import Store, writing

SOURCE = CONTRACT.source
DELIVERIES = ("d1", "d2", "d9")
REFERENCE = Reference.load()


def notices() -> dict[str, pl.DataFrame]:
    """Three deliveries; the older versions (d9) name another procedure than the newest, planning notices name none."""
    tables = random_notices(7, 40)
    other = pl.when(pl.col("delivery_id") == "d9").then(pl.lit("P0003")).otherwise("procedure_id").alias("procedure_id")
    return {name: frame.with_columns(other) if name == "notice" else frame for name, frame in tables.items()}


def arrive(store: Store, tables: dict[str, pl.DataFrame], delivery: str) -> None:
    """One delivery's accepted rows into the lake and the ledger, then its procedures measured."""
    for name, frame in tables.items():
        path = store.home.lake / f"{name}-{delivery}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        own = frame.filter(pl.col("delivery_id") == delivery)
        own.write_parquet(path)
        store.con.execute(
            "INSERT INTO ledger.batch_file VALUES (?, ?, ?, 'hilma', ?, ?)", [delivery, SOURCE, name, path.name, own.height]
        )
    store.con.execute(
        "INSERT INTO ledger.delivery (delivery_id, source, agency, sha256, file_name, size_bytes, produced_at, produced_from, received_at, "
        "receipts_n, journal_n, attempt, is_active, is_released, is_held, status, batch_id, part, run_id) "
        "VALUES (?, ?, 'hilma', '', '', 1, '2024-01-01', '', '2024-01-01', 1, 1, 1, true, false, false, 'loaded', ?, '', '')",
        [delivery, SOURCE, delivery],
    )
    remeasure(store, delivery)


def remeasure(store: Store, delivery: str) -> None:
    procedures = measures.procedures_of(store, SOURCE, [delivery])
    found = measures.keyed_tables(store, SOURCE, CONTRACT.tables, procedures)
    measures.replace_keyed(store, MEASURES, measure(found, REFERENCE), procedures)


def differing(store: Store, expected: dict[str, pl.DataFrame]) -> list[str]:
    held = {table.name: store.frame(f'FROM measure."{table.name}"') for table in MEASURES}
    return [name for name, frame in held.items() if not frame.cast(expected[name].schema).sort(pl.all()).equals(expected[name])]


@pytest.mark.parametrize("order", list(permutations(DELIVERIES)), ids="-".join)
def test_any_order_gives_the_same_measures(order: tuple[str, ...], tmp_path: Path) -> None:
    tables = notices()

    with writing(Home(tmp_path)) as store:
        measures.create(store, MEASURES)
        for delivery in order:
            arrive(store, tables, delivery)

        assert differing(store, measure(tables, REFERENCE)) == []


def test_withdrawn_delivery_leaves_what_the_others_say(tmp_path: Path) -> None:
    tables = notices()
    rest = {name: frame.filter(pl.col("delivery_id") != "d2") for name, frame in tables.items()}

    with writing(Home(tmp_path)) as store:
        measures.create(store, MEASURES)
        for delivery in DELIVERIES:
            arrive(store, tables, delivery)
        store.con.execute("UPDATE ledger.delivery SET is_active = false WHERE delivery_id = 'd2'")
        remeasure(store, "d2")

        assert differing(store, measure(rest, REFERENCE)) == []
