"""`python -m benchmarks.equality PUBLISHED FLOOR`: our publication and the floor say the same, cell by cell, or this fails.

Rows accepted and in quarantine, cents, and of every figure at every level and period the numerator, the denominator and the
value. A cell that the floor has no rows for must be empty or zero with us, and the other way round there is none.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

TOLERANCE = 5e-8
"""Our values are rounded to 8 decimals; theirs are binary. Relative above 1."""

COUNTS = """
SELECT (SELECT sum(rows_accepted) FROM ours.meta.delivery), (SELECT count(*) FROM line),
    (SELECT sum(rows_quarantined) FROM ours.meta.delivery), (SELECT sum(lines) FROM refused)"""

CELLS = """
CREATE TABLE compared AS
SELECT coalesce(o.figure_id, f.figure_id) AS figure_id, level, level_id, period_kind, period_start, o.value AS our_value,
    f.value AS their_value, o.numerator AS our_numerator, f.numerator AS their_numerator, o.denominator AS our_denominator,
    f.denominator AS their_denominator, o.status, o.figure_id IS NOT NULL AS is_ours, f.figure_id IS NOT NULL AS is_theirs
FROM (SELECT * FROM ours.mart.key_figure WHERE figure_id IN (SELECT figure_id FROM figure) AND breakdown_kind = '' AND panel = 'all') o
FULL JOIN figure f USING (figure_id, level, level_id, period_kind, period_start)"""

# A share whose denominator is not positive is no share: ours says so (net_credit, denominator_zero) and gives no value.
DIFFERENT = f"""
SELECT * FROM compared WHERE CASE
    WHEN NOT is_ours THEN true
    WHEN NOT is_theirs THEN coalesce(our_numerator, 0) <> 0 OR coalesce(our_denominator, 0) <> 0
    ELSE our_numerator IS DISTINCT FROM their_numerator OR our_denominator IS DISTINCT FROM their_denominator
        OR (our_value IS NULL AND coalesce(their_denominator, 1) > 0)
        OR abs(our_value - their_value) > {TOLERANCE} * greatest(1, abs(their_value)) END"""


def compare(published: Path, floor: Path) -> int:
    """Number of cells compared. Raises AssertionError."""
    con = duckdb.connect()
    con.execute(f"ATTACH '{floor}' AS floor (READ_ONLY); ATTACH '{published.resolve()}' AS ours (READ_ONLY)")
    con.execute("CREATE SCHEMA memory.work; SET search_path = 'memory.work,floor.main'")
    counts = con.execute(COUNTS).fetchone()
    assert counts is not None
    accepted, loaded, quarantined, rejected = counts
    assert (accepted, quarantined) == (loaded, rejected), f"rows: ours {accepted} + {quarantined}, floor {loaded} + {rejected}"
    con.execute(CELLS)
    different = con.execute(DIFFERENT).fetchall()
    assert not different, f"{len(different)} cells differ, first: {different[:5]}"
    compared, figures = con.execute("SELECT count(*) FILTER (is_theirs), count(DISTINCT figure_id) FROM compared").fetchall()[0]
    assert figures == 10, f"{figures} figures compared"
    con.close()
    return int(compared)


def main() -> None:
    published, floor = sys.argv[1:]
    sys.stdout.write(f"{compare(Path(published), Path(floor))}\n")


if __name__ == "__main__":
    main()
