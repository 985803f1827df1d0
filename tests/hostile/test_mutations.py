"""Mutated files of each format: read or refused, never anything else; a seed that fails is told, and makes the same file again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flows import readers
from flows.readers import Bounds, ReaderDied
from samples.generate import generate
from tests.hostile.inputs import MB
from tests.hostile.mutations import PARSERS, Seeds, many, read, seeds_of
from transforms.registry import SOURCES

pytestmark = pytest.mark.slow
BOUNDS = Bounds(512 * MB, 3600.0)
AT_ONCE = 200
FEW, SOME = 15, 300
HEAVY_SECONDS = 300.0
"""The box of time of the full count: an hour for all formats, two at a time."""
KEPT: dict[str, tuple[int, ...]] = {}
"""Seeds that once failed."""


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    home = tmp_path_factory.mktemp("sound")
    generate(home, "demo")
    return seeds_of(home)


def run(seeds: Seeds, parser: str, first: int, count: int, seconds: float = 1e9) -> int:
    """Try so many seeds within some seconds; returns how many were tried. Fails with the seeds that failed."""
    end, done, taken = time.monotonic() + seconds, 0, 0
    while done < count and time.monotonic() < end:
        seen: list[int] = []
        some = min(AT_ONCE, count - done)
        try:
            read_n, failed = readers.ask(many, seeds, parser, first + done, some, bounds=BOUNDS, progress=seen.append)
        except ReaderDied as died:
            read_n, failed = 0, [(seen[-1], str(died))]
        assert not failed, f"{parser}: {failed}"
        done, taken = done + some, taken + read_n
    return done


def test_every_format_of_every_source_is_mutated(seeds: Seeds) -> None:
    assert set(PARSERS) <= set(seeds.files)
    assert {source for source, _, _ in (parser.partition(".") for parser in PARSERS)} == set(SOURCES)


@pytest.mark.parametrize("parser", PARSERS)
def test_mutations(seeds: Seeds, parser: str, tmp_path: Path) -> None:
    assert read(seeds, parser, seeds.files[parser][2], tmp_path), "what is mutated is sound"
    run(seeds, parser, 0, FEW)
    for seed in KEPT.get(parser, ()):
        run(seeds, parser, seed, 1)


@pytest.mark.long
@pytest.mark.parametrize("parser", PARSERS)
def test_some_hundred_mutations(seeds: Seeds, parser: str) -> None:
    assert run(seeds, parser, FEW, SOME) == SOME


@pytest.mark.heavy
@pytest.mark.parametrize("parser", PARSERS)
def test_two_thousand_mutations(seeds: Seeds, parser: str) -> None:
    assert run(seeds, parser, FEW + SOME, 2_000) == 2_000


@pytest.mark.heavy
@pytest.mark.parametrize("parser", PARSERS)
def test_a_hundred_thousand_mutations_or_what_the_time_allows(seeds: Seeds, parser: str) -> None:
    print(f"{parser}: {run(seeds, parser, 3_000, 100_000, HEAVY_SECONDS)} mutations")
