"""A wide terminal for tables that commands print, whoever imports the command line first.

Beside other test processes one thread of Polars is enough: more of them only wait for a processor, which costs a sixth of it.

Property tests: no deadline (a busy machine is no defect); in CI the examples are the same every time. The default suite tries a fifth
of the examples that `make test-long` tries (`--hypothesis-profile long`), of tests that say how many a third (tests/examples.py).
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, Scheduling

SERVER = "tests/server/"

FEW, MANY = 20, 100
settings.register_profile("default", deadline=None, max_examples=FEW)
settings.register_profile("ci", deadline=None, max_examples=FEW, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=MANY, derandomize="CI" in os.environ)
settings.load_profile("ci" if os.environ.get("CI") else "default")
os.environ["COLUMNS"] = "300"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
gc.set_threshold(50_000, 20, 20)  # as the command line does: looking through what stays is a twentieth of the time


class Together(LoadFileScheduling):
    """What stays in one test process: the tests of a file, for they share homes; and all of tests/server, for they share a service."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return SERVER if file.startswith(SERVER) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """With `--dist loadfile`."""
    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session", autouse=True)
def powered() -> Iterator[None]:
    """The machine keeps its power during tests: nothing in this process waits for the disk. Processes that tests kill do wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        yield
