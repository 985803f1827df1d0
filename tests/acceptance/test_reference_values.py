"""Published figures of others stand beside the computed ones of the same key, in the published file and on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import registers
from flows.settings import Settings
from schemas.errors import UsageError
from tests.acceptance.support import published

pytestmark = pytest.mark.slow
KEY = "figure_id, variant, scope, level, level_id, breakdown_kind, breakdown_id, period_kind, period_start"


def test_comparable_values_stand_beside_the_figure_in_force(demo_home: Path) -> None:
    rows = published(
        demo_home,
        f"SELECT r.*, k.value AS figure FROM mart.reference_value r LEFT JOIN mart.key_figure k USING ({KEY}) "
        "WHERE k.panel IS NULL OR k.panel = 'all'",
    )
    comparable = rows.filter("is_comparable")
    assert rows.height == published(demo_home, "SELECT * FROM mart.reference_value").height
    assert comparable["figure"].drop_nulls().len() > 20
    assert comparable["computed_value"].equals(comparable["figure"], null_equal=True)
    assert rows.filter(~rows["is_comparable"])["computed_value"].null_count() == rows.filter(~rows["is_comparable"]).height
    appeals = comparable.filter(figure_id="appeals_n").sort("period_start")
    assert appeals["value"].to_list() == [325, 411, 313]
    assert appeals["is_within"].to_list() == [False, False, False]  # a fictional nation has cases of its own


def test_the_command_lists_them_by_figure(demo_home: Path) -> None:
    settings = Settings(home=demo_home)

    rows = registers.reference_values(settings, "notices_n")
    assert [row["published"] for row in rows[:3]] == ["under 19,000", "about 17,300", "15,709"]
    assert len(registers.reference_values(settings, None)) > 200
    with pytest.raises(UsageError, match="masked_supplier_share"):
        registers.reference_values(settings, "masked_supplier_share")


def test_divisions_of_the_cpv_are_published(demo_home: Path) -> None:
    found = published(demo_home, "SELECT * FROM mart.cpv")
    assert found.height == 45
    assert found.filter(code="72000000").height == 1
