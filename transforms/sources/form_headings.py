"""Which table of a form's contract a grid holds, and where: told by its headings, in any of the three languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.contract import Contract, Table
from schemas.forms import delivered
from transforms.formats.detect import HEADER_WITHIN, columns_of, heading_of
from transforms.formats.grids import Grid


@dataclass(frozen=True)
class Placed:
    """Where a grid holds a table: its header row, and the column at each place of it."""

    table: str
    header_at: int
    columns: dict[int, str]


def headings(table: Table) -> Mapping[str, str]:
    """Known heading (as compared) -> column of a table."""
    found: dict[str, str] = {}
    for item in delivered(table):
        for heading in (*(item.labels or {}).values(), item.name, *item.also, *item.last_day):
            found.setdefault(heading_of(heading), item.name)
    return found


def last_day_columns(table: Table, header: Sequence[str], columns: Mapping[int, str]) -> set[str]:
    """Columns whose heading in the file speaks of the last day where the contract wants the day after."""
    inclusive = {name: {heading_of(text) for text in table.column(name).last_day} for name in columns.values()}
    return {name for place, name in columns.items() if heading_of(header[place]) in inclusive[name]}


def place(grid: Grid, contract: Contract) -> Placed | None:
    """The table that a grid holds: the one most of whose headings stand in one of the first rows, all required ones among them."""
    best: tuple[int, Placed] | None = None
    for table in contract.tables:
        known = headings(table)
        required = {item.name for item in delivered(table) if item.required}
        for at, cells in enumerate(grid.rows[: 1 if grid.has_header else HEADER_WITHIN]):
            columns = columns_of(cells, known)
            if required <= set(columns.values()) and (best is None or len(columns) > best[0]):
                best = len(columns), Placed(table.name, at, columns)
    return best[1] if best and best[0] >= 2 else None


def score(grid: Grid, contract: Contract) -> int:
    """How surely a grid holds a table of the contract, 0-99: the share of its headings that are known."""
    placed = place(grid, contract)
    if placed is None:
        return 0
    named = sum(1 for cell in grid.rows[placed.header_at] if cell.strip())
    return min(99, 40 + round(59 * len(placed.columns) / max(named, 1)))
