"""A home that nothing has happened in, for tests of receiving."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", settle_seconds=0)
