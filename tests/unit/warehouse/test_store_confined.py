"""An open warehouse: SQL reads the lake and nothing else of the machine, spills below the home, and cannot allow itself more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
import pytest

from warehouse import store
from warehouse.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "it's a home")
    home.create()
    for place in (home.lake / "part.parquet", tmp_path / "outside.parquet"):
        pl.DataFrame({"a": [1, 2]}).write_parquet(place)
    with store.writing(home):
        pass
    return home


@contextmanager
def opened(home: Home, how: str) -> Iterator[store.Store]:
    with store.writing(home) if how == "writing" else store.reading(home) as warehouse:
        assert warehouse
        yield warehouse


@pytest.mark.parametrize("how", ["writing", "reading"])
def test_only_the_lake_is_read(home: Home, how: str) -> None:
    outside = home.root.parent
    forbidden = [
        f"FROM read_parquet({store.quoted(str(outside / 'outside.parquet'))})",
        f"FROM read_text({store.quoted(str(home.root / '.nyckeltal-home'))})",
        f"COPY (SELECT 1) TO {store.quoted(str(outside / 'told.csv'))}",
        f"ATTACH {store.quoted(str(outside / 'other.duckdb'))} AS other",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
    ]
    with opened(home, how) as warehouse:
        lake = store.quoted(str(home.lake / "part.parquet"))
        assert warehouse.rows(f"SELECT sum(a) AS a FROM read_parquet([{lake}])") == [{"a": 3}]
        for sql in forbidden:
            with pytest.raises((duckdb.PermissionException, duckdb.InvalidInputException)):
                warehouse.con.execute(sql)
    assert sorted(path.name for path in outside.iterdir()) == ["it's a home", "outside.parquet"]


def test_plans_have_what_they_need(home: Home) -> None:
    with store.writing(home) as warehouse:
        warehouse.con.execute("SET VARIABLE expected_through = DATE '2024-01-01'")
        with warehouse.relation("given", pl.DataFrame({"a": [1]})), warehouse.transaction():
            warehouse.con.execute("CREATE TABLE measure.t AS FROM given")
        assert warehouse.scalar("SELECT getvariable('expected_through')::VARCHAR") == "2024-01-01"
        assert warehouse.scalar("SELECT count(*) FROM measure.t") == 1
