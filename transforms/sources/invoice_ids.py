"""Ids of posting lines that a spreadsheet has turned into numbers: each is told, and no two of them become one.

An invoice's id is marked with its line, so that lines stay apart; a supplier or a notice whose id is lost is without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from transforms.coded import BLANKS, Coded
from transforms.ids import read_ids
from transforms.personal import personal_values
from transforms.suppliers import business_id

RUINED, SHORTENED = "id_is_number", "id_zeros_lost"
Found = list[tuple[str, str, np.ndarray]]
"""Rule, column, rows."""
_REFERENCES = ("supplier_business_id", "notice_id")
_TYPED = frozenset({"spreadsheet", "json_lines", "parquet"})


@dataclass(frozen=True)
class Cases:
    """The invoice ids of a part's rows, null where there is none; those that held a person; those that were numbers."""

    values: pl.Series
    personal: pl.Series
    found: Found = field(default_factory=list)


def read_cases(texts: pl.Series, lines: pl.Series, form: str) -> Cases:
    """The ids of `texts`, which stand on `lines` of a file of the format `form`."""
    case = texts.str.replace(r"^(\d+)\.0+$", "${1}") if form in _TYPED else texts
    case = case.str.strip_chars()
    if case.str.contains(r"\s\s|[\u00a0\t]").any():
        case = case.str.replace_all(BLANKS, " ").str.strip_chars(" ")
    personal = personal_values(case)
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(case))
    if personal.any():
        case = case.zip_with(~personal, nothing)
    ids = read_ids(case.replace("", None))
    apart = ids.ruined | ids.shortened
    if not apart.any():
        return Cases(ids.values, personal)
    marked = ids.values + "#" + lines.cast(pl.String)
    found = [(RUINED, "case_id", ids.ruined.to_numpy()), (SHORTENED, "case_id", ids.shortened.to_numpy())]
    return Cases(marked.zip_with(apart, ids.values), personal, found)


def without_ruined(coded: Mapping[str, Coded]) -> tuple[dict[str, Coded], Found]:
    """The columns with references that are none any more left out, and where they stood. A business id that lost its zeros is read."""
    kept: dict[str, Coded] = dict(coded)
    found: Found = []
    for name in _REFERENCES:
        if name not in coded:
            continue
        ids = read_ids(coded[name].values)
        shortened = ids.shortened
        if shortened.any():
            shortened = shortened & pl.Series([not value or business_id(value) is None for value in ids.values.to_list()])
        lost = ids.ruined | shortened
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(lost))
        kept[name] = Coded(ids.values.zip_with(~lost, nothing), coded[name].codes)
        for rule, flags in ((RUINED, ids.ruined), (SHORTENED, shortened)):
            if flags.any():
                found.append((rule, name, coded[name].where(flags)))
    return kept, found
