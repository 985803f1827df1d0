"""Run locks: what is alive is left alone, what is dead is marked as crashed once, and a deaf server loses nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
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
    guards.hold(Home(Path(root)), run_id)
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


PROCESS = """
import sys
from pathlib import Path
from flows import guards
from warehouse.home import Home
home = Home(Path(sys.argv[1]))
guards.hold(home, "one")
guards.hold(home, "one")  # the flow is tried again
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_is_alive_until_its_process_ends_and_leaves_nothing(tmp_path: Path) -> None:
    """Seen on a busy machine: the flow's last line was done, Prefect could not store its end yet, and it was called crashed."""
    process = subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    server = Server("RUNNING")
    assert guards.recover(Home(tmp_path), server) == []  # type: ignore[arg-type]
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not list((tmp_path / "service" / "runs").iterdir())


class Tracker:
    """A server that knows runs and places taken, kept for looking at."""

    def __init__(self, *runs: dict[str, Any], taken: int = 0) -> None:
        base = {"state_name": "Running", "work_pool_name": None, "parameters": {}, "deployment_id": "d"}
        self.known = [{**base, **run} for run in runs]
        self.taken = taken
        self.crashed: list[str] = []

    def call(self, _method: str, _path: str, _body: object = None) -> Any:
        return []

    def runs(self, states: tuple[str, ...], _tag: str) -> list[dict[str, Any]]:
        return [run for run in self.known if run["state_type"] in states]

    def deployments(self, _tag: str) -> list[dict[str, Any]]:
        return [{"id": "d", "global_concurrency_limit": {"id": "limit", "active_slots": self.taken}}]

    def set_slots(self, limit_id: str, taken: int) -> None:
        assert limit_id == "limit"
        self.taken = taken

    def set_state(self, run_id: str, state: dict[str, str]) -> None:
        assert state["type"] == "CRASHED"
        self.crashed.append(run_id)
        self.known = [run for run in self.known if run["id"] != run_id]


def test_a_run_that_nobody_works_on_is_believed_dead_at_the_second_look(tmp_path: Path) -> None:
    server = Tracker({"id": "lost", "state_type": "RUNNING"}, {"id": "waits", "state_type": "PENDING"})
    recovery = guards.Recovery(Home(tmp_path), server)  # type: ignore[arg-type]
    assert recovery.look() == []
    assert recovery.look() == ["lost"]
    assert server.crashed == ["lost"]


def test_living_runs_and_those_of_other_homes_are_left_alone(tmp_path: Path, holder: Any) -> None:
    server = Tracker(
        {"id": "one", "state_type": "RUNNING"}, {"id": "other", "state_type": "RUNNING", "parameters": {"home": "/elsewhere"}}
    )
    home = Home(tmp_path)
    recovery = guards.Recovery(home, server)  # type: ignore[arg-type]
    assert [recovery.look() for _ in range(3)] == [[], [], []]
    assert guards.forsaken(home, server) == []  # type: ignore[arg-type]
    assert holder.is_alive()


def test_a_new_runner_gives_up_what_a_dead_one_had_taken_or_begun(tmp_path: Path) -> None:
    server = Tracker(
        {"id": "taken", "state_type": "PENDING"},
        {"id": "begun", "state_type": "RUNNING"},
        {"id": "of a worker", "state_type": "PENDING", "work_pool_name": "nyckeltal"},
    )
    assert guards.forsaken(Home(tmp_path), server) == ["taken", "begun"]  # type: ignore[arg-type]
    assert server.crashed == ["taken", "begun"]


def test_a_place_that_no_run_holds_is_freed_at_the_second_look(tmp_path: Path) -> None:
    """Seen with kill -9 of everything: the deployment counted its one place as taken and every later run waited for ever."""
    server = Tracker({"id": "waits", "state_type": "SCHEDULED", "state_name": "AwaitingConcurrencySlot"}, taken=1)
    recovery = guards.Recovery(Home(tmp_path), server)  # type: ignore[arg-type]
    recovery.look()
    assert server.taken == 1
    recovery.look()
    assert server.taken == 0


@pytest.mark.parametrize(
    "run", [{"state_type": "PENDING"}, {"state_type": "SCHEDULED", "state_name": "AwaitingRetry"}], ids=["pending", "retry"]
)
def test_a_place_that_a_run_holds_stays_taken(tmp_path: Path, run: dict[str, Any]) -> None:
    server = Tracker({"id": "holds", **run}, taken=1)
    recovery = guards.Recovery(Home(tmp_path), server)  # type: ignore[arg-type]
    recovery.look()
    recovery.look()
    guards.free_slots(server)  # type: ignore[arg-type]
    assert server.taken == 1


def test_a_new_runner_frees_places_at_once(tmp_path: Path) -> None:
    server = Tracker(taken=1)
    guards.free_slots(server)  # type: ignore[arg-type]
    assert server.taken == 0
