"""A tiny sample's registers, and a `nyckeltal up` with its twin that the tests of one file share.

Not more than one file: what one leaves in its home another's twin would not have, whichever process runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import support
from tests.server.support import Twin, Up, running, write_delivery


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tiny sample in its inbox; to be copied from, never run."""
    return support.sample(tmp_path_factory.mktemp("sampled"))


@pytest.fixture(scope="module")
def home(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return support.empty_home(sampled, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def twin(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    return Twin(support.empty_home(sampled, tmp_path_factory.mktemp("twin")))


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Up]:
    with running(home) as service:
        yield service


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
