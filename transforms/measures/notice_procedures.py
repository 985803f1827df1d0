"""Procedures and their calls: one row per procedure, one per lot called for."""

from __future__ import annotations

import polars as pl

from transforms.measures.notice_versions import KEY, Current

PLACE = ["procedure_id", "organisation_id", "month", "is_ted"]
NO_CALL = ("neg-wo-call", "oth-single")
RESULT, CALL, MODIFICATION, EX_ANTE = "result", "competition", "cont-modif", "dir-awa-pre"
CRITERION = "price"


def calls(current: Current) -> pl.DataFrame:
    """The first call of each procedure (no correction of another), as a notice row."""
    original = current.notices.filter((pl.col("form_type") == CALL) & pl.col("changed_notice_id").is_null())
    return original.sort("notice_date", "notice_id").unique("procedure_key", keep="first", maintain_order=True)


def results(current: Current) -> pl.DataFrame:
    """The first award notice of each procedure."""
    awards = current.notices.filter(pl.col("form_type") == RESULT)
    return awards.sort("notice_date", "notice_id").unique("procedure_key", keep="first", maintain_order=True)


def cancellations(current: Current) -> pl.DataFrame:
    """The last notice of each procedure that cancels it."""
    gone = current.notices.filter(pl.col("is_cancelled").fill_null(value=False))
    return gone.sort("notice_date", "notice_id").unique("procedure_key", keep="last", maintain_order=True)


def call_lots(current: Current) -> pl.DataFrame:
    """Lots of every call notice, original and corrected, that does not cancel: the newest per procedure and lot.

    procedure_key, lot_id, deadline_date, framework, dps, criteria, nature, cpv.
    """
    standing = current.notices.filter(
        (pl.col("form_type").is_in([CALL, "change"])) & ~pl.col("is_cancelled").fill_null(value=False)
    )
    lots = current.tables["lot"].join(standing.select(*KEY, "procedure_key", "notice_date"), on=KEY)
    columns = ("deadline_date", "framework", "dps", "criteria", "nature", "cpv")
    return (
        lots.sort("notice_date", "notice_id")
        .group_by("procedure_key", "lot_id", maintain_order=True)
        .agg(pl.col(columns).drop_nulls().last())
    )


def procedure_fact(current: Current) -> pl.DataFrame:
    """One row per procedure: what its call and its first award notice say together."""
    call, result = calls(current), results(current)
    said = current.tables["procedure"].select(*KEY, "procedure_type", "is_joint", "is_central_purchasing", "lots_n", "buyers_n")
    of_call = call.join(said, on=KEY, how="left", suffix="_said")
    of_result = result.join(said, on=KEY, how="left", suffix="_said")
    keys = pl.concat([call.select("procedure_key"), result.select("procedure_key")]).unique(maintain_order=True)
    columns = (
        "organisation_id",
        "month",
        "is_ted",
        "procedure_type",
        "is_joint",
        "is_central_purchasing",
        "lots_n",
        "schema",
        "notice_id",
    )
    joined = keys.join(
        of_call.select("procedure_key", pl.col(columns).name.prefix("call_")), on="procedure_key", how="left"
    ).join(of_result.select("procedure_key", pl.col(columns).name.prefix("result_")), on="procedure_key", how="left")
    modified = current.notices.filter(pl.col("form_type") == MODIFICATION).select("procedure_key").unique()
    gone = cancellations(current).select("procedure_key")
    joined = joined.join(_price_only(current), on="procedure_key", how="left").join(
        _awarded(current), on="procedure_key", how="left"
    )
    return joined.select(
        pl.col("procedure_key").alias("procedure_id"),
        pl.coalesce("call_organisation_id", "result_organisation_id").alias("organisation_id"),
        pl.coalesce("call_month", "result_month").alias("month"),
        pl.coalesce("call_is_ted", "result_is_ted").alias("is_ted"),
        pl.col("result_organisation_id"),
        pl.col("result_month"),
        pl.col("result_schema"),
        pl.col("call_notice_id").is_not_null().alias("has_call"),
        pl.col("result_notice_id").is_not_null().alias("has_result"),
        pl.coalesce("result_procedure_type", "call_procedure_type").alias("procedure_type"),
        pl.coalesce("result_is_joint", "call_is_joint").fill_null(value=False).alias("is_joint"),
        pl.coalesce("result_is_central_purchasing", "call_is_central_purchasing").fill_null(value=False).alias("is_central"),
        pl.col("call_lots_n").cast(pl.Int64),
        pl.col("is_price_only"),
        pl.col("awarded_lots").fill_null(0),
        pl.col("procedure_key").is_in(modified["procedure_key"].implode()).alias("is_modified"),
        pl.col("procedure_key").is_in(gone["procedure_key"].implode()).alias("is_cancelled"),
    )


def _result_lots(current: Current) -> pl.DataFrame:
    """Awarded lot results with the criteria of their lot: the award notice's, else the call's."""
    awards = current.notices.filter(pl.col("form_type") == RESULT).select(*KEY, "procedure_key")
    won = current.tables["lot_result"].filter(pl.col("result_code") == "selec-w").join(awards, on=KEY)
    own = current.tables["lot"].select(*KEY, "lot_id", pl.col("criteria").alias("own_criteria"))
    called = call_lots(current).select("procedure_key", "lot_id", pl.col("criteria").alias("call_criteria"))
    joined = won.join(own, on=[*KEY, "lot_id"], how="left").join(called, on=["procedure_key", "lot_id"], how="left")
    return joined.with_columns(criteria=pl.coalesce("own_criteria", "call_criteria"))


def _price_only(current: Current) -> pl.DataFrame:
    """is_price_only per procedure: all awarded lots by price alone; null when any lot's criteria are unknown (METHOD 12)."""
    lots = _result_lots(current)
    only = pl.when(pl.col("criteria").is_null().any()).then(None).otherwise((pl.col("criteria") == CRITERION).all())
    return lots.group_by("procedure_key").agg(only.alias("is_price_only"))


def _awarded(current: Current) -> pl.DataFrame:
    return _result_lots(current).group_by("procedure_key").agg(pl.len().cast(pl.Int64).alias("awarded_lots"))


def call_lot_fact(current: Current) -> pl.DataFrame:
    """One row per lot called for: days from publication to the newest deadline; whether a later notice cancelled it."""
    call = calls(current)
    lots = current.tables["lot"].select(*KEY, "lot_id").join(call, on=KEY)
    newest = call_lots(current).select("procedure_key", "lot_id", "deadline_date", "dps")
    gone = cancellations(current).select("procedure_key", pl.col("month").alias("cancelled_month"))
    joined = lots.join(newest, on=["procedure_key", "lot_id"], how="left").join(gone, on="procedure_key", how="left")
    return joined.select(
        pl.col("procedure_key").alias("procedure_id"),
        "organisation_id",
        "month",
        "is_ted",
        "lot_id",
        (pl.col("deadline_date") - pl.col("notice_date")).dt.total_days().alias("deadline_days"),
        pl.col("dps").fill_null("none").alias("dps"),
        "cancelled_month",
    )


def call_value(current: Current) -> pl.DataFrame:
    """Advertised value of each procedure's call: the procedure's estimate, else the sum of its lots'; null when neither."""
    call = calls(current)
    lots = current.tables["lot"].join(call.select(KEY), on=KEY, how="semi")
    sums = lots.group_by(KEY).agg(
        pl.when(pl.col("estimated_value_cents").count() > 0).then(pl.col("estimated_value_cents").sum()).alias("lots_cents")
    )
    said = current.tables["procedure"].select(*KEY, "estimated_value_cents")
    joined = call.join(said, on=KEY, how="left").join(sums, on=KEY, how="left")
    return joined.select(
        pl.col("procedure_key").alias("procedure_id"),
        "organisation_id",
        "month",
        "is_ted",
        pl.coalesce("estimated_value_cents", "lots_cents").alias("value_cents"),
    )
