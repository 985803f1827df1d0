"""What a workbook's parts hold, found out before anything is opened that believes them.

A workbook is a zip of XML that points at itself: a short text referred to a million times, two cells at the far ends of a sheet,
a part that unpacks beyond its declared size. Each is refused here, while it is read in pieces; so is any DOCTYPE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import fastexcel
import polars as pl
from lxml import etree

from schemas.errors import DeliveryRefused, is_panic
from transforms.delivery import Limits
from transforms.formats.archive import BROKEN, Member, members, open_member, pieces
from transforms.formats.detect import refusal

CELLS_FREE = 4_000_000
CELLS_MAX = 30_000_000
FILLED = 4
"""Cells of a sheet's used rectangle, which a reader holds whole: so many in any case, and so many at most; in between, one in FILLED
must hold something."""
TEXT_MAX = 128 * 1024**2
"""Characters that the cells of a workbook hold where they share texts."""
SHARED = "xl/sharedStrings.xml"
_HAS_FORMULA = re.compile(rb"<(?:\w{1,20}:)?f[\s>/]")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_CELL_TAG = re.compile(rb"<(?:\w{1,20}:)?c[\s>/]")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Part:
    """What a look at an XML part found: formulas, cells, cells that name their place, the columns and the last row of those."""

    has_formula: bool = False
    cells_n: int = 0
    placed_n: int = 0
    columns: set[bytes] = field(default_factory=set)
    last_row: int = 0


@dataclass(frozen=True)
class Workbook:
    """A workbook whose parts were looked at: sheet name -> its part in the archive."""

    path: Path
    file_name: str
    limits: Limits
    sheets: dict[str, str]
    parts: dict[str, Part]


@contextmanager
def refusing(file_name: str) -> Iterator[None]:
    """What readers of workbooks raise on hostile bytes, as DeliveryRefused; of Rust code that may be a panic."""
    try:
        yield
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, etree.LxmlError, TypeError, AttributeError, *BROKEN) as error:
        raise _broken(file_name) from error
    except BaseException as error:
        damaged = isinstance(error, DeliveryRefused) and error.reasons[0].code == "zip_broken"
        if damaged or is_panic(error):
            raise _broken(file_name) from error
        raise


def _broken(file_name: str) -> Exception:
    return refusal("workbook_broken", "the workbook is damaged or cut off; save and deliver it again", file_name)


def examine(path: Path, file_name: str, limits: Limits) -> Workbook:
    """Look at every part. Raises DeliveryRefused for what must not be opened."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    found = members(path, limits, file_name)
    if "xl/workbook.xml" not in {member.name for member in found}:
        text = "the file is a zip archive but no XLSX workbook; deliver the table itself as CSV or XLSX"
        raise refusal("wrong_format", text, file_name)
    with refusing(file_name):
        parts = {member.name: _part(path, member, limits, file_name) for member in found}
    workbook = Workbook(path, file_name, limits, _sheets(path, file_name, limits), parts)
    _require_bounded(workbook)
    return workbook


def _part(path: Path, member: Member, limits: Limits, file_name: str) -> Part:
    part = Part()
    for piece in _by_tags(pieces(path, member, limits, file_name)):
        if _DOCTYPE.search(piece):
            text = f"{member.name} holds a DOCTYPE; save the workbook again with a spreadsheet program"
            raise refusal("doctype_refused", text, file_name)
        part.has_formula = part.has_formula or bool(_HAS_FORMULA.search(piece))
        places = _PLACE.findall(piece)
        part.cells_n += sum(1 for _ in _CELL_TAG.finditer(piece))
        part.placed_n += len(places)
        part.columns.update({column for column, _ in places})
        part.last_row = max(part.last_row, max((int(row) for _, row in places), default=0))
    return part


def _by_tags(stream: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a stream, cut before a tag where there is one near, so that nothing stands in two of them."""
    held = b""
    for piece in stream:
        held += piece
        cut = held.rfind(b"<", len(held) - 65_536 if len(held) > 65_536 else 0)
        if cut > 0:
            yield held[:cut]
            held = held[cut:]
        elif cut < 0:
            yield held
            held = b""
    yield held


def _sheets(path: Path, file_name: str, limits: Limits) -> dict[str, str]:
    relations = {
        str(element.get("Id")): str(element.get("Target"))
        for element in _elements(path, "xl/_rels/workbook.xml.rels", limits, file_name)
        if element.get("Id") and element.get("Target")
    }
    sheets = {}
    for element in _elements(path, "xl/workbook.xml", limits, file_name):
        target = relations.get(str(element.get(_RELATION)))
        if etree.QName(element).localname == "sheet" and target:
            sheets[str(element.get("name"))] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return sheets


def _require_bounded(workbook: Workbook) -> None:
    """Refuse sheets that would fill the memory: too many cells between their first and last one, or texts too often referred to."""
    lengths = _text_lengths(workbook)
    sheets = {name: part for name, part in workbook.parts.items() if part.cells_n}
    texts_n = sum(part.cells_n for part in sheets.values()) * max(lengths, default=0)
    if texts_n <= TEXT_MAX and all(_area(part) <= CELLS_FREE for part in sheets.values()):
        return  # so it is with all but a few
    texts_n = 0
    for name in sheets:
        extent = _measured(workbook, name, lengths)
        if extent.rows_n * extent.columns_n > min(CELLS_MAX, max(CELLS_FREE, FILLED * extent.cells_n)):
            text = f"a sheet spans {extent.rows_n} rows and {extent.columns_n} columns; delete what lies far off, or deliver CSV"
            raise refusal("sheet_too_large", text, workbook.file_name)
        texts_n += extent.texts_n
    if texts_n > TEXT_MAX:
        text = f"the cells hold {texts_n} characters, at most {TEXT_MAX}; deliver in parts or as CSV"
        raise refusal("sheet_too_large", text, workbook.file_name)


def _area(part: Part) -> int:
    """Cells from A1 to the last one, more than any limit where cells do not say their place."""
    if part.placed_n < part.cells_n:
        return CELLS_MAX + 1
    return part.last_row * max((column_number(column.decode().upper()) for column in part.columns), default=0)


def _text_lengths(workbook: Workbook) -> list[int]:
    """Characters of each shared text."""
    name = next((name for name in workbook.parts if name.casefold() == SHARED.casefold()), None)
    if name is None:
        return []
    elements = _elements(workbook.path, name, workbook.limits, workbook.file_name, ("{*}si",))
    return [sum(len(text.text or "") for text in element.iter("{*}t")) for element in elements]


@dataclass
class _Extent:
    rows_n: int = 0
    columns_n: int = 0
    cells_n: int = 0
    texts_n: int = 0


def _measured(workbook: Workbook, name: str, lengths: list[int]) -> _Extent:
    """The cells of a sheet that hold something: how far they reach, how many they are, the characters of their shared texts."""
    extent = _Extent()
    row = last_column = 0
    holds = False
    for element in _elements(workbook.path, name, workbook.limits, workbook.file_name, ("{*}c", "{*}row")):
        if etree.QName(element).localname == "row":
            row, last_column = _number(element.get("r")) or row + 1, 0
            extent.rows_n = max(extent.rows_n, row) if holds else extent.rows_n
            holds = False
            continue
        place = _CELL.fullmatch(str(element.get("r") or "").upper())
        last_column = column_number(place[1]) if place else last_column + 1
        if not len(element):
            continue
        holds = True
        extent.rows_n = max(extent.rows_n, int(place[2]) if place else 0)
        extent.columns_n = max(extent.columns_n, last_column)
        extent.cells_n += 1
        if element.get("t") == "s":
            number = _number(element.findtext("{*}v"))
            extent.texts_n += lengths[number] if number is not None and number < len(lengths) else 0
    return extent


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def formula_cells(workbook: Workbook, name: str | None) -> set[tuple[int, int]]:
    """(sheet row, column from the sheet's first used one) of every formula in a sheet's part."""
    if name is None or name not in workbook.parts or not workbook.parts[name].has_formula:
        return set()
    first_column: int | None = None
    formulas: list[tuple[int, int]] = []
    for cell in _elements(workbook.path, name, workbook.limits, workbook.file_name, ("{*}c",)):
        place = _CELL.fullmatch(str(cell.get("r") or ""))
        if place is None:
            continue
        column = column_number(place[1])
        first_column = column if first_column is None else min(first_column, column)
        if any(etree.QName(child).localname == "f" for child in cell):
            formulas.append((int(place[2]), column))
    return {(row, column - (first_column or 0)) for row, column in formulas}


def column_number(letters: str) -> int:
    """1 of A, 27 of AA."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _elements(
    path: Path, name: str, limits: Limits, file_name: str, tags: Sequence[str] | None = None
) -> Iterator[etree._Element]:
    """Elements of a part as they end, hardened (no entities, no network), each freed after use."""
    member = next((item for item in members(path, limits, file_name) if item.name == name), None)
    if member is None:
        return
    with refusing(file_name), open_member(path, member, limits, file_name) as stream:
        events = etree.iterparse(
            stream, events=("end",), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in events:
            yield element
            element.clear()
            while element.getprevious() is not None and (parent := element.getparent()) is not None:
                del parent[0]
