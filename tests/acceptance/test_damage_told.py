"""What the command line says of damage, and that a night goes on: one case for each room of the home."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.acceptance.conftest import CommandLine
from tests.acceptance.support import assert_same, fingerprint, published


def test_a_lost_publication_is_put_back_under_its_number(home: Path, tiny_home: Path, nyckeltal: CommandLine) -> None:
    shutil.rmtree(home / "published" / "generations" / "000001")
    doctor = nyckeltal(home, "doctor")
    assert doctor.code == 1
    assert "published/generations/000001/nyckeltal.duckdb is missing; `nyckeltal nightly`" in doctor.out
    told = nyckeltal(home, "nightly")
    assert "healed  published/generations/000001/nyckeltal.duckdb is missing; publication 1 was put back" in told.err
    assert published(home, "SELECT publication_no FROM meta.publication").item() == 1
    assert_same(home, tiny_home)


def test_a_broken_manifest_holds_up_nobody_and_is_named_every_night(home: Path, tmp_path: Path, nyckeltal: CommandLine) -> None:
    manifest = next((home / "landing" / "purchase_invoices" / "sample-koela").rglob("manifest.json"))
    name = str(manifest.relative_to(home))
    manifest.write_text("{", "utf-8")
    lines = (next((home / "landing" / "purchase_invoices" / "sample-state").rglob("file"))).read_bytes().splitlines(keepends=True)
    (tmp_path / "th_data_2022.csv").write_bytes(b"".join(lines[:-2]).replace(b"2023", b"2022").replace(b"2024", b"2022"))
    assert nyckeltal(home, "receive", "--agency", "sample-state", "--source", "purchase_invoices", tmp_path / "th_data_2022.csv").code == 0
    told = nyckeltal(home, "nightly")
    assert told.code == 0
    assert "1 deliveries loaded" in told.out
    assert f"damaged  {name} cannot be read" in told.err
    assert f"alert  home.damaged  {name}" in told.err
    again = nyckeltal(home, "nightly")
    assert f"damaged  {name}" in again.err
    assert "alert" not in again.err
    assert f"fail damage: {name} cannot be read" in nyckeltal(home, "doctor").out


def test_a_lost_lake_file_and_a_lost_original_are_seen(home: Path, nyckeltal: CommandLine) -> None:
    lake = next((home / "lake").rglob("*.parquet"))
    original = next((home / "landing" / "purchase_invoices").rglob("file"))
    lake.unlink()
    original.unlink()
    assert f"fail damage: {lake.relative_to(home)} is missing" in nyckeltal(home, "doctor").out
    deep = nyckeltal(home, "doctor", "--deep")
    assert deep.code == 1
    assert f"fail damage: {original.relative_to(home)} is missing; receive the same file again" in deep.out


def test_a_broken_warehouse_is_named_with_its_cure(home: Path, nyckeltal: CommandLine) -> None:
    before = fingerprint(home)
    (home / "warehouse.duckdb").write_bytes(b"not a database")
    for command in ("nightly", "status"):
        told = nyckeltal(home, command)
        assert told.code == 7
        assert "warehouse.duckdb cannot be read" in told.err
        assert "nyckeltal rebuild" in told.err
        assert "nyckeltal restore" in told.err
    doctor = nyckeltal(home, "doctor")
    assert doctor.code == 1
    assert "fail damage: warehouse.duckdb cannot be read" in doctor.out
    assert fingerprint(home) == before  # readers go on


def test_a_lost_warehouse_does_not_begin_at_one_again(home: Path, tiny_home: Path, nyckeltal: CommandLine) -> None:
    (home / "warehouse.duckdb").unlink()
    assert "fail damage: warehouse.duckdb knows 0 publications, but number 1 is out" in nyckeltal(home, "doctor").out
    assert nyckeltal(home, "nightly").code == 0
    assert "damage: none to be seen" in nyckeltal(home, "doctor").out
    assert_same(home, tiny_home)
