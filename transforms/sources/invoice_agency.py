"""Whose purchase invoices a file holds, where nobody says: by the buyer's business id on its rows, else by its header.

Only what points at one agency counts; a guess would give one city's euros to another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import polars as pl

from schemas.errors import DeliveryRefused
from schemas.reference import Agency, Reference
from transforms.delivery import Limits
from transforms.formats import tables
from transforms.formats.delimited import ROWS
from transforms.formats.detect import Fixes, normalise_header
from transforms.sources.purchase_invoices import header_map_of
from transforms.suppliers import business_id

FIRST_ROWS = 200
BUYER = "organisation_business_id"
ENOUGH, CLEARLY = 4, 3
"""So many headers that only one layout knows must stand in the file, and so many times as many as of any other layout: two or
three ordinary words (kaupunki, yksikkö, laskun numero) may stand in any city's file."""


def agency_of(path: Path, reference: Reference, source: str) -> str | None:
    """The one agency that delivers `source` and whom the file's first rows, or without ids its header, speak of."""
    agencies = [agency for agency in reference.agencies.values() if source in agency.sources]
    try:
        header = tables.header_of(path, path.name, header_map_of(reference, None), Limits())
        buyers = _buyers(path, reference)
    except (DeliveryRefused, OSError):
        return None
    if buyers:
        return _only(_owners(agencies, reference, buyers)) if len(buyers) == 1 else None
    layout = _layout(header, reference)
    return _only(agency.agency for agency in agencies if layout and agency.layout == layout)


def _only(names: Iterable[str]) -> str | None:
    found = set(names)
    return found.pop() if len(found) == 1 else None


def _buyers(path: Path, reference: Reference) -> set[str]:
    """The business ids of buyers on the first rows; what is no business id counts as written."""
    for part in tables.read_table(path, path.name, header_map_of(reference, None), Fixes(), Limits()):
        rows = part.frames.get(ROWS)
        if rows is None or BUYER not in rows.columns:
            return set()
        written = rows[BUYER].head(FIRST_ROWS).cast(pl.String).str.strip_chars().drop_nulls().unique().to_list()
        return {business_id(text) or text for text in written if text}
    return set()


def _owners(agencies: Iterable[Agency], reference: Reference, buyers: set[str]) -> set[str]:
    """Agencies whose own organisation is among the buyers, by its id or by one it is delivered under."""
    aliases: dict[str, set[str]] = {}
    for row in reference.table("organisation_aliases.csv").iter_rows(named=True):
        aliases.setdefault(row["agency"], set()).add(row["delivered_code"])
    return {
        agency.agency
        for agency in agencies
        if agency.organisation_id and ({agency.organisation_id} | aliases.get(agency.agency, set())) & buyers
    }


def _layout(header: Iterable[str], reference: Reference) -> str | None:
    """The layout whose own headers, those that no other layout and no common row knows, the file bears plainly most of."""
    owners = _distinctive(reference)
    counts = Counter(owners[cell] for cell in {normalise_header(text) for text in header} if cell in owners).most_common(2)
    if not counts or counts[0][1] < ENOUGH:
        return None
    return counts[0][0] if len(counts) == 1 or counts[0][1] >= CLEARLY * counts[1][1] else None


@lru_cache(maxsize=8)
def _distinctive(reference: Reference) -> Mapping[str, str]:
    """Header -> the one layout that knows it."""
    layouts: dict[str, set[str]] = {}
    for row in reference.table("column_maps/purchase_invoices.csv").iter_rows(named=True):
        layouts.setdefault(normalise_header(row["source_column"] or ""), set()).add(row["layout"] or "")
    return {header: next(iter(found)) for header, found in layouts.items() if len(found) == 1 and "" not in found}
