"""An overlay: what it takes from the home below it, that it waits for writers, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from filelock import FileLock

from schemas.errors import Busy, ConfigurationError
from warehouse import lake, landing, ledger, overlay
from warehouse.home import Home
from warehouse.landing import Intent, Landing
from warehouse.store import writing

MOMENT = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a word in its warehouse and a delivery."""
    made = Home(tmp_path / "home")
    with writing(made) as warehouse:
        ledger.set_state(warehouse, "word", "kept")
    land(made, tmp_path / "one.csv", "one")
    return made


def land(home: Home, path: Path, content: str) -> landing.Landed:
    path.write_text(content, "utf-8")
    return Landing(home).take(path, intent(path.name), move=False)[0]


def intent(name: str) -> Intent:
    return Intent("purchase_invoices", "alku", name, MOMENT, MOMENT, "receipt")


def word(home: Home) -> str | None:
    with writing(home) as warehouse:
        return ledger.state(warehouse, "word")


def test_what_is_written_lies_in_the_scratch_which_is_its_owners_and_goes(home: Home, place: Path, tmp_path: Path) -> None:
    with overlay.overlay(home.root, None, place, 0) as over:
        assert over.root.parent == place
        assert stat.S_IMODE(over.root.stat().st_mode) == 0o700
        assert word(over) == "kept"
        with writing(over) as warehouse:
            ledger.set_state(warehouse, "word", "another")
        land(over, tmp_path / "two.csv", "two")
        assert {item.intent.file_name for item in Landing(over).all()} == {"one.csv", "two.csv"}
    assert list(place.iterdir()) == []
    assert word(home) == "kept"
    assert [item.intent.file_name for item in Landing(home).all()] == ["one.csv"]


def test_a_delivery_of_the_base_that_comes_again_goes_on_in_the_overlay(home: Home, place: Path, tmp_path: Path) -> None:
    (known,) = Landing(home).all()
    with overlay.overlay(home.root, None, place, 0) as over:
        again = land(over, tmp_path / "one.csv", "one")
        (found,) = Landing(over).all()
        assert (again, found.delivery_id, found.journal_n, found.file.read_text()) == (found, known.delivery_id, 2, "one")
    assert list(Landing(home).all()) == [known]


def test_commands_and_changes_in_the_overlay_leave_the_base_as_it_is(home: Home, place: Path) -> None:
    (known,) = Landing(home).all()
    batch = home.lake / "purchase_invoices" / "posting_line" / "alku" / "one-1"
    batch.mkdir(parents=True)
    pl.DataFrame({"x": [1]}).write_parquet(batch / "part-00000.parquet")
    with overlay.overlay(home.root, None, place, 0) as over:
        (found,) = Landing(over).all()
        assert (found.file.read_text(), found.size) == ("one", found.file.stat().st_size)
        Landing(over).note(found, "withdrawn", MOMENT, "tried")
        (withdrawn,) = Landing(over).all()
        assert Landing(over).drop_file(withdrawn)
        assert not withdrawn.file.exists()
        with writing(over) as warehouse:
            path = over.lake / batch.relative_to(home.lake) / "part-00000.parquet"
            assert warehouse.scalar(f"SELECT sum(x) FROM read_parquet('{path}')") == 1
        assert lake.sweep(over, set()) == 1
        assert not path.exists()
    assert list(Landing(home).all()) == [known]
    assert (known.file.read_text(), (batch / "part-00000.parquet").exists()) == ("one", True)


def test_the_log_of_the_warehouse_comes_along(home: Home, place: Path, tmp_path: Path) -> None:
    """As a killed process leaves it."""
    con = duckdb.connect(str(home.warehouse), config={"wal_autocheckpoint": "1TB"})
    con.execute("INSERT OR REPLACE INTO ledger.state VALUES ('word', 'in the log')")
    killed = tmp_path / "killed"
    shutil.copytree(home.root, killed)
    con.close()
    assert (killed / "warehouse.duckdb.wal").stat().st_size
    with overlay.overlay(killed, None, place, 0) as over:
        assert word(over) == "in the log"
    assert (killed / "warehouse.duckdb.wal").exists()


def test_what_a_crash_left_on_its_way_is_landed_in_the_overlay(home: Home, place: Path) -> None:
    waiting = home.landing / ".incoming"
    for name, is_whole in (("whole", True), ("unfinished", False)):
        (waiting / name).mkdir(parents=True)
        (waiting / name / "intent.json").write_text(json.dumps(intent("left.csv").to_json()), "utf-8")
        if is_whole:
            (waiting / name / "file").write_text("left", "utf-8")
    with overlay.overlay(home.root, None, place, 0) as over:
        assert Landing(over).recover() == 1
        assert sorted(item.intent.file_name for item in Landing(over).all()) == ["left.csv", "one.csv"]
    assert (waiting / "whole" / "file").exists()


def test_a_writer_is_waited_for(home: Home, place: Path) -> None:
    with writing(home), pytest.raises(Busy), overlay.overlay(home.root, None, place, 0.1):
        pytest.fail("it is being written")
    with overlay.overlay(home.root, None, place, 0) as over:
        lock = FileLock(str(home.writer_lock))
        lock.acquire(timeout=0)  # copied: the next writer need not wait for the plan
        lock.release()
        assert over.warehouse.exists()


def test_without_a_lock_file_a_warehouse_that_changes_is_not_believed(
    home: Home, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.writer_lock.unlink()
    with overlay.overlay(home.root, None, place, 0) as over:
        assert word(over) == "kept"
    assert not home.writer_lock.exists()
    copy = shutil.copyfile

    def beside_a_writer(source: Path, target: Path) -> None:
        copy(source, target)
        os.utime(home.warehouse, ns=(0, time.time_ns()))

    monkeypatch.setattr(shutil, "copyfile", beside_a_writer)
    with pytest.raises(Busy), overlay.overlay(home.root, None, place, 0):
        pytest.fail("it changed every time")


def test_what_a_killed_process_left_is_removed_by_the_next(home: Home, place: Path) -> None:
    left, young, foreign = (place / name for name in ("nyckeltal-plan-left", "nyckeltal-plan-young", "other"))
    for path in (left, young, foreign):
        (path / "sub").mkdir(parents=True)
        if path != young:
            os.utime(path, (0, 0))
    with overlay.overlay(home.root, None, place, 0) as over:
        os.utime(over.root, (0, 0))  # old, but somebody works there
        with overlay.overlay(home.root, None, place, 0):
            assert over.root.exists()
        assert [path.exists() for path in (left, young, foreign)] == [False, True, True]


def test_where_there_is_no_home_nothing_is_planned(tmp_path: Path, home: Home, place: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "letters").touch()
    for base, registry, where in (
        (tmp_path / "missing", None, place),
        (tmp_path / "foreign", None, place),
        (home.root, tmp_path / "foreign", place),
        (home.root, None, tmp_path / "missing"),
    ):
        with pytest.raises(ConfigurationError), overlay.overlay(base, registry, where, 0):
            pytest.fail("there is nothing to plan")
