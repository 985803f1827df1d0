"""The order in which deliveries arrive is moot: what is in force at the end decides, whatever happened on the way."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest

from flows import pipeline
from tests.acceptance import support
from tests.acceptance.support import assert_same, settings

PRODUCED = datetime(2025, 1, 1, tzinfo=UTC)
ORDERS, HEAVY_ORDERS = 10, 50
LOADS = (2, 2, 3)
"""Nightly runs that an order is spread over."""
ORDERS_OF_AN_ENDING = 5
"""So many orders lead to the same files: what they are compared with is made once."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_sample: Path) -> Path:
    """The sample's files and altered ones, each with a manifest that fixes when it was produced."""
    folder = tmp_path_factory.mktemp("deliveries")
    for number, path in enumerate(support.delivered_files(tiny_sample)):
        agency, source = path.parts[-3:-1]
        shutil.copyfile(path, folder / path.name)
        _manifest(folder / path.name, agency, source, PRODUCED + timedelta(days=number))
    koela, state = folder / "koela_ostolaskut_2024.csv", folder / "th_data_2024.csv"
    lines = koela.read_bytes().splitlines(keepends=True)
    later, earlier = PRODUCED + timedelta(days=60), PRODUCED - timedelta(days=60)
    _alter(koela, "koela_korjattu.csv", b"".join(lines[:1] + lines[3:]), later)
    _alter(koela, "koela_luonnos.csv", b"".join(lines[:-7]), earlier)
    _alter(koela, "koela_lyhyt.csv", b"".join(lines[:5]), later + timedelta(days=1))  # held by the shrink guard
    old = re.sub(rb"\.2024;", b".2021;", koela.read_bytes())
    _alter(koela, "koela_2021.csv", old, later, coverage_from="2021-01-01", coverage_to="2021-12-31")
    march = [line for line in lines[1:] if b".03.2024;" in line]
    month = b"".join([lines[0], *march]).replace(b".03.2024;", b".03.2025;")
    _alter(koela, "koela_2025_03.csv", month, later, coverage_from="2025-03-01", coverage_to="2025-03-31")
    _alter(state, "th_data_korjattu.csv", state.read_bytes().replace(b";1", b";2", 40), later)
    return folder


def _manifest(path: Path, agency: str, source: str, produced: datetime, **more: str) -> None:
    text = {"agency": agency, "source": source, "produced_at": produced.isoformat(), **more}
    if source == "purchase_invoices" and "coverage_from" not in more and (year := re.search(r"20\d\d", path.name)):
        text |= {"coverage_from": f"{year[0]}-01-01", "coverage_to": f"{year[0]}-12-31"}
    path.with_name(path.name + ".manifest.json").write_text(json.dumps(text), "utf-8")


def _alter(original: Path, name: str, data: bytes, produced: datetime, **more: str) -> None:
    path = original.with_name(name)
    path.write_bytes(data)
    manifest = json.loads(original.with_name(original.name + ".manifest.json").read_text("utf-8"))
    coverage = {"coverage_from": "2024-01-01", "coverage_to": "2024-12-31"} | more
    _manifest(path, manifest["agency"], manifest["source"], produced, **coverage)


@dataclass(frozen=True)
class Case:
    """Events in order: (word, file name); `final` are the files in force or held at the end."""

    events: list[tuple[str, str]]
    final: list[str]


def plan(rng: Random, names: list[str], final: list[str]) -> Case:
    """A random order that leaves the files `final`: some come twice, some are withdrawn, some withdrawn and delivered again, loads
    in between."""
    lives: list[list[tuple[str, str]]] = []
    for name in names:
        stays = name in final
        again = rng.random() < 0.4
        words = ["receive"] * rng.choice([1, 1, 2])
        if not stays or again:
            words.append("withdraw")
        if stays and again:
            words.append("receive")
        if stays or again:
            lives.append([(word, name) for word in words])
    events: list[tuple[str, str]] = []
    while lives:
        life = rng.choice(lives)
        events.append(life.pop(0))
        lives = [rest for rest in lives if rest]
    for position in sorted(rng.sample(range(1, len(events)), k=rng.choice(LOADS) - 1), reverse=True):
        events.insert(position, ("nightly", ""))
    return Case([*events, ("nightly", "")], final)


def carry_out(case: Case, rng: Random, folder: Path, home: Path) -> None:
    landed: dict[str, str] = {}
    for word, name in case.events:
        if word == "nightly":
            support.nightly(home)
        elif word == "withdraw":
            pipeline.command(settings(home), "withdrawn", landed[name], "")
        else:
            landed[name] = _receive(folder / name, home, through_inbox=rng.random() < 0.5)


def _receive(path: Path, home: Path, through_inbox: bool) -> str:
    if through_inbox:
        drop = home / "inbox" / path.name
        shutil.copyfile(path.with_name(path.name + ".manifest.json"), drop.with_name(path.name + ".manifest.json"))
        shutil.copyfile(path, drop)
        path = drop
    (received,) = pipeline.receive(settings(home), [path], *_place(path))
    assert received.landed is not None, received.reasons
    return received.landed.delivery_id


def _place(path: Path) -> tuple[str, str]:
    manifest = json.loads(path.with_name(path.name + ".manifest.json").read_text("utf-8"))
    return manifest["agency"], manifest["source"]


@pytest.fixture(scope="module")
def at_once(folder: Path, tiny_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], Path]:
    """Homes that received just some files and loaded them in one run, made when first asked for."""
    made: dict[tuple[str, ...], Path] = {}

    def home_of(names: list[str]) -> Path:
        if tuple(names) not in made:
            home = support.empty_home(tiny_sample, tmp_path_factory.mktemp("undisturbed") / "home")
            for name in names:
                _receive(folder / name, home, through_inbox=False)
            support.nightly(home)
            made[tuple(names)] = home
        return made[tuple(names)]

    return home_of


def check_order(seed: int, folder: Path, at_once: Callable[[list[str]], Path], tiny_sample: Path, tmp_path: Path) -> None:
    rng, ending = Random(f"order-{seed}"), Random(f"ending-{seed // ORDERS_OF_AN_ENDING}")
    names = sorted(path.name for path in folder.iterdir() if not path.name.endswith(".manifest.json"))
    case = plan(rng, names, [name for name in names if ending.random() < 0.75])
    home = support.empty_home(tiny_sample, tmp_path / "home")
    carry_out(case, rng, folder, home)
    undisturbed = at_once(case.final)
    assert_same(home, undisturbed)
    sql = "SELECT source, agency, file_name, status, is_held FROM ledger.delivery WHERE is_active ORDER BY ALL"
    assert support.ledger(home, sql).equals(support.ledger(undisturbed, sql))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(ORDERS))
def test_orders(seed: int, folder: Path, at_once: Callable[[list[str]], Path], tiny_sample: Path, tmp_path: Path) -> None:
    check_order(seed, folder, at_once, tiny_sample, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(ORDERS, HEAVY_ORDERS))
def test_many_orders(seed: int, folder: Path, at_once: Callable[[list[str]], Path], tiny_sample: Path, tmp_path: Path) -> None:
    check_order(seed, folder, at_once, tiny_sample, tmp_path)


@pytest.mark.long
def test_the_clock_on_the_wall_is_moot(tiny_sample: Path, tiny_home: Path, tmp_path: Path) -> None:
    """Another time zone, another hash seed, another number of threads: the same figures."""
    home = support.empty_home(tiny_sample, tmp_path / "home")
    support.deliver(support.delivered_files(tiny_sample), tiny_sample, home)
    done = support.run(home, "nightly", TZ="Asia/Tokyo", PYTHONHASHSEED="4711", POLARS_MAX_THREADS="3", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    assert_same(home, tiny_home)


def test_the_order_of_rows_in_the_lake_is_moot(home: Path, tiny_home: Path) -> None:
    """Rows shuffled into other row groups, everything measured and computed again: the same figures."""
    for number, path in enumerate(sorted(home.glob("lake/*/*/*/*/*.parquet"))):
        frame = pl.read_parquet(path)
        frame.sample(fraction=1, shuffle=True, seed=number).write_parquet(path, row_group_size=7)
    with duckdb.connect(str(home / "warehouse.duckdb")) as con:
        con.execute("UPDATE ledger.state SET value = 'other' WHERE key LIKE 'measured_with %' OR key = 'computed_with'")
    run = support.nightly(home)
    assert run.published is not None
    assert run.published.cells_changed == 0
    assert_same(home, tiny_home)


@pytest.mark.long
def test_the_order_of_files_in_the_inbox_is_moot(tiny_sample: Path, tiny_home: Path, tmp_path: Path) -> None:
    """In reverse order of their names, three a night."""
    home = support.empty_home(tiny_sample, tmp_path / "home")
    files = support.delivered_files(tiny_sample)[::-1]
    for first in range(0, len(files), 3):
        support.deliver(files[first : first + 3], tiny_sample, home)
        support.nightly(home)
    assert_same(home, tiny_home)
