"""Which notices count: newest version per notice over all agencies, Finnish buyers only, each with its organisation.

A notice's newest version is the highest version number, then the latest dispatch, then the delivery id. A result notice that
corrects another (BT-758) takes its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.reference import Reference

KEY = ["notice_id", "notice_version", "delivery_id"]
Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Current:
    """The notices in force: `notices` with organisation_id, month and procedure_key; `tables` their rows by contract table."""

    notices: pl.DataFrame
    tables: Frames


def current(tables: Frames, reference: Reference) -> Current:
    """Newest versions of national notices, with whom and which month they are about.

    `procedure_key` is the procedure's id, else the notice's own: some notices stand outside any procedure.
    """
    newest = (
        tables["notice"]
        .sort("notice_version", "dispatch_at", "delivery_id", nulls_last=False, descending=True)
        .unique("notice_id", keep="first", maintain_order=True)
        .filter("is_national_population")
    )
    corrected = newest.filter((pl.col("form_type") == "result") & pl.col("changed_notice_id").is_not_null())
    newest = newest.join(corrected.select(pl.col("changed_notice_id").alias("notice_id")), on="notice_id", how="anti")
    rows = {name: frame.join(newest.select(KEY), on=KEY, how="semi") for name, frame in tables.items() if name != "notice"}
    notices = newest.join(_buyers(rows["organisation"], reference), on=KEY, how="left").with_columns(
        procedure_key=pl.coalesce("procedure_id", "notice_id"),
        month=pl.col("notice_date").dt.month_start(),
    )
    return Current(notices.drop_nulls("organisation_id"), rows)


def _buyers(organisations: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Per notice: organisation_id of the first buyer, its name, legal_type, nuts, buyers_n, buyers_without_id."""
    buyers = organisations.filter("is_buyer").with_columns(
        has_id=pl.col("id_kind").is_in(["business_id", "foreign_id"]),
        organisation_id=_identity(organisations.filter("is_buyer"), reference),
    )
    return buyers.group_by(KEY, maintain_order=True).agg(
        pl.col("organisation_id").first(),
        pl.col("name").first().alias("buyer_name"),
        pl.col("legal_type").first(),
        pl.col("nuts").first(),
        pl.len().cast(pl.Int64).alias("buyers_n"),
        (~pl.col("has_id")).sum().cast(pl.Int64).alias("buyers_without_id"),
    )


def _identity(buyers: pl.DataFrame, reference: Reference) -> pl.Series:
    """A buyer's key: the register's organisation for its business id, else the id, else a stable hash of country and name."""
    register = reference.table("organisations.csv").drop_nulls("business_id")
    # a business id that units share names none of them
    single = register.unique(["business_id", "organisation_id"]).filter(pl.len().over("business_id") == 1)
    known = dict(single.select("business_id", "organisation_id").iter_rows())
    known |= {own: own for own in register["organisation_id"]}
    unnamed = buyers.select("country", "name").unique()
    hashes = {(country, name): _hash(country, name) for country, name in unnamed.iter_rows()}
    values = [
        known.get(identity, identity) if identity else hashes[country, name]
        for identity, country, name in buyers.select("registration_id", "country", "name").iter_rows()
    ]
    return pl.Series("organisation_id", values, pl.String)


def _hash(country: str | None, name: str | None) -> str:
    text = f"{country or ''}\0{' '.join((name or '').casefold().split())}"
    return f"notice-buyer:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
