"""Homes that live for years: what an earlier release left is brought forward and tells what it told; newer homes are refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest

from schemas.errors import ConfigurationError
from tests.acceptance import left_homes, support
from tests.acceptance.conftest import CommandLine
from tests.acceptance.left_homes import DAY, MOVED, NEWEST
from warehouse import migrations, store, withheld
from warehouse.home import Home

pytestmark = pytest.mark.slow
TOLD = left_homes.told("schema-0")
AS_OF = DAY.isoformat()
GUARDED = "minicomp_"
"""Figures of the kept home that are under disclosure control: what they tell may become less."""


@pytest.fixture
def old(left_home: Path, tmp_path: Path) -> Path:
    """The home as the earlier release left it, the test's own."""
    shutil.copytree(left_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
def upgraded(upgraded_home: Path, tmp_path: Path) -> Path:
    """The home after a night of this release, the test's own."""
    shutil.copytree(upgraded_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def national(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(level="national", period_kind="year")


def unmoved(rows: list[list[object]]) -> list[list[object]]:
    """Without figures that this release computes otherwise, and breakdowns by categories that no register knows, which it does not
    tell; a kept table of revisions has their publication first."""
    told = [row for row in rows if not {"hhi_supplier", "category"} <= set(map(str, row))]
    return [row for row in told if not {str(row[0]), str(row[2])} & set(MOVED)]


def test_an_upgraded_home_tells_the_same(upgraded_home: Path) -> None:
    last = TOLD[-1]
    assert support.published(upgraded_home, "SELECT publication_no FROM meta.publication").item() == NEWEST == len(TOLD) + 1
    for name, table in (("national", "key_figure"), ("revisions", "revision")):
        found = national(support.published(upgraded_home, f"FROM mart.{table}"))
        assert unmoved(left_homes.as_kept(last[name], found)) == unmoved(sorted(last[name]["rows"], key=repr))
    causes = set(support.published(upgraded_home, f"SELECT DISTINCT cause FROM mart.revision WHERE publication_no = {NEWEST}")["cause"])
    assert causes <= {"code", "definition", "reference"}, "no agency is blamed"


@pytest.mark.parametrize("number", range(1, len(TOLD) + 1))
def test_former_publications_are_known_as_they_were(upgraded_home: Path, number: int) -> None:
    with store.reading(Home(upgraded_home)) as warehouse:
        assert warehouse
        found = national(withheld.as_published(warehouse, number))
    then = TOLD[number - 1]["national"]
    rows, kept = left_homes.as_kept(then, found), sorted(then["rows"], key=repr)
    assert [row for row in rows if not row[0].startswith(GUARDED)] == [row for row in kept if not row[0].startswith(GUARDED)]
    status = then["columns"].index("status")
    told = [row for row in rows if row[status] != "suppressed"]
    assert told == [row for row in kept if row in told], "what is told is what was told"
    assert len([row for row in kept if row[status] == "suppressed"]) <= len(rows) - len(told), "suppressed stays suppressed"


def test_a_migrated_warehouse_has_the_tables_of_a_new_one(upgraded_home: Path, tmp_path: Path) -> None:
    support.nightly(tmp_path / "new", as_of=DAY)
    new, migrated = left_homes.columns(tmp_path / "new"), left_homes.columns(upgraded_home)
    assert migrated == new
    assert {("ledger", "migration"), ("figure", "history"), ("measure", "spend_month")} <= {row[:2] for row in new}


def test_every_migration_has_its_number_and_stands_in_order() -> None:
    files = sorted(path.stem for path in Path(migrations.__file__).parent.glob("m*.py"))
    assert [module.__name__.rpartition(".")[2] for module in migrations.MIGRATIONS] == files
    assert [int(name[1:5]) for name in files] == list(range(len(files)))


def test_a_newer_home_is_refused_with_words(upgraded: Path, upgraded_home: Path, nyckeltal: CommandLine) -> None:
    with duckdb.connect(str(upgraded / "warehouse.duckdb")) as con:
        con.execute("INSERT INTO ledger.migration VALUES (99, 'm0099_later', now()::TIMESTAMP)")
    for words in ("nightly", "sweep", "status", "quarantine", "prune", "prune --dry-run", "rebuild"):
        done = nyckeltal(upgraded, *words.split(), as_of=AS_OF)
        assert done.code == 3, words
        assert f"has schema 99, this release of nyckeltal knows {migrations.newest()}" in done.err, words
    assert left_homes.differences(upgraded, upgraded_home) == {}


def test_an_older_home_is_read_as_it_is(old: Path, nyckeltal: CommandLine) -> None:
    before = (old / "warehouse.duckdb").read_bytes()
    done = nyckeltal(old, "status", as_of=AS_OF)
    assert done.code == 0
    assert "alku_2023.csv" in done.out
    assert nyckeltal(old, "quarantine", as_of=AS_OF).code == 0
    assert nyckeltal(old, "figures", as_of=AS_OF).code == 0
    assert (old / "warehouse.duckdb").read_bytes() == before


def test_what_an_older_home_lacks_asks_for_a_night(old: Path) -> None:
    def ask() -> None:
        with store.reading(Home(old)) as warehouse:
            assert warehouse
            warehouse.rows("FROM ledger.migration")

    with pytest.raises(ConfigurationError, match=r"older release \(schema 0\).*run `nyckeltal nightly` first"):
        ask()


def test_a_failed_migration_leaves_the_home_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def apply(opened: store.Store) -> None:
        opened.con.execute("ALTER TABLE ledger.delivery ADD COLUMN later VARCHAR; CREATE TABLE ledger.later (i INTEGER)")
        raise RuntimeError("half done")

    broken = SimpleNamespace(__name__="m0002_later", apply=apply)
    with monkeypatch.context() as changed:
        changed.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        with pytest.raises(RuntimeError), store.writing(Home(old)):
            pass
    assert not any("later" in row for row in left_homes.columns(old))
    assert support.ledger(old, "SELECT max(number) FROM ledger.migration").item() == migrations.newest()


@pytest.mark.long
def test_killed_in_a_migration_the_next_run_ends_as_undisturbed(old: Path, upgraded_home: Path) -> None:
    left_homes.killed_at(old, "warehouse.migrations.m0001_years.apply", "nightly", after=True)
    assert "migration" not in {row[1] for row in left_homes.columns(old)}
    support.nightly(old, as_of=DAY)
    assert left_homes.differences(old, upgraded_home) == {}


COLUMN = '        Column("is_latest", pl.Boolean'
TWO_NIGHTS = """
import sys
from datetime import date
from flows import pipeline
from flows.settings import Settings
settings = Settings(home=sys.argv[1], as_of=date.fromisoformat(sys.argv[2]), settle_seconds=0)
for _ in range(2):
    done = pipeline.nightly(settings).published
    print(done.publication_no, done.is_new)
"""


@pytest.mark.long
def test_a_column_added_to_what_is_published_is_published(upgraded: Path, tmp_path: Path) -> None:
    """Finding: the first night said "nothing changed" and the next one ended with exit code 70."""
    code = tmp_path / "code"
    for name in ("flows", "schemas", "transforms", "warehouse"):
        shutil.copytree(support.ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old_text, new_text in (
        ("schemas/key_figure.py", COLUMN, f'        Column("extra", pl.String, "New."),\n{COLUMN}'),
        ("transforms/settle.py", "        panel=pl.lit(panel),", '        panel=pl.lit(panel),\n        extra=pl.lit("new"),'),
    ):
        text = (code / name).read_text("utf-8")
        assert text.count(old_text) == 1, name
        (code / name).write_text(text.replace(old_text, new_text), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", TWO_NIGHTS, str(upgraded), AS_OF],
        env=support.environment(PYTHONPATH=str(code)), cwd=code, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == [f"{NEWEST + 1} True", f"{NEWEST + 1} False"], done.stderr
    assert set(support.published(upgraded, "SELECT extra FROM mart.key_figure")["extra"]) == {"new"}
    history = support.ledger(upgraded, "SELECT DISTINCT extra, valid_to_no IS NULL FROM figure.history ORDER BY ALL NULLS FIRST")
    assert history.rows() == [(None, False), ("new", True)]
    last = TOLD[-1]["national"]
    found = national(support.published(upgraded, "SELECT * REPLACE (revision_no::VARCHAR AS revision_no) FROM mart.key_figure"))
    assert unmoved(left_homes.as_kept(last, found)) == unmoved(sorted(last["rows"], key=repr))


@pytest.mark.parametrize("table", ["figure.cell", pytest.param("measure.spend_month", marks=pytest.mark.heavy)])
def test_what_is_computed_follows_its_contract(upgraded: Path, upgraded_home: Path, table: str) -> None:
    """As a release would find it that adds a column to a cell or a measure, and gives up another."""
    with duckdb.connect(str(upgraded / "warehouse.duckdb")) as con:
        name = con.execute(f"SELECT column_name FROM (DESCRIBE {table}) WHERE column_type = 'BIGINT' LIMIT 1").fetchall()[0][0]
        con.execute(f"ALTER TABLE {table} DROP COLUMN {name}; ALTER TABLE {table} ADD COLUMN former VARCHAR")
    run = support.nightly(upgraded, as_of=DAY)
    assert run.published
    assert not run.published.is_new
    assert left_homes.differences(upgraded, upgraded_home) == {}
