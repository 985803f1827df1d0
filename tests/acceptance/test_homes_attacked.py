"""What was found by attacking homes: journals that rot, places that may not be written, homes not yet brought forward, rights."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from flows import inspecting, keeping, pipeline
from schemas.errors import ConfigurationError, UsageError
from tests.acceptance import left_homes
from tests.acceptance.support import assert_same, settings
from warehouse import journal
from warehouse.backup import object_of, read_manifest
from warehouse.backup_restoring import restore
from warehouse.home import Home


@pytest.fixture
def home(upgraded_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(upgraded_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def silent(_room: str, _size: float) -> None:
    """Nobody watches."""


def of_day(home: Path) -> keeping.Settings:
    return settings(home, as_of=left_homes.DAY)


def file_of(home: Path, number: int = 2) -> Path:
    return journal.path_of(Home(home), number)


def garble(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.long
def test_a_journal_cut_short_is_written_again_by_the_next_run(home: Path, upgraded_home: Path) -> None:
    os.truncate(file_of(home), 100)
    told = [item.text for item in inspecting.damage(of_day(home)) if item.severity == "fail"]
    assert len(told) == 1
    assert told[0].startswith("journal/000002.zip cannot be read")
    assert "`nyckeltal nightly`" in told[0]
    pipeline.nightly(of_day(home))
    assert journal.wrong_with(file_of(home), deep=True) is None
    (home / "warehouse.duckdb").unlink()
    pipeline.nightly(of_day(home))
    assert_same(home, upgraded_home)
    assert left_homes.differences(home, upgraded_home) == {}


def test_a_garbled_journal_is_mended(home: Path) -> None:
    garble(file_of(home), 500)
    assert "`nyckeltal mend`" in str([item.text for item in inspecting.damage(of_day(home), deep=True)])
    pipeline.mend(of_day(home))
    assert journal.wrong_with(file_of(home), deep=True) is None


@pytest.mark.parametrize("of_member", [10, 8])
def test_a_journal_whose_directory_is_garbled_counts_as_broken(home: Path, of_member: int) -> None:
    """Method and flags of a member: zipfile has its own errors for those it does not know."""
    path = home / "journal" / "ledger.zip"
    garble(path, path.read_bytes().rindex(b"PK\x01\x02") + of_member)
    assert journal.wrong_with(path, deep=True)
    pipeline.nightly(of_day(home))
    assert journal.wrong_with(path, deep=True) is None


def test_a_broken_journal_does_not_take_the_place_of_the_backups(home: Path, tmp_path: Path) -> None:
    keeping.back_up(of_day(home), tmp_path / "backup", silent)
    os.truncate(file_of(home), 100)
    copied = keeping.back_up(of_day(home), tmp_path / "backup", silent)
    assert [item.path for item in copied.damaged] == ["journal/000002.zip"]
    assert keeping.put_back(of_day(home), tmp_path / "backup", "journal") == ["journal/000002.zip"]
    assert journal.wrong_with(file_of(home), deep=True) is None


def test_a_warehouse_lost_with_all_that_is_published_is_named(home: Path) -> None:
    (home / "warehouse.duckdb").unlink()
    shutil.rmtree(home / "published")
    assert "warehouse.duckdb knows 0 publications" in str([item.text for item in inspecting.damage(of_day(home))])


def test_a_home_is_backed_up_before_it_is_brought_forward(left_home: Path, upgraded_home: Path, tmp_path: Path) -> None:
    keeping.back_up(of_day(left_home), tmp_path / "backup", silent)
    keeping.restore(of_day(tmp_path / "new"), tmp_path / "backup", silent)
    pipeline.nightly(of_day(tmp_path / "new"))
    assert_same(tmp_path / "new", upgraded_home)


def test_what_the_backup_has_lost_leaves_no_empty_file(home: Path, tmp_path: Path) -> None:
    keeping.back_up(of_day(home), tmp_path / "backup", silent)
    kept = next(item for path, item in read_manifest(tmp_path / "backup").files.items() if path.startswith("receipts/"))
    object_of(tmp_path / "backup", kept.sha256).unlink()
    keeping.restore(of_day(tmp_path / "new"), tmp_path / "backup", silent)
    assert not (tmp_path / "new" / kept.path).exists()


def test_places_that_cannot_be_restored_to_or_from_are_told(home: Path, tmp_path: Path) -> None:
    keeping.back_up(of_day(home), tmp_path / "backup", silent)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        restore(tmp_path / "backup", Home(tmp_path / "file" / "new"), silent)
    with pytest.raises(ConfigurationError, match="lies in the backup"):
        restore(tmp_path / "backup", Home(tmp_path / "backup" / "new"), silent)
    with pytest.raises(UsageError, match="no backup"):
        restore(tmp_path / "file", Home(tmp_path / "new"), silent)


def test_facts_are_their_owners_only_whatever_the_umask(home: Path) -> None:
    for name in ("lake", "receipts", "work"):
        (home / name).chmod(0o777)
    (home / "warehouse.duckdb").chmod(0o666)
    pipeline.nightly(of_day(home))
    for name in ("lake", "receipts", "work", "landing", "journal", "warehouse.duckdb"):
        assert stat.S_IMODE((home / name).stat().st_mode) & 0o077 == 0, name
