"""A text file as blocks of whole lines in strict UTF-8, whatever its encoding, with bounded memory.

Nothing is ever decoded with replacement characters: a line that cannot be read in the file's encoding is emptied and named
in `Block.broken`, so that line numbers stay right and the row is quarantined instead of silently changed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transforms.delivery import Limits
from transforms.formats.detect import decide_encoding, refusal

BLOCK_BYTES = 4 * 1024**2  # larger blocks fall out of the processor cache: a third slower at 8 MB
PIECE = 64 * 1024
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_MOJIBAKE = re.compile(rb"\xc3[\x80-\xbf]")  # UTF-8 letters inside an 8-bit file: two encodings in one file
_C1 = re.compile(rb"\xc2[\x80-\x9f]")  # control letters nobody types: the file is cp1252, not latin-1


@dataclass(frozen=True)
class Block:
    """`data` is UTF-8 ending with a line break; `broken` holds the numbers of lines that were emptied."""

    first_line: int
    data: bytes
    lines: int
    broken: tuple[int, ...]


def read_blocks(
    path: Path, encoding: str, skip: int, limits: Limits, file_name: str, fixed: bool = False, size: int = BLOCK_BYTES
) -> Iterator[Block]:
    """The file from byte `skip` on; `fixed`: the encoding is known, not guessed from the first bytes. Raises
    DeliveryRefused when a line is longer than `limits.line_bytes`."""
    reader = _Decoder(encoding, fixed or skip > 0)
    line = 1
    for data in _whole_lines(path, encoding, skip, limits.line_bytes, file_name, size):
        text, broken = reader.decode(_no_lone_returns(data))
        count = text.count(b"\n")
        yield Block(line, text, count, tuple(line + position for position in broken))
        line += count


def last_line(path: Path, encoding: str, skip: int, limits: Limits) -> str | None:
    """The last line where no line break ends it (a file that is cut off looks so); None where one does."""
    size = path.stat().st_size
    back = min(size - skip, limits.line_bytes + limits.line_bytes % 2)
    if encoding.startswith("utf-16") and (size - skip - back) % 2:
        back -= 1
    with path.open("rb") as file:
        file.seek(size - back)
        text = file.read(back).decode(encoding, "replace").rstrip("\x1a\0")  # DOS ended text files with a control Z
    line = text.replace("\r", "\n").rpartition("\n")[2]
    return line if line.strip() else None


def _whole_lines(path: Path, encoding: str, skip: int, limit: int, file_name: str, size: int) -> Iterator[bytes]:
    wide = codecs.getincrementaldecoder(encoding)("replace") if encoding.startswith("utf-16") else None
    carry = b""
    with path.open("rb") as file:
        file.seek(skip)
        while chunk := file.read(size):
            if wide is not None:
                chunk = wide.decode(chunk).replace("\ufffd", "\0").encode("utf-8", "replace")
            if b"\n" not in chunk and b"\r" in chunk:
                chunk = chunk.replace(b"\r", b"\n")
            end = chunk.rfind(b"\n") + 1
            whole = b"".join((carry, memoryview(chunk)[:end]))
            carry = chunk[end:] if end else carry + chunk
            if len(carry) > limit or _has_long_line(whole, limit):
                raise refusal("line_too_long", f"a line is longer than {limit} bytes; deliver one row a line", file_name)
            if end:
                yield whole
    if carry:
        yield carry + b"\n"


def _has_long_line(data: bytes, limit: int) -> bool:
    step = max(limit // 2, 1)
    if all(data.find(b"\n", start, start + step) >= 0 for start in range(0, len(data) - step, step)):
        return False
    return any(len(line) > limit for line in data.split(b"\n"))


def _no_lone_returns(data: bytes) -> bytes:
    if b"\r" not in data or data.count(b"\r\n") == data.count(b"\r"):
        return data
    return _LONE_RETURN.sub(b" ", data)


class _Decoder:
    """Decodes block by block; ASCII so far leaves open which encoding it is, the first other letter decides."""

    def __init__(self, encoding: str, fixed: bool) -> None:
        self.encoding = "utf-8" if encoding.startswith("utf-16") else encoding
        self.open = encoding == "utf-8" and not fixed

    def decode(self, data: bytes) -> tuple[bytes, list[int]]:
        """(UTF-8, positions of lines that were emptied)."""
        if not data.isascii():
            if self.encoding == "utf-8":
                data, broken = self._utf8(data)
            else:
                data, broken = self._eight_bit(data)
        else:
            broken = []
        if b"\0" in data:
            data, with_nul = _cut_lines(data, lambda line: b"\0" in line)
            broken = sorted({*broken, *with_nul})
        return data, broken

    def _utf8(self, data: bytes) -> tuple[bytes, list[int]]:
        if _is(data, "utf-8"):
            self.open = False
            return data, []
        if self.open:
            self.open = False
            self.encoding = decide_encoding(data)
            if self.encoding != "utf-8":
                return self._eight_bit(data)
        return _cut_lines(data, lambda line: not _is(line, "utf-8"))

    def _eight_bit(self, data: bytes) -> tuple[bytes, list[int]]:
        broken: list[int] = []
        if b"\xc3" in data and _MOJIBAKE.search(data):
            data, broken = _cut_lines(data, lambda line: _MOJIBAKE.search(line) is not None)
        text = _recoded(data, "latin-1")
        if b"\xc2" in text and _C1.search(text):
            if not _is(data, "cp1252"):
                data, more = _cut_lines(data, lambda line: not _is(line, "cp1252"))
                broken = sorted({*broken, *more})
            text = _recoded(data, "cp1252")
        return text, broken


def _recoded(data: bytes, encoding: str) -> bytes:
    """UTF-8 of 8-bit text, by pieces: the memory for whole blocks would be asked of the kernel anew each time, twice too large."""
    return b"".join(str(data[start : start + PIECE], encoding).encode() for start in range(0, len(data), PIECE))


def _is(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _cut_lines(data: bytes, broken: Callable[[bytes], bool]) -> tuple[bytes, list[int]]:
    lines = data.split(b"\n")
    positions = [position for position, line in enumerate(lines) if broken(line)]
    for position in positions:
        lines[position] = b""
    return b"\n".join(lines), positions
