"""Dates as text to days, by one format for a whole file. Formats are strftime words, or `excel_serial` (days since 1899-12-30).

A format without days ("%Y-%m", "%m/%Y", "%Y%m") gives the first day of the month: aggregated files carry months only.
"""

from __future__ import annotations

from datetime import date

import polars as pl

_TIME = r"[T ]\d{1,2}[:.]\d{2}.*$"

# format -> (what a cell looks like, how it is rewritten to ISO); the order settles ties:
# day before month, as Finnish files write.
_FORMATS: dict[str, tuple[str, str]] = {
    "%Y-%m-%d": (r"^(\d{4})-(\d{1,2})-(\d{1,2})$", "${1}-${2}-${3}"),
    "%d.%m.%Y": (r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$", "${3}-${2}-${1}"),
    "%d/%m/%Y": (r"^(\d{1,2})/(\d{1,2})/(\d{4})$", "${3}-${2}-${1}"),
    "%m/%d/%Y": (r"^(\d{1,2})/(\d{1,2})/(\d{4})$", "${3}-${1}-${2}"),
    "%d-%m-%Y": (r"^(\d{1,2})-(\d{1,2})-(\d{4})$", "${3}-${2}-${1}"),
    "%d.%m.%y": (r"^(\d{1,2})\.(\d{1,2})\.(\d{2})$", "20${3}-${2}-${1}"),
    "%Y%m%d": (r"^(\d{4})(\d{2})(\d{2})$", "${1}-${2}-${3}"),
    "%Y/%m/%d": (r"^(\d{4})/(\d{1,2})/(\d{1,2})$", "${1}-${2}-${3}"),
    "%y%m%d": (r"^(\d{2})(\d{2})(\d{2})$", "20${1}-${2}-${3}"),
    "%Y-%m": (r"^(\d{4})-(\d{1,2})$", "${1}-${2}-1"),
    "%m/%Y": (r"^(\d{1,2})[/.](\d{4})$", "${2}-${1}-1"),
    "%Y%m": (r"^(\d{4})(0[1-9]|1[0-2])$", "${1}-${2}-1"),
}
EXCEL = "excel_serial"
DATE_FORMATS = (*_FORMATS, EXCEL)
_EXCEL_OFFSET = 25569  # 1970-01-01 as an Excel serial


def detect_date_format(sample: pl.Series, expected: str | None = None) -> str | None:
    """The format that reads most of the sample's cells (`expected` wins when it reads half of them: spreadsheets may hold true
    dates whatever the agency's format is); None when no format reads any."""
    text = pl.col("text").str.strip_chars()
    texts = sample.drop_nulls().cast(pl.String).unique().to_frame("text").filter(text != "")
    if expected in DATE_FORMATS and 2 * parse_dates(texts["text"], expected).count() > texts.height:
        return expected
    # A file that is not told otherwise never holds years before 2000: keeps 201231 from being read as a month.
    in_range = [
        days.is_between(date(2000, 1, 1), date(2100, 1, 1), closed="left").sum().alias(name) for name, days in _EVERY.items()
    ]
    read = texts.select(in_range).row(0, named=True)
    best = max(DATE_FORMATS, key=read.__getitem__)  # the first of equals wins
    return best if read[best] else None


def parse_dates(texts: pl.Series, date_format: str) -> pl.Series:
    """Days of the texts; null where a cell is blank or does not follow the format. A time of day after the date is cut off."""
    return texts.to_frame("text").select(_EVERY[date_format].alias(texts.name)).to_series()


def _days(date_format: str) -> pl.Expr:
    """Days of the column `text`."""
    day = pl.col("text").str.strip_chars().str.replace(_TIME, "")
    if date_format == EXCEL:
        return (day.str.extract(r"^(\d{5})(?:\.\d+)?$", 1).cast(pl.Int32, strict=False) - _EXCEL_OFFSET).cast(pl.Date)
    pattern, rewritten = _FORMATS[date_format]
    iso = pl.when(day.str.contains(pattern)).then(day.str.replace(pattern, rewritten))
    return iso.str.to_date("%Y-%m-%d", strict=False)


_EVERY = {name: _days(name) for name in DATE_FORMATS}
