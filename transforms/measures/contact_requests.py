"""Measures of contact requests: the cases that count, by month of receipt, of closing, and open at the end of months.

A case counts when it is primary: not merged into another, no child of another, not cancelled, and not made by telephone
(METHOD 23). Its newest version tells what it is. Months are those of Helsinki days. It belongs to the customer where the register
knows the customer, else to the organisation of the agency that delivers, else to `unknown:<agency>`: it always counts for the nation.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference
from transforms.moments import ZONE
from transforms.reach import last_ended

REOPEN_DAYS = 30
SAME = "1h"
"""Closings of a case so near to each other, with no opening between them, are one."""
ORGANISATION = (
    Column("organisation_id", pl.String, "Customer, else the agency's organisation, else unknown:<agency>.", required=True),
    Column("organisation_name", pl.String, "The agency's name where the case stands with the agency."),
)
CASES = Table(
    "contact_case",
    "Contact requests that count, by the month in which they were received.",
    (
        *ORGANISATION,
        Column("month", pl.Date, "Month of receipt.", required=True),
        Column("agency", pl.String, "Who delivered it.", required=True),
        Column("case_id", pl.String, "Case.", required=True),
        Column("request_type", pl.String, "Type of request, null where none was delivered."),
        Column("joint_procurement", pl.String, "Joint procurement, null where none was delivered."),
        Column("response", pl.String, "ended: responded; waiting: not yet; unknown.", required=True),
        Column("response_seconds", pl.Int64, "From receipt to the first response, or to what is known of it."),
        Column("resolution", pl.String, "ended: closed; waiting: open; unknown: closed, nobody knows when.", required=True),
        Column("resolution_seconds", pl.Int64, "From receipt to closing, or to what is known of it."),
    ),
)
CLOSINGS = Table(
    "contact_closing",
    f"Closings of cases by month, and how many were followed by a reopening within {REOPEN_DAYS} days.",
    (
        *ORGANISATION,
        Column("month", pl.Date, "Month of closing.", required=True),
        Column("agency", pl.String, "Who delivered it.", required=True),
        Column("closed_n", pl.Int64, "Closings.", required=True),
        Column("reopened_n", pl.Int64, "Those reopened.", required=True),
    ),
)
BACKLOG = Table(
    "contact_backlog",
    "Cases open at the end of months that had ended when the agency's newest delivery was produced.",
    (
        *ORGANISATION,
        Column("month", pl.Date, "The month that ends.", required=True),
        Column("open_n", pl.Int64, "Open cases; 0 from the organisation's first case on.", required=True),
    ),
)
MEASURES = (CASES, CLOSINGS, BACKLOG)
KEY = ["agency", "case_id"]
WHOSE = ["organisation_id", "organisation_name"]


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the versions of all cases."""
    versions = _versions(tables["contact_request"])
    cases = _cases(versions, reference)
    found = {
        "contact_case": _timed(cases),
        "contact_closing": _closings(versions, cases),
        "contact_backlog": _backlog(versions, cases),
    }
    return {
        table.name: found[table.name].select(table.polars_schema().names()).cast(table.polars_schema()).sort(pl.all())
        for table in MEASURES
    }


def _versions(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds `known_at`, the moment of which a version speaks, and `now`, the state that it gives its case. Systems that deliver
    no state say by the closing time whether a case is closed."""
    status = pl.col("status_reason").replace_strict(
        {"solved": "resolved", "information": "resolved", "cancelled": "cancelled", "merged": "cancelled", "other": None},
        default="active",
        return_dtype=pl.String,
    )
    told = pl.when(pl.col("status_reason").is_not_null()).then(status)
    by_time = pl.when(pl.col("closed_at").is_null()).then(pl.lit("active")).otherwise(pl.lit("resolved"))
    return rows.with_columns(known_at=pl.coalesce("modified_at", "produced_at"), now=pl.coalesce("state", told, by_time)).sort(
        "known_at", "produced_at", "delivery_id", "source_line"
    )


def _cases(versions: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """The newest version of every case that counts, with whose it is and `month`."""
    newest = versions.unique(KEY, keep="last", maintain_order=True)
    agencies = [(one.agency, one.organisation_id or f"unknown:{one.agency}", one.name) for one in reference.agencies.values()]
    own = pl.DataFrame(agencies, schema={"agency": pl.String, "own_id": pl.String, "own_name": pl.String}, orient="row")
    apart = (
        (pl.col("status_reason") == "merged").fill_null(value=False)
        | pl.col("is_merged").fill_null(value=False)
        | pl.col("is_child").fill_null(value=False)
        | (pl.col("now") == "cancelled")
        | (pl.col("origin") == "phone").fill_null(value=False)
    )
    return (
        newest.filter(~apart)
        .join(own, on="agency", how="left")
        .with_columns(
            organisation_name=pl.when(pl.col("organisation_id").is_null()).then("own_name"),
            organisation_id=pl.coalesce("organisation_id", "own_id", pl.format("unknown:{}", "agency")),
            month=_month("received_at"),
        )
    )


def _month(name: str) -> pl.Expr:
    return pl.col(name).dt.convert_time_zone(ZONE).dt.date().dt.month_start()


def _timed(cases: pl.DataFrame) -> pl.DataFrame:
    """Times from receipt. What has not happened yet is known not to have happened when the delivery was produced; whether a
    first response is missing or just not recorded only an agency that records responses can say."""
    records = pl.col("first_response_at").is_not_null().any().over("agency")
    is_open = pl.col("now") == "active"
    response = (
        pl.when(pl.col("first_response_at").is_not_null())
        .then(pl.lit("ended"))
        .when(is_open & records)
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("unknown"))
    )
    resolution = (
        pl.when(is_open)
        .then(pl.lit("waiting"))
        .when(pl.col("closed_at").is_not_null())
        .then(pl.lit("ended"))
        .otherwise(pl.lit("unknown"))
    )
    timed = cases.with_columns(response=response, resolution=resolution)

    def seconds(what: str, ended_at: str) -> pl.Expr:
        until = pl.when(pl.col(what) == "ended").then(ended_at).when(pl.col(what) == "waiting").then("produced_at")
        return (until - pl.col("received_at")).dt.total_seconds().clip(lower_bound=0).alias(f"{what}_seconds")

    return timed.with_columns(seconds("response", "first_response_at"), seconds("resolution", "closed_at"))


def _closings(versions: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Every closing that any version tells of, and whether the case was open again within REOPEN_DAYS: told by a time of
    reopening, by a later version that is open, or by a later closing. Times to the minute: formats differ in seconds."""
    counted = versions.join(cases.select(*KEY, *(pl.col(name).alias(f"case_{name}") for name in WHOSE)), on=KEY)
    closings = (
        counted.filter(pl.col("closed_at").is_not_null(), pl.col("now") != "cancelled")
        .select(*KEY, *(pl.col(f"case_{name}").alias(name) for name in WHOSE), at=pl.col("closed_at").dt.truncate("1m"))
        .unique()
    )
    openings = pl.concat(
        [
            counted.select(*KEY, again=pl.col("reopened_at")),
            counted.filter(now="active").select(*KEY, again=pl.col("known_at")),
        ]
    ).drop_nulls("again")
    closings = closings.sort(*KEY, "at").with_columns(before=pl.col("at").shift(1).over(KEY))
    # formats give one closing different times (deactivated on, resolution date)
    near = closings.filter(pl.col("at") <= pl.col("before").dt.offset_by(SAME))
    opened = near.join(openings, on=KEY).filter(pl.col("again").is_between(pl.col("before"), pl.col("at"), closed="right"))
    repeated = near.join(opened, on=[*KEY, "at"], how="anti")
    closings = closings.join(repeated, on=[*KEY, "at"], how="anti").drop("before")
    again = pl.concat([openings, closings.select(*KEY, again=pl.col("at"))])
    soon = pl.col("again").is_between(pl.col("at"), pl.col("at").dt.offset_by(f"{REOPEN_DAYS}d"), closed="right")
    reopened = closings.join(again, on=KEY).filter(soon).select(*KEY, "at").unique().with_columns(is_reopened=pl.lit(value=True))
    return (
        closings.join(reopened, on=[*KEY, "at"], how="left")
        .group_by(*WHOSE, "agency", month=_month("at"))
        .agg(closed_n=pl.len(), reopened_n=pl.col("is_reopened").count())
    )


def _backlog(versions: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Open cases by month's end: received in the month or before, closed in none of these. A case closed nobody knows when was
    closed when its newest version was made; one that is open again counts as open since its receipt."""
    ends = versions.group_by("agency").agg(last=last_ended(pl.col("produced_at").max()))
    closed = pl.when(pl.col("now") != "active").then(pl.coalesce("closed_at", "known_at"))
    spans = (
        cases.join(ends, on="agency")
        .with_columns(closed=closed)
        .with_columns(until=pl.min_horizontal("last", _month("closed").dt.offset_by("-1mo")))
    )
    open_in = spans.filter(pl.col("month") <= pl.col("until")).select(
        *WHOSE, month=pl.date_ranges("month", "until", interval="1mo"), open_n=pl.lit(1)
    )
    known_in = (
        spans.group_by(WHOSE).agg(pl.col("month").min(), until=pl.col("last").max()).filter(pl.col("month") <= pl.col("until"))
    )
    every = known_in.select(*WHOSE, month=pl.date_ranges("month", "until", interval="1mo"), open_n=pl.lit(0))
    return pl.concat([frame.explode("month") for frame in (open_in, every)]).group_by(*WHOSE, "month").agg(pl.col("open_n").sum())
