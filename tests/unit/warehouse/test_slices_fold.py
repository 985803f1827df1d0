"""What replaces what: the fold over deliveries."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from warehouse.slices import Candidate, Covered, in_force

START = datetime(2024, 1, 1, tzinfo=UTC)
JANUARY, FEBRUARY, YEAR = date(2024, 1, 1), date(2024, 2, 1), date(2024, 1, 1)


def month(period: date, rows: int = 10, cents: int = 1000, part: str = "") -> Covered:
    return Covered(part, period, "month", rows, cents)


def year(rows: int = 10, cents: int = 1000) -> Covered:
    return Covered("", YEAR, "year", rows, cents)


def candidate(name: str, day: int, *covered: Covered, released: bool = False) -> Candidate:
    return Candidate(name, f"batch-{name}", f"sha-{name}", START + timedelta(days=day), released, covered)


def in_force_ids(*candidates: Candidate) -> dict[tuple[str, date, str], str]:
    return {key: winner.delivery_id for key, winner in in_force(candidates).slices.items()}


def test_newer_delivery_replaces_only_what_it_covers() -> None:
    old = candidate("old", 1, month(JANUARY), month(FEBRUARY))
    new = candidate("new", 2, month(FEBRUARY))

    assert in_force_ids(new, old) == {("", JANUARY, "month"): "old", ("", FEBRUARY, "month"): "new"}


def test_parts_are_slices_of_their_own() -> None:
    assert len(in_force_ids(candidate("a", 1, month(JANUARY, part="1")), candidate("b", 2, month(JANUARY, part="2")))) == 2


def test_year_slice_and_month_slices_replace_each_other() -> None:
    months = candidate("months", 1, month(JANUARY), month(FEBRUARY))
    whole = candidate("year", 2, year())
    later = candidate("later", 3, month(FEBRUARY))

    assert in_force_ids(months, whole) == {("", YEAR, "year"): "year"}
    assert in_force_ids(months, whole, later) == {("", FEBRUARY, "month"): "later"}


def test_same_time_is_decided_by_hash() -> None:
    a, b = candidate("a", 1, month(JANUARY)), candidate("b", 1, month(JANUARY))

    assert in_force_ids(a, b) == in_force_ids(b, a) == {("", JANUARY, "month"): "b"}


def test_far_fewer_rows_are_held_until_released() -> None:
    full = candidate("full", 1, month(JANUARY, rows=100, cents=100_000))
    thin = candidate("thin", 2, month(JANUARY, rows=10, cents=100_000))

    result = in_force([full, thin])
    assert result.slices["", JANUARY, "month"].delivery_id == "full"
    assert "100 rows with 10" in result.held["thin"]
    released = candidate("thin", 2, month(JANUARY, rows=10, cents=100_000), released=True)
    assert in_force_ids(full, released) == {("", JANUARY, "month"): "thin"}


def test_far_fewer_euros_are_held() -> None:
    full = candidate("full", 1, month(JANUARY, rows=100, cents=100_000))
    poor = candidate("poor", 2, month(JANUARY, rows=100, cents=49_999))
    enough = candidate("enough", 2, month(JANUARY, rows=100, cents=50_000))

    assert set(in_force([full, poor]).held) == {"poor"}
    assert not in_force([full, enough]).held


def test_a_month_against_a_year_slice_is_held_as_shrinking() -> None:
    whole = candidate("year", 1, year(rows=1200))
    one = candidate("month", 2, month(JANUARY, rows=100))

    assert set(in_force([whole, one]).held) == {"month"}


def months_of(rows: list[int]) -> list[Covered]:
    return [month(date(2024, number, 1), count, count * 100) for number, count in enumerate(rows, start=1)]


def test_a_year_that_comes_back_without_five_months_is_held() -> None:
    full = candidate("full", 1, *months_of([100] * 12))
    gaps = candidate("gaps", 2, *months_of([0] * 5 + [100] * 7))

    held = in_force([full, gaps])
    assert held.held == {"gaps": "would replace 100 rows of 2024-01 with 0; release it if that is right"}
    assert {winner.delivery_id for winner in held.slices.values()} == {"full"}


def test_one_part_does_not_make_good_what_another_loses() -> None:
    full = candidate("full", 1, month(JANUARY, 100, part="1"), month(JANUARY, 100, part="2"))
    moved = candidate("moved", 2, month(JANUARY, 10, part="1"), month(JANUARY, 190, part="2"))
    assert set(in_force([full, moved]).held) == {"moved"}


def test_a_year_in_place_of_months_is_compared_with_all_of_them() -> None:
    assert not in_force([candidate("months", 1, *months_of([100] * 6)), candidate("year", 2, year(500, 60_000))]).held


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12))
def test_a_delivery_is_held_exactly_when_the_whole_or_a_month_of_it_shrinks(months: list[tuple[int, int]]) -> None:
    old, new = [before for before, _ in months], [after for _, after in months]
    found = in_force([candidate("old", 1, *months_of(old)), candidate("new", 2, *months_of(new))])

    pairs = [(sum(old), sum(new)), *months]
    assert bool(found.held) == any(before >= 20 and 2 * after < before for before, after in pairs)
    assert {winner.delivery_id for winner in found.slices.values()} == ({"old"} if found.held else {"new"})


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_arrival_order_never_matters(seed: int, size: int) -> None:
    chance = random.Random(seed)
    candidates = [
        candidate(
            f"d{i}",
            chance.randrange(5),
            *(
                [year(chance.randrange(60))]
                if chance.random() < 0.2
                else [month(date(2024, m, 1), chance.randrange(60)) for m in range(1, 4)]
            ),
            released=chance.random() < 0.3,
        )
        for i in range(size)
    ]
    shuffled = candidates[:]
    chance.shuffle(shuffled)

    assert in_force_ids(*candidates) == in_force_ids(*shuffled)
    assert in_force(candidates).held == in_force(shuffled).held
