"""Alerts: what is raised, that it is raised once, that a run that died loses none, and what they carry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from flows import alerting
from flows.alerting import Alert
from schemas.errors import InvariantBroken, Reason
from schemas.file_names import told_name
from schemas.reference import Reference
from tests.unit.flows import history_rows
from tests.unit.flows.history_rows import publish
from warehouse import alerts, refused
from warehouse.store import Store

AT = datetime(2025, 6, 2, 1, 15, tzinfo=UTC)
TODAY = date(2025, 6, 2)
HEADER = "agency,name,sources,rhythm,due_working_days,frame_from,frame_to,language,amount_basis,precedence\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with history_rows.warehouse(tmp_path) as opened:
        yield opened


def registers(*rows: str) -> Reference:
    return Reference.load({"agencies.csv": HEADER + "".join(f"{row},fi,net,10\n" for row in rows)})


def delivered(
    store: Store, name: str, agency: str = "town", source: str = "purchase_invoices", received: datetime = AT, **changes: Any
) -> None:
    """A ledger row of a delivery."""
    row: dict[str, Any] = {
        "delivery_id": name,
        "source": source,
        "agency": agency,
        "sha256": name,
        "file_name": f"{name}.csv",
        "size_bytes": 1,
        "produced_at": received.replace(tzinfo=None),
        "produced_from": "receipt",
        "received_at": received.replace(tzinfo=None),
        "receipts_n": 1,
        "journal_n": 1,
        "attempt": 1,
        "is_active": True,
        "is_released": False,
        "is_held": False,
        "status": "loaded",
        "batch_id": name,
        "reasons": "[]",
        "part": "",
        "run_id": "run",
    } | changes
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    store.con.execute(f"INSERT INTO ledger.delivery ({names}) VALUES ({marks})", list(row.values()))


def in_force(store: Store, agency: str, *months: date, kind: str = "month") -> None:
    for month in months:
        store.con.execute(
            "INSERT INTO ledger.slice VALUES ('purchase_invoices', ?, '', ?, ?, 'd', 'b', now()::TIMESTAMP, NULL)",
            [agency, month, kind],
        )
        store.con.execute("INSERT OR IGNORE INTO ledger.covered VALUES ('d', '', ?, ?, 1, 1)", [month, kind])


def months(first: date, count: int) -> list[date]:
    return [date(first.year + (first.month - 1 + ahead) // 12, (first.month - 1 + ahead) % 12 + 1, 1) for ahead in range(count)]


# ---- the outbox


def test_an_alert_is_raised_once_until_it_has_ended(store: Store) -> None:
    alert = Alert("delivery.missing", "town/purchase_invoices/2025-01-01", {"agency": "town"})
    first = alerts.raise_new(store, [alert, alert], "run1", AT)
    assert [item.subject for item in first] == [alert.subject]
    assert alerts.raise_new(store, [alert], "run2", AT + timedelta(days=1)) == []

    assert alerts.end(store, "delivery.missing", {alert.subject}, AT) == 0
    assert alerts.end(store, "delivery.refused", (), AT) == 0
    assert alerts.end(store, "delivery.missing", (), AT + timedelta(days=2)) == 1
    again = alerts.raise_new(store, [alert], "run3", AT + timedelta(days=3))
    assert [item.alert_id for item in again] != [item.alert_id for item in first]


def test_what_was_not_sent_is_sent_later_and_only_once(store: Store) -> None:
    alerts.raise_new(store, [Alert("k", "b", {"word": "ä"}), Alert("k", "a", {})], "run1", AT)
    waiting = alerts.unsent(store)
    assert [(item.subject, item.data, item.raised_at) for item in waiting] == [("a", {}, AT), ("b", {"word": "ä"}, AT)]
    alerts.mark_sent(store, [waiting[0].alert_id], AT)
    assert [item.subject for item in alerts.unsent(store)] == ["b"]
    alerts.end(store, "k", (), AT)
    assert [item.subject for item in alerts.unsent(store)] == ["b"]  # it was true, and nobody was told
    alerts.mark_sent(store, [waiting[1].alert_id], AT)
    assert alerts.unsent(store) == []


def test_a_transaction_that_fails_raises_nothing(store: Store) -> None:

    def fails() -> None:
        with store.transaction():
            alerts.raise_new(store, [Alert("k", "a", {})], "run1", AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert alerts.unsent(store) == []


# ---- refused


def test_refusals_carry_codes_and_no_delivered_text(store: Store) -> None:
    reasons = [{"code": "header_unknown", "text": "canary Maija Meikäläinen", "file": None}]
    delivered(store, "bad", status="refused", batch_id=None, reasons=json.dumps(reasons))
    delivered(store, "good")
    (alert,) = alerting.of_refused(store)
    assert alert.data == {
        "agency": "town",
        "source": "purchase_invoices",
        "delivery_id": "bad",
        "file_name": told_name("bad.csv"),
        "reasons": ["header_unknown"],
    }
    store.con.execute("UPDATE ledger.delivery SET journal_n = 2 WHERE delivery_id = 'bad'")
    assert alerting.of_refused(store)[0].subject != alert.subject  # delivered and refused once more


def test_files_refused_at_the_door_are_told_too(store: Store) -> None:
    reasons = [Reason("agency_unknown", "canary", file="x")]
    path = store.home.root / "a.csv"
    path.write_text("x", "utf-8")
    refused.set_apart(
        store.home, path, None, "village/purchase_invoices/a.csv", ("village", "purchase_invoices"), reasons, AT, "en"
    )
    (store.home.root / "refused" / "20250601T010101-abcd1234").mkdir()
    (alert,) = alerting.at_the_door(store.home, {"village"})
    assert (alert.data["agency"], alert.data["source"], alert.data["file_name"]) == ("village", "purchase_invoices", told_name("a.csv"))
    assert alert.data["reasons"] == ["agency_unknown"]
    assert [alert.data["agency"] for alert in alerting.at_the_door(store.home, ())] == [
        None
    ]  # a folder may be named after anybody


# ---- missing


def late(store: Store, reference: Reference, today: date = TODAY) -> list[str]:
    return [alert.subject for alert in alerting.missing(store, reference, today) if alert.data["agency"] == "town"]


def test_a_month_that_is_due_and_not_in_force_is_missing(store: Store) -> None:
    reference = registers("town,Town,purchase_invoices,month,20,2025-01-01,")
    assert late(store, reference) == []  # never delivered anything: not connected
    delivered(store, "d")
    in_force(store, "town", date(2025, 1, 1), date(2025, 3, 1))
    # April is due on 30 May (Friday): on 2 June it is late; May is not due yet
    assert late(store, reference) == ["town/purchase_invoices/2025-02-01", "town/purchase_invoices/2025-04-01"]
    assert late(store, reference, date(2025, 5, 30)) == ["town/purchase_invoices/2025-02-01"]


def test_a_year_is_there_when_all_its_months_are(store: Store) -> None:
    reference = registers("town,Town,purchase_invoices,year,100,,")
    delivered(store, "d")
    in_force(store, "town", *months(date(2022, 1, 1), 12), *months(date(2023, 1, 1), 11))
    in_force(store, "town", date(2024, 1, 1), kind="year")
    (alert,) = (alert for alert in alerting.missing(store, reference, TODAY) if alert.data["agency"] == "town")
    assert alert.subject == "town/purchase_invoices/2023-01-01"
    assert alert.data == {
        "agency": "town",
        "source": "purchase_invoices",
        "rhythm": "year",
        "due_working_days": 100,
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
        "months_missing": 1,
    }


def test_nothing_is_expected_after_the_frame_or_without_a_limit(store: Store) -> None:
    delivered(store, "d")
    in_force(store, "town", date(2024, 1, 1))
    assert late(store, registers("town,Town,purchase_invoices,month,20,,2024-03-31")) == [
        "town/purchase_invoices/2024-02-01",
        "town/purchase_invoices/2024-03-01",
    ]
    assert late(store, registers("town,Town,purchase_invoices,month,,,")) == []


def test_daily_notices_are_missing_when_nothing_came_for_so_many_working_days(store: Store) -> None:
    reference = registers("town,Town,procurement_notices,day,2,,")
    # received on Wednesday 28 May 23:30 UTC, which is Thursday 29 May (Ascension Day) in Helsinki
    delivered(store, "n", source="procurement_notices", received=datetime(2025, 5, 28, 23, 30, tzinfo=UTC))
    assert late(store, reference, date(2025, 6, 2)) == []  # Friday and Monday are the two days
    assert late(store, reference, date(2025, 6, 3)) == ["town/procurement_notices/day"]
    delivered(store, "refused", source="procurement_notices", received=AT, status="refused", batch_id=None)
    assert late(store, reference, date(2025, 6, 3)) == ["town/procurement_notices/day"]
    delivered(store, "n2", source="procurement_notices", received=AT)
    assert late(store, reference, date(2025, 6, 3)) == []


def test_monthly_notices_are_missing_when_nothing_came_after_the_month(store: Store) -> None:
    reference = registers("town,Town,procurement_notices,month,20,2021-01-01,")
    delivered(store, "n", source="procurement_notices", received=datetime(2025, 4, 30, 10, tzinfo=UTC))
    assert late(store, reference, date(2025, 5, 30)) == []
    assert late(store, reference, date(2025, 5, 31)) == ["town/procurement_notices/2025-04-01"]


# ---- crossed


def year(start: int, value: str, light: str, **changes: Any) -> dict[str, Any]:
    return {"period_start": date(start, 1, 1), "value": Decimal(value), "light": light} | changes


def test_a_revision_across_the_target_is_told_with_its_numbers(store: Store) -> None:
    publish(store, 1, [year(2022, "0.05", "green"), year(2023, "0.09", "green")])
    assert alerting.crossed(store, 1) == []
    publish(store, 2, [year(2023, "0.12", "yellow"), year(2022, "0.15", "yellow")])
    (alert,) = alerting.crossed(store, 2)
    assert alert.data == {
        "figure_id": "single_bid_share",
        "variant": "",
        "scope": "ted",
        "period_kind": "year",
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
        "target_operator": "<=",
        "unit": "share",
        "from": "green",
        "to": "yellow",
        "value": 0.12,
        "target": 0.1,
        "former_value": 0.09,
        "former_period_start": "2023-01-01",
    }
    publish(store, 3, [year(2023, "0.25", "red")])
    assert alerting.crossed(store, 3) == []  # yellow to red crosses no target


def test_a_new_period_is_compared_with_the_former_latest(store: Store) -> None:
    publish(store, 1, [year(2023, "0.12", "yellow")])
    publish(store, 2, [year(2024, "0.08", "green", status="provisional")])
    assert alerting.crossed(store, 2) == []  # not closed yet
    publish(store, 3, [year(2024, "0.08", "green")])
    (alert,) = alerting.crossed(store, 3)
    assert (alert.data["from"], alert.data["to"], alert.data["period_start"]) == ("yellow", "green", "2024-01-01")
    assert alert.data["former_period_start"] == "2023-01-01"


def test_lights_that_appear_or_go_other_levels_and_months_are_no_crossing(store: Store) -> None:
    publish(store, 1, [year(2023, "0.09", "green"), year(2023, "0.2", "red", level="sector", level_id="city")])
    rows = [year(2024, "0.2", "none"), year(2024, "0.05", "green", level="sector", level_id="city")]
    publish(store, 2, [*rows, year(2024, "0.2", "red", period_kind="month")])
    assert alerting.crossed(store, 2) == []
    publish(store, 3, [year(2025, "0.2", "red")])
    (alert,) = alerting.crossed(store, 3)  # against the last light there was
    assert (alert.data["from"], alert.data["former_period_start"]) == ("green", "2023-01-01")


# ---- all of it


def test_taking_stock_raises_each_matter_once_and_catches_up(store: Store) -> None:
    reference = registers("town,Town,purchase_invoices,month,20,2025-04-01,")
    delivered(store, "d")
    delivered(store, "bad", status="refused", batch_id=None, reasons='[{"code": "file_empty", "text": "", "file": null}]')
    publish(store, 1, [year(2023, "0.09", "green")])
    raised = alerting.take_stock(store, reference, "run1", TODAY, AT)
    assert [item.kind for item in raised] == ["delivery.refused", "delivery.missing"]
    assert alerting.take_stock(store, reference, "run2", TODAY, AT + timedelta(hours=1)) == []

    publish(store, 2, [year(2023, "0.3", "red")])  # the run that made it died before it could say so
    publish(store, 3, [year(2022, "0.3", "red")])
    in_force(store, "town", date(2025, 4, 1))
    raised = alerting.take_stock(store, reference, "run3", TODAY, AT + timedelta(hours=2))
    assert [item.kind for item in raised] == ["target.crossed"]
    assert alerts.open_subjects(store, "delivery.missing") == []


def test_a_stopped_publication_is_told_until_the_next_one(store: Store) -> None:
    reference = registers()
    publish(store, 1, [year(2023, "0.09", "green")])
    alerting.take_stock(store, reference, "run1", TODAY, AT)
    broken = alerting.stopped(InvariantBroken("nothing is published: 1 conservation breaches"))
    assert len(alerts.raise_new(store, [broken], "run2", AT)) == 1
    assert alerts.raise_new(store, [broken], "run3", AT) == []
    alerting.take_stock(store, reference, "run4", TODAY, AT)
    assert alerts.open_subjects(store, "publication.stopped") == ["publication"]
    publish(store, 2, [year(2023, "0.08", "green")])
    alerting.take_stock(store, reference, "run5", TODAY, AT)
    assert alerts.open_subjects(store, "publication.stopped") == []


def test_the_first_stock_of_an_old_warehouse_is_not_its_whole_past(store: Store) -> None:
    for number, light in enumerate(["green", "red", "green", "red"], start=1):
        publish(store, number, [year(2023, f"0.{number}", light)])
    raised = alerting.take_stock(store, registers(), "run1", TODAY, AT)
    assert [(item.kind, item.data["to"]) for item in raised] == [("target.crossed", "red")]
