"""The sector of a buyer, by what its name says it is, else by its legal type (sector_aliases.csv); the register of organisations
wins over both, later."""

from __future__ import annotations

import re

import polars as pl

from schemas.reference import Reference

WORD, END, LEGAL_TYPE = "name_word", "name_end", "legal_type"
"""Kinds of rows: words standing alone in a name; ends of its words; codes of BT-11."""
COMPANY = "other_public"
"""A company that buys as notices must is held by public bodies or works in the utilities sectors."""


def sectors(buyers: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """buyer_name, buyer_legal_type, sector of distinct buyers; sector null where neither says any.

    A name's words count by the order of the register. "Mallilan kaupungin talot Oy" is a company, whatever words it has.
    """
    aliases = reference.table("sector_aliases.csv").filter(pl.col("kind").is_in([WORD, END]))
    said = pl.lit(None, pl.String)
    for (sector, _), rows in reversed(_groups(aliases)):
        said = pl.when(pl.col("name").str.contains(_pattern(rows))).then(pl.lit(sector)).otherwise(said)
    is_company = pl.col("name").str.contains(_company(reference, aliases)).fill_null(value=False)
    types = reference.table("sector_aliases.csv").filter(kind=LEGAL_TYPE)
    by_type = types.select(pl.col("delivered").alias("buyer_legal_type"), by_type="sector").unique("buyer_legal_type", keep="last")
    distinct = buyers.select("buyer_name", "buyer_legal_type").unique().with_columns(name=pl.col("buyer_name").str.to_lowercase())
    joined = distinct.join(by_type, on="buyer_legal_type", how="left")
    of_company = pl.when(is_company).then(pl.lit(COMPANY))
    return joined.select(
        "buyer_name",
        "buyer_legal_type",
        sector=pl.coalesce(pl.when(~is_company).then(said), "by_type", of_company),
    )


def _groups(aliases: pl.DataFrame) -> list[tuple[tuple[str, int], pl.DataFrame]]:
    """Rows that follow each other and name one sector, in the register's order."""
    runs = aliases.with_columns(run=pl.col("sector").rle_id())
    return [((str(key[0]), int(key[1])), rows) for key, rows in runs.group_by("sector", "run", maintain_order=True)]


def _pattern(rows: pl.DataFrame) -> str:
    alone = _any(rows.filter(kind=WORD)["delivered"].to_list())
    ends = _any(rows.filter(kind=END)["delivered"].to_list())
    return rf"(?:^|[^\p{{L}}])(?:{alone})(?:[^\p{{L}}]|$)|(?:{ends})(?:[^\p{{L}}]|$)"


def _company(reference: Reference, aliases: pl.DataFrame) -> str:
    """A company form at either end of a name or before a comma; forms of public bodies are words of sectors."""
    forms = reference.table("supplier_words.csv").filter(kind="company_form")["word"].str.to_lowercase()
    public = aliases["delivered"].implode()
    words = _any(forms.filter(~forms.is_in(public)).to_list())
    return rf"^(?:{words})[\s.]|[\s(](?:{words})\.?(?:[),/]|\s-|$)"


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or r"[^\s\S]"
