"""Figures without any national cell: one row of the last full year with the reason, gone when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows import absent
from schemas.key_figure import CELL
from transforms.key_figures import DEFINITIONS
from warehouse.home import Home
from warehouse.store import Store, writing

WANTED = {name: DEFINITIONS[name] for name in ("spend_total", "contacts_n", "einvoice_share")}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with writing(Home(tmp_path)) as opened:
        yield opened


def _rows(store: Store) -> set[tuple[str, str, date]]:
    return {(row["figure_id"], row["reason"], row["period_start"]) for row in store.rows("FROM figure.cell")}


def test_every_figure_without_a_national_cell_says_why(store: Store) -> None:
    changed = absent.fill_in(store, WANTED, {"purchase_invoices"}, date(2025, 11, 21))

    year = date(2024, 1, 1)
    assert _rows(store) == {
        ("spend_total", "nothing_counted", year),
        ("contacts_n", "no_delivery", year),
        ("einvoice_share", "no_source", year),
    }
    assert changed.rows() == [("year", year, date(2024, 12, 31))]
    assert absent.fill_in(store, WANTED, {"purchase_invoices"}, date(2025, 12, 31)).is_empty()


def test_the_row_goes_when_there_is_a_cell_and_moves_with_the_year(store: Store) -> None:
    absent.fill_in(store, WANTED, set(), date(2024, 3, 1))
    row = dict.fromkeys(CELL.polars_schema().names()) | {
        "figure_id": "spend_total", "variant": "", "scope": "all", "breakdown_kind": "", "breakdown_id": "", "level": "national",
        "level_id": "FI", "period_kind": "year", "period_start": date(2020, 1, 1), "numerator": 1, "n": 1, "covered": 1, "asked": 1,
    }  # fmt: skip
    store.append("figure.cell", pl.DataFrame([row], schema=CELL.polars_schema()))

    changed = absent.fill_in(store, WANTED, {"purchase_invoices"}, date(2025, 3, 1))

    assert _rows(store) == {
        ("spend_total", None, date(2020, 1, 1)),
        ("contacts_n", "no_delivery", date(2024, 1, 1)),
        ("einvoice_share", "no_source", date(2024, 1, 1)),
    }
    assert sorted(changed["period_start"]) == [date(2023, 1, 1), date(2024, 1, 1)]
