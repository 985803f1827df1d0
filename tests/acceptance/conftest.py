"""Samples shared by the acceptance tests: made once, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance import support


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo sample after one nightly run. Read only."""
    home = support.sample(tmp_path_factory.mktemp("demo") / "home", "demo")
    support.nightly(home)
    return home


@pytest.fixture(scope="session")
def tiny_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny sample, delivered and not yet taken. Read only."""
    return support.sample(tmp_path_factory.mktemp("tiny") / "sample")


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory, tiny_sample: Path) -> Path:
    """The tiny sample after one nightly run. Read only."""
    home = support.empty_home(tiny_sample, tmp_path_factory.mktemp("tiny_home") / "home")
    support.deliver(support.delivered_files(tiny_sample), tiny_sample, home)
    support.nightly(home)
    return home
