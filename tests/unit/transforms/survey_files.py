"""A survey's file as a delivery, for tests: read, cleaned and concluded, with the registers given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import xlsxwriter

from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered, RawPart
from transforms.sources import satisfaction_surveys as source

AGENCY = {"agencies.csv": "agency,name,sources\nsample,Sample,satisfaction_surveys\n"}


def taken(
    path: Path, overlay: Mapping[str, str] | None = None, number: int = 1, covers: date | None = None
) -> tuple[RawPart, CleanPart, Conclusion]:
    """What becomes of one file, delivered on day `number` of April 2025, through all steps."""
    context = Context(Reference.load({**AGENCY, **(overlay or {})}))
    moment = datetime(2025, 4, number, tzinfo=UTC)
    item = Delivered(f"d{number}", "satisfaction_surveys", "sample", path, path.name, path.stat().st_size, moment, covers)
    (raw,) = source.read([item], context)
    part = source.clean(raw, [item], context)
    return raw, part, source.conclude([part], [item], context)


def answers(part: CleanPart) -> list[tuple[object, ...]]:
    """(respondent, item, value) of the accepted answers."""
    return part.accepted["survey_answer"].select("respondent", "item", "value").sort(pl.all()).rows()


def broken(part: CleanPart) -> list[tuple[int, str | None, str, str | None]]:
    """(line, column, rule, shown value) of every broken rule."""
    return part.failures.select("source_line", "column_name", "rule", "value").sort(pl.all(), nulls_last=True).rows()


def text_file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def workbook(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Vastaukset")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(number, place, cell)
                else:
                    sheet.write(number, place, cell)
    return path


def json_file(folder: Path, name: str, content: object) -> Path:
    return text_file(folder, name, json.dumps(content, ensure_ascii=False))
