"""Conservation: rows that were accepted and do not lie in the files, or files that the ledger does not know, stop the run."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from schemas.errors import InvariantBroken
from schemas.market_court_cases import CONTRACT
from warehouse import ledger, store
from warehouse.home import Home
from warehouse.validation import Prepared, check, checks

TABLE = CONTRACT.tables[0]
COUNTS = {"delivery_id": pl.String, "table_name": pl.String} | dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined"), pl.Int64)
RULES = {"delivery_id": pl.String, "table_name": pl.String, "rule": pl.String, "rows_n": pl.Int64}


def prepared(folder: Path, refused: frozenset[str] = frozenset()) -> Prepared:
    """Deliveries a (three rows) and b (two) in two files; every cell but the id is blank."""
    paths = []
    for number, ids in enumerate((["a", "a"], ["a", "b", "b"])):
        frame = pl.DataFrame({"delivery_id": ids}).with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in TABLE.polars_schema().items() if name != "delivery_id"
        )
        paths.append(str(folder / f"part-{number}.parquet"))
        frame.select(TABLE.polars_schema().names()).write_parquet(paths[-1])
    counts = pl.DataFrame([("a", TABLE.name, 3, 3, 0), ("b", TABLE.name, 2, 2, 0)], schema=COUNTS, orient="row")
    return Prepared(CONTRACT, {TABLE.name: paths}, counts, pl.DataFrame(schema=RULES), refused)


def test_what_was_written_is_counted_and_passes(tmp_path: Path) -> None:
    results, refused = check([prepared(tmp_path)], tmp_path / "gate")
    assert set(refused) == {"a", "b"}, "blank cells are refused by rules, not by the count"
    assert set(results["rows_checked"]) == {2, 3}
    told = [reason.code for reason in refused["a"]]
    assert told == [item.name for item in checks(TABLE) if item.name in told], "in the contract's order"
    assert len(told) > 1


def test_a_file_that_is_gone_stops_the_run(tmp_path: Path) -> None:
    found = prepared(tmp_path)
    Path(found.parquet[TABLE.name][0]).unlink()
    with pytest.raises(InvariantBroken, match=r"delivery a, .*: 3 rows were accepted, 1 lie in the files"):
        check([found], tmp_path / "gate")


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_row_too_few_or_too_many_stops_the_run(tmp_path: Path, keep: int) -> None:
    found = prepared(tmp_path)
    path = Path(found.parquet[TABLE.name][0])
    rows = pl.read_parquet(path)
    pl.concat([rows, rows]).head(keep).write_parquet(path)
    with pytest.raises(InvariantBroken, match=rf"3 rows were accepted, {keep + 1} lie"):
        check([found], tmp_path / "gate")


def test_rows_of_a_delivery_refused_before_are_nobodys_business(tmp_path: Path) -> None:
    found = prepared(tmp_path, frozenset({"a"}))
    Path(found.parquet[TABLE.name][0]).unlink()
    _, refused = check([found], tmp_path / "gate")
    assert "b" in refused


@pytest.mark.parametrize(("files", "active", "broken"), [([2, 3], True, 0), ([2], True, 1), ([], True, 1), ([], False, 0)])
def test_an_active_delivery_without_its_files_is_seen(tmp_path: Path, files: list[int], active: bool, broken: int) -> None:
    with store.writing(Home(tmp_path / "home")) as warehouse:
        warehouse.con.execute(
            "INSERT INTO ledger.delivery BY NAME SELECT 'd' AS delivery_id, 's' AS source, 'a' AS agency, 'h' AS sha256, 'f' AS file_name, "
            "1 AS size_bytes, now()::TIMESTAMP AS produced_at, '' AS produced_from, now()::TIMESTAMP AS received_at, 1 AS receipts_n, "
            "1 AS journal_n, 1 AS attempt, $1 AS is_active, false AS is_released, false AS is_held, 'loaded' AS status, "
            "'batch' AS batch_id, '' AS part, 'run' AS run_id",
            [active],
        )
        warehouse.con.execute("INSERT INTO ledger.table_count VALUES ('d', 't', 5, 5, 0, 0, 0, 0, 0, 0, 0)")
        for rows in files:
            warehouse.con.execute("INSERT INTO ledger.batch_file VALUES ('batch', 's', 't', 'a', ?, ?, NULL, NULL)", [f"{rows}", rows])
        assert len(ledger.check_conservation(warehouse)) == broken
