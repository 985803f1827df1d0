"""Who a notice is about: its first buyer, under one key per organisation."""

from __future__ import annotations

import hashlib

import polars as pl

from schemas.reference import Reference
from transforms.levels import NAMED_ONLY
from transforms.measures.notice_sectors import sectors

KEY = ["notice_id", "notice_version", "delivery_id"]
WITH_ID = ("business_id", "foreign_id")
ALWAYS = ("1900-01-01", "9999-12-31")


def first_buyers(organisations: pl.DataFrame, notices: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Per notice of `notices`: KEY, organisation_id, buyer_name, buyer_legal_type, buyer_nuts, buyers_n, buyers_without_id_n.

    organisation_id: the register's organisation for the business id, else the business id; without one the registered
    organisation of exactly that name, else `notice-buyer:<hash of country and name>`.
    """
    buyers = organisations.filter("is_buyer").join(notices.select(*KEY, "notice_date", "procedure_id"), on=KEY)
    # refs sort as text: deliveries read before buyer_no existed fall back on them
    buyers = buyers.sort("buyer_no", "organisation_ref", nulls_last=True)
    without_id = ~pl.col("id_kind").is_in(WITH_ID)
    grouped = buyers.group_by(KEY, maintain_order=True).agg(
        pl.col("notice_date", "procedure_id", "registration_id", "id_kind", "country").first(),
        pl.col("name").first().alias("buyer_name"),
        pl.col("legal_type").first().alias("buyer_legal_type"),
        pl.col("nuts").first().alias("buyer_nuts"),
        pl.len().cast(pl.Int64).alias("buyers_n"),
        without_id.sum().cast(pl.Int64).alias("buyers_without_id_n"),
    )
    return _identified(grouped, reference).select(
        *KEY, "organisation_id", "buyer_name", "buyer_legal_type", "buyer_nuts", "buyers_n", "buyers_without_id_n"
    )


def _identified(buyers: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    business_id = pl.when(pl.col("id_kind") == "business_id").then("registration_id")
    buyers = buyers.with_columns(business_id=business_id, key_name=_normalised("buyer_name"))
    by_id = _valid(buyers, _registered(reference), "business_id").rename({"organisation_id": "by_id"})
    by_name = _valid(buyers, _named(reference), "key_name").rename({"organisation_id": "by_name"})
    found = buyers.join(by_id, on=KEY, how="left").join(by_name, on=KEY, how="left")
    nameless = pl.coalesce("key_name", "procedure_id")
    unnamed = found.select(country=pl.col("country").fill_null(""), text=nameless).unique()
    hashes = unnamed.with_columns(
        hashed=pl.Series([_hash(country, text) for country, text in unnamed.iter_rows()], dtype=pl.String)
    )
    found = found.with_columns(country=pl.col("country").fill_null(""), text=nameless).join(
        hashes, on=["country", "text"], how="left"
    )
    has_id = pl.col("business_id").is_not_null()
    own = pl.when(has_id).then(pl.coalesce("by_id", "business_id")).otherwise(pl.coalesce("by_name", "hashed"))
    return found.with_columns(organisation_id=own)


def _valid(buyers: pl.DataFrame, register: pl.DataFrame, key: str) -> pl.DataFrame:
    """KEY, organisation_id of the register's organisation in force on the notice's day; the first by rank and id."""
    joined = buyers.drop_nulls(key).join(register, on=key)
    day = pl.col("notice_date").cast(pl.String)
    inside = joined.filter(day.is_between("valid_from", "valid_to")).sort("rank", "organisation_id")
    return inside.unique(KEY, keep="first", maintain_order=True).select(*KEY, "organisation_id")


def _registered(reference: Reference) -> pl.DataFrame:
    """business_id, organisation_id, valid_from, valid_to, rank: aliases of notice deliveries, the organisation that bears the
    business id itself, then units that share it."""
    validity = (pl.col("valid_from").fill_null(ALWAYS[0]), pl.col("valid_to").fill_null(ALWAYS[1]))
    agencies = [agency.agency for agency in reference.agencies.values() if "procurement_notices" in agency.sources]
    aliases = (
        reference.table("organisation_aliases.csv")
        .filter(pl.col("agency").is_in(agencies))
        .select(pl.col("delivered_code").alias("business_id"), "organisation_id", *validity, pl.lit(0).alias("rank"))
    )
    own = reference.table("organisations.csv").drop_nulls("business_id")
    rank = pl.when(pl.col("organisation_id") == pl.col("business_id")).then(1).otherwise(2).alias("rank")
    return pl.concat([aliases, own.select("business_id", "organisation_id", *validity, rank)], how="vertical_relaxed")


def _named(reference: Reference) -> pl.DataFrame:
    """key_name, organisation_id, valid_from, valid_to, rank of names that exactly one registered organisation bears."""
    register = reference.table("organisations.csv")
    names = [
        register.select(_normalised(column).alias("key_name"), "organisation_id", "valid_from", "valid_to")
        for column in ("name_fi", "name_sv", "name_en")
    ]
    every = pl.concat(names).drop_nulls("key_name").unique()
    single = every.filter(pl.col("organisation_id").n_unique().over("key_name") == 1)
    return single.with_columns(pl.col("valid_from").fill_null(ALWAYS[0]), pl.col("valid_to").fill_null(ALWAYS[1]), rank=pl.lit(0))


def _normalised(column: str) -> pl.Expr:
    text = pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(text != "").then(text)


def _hash(country: str, text: str) -> str:
    digest = hashlib.sha256(f"{country}\0{text}".encode()).hexdigest()
    return f"{NAMED_ONLY}{digest[:12]}"


def observed(notices: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """notice_buyer rows: names of first buyers, sectors by name and legal type, regions by NUTS."""
    regions = reference.table("regions.csv").select("region", pl.col("nuts").str.split("|").alias("buyer_nuts"))
    regions = regions.explode("buyer_nuts").drop_nulls().sort("region").unique("buyer_nuts", keep="first", maintain_order=True)
    told = sectors(notices, reference)
    rows = notices.join(told, on=["buyer_name", "buyer_legal_type"], how="left", nulls_equal=True).join(regions, on="buyer_nuts", how="left")
    columns = ("procedure_id", "organisation_id", pl.col("notice_date").dt.month_start().alias("month"))
    return rows.select(*columns, pl.col("buyer_name").alias("name"), "sector", "region").unique()
