"""Codes and identifiers of notices, freed of personal data: whoever fills in a notice by hand may type a person anywhere."""

from __future__ import annotations

import polars as pl

from schemas.procurement_notices import CONTRACT
from transforms.formats.rows import RAW
from transforms.personal import contact_values, personal_values

_WORDS = r"\p{L}{2}.*\s.*\p{L}{2}"
_OF_SYSTEMS = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:-[0-9]{2})?$|^[0-9]{6,8}-(?:19|20)[0-9]{2}$"
"""Numbers that systems give (UUIDs, TED's `234567-2021`): some look like an identity code by chance."""
_ELSEWHERE = ("delivery_id", "name", "registration_text")
"""Ours, or looked at by notice_ids."""


def without_persons(frames: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The frames with every code and identifier nulled that holds an identity code, contact details or several words, and what
    was found of that: notice_no, rule, column_name, value (null)."""
    columns = [
        (table, column)
        for table in frames
        for column, dtype in RAW[table].items()
        if dtype == pl.String and column not in _ELSEWHERE and not column.endswith(("_date", "_time"))
    ]
    values = pl.concat([frames[table][column].cast(pl.String).alias("value") for table, column in columns]).unique().drop_nulls()
    values = values.filter(_holds_a_person(values))
    found = [pl.DataFrame(schema={"notice_no": pl.Int64, "rule": pl.String, "column_name": pl.String, "value": pl.String})]
    freed = dict(frames)
    if values.is_empty():
        return freed, found[0]
    for table, column in columns:
        hit = pl.col(column).cast(pl.String).is_in(values.implode())
        noted = frames[table].filter(hit)
        if not noted.is_empty():
            freed[table] = freed[table].with_columns(pl.when(~hit).then(pl.col(column).cast(pl.String)))
            needed = CONTRACT.table(table).column(column).required  # without it the notice cannot be taken
            rule, name = ("identifier_missing", f"{table}.{column}") if needed else ("value_unreadable", column)
            nulled = noted.select("notice_no", rule=pl.lit(rule), column_name=pl.lit(name), value=pl.lit(None, pl.String))
            found.append(nulled)
    return freed, pl.concat(found)


def _holds_a_person(values: pl.Series) -> pl.Series:
    """Which values, none null, hold an identity code, contact details or several words."""
    hit = personal_values(values) | contact_values(values) | values.str.contains(_WORDS)
    return hit & ~values.str.contains(_OF_SYSTEMS)
