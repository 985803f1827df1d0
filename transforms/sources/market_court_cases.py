"""Market Court cases: the form and its own rules."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.market_court_cases import CONTRACT
from schemas.reference import Reference
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form
from transforms.sources.mini_competitions import CODE


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    return [
        ("text_not_a_code", "case_number", ~pl.col("case_number").str.contains(CODE)),
        ("text_not_a_code", "procedure_id", ~pl.col("procedure_id").str.contains(CODE)),
        ("value_out_of_range", "decided_on", pl.col("decided_on") < pl.col("filed_on")),
    ]


FORM = Form(CONTRACT, _check)
