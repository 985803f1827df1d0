"""Dataverse Web API: records with annotations -> plain columns (Microsoft, "Query data using the Web API").

Delivered are a page `{"@odata.context", "value": [...], "@odata.nextLink"}`, a list of such pages, or one a line; raw values
stand under the logical name, the label of an option or the name of a looked-up row under `<name>@OData...FormattedValue`,
nulls without annotation. A part of the pages would pass for the whole: each page that tells of a next one is followed by it, and the
records are as many as the service counted (it counts to 5,000).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

from schemas.errors import DeliveryRefused, Reason
from transforms.formats.grids import Cells, Grid

LABEL = "@OData.Community.Display.V1.FormattedValue"
TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"
PERSON = "contact"
SEPARATOR = "\x1f"
"""Between the raw value and its label in one cell."""
PAGE = "value"
NEXT = "@odata.nextLink"
COUNTS = ("@odata.count", "@Microsoft.Dynamics.CRM.totalrecordcount")
MORE = "@Microsoft.Dynamics.CRM.morerecords"
_PAGE_NUMBER = re.compile(r"""pagenumber=["']?(\d{1,9})""", re.IGNORECASE)


def require_whole(grid: Grid) -> None:
    """Raises DeliveryRefused (`pages_missing`) for one page of several: it tells of a next one, or of more records than it holds."""
    if grid.name == PAGE:  # whatever else stands in the object is none of the service's records
        _require_pages([grid.beside], len(grid.rows) - 1)


def plain(grid: Grid, is_labelled: Callable[[str], bool]) -> Grid:
    """The grid of a Dataverse export without annotations; any other grid as it is.

    Cells of the columns that `is_labelled` says hold the raw value and its label; others the raw value alone: times as formatted are in the
    caller's zone and language. A lookup of a person is blank: people are not kept. Raises DeliveryRefused where pages are missing.
    """
    if grid.kind != "json" or not grid.rows:
        return grid
    header = grid.rows[0]
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
        label = row[at[name + LABEL]] if is_labelled(name) and name + LABEL in at else ""
        return f"{raw}{SEPARATOR}{label}" if raw and label else raw

    return replace(grid, rows=[kept, *([cell(row, name) for name in kept] for row in grid.rows[1:])])


def _unpaged(grid: Grid) -> Grid:
    """The records of all pages, numbered through."""
    place = grid.rows[0].index(PAGE)
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
    _require_pages([dict(zip(grid.rows[0], row, strict=True)) for row in grid.rows[1:]], len(records))
    keys = list(dict.fromkeys(key for record in records for key in record))
    rows: list[Cells] = [keys, *([_text(record.get(key)) for key in keys] for record in records)]
    return replace(grid, rows=rows, lines=list(range(len(rows))), malformed=malformed)


def _require_pages(pages: Sequence[Mapping[str, str]], records_n: int) -> None:
    if not pages:
        return
    deliver = "deliver all pages in one file"
    if pages[-1].get(NEXT) or pages[-1].get(MORE, "").lower() == "true":
        text = f"the last of {len(pages)} pages tells of a next one ({NEXT}); {deliver}"
        raise DeliveryRefused(Reason("pages_missing", text))
    counted = max(int(text) if (text := page.get(name, "")).isdecimal() and len(text) < 10 else 0 for page in pages for name in COUNTS)
    if counted > records_n:
        text = f"{records_n} records where the service counted {counted}; {deliver}"
        raise DeliveryRefused(Reason("pages_missing", text))
    numbers = [_PAGE_NUMBER.search(unquote(unquote(page.get(NEXT, "")))) for page in pages[:-1]]
    told = [int(number[1]) for number in numbers if number]
    if told and told != list(range(2, len(pages) + 1)):
        text = f"pages tell of the pages {', '.join(map(str, told))} after them, {len(pages)} are there; {deliver}, each once and in order"
        raise DeliveryRefused(Reason("pages_missing", text))


def _text(value: object) -> str:
    """What `grids` makes of the same value on a page of its own; numbers are text since then."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else ""
