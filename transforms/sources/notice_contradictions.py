"""Notices that say two things of one (METHOD 38): what they say on that point is unknown.

What stands within one lot result (counts told twice, SMEs that won) the readers see; here is what a notice says in several places.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.formats.rows import CONTRADICTORY

ROUNDING_CENTS = 100
"""Amounts are rounded: a euro for each award may be above the total."""
WON = "selec-w"
VALUES: Mapping[str, str] = {
    "notice": "total_value_cents",
    "lot_result": "award_value_cents",
    "tender": "value_cents",
    "contract": "value_cents",
}
"""What awards and the notice's total state of one value."""


def without_contradictions(frames: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Typed frames without the values of awards that add up to more than their notice's own total (the total included: either may
    be wrong), and without the numbers of tenders of a lot whose awards tell two; and what was left out: notice_no, rule,
    column_name, value (null)."""
    kept = dict(frames)
    above = _above_total(frames)
    found = []
    for table, column in VALUES.items():
        hit = pl.col("notice_no").is_in(above.implode()) & pl.col(column).is_not_null()
        found.append(_found(kept[table].filter(hit), column))
        kept[table] = kept[table].with_columns(pl.when(~hit).then(column).alias(column))
    for column in ("tenders_n", "tenders_sme_n"):
        disputed = _disputed(kept, column)
        marked = kept["lot_result"].join(disputed, on=["notice_no", "lot_id"], how="left", maintain_order="left")
        found.append(_found(marked.filter("is_disputed"), column))
        value = pl.when(pl.col("is_disputed").is_null()).then(column).alias(column)
        kept["lot_result"] = marked.with_columns(value).drop("is_disputed")
    return kept, pl.concat(found).unique(maintain_order=True)


def _above_total(frames: Mapping[str, pl.DataFrame]) -> pl.Series:
    """Numbers of the notices whose winning tenders, each once however many lots name it, add up to more than the total."""
    winning = frames["tender"].filter(pl.col("is_winner") & pl.col("value_cents").is_not_null())
    once = winning.unique(["notice_no", "tender_id", "contract_id"])
    sums = once.group_by("notice_no").agg(pl.col("value_cents").sum().alias("summed"), pl.len().alias("awards_n"))
    told = sums.join(frames["notice"].select("notice_no", "total_value_cents"), on="notice_no")
    allowed = pl.col("total_value_cents") + ROUNDING_CENTS * pl.col("awards_n").cast(pl.Int64)
    return told.filter(pl.col("summed") > allowed)["notice_no"]


def _disputed(frames: Mapping[str, pl.DataFrame], column: str) -> pl.DataFrame:
    """notice_no, lot_id, is_disputed of the lots of which awards of one notice tell different numbers. What names no lot that the
    notice describes may be several lots."""
    described = frames["lot"].select("notice_no", "lot_id").unique()
    told = frames["lot_result"].filter((pl.col("result_code") == WON) & pl.col(column).is_not_null())
    lots = told.join(described, on=["notice_no", "lot_id"], how="semi").group_by("notice_no", "lot_id")
    return lots.agg(pl.col(column).n_unique().alias("n")).filter(pl.col("n") > 1).select("notice_no", "lot_id", is_disputed=True)


def _found(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    named = rows.select("notice_no", rule=pl.lit(CONTRADICTORY), column_name=pl.lit(column), value=pl.lit(None, pl.String))
    return named.unique(maintain_order=True)
