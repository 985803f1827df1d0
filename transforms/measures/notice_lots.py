"""Lots: results with bids, winners and decision days; Hilma's statistics answers merged over call and award."""

from __future__ import annotations

import polars as pl

from schemas.procurement_notices import ANSWERS
from transforms.measures.notice_procedures import NO_CALL, RESULT, call_lots, procedure_fact
from transforms.measures.notice_versions import KEY, Current

SME_SIZES = ("micro", "small", "medium", "sme")
LONGEST_DECISION = 730
"""Decisions before the deadline or more than two years after it are mistakes: left out and counted."""
ANSWER_NAMES = tuple(f"answer_{name}" for name in ANSWERS)


def lot_result_fact(current: Current) -> pl.DataFrame:
    """One row per lot result of an award notice."""
    awards = current.notices.filter(pl.col("form_type") == RESULT).select(
        *KEY, "procedure_key", "organisation_id", "month", "is_ted", "notice_date"
    )
    results = current.tables["lot_result"].join(awards, on=KEY)
    own = current.tables["lot"].select(*KEY, "lot_id", own_framework="framework", own_dps="dps")
    called = call_lots(current).select("procedure_key", "lot_id", "deadline_date", call_framework="framework", call_dps="dps")
    types = procedure_fact(current).select(procedure_key="procedure_id", procedure_type="procedure_type")
    joined = (
        results.join(own, on=[*KEY, "lot_id"], how="left")
        .join(called, on=["procedure_key", "lot_id"], how="left")
        .join(types, on="procedure_key", how="left")
        .join(_winners(current), on=[*KEY, "result_id"], how="left")
    )
    framework = pl.coalesce("own_framework", "call_framework").fill_null("none")
    dps = pl.coalesce("own_dps", "call_dps").fill_null("none")
    called_for = ~pl.col("procedure_type").is_in(NO_CALL).fill_null(value=False)
    within = pl.col("within_framework").fill_null(value=False)
    days = (pl.col("decision_date") - pl.col("deadline_date")).dt.total_days()
    first = pl.col("decision_date").rank("ordinal").over("procedure_key", "lot_id") == 1
    facts = joined.sort("notice_date", *KEY, "result_id").select(
        pl.col("procedure_key").alias("procedure_id"),
        "organisation_id",
        "month",
        "is_ted",
        "notice_id",
        "result_id",
        "lot_id",
        "result_code",
        pl.col("tenders_n", "tenders_sme_n").cast(pl.Int64),
        pl.col("award_value_cents"),
        (called_for & (framework == "none") & (dps == "none") & ~within).alias("is_competitive"),
        (called_for & (dps != "none")).alias("is_dps"),
        (called_for & (dps == "none")).alias("is_decided_after_call"),
        pl.when(first & called_for & (dps == "none")).then(days).alias("days"),
        pl.col("winners_n", "winners_without_id", "winners_sized", "winners_sme").fill_null(0),
    )
    sane = pl.col("days").is_between(0, LONGEST_DECISION)
    return facts.with_columns(
        decision_days=pl.when(sane).then(pl.col("days")), is_days_refused=(~sane).fill_null(value=False)
    ).drop("days")


def _winners(current: Current) -> pl.DataFrame:
    """Contractors per lot result: distinct tenderers, without a registration number, of known size, SMEs among them."""
    sized = pl.col("size").is_not_null()
    return (
        current.tables["winner"]
        .group_by(*KEY, "result_id")
        .agg(
            pl.len().cast(pl.Int64).alias("winners_n"),
            (~pl.col("id_kind").is_in(["business_id", "foreign_id"])).sum().cast(pl.Int64).alias("winners_without_id"),
            sized.sum().cast(pl.Int64).alias("winners_sized"),
            pl.col("size").is_in(SME_SIZES).sum().cast(pl.Int64).alias("winners_sme"),
        )
    )


def lot_answer_fact(current: Current) -> pl.DataFrame:
    """One row per procedure and lot that the statistics questions are asked for: latest non-null answers, the award's before
    the call's (METHOD 15); its month is the award notice's, else the call's."""
    told = current.notices.filter(pl.col("form_type").is_in(["competition", "change", RESULT])).select(
        *KEY, "procedure_key", "form_type", "notice_date"
    )
    lots = current.tables["lot"].join(told, on=KEY)
    ranked = lots.with_columns(is_award=pl.col("form_type") == RESULT).sort("is_award", "notice_date", "notice_id")
    merged = ranked.group_by("procedure_key", "lot_id", maintain_order=True).agg(
        pl.col("is_asked").any(), pl.col(ANSWER_NAMES).drop_nulls().last()
    )
    answered = pl.any_horizontal(pl.col(ANSWER_NAMES).is_not_null())
    places = procedure_fact(current).select(
        pl.col("procedure_id").alias("procedure_key"),
        pl.coalesce("result_organisation_id", "organisation_id").alias("organisation_id"),
        pl.coalesce("result_month", "month").alias("month"),
        "is_ted",
    )
    asked = merged.filter(pl.col("is_asked") | answered).join(places, on="procedure_key")
    return asked.select(
        pl.col("procedure_key").alias("procedure_id"), "organisation_id", "month", "is_ted", "lot_id", "is_asked", *ANSWER_NAMES
    )
