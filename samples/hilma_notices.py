"""Plants the procurements that Hilma published in a shape of its own, 2020 to 2023: EU ones, of which some come as TED XML too, and
national ones, of which only calls, direct awards and small purchases were ever published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random

from samples.agencies import Size
from samples.answers import GREEN, LISTED, YES_SHARES
from samples.facts import Award, Lot, Notice, Organisation, Procedure, Result, Supplier
from samples.procedures import CPVS, CRITERIA, SME, Planter
from samples.registry import World

FIRST_NUMBER = 600_000
"""Numbers in the Official Journal, beyond those of the other procedures that were planted by chance."""
FIRST_PROJECT = 30_000
YEARS: Mapping[Size, tuple[int, ...]] = {"tiny": (2023,), "demo": (2020, 2021, 2022, 2023), "large": (2020, 2021, 2022, 2023)}
ROUNDS: Mapping[Size, int] = {"tiny": 1, "demo": 5, "large": 40}
"""How often each kind of procurement is planted in a year."""
LAST_CALL = {2023: date(2023, 6, 30)}
FIRST_QUESTIONS, ALL_QUESTIONS = date(2020, 5, 4), date(2022, 1, 3)
"""Three questions were asked from May 2020, today's from 2022."""
THREE = ("energyEfficiencyConsidered", "innovationConsidered", "smeParticipationConsidered")
NATIONAL_ONLY = "porvoo"
"""The buyer without an EU notice in these years: nothing is known of its bids."""
STEPS = 17


def plant(size: Size, seed: int, world: World, organisations: Sequence[Organisation]) -> list[Procedure]:
    """Every kind of procurement in every year; by chance of its own, so that nothing else of the sample depends on it."""
    planter = Planter(Random(f"{size}-{seed}-hilma"), world, organisations, FIRST_NUMBER)
    found: list[Procedure] = []
    for year in YEARS[size]:
        for turn in range(ROUNDS[size]):
            for step, kind in enumerate(KINDS):
                place = turn * len(KINDS) + step
                span = (LAST_CALL.get(year, date(year, 9, 30)) - date(year, 1, 1)).days
                day = date(year, 1, 1) + timedelta(days=(place * STEPS) % span)
                procedure = kind(planter, day)
                procedure.procedure_id = str(FIRST_PROJECT + len(found))
                found.append(procedure)
    return found


def _eu(
    planter: Planter, day: date, *, lots: int = 1, kind: str = "open", category: str = "2", also_ted: bool = False
) -> Procedure:
    """A call (F02, F05) and its award some months later."""
    procedure = _procedure(planter, day, is_ted=True, lots=lots, kind=kind)
    call = _notice(planter, procedure, "call", f"{category}00", day, also_ted=also_ted)
    call.deadline = day + timedelta(days=planter.rng.randrange(12, 40))
    decided = call.deadline + timedelta(days=planter.rng.randrange(5, 40))
    _award(planter, procedure, decided, "300" if category == "2" else "600", also_ted=also_ted)
    return procedure


def _eu_lots(planter: Planter, day: date) -> Procedure:
    """Two or three lots, the last of which found no winner; the first became two contracts, for one number of tenders."""
    procedure = _eu(planter, day, lots=planter.rng.randrange(2, 4), kind="restricted")
    first, *_, last = procedure.lots
    last.result = Result("clos-nw", reason="no-rece")
    if first.result and first.result.awards and first.result.awards[0].cents and day >= date(2021, 4, 1):
        first.result.awards.append(Award(12_345_67, (_company(planter),)))
        _count_winners(first.result)
    last.result_answers = {}
    return procedure


def _twice(planter: Planter, day: date) -> Procedure:
    """Comes as TED XML, too."""
    return _eu(planter, day, also_ted=True)


def _withheld(planter: Planter, day: date) -> Procedure:
    """A utility withholds counts, supplier and value of its award."""
    procedure = _eu(planter, day, kind="neg-w-call", category="5")
    for lot in procedure.lots:
        if lot.result:
            lot.result.tenders = lot.result.sme_tenders = None
            lot.result.withheld = ("rec-sub-cou", "win-ten-val", "winner")
            lot.result.awards = [Award(None, ())]
    return procedure


def _corrected(planter: Planter, day: date) -> Procedure:
    """An EU call whose corrigendum, under an OJ number of its own, moves the deadline."""
    procedure = _procedure(planter, day, is_ted=True)
    call = _notice(planter, procedure, "call", "200", day)
    call.deadline = day + timedelta(days=13)
    change = _notice(planter, procedure, "change", "200", day + timedelta(days=6))
    change.deadline = day + timedelta(days=28)
    return procedure


def _system(planter: Planter, day: date) -> Procedure:
    """A dynamic purchasing system open to others, and an award within it, which is a project of its own in Hilma."""
    procedure = _procedure(planter, day, is_ted=True, kind="restricted")
    procedure.central = True
    procedure.lots[0].dps, procedure.lots[0].framework = "dps-nlist", "none"
    call = _notice(planter, procedure, "call", "200", day)
    call.deadline = day.replace(year=day.year + 4, day=min(day.day, 28))
    _award(planter, procedure, day + timedelta(days=50), "301")
    return procedure


def _ex_ante(planter: Planter, day: date) -> Procedure:
    """A direct award announced beforehand, and awarded."""
    procedure = _procedure(planter, day, is_ted=True, kind="neg-wo-call")
    procedure.estimated_cents = None
    _notice(planter, procedure, "veat", "1500", day)
    _award(planter, procedure, day + timedelta(days=16), "300")
    for lot in procedure.lots:
        if lot.result:
            lot.result.tenders, lot.result.sme_tenders = 1, None
    return procedure


def _prior(planter: Planter, day: date) -> Procedure:
    procedure = _procedure(planter, day, is_ted=True)
    _notice(planter, procedure, "planning", "100", day)
    return procedure


def _national(planter: Planter, day: date) -> Procedure:
    """A national call after a request for information; national awards were never published."""
    day = max(day, date(day.year, 1, 20))  # the request stands in the same year
    procedure = _procedure(planter, day, is_ted=False)
    _notice(planter, procedure, "planning", "9901", day - timedelta(days=12))
    call = _notice(planter, procedure, "call", "9902", day)
    call.deadline = day + timedelta(days=planter.rng.randrange(9, 30))
    return procedure


def _national_moved(planter: Planter, day: date) -> Procedure:
    """A national call whose corrigendum moves the deadline."""
    procedure = _national(planter, day)
    call = procedure.notices[-1]
    change = _notice(planter, procedure, "change", "9902", call.day + timedelta(days=5))
    change.deadline = (call.deadline or day) + timedelta(days=7)
    return procedure


def _national_cancelled(planter: Planter, day: date) -> Procedure:
    """A national call that is cancelled."""
    procedure = _national(planter, day)
    call = procedure.notices[-1]
    change = _notice(planter, procedure, "change", "9902", call.day + timedelta(days=8))
    change.deadline, change.cancels = call.deadline, True
    return procedure


def _national_direct(planter: Planter, day: date) -> Procedure:
    """A national direct award: its winner and value are told, its tenders are not."""
    procedure = _procedure(planter, day, is_ted=False, kind="neg-wo-call")
    procedure.estimated_cents = None
    _notice(planter, procedure, "veat", "9905", day)
    for lot in procedure.lots:
        lot.result = Result("selec-w", awards=[Award(4_500_000, (_company(planter),))])
    return procedure


def _national_defence(planter: Planter, day: date) -> Procedure:
    procedure = _procedure(planter, day, is_ted=False, kind="neg-w-call")
    call = _notice(planter, procedure, "call", "9911", day)
    call.deadline = day + timedelta(days=25)
    return procedure


def _small(planter: Planter, day: date) -> Procedure:
    """A purchase under the national threshold: a notice, and a call of no figure."""
    procedure = _procedure(planter, day, is_ted=False, kind="oth-mult")
    notice = _notice(planter, procedure, "small_value", "9912" if planter.chance(0.7) else "9913", day)
    notice.deadline = day + timedelta(days=10)
    return procedure


def _farm(planter: Planter, day: date) -> Procedure:
    """A farm's purchase, and every other time a notice of transparency: neither is a procurement of the public sector."""
    procedure = _procedure(planter, day, is_ted=False)
    procedure.outside = True
    _notice(planter, procedure, "outside", "9903" if planter.chance(0.5) else "9904", day)
    return procedure


KINDS = (
    _eu, _national, _twice, _small, _eu_lots, _national_moved, _withheld, _farm, _ex_ante, _national_direct, _corrected,
    _national_cancelled, _system, _prior, _national_defence,
)  # fmt: skip


def _procedure(planter: Planter, day: date, *, is_ted: bool, lots: int = 1, kind: str = "open") -> Procedure:
    rng = planter.rng
    others = [organisation for organisation in planter.organisations if organisation.since <= day]
    national = planter.world.organisations[NATIONAL_ONLY]
    pool = [organisation for organisation in others if organisation != national] if is_ted else others
    buyers = tuple(rng.sample(pool, k=2 if planter.chance(0.15) and len(pool) > 1 else 1))
    if not is_ted and national in others and planter.chance(0.3):
        buyers = (national,)
    cpv, nature = CPVS[rng.randrange(len(CPVS))]
    criteria = CRITERIA[rng.randrange(4)]
    framework = "fa-mix" if planter.chance(0.15) else "none"
    names = [f"LOT-{number}" for number in range(1, lots + 1)] if lots > 1 else ["LOT-0000"]
    procedure = Procedure(
        procedure_id="",
        schema="hilma",
        is_ted=is_ted,
        buyers=buyers,
        procedure_type=kind,
        lots=[Lot(name, cpv, nature, criteria, framework) for name in names],
        title="Näytehankinta Hilmassa",
    )
    if planter.chance(0.7):
        procedure.estimated_cents = int(rng.lognormvariate(12.0, 0.8)) * 100 + 50
    return procedure


def _notice(planter: Planter, procedure: Procedure, role: str, subtype: str, day: date, *, also_ted: bool = False) -> Notice:
    number = planter.document(day)
    form = "hilma_wrapped" if planter.chance(0.3) else "hilma_contract"
    notice = Notice(number, role, subtype, day, day, form=form, number=number, also_ted=also_ted)
    notice.lot_ids = tuple(lot.lot_id for lot in procedure.lots)
    procedure.notices.append(notice)
    if role == "call":
        answers = asked(planter.rng, day)
        for lot in procedure.lots:
            lot.call_answers = answers
    return notice


def _award(planter: Planter, procedure: Procedure, decided: date, subtype: str, *, also_ted: bool = False) -> Notice:
    """The award notice and the result of every lot."""
    notice = _notice(
        planter, procedure, "result", subtype, decided + timedelta(days=planter.rng.randrange(3, 12)), also_ted=also_ted
    )
    answers = asked(planter.rng, notice.day)
    for lot in procedure.lots:
        tenders = planter.rng.choices((1, 2, 3, 5), (4, 3, 2, 1))[0]
        cents = int(planter.rng.lognormvariate(12.2, 0.9)) * 100 + planter.rng.randrange(100) if planter.chance(0.8) else None
        sme = planter.rng.randrange(tenders + 1) if planter.chance(0.75) else None
        lot.result = Result(
            "selec-w", tenders, sme, decided if planter.chance(0.9) else None, [Award(cents, (_company(planter),))]
        )
        _count_winners(lot.result)
        lot.result_answers = answers
    return notice


def _count_winners(result: Result) -> None:
    """SMEs that won have tendered; who won, too."""
    won = [all(supplier.size == SME for supplier in award.winners) for award in result.awards]
    if result.sme_tenders is not None:
        result.sme_tenders = max(result.sme_tenders, sum(won))
    result.tenders = max(result.tenders or 0, len(won), result.sme_tenders or 0)


def _company(planter: Planter) -> Supplier:
    return planter.rng.choice(planter.world.companies)


def asked(rng: Random, day: date) -> Mapping[str, bool | None]:
    """A notice's answers: none before the questions came, three at first, all later; all lots of a notice share them."""
    if day < FIRST_QUESTIONS:
        return {}
    if day < ALL_QUESTIONS:
        return {key: rng.random() < YES_SHARES[key] for key in THREE}
    given: dict[str, bool | None] = {key: rng.random() < share for key, share in YES_SHARES.items()}
    given[LISTED] = rng.random() < 0.4 if any(given[key] for key in GREEN) else None
    return given
