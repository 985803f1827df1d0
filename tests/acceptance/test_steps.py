"""The pipeline's steps one by one, as events call them: the same end as one nightly run; and reading again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from flows import pipeline
from flows.publishing import next_number
from schemas.errors import UsageError
from tests.acceptance import support
from warehouse import revisions, store
from warehouse.home import Home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
    """A home after one nightly run on the tiny sample, for this file's tests alone: they read it again."""
    home = tmp_path_factory.mktemp("done") / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    return home


def test_land_load_and_refresh_end_as_nightly_does(done: Path, tmp_path: Path) -> None:
    home = support.sample(tmp_path / "steps")
    settings = support.settings(home)
    assert all(item.landed for item in pipeline.land(settings))
    run = pipeline.load(settings)
    assert run.ingested.loaded
    assert run.published is None
    assert {row["status"] for row in run.quality} == {"loaded"}
    assert not (home / "published" / "nyckeltal.duckdb").exists()
    refreshed = pipeline.refresh(settings)
    assert refreshed.published is not None
    assert refreshed.published.is_new
    assert refreshed.changes
    support.assert_same(home, done)


def test_steps_with_nothing_to_do_do_nothing(done: Path) -> None:
    settings = support.settings(done)
    before = support.published(done, "SELECT publication_no FROM meta.publication").item()
    assert pipeline.refresh(settings).published is None
    swept = pipeline.sweep(settings)
    assert (swept.received, swept.ingested.changed, swept.published) == ([], [], None)
    assert support.published(done, "SELECT publication_no FROM meta.publication").item() == before


def test_sweep_takes_up_what_a_lost_event_left(done: Path, tmp_path: Path) -> None:
    """Loaded and never refreshed, and still in the inbox: both are what a lost hint leaves behind."""
    home = support.empty_home(done, tmp_path / "swept")
    sampled = support.sample(tmp_path / "sampled")
    files = support.delivered_files(sampled)
    support.deliver(files[:5], sampled, home)
    settings = support.settings(home)
    pipeline.land(settings)
    pipeline.load(settings)
    support.deliver(files[5:], sampled, home)
    assert pipeline.sweep(settings).published is not None
    support.assert_same(home, done)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({}, lambda row: True),
        ({"source": "procurement_notices"}, lambda row: row["source"] == "procurement_notices"),
        ({"agency": "sample-koela"}, lambda row: row["agency"] == "sample-koela"),
        (
            {"agency": "sample-koela", "first": date(2024, 1, 1)},
            lambda row: row["agency"] == "sample-koela" and "2024" in row["file_name"],
        ),
        ({"source": "purchase_invoices", "last": date(1999, 12, 31)}, lambda row: False),
    ],
    ids=["all", "source", "agency", "agency and span", "none"],
)
def test_backfill_reads_again_what_was_asked_for(
    done: Path, words: dict[str, object], wanted: Callable[[dict[str, object]], bool]
) -> None:
    before = support.fingerprint(done)
    rows = support.published(done, "SELECT * FROM meta.delivery WHERE status = 'loaded'").rows(named=True)
    count, run = pipeline.backfill(support.settings(done), **words)  # type: ignore[arg-type]
    assert count == sum(wanted(row) for row in rows)
    assert len(run.ingested.loaded) == count
    assert support.fingerprint(done) == before


def test_what_is_read_again_to_the_same_rows_is_no_correction(home: Path) -> None:
    """One delivery of each source, of agencies whose others stay as they are; then everything."""
    settings = support.settings(home)
    rows = support.published(home, "SELECT source, delivery_id FROM meta.delivery WHERE status = 'loaded' ORDER BY ALL")
    for source, delivery_id in rows.group_by("source", maintain_order=True).first().rows():
        pipeline.command(settings, "reprocess", delivery_id, "")
        assert pipeline.load(settings).ingested.loaded == [delivery_id]
        assert _causes(home) == [], source
    pipeline.command(settings, "withdrawn", delivery_id, "")
    pipeline.load(settings)
    assert _causes(home) == ["correction"]


def test_a_change_of_registers_beside_what_is_read_again_is_all_that_is_told(home: Path) -> None:
    settings = support.settings(home)
    for delivery_id in support.published(home, "SELECT delivery_id FROM meta.delivery WHERE status = 'loaded'")["delivery_id"]:
        pipeline.command(settings, "reprocess", delivery_id, "")
    with (home / "registry" / "agencies.csv").open("a", encoding="utf-8") as register:
        register.write(f"uusi,Uusi,fi,purchase_invoices{',' * 17}\n")
    pipeline.load(settings)
    assert _causes(home) == ["reference"]


def _causes(home: Path) -> list[str]:
    with store.reading(Home(home)) as warehouse:
        assert warehouse is not None
        return revisions.pending(warehouse, next_number(warehouse))


@pytest.mark.parametrize("words", [{"source": "weather"}, {"agency": "nobody"}])
def test_backfill_of_what_does_not_exist_is_refused(done: Path, words: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        pipeline.backfill(support.settings(done), **words)  # type: ignore[arg-type]
