"""Forms: sources that people fill in or small systems export, table by table. One way of describing them serves the contract,
the cleaning, the template to fill in and the data dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from schemas.contract import Column, Rule, Table

LANGUAGES = ("fi", "sv", "en")
TRUE = ("kyllä", "ja", "yes", "true", "1", "x", "k", "tosi", "sant")
FALSE = ("ei", "nej", "no", "false", "0", "epätosi", "falskt")
FIRST_YEAR = 2000
LAST_YEAR = 2100
FIRST_DAY = date(FIRST_YEAR, 1, 1)
LAST_DAY = date(LAST_YEAR, 1, 1)

TECHNICAL = (
    Column("delivery_id", pl.String, "Delivery that brought the row.", required=True),
    Column("agency", pl.String, "Who delivered it.", required=True),
    Column("produced_at", pl.Datetime("us", "UTC"), "When the delivery was produced, UTC.", required=True),
    Column("source_line", pl.Int64, "Line, sheet row or record in the delivered file, 1-based.", required=True, minimum=1),
)
"""Columns that every row of a form has besides the delivered ones."""

RULES = (
    Rule("row_malformed", None, "fail", "validity", "The row has another number of cells than the header, or characters that cannot be read.", limit_share=0.5),
    Rule("value_missing", None, "fail", "completeness", "A column that must be filled in is blank.", limit_share=0.5),
    Rule("value_unreadable", None, "fail", "validity", "The cell is not a number, a day or a yes/no, whichever the column asks for.", limit_share=0.5),
    Rule("value_out_of_range", None, "fail", "accuracy", "The number or day lies outside the column's range.", limit_share=0.5),
    Rule("value_ambiguous", None, "fail", "validity", "The cell is a text with one mark before three digits (1.000), and no other text of the column tells whether that is a decimal mark.", limit_share=0.5),
    Rule("value_is_formula", None, "fail", "validity", "The cell holds a formula; deliver values.", limit_share=0.5),
    Rule("code_unknown", None, "fail", "validity", "The word is none of the column's code list in any language.", limit_share=0.5),
    Rule("organisation_unknown", None, "fail", "validity", "Neither a valid business id nor an id of the register of organisations.", limit_share=0.5),
    Rule("key_repeated", None, "fail", "uniqueness", "An earlier row of the file has the same key.", limit_share=0.5),
    Rule("id_is_number", None, "fail", "accuracy", "A spreadsheet has taken the id for a number or a day (2,02501E+11): what is lost of it cannot be brought back. Deliver ids as text.", limit_share=0.5),
    Rule("id_zeros_lost", None, "warn", "accuracy", "The id lacks zeros that others of the column begin with: a spreadsheet took it for a number. Deliver ids as text."),
    Rule("contact_found", None, "warn", "validity", "An e-mail address or a telephone number stood in a cell; the cell was dropped."),
    Rule("personal_id_found", None, "warn", "validity", "A personal identity code stood in a cell; the cell was dropped."),
)  # fmt: skip
"""Rules of every form, with the column named in each broken row."""


CODE_RULE = Rule("text_not_a_code", None, "fail", "validity", "The cell holds text where an id is asked for; ids have a digit and no blanks.", limit_share=0.5)  # fmt: skip
"""For tables with ids that no register closes: a name must not pass for one."""


def labels(fi: str, sv: str, en: str) -> Mapping[str, str]:
    """A text in the three languages."""
    return {"fi": fi, "sv": sv, "en": en}


CODE_HINT = labels(
    "Tunnus, jossa on numero, ei nimeä.", "Nummer eller kod med siffror, inte namn.", "A code with digits, no name."
)


def column(name: str, dtype: pl.DataType | type[pl.DataType], fi: str, sv: str, en: str, **more: Any) -> Column:
    """A delivered column: its headings in three languages; `en` is its description too unless `description` is given."""
    description = more.pop("description", f"{en}.")
    return Column(name, dtype, description, labels=labels(fi, sv, en), **more)


def coded(name: str, words: Mapping[str, tuple[str, ...]], fi: str, sv: str, en: str, **more: Any) -> Column:
    """A column with a closed code list; `words` per code: fi, sv, en, then whatever else is written for it."""
    return column(name, pl.String, fi, sv, en, codes=tuple(words), words=words, **more)


def organisation(required: bool = True, **more: Any) -> tuple[Column, Column]:
    """The organisation that a row is about: id and name."""
    names = {"fi": "Organisaation Y-tunnus", "sv": "Organisationens FO-nummer", "en": "Organisation's business id"}
    hint = labels(
        "Y-tunnus muodossa 1234567-8, tai organisaatiorekisterin tunnus.",
        "FO-nummer i formen 1234567-8, eller organisationsregistrets kod.",
        "Business id as 1234567-8, or the id of the register of organisations.",
    )
    also = ("y-tunnus", "organisaation tunnus", "fo-nummer", "business id", "organisation id", *more.pop("also", ()))
    identity = Column(
        "organisation_id",
        pl.String,
        "Organisation that the row is about: business id, or its id in organisations.csv.",
        required=required,
        labels=names,
        also=also,
        hint=hint,
        is_organisation=True,
    )
    return identity, column(
        "organisation_name",
        pl.String,
        "Organisaatio",
        "Organisation",
        "Organisation",
        description="Its name as delivered; the register's name is shown where it has one.",
        also=("organisaation nimi", "organisationens namn", "organisation name", "hankintayksikkö", "upphandlande enhet"),
    )


def year(fi: str = "Vuosi", sv: str = "År", en: str = "Year", **more: Any) -> Column:
    """The calendar year that a row speaks of."""
    return column("year", pl.Int64, fi, sv, en, required=True, minimum=FIRST_YEAR, maximum=LAST_YEAR, **more)


def form(
    name: str,
    title: Mapping[str, str],
    description: str,
    columns: Sequence[Column],
    key: Sequence[str],
    unit: Sequence[str],
    newest_by: Sequence[str] = (),
    rules: Sequence[Rule] = (),
) -> Table:
    """A form's table: delivered columns, then TECHNICAL; the rules of every form, then its own.

    `key` is unique within a file, `unit` is what a newer delivery replaces (see Table).
    """
    return Table(
        name=name,
        description=description,
        columns=(*columns, *TECHNICAL),
        primary_key=tuple(key),
        rules=(*RULES, *rules),
        unit=tuple(unit),
        newest_by=tuple(newest_by),
        title=title,
    )


def delivered(table: Table) -> tuple[Column, ...]:
    """The columns of a form that a file brings."""
    own = {item.name for item in TECHNICAL}
    return tuple(item for item in table.columns if item.name not in own)
