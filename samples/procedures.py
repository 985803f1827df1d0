"""Plants procurement procedures: what was called for, who bid, what was decided, and which notices told of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from uuid import UUID

from samples import answers
from samples.facts import Award, Lot, Notice, Organisation, Procedure, Result, Supplier
from samples.registry import World

SME = "sme"
LAST_DAY = date(2025, 10, 31)
LAST_TED_CALL, LAST_TED_RESULT = date(2023, 8, 20), date(2023, 10, 24)
FIRST_EFORMS = date(2023, 11, 6)
"""The older schema ended on 25 October 2023; the sample leaves no procedure astride that day."""
CPVS = (
    ("45210000", "works"),
    ("72000000", "services"),
    ("79400000", "services"),
    ("15000000", "supplies"),
    ("33140000", "supplies"),
    ("90910000", "services"),
    ("85000000", "services"),
    ("60000000", "services"),
    ("30200000", "supplies"),
    ("55320000", "services"),
)
CRITERIA = (("price",), ("price", "quality"), ("cost",), ("cost", "quality"), ("quality",))
FOREIGN_BUYER = Organisation("", "559900-1234", "", "Exempelregionen (prov)", "Exempelregionen (prov)", "", "", "")


@dataclass
class Planter:
    """The state of planting: the random source, the world, who buys, and running document numbers."""

    rng: Random
    world: World
    organisations: Sequence[Organisation]
    number: int = 100_000

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def document(self, day: date) -> str:
        self.number += self.rng.randrange(1, 40)
        return f"{self.number:06d}-{day.year}"

    def buyers(self, *, eforms: bool) -> tuple[Organisation, ...]:
        pool = [org for org in self.organisations if eforms or org.sector != "wellbeing_county"]
        return tuple(self.rng.sample(pool, k=1 if not self.chance(0.09) else self.rng.randrange(2, 4)))

    def notice(self, role: str, subtype: str, dispatched: date, published: date | None) -> Notice:
        number = self.document(published or dispatched)
        if subtype.startswith("F"):
            return Notice(number, role, subtype, dispatched, published, form="ted", number=number)
        form = "hilma" if subtype.startswith("E") or self.chance(0.8) else "xml"
        return Notice(self.uuid(), role, subtype, dispatched, published, form=form, number=number)


def plant(
    rng: Random, world: World, organisations: Sequence[Organisation], per_year: int, first_year: int, last_year: int
) -> list[Procedure]:
    """Procedures of the organisations whose calls (or awards) fall in the years; about two notices each."""
    planter = Planter(rng, world, organisations)
    found: list[Procedure] = []
    for year in range(first_year, last_year + 1):
        span = 300 if year == 2025 else 365
        for index in range(per_year * span // 365):
            day = _working_day(date(year, 1, 2) + timedelta(days=rng.randrange(span - 5)))
            if LAST_TED_CALL < day < FIRST_EFORMS:
                day = LAST_TED_CALL - timedelta(days=(day - LAST_TED_CALL).days)
            found.append(_procedure(planter, _working_day(day), index))
    return found


def _working_day(day: date) -> date:
    return day - timedelta(days=max(0, day.weekday() - 4))


def _procedure(planter: Planter, day: date, index: int) -> Procedure:
    rng = planter.rng
    eforms = day >= FIRST_EFORMS
    national = eforms and planter.chance(0.3)
    foreign = eforms and index % 37 == 5
    kind = rng.choices(
        ("open", "restricted", "neg-w-call", "comp-dial", "neg-wo-call", "oth-single"), (68, 10, 8, 2, 9, 4 if eforms else 0)
    )[0]
    if foreign:
        national, kind = False, "open"
    procedure = Procedure(
        procedure_id=planter.uuid(),
        schema="eforms" if eforms else "ted",
        is_ted=not national,
        buyers=(FOREIGN_BUYER,) if foreign else planter.buyers(eforms=eforms),
        procedure_type=kind,
        lots=_lots(planter, kind, eforms),
        country="SE" if foreign else "FI",
        currency="SEK" if foreign or (eforms and index % 41 == 7) else "EUR",
        central=not foreign and planter.chance(0.07),
        accelerated=planter.chance(0.02),
        title=f"Näytehankinta {planter.number}",
        buyer_id_missing=not foreign and eforms and planter.chance(0.02),
    )
    _estimate(planter, procedure, day)
    if kind in ("neg-wo-call", "oth-single"):
        _without_call(planter, procedure, day, national)
    else:
        _with_call(planter, procedure, day, national, index)
    if eforms and not foreign:
        answers.fill(rng, procedure)
    return procedure


def _lots(planter: Planter, kind: str, eforms: bool) -> list[Lot]:
    rng = planter.rng
    count = 1 if kind in ("neg-wo-call", "oth-single") or planter.chance(0.66) else rng.randrange(2, 6)
    cpv, nature = CPVS[rng.randrange(len(CPVS))]
    criteria = rng.choices(CRITERIA, (38, 46, 6, 7, 3 if eforms else 0))[0]
    framework = (
        rng.choices(("none", "fa-wo-rc", "fa-w-rc", "fa-mix"), (84, 8, 5, 3))[0]
        if eforms
        else ("fa-mix" if planter.chance(0.14) else "none")
    )
    dps = "none"
    if kind == "restricted" and framework == "none" and planter.chance(0.4):
        dps = "dps-nlist"
    mixed = eforms and count > 1 and planter.chance(0.15)
    lots = []
    for number in range(count):
        own = CRITERIA[(CRITERIA.index(criteria) + number) % 2] if mixed else criteria
        lots.append(
            Lot(
                (f"LOT-{number + 1:04d}" if eforms else f"LOT-{number + 1}") if count > 1 else "LOT-0000",
                cpv,
                nature,
                own,
                framework,
                dps,
            )
        )
    if eforms and planter.chance(0.03):
        lots[-1].free_text_criteria = True
    return lots


def _estimate(planter: Planter, procedure: Procedure, day: date) -> None:
    """Estimated values: of the whole, of the lots only, or none; early years state them too seldom for a publication rate."""
    if procedure.procedure_type in ("neg-wo-call", "oth-single") or not planter.chance(0.94 if day.year >= 2024 else 0.55):
        return
    values = [int(planter.rng.lognormvariate(13.2, 1.0)) * 100 for _ in procedure.lots]
    if len(values) > 1 and planter.chance(0.4):
        for lot, value in zip(procedure.lots, values, strict=True):
            lot.estimated_cents = value
        return
    procedure.estimated_cents = sum(values)


def _with_call(planter: Planter, procedure: Procedure, day: date, national: bool, index: int) -> None:
    rng = planter.rng
    ted = procedure.schema == "ted"
    lots = tuple(lot.lot_id for lot in procedure.lots)
    published = day + timedelta(days=3)
    deadline = published + timedelta(days=rng.randrange(8, 15) if planter.chance(0.08) else rng.randrange(16, 46))
    if not ted and not national and index % 9 == 4 and procedure.country == "FI":
        procedure.notices.append(planter.notice("planning", "4", day - timedelta(days=rng.randrange(20, 60)), None))
    if national and index % 5 == 1:
        procedure.notices.append(planter.notice("planning", "E1", day - timedelta(days=rng.randrange(10, 40)), None))
    missing = not ted and not national and planter.chance(0.03) and day >= date(2024, 2, 1) and procedure.country == "FI"
    if not missing:
        call = planter.notice(
            "call",
            "F02" if ted else "E3" if national else "16",
            day,
            published if ted or (not national and planter.chance(0.6)) else None,
        )
        call.deadline, call.lot_ids = deadline, lots
        call.versions = 2 if not ted and planter.chance(0.08) else 1
        procedure.notices.append(call)
    if not ted and not missing and planter.chance(0.14) and day.day <= 20 and procedure.country == "FI":
        _change(planter, procedure, national)
    decided = deadline + timedelta(days=rng.randrange(10, 120) if day.year < 2025 else rng.randrange(5, 70))
    if ted and decided > LAST_TED_RESULT - timedelta(days=25):
        decided = max(deadline + timedelta(days=1), LAST_TED_RESULT - timedelta(days=25))
    told = _working_day(decided + timedelta(days=rng.randrange(8, 21)))
    if (
        told + timedelta(days=4) <= LAST_DAY
        and (not ted or told + timedelta(days=4) <= LAST_TED_RESULT)
        and not any(notice.cancels for notice in procedure.notices)
    ):
        _results(planter, procedure, told, decided, national)


def _change(planter: Planter, procedure: Procedure, national: bool) -> None:
    """A change notice of the call: a later deadline, or the cancellation of the whole procedure."""
    call = procedure.notices[-1]
    change = planter.notice("change", call.subtype, call.day + timedelta(days=2), None)
    change.lot_ids = call.lot_ids
    change.cancels = planter.chance(0.35)
    change.deadline = call.deadline if change.cancels or call.deadline is None else call.deadline + timedelta(days=7)
    procedure.notices.append(change)


def _without_call(planter: Planter, procedure: Procedure, day: date, national: bool) -> None:
    ted = procedure.schema == "ted"
    decided = day - timedelta(days=planter.rng.randrange(15, 40))
    if not ted and not national and planter.chance(0.6):
        veat = planter.notice("veat", "25", decided, None)
        veat.lot_ids = tuple(lot.lot_id for lot in procedure.lots)
        procedure.notices.append(veat)
        if planter.chance(0.2):
            return  # announced, never awarded: alone it does not count
    if not ted or day + timedelta(days=4) <= LAST_TED_RESULT:
        _results(planter, procedure, _working_day(day), decided, national)


def _results(planter: Planter, procedure: Procedure, told: date, decided: date, national: bool) -> None:
    ted = procedure.schema == "ted"
    published = told + timedelta(days=3) if ted or (not national and planter.chance(0.6)) else None
    notice = planter.notice("result", "F03" if ted else "E4" if national else "29", told, published)
    notice.lot_ids = tuple(lot.lot_id for lot in procedure.lots)
    notice.versions = 2 if not ted and planter.chance(0.06) else 1
    procedure.notices.append(notice)
    for lot in procedure.lots:
        lot.result = _result(planter, procedure, lot, decided, ted)
    if all(lot.result and not lot.result.awards for lot in procedure.lots):
        return
    if not ted and not national and planter.chance(0.08) and told + timedelta(days=60) <= LAST_DAY and procedure.country == "FI":
        procedure.notices.append(planter.notice("modification", "38", told + timedelta(days=planter.rng.randrange(20, 56)), None))


def _result(planter: Planter, procedure: Procedure, lot: Lot, decided: date, ted: bool) -> Result:
    rng = planter.rng
    competitive = procedure.procedure_type not in ("neg-wo-call", "oth-single")
    if competitive and planter.chance(0.07):
        none = planter.chance(0.5)
        return Result(
            "clos-nw", tenders=None if ted else 0 if none else rng.randrange(1, 3), reason="no-rece" if none else "rev-buyer"
        )
    tenders = rng.choices((1, 2, 3, 4, 5, 7, 10), (25, 22, 19, 14, 10, 6, 4))[0] if competitive else 1
    result = Result("selec-w", tenders, decision=decided if planter.chance(0.93) else None)
    if planter.chance(0.7):
        result.sme_tenders = sum(planter.chance(0.72) for _ in range(tenders))
        result.sme_by_size = not ted and planter.chance(0.2)
    known = planter.chance(0.72)
    cents = int(rng.lognormvariate(12.6, 1.1)) * 100 + rng.randrange(100)
    multiple = 1 if lot.framework == "none" or ted else rng.randrange(1, 4)
    winners = _winners(planter, multiple)
    result.awards = [Award(cents // multiple if known else None, party, procedure.currency) for party in winners]
    if result.sme_tenders is not None:  # SMEs that won have tendered
        won = sum(all(supplier.size == SME for supplier in party) for party in winners)
        result.sme_tenders = max(result.sme_tenders, won)
        result.tenders = max(tenders, result.sme_tenders)
    if not ted:
        result.within_framework = competitive and lot.framework == "none" and lot.dps == "none" and planter.chance(0.05)
        result.requests = rng.randrange(2, 9) if procedure.procedure_type == "restricted" else None
        if planter.chance(0.03):
            result.withheld = ("rec-sub-cou", "win-ten-val")
            result.tenders = result.sme_tenders = None
            result.awards = [Award(None, award.winners, award.currency) for award in result.awards]
    return result


def _winners(planter: Planter, count: int) -> list[tuple[Supplier, ...]]:
    pool: Sequence[Supplier] = planter.world.companies
    parties = []
    for _ in range(count):
        size = 2 if planter.chance(0.04) else 1
        party = tuple(planter.rng.sample(pool, k=size))
        if planter.chance(0.03):
            party = (planter.world.oddities["no_id"][planter.rng.randrange(3)],)
        elif planter.chance(0.02):
            party = (planter.world.oddities["foreign"][planter.rng.randrange(2)],)
        parties.append(party)
    return parties


def in_order(procedures: Sequence[Procedure]) -> Iterator[tuple[Procedure, Notice]]:
    """All notices with their procedures, by date."""
    pairs = [(procedure, notice) for procedure in procedures for notice in procedure.notices]
    return iter(sorted(pairs, key=lambda pair: (pair[1].day, pair[1].notice_id)))
