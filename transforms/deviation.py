"""Deviation (METHOD 8): which months of a figure stand outside what its own history lets expect.

    y          log of amounts and counts, logit((x + 0.5) / (n + 1)) of shares
    level      median of the 12 months before
    season     median over 3 earlier years of (y of the same month - its level)
    residual   y - level - season
    fence      median +- 3 x 1.4826 MAD of the 24 residuals before; 1.4826 MAD counts as 0.02 at least

A month is judged by the 48 before it and nothing else. All must have a usable value (12 for the level, 12 for the first season,
24 for the residuals, whose seasons take the earlier years that lie among the 48), and the series must not break among them.
Flagged months count among the 48, but enter no later median.

Series lie side by side: one row per series, one column per month, and the work is done for all of them month by month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from transforms.periods import add_months, month_end, month_range

HISTORY, LEVEL, YEARS, RESIDUALS = 48, 12, 3, 24
WIDTH, CONSISTENT, LEAST_SPREAD = 3.0, 1.4826, 0.02
LEAST_N = 30

INPUT = pl.Schema(
    {
        "series": pl.UInt32,
        "figure_id": pl.String,
        "month": pl.Date,
        "x": pl.Float64,
        "n": pl.Float64,
        "is_share": pl.Boolean,
        "is_usable": pl.Boolean,
        "was_flagged": pl.Boolean,
        "is_due": pl.Boolean,
    }
)
"""One row per series and month. `x` of shares is their numerator, `n` what it is a share of. `is_usable`: the month is
complete; `was_flagged`: it was judged and flagged before; `is_due`: it is to be judged now."""

OUTPUT = pl.Schema(
    {
        "series": pl.UInt32,
        "month": pl.Date,
        "status": pl.String,
        "expected": pl.Float64,
        "fence_low": pl.Float64,
        "fence_high": pl.Float64,
        "residual": pl.Float64,
    }
)
"""One row per month that was due. `expected` and the fences are in the figure's own unit (shares 0-1), `expected` in their
middle; `residual` is on the scale of y, and what is compared. All null where there is too little history."""

Columns = dict[int, pl.Series]
"""One column per month of the window, one row per series."""


def judge(rows: pl.DataFrame, breaks: Mapping[str, Sequence[date]]) -> pl.DataFrame:
    """OUTPUT for the months of `rows` (INPUT) that are due, judged from the oldest to the newest.

    `breaks`: days on which a figure's series breaks.
    """
    due = rows.filter("is_due")
    if due.is_empty():
        return pl.DataFrame(schema=OUTPUT)
    last = due["month"].max()
    first = due["month"].min()
    assert isinstance(first, date)  # noqa: S101 - of a frame that is not empty
    assert isinstance(last, date)  # noqa: S101
    months = month_range(add_months(first, -HISTORY), last)
    judged = _with_history(rows.filter(pl.col("month").is_between(months[0], last)), months, breaks)
    short = due.join(judged, on=["series", "month"], how="anti").select("series", "month", status=pl.lit("too_little_history"))
    return pl.concat([judged, short], how="diagonal").select(OUTPUT.names()).cast(OUTPUT).sort("series", "month")


def _with_history(rows: pl.DataFrame, months: Sequence[date], breaks: Mapping[str, Sequence[date]]) -> pl.DataFrame:
    """Rows judged; those without enough history are left out."""
    numbers = pl.DataFrame({"month": months, "at": range(len(months))}, schema={"month": pl.Date, "at": pl.Int32})
    rows = rows.with_columns(y=_y()).join(numbers, on="month")
    ready = _ready(rows, months, breaks)
    rows = rows.join(ready.select("series").unique(), on="series", how="semi")
    if rows.is_empty():
        return pl.DataFrame(schema=OUTPUT)
    order = rows.select("series").unique().sort("series")
    y, flagged = _wide(rows, order, "y", len(months)), _wide(rows, order, "was_flagged", len(months))
    clean = {at: y[at].set(flagged[at].fill_null(value=False), None) for at in y}
    wanted = {at: of_month for (at,), of_month in ready.group_by("at")}
    level: Columns = {}
    above: Columns = {}
    found = []
    for at in range(LEVEL, len(months)):
        level[at] = _median([clean[at - back] for back in range(1, LEVEL + 1)])
        above[at] = clean[at] - level[at]
        if at in wanted:
            before = [_residual(above, at - back, (HISTORY - LEVEL - back) // 12) for back in range(1, RESIDUALS + 1)]
            centre = level[at] + _season(above, at, YEARS)
            judged = _fenced(order, months[at], y[at], centre, before)
            judged = judged.join(wanted[at].select("series", "n", "is_share"), on="series").drop_nulls("scale")
            out = order["series"].is_in(judged.filter(pl.col("status") == "flagged")["series"].implode())
            clean[at], above[at] = clean[at].set(out, None), above[at].set(out, None)
            found.append(judged)
    return _in_own_unit(pl.concat(found)) if found else pl.DataFrame(schema=OUTPUT)


def _season(above: Columns, at: int, years: int) -> pl.Series:
    """What the same month of so many earlier years stood above its level."""
    return _median([above[at - 12 * back] for back in range(1, years + 1)])


def _residual(above: Columns, at: int, years: int) -> pl.Series:
    """A residual before the judged month, with so many earlier years; null where the month was flagged."""
    return above[at] - _season(above, at, years)


def _y() -> pl.Expr:
    """The value on the scale of the method; null where it is not usable or has none (log of nothing, a share beyond 0-1)."""
    share = (pl.col("x") + 0.5) / (pl.col("n") + 1)
    inside = (share > 0) & (share < 1)
    logit = pl.when(inside).then((share / (1 - share)).log())
    value = pl.when("is_share").then(logit).otherwise(pl.when(pl.col("x") > 0).then(pl.col("x").log()))
    return pl.when("is_usable").then(value)


def _ready(rows: pl.DataFrame, months: Sequence[date], breaks: Mapping[str, Sequence[date]]) -> pl.DataFrame:
    """series, at, n, is_share of the months that are due and have their 48 months, no break, and 30 units where a share."""
    usable = rows.filter(pl.col("y").is_not_null()).sort("series", "at")
    # months are distinct: the one 48 rows before lies 48 months before when no month between is missing
    has_all = pl.col("at") - pl.col("at").shift(HISTORY).over("series") == HISTORY
    enough = ~pl.col("is_share") | (pl.col("n") >= LEAST_N)
    ready = usable.filter(has_all & enough & pl.col("is_due")).select("series", "figure_id", "month", "at", "n", "is_share")
    broken = [
        (figure_id, month)
        for figure_id, days in breaks.items()
        for month in months[HISTORY:]
        if any(add_months(month, -HISTORY) < day <= month_end(month) for day in days)
    ]
    cut = pl.DataFrame(broken, schema={"figure_id": pl.String, "month": pl.Date}, orient="row")
    return ready.join(cut, on=["figure_id", "month"], how="anti").drop("figure_id", "month")


def _wide(rows: pl.DataFrame, order: pl.DataFrame, name: str, count: int) -> Columns:
    """A column of `rows` by month, each in the order of the series; null where a series has no row."""
    placed = rows.select("series", "at", name).join(order.with_row_index("row"), on="series")
    column = pl.Series(name, [None], rows.schema[name]).new_from_index(0, order.height * count)
    column = column.scatter(placed.select(pl.col("at") * order.height + pl.col("row"))[:, 0], placed[name])
    return {at: column.slice(at * order.height, order.height) for at in range(count)}


def _median(columns: Sequence[pl.Series]) -> pl.Series:
    """Row by row, over the columns that have a value."""
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])
    return frame.select(pl.concat_list(pl.all()).list.median().alias("median"))["median"]


def _fenced(order: pl.DataFrame, month: date, y: pl.Series, centre: pl.Series, before: Sequence[pl.Series]) -> pl.DataFrame:
    """Every series against its fence: status, residual, the fence's middle and half-width on the scale of y."""
    middle = _median(before)
    spread = _median([(one - middle).abs() for one in before])
    frame = order.with_columns(
        month=pl.lit(month),
        scale=(spread * CONSISTENT).clip(LEAST_SPREAD) * WIDTH,
        residual=y - centre,
        middle=middle,
        centre=centre,
    )
    outside = (pl.col("residual") - pl.col("middle")).abs() > pl.col("scale")
    return frame.with_columns(status=pl.when(outside).then(pl.lit("flagged")).otherwise(pl.lit("ok")))


def _in_own_unit(judged: pl.DataFrame) -> pl.DataFrame:
    """Expected value and fences back from the scale of y."""

    def back(y: pl.Expr) -> pl.Expr:
        share = (1 / (1 + (-y).exp()) * (pl.col("n") + 1) - 0.5) / pl.col("n")
        return pl.when("is_share").then(share.clip(0, 1)).otherwise(y.exp())

    expected = pl.col("centre") + pl.col("middle")
    return judged.with_columns(
        expected=back(expected), fence_low=back(expected - pl.col("scale")), fence_high=back(expected + pl.col("scale"))
    ).select(OUTPUT.names())
