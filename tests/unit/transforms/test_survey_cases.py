"""Golden cases: tests/cases/surveys/<case>/{input.*, case.json, expected.csv}; a new case needs no Python.

case.json: `file` is the delivered name, `overlay` rows of registers, `set_aside` and `warned` how many rows are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.unit.transforms.survey_files import broken, taken, workbook
from transforms.sources.satisfaction_surveys import recognise

CASES = Path(__file__).parents[2] / "cases" / "surveys"
FOUND = sorted(path.parent for path in CASES.glob("*/case.json"))


@pytest.mark.parametrize("case", FOUND, ids=[case.name for case in FOUND])
def test_case(case: Path, tmp_path: Path) -> None:
    told = json.loads((case / "case.json").read_text("utf-8"))
    path = tmp_path / told["file"]
    given = next(case.glob("input.*"))
    if given.name == "input.sheet.json":
        workbook(path, json.loads(given.read_text("utf-8")))
    else:
        shutil.copy(given, path)

    _, part, conclusion = taken(path, told.get("overlay"))

    assert (part.refused, conclusion.refused, broken(part)) == ({}, {}, [])
    expected = pl.read_csv(case / "expected.csv", infer_schema=False)
    found = part.accepted["survey_answer"].select(expected.columns).cast(pl.String).sort(pl.all(), nulls_last=True)
    assert found.rows() == expected.sort(pl.all(), nulls_last=True).rows()
    assert conclusion.set_aside.height == told.get("set_aside", 0)
    assert part.warnings.height == told.get("warned", 0)
    counts = part.counts.row(0, named=True)
    assert counts["rows_read"] == counts["rows_accepted"] + counts["rows_set_aside"] == found.height + conclusion.set_aside.height


@pytest.mark.parametrize("case", FOUND, ids=[case.name for case in FOUND])
def test_every_case_is_recognised_as_a_survey_or_asks_for_its_source(case: Path, tmp_path: Path) -> None:
    told = json.loads((case / "case.json").read_text("utf-8"))
    path = tmp_path / told["file"]
    given = next(case.glob("input.*"))
    if given.name == "input.sheet.json":
        workbook(path, json.loads(given.read_text("utf-8")))
    else:
        shutil.copy(given, path)
    few = case.name in ("minicomp_by_response_date", "wide_labels_descending", "wide_brackets_english")
    assert recognise(path) >= 80 if not few else recognise(path) < 50
