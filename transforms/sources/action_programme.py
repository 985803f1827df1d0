"""The action programme: the form, known branches, and one category per action."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.action_programme import CONTRACT
from schemas.reference import Reference
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form


def _check(_table: str, reference: Reference) -> Sequence[Broken]:
    branches = reference.table("branches.csv")["branch"].to_list()
    return [
        ("code_unknown", "branch", ~pl.col("branch").is_in(branches)),
        ("action_in_two_categories", "category", pl.col("category").n_unique().over("action_no") > 1),
    ]


FORM = Form(CONTRACT, _check)
