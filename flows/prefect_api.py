"""The few calls of Prefect's REST API that the watcher and the guards need, without importing prefect (1 s, 100 MB).

Source: the server's own OpenAPI page (`<api>/docs`), versions 3.8 and 3.9.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from flows.events import Event
from flows.settings import Settings
from schemas.errors import ServiceUnavailable
from warehouse.home import Home

log = logging.getLogger(__name__)

API_FILE = "api.json"
AUTH_FILE = "auth"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PAGE = 200
PAUSES = (0.2, 0.5, 1.0, 2.0)


class PrefectApi:
    """One server's API, to be closed (`with`). Every call raises ServiceUnavailable when the server does not answer or refuses."""

    def __init__(self, url: str, auth: str | None, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        user, _, password = (auth or "").partition(":")
        self._client = httpx.Client(
            auth=httpx.BasicAuth(user, password) if auth else None,
            timeout=timeout,
            trust_env=urlsplit(url).hostname not in LOOPBACK,  # a proxy of the environment has no business with loopback
        )
        self._name = str(uuid.uuid4())
        self._token: str | None = None

    def __enter__(self) -> PrefectApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @classmethod
    def of(cls, settings: Settings) -> PrefectApi | None:
        """The API of `nyckeltal up` on this home, else the one that settings name, else None. The home's own secret goes to the
        home's own server only."""
        service = Home(settings.home.resolve()).service
        given = settings.api_auth.get_secret_value() if settings.api_auth else None
        try:
            state = json.loads((service / API_FILE).read_text("utf-8"))
            own = (service / AUTH_FILE).read_text("utf-8").strip() if state["is_own"] else given
            return cls(str(state["url"]), own)
        except (OSError, ValueError, KeyError):
            return cls(settings.api_url, given) if settings.api_url else None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One request; the answer's JSON, or None when it has none."""
        try:
            answer = self._send(method, path, body)
            if answer.status_code == httpx.codes.FORBIDDEN:  # the server wants a CSRF token, or another one
                self._token = self._send("GET", f"/csrf-token?client={self._name}", None).raise_for_status().json()["token"]
                answer = self._send(method, path, body)
            answer.raise_for_status()
            return answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError, KeyError) as error:
            status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
            raise ServiceUnavailable(f"Prefect's API at {self.url} does not take {method} {path}: {status}") from error

    def _send(self, method: str, path: str, body: object) -> httpx.Response:
        headers = {"Prefect-Csrf-Token": self._token, "Prefect-Csrf-Client": self._name} if self._token else {}
        for pause in (*PAUSES, None):
            answer = self._client.request(method, self.url + path, headers=headers, json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or pause is None:
                break
            time.sleep(pause)  # its database is locked by another request
        return answer

    def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return self.call("GET", "/health") is True
        except ServiceUnavailable:
            return False

    def knows_us(self) -> bool:
        """Whether our credentials are those of this server."""
        try:
            self.call("GET", "/admin/version")
        except ServiceUnavailable:
            return False
        return True

    def emit(self, events: Sequence[Event]) -> None:
        """Hand events over; returns when the server has acknowledged them (they are in its queue, not yet acted upon)."""
        for start in range(0, len(events), PAGE):
            self.call("POST", "/events", [event.for_prefect() for event in events[start : start + PAGE]])

    def start(self, deployment: str) -> None:
        """Ask for a run of a deployment ("flow/deployment"); it is durable once this returns."""
        found = self.call("GET", f"/deployments/name/{deployment}")
        self.call("POST", f"/deployments/{found['id']}/create_flow_run", {})

    def runs(self, state_types: Sequence[str], tag: str) -> list[dict[str, Any]]:
        """Flow runs that bear a tag and are in some states (SCHEDULED, PENDING, RUNNING, CRASHED ...)."""
        return self._pages({"tags": {"all_": [tag]}, "state": {"type": {"any_": list(state_types)}}})

    def runs_that(self, deployment_id: str, **filters: object) -> list[dict[str, Any]]:
        """Flow runs of a deployment that pass all filters (fields of the API's flow run filter)."""
        return self._pages({"deployment_id": {"any_": [deployment_id]}, **filters})

    def _pages(self, flow_runs: Mapping[str, object]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            body = {"flow_runs": flow_runs, "limit": PAGE, "offset": len(found), "sort": "START_TIME_ASC"}
            page = self.call("POST", "/flow_runs/filter", body)
            found += page
            if len(page) < PAGE:
                return found

    def deployments(self, tag: str) -> list[dict[str, Any]]:
        """Deployments that bear a tag, with their concurrency limits."""
        body = {"deployments": {"tags": {"all_": [tag]}}, "limit": PAGE}
        return list(self.call("POST", "/deployments/filter", body))

    def set_slots(self, limit_id: str, taken: int) -> None:
        """Say how many places of a concurrency limit are taken."""
        self.call("PATCH", f"/v2/concurrency_limits/{limit_id}", {"active_slots": taken})

    def set_state(self, run_id: str, state: Mapping[str, str]) -> None:
        """Put a flow run into a state (type, name, message) whatever state it is in."""
        self.call("POST", f"/flow_runs/{run_id}/set_state", {"state": dict(state), "force": True})
