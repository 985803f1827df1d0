"""Verdicts kept in the warehouse: frozen at publication, replaced where a value was revised, published by what changed."""

from __future__ import annotations

import math
import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows import deviating
from schemas.reference import Reference
from tests.unit.flows import history_rows
from tests.unit.flows.history_rows import publish
from transforms.periods import add_months
from warehouse import deviations
from warehouse.publication import deviation as published
from warehouse.store import Store

REFERENCE = Reference.load()
START = date(2010, 1, 1)
MONTHS = 60


def notices(at: int, number: float | None, **changes: Any) -> dict[str, Any]:
    """A month of the number of notices."""
    return {
        "figure_id": "notices_n",
        "unit": "count",
        "period_kind": "month",
        "period_start": add_months(START, at),
        "value": None if number is None else Decimal(f"{number:.8f}"),
        "light": "none",
        "target": None,
        "target_operator": None,
    } | changes


def values(seed: int = 1) -> list[float]:
    source = random.Random(seed)
    return [math.exp(7 + 0.2 * math.sin(at / 6 * math.pi) + source.gauss(0, 0.05)) for at in range(MONTHS)]


def verdicts(store: Store) -> pl.DataFrame:
    return store.frame(
        "SELECT month, value::DOUBLE AS value, status, fence_low, fence_high, judged_no FROM figure.deviation ORDER BY month"
    )


def test_only_what_a_publication_opened_is_judged_and_fences_stay(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        publish(store, 1, [notices(at, known[at]) for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        first = verdicts(store)
        assert first["status"].to_list() == ["too_little_history"] * 48 + ["ok"] * 2

        publish(store, 2, [notices(50, known[50] * 3), notices(10, known[10] * 1.2)])
        assert deviating.judge(store, REFERENCE, 2) == 1
        second = verdicts(store)
        assert second.filter(judged_no=2, status="flagged")["month"].to_list() == [add_months(START, 50)]
        frozen = first.filter(pl.col("status") != "too_little_history")
        assert second.filter(pl.col("month").is_in(frozen["month"].implode())).equals(
            frozen
        )  # though month 10 changed below them

        assert deviating.judge(store, REFERENCE, 2) == 0  # the same publication again
        assert verdicts(store).equals(second)


def test_a_revised_value_is_judged_again_and_one_that_is_gone_has_no_verdict(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        publish(store, 1, [notices(at, known[at] * (3 if at == 49 else 1)) for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        assert verdicts(store)["status"][-1] == "flagged"
        publish(store, 2, [notices(49, known[49])])
        deviating.judge(store, REFERENCE, 2)
        assert verdicts(store)["status"][-1] == "ok"
        publish(store, 3, [notices(49, None, status="no_data")])
        deviating.judge(store, REFERENCE, 3)
        assert verdicts(store)["month"].max() == add_months(START, 48)


def test_late_history_lets_the_months_after_it_be_judged(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        publish(store, 1, [notices(at, known[at]) for at in range(50) if at != 20])
        deviating.judge(store, REFERENCE, 1)
        assert set(verdicts(store)["status"]) == {"too_little_history"}
        publish(store, 2, [notices(20, known[20])])
        deviating.judge(store, REFERENCE, 2)
        assert verdicts(store).filter(status="ok")["month"].to_list() == [add_months(START, 48), add_months(START, 49)]


def test_notices_are_judged_when_they_are_final_and_the_month_has_ended(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        publish(store, 1, [notices(at, known[at], status="provisional" if at == 49 else "final") for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        assert verdicts(store)["status"].to_list()[-2:] == ["ok", "too_little_history"]
        publish(store, 2, [notices(49, known[49])])
        deviating.judge(store, REFERENCE, 2)
        assert verdicts(store)["status"][-1] == "ok"
        publish(store, 3, [notices(50, known[50] / 4)], as_of=add_months(START, 50).replace(day=20))
        deviating.judge(store, REFERENCE, 3)
        assert verdicts(store)["status"][-1] == "too_little_history"  # the month still runs


def test_invoices_are_judged_when_every_expected_organisation_is_there(tmp_path: Path) -> None:
    known = values()

    def spend(at: int) -> dict[str, Any]:
        return notices(at, known[at], figure_id="spend_total", unit="eur", scope="all", status="provisional")

    with history_rows.warehouse(tmp_path) as store:
        store.con.execute("CREATE TABLE figure.membership AS SELECT 'o' AS organisation_id, 'national' AS level, 'FI' AS level_id, "
                          "DATE '1900-01-01' AS valid_from, DATE '9999-12-31' AS valid_to")  # fmt: skip
        store.con.execute("CREATE TABLE figure.expected AS SELECT 'o' AS organisation_id, unnest(generate_series(DATE '2010-01-01', "
                          "DATE '2014-12-01', INTERVAL 1 MONTH))::DATE AS month, true AS present")  # fmt: skip
        store.con.execute("UPDATE figure.expected SET present = false WHERE month = ?", [add_months(START, 49)])
        publish(store, 1, [spend(at) for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        assert verdicts(store)["status"].to_list()[-2:] == ["ok", "too_little_history"]
        effect = store.rows("SELECT value, expected, effect_eur FROM figure.deviation WHERE status = 'ok'")[0]
        assert effect["effect_eur"] == round(float(effect["value"]) - effect["expected"], 2)


def test_contacts_are_judged_when_they_are_final_and_whole_whatever_invoices_there_are(tmp_path: Path) -> None:
    known = values()

    def contacts(at: int, **changes: Any) -> dict[str, Any]:
        return notices(at, known[at], figure_id="contacts_n", scope="all", coverage=Decimal(1)) | changes

    for last, verdict in (
        ({}, "ok"),
        ({"status": "provisional"}, "too_little_history"),
        ({"coverage": Decimal("0.5")}, "too_little_history"),
        ({"value": Decimal(f"{known[49] * 2:.8f}")}, "flagged"),
    ):
        with history_rows.warehouse(tmp_path / verdict / str(len(str(last)))) as store:
            publish(store, 1, [contacts(at, **(last if at == 49 else {})) for at in range(50)])
            deviating.judge(store, REFERENCE, 1)
            assert verdicts(store)["status"].to_list()[-2:] == ["ok", verdict], last


def test_means_of_forms_are_judged_by_what_is_known(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        told = {"figure_id": "minicomp_bids_mean", "unit": "per_case", "scope": "all", "coverage": Decimal("0.9")}
        publish(store, 1, [notices(at, known[at], **told) for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        assert verdicts(store)["status"].to_list()[-2:] == ["ok", "ok"]


def test_the_published_table_brought_up_to_date_is_the_one_built_anew(tmp_path: Path) -> None:
    known = values()
    con = duckdb.connect()
    con.execute("CREATE SCHEMA mart")

    def rows() -> list[tuple[Any, ...]]:
        return con.execute("FROM mart.deviation ORDER BY ALL").fetchall()

    with history_rows.warehouse(tmp_path) as store:
        publish(store, 1, [notices(at, known[at]) for at in range(50)])
        deviating.judge(store, REFERENCE, 1)
        published.fill(con, store, 1, copied=True)  # a copy of a generation that did not have the table yet
        for number, changed in (
            (2, [notices(50, known[50] * 3), notices(48, known[48], n=99)]),  # the second: same value, other cell
            (3, [notices(50, known[50]), notices(49, None, status="no_data"), notices(3, known[3] * 2)]),
        ):
            publish(store, number, changed)
            deviating.judge(store, REFERENCE, number)
            published.fill(con, store, number, copied=True)
            updated = rows()
            published.fill(con, store, number, copied=False)
            assert updated == rows()
        assert len(rows()) == 50


def test_flagged_months_are_told_largest_effect_first(tmp_path: Path) -> None:
    known = values()
    with history_rows.warehouse(tmp_path) as store:
        rows = [
            notices(at, known[at] * (4 if at == 49 else 1), level="region", level_id=f"R{region}")
            for at in range(50)
            for region in range(3)
        ]
        publish(store, 1, rows)
        deviating.judge(store, REFERENCE, 1)
        found = deviations.newly_flagged(store, 1, 2)
        assert [row["level_id"] for row in found] == ["R0", "R1"]
        subjects = [row["subject"] for row in found]
        assert deviations.still_flagged(store, [*subjects, "another"]) == set(subjects)
