"""Backup and restore: the same home in another place, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from flows import keeping, pipeline
from schemas.errors import Busy, ConfigurationError, Damaged, UsageError
from tests.acceptance.conftest import CommandLine
from tests.acceptance.support import assert_same, fingerprint, ledger, nightly, settings
from warehouse import backup, backup_restoring, store
from warehouse.backup import BACKUP_MARK, object_of, read_manifest
from warehouse.home import Home
from warehouse.landing import Landing


def silent(_room: str, _size: float) -> None:
    """Nobody watches."""


@pytest.fixture
def kept(home: Path, tmp_path: Path) -> Path:
    """A backup of the test's own home."""
    keeping.back_up(settings(home), tmp_path / "backup", silent)
    return tmp_path / "backup"


def files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file() and not path.is_symlink()}


def original(home: Path) -> Path:
    return next(item.file for item in Landing(Home(home)).all())


def test_a_restored_home_is_the_same_on_another_path(home: Path, tmp_path: Path, nyckeltal: CommandLine) -> None:
    (home / "service").mkdir()
    (home / "service" / "auth").write_text("secret", "utf-8")
    (home / "inbox" / "not-yet.csv").write_text("a;b", "utf-8")
    to, moved = tmp_path / "backup", tmp_path / "elsewhere" / "home"
    assert "0 files" not in nyckeltal(home, "backup", to).out
    assert nyckeltal(moved, "restore", to).code == 0

    assert not (moved / "service").exists()
    assert not list((moved / "inbox").iterdir()) if (moved / "inbox").exists() else True
    assert (moved / "published" / "current").readlink() == Path("generations/000001")
    assert (moved / "published" / "nyckeltal.duckdb").readlink() == Path("current/nyckeltal.duckdb")
    assert stat.S_IMODE((moved / "landing").stat().st_mode) == 0o700
    assert stat.S_IMODE(original(moved).stat().st_mode) == stat.S_IMODE(original(home).stat().st_mode)
    same = {name for name in files(home) if name.split("/")[0] in ("landing", "lake", "registry", "receipts", "published")}
    assert {name: files(home)[name] for name in same} == {name: files(moved)[name] for name in same}
    assert "nothing changed: publication 1" in nyckeltal(moved, "nightly").out
    assert_same(home, moved)
    assert ledger(home, "FROM figure.history ORDER BY ALL").equals(ledger(moved, "FROM figure.history ORDER BY ALL"))
    assert "damage: every file is what was written" in nyckeltal(moved, "doctor", "--deep").out


def test_a_second_backup_copies_what_is_new_and_only_the_owner_reads_it(home: Path, kept: Path) -> None:
    before = files(kept)
    again = keeping.back_up(settings(home), kept, silent)
    assert (again.new_files, again.new_bytes) == (0, 0)
    assert {name for name, data in files(kept).items() if before.get(name) != data} == {"manifest.json"}
    assert all(path.stat().st_nlink == 1 for path in kept.rglob("*") if path.is_file())
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in [kept, *kept.rglob("*")])

    (home / "registry" / "note.csv").write_text("one more", "utf-8")
    more = keeping.back_up(settings(home), kept, silent)
    assert (more.new_files, more.new_bytes) == (1, 8)
    (home / "registry" / "note.csv").unlink()
    keeping.back_up(settings(home), kept, silent)
    assert {path.name for path in (kept / "objects").glob("*/*")} == {item.sha256 for item in read_manifest(kept).files.values()}


def test_originals_and_lake_are_copied_beside_a_running_night_which_is_waited_for(home: Path, tmp_path: Path) -> None:
    to = tmp_path / "backup"
    with store.locked(Home(home), 0, "busy"), pytest.raises(Busy, match="was not ended"):
        keeping.back_up(settings(home, wait_seconds=0), to, silent)
    assert not (to / "manifest.json").exists()
    there = {path.name for path in (to / "objects").glob("*/*")}
    assert {item.sha256 for item in Landing(Home(home)).all()} <= there
    with pytest.raises(UsageError, match="no backup that was ended"):
        keeping.restore(settings(tmp_path / "new"), to, silent)
    keeping.back_up(settings(home), to, silent)
    keeping.restore(settings(tmp_path / "new"), to, silent)
    assert_same(home, tmp_path / "new")


def test_an_interrupted_backup_leaves_the_former_one(home: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "registry" / "agencies.csv").write_text("changed since", "utf-8")
    original(home).unlink()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(backup, "write_durably", killed)
        with pytest.raises(KeyboardInterrupt):
            keeping.back_up(settings(home), kept, silent)
    keeping.restore(settings(tmp_path / "new"), kept, silent)
    assert (tmp_path / "new" / "registry" / "agencies.csv").read_text("utf-8") != "changed since"
    assert original(tmp_path / "new").is_file()
    assert fingerprint(tmp_path / "new") == fingerprint(home)


def test_what_is_damaged_in_the_backup_is_named_and_all_else_restored(
    home: Path, kept: Path, tmp_path: Path, nyckeltal: CommandLine
) -> None:
    manifest = read_manifest(kept)
    lake = next(item for path, item in manifest.files.items() if path.startswith("lake/purchase_invoices"))
    receipt = next(item for path, item in manifest.files.items() if path.startswith("receipts/"))
    object_of(kept, lake.sha256).write_bytes(b"x" * lake.size)
    object_of(kept, receipt.sha256).unlink()
    told = nyckeltal(tmp_path / "new", "restore", kept)
    assert told.code == 7
    assert f"{lake.path} is not what was backed up" in told.err
    assert f"{receipt.path} is missing in the backup" in told.err
    assert f"{len(manifest.files) - 2} files" in told.out
    nightly(tmp_path / "new")
    assert fingerprint(tmp_path / "new") == fingerprint(home)


def test_a_damaged_manifest_restores_nothing(kept: Path, tmp_path: Path) -> None:
    path = kept / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | {"body": content["body"].replace("landing", "landinh", 1)}), "utf-8")
    with pytest.raises(Damaged, match=r"manifest\.json is not what was written"):
        keeping.restore(settings(tmp_path / "new"), kept, silent)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", [".nyckeltal-home", "letters"])
def test_places_that_hold_anything_are_refused(kept: Path, tmp_path: Path, name: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / name).touch()
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        keeping.restore(settings(place), kept, silent)
    assert [path.name for path in place.iterdir()] == [name]


def test_a_backup_goes_into_no_other_directory_and_not_into_the_home(home: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").touch()
    with pytest.raises(ConfigurationError, match="holds other things"):
        keeping.back_up(settings(home), tmp_path / "letters", silent)
    with pytest.raises(ConfigurationError, match="in the home itself"):
        keeping.back_up(settings(home), home / "backup", silent)
    assert not (tmp_path / "letters" / BACKUP_MARK).exists()


def test_a_restore_that_was_killed_begins_anew(home: Path, kept: Path, tmp_path: Path) -> None:
    place = tmp_path / "new"
    shutil.copytree(home / "landing", place / "landing")
    (place / "half").write_text("written", "utf-8")
    (place / backup_restoring.RESTORING).touch()
    with pytest.raises(ConfigurationError):
        pipeline.home_of(settings(place))  # no run takes a half restored home for one
    keeping.restore(settings(place), kept, silent)
    assert not (place / "half").exists()
    assert_same(home, place)


def test_files_that_rot_in_the_home_do_not_displace_their_good_copies(home: Path, kept: Path, tmp_path: Path) -> None:
    good = original(home).read_bytes()
    original(home).chmod(0o600)
    original(home).write_bytes(b"y" * len(good))
    lake = next((home / "lake").rglob("*.parquet"))
    lake.unlink()
    told = keeping.back_up(settings(home), kept, silent)
    assert {item.path for item in told.damaged} == {str(path.relative_to(home)) for path in (original(home), lake)}
    keeping.restore(settings(tmp_path / "new"), kept, silent)
    assert original(tmp_path / "new").read_bytes() == good

    assert sorted(keeping.put_back(settings(home), kept, "landing")) == [str(original(home).relative_to(home))]
    assert original(home).read_bytes() == good
    assert keeping.put_back(settings(home), kept, "lake") == [str(lake.relative_to(home))]
    with pytest.raises(UsageError, match="does not come back alone"):
        keeping.put_back(settings(home), kept, "warehouse.duckdb")


def test_a_broken_warehouse_is_not_backed_up_over_a_good_one(home: Path, kept: Path) -> None:
    former = (kept / "manifest.json").read_bytes()
    (home / "warehouse.duckdb").write_bytes(b"nothing")
    with pytest.raises(Damaged, match=r"warehouse\.duckdb cannot be read"):
        keeping.back_up(settings(home), kept, silent)
    (home / "warehouse.duckdb").unlink()
    with pytest.raises(Damaged, match="knows 0 publications"):
        keeping.back_up(settings(home), kept, silent)
    assert (kept / "manifest.json").read_bytes() == former
