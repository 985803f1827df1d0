"""Text columns by their unique values: work is done once per value, then spread to the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

_UNTIDY = r"[\t\n\r\u000b\u000c\u0085\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]|  |^ | $"
BLANKS = r"[\s\u00a0\u200b\u202f\ufeff]+"


@dataclass(frozen=True)
class Coded:
    """`values.gather(codes)` is the column; `codes` index the unique `values`."""

    values: pl.Series
    codes: np.ndarray

    @classmethod
    def of(cls, series: pl.Series) -> Coded:
        """Codes of a String or Categorical series."""
        if series.dtype != pl.Categorical:
            series = series.cast(pl.Categorical)
        if series.null_count():
            series = series.fill_null("")
        unique = series.unique()
        physical = unique.to_physical().to_numpy()
        place = np.zeros(int(physical.max()) + 1 if len(physical) else 1, dtype=np.uint32)
        place[physical] = np.arange(len(physical), dtype=np.uint32)
        return cls(unique.cast(pl.String), place[series.to_physical().to_numpy()])

    def tidied(self) -> Coded:
        """The same with blanks collapsed and trimmed; blank cells are null."""
        return Coded(tidy(self.values), self.codes)

    def spread(self, values: pl.Series) -> pl.Series:
        """One value per unique value -> one per row."""
        return values.gather(pl.Series(self.codes))

    @property
    def rows(self) -> pl.Series:
        return self.spread(self.values)

    def where(self, flags: pl.Series) -> np.ndarray:
        """One flag per unique value -> one per row."""
        spread: np.ndarray = flags.fill_null(False).to_numpy()[self.codes]
        return spread


def tidy(values: pl.Series) -> pl.Series:
    """Every run of blanks (NBSP and line breaks too) one space, trimmed; blank cells become null."""
    untidy = values.str.contains(_UNTIDY)
    if untidy.any():
        where = untidy.arg_true()
        values = values.clone().scatter(where, values.gather(where).str.replace_all(BLANKS, " ").str.strip_chars(" "))
    return values.zip_with(values != "", pl.Series([None], dtype=pl.String).new_from_index(0, len(values)))
