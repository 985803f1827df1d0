"""The official list of the Common Procurement Vocabulary (CPV 2008), checked before it becomes a register.

A code's check digit is the sum of its digits by WEIGHTS, modulo ten: found on the official list of 9,454 codes, where blocks
that the revision of 2008 moved (5.6 % of the codes) bear another one. So no single code can be refused by it; a list of which
more than a tenth disagrees is damaged or shifted.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator

from schemas.errors import ConfigurationError

COLUMNS = ("code", "check", "kind", "parent", "name_en", "name_fi", "name_sv")
KINDS = ("supplies", "services", "works")
WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
WRONG_AT_MOST = 10
"""Of a hundred codes, at most so many may bear another check digit than WEIGHTS give."""
_CODE = re.compile(r"[0-9]{8}")


def check_digit(code: str) -> int:
    """Of an eight-digit code."""
    return sum(int(digit) * weight for digit, weight in zip(code, WEIGHTS, strict=True)) % 10


def official_list(text: str, file_name: str, divisions: Collection[str]) -> str:
    """The register's CSV text (COLUMNS, sorted by code) of a list delivered as CSV.

    `divisions`: the codes that every list has. Raises ConfigurationError naming file, row, column and what to do.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ConfigurationError(f"{file_name}: column {missing[0]!r} is missing; the list needs {', '.join(COLUMNS)}")
    rows: dict[str, dict[str, str]] = {}
    for number, row in enumerate(reader, start=2):
        cells = {name: (row[name] or "").strip() for name in COLUMNS}
        for column, why in _wrong(cells, rows):
            raise ConfigurationError(f"{file_name}, row {number}, column {column}: {why}; take the official list anew")
        rows[cells["code"]] = cells
    for code, cells in rows.items():
        if cells["parent"] and not _is_above(cells["parent"], code, rows):
            raise ConfigurationError(f"{file_name}, code {code}: parent {cells['parent']!r} is no code above it on the list")
    absent = sorted(set(divisions) - set(rows))
    if absent:
        raise ConfigurationError(f"{file_name}: division {absent[0]} is missing; the list is not whole, take it anew")
    wrong = [code for code, cells in rows.items() if int(cells["check"]) != check_digit(code)]
    if 100 * len(wrong) > WRONG_AT_MOST * len(rows):
        text = f"{len(wrong)} of {len(rows)} check digits do not fit their codes, the first is {wrong[0]}"
        raise ConfigurationError(f"{file_name}: {text}; the list is damaged, take it anew")
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows[code] for code in sorted(rows))
    return out.getvalue()


def _wrong(cells: dict[str, str], before: Collection[str]) -> Iterator[tuple[str, str]]:
    if not _CODE.fullmatch(cells["code"]):
        yield "code", f"{cells['code']!r} is not eight digits"
    if cells["code"] in before:
        yield "code", f"{cells['code']} stands on the list already"
    if not re.fullmatch("[0-9]", cells["check"]):
        yield "check", f"{cells['check']!r} is not one digit"
    if cells["kind"] not in KINDS:
        yield "kind", f"{cells['kind']!r} is not {', '.join(KINDS)}"
    for name in ("name_en", "name_fi", "name_sv"):
        if not cells[name]:
            yield name, "the name is blank"


def _is_above(parent: str, code: str, known: Collection[str]) -> bool:
    """A parent is on the list and has the code's digits up to where its own zeros begin."""
    return parent in known and parent != code and code.startswith(parent.rstrip("0").ljust(2, "0"))
