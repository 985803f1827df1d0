"""What a delivered file is written like: encoding, delimiter, quoting, header row. Looks at a sample, opens nothing.

Whatever an agency's row in `schemas/agencies.csv` fixes is taken as it stands; the rest is found out here.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from schemas.errors import DeliveryRefused, Reason
from schemas.reference import Agency
from transforms.personal import has_personal_id

AMOUNT_COLUMNS = ("net_amount", "gross_amount")


def is_number(amount: str) -> str:
    """The Boolean column beside an amount of a typed format that says which cells are numbers; those have a point."""
    return f"{amount}_is_number"


SHARE, TRUTH = "share of ", "truth value "
NO_AMOUNT = (SHARE, TRUTH)
"""How the text of a workbook's cell begins that is something else than an amount."""
TOTALS = frozenset({"kokonaissumma euroina", "kokonaissumma", "summa"})
"""Headers of amounts that do not say whether VAT is in them: mapped to gross, read as net where the agency's row says net."""
DELIMITERS = ("\t", ";", ",", "|")
HEADER_WITHIN = 50
"""A header row further down than this is not looked for."""

_MAGIC = (
    (b"PK\x03\x04", "a zip or XLSX file"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"<?xml", "an XML file"),
)
_PACKED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x1f\x8b")
"""7z, RAR, bzip2, xz, zstd; gzip inside something else."""
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ENCODINGS = {"utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be"}
_ENCODING_NAMES = {"utf8": "utf-8", "iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13})
_NUMBERS = re.compile(r"\d{4}|\d[.,]\d")
_YEAR = re.compile(r"(?:.*\D)?(?:19|20)\d\d(?:\D{2,})?")  # "Netto 2021", "2019 kirjattu"
_BLANKS = re.compile(r"[\s\u00a0\u200b\ufeff]+")


@dataclass(frozen=True)
class HeaderMap:
    """Normalised header -> (column of the contract, rank); rank 0 is the agency's own layout, 1 the common rows.

    `totals_are_net`: the agency's amounts are net, so a lone total that does not say which it is counts as net.
    """

    columns: Mapping[str, tuple[str, int]]
    totals_are_net: bool = False

    def match(self, cells: Sequence[str]) -> dict[int, str]:
        """Position -> column for the cells that are known. Where two cells mean one column the better rank, then the row further
        up in the map wins, wherever the cells stand; the other stays unmapped (and is noted). Two amounts of one rank both stay:
        `require_header` refuses them."""
        rows = {header: number for number, header in enumerate(self.columns)}
        best: dict[str, list[tuple[int, int, int]]] = {}
        for position, cell in enumerate(cells):
            header = normalise_header(cell)
            if header in self.columns:
                column, rank = self.columns[header]
                best.setdefault(column, []).append((rank, rows[header], position))
        chosen: dict[int, str] = {}
        for column, found in best.items():
            first = min(found)
            rivals = [place for place in found if place[0] == first[0]] if column in AMOUNT_COLUMNS else [first]
            chosen |= {position: column for _, _, position in rivals}
        if self.totals_are_net:
            chosen = _net_totals(chosen, cells)
        return dict(sorted(chosen.items()))


def _net_totals(chosen: dict[int, str], cells: Sequence[str]) -> dict[int, str]:
    """The same with a lone total as net: no net amount and no VAT beside it, and nothing in its header that says gross."""
    amounts = [position for position, column in chosen.items() if column in (*AMOUNT_COLUMNS, "vat_amount")]
    if len(amounts) == 1 and normalise_header(cells[amounts[0]]) in TOTALS:
        return chosen | {amounts[0]: "net_amount"}
    return chosen


@dataclass(frozen=True)
class Fixes:
    """What is known beforehand about an agency's files; None: detect."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal_mark: str | None = None
    date_format: str | None = None
    header_row: int | None = None
    amount_basis: str | None = None

    @classmethod
    def of(cls, agency: Agency) -> Fixes:
        return cls(
            agency.encoding, agency.delimiter, agency.decimal_mark, agency.date_format, agency.header_row, agency.amount_basis
        )


@dataclass(frozen=True)
class Header:
    """Where the header stands (1-based line or row), its cells and what they mean."""

    row: int
    cells: tuple[str, ...]
    columns: Mapping[int, str] = field(default_factory=dict)

    @property
    def unknown(self) -> list[str]:
        """Cells that were not used, for notes and receipts; a personal identity code among them is not told."""
        left = [cell for position, cell in enumerate(self.cells) if position not in self.columns and cell.strip()]
        return ["***" if has_personal_id(cell) else cell for cell in left]


def normalise_header(text: str) -> str:
    """Lower case, composed letters, every run of blanks (NBSP and line breaks too) one space, quotes around it gone."""
    collapsed = _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if len(collapsed) > 1 and collapsed[0] == collapsed[-1] == '"':
        collapsed = collapsed[1:-1].strip()
    return collapsed.lower()


@lru_cache(maxsize=1 << 12)
def heading_of(text: str) -> str:
    """A form's heading as it is compared: without blanks and case, and without the star of what must be filled in."""
    return normalise_header(text).rstrip("*").replace(" ", "")


def columns_of(cells: Sequence[str], known: Mapping[str, str]) -> dict[int, str]:
    """Place -> column of the cells that are `known` headings (as compared); of two for one column the first."""
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        name = known.get(heading_of(cell))
        if name is not None and name not in found.values():
            found[place] = name
    return found


def detect_encoding(sample: bytes, file_name: str) -> tuple[str, int]:
    """(encoding, length of the byte order mark) of a text file's first bytes. Raises DeliveryRefused for binary files."""
    for magic, what in _MAGIC:
        if sample.startswith(magic):
            raise refusal("wrong_format", f"the file is {what}; deliver CSV, XLSX, JSON lines or Parquet", file_name)
    if sample.startswith(_PACKED):
        raise refusal("packing_unknown", "the file is packed in a way that is not read; unpack it, or pack it as zip or gz", file_name)
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding, len(mark)
    if len(sample) - len(sample.translate(None, _CONTROL)) > max(len(sample) // 100, 2):
        raise refusal("binary_file", "the file is binary, not text; deliver CSV, XLSX, JSON lines or Parquet", file_name)
    return decide_encoding(sample), 0


def decide_encoding(sample: bytes) -> str:
    """utf-8 where the bytes are it (or nearly: broken rows are then quarantined), else the 8-bit encoding."""
    text = sample.decode("utf-8", "surrogateescape")
    beyond = Counter("bad" if "\udc80" <= c <= "\udcff" else "good" for c in text if c > "\x7f")
    cut_tail = sum("\udc80" <= c <= "\udcff" for c in text[-3:])
    bad = beyond["bad"] - cut_tail
    if bad <= 0 or beyond["good"] > 4 * bad:
        return "utf-8"
    return "cp1252" if re.search(rb"[\x80-\x9f]", sample) else "latin-1"


def known_encoding(name: str, file_name: str) -> str:
    """The encoding an agency's row fixes, by one of its usual names."""
    encoding = _ENCODING_NAMES.get(name.lower(), name.lower())
    if encoding not in _ENCODINGS:
        known = ", ".join(sorted(_ENCODINGS))
        raise refusal("encoding_unknown", f"agencies.csv fixes the encoding {name!r}; known are {known}", file_name)
    return encoding


def find_header(rows: Iterable[Sequence[str]], header_map: HeaderMap, fixed_row: int | None = None) -> Header | None:
    """The row with the most known columns among the first ones (the first of equals), None when none knows two."""
    best: Header | None = None
    for number, cells in enumerate(rows, start=1):
        if number > HEADER_WITHIN and fixed_row is None:
            break
        if fixed_row is not None and number != fixed_row:
            continue
        columns = header_map.match(cells)
        if best is None or len(columns) > len(best.columns):
            best = Header(number, tuple(cells), columns)
    return best if best and len(best.columns) >= 2 else None


def require_header(header: Header | None, first_row: Sequence[str], file_name: str) -> Header:
    """The header, or DeliveryRefused naming what was found instead."""
    if header is None:
        text = f"no header of purchase invoices was recognised; found: {_shown(first_row)}; add the headers to the agency's column map"
        raise refusal("header_unrecognised", text, file_name)
    if not set(header.columns.values()) & set(AMOUNT_COLUMNS):
        text = f"no amount column was recognised; found: {_shown(header.cells)}; deliver one, or map its header to net_amount or gross_amount"
        raise refusal("amount_column_missing", text, file_name, row=header.row)
    for amount in AMOUNT_COLUMNS:
        rivals = [repr(header.cells[position].strip()) for position, column in header.columns.items() if column == amount]
        if len(rivals) > 1:
            text = (
                f"{len(rivals)} columns may be the {amount}: {', '.join(rivals)}; deliver one, or map one in the agency's layout"
            )
            raise refusal("amount_column_ambiguous", text, file_name, row=header.row)
    return header


def _shown(cells: Sequence[str]) -> str:
    """The cells of a header for a reason; a row with dates, ids or amounts is no header and may name people."""
    if any(_NUMBERS.search(cell) and not _YEAR.fullmatch(cell.strip()) for cell in cells):
        return "a row of data where the header belongs"
    return ", ".join(repr(cell.strip()[:60]) for cell in cells[:30] if cell.strip()) or "nothing"


@dataclass(frozen=True)
class Delimited:
    """How a delimited text file is written."""

    delimiter: str
    quoting: bool
    header: Header | None
    width: int = 0
    """Cells of a row: the header's, or one more or less where the rows (or the header) end with a lone delimiter."""


def detect_delimited(lines: Sequence[str], header_map: HeaderMap, fixes: Fixes) -> Delimited:
    """Delimiter, quoting and header: those under which most header cells are known and most rows have as many cells."""
    best = Delimited(fixes.delimiter or ";", False, None)
    best_score = -1.0
    for delimiter in [fixes.delimiter] if fixes.delimiter else DELIMITERS:
        for quoting in (False, True):
            rows = [split_line(line, delimiter, quoting) for line in lines]
            header = find_header(rows, header_map, fixes.header_row)
            if header is None:
                continue
            body = [row for row in rows[header.row :] if len(row) > 1]
            width = _width(header.cells, body)
            fitting = sum(len(row) == width for row in body) / len(body) if body else 1.0
            wrapped = not quoting and _wrapped(body, header.cells)
            score = len(header.columns) * (0.5 + fitting) - (0.5 if wrapped else 0.0) - (0.1 if quoting else 0.0)
            if score > best_score:
                best, best_score = Delimited(delimiter, quoting, header, width), score
    return best


def _width(header: Sequence[str], body: Sequence[Sequence[str]]) -> int:
    width = len(header)
    longer = sum(len(row) == width + 1 and not row[-1].strip() for row in body)
    shorter = sum(len(row) == width - 1 for row in body) if not header[-1].strip() else 0
    if longer * 10 > len(body) * 9:
        return width + 1
    return width - 1 if shorter * 10 > len(body) * 9 else width


def split_line(line: str, delimiter: str, quoting: bool) -> list[str]:
    if not quoting:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _wrapped(rows: Sequence[Sequence[str]], header: Sequence[str]) -> bool:
    """Whole cells stand in quotes in a large share of the rows: then quotes are meant as quotes."""
    cells = [cell for row in rows for cell in row if cell] or list(header)
    return sum(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells) * 5 > len(cells)


def refusal(code: str, text: str, file_name: str, row: int | None = None) -> DeliveryRefused:
    return DeliveryRefused(Reason(code, text, file=file_name, row=row))
