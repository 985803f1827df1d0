"""What ends its reader is set apart, and tried again only when somebody asks for it, delivers it anew, or other code reads."""

from __future__ import annotations

import json
import logging
from datetime import date

import pytest

from flows import pipeline, readers
from flows.settings import Settings
from tests.unit.flows.inbox_files import put
from tests.unit.flows.test_preparing import CSV
from warehouse.home import Home
from warehouse.landing import Landing, now
from warehouse.store import reading, writing

pytestmark = pytest.mark.slow
PLACE = "kaarina/purchase_invoices/a_2024.csv"
DAY = date(2025, 6, 30)


def status(settings: Settings) -> dict[str, list[str]]:
    """Status of each delivery -> codes of its reasons."""
    with reading(Home(settings.home.resolve())) as store:
        assert store
        rows = store.rows("SELECT status, reasons FROM ledger.delivery ORDER BY ALL")
    return {row["status"]: [reason["code"] for reason in json.loads(row["reasons"] or "[]")] for row in rows}


@pytest.fixture
def tight(settings: Settings) -> Settings:
    """A home that holds a delivery set apart: its reader was allowed too little."""
    tight = settings.model_copy(update={"max_reader_bytes": 100_000, "as_of": DAY})
    put(tight, PLACE, CSV.encode())
    run = pipeline.nightly(tight)
    assert len(run.ingested.refused) == 1
    assert status(tight) == {"refused": ["reader_died"]}
    return tight


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What readers are asked."""
    seen: list[object] = []
    ask = readers.ask
    monkeypatch.setattr(readers, "ask", lambda function, *told, **how: (seen.append(function), ask(function, *told, **how))[1])
    return seen


def test_it_is_tried_once_more_by_itself_and_told(
    settings: Settings, asked: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    tight = settings.model_copy(update={"max_reader_bytes": 100_000, "as_of": DAY})
    put(tight, PLACE, CSV.encode())
    with caplog.at_level(logging.ERROR):
        run = pipeline.nightly(tight)
    assert len(asked) == 2
    assert [item.data["delivery_id"] for item in run.alerts if item.kind == "delivery.refused"] == run.ingested.refused
    assert "is set apart" in caplog.text


def test_no_night_tries_it_again(tight: Settings, asked: list[object]) -> None:
    assert not pipeline.nightly(tight).ingested.changed
    assert not asked


def test_reprocessed_it_is_read(tight: Settings) -> None:
    home = Home(tight.home.resolve())
    (landed,) = Landing(home).all()
    Landing(home).note(landed, "reprocess", now(), "more memory")
    pipeline.nightly(tight.model_copy(update={"max_reader_bytes": 512 * 1024**2}))
    assert status(tight) == {"loaded": []}


def test_the_same_bytes_anew_are_tried_once(tight: Settings, asked: list[object]) -> None:
    put(tight, PLACE, CSV.encode())
    assert pipeline.nightly(tight).ingested.refused
    assert len(asked) == 2
    assert not pipeline.nightly(tight).ingested.changed
    assert len(asked) == 2


def test_other_code_reads_it_by_backfill_outdated(tight: Settings) -> None:
    roomy = tight.model_copy(update={"max_reader_bytes": 512 * 1024**2})
    assert pipeline.backfill(roomy, outdated=True)[0] == 0, "the same code would fare the same"
    with writing(Home(tight.home.resolve())) as store:
        store.con.execute("UPDATE ledger.delivery SET read_with = 'former'")
    assert pipeline.backfill(roomy, outdated=True)[0] == 1
    assert status(tight) == {"loaded": []}
