"""kill -9 anywhere: the next run ends in the same state as an undisturbed one, and the former publication stays readable."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.acceptance import support

NIGHTS, NIGHTS_HEAVY = 4, 50
RECEIPTS, RECEIPTS_HEAVY = 1, 10
KILLS = 2
"""Kills in a row in each night, before the run that is left alone; in each receipt, one for every file."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, tiny_sample: Path) -> Path:
    """A home with a first publication that rests on half of the deliveries."""
    files = support.delivered_files(tiny_sample)
    home = support.empty_home(tiny_sample, tmp_path_factory.mktemp("before") / "home")
    support.deliver(files[::2], tiny_sample, home)
    support.nightly(home)
    return home


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_sample: Path, before: Path) -> tuple[Path, float]:
    """The home after an undisturbed run, and how long its process took."""
    home = copied(before, tmp_path_factory.mktemp("undisturbed") / "home")
    support.deliver(support.delivered_files(tiny_sample)[1::2], tiny_sample, home)
    started = time.monotonic()
    assert support.run(home, "nightly").returncode == 0
    return home, time.monotonic() - started


def copied(home: Path, target: Path) -> Path:
    subprocess.run(["cp", "-a", str(home), str(target)], check=True)
    return target


def killed(home: Path, delay: float, *words: str | Path) -> bool:
    """Start a command and kill it after `delay` seconds; whether it was still running."""
    with subprocess.Popen(
        support.arguments(home, *words), env=support.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
    return False


@contextmanager
def reader(home: Path) -> Iterator[list[str]]:
    """A reader that asks the published file all the while; yields what went wrong."""
    wrong: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                held = support.published(
                    home, "SELECT p.cells_n, count(*) AS n FROM meta.publication p, mart.key_figure GROUP BY 1"
                )
                if held.height != 1 or held["cells_n"].item() != held["n"].item():
                    wrong.append(f"a mixture: {held.rows()}")
            except Exception as error:
                wrong.append(repr(error))
            time.sleep(0.1)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join()


def nightly_survives(
    tmp_path: Path, before: Path, undisturbed: tuple[Path, float], files: Sequence[Path], source: Path, seed: int
) -> None:
    expected, duration = undisturbed
    chance = Random(seed)
    home = copied(before, tmp_path / "home")
    support.deliver(files, source, home)

    with reader(home) as wrong:
        for _ in range(KILLS):
            killed(home, chance.uniform(0.3, duration), "nightly")
        assert support.run(home, "nightly").returncode == 0

    assert wrong == []
    support.assert_same(home, expected)


def receive_survives(
    tmp_path: Path, before: Path, undisturbed: tuple[Path, float], files: Sequence[Path], source: Path, seed: int
) -> None:
    chance = Random(seed)
    home = copied(before, tmp_path / "home")
    folder = tmp_path / "delivered"
    folder.mkdir()
    support.deliver(files, source, folder)

    for path in support.delivered_files(folder):
        words = ("receive", path, "--agency", path.parent.parent.name, "--source", path.parent.name)
        killed(home, chance.uniform(0.2, 1.5), *words)
        assert support.run(home, *words).returncode == 0
        assert path.exists()
    assert support.run(home, "nightly").returncode == 0

    support.assert_same(home, undisturbed[0])


@pytest.mark.long
@pytest.mark.parametrize("point", range(NIGHTS))
def test_nightly_killed(tmp_path: Path, before: Path, undisturbed: tuple[Path, float], tiny_sample: Path, point: int) -> None:
    nightly_survives(tmp_path, before, undisturbed, support.delivered_files(tiny_sample)[1::2], tiny_sample, point)


@pytest.mark.long
@pytest.mark.parametrize("point", range(RECEIPTS))
def test_receive_killed(tmp_path: Path, before: Path, undisturbed: tuple[Path, float], tiny_sample: Path, point: int) -> None:
    receive_survives(tmp_path, before, undisturbed, support.delivered_files(tiny_sample)[1::2], tiny_sample, point)


@pytest.mark.heavy
@pytest.mark.parametrize("point", range(NIGHTS, NIGHTS_HEAVY))
def test_nightly_killed_at_many_points(
    tmp_path: Path, before: Path, undisturbed: tuple[Path, float], tiny_sample: Path, point: int
) -> None:
    nightly_survives(tmp_path, before, undisturbed, support.delivered_files(tiny_sample)[1::2], tiny_sample, point)


@pytest.mark.heavy
@pytest.mark.parametrize("point", range(RECEIPTS, RECEIPTS_HEAVY))
def test_receive_killed_at_many_points(
    tmp_path: Path, before: Path, undisturbed: tuple[Path, float], tiny_sample: Path, point: int
) -> None:
    receive_survives(tmp_path, before, undisturbed, support.delivered_files(tiny_sample)[1::2], tiny_sample, point)
