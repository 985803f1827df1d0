"""Receipts of forms in Finnish and Swedish: every rule that forms share, and those of their own."""

from __future__ import annotations

import pytest

from schemas import action_programme, market_court_cases, strategic_goals, strategy_followup
from warehouse.publication.wording import reason_text, rule_text

RULES = {
    rule.name: rule.description
    for form in (market_court_cases, strategy_followup, strategic_goals, action_programme)
    for table in form.CONTRACT.tables
    for rule in table.rules
}


@pytest.mark.parametrize("language", ["fi", "sv"])
@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_rule_is_told_in_the_agencys_language_also_when_it_refuses_the_file(rule: str, language: str) -> None:
    told = rule_text(rule, language)
    refusal = reason_text(rule, f"{RULES[rule]} Correct it and deliver again.", language)

    assert told.endswith(f" [{rule}]")
    assert refusal.startswith(told.removesuffix(f" [{rule}]"))
    assert refusal.endswith({"fi": "korjaa ja toimita uudelleen", "sv": "rätta och leverera på nytt"}[language])


def test_a_reason_that_says_more_than_the_rule_stays_as_it_is() -> None:
    assert reason_text("value_missing", "Something else.", "fi") == "Something else."
    assert (
        reason_text("value_missing", "The cell is blank. Correct it and deliver again.", "en")
        == "The cell is blank. Correct it and deliver again."
    )
