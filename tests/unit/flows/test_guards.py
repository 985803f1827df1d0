"""Run locks: what is alive is left alone, what is dead is marked as crashed once, and a deaf server loses nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import pytest

from flows import guards
from schemas.errors import ServiceUnavailable
from warehouse.home import Home


class Server:
    """The two calls that recovery makes, kept for looking at."""

    def __init__(self, state: str, answers: bool = True) -> None:
        self.state = state
        self.answers = answers
        self.crashed: list[str] = []

    def call(self, _method: str, _path: str, _body: object = None) -> Any:
        if not self.answers:
            raise ServiceUnavailable("away")
        return [{"state_type": self.state}]

    def set_state(self, run_id: str, state: dict[str, str]) -> None:
        assert state["type"] == "CRASHED"
        self.crashed.append(run_id)
        self.state = "CRASHED"


def _hold(root: str, run_id: str, held: Signal) -> None:
    with guards.running(Home(Path(root)), run_id):
        held.set()
        signal.pause()


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """A process that holds the lock of run `one`, to be killed."""
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), "one", held))
    process.start()
    assert held.wait(30)
    yield process
    if process.is_alive():
        process.kill()
    process.join()
    process.close()


def test_a_living_run_is_left_alone(tmp_path: Path, holder: Any) -> None:
    server = Server("RUNNING")
    assert guards.recover(Home(tmp_path), server) == []  # type: ignore[arg-type]
    assert holder.is_alive()
    assert not server.crashed


def test_a_killed_run_is_marked_once(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    server = Server("RUNNING")
    assert guards.recover(Home(tmp_path), server) == ["one"]  # type: ignore[arg-type]
    assert guards.recover(Home(tmp_path), server) == []  # type: ignore[arg-type]
    assert server.crashed == ["one"]


def test_a_dead_run_that_prefect_knows_as_ended_stays_ended(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    server = Server("COMPLETED")
    assert guards.recover(Home(tmp_path), server) == []  # type: ignore[arg-type]
    assert not list((tmp_path / "service" / "runs").iterdir())


def test_while_the_server_is_away_the_lock_file_stays(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with pytest.raises(ServiceUnavailable):
        guards.recover(Home(tmp_path), Server("RUNNING", answers=False))  # type: ignore[arg-type]
    assert guards.recover(Home(tmp_path), Server("RUNNING")) == ["one"]  # type: ignore[arg-type]


def test_a_run_that_ends_leaves_nothing(tmp_path: Path) -> None:
    with guards.running(Home(tmp_path), "one"):
        assert list((tmp_path / "service" / "runs").iterdir())
    assert not list((tmp_path / "service" / "runs").iterdir())
