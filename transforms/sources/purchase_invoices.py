"""Purchase invoices: delivered file -> posting lines. Equal rows are legitimate and never de-duplicated.

Origin of the formats: the state's open data (tutkihankintoja.fi), the 6Aika guide of 2016, the Association of Finnish
Municipalities' guide of 2021, and what single cities publish; agency differences are rows in `schemas/agencies.csv` and
`schemas/column_maps/purchase_invoices.csv`, never code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl

from schemas.errors import DeliveryRefused, Reason
from schemas.reference import Agency, Reference
from transforms import file_coverage
from transforms.amounts import guess_decimal_mark
from transforms.dates import detect_date_format
from transforms.delivery import COUNT_SCHEMA, FAILURE_SCHEMA, CleanPart, Conclusion, Context, Delivered, Limits, RawPart
from transforms.formats import tables
from transforms.formats.delimited import ROWS
from transforms.formats.detect import AMOUNT_COLUMNS, Fixes, HeaderMap, is_number, normalise_header
from transforms.sources import invoice_conclusion
from transforms.sources.invoice_rows import Covered, clean_rows

coverage = file_coverage.coverage


def read(deliveries: Sequence[Delivered], context: Context) -> Iterator[RawPart]:
    """Raw parts of the deliveries, one after the other; a file that cannot be read refuses its own delivery only.

    Frames: `row` (mapped columns as text, Categorical where repetitive; source_line; amount_is_formula for spreadsheets) and
    `malformed` (source_line, reason). Notes: delivery_id, format, encoding, delimiter, quoting, header_row, columns,
    unknown_columns, decimal_mark, date_format, has_dates.
    """
    for delivered in deliveries:
        try:
            yield from _read_one(delivered, context)
        except DeliveryRefused as refusal:
            yield RawPart({}, {"delivery_id": delivered.delivery_id}, {delivered.delivery_id: list(refusal.reasons)})


def _read_one(delivered: Delivered, context: Context) -> Iterator[RawPart]:
    agency = context.agency(delivered)
    header_map = header_map_of(context.reference, agency.layout)
    found: dict[str, object] | None = None
    for part in tables.read_table(delivered.path, delivered.file_name, header_map, Fixes.of(agency), context.limits):
        if found is None:
            _require_year(delivered, part)
            found = {"delivery_id": delivered.delivery_id, **_written_like(part, agency)}
        part.notes.update(found)
        part.notes["rows_above_header"] = max(int(str(part.notes["header_row"])) - 1, 0)
        yield part


def _written_like(part: RawPart, agency: Agency) -> dict[str, object]:
    """Decimal mark and date format: the agency's, else what the first part shows."""
    frame = part.frames[ROWS]
    text_delimiter = part.notes.get("delimiter")
    amounts = next(frame[name] for name in AMOUNT_COLUMNS if name in frame.columns)
    default = "," if text_delimiter in (";", "\t", "|") else "."
    fixed = agency.decimal_mark
    has_dates = "posting_date" in frame.columns
    date_format = None
    if has_dates:
        date_format = detect_date_format(frame["posting_date"].cast(pl.String), agency.date_format)
    typed = [frame.filter(~pl.col(is_number(name)))[name] for name in AMOUNT_COLUMNS if is_number(name) in frame.columns]
    if typed:  # numbers have a point; the marks of texts beside them are told by these alone
        found = guess_decimal_mark(pl.concat(typed, rechunk=False), "")
        return {"decimal_mark": found or ".", "is_mark_told": bool(found), "date_format": date_format, "has_dates": has_dates}
    mark = fixed or guess_decimal_mark(amounts.head(20_000), default)
    return {"decimal_mark": mark, "date_format": date_format, "has_dates": has_dates}


def _require_year(delivered: Delivered, part: RawPart) -> None:
    """A file without dates speaks for the one year that its manifest or its name states."""
    if "posting_date" in part.frames[ROWS].columns:
        return
    covered = covered_days(delivered)
    if covered is None:
        text = "the file has no dates and neither manifest nor file name states its year; deliver it with the year in its name"
        raise DeliveryRefused(Reason("coverage_unknown", text, file=delivered.file_name))
    if covered[0].year != covered[1].year:
        text = "the file has no dates and its coverage spans several years; deliver one file a year"
        raise DeliveryRefused(Reason("coverage_ambiguous", text, file=delivered.file_name))


def covered_days(delivered: Delivered) -> Covered:
    """First and last covered day: the manifest's, else the file name's; None where neither says.

    A file cannot speak for months after the one it was made in: a year's file made in October covers ten months.
    """
    first, last = delivered.coverage_from, delivered.coverage_to
    if first is None or last is None:
        first, last, _ = coverage(delivered.file_name)
    if first is None or last is None or first > last:
        return None
    made = delivered.produced_at.date()
    if first <= made < last and (made.year, made.month) != (last.year, last.month):
        last = date(made.year, made.month, 28)
    return first, last


def clean(raw: RawPart, deliveries: Sequence[Delivered], context: Context) -> CleanPart:
    """Accepted posting lines, failures, warnings and counts of one raw part."""
    if raw.refused or ROWS not in raw.frames:
        empty = pl.DataFrame(schema=FAILURE_SCHEMA)
        return CleanPart({}, empty, empty, pl.DataFrame(schema=COUNT_SCHEMA), refused=raw.refused)
    delivered = next(item for item in deliveries if item.delivery_id == raw.notes["delivery_id"])
    part = clean_rows(raw, delivered, context, covered_days(delivered))
    part.facts |= {"delivery_id": delivered.delivery_id, "has_dates": raw.notes["has_dates"]}
    return part


def conclude(parts: Sequence[CleanPart], deliveries: Sequence[Delivered], context: Context) -> Conclusion:
    """Grand totals, covered slices and refusals of whole deliveries; see invoice_conclusion."""
    return invoice_conclusion.conclude(parts, [(item, covered_days(item), _part(item)) for item in deliveries])


def _part(delivered: Delivered) -> str:
    return delivered.part or coverage(delivered.file_name)[2]


@lru_cache(maxsize=256)
def header_map_of(reference: Reference, layout: str | None) -> HeaderMap:
    """Headers known for a layout (its own rows before the common ones); None: all layouts, to recognise the source."""
    columns: dict[str, tuple[str, int]] = {}
    for row in reference.table("column_maps/purchase_invoices.csv").iter_rows(named=True):
        own = row["layout"] is not None
        if own and layout is not None and row["layout"] != layout:
            continue
        header, rank = normalise_header(row["source_column"] or ""), 0 if own else 1
        if header not in columns or rank < columns[header][1]:
            columns[header] = (row["column"] or "", rank)
    return HeaderMap(columns)


@lru_cache(maxsize=1)
def _every_header() -> HeaderMap:
    return header_map_of(Reference.load(), None)


def recognise(path: Path) -> int:
    """How surely a file holds purchase invoices, 0-100: by the share of its header cells that are known in any layout."""
    try:
        cells = tables.header_of(path, path.name, _every_header(), Limits())
    except (DeliveryRefused, OSError):
        return 0
    matched = set(_every_header().match(cells).values())
    named = sum(1 for cell in cells if cell.strip())
    if not matched & set(AMOUNT_COLUMNS) or len(matched) < 3:
        return 0
    return min(100, 40 + round(60 * len(matched) / max(named, 1)))
