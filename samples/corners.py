"""Plants procedures that rules turn on: deadlines moved to either side of the limit of a short period, corrected awards.

Chance plants them seldom or never. Every size of sample holds the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from samples import answers
from samples.facts import Award, Lot, Notice, Organisation, Procedure, Result
from samples.procedures import Planter
from samples.registry import World
from samples.truth_notices import SHORT_DAYS

FIRST_NUMBER = 900_000
"""Document numbers beyond those of the other procedures."""
TO_PUBLICATION = timedelta(days=3)
CHANGED_AFTER = timedelta(days=4)


def plant(rng: Random, world: World, organisations: Sequence[Organisation]) -> list[Procedure]:
    """A short period made just long enough and a long one made just too short, both over a change of the clocks, by an EU and
    a national notice each; three awards that a later notice corrects."""
    planter = Planter(rng, world, organisations, FIRST_NUMBER)
    found = []
    for day, national in ((date(2024, 3, 21), False), (date(2024, 10, 18), True)):
        found += [
            _moved(planter, day, 10, SHORT_DAYS, national=national),
            _moved(planter, day, 30, SHORT_DAYS - 1, national=national),
        ]
    return [*found, _over_the_year(planter), _over_the_quarter(planter), _taken_back(planter)]


def _moved(planter: Planter, day: date, days: int, new_days: int, *, national: bool) -> Procedure:
    """A call whose deadline a change moves from `days` to `new_days` after the call; nothing is awarded yet."""
    procedure = _procedure(planter, national=national)
    call = _call(planter, procedure, day, days)
    change = planter.notice("change", call.subtype, call.day + CHANGED_AFTER, None)
    change.lot_ids, change.deadline = call.lot_ids, call.day + timedelta(days=new_days)
    procedure.notices.append(change)
    return procedure


def _over_the_year(planter: Planter) -> Procedure:
    """Awarded in December to a single bidder; a correction in January names another winner, more tenders and another day."""
    procedure = _procedure(planter, national=False)
    _call(planter, procedure, date(2023, 11, 7), 21)
    _results(planter, procedure, (date(2023, 12, 14), date(2024, 1, 11)))
    [lot] = procedure.lots
    lot.former = _award(planter, 1, date(2023, 12, 7), 40_000_000_00)
    lot.result = _award(planter, 3, date(2023, 12, 8), 412_345_67)
    answers.fill(planter.rng, procedure)
    return procedure


def _over_the_quarter(planter: Planter) -> Procedure:
    """Closed without an award on a quarter's last day; awarded to a single bidder by the correction on the next day."""
    procedure = _procedure(planter, national=True)
    _call(planter, procedure, date(2024, 8, 12), 28)
    _results(planter, procedure, (date(2024, 9, 30), date(2024, 10, 1)))
    [lot] = procedure.lots
    lot.former = Result("clos-nw", tenders=0, reason="no-rece")
    lot.result = _award(planter, 1, date(2024, 9, 20), 83_500_00)
    answers.fill(planter.rng, procedure)
    return procedure


def _taken_back(planter: Planter) -> Procedure:
    """Two lots awarded; the correction closes the second one without an award and leaves the first as it was."""
    procedure = _procedure(planter, national=False, lots=2)
    _call(planter, procedure, date(2024, 4, 8), 35)
    _results(planter, procedure, (date(2024, 6, 17), date(2024, 7, 15)))
    first, second = procedure.lots
    first.result = first.former = _award(planter, 2, date(2024, 6, 3), 150_000_00)
    second.former = _award(planter, 4, date(2024, 6, 3), 275_000_00)
    second.result = Result("clos-nw", tenders=4, reason="rev-buyer")
    answers.fill(planter.rng, procedure)
    return procedure


def _procedure(planter: Planter, *, national: bool, lots: int = 1) -> Procedure:
    """An open procedure without framework or purchasing system: its lots stand in every figure."""
    ids = [f"LOT-{number:04d}" for number in range(1, lots + 1)]
    return Procedure(
        procedure_id=planter.uuid(),
        schema="eforms",
        is_ted=not national,
        buyers=planter.buyers(eforms=True),
        procedure_type="open",
        lots=[Lot(lot_id, "72000000", "services", ("price", "quality")) for lot_id in ids],
        title=f"Näytehankinta {planter.number}",
    )


def _call(planter: Planter, procedure: Procedure, day: date, days: int) -> Notice:
    """The call, with a deadline so many days after its publication; a national one is known by its dispatch."""
    subtype, published = ("16", day + TO_PUBLICATION) if procedure.is_ted else ("E3", None)
    call = planter.notice("call", subtype, day, published)
    call.lot_ids, call.deadline = tuple(lot.lot_id for lot in procedure.lots), call.day + timedelta(days=days)
    procedure.notices.append(call)
    return call


def _results(planter: Planter, procedure: Procedure, days: tuple[date, date]) -> None:
    """The award notice and its correction."""
    for day in days:
        subtype, published = ("29", day + TO_PUBLICATION) if procedure.is_ted else ("E4", None)
        notice = planter.notice("result", subtype, day, published)
        notice.lot_ids = tuple(lot.lot_id for lot in procedure.lots)
        procedure.notices.append(notice)


def _award(planter: Planter, tenders: int, decided: date, cents: int) -> Result:
    winner = planter.rng.choice(planter.world.companies)
    return Result("selec-w", tenders, sme_tenders=tenders, decision=decided, awards=[Award(cents, (winner,))])
