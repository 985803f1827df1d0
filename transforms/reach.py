"""How far the deliveries of forms that list events reach (METHOD 3, 29 and 33).

A list of contacts or cases tells of whole months only: of those that had ended in Helsinki when its agency's newest delivery
was produced. What lies beyond is missing, not zero.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.moments import ZONE

REACH = "source_reach"
SCHEMA = pl.Schema({"source": pl.String, "agency": pl.String, "reaches": pl.Date})
"""The frame REACH among the measures: `reaches` is the last month (its first day) of which an agency's deliveries tell."""
MISSING = "missing_delivery"


def last_ended(produced_at: pl.Expr) -> pl.Expr:
    """The last month (its first day) that had ended in Helsinki at a moment."""
    return produced_at.dt.convert_time_zone(ZONE).dt.date().dt.month_start().dt.offset_by("-1mo")


def reached(measures: Mapping[str, pl.DataFrame], table: str, source: str) -> pl.DataFrame:
    """Rows of a measure table (with `agency`) with `reaches`; null, which stands for all months, where nothing is known."""
    known = measures.get(REACH, pl.DataFrame(schema=SCHEMA)).filter(source=source)
    return measures[table].join(known.select("agency", "reaches"), on="agency", how="left")


def months_asked() -> pl.Expr:
    """Months of the row's period (period_start, period_end)."""
    return _index(pl.col("period_end")) - _index(pl.col("period_start")) + 1


def months_known() -> pl.Expr:
    """Those of them that the row's deliveries tell of."""
    known = _index(pl.col("reaches")) - _index(pl.col("period_start")) + 1
    return pl.min_horizontal(known.clip(lower_bound=0), months_asked()).fill_null(0)


def with_coverage(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of periods with `reaches`, whose `covered` and `asked` weigh the months known of those asked. What lies in a period
    of which no month is known bears the reason MISSING."""
    told = pl.col("reaches").is_not_null()
    return rows.with_columns(
        covered=pl.when(told).then(pl.col("covered") * months_known()).otherwise("covered"),
        asked=pl.when(told).then(pl.col("asked") * months_asked()).otherwise("asked"),
        reason=pl.when(told & (months_known() == 0)).then(pl.coalesce("reason", pl.lit(MISSING))).otherwise("reason"),
    )


def _index(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month()
