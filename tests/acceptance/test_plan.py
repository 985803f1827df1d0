"""`nyckeltal plan` says what the night then does, and leaves the home as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest

from flows import pipeline, planning, refreshing
from schemas.errors import StorageFailed
from tests.acceptance import left_homes, plans, support
from tests.acceptance.buyers import BUYERS, deliver, registers
from tests.acceptance.conftest import CommandLine
from tests.acceptance.plans import assert_night_does_what_plan_says
from warehouse.landing import Intent

pytestmark = pytest.mark.slow
DAY = date(2025, 7, 1)
ALKU, BETONI, LATE = (BUYERS[key] for key in ("alku", "betoni", "viides"))
WITHOUT_OVERRIDE = "import ctypes, os, sys; [ctypes.CDLL(None).prctl(24, n, 0, 0, 0) for n in (1, 2)]; os.execv(sys.argv[1], sys.argv[1:])"
"""Run a command without the capabilities by which root writes and reads where it has no right to (CAP_DAC_OVERRIDE, _READ_SEARCH)."""


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two municipalities' invoices of 2022 and 2023, published when both years are final; a third may deliver. Never changed."""
    home = tmp_path_factory.mktemp("plans") / "home"
    registers(home, [ALKU, BETONI, LATE])
    deliver(home, ALKU, 2022, through=2023)
    for year in (2022, 2023):
        deliver(home, BETONI, year)
    support.nightly(home, as_of=DAY)
    return home


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(published_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


Act = Callable[[Path, Random], None]


def _produced(rng: Random) -> datetime:
    return datetime(2025, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), tzinfo=UTC)


def _late(home: Path, rng: Random) -> None:
    deliver(home, replace(LATE, euros=rng.randint(1000, 9000)), rng.choice([2022, 2023]), produced=_produced(rng))


def _correction(home: Path, rng: Random) -> None:
    deliver(home, replace(BETONI, euros=BETONI.euros + rng.randint(1, 99)), 2023, produced=_produced(rng))


def _shrunk(home: Path, rng: Random) -> None:
    deliver(home, replace(ALKU, euros=rng.randint(1, 99)), 2022, through=2023, produced=_produced(rng))


def _broken(home: Path, rng: Random) -> None:
    folder = home / "inbox" / rng.choice(["alku", "nobody"]) / "purchase_invoices"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"rikki{rng.randint(1, 999)}.csv").write_text(f"ei;mitään;{rng.random()}\n1;2;3\n", "utf-8")


def _sector(home: Path, rng: Random) -> None:
    path = home / "registry" / "organisations.csv"
    words = ["Alku,,,municipality", "Alku,,,joint_authority"]
    text = path.read_text("utf-8")
    there = words[0] in text
    path.write_text(text.replace(words[not there], words[there]), "utf-8")


def _command(kind: str) -> Act:
    def act(home: Path, rng: Random) -> None:
        sql = "SELECT delivery_id FROM ledger.delivery WHERE is_active AND batch_id IS NOT NULL AND (is_held OR ? <> 'released') ORDER BY ALL"
        found = support.ledger(home, sql, [kind])["delivery_id"].to_list()
        if found:
            pipeline.command(support.settings(home), kind, rng.choice(found), "tried")

    return act


def _landed_twice(home: Path, rng: Random) -> None:
    """What is in landing comes once more, as it was: a delivery that is in force, held, refused or withdrawn."""
    manifests = sorted((home / "landing").rglob("manifest.json"))
    known = json.loads(rng.choice(manifests).read_text("utf-8"))
    source = home / "landing" / known["source"] / known["agency"] / known["sha256"] / "file"
    target = home / "inbox" / known["agency"] / known["source"] / known["file_name"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)


def _interrupted(home: Path, rng: Random) -> None:
    """A crash left a file on its way into landing."""
    staged = home.parent / f"staged{rng.random()}"
    deliver(staged, LATE, 2021)
    (path,) = support.delivered_files(staged)
    moment = _produced(rng)
    intent = Intent("purchase_invoices", LATE.key, path.name, moment, moment, "receipt", date(2021, 1, 1), date(2021, 12, 31))
    waiting = home / "landing" / ".incoming" / f"{rng.randrange(16**8):08x}"
    waiting.mkdir(parents=True)
    (waiting / "intent.json").write_text(json.dumps(intent.to_json()), "utf-8")
    path.rename(waiting / "file")


def _unpublished(home: Path, _: Random) -> None:
    """A run that loaded and revised, and died before its publication was out."""

    def fail(*_: object) -> None:
        raise StorageFailed("full")

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(refreshing, "publish", fail)
        with suppress(StorageFailed):  # nothing to publish, nothing to die of
            support.nightly(home, as_of=DAY)


def _loaded_only(home: Path, _: Random) -> None:
    """As events do it: landed and loaded, not yet computed."""
    settings = support.settings(home, as_of=DAY)
    pipeline.land(settings)
    pipeline.load(settings)


ACTS: dict[str, Act] = {
    "late": _late,
    "correction": _correction,
    "shrunk": _shrunk,
    "broken": _broken,
    "sector": _sector,
    "withdrawn": _command("withdrawn"),
    "released": _command("released"),
    "reprocess": _command("reprocess"),
    "landed twice": _landed_twice,
    "interrupted": _interrupted,
    "loaded only": _loaded_only,
}
NIGHTS = [
    ["late", "correction", "broken"],
    [],
    ["shrunk", "sector", "interrupted"],
    ["released", "loaded only", "withdrawn", "landed twice"],
]


def test_the_night_does_what_its_plan_says(home: Path) -> None:
    """Late, corrected, refused, held, released, withdrawn, interrupted deliveries and an edited register, and nights without."""
    rng, found = Random(11), []
    for acts in NIGHTS:
        for act in acts:
            ACTS[act](home, rng)
        found.append(assert_night_does_what_plan_says(home, DAY))
    causes = [set(plan.causes["cause"]) for plan in found]
    assert causes[:3] == [{"late", "correction"}, set(), {"reference"}], "what the interrupted file brings is new"
    outcomes = [{row["outcome"] for row in plan.deliveries} for plan in found]
    assert outcomes[:3] == [{"loaded", "superseded", "refused"}, set(), {"loaded", "held"}]
    assert [plan.does_something for plan in found] == [True, False, True, True]
    assert found[0].cells.filter(change="new").height
    assert found[0].cells.filter(change="value")["difference"].null_count() == 0


def test_a_publication_that_a_crash_left_is_planned(home: Path) -> None:
    ACTS["correction"](home, Random(1))
    _unpublished(home, Random(1))
    again = planning.plan(support.settings(home, as_of=DAY))
    plan = assert_night_does_what_plan_says(home, DAY)
    assert planning.summary(plan, 1000) == planning.summary(again, 1000), "planned twice"
    assert plan.cells.equals(again.cells)
    assert (plan.publication_no, set(plan.causes["cause"]), plan.deliveries) == (2, {"correction"}, [])


@pytest.mark.long
def test_a_night_that_makes_a_lost_warehouse_anew_is_planned(home: Path) -> None:
    ACTS["correction"](home, Random(1))
    (home / "warehouse.duckdb").unlink()
    plan = assert_night_does_what_plan_says(home, DAY)
    assert (plan.publication_no, set(plan.causes["cause"])) == (2, {"correction"})


def test_a_lost_publication_that_the_night_puts_back_is_planned(home: Path) -> None:
    (home / "published" / "current" / "nyckeltal.duckdb").unlink()
    found = planning.plan(support.settings(home))
    assert found.does_something
    assert [row["file"] for row in found.damaged] == ["published/generations/000001/nyckeltal.duckdb"]
    support.nightly(home)
    assert not planning.plan(support.settings(home)).does_something


@pytest.mark.long
def test_a_first_night_and_a_new_day_are_planned(tmp_path: Path) -> None:
    home = tmp_path / "home"
    registers(home, [ALKU])
    deliver(home, ALKU, 2023)
    first = assert_night_does_what_plan_says(home, date(2024, 1, 10))
    assert (first.publication_no, set(first.cells["change"]), first.causes.height) == (1, {"new"}, 0)
    later = assert_night_does_what_plan_says(home, DAY)
    statuses = planning.summary(later, 1)["statuses"]
    assert {(row["status_before"], row["status"]) for row in statuses} >= {("provisional", "final")}


@pytest.mark.heavy
def test_what_is_withheld_is_not_told_by_a_plan(demo_home: Path, tmp_path: Path) -> None:
    """A survey and the contacts of a year are withdrawn: figures of few people, some withheld, some their owners' only. In the default suite
    tests/unit/warehouse/test_planned_cells.py holds the rule."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, symlinks=True)
    sql = "SELECT delivery_id FROM ledger.delivery WHERE file_name IN ('kontakter_2025-11-15.csv', 'toimittajakysely_2025-02-02.csv')"
    for delivery_id in support.ledger(home, sql)["delivery_id"]:
        pipeline.command(support.settings(home), "withdrawn", delivery_id, "tried")
    plan = assert_night_does_what_plan_says(home, support.AS_OF)
    hidden = plans.withheld(home)
    assert plan.cells.filter(change="value").height
    shown = plan.cells.filter(pl.col("value").is_not_null() | pl.col("value_before").is_not_null())
    told = planning.summary(plan, 10_000)["largest"]
    assert {row["level"] for row in told} >= {"national"}
    for rows in (shown.select(plans.KEY), plan.causes.select(plans.KEY), pl.DataFrame(told).select(plans.KEY)):
        assert not set(rows.iter_rows()) & hidden


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(20))
def test_random_histories_are_planned(home: Path, seed: int) -> None:
    rng = Random(seed)
    for number in range(6):
        for act in rng.sample(sorted(ACTS), rng.randint(0, 3)):
            ACTS[act](home, rng)
        if rng.random() < 0.2:
            _unpublished(home, rng)
        assert_night_does_what_plan_says(home, date(2025, 7 + number // 2, 1))


def test_other_registers_are_tried(home: Path, tmp_path: Path, nyckeltal: CommandLine) -> None:
    tried = tmp_path / "other" / "registry"
    shutil.copytree(home / "registry", tried)
    _sector(tried.parent, Random(1))
    as_of = DAY.isoformat()
    untouched = plans.traces(home)
    ended = nyckeltal(home, "plan", "--registry", tried, "--format", "json", as_of=as_of)
    told = json.loads(ended.out)
    assert ended.code == 1
    assert {row["cause"] for row in told["causes"]} == {"reference"}
    assert (told["cells"]["new"] > 0, told["deliveries"]) == (True, [])
    assert plans.traces(home) == untouched
    assert nyckeltal(home, "plan", as_of=as_of).code == 0
    (tried / "organisations.csv").write_text("organisation_id,sector\nx,nowhere\n", "utf-8")
    wrong = nyckeltal(home, "plan", "--registry", tried, as_of=as_of)
    assert (wrong.code, f"{tried}/organisations.csv" in wrong.err) == (3, True)
    assert nyckeltal(home, "plan", "--registry", home, as_of=as_of).code == 3, "no registers there"
    assert nyckeltal(home, "plan", "--registry", tmp_path / "missing", as_of=as_of).code == 2


def test_a_table_names_deliveries_causes_and_the_largest_changes(home: Path, nyckeltal: CommandLine) -> None:
    deliver(home, replace(BETONI, euros=9000), 2023, produced=datetime(2025, 3, 1, tzinfo=UTC))
    ended = nyckeltal(home, "plan", "--limit", "1", as_of=DAY.isoformat())
    assert ended.code == 1
    for words in ("betoni/purchase_invoices/betoni_2023.csv", "Publication 2", "correction", "+84,000"):
        assert words in ended.out
    assert ended.out.count("Betoni") <= 1, "one of the largest changes was asked for"


@pytest.mark.long
def test_a_home_that_may_only_be_read_is_planned(home: Path, tmp_path: Path) -> None:
    """By a user whom the rights keep from writing, also where the tests run as root."""
    deliver(home, replace(BETONI, euros=9000), 2023, produced=datetime(2025, 3, 1, tzinfo=UTC))
    paths = [home, *(path for path in home.rglob("*") if not path.is_symlink())]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    untouched = plans.traces(home)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = _humbly(home, "plan", "--scratch", scratch, "--format", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr, [row["outcome"] for row in told["deliveries"]]) == (1, "", ["superseded", "loaded"])
    assert plans.traces(home) == untouched
    assert list(scratch.iterdir()) == []
    original = next(home.glob("landing/*/*/*/file"))
    original.chmod(0)
    done = _humbly(home, "plan", "--scratch", scratch)
    assert (done.returncode, str(original) in done.stderr, list(scratch.iterdir())) == (3, True, [])
    for path in paths:
        path.chmod(0o755)  # so that it may be removed


def _humbly(home: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line, without the right to write and read whatever it likes."""
    humble = [sys.executable, "-c", WITHOUT_OVERRIDE, *support.arguments(home, *words)]
    return subprocess.run(humble, env=support.environment(), capture_output=True, text=True, check=False)


@pytest.mark.long
def test_a_home_of_an_older_release_is_planned_without_bringing_it_forward(tmp_path: Path) -> None:
    home = left_homes.unpack("schema-0", tmp_path)
    assert_night_does_what_plan_says(home, left_homes.DAY)
