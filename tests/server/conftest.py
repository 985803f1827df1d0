"""A tiny sample's registers, and one `nyckeltal up` with its twin that the tests of all files here share.

They run in one process (tests/conftest.py keeps the folder together), in the order of the files' names: what one leaves in the home
its twin has too. Starting a service takes a quarter of a minute, so that a test has one of its own only where it must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance import support
from tests.server.support import Twin, Up, running, wait_for, write_delivery


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny sample in its inbox; to be copied from, never run."""
    return support.sample(tmp_path_factory.mktemp("sampled"))


@pytest.fixture(scope="session")
def home(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return support.empty_home(sampled, tmp_path_factory.mktemp("home") / "home")


@pytest.fixture(scope="session")
def twin(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    return Twin(support.empty_home(sampled, tmp_path_factory.mktemp("twin") / "home"))


@pytest.fixture(scope="session")
def service(home: Path) -> Iterator[Up]:
    with running(home) as service:
        yield service


@pytest.fixture
def up(service: Up) -> Up:
    """The service that the tests share, started anew when one has ended it."""
    if service.is_ended:
        service.start()
    return service


@pytest.fixture(scope="session")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Ever new small deliveries, the same ones in the same order in every session."""
    folder = tmp_path_factory.mktemp("deliveries")

    def numbered() -> Iterator[Path]:
        number = 0
        while True:
            number += 1
            yield write_delivery(folder, number)

    return numbered()


@dataclass(frozen=True)
class Sampled:
    """The whole tiny sample came by events to the service's home and by the command line's way to its twin's."""

    wanted: str


@pytest.fixture(scope="session")
def whole_sample(service: Up, twin: Twin, sampled: Path) -> Sampled:
    """Deliver the sample, with people's names and codes planted in it, to both homes; wait until the service rests."""
    files = support.delivered_files(sampled)
    support.deliver(files, sampled, twin.home)
    assert support.run(twin.home, "nightly").returncode == 0
    wanted = support.fingerprint(twin.home)
    support.deliver(files, sampled, service.home)
    wait_for("landing", lambda: not support.delivered_files(service.home), 60)
    wait_for("the sample in the published figures", lambda: service.has(wanted), 180)
    service.comes_to_rest(180)
    return Sampled(wanted)
