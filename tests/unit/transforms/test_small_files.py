"""Small files that would unpack to gigabytes are refused before they do (S1, S2): by code, and by the memory a process took."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from schemas.errors import DeliveryRefused
from transforms.delivery import Limits
from transforms.formats import grids, parquet, workbook

RSS_MB = 512
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"


def book(parts: dict[str, bytes]) -> bytes:
    """A sound workbook with some of its parts put in place of its own."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as sound:
        sound.add_worksheet().write_row(0, 0, ["Vuosi", "Koodi"])
    target = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in source.namelist():
            archive.writestr(name, parts.get(name) or source.read(name))
    return target.getvalue()


def shared(texts: list[str], refs: bytes) -> bytes:
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    head = '<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return book({"xl/sharedStrings.xml": f"{head}{strings}</sst>".encode(), SHEET: HEAD + refs + TAIL})


def repeated(place: Callable[[int], str]) -> bytes:
    """20,000 references to one text of 32,000 characters."""
    cells = "".join(f'<row r="{n}"><c {place(n)} t="s"><v>0</v></c></row>' for n in range(1, 20_001))
    return shared(["x" * 32_000], cells.encode())


@cache
def lying() -> bytes:
    """A workbook whose shared texts unpack to 300 MB where the archive says 1,000 bytes."""
    data = book({"xl/sharedStrings.xml": b"<sst>" + b" " * (300 * 1024**2) + b"</sst>"})
    size = struct.pack("<I", 300 * 1024**2 + 11)
    assert data.count(size) == 2
    return data.replace(size, struct.pack("<I", 1000))


FAR = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
WIDE = b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>" + b"<row><c><v>1</v></c></row>" * 40_000

BOOKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "repeated": (lambda: repeated(lambda n: f'r="A{n}"'), "sheet_too_large"),
    "repeated_without_places": (lambda: repeated(lambda _: ""), "sheet_too_large"),
    "repeated_in_single_quotes": (lambda: repeated(lambda n: f"r = 'A{n}'"), "sheet_too_large"),
    "far": (lambda: shared(["x"], FAR), "sheet_too_large"),
    "wide": (lambda: shared(["x"], WIDE), "sheet_too_large"),
    "lying": (lying, "workbook_broken"),
}


def table(rows: int, columns: int, length: int) -> bytes:
    """Rows that all hold the same text."""
    buffer = io.BytesIO()
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * length])).cast(pa.string())
    pq.write_table(pa.table({f"c{n}": column for n in range(columns)}), buffer, compression="zstd")
    return buffer.getvalue()


TABLES: dict[str, Callable[[], bytes]] = {"texts": lambda: table(60_000, 50, 400), "cells": lambda: table(250_000, 50, 1)}


@pytest.mark.parametrize("name", BOOKS)
def test_a_small_workbook_that_would_fill_the_memory(tmp_path: Path, name: str) -> None:
    make, code = BOOKS[name]
    path = tmp_path / "a.xlsx"
    path.write_bytes(make())
    assert path.stat().st_size < 1024**2
    with pytest.raises(DeliveryRefused, match=code):
        workbook.examine(path, path.name, Limits(unpacked_ratio=10_000))


@pytest.mark.parametrize("name", TABLES)
def test_a_small_table_that_would_fill_the_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(TABLES[name]())
    assert path.stat().st_size < 1024**2
    with pytest.raises(DeliveryRefused, match="file_too_large"):
        grids.read_grids(path, path.name, Limits())


def test_nested_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [[1, 2]], "b": [{"x": 1}]}), path)
    with pytest.raises(DeliveryRefused, match="parquet_refused"):
        grids.read_grids(path, path.name, Limits())


def test_an_ordinary_table_comes_out_as_it_went_in(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {"text": ["b", None, "a", "b"], "number": [1, 2, None, 4], "flag": [True, None, False, True]}
    pq.write_table(pa.table(columns), path, row_group_size=3)
    (grid,) = grids.read_grids(path, path.name, Limits())
    assert [list(row) for row in grid.rows] == [
        ["text", "number", "flag"], ["b", "1", "true"], ["", "2", ""], ["a", "", "false"], ["b", "4", "true"],
    ]  # fmt: skip


def test_formatting_far_off_harms_nobody(tmp_path: Path) -> None:
    """Cells that only bear a format, wherever they are, hold nothing."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(shared(["x"], b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="0"/></row>'))
    (grid,) = grids.read_grids(path, path.name, Limits())
    assert [list(row) for row in grid.rows] == [["1"]]


PROGRAM = """
import re, sys
from pathlib import Path
from schemas.errors import DeliveryRefused
from transforms.delivery import Limits
from transforms.formats import grids
try:
    grids.read_grids(Path(sys.argv[1]), "a", Limits(unpacked_ratio=10_000))
    said = "taken"
except DeliveryRefused as refusal:
    said = refusal.reasons[0].code
# not getrusage: that begins with what the parent had
print(said, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*BOOKS, *TABLES, "most"])
def test_the_memory_that_reading_takes(tmp_path: Path, name: str) -> None:
    """`most`: a workbook that shares just as much text as is let through."""
    path = tmp_path / "a"
    most = workbook.TEXT_MAX // 32_000
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, most + 1)).encode()
    make = BOOKS[name][0] if name in BOOKS else TABLES.get(name, lambda: shared(["x" * 32_000], cells))
    path.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    said, megabytes = done.stdout.split()
    assert (said == "taken") == (name == "most")
    print(f"{name}: {said}, {megabytes} MB")
    assert int(megabytes) <= RSS_MB


def test_arrow_errors_are_refusals(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(table(100, 2, 10))
    data = bytearray(path.read_bytes())
    for place in range(4, len(data) - 8, 7):
        bent = data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
        path.write_bytes(bent)
        try:
            grids.read_grids(path, path.name, Limits())
            list(parquet.batches(parquet.opened(path, path.name, Limits()), path.name, ["c0"]))
        except DeliveryRefused:
            continue
