"""Subtotals among the rows of an invoice file: counted as postings they double what they sum.

A row is one when a cell says so (`Yhteensä`, `4340 yhteensä`) and its amount is, to the cent, the sum of the rows above it: back to
an earlier subtotal or to the first row, at any level of nesting. Word without sum is a warning; a sum without a word is a chance.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from transforms.suppliers import Words


def says_total(values: pl.Series, words: Words) -> tuple[pl.Series, pl.Series]:
    """(texts that say total: all of it, or the first or last word of what is no company's name; those that say nothing else)."""
    nothing = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    near = values.str.contains_any(words.total_stems, ascii_case_insensitive=True).fill_null(value=False)
    if not near.any():
        return nothing, nothing
    text = values.str.to_lowercase().str.strip_chars(" :.")
    total = text.str.contains(words.total) & ~text.str.contains(words.company)
    return total.fill_null(value=False), text.is_in(words.totals).fill_null(value=False)


def find(cents: np.ndarray, counted: np.ndarray, says: np.ndarray) -> np.ndarray:
    """Which rows are subtotals. `cents` of all rows in their order, `counted`: those with an amount, `says`: those that say total."""
    subtotals = np.zeros(len(cents), dtype=bool)
    candidates = np.flatnonzero(says & counted)
    plain = np.where(counted & ~says, cents, 0)
    sums, rows = np.cumsum(plain), np.cumsum(counted & ~says)
    starts: dict[int, int] = {0: 0}
    """Sum of the rows before a place where a group may begin -> how many rows these are."""
    loose = 0
    for place in candidates.tolist():
        above, height = int(sums[place]) + loose, int(rows[place])
        begins = starts.get(above - int(cents[place]))
        if begins is not None and begins < height:
            subtotals[place] = True
            starts.setdefault(above, height)
        else:
            loose += int(cents[place])
    return subtotals
