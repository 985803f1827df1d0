"""How the published file is written: what older readers open, and where what does not fit into memory goes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse.home import Home
from warehouse.publication import generations

STORAGE_V1_4 = 67
"""The number that DuckDB writes for its 1.4 line: 64 is 1.0, 65 is 1.2, 66 is 1.3, 68 is 1.5."""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = Home(tmp_path / "home")
    home.create()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    spilled: list[str] = []

    def fill(con: generations.Connection) -> None:
        spilled.append(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))
        con.execute("CREATE TABLE mart.t AS SELECT range AS i, random() AS r FROM range(100_000)")

    path = tmp_path / "home" / "file.duckdb"
    generations.write_file(home, path, fill)
    generations.write_file(home, path.with_name("beside.duckdb"), fill)
    assert all(Path(place).is_relative_to(home.work) for place in spilled)
    assert len(set(spilled)) == 2, "two that are written at once and spill into one directory crash"
    return path


def test_nothing_is_left_where_the_command_was_started(written: Path) -> None:
    assert list(Path.cwd().iterdir()) == []


def test_the_file_says_that_the_1_4_line_can_open_it(written: Path) -> None:
    header = written.read_bytes()[:20]
    assert header[8:12] == b"DUCK"
    with duckdb.connect(str(written), read_only=True) as con:
        told = con.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0]
    assert (int.from_bytes(header[12:20], "little"), told["storage_version"]) == (STORAGE_V1_4, "v1.4.0+")
