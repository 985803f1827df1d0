"""Which notices count: newest versions, Finnish buyers only, and which of several notices about the same thing speaks.

A change notice (BT-758) is a notice of its own, and takes over what the notice it changes says: the two and all further
changes are one family. The newest member with content speaks for the family; the family keeps the month of its first member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.reference import Reference
from transforms.formats.codes import SUBTYPES, form_of_subtype
from transforms.formats.hilma_codes import OWN_SUBTYPES, SMALL_VALUE
from transforms.measures.notice_buyers import first_buyers
from transforms.measures.notice_projects import linked

KEY = ["notice_id", "notice_version", "delivery_id"]
Frames = Mapping[str, pl.DataFrame]
ROLES = {"competition": "call", "result": "result", "dir-awa-pre": "veat", "cont-modif": "modification"}
"""Form types (BT-03) that bear another name here; the others keep theirs."""
LONGEST_CHAIN = 50
"""Changes of changes that are followed; longer chains are loops."""
WITH_VERSION = r"(?i)^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+$"
"""BT-758 names a notice by `<notice id>-<version>`: whichever version stands now is meant."""
PADDED_NUMBER = r"^0+(\d+-\d{4})$"
"""BT-758 may give a publication number instead, with or without leading zeros."""


@dataclass(frozen=True)
class Notices:
    """Notices that count, and their rows by contract table.

    `notices` adds to the contract's columns: procedure_id (never null), organisation_id, role, day, family, family_date,
    speaks. `tables` hold the rows of these notices only.
    """

    notices: pl.DataFrame
    tables: Frames

    def speaking(self, role: str) -> pl.DataFrame:
        """The notices of a role that speak for their family, oldest first."""
        chosen = self.notices.filter((pl.col("role") == role) & pl.col("speaks"))
        return chosen.sort("family_date", "day", "notice_id")

    def rows(self, table: str, notices: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """A table's rows of some notices, with `columns` of the notice; the procedure is the notice's."""
        own = self.tables[table]
        return own.drop("procedure_id", strict=False).join(notices.select(*KEY, *columns), on=KEY)


def current(tables: Frames) -> dict[str, pl.DataFrame]:
    """The newest version of every notice over all deliveries: highest version, then Hilma's JSON before the TED XML
    that Hilma made of it (METHOD 41), then latest dispatch, then delivery id."""
    newest = (
        tables["notice"]
        .with_columns(is_told_better=pl.col("schema") == "hilma")
        .sort("notice_version", "is_told_better", "dispatch_at", "delivery_id", nulls_last=False)
        .drop("is_told_better")
        .unique("notice_id", keep="last", maintain_order=True)
    )
    keys = newest.select(KEY)
    return {name: newest if name == "notice" else frame.join(keys, on=KEY, how="semi") for name, frame in tables.items()}


def counting(tables: Frames, reference: Reference) -> Notices:
    """What stands inside the figures, from current tables: Finnish buyers, no business registrations (X01, X02)."""
    inside = linked(tables["notice"]).filter(pl.col("is_national_population") & (pl.col("form_type") != "bri"))
    inside = inside.with_columns(
        procedure_id=pl.coalesce("procedure_id", "notice_id"),
        has_procedure=pl.col("procedure_id").is_not_null(),
        day=pl.coalesce("dispatch_at", pl.coalesce("dispatch_date", "notice_date").cast(pl.Datetime("us", "UTC"))),
        role=_role(),
        is_cancelled=pl.col("is_cancelled").fill_null(value=False),
    )
    inside = inside.join(_families(inside), on="notice_id", how="left").with_columns(family=pl.coalesce("family", "notice_id"))
    inside = _with_speakers(inside, tables["lot"])
    buyers = first_buyers(tables["organisation"], inside, reference)
    inside = inside.join(buyers, on=KEY).sort("notice_id")
    keys = inside.select(KEY)
    rows = {name: frame.join(keys, on=KEY, how="semi") for name, frame in tables.items() if name != "notice"}
    return Notices(inside, rows)


def _role() -> pl.Expr:
    """What the notice is: of a change (form type `change`) what its subtype is; the older schema's F14 stays a change."""
    by_subtype = {subtype: form_of_subtype(subtype) for subtype in sorted(SUBTYPES)} | dict(OWN_SUBTYPES)
    is_change = pl.col("form_type") == "change"
    of_change = pl.col("subtype").replace_strict(by_subtype, default="change")
    role = pl.when(is_change).then(of_change).otherwise(pl.col("form_type")).replace(ROLES)
    # a purchase under the national threshold is counted as a notice, and stands in no figure of procedures
    small = pl.col("subtype").is_in(list(SMALL_VALUE)).fill_null(value=False)
    return pl.when(small).then(pl.lit("small_value")).otherwise(role)


def _families(notices: pl.DataFrame) -> pl.DataFrame:
    """notice_id, family of the notices that change another one: the first notice's id, also when it was not delivered.

    A reference is followed inside its procedure only, so that a procedure's measures depend on its own notices alone.
    """
    changes = notices.filter(pl.col("changed_notice_id").is_not_null() & (pl.col("role") != "modification"))
    notices = notices.join(changes, on="procedure_id", how="semi")
    numbered = notices.drop_nulls("publication_number")
    by_number = numbered.select("procedure_id", changed=_reference("publication_number"), target="notice_id")
    by_id = notices.select("procedure_id", changed=_reference("notice_id"), target="notice_id")
    known = pl.concat([by_id, by_number]).sort("target").unique(["procedure_id", "changed"], keep="first", maintain_order=True)
    links = changes.select("procedure_id", "notice_id", changed=_reference("changed_notice_id"))
    links = links.join(known, on=["procedure_id", "changed"], how="left")
    links = links.select("procedure_id", "notice_id", parent=pl.coalesce("target", "changed"))
    families = links.rename({"parent": "family"})
    upward = links.rename({"notice_id": "family", "parent": "next"})
    for _ in range(LONGEST_CHAIN):
        step = families.join(upward, on=["procedure_id", "family"], how="left")
        if step["next"].is_null().all():
            break
        families = step.select("procedure_id", "notice_id", family=pl.coalesce("next", "family"))
    else:  # notices that change each other in a ring stand for themselves
        ring = pl.col("next").is_not_null()
        families = step.select("notice_id", family=pl.when(ring).then("notice_id").otherwise("family"))
    return families.select("notice_id", "family")


def _reference(column: str) -> pl.Expr:
    """A notice as others name it: in small letters, without version, a number without leading zeros."""
    text = pl.col(column).str.strip_chars().str.to_lowercase()
    return text.str.replace(WITH_VERSION, "$1").str.replace(PADDED_NUMBER, "$1")


def _with_speakers(notices: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """family_date, and `speaks`: the newest of the family's calls or results that has lots and cancels nothing. A cancelled call
    was a call all the same; of a cancelled award nothing stands."""
    with_lots = lots.select(KEY).unique().with_columns(has_lots=pl.lit(value=True))
    # an award that names its call as changed (seen in deliveries) is no correction of it: roles stay apart
    family = ["procedure_id", "family", "role"]
    notices = notices.join(with_lots, on=KEY, how="left").sort("day", "notice_id")
    able = (
        pl.col("role").is_in(["call", "result"])
        & ~pl.col("is_cancelled")
        & (pl.col("has_lots").fill_null(value=False) | (pl.col("role") == "result"))
    )
    void = (pl.col("role") == "result") & pl.col("is_cancelled")
    return notices.with_columns(
        family_date=pl.col("notice_date").min().over(family),
        speaks=able & (pl.col("notice_id") == pl.col("notice_id").filter(able | void).last().over(family)),
    ).with_columns(pl.col("speaks").fill_null(value=False))
