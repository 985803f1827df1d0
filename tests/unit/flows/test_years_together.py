"""Which years plans group at once: as many as are small together, with the years between that nobody touched."""

from __future__ import annotations

import pytest

from flows import refreshing

LIMIT = refreshing.ROWS_AT_ONCE


@pytest.mark.parametrize(
    ("sizes", "years", "spans"),
    [
        ({}, [], []),
        ({2023: 10, 2024: 10}, [2023, 2024], [(2023, 2024)]),
        ({2023: LIMIT, 2024: LIMIT}, [2023, 2024], [(2023, 2023), (2024, 2024)]),
        ({2022: LIMIT - 20, 2023: 10, 2024: 10, 2025: 10}, [2022, 2023, 2024, 2025], [(2022, 2024), (2025, 2025)]),
        ({2010: 10, 2017: LIMIT, 2024: 10}, [2010, 2024], [(2010, 2010), (2024, 2024)]),
    ],
)
def test_spans_hold_so_many_rows(sizes: dict[int, int], years: list[int], spans: list[tuple[int, int]]) -> None:
    assert refreshing._years_together(years, sizes) == spans
