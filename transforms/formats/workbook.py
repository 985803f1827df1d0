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
from transforms.formats.archive import BROKEN, Member, first_bytes, is_zip, members, open_member, pieces, read_limited
from transforms.formats.detect import refusal

CELLS_FREE = 4_000_000
CELLS_MAX = 30_000_000
FILLED = 4
"""Cells of a sheet's used rectangle, which a reader holds whole: so many in any case, and so many at most; in between, one in FILLED
must hold something."""
TEXT_MAX = 128 * 1024**2
"""Characters that the cells of a workbook hold where they share texts."""
MERGED_MAX = 100_000
SHEETS_MAX = 1_000
"""A reader keeps each merged range and each sheet."""
OLE = b"\xd0\xcf\x11\xe0"
"""How old Excel files begin, and every workbook with a password."""
SHARED = "xl/sharedStrings.xml"
_HAS_FORMULA = re.compile(rb"<(?:\w{1,20}:)?f[\s>/]")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_CELL_TAG = re.compile(rb"<(?:\w{1,20}:)?c[\s>/]")
_MERGED = re.compile(rb"<(?:\w{1,20}:)?mergeCell[\s>/]")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_FAR = re.compile(
    rb"""<(?:\w{1,20}:)?(?:c|row)\s(?:[^<>]*?\s)?r\s*+=\s*+(?!["'](?:[A-Za-z]{1,3})?\d{1,7}["'])"""
    rb"""|<(?:\w{1,20}:)?(?:dimension|mergeCell)\s(?:[^<>]*?\s)?ref\s*+=\s*+"""
    rb"""(?!["'](?:\$?[A-Za-z]{1,3}\$?\d{1,7}(?::\$?[A-Za-z]{1,3}\$?\d{1,7})?)?["'])"""
)
"""A reference that no spreadsheet has (XFD1048576 is the last one): readers reckon with what it says, and one of them ends the
process over it."""
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
    merged_n: int = 0


@dataclass(frozen=True)
class Workbook:
    """A workbook whose parts were looked at: sheet name -> its part in the archive."""

    path: Path
    file_name: str
    limits: Limits
    sheets: dict[str, str]
    parts: dict[str, Part]
    is_typed: bool = True
    """Whether its parts say what each cell is; those of old and open formats are not looked into."""


def is_workbook(head: bytes) -> bool:
    """Whether the first bytes may be a workbook's: a zip's, or an old Excel file's."""
    return is_zip(head) or head.startswith(OLE)


@contextmanager
def refusing(file_name: str) -> Iterator[None]:
    """What readers of workbooks raise on hostile bytes, as DeliveryRefused; of Rust code that may be a panic."""
    try:
        yield
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError, etree.LxmlError, TypeError, AttributeError, *BROKEN) as error:
        raise (_encrypted if "password" in str(error).lower() else _broken)(file_name) from error
    except BaseException as error:
        damaged = isinstance(error, DeliveryRefused) and error.reasons[0].code == "zip_broken"
        if damaged or is_panic(error):
            raise _broken(file_name) from error
        raise


def _broken(file_name: str) -> DeliveryRefused:
    return refusal("workbook_broken", "the workbook is damaged or cut off; save and deliver it again", file_name)


def examine(path: Path, file_name: str, limits: Limits) -> Workbook:
    """Look at every part. Raises DeliveryRefused for what must not be opened."""
    size = path.stat().st_size
    if size > limits.other_bytes:
        raise refusal("file_too_large", f"the file has {size} bytes, the limit is {limits.other_bytes}", file_name)
    if first_bytes(path, len(OLE)) == OLE:
        _require_plain(path, limits, file_name)
        return Workbook(path, file_name, limits, {}, {}, is_typed=False)
    found = members(path, limits, file_name)
    names = {member.name for member in found}
    if "xl/workbook.xml" not in names:
        if not (names >= {"mimetype", "content.xml"} or "xl/workbook.bin" in names):
            text = "the file is a zip archive but no workbook; deliver the table itself as CSV or XLSX"
            raise refusal("wrong_format", text, file_name)
        _require_no_doctype(path, found, limits, file_name)
        return Workbook(path, file_name, limits, {}, {}, is_typed=False)
    with refusing(file_name):
        parts = {member.name: _part(path, member, limits, file_name) for member in found}
    workbook = Workbook(path, file_name, limits, _sheets(path, file_name, limits), parts)
    _require_bounded(workbook)
    return workbook


def _require_plain(path: Path, limits: Limits, file_name: str) -> None:
    """Refuse what has a password, and documents that are no workbooks: told by the names of the streams they hold."""
    data = read_limited(path, limits.other_bytes)
    if _stream("EncryptedPackage") in data:
        raise _encrypted(file_name)
    if not any(_stream(name) in data for name in ("Workbook", "Book")):
        text = "the file is an old Office document but no workbook, or it is cut off; deliver the table itself as CSV or XLSX"
        raise refusal("wrong_format", text, file_name)


def _stream(name: str) -> bytes:
    return name.encode("utf-16-le")


def _encrypted(file_name: str) -> DeliveryRefused:
    return refusal("workbook_encrypted", "the workbook has a password; save it without one and deliver it again", file_name)


def _require_no_doctype(path: Path, found: Sequence[Member], limits: Limits, file_name: str) -> None:
    with refusing(file_name):
        for member in found:
            for piece in _by_tags(pieces(path, member, limits, file_name)) if member.name.endswith(".xml") else ():
                if _DOCTYPE.search(piece):
                    raise _with_doctype(member.name, file_name)


def _with_doctype(part: str, file_name: str) -> DeliveryRefused:
    text = f"{part} holds a DOCTYPE; save the workbook again with a spreadsheet program"
    return refusal("doctype_refused", text, file_name)


def _part(path: Path, member: Member, limits: Limits, file_name: str) -> Part:
    part = Part()
    for piece in _by_tags(pieces(path, member, limits, file_name)):
        if _DOCTYPE.search(piece):
            raise _with_doctype(member.name, file_name)
        part.merged_n += len(_MERGED.findall(piece))
        if part.merged_n > MERGED_MAX:
            text = f"{member.name} merges more than {MERGED_MAX} ranges of cells; save the table without merged cells, or as CSV"
            raise refusal("sheet_too_large", text, file_name)
        if _FAR.search(piece):
            text = f"{member.name} refers to a cell that no sheet has; save the workbook again with a spreadsheet program"
            raise refusal("workbook_broken", text, file_name)
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
    if len(sheets) > SHEETS_MAX:
        raise refusal("sheet_too_large", f"the workbook has {len(sheets)} sheets; deliver the table itself", file_name)
    if len(set(sheets.values())) < len(sheets):  # a small file that is read once for each of its sheets
        raise refusal("workbook_broken", "sheets share their content; save the workbook again with a spreadsheet program", file_name)
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


def members_of(workbook: Workbook) -> list[Member]:
    """The parts as they lie in the archive."""
    return list(members(workbook.path, workbook.limits, workbook.file_name))


def parts_elements(workbook: Workbook, name: str, tags: Sequence[str]) -> Iterator[etree._Element]:
    """Elements of a part by their tags, as they end; none where there is no such part."""
    return _elements(workbook.path, name, workbook.limits, workbook.file_name, tags)


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
