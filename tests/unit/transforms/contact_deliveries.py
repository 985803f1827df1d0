"""Files of contact requests as deliveries of one agency, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from schemas.reference import Reference
from transforms.delivery import CleanPart, Context, Delivered
from transforms.sources.contact_requests import FORM

AGENCY = {"agencies.csv": "agency,name,sources\nsample,Sample,contact_requests\n"}


def cleaned(path: Path, overlay: dict[str, str] | None = None, day: int = 2) -> CleanPart:
    """What becomes of a file of the agency `sample`, produced on a day of April 2024."""
    context = Context(Reference.load(AGENCY | (overlay or {})))
    moment = datetime(2024, 4, day, tzinfo=UTC)
    item = Delivered(f"d{day}", "contact_requests", "sample", path, path.name, path.stat().st_size, moment)
    (part,) = [FORM.clean(raw, [item], context) for raw in FORM.read([item], context)]
    return part


def broken(frame: pl.DataFrame) -> list[list[Any]]:
    return [
        list(row) for row in frame.select("source_line", "column_name", "rule").sort(pl.all(), nulls_last=False).unique(maintain_order=True).iter_rows()
    ]  # fmt: skip
