"""`up` and `down` without a server: what children are told, places that cannot be a home, ends at awkward moments."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from flows import service
from flows.settings import Settings
from schemas.errors import ConfigurationError
from warehouse.home import Home

NAMES = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "NYCKELTAL_API_URL", "NYCKELTAL_API_AUTH")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "home")
    home.create()
    home.service.mkdir()
    return home


@pytest.mark.parametrize("prefix", [("NYCKELTAL_API_URL", "NYCKELTAL_API_AUTH"), ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")])
def test_children_are_told_of_the_api_by_whatever_name_it_was_set(
    place: Home, monkeypatch: pytest.MonkeyPatch, prefix: tuple[str, str]
) -> None:
    monkeypatch.setenv(prefix[0], "https://prefect.example/api")
    monkeypatch.setenv(prefix[1], "user:word")
    told = service._environment(Settings(home=place.root), place, with_server=False, port=1)

    assert (told["PREFECT_API_URL"], told["PREFECT_API_AUTH_STRING"]) == ("https://prefect.example/api", "user:word")
    assert service.Supervisor(place, told, with_server=False, port=1).url == "https://prefect.example/api"


def test_without_an_api_there_is_nothing_to_join(place: Home) -> None:
    with pytest.raises(ConfigurationError, match="NYCKELTAL_API_URL"):
        service._environment(Settings(home=place.root), place, with_server=False, port=1)


def test_a_place_that_cannot_be_a_home_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory", "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be used as home"):
        service.up(Settings(home=tmp_path / "file" / "home"), with_server=True, port=47_421)


def test_a_service_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    Home(tmp_path).create()
    (tmp_path / "service").write_text("", "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        service.up(Settings(home=tmp_path), with_server=True, port=47_421)


def test_down_waits_for_an_up_that_has_not_said_who_it_is(place: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its start `up` holds the lock before it writes its number, at its end it holds it a little longer."""
    lock = FileLock(str(place.service / "up.lock"), thread_local=False)
    lock.acquire()
    asked: list[tuple[int, int]] = []

    def kill(process: int, number: int) -> None:
        asked.append((process, number))
        (place.service / service.API_FILE).unlink()
        threading.Timer(0.5, lock.release, kwargs={"force": True}).start()

    monkeypatch.setattr(os, "kill", kill)
    state = json.dumps({"url": "", "pid": 4711, "is_own": True})
    threading.Timer(0.5, (place.service / service.API_FILE).write_text, (state,)).start()

    assert service.down(Settings(home=place.root))
    assert asked == [(4711, signal.SIGTERM)]
    assert not service.down(Settings(home=place.root))
