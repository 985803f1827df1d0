"""Zip archives: what is refused, each with its own code, and that nothing outside the archive is touched."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest

from schemas.errors import DeliveryRefused
from transforms.delivery import Limits
from transforms.formats import archive

LIMITS = Limits(unpacked_bytes=8 * 1024**2, zip_members=20)


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names warn when written
        for name, content in members:
            target.writestr(name, content)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def encrypted() -> bytes:
    data = bytearray(packed(("a.xml", b"<a/>")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", 1)
    return bytes(data)


def lying_about_its_size() -> bytes:
    data = bytearray(packed(("a.xml", b"x" * 5000)))
    place = data.index(b"PK\x01\x02") + 24
    data[place : place + 4] = struct.pack("<I", 10)
    return bytes(data)


HOSTILE = {
    "zip_unsafe_name-dots": packed(("../a.xml", b"<a/>")),
    "zip_unsafe_name-inner-dots": packed(("a/../../b.xml", b"<a/>")),
    "zip_unsafe_name-absolute": packed(("/etc/a.xml", b"<a/>")),
    "zip_unsafe_name-drive": packed(("C:/a.xml", b"<a/>")),
    "zip_unsafe_name-backslash": packed(("..\\a.xml", b"<a/>")),
    "zip_unsafe_name-newline": packed(("a\nb.xml", b"<a/>")),
    "zip_unsafe_name-right-to-left": packed(("a\u202elmx.exe", b"<a/>")),
    "zip_nested-zip": packed(("inner.zip", packed(("a.xml", b"<a/>")))),
    "zip_nested-gz": packed(("a.xml.GZ", b"")),
    "zip_not_a_file-link": packed((link("a.xml"), b"/etc/passwd")),
    "zip_encrypted-flag": encrypted(),
    "zip_empty-none": packed(),
    "zip_empty-folder": packed(("folder/", b"")),
    "zip_too_many_members-21": packed(*[(f"{i}.xml", b"<a/>") for i in range(21)]),
    "zip_too_large-declared": packed(("a.xml", bytes(range(256)) * 40_000), method=zipfile.ZIP_STORED),
    "zip_ratio-bomb": packed(("a.xml", b"\0" * 6 * 1024**2)),
    "zip_duplicate_name-case": packed(("a.xml", b"<a/>"), ("A.XML", b"<a/>")),
    "zip_broken-cut": packed(("a.xml", b"<a>" + bytes(range(200)) + b"</a>"))[:-30],
    "zip_broken-not-a-zip": b"PK\x03\x04 and then nothing of the kind",
    "zip_broken-lies": lying_about_its_size(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(DeliveryRefused) as refusal:
        list(archive.read_members(HOSTILE[name], LIMITS, "delivery.zip"))

    assert [reason.code for reason in refusal.value.reasons] == [name.partition("-")[0]]
    assert refusal.value.reasons[0].file == "delivery.zip"


def test_overlapping_members_are_refused() -> None:
    data = bytearray(packed(("a.xml", b"a" * 300), ("b.xml", b"b" * 300), method=zipfile.ZIP_STORED))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[second + 42 : second + 46] = struct.pack("<I", 10)

    with pytest.raises(DeliveryRefused, match="zip_overlap"):
        archive.members(bytes(data), LIMITS)


def test_members_come_in_order_with_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "delivery.zip"
    path.write_bytes(packed(("2024/", b""), ("2024/b.xml", b"<b/>"), ("2024/a.xml", b"<a/>")))

    found = list(archive.read_members(path, LIMITS))

    assert [(member.name, member.position, content) for member, content in found] == [
        ("2024/b.xml", 1, b"<b/>"),
        ("2024/a.xml", 2, b"<a/>"),
    ]
    assert [member.size for member in archive.members(path, LIMITS)] == [4, 4]
    with archive.open_member(path, found[1][0], LIMITS, path.name) as stream:
        assert stream.read() == b"<a/>"


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    path.write_bytes(b"x" * 101)

    assert len(archive.read_limited(path, 101)) == 101
    with pytest.raises(DeliveryRefused, match="file_too_large"):
        archive.read_limited(path, 100)
    with pytest.raises(DeliveryRefused, match="file_unreadable"):
        archive.read_limited(tmp_path / "absent.xml", 100)
    assert archive.first_bytes(tmp_path / "absent.xml") == b""


def test_a_member_without_a_name_is_refused() -> None:
    """Found by mutation: the name's one letter is made part of the extra field, in the local header and the directory."""
    data = packed(("a", b"<a/>")).replace(b"\x01\0\0\0a", b"\0\0\x01\0a")
    directory = data.index(b"PK\x01\x02") + 28
    data = data[:directory] + b"\0\0\x01\0" + data[directory + 4 :]
    with pytest.raises(DeliveryRefused, match="zip_unsafe_name"):
        archive.members(data, LIMITS)
    with pytest.raises(DeliveryRefused, match="zip_unsafe_name"):
        list(archive.read_members(data, LIMITS))
