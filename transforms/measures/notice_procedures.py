"""Procedures: what their call and their results say together, each procedure once and in one month."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from schemas.reference import Reference
from transforms.measures.notice_lots import Lots
from transforms.measures.notice_versions import Notices

SWITCH = date(2023, 10, 25)
"""eForms replaced the standard forms: Commission Implementing Regulation (EU) 2019/1780, (EU) 2015/1986 repealed."""
LONGEST_PROCEDURE = timedelta(days=365)
"""A procedure decided so long after a day cannot have begun before it (own assumption)."""
OLD_NUMBER = r"^\d{1,6}-20(1\d|2[0-3])$"
"""A notice number of the older schema, as previous notice: the procedure began before the switch."""
SOURCE = "procurement_notices"
AWARDED = "selec-w"
ONLY_PRICE = "price"


def procedure_start(notices: Notices, lots: Lots) -> pl.DataFrame:
    """One row per procedure with a call or a result: PROCEDURE_START."""
    calls, results = notices.speaking("call"), notices.speaking("result")
    begun = pl.concat([calls.with_columns(rank=pl.lit(0)), results.with_columns(rank=pl.lit(1))])
    firsts = _first(begun.sort("rank", "family_date", "day", "notice_id"))
    cancelling = notices.notices.filter(pl.col("is_cancelled") & (pl.col("role") == "call"))
    cancelled = cancelling.select("procedure_id").unique().with_columns(cancelled=pl.lit(value=True))
    called = lots.called.group_by("procedure_id").agg(pl.len().cast(pl.Int64).alias("lots_n"))
    joined = (
        firsts.join(_types(notices), on="procedure_id", how="left")
        .join(_outcomes(lots), on="procedure_id", how="left")
        .join(cancelled, on="procedure_id", how="left")
        .join(called, on="procedure_id", how="left")
        .join(_call_values(notices), on="procedure_id", how="left")
    )
    return joined.with_columns(
        has_call=pl.col("rank") == 0,
        is_cancelled=pl.col("cancelled").fill_null(value=False) & (pl.col("awarded_n").fill_null(0) == 0),
    )


def feeds_began(reference: Reference) -> date | None:
    """The first whole month of the feeds of notices, by the register of agencies (frame_from): that of the last one, since a call may
    come in any of them. None where the register tells of none."""
    told = [agency.frame_from for agency in reference.agencies.values() if SOURCE in agency.sources and agency.frame_from]
    if not told:
        return None
    first = date.fromisoformat(max(told))
    return first if first.day == 1 else (first.replace(day=1) + timedelta(days=31)).replace(day=1)


def procedure_result(notices: Notices, lots: Lots, began: date | None) -> pl.DataFrame:
    """One row per procedure with a result notice: PROCEDURE_RESULT. `began` as of `feeds_began`."""
    results = notices.speaking("result")
    said = notices.rows("procedure", results, "procedure_id")
    shared = said.group_by("procedure_id").agg(
        pl.col("is_joint").any().alias("is_joint"), pl.col("is_central_purchasing").any().alias("is_central")
    )
    newest = results.group_by("procedure_id", maintain_order=True).agg(is_eforms=pl.col("schema").last() == "eforms")
    changed = notices.notices.filter(pl.col("role") == "modification").select("procedure_id").unique()
    joined = _first(results).join(_types(notices), on="procedure_id", how="left").join(shared, on="procedure_id", how="left")
    for facts in (newest, _outcomes(lots), _begun(notices, lots, began), changed.with_columns(is_modified=pl.lit(value=True))):
        joined = joined.join(facts, on="procedure_id", how="left")
    flags = ("is_joint", "is_central", "is_modified", "has_call", "begun_after_switch")
    return joined.with_columns(pl.col(flags).fill_null(value=False))


def _first(ordered: pl.DataFrame) -> pl.DataFrame:
    """procedure_id, organisation_id, month, is_ted (and rank) of each procedure's first row."""
    firsts = ordered.unique("procedure_id", keep="first", maintain_order=True)
    month = pl.col("family_date").dt.month_start().alias("month")
    return firsts.select("procedure_id", "organisation_id", month, "is_ted", *(["rank"] if "rank" in firsts.columns else []))


def _types(notices: Notices) -> pl.DataFrame:
    """procedure_id, procedure_type: of the newest result that states it, else of the newest call."""
    parts = [
        notices.rows("procedure", notices.speaking(role), "procedure_id", "day").with_columns(rank=pl.lit(rank))
        for rank, role in enumerate(("call", "result"))
    ]
    said = pl.concat(parts).drop_nulls("procedure_type").sort("rank", "day", "notice_id")
    return said.group_by("procedure_id", maintain_order=True).agg(pl.col("procedure_type").last())


def _outcomes(lots: Lots) -> pl.DataFrame:
    """procedure_id, awarded_n, is_price_only, decided (earliest decision) of procedures with a result."""
    won = pl.col("result_code") == AWARDED
    criteria = pl.col("criteria").filter(won)
    return lots.results.group_by("procedure_id").agg(
        won.sum().cast(pl.Int64).alias("awarded_n"),
        pl.when(won.any() & criteria.is_not_null().all()).then((criteria == ONLY_PRICE).all()).alias("is_price_only"),
        pl.col("decision_date").min().alias("decided"),
    )


def _begun(notices: Notices, lots: Lots, began: date | None) -> pl.DataFrame:
    """procedure_id, has_call, begun_after_switch of every procedure (METHOD 37).

    A call that an award names is a call, held or not. A procedure without one began after the switch where it cannot have begun
    before the feed did; an award that corrects one which is not held says nothing of its call.
    """
    is_call, is_result = pl.col("role") == "call", pl.col("role") == "result"
    held = notices.notices.select("procedure_id", family="notice_id", is_held=pl.lit(value=True)).unique()
    every = notices.notices.join(held, on=["procedure_id", "family"], how="left")
    grouped = every.group_by("procedure_id").agg(
        is_call.any().alias("is_called"),
        (is_result & pl.col("previous_notice_id").is_not_null()).any().alias("names_call"),
        (is_result & pl.col("is_held").is_null()).any().alias("corrects_unheld"),
        pl.col("family_date").filter(is_call).min().alias("called"),
        pl.col("notice_date").min().alias("first_seen"),
        pl.col("family_date").filter(is_result).min().alias("resulted"),
        pl.col("previous_notice_id").fill_null("").str.contains(OLD_NUMBER).any().alias("follows_old"),
    )
    joined = grouped.join(_outcomes(lots), on="procedure_id", how="left")
    return joined.select(
        "procedure_id",
        has_call=pl.col("is_called") | pl.col("names_call"),
        begun_after_switch=pl.when("is_called")
        .then(pl.col("called") >= SWITCH)
        .when("names_call")
        .then(~pl.col("follows_old"))
        .otherwise(_cannot_be_older(began) & ~pl.col("corrects_unheld") & ~pl.col("follows_old")),
    )


def _cannot_be_older(began: date | None) -> pl.Expr:
    """Whether a procedure cannot have begun before the switch and the feed."""
    if began is None:
        return pl.lit(value=False)
    floor = max(SWITCH, began)
    late = pl.min_horizontal("decided", "resulted") >= floor + LONGEST_PROCEDURE
    return (pl.col("first_seen") >= floor) & late.fill_null(value=False)


def _call_values(notices: Notices) -> pl.DataFrame:
    """procedure_id, call_value_cents, call_value_state of the newest call: its estimate, else its lots' when all are known."""
    newest = notices.speaking("call").sort("day", "notice_id").unique("procedure_id", keep="last", maintain_order=True)
    own = notices.rows("procedure", newest, "procedure_id").select("procedure_id", whole="estimated_value_cents")
    cents = pl.col("estimated_value_cents")
    lots = notices.rows("lot", newest, "procedure_id").group_by("procedure_id")
    summed = lots.agg(pl.when(cents.is_not_null().all()).then(cents.sum()).alias("summed"))
    joined = newest.join(own, on="procedure_id", how="left").join(summed, on="procedure_id", how="left")
    value = pl.coalesce("whole", "summed")
    state = (
        pl.when(value.is_not_null())
        .then(pl.lit("known"))
        .when(pl.col("other_currency").is_not_null())
        .then(pl.lit("other_currency"))
        .otherwise(pl.lit("missing"))
    )
    return joined.select("procedure_id", value.alias("call_value_cents"), state.alias("call_value_state"))
