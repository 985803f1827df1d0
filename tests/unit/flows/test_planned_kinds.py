"""Figures with a plan are computed from whole calendar years: no period of theirs may reach over a year's end."""

from __future__ import annotations

from transforms.key_figures import MODULES


def test_figures_with_a_plan_have_quarters_and_years_only() -> None:
    planned = [module for module in MODULES if hasattr(module, "PLANS")]
    assert planned
    for module in planned:
        for definition in module.DEFINITIONS:
            if definition.aggregate == "plan":
                assert set(definition.period_kinds) <= {"quarter", "year"}, definition.figure_id
