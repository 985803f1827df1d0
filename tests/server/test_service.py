"""`nyckeltal up` as people use it: beside other commands, stopped, started twice, joined to an API that exists."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import support
from tests.server.support import AGENCY, SOURCE, Twin, Up, free_port, wait_for

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.timeout(300)
def test_receive_beside_up_is_heard(up: Up, twin: Twin, deliveries: Iterator[Path]) -> None:
    file = next(deliveries)
    wanted = twin.fingerprint_with(file)
    done = support.run(up.home, "receive", file, "--agency", AGENCY, "--source", SOURCE)
    assert done.returncode == 0, done.stderr
    wait_for("the file in the published figures", lambda: up.has(wanted), 180)


@pytest.mark.timeout(120)
def test_a_second_up_on_the_same_home_is_refused(up: Up) -> None:
    done = support.run(up.home, "up", "--port", str(free_port()))
    assert done.returncode == 75
    assert "runs on" in done.stderr


@pytest.mark.timeout(120)
def test_doctor_sees_the_service(up: Up) -> None:
    done = support.run(up.home, "doctor")
    assert "healthy" in done.stdout
    assert str(up.port) in done.stdout


@pytest.mark.timeout(300)
def test_an_up_joins_an_api_that_exists(up: Up, home: Path, sampled: Path, tmp_path: Path, twin: Twin) -> None:
    """Another home's `up --no-server` serves its flows to the first one's API and stops without taking that along."""
    secret = (up.home / "service" / "auth").read_text("utf-8").strip()
    other = Up(support.empty_home(sampled, tmp_path / "other"))
    log = other.log

    with log.open("ab") as file:
        process = subprocess.Popen(
            support.arguments(other.home, "up", "--no-server"),
            env=support.environment(PREFECT_API_URL=f"http://127.0.0.1:{up.port}/api", PREFECT_API_AUTH_STRING=secret),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for("its watcher", (other.home / "service" / "logs" / "watcher.log").exists, 120)
        assert process.poll() is None, log.read_text("utf-8")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(90) == 0
    assert up.api.is_healthy()


@pytest.mark.timeout(300)
def test_the_interrupt_key_ends_everything_cleanly(up: Up) -> None:
    """SIGTERM ends it when the tests are over. The next test to need the service starts it on the home as it was left."""
    up.ends_cleanly(signal.SIGINT)
