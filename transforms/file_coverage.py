"""The periods a file's name speaks for: `ostolaskut-2024-03.csv`, `th_data_2025.csv`, `espoo 2019, part 2.csv`.

A single full date in a name is the day the file was made, not its coverage.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date

_YEAR = r"(?<!\d)(20\d\d)(?!\d)"
_PART = re.compile(r"(?<![a-zåäö])(?:part|osa|del)[ ._-]*(\d{1,2})(?!\d)")
_FULL_DATE = re.compile(r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_FINNISH_DATE = re.compile(r"(?<!\d)(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(20\d\d)(?!\d)")
_QUARTER = re.compile(r"(?<!\d)(20\d\d)[ ._-]*q([1-4])(?!\d)|(?<![a-zåäö])q([1-4])[ ._-]*(20\d\d)(?!\d)")
_YEAR_MONTH = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])(?!\d)")
_MONTH_YEAR = re.compile(r"(?<!\d)(0[1-9]|1[0-2])[-_./](20\d\d)(?!\d)")
_MONTHS_YEAR = re.compile(r"(?<!\d)(0?[1-9]|1[0-2])\s*[-–]\s*(0?[1-9]|1[0-2])[ ._/-]+(20\d\d)(?!\d)")
_OPEN_END = re.compile(rf"(?:from|alkaen|från)[ ._-]*{_YEAR}")
_NAMES = (
    ("tammikuu", "januari", "january"),
    ("helmikuu", "februari", "february"),
    ("maaliskuu", "mars", "march"),
    ("huhtikuu", "april"),
    ("toukokuu", "maj", "may"),
    ("kesäkuu", "juni", "june"),
    ("heinäkuu", "juli", "july"),
    ("elokuu", "augusti", "august"),
    ("syyskuu", "september"),
    ("lokakuu", "oktober", "october"),
    ("marraskuu", "november"),
    ("joulukuu", "december"),
)

Coverage = tuple[date | None, date | None, str]


def coverage(file_name: str) -> Coverage:
    """(first day, last day, part) that the name states; (None, None, part) where it states no period."""
    text = unicodedata.normalize("NFC", file_name.rsplit("/", 1)[-1]).lower()
    text = re.sub(r"\.(csv|txt|tsv|xlsx|jsonl|ndjson|json|parquet|zip)$", "", text)
    part = ""
    if found := _PART.search(text):
        part = str(int(found[1]))
        text = text[: found.start()] + " " + text[found.end() :]
    first, last = _period(text)
    return first, last, part


def _period(text: str) -> tuple[date | None, date | None]:
    days, text = _full_dates(text)
    if len(days) == 2 and days[0] <= days[1]:
        return days[0], days[1]
    if _OPEN_END.search(text):
        return None, None
    months = _months(text)
    if months:
        return _span(min(months), max(months))
    years = sorted({int(year) for year in re.findall(_YEAR, text)})
    if years and len(years) <= 2:
        return date(years[0], 1, 1), date(years[-1], 12, 31)
    return None, None


def _full_dates(text: str) -> tuple[list[date], str]:
    """The full dates of the name and the name without them."""
    found: list[date] = []

    def take(match: re.Match[str], year: int, month: int, day: int) -> str:
        try:
            found.append(date(int(match[year]), int(match[month]), int(match[day])))
        except ValueError:
            return match[0]
        return " "

    text = _FULL_DATE.sub(lambda match: take(match, 1, 3, 4), text)
    text = _FINNISH_DATE.sub(lambda match: take(match, 3, 2, 1), text)
    return found, text


def _months(text: str) -> list[tuple[int, int]]:
    """(year, month) pairs that the name states, first and last."""
    if found := _QUARTER.search(text):
        year, quarter = int(found[1] or found[4]), int(found[2] or found[3])
        return [(year, 3 * quarter - 2), (year, 3 * quarter)]
    if found := _MONTHS_YEAR.search(text):
        first, last, year = int(found[1]), int(found[2]), int(found[3])
        return [(year, first), (year, last)] if first <= last else []
    pairs = [(int(year), int(month)) for year, month in _YEAR_MONTH.findall(text)]
    pairs += [(int(year), int(month)) for month, year in _MONTH_YEAR.findall(text)] if not pairs else []
    if pairs:
        return pairs
    years = {int(year) for year in re.findall(_YEAR, text)}
    named = [
        number
        for number, names in enumerate(_NAMES, start=1)
        if any(re.search(rf"(?<![a-zåäö]){name}(?:ta)?(?![a-zåäö])", text) for name in names)
    ]
    return [(year, month) for year in years for month in named] if len(years) == 1 else []


def _span(first: tuple[int, int], last: tuple[int, int]) -> tuple[date, date]:
    return date(*first, 1), date(*last, calendar.monthrange(*last)[1])
