"""What only a whole invoice delivery shows: grand-total rows, covered slices, an empty file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.errors import Reason
from transforms.delivery import (
    COUNT_SCHEMA,
    FAILURE_SCHEMA,
    LOSS_SCHEMA,
    SET_ASIDE_SCHEMA,
    SLICE_SCHEMA,
    CleanPart,
    Conclusion,
    Delivered,
)
from transforms.sources import invoice_losses
from transforms.sources.invoice_rows import TABLE, Covered

GRAND_TOTAL = "grand_total"
TOTAL_WORDS = 1 / 3
"""A delivery is refused where rows that only say that they are totals hold more than this share of its euros."""


def conclude(parts: Sequence[CleanPart], deliveries: Sequence[tuple[Delivered, Covered, str]]) -> Conclusion:
    """The conclusions of several deliveries under one another; each stands for itself."""
    made = [_conclude_one(_of(parts, delivered.delivery_id), delivered, covered, part) for delivered, covered, part in deliveries]
    return Conclusion(
        failures=_stack([one.failures for one in made], FAILURE_SCHEMA),
        counts=_stack([one.counts for one in made], COUNT_SCHEMA),
        set_aside=_stack([one.set_aside for one in made], SET_ASIDE_SCHEMA),
        slices=_stack([one.slices for one in made], SLICE_SCHEMA),
        losses=_stack([one.losses for one in made], LOSS_SCHEMA),
        refused={delivery_id: reasons for one in made for delivery_id, reasons in one.refused.items()},
    )


def _of(parts: Sequence[CleanPart], delivery_id: str) -> list[CleanPart]:
    return [part for part in parts if part.facts.get("delivery_id") == delivery_id]


def _conclude_one(parts: Sequence[CleanPart], delivered: Delivered, covered: Covered, part: str) -> Conclusion:
    counts = pl.concat([item.counts for item in parts]) if parts else pl.DataFrame(schema=COUNT_SCHEMA)
    deferred = _stack([item.deferred for item in parts if item.deferred is not None], SET_ASIDE_SCHEMA)
    # A grand total repeats the sum of all other rows but subtotals, to the cent; with none but keyless rows there is nothing to total.
    others = int(counts["cents_read"].sum()) - int(counts["cents_set_aside"].sum()) - int(deferred["cents"].sum())
    keyed = int(counts["rows_read"].sum()) - int(counts["rows_set_aside"].sum()) - deferred.height
    is_total = pl.lit(keyed > 0) & (pl.col("cents") == others)
    totals, failed = deferred.filter(is_total), deferred.filter(~is_total)
    set_aside = _stack([item.facts["set_aside"] for item in parts], SET_ASIDE_SCHEMA)
    return Conclusion(
        failures=failed.select(
            "delivery_id", "table_name", "source_line", pl.lit(None, pl.String).alias("column_name"), pl.lit("keyless_row").alias("rule"),
            pl.lit(None, pl.String).alias("value"),
        ).cast(FAILURE_SCHEMA),
        counts=_added(delivered, totals, failed),
        set_aside=_stack([set_aside, totals.with_columns(pl.lit(GRAND_TOTAL).alias("reason"))], SET_ASIDE_SCHEMA),
        slices=_slices(parts, delivered, covered, part),
        refused=_refused(parts, counts, delivered),
        losses=invoice_losses.losses(parts, failed, delivered.delivery_id, TABLE),
    )  # fmt: skip


def _added(delivered: Delivered, totals: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """Deferred rows were read with their parts; here they are added to where they ended."""
    row = dict.fromkeys(COUNT_SCHEMA.names(), 0) | {
        "rows_set_aside": totals.height,
        "cents_set_aside": int(totals["cents"].sum()),
        "rows_quarantined": failed.height,
        "cents_quarantined": int(failed["cents"].sum()),
    }
    return pl.DataFrame([row | {"delivery_id": delivered.delivery_id, "table_name": TABLE}], schema=COUNT_SCHEMA)


def _slices(parts: Sequence[CleanPart], delivered: Delivered, covered: Covered, part: str) -> pl.DataFrame:
    """Every covered month, also those without rows; a year where rows have no date; else the months between the dates."""
    if parts and not parts[0].facts["has_dates"]:
        periods, kind = ([date(covered[0].year, 1, 1)] if covered else []), "year"
    else:
        first, last = covered if covered else (_least(parts, "first"), _most(parts, "last"))
        periods, kind = ([] if first is None or last is None else _months(first, last)), "month"
    rows = [(delivered.delivery_id, part, period, kind) for period in periods]
    return pl.DataFrame(rows, schema=SLICE_SCHEMA, orient="row")


def _least(parts: Sequence[CleanPart], fact: str) -> date | None:
    return min((value for part in parts if isinstance(value := part.facts[fact], date)), default=None)


def _most(parts: Sequence[CleanPart], fact: str) -> date | None:
    return max((value for part in parts if isinstance(value := part.facts[fact], date)), default=None)


def _months(first: date, last: date) -> list[date]:
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def _refused(parts: Sequence[CleanPart], counts: pl.DataFrame, delivered: Delivered) -> dict[str, list[Reason]]:
    if not parts:  # refused while reading
        return {}
    absolute, total_words = (sum(_whole(part.facts[name]) for part in parts) for name in ("absolute", "absolute_total_words"))
    if total_words > absolute * TOTAL_WORDS:
        text = (
            f"rows that say total hold {total_words / 100:.2f} of {absolute / 100:.2f} EUR, and are not the sum of the rows above; "
            "leave out rows of sums, or name what they are"
        )
        return {delivered.delivery_id: [Reason("totals_unclear", text, file=delivered.file_name)]}
    if counts["rows_read"].sum() > counts["rows_set_aside"].sum():
        return {}
    text = "the file has a header but no rows; deliver it with its rows"
    return {delivered.delivery_id: [Reason("no_rows", text, file=delivered.file_name)]}


def _whole(fact: object) -> int:
    return fact if isinstance(fact, int) else 0


def _stack(frames: Sequence[object], schema: pl.Schema) -> pl.DataFrame:
    full = [frame.select(schema.names()).cast(schema) for frame in frames if isinstance(frame, pl.DataFrame) and frame.height]
    return pl.concat(full) if full else pl.DataFrame(schema=schema)
