"""kill -9 of every kind of process while deliveries come in: the state ends as if nothing had happened, without manual steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.acceptance import support
from tests.server.support import Twin, Up, drop, running, show, wait_for, write_delivery

pytestmark = pytest.mark.long
KINDS = ("flow", "flows", "watcher", "server", "all")
SHORT = ("flow", "all")
HEALED_SECONDS = 180
ROUNDS_FULL = 4


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "kinds", [pytest.param(SHORT, id="short"), pytest.param(KINDS * ROUNDS_FULL, marks=pytest.mark.server, id="full")]
)
def test_kills_heal_within_three_minutes(up: Up, twin: Twin, deliveries: Iterator[Path], kinds: Sequence[str]) -> None:
    rng = Random(len(kinds))
    healed: dict[str, list[float]] = {}
    untimely = 0
    for kind in kinds:
        files = list(islice(deliveries, 3))
        wanted = twin.fingerprint_with(*files)
        up.comes_to_rest(HEALED_SECONDS)
        drop(up.home, *files)
        if kind == "flow":
            wait_for("a flow run at work", lambda: up.processes("flow"), 120, every=0.05)
        time.sleep(rng.uniform(0, 1 if kind == "flow" else 6))
        untimely += not up.has(wanted)
        # the run seen may have been an older one at its end
        wait_for(f"{kind} to kill", lambda kind=kind: up.kill(kind), 120 if kind == "flow" else 1, every=0.05)
        if kind == "all":
            up.start()
        seconds = wait_for(f"healing of a killed {kind}", lambda wanted=wanted: up.has(wanted), HEALED_SECONDS)
        seconds += wait_for(f"rest after a killed {kind}", up.rests, HEALED_SECONDS - seconds)
        healed.setdefault(kind, []).append(seconds)
    for kind, times in healed.items():
        show(f"kill -9 {kind}: whole again after {', '.join(f'{seconds:.0f}' for seconds in times)} s")
    show(f"kills before the deliveries were published: {untimely} of {len(kinds)}")
    assert untimely >= len(kinds) / 2, "most kills came too late to disturb anything"


@pytest.mark.timeout(900)
def test_what_arrives_while_the_server_is_down_comes_in(up: Up, twin: Twin, deliveries: Iterator[Path]) -> None:
    """The server cannot start again (its port is taken) while ten deliveries arrive; they are landed, and loaded when it is back."""
    import socket

    files = list(islice(deliveries, 10))
    wanted = twin.fingerprint_with(*files)
    up.comes_to_rest(HEALED_SECONDS)
    assert up.kill("server")
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_for("the port", lambda: squatter.connect_ex(("127.0.0.1", up.port)) != 0, 30)
        squatter.close()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", up.port))
        drop(up.home, *files)
        wait_for("landing", lambda: not list((up.home / "inbox").rglob("osa-*.csv")), 60)
        assert not up.has(wanted)
    seconds = wait_for("ten deliveries after the server is back", lambda: up.has(wanted), 300)
    show(f"ten deliveries with the server down: published {seconds:.0f} s after it could start again")


@pytest.mark.server
@pytest.mark.timeout(900)
def test_an_event_that_the_server_swallows_costs_minutes_only(
    sampled: Path, tmp_path: Path, deliveries: Iterator[Path]
) -> None:
    """Acknowledged and not acted upon, as when its database is locked: the automations behind both hints are taken away."""
    twin = Twin(support.empty_home(sampled, tmp_path / "twin"))
    with running(support.empty_home(sampled, tmp_path / "home")) as alone:
        alone.comes_to_rest(HEALED_SECONDS)
        taken = 0
        for automation in alone.api.call("POST", "/automations/filter", {}):
            if "delivery received" in automation["name"] or "slices loaded" in automation["name"]:
                alone.api.call("DELETE", f"/automations/{automation['id']}")
                taken += 1
        assert taken == 2
        file = next(deliveries)
        wanted = twin.fingerprint_with(file)
        drop(alone.home, file)
        seconds = wait_for("the file in the published figures", lambda: alone.has(wanted), HEALED_SECONDS)
        show(f"events swallowed by the server: published after {seconds:.0f} s")


def test_the_small_deliveries_differ(tmp_path: Path) -> None:
    """The counts above are of different bytes, else they would test repetition."""
    contents = {write_delivery(tmp_path, number).read_bytes() for number in range(1, 50)}
    assert len(contents) == 49
