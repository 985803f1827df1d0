"""Deviation: when a month is judged, what is flagged, and how often wrongly (METHOD 8)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
import pytest

from transforms import deviation
from transforms.periods import add_months

START = date(2018, 1, 1)
SEASON = (0.0, -0.1, 0.05, 0.0, 0.1, 0.2, -0.4, -0.1, 0.1, 0.0, 0.1, 0.3)


def month(at: int) -> date:
    return add_months(START, at)


def plain(count: int, seed: int = 1, noise: float = 0.1) -> list[float]:
    """A series with a season, a little growth and noise."""
    source = random.Random(seed)
    return [math.exp(12 + SEASON[at % 12] + 0.003 * at + source.gauss(0, noise)) for at in range(count)]


def rows(
    series: Sequence[Sequence[float | None]],
    due: Sequence[int],
    flagged: Sequence[int] = (),
    n: float = 100,
    is_share: bool = False,
) -> pl.DataFrame:
    """INPUT of some series; None is a month that is not there."""
    data = [
        {
            "series": number,
            "figure_id": "spend_total",
            "month": month(at),
            "x": x,
            "n": float(n),
            "is_share": is_share,
            "is_usable": True,
            "was_flagged": at in flagged,
            "is_due": at in due,
        }
        for number, values in enumerate(series)
        for at, x in enumerate(values)
        if x is not None
    ]
    return pl.DataFrame(data, schema=deviation.INPUT)


def statuses(frame: pl.DataFrame, breaks: Mapping[str, Sequence[date]] | None = None) -> list[str]:
    return deviation.judge(frame, breaks or {})["status"].to_list()


def test_a_month_is_judged_by_the_48_before_it_and_not_by_47() -> None:
    assert statuses(rows([plain(48)], due=[47])) == ["too_little_history"]
    assert statuses(rows([plain(49)], due=[48])) == ["ok"]


def test_the_arithmetic_is_that_of_the_method() -> None:
    values = plain(61, noise=0.05)
    y = [math.log(value) for value in values]

    def median(numbers: Sequence[float]) -> float:
        ordered = sorted(numbers)
        half = len(ordered) // 2
        return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

    def level(at: int) -> float:
        return median(y[at - 12 : at])

    def residual(at: int) -> float:
        # the earlier years that lie, with their level, among the 48 months before the one judged
        earlier = [at - 12 * years for years in (1, 2, 3) if at - 12 * years - 12 >= 60 - 48]
        return y[at] - level(at) - median([y[one] - level(one) for one in earlier])

    before = [residual(at) for at in range(36, 60)]
    spread = max(1.4826 * median([abs(one - median(before)) for one in before]), 0.02)
    found = deviation.judge(rows([values], due=[60]), {}).row(0, named=True)

    assert found["residual"] == pytest.approx(residual(60))
    centre = y[60] - residual(60) + median(before)
    assert found["expected"] == pytest.approx(math.exp(centre))
    assert found["fence_low"] == pytest.approx(math.exp(centre - 3 * spread))
    assert found["fence_high"] == pytest.approx(math.exp(centre + 3 * spread))


def test_a_series_that_never_varies_still_has_a_fence() -> None:
    flat = [1000.0] * 48
    assert statuses(rows([[*flat, 1060.0], [*flat, 1063.0]], due=[48])) == ["ok", "flagged"]  # exp(0.06) = 1.0618


def test_a_break_inside_leaves_too_little_history() -> None:
    frame = rows([plain(49)], due=[48])

    def with_break(day: date) -> list[str]:
        return statuses(frame, {"spend_total": [day]})

    assert with_break(date(2018, 1, 1)) == ["ok"]  # on the first day of the first month
    assert with_break(date(2018, 1, 2)) == ["too_little_history"]
    assert with_break(date(2022, 1, 31)) == ["too_little_history"]  # inside the month itself
    assert with_break(date(2022, 2, 1)) == ["ok"]
    assert statuses(frame, {"another": [date(2020, 1, 1)]}) == ["ok"]


def test_shares_need_thirty_units_and_are_judged_on_the_logit() -> None:
    source = random.Random(3)

    def share(n: int, last: int) -> pl.DataFrame:
        return rows([[*(float(source.randint(8, 12) * n // 30) for _ in range(48)), float(last)]], due=[48], n=n, is_share=True)

    assert statuses(share(29, 10)) == ["too_little_history"]
    assert statuses(share(30, 10)) == ["ok"]
    found = deviation.judge(share(30, 30), {}).row(0, named=True)
    assert found["status"] == "flagged"
    assert 0 <= found["fence_low"] < found["expected"] < found["fence_high"] <= 1


def test_a_share_of_none_or_all_is_no_failure() -> None:
    assert statuses(rows([[0.0] * 49, [40.0] * 49], due=[48], n=40, is_share=True)) == ["ok", "ok"]


def test_a_missing_month_is_no_fall_and_no_history() -> None:
    values: list[float | None] = [*plain(60)]
    values[48] = None
    assert deviation.judge(rows([values], due=[48]), {}).is_empty()
    values = [*plain(60)]
    values[30] = None
    assert set(statuses(rows([values], due=range(48, 60)))) == {"too_little_history"}


def test_amounts_without_a_logarithm_have_no_verdict() -> None:
    values = plain(49)
    assert (
        statuses(rows([[*values[:48], 0.0], [*values[:48], -5.0], [-1.0, *values[1:]]], due=[48])) == ["too_little_history"] * 3
    )


def test_incomplete_months_are_not_judged() -> None:
    frame = rows([plain(49)], due=[48]).with_columns(is_usable=pl.col("month") < month(48))
    assert statuses(frame) == ["too_little_history"]


def test_a_flagged_month_does_not_enter_later_medians() -> None:
    values = plain(61, noise=0.03)
    values[48] *= 5
    in_one_go = deviation.judge(rows([values], due=range(48, 61)), {})
    assert in_one_go.filter(status="flagged")["month"].to_list() == [month(48)]

    later = deviation.judge(rows([values], due=[60], flagged=[48]), {})
    assert later.equals(in_one_go.tail(1))
    entering = deviation.judge(rows([values], due=[60]), {})
    assert entering["expected"][0] > later["expected"][0] * 1.02  # its season would hold the outlier


def test_judging_month_by_month_is_judging_all_at_once() -> None:
    series = [plain(72, seed, noise=0.2) for seed in range(30)]
    at_once = deviation.judge(rows(series, due=range(48, 72)), {})
    flagged: dict[int, set[date]] = {}
    found = []
    for at in range(48, 72):
        frame = rows([values[: at + 1] for values in series], due=[at])
        known = pl.DataFrame(
            [(number, day) for number, days in flagged.items() for day in days],
            schema={"series": pl.UInt32, "month": pl.Date},
            orient="row",
        ).with_columns(known=pl.lit(value=True))
        frame = frame.join(known, on=["series", "month"], how="left").with_columns(
            was_flagged=pl.col("known").fill_null(value=False)
        )
        of_month = deviation.judge(frame.select(deviation.INPUT.names()), {})
        for number, day in of_month.filter(status="flagged").select("series", "month").iter_rows():
            flagged.setdefault(number, set()).add(day)
        found.append(of_month)
    assert flagged
    assert pl.concat(found).sort("series", "month").equals(at_once)


def test_false_alarms_are_rare_and_a_doubling_is_found() -> None:
    count, doubled = 400, 60
    series = [plain(72, seed) for seed in range(count)]
    judged = deviation.judge(rows(series, due=range(48, 72)), {})
    assert judged.height == count * 24
    false_alarms = judged.filter(status="flagged").height / judged.height
    for values in series:
        values[doubled] *= 2
    seen = deviation.judge(rows(series, due=range(48, 72)), {}).filter(month=month(doubled))
    found = seen.filter(status="flagged").height / count
    print(f"{judged.height} months judged: false alarms {false_alarms:.2%}, doublings found {found:.1%}")
    assert false_alarms <= 0.02
    assert found >= 0.9
