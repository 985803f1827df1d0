"""What `doctor` says of operation: the server, what waits, the last night, what other code read, what is stuck."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from flows import rereading
from flows.guards import TAG
from flows.pipeline import LAST_NIGHTLY
from flows.prefect_api import API_FILE, PrefectApi
from flows.reporting import GLANCE_SECONDS, Finding
from flows.service import is_up
from flows.settings import Settings
from flows.watcher import polling_mark
from schemas.errors import Busy, Damaged, ServiceUnavailable
from warehouse import ledger, store
from warehouse.home import Home
from warehouse.landing import Landed, Landing, last_entry

WAITS_TOO_LONG = timedelta(minutes=30)
"""Three sweeps: whatever waits longer is not taken up by itself."""
NIGHT_TOO_OLD = timedelta(hours=26)
STUCK = timedelta(minutes=10)
HANGS = timedelta(hours=6)


def operation(settings: Settings) -> list[Finding]:
    """Findings about running, in the order a person on call reads them."""
    home = Home(settings.home.resolve())
    return [
        *_service(settings, home),
        *_inbox(home),
        *_warehouse(home, settings.memory_mb),
        *rereading.findings(home),
        *_dead_letters(home),
    ]


def _inbox(home: Home) -> list[Finding]:
    """Whether the watcher has had to fall back on looking once a second."""
    try:
        why = polling_mark(home).read_text("utf-8")
    except OSError:
        return []
    text = f"the file system's notices of {home.inbox} cannot be used ({why}): it is looked at once a second; rename folders whose name is not UTF-8"
    return [Finding("warn", "inbox", text)]


def _service(settings: Settings, home: Home) -> list[Finding]:
    """The server that settings name, or that of `up`; the runs on it that do not get on."""
    api = PrefectApi.of(settings)
    if api is None:
        return [
            Finding("ok", "service", "`nyckeltal up` does not run here and no PREFECT_API_URL is set: nights by command only")
        ]
    with api:
        where = f"{api.url}" + (f", supervised by process {_supervisor(home)}" if is_up(home) else "")
        if not api.is_healthy():
            return [Finding("fail", "service", f"{where}: the server does not answer; see {home.service / 'logs'}")]
        try:
            waiting = api.runs(["SCHEDULED", "PENDING"], TAG)
            working = api.runs(["RUNNING", "CANCELLING"], TAG)
        except ServiceUnavailable as error:
            return [Finding("fail", "service", str(error))]
    now = datetime.now(UTC)
    stuck = [run["name"] for run in waiting if now - datetime.fromisoformat(run["expected_start_time"]) > STUCK]
    stuck += [run["name"] for run in working if run["start_time"] and now - datetime.fromisoformat(run["start_time"]) > HANGS]
    found = [Finding("ok", "service", f"{where}: healthy, {len(working)} runs at work")]
    text = f"{len(stuck)} wait for more than 10 minutes or work for more than 6 hours {', '.join(stuck[:5])}"
    found.append(Finding("fail" if stuck else "ok", "runs", text))
    return found


def _supervisor(home: Home) -> str:
    try:
        return str(json.loads((home.service / API_FILE).read_text("utf-8"))["pid"])
    except (OSError, ValueError, KeyError):
        return "unknown"


def _warehouse(home: Home, memory_mb: int) -> list[Finding]:
    """The oldest delivery that waits, and the last night."""
    now = datetime.now(UTC)
    found = [_deliveries(home, now)]
    try:
        with store.reading(home, GLANCE_SECONDS, memory_mb) as warehouse:
            last = ledger.state(warehouse, LAST_NIGHTLY) if warehouse else None
    except Busy:
        return [*found, Finding("ok", "lock", "a run is writing now")]
    except Damaged:
        return found  # `damage` says so
    found.append(Finding("ok", "lock", "nobody is writing"))
    if last is None:
        found.append(Finding("warn", "nightly", "no nightly run has ended on this home yet"))
    else:
        age = now - datetime.fromisoformat(last)
        found.append(Finding("fail" if age > NIGHT_TOO_OLD else "ok", "nightly", f"the last one ended {_words(age)} ago"))
    return found


def _deliveries(home: Home, now: datetime) -> Finding:
    """What waits, judged without the warehouse (a run that hangs holds it): whose receipt is older than its last entry."""
    newest = [(item, last_entry(item)[1].timestamp()) for item in Landing(home).all()]
    waiting = [since for item, since in newest if since > _receipt_time(home, item)]
    if not waiting:
        return Finding("ok", "deliveries", "none waits")
    age = now - datetime.fromtimestamp(min(waiting), UTC)
    text = f"{len(waiting)} wait, the oldest for {_words(age)}"
    return Finding("fail" if age > WAITS_TOO_LONG else "ok", "deliveries", text)


def _receipt_time(home: Home, item: Landed) -> float:
    path = home.receipts / item.intent.agency / item.intent.source / f"{item.delivery_id}.json"
    return path.stat().st_mtime if path.exists() else 0.0


def _dead_letters(home: Home) -> list[Finding]:
    """Events that Prefect's server could not process; the sweep makes up for them, but they say that its database is strained."""
    letters = list((home.service / "prefect" / "dlq").glob("**/*")) if home.service.exists() else []
    count = sum(path.is_file() for path in letters)
    return [Finding("warn" if count else "ok", "dead letters", f"{count} events in {home.service / 'prefect' / 'dlq'}")]


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
