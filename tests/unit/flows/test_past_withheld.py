"""Past publications tell nothing that a later one withheld; what only changed is told as it was."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from tests.unit.flows import history_rows
from warehouse import withheld

MEAN = {"figure_id": "csat_mean", "scope": "all", "unit": "score", "light": "none"}
TOLD = {
    "value": Decimal("4.2"),
    "numerator": Decimal(21),
    "denominator": Decimal(5),
    "n": 5,
    "trend": "up",
    "organisation_median": 4,
}
GONE = {
    "value": None, "numerator": None, "denominator": None, "n": None, "status": "suppressed", "reason": "disclosure", "light": "none",
}  # fmt: skip


def test_what_was_withheld_later_is_withheld_in_the_past_too(tmp_path: Path) -> None:
    small, large = {**MEAN, "level": "sector", "level_id": "one"}, {**MEAN, "level": "sector", "level_id": "two"}
    with history_rows.warehouse(tmp_path) as opened:
        history_rows.publish(opened, 1, [{**small, **TOLD}, {**large, **TOLD}])
        history_rows.publish(opened, 2, [{**small, **GONE}, {**large, **TOLD, "value": Decimal("4.4")}])
        history_rows.publish(opened, 3, [{**large, **TOLD, "value": Decimal("4.4")}])

        past = {row["level_id"]: row for row in withheld.as_published(opened, 1).iter_rows(named=True)}
        assert sorted(withheld.as_published(opened, 3)["level_id"]) == ["two"]

    assert past["two"]["value"] == Decimal("4.2")
    hidden = past["one"]
    assert (hidden["status"], hidden["reason"], hidden["light"], hidden["trend"]) == ("suppressed", "disclosure", "none", "none")
    assert [hidden[name] for name in withheld.TOLD] == [None] * len(withheld.TOLD)
    assert hidden["period_start"] == date(2023, 1, 1)
