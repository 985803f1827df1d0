"""What the cells of a sheet are: formulas, texts, truth values, shares in per cent; all else are numbers. Readers of workbooks give
the text of each, and what `1.000` or `TRUE` means hangs on what it was.

Cells that are formatted and hold nothing do not count: the reader's first column is the first one that holds something.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from transforms.formats.archive import pieces
from transforms.formats.workbook import Workbook, column_number, members_of, parts_elements, refusing

_CELL = re.compile(rb"<(?:\w{1,20}:)?c(?:\s([^<>]*?))?/?>(?:\s*<(?:\w{1,20}:)?(v|is|f)[\s>/])?")
_OPENS = re.compile(rb"<(?:\w{1,20}:)?c[\s>/]")
_PLACE = re.compile(rb"""(?:^|\s)r\s*=\s*["']([A-Za-z]{1,3})(\d{1,7})["']""")
_TYPE = re.compile(rb"""(?:^|\s)t\s*=\s*["'](\w+)["']""")
_STYLE = re.compile(rb"""(?:^|\s)s\s*=\s*["'](\d{1,6})["']""")
_TEXTS = frozenset({b"s", b"str", b"inlineStr"})
_SHARES = frozenset({9, 10})
"""Number formats of ECMA-376 (18.8.30) that show a number as per cent; others say so by a % sign."""

class Number(str):
    """The text of a cell that holds a number: digits, and a point where it has decimals."""

    __slots__ = ()


Places = dict[int, "array[int]"]
"""Column (0-based, from the sheet's first used one) -> rows (1-based). Four bytes a cell: a sheet may hold millions of texts."""


@dataclass(frozen=True)
class Kinds:
    """Where a sheet's cells are something else than a number."""

    formulas: Places = field(default_factory=dict)
    texts: Places = field(default_factory=dict)
    truths: Places = field(default_factory=dict)
    shares: Places = field(default_factory=dict)


def kinds_of(workbook: Workbook, name: str | None) -> Kinds:
    """The kinds of a sheet's cells; `name` is its part in the archive (None: not known, and so are they)."""
    if name is None or name not in workbook.parts:
        return Kinds()
    found = Kinds()
    shares = _share_styles(workbook)
    first: int | None = None
    with refusing(workbook.file_name):
        for attributes, content in _cells(workbook, name):
            place = _PLACE.search(attributes)
            if place is None or not content:
                continue
            column, row = column_number(place[1].decode().upper()), int(place[2])
            first = column if first is None else min(first, column)
            where = _kind(found, attributes, content, shares)
            if where is not None:
                where.setdefault(column, array("I")).append(row)
    return Kinds(*({column - (first or 0): rows for column, rows in places.items()} for places in vars(found).values()))


def _kind(found: Kinds, attributes: bytes, content: bytes, shares: frozenset[int]) -> Places | None:
    if content == b"f":
        return found.formulas
    kind = _TYPE.search(attributes)
    if kind is not None and kind[1] in _TEXTS:
        return found.texts
    if kind is not None and kind[1] == b"b":
        return found.truths
    style = _STYLE.search(attributes)
    return found.shares if style is not None and int(style[1]) in shares else None


def _cells(workbook: Workbook, name: str) -> Iterator[tuple[bytes, bytes]]:
    """(attributes, name of the first child) of every cell of a part."""
    member = next(item for item in members_of(workbook) if item.name == name)
    held = b""
    for piece in pieces(workbook.path, member, workbook.limits, workbook.file_name):
        held += piece
        starts = [match.start() for match in _OPENS.finditer(held)]
        if starts:
            yield from _CELL.findall(held[: starts[-1]])
            held = held[starts[-1] :]
        elif len(held) > 65_536:
            held = held[-32:]  # no cell for long: at most the beginning of one
    yield from _CELL.findall(held)


def _share_styles(workbook: Workbook) -> frozenset[int]:
    """Places among the cell formats (what a cell's `s` says) of those that show per cent."""
    own: set[int] = set()
    styles: list[int] = []
    for element in parts_elements(workbook, "xl/styles.xml", ("{*}numFmt", "{*}cellXfs")):
        if etree.QName(element).localname == "numFmt":
            if "%" in str(element.get("formatCode")) and str(element.get("numFmtId")).isdigit():
                own.add(int(str(element.get("numFmtId"))))
        else:
            styles = [int(number) if (number := str(xf.get("numFmtId"))).isdigit() else 0 for xf in element.iterfind("{*}xf")]
    return frozenset(place for place, number in enumerate(styles) if number in _SHARES | own)
