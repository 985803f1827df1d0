"""Files dropped into the inbox of a running `nyckeltal up`: published without any command, once, however often they are said."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from flows import events
from flows.settings import Settings
from schemas.errors import ServiceUnavailable
from tests.acceptance import support
from tests.server.conftest import Sampled
from tests.server.support import AGENCY, SOURCE, Twin, Up, drop, show, wait_for
from warehouse.home import Home
from warehouse.landing import Landing

pytestmark = pytest.mark.slow
EVERYTHING_SECONDS = 180


@pytest.mark.timeout(600)
@pytest.mark.parametrize("drops", [pytest.param(1, id="short"), pytest.param(5, marks=pytest.mark.server, id="five")])
def test_a_dropped_file_is_published_within_half_a_minute(up: Up, twin: Twin, deliveries: Iterator[Path], drops: int) -> None:
    took = []
    for file in islice(deliveries, drops):
        wanted = twin.fingerprint_with(file)
        up.comes_to_rest(EVERYTHING_SECONDS)
        drop(up.home, file)
        took.append(wait_for("the file in the published figures", lambda wanted=wanted: up.has(wanted), EVERYTHING_SECONDS))
    show(f"dropped to published: median {statistics.median(took):.1f} s of {', '.join(f'{seconds:.1f}' for seconds in took)}")
    assert drops == 1 or statistics.median(took) <= 30  # a single one may meet a minute in which Prefect's SQLite is locked


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_same_event_twenty_times_loads_once(up: Up, twin: Twin, deliveries: Iterator[Path]) -> None:
    file = next(deliveries)
    wanted = twin.fingerprint_with(file)
    drop(up.home, file)
    wait_for("landing", lambda: any(item.intent.file_name == file.name for item in Landing(Home(up.home)).all()), 120)
    landed = next(item for item in Landing(Home(up.home)).all() if item.intent.file_name == file.name)
    for _ in range(20):
        up.api.emit([events.received(landed)])
    wait_for("the file in the published figures", lambda: up.has(wanted), EVERYTHING_SECONDS)
    up.comes_to_rest(EVERYTHING_SECONDS)
    row = support.published(up.home, "SELECT status, receipts_n FROM meta.delivery WHERE file_name = ?", [file.name])
    assert row.rows() == [("loaded", 1)]
    assert up.has(wanted)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "count", [pytest.param(20, marks=pytest.mark.long, id="short"), pytest.param(200, marks=pytest.mark.server, id="200")]
)
def test_a_burst_is_loaded_whole_and_leaves_no_run_behind(up: Up, twin: Twin, deliveries: Iterator[Path], count: int) -> None:
    files = list(islice(deliveries, count))
    wanted = twin.fingerprint_with(*files)
    started = time.monotonic()
    drop(up.home, *files)
    wait_for("the burst in the published figures", lambda: up.has(wanted), 900)
    loaded = time.monotonic() - started
    up.comes_to_rest(EVERYTHING_SECONDS)
    show(f"burst of {count}: published after {loaded:.1f} s, no run left after {time.monotonic() - started:.1f} s")
    assert not [run["name"] for run in up.runs("FAILED", "CRASHED")]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_events_nightly_and_command_line_agree(up: Up, twin: Twin, whole_sample: Sampled) -> None:
    """The whole tiny sample by events; the twin by the command line's way; then both again by a nightly run of the server."""
    support.assert_same(up.home, twin.home)
    before = len(up.runs("COMPLETED"))
    up.api.start("nightly/nightly")
    wait_for("the nightly run", lambda: len(up.runs("COMPLETED")) > before and up.rests(), EVERYTHING_SECONDS)
    assert up.has(whole_sample.wanted)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_three_late_nights_are_one_in_effect(up: Up, twin: Twin, deliveries: Iterator[Path]) -> None:
    """After an outage of three nights their runs start at once, on the day after (the pipeline's day is a parameter)."""
    file = next(deliveries)
    drop(twin.home, file)
    support.nightly(twin.home, as_of=support.AS_OF.replace(day=24))
    up.comes_to_rest(EVERYTHING_SECONDS)
    api = up.api
    number = api.call("GET", "/deployments/name/nightly/nightly")["id"]
    publications = support.ledger(up.home, "SELECT max(publication_no) FROM ledger.publication").item()
    drop(up.home, file)
    day = {"as_of": support.AS_OF.replace(day=24).isoformat()}
    runs = [api.call("POST", f"/deployments/{number}/create_flow_run", {"parameters": day}) for _ in range(3)]
    wanted = support.fingerprint(twin.home)
    wait_for("the nights", lambda: up.has(wanted), EVERYTHING_SECONDS)
    up.comes_to_rest(EVERYTHING_SECONDS)
    states = [api.call("GET", f"/flow_runs/{run['id']}")["state_type"] for run in runs]
    assert set(states) <= {"COMPLETED", "CANCELLED"}
    assert "COMPLETED" in states
    support.assert_same(up.home, twin.home)
    new = support.ledger(up.home, "SELECT cells_changed FROM ledger.publication WHERE publication_no > ?", [publications])
    show(f"three late nights: {states}; publications with changes: {(new['cells_changed'] > 0).sum()}")
    doubled = support.published(
        up.home,
        "SELECT count(*) - count(DISTINCT (figure_id, version, variant, scope, panel, level, level_id, breakdown_kind, "
        "breakdown_id, period_kind, period_start)) FROM mart.key_figure",
    ).item()
    assert doubled == 0


@pytest.mark.timeout(300)
def test_a_refused_delivery_is_an_alert(up: Up) -> None:
    """The event names agency and reason, not the file; the automation that is there for it has acted."""
    inbox = up.home / "inbox" / AGENCY / SOURCE
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "Matti Meikalaisen tiedosto.csv").write_bytes(b"\x00\x01" * 500)

    def said(name: str) -> list[dict[str, Any]]:
        body = {"filter": {"event": {"name": [name]}, "order": "DESC"}, "limit": 50}
        with contextlib.suppress(ServiceUnavailable):  # busy storing the events of what came before
            return list(up.api.call("POST", "/events/filter", body)["events"])
        return []

    wait_for("the alert", lambda: said("nyckeltal.delivery.refused"), EVERYTHING_SECONDS)
    event = said("nyckeltal.delivery.refused")[0]
    assert event["payload"]["data"]["agency"] == AGENCY
    assert event["payload"]["data"]["reasons"]
    assert "Meikalaisen" not in str(event)
    for path in (up.home / "service").rglob("*"):
        assert not path.is_file() or b"Meikalaisen" not in path.read_bytes(), path.name
    assert {"id", "source", "type", "subject", "time", "data"} <= set(event["payload"])
    wait_for(
        "the automation", lambda: any("refused" in str(item["resource"]) for item in said("prefect.automation.triggered")), 60
    )


@pytest.mark.timeout(300)
def test_settings_find_the_running_api(up: Up) -> None:
    """A command on the same home says its deliveries to the running server: no setting needed."""
    assert Settings(home=up.home).api_url is None
    wait_for("an answer", up.api.is_healthy, 90)
