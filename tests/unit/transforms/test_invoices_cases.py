"""Golden cases: tests/cases/invoices/<case>/{input.*, case.json, expected.csv}; a new case needs no Python."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from schemas.purchase_invoices import POSTING_LINE
from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered
from transforms.sources import purchase_invoices as source

CASES = Path(__file__).parents[2] / "cases" / "invoices"
CONTEXT = Context(Reference.load())


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return value["formula"] if "formula" in value else datetime.fromisoformat(value["date"])
    return value


def _file(case: Path, folder: Path, name: str) -> Path:
    sheet = case / "input.sheet.json"
    target = folder / name
    if not sheet.exists():
        target.write_bytes(next(case.glob("input.*")).read_bytes())
        return target
    book = openpyxl.Workbook()
    for row in json.loads(sheet.read_text("utf-8")):
        book.active.append([_cell(value) for value in row])
    book.save(target)
    return target


def _run(path: Path, facts: dict[str, Any]) -> tuple[list[CleanPart], Conclusion]:
    produced = datetime.fromisoformat(facts.get("produced_at", "2026-01-10"))
    delivered = Delivered("id", "purchase_invoices", facts["agency"], path, path.name, path.stat().st_size, produced)
    parts = [source.clean(raw, [delivered], CONTEXT) for raw in source.read([delivered], CONTEXT)]
    return parts, source.conclude(parts, [delivered], CONTEXT)


def _lines(frame: pl.DataFrame, by: str) -> dict[str, list[int]]:
    return dict(frame.sort("source_line").group_by(by, maintain_order=True).agg("source_line").iter_rows())


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_case(case: Path, tmp_path: Path) -> None:
    facts = json.loads((case / "case.json").read_text("utf-8"))
    path = _file(case, tmp_path, facts["file_name"])
    parts, conclusion = _run(path, facts)
    assert not conclusion.refused
    assert not any(part.refused for part in parts)
    rows = pl.concat([part.accepted["posting_line"] for part in parts])
    assert rows.schema == POSTING_LINE.polars_schema()
    with (case / "expected.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    actual = [{name: "" if row[name] is None else str(row[name]) for name in expected[0]} for row in rows.iter_rows(named=True)]
    assert actual == expected
    failures = pl.concat([*(part.failures for part in parts), conclusion.failures])
    assert _lines(failures, "rule") == facts.get("failures", {})
    assert _lines(conclusion.set_aside, "reason") == facts.get("set_aside", {})
    warned = _lines(pl.concat([part.warnings for part in parts]), "rule")
    assert {rule: warned[rule] for rule in facts.get("warnings", {})} == facts.get("warnings", {})
    assert set(conclusion.slices["slice_kind"]) == {facts.get("slice_kind", "month")}
    assert conclusion.slices.height == facts["slices"]
    assert set(conclusion.slices["part"]) == {facts.get("part", "")}
    assert set(rows["slice_period"]) <= set(conclusion.slices["slice_period"])
    assert source.recognise(path) >= 60


def test_a_personal_code_is_stored_nowhere(tmp_path: Path) -> None:
    case = CASES / "oulu_xlsx_yymmdd"
    facts = json.loads((case / "case.json").read_text("utf-8"))
    parts, conclusion = _run(_file(case, tmp_path, facts["file_name"]), facts)
    kept = (
        [part.accepted["posting_line"] for part in parts] + [part.failures for part in parts] + [part.warnings for part in parts]
    )
    assert not any("131052-308T" in frame.write_csv() for frame in [*kept, conclusion.set_aside])


def test_a_years_file_made_in_october_covers_ten_months(tmp_path: Path) -> None:
    case = CASES / "guide_2021_total_is_net"
    path = tmp_path / "hml-2024.csv"
    path.write_bytes((case / "input.csv").read_bytes())
    _, conclusion = _run(path, {"agency": "hameenlinna", "produced_at": "2024-10-20"})
    assert conclusion.slices["slice_period"].to_list() == [date(2024, month, 1) for month in range(1, 11)]
