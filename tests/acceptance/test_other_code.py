"""Other code, other figures everywhere: a copy of the code is changed, and runs on a home that the unchanged code made."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.acceptance import support
from tests.acceptance.plans import traces

pytestmark = pytest.mark.slow
CASE_CENTS = "l.case_id, sum(l.net_cents)::BIGINT AS net_cents, count(*)"
PACKAGES = ("schemas", "transforms", "warehouse", "flows")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the product's packages."""
    root = tmp_path / "code"
    for name in PACKAGES:
        shutil.copytree(support.ROOT / name, root / name)
    return root


def change(code: Path, module: str, *pairs: tuple[str, str]) -> None:
    """Replace texts, each of which stands once, in a module of the copy."""
    path = code / f"{module}.py"
    text = path.read_text("utf-8")
    for before, after in pairs:
        assert text.count(before) == 1, f"{module}: {before!r} stands there {text.count(before)} times"
        text = text.replace(before, after)
    path.write_text(text, "utf-8")


def run(code: Path, home: Path, *words: str, ends: int = 0) -> str:
    """What the copy's command line prints; `ends`: its exit code."""
    done = subprocess.run(
        support.arguments(home, *words),
        env=support.environment(PYTHONPATH=str(code)),
        cwd=code,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout


CELL = [*support.KEY, "panel"]
VALUES = f"SELECT {', '.join(CELL)}, version, numerator, value FROM mart.key_figure"


def moved(before: pl.DataFrame, home: Path) -> pl.DataFrame:
    """Cells whose version or value is not what it was: CELL and the former and present ones."""
    both = before.join(support.published(home, VALUES), on=CELL, how="full", suffix="_now", coalesce=True)
    return both.filter(
        pl.col("value").ne_missing(pl.col("value_now"))
        | pl.col("numerator").ne_missing(pl.col("numerator_now"))
        | pl.col("version").ne_missing(pl.col("version_now"))
    )


def causes(home: Path, publication_no: int) -> list[tuple[str, str]]:
    """figure_id, cause of the revisions of a publication."""
    sql = "SELECT DISTINCT figure_id, cause FROM figure.revision WHERE publication_no = ? ORDER BY ALL"
    return [(str(figure), str(cause)) for figure, cause in support.ledger(home, sql, [publication_no]).rows()]


@pytest.mark.long
def test_code_that_changes_changes_the_figures_it_makes(code: Path, home: Path) -> None:
    before = support.published(home, VALUES)

    # words about the code are no code
    change(code, "transforms/settle", ("from __future__", "# a comment\nfrom __future__"))
    change(code, "transforms/measures/market_court_cases", ("from the cases that count.", "from cases, said otherwise."))
    change(code, "schemas/key_figure", ('"Figure, see mart.figure."', '"The figure."'))
    assert "nothing changed" in run(code, home, "nightly")
    assert support.published(home, "SELECT publication_no FROM meta.publication").item() == 1

    # a formula: every period of its figure, no other
    change(code, "warehouse/publication/mart", ('.alias("level_name"))\n    joined', '.str.to_uppercase().alias("level_name"))\n    joined'))
    change(code, "transforms/key_figures/market", ('"notices_n", pl.lit(1)', '"notices_n", pl.lit(2)'))
    untouched = traces(home)
    planned = json.loads(run(code, home, "plan", "--format", "json", ends=1))
    assert traces(home) == untouched, "another release's plan only reads"
    run(code, home, "nightly")
    counted = before.filter(pl.col("value") != 0, figure_id="notices_n")
    assert counted["period_start"].dt.year().n_unique() > 1, "of several years"
    doubled = moved(before, home)
    assert set(doubled["figure_id"]) == {"notices_n"}
    assert planned["causes"] == [{"cause": "code", "cells": doubled.height, "figures": 1}]
    assert doubled.height == counted.height
    assert doubled.filter(pl.col("value_now") != 2 * pl.col("value")).is_empty()
    assert causes(home, 2) == [("notices_n", "code")]
    names = support.published(home, "SELECT DISTINCT level_name FROM mart.key_figure")["level_name"]
    assert names.str.to_uppercase().equals(names), "no row is copied from a file that other code built"
    assert "read by the present code" in _reading(run(code, home, "doctor"))

    # a measure with a raised version, and a reader, in one release
    after_code = support.published(home, VALUES)
    change(code, "transforms/measures/purchase_invoices", (CASE_CENTS, CASE_CENTS.replace("count(*)", "2 * count(*)")))
    change(code, "transforms/key_figures/cases", ('        unit="per_case",\n', '        unit="per_case",\n        version=2,\n'))
    change(code, "transforms/sources/invoice_rows", ("return cases.values", "return cases.values.str.slice(0, 2)"))
    run(code, home, "nightly")
    raised = moved(after_code, home)
    assert set(raised["figure_id"]) == {"invoice_lines_per_case"}
    assert set(raised["version_now"].drop_nulls()) == {2}
    former = before.filter(figure_id="invoice_lines_per_case").drop_nulls("value")
    told = raised.drop_nulls(["value_now", "value"])
    assert told.height == former.height > 0
    assert told.filter(pl.col("numerator_now") != 2 * pl.col("numerator")).is_empty()
    assert causes(home, 3) == [("invoice_lines_per_case", "definition")]

    # what other code read is told, and read again when asked
    assert "warn reading: purchase_invoices: 4 deliveries" in _reading(run(code, home, "doctor"))
    after_definition = support.published(home, VALUES)
    assert "4 deliveries read again" in run(code, home, "backfill", "--outdated")
    assert set(moved(after_definition, home)["figure_id"]) == {"invoice_lines_per_case", "small_invoice_share"}
    assert {cause for _, cause in causes(home, 4)} == {"code"}, "nobody who delivers is blamed"
    assert "read by the present code" in _reading(run(code, home, "doctor"))


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_only_the_source_whose_measures_changed_is_measured_again(code: Path, demo_home: Path, tmp_path: Path) -> None:
    """On the demo, with every source: days of mini-competitions counted from the day before; and the engine, that says nothing new."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, symlinks=True)
    before, measured = support.published(home, VALUES), _measured_with(home)
    change(code, "transforms/measures/mini_competitions", (".dt.total_days()", ".dt.total_days() + 1"))
    run(code, home, "nightly")
    assert {source for source, mark in _measured_with(home).items() if mark != measured[source]} == {"measured_with mini_competitions"}
    longer = moved(before, home)
    assert set(longer["figure_id"]) == {"minicomp_lead_days"}
    assert longer.filter(pl.col("value_now") != pl.col("value") + 1).is_empty()
    assert causes(home, 2) == [("minicomp_lead_days", "code")]
    measured = _measured_with(home)
    change(code, "transforms/settle", ("\n\n\ndef settle(", "\n\nUNUSED = 1\n\n\ndef settle("))
    assert "nothing changed" in run(code, home, "nightly"), "computed anew, and the same"
    assert _measured_with(home) == measured


def _measured_with(home: Path) -> dict[str, str]:
    """What the measures of each source were made with."""
    return dict(support.ledger(home, "SELECT key, value FROM ledger.state WHERE key LIKE 'measured_with %'").rows())


def _reading(printed: str) -> str:
    """What doctor says of reading."""
    return next(line for line in printed.splitlines() if "reading: " in line)
