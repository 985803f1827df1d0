"""Values of notices that say nothing (METHOD 39, 40): placeholders, and one tender's value told of several lots."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.reference import Reference

MONEY: Mapping[str, tuple[str, ...]] = {
    "notice": ("total_value_cents",),
    "procedure": ("estimated_value_cents",),
    "lot": ("estimated_value_cents",),
    "lot_result": ("award_value_cents", "lowest_cents", "highest_cents"),
    "tender": ("value_cents",),
    "contract": ("value_cents",),
}
LEAST_CENTS = 100
"""Up to one euro a value is a placeholder."""
NINES = r"^9{5,}$"
LIMIT = "implausible_notice_value"
"""Row of the register of limits: above it a value is a placeholder."""


def without_placeholders(frames: Mapping[str, pl.DataFrame], reference: Reference) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The frames without values that are none, and the findings `value_implausible` and `value_shared` (notice_no, rule, column_name,
    value). A value of one tender that several lot results name is unknown for each of them."""
    limit = _limit_cents(reference)
    kept, found = dict(frames), []
    for table, columns in MONEY.items():
        for column in columns:
            euros = (pl.col(column) // 100).cast(pl.String)
            nines = euros.str.contains(NINES) & (pl.col(column) % 100).is_in([0, 99])
            bad = (pl.col(column) <= LEAST_CENTS) | nines | (pl.col(column) > limit)
            found.append(_found(kept[table].filter(bad), "value_implausible", column))
            kept[table] = kept[table].with_columns(pl.when(~bad).then(column).alias(column))
    named = pl.struct("result_id").n_unique().over("notice_no", "tender_id")
    several = kept["tender"].filter(pl.col("is_winner") & pl.col("tender_id").is_not_null()).filter(named > 1)
    key = ["notice_no", "result_id"]
    shared = kept["lot_result"].filter(pl.col("award_value_cents").is_not_null()).join(several.select(key).unique(), on=key, how="semi")
    found.append(_found(shared, "value_shared", "award_value_cents"))
    marked = kept["lot_result"].join(shared.select(*key, is_shared=pl.lit(value=True)).unique(), on=key, how="left", maintain_order="left")
    value = pl.when(pl.col("is_shared").is_null()).then("award_value_cents")
    kept["lot_result"] = marked.with_columns(value.alias("award_value_cents")).drop("is_shared")
    return kept, pl.concat(found)


def _limit_cents(reference: Reference) -> int:
    rows = reference.table("catalogue/limits.csv").filter(limit_id=LIMIT)
    return int(rows["value"].cast(pl.Int64).max() or 0) * 100  # type: ignore[arg-type]


def _found(rows: pl.DataFrame, rule: str, column: str) -> pl.DataFrame:
    euros = pl.format("{}.{}", pl.col(column) // 100, (pl.col(column) % 100).cast(pl.String).str.zfill(2))
    return rows.select("notice_no", rule=pl.lit(rule), column_name=pl.lit(column), value=euros)
