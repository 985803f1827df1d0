"""Guards against runs whose process died: a file lock per flow run, and `recover`, which believes the lock, not the state.

A lock is freed by the kernel when its process dies, however it died. Prefect's own guards (heartbeats, leases on disk, the
automations of `deploy/automations.yaml`) find the same runs within some 90 seconds, also on other machines; this one needs none.
"""

from __future__ import annotations

import atexit
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from flows.prefect_api import PrefectApi
from warehouse.home import Home

log = logging.getLogger(__name__)

TAG = "nyckeltal"
SWEEP = "sweep/sweep"
UNFINISHED = ("PENDING", "RUNNING", "CANCELLING", "PAUSED")
CRASHED = {
    "type": "CRASHED",
    "name": "Crashed",
    "message": "The process of this run is gone; what it had not finished is taken up by the next sweep.",
}


_held: dict[Path, FileLock] = {}


def hold(home: Home, run_id: str) -> None:
    """Hold the lock of a flow run until this process ends.

    Not only while the flow works: Prefect stores the end of a run after its last line, and a busy server takes it many seconds
    later. A run that is tried again in the same process holds its lock already.
    """
    directory = home.service / "runs"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"{run_id}.lock"
    if path not in _held:
        lock = FileLock(str(path))
        lock.acquire(timeout=0)
        _held[path] = lock


@atexit.register
def _tidy() -> None:
    """Leave no lock file behind; what a killed process leaves, `recover` removes."""
    for path in _held:
        path.unlink(missing_ok=True)


def recover(home: Home, api: PrefectApi) -> list[str]:
    """Mark flow runs of this home whose process is gone as Crashed, which frees what they held; returns their ids.

    Raises ServiceUnavailable when the API does not answer; the lock files stay and the next call goes on.
    """
    crashed = []
    for path in sorted((home.service / "runs").glob("*.lock")):
        lock = FileLock(str(path))
        try:
            found = path.stat().st_ino
            lock.acquire(timeout=0)
        except (Timeout, FileNotFoundError):
            continue  # it lives, or has just ended
        try:
            if path.stat().st_ino == found and _is_unfinished(api, path.stem):
                api.set_state(path.stem, CRASHED)
                crashed.append(path.stem)
                log.warning("flow run %s: its process is gone; marked as crashed", path.stem)
            path.unlink(missing_ok=True)
        finally:
            lock.release()
    return crashed


def forsaken(home: Home, api: PrefectApi) -> list[str]:
    """Mark served runs that a former runner had taken or begun, and that no process works on, as Crashed; returns their ids.

    To be called when a runner starts, before it takes any: there is one runner, so whatever is taken was taken by a dead one.
    A run that outlived its runner holds its lock and goes on. Runs of work pools are their workers' business.
    """
    runs = [run for run in api.runs(UNFINISHED, TAG) if run["work_pool_name"] is None and _is_abandoned(home, run)]
    for run in runs:
        api.set_state(run["id"], CRASHED)
        log.warning("flow run %s: taken by a runner that is gone; marked as crashed", run["id"])
    return [run["id"] for run in runs]


class Recovery:
    """Looks again and again for what dead processes left behind; believes what it sees twice in a row.

    Besides the locks of dead runs it finds runs that died between their first state and their lock, and places of a
    deployment (concurrency slots) that the server counts as taken while no run holds them: both would wait for ever.
    """

    def __init__(self, home: Home, api: PrefectApi) -> None:
        self._home = home
        self._api = api
        self._suspects: frozenset[str] = frozenset()

    def look(self) -> list[str]:
        """One look; returns the ids of the runs that were marked as crashed. Raises ServiceUnavailable."""
        crashed = recover(self._home, self._api)
        deployments = self._api.deployments(TAG)  # before the runs: a place taken in between is then not called free
        runs = self._api.runs((*UNFINISHED, "SCHEDULED"), TAG)
        lost = {run["id"] for run in runs if run["state_type"] == "RUNNING" and _is_abandoned(self._home, run)}
        leaked = _leaked(deployments, runs)
        found = sorted(lost & self._suspects)
        for run_id in found:
            self._api.set_state(run_id, CRASHED)
            log.warning("flow run %s: no process works on it; marked as crashed", run_id)
        for limit_id in sorted(leaked.keys() & self._suspects):
            self._api.set_slots(limit_id, leaked[limit_id])
            log.warning("a place that no run holds is free again (limit %s)", limit_id)
        self._suspects = frozenset(lost | leaked.keys())
        return [*crashed, *found]


def free_slots(api: PrefectApi) -> None:
    """Free the places that no run holds. To be called when a runner starts, before it takes any."""
    for limit_id, held in _leaked(api.deployments(TAG), api.runs((*UNFINISHED, "SCHEDULED"), TAG)).items():
        api.set_slots(limit_id, held)
        log.warning("a place that no run holds is free again (limit %s)", limit_id)


def _leaked(deployments: Iterable[Mapping[str, Any]], runs: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Limits that count more places taken than runs hold, with the number that they hold."""
    holding = [run["deployment_id"] for run in runs if run["state_type"] != "SCHEDULED" or run["state_name"] == "AwaitingRetry"]
    limits = [(item["id"], item["global_concurrency_limit"]) for item in deployments if item["global_concurrency_limit"]]
    return {
        limit["id"]: holding.count(deployment_id)
        for deployment_id, limit in limits
        if limit["active_slots"] > holding.count(deployment_id)
    }


def _is_abandoned(home: Home, run: Mapping[str, Any]) -> bool:
    """Whether a flow run of this home has no living process that holds its lock."""
    if run["parameters"].get("home") not in (None, str(home.root)):
        return False
    path = home.service / "runs" / f"{run['id']}.lock"
    if not path.exists():
        return True
    lock = FileLock(str(path))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _is_unfinished(api: PrefectApi, run_id: str) -> bool:
    runs = api.call("POST", "/flow_runs/filter", {"flow_runs": {"id": {"any_": [run_id]}}})
    return any(run["state_type"] in UNFINISHED for run in runs)


def fold(api: PrefectApi, run_id: str) -> int:
    """Cancel the runs of the same deployment that wait behind `run_id`: it takes everything that has arrived so far.

    To be called before the run looks at what is pending: a run made later stays, because its delivery may have come later.
    A run that found no place waits for another start some 30 seconds on, so it counts by when it was made.
    Returns how many were cancelled.
    """
    own = api.call("GET", f"/flow_runs/{run_id}")
    if own["deployment_id"] is None:
        return 0
    began = own["start_time"] or own["expected_start_time"]
    due = {"state": {"type": {"any_": ["SCHEDULED"]}}, "expected_start_time": {"before_": began}}
    turned_away = {"state": {"name": {"any_": ["AwaitingConcurrencySlot"]}}}
    waiting = {run["id"]: run for kind in (due, turned_away) for run in api.runs_that(deployment_id=own["deployment_id"], **kind)}
    state = {"type": "CANCELLED", "name": "Cancelled", "message": f"Folded into {own['name']}, which takes what had arrived."}
    alike = [
        run
        for run in waiting.values()
        if _asked(run) == _asked(own) and datetime.fromisoformat(run["created"]) <= datetime.fromisoformat(began)
    ]
    for run in alike:
        api.set_state(run["id"], state)
    return len(alike)


def _asked(run: Mapping[str, Any]) -> list[Any]:
    """What makes a run's result differ from another's; the rest of the parameters are hints."""
    return [run["parameters"].get(name) for name in ("home", "as_of", "wait_seconds")]
