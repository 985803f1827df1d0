"""`prefect deploy --all` of prefect.yaml as it stands, a process worker, and the watcher beside it: README, "Deploy to your Prefect"."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median

import psutil
import pytest

from flows.prefect_api import PrefectApi
from flows.service import GUARDED
from schemas.errors import ServiceUnavailable
from tests.acceptance import support
from tests.server.support import Twin, drop, free_port, show, wait_for

pytestmark = pytest.mark.long
SECRET = "someone:else"  # noqa: S105 - of a server that lives as long as the test


class Deployed:
    """A Prefect server of one's own with the flows deployed to a work pool, a worker and a watcher."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home = home
        self.stack = stack
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        self.variables = {
            **support.environment(),
            **GUARDED,
            "PREFECT_HOME": str(home.with_name(f"{home.name}-prefect")),
            "PREFECT_API_URL": self.url,
            "PREFECT_API_AUTH_STRING": SECRET,
            "PREFECT_SERVER_API_AUTH_STRING": SECRET,
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "NYCKELTAL_HOME": str(home),
            "NYCKELTAL_AS_OF": support.AS_OF.isoformat(),
        }
        self.api = stack.enter_context(PrefectApi(self.url, SECRET))
        self.start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        wait_for("the server", self.api.is_healthy, 180)
        self.run("work-pool", "create", "nyckeltal", "--type", "process")
        self.run("automation", "create", "--from-file", "deploy/automations.yaml")
        self.run("--no-prompt", "deploy", "--all")
        self.worker = self.start("worker", "prefect", "worker", "start", "--pool", "nyckeltal", "--name", "one")
        self.start("watcher", "flows.cli", "watch")

    def start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        log = self.stack.enter_context(self.home.with_name(f"{self.home.name}-{name}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=self.variables, cwd=support.ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        self.stack.callback(_end, process)
        return process

    def run(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", *words],
            env=self.variables,
            cwd=support.ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def logged(self) -> str:
        """The last lines of every process, for the message of a failed test."""
        logs = sorted(self.home.parent.glob(f"{self.home.name}-*.log"))
        return "\n".join(f"{path.name}:\n{path.read_text('utf-8', 'replace')[-3000:]}" for path in logs)

    def has(self, fingerprint: str) -> bool:
        published = (self.home / "published" / "nyckeltal.duckdb").exists()
        return published and support.fingerprint(self.home) == fingerprint


def _end(process: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        if child.is_running():
            child.kill()


@pytest.fixture(scope="module")
def home(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return support.empty_home(sampled, tmp_path_factory.mktemp("deployed") / "home")


@pytest.fixture(scope="module")
def twin(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    return Twin(support.empty_home(sampled, tmp_path_factory.mktemp("undeployed") / "home"))


@pytest.fixture(scope="module")
def deployed(home: Path) -> Iterator[Deployed]:
    with ExitStack() as stack:
        yield Deployed(home, stack)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("drops", [pytest.param(1, id="short"), pytest.param(5, marks=pytest.mark.server, id="five")])
def test_a_dropped_file_is_published_by_a_worker(deployed: Deployed, twin: Twin, deliveries: Iterator[Path], drops: int) -> None:
    """A single drop may meet a minute in which Prefect's SQLite is locked (seen once in some twenty); the median may not."""
    wait_for("a first sweep", lambda: deployed.api.runs(["COMPLETED"], "nyckeltal"), 300)
    took = []
    for file in islice(deliveries, drops):
        wanted = twin.fingerprint_with(file)
        drop(deployed.home, file)
        took.append(wait_for("the file in the published figures", lambda wanted=wanted: deployed.has(wanted), 150))
    show(f"dropped to published by a worker: median {median(took):.1f} s of {', '.join(f'{seconds:.1f}' for seconds in took)}")
    assert drops == 1 or median(took) <= 30
    names = [run["name"] for run in deployed.api.runs(["COMPLETED"], "nyckeltal")]
    assert any(name.startswith("ingest-sample-koela-") for name in names), names


@pytest.mark.timeout(300)
def test_nights_are_scheduled_also_when_the_clock_changes(deployed: Deployed) -> None:
    """02:15 in Helsinki is in UTC 00:15 in winter and 23:15 of the day before in summer."""
    api = deployed.api
    number = api.call("GET", "/deployments/name/nightly/nightly")["id"]

    def nights() -> list[datetime]:
        body = {"flow_runs": {"deployment_id": {"any_": [number]}, "state": {"type": {"any_": ["SCHEDULED"]}}}}
        return [datetime.fromisoformat(run["expected_start_time"]) for run in api.call("POST", "/flow_runs/filter", body)]

    wait_for("scheduled nights, without asking", nights, 180)
    year = datetime.now(UTC).year + 1
    spring, autumn = _last_sunday(year, 3), _last_sunday(year, 10)
    for day, wanted in (
        (spring, [spring + timedelta(minutes=15)]),
        (autumn, [autumn - timedelta(minutes=45)]),
    ):
        span = (day - timedelta(hours=2), day + timedelta(hours=20))
        body = {"start_time": span[0].isoformat(), "end_time": span[1].isoformat(), "min_time": 1, "max_runs": 10}
        api.call("POST", f"/deployments/{number}/schedule", body)
        assert [night for night in nights() if span[0] <= night < span[1]] == wanted


def _last_sunday(year: int, month: int) -> datetime:
    """Midnight UTC of the Sunday on which the clock changes in Finland."""
    day = datetime(year, month, 31, tzinfo=UTC)
    return day - timedelta(days=(day.weekday() + 1) % 7)


@pytest.mark.timeout(300)
def test_a_nightly_run_runs(deployed: Deployed, twin: Twin, deliveries: Iterator[Path]) -> None:
    file = next(deliveries)
    wanted = twin.fingerprint_with(file)
    drop(deployed.home, file)
    number = deployed.api.call("GET", "/deployments/name/nightly/nightly")["id"]
    run = deployed.api.call("POST", f"/deployments/{number}/create_flow_run", {})["id"]

    def ended() -> bool:
        try:
            return deployed.api.call("GET", f"/flow_runs/{run}")["state_type"] in ("COMPLETED", "FAILED", "CRASHED")
        except ServiceUnavailable:  # a busy server answers late
            return False

    wait_for("the nightly run", ended, 300)
    state = deployed.api.call("GET", f"/flow_runs/{run}")["state"]
    assert state["type"] == "COMPLETED", (state, deployed.logged())
    wait_for("its figures", lambda: deployed.has(wanted), 120)
    keys = {item["key"] for item in deployed.api.call("POST", "/artifacts/latest/filter", {})}
    assert {"nyckeltal-quality", "nyckeltal-changes"} <= keys


@pytest.mark.server
@pytest.mark.timeout(600)
def test_a_killed_worker_leaves_nothing_stuck(deployed: Deployed, twin: Twin, deliveries: Iterator[Path]) -> None:
    """Worker and flow runs die together, as when their machine does; another worker takes over."""
    file = next(deliveries)
    wanted = twin.fingerprint_with(file)
    drop(deployed.home, file)

    def at_work() -> list[psutil.Process]:
        children = psutil.Process(deployed.worker.pid).children(recursive=True)
        return [child for child in children if "prefect.engine" in " ".join(child.cmdline())]

    wait_for("a flow run of the worker", at_work, 60, every=0.05)
    for process in [psutil.Process(deployed.worker.pid), *at_work()]:
        process.kill()
    deployed.start("worker", "prefect", "worker", "start", "--pool", "nyckeltal", "--name", "two")
    seconds = wait_for("healing", lambda: deployed.has(wanted), 180)
    show(f"kill -9 of worker and its flow runs: whole again after {seconds:.0f} s")
