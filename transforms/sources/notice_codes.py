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
    found: list[pl.DataFrame] = []
    freed = dict(frames)
    for table, frame in frames.items():
        for column, dtype in RAW[table].items():
            if dtype != pl.String or column in _ELSEWHERE or column.endswith(("_date", "_time")):
                continue
            cells = frame[column].cast(pl.String)
            hit = personal_values(cells) | contact_values(cells) | cells.str.contains(_WORDS).fill_null(value=False)
            hit = hit & ~cells.str.contains(_OF_SYSTEMS).fill_null(value=False)
            if hit.any():
                kept = cells.zip_with(~hit, pl.Series([None], dtype=pl.String).new_from_index(0, len(cells)))
                freed[table] = freed[table].with_columns(kept.alias(column))
                needed = CONTRACT.table(table).column(column).required  # without it the notice cannot be taken
                rule, name = ("identifier_missing", f"{table}.{column}") if needed else ("value_unreadable", column)
                noted = frame.filter(hit).select("notice_no", rule=pl.lit(rule), column_name=pl.lit(name))
                found.append(noted.with_columns(value=pl.lit(None, pl.String)))
    nothing = pl.DataFrame(schema={"notice_no": pl.Int64, "rule": pl.String, "column_name": pl.String, "value": pl.String})
    return freed, pl.concat([nothing, *found])
