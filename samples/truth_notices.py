"""True notice figures from planted procedures, as METHOD 9-17 rule.

Only procedures of Finnish buyers count. A unit belongs to its first buyer and to the month of the notice that tells of it:
results to the award notice's, calls to the call's. `ted` holds EU notices, `all_notices` national ones as well.
A corrected award counts as corrected, in the month of the award that it corrects.

Where METHOD leaves room, the truth reads it so: a change notice is a notice of its own and moves the call's deadline, not its
month; cooperative, central-purchasing, no-call and price-only shares rest on procedures with an award notice; the open share
on every procedure that was not cancelled; lots of a call that was cancelled are closed lots without an award; missing buyer
ids are counted per notice and buyer; `missing_call_share` leaves out neg-wo-call and oth-single, and what has no call and was
decided within a year of the switch to eForms; Hilma's answers belong to
the month of the award notice, else of the call; clauses are counted by lot, green, social, food and innovation by procedure.
A small purchase is a notice and a procurement, and a call of no figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction

from samples import answers
from samples.cells import Cell, Place, Series, Span, Sums, kinds_of, median, month_of, places
from samples.facts import Lot, Notice, Procedure, Result
from samples.overlays import GDP_EUR

NO_CALL = ("neg-wo-call", "oth-single")
SHORT_DAYS = 15
SME = "sme"
CANNOT_BE_OLDER = date(2024, 10, 24)
HILMA_WROTE_TED = date(2019, 12, 1)
QUESTIONS = {
    "employment_clause_share": "employmentCondition",
    "human_rights_clause_share": "codeOfConduct",
}


def cells(procedures: Iterable[Procedure], span: Span) -> Mapping[tuple[Series, Place], Cell]:
    """All notice figures by level and period."""
    chosen = [procedure for procedure in procedures if procedure.country == "FI" and not procedure.outside]
    sums = Sums(span)
    medians: dict[tuple[Series, Place], list[int]] = defaultdict(list)
    distinct: dict[tuple[Series, Place], set[str]] = defaultdict(set)
    for procedure in chosen:
        for scope in ("ted", "all_notices") if procedure.is_ted else ("all_notices",):
            _notices(sums, distinct, procedure, scope, span)
            _calls(sums, procedure, scope)
            _open(sums, procedure, scope)
            _results(sums, medians, procedure, scope, span)
            _clauses(sums, procedure, scope)
    found = dict(sums.cells())
    found |= {key: Cell(None, None, len(values), median(values)) for key, values in medians.items()}
    found |= {key: Cell(len(ids), None, len(ids)) for key, ids in distinct.items()}
    found |= _publication_rate(chosen)
    return found


def result_of(procedure: Procedure) -> Notice | None:
    """The award notice whose month results belong to: the first one, also when another corrected it."""
    return procedure.first("result")


def _notices(sums: Sums, distinct: dict[tuple[Series, Place], set[str]], procedure: Procedure, scope: str, span: Span) -> None:
    buyer = procedure.buyers[0]
    for notice in procedure.notices:
        sums.add(Series("notices_n", scope), buyer, notice.day, 1)
        sums.add(Series("value_stated_share", scope), buyer, notice.day, int(states_value(procedure, notice)), 1)
        missing = int(procedure.buyer_id_missing)
        sums.add(
            Series("missing_buyer_id_share", scope), buyer, notice.day, missing, len(procedure.buyers), len(procedure.buyers)
        )
        for place in places(span, buyer, month_of(notice.day), kinds_of("procurements_n")):
            distinct[Series("procurements_n", scope), place].add(procedure.procedure_id)


def states_value(procedure: Procedure, notice: Notice) -> bool:
    """Whether the notice gives a public value in euros: an estimate, an award's value, or a total."""
    if procedure.currency != "EUR":
        return False
    if notice.role in ("call", "change", "small_value"):
        return procedure.estimated_cents is not None or any(lot.estimated_cents is not None for lot in procedure.lots)
    awards = [award for lot in procedure.told(notice) if lot.result for award in lot.result.awards]
    if notice.role == "modification":
        awards = next((lot.result.awards for lot in procedure.lots if lot.result and lot.result.awards), [])
    return notice.role != "planning" and any(award.cents is not None for award in awards)


def _calls(sums: Sums, procedure: Procedure, scope: str) -> None:
    call = procedure.notice("call")
    if call is None:
        return
    buyer = procedure.buyers[0]
    sums.add(Series("lots_share", scope), buyer, call.day, int(len(procedure.lots) > 1), 1)
    change = procedure.notice("change")
    cancelled = change is not None and change.cancels
    newest = change if change is not None and not change.cancels else call
    for lot in procedure.lots:
        if newest.deadline is not None and lot.dps == "none":
            short = (newest.deadline - call.day).days < SHORT_DAYS
            sums.add(Series("short_deadline_share", scope), buyer, call.day, int(short), 1)
    # of a national call in Hilma's own shape nobody would tell that it was awarded
    if change is not None and cancelled and (procedure.is_ted or procedure.schema != "hilma"):
        for _ in procedure.lots:
            sums.add(Series("cancelled_share", scope), buyer, change.day, 1, 1)


def _open(sums: Sums, procedure: Procedure, scope: str) -> None:
    """Open procedures of all that were not cancelled, in the month of the call, else of the award."""
    notice = procedure.notice("call") or result_of(procedure)
    if notice is not None and not any(change.cancels for change in procedure.notices):
        sums.add(Series("open_share", scope), procedure.buyers[0], notice.day, int(procedure.procedure_type == "open"), 1)


def _results(sums: Sums, medians: dict[tuple[Series, Place], list[int]], procedure: Procedure, scope: str, span: Span) -> None:
    notice = result_of(procedure)
    if notice is None:
        return
    buyer, day = procedure.buyers[0], notice.day
    call = procedure.notice("change") or procedure.notice("call")
    sums.add(Series("no_call_share", scope), buyer, day, int(procedure.procedure_type == "neg-wo-call"), 1)
    sums.add(Series("no_call_share", scope, "with_oth_single"), buyer, day, int(procedure.procedure_type in NO_CALL), 1)
    sums.add(Series("cooperative_share", scope), buyer, day, int(len(procedure.buyers) > 1), 1)
    sums.add(Series("cpb_share", scope), buyer, day, int(procedure.central), 1)
    if procedure.schema == "eforms" and procedure.procedure_type not in NO_CALL and _tells_of_call(procedure, day):
        sums.add(Series("missing_call_share", scope), buyer, day, int(procedure.notice("call") is None), 1)
    _price_only(sums, procedure, scope, day)
    for lot in procedure.lots:
        if lot.result is None:
            continue
        sums.add(Series("cancelled_share", scope), buyer, day, int(lot.result.code != "selec-w"), 1)
        _sellers(sums, procedure, lot.result, scope, day)
        if competitive(procedure, lot):
            _bids(sums, medians, procedure, lot.result, scope, day, span)
        if lot.result.decision and call and call.deadline and lot.dps == "none" and procedure.procedure_type not in NO_CALL:
            days = (lot.result.decision - call.deadline).days
            sums.add(Series("decision_days_mean", scope), buyer, day, days, 1)
            for place in places(span, buyer, month_of(day), ("year",)):
                medians[Series("decision_days_median", scope), place].append(days)
    if any(lot.result and lot.result.awards for lot in procedure.lots):
        modification = procedure.notice("modification")
        sums.add(Series("contract_modification_share", scope), buyer, day, int(modification is not None), 1)


def competitive(procedure: Procedure, lot: Lot) -> bool:
    """METHOD 9: no framework, no contract within one, no DPS, not negotiated without a call nor `oth-single`."""
    within = lot.result is not None and lot.result.within_framework
    return procedure.procedure_type not in NO_CALL and lot.framework == "none" and lot.dps == "none" and not within


def value_of(result: Result) -> int | None:
    """The award's value in cents; None when one of its tenders' values is unknown or not in euros."""
    if not result.awards or any(award.cents is None or award.currency != "EUR" for award in result.awards):
        return None
    return sum(award.cents or 0 for award in result.awards)


def _bids(
    sums: Sums,
    medians: dict[tuple[Series, Place], list[int]],
    procedure: Procedure,
    result: Result,
    scope: str,
    day: date,
    span: Span,
) -> None:
    buyer, tenders = procedure.buyers[0], result.tenders
    if tenders is None:
        return
    for name in ("zero", "1", "2", "3", "4+"):
        hit = name == ("zero" if tenders == 0 else "4+" if tenders >= 4 else str(tenders))
        sums.add(Series("bids_distribution", scope, "", "bids", name), buyer, day, int(hit), 1)
    if result.code != "selec-w" or tenders < 1:
        return
    sums.add(Series("single_bid_share", scope), buyer, day, int(tenders == 1), 1)
    sums.add(Series("bids_mean", scope), buyer, day, tenders, 1)
    for place in places(span, buyer, month_of(day), ("year",)):
        medians[Series("bids_median", scope), place].append(tenders)
    cents = value_of(result)
    if cents is not None:
        sums.add(Series("single_bid_value_share", scope), buyer, day, cents if tenders == 1 else 0, cents)


def _sellers(sums: Sums, procedure: Procedure, result: Result, scope: str, day: date) -> None:
    buyer = procedure.buyers[0]
    told = result_of(procedure)
    # METHOD 41: what Hilma wrote into TED XML of these years of SMEs is unknown
    is_guessed = procedure.schema == "ted" and told is not None and told.dispatched >= HILMA_WROTE_TED
    winners = {winner.name: winner for award in result.awards for winner in award.winners}
    for winner in winners.values():
        sums.add(Series("missing_seller_id_share", scope), buyer, day, int(winner.identity is None), 1)
        # nor is a box of Hilma's own JSON that is not ticked
        if winner.size and winner.kind != "foreign_id" and not is_guessed and procedure.schema != "hilma":
            sums.add(Series("sme_contractor_share", scope), buyer, day, int(winner.size == SME), 1)
    if result.tenders and result.sme_tenders is not None and result.sme_tenders <= result.tenders and not is_guessed:
        sums.add(Series("sme_bid_share", scope), buyer, day, result.sme_tenders, result.tenders)


def _tells_of_call(procedure: Procedure, resulted: date) -> bool:
    """A call, or a decision so late that the procedure cannot have begun before the notices were eForms (METHOD 37)."""
    decided = [lot.result.decision for lot in procedure.lots if lot.result and lot.result.decision]
    return procedure.notice("call") is not None or min([*decided, resulted]) >= CANNOT_BE_OLDER


def _price_only(sums: Sums, procedure: Procedure, scope: str, day: date) -> None:
    awarded = [lot for lot in procedure.lots if lot.result and lot.result.code == "selec-w"]
    if awarded and not any(lot.free_text_criteria for lot in awarded):
        only = all(set(lot.criteria) == {"price"} for lot in awarded)
        sums.add(Series("price_only_share", scope), procedure.buyers[0], day, int(only), 1)


def lot_answers(procedure: Procedure) -> Iterator[tuple[Lot, Mapping[str, bool | None]]]:
    """Per lot the latest non-null answers: the award's before the call's."""
    for lot in procedure.lots:
        merged = {key: value for key, value in lot.call_answers.items() if value is not None}
        merged |= {key: value for key, value in lot.result_answers.items() if value is not None}
        yield lot, merged


def _clauses(sums: Sums, procedure: Procedure, scope: str) -> None:
    """Figures from Hilma's answers: a procurement counts if any lot does; clauses are counted by lot."""
    notice = result_of(procedure) or procedure.notice("call")
    if notice is None or procedure.schema == "ted":
        return
    buyer, day = procedure.buyers[0], notice.day
    given = [answer for _, answer in lot_answers(procedure)]
    cents = call_value(procedure) if procedure.notice("call") else None

    def share(figure: str, keys: Iterable[str], variant: str = "") -> None:
        keys = tuple(keys)
        answered = [answer for answer in given if any(key in answer for key in keys)]
        if answered:
            hit = any(answer.get(key) for answer in answered for key in keys)
            sums.add(Series(figure, scope, variant), buyer, day, int(hit), 1)
            if figure == "innovative_share" and cents is not None:
                sums.add(Series("innovative_value_share", scope, variant), buyer, day, cents if hit else 0, cents)

    share("innovative_share", ["solutionNewToMarketOrIndustry"], "new_to_market")
    share("innovative_share", ["solutionNewToBuyer"], "new_to_buyer")
    share("innovative_share", ["solutionNewToMarketOrIndustry", "solutionNewToBuyer"], "either")
    share("innovative_share", ["innovationConsidered"], "considered")
    share("green_share", answers.GREEN)
    share("listed_green_share", [answers.LISTED])
    share("social_share", ["justWorkingConditions", "employmentCondition", "codeOfConduct"])
    for lot in given:
        for figure, key in QUESTIONS.items():
            if key in lot:
                sums.add(Series(figure, scope), buyer, day, int(bool(lot[key])), 1)
    share("food_notice_share", ["sustainableFoodProduction"])


def call_value(procedure: Procedure) -> int | None:
    """What a call advertises in EUR cents: the procedure's estimate, else the sum of its lots'; None when neither."""
    if procedure.currency != "EUR":
        return None
    if procedure.estimated_cents is not None:
        return procedure.estimated_cents
    return sum(lot.estimated_cents or 0 for lot in procedure.lots) or None


def _publication_rate(procedures: Iterable[Procedure]) -> dict[tuple[Series, Place], Cell]:
    """Value called for in TED against gross domestic product; not computable under 80 % value coverage (METHOD 14)."""
    value: dict[int, int] = defaultdict(int)
    stated: dict[int, int] = defaultdict(int)
    calls: dict[int, int] = defaultdict(int)
    for procedure in procedures:
        call = procedure.notice("call")
        if call is None or not procedure.is_ted:
            continue
        cents = call_value(procedure)
        calls[call.day.year] += 1
        if cents is not None:
            stated[call.day.year] += 1
            value[call.day.year] += cents
    found = {}
    for year, count in calls.items():
        covered = Fraction(stated[year], count)
        gdp = GDP_EUR[year] * 100
        rate = Fraction(value[year], gdp) if covered >= Fraction(4, 5) else None
        place = Place("national", "FI", "year", date(year, 1, 1))
        found[Series("publication_rate_gdp", "ted"), place] = Cell(value[year], gdp, stated[year], rate)
    return found
