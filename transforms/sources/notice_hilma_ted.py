"""What Hilma wrote into TED XML without having been told it (METHOD 41): unknown counts as 0, boxes not ticked as large
companies, the day of sending where a decision had none. A told value cannot be told from such a one: both are unknown.
"""

from __future__ import annotations

import polars as pl

FIRST, LAST = pl.date(2019, 12, 1), pl.date(2023, 12, 31)
RULE = "hilma_ted_unknown"


def without_guesses(frames: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Typed frames without SME counts, sizes, and decisions on the day of dispatch in Finnish notices of the older TED schema of
    those years; and what was left out: notice_no, rule, column_name, value (null)."""
    written = (pl.col("schema") == "ted") & (pl.col("country") == "FI") & pl.col("dispatch_date").is_between(FIRST, LAST)
    sent = frames["notice"].filter(written).select("notice_no", sent="dispatch_date")
    found = []
    changed = dict(frames)
    for table, column in (
        ("lot_result", "tenders_sme_n"), ("winner", "size"), ("organisation", "size"),
        ("lot_result", "decision_date"), ("contract", "decision_date"),
    ):  # fmt: skip
        frame = changed[table].join(sent, on="notice_no", how="left", maintain_order="left")
        guessed = pl.col("sent").is_not_null() & pl.col(column).is_not_null()
        if column == "decision_date":
            guessed &= (pl.col(column) == pl.col("sent")).fill_null(value=False)
        of_column = frame.filter(guessed).select("notice_no", rule=pl.lit(RULE), column_name=pl.lit(column))
        found.append(of_column.unique(maintain_order=True).with_columns(value=pl.lit(None, pl.String)))
        changed[table] = frame.with_columns(pl.when(~guessed).then(column).alias(column)).drop("sent")
    return changed, pl.concat(found)
