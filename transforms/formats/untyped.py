"""Cells of workbooks whose format does not tell us what they are (xls, xlsb, ods): the reader gives the text of each.

A number's text is known by how programs write numbers: no zeros at either end, a point, no marks between thousands. `1.250` is
written so by nobody's program, `1.234` by any: where the column is not one of numbers throughout it may be a text, and is taken for
one, so that other texts of the column decide what its mark means. Formulas show their last value, per cent their share: nobody can
tell, and the receipt says so.
"""

from __future__ import annotations

from array import array

import polars as pl

from transforms.amounts import are_ambiguous

NOTE = "cells_untyped"
"""Note on a file whose cells' kinds are not known."""
_NUMBER = r"^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$"


def texts(cells: pl.Series, is_numeric: bool = False, rows_above: int = 0) -> array[int]:
    """The rows (1-based, `rows_above` stand above the first) of the cells that are to be taken for texts."""
    number = cells.str.contains(_NUMBER).fill_null(value=False)
    if not is_numeric:
        number = number & ~are_ambiguous(cells)
    return array("I", [row + 1 + rows_above for row in (~number & cells.is_not_null()).arg_true().to_list()])
