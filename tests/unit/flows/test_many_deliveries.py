"""Hundreds of small deliveries at once: gate, ledger and measures stay inside the least memory that may be set, and hold what plain
sums over the rows say."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest

from flows.measuring import measure
from flows.preparing import COVERED_SCHEMA
from schemas.errors import MemoryShort
from schemas.purchase_invoices import CONTRACT, POSTING_LINE
from schemas.reference import Reference
from transforms.delivery import COUNT_SCHEMA, FAILURE_SCHEMA, SET_ASIDE_SCHEMA
from transforms.periods import add_months
from warehouse import ledger, store
from warehouse.findings import Findings, PreparedBatch
from warehouse.home import Home
from warehouse.lake import Batch, commit
from warehouse.landing import Intent, Landed
from warehouse.memory import LEAST_MEMORY_MB
from warehouse.validation import Prepared, check

AGENCIES = [f"kunta{number}" for number in range(10)]
MONTHS = [add_months(date(2023, 1, 1), number) for number in range(40)]
NIGHT = datetime(2026, 5, 1, tzinfo=UTC)
ROWS = 4


def delivery(home: Home, agency: str, month: date, version: int) -> Landed:
    produced = datetime(2026, 1, version, tzinfo=UTC)
    intent = Intent("purchase_invoices", agency, f"{month}.csv", NIGHT, produced, "manifest")
    name = f"{agency}-{month:%Y%m}-{version}"
    return Landed(name, name, 100, home.landing / name, intent, NIGHT, 1, 1, 1, active=True, released=False)


def batch(home: Home, landed: Landed, month: date, cents: list[int]) -> PreparedBatch:
    """A delivery as preparing hands it on."""
    told = {
        "source_line": pl.Series(range(1, ROWS + 1)),
        "organisation_id": pl.lit(landed.intent.agency),
        "supplier_kind": pl.lit("no_id"),
        "account_code": pl.lit("43000"),
        "posting_date": pl.lit(month),
        "period": pl.lit(month),
        "slice_period": pl.lit(month),
        "net_cents": pl.Series(cents),
    }
    rows = pl.select(told.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in POSTING_LINE.polars_schema().items())
    written = Batch(home, CONTRACT.source, landed.intent.agency, f"{landed.delivery_id}-1")
    written.write(0, {POSTING_LINE.name: rows})
    count = (landed.delivery_id, POSTING_LINE.name, ROWS, ROWS, 0, 0, sum(cents), sum(cents), 0, 0, 0)
    covered = (landed.delivery_id, "", month, "month", ROWS, sum(cents))
    nothing = pl.DataFrame(schema=FAILURE_SCHEMA)
    return PreparedBatch(
        CONTRACT,
        written,
        [landed.delivery_id],
        pl.DataFrame([count], schema=COUNT_SCHEMA, orient="row"),
        nothing,
        nothing,
        pl.DataFrame(schema=SET_ASIDE_SCHEMA),
        pl.DataFrame([covered], schema=COVERED_SCHEMA, orient="row"),
    )


def for_gate(one: PreparedBatch) -> Prepared:
    broken = pl.DataFrame(schema={"delivery_id": pl.String, "table_name": pl.String, "rule": pl.String, "rows_n": pl.Int64})
    return Prepared(CONTRACT, {POSTING_LINE.name: one.batch.paths_aside(POSTING_LINE.name)}, one.counts, broken)


def test_hundreds_of_deliveries_fit_into_the_least_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl, "thread_pool_size", lambda: 2)  # every thread of DuckDB takes its own memory
    home, rng = Home(tmp_path / "home"), Random("many")
    register = ["agency,name,sources,chart", *(f"{name},{name},purchase_invoices,municipal" for name in AGENCIES)]
    reference = Reference.load({"agencies.csv": "\n".join(register) + "\n"})
    truth: dict[tuple[str, date], int] = {}
    with store.writing(home, memory_mb=LEAST_MEMORY_MB) as warehouse:
        for version, months in ((1, MONTHS), (2, MONTHS[:10])):
            landed, prepared = [], []
            for agency in AGENCIES:
                for month in months:
                    cents = [rng.randrange(100, 90_000) for _ in range(ROWS)]
                    truth[agency, month] = sum(cents)
                    landed.append(delivery(home, agency, month, version))
                    prepared.append(batch(home, landed[-1], month, cents))
            results, refused = check([for_gate(one) for one in prepared], home.work / "gate", LEAST_MEMORY_MB)
            assert not refused
            assert set(results["rows_checked"]) == {ROWS}
            findings = Findings()
            findings.add(prepared)
            commit(findings.batches)
            with warehouse.transaction():
                ledger.record(warehouse, landed, f"run{version}", findings.outcomes, {})
                ledger.store_findings(warehouse, findings)
                measure(warehouse, reference, landed, NIGHT)
        rows = warehouse.rows("SELECT agency, period, sum(net_cents)::BIGINT AS cents FROM measure.spend_month GROUP BY ALL")
        assert {(row["agency"], row["period"]): row["cents"] for row in rows} == truth
        statuses = Counter(row["status"] for row in warehouse.rows("SELECT status FROM ledger.delivery"))
        assert statuses == {"loaded": len(AGENCIES) * len(MONTHS), "superseded": len(AGENCIES) * 10}
        open_slices = warehouse.rows("SELECT batch_id FROM ledger.slice WHERE valid_to IS NULL")
        assert len({row["batch_id"] for row in open_slices}) == len(truth)
        assert not ledger.check_conservation(warehouse)


def test_what_does_not_fit_is_told_with_the_setting(tmp_path: Path) -> None:
    with (
        pytest.raises(MemoryShort, match="NYCKELTAL_MEMORY_MB") as told,
        store.writing(Home(tmp_path / "home"), memory_mb=LEAST_MEMORY_MB) as warehouse,
    ):
        warehouse.con.execute("SELECT list(repeat('x', 1000) || i) FROM range(1_000_000) r(i)").fetchall()
    assert told.value.exit_code == 8
