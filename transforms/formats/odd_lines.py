"""Lines of delimited text that do not fit the way the rest of the file is written, read as they are meant.

A file is read as its first lines are written; a line further down may use quotes where no other does, hold a line break within
quotes, or leave out the cells at its end. And a table saved twice has each line as one quoted cell.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence

from transforms.formats.detect import DELIMITERS
from transforms.formats.lines import Block

LINES_JOINED = 20
"""Lines that one row may stand on."""
_WRAPPED = re.compile(rb'^"((?:[^"\n]|"")*)"\r?$', re.MULTILINE)

Numbered = list[tuple[int, list[str]]]


def are_wrapped(lines: Sequence[str]) -> bool:
    """Whether each line is one quoted cell that holds the row."""
    filled = [line.rstrip("\r") for line in lines if line.strip()]
    return bool(filled) and all(_is_one_cell(line) and any(mark in line for mark in DELIMITERS) for line in filled)


def _is_one_cell(line: str) -> bool:
    return len(line) > 2 and line[0] == line[-1] == '"' and '"' not in line[1:-1].replace('""', "")


def unwrapped(line: str) -> str:
    """A wrapped line's row."""
    return unwrapped_block(Block(1, f"{line}\n".encode(), 1, ())).data.decode()[:-1]


def unwrapped_block(block: Block) -> Block:
    """A block with its wrapped lines unwrapped; what is no such line stays."""
    data = _WRAPPED.sub(lambda match: match[1].replace(b'""', b'"'), block.data)
    return Block(block.first_line, data, block.lines, block.broken)


def mended(
    data: bytes, bad: Sequence[tuple[int, str]], delimiter: str, width: int, used: Collection[int]
) -> tuple[Numbered, list[tuple[int, str]]]:
    """(rows by the number of their first line, what is left of `bad`): the lines of `data` that fit after all.

    With quotes read as such, or as letters, a row has `width` cells; or it lacks cells at its end: one, or such as nobody reads
    (`used`: the places that are read).
    """
    lines = data.split(b"\n")
    rows: Numbered = []
    left: list[tuple[int, str]] = []
    place = 0
    while place < len(bad):
        number, reason = bad[place]
        text, joined = _whole(lines, [line for line, _ in bad[place : place + LINES_JOINED]])
        cells = _fitting(text, delimiter, width, used)
        if cells is None:
            left.append((number, reason))
            joined = 1
        else:
            rows.append((number, cells))
        place += joined
    return rows, left


def _whole(lines: Sequence[bytes], numbers: Sequence[int]) -> tuple[str, int]:
    """A row's text from its first line on, and the lines that it stands on: on, as long as a quote is open and the next line does
    not fit either."""
    text = first = lines[numbers[0] - 1].decode().rstrip("\r")
    joined = 1
    while text.count('"') % 2 and joined < len(numbers) and numbers[joined] == numbers[0] + joined:
        text += "\n" + lines[numbers[joined] - 1].decode().rstrip("\r")
        joined += 1
    return (first, 1) if text.count('"') % 2 else (text, joined)


def _fitting(text: str, delimiter: str, width: int, used: Collection[int]) -> list[str] | None:
    plain = [] if "\n" in text else text.split(delimiter)
    quoted = _quoted(text, delimiter) if '"' in text else []
    for cells in (quoted, plain):
        if len(cells) == width:
            return cells
    cells = quoted or plain
    if 1 < len(cells) < width and (len(cells) == width - 1 or not any(place >= len(cells) for place in used)):
        return cells + [""] * (width - len(cells))
    return None


def _quoted(text: str, delimiter: str) -> list[str]:
    try:
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return []
    return rows[0] if len(rows) == 1 else []
