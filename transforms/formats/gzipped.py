"""Gzip read safely: one packed file, unpacked piece by piece within the limits of archives (`archive`)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import DeliveryRefused, Reason
from transforms.delivery import Limits
from transforms.formats.archive import CHUNK, RATIO_FREE_BYTES

MAGIC = b"\x1f\x8b"
_WITH_HEADER = 31
"""zlib's word for gzip."""
_TAR_AT, _TAR = 257, b"ustar"
_ENDINGS = re.compile(r"\.(?:gz|gzip)$", re.IGNORECASE)


def is_gzip(head: bytes) -> bool:
    """Whether the first bytes are those of a gzip file."""
    return head.startswith(MAGIC)


def inner_name(name: str) -> str:
    """What a packed file is called without the ending that says so."""
    return _ENDINGS.sub("", name) or name


def pieces(path: Path, limits: Limits, name: str) -> Iterator[bytes]:
    """The unpacked bytes, piece by piece. Raises DeliveryRefused: `zip_broken, zip_too_large, zip_ratio, zip_nested`."""
    size, total = path.stat().st_size, 0
    for piece in _unpacked(path, name):
        if not total:
            _require_file(piece, name)
        total += len(piece)
        if total > limits.unpacked_bytes:
            raise _refusal("zip_too_large", f"unpacked {total} bytes, at most {limits.unpacked_bytes}; deliver in parts", name)
        if total > RATIO_FREE_BYTES and total > limits.unpacked_ratio * size:
            raise _refusal("zip_ratio", f"unpacks to more than {limits.unpacked_ratio} times its size; deliver the plain file", name)
        yield piece


def _unpacked(path: Path, name: str) -> Iterator[bytes]:
    """Several packed streams one behind the other are one file; what follows them but zeros is none."""
    stream = zlib.decompressobj(_WITH_HEADER)
    ended = False
    with path.open("rb") as file:
        try:
            while packed := file.read(CHUNK):
                while packed:
                    if ended:
                        packed = packed.lstrip(b"\0")
                        if not packed:
                            break
                        stream, ended = zlib.decompressobj(_WITH_HEADER), False
                    if piece := stream.decompress(packed, CHUNK):
                        yield piece
                    ended = stream.eof
                    packed = stream.unused_data if ended else stream.unconsumed_tail
        except zlib.error as error:
            raise _broken(name) from error
    if not ended:
        raise _broken(name)


def _require_file(piece: bytes, name: str) -> None:
    if piece[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR or is_gzip(piece):
        raise _refusal("zip_nested", "an archive lies inside the archive; pack the files directly", name)


def _broken(name: str) -> DeliveryRefused:
    return _refusal("zip_broken", "the archive is damaged or cut off; pack and deliver it again", name)


def _refusal(code: str, text: str, file: str) -> DeliveryRefused:
    return DeliveryRefused(Reason(code, text, file=file or None))
