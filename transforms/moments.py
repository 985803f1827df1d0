"""Points in time as text to UTC: with a zone as written, without one as Finnish local time (exports of systems and spreadsheets
carry none). A day alone is its midnight.
"""

from __future__ import annotations

import polars as pl

from transforms.dates import DATE_FORMATS, EXCEL, detect_date_format, parse_dates

ZONE = "Europe/Helsinki"
MOMENT = pl.Datetime("us", "UTC")
_ZONED = r"^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2}))?(?:\.\d{1,9})?\s?(Z|[+-]\d{2}:?\d{2})$"
_LOCAL = r"(?i)^([^\sT:]+?)(?:[T ,]+(?:kl[o.]? ?)?(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?(?: ?([ap])\.?m\.?)?)?$"
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_DAY = 86_400
_EXCEL_OFFSET = 25_569
_AMERICAN = "%m/%d/%Y"
_WHOLE_DAYS = tuple(name for name in DATE_FORMATS if "d" in name and name != EXCEL)


def parse_moments(texts: pl.Series, date_format: str | None = None) -> pl.Series:
    """Whole seconds in UTC; null where a cell is blank, unreadable, or a local time that never was (the hour that spring leaves
    out). Of the hour that autumn has twice the first one is meant. `date_format` is the agency's, for days that are ambiguous."""
    unique = texts.drop_nulls().unique()
    read = pl.DataFrame({"text": unique, "moment": _read(unique, date_format)})
    return pl.DataFrame({"text": texts}).join(read, on="text", how="left", maintain_order="left")["moment"]


def _read(texts: pl.Series, date_format: str | None) -> pl.Series:
    zoned = texts.str.extract_groups(_ZONED).struct.unnest()
    zone = zoned["4"].str.replace("Z", "+00:00").str.replace(r"^([+-]\d\d)(\d\d)$", "${1}:${2}")
    iso = zoned.select(pl.format("{}T{}:{}{}", pl.col("1"), pl.col("2"), pl.col("3").fill_null("00"), zone)).to_series()
    serial = pl.select(pl.when(texts.str.contains(_SERIAL)).then(texts)).to_series().cast(pl.Float64)
    seconds = ((serial - _EXCEL_OFFSET) * _DAY).round().cast(pl.Int64)
    return pl.select(
        pl.coalesce(
            iso.str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="us", strict=False),
            _as_local(pl.select(pl.from_epoch(pl.lit(seconds), "s")).to_series()),
            _as_local(_spelled(texts, date_format)),
        )
    ).to_series()


def _spelled(texts: pl.Series, date_format: str | None) -> pl.Series:
    """Local times written as a day and a time of day."""
    parts = texts.str.extract_groups(_LOCAL).struct.unnest().rename({"1": "day", "5": "half"})
    hour, minute, second = (parts[name].cast(pl.Int64).fill_null(0) for name in ("2", "3", "4"))
    half = parts["half"].str.to_lowercase()
    found = _format(parts["day"], half, date_format)
    if found is None:
        return pl.Series([None], dtype=pl.Datetime("us")).new_from_index(0, len(texts))
    days = parse_dates(parts["day"], found)
    frame = pl.DataFrame({"day": days, "hour": hour, "minute": minute, "second": second, "half": half})
    clock = pl.when(pl.col("half").is_null()).then("hour").otherwise(pl.col("hour") % 12 + 12 * (pl.col("half") == "p"))
    fits = (pl.col("hour") < 24) & (pl.col("minute") < 60) & (pl.col("second") < 60)
    halved = pl.col("half").is_null() | pl.col("hour").is_between(1, 12)
    moment = pl.col("day").cast(pl.Datetime("us")) + pl.duration(hours=clock, minutes="minute", seconds="second")
    return frame.select(pl.when(fits & halved).then(moment)).to_series()


def _format(days: pl.Series, half: pl.Series, date_format: str | None) -> str | None:
    """The format of the days. Hours with am and pm come from American settings, where the month stands first."""
    slashed = days.filter(days.str.contains("/").fill_null(value=False))
    if date_format is None and half.count() and len(slashed) and parse_dates(slashed, _AMERICAN).count() == len(slashed):
        return _AMERICAN
    found = detect_date_format(days, date_format)
    return found if found in _WHOLE_DAYS else None


def _as_local(moments: pl.Series) -> pl.Series:
    local = moments.cast(pl.Datetime("us")).dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC")
