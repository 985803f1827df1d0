"""Lots: as called for, as they ended, and what Hilma's questions were answered for them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from schemas.procurement_notices import ANSWERS
from transforms.measures.notice_versions import KEY, Notices

LOT = ["procedure_id", "lot_id"]
NO_USE = "none"
"""BT-765 and BT-766: no framework agreement, no dynamic purchasing system."""
DESCRIBED = ("framework", "dps", "criteria", "deadline_date")
CLOSED = ("selec-w", "clos-nw")
"""BT-142: awarded; closed without an award. `open-nw` is not closed yet."""
ANSWER_COLUMNS = [f"answer_{name}" for name in ANSWERS]
PLACE = ("organisation_id", "is_ted")


@dataclass(frozen=True)
class Lots:
    """Lots of a set of notices: as called for (`called_lots`) and their results (`result_lots`)."""

    called: pl.DataFrame
    results: pl.DataFrame


def lots_of(notices: Notices) -> Lots:
    """Both views of the lots, worked out once for all measures."""
    called = called_lots(notices)
    return Lots(called, result_lots(notices, called))


def called_lots(notices: Notices) -> pl.DataFrame:
    """Each lot of a procedure's calls once, from the newest notice that speaks of it: LOT, organisation_id, is_ted,
    family_date, framework, dps, criteria, deadline_date, is_asked."""
    rows = notices.rows("lot", notices.speaking("call"), "procedure_id", "family_date", "day", *PLACE)
    newest = rows.sort("day", "notice_id").unique(LOT, keep="last", maintain_order=True)
    return newest.select(*LOT, *PLACE, "family_date", *DESCRIBED, "is_asked")


def result_lots(notices: Notices, called: pl.DataFrame) -> pl.DataFrame:
    """Lot results that count, with what their lot is: the result notice's words for it, else the call's.

    A lot that neither describes is what all lots of its own notice are, when they are alike: older award sections need not name
    their lot. Columns of lot_result; procedure_id, organisation_id, is_ted, family_date, day; framework, dps, criteria.
    """
    results = _once(notices, notices.rows("lot_result", notices.speaking("result"), "procedure_id", "family_date", "day", "family", *PLACE))
    own = notices.tables["lot"].select(*KEY, "lot_id", *DESCRIBED[:3])
    alike = own.group_by(KEY).agg(_shared(name).alias(f"shared_{name}") for name in DESCRIBED[:3])
    described = called.select(*LOT, *(pl.col(name).alias(f"called_{name}") for name in DESCRIBED[:3]), is_called=True)
    joined = results.join(own.with_columns(is_told=True), on=[*KEY, "lot_id"], how="left").join(described, on=LOT, how="left")
    joined = joined.join(alike, on=KEY, how="left")
    unnamed = pl.col("is_told").is_null() & pl.col("is_called").is_null()
    return joined.with_columns(
        pl.coalesce(name, f"called_{name}", pl.when(unnamed).then(f"shared_{name}")).alias(name) for name in DESCRIBED[:3]
    )


def _once(notices: Notices, results: pl.DataFrame) -> pl.DataFrame:
    """Results without those that restate an award of an earlier notice (METHOD 39): the same lot of the procedure, decided on the same
    day for the same value and suppliers. Reference numbers of contracts are each notice's own."""
    suppliers = pl.col("supplier_id").fill_null("?").sort().str.join(",").alias("suppliers")
    told = results.join(notices.tables["winner"].group_by(*KEY, "result_id").agg(suppliers), on=[*KEY, "result_id"], how="left")
    award = [*LOT, "decision_date", "award_value_cents", "suppliers"]
    first = pl.struct("family_date", "day", "family").sort_by("family_date", "day", "family").first().struct.field("family").over(award)
    is_known = (pl.col("result_code") == CLOSED[0]) & pl.all_horizontal(pl.col(*LOT, "decision_date", "suppliers").is_not_null())
    return told.filter(~is_known.fill_null(value=False) | (pl.col("family") == first)).drop("family", "suppliers")


def _shared(column: str) -> pl.Expr:
    """The value that all rows of a group have; null when they differ or one is unknown (withheld among others)."""
    values = pl.col(column)
    return pl.when((values.n_unique() == 1) & values.is_not_null().all()).then(values.first())


def call_lot(lots: Lots) -> pl.DataFrame:
    """One row per lot called for: CALL_LOT."""
    return lots.called.with_columns(
        month=_month(),
        deadline_days=(pl.col("deadline_date") - pl.col("family_date")).dt.total_days(),
        is_dps=uses("dps"),
    )


def uses(column: str) -> pl.Expr:
    """Whether BT-765 or BT-766 states a use; unknown is none."""
    return (pl.col(column) != NO_USE).fill_null(value=False)


def closed_lot(notices: Notices, lots: Lots) -> pl.DataFrame:
    """One row per lot that ended: CLOSED_LOT. A result says more than a notice that cancels the lot.

    National calls of Hilma's own shape end in a cancellation only where anything tells: there was no national award notice, so
    that their cancellations would be all that ended.
    """
    ended = lots.results.filter(pl.col("result_code").is_in(CLOSED))
    ended = ended.with_columns(is_awarded=pl.col("result_code") == CLOSED[0])
    # the first award stays where it is when more follow; of results without an award the newest counts
    away = pl.when("is_awarded").then(0).otherwise(-1) * pl.col("day").dt.epoch("us")
    oldest = pl.when("is_awarded").then(pl.col("family_date"))
    ended = ended.sort(~pl.col("is_awarded"), oldest, away, "notice_id", "result_id").unique(
        LOT, keep="first", maintain_order=True
    )
    without_awards = (pl.col("schema") == "hilma") & ~pl.col("is_ted")
    cancelling = notices.notices.filter(pl.col("is_cancelled") & (pl.col("role") == "call") & ~without_awards).sort("day", "notice_id")
    cancelled = notices.rows("lot", cancelling, "procedure_id", "notice_date", "day", *PLACE)
    cancelled = cancelled.sort("day", "notice_id").unique(LOT, keep="first", maintain_order=True)
    cancelled = cancelled.join(lots.results.select(LOT).unique(), on=LOT, how="anti")
    columns = (*LOT, *PLACE)
    return pl.concat(
        [
            ended.select(*columns, _month(), "is_awarded", is_cancelled_by_notice=pl.lit(value=False)),
            cancelled.select(
                *columns, _month("notice_date"), is_awarded=pl.lit(value=False), is_cancelled_by_notice=pl.lit(value=True)
            ),
        ]
    )


def lot_answer(notices: Notices) -> pl.DataFrame:
    """One row per lot that the questions are asked for: LOT_ANSWER. All lots of a procedure share its place and month."""
    told = notices.notices.filter(pl.col("role").is_in(["call", "result"]))
    told = told.with_columns(rank=pl.when(pl.col("role") == "call").then(0).otherwise(1))
    rows = notices.rows("lot", told, "procedure_id", "rank", "day").sort("rank", "day", "notice_id")
    lots = rows.group_by(LOT, maintain_order=True).agg(pl.col("is_asked").any(), pl.col(ANSWER_COLUMNS).drop_nulls().last())
    answered = pl.any_horizontal(pl.col(ANSWER_COLUMNS).is_not_null())
    places = told.sort(-pl.col("rank"), "family_date", "day", "notice_id").unique(
        "procedure_id", keep="first", maintain_order=True
    )
    places = places.select("procedure_id", *PLACE, _month())
    return lots.filter(pl.col("is_asked") | answered).join(places, on="procedure_id")


def _month(column: str = "family_date") -> pl.Expr:
    return pl.col(column).dt.month_start().alias("month")
