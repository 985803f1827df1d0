"""What people read of figures: rounding never says other than the light; no cell of delivered text runs in a spreadsheet."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.figure_view import for_people
from flows.reporting import escaped
from tests.examples import examples

NUMBERS = st.decimals(min_value=-2000, max_value=5_000_000, places=6)


def shown(unit: str, value: Decimal, target: Decimal | None = None) -> tuple[str, str]:
    told = {"light": "none", "trend": "none", "status": "final", "reason": None, "target_operator": "<=", "target": target}
    row = for_people({**told, "unit": unit, "value": value})
    return row["value"], row["target"]


@pytest.mark.parametrize(
    ("unit", "value", "target", "expected"),
    [
        ("share", "0.1004", "0.1", ("10.04 %", "<= 10.0 %")),
        ("share", "0.105", "0.1", ("10.5 %", "<= 10.0 %")),
        ("share", "0.1", "0.1", ("10.0 %", "<= 10.0 %")),
        ("share", "0.33333", None, ("33.3 %", "")),
        ("score", "3.4999", "3.5", ("3.4999", "<= 3.5")),
        ("eur", "1999999.6", "2000000", ("1,999,999.6 EUR", "<= 2,000,000 EUR")),
        ("eur", "1999000.6", "2000000", ("1,999,001 EUR", "<= 2,000,000 EUR")),
    ],
)
def test_decimals_are_added_only_where_rounding_would_reach_the_target(
    unit: str, value: str, target: str | None, expected: tuple[str, str]
) -> None:
    assert shown(unit, Decimal(value), None if target is None else Decimal(target)) == expected


@given(value=NUMBERS, target=NUMBERS, unit=st.sampled_from(["share", "eur", "score"]))
def test_the_value_shown_stands_on_the_same_side_of_the_target(value: Decimal, target: Decimal, unit: str) -> None:
    read = Decimal(shown(unit, value, target)[0].split(" ")[0].replace(",", "")) / (100 if unit == "share" else 1)
    assert (read > target, read < target) == (value > target, value < target)


@settings(max_examples=examples(2000))
@given(
    st.text()
    | st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n"]).flatmap(lambda mark: st.text().map(lambda rest: mark + rest))
)
def test_exported_text_never_begins_as_a_formula_and_keeps_its_words(text: str) -> None:
    found = escaped(text)
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert found.removeprefix("'") == text.removeprefix("'")
    assert found == text or text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.integers() | NUMBERS | st.none())
def test_numbers_are_exported_as_they_are(number: object) -> None:
    assert escaped(number) is number
