"""Rebuilding: a warehouse that is lost is made anew from journal, lake and landing, with numbers, history and what was told."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from flows import pipeline
from schemas.errors import ConfigurationError
from tests.acceptance import left_homes, support
from tests.acceptance.conftest import CommandLine
from tests.acceptance.left_homes import DAY, NEWEST
from tests.homes import make
from warehouse import journal, store
from warehouse.figures import KEY
from warehouse.home import Home

pytestmark = pytest.mark.slow
AS_OF = DAY.isoformat()


@pytest.fixture
def home(upgraded_home: Path, tmp_path: Path) -> Path:
    """The home of an earlier release, publications 1 to 3 with revisions, after a night of this one; the test's own."""
    shutil.copytree(upgraded_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
def mark(upgraded_home: Path) -> str:
    """The fingerprint of what that home tells."""
    return support.fingerprint(upgraded_home)


@pytest.fixture
def lost(home: Path) -> Path:
    """The same without its warehouse."""
    (home / "warehouse.duckdb").unlink()
    return home


def night(home: Path) -> pipeline.Run:
    return support.nightly(home, as_of=DAY)


def deliver_late(home: Path) -> None:
    make.invoices(home, "betoni", [2023], 2050, "2025-04-01")


def test_a_night_on_a_lost_warehouse_changes_nothing(lost: Path, upgraded_home: Path) -> None:
    """Finding: publications began at 1 beside generations 5 to 7, and the history was gone."""
    run = night(lost)
    assert run.published
    assert (run.published.publication_no, run.published.is_new) == (NEWEST, False)
    assert left_homes.differences(lost, upgraded_home) == {}


@pytest.mark.parametrize(
    "left",
    ["a file without tables", *(pytest.param(one, marks=pytest.mark.heavy) for one in ("nothing", "an empty file", "a log alone"))],
)
def test_no_command_begins_anew_beside_what_is_published(lost: Path, nyckeltal: CommandLine, left: str) -> None:
    warehouse = lost / "warehouse.duckdb"
    if left == "an empty file":
        warehouse.touch()
    elif left == "a file without tables":
        duckdb.connect(str(warehouse)).close()
    elif left == "a log alone":
        warehouse.with_name("warehouse.duckdb.wal").write_bytes(b"of a warehouse that is gone")
    done = nyckeltal(lost, "prune", as_of=AS_OF)
    assert done.code == 3
    assert "`nyckeltal rebuild` makes it anew" in done.err
    done = nyckeltal(lost, "rebuild", as_of=AS_OF)
    assert done.code == 0
    assert f"made anew: {NEWEST} publications, 9 deliveries; 0 read again" in done.out
    assert f"nothing changed: publication {NEWEST} stays in force" in done.out
    assert "lost" not in done.err


@pytest.mark.heavy
def test_a_warehouse_that_cannot_be_opened_is_made_anew(home: Path, upgraded_home: Path, nyckeltal: CommandLine) -> None:
    content = (home / "warehouse.duckdb").read_bytes()
    (home / "warehouse.duckdb").write_bytes(b"\0" * 65536 + content[65536:])
    assert nyckeltal(home, "rebuild", as_of=AS_OF).code == 0
    assert left_homes.differences(home, upgraded_home) == {}
    assert (home / "warehouse.duckdb.before-rebuild").stat().st_size == len(content)


@pytest.mark.heavy
def test_what_landed_since_the_last_run_is_loaded_after_the_rebuild(lost: Path, upgraded_home: Path, tmp_path: Path) -> None:
    shutil.copytree(upgraded_home, tmp_path / "other", symlinks=True)
    for home in (lost, tmp_path / "other"):
        deliver_late(home)
        run = night(home)
        assert run.published
        assert (run.published.publication_no, run.published.is_new) == (NEWEST + 1, True)
    support.assert_same(lost, tmp_path / "other")
    sql = f"SELECT * EXCLUDE (publication_no) FROM mart.revision WHERE publication_no = {NEWEST + 1} ORDER BY ALL"
    revisions = support.published(lost, sql)
    assert revisions.height
    assert revisions.equals(support.published(tmp_path / "other", sql))


@pytest.mark.heavy
def test_a_publication_that_was_not_out_is_made_under_its_number(lost: Path, upgraded_home: Path, tmp_path: Path) -> None:
    """Killed between the journal's file and the rename that puts the generation in force, and then the warehouse is lost."""
    shutil.copyfile(upgraded_home / "warehouse.duckdb", lost / "warehouse.duckdb")
    deliver_late(lost)
    left_homes.killed_at(lost, "warehouse.publication.generations.put_in_force", "nightly")
    assert (lost / "journal" / f"{NEWEST + 1:06}.zip").exists()
    (lost / "warehouse.duckdb").unlink()
    (lost / "warehouse.duckdb.wal").unlink(missing_ok=True)
    run = night(lost)
    assert run.published
    assert (run.published.publication_no, run.published.is_new) == (NEWEST + 1, True)
    shutil.copytree(upgraded_home, tmp_path / "other", symlinks=True)
    deliver_late(tmp_path / "other")
    night(tmp_path / "other")
    support.assert_same(lost, tmp_path / "other")
    history = "SELECT * FROM figure.history ORDER BY ALL"
    assert support.ledger(lost, history).equals(support.ledger(tmp_path / "other", history))


@pytest.mark.heavy
def test_every_original_is_read_again(home: Path, upgraded_home: Path, nyckeltal: CommandLine, mark: str) -> None:
    done = nyckeltal(home, "rebuild", "--from", "landing", as_of=AS_OF)
    assert done.code == 0
    assert "9 read again" in done.out
    assert "9 deliveries loaded, 0 refused" in done.out
    assert support.fingerprint(home) == mark
    same = {"figure.history", "figure.revision", "figure.cell", "figure.panel", "figure.deviation", "ledger.covered", "measure.spend_month"}
    assert not same & left_homes.differences(home, upgraded_home).keys()


@pytest.mark.heavy
def test_an_original_that_is_gone_is_taken_from_the_lake(home: Path, nyckeltal: CommandLine, mark: str) -> None:
    original = next((home / "landing" / "purchase_invoices" / "viides").glob("*/file"))
    original.unlink()
    done = nyckeltal(home, "rebuild", "--from", "landing", as_of=AS_OF)
    assert "8 read again" in done.out
    assert support.fingerprint(home) == mark


def lake_file(home: Path, agency: str = "viides") -> Path:
    return next((home / "lake" / "purchase_invoices" / "posting_line" / agency).glob("*/*.parquet"))


@pytest.mark.heavy
def test_rows_that_the_lake_lost_are_read_again(lost: Path, mark: str) -> None:
    lake_file(lost).unlink()
    run = night(lost)
    assert len(run.ingested.loaded) == 1
    assert support.fingerprint(lost) == mark


@pytest.mark.heavy
def test_rows_that_are_lost_with_their_original_are_named(lost: Path, nyckeltal: CommandLine, mark: str) -> None:
    lake_file(lost).unlink()
    next((lost / "landing" / "purchase_invoices" / "viides").glob("*/file")).unlink()
    done = nyckeltal(lost, "nightly", as_of=AS_OF)
    assert done.code == 3, "nobody but a person decides to go on without them"
    assert "viides/purchase_invoices: viides_2022.csv" in done.err
    done = nyckeltal(lost, "rebuild", as_of=AS_OF)
    assert done.code == 0
    assert "viides/purchase_invoices: viides_2022.csv" in done.err
    assert "deliver the file again" in done.err
    told = json.loads(nyckeltal(lost, "status", "--format", "json", as_of=AS_OF).out)
    assert [row["file_name"] for row in told if row["status"] == "refused"] == ["viides_2022.csv"]
    make.invoices(lost, "viides", [2022, 2023], make.BUYERS["viides"], "2024-02-01")
    night(lost)
    assert support.fingerprint(lost) == mark, "the same file again brings all back"


@pytest.mark.heavy
def test_an_older_warehouse_is_not_gone_on_with(home: Path, upgraded_home: Path, nyckeltal: CommandLine) -> None:
    deliver_late(home)
    night(home)
    told = support.fingerprint(home)
    shutil.copyfile(upgraded_home / "warehouse.duckdb", home / "warehouse.duckdb")
    done = nyckeltal(home, "nightly", as_of=AS_OF)
    assert done.code == 3
    assert f"knows {NEWEST} publications, its journal tells of publication {NEWEST + 1}" in done.err
    done = nyckeltal(home, "rebuild", as_of=AS_OF)
    assert f"made anew: {NEWEST + 1} publications" in done.out
    assert f"nothing changed: publication {NEWEST + 1} stays in force" in done.out
    assert support.fingerprint(home) == told


def test_there_is_nothing_to_rebuild_in_a_new_home(tmp_path: Path, nyckeltal: CommandLine) -> None:
    done = nyckeltal(tmp_path / "new", "rebuild", as_of=AS_OF)
    assert done.code == 2
    assert "has had no warehouse yet" in done.err


@pytest.mark.parametrize("how", ["cut off", *(pytest.param(one, marks=pytest.mark.heavy) for one in ("gone", "another"))])
def test_a_publication_whose_file_is_lost_is_named(lost: Path, nyckeltal: CommandLine, how: str, mark: str) -> None:
    path = lost / "journal" / "000002.zip"
    if how == "gone":
        path.unlink()
    elif how == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        shutil.copyfile(path.with_name("000001.zip"), path)
    done = nyckeltal(lost, "nightly", as_of=AS_OF)
    assert done.code == 3
    assert "journal/000002.zip" in done.err
    done = nyckeltal(lost, "rebuild", as_of=AS_OF)
    assert done.code == 0
    assert "what publication 2 changed is lost" in done.err
    assert support.fingerprint(lost) == mark
    twice = f"SELECT count(*) FROM (SELECT 1 FROM figure.history WHERE valid_to_no IS NULL GROUP BY {', '.join(KEY)} HAVING count(*) > 1)"
    assert support.ledger(lost, twice).item() == 0


@pytest.mark.heavy
def test_without_the_ledgers_file_all_deliveries_are_read_again(lost: Path, upgraded_home: Path, nyckeltal: CommandLine, mark: str) -> None:
    (lost / "journal" / "ledger.zip").unlink()
    done = nyckeltal(lost, "nightly", as_of=AS_OF)
    assert done.code == 3
    assert "journal/ledger.zip is gone" in done.err
    done = nyckeltal(lost, "rebuild", as_of=AS_OF)
    assert done.code == 0
    assert f"{NEWEST} publications, 0 deliveries; 9 read again" in done.out
    assert support.fingerprint(lost) == mark
    same = {"figure.history", "figure.revision", "figure.cell", "figure.panel", "figure.panel_member", "figure.deviation"}
    assert not same & left_homes.differences(lost, upgraded_home).keys()


def test_without_any_journal_the_generation_in_force_tells_what_it_told(
    lost: Path, upgraded_home: Path, tmp_path: Path, nyckeltal: CommandLine
) -> None:
    """As in a home of an earlier release that lost its warehouse before it was brought forward. Originals are then read by the
    present code, so that the figures are those of a home that has read again what other code had read."""
    again = tmp_path / "read again"
    shutil.copytree(upgraded_home, again, symlinks=True)
    assert nyckeltal(again, "backfill", "--outdated", as_of=AS_OF).code == 0
    shutil.rmtree(lost / "journal")
    revisions = support.published(lost, "FROM mart.revision ORDER BY ALL")
    done = nyckeltal(lost, "rebuild", as_of=AS_OF)
    assert done.code == 0
    assert "what publication 2 changed is lost" in done.err
    assert support.fingerprint(lost) == support.fingerprint(again)
    assert support.published(lost, "SELECT publication_no FROM meta.publication").item() == NEWEST + 1, "the numbers go on"
    assert support.published(lost, f"FROM mart.revision WHERE publication_no <= {NEWEST} ORDER BY ALL").equals(revisions)
    numbers = support.ledger(lost, "SELECT DISTINCT valid_from_no, valid_to_no FROM figure.history ORDER BY ALL")
    assert set(numbers.rows()) == {(NEWEST, None), (NEWEST, NEWEST + 1), (NEWEST + 1, None)}, "from that generation on, and what code changed since"


PLACES: list[tuple[str, str, int, bool]] = [
    ("warehouse.journal._replace", "nightly", 2, True),
    ("warehouse.journal.sync_file", "nightly", 1, False),
    ("warehouse.journal.keep_ledger", "nightly", 1, False),
    ("flows.rebuilding.measure", "rebuild", 1, True),
    ("warehouse.store.sync_file", "rebuild", 1, False),
    ("warehouse.store.sync_directory", "rebuild", 1, False),
    ("warehouse.restoring._deliveries", "rebuild", 1, False),
]
SHORT = (0,)
"""Of PLACES, what the default suite tries."""


@pytest.mark.parametrize(
    ("place", "command", "call", "after"),
    [pytest.param(*one, marks=[] if at in SHORT else pytest.mark.heavy) for at, one in enumerate(PLACES)],
)
def test_killed_anywhere_the_next_run_ends_as_undisturbed(
    left_home: Path, upgraded_home: Path, tmp_path: Path, place: str, command: str, call: int, after: bool
) -> None:
    like = left_home if command == "nightly" else upgraded_home
    shutil.copytree(like, tmp_path / "home", symlinks=True)
    left_homes.killed_at(tmp_path / "home", place, command, call=call, after=after)
    night(tmp_path / "home")
    assert left_homes.differences(tmp_path / "home", upgraded_home) == {}
    names = sorted(path.name for path in (tmp_path / "home" / "journal").iterdir())
    assert names == [*(f"{number:06}.zip" for number in range(1, NEWEST + 1)), "ledger.zip"]


def test_the_journal_is_its_owners_only_and_holds_every_table(upgraded_home: Path) -> None:
    home = Home(upgraded_home)
    assert stat.S_IMODE(home.journal.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.journal.iterdir()} == {0o600}
    sql = "SELECT schema_name || '.' || table_name AS name FROM duckdb_tables() WHERE schema_name IN ('ledger', 'figure')"
    names = set(support.ledger(upgraded_home, sql)["name"])
    _, tables = journal.read(home.journal / journal.LEDGER)
    assert names - journal.REMADE == tables.keys()
    assert names >= journal.REMADE, "no name is out of date"


def test_a_run_that_changes_nothing_leaves_the_ledgers_file(home: Path) -> None:
    before = (home / "journal" / "ledger.zip").stat()
    with store.writing(Home(home)):
        pass
    assert (home / "journal" / "ledger.zip").stat().st_mtime_ns == before.st_mtime_ns
    with store.writing(Home(home)) as warehouse:
        warehouse.con.execute("CREATE TABLE ledger.later AS SELECT 1 AS number")
    assert journal.read(home / "journal" / "ledger.zip")[1]["ledger.later"].rows() == [(1,)]


def test_the_journal_of_a_newer_release_is_refused(lost: Path) -> None:
    path = lost / "journal" / "ledger.zip"
    manifest, tables = journal.read(path)

    def newer(archive: object) -> None:
        for name, frame in tables.items():
            journal._add(archive, f"{name}.parquet", frame)  # type: ignore[arg-type]
        archive.writestr(journal.MANIFEST, json.dumps({**manifest, "schema": 99}))  # type: ignore[attr-defined]

    write: Callable[..., None] = journal._replace
    write(path, newer)
    with pytest.raises(ConfigurationError, match="has schema 99"):
        night(lost)
