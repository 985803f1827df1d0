"""Market Court cases: the form and its own rule."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.market_court_cases import CONTRACT
from schemas.reference import Reference
from transforms.sources.forms import Broken, Form


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    return [("value_out_of_range", "decided_on", pl.col("decided_on") < pl.col("filed_on"))]


FORM = Form(CONTRACT, _check)
