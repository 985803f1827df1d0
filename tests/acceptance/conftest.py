"""Samples shared by the acceptance tests: made once, never changed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from flows import cli
from tests.acceptance import left_homes, support


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Outcome]


@pytest.fixture
def nyckeltal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line's entry point in this process: `nyckeltal(home, word...)`. Exit code 70 (a defect) fails the test."""
    monkeypatch.setenv("NYCKELTAL_SETTLE_SECONDS", "0")

    def call(home: Path, *words: str | Path, as_of: str = support.AS_OF.isoformat()) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["nyckeltal", "--home", str(home), "--as-of", as_of, *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code if isinstance(ended.value.code, int) else 0 if ended.value.code is None else 1
        text = capsys.readouterr()
        assert code in support.DOCUMENTED_EXITS, f"exit code {code}: {text.err}"
        assert "Traceback" not in text.err + text.out
        return Outcome(code, text.out, text.err)

    return call


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own: the tiny sample, loaded and published."""
    shutil.copytree(tiny_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def _made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A directory that the first test process to ask makes and the others find; what is half made is made anew."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"shared-{name}"
    with FileLock(f"{place}.lock"):
        if not (place / "made").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            make(place / "home")
            (place / "made").touch()
    return place / "home"


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo sample after one nightly run. Read only."""

    def make(home: Path) -> None:
        support.sample(home, "demo")
        support.nightly(home)

    return _made_once(tmp_path_factory, "demo", make)


@pytest.fixture(scope="session")
def tiny_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny sample, delivered and not yet taken. Read only."""
    return _made_once(tmp_path_factory, "tiny-sample", support.sample)


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory, tiny_sample: Path) -> Path:
    """The tiny sample after one nightly run. Read only."""

    def make(home: Path) -> None:
        support.empty_home(tiny_sample, home)
        support.deliver(support.delivered_files(tiny_sample), tiny_sample, home)
        support.nightly(home)

    return _made_once(tmp_path_factory, "tiny-home", make)


@pytest.fixture(scope="session")
def left_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that the first release without a schema number left (tests/homes), as it stood. Read only."""
    return _made_once(tmp_path_factory, "left-home", lambda home: left_homes.unpack("schema-0", home.parent))


@pytest.fixture(scope="session")
def upgraded_home(tmp_path_factory: pytest.TempPathFactory, left_home: Path) -> Path:
    """The same after a night of this release. Read only."""

    def make(home: Path) -> None:
        shutil.copytree(left_home, home, symlinks=True)
        support.nightly(home, as_of=left_homes.DAY)

    return _made_once(tmp_path_factory, "upgraded-home", make)
