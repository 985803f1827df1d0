"""Retention: what goes, what stays, and that nothing published changes by it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows import pipeline, rereading
from flows.pruning import Pruned, Retention, prune
from schemas.errors import Busy, UsageError
from tests.acceptance import support
from tests.acceptance.support import assert_same, fingerprint, ledger, nightly, settings
from warehouse import ledger as ledger_module
from warehouse import store
from warehouse.home import Home
from warehouse.landing import Landing

pytestmark = pytest.mark.slow

KOELA = "koela_ostolaskut_2024.csv"
DEFAULTS = Retention()
NOW = datetime.now(UTC)


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def one(home: Path, name: str) -> Path:
    """Directory in landing of the delivery of a file."""
    return next(item.directory for item in Landing(Home(home)).all() if item.intent.file_name == name)


def identity(home: Path, name: str) -> str:
    return str(json.loads((one(home, name) / "manifest.json").read_text("utf-8"))["delivery_id"])


def corrected(home: Path, folder: Path, name: str = "koela_korjattu_2024.csv") -> None:
    """A newer delivery that replaces the whole year of KOELA, with two lines less."""
    lines = (one(home, KOELA) / "file").read_bytes().splitlines(keepends=True)
    path = folder / name
    path.write_bytes(b"".join([lines[0], *lines[3:]]))
    manifest = {"produced_at": later(2).isoformat(), "coverage_from": "2024-01-01", "coverage_to": "2024-12-31"}
    path.with_name(name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")
    (received,) = pipeline.receive(settings(home), [path], "sample-koela", "purchase_invoices")
    assert received.landed
    nightly(home)


@pytest.fixture(scope="module")
def corrected_home(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
    """The tiny home after a correction. Never changed."""
    folder = tmp_path_factory.mktemp("corrected")
    shutil.copytree(tiny_home, folder / "home", symlinks=True)
    corrected(folder / "home", folder)
    return folder / "home"


@pytest.fixture
def corrected_copy(corrected_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(corrected_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def status(home: Path, name: str) -> str:
    return str(ledger(home, "SELECT status FROM ledger.delivery WHERE file_name = ?", [name]).item())


def everything(home: Path) -> dict[str, int]:
    """Every file with its size."""
    return {
        str(path.relative_to(home)): path.stat().st_size for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"
    }


def pruned(home: Path, at: datetime, retention: Retention = DEFAULTS) -> list[Pruned]:
    """Prune, held to what the dry run said; everything listed is gone, nothing else went."""
    before = everything(home)
    listed = prune(retention, Home(home), at, dry_run=True)
    assert everything(home) == before
    done = prune(retention, Home(home), at, dry_run=False)
    assert done == listed
    gone = {path: size for path, size in before.items() if not (home / path).exists()}
    assert all(any(path == item.path or path.startswith(item.path + "/") for item in done) for path in gone), gone
    assert sum(gone.values()) == sum(item.bytes for item in done)
    assert not any((home / item.path).exists() for item in done)
    return done


def test_a_home_that_is_in_order_loses_nothing_that_counts(home: Path, tiny_home: Path) -> None:
    assert pruned(home, later(0)) == []
    in_force = {item.kind for item in pruned(home, later(10_000))}
    assert not in_force & {"original", "lake"}
    nightly(home)
    assert_same(home, tiny_home)


def test_a_superseded_delivery_goes_after_three_years_and_no_figure_changes(corrected_copy: Path) -> None:
    home = corrected_copy
    assert status(home, KOELA) == "superseded"
    before = fingerprint(home)
    assert not {item.kind for item in pruned(home, later(1094))} & {"original", "lake"}

    going = pruned(home, later(1096))
    assert [item.kind for item in going if item.kind in ("original", "lake")] == ["original", "lake"]
    assert "superseded since" in going[0].why
    directory = one(home, KOELA)
    assert sorted(path.name for path in directory.iterdir()) == ["journal", "manifest.json"]
    last = sorted((directory / "journal").iterdir())[-1]
    assert last.name.endswith("withdrawn.json")
    assert json.loads(last.read_text("utf-8"))["reason"] == "retention"
    assert status(home, KOELA) == "withdrawn"
    assert ledger(home, "SELECT rows_accepted FROM ledger.table_count WHERE delivery_id = ?", [identity(home, KOELA)]).item() > 0
    nightly(home)
    assert fingerprint(home) == before
    assert pruned(home, later(1096)) == []


def test_without_the_pruned_delivery_a_withdrawal_leaves_no_data_and_its_bytes_restore_it(
    corrected_copy: Path, tiny_home: Path, tmp_path: Path
) -> None:
    home = corrected_copy
    original = (one(home, KOELA) / "file").read_bytes()
    pruned(home, later(1096))
    pipeline.command(settings(home), "withdrawn", identity(home, "koela_korjattu_2024.csv"), "wrong")
    nightly(home)
    months = support.published(
        home,
        "SELECT DISTINCT f.status, f.value FROM mart.key_figure f JOIN mart.level l USING (level, level_id) WHERE figure_id = 'spend_total' "
        "AND level = 'organisation' AND level_name LIKE 'Koela%' AND period_kind = 'month' AND period_start >= DATE '2024-01-01'",
    )
    assert set(months["value"]) <= {None}
    assert set(months["status"]) <= {"no_data", "not_computable"}
    assert fingerprint(home) != fingerprint(tiny_home)

    (tmp_path / KOELA).write_bytes(original)
    (received,) = pipeline.receive(settings(home), [tmp_path / KOELA], "sample-koela", "purchase_invoices")
    assert received.landed
    assert not received.is_new
    nightly(home)
    assert status(home, KOELA) == "loaded"
    assert_same(home, tiny_home)


def test_withdrawn_and_refused_deliveries_go_after_a_year(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad_2024.csv").write_text("id;date;text\n1;2021-01-01;x\n", "utf-8")
    list(pipeline.receive(settings(home), [tmp_path / "bad_2024.csv"], "sample-koela", "purchase_invoices"))
    pipeline.command(settings(home), "withdrawn", identity(home, KOELA), "wrong")
    nightly(home)
    before = fingerprint(home)
    assert not {item.kind for item in pruned(home, later(364))} & {"original", "lake"}
    going = pruned(home, later(366))
    assert sorted(item.kind for item in going if item.kind in ("original", "lake")) == ["lake", "original", "original"]
    nightly(home)
    assert fingerprint(home) == before

    # nothing without its file is ever asked for again; the same bytes are a new receipt
    for kind in ("reprocess", "released"):
        with pytest.raises(UsageError, match="receive the file again"):
            pipeline.command(settings(home), kind, identity(home, "bad_2024.csv"), "")
    nightly(home)
    assert status(home, "bad_2024.csv") == "withdrawn"
    list(pipeline.receive(settings(home), [tmp_path / "bad_2024.csv"], "sample-koela", "purchase_invoices"))
    nightly(home)
    assert status(home, "bad_2024.csv") == "refused"
    assert (one(home, "bad_2024.csv") / "file").is_file()


def test_a_superseded_delivery_that_holds_another_back_stays(home: Path, tmp_path: Path) -> None:
    lines = (one(home, KOELA) / "file").read_bytes().splitlines(keepends=True)
    short = tmp_path / "koela_lyhyt_2024.csv"
    short.write_bytes(b"".join(lines[:6]))
    manifest = {
        "produced_at": later(1).isoformat(),
        "coverage_from": "2024-01-01",
        "coverage_to": "2025-12-31",
    }
    short.with_name(short.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")
    list(pipeline.receive(settings(home), [short], "sample-koela", "purchase_invoices"))
    corrected(home, tmp_path)
    held = ledger(home, "SELECT file_name FROM ledger.delivery WHERE is_held")["file_name"].to_list()
    assert (held, status(home, KOELA)) == ([short.name], "superseded")
    before = fingerprint(home)
    assert not {item.kind for item in pruned(home, later(5000))} & {"original", "lake"}
    nightly(home)
    assert fingerprint(home) == before


def test_files_refused_at_the_door_and_generations_go(home: Path) -> None:
    (home / "inbox" / "nobody").mkdir()
    (home / "inbox" / "nobody" / "a.csv").write_text("x;y\n1;2\n", "utf-8")
    nightly(home)
    (home / "refused" / "kept-by-hand").mkdir()
    for number in range(4):
        nightly(home, as_of=support.AS_OF + timedelta(days=60 * number), keep_generations=9)
    (home / "published" / "generations" / ".building-000099").mkdir()
    now = fingerprint(home)

    assert [item.kind for item in prune(Retention(keep_generations=9), Home(home), later(91), dry_run=True)] == [
        "refused",
        "generation",
    ]
    going = pruned(home, later(91), Retention(keep_generations=2))
    assert {item.kind for item in going} == {"refused", "generation"}
    assert [path.name for path in (home / "refused").iterdir()] == ["kept-by-hand"]
    assert sum(path.name.isdigit() for path in (home / "published" / "generations").iterdir()) == 2
    assert fingerprint(home) == now


def test_pruning_waits_for_no_one_and_needs_no_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    assert prune(DEFAULTS, home, later(0), dry_run=True) == []
    assert prune(DEFAULTS, home, later(0), dry_run=False) == []
    with store.writing(home), pytest.raises(Busy):
        prune(DEFAULTS, home, later(0), dry_run=False)


@pytest.mark.parametrize("step", ["retire", "record", "drop_file"])
def test_killed_while_pruning_the_next_one_ends_the_same(
    corrected_copy: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    home = corrected_copy
    before = fingerprint(home)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        where = ledger_module if step == "record" else Landing
        patch.setattr(where, step, dies)
        with pytest.raises(KeyboardInterrupt):
            prune(DEFAULTS, Home(home), later(1096), dry_run=False)
    nightly(home)
    assert fingerprint(home) == before
    prune(DEFAULTS, Home(home), later(1096), dry_run=False)
    nightly(home)
    assert fingerprint(home) == before
    assert status(home, KOELA) == "withdrawn"
    assert not (one(home, KOELA) / "file").exists()
    files = ledger(home, "SELECT path FROM ledger.batch_file")["path"].to_list()
    assert {str(path.relative_to(home / "lake")) for path in (home / "lake").rglob("*.parquet")} == set(files)


def test_originals_with_personal_data_go_and_what_was_accepted_stays(home: Path) -> None:
    """The delivery stays in force without its original; it cannot be read again until the same bytes are received again."""
    personal = Retention(personal_sources=frozenset({"purchase_invoices"}))
    before = fingerprint(home)
    bytes_ = (one(home, KOELA) / "file").read_bytes()
    assert pruned(home, later(29), personal) == []
    gone = pruned(home, later(31), personal)
    assert {item.kind for item in gone} == {"original"}
    assert not list((home / "landing" / "purchase_invoices").rglob("file"))
    assert list((home / "landing" / "procurement_notices").rglob("file"))
    with pytest.raises(UsageError, match="gone by the rules of retention"):
        pipeline.command(settings(home), "reprocess", identity(home, KOELA), "test")
    with duckdb.connect(str(home / "warehouse.duckdb")) as con:
        con.execute("UPDATE ledger.delivery SET read_with = 'other' WHERE source = 'purchase_invoices'")
    finding = rereading.findings(Home(home))[0]
    assert (finding.severity, "4 stay so" in finding.text) == ("ok", True)
    again, run = pipeline.backfill(settings(home), outdated=True)
    assert again == 0
    assert KOELA in " ".join(run.gone)
    nightly(home)
    assert status(home, KOELA) == "loaded"
    assert fingerprint(home) == before
    path = home.parent / KOELA
    path.write_bytes(bytes_)
    pipeline.receive(settings(home), [path], "sample-koela", "purchase_invoices")
    assert (one(home, KOELA) / "file").is_file()
    pipeline.command(settings(home), "reprocess", identity(home, KOELA), "test")
    nightly(home)
    assert fingerprint(home) == before


def test_rows_that_were_read_again_go_when_superseded_ones_would(home: Path) -> None:
    before = fingerprint(home)
    lake = {path for path in (home / "lake").rglob("*.parquet") if "koela" in str(path)}
    pipeline.command(settings(home), "reprocess", identity(home, KOELA), "test")
    nightly(home)
    both = {path for path in (home / "lake").rglob("*.parquet") if "koela" in str(path)}
    assert lake < both
    assert not {item.kind for item in pruned(home, later(1094))} & {"original", "lake"}

    gone = [item for item in pruned(home, later(1096)) if item.kind in ("original", "lake")]
    assert [item.kind for item in gone] == ["lake"]
    assert gone[0].why.startswith("read again ")
    left = {path for path in (home / "lake").rglob("*.parquet") if "koela" in str(path)}
    assert left == {path for path in both if not path.is_relative_to(home / gone[0].path)}
    pipeline.command(settings(home), "reprocess", identity(home, KOELA), "test")
    nightly(home)
    assert fingerprint(home) == before
