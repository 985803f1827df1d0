"""Lot results: bids, winners, values (METHOD 9, 13) and how long decisions took (METHOD 10)."""

from __future__ import annotations

import polars as pl

from schemas.procurement_notices import SME_SIZES
from transforms.measures.notice_buyers import WITH_ID
from transforms.measures.notice_lots import LOT, Lots, uses
from transforms.measures.notice_versions import KEY, Notices

NO_CALL = ("neg-wo-call", "oth-single")
"""BT-105: negotiated without a call; another single-stage procedure."""
LONGEST = "2y"
"""Decisions later than this after the deadline are left out and counted (KEY_FIGURES 7.1)."""


def lot_result_fact(notices: Notices, lots: Lots, start: pl.DataFrame) -> pl.DataFrame:
    """One row per lot result: LOT_RESULT_FACT. `start` is the measure of that name."""
    joined = _with_procedure(lots, start).join(_winners(notices), on=[*KEY, "result_id"], how="left")
    counts = ("winners_n", "winners_without_id_n", "winners_sized_n", "winners_sme_n")
    return joined.with_columns(pl.col(counts).fill_null(0), month=pl.col("family_date").dt.month_start(), series=_series())


def _with_procedure(lots: Lots, start: pl.DataFrame) -> pl.DataFrame:
    return lots.results.join(start.select("procedure_id", "procedure_type", "has_call"), on="procedure_id", how="left")


def _without_call() -> pl.Expr:
    return pl.col("procedure_type").is_in(NO_CALL).fill_null(value=False)


def _series() -> pl.Expr:
    """METHOD 9. A contract within a DPS (BT-768) belongs to the DPS series; where the framework or the procedure type is not
    known (and no call is, which would show competition) the result is in no series."""
    within = pl.col("within_framework").fill_null(value=False)
    unknown = pl.col("framework").is_null() | (pl.col("procedure_type").is_null() & ~pl.col("has_call"))
    return (
        pl.when(_without_call() | uses("framework"))
        .then(pl.lit("outside"))
        .when(uses("dps"))
        .then(pl.lit("dps"))
        .when(within)
        .then(pl.lit("outside"))
        .when(unknown)
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("competitive"))
    )


def _winners(notices: Notices) -> pl.DataFrame:
    """Contractors by lot result: KEY, result_id and the four counts. In Hilma's own JSON a box that is not ticked says nothing,
    so that a share of the ticked ones would be all (METHOD 41)."""
    sized = pl.col("size").is_not_null()
    boxes = notices.notices.filter(pl.col("schema") == "hilma").select(*KEY, is_box=pl.lit(value=True))
    winners = notices.tables["winner"].join(boxes, on=KEY, how="left")
    return (
        winners.with_columns(size=pl.when(pl.col("is_box").is_null()).then("size"))
        .group_by(*KEY, "result_id")
        .agg(
            pl.len().cast(pl.Int64).alias("winners_n"),
            (~pl.col("id_kind").is_in(WITH_ID)).sum().cast(pl.Int64).alias("winners_without_id_n"),
            sized.sum().cast(pl.Int64).alias("winners_sized_n"),
            pl.col("size").is_in(SME_SIZES).sum().cast(pl.Int64).alias("winners_sme_n"),
        )
    )


def lot_decision(lots: Lots, start: pl.DataFrame) -> pl.DataFrame:
    """One row per awarded lot: LOT_DECISION.

    A lot that the call does not name takes the call's deadline when all its lots have the same (in the older schema the
    deadline stands once for all lots, and award sections number lots freely).
    """
    awarded = _with_procedure(lots, start).filter((pl.col("result_code") == "selec-w") & ~_without_call() & ~uses("dps"))
    first = awarded.sort("decision_date", "family_date", "notice_id", "result_id", nulls_last=True)
    first = first.unique(LOT, keep="first", maintain_order=True)
    called = lots.called.filter(~uses("dps"))
    own = called.select(*LOT, pl.col("deadline_date").alias("own_deadline"), is_named=pl.lit(value=True))
    deadlines = pl.col("deadline_date").drop_nulls()
    common = called.group_by("procedure_id").agg(
        pl.when(deadlines.n_unique() == 1).then(deadlines.first()).alias("common_deadline"), pl.len().alias("called_n")
    )
    joined = first.join(own, on=LOT, how="left").join(common, on="procedure_id", how="left")
    joined = joined.with_columns(
        month=pl.col("family_date").dt.month_start(),
        deadline_date=pl.when("is_named").then("own_deadline").otherwise("common_deadline"),
    )
    return joined.with_columns(days=(pl.col("decision_date") - pl.col("deadline_date")).dt.total_days(), outcome=_outcome())


def _outcome() -> pl.Expr:
    decided, deadline = pl.col("decision_date"), pl.col("deadline_date")
    return (
        pl.when(pl.col("called_n").is_null())
        .then(pl.lit("no_call"))
        .when(deadline.is_null())
        .then(pl.lit("no_deadline"))
        .when(decided.is_null())
        .then(pl.lit("no_decision"))
        .when(decided < deadline)
        .then(pl.lit("negative"))
        .when(decided > deadline.dt.offset_by(LONGEST))
        .then(pl.lit("too_long"))
        .otherwise(pl.lit("counted"))
    )
