"""Which waiting runs a run that starts takes along, on a server that answers as Prefect's API does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from flows import guards
from flows.prefect_api import PrefectApi

BEGAN = datetime(2025, 11, 21, 3, 0, tzinfo=UTC)


class Server:
    """Flow runs by id; takes the two filters that folding asks for."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.add("own", state="Running", start_time=BEGAN)

    def add(self, name: str, made: int = -60, expected: int = -60, state: str = "Scheduled", **more: object) -> None:
        """A run made and expected some seconds after the own one began."""
        kind = {"Running": "RUNNING", "Completed": "COMPLETED"}.get(state, "SCHEDULED")
        self.runs[name] = {
            "id": name,
            "name": name,
            "deployment_id": "ingest",
            "created": (BEGAN + timedelta(seconds=made)).isoformat().replace("+00:00", "Z"),
            "expected_start_time": (BEGAN + timedelta(seconds=expected)).isoformat(),
            "start_time": None,
            "state_name": state,
            "state_type": kind,
            "parameters": {},
            **{key: value.isoformat() if isinstance(value, datetime) else value for key, value in more.items()},
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        if path == "/flow_runs/filter":
            asked = json.loads(request.content)
            found = [run for run in self.runs.values() if self._passes(run, asked["flow_runs"])]
            return httpx.Response(200, json=found[asked["offset"] : asked["offset"] + asked["limit"]])
        name = path.split("/")[2]
        if path.endswith("/set_state"):
            state = json.loads(request.content)["state"]
            self.runs[name] |= {"state_name": state["name"], "state_type": state["type"]}
            return httpx.Response(201, json={})
        return httpx.Response(200, json=self.runs[name])

    @staticmethod
    def _passes(run: dict[str, Any], asked: dict[str, Any]) -> bool:
        before = asked.get("expected_start_time", {}).get("before_")
        return (
            run["deployment_id"] in asked["deployment_id"]["any_"]
            and run["state_type"] in asked["state"].get("type", {}).get("any_", [run["state_type"]])
            and run["state_name"] in asked["state"].get("name", {}).get("any_", [run["state_name"]])
            and (before is None or datetime.fromisoformat(run["expected_start_time"]) <= datetime.fromisoformat(before))
        )


@pytest.fixture
def server() -> Server:
    return Server()


def fold(server: Server, patch: pytest.MonkeyPatch) -> set[str]:
    """The runs that were cancelled."""
    client = partial(httpx.Client, transport=httpx.MockTransport(server.answer))
    patch.setattr("flows.prefect_api.httpx.Client", client)
    with PrefectApi("http://127.0.0.1/api", None) as api:
        count = guards.fold(api, "own")
    cancelled = {name for name, run in server.runs.items() if run["state_type"] == "CANCELLED"}
    assert len(cancelled) == count
    return cancelled


def test_what_was_due_is_folded_and_what_came_later_is_not(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("due")
    server.add("later", made=1, expected=1)
    server.add("next night", made=-3600, expected=80_000)
    server.add("at work", state="Running")
    server.add("tried again", state="AwaitingRetry", expected=20)
    server.add("of another flow", deployment_id="refresh")
    assert fold(server, monkeypatch) == {"due"}


def test_what_found_no_place_is_folded_though_its_next_start_lies_ahead(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("turned away", made=-5, expected=25, state="AwaitingConcurrencySlot")
    server.add("turned away, made later", made=2, expected=32, state="AwaitingConcurrencySlot")
    assert fold(server, monkeypatch) == {"turned away"}


def test_more_than_a_page_is_folded_whole(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(450):
        server.add(f"waits {number}", state="AwaitingConcurrencySlot", expected=30)
    assert len(fold(server, monkeypatch)) == 450


def test_runs_that_ask_for_something_else_stay(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.add("another home", parameters={"home": "elsewhere"})
    server.add("the same, another hint", parameters={"agency": "hansel", "delivery": "a"})
    assert fold(server, monkeypatch) == {"the same, another hint"}
