"""A home is swept, emptied and pruned: a directory that holds other people's things must never become one."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ConfigurationError
from warehouse import store
from warehouse.home import MARK, Home


def test_an_empty_directory_becomes_a_home(tmp_path: Path) -> None:
    Home(tmp_path / "new").create()
    Home(tmp_path / "new").create()
    assert (tmp_path / "new" / MARK).exists()


def test_deliveries_and_registers_may_lie_there_before(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "registry").mkdir()
    Home(tmp_path).create()


@pytest.mark.parametrize("name", ["work", "lake", "published", "notes.txt", ".git"])
def test_a_directory_with_other_things_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    """`work` and `lake` are names that many people use; ours are emptied."""
    mine = tmp_path / name / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("years of work", "utf-8")
    with pytest.raises(ConfigurationError, match=name):
        Home(tmp_path).create()
    with pytest.raises(ConfigurationError), store.writing(Home(tmp_path)):
        pass
    assert mine.read_text("utf-8") == "years of work"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_the_root_of_the_file_system_is_no_home() -> None:
    with pytest.raises(ConfigurationError):
        Home(Path("/")).create()
