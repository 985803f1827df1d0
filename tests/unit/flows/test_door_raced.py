"""A file that is swapped for a link while it is taken in: what lands is what lay there, never what a link leads to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import pipeline
from flows.settings import Settings
from tests.unit.flows.inbox_files import put
from warehouse import landing
from warehouse.home import Home
from warehouse.landing import Landing

PLACE = "kaarina/purchase_invoices"
CSV = b"Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;12,50\n"
SECRET = CSV.replace(b"12,50", b"99,99")
SWAPS = 150


@contextmanager
def meanwhile(change: Callable[[], None]) -> Iterator[None]:
    """Do something again and again beside."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            change()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def landed_bytes(home: Home) -> list[bytes]:
    return [item.file.read_bytes() for item in Landing(home).all()]


@pytest.mark.parametrize("swapped", ["file", "folder"])
def test_what_a_link_leads_to_never_lands(settings: Settings, tmp_path: Path, swapped: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = outside / "a.csv"
    secret.write_bytes(SECRET)
    secret.chmod(0o644)
    home = pipeline.home_of(settings)
    place = settings.home / "inbox" / PLACE
    target, aim = (place / "a.csv", secret) if swapped == "file" else (place, outside)
    link, spare = tmp_path / "link", tmp_path / "spare"

    def change() -> None:
        try:
            link.symlink_to(aim)
            if swapped == "file":
                link.replace(target)
                spare.write_bytes(CSV)
                spare.replace(target)
            else:
                target.rename(spare)
                link.rename(target)
                target.unlink()
                spare.rename(target)
        except OSError:
            pass
        finally:
            link.unlink(missing_ok=True)
            if swapped == "folder" and spare.is_dir():
                if target.is_symlink():
                    target.unlink()
                if not target.exists():
                    spare.rename(target)

    place.mkdir(parents=True)
    with meanwhile(change):
        for number in range(SWAPS):
            if swapped == "folder":
                try:
                    put(settings, f"{PLACE}/b{number}.csv", CSV + b"Kaarina;2;15.03.2024;4300;%d,00\n" % number)
                except OSError:
                    continue
            pipeline.land(settings)

    assert SECRET not in landed_bytes(home)
    assert secret.read_bytes() == SECRET
    assert secret.stat().st_mode & 0o777 == 0o644


def test_a_link_put_in_just_before_the_move_goes_back(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(SECRET)
    path = put(settings, f"{PLACE}/a.csv", CSV)
    moved = landing._moved

    def swapped(folder: int, file: int, name: str, target: Path) -> bool:
        path.unlink()
        path.symlink_to(secret)
        return moved(folder, file, name, target)

    monkeypatch.setattr(landing, "_moved", swapped)
    [received] = pipeline.land(settings)
    assert [reason.code for reason in received.reasons] == ["file_growing"]
    assert landed_bytes(pipeline.home_of(settings)) == []
    assert secret.read_bytes() == SECRET


def test_a_link_that_a_crash_left_among_the_incoming_is_no_delivery(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(SECRET)
    home = pipeline.home_of(settings)
    waiting = home.landing / ".incoming" / "token"
    waiting.mkdir(parents=True)
    (waiting / "file").symlink_to(secret)
    (waiting / "intent.json").write_text("{}", "utf-8")
    assert Landing(home).recover() == 0
    assert not os.path.lexists(waiting)
    assert secret.read_bytes() == SECRET
