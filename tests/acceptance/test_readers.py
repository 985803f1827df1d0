"""Readers during publication: no error, no mixture of generations, no wait."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance import support

READERS = 4
PUBLICATIONS, HEAVY_PUBLICATIONS = 8, 50
LONGEST_WAIT = 5.0
"""Opening and asking takes tens of milliseconds; a reader that waited for a publication would take as long as it."""

READER = """
import json, sys, time
from pathlib import Path
import duckdb
path, stop = Path(sys.argv[1]), Path(sys.argv[2])
asked, numbers, wrong, longest = 0, set(), [], 0.0
while not stop.exists():
    started = time.monotonic()
    try:
        con = duckdb.connect(str(path.resolve()), read_only=True)
        number, cells, mark = con.execute("SELECT publication_no, cells_n, fingerprint FROM meta.publication").fetchone()
        rows, = con.execute("SELECT count(*) FROM mart.key_figure").fetchone()
        again = con.execute("SELECT fingerprint FROM meta.publication").fetchone()[0]
        con.close()
        if rows != cells or again != mark:
            wrong.append(f"publication {number}: {rows} rows, {cells} told")
        numbers.add(number)
    except Exception as error:
        wrong.append(repr(error))
    longest = max(longest, time.monotonic() - started)
    asked += 1
    time.sleep(0.15)  # four readers that spin would only measure two cores
print(json.dumps({"asked": asked, "numbers": sorted(numbers), "wrong": wrong[:5], "longest": longest}))
"""


def publish_while_reading(home: Path, tmp_path: Path, publications: int) -> list[dict[str, object]]:
    """Publish so often, each time with other figures, while readers ask; returns what each reader saw."""
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(home / "published" / "nyckeltal.duckdb"), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(READERS)]
    try:
        time.sleep(0.5)
        for number in range(publications):
            # statuses change from provisional to final and back with the day: another publication each time
            day = support.AS_OF - timedelta(days=0 if number % 2 else 500)
            published = support.nightly(home, as_of=day).published
            assert published is not None
            assert published.is_new
    finally:
        stop.touch()
        outputs = [process.communicate(timeout=60) for process in readers]
    assert [error for _, error in outputs if error] == []
    return [json.loads(output) for output, _ in outputs]


def check(seen: list[dict[str, object]], publications: int) -> None:
    for reader in seen:
        assert reader["wrong"] == []
        assert int(str(reader["asked"])) > publications
        assert float(str(reader["longest"])) < LONGEST_WAIT
    numbers = {number for reader in seen for number in reader["numbers"]}  # type: ignore[attr-defined]
    assert len(numbers) > publications // 2, "the readers saw the publications come"


@pytest.mark.slow
@pytest.mark.parametrize(
    "publications",
    [
        pytest.param(PUBLICATIONS, marks=pytest.mark.long),
        pytest.param(HEAVY_PUBLICATIONS, marks=pytest.mark.heavy),
    ],
)
def test_readers_never_see_a_mixture(home: Path, tmp_path: Path, publications: int) -> None:
    check(publish_while_reading(home, tmp_path, publications), publications)
