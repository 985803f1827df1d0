"""Gzip at the door: the packed file is the delivery, under its own name; what lies or has no end is refused with what to do."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import pipeline
from flows.receiving import Received
from flows.settings import Settings
from tests.unit.flows.test_receiving_zips import CSV
from transforms.delivery import Limits
from transforms.formats import gzipped
from warehouse.publication.wording import reason_text

DATA = CSV.encode()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def received(settings: Settings, path: Path) -> list[Received]:
    return list(pipeline.receive(settings, [path], "kaarina", "purchase_invoices"))


@pytest.mark.parametrize("name", ["ostot_2024.csv.gz", "ostot_2024.csv.GZ", "ostot_2024.csv"])
def test_the_packed_file_is_the_delivery(settings: Settings, tmp_path: Path, name: str) -> None:
    [one] = received(settings, put(tmp_path / name, gzip.compress(DATA)))
    assert one.landed is not None
    assert one.landed.intent.file_name == "ostot_2024.csv"
    assert one.landed.file.read_bytes() == DATA


def test_a_night_reads_what_was_packed_and_takes_it_from_the_inbox(settings: Settings) -> None:
    place = settings.home / "inbox" / "kaarina" / "purchase_invoices"
    path = put(place / "ostot.csv.gz", gzip.compress(DATA))
    manifest = put(place / "ostot.csv.gz.manifest.json", json.dumps({"produced_at": "2025-02-01T00:00:00+00:00"}).encode())
    run = pipeline.nightly(settings)
    assert len(run.ingested.loaded) == 1
    assert [item.landed.intent.produced_from for item in run.received if item.landed] == ["manifest"]
    assert not path.exists()
    assert not manifest.exists()


def _tar() -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo("ostot.csv"))
    return held.getvalue()


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: gzip.compress(DATA)[:-9], "zip_broken"),
        (lambda: gzip.compress(DATA) + b"junk", "zip_broken"),
        (lambda: gzip.compress(DATA)[:-8] + b"\0" * 8, "zip_broken"),
        (lambda: b"\x1f\x8b", "zip_broken"),
        (lambda: gzip.compress(gzip.compress(DATA)), "zip_nested"),
        (_tar, "zip_nested"),
        (lambda: gzip.compress(b"a;b\n" * 10**6), "zip_ratio"),
    ],
    ids=["cut", "junk", "sum", "head", "twice", "tar", "bomb"],
)
def test_what_cannot_be_unpacked_is_refused(settings: Settings, tmp_path: Path, made: Callable[[], bytes], code: str) -> None:
    [one] = received(settings, put(tmp_path / "ostot.csv.gz", made()))
    [reason] = one.reasons
    assert reason.code == code
    assert all(reason_text(reason.code, reason.text, language) != reason.text for language in ("fi", "sv"))


def test_streams_one_behind_the_other_and_padding_are_one_file(tmp_path: Path) -> None:
    path = put(tmp_path / "f.gz", gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b") + b"\0" * 512)
    assert b"".join(gzipped.pieces(path, Limits(), "f.gz")) == b"ab"


def test_it_unpacks_to_the_limit_and_no_further(tmp_path: Path) -> None:
    path = put(tmp_path / "f.gz", gzip.compress(bytes(range(256)) * 8))
    assert len(b"".join(gzipped.pieces(path, Limits(unpacked_bytes=2048), "f.gz"))) == 2048
    with pytest.raises(Exception, match="zip_too_large"):
        list(gzipped.pieces(path, Limits(unpacked_bytes=2047), "f.gz"))
