"""A date in a file's name or manifest that had not come when the file was received never wins: the receipt counts, and it is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import intents, pipeline
from flows.settings import Settings
from flows.walking import Found
from schemas.reference import Reference
from tests.unit.flows.inbox_files import put
from transforms.delivery import Limits
from warehouse.home import Home
from warehouse.landing import now
from warehouse.store import reading

AT = datetime(2025, 3, 10, 12, tzinfo=UTC)
LATE = datetime(2025, 3, 10, 22, 30, tzinfo=UTC)  # the 11th in Finland
CSV = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;{}\n"


@pytest.mark.parametrize(
    ("name", "manifest", "at", "produced", "told"),
    [
        ("rivit_2025-03-09.csv", None, AT, datetime(2025, 3, 9, tzinfo=UTC), "file_name"),
        ("rivit_20250310.csv", None, AT, datetime(2025, 3, 10, tzinfo=UTC), "file_name"),
        ("rivit_2025-03-11.csv", None, LATE, LATE, "file_name"),  # today's, a day that UTC does not know yet
        ("rivit_2025-03-11.csv", None, AT, AT, "file_name_later"),
        ("rivit_20991231.csv", None, AT, AT, "file_name_later"),
        ("rivit.csv", "2025-03-10T11:59:59+00:00", AT, AT - timedelta(seconds=1), "manifest"),
        ("rivit.csv", "2025-03-10T14:30:00+02:00", AT, AT, "manifest_later"),
        ("rivit_2025-01-01.csv", "2099-01-01", AT, AT, "manifest_later"),
    ],
)
def test_when_a_file_was_produced(
    tmp_path: Path, name: str, manifest: str | None, at: datetime, produced: datetime, told: str
) -> None:
    path = tmp_path / name
    path.write_text(CSV.format("1,00"), "utf-8")
    if manifest:
        path.with_name(f"{name}.manifest.json").write_text(json.dumps({"produced_at": manifest}), "utf-8")
    intent = intents.intent_of(Reference.load(), Found(path, name, "kaarina", "purchase_invoices", False), at, Limits())
    assert (intent.produced_at, intent.produced_from) == (produced, told)


def test_a_date_ahead_does_not_outlive_what_is_delivered_later(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/rivit_20991231.csv", CSV.format("1,00").encode())
    pipeline.land(settings, now() - timedelta(days=1))
    put(settings, "kaarina/purchase_invoices/rivit.csv", CSV.format("2,00").encode())
    pipeline.land(settings)
    pipeline.load(settings)
    home = Home(settings.home.resolve())
    with reading(home) as store:
        assert store is not None
        status = {row["file_name"]: row["status"] for row in store.rows("SELECT file_name, status FROM ledger.delivery")}
    assert status == {"rivit_20991231.csv": "superseded", "rivit.csv": "loaded"}
    told = [path.read_text("utf-8") for path in home.receipts.rglob("*.txt")]
    assert sum("Tiedoston nimi sanoo päivän, joka on vastaanoton jälkeen" in text for text in told) == 1
