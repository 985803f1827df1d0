"""What the server tests share: `nyckeltal up` on a home of its own, small deliveries, and a twin that nothing disturbs."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psutil

from flows.prefect_api import PrefectApi
from flows.settings import Settings
from schemas.errors import ServiceUnavailable
from tests.acceptance import support

AGENCY, SOURCE = "sample-koela", "purchase_invoices"
HEADER = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka"
)
UNFINISHED = ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING")
_numbers = itertools.count(1)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(
    what: str, is_true: Callable[[], Any], seconds: float, every: float = 0.25, instead: Callable[[], Any] = lambda: ""
) -> float:
    """Wait until something is true; returns the seconds it took, fails when it does not become so and says what was `instead`."""
    started = time.monotonic()
    while not is_true():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what} {instead()}")
        time.sleep(every)
    return time.monotonic() - started


def write_delivery(folder: Path, number: int) -> Path:
    """A small invoice file with its manifest, a part of its own of one month, the same for the same number."""
    rng = Random(number)
    year, month = 2023 + number // 12 % 2, 1 + number % 12
    rows = [
        f"Koelan kaupunki;{number:04d}{row:03d};{rng.randint(1, 28):02d}.{month:02d}.{year};Otos-Paino 24 Oy;9048548-5;FI;"
        f"{rng.randint(1, 99999)},{rng.randint(0, 99):02d};43010000;Rakennusten kunnossapitopalvelut;Rakennusten ylläpito"
        for row in range(5)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"osa-{number:04d}.csv"
    last = (datetime(year, month, 28, tzinfo=UTC) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    manifest = {
        "produced_at": datetime(2025, 1, 1, tzinfo=UTC).isoformat(),
        "coverage_from": f"{year}-{month:02d}-01",
        "coverage_to": last.date().isoformat(),
        "part": f"{number:04d}",
    }
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")
    return path


class Twin:
    """A home that gets the same deliveries by the command line's way and is never disturbed."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def fingerprint_with(self, *files: Path) -> str:
        """Deliver copies of files too; returns the fingerprint that the other home must come to."""
        drop(self.home, *files)
        support.nightly(self.home)
        return support.fingerprint(self.home)


def drop(home: Path, *files: Path) -> None:
    """Put files into an inbox as an agency does: the manifest first, then the file under a name that is not looked at, renamed."""
    inbox = home / "inbox" / AGENCY / SOURCE
    inbox.mkdir(parents=True, exist_ok=True)
    for file in files:
        manifest = file.with_name(file.name + ".manifest.json")
        shutil.copyfile(manifest, inbox / manifest.name)
        shutil.copyfile(file, inbox / f".{file.name}")
        (inbox / f".{file.name}").rename(inbox / file.name)


class Up:
    """`nyckeltal up` as a process of its own."""

    def __init__(self, home: Path, port: int | None = None, **variables: str) -> None:
        self.home = home
        self.port = port or free_port()
        self.variables = {"NYCKELTAL_SETTLE_SECONDS": "0.5", **variables}
        self.log = home.with_name(f"{home.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ended = False
        """Whether it was stopped cleanly and not started since."""
        self._api: PrefectApi | None = None

    def start(self) -> None:
        """Start, and wait until the flows are served and the first sweep has run."""
        since = datetime.now(UTC)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                support.arguments(self.home, "up", "--port", str(self.port)),
                env=support.environment(**self.variables),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.is_ended = False
        wait_for("a first sweep", lambda: self._has_swept(since), 120, every=0.5)

    def _has_swept(self, since: datetime) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text("utf-8", "replace")
        runs = self.runs("COMPLETED", "FAILED", "CRASHED")
        return any(run["name"] and datetime.fromisoformat(run["end_time"]) > since for run in runs)

    @property
    def api(self) -> PrefectApi:
        if self._api is None:
            self._api = PrefectApi.of(Settings(home=self.home))
        if self._api is None:
            raise ServiceUnavailable("not up")
        return self._api

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Flow runs in some states; none while the server is away."""
        try:
            return self.api.runs(states, "nyckeltal")
        except ServiceUnavailable:
            return []

    def busy(self) -> list[str]:
        """Names and states of the runs that are due or at work."""
        now = datetime.now(UTC)
        return [
            f"{run['name']}: {run['state_name']}"
            for run in self.api.runs(UNFINISHED, "nyckeltal")
            if run["state_type"] != "SCHEDULED" or datetime.fromisoformat(run["expected_start_time"]) <= now
        ]

    def rests(self) -> bool:
        try:
            return not self.busy()
        except ServiceUnavailable:
            return False

    def comes_to_rest(self, seconds: float) -> None:
        """Wait until no run is due or at work."""
        wait_for("rest", self.rests, seconds, instead=self.busy)

    def has(self, fingerprint: str) -> bool:
        """Whether the publication in force has this fingerprint."""
        with contextlib.suppress(Exception):  # no publication yet
            return support.fingerprint(self.home) == fingerprint
        return False

    def has_published(self) -> bool:
        return (self.home / "published" / "nyckeltal.duckdb").exists()

    def processes(self, kind: str) -> list[psutil.Process]:
        """The living processes of a kind: server, flows, watcher, flow (runs), all."""
        assert self.process is not None
        words = {
            "server": "prefect server start",
            "flows": "flows.cli serve",
            "watcher": "flows.cli watch",
            "flow": "prefect.engine",
        }
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if kind == "all" or words[kind] in " ".join(process.cmdline()):
                        found.append(process)
        return found

    def kill(self, kind: str) -> bool:
        """SIGKILL every process of a kind; returns whether there was one."""
        found = self.processes(kind)
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if kind == "all" and self.process is not None:
            self.process.wait(30)
            psutil.wait_procs(found, 30)
        return bool(found)

    def ends_cleanly(self, by: signal.Signals) -> None:
        """Stop, and see that it says so and takes all its processes along."""
        children = self.processes("all")
        assert len(children) >= 4
        assert self.process is not None
        self.stop(by)
        assert self.process.returncode == 0
        _, alive = psutil.wait_procs(children, 5)
        assert not alive
        assert support.run(self.home, "down").stdout.startswith("`nyckeltal up` does not run")
        self.is_ended = True

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self._api is not None:
            self._api.__exit__()
            self._api = None
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(by)
        self.process.wait(90)


@contextlib.contextmanager
def running(home: Path, **variables: str) -> Iterator[Up]:
    """A service of its own, ended by SIGTERM if it runs: cleanly and with every process of it, whatever was done to it meanwhile."""
    service = Up(home, **variables)
    try:
        service.start()
        yield service
        if not service.is_ended:
            service.ends_cleanly(signal.SIGTERM)
    finally:
        service.stop()


def show(text: str) -> None:
    """Print a measured figure past pytest's capture, for `make test-server`."""
    os.write(2, f"\n  [figure] {text}\n".encode())
