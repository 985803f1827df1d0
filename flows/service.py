"""`nyckeltal up`: the Prefect server, the served flows and the watcher as three child processes of one supervisor.

    <home>/service/            0700
        auth                   0600, user:password made at first start
        api.json               where the API is and who supervises
        logs/<child>.log       rotated
        prefect/               Prefect's own home: database, leases, dead letters
        runs/<flow run>.lock   see flows/guards.py

A child that ends is started again, the longer later the more often it ends. Children die with the supervisor, whatever
kills it (PR_SET_PDEATHSIG), so the next `up` finds the port free. This module and its own process know no prefect.
"""

from __future__ import annotations

import ctypes
import json
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from flows.prefect_api import API_FILE, AUTH_FILE, PrefectApi
from flows.settings import Settings
from schemas.errors import Busy, ConfigurationError, ServiceUnavailable
from warehouse.home import Home, prepared, write_durably

log = logging.getLogger(__name__)

LOG_BYTES, LOG_FILES = 10 * 1024 * 1024, 5
START_SECONDS = 120.0
STOP_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that lived so long starts again at once."""
LONGEST_PAUSE = 30.0

GUARDED: Mapping[str, str] = {
    # measured and read: what keeps one killed process from stopping everything behind it
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    # housekeeping: runs are kept 30 days, events 7
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P30D",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    # loopback, credentials, no telemetry
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PYTHONSAFEPATH": "1",  # a `flows` in the current directory is not ours
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_LOGGING_COLORS": "false",
}


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    reader: threading.Thread | None = field(default=None, repr=False)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


def up(settings: Settings, with_server: bool, port: int) -> None:
    """Run until SIGTERM or SIGINT. Raises Busy when another `up` runs on this home."""
    home = prepared(settings.home)
    lock = FileLock(str(home.service / "up.lock"))
    try:
        home.service.mkdir(mode=0o700, exist_ok=True)
        lock.acquire(timeout=0)
        (home.service / API_FILE).unlink(missing_ok=True)  # of one that was killed: its process number is somebody else's now
    except Timeout as error:
        raise Busy(f"`nyckeltal up` runs on {home.root} already; `nyckeltal down` ends it") from error
    except OSError as error:
        raise ConfigurationError(f"{home.service} cannot be written: {error}") from error
    stop = threading.Event()
    former = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        supervisor = Supervisor(home, _environment(settings, home, with_server, port), with_server, port)
        supervisor.run(stop)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        lock.release()


def down(settings: Settings) -> bool:
    """End `up` on this home and wait for it; returns whether there was one."""
    home = Home(settings.home.resolve())
    if not is_up(home):
        return False
    asked: int | None = None
    until = time.monotonic() + 3 * STOP_SECONDS
    while is_up(home):
        if asked is None and (asked := _supervisor(home)) is not None:
            with suppress(ProcessLookupError):
                os.kill(asked, signal.SIGTERM)
        if time.monotonic() > until:
            raise ServiceUnavailable(f"`nyckeltal up` does not end (process {asked}); look at {home.service / 'logs'}")
        time.sleep(0.2)
    return True


def _supervisor(home: Home) -> int | None:
    """The process of the `up` that holds this home; None while it starts and when it is about to end."""
    try:
        return int(json.loads((home.service / API_FILE).read_text("utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return None


def is_up(home: Home) -> bool:
    """Whether an `up` holds this home."""
    path = home.service / "up.lock"
    if not path.exists():
        return False
    lock = FileLock(str(path))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _secret(home: Home) -> str:
    """user:password of this home's server, made once, readable by its owner only."""
    path = home.service / AUTH_FILE
    if not path.is_file():
        write_durably(path, f"nyckeltal:{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)
    if path.stat().st_mode & 0o077:
        raise ConfigurationError(f"{path} can be read by others; remove it, a new secret is made")
    return path.read_text("utf-8").strip()


def _environment(settings: Settings, home: Home, with_server: bool, port: int) -> dict[str, str]:
    """The children's environment: what was set outside wins, but never credentials, addresses and home."""
    environment = {**GUARDED, **os.environ, "NYCKELTAL_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}
    if settings.as_of:
        environment["NYCKELTAL_AS_OF"] = settings.as_of.isoformat()
    if not with_server:
        if not settings.api_url:
            raise ConfigurationError(
                "--no-server joins an existing API: set NYCKELTAL_API_URL or PREFECT_API_URL (and NYCKELTAL_API_AUTH or "
                "PREFECT_API_AUTH_STRING)"
            )
        auth = {"PREFECT_API_AUTH_STRING": settings.api_auth.get_secret_value()} if settings.api_auth else {}
        return {**environment, "PREFECT_API_URL": settings.api_url, **auth}
    secret = _secret(home)
    return {
        **environment,
        "PREFECT_HOME": str(home.service / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_API_AUTH_STRING": secret,
    }


class Supervisor:
    """Starts the children in order, starts again what ends, stops them in the opposite order."""

    def __init__(self, home: Home, environment: dict[str, str], with_server: bool, port: int) -> None:
        self.home = home
        self.environment = environment
        self.is_own = with_server
        self.port = port
        self.url = environment["PREFECT_API_URL"]
        python = sys.executable
        server = [python, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--analytics-off"]
        self.children = [
            *([Child("server", server)] if with_server else []),
            Child("flows", [python, "-m", "flows.cli", "serve"]),
            Child("watcher", [python, "-m", "flows.cli", "watch"]),
        ]

    def run(self, stop: threading.Event) -> None:
        """Supervise until `stop` is set."""
        if self.is_own:
            _require_free(self.port)
        state = {"url": self.url, "pid": os.getpid(), "is_own": self.is_own}
        write_durably(self.home.service / API_FILE, json.dumps(state).encode(), mode=0o600)
        try:
            for child in self.children:
                self._start(child)
                if child.name == "server":
                    self._wait_for(child, stop)
            log.info("up: %s", self.url)
            while not stop.wait(0.5):
                for child in self.children:
                    self._look_after(child)
        finally:
            for child in reversed(self.children):
                _end(child)
            (self.home.service / API_FILE).unlink(missing_ok=True)
            log.info("down")

    def _wait_for(self, child: Child, stop: threading.Event) -> None:
        """Wait until the server answers, for the others fail without it. Raises ServiceUnavailable when it does not come."""
        until = time.monotonic() + START_SECONDS
        with PrefectApi(self.url, self.environment.get("PREFECT_API_AUTH_STRING"), timeout=5) as api:
            while not (child.is_running() and api.is_healthy() and api.knows_us()):
                if stop.wait(0.25):
                    return
                if child.is_running() and time.monotonic() < until:
                    continue
                raise ServiceUnavailable(f"the Prefect server does not start; see {self.home.service / 'logs' / 'server.log'}")

    def _start(self, child: Child) -> None:
        logs = self.home.service / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        child.process = subprocess.Popen(  # noqa: S603 - our own programs
            child.command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to pass on
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call, no locks
        )
        child.started_at = time.monotonic()
        child.reader = threading.Thread(target=_log_output, args=(child.process, logs / f"{child.name}.log"), daemon=True)
        child.reader.start()
        log.info("%s started, process %s", child.name, child.process.pid)

    def _look_after(self, child: Child) -> None:
        if child.is_running():
            return
        moment = time.monotonic()
        if child.process is not None:
            lived = moment - child.started_at
            child.failures = 1 if lived > STEADY_SECONDS else child.failures + 1
            pause = 0.0 if child.failures == 1 else min(2.0 ** (child.failures - 2), LONGEST_PAUSE)
            log.warning("%s ended with %s; starting it again in %.0f s", child.name, child.process.returncode, pause)
            child.process, child.next_start = None, moment + pause
        if moment >= child.next_start:
            self._start(child)


def _require_free(port: int) -> None:
    """Raise ConfigurationError when somebody else listens on the port: its server would get our secret."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigurationError(f"port {port} is in use; name another by --port or NYCKELTAL_PORT") from error


def _end(child: Child) -> None:
    """SIGTERM, then SIGKILL; what a killed run had not finished the next start takes up."""
    if child.process is None:
        return
    child.process.terminate()
    try:
        child.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("%s does not end; killed", child.name)
        child.process.kill()
        child.process.wait()
    if child.reader:
        child.reader.join(5)


def _log_output(process: subprocess.Popen[bytes], path: Path) -> None:
    """Copy a child's output into a rotated file."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    path.chmod(0o600)
    handler.setFormatter(logging.Formatter("%(message)s"))
    assert process.stdout is not None  # noqa: S101 - a pipe by construction
    with process.stdout:
        for line in process.stdout:
            text = line.decode("utf-8", "replace").rstrip("\n")
            handler.emit(logging.LogRecord("child", logging.INFO, "", 0, text, None, None))
    handler.close()


def _die_with_parent() -> None:
    """Linux: the kernel sends SIGTERM to this process when its parent dies (prctl PR_SET_PDEATHSIG = 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
