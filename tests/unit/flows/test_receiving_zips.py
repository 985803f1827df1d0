"""Zips of deliveries: each file lands by itself, with the zip's manifest; a dangerous zip is set apart whole."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

from flows import pipeline
from flows.settings import Settings

CSV = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;12,50\n"


def packed(path: Path, members: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_each_file_of_a_zip_is_a_delivery(settings: Settings, tmp_path: Path) -> None:
    path = packed(tmp_path / "ostot.zip", {"a/ostot_2023.csv": CSV.replace("2024", "2023"), "b/ostot_2024.csv": CSV})

    received = pipeline.receive(settings, [path], "kaarina", "purchase_invoices")

    assert [item.landed.intent.file_name for item in received if item.landed] == ["ostot_2023.csv", "ostot_2024.csv"]
    assert path.exists()
    assert not list(settings.home.glob(".unpacking-*"))


def test_a_zip_in_the_inbox_is_taken_away_and_its_manifest_speaks_for_each_file(settings: Settings) -> None:
    path = packed(settings.home / "inbox" / "kaarina" / "purchase_invoices" / "ostot.zip", {"ostot.csv": CSV})
    manifest = path.with_name("ostot.zip.manifest.json")
    manifest.write_text(json.dumps({"produced_at": "2025-02-01T00:00:00+00:00", "coverage_from": "2024-03-01"}), "utf-8")

    run = pipeline.nightly(settings)

    (received,) = run.received
    assert received.landed is not None
    assert received.landed.intent.produced_from == "manifest"
    assert not path.exists()
    assert not manifest.exists()
    assert len(run.ingested.loaded) == 1


def test_a_zip_that_climbs_is_set_apart_with_its_reason(settings: Settings) -> None:
    path = packed(settings.home / "inbox" / "kaarina" / "purchase_invoices" / "ostot.zip", {"../../ostot.csv": CSV})

    run = pipeline.nightly(settings)

    assert [reason.code for item in run.received for reason in item.reasons] == ["zip_unsafe_name"]
    assert not path.exists()
    assert len(list((settings.home / "refused").rglob("ostot.zip"))) == 1


def test_what_a_crash_left_unpacked_goes_with_the_next_run(settings: Settings) -> None:
    pipeline.home_of(settings)
    old, young = settings.home / ".unpacking-old", settings.home / ".unpacking-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "personal.csv").write_text(CSV, "utf-8")
    os.utime(old, (0, 0))

    pipeline.nightly(settings)

    assert not old.exists()
    assert young.exists()


def test_what_file_managers_leave_in_a_zip_is_no_delivery(settings: Settings, tmp_path: Path) -> None:
    left = {"__MACOSX/2024/._ostot_2024.csv": "\0\5\26\7", "2024/._x": "\0", "Thumbs.db": "x", "2024/desktop.ini": "x", ".DS_Store": "x"}
    left |= {"__MACOSX/2024/._kuvat.zip": "\0\5\26\7"}  # no archive, and never unpacked
    path = packed(tmp_path / "ostot.zip", {"2024/ostot_2024.csv": CSV, **left})

    received = pipeline.receive(settings, [path], "kaarina", "purchase_invoices")

    assert [item.landed.intent.file_name for item in received if item.landed] == ["ostot_2024.csv"]
    assert not [reason for item in received for reason in item.reasons]


def test_a_zip_of_notices_says_what_was_passed_over(settings: Settings, tmp_path: Path) -> None:
    path = packed(tmp_path / "ilmoitukset.zip", {"a.xml": "<x/>", "__MACOSX/._a.xml": "\0", "Thumbs.db": "x"})

    pipeline.receive(settings, [path], "hilma", "procurement_notices")
    pipeline.nightly(settings)

    (receipt,) = (settings.home / "receipts" / "hilma" / "procurement_notices").glob("*.json")
    told = json.loads(receipt.read_text("utf-8"))
    assert told["read_as"] == {"passed_over": ["__MACOSX (1)", "thumbs.db (1)"]}
    assert [table["rows_read"] for table in told["tables"] if table["table_name"] == "notice"] == [1]
    assert "Tiedostot, taulukot ja välilehdet, joita ei luettu: __MACOSX (1), thumbs.db (1)" in receipt.with_suffix(".txt").read_text("utf-8")
