"""The benchmark's floor and our publication say the same, so that the benchmark cannot rot."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchmarks import data, equality, floor, homes
from flows import pipeline
from flows.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(published file, the floor's database) of 20,000 rows over three years."""
    work = tmp_path_factory.mktemp("bench")
    source, home, database = work / "bench_2022-2024.csv", homes.make(work / "home"), work / "floor.duckdb"
    data.write(source, 20_000, data.months(date(2022, 1, 1), 36))
    settings = Settings(home=home)
    (received,) = pipeline.receive(settings, [source], homes.HISTORY, "purchase_invoices")
    assert received.landed
    pipeline.nightly(settings)
    floor.make(source, database)
    return home / "published" / "nyckeltal.duckdb", database


def test_every_invoice_figure_equals_the_floor(published: tuple[Path, Path]) -> None:
    assert equality.compare(*published) > 20_000


def test_a_difference_of_one_cent_is_found(published: tuple[Path, Path], tmp_path: Path) -> None:
    import duckdb

    changed = tmp_path / "floor.duckdb"
    changed.write_bytes(published[1].read_bytes())
    with duckdb.connect(str(changed)) as con:
        con.execute(
            "UPDATE figure SET numerator = numerator + 0.01 WHERE figure_id = 'spend_total' AND level = 'national' AND period_kind = 'year'"
        )
    with pytest.raises(AssertionError, match="3 cells differ"):
        equality.compare(published[0], changed)
