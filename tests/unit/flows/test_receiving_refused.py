"""Files refused at the door: kept with a receipt in the agency's language, listed by `status`, counted by `doctor`."""

from __future__ import annotations

import json
from pathlib import Path

from flows import pipeline, reporting
from flows.settings import Settings
from tests.unit.flows.inbox_files import put


def receipts(settings: Settings) -> tuple[dict[str, object], str]:
    (told,) = (settings.home / "refused").glob("*/receipt.json")
    return json.loads(told.read_text("utf-8")), told.with_suffix(".txt").read_text("utf-8")


def test_a_refused_file_has_a_receipt_in_the_agencys_language(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/tyhja_2024.csv")
    pipeline.nightly(settings)
    content, text = receipts(settings)
    names = ("status", "agency", "source", "file_name", "file")
    assert [content[name] for name in names] == [
        "refused",
        "kaarina",
        "purchase_invoices",
        "tyhja_2024.csv",
        "kaarina/purchase_invoices/tyhja_2024.csv",
    ]
    assert content["received_at"]
    assert "Tila: hylätty" in text
    assert "tiedosto on tyhjä; toimita se uudelleen [file_empty]" in text


def test_an_unknown_agency_is_told_in_english(settings: Settings) -> None:
    put(settings, "kylä/purchase_invoices/a.csv", b"a;b\n1;2\n")
    pipeline.nightly(settings)
    content, text = receipts(settings)
    assert (content["agency"], content["status"]) == ("kylä", "refused")
    assert "Status: refused" in text
    assert "agency_unknown" in text


def test_the_manifest_names_the_agency_where_the_place_does_not(settings: Settings) -> None:
    path = put(settings, "tyhja.csv")
    path.with_name("tyhja.csv.manifest.json").write_text('{"agency": "kaarina", "source": "purchase_invoices"}', "utf-8")
    pipeline.nightly(settings)
    content, text = receipts(settings)
    assert (content["agency"], content["source"]) == ("kaarina", "purchase_invoices")
    assert "Tila: hylätty" in text


def test_a_refused_zip_has_a_receipt(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/rikki.zip", b"PK\x03\x04 not a zip")
    pipeline.nightly(settings)
    content, text = receipts(settings)
    assert content["agency"] == "kaarina"
    assert "hylätty" in text


def test_status_lists_what_was_refused_at_the_door(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/tyhja_2024.csv")
    put(settings, "kylä/a.csv", b"x")
    pipeline.nightly(settings)
    rows = {row["file_name"]: row for row in reporting.status(settings)}
    assert {name: (row["agency"], row["status"]) for name, row in rows.items()} == {
        "tyhja_2024.csv": ("kaarina", "refused"),
        "a.csv": ("kylä", "refused"),
    }
    assert "empty" in rows["tyhja_2024.csv"]["why"]
    assert all(set(reporting.STATUS_TABLE) <= set(row) for row in rows.values())


def test_status_lists_a_refused_file_whose_receipt_is_lost(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/tyhja_2024.csv")
    pipeline.nightly(settings)
    (told,) = (settings.home / "refused").glob("*/receipt.json")
    told.write_text("{", "utf-8")
    (row,) = reporting.status(settings)
    assert (row["file_name"], row["status"]) == ("tyhja_2024.csv", "refused")


def test_doctor_counts_what_was_refused_and_names_the_home(settings: Settings) -> None:
    def said(what: str) -> tuple[str, str]:
        (finding,) = (finding for finding in reporting.doctor(settings) if finding.what == what)
        return finding.severity, finding.text

    assert said("home")[0] == "warn"
    put(settings, "kaarina/purchase_invoices/tyhja_2024.csv")
    pipeline.nightly(settings)
    assert said("home") == ("ok", str(settings.home.resolve()))
    severity, text = said("refused")
    assert severity == "warn"
    assert text.startswith("1 file")


def test_check_tells_of_every_file_in_the_language(settings: Settings, tmp_path: Path) -> None:
    """A refusal at the door neither ends the check nor falls back to English."""
    folder = tmp_path / "ostot"
    folder.mkdir()
    (folder / "a_2024.csv").write_text("", "utf-8")
    (folder / "b_2024.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    header = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\n"
    (folder / "c_2024.csv").write_text(f"{header}Kaarina;1;15.03.2024;4300;12,50\n", "utf-8")
    content, text = reporting.check(settings, folder, "kaarina", "purchase_invoices", "fi")
    assert content["status"] == "refused"
    assert [receipt["status"] for receipt in content["receipts"]] == ["refused", "refused", "loaded"]
    assert "Tiedosto: a_2024.csv (purchase_invoices, kaarina)\nTila: hylätty" in text
    assert "tiedosto on tyhjä; toimita se uudelleen [file_empty]" in text
    assert "pakatussa tiedostossa ei ole tiedostoja; toimita se sisältöineen [zip_empty]" in text
    assert "Tiedosto: c_2024.csv (purchase_invoices, kaarina)\nTila: ladattu" in text
    assert "deliver" not in text


def test_check_tells_in_swedish_why_an_agency_is_not_known(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x", "utf-8")
    content, text = reporting.check(settings, path, "byn", "purchase_invoices", "sv")
    assert content["receipts"][0]["reasons"][0]["code"] == "agency_unknown"
    assert "myndigheten 'byn' finns inte i agencies.csv" in text
