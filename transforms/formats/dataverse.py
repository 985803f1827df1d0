"""Dataverse Web API: records with annotations -> plain columns (Microsoft, "Query data using the Web API").

Delivered are a page `{"@odata.context", "value": [...], "@odata.nextLink"}`, a list of such pages, or one a line; raw values
stand under the logical name, the label of an option or the name of a looked-up row under `<name>@OData...FormattedValue`,
nulls without annotation. A page that tells of a next one is followed by it: a part of the pages would pass for the whole.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from schemas.errors import DeliveryRefused, Reason
from transforms.formats.grids import Cells, Grid

LABEL = "@OData.Community.Display.V1.FormattedValue"
TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"
PERSON = "contact"
SEPARATOR = "\x1f"
"""Between the raw value and its label in one cell."""
PAGE = "value"
NEXT = "@odata.nextLink"


def plain(grid: Grid, labelled: Collection[str]) -> Grid:
    """The grid of a Dataverse export without annotations; any other grid as it is.

    Cells of the columns `labelled` hold the raw value and its label; others the raw value alone: times as formatted are in the
    caller's zone and language. A lookup of a person is blank: people are not kept. Raises DeliveryRefused where the last page
    tells of a next one.
    """
    if grid.kind != "json" or not grid.rows:
        return grid
    header = grid.rows[0]
    if grid.beside.get(NEXT):
        raise _pages_missing(1)
    if PAGE in header and all(name == PAGE or name.startswith("@odata.") for name in header):
        grid = _unpaged(grid)
        header = grid.rows[0]
    if not any("@" in name for name in header):
        return grid
    at = {name: place for place, name in enumerate(header)}
    kept = [name for name in header if "@" not in name]

    def cell(row: Cells, name: str) -> str:
        raw = row[at[name]]
        if name + TABLE in at and row[at[name + TABLE]] == PERSON:
            return ""
        label = row[at[name + LABEL]] if name in labelled and name + LABEL in at else ""
        return f"{raw}{SEPARATOR}{label}" if raw and label else raw

    return replace(grid, rows=[kept, *([cell(row, name) for name in kept] for row in grid.rows[1:])])


def _unpaged(grid: Grid) -> Grid:
    """The records of all pages, numbered through."""
    place = grid.rows[0].index(PAGE)
    if NEXT in grid.rows[0] and len(grid.rows) > 1 and grid.rows[-1][grid.rows[0].index(NEXT)]:
        raise _pages_missing(len(grid.rows) - 1)
    records: list[dict[str, object]] = []
    malformed = [*grid.malformed]
    for row, line in zip(grid.rows[1:], grid.lines[1:], strict=True):
        try:
            page = json.loads(row[place])
        except (ValueError, RecursionError):
            page = None
        if isinstance(page, list) and all(isinstance(record, dict) for record in page):
            records += page
        else:
            malformed.append((line, "a page whose value is no list of records"))
    keys = list(dict.fromkeys(key for record in records for key in record))
    rows: list[Cells] = [keys, *([_text(record.get(key)) for key in keys] for record in records)]
    return replace(grid, rows=rows, lines=list(range(len(rows))), malformed=malformed)


def _pages_missing(pages_n: int) -> DeliveryRefused:
    text = f"the last of {pages_n} pages tells of a next one ({NEXT}); deliver all pages in one file"
    return DeliveryRefused(Reason("pages_missing", text))


def _text(value: object) -> str:
    """What `grids` makes of the same value on a page of its own; numbers are text since then."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""
