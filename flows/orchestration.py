"""Prefect around `flows/pipeline.py`: flows, tasks, artifacts, and `serve` for one machine. The pipeline needs no server.

Every flow does whatever is left to do when it starts, so events are hints and runs that wait behind one another are folded
into the one that starts first. `prefect.yaml` deploys these flows to a work pool; `nyckeltal serve` (a child of
`nyckeltal up`) serves the same deployments from the same file.

The flows are asynchronous and hand the work to a thread: the heartbeat goes on meanwhile, and a synchronous flow would cost
a second more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from prefect import flow, get_run_logger, task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.events import AutomationCore, DeploymentTriggerTypes
from prefect.flows import Flow, aserve
from prefect.runtime import flow_run
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType
from pydantic import TypeAdapter

from flows import announcing, guards, pipeline
from flows.prefect_api import PrefectApi
from flows.settings import Settings
from schemas.errors import Busy, ConfigurationError, InvariantBroken, ServiceUnavailable, StorageFailed

PROCESSES = 3
"""Flow runs at a time on one machine; the writer lock lets one of them write."""


def _settings(home: str | None, as_of: date | None, wait_seconds: float) -> Settings:
    given: dict[str, Any] = {"home": Path(home) if home else None, "as_of": as_of}
    return Settings(**{name: value for name, value in given.items() if value is not None}, wait_seconds=wait_seconds)


async def _guard(settings: Settings, folds: bool = True) -> None:
    """Hold the run's lock; fold the runs that wait behind it."""
    home = pipeline.home_of(settings)
    number = str(flow_run.id)
    guards.hold(home, number)
    api = PrefectApi.of(settings)
    if api and folds:
        with api:
            try:
                folded = await asyncio.to_thread(guards.fold, api, number)
                get_run_logger().info("%s waiting runs folded into this one", folded)
            except ServiceUnavailable as error:
                get_run_logger().warning("nothing folded: %s", error)


@task(name="work", task_run_name="{what}", description="One step of flows/pipeline.py, in a thread.")
async def work(what: str, step: Callable[[], pipeline.Run]) -> pipeline.Run:
    try:
        return await asyncio.to_thread(step)
    except OSError as error:
        # its text holds a path, and file names that agencies choose may name people: Prefect, which stores what runs fail with
        # and shows it, gets the rest; the log of this machine, which its owner alone reads, gets all
        logging.getLogger(__name__).error("%s failed: %s", what, error)
        raise StorageFailed(
            f"{error.strerror or type(error).__name__}; the log of the flows on this machine says where"
        ) from None


@task(name="report", description="Say what was done: events, one markdown and one table artifact.")
async def report(settings: Settings, kind: str, run: pipeline.Run) -> None:
    logger = get_run_logger()
    logger.info(
        "%s loaded, %s refused, publication %s",
        len(run.ingested.loaded),
        len(run.ingested.refused),
        run.published.publication_no if run.published else "as before",
    )
    if not await asyncio.to_thread(announcing.announce, settings, run):
        logger.warning("the server did not take the events of this run; the next sweep makes up for them")
    if run.ingested.changed or run.published:
        text = announcing.quality_markdown(run)
        await acreate_markdown_artifact(text, key="nyckeltal-quality", description=f"Data quality of the last {kind}")
        await acreate_table_artifact(
            announcing.changes_table(run), key="nyckeltal-changes", description="National figures that the last run changed"
        )


async def _step(settings: Settings, what: str, step: Callable[..., pipeline.Run]) -> dict[str, Any]:
    """Run one pipeline function, report, and send the alerts that it (or a run before that died) raised."""
    try:
        run = await work(what, partial(step, settings))
    except InvariantBroken:
        await send_alerts(settings)
        raise
    await report(settings, what, run)
    if run.alerts or run.ingested.changed or run.published or what in ("sweep", "nightly"):
        await send_alerts(settings)
    return {
        "run_id": run.run_id,
        "loaded": len(run.ingested.loaded),
        "refused": len(run.ingested.refused),
        "publication": run.published.publication_no if run.published else None,
        "alerts": len(run.alerts),
    }


@task(name="alerts", description="Send what waits in the outbox of alerts.")
async def send_alerts(settings: Settings) -> None:
    try:
        count = await asyncio.to_thread(announcing.send_alerts, settings)
    except (ServiceUnavailable, Busy) as error:
        get_run_logger().warning("alerts wait in the outbox, the next run sends them: %s", error)
    else:
        get_run_logger().info("%s alerts sent", count)


@flow(name="ingest", flow_run_name="ingest-{agency}-{delivery:.8}", retries=1, retry_delay_seconds=30)
async def ingest(
    agency: str = "all",
    delivery: str = "pending",
    home: str | None = None,
    as_of: date | None = None,
    wait_seconds: float = 1800.0,
) -> dict[str, Any]:
    """Load every delivery that has landed and is not loaded yet.

    Args:
        agency: who delivered, by the event; a hint for the run's name only.
        delivery: id of the delivery that the event was about; a hint for the run's name only.
        home: the home directory; left out, NYCKELTAL_HOME of the worker.
        as_of: compute as of this day; left out, today in Helsinki.
        wait_seconds: how long to wait for another writer before the run fails.
    """
    settings = _settings(home, as_of, wait_seconds)
    await _guard(settings)
    return await _step(settings, "load", pipeline.load)


@flow(name="refresh", flow_run_name="refresh-{cause:.15}", retries=1, retry_delay_seconds=30)
async def refresh(
    cause: str = "asked", home: str | None = None, as_of: date | None = None, wait_seconds: float = 1800.0
) -> dict[str, Any]:
    """Compute and publish until what is published is what is loaded.

    Args:
        cause: id of the run that loaded, by the event; a hint for the run's name only.
        home: the home directory; left out, NYCKELTAL_HOME of the worker.
        as_of: compute as of this day; left out, today in Helsinki.
        wait_seconds: how long to wait for another writer before the run fails.
    """
    settings = _settings(home, as_of, wait_seconds)
    await _guard(settings)
    return await _step(settings, "refresh", pipeline.refresh)


@flow(name="sweep", retries=1, retry_delay_seconds=30)
async def sweep(home: str | None = None, as_of: date | None = None, wait_seconds: float = 1800.0) -> dict[str, Any]:
    """Take in and publish whatever was left lying: by a lost event, a crash, a server that was away.

    Args:
        home: the home directory; left out, NYCKELTAL_HOME of the worker.
        as_of: compute as of this day; left out, today in Helsinki.
        wait_seconds: how long to wait for another writer before the run fails.
    """
    settings = _settings(home, as_of, wait_seconds)
    await _guard(settings)
    return await _step(settings, "sweep", pipeline.sweep)


@flow(name="nightly", retries=1, retry_delay_seconds=60)
async def nightly(home: str | None = None, as_of: date | None = None, wait_seconds: float = 1800.0) -> dict[str, Any]:
    """The whole pipeline: inbox, landing, figures of a new day and of changed registers, alerts, publication.

    Args:
        home: the home directory; left out, NYCKELTAL_HOME of the worker.
        as_of: compute as of this day; left out, today in Helsinki.
        wait_seconds: how long to wait for another writer before the run fails.
    """
    settings = _settings(home, as_of, wait_seconds)
    await _guard(settings)
    done = await _step(settings, "nightly", pipeline.nightly)
    await asyncio.to_thread(announcing.nightly_ended, settings)
    return done


@flow(name="backfill", flow_run_name="backfill-{agency}-{source}", retries=1, retry_delay_seconds=30)
async def backfill(
    source: str = "all",
    agency: str = "all",
    period_from: date | None = None,
    period_to: date | None = None,
    home: str | None = None,
    as_of: date | None = None,
    wait_seconds: float = 1800.0,
) -> dict[str, Any]:
    """Read deliveries again from landing, load and publish.

    Args:
        source: only this source, such as purchase_invoices; "all" for every one.
        agency: only this agency of agencies.csv; "all" for every one.
        period_from: only deliveries that speak for this day or later.
        period_to: only deliveries that speak for this day or earlier.
        home: the home directory; left out, NYCKELTAL_HOME of the worker.
        as_of: compute as of this day; left out, today in Helsinki.
        wait_seconds: how long to wait for another writer before the run fails.
    """
    settings = _settings(home, as_of, wait_seconds)

    def again(settings: Settings) -> pipeline.Run:
        only = (None if source == "all" else source, None if agency == "all" else agency)
        return pipeline.backfill(settings, *only, period_from, period_to)[1]

    await _guard(settings, folds=False)
    return await _step(settings, "backfill", again)


FLOWS: dict[str, Flow[..., Any]] = {item.name: item for item in (ingest, refresh, sweep, nightly, backfill)}


def _beside(name: str) -> Path:
    """A file that a checkout holds at its root and a wheel in this package."""
    here = Path(__file__).parent
    for place in (here.parent / name, here / Path(name).name):
        if place.is_file():
            return place
    raise ConfigurationError(f"{name} is missing; run from a checkout or install the whole package")


def deployments() -> list[RunnerDeployment]:
    """The deployments of `prefect.yaml`, to be served by this process instead of a work pool."""
    found = yaml.safe_load(_beside("prefect.yaml").read_text("utf-8"))
    return [_served(item) for item in found["deployments"]]


def _served(item: dict[str, Any]) -> RunnerDeployment:
    triggers = TypeAdapter(list[DeploymentTriggerTypes]).validate_python(item.get("triggers", []))
    return RunnerDeployment.from_flow(
        FLOWS[item["entrypoint"].rsplit(".", 1)[1]],
        name=item["name"],
        description=item["description"],
        tags=item["tags"],
        parameters=item.get("parameters", {}),
        schedules=[_cron(**schedule) for schedule in item.get("schedules", [])],
        triggers=[*triggers],
        concurrency_limit=ConcurrencyLimitConfig.model_validate(item["concurrency_limit"]),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _cron(cron: str, **more: Any) -> Schedule:
    return Cron(cron, **more)


async def create_automations() -> list[str]:
    """Create the automations of `deploy/automations.yaml` that the server does not have yet; returns their names."""
    wanted = yaml.safe_load(_beside("deploy/automations.yaml").read_text("utf-8"))["automations"]
    created = []
    async with get_client() as client:
        for item in wanted:
            if not await client.read_automations_by_name(item["name"]):
                await client.create_automation(AutomationCore.model_validate(item))
                created.append(str(item["name"]))
    return created


async def serve() -> None:
    """Create what guards runs, then serve the deployments until the process is told to end."""
    created = await create_automations()
    logging.getLogger(__name__).info("automations created: %s", ", ".join(created) or "none")
    settings = Settings()
    api = PrefectApi.of(settings)
    if api:
        with api:
            home = pipeline.home_of(settings)
            dead = [*await asyncio.to_thread(guards.recover, home, api), *await asyncio.to_thread(guards.forsaken, home, api)]
            await asyncio.to_thread(guards.free_slots, api)
            if dead:
                await asyncio.to_thread(api.start, guards.SWEEP)
    # paused schedules would outlive a restart; what is late when we come back is folded into one run
    await aserve(*deployments(), limit=PROCESSES, pause_on_shutdown=False, print_starting_message=False)
