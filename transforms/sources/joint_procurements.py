"""Joint procurements: the form, categories as the register knows them, and the source's own rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from schemas.forms import delivered
from schemas.joint_procurements import AGREEMENT, CONTRACT
from schemas.reference import Reference
from transforms.formats.detect import HEADER_WITHIN, heading_of, normalise_header
from transforms.formats.grids import FORMULA, Grid
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form
from transforms.suppliers import FOREIGN, VALID, read_id

UNMAPPED = "unmapped"
"""Stands where a word was delivered that no register knows: the word itself may be free text and is not stored."""
CATEGORIES = "codelists/agreement_categories.csv"
CODE = r"^[\p{L}\p{N}./:_-]{0,39}\p{N}[\p{L}\p{N}./:_-]{0,39}$"
_CATEGORY = next(column for column in delivered(AGREEMENT) if column.name == "category")
_HEADINGS = {heading_of(text) for text in (_CATEGORY.name, *(_CATEGORY.labels or {}).values(), *_CATEGORY.also)}


def ready(grid: Grid, reference: Reference | None, agency: str, _day: date | None) -> Grid:
    """The grid with ids of categories where the register knows the delivered word, else UNMAPPED."""
    if reference is None:
        return grid
    known = categories(reference, "register", agency)
    for at, cells in enumerate(grid.rows[: 1 if grid.has_header else HEADER_WITHIN]):
        places = [place for place, cell in enumerate(cells) if heading_of(cell) in _HEADINGS]
        if places:
            rows = [*grid.rows[: at + 1], *(_mapped(row, places[0], known) for row in grid.rows[at + 1 :])]
            return replace(grid, rows=rows)
    return grid


def categories(reference: Reference, kind: str, agency: str) -> Mapping[str, str]:
    """Delivered word (lower case) -> category; an agency's own rows win; every category is known by its id too."""
    rows = reference.table(CATEGORIES).filter(pl.col("agency").is_null() | (pl.col("agency") == agency))
    known = {category: category for category in rows["category"].to_list()}
    own = rows.filter(kind=kind).sort("agency", nulls_last=False)
    return known | {normalise_header(row["delivered"]): row["category"] for row in own.iter_rows(named=True)}


def _mapped(row: Sequence[str], place: int, known: Mapping[str, str]) -> Sequence[str]:
    word = normalise_header(row[place]) if place < len(row) else ""
    if not word or row[place] == FORMULA:
        return row
    return [*row[:place], known.get(word, UNMAPPED), *row[place + 1 :]]


def _is_supplier(text: str) -> bool:
    """A Finnish business id, or a foreign id, which has no blanks: words with blanks may be a name."""
    kind, _ = read_id(text.strip())
    return kind == VALID or (kind == FOREIGN and " " not in text.strip())


def _check(table: str, _reference: Reference) -> Sequence[Broken]:
    broken: list[Broken] = [("text_not_a_code", "agreement_id", ~pl.col("agreement_id").str.contains(CODE))]
    ends = ("value_out_of_range", "valid_to", pl.col("valid_to") <= pl.col("valid_from"))
    if table == "agreement":
        broken += [
            ends,
            ("text_not_a_code", "procedure_id", ~pl.col("procedure_id").str.contains(CODE)),
            ("text_not_a_code", "cpv", ~pl.col("cpv").str.contains(CODE)),
        ]
    if table == "agreement_supplier":
        known = pl.col("supplier_id").map_elements(_is_supplier, return_dtype=pl.Boolean)
        broken += [ends, ("supplier_unknown", "supplier_id", ~known)]
    if table == "agreement_open_to":
        broken.append(("nobody_named", None, pl.col("organisation_id").is_null() & pl.col("sector").is_null()))
    if table == "reported_purchase":
        broken.append(("purchase_unplaced", None, pl.col("agreement_id").is_null() & pl.col("category").is_null()))
    if table in ("agreement", "reported_purchase"):
        broken.append(("category_unmapped", "category", pl.col("category") == UNMAPPED))
    return broken


FORM = Form(CONTRACT, _check, ready)
