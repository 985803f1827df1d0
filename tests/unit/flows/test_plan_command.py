"""The command `plan` around the plan: how changes are shown, and that being told to end removes the scratch."""

from __future__ import annotations

import os
import signal
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from flows.cli_plan import _ended_by_sigterm, _number, _period
from warehouse.home import Home
from warehouse.overlay import overlay


def test_a_plan_that_is_told_to_end_removes_its_scratch(tmp_path: Path) -> None:
    home, place = Home(tmp_path / "home"), tmp_path / "scratch"
    home.create()
    place.mkdir()
    former = signal.getsignal(signal.SIGTERM)

    def told_to_end() -> None:
        with _ended_by_sigterm(), overlay(home.root, None, place, 0):
            assert list(place.iterdir())
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as ended:
        told_to_end()
    assert (ended.value.code, list(place.iterdir()), signal.getsignal(signal.SIGTERM)) == (143, [], former)


@pytest.mark.parametrize(
    ("value", "unit", "sign", "shown"),
    [
        (Decimal("0.08393"), "share", "", "8.393 %"),
        (Decimal("-0.0100"), "share", "+", "-1 %"),
        (Decimal("100000.00"), "eur", "+", "+100,000"),
        (Decimal("0.00000001"), "score", "+", "+0"),
        (Decimal("20.000"), "days", "", "20"),
        (None, "eur", "", "-"),
    ],
)
def test_numbers_as_people_read_them(value: Decimal | None, unit: str, sign: str, shown: str) -> None:
    assert _number(value, unit, sign) == shown


@pytest.mark.parametrize(
    ("kind", "shown"), [("year", "2025"), ("quarter", "2025 Q3"), ("month", "2025-07"), ("rolling_12m", "2025-07 rolling_12m")]
)
def test_periods_as_people_read_them(kind: str, shown: str) -> None:
    assert _period({"period_kind": kind, "period_start": date(2025, 7, 1)}) == shown
