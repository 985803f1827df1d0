"""Landing: what is taken, what is refused, what a crash leaves."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.errors import DeliveryRefused
from warehouse.home import Home
from warehouse.landing import Intent, Landing, delivery_id

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


def intent(name: str = "a.csv", produced: datetime = AT, source: str = "purchase_invoices", agency: str = "espoo") -> Intent:
    return Intent(source, agency, name, AT, produced, "receipt")


def file_of(tmp_path: Path, text: str = "x;y\n1;2\n") -> Path:
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    return path


def test_taking_keeps_bytes_and_is_readable_by_its_owner_only(home: Home, tmp_path: Path) -> None:
    landed, is_new = Landing(home).take(file_of(tmp_path), intent(), move=False)

    assert is_new
    assert landed.file.read_text("utf-8") == "x;y\n1;2\n"
    assert (tmp_path / "a.csv").exists()
    assert landed.delivery_id == delivery_id("purchase_invoices", "espoo", landed.sha256)
    assert stat.S_IMODE(landed.file.stat().st_mode) == 0o400
    assert stat.S_IMODE(home.landing.stat().st_mode) == 0o700


def test_moving_takes_the_file_away(home: Home, tmp_path: Path) -> None:
    path = file_of(tmp_path)

    Landing(home).take(path, intent(), move=True)

    assert not path.exists()


def test_the_same_bytes_are_the_same_delivery_received_twice(home: Home, tmp_path: Path) -> None:
    first, _ = Landing(home).take(file_of(tmp_path), intent("a.csv"), move=False)
    again, is_new = Landing(home).take(file_of(tmp_path), intent("b.csv", AT + timedelta(days=1)), move=False)

    assert not is_new
    assert (again.delivery_id, again.receipts_n, again.attempt) == (first.delivery_id, 2, 1)
    assert len(list(Landing(home).all())) == 1


def test_withdrawn_then_delivered_again_is_active_and_prepared_again(home: Home, tmp_path: Path) -> None:
    landed, _ = Landing(home).take(file_of(tmp_path), intent(), move=False)
    Landing(home).note(landed, "withdrawn", AT, "wrong year")
    assert not next(Landing(home).all()).active

    again, _ = Landing(home).take(file_of(tmp_path), intent(produced=AT + timedelta(days=2)), move=False)

    assert again.active
    assert again.attempt == 2
    assert again.intent.produced_at == AT + timedelta(days=2)


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder", "missing"])
def test_only_ordinary_files_are_taken(home: Home, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "symlink":
        path.symlink_to(file_of(tmp_path))
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()

    with pytest.raises(DeliveryRefused):
        Landing(home).take(path, intent(), move=True)

    assert list(Landing(home).all()) == []


def test_an_empty_file_is_refused_with_what_to_do(home: Home, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefused, match="deliver it again") as refusal:
        Landing(home).take(file_of(tmp_path, ""), intent(), move=False)

    assert refusal.value.reasons[0].code == "file_empty"


@pytest.mark.parametrize("word", ["../up", "a/b", "", "A", ".hidden", "x" * 70])
def test_names_that_could_leave_landing_are_refused(home: Home, tmp_path: Path, word: str) -> None:
    with pytest.raises(DeliveryRefused):
        Landing(home).take(file_of(tmp_path), intent(agency=word), move=False)


def test_a_file_left_by_a_crash_is_landed_and_an_intent_without_file_dropped(home: Home, tmp_path: Path) -> None:
    for name, with_file in (("whole", True), ("empty", False)):
        waiting = home.landing / ".incoming" / name
        waiting.mkdir(parents=True)
        (waiting / "intent.json").write_text(json.dumps(intent().to_json()), "utf-8")
        if with_file:
            (waiting / "file").write_text("x;y\n1;2\n", "utf-8")

    finished = Landing(home).recover()

    assert finished == 1
    assert [item.intent.file_name for item in Landing(home).all()] == ["a.csv"]
    assert not any((home.landing / ".incoming").iterdir())


def test_bytes_delivered_again_come_back_where_their_file_was_pruned(home: Home, tmp_path: Path) -> None:
    landing = Landing(home)
    landed, _ = landing.take(file_of(tmp_path), intent(), move=False)
    landed.file.unlink()
    (landed.directory / "file.part").write_text("left by a crash", "utf-8")

    again, is_new = landing.take(file_of(tmp_path), intent(), move=False)

    assert not is_new
    assert again.file.read_text("utf-8") == "x;y\n1;2\n"
    assert stat.S_IMODE(again.file.stat().st_mode) == 0o400
    assert sorted(path.name for path in landed.directory.iterdir()) == ["file", "journal", "manifest.json"]
    assert again.receipts_n == 2


def test_a_delivery_is_let_go_only_while_nothing_else_came(home: Home, tmp_path: Path) -> None:
    landing = Landing(home)
    landed, _ = landing.take(file_of(tmp_path), intent(), move=False)
    assert not landing.drop_file(landed)  # active
    landing.note(landed, "released", AT, "")
    assert landing.retire(landed, AT, "retention") is None  # the journal moved meanwhile

    newest = next(landing.all())
    retired = landing.retire(newest, AT, "retention")
    assert retired is not None
    assert not retired.active
    assert not landing.drop_file(newest)
    assert landing.drop_file(retired)
    assert not retired.file.exists()
    assert not landing.drop_file(retired)  # gone already
    assert [path.name for path in sorted((landed.directory / "journal").iterdir())][-1] == "0003-withdrawn.json"
