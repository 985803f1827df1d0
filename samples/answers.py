"""Plants hilmaStatistics answers: yes/no questions per lot, asked in the call and again, for awarded lots, in the result."""

from __future__ import annotations

from random import Random

from samples.facts import Procedure

YES_SHARES = {
    "energyEfficiencyConsidered": 0.22,
    "lowCarbon": 0.15,
    "circularEconomy": 0.12,
    "biodiversity": 0.06,
    "sustainableFoodProduction": 0.05,
    "justWorkingConditions": 0.35,
    "employmentCondition": 0.08,
    "codeOfConduct": 0.18,
    "innovationConsidered": 0.2,
    "solutionNewToBuyer": 0.12,
    "solutionNewToMarketOrIndustry": 0.06,
    "smeParticipationConsidered": 0.5,
}
GREEN = ("energyEfficiencyConsidered", "lowCarbon", "circularEconomy", "biodiversity", "sustainableFoodProduction")
LISTED = "listedGreenCriteriaUsed"


def fill(rng: Random, procedure: Procedure) -> None:
    """Answers of every lot whose notices ask them; some notices come without any answer, some answers change by the award.

    Only Hilma's API delivers answers; notices that came as XML alone stay unanswered.
    """
    call, result = procedure.notice("call"), procedure.notice("result")
    call_answered = call is not None and call.form == "hilma" and rng.random() < 0.9
    result_answered = result is not None and result.form == "hilma" and rng.random() < 0.55
    for lot in procedure.lots:
        given = {key: rng.random() < share for key, share in YES_SHARES.items()}
        if call_answered:
            lot.call_answers = _whole(rng, given)
        if result_answered and lot.result is not None and lot.result.code == "selec-w":
            changed = {key: (not value if rng.random() < 0.05 else value) for key, value in given.items()}
            answers = _whole(rng, changed)
            if rng.random() < 0.3:  # the award leaves a question open: the call's answer stands
                answers["solutionNewToMarketOrIndustry"] = None
            lot.result_answers = answers


def _whole(rng: Random, given: dict[str, bool]) -> dict[str, bool | None]:
    answers: dict[str, bool | None] = dict(given)
    green = any(given[key] for key in GREEN)
    answers[LISTED] = rng.random() < 0.4 if green else None
    return answers
