"""Columns of posting lines from delivered text: organisations, accounts, codes, dates. Rules apply to unique values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from schemas.reference import Agency, Reference
from transforms.coded import Coded
from transforms.dates import parse_dates
from transforms.personal import contact_values, personal_values
from transforms.suppliers import business_id

CODES = frozenset({"organisation_code", "branch_code", "unit_code", "account_code", "account"})
"""Columns where a spreadsheet's '179.0' means the code 179."""
ACCOUNTS = frozenset({"account", "account_code"})
CHECKED_ELSEWHERE = frozenset({"supplier_business_id", "supplier_name", "posting_date"})
_LEADING_CODE = r"^(\d{3,10})\s+\p{L}{2}"
FIRST_DAY = date(2000, 1, 1)
YEARS_AHEAD = 2


def nothing(rows: int, dtype: type[pl.DataType] = pl.String) -> pl.Series:
    return pl.Series([None], dtype=dtype).new_from_index(0, rows)


def encode(frame: pl.DataFrame, plain: frozenset[str]) -> dict[str, Coded]:
    """Every text column but the plain ones by its unique, tidied values."""
    coded = {}
    for name in frame.columns:
        if name in plain:
            continue
        column = Coded.of(frame[name]).tidied()
        if name in CODES:
            column = Coded(column.values.str.replace(r"^(\d+)\.0+$", "${1}"), column.codes)
        coded[name] = column
    return coded


def without_persons(coded: Mapping[str, Coded]) -> tuple[dict[str, Coded], dict[str, np.ndarray]]:
    """(columns, rows hit by column): cells that hold a personal identity code, and names with contact details, are nulled, in every column but the supplier's
    (`identify` knows those) and the date (only days are stored). Of an account cell the leading code stays."""
    kept, hit = dict(coded), {}
    for name, column in coded.items():
        if name in CHECKED_ELSEWHERE:
            continue
        personal = personal_values(column.values)
        if name.endswith("_name"):  # elsewhere stand numbers that look like a telephone's
            personal = personal | contact_values(column.values)
        if personal.any():
            left = column.values.str.extract(_LEADING_CODE, 1) if name in ACCOUNTS else nothing(len(personal))
            kept[name] = Coded(column.values.zip_with(~personal, left), column.codes)
            hit[name] = column.where(personal)
    return kept, hit


@dataclass(frozen=True)
class Dates:
    """Days, months and slices of the rows, and which rows' dates are missing, unreadable or out of range."""

    posting_date: pl.Series
    period: pl.Series
    slice_period: pl.Series
    missing: np.ndarray
    unreadable: np.ndarray
    out_of_range: np.ndarray


def dates(column: Coded | None, rows: int, date_format: str, covered: tuple[date, date] | None, produced: date) -> Dates:
    """Dates of a column. Without a column every row belongs to 1 January of the covered year (`covered` is needed then)."""
    none = np.zeros(rows, dtype=bool)
    if column is None:
        if covered is None:
            raise ValueError("a file without dates needs a covered year")
        year = pl.Series([date(covered[0].year, 1, 1)]).new_from_index(0, rows)
        return Dates(nothing(rows, pl.Date), year, year, none, none, none)
    days = parse_dates(column.values, date_format)
    last = date(produced.year + YEARS_AHEAD, produced.month, min(produced.day, 28))
    outside = ((days < FIRST_DAY) | (days > last)).fill_null(False)
    missing = column.values.is_null()
    day = pl.col("day")
    month = day.dt.truncate("1mo")
    slice_period = month if covered is None else month.clip(covered[0].replace(day=1), covered[1].replace(day=1))
    known = pl.select(pl.when(pl.lit(outside)).then(None).otherwise(pl.lit(days)).alias("day"))
    known = known.with_columns(month.alias("period"), slice_period.alias("slice_period"))
    return Dates(
        column.spread(known["day"]),
        column.spread(known["period"]),
        column.spread(known["slice_period"]),
        column.where(missing),
        column.where(days.is_null() & ~missing),
        column.where(outside),
    )


def accounts(coded: Mapping[str, Coded], rows: int) -> tuple[Coded, Coded]:
    """(code, name): from their own columns, else out of one cell 'code name'. Leading zeros stay."""
    names = coded.get("account_name")
    codes = coded.get("account_code")
    both = coded.get("account") if codes is None else codes
    none = Coded(nothing(1), np.zeros(rows, dtype=np.uint32))
    if both is None:
        return none, names or none
    if names is not None and codes is not None:
        return codes, names
    parts = both.values.str.extract_groups(r"^(\d[\d.]*)?(?:[\s,;:-]+)?(.+)?$").struct.unnest()
    code, rest = Coded(parts.to_series(0), both.codes), Coded(parts.to_series(1), both.codes)
    return code, names or rest


def countries(column: Coded | None, rows: int) -> pl.Series:
    """Two capital letters, else null."""
    if column is None:
        return nothing(rows)
    upper = column.values.str.to_uppercase()
    two = upper.str.extract(r"^([A-Z]{2})$", 1)
    return column.spread(two)


def organisations(
    coded: Mapping[str, Coded], rows: int, agency: Agency, reference: Reference, days: pl.Series
) -> tuple[pl.Series, np.ndarray]:
    """(organisation_id of every row, null where unknown; rows of others in a state file that no register knows).

    In this order: an alias of the agency for the delivered code or business id (dated by the row's date); in a state file the
    register's organisation of that name where the row's sector is not the state's, then 'state:<code>'; a valid business id on
    the row; the agency's own organisation.
    """
    codes, ids = coded.get("organisation_code"), coded.get("organisation_business_id")
    if codes is not None and agency.chart == "municipal":  # spreadsheets drop the leading zeros of municipality codes
        codes = Coded(codes.values.str.zfill(3), codes.codes)
    candidates: list[pl.Series] = [
        found for column in (codes, ids) if column is not None for found in _aliased(column, agency.agency, reference, days)
    ]
    unmatched = np.zeros(rows, dtype=bool)
    if codes is not None and agency.chart == "state":
        guests = _guests(coded, reference)
        if guests.any():
            candidates.append(_named(coded["organisation_name"], guests, reference, days))
            unmatched = guests & _first(candidates).is_null().to_numpy()
        candidates.append(codes.spread("state:" + codes.values))
    if ids is not None:
        valid = [business_id(value) if value else None for value in ids.values.to_list()]
        candidates.append(ids.spread(pl.Series(valid, dtype=pl.String)))
    if agency.organisation_id is not None:
        candidates.append(pl.Series([agency.organisation_id]).new_from_index(0, rows))
    return (_first(candidates) if candidates else nothing(rows)), unmatched


def _first(candidates: Sequence[pl.Series]) -> pl.Series:
    """The first candidate that is known, row by row."""
    return pl.select(pl.coalesce([pl.lit(series) for series in candidates])).to_series()


def _guests(coded: Mapping[str, Coded], reference: Reference) -> np.ndarray:
    """Rows of a state file whose sector is another's: cities and counties stand in it beside the state's units."""
    sector = coded.get("sector_name")
    if sector is None or "organisation_name" not in coded:
        return np.zeros(1, dtype=bool)
    words = reference.table("sector_aliases.csv").filter(kind="state_file", sector="state")["delivered"].str.to_lowercase()
    return sector.where(~sector.values.str.to_lowercase().is_in(words.to_list()))


Named = tuple[str, date | None, date | None]


@lru_cache(maxsize=8)
def _organisation_names(reference: Reference) -> Mapping[str, tuple[Named, ...]]:
    """Lower-case name, in any language -> organisations that bear it, with their validity."""
    found: dict[str, dict[Named, None]] = {}
    for row in reference.table("organisations.csv").iter_rows(named=True):
        for name in (row["name_fi"], row["name_sv"], row["name_en"]):
            if name:
                bearer = (row["organisation_id"], _day(row["valid_from"]), _day(row["valid_to"]))
                found.setdefault(" ".join(name.split()).lower(), {})[bearer] = None
    return {name: tuple(bearers) for name, bearers in found.items()}


def _named(names: Coded, guests: np.ndarray, reference: Reference, days: pl.Series) -> pl.Series:
    """The one organisation that bore the row's name on its day, for the guests' rows; null where none did, or several."""
    known = _organisation_names(reference)
    found = np.full(len(guests), "", dtype=object)
    for place, name in enumerate(names.values.str.to_lowercase().to_list()):
        bearers = known.get(name or "", ())
        here = guests & (names.codes == place) if bearers else guests
        for organisation in sorted({organisation for organisation, _, _ in bearers}):
            spans = [_within(days, first, last) for bearer, first, last in bearers if bearer == organisation]
            mine = here & np.logical_or.reduce(spans)
            several = mine & (found != "")
            found[mine] = organisation
            found[several] = None
    return pl.Series(found.tolist(), dtype=pl.String).replace("", None)


def _within(days: pl.Series, first: date | None, last: date | None) -> np.ndarray:
    inside = pl.Series([True]).new_from_index(0, len(days))
    if first is not None:
        inside = inside & (days >= first).fill_null(False)
    if last is not None:
        inside = inside & (days <= last).fill_null(False)
    return inside.to_numpy()


Alias = tuple[str, str, date | None, date | None]


@lru_cache(maxsize=64)
def _aliases(reference: Reference, agency: str) -> tuple[Alias, ...]:
    table = reference.table("organisation_aliases.csv").filter(pl.col("agency") == agency)
    return tuple(
        (row["delivered_code"], row["organisation_id"], _day(row["valid_from"]), _day(row["valid_to"]))
        for row in table.iter_rows(named=True)
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _aliased(column: Coded, agency: str, reference: Reference, days: pl.Series) -> list[pl.Series]:
    aliases = [alias for alias in _aliases(reference, agency) if alias[0] in set(column.values.drop_nulls().to_list())]
    undated = {code: organisation for code, organisation, first, last in aliases if first is None and last is None}
    found = []
    for code, organisation, first, last in aliases:
        if first is None and last is None:
            continue
        here = pl.Series(column.where(column.values == code) & _within(days, first, last))
        found.append(pl.Series([organisation]).new_from_index(0, len(here)).zip_with(here, nothing(len(here))))
    if undated:
        known = [undated.get(value) if value is not None else None for value in column.values.to_list()]
        found.append(column.spread(pl.Series(known, dtype=pl.String)))
    return found
