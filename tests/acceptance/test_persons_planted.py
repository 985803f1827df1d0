"""What people typed never travels: 500 persons planted in every place where a text can stand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import pipeline
from samples.generate import generate
from tests.acceptance import support
from tests.acceptance.planted_persons import Persons, found_in, invoices, plant, refused

pytestmark = pytest.mark.slow
AGENCY, SOURCE = "sample-koela", "purchase_invoices"
LEAST_BYTES = 350
LEDGER = tuple(f"ledger.delivery.{column}" for column in ("file_name", "notes", "reasons"))
"""The operator's own words for a delivery, from which its receipt is written: in the warehouse and its journal, for their owner only."""


def may_tell(path: Path, agency: str) -> bool:
    """Originals and registers; receipts of the agency that delivered."""
    if path.parts[0] == "receipts":
        return path.parts[1] == agency
    return path.parts[0] in ("landing", "inbox", "refused", "registry", "truth")


def test_no_person_planted_is_found_outside(tmp_path: Path) -> None:
    """Of the sample's files one of every source and format, one of invoices with persons in every column, and files that are refused."""
    sample, home = tmp_path / "sample", tmp_path / "home"
    generate(sample, "demo")
    support.empty_home(sample, home)
    persons, settings = Persons(), support.settings(home)
    kinds: dict[tuple[str, str], Path] = {}
    for path in support.delivered_files(sample):
        if path.stat().st_size > LEAST_BYTES:
            kinds.setdefault((path.parent.name, path.suffix), path)
    for (source, suffix), path in sorted(kinds.items()):
        persons.agency = path.parent.parent.name
        place = tmp_path / "out" / persons.agency / source
        place.mkdir(parents=True, exist_ok=True)
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copyfile(file, place / file.name)
        pipeline.receive(settings, [plant(persons, place / path.name, f"{source}{suffix}")], persons.agency, source)
    persons.agency = AGENCY
    pipeline.receive(settings, [invoices(persons, tmp_path), *refused(persons, tmp_path)], AGENCY, SOURCE)

    run = pipeline.nightly(settings)

    assert len(persons.places) >= 500
    assert len(run.ingested.loaded) > 20
    assert len(run.ingested.refused) > 5
    hits = found_in(home, persons, may_tell)
    assert {where for where, _ in hits if where.endswith(LEDGER)} == {f"warehouse.duckdb: {name}" for name in LEDGER}, "the search finds"
    told = {hit for hit in hits if not hit[0].endswith((*LEDGER, "ledger.delivery.parquet"))}
    assert not told, sorted(told)
