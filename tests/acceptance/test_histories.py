"""Same data, same code, same figures: whatever happened to a home, computing it again from nothing changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import polars as pl
import pytest

from flows import pipeline
from tests.acceptance import histories
from tests.acceptance.histories import Life, at_once, live, told, true_mark
from transforms.disclosure.rules import protected, rules
from transforms.key_figures import DEFINITIONS
from warehouse.home import Home

HISTORIES, HEAVY_HISTORIES = 30, 500
SHORT, LONG = 2, 4
"""Events of a life."""


def open_rows(home: Path) -> pl.DataFrame:
    """Rows of figures of class P0 and P1."""
    guarded = protected(rules(pipeline.reference_of(Home(home)), DEFINITIONS))
    return told(home).filter(~pl.col("figure_id").is_in(list(guarded)))


def check_history(seed: int, tmp_path: Path, whole: bool = False) -> None:
    """A life and its end; `whole`: a longer one, at whose end everything is tried. Of the others each ends in one of three ways: with
    what may change nothing and computed again, against a home that got everything at once, or computed again only."""
    rng = Random(f"history-{seed}")
    life, every = live(rng, tmp_path / "home", LONG if whole else SHORT)
    before, mark = told(life.home), true_mark(life.home)
    if whole or seed % 3 == 0:
        check_quiet_events(rng, life, before, mark)
    if whole or seed % 3 == 1:
        fresh = at_once(life, every, tmp_path / "at-once")
        assert open_rows(fresh.home).equals(open_rows(life.home)), "the way to the same deliveries shows"
        assert true_mark(fresh.home) == mark
    if whole or seed % 3 != 1:  # what came at once was computed from nothing
        assert_recomputed_alike(life, from_lake=bool(seed % 2))
    assert told(life.home).equals(before)
    shutil.rmtree(tmp_path)


def assert_recomputed_alike(life: Life, from_lake: bool) -> None:
    """Incremental is full."""
    run = pipeline.recompute(life.settings, from_lake=from_lake)
    assert run.published is not None
    assert not run.published.is_new, f"{run.published.cells_changed} cells change, {run.changes[:3]}"


def check_quiet_events(rng: Random, life: Life, before: pl.DataFrame, mark: str) -> None:
    """Publishing again, reading again, a register edited and restored: every told cell stays, protected ones too."""
    standing = life.registers
    if life.active:
        life.command("reprocess", rng.choice(sorted(life.active)))
    life.write_registers(histories.edited(rng, life.original))
    life.night()
    life.write_registers(standing)
    life.night()
    assert told(life.home).equals(before), "a delivery read again, a register edited and restored"
    assert true_mark(life.home) == mark


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_histories(seed: int, tmp_path: Path) -> None:
    check_history(seed, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(HISTORIES, HEAVY_HISTORIES))
def test_many_histories(seed: int, tmp_path: Path) -> None:
    check_history(seed, tmp_path, whole=True)
