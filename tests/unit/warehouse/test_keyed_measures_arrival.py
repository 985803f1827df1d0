"""Notices that arrive delivery by delivery, in any order, are measured as if they had come together."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from tests.unit.transforms.hilma_shapes import award, awarded, cleaned, notice
from tests.unit.transforms.notice_random import random_notices
from transforms.measures.procurement_notices import MEASURES, measure, names_of
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
            "INSERT INTO ledger.batch_file VALUES (?, ?, ?, 'hilma', ?, ?, NULL, NULL)", [delivery, SOURCE, name, path.name, own.height]
        )
    store.con.execute(
        "INSERT INTO ledger.delivery (delivery_id, source, agency, sha256, file_name, size_bytes, produced_at, produced_from, received_at, "
        "receipts_n, journal_n, attempt, is_active, is_released, is_held, status, batch_id, part, run_id) "
        "VALUES (?, ?, 'hilma', '', '', 1, '2024-01-01', '', '2024-01-01', 1, 1, 1, true, false, false, 'loaded', ?, '', '')",
        [delivery, SOURCE, delivery],
    )
    remeasure(store, delivery)


def remeasure(store: Store, delivery: str) -> None:
    procedures = measures.procedures_of(store, SOURCE, [delivery], names_of)
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


CALL = notice(200, 5, noticeOjsNumber="2022/S 105-290001")
CORRIGENDUM = notice(
    200, 6, noticeOjsNumber="2022/S 110-300002", parentId=5, isCorrigendum=True, datePublished="2022-06-10T08:00:00",
    tenderingInformation={"tendersOrRequestsToParticipateDueDateTime": "2022-12-09T14:00:00"},
)  # fmt: skip
AWARD = award(awarded(3, 1, 40.0)) | {"noticeOjsNumber": "2022/S 150-310003", "parentId": 5, "datePublished": "2022-08-01T08:00:00"}
WRONG = AWARD | {"id": 11, "noticeOjsNumber": "2022/S 152-310004", "previousNoticeOjsNumber": "2022/S 001-000001"}
REQUEST = notice(9901, 4, datePublished="2022-05-02T08:00:00")
SYSTEM_AWARD = award(awarded(2, 2, 50.0), kind=301) | {
    "id": 12, "procurementProjectId": 701, "noticeOjsNumber": "2022/S 155-310005", "previousNoticeOjsNumber": "2022/S 105-290001",
}  # fmt: skip


def as_ted(document: dict[str, object], procedure: str) -> dict[str, pl.DataFrame]:
    """Accepted rows of the TED XML that Hilma made of a notice, which names its procedure by the call's number."""
    rows = cleaned(document).accepted
    named = {"schema": pl.lit("ted"), "procedure_id": pl.lit(procedure)}
    return {name: frame.with_columns(**named) if name == "notice" else frame for name, frame in rows.items()}


def of(delivery: str, *parts: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: pl.concat([part[name] for part in parts]).with_columns(delivery_id=pl.lit(delivery)) for name in parts[0]}


@pytest.mark.parametrize("order", list(permutations(DELIVERIES)), ids="-".join)
def test_a_procedure_of_two_names_is_one_in_any_order(order: tuple[str, ...], tmp_path: Path) -> None:
    """The call and its corrigendum, the awards (one names no call, one a wrong one), and the TED XML of call and award."""
    parts = [
        of("d1", cleaned(CALL, CORRIGENDUM, REQUEST).accepted),
        of("d2", cleaned(AWARD, WRONG, SYSTEM_AWARD).accepted),
        of("d9", as_ted(CALL, "290001-2022"), as_ted(AWARD | {"id": 13, "noticeOjsNumber": "2022/S 153-310006"}, "290001-2022")),
    ]
    tables = {name: pl.concat([part[name] for part in parts]) for name in parts[0]}
    expected = measure(tables, REFERENCE)

    assert expected["notice_fact"]["procedure_id"].unique().to_list() == ["290001-2022"]
    assert len(expected["notice_fact"]) == 7
    [start] = expected["procedure_start"].rows(named=True)
    assert (start["has_call"], start["procedure_type"], str(start["month"])) == (True, "open", "2022-06-01")
    # from the call of 1 June, which its corrigendum does not move, to the new deadline
    assert expected["call_lot"]["deadline_days"].to_list() == [191]
    with writing(Home(tmp_path)) as store:
        measures.create(store, MEASURES)
        for delivery in order:
            arrive(store, tables, delivery)

        assert differing(store, expected) == []
