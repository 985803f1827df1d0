"""People in forms: whatever cell a name, an address or an identity code is typed into, it ends at the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.contract import Column, Table
from schemas.forms import delivered
from schemas.reference import Reference
from transforms.delivery import Context, Delivered, Limits
from transforms.registry import SOURCES
from transforms.suppliers import Words, organisation_names

PERSONS = (
    "Matti Meikäläinen",
    "Meikäläinen",
    "Espoo / Matti Meikäläinen",
    "Espoon kaupunki, Matti Meikäläinen",
    "Matti Meikäläinen seuraa",
    "matti.meikalainen@example.org",
    "Matti 040 123 4567",
    "puh.0401234567",
    "131052-308T",
)
TRACES = ("meikäl", "meikal", "131052", "1234567", "123 4567")
FORMS = [(slug, table) for slug, source in SOURCES.items() for table in source.contract.tables if table.title is not None]


def _usual(column: Column) -> str:
    """A cell that the column takes."""
    if column.is_organisation or column.name in ("organisation_id", "supplier_id", "company_id"):
        return "0201256-6"
    if column.codes:
        return column.codes[0]
    if column.dtype == pl.Int64:
        return "2023" if column.name == "year" else str(column.minimum or 1)
    if column.dtype == pl.Date:
        return "2024-03-01"
    if isinstance(column.dtype, pl.Datetime):
        return "2024-03-01T10:00:00Z"
    return {pl.Boolean: "kyllä"}.get(column.dtype, "26" if column.name == "branch" else "K-1")  # type: ignore[call-overload, no-any-return]


def _file(table: Table, folder: Path) -> Path:
    """A usual row, then for each column and each person a row with the person in that column."""
    columns = [column for column in delivered(table) if column.name != "organisation_name"]
    columns += [column for column in delivered(table) if column.name == "organisation_name"]
    usual = [_usual(column) for column in columns]
    rows = [[column.name for column in columns], usual]
    rows += [[*usual[:at], person, *usual[at + 1 :]] for at in range(len(columns)) for person in PERSONS]
    path = folder / f"{table.name}.csv"
    path.write_text("\n".join(";".join(row) for row in rows) + "\n", "utf-8")
    return path


@pytest.mark.parametrize(("slug", "table"), FORMS, ids=[f"{slug}-{table.name}" for slug, table in FORMS])
def test_no_cell_of_a_form_tells_of_a_person(tmp_path: Path, slug: str, table: Table) -> None:
    path = _file(table, tmp_path)
    item = Delivered("d1", slug, "sample", path, path.name, path.stat().st_size, datetime(2026, 1, 1, tzinfo=UTC))
    context, source = (
        Context(Reference.load({"agencies.csv": f"agency,name,sources\nsample,Sample,{slug}\n"}), Limits()),
        SOURCES[slug],
    )

    parts = [source.clean(raw, [item], context) for raw in source.read([item], context)]
    conclusion = source.conclude(parts, [item], context)

    assert sum(part.failures.height for part in parts) > len(PERSONS) or conclusion.refused
    told = [cell for part in parts for frame in (*part.accepted.values(), part.failures, part.warnings) for cell in _cells(frame)]
    told += [f"{one.text} {one.value}" for outcome in (*parts, conclusion) for found in outcome.refused.values() for one in found]
    assert [cell for cell in told if any(trace in cell.lower() for trace in TRACES)] == []


def _cells(frame: pl.DataFrame) -> Iterator[str]:
    for column in frame.select(pl.selectors.string()):
        yield from column.drop_nulls().unique()


def test_only_what_is_surely_an_organisation_keeps_its_name() -> None:
    kept = ["Espoon kaupunki", "Oy Esimerkki Ab", "Matti Meikäläinen Oy", "Esimerkin seudun kuntayhtymä", "ESIMERKIN VIRASTO"]
    dropped = [
        "Espoo / Maija Mallikas",
        "Maija Mallikas",
        "Espoon kaupunki / Maija Mallikas",
        "Maija Mallikas, Esimerkki Oy",
        "Espoon kaupunki - Maija Mallikas",
        "Maija Mallikas Espoon kaupunki",
        "kaupunki Maija Mallikas",
        "Tmi Maija Mallikas",
        "Esimerkki Oy maija@example.org",
        "Esimerkki Oy 131052-308T",
        "",
    ]

    found = organisation_names(pl.Series([*kept, *dropped, None], dtype=pl.String), Words(Reference.load()))

    assert found.to_list() == [*kept, *[None] * (len(dropped) + 1)]
