"""Measures of joint procurements: agreements and their suppliers by month, and reported purchases by customer and month.

A register tells of the months from its first known end on (one that lists current agreements only says nothing of the past;
then the month before its first delivery) to the last month that had ended when its newest delivery was produced.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.joint_procurements import SIZES
from schemas.reference import Reference
from transforms.moments import ZONE
from transforms.suppliers import read_id

UNMAPPED = "unmapped"
EVERYBODY = "*"
SECTOR = "sector:"
WHOSE = (
    Column("organisation_id", pl.String, "The central purchasing body, else unknown:<agency>.", required=True),
    Column("organisation_name", pl.String, "The agency's name where no register knows its organisation."),
)
AGREEMENT_KEY = (
    Column("month", pl.Date, "Month.", required=True),
    Column("agency", pl.String, "Who keeps the register.", required=True),
    Column("agreement_id", pl.String, "Agreement.", required=True),
    Column("category", pl.String, "Its category.", required=True),
    Column("is_in_force", pl.Boolean, "On the month's last day.", required=True),
    Column("has_notice", pl.Boolean, "The register names its procurement notice.", required=True),
)
AREAS = ("preparedness", "data_protection", "information_security")
AGREEMENTS = Table(
    "agreement_month",
    "Agreements by every month that they are in force in for a day.",
    (
        *WHOSE,
        *AGREEMENT_KEY,
        Column("kind", pl.String, "framework, dps, small_scale.", required=True),
        Column("is_ending", pl.Boolean, "In force on the month's last day and ending within twelve months.", required=True),
        Column("open_to", pl.String, "Who may use it: '*', or organisations and 'sector:' ids between bars.", required=True),
        Column("is_critical", pl.Boolean, "Critical procurement; null: not told."),
        Column("has_preparedness_plan", pl.Boolean, "Preparedness plan or terms; null: not told."),
        *(Column(f"{area}_level", pl.Int64, "Class 1-3 of the preliminary report.") for area in AREAS),
    ),
)
SUPPLIERS = Table(
    "agreement_supplier_month",
    "Suppliers of agreements by every month that they are on them for a day.",
    (
        *WHOSE,
        *AGREEMENT_KEY,
        Column("supplier_id", pl.String, "Supplier.", required=True),
        Column("size", pl.String, "Size as the register tells it last; null: unknown."),
        Column("is_liability_valid", pl.Boolean, "Contractor's liability in order by the month's end; null: not told."),
    ),
)
PURCHASES = Table(
    "reported_purchase_month",
    "Purchases through joint procurement by customer; those reported by year stand in January.",
    (
        Column("organisation_id", pl.String, "Customer; unknown:<agency> where none is told.", required=True),
        Column("organisation_name", pl.String, "Its name as delivered."),
        Column("month", pl.Date, "Month; January where only the year is told.", required=True),
        Column("agency", pl.String, "Who reports.", required=True),
        Column("agreement_id", pl.String, "Agreement, null where only a category is told."),
        Column("category", pl.String, "Category.", required=True),
        Column("has_customer", pl.Boolean, "The customer is told.", required=True),
        Column("purchase_cents", pl.Int64, "Purchases without VAT.", required=True, unit="cent"),
        Column("rows_n", pl.Int64, "Rows.", required=True),
    ),
)
MEASURES = (AGREEMENTS, SUPPLIERS, PURCHASES)
KEY = ["agency", "agreement_id"]


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the rows that count."""
    own = _own(reference)
    agreements = _agreements(tables["agreement"], tables["agreement_open_to"], own)
    found = {
        "agreement_month": agreements,
        "agreement_supplier_month": _suppliers(tables["agreement_supplier"], agreements),
        "reported_purchase_month": _purchases(tables["reported_purchase"], tables["agreement"], own),
    }
    schemas = {table.name: table.polars_schema() for table in MEASURES}
    return {name: found[name].select(schema.names()).cast(schema).sort(pl.all()) for name, schema in schemas.items()}


def _own(reference: Reference) -> pl.DataFrame:
    """agency, own_id, own_name: the organisation that an agency is; agency_name."""
    rows = [
        (one.agency, one.organisation_id or f"unknown:{one.agency}", None if one.organisation_id else one.name, one.name)
        for one in reference.agencies.values()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("agency", "own_id", "own_name", "agency_name"), pl.String), orient="row")


def _agreements(agreements: pl.DataFrame, open_to: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """AGREEMENTS, with whatever the rows hold besides."""
    produced = pl.col("produced_at").dt.convert_time_zone(ZONE).dt.date()
    ended = produced.dt.offset_by("1d").dt.month_start().dt.offset_by("-1mo")  # the last day of a month ends it
    known = agreements.group_by("agency").agg(
        first=pl.min_horizontal(pl.col("valid_to").min().dt.month_start(), ended.min()), last=ended.max()
    )
    whom = pl.coalesce("organisation_id", pl.lit(SECTOR) + pl.col("sector")).unique().sort().str.join("|")
    listed = open_to.group_by(KEY).agg(listed=whom)
    spans = (
        agreements.join(own, on="agency", how="left")
        .join(known, on="agency")
        .join(listed, on=KEY, how="left")
        .with_columns(
            organisation_id=pl.coalesce("own_id", pl.format("unknown:{}", "agency")),
            organisation_name="own_name",
            has_notice=pl.col("procedure_id").is_not_null(),
            open_to=pl.when(pl.col("is_open_to_all")).then(pl.lit(EVERYBODY)).otherwise(pl.col("listed").fill_null("")),
        )
    )
    months = _by_month(spans, pl.col("first"), pl.col("last"))
    soon = pl.col("valid_to") < pl.col("month").dt.offset_by("13mo")
    return months.with_columns(is_ending=pl.col("is_in_force") & soon.fill_null(value=False))


def _by_month(spans: pl.DataFrame, first: pl.Expr, last: pl.Expr) -> pl.DataFrame:
    """One row per month between `first` and `last` in which a span (valid_from, valid_to) holds a day; adds `month`, `is_in_force`."""
    until = (pl.col("valid_to").dt.offset_by("-1d")).dt.month_start()
    dated = spans.with_columns(
        since=pl.max_horizontal(first, pl.col("valid_from").dt.month_start()), until=pl.min_horizontal(last, until)
    ).filter(pl.col("since") <= pl.col("until"))
    months = dated.with_columns(month=pl.date_ranges("since", "until", interval="1mo")).explode("month")
    end = pl.col("month").dt.month_end()
    in_force = (pl.col("valid_from") <= end) & (end < pl.col("valid_to")).fill_null(value=True)
    return months.with_columns(is_in_force=in_force)


def _suppliers(suppliers: pl.DataFrame, agreements: pl.DataFrame) -> pl.DataFrame:
    """SUPPLIERS of the agreements' months."""
    identity = pl.col("supplier_id").map_elements(lambda text: read_id(text.strip())[1], return_dtype=pl.String)
    rows = suppliers.with_columns(identity).rename({"valid_from": "since", "valid_to": "until"})
    sizes = list(SIZES)
    known = rows.filter(pl.col("size") != "unknown").with_columns(
        rank=pl.col("size").replace_strict({size: sizes.index(size) for size in sizes}, return_dtype=pl.Int64)
    )
    latest = known.sort("produced_at", "delivery_id", "rank").unique("supplier_id", keep="last", maintain_order=True)
    names = [column.name for column in (*WHOSE, *AGREEMENT_KEY)]
    months = (
        agreements.select(names)
        .join(rows.drop("size", "delivery_id", "source_line", "produced_at"), on=KEY)
        .join(latest.select("supplier_id", "size"), on="supplier_id", how="left")
    )
    end = pl.col("month").dt.month_end()
    begun = (pl.col("since") <= end).fill_null(value=True)
    stays = (pl.col("until") > pl.col("month")).fill_null(value=True)
    to_the_end = (pl.col("until") > end).fill_null(value=True)
    told = pl.coalesce("is_liability_checked", pl.when(pl.col("liability_checked_on").is_not_null()).then(pl.lit(value=True)))
    later = told & (pl.col("liability_checked_on") > end).fill_null(value=False)
    return months.filter(begun & stays).with_columns(
        is_in_force=pl.col("is_in_force") & to_the_end, is_liability_valid=pl.when(~later).then(told)
    )


def _purchases(purchases: pl.DataFrame, agreements: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """PURCHASES; a row's category is its own where a register knows it, else its agreement's. What names no customer is nobody's:
    it counts for the nation, and not as the central purchasing body's own purchases."""
    placed = (
        purchases.join(agreements.select(*KEY, agreed="category"), on=KEY, how="left")
        .join(own, on="agency", how="left")
        .with_columns(
            has_customer=pl.col("organisation_id").is_not_null(),
            organisation_name=pl.when(pl.col("organisation_id").is_null()).then("agency_name").otherwise("organisation_name"),
            organisation_id=pl.coalesce("organisation_id", pl.format("unknown:{}", "agency")),
            category=pl.coalesce(pl.col("category").replace({UNMAPPED: None}), "agreed", pl.lit(UNMAPPED)),
            month=pl.date(pl.col("year"), pl.col("month_number").fill_null(1), 1),
        )
    )
    by = ["organisation_id", "month", "agency", "agreement_id", "category", "has_customer"]
    return placed.group_by(by).agg(pl.col("organisation_name").min(), pl.col("purchase_cents").sum(), rows_n=pl.len())
