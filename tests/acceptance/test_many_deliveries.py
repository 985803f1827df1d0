"""Three thousand small deliveries in one night, and again from landing into a fresh warehouse: inside 1.2 GB, figures as plain sums
say. What is smaller and quick is in tests/unit/flows/test_many_deliveries.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance import many, support
from warehouse.memory import LEAST_MEMORY_MB

LIMIT = 1.2e9
"""Bytes that a night may hold at its peak, settings as they come."""


def night(home: Path, **variables: str) -> float:
    """Run a night in a process of its own; returns the bytes that it held at its peak."""
    process = subprocess.Popen(support.arguments(home, "nightly"), env=support.environment(**variables), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024.0


def rebuilt(home: Path, **variables: str) -> float:
    """The home made again from landing; returns the peak."""
    (home / "warehouse.duckdb").unlink()
    for place in ("lake", "published"):
        shutil.rmtree(home / place)
    return night(home, **variables)


@pytest.mark.heavy
def test_three_thousand_deliveries_in_one_night(tmp_path: Path) -> None:
    home = tmp_path / "home"
    truth = many.write(home, agencies=100, months=27, notices=200)
    assert truth.deliveries >= 3_000
    assert night(home) < LIMIT
    many.check(home, truth)
    first = support.fingerprint(home)
    assert rebuilt(home) < LIMIT
    many.check(home, truth)
    assert support.fingerprint(home) == first


@pytest.mark.heavy
def test_three_hundred_deliveries_in_the_least_memory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    truth = many.write(home, agencies=10, months=24, notices=50)
    least = {"NYCKELTAL_MEMORY_MB": str(LEAST_MEMORY_MB)}
    night(home, **least)
    many.check(home, truth)
    first = support.fingerprint(home)
    rebuilt(home, **least)
    assert support.fingerprint(home) == first
