"""Golden cases: tests/cases/notices/<case>/ holds input*.xml (each one delivery, with statistics.json as Hilma delivers it) and
expected.json: rows of the tables (only the columns that matter, in order), warnings, failed rules, refusal codes. A new case
needs no Python."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered
from transforms.sources import procurement_notices

CASES = Path(__file__).parents[2] / "cases" / "notices"
CONTEXT = Context(Reference.load())


def deliver(paths: list[Path]) -> tuple[CleanPart, Conclusion]:
    """All files of a case through read, clean and conclude."""
    produced = datetime(2026, 1, 1, tzinfo=UTC)
    deliveries = [
        Delivered(path.stem, "procurement_notices", "hilma", path, path.name, path.stat().st_size, produced) for path in paths
    ]
    [part] = [procurement_notices.clean(raw, deliveries, CONTEXT) for raw in procurement_notices.read(deliveries, CONTEXT)]
    return part, procurement_notices.conclude([part], deliveries, CONTEXT)


def inputs(case: Path, target: Path) -> list[Path]:
    """The case's input files; beside statistics the XML is wrapped as Hilma's API does."""
    statistics = case / "statistics.json"
    if not statistics.exists():
        return sorted(case.glob("input*.xml"), key=lambda path: path.stem)
    xml = base64.b64encode((case / "input.xml").read_bytes()).decode()
    answer = {"id": 1, "eForm": xml, "hilmaStatistics": json.loads(statistics.read_text("utf-8"))}
    path = target / "input.json"
    path.write_text(json.dumps(answer), "utf-8")
    return [path]


def plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


@pytest.mark.parametrize("case", sorted(path for path in CASES.iterdir() if path.is_dir()), ids=lambda path: path.name)
def test_case_becomes_what_it_expects(case: Path, tmp_path: Path) -> None:
    expected: dict[str, Any] = json.loads((case / "expected.json").read_text("utf-8"))

    part, conclusion = deliver(inputs(case, tmp_path))

    for table, rows in expected["tables"].items():
        columns = list(rows[0]) if rows else []
        found = [{column: plain(row[column]) for column in columns} for row in part.accepted[table].iter_rows(named=True)]
        assert found == rows, table
    assert sorted(part.warnings["rule"].unique()) == expected["warnings"]
    assert sorted(part.failures["rule"].unique()) == expected.get("failures", [])
    codes = sorted({reason.code for reasons in conclusion.refused.values() for reason in reasons})
    assert codes == expected["refused"]


@pytest.mark.parametrize("case", sorted(path for path in CASES.iterdir() if path.is_dir()), ids=lambda path: path.name)
def test_no_contact_person_phone_or_mail_reaches_any_frame(case: Path, tmp_path: Path) -> None:
    canaries = ("Maija", "Matti", "example.org", "1234567", "131052", "Katu 1")
    produced = datetime(2026, 1, 1, tzinfo=UTC)
    deliveries = [
        Delivered("d", "procurement_notices", "hilma", path, path.name, path.stat().st_size, produced)
        for path in inputs(case, tmp_path)
    ]

    part, conclusion = deliver(inputs(case, tmp_path))

    frames = [*part.accepted.values(), part.failures, part.warnings]
    for raw in procurement_notices.read(deliveries, CONTEXT):
        frames += [frame.drop("name", "registration_text", strict=False) for frame in raw.frames.values()]
    everything = "\n".join(frame.write_csv() for frame in frames) + str(conclusion.refused)
    own_ids = everything.replace("1234567-1", "")  # a business id of the cases, not the phone number
    assert [canary for canary in canaries if canary in own_ids] == []


def test_accepted_tables_have_the_contract_s_columns_and_types(tmp_path: Path) -> None:
    part, _ = deliver([CASES / "ted_f03" / "input.xml", *sorted((CASES / "versions").glob("*.xml"))])

    for table in CONTRACT.tables:
        assert part.accepted[table.name].schema == table.polars_schema()
        required = [column.name for column in table.columns if column.required]
        assert part.accepted[table.name].select(pl.col(required).is_null().any()).row(0) == (False,) * len(required)
