"""Levels: which organisation counts where, and what the levels are called.

One key per organisation; the register (organisations.csv, with validity) wins over what deliveries say of themselves.
Membership is that of the period's last day (METHOD 5).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.key_figure import NATIONAL
from schemas.reference import Reference

OBSERVED_SCHEMA = pl.Schema(
    {
        "organisation_id": pl.String,
        "name": pl.String,
        "sector": pl.String,
        "branch": pl.String,
        "branch_name": pl.String,
        "region": pl.String,
    }
)
"""What deliveries say of organisations; several rows per organisation are allowed, the first non-null of a sort counts."""

NAMED_ONLY = "notice-buyer:"
"""How the keys of organisations begin of which nothing but a name is known."""
ALWAYS = (date(1900, 1, 1), date(9999, 12, 31))
UNKNOWN_SECTOR = "unknown"
NAMES = ("name_fi", "name_sv", "name_en")


def organisations(reference: Reference, observed: pl.DataFrame) -> pl.DataFrame:
    """Every organisation: organisation_id, names, sector, branch, branch_name, region, valid_from, valid_to (never null)."""
    register = reference.table("organisations.csv").select(
        "organisation_id",
        "name_fi",
        pl.coalesce("name_sv", "name_fi").alias("name_sv"),
        pl.coalesce("name_en", "name_fi").alias("name_en"),
        "sector",
        "branch",
        pl.lit(None, pl.String).alias("branch_name"),
        "region",
        pl.col("valid_from").str.to_date().fill_null(ALWAYS[0]),
        pl.col("valid_to").str.to_date().fill_null(ALWAYS[1]),
    )
    delivered = (
        observed.sort(OBSERVED_SCHEMA.names(), nulls_last=True)
        .group_by("organisation_id", maintain_order=True)
        .agg(pl.col("name", "sector", "branch", "branch_name", "region").drop_nulls().first())
        .join(register, on="organisation_id", how="anti")
        .select(
            "organisation_id",
            pl.coalesce("name", "organisation_id").alias("name_fi"),
            pl.coalesce("name", "organisation_id").alias("name_sv"),
            pl.coalesce("name", "organisation_id").alias("name_en"),
            "sector",
            "branch",
            "branch_name",
            "region",
            pl.lit(ALWAYS[0]).alias("valid_from"),
            pl.lit(ALWAYS[1]).alias("valid_to"),
        )
    )
    return pl.concat([register, delivered]).with_columns(pl.col("sector").fill_null(UNKNOWN_SECTOR))


def same_by_name(observed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """organisation_id, same_as: organisations of which nothing but a name is known, and the one organisation that bears it elsewhere,
    in deliveries or in the register (`organisations`, in any language); none where several do."""
    names = [observed.select("organisation_id", name=_tidied("name"))]
    names += [known.select("organisation_id", name=_tidied(column)) for column in NAMES]
    named = pl.concat(names).drop_nulls().unique()
    only = pl.col("organisation_id").str.starts_with(NAMED_ONLY)
    bearers = named.filter(~only)
    single = bearers.group_by("name").agg(pl.col("organisation_id").unique()).filter(pl.col("organisation_id").list.len() == 1)
    single = single.select("name", same_as=pl.col("organisation_id").list.first())
    return named.filter(only).join(single, on="name").select("organisation_id", "same_as").unique("organisation_id").sort(pl.all())


def _tidied(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def joined(members: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """`membership` with organisations counted as those that they are the same as (`same_by_name`)."""
    moved = same.join(members, left_on="same_as", right_on="organisation_id").select(members.columns)
    return pl.concat([members.join(same, on="organisation_id", how="anti"), moved])


def group_members(reference: Reference) -> pl.DataFrame:
    """organisation_id, level (group), level_id, valid_from, valid_to of the register of groups."""
    return reference.table("group_members.csv").select(
        "organisation_id",
        pl.lit("group").alias("level"),
        pl.col("group").alias("level_id"),
        pl.col("valid_from").str.to_date().fill_null(ALWAYS[0]),
        pl.col("valid_to").str.to_date().fill_null(ALWAYS[1]),
    )


def membership(known: pl.DataFrame, groups: pl.DataFrame | None = None) -> pl.DataFrame:
    """organisation_id, level, level_id, valid_from, valid_to from `organisations` and `group_members`; unknown branch or region:
    no row there.

    An organisation that ended inside a period, or that rows name before it began, keeps the place of its last or first row:
    its sums belong to the nation all the same.
    """
    first = pl.col("valid_from") == pl.col("valid_from").min().over("organisation_id")
    last = pl.col("valid_to") == pl.col("valid_to").max().over("organisation_id")
    known = known.with_columns(
        valid_from=pl.when(first).then(pl.lit(ALWAYS[0])).otherwise("valid_from"),
        valid_to=pl.when(last).then(pl.lit(ALWAYS[1])).otherwise("valid_to"),
    )
    levels = {
        "national": pl.lit(NATIONAL),
        "sector": pl.col("sector"),
        "branch": pl.col("branch"),
        "region": pl.col("region"),
        "organisation": pl.col("organisation_id"),
    }
    parts = [
        known.select("organisation_id", pl.lit(level).alias("level"), identity.alias("level_id"), "valid_from", "valid_to")
        for level, identity in levels.items()
    ]
    return pl.concat([*parts, *([] if groups is None else [groups])]).drop_nulls("level_id")


def spans(known: pl.DataFrame) -> pl.DataFrame:
    """organisation_id, since, until: the days an organisation existed, from `organisations`."""
    return known.group_by("organisation_id", maintain_order=True).agg(
        pl.col("valid_from").min().alias("since"), pl.col("valid_to").max().alias("until")
    )


def names(reference: Reference, known: pl.DataFrame) -> pl.DataFrame:
    """level, level_id, name_fi, name_sv, name_en for everything that `membership` may name."""
    nation = pl.DataFrame(
        {"level": ["national"], "level_id": [NATIONAL], "name_fi": ["Suomi"], "name_sv": ["Finland"], "name_en": ["Finland"]}
    )
    registers = [
        reference.table(f"{file}.csv").select(pl.lit(level).alias("level"), pl.col(level).alias("level_id"), *NAMES)
        for level, file in (("sector", "sectors"), ("branch", "branches"), ("region", "regions"), ("group", "groups"))
    ]
    latest = known.sort("valid_from", descending=True).unique("organisation_id", keep="first", maintain_order=True)
    own = latest.select(pl.lit("organisation").alias("level"), pl.col("organisation_id").alias("level_id"), *NAMES)
    branches = known.drop_nulls("branch").select(
        pl.lit("branch").alias("level"),
        pl.col("branch").alias("level_id"),
        *(pl.coalesce("branch_name", "branch").alias(name) for name in NAMES),
    )
    every = pl.concat([nation, *registers, own, branches.sort(pl.all())])
    every = every.with_columns(
        pl.coalesce("name_sv", "name_fi").alias("name_sv"), pl.coalesce("name_en", "name_fi").alias("name_en")
    )
    return every.unique(["level", "level_id"], keep="first", maintain_order=True)


def placed(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Rows of organisations (organisation_id, period_end) once at every level that `membership` gives them on the period's last
    day: adds level, level_id."""
    inside = pl.col("period_end").is_between("valid_from", "valid_to")
    return rows.join(members, on="organisation_id").filter(inside).drop("valid_from", "valid_to")
