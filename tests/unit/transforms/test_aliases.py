"""Which organisation a delivered code means, by day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from transforms.aliases import aliases_on
from transforms.delivery import Delivered
from transforms.sources import survey_cleaning

ROWS = "a,X,0101263-6,,2022-12-31\na,X,0124610-9,2023-01-01,2023-12-31\na,Y,0124610-9,,\nb,X,0211675-2,,\n"
REFERENCE = Reference.load({"organisation_aliases.csv": f"agency,delivered_code,organisation_id,valid_from,valid_to\n{ROWS}"})


@pytest.mark.parametrize(
    ("day", "meant"),
    [
        (date(2022, 12, 31), "0101263-6"),
        (date(2023, 1, 1), "0124610-9"),
        (date(2023, 12, 31), "0124610-9"),
        (date(2024, 1, 1), None),
    ],
)
def test_a_code_means_who_bears_it_on_the_day(tmp_path: Path, day: date, meant: str | None) -> None:
    known = aliases_on(REFERENCE, "a", day)
    assert (known.get("X"), known["Y"]) == (meant, "0124610-9")

    made = datetime(2026, 1, 1, tzinfo=UTC)
    item = Delivered("d", "satisfaction_surveys", "a", tmp_path, "f.csv", 1, made, date(day.year, 1, 1), day)
    answers = pl.DataFrame(
        {"organisation_id": ["X"], "company_id": [None]}, schema={"organisation_id": pl.String, "company_id": pl.String}
    )
    assert survey_cleaning._placed(answers, item, REFERENCE)["organisation_id"].to_list() == [meant]


def test_a_delivery_without_coverage_speaks_for_the_day_it_was_made(tmp_path: Path) -> None:
    item = Delivered("d", "s", "a", tmp_path, "f.csv", 1, datetime(2024, 5, 6, 7, tzinfo=UTC))
    assert item.day == date(2024, 5, 6)
