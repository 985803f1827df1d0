"""What a receipt says is its own file's, also of files that are read together; a day that is still to come does not count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import pipeline
from flows.settings import Settings
from warehouse import landing


def told(settings: Settings, agency: str, source: str) -> dict[str, dict[str, Any]]:
    """File name -> what its receipt says."""
    receipts = [json.loads(path.read_text("utf-8")) for path in (settings.home / "receipts" / agency / source).glob("*.json")]
    return {receipt["file_name"]: receipt for receipt in receipts}


def test_files_read_together_have_receipts_of_their_own(settings: Settings, tmp_path: Path) -> None:
    paths = []
    for year, text in ((2023, "Palveluasenne;Muu;Vuosi\n4;x;2023\n"), (2024, "Muu;Palveluasenne;Vuosi\nx;4;2024\n")):
        path = tmp_path / f"asiakaskysely_{year}.csv"
        path.write_text(text, "utf-8")
        paths.append(path)
    (settings.home / "registry").mkdir(parents=True, exist_ok=True)
    register = "agency,name,language,sources\ncpb,Hankintayhtiö,fi,satisfaction_surveys\n"
    (settings.home / "registry" / "agencies.csv").write_text(register, "utf-8")
    pipeline.receive(settings, paths, "cpb", "satisfaction_surveys")
    pipeline.nightly(settings)
    receipts = told(settings, "cpb", "satisfaction_surveys")
    assert {name: receipt["read_as"]["unknown_columns"] for name, receipt in receipts.items()} == {
        "asiakaskysely_2023.csv": ["column 2"],
        "asiakaskysely_2024.csv": ["column 1"],
    }
    for receipt in receipts.values():
        text = (settings.home / "receipts" / "cpb" / "satisfaction_surveys" / f"{receipt['delivery_id']}.txt").read_text("utf-8")
        assert f"Sarakkeet, joita ei käytetty: {receipt['read_as']['unknown_columns'][0]}" in text


@pytest.mark.parametrize("by", ["manifest", "file_name"])
def test_a_day_after_the_receipt_never_wins(settings: Settings, tmp_path: Path, by: str) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    text = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;{}\n"
    wrong = tmp_path / (f"ostot_{later:%Y-%m-%d}.csv" if by == "file_name" else "ostot.csv")
    wrong.write_text(text.format("12,50"), "utf-8")
    manifest = {"coverage_from": "2024-03-01", "coverage_to": "2024-03-31"}
    if by == "manifest":
        manifest["produced_at"] = later.isoformat()
    wrong.with_name(wrong.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")
    (received,) = pipeline.receive(settings, [wrong], "kaarina", "purchase_invoices")
    assert received.landed is not None
    assert received.landed.intent.produced_at <= landing.now()
    right = tmp_path / "ostot_oikea.csv"
    right.write_text(text.format("99,00"), "utf-8")
    right.with_name(right.name + ".manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k != "produced_at"}), "utf-8")
    pipeline.receive(settings, [right], "kaarina", "purchase_invoices")
    pipeline.nightly(settings)
    receipts = told(settings, "kaarina", "purchase_invoices")
    assert receipts[wrong.name]["status"] == "superseded"
    assert receipts[wrong.name]["produced_from"] == f"{by}_later"
    identity = receipts[wrong.name]["delivery_id"]
    said = (settings.home / "receipts" / "kaarina" / "purchase_invoices" / f"{identity}.txt").read_text("utf-8")
    assert "sanoo päivän, joka on vastaanoton jälkeen" in said
