"""Mini-competitions: the form and its own rules."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.mini_competitions import CONTRACT
from schemas.reference import Reference
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form
from transforms.sources.strategic_goals import ID

CODE = rf"^{ID}$"


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    completed = pl.col("status") == "completed"
    return [
        ("text_not_a_code", "competition_id", ~pl.col("competition_id").str.contains(CODE)),
        ("text_not_a_code", "agreement_id", ~pl.col("agreement_id").str.contains(CODE)),
        ("value_missing", "decided_on", completed & pl.col("decided_on").is_null()),
        ("value_out_of_range", "decided_on", pl.col("decided_on") < pl.col("started_on")),
        ("more_bids_than_invited", "bids_n", pl.col("bids_n") > pl.col("invited_n")),
    ]


FORM = Form(CONTRACT, _check)
