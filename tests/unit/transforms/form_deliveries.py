"""A form source's file as a delivery, for tests: read and cleaned, with the registers given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from schemas.reference import Reference
from transforms.delivery import CleanPart, Context, Delivered
from transforms.newest import newest
from transforms.sources.forms import Form

AGENCY = "agencies.csv", "agency,name,sources\nsample,Sample,all\n"


def cleaned(form: Form, path: Path, lines: list[str], number: int = 1, overlay: Mapping[str, str] | None = None) -> CleanPart:
    """What becomes of a CSV with these lines, delivered on day `number` of April 2024."""
    path.write_text("\n".join(lines) + "\n", "utf-8")
    context = Context(Reference.load({AGENCY[0]: AGENCY[1], **(overlay or {})}))
    moment = datetime(2024, 4, number, tzinfo=UTC)
    item = Delivered(f"d{number}", form.contract.source, "sample", path, path.name, path.stat().st_size, moment)
    (part,) = [form.clean(raw, [item], context) for raw in form.read([item], context)]
    return part


def broken(part: CleanPart) -> list[tuple[int, str | None, str]]:
    """(line, column, rule) of every broken rule."""
    return part.failures.select("source_line", "column_name", "rule").sort(pl.all(), nulls_last=True).rows()


def counting(form: Form, *parts: CleanPart) -> dict[str, pl.DataFrame]:
    """The rows that count of several deliveries, whatever order they come in."""
    tables = {
        table.name: pl.concat([part.accepted[table.name] for part in parts if table.name in part.accepted])
        for table in form.contract.tables
    }
    return newest(form.contract, tables)
