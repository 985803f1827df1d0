"""Published figures of others (catalogue/reference_values.csv), read and checked: what can stand beside a computed figure, and why
the rest cannot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

import polars as pl

from schemas.errors import ConfigurationError
from schemas.key_figure import VALUE, KeyFigure
from schemas.reference import Reference

FILE = "catalogue/reference_values.csv"
PRECISIONS = ("exact", "rounded", "about", "over", "under")
KINDS = ("test", "display")
_PERIOD = re.compile(r"(\d{4})(?:-(\d{2}))?")
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "reference_id": pl.String,
    "what": pl.String,
    "figure_id": pl.String,
    "variant": pl.String,
    "scope": pl.String,
    "level": pl.String,
    "level_id": pl.String,
    "breakdown_kind": pl.String,
    "breakdown_id": pl.String,
    "period_kind": pl.String,
    "period_start": pl.Date,
    "value": VALUE,
    "unit": pl.String,
    "precision": pl.String,
    "tolerance": VALUE,
    "kind": pl.String,
    "is_comparable": pl.Boolean,
    "source": pl.String,
    "note": pl.String,
}
SCHEMA = pl.Schema(_COLUMNS)


def reference_values(reference: Reference, figures: Mapping[str, KeyFigure]) -> pl.DataFrame:
    """SCHEMA, one row per published figure; `is_comparable` where scope and definition match a figure of `figures`.

    Raises ConfigurationError naming file and row for what cannot be read and for a match that the catalogue does not have.
    """
    rows = []
    for number, row in enumerate(reference.table(FILE).iter_rows(named=True), start=2):
        where = f"{FILE}, row {number}"
        for column, allowed in (("precision", PRECISIONS), ("kind", KINDS), ("matches", ("yes", "no"))):
            if row[column] not in allowed:
                raise ConfigurationError(f"{where}: {column} {row[column]!r} is not {', '.join(allowed)}")
        period_kind, period_start = _period(row["period"], where)
        found = {
            **{name: row[name] for name in SCHEMA if name in row},
            **{name: row[name] or "" for name in ("variant", "breakdown_kind", "breakdown_id")},
            "period_kind": period_kind,
            "period_start": period_start,
            "value": _number(row["value"] or "", "value", where),
            "tolerance": _number(row["tolerance"], "tolerance", where) if row["tolerance"] else None,
            "is_comparable": row["matches"] == "yes",
        }
        if found["is_comparable"]:
            _matching(found, figures, where)
        rows.append(found)
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _period(text: str | None, where: str) -> tuple[str | None, date | None]:
    """A year, a month, or nothing known."""
    if text is None:
        return None, None
    read = _PERIOD.fullmatch(text)
    if read is None or (read[2] and not 1 <= int(read[2]) <= 12):
        raise ConfigurationError(f"{where}: period {text!r} is neither a year nor a month as 2021-10")
    return ("month" if read[2] else "year"), date(int(read[1]), int(read[2] or 1), 1)


def _number(text: str, column: str, where: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ConfigurationError(f"{where}: {column} {text!r} is not a number") from error


def _matching(found: Mapping[str, object], figures: Mapping[str, KeyFigure], where: str) -> None:
    figure = figures.get(str(found["figure_id"]))
    if figure is None:
        raise ConfigurationError(f"{where}: matches is yes, but {found['figure_id']!r} is no figure of the catalogue")
    for column, allowed in (
        ("variant", figure.variants),
        ("scope", figure.scopes),
        ("level", figure.levels),
        ("period_kind", figure.period_kinds),
        ("unit", (figure.unit,)),
    ):
        if found[column] not in allowed:
            raise ConfigurationError(
                f"{where}: matches is yes, but {column} {found[column]!r} is none of {figure.figure_id}: {', '.join(allowed)}"
            )
