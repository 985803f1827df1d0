"""What `nyckeltal up` opens: nothing without its secret, nothing beyond loopback, nothing that needs a network."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance import support
from tests.server.support import Twin, Up, drop, free_port, show, wait_for

pytestmark = pytest.mark.slow
OPEN = {"/health", "/ready"}
"""What Prefect answers to anybody: that it lives."""
LOOPBACK = {"127.0.0.1", "::1"}


@pytest.mark.timeout(300)
def test_every_call_without_the_secret_is_refused(up: Up) -> None:
    secret = (up.home / "service" / "auth").read_text("utf-8").strip()
    user, _, password = secret.partition(":")
    base = f"http://127.0.0.1:{up.port}"
    with httpx.Client(trust_env=False, timeout=60) as client:
        schema = client.get(f"{base}/api/openapi.json", auth=(user, password)).json()
        tried = 0
        for path, methods in schema["paths"].items():
            for method in methods:
                if path in OPEN:
                    continue
                answer = client.request(method, f"{base}/api{path.replace('{', '').replace('}', '')}", json={})
                assert answer.status_code in (401, 403), f"{method} {path}: {answer.status_code}"
                tried += 1
        assert client.get(f"{base}/api/admin/version", auth=(user, password + "x")).status_code == 401
        assert client.get(f"{base}/api/admin/version", auth=(user, password)).status_code == 200
        assert client.post(f"{base}/api/flow_runs/filter", json={}, auth=(user, password)).status_code == 403, "CSRF"
    show(f"calls refused without credentials: {tried} of {tried}")
    assert tried > 100


@pytest.mark.timeout(120)
def test_nothing_listens_beyond_loopback(up: Up) -> None:
    listening = []
    for process in up.processes("all"):
        with contextlib.suppress(psutil.NoSuchProcess):  # flow runs come and go
            connections = process.net_connections(kind="inet")
            listening += [(process.name(), one.laddr) for one in connections if one.status == psutil.CONN_LISTEN]
    assert up.port in {address.port for _, address in listening}
    assert {address.ip for _, address in listening} <= LOOPBACK


@pytest.mark.timeout(120)
def test_secrets_and_logs_are_for_their_owner(up: Up) -> None:
    service = up.home / "service"
    assert stat.S_IMODE(service.stat().st_mode) == 0o700
    for name in ("auth", "api.json", "logs/server.log", "logs/flows.log", "logs/watcher.log"):
        assert stat.S_IMODE((service / name).stat().st_mode) == 0o600, name
    password = (service / "auth").read_text("utf-8").strip().partition(":")[2]
    seen = [path for path in (service / "logs").iterdir() if password in path.read_text("utf-8", "replace")]
    assert not seen


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("whole_sample")
def test_events_parameters_and_artifacts_carry_no_delivered_text(up: Up, sampled: Path) -> None:
    """The whole sample has gone through; Prefect's database, its logs and ours hold none of the people's names and codes in it."""
    canaries = support.canaries(sampled)
    assert canaries
    for path in [*(up.home / "service").rglob("*"), up.log]:
        if path.is_file():
            data = path.read_bytes()
            found = [canary for canary in canaries if canary.encode() in data]
            assert not found, f"{path.name} holds {len(found)} planted texts"


@pytest.mark.long
@pytest.mark.timeout(600)
def test_it_runs_in_a_network_of_loopback_only(sampled: Path, tmp_path: Path, deliveries: Iterator[Path]) -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("unshare or ip is not installed")
    wrapped = ["unshare", "--map-root-user", "--net", "--"] if os.geteuid() else ["unshare", "--net", "--"]
    if subprocess.run([*wrapped, "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    home = support.empty_home(sampled, tmp_path / "home")
    file = next(deliveries)
    wanted = Twin(support.empty_home(sampled, tmp_path / "twin")).fingerprint_with(file)
    command = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh", *support.arguments(home, "up", "--port", str(free_port()))]
    with (tmp_path / "up.log").open("ab") as log:
        process = subprocess.Popen([*wrapped, *command], env=support.environment(), stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for("api.json", (home / "service" / "api.json").exists, 60)
        drop(home, file)
        wait_for("the file in the published figures", lambda: Up(home).has(wanted), 180)
        assert json.loads((home / "service" / "api.json").read_text("utf-8"))["url"].startswith("http://127.0.0.1:")
    finally:
        for child in psutil.Process(process.pid).children(recursive=True)[:1] or [process]:
            child.terminate()
        process.terminate()
        process.wait(90)
