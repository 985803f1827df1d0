"""Procedures that go by two names: Hilma's own JSON gives the key of its project, TED XML the number of the call. A project goes by
the number that TED XML of its notices would give, so that notices of both sources meet, also where an award names no call.

Names are worked out from the notices of the project alone; what names it could bear is told besides, so that whoever measures some
procedures knows which belong together.
"""

from __future__ import annotations

import polars as pl

from transforms.formats.codes import SUBTYPES, form_of_subtype

PREFIX = "hilma-"
OJ_NUMBER = r"^\d{6,8}-\d{4}$"
"""A document of the Official Journal, as TED XML names it."""


def linked(notices: pl.DataFrame) -> pl.DataFrame:
    """Notices whose procedure is named as in TED XML where their project has such a name: that of its first call, else of the call
    that a result or corrigendum names, else of its direct award, else of any of its notices.

    A corrigendum that names what it corrects by Hilma's number only (of an EU notice nobody keeps it) corrects the project's first call.
    """
    names = _names(notices.lazy()).sort("rank", "notice_date", "notice_id").unique("procedure_id", keep="first", maintain_order=True)
    found = names.select("procedure_id", named="name", first_call=pl.when(pl.col("rank") == 0).then("notice_id")).collect()
    if found.is_empty():
        return notices
    by_own = pl.col("changed_notice_id").str.starts_with(PREFIX) & pl.col("is_ted") & (pl.col("notice_id") != pl.col("first_call"))
    return (
        notices.join(found, on="procedure_id", how="left", maintain_order="left")
        .with_columns(
            procedure_id=pl.coalesce("named", "procedure_id"),
            changed_notice_id=pl.when(by_own.fill_null(value=False)).then("first_call").otherwise("changed_notice_id"),
        )
        .drop("named", "first_call")
    )


def names_of(notices: pl.LazyFrame) -> pl.LazyFrame:
    """procedure_id, name: every name that a project could go by, whichever of its notices come or go."""
    return _names(notices).select("procedure_id", "name").unique()


def _names(notices: pl.LazyFrame) -> pl.LazyFrame:
    """procedure_id, name, rank (the lower the better), notice_date, notice_id of notices in Hilma's own JSON that name one."""
    own, previous = (pl.when(pl.col(column).str.contains(OJ_NUMBER)).then(column) for column in ("notice_id", "previous_notice_id"))
    by_subtype = {subtype: form_of_subtype(subtype) for subtype in sorted(SUBTYPES)}
    form = pl.col("form_type")
    is_changed_call = (form == "change") & (pl.col("subtype").replace_strict(by_subtype, default=None) == "competition")
    ranked = (
        pl.when(form == "competition").then(pl.struct(rank=0, name=own))
        .when((form == "result") | is_changed_call).then(pl.struct(rank=1, name=previous))
        .when(form == "dir-awa-pre").then(pl.struct(rank=2, name=own))
        .when(form == "cont-modif").then(pl.struct(rank=3, name=previous))
    )  # fmt: skip
    projects = notices.filter((pl.col("schema") == "hilma") & pl.col("procedure_id").str.starts_with(PREFIX))
    of_last = pl.struct(rank=4, name=own)
    chosen = projects.select("procedure_id", "notice_date", "notice_id", told=pl.concat_list(ranked, of_last)).explode("told").unnest("told")
    return chosen.drop_nulls("name")
