"""Prefect around `flows/pipeline.py`: the nightly flow that `prefect.yaml` deploys. The pipeline itself needs no server."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, get_run_logger

from flows import pipeline
from flows.settings import Settings


@flow(name="nightly", retries=1, retry_delay_seconds=60)
def nightly(home: str = "nyckeltal-home", wait_seconds: float = 600.0) -> int:
    """Run the pipeline on `home` and return the publication number in force.

    `wait_seconds` is how long to wait for another writer before giving up (Busy).
    """
    run = pipeline.nightly(Settings(home=Path(home), wait_seconds=wait_seconds))
    number = run.published.publication_no if run.published else 0
    get_run_logger().info("%s loaded, %s refused, publication %s", len(run.ingested.loaded), len(run.ingested.refused), number)
    return number
