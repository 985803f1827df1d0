"""Dates as text to days, by one format for a whole file. Formats are strftime words, or `excel_serial` (days since 1899-12-30).

Whatever a file's format is, a day that can be read in one way only is read: `2024-03-01` (true dates of spreadsheets among texts)
and `1.3.2024` (day first wherever points part it). A time with a zone is brought to Finland before its day is taken.

A format without days ("%Y-%m", "%m/%Y", "%Y%m") gives the first day of the month: aggregated files carry months only.
"""

from __future__ import annotations

from datetime import date

import polars as pl

ZONE = "Europe/Helsinki"
_ZONED = r"[T ](\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)? ?(?:(Z|UTC)|([+-])(\d{2}):?(\d{2})?)$"
_PLAIN = ("%Y-%m-%d", "%d.%m.%Y")
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
    """Days of the texts; null where a cell is blank or neither follows the format nor can be read in one way only. A time of day
    after the date is cut off."""
    frame = texts.cast(pl.String).to_frame("text")
    days = frame.select(_EVERY[date_format].alias(texts.name)).to_series()
    if days.null_count() > texts.null_count():
        plain = [_EVERY[name] for name in _PLAIN if name != date_format]
        days = frame.select(pl.coalesce(pl.lit(days), *plain).alias(texts.name)).to_series()
    zoned = frame["text"].str.strip_chars().str.extract_groups(_ZONED).struct.unnest()
    return days if zoned["1"].null_count() == len(zoned) else _in_finland(days, zoned)


def _in_finland(days: pl.Series, zoned: pl.DataFrame) -> pl.Series:
    """Days as they were in Finland at the times of `zoned` (groups of _ZONED; null where a text has no zone)."""
    hour, minute, second, ahead, behind = (pl.col(name).cast(pl.Int64).fill_null(0) for name in ("1", "2", "3", "6", "7"))
    offset = (60 * ahead + behind) * pl.when(pl.col("5") == "-").then(-1).otherwise(1)
    moment = pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=hour, minutes=minute - offset, seconds=second)
    there = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.date()
    frame = zoned.with_columns(day=days)
    return frame.select(pl.when(pl.col("1").is_null()).then("day").otherwise(there).alias(days.name)).to_series()


def _days(date_format: str) -> pl.Expr:
    """Days of the column `text`."""
    day = pl.col("text").str.strip_chars().str.replace(_TIME, "")
    if date_format == EXCEL:
        return (day.str.extract(r"^(\d{5})(?:\.\d+)?$", 1).cast(pl.Int32, strict=False) - _EXCEL_OFFSET).cast(pl.Date)
    pattern, rewritten = _FORMATS[date_format]
    iso = pl.when(day.str.contains(pattern)).then(day.str.replace(pattern, rewritten))
    return iso.str.to_date("%Y-%m-%d", strict=False)


_EVERY = {name: _days(name) for name in DATE_FORMATS}
