"""One door for files that hold one table: the first bytes say which reader takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from transforms.delivery import Limits, RawPart
from transforms.formats import delimited, jsonlines, parquet, spreadsheet
from transforms.formats.archive import first_bytes
from transforms.formats.detect import Fixes, HeaderMap
from transforms.formats.workbook import is_workbook


def read_table(path: Path, file_name: str, header_map: HeaderMap, fixes: Fixes, limits: Limits) -> Iterator[RawPart]:
    """Raw parts of a delimited, workbook, JSON lines or Parquet file; the frames and notes are described by each reader."""
    header_map = replace(header_map, totals_are_net=fixes.amount_basis == "net")
    head = first_bytes(path, 4096)
    if is_workbook(head):
        return spreadsheet.read_spreadsheet(path, file_name, header_map, fixes, limits)
    if head.startswith(parquet.MAGIC):
        return parquet.read_parquet(path, file_name, header_map, limits)
    if jsonlines.looks_like(head):
        return jsonlines.read_json_lines(path, file_name, header_map, fixes, limits)
    return delimited.read_delimited(path, file_name, header_map, fixes, limits)


def header_of(path: Path, file_name: str, header_map: HeaderMap, limits: Limits) -> list[str]:
    """The header cells of such a file without reading its rows; empty when no header is found. Raises DeliveryRefused."""
    head = first_bytes(path, 4096)
    if is_workbook(head):
        return spreadsheet.header_of(path, file_name, header_map, limits)
    if head.startswith(parquet.MAGIC):
        return parquet.header_of(path, file_name)
    if jsonlines.looks_like(head):
        return jsonlines.header_of(path, file_name, limits)
    return delimited.header_of_text(path, file_name, header_map, limits)
