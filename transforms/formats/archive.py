"""Zip archives read safely, without unpacking anything to disk.

What is refused is decided from the central directory before a byte is unpacked, and checked again while unpacking, because
an archive can lie about its sizes. Rules after OWASP "zip slip" and the zip bomb literature (Fifield 2019: overlapping
members).
"""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import IO

from schemas.errors import DeliveryRefused, Reason
from transforms.delivery import Limits

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
NESTED = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".jar")
RATIO_FREE_BYTES = 1024**2
"""Below this unpacked size the ratio says nothing: a small file of blanks packs a thousandfold."""
SUPPORTED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
CHUNK = 1024**2
SMALL_CHUNK = 4096
"""Of methods whose output nothing bounds (4 KiB of bzip2 make 80 MB): packed bytes given to them at once."""
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # NotImplementedError and RecursionError are such
    ValueError,
    LookupError,
    ArithmeticError,
)
"""What the standard library raises for an archive that is damaged or hostile."""


@dataclass(frozen=True)
class Member:
    """One file in an archive: its name, its declared unpacked size and its 1-based position among the files."""

    name: str
    size: int
    position: int


def first_bytes(path: Path, count: int = 65_536) -> bytes:
    """The first `count` bytes of a file; empty when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError:
        return b""


def is_zip(head: bytes) -> bool:
    """Whether the first bytes are those of a zip archive (XLSX files are such archives too)."""
    return head.startswith(ZIP_MAGIC)


def read_limited(path: Path, limit: int) -> bytes:
    """A whole file, at most `limit` bytes; DeliveryRefused (`file_too_large`, `file_unreadable`)."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise _refusal("file_unreadable", f"the file cannot be read ({error.strerror}); deliver it again", path.name) from error
    if len(data) > limit:
        raise _refusal("file_too_large", f"the file is larger than {limit} bytes; deliver it in parts", path.name)
    return data


def members(source: Path | bytes, limits: Limits, name: str = "") -> list[Member]:
    """The archive's files in order, after every check that needs no unpacking.

    Raises DeliveryRefused: `zip_broken, zip_empty, zip_too_many_members, zip_unsafe_name, zip_encrypted, zip_nested,
    zip_method, zip_not_a_file, zip_duplicate_name, zip_too_large, zip_ratio, zip_overlap`.
    """
    with _opened(source, name) as archive:
        return _checked(archive, limits, name)


def read_members(source: Path | bytes, limits: Limits, name: str = "") -> Iterator[tuple[Member, bytes]]:
    """Every file of the archive with its bytes, in order. Raises DeliveryRefused as `members` does, also in the middle of
    the iteration when a member turns out broken or larger than declared."""
    for member, data in stream_members(source, limits, name):
        yield member, b"".join(data)


def stream_members(source: Path | bytes, limits: Limits, name: str = "") -> Iterator[tuple[Member, Iterator[bytes]]]:
    """As `read_members`, each file's bytes piece by piece, to be taken before the next file. Raises DeliveryRefused."""
    with _opened(source, name) as archive:
        infos = _files(archive)
        for member, info in zip(_checked(archive, limits, name), infos, strict=True):
            yield member, _unpack(archive, info, name)


def open_member(source: Path, member: Member, limits: Limits, name: str) -> IO[bytes]:
    """A member as a stream, for files too large to hold; the caller closes it. The archive is checked as in `members`."""
    archive = _opened(source, name)
    try:
        _checked(archive, limits, name)
        info = _files(archive)[member.position - 1]
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refusal("zip_method", "a member is packed with an unusual method; use ordinary zip", name)
        stream = archive.open(info)
    except BROKEN as error:
        archive.close()
        raise _refusal("zip_broken", "the archive is damaged; pack and deliver it again", name) from error
    except DeliveryRefused:
        archive.close()
        raise
    return stream


def pieces(source: Path, member: Member, limits: Limits, name: str) -> Iterator[bytes]:
    """A member's bytes, piece by piece, to the true end of its packed stream. Raises DeliveryRefused where that is not where the
    archive says: `open_member` stops there, but another reader would unpack on and on."""
    with _opened(source, name) as archive, source.open("rb") as file:
        _checked(archive, limits, name)
        info = _files(archive)[member.position - 1]
        total = 0
        try:
            for piece in _inflated(file, info, name):
                total += len(piece)
                if total > info.file_size:
                    break
                yield piece
        except BROKEN as error:
            raise _refusal("zip_broken", "the archive is damaged; pack and deliver it again", name) from error
        if total != info.file_size:
            raise _refusal("zip_broken", "a member is not as large as the archive says; pack it again", name)


def _inflated(file: IO[bytes], info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refusal("zip_method", "a member is packed with an unusual method; use ordinary zip", name)
    file.seek(info.header_offset + LOCAL_HEADER.size - 4)
    file.seek(sum(struct.unpack("<HH", file.read(4))), io.SEEK_CUR)
    left = info.compress_size
    stream = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type == zipfile.ZIP_DEFLATED else None
    while left and (packed := file.read(min(CHUNK, left))):
        left -= len(packed)
        while packed and not (stream and stream.eof):
            yield stream.decompress(packed, CHUNK) if stream else packed
            packed = stream.unconsumed_tail if stream else b""
    if stream and not stream.eof:
        yield stream.flush()


def names(path: Path) -> list[str]:
    """Names of the archive's members as they stand, unchecked, for telling kinds of archive apart; empty when damaged."""
    try:
        with _opened(path, path.name) as archive:
            return archive.namelist()
    except DeliveryRefused:
        return []


def _opened(source: Path | bytes, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except BROKEN as error:
        raise _refusal("zip_broken", "the archive is damaged or cut off; pack and deliver it again", name) from error


def _files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """All but folders and what file managers leave; `ZipInfo.is_dir` fails where a name is empty."""
    return [info for info in archive.infolist() if not info.filename.endswith("/") and not is_left_behind(info.filename)]


def is_left_behind(name: str) -> bool:
    """Whether a file is what a file manager leaves beside people's files (macOS: `__MACOSX`, `._*`; Windows: Thumbs.db ...)."""
    return _left_by(name) is not None


def _left_by(name: str) -> str | None:
    """What such files are called, without what people's own files are called."""
    parts = PureWindowsPath(name).parts
    last = parts[-1].casefold() if parts else ""
    if "__MACOSX" in parts or last.startswith("._"):
        return "__MACOSX"
    return last if last in LEFT_BEHIND else None


def passed_over(path: Path) -> list[str]:
    """What kinds of the archive's files `members` leaves out, with their number; nothing of what is no archive."""
    if not is_zip(first_bytes(path, 4)):
        return []
    kinds = Counter(kind for name in names(path) if not name.endswith("/") and (kind := _left_by(name)))
    return [f"{kind} ({number})" for kind, number in sorted(kinds.items())]


def _checked(archive: zipfile.ZipFile, limits: Limits, name: str) -> list[Member]:
    infos = archive.infolist()
    if len(infos) > limits.zip_members:
        raise _refusal("zip_too_many_members", f"{len(infos)} members, at most {limits.zip_members}; deliver in parts", name)
    files = _files(archive)
    if not files:
        raise _refusal("zip_empty", "the archive holds no files; deliver it with its content", name)
    for info in infos:
        _check_member(info, name)
    names = {info.filename.casefold() for info in files}
    if len(names) < len(files):
        raise _refusal("zip_duplicate_name", "two members have the same name; pack each file once", name)
    _check_sizes(files, limits, name)
    return [Member(info.filename, info.file_size, position) for position, info in enumerate(files, start=1)]


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    if unsafe_name(info.filename):
        raise _refusal("zip_unsafe_name", "a member's name leads outside the archive; pack files with plain names", name)
    if info.flag_bits & 0x1:
        raise _refusal("zip_encrypted", "the archive is encrypted; deliver it without a password", name)
    if info.filename.lower().endswith(NESTED) and not is_left_behind(info.filename):  # never unpacked
        raise _refusal("zip_nested", "an archive lies inside the archive; pack the files directly", name)
    mode = info.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal("zip_not_a_file", "a member is a link or a device; pack plain files", name)
    if info.compress_type not in SUPPORTED:
        raise _refusal("zip_method", "a member is packed with an unknown method; use ordinary zip", name)


def _check_sizes(files: list[zipfile.ZipInfo], limits: Limits, name: str) -> None:
    unpacked = sum(info.file_size for info in files)
    packed = sum(info.compress_size for info in files)
    if unpacked > limits.unpacked_bytes:
        raise _refusal("zip_too_large", f"unpacked {unpacked} bytes, at most {limits.unpacked_bytes}; deliver in parts", name)
    for size, share in [(unpacked, packed)] + [(info.file_size, info.compress_size) for info in files]:
        if size > RATIO_FREE_BYTES and size > limits.unpacked_ratio * max(share, 1):
            raise _refusal(
                "zip_ratio", f"unpacks to more than {limits.unpacked_ratio} times its size; deliver the plain file", name
            )
    # Members that share bytes (a "better zip bomb") must start before the former one ends.
    end = 0
    for info in sorted(files, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise _refusal("zip_overlap", "members overlap in the archive; pack it again with ordinary zip", name)
        end = info.header_offset + info.compress_size


def unsafe_name(name: str) -> bool:
    """Whether a path leads out of its folder: absolute, with a drive, `..`, control characters, backslashes."""
    parts = name.split("/")
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or bool(PureWindowsPath(name).drive)
        or ".." in parts
        or any(ord(character) < 32 or ord(character) == 127 or 0x202A <= ord(character) <= 0x202E for character in name)
    )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    total = 0
    at_once = CHUNK if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else SMALL_CHUNK
    try:
        with archive.open(info) as stream:
            while piece := stream.read(at_once):
                total += len(piece)
                if total > info.file_size:
                    raise _refusal("zip_broken", "a member is larger than the archive says; pack it again", name)
                yield piece
    except BROKEN as error:
        raise _refusal("zip_broken", "the archive is damaged; pack and deliver it again", name) from error


def _refusal(code: str, text: str, file: str) -> DeliveryRefused:
    return DeliveryRefused(Reason(code, text, file=file or None))
