"""Real inputs that went wrong elsewhere, with the right values; they lie beside the project, and are skipped where they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.unit.transforms.invoice_files import CONTEXT, accepted, failures
from transforms.delivery import Delivered
from transforms.sources import purchase_invoices as source

CASES = Path(__file__).parents[4] / "shared" / "data" / "cases"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")
Broken = list[tuple[str, int]]


@pytest.mark.parametrize(
    ("case", "agency", "rows", "cents", "broken"),
    [
        ("01-subtotals-dateless/jyvaskyla_ostolaskut_subtot_2016.csv", "jyvaskyla", 300, 15_220_492, []),
        ("03-xlsx-text-and-number-amounts/espoo_text_and_numbers_2024.xlsx", "espoo", 300, 14_718_133, []),
        ("05-quotes-late/espoo_quotes_late_2024.csv", "espoo", 403, 21_400_000, []),
        ("05-quotes-late/espoo_quotes_rare_2024.csv", "espoo", 201, 5_200_000, []),
        ("17-line-wrapped-in-quotes/espoo_wholequoted_2024.csv", "espoo", 3, 3000, []),
        ("19-hidden-sheet/espoo_hidden_2024.xlsx", "espoo", 1, 1050, []),
        ("19-hidden-sheet/espoo_sheets_2024.xlsx", "espoo", 2, 3050, []),
        ("20-dates-half-text/espoo_mixdates_2024.xlsx", "espoo", 6, 60_150, []),
        ("21-last-cell-left-out/espoo_shortlast_2024.csv", "espoo", 4, 4000, []),
        ("21-last-cell-left-out/espoo_trail_2024.csv", "espoo", 4, 4000, []),
        # the cell TRUE of this file is stored as the number 1, without a type: nobody can tell it from one
        ("22-boolean-amount/espoo_errs_2024.xlsx", "espoo", 4, 1900, [("amount_is_formula", 2), ("amount_unreadable", 3)]),
        ("23-comma-dash/espoo_comma_dash_2024.csv", "espoo", 4, 1_344_950, []),
    ],
)
def test_invoices(case: str, agency: str, rows: int, cents: int, broken: Broken) -> None:
    found, told = read(CASES / case, agency)
    assert (found.height, found.select(pl.coalesce("net_cents", "gross_cents").sum()).item()) == (rows, cents)
    assert told == broken


@pytest.mark.parametrize("name", ["espoo_utcmidnight_2024.jsonl", "espoo_utcmidnight_csv_2024.csv"])
def test_days_of_times_with_a_zone(name: str) -> None:
    found, _ = read(CASES / "06-utc-midnight-dates" / name, "espoo")
    days = found["posting_date"].to_list()
    assert days == [date(2024, 1, 1), date(2024, 6, 1), date(2024, 7, 1), date(2024, 3, 1)][: len(days)]


def read(path: Path, agency: str) -> tuple[pl.DataFrame, Broken]:
    item = Delivered("id", "purchase_invoices", agency, path, path.name, path.stat().st_size, datetime(2025, 2, 1, tzinfo=UTC))
    parts = [source.clean(raw, [item], CONTEXT) for raw in source.read([item], CONTEXT)]
    return accepted(parts), failures(parts, source.conclude(parts, [item], CONTEXT))
