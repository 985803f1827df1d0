"""The yearly strategy return: the form, and parts that cannot be larger than their whole."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.reference import Reference
from schemas.strategy_followup import CONTRACT
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form

PARTS = (("critical_prepared_n", "critical_n"), ("trained_n", "staff_n"), ("green_deals_kept_n", "green_deals_n"))
"""(part, whole)"""


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    too_large: list[Broken] = [("value_out_of_range", part, pl.col(part) > pl.col(whole)) for part, whole in PARTS]
    counted = ~pl.col("critical_identified") & (pl.col("critical_n") > 0)
    return [*too_large, ("value_out_of_range", "critical_n", counted)]


FORM = Form(CONTRACT, _check)
