"""Strategic goals: the form, and codes where people might write sentences or names."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.reference import Reference
from schemas.strategic_goals import CONTRACT
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form

ID = r"[\p{L}./:_-]*\p{N}[\p{L}\p{N}./:_-]*"
IDS = rf"^{ID}(\s*[;,]\s*{ID})*$"
CODE = r"^(\p{L}{1,3}|[\p{L}./:_-]{0,39}\p{N}[\p{L}\p{N}./:_-]{0,39})$"
"""A goal's code: letters alone are a name as soon as they are many."""


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    return [
        ("text_not_a_code", "goal_id", ~pl.col("goal_id").str.contains(CODE)),
        ("text_not_a_code", "procurement_ids", ~pl.col("procurement_ids").str.contains(IDS)),
        ("value_out_of_range", "procurements_n", pl.col("procurement_ids").is_not_null() & (pl.col("procurements_n") == 0)),
    ]


FORM = Form(CONTRACT, _check)
