"""Plants posting lines: ordinary purchases and the dirt that real files are known to hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from samples.facts import Account, Organisation, Posting, Supplier
from samples.ids import personal_id
from samples.registry import ACCOUNTS, SALARIES, UNKNOWN, World

MASKED = Supplier("Salassa pidettävä", "masked", None, ("Salassa pidettävä",))
LAST_MONTH_2025 = 10
DEFECTS = ("amount_unreadable", "amount_missing", "date_unreadable", "date_missing", "date_out_of_range", "amount_unreadable")


@dataclass(frozen=True)
class Shape:
    """What one agency's files can hold: `cases` invoices a year, of `organisations`; which columns there are."""

    organisations: tuple[Organisation, ...]
    cases: int
    median_cents: int = 45_000
    has_case: bool = True
    has_date: bool = True
    has_supplier: bool = True
    has_country: bool = False
    masks: bool = False
    parts: tuple[str, ...] = ("",)
    defects: int = len(DEFECTS)
    stray_dates: bool = False
    malformed: bool = False
    canaries: int = 0
    is_monthly: bool = False
    """Whether the year is delivered by months: what a file may lose is then a month's."""


LOSS = 0.009
"""The share of a file's euros that planted rows in quarantine hold at most: from one per cent on a delivery is refused."""


def days_of(year: int) -> int:
    """Days of the year that the sample speaks for: 2025 ends with October."""
    end = date(year, 12, 31) if year < 2025 else date(2025, LAST_MONTH_2025, 31)
    return (end - date(year, 1, 1)).days + 1


def plant(rng: Random, world: World, shape: Shape, year: int, first_case: int, years: tuple[int, int]) -> list[Posting]:
    """The posting lines of one agency and accounting year, in file order. `years`: first and last year of the sample."""
    span = days_of(year)
    count = shape.cases * span // 365
    days = sorted(rng.randrange(span) for _ in range(count))
    pool = _pool(world, shape, rng)
    organisations = rng.choices(
        shape.organisations, weights=[3 + index % 5 for index in range(len(shape.organisations))], k=count
    )
    suppliers = rng.choices(pool[0], cum_weights=pool[1], k=count)
    postings: list[Posting] = []
    for index in range(count):
        day = date(year, 1, 1) + timedelta(days=days[index])
        postings += _case(rng, shape, organisations[index], day, year, first_case + index, suppliers[index])
    if shape.stray_dates:
        _stray(rng, postings, year, years)
    if not shape.has_supplier:
        postings = [replace(posting, supplier=_without_id(posting.supplier), id_text="") for posting in postings]
    _spoil(rng, shape, postings)
    postings += _canaries(rng, shape, year, first_case + count)
    return postings


def _pool(world: World, shape: Shape, rng: Random) -> tuple[list[Supplier], list[float]]:
    """Suppliers with cumulative weights: a few large ones, a long tail, and some odd ones."""
    companies = list(world.companies)
    offset = rng.randrange(len(companies))
    pool = companies[offset:] + companies[:offset]
    weights = [1.0 / (rank + 6) for rank in range(len(pool))]
    total = sum(weights)

    def add(suppliers: Sequence[Supplier], share: float) -> None:
        pool.extend(suppliers)
        weights.extend([total * share / len(suppliers)] * len(suppliers))

    add(world.publics, 0.12)
    add(world.oddities["no_id"], 0.04)
    add(world.oddities["wrong_digit"], 0.004)
    add(world.oddities["private"], 0.015)
    if shape.has_country:
        add(world.oddities["foreign"], 0.02)
    if shape.masks:
        add([MASKED], 0.02)
    sums, running = [], 0.0
    for weight in weights:
        running += weight
        sums.append(running)
    return pool, sums


def _case(
    rng: Random, shape: Shape, organisation: Organisation, day: date, year: int, case: int, supplier: Supplier
) -> list[Posting]:
    """One invoice: one to four lines on accounts of one kind, now and then equal lines, now and then a credit note."""
    account = _account(rng)
    lines = 1 if rng.random() < 0.6 else rng.randrange(2, 5)
    sign = -1 if rng.random() < 0.03 else 1
    growth = 100 + 3 * (year - 2021)
    part = shape.parts[0] if len(shape.parts) == 1 else shape.parts[(day.month - 1) * len(shape.parts) // 12]
    id_text = rng.choice(supplier.id_texts)
    name = supplier.name.upper() if rng.random() < 0.05 else supplier.name
    postings: list[Posting] = []
    for _ in range(lines):
        cents = sign * max(1, int(rng.lognormvariate(0, 1.3) * shape.median_cents) * growth // 100)
        posting = Posting(
            organisation=organisation,
            day=day,
            file_year=year,
            part=part,
            case_id=str(case) if shape.has_case else None,
            account=account,
            supplier=supplier,
            cents=cents,
            vat_cents=cents * (24 if year < 2025 else 25) // 100,
            id_text=id_text,
            name_text=name,
            unit=rng.randrange(1, 6),
            dated=shape.has_date,
        )
        postings.append(posting)
        if rng.random() < 0.01:  # equal rows are legitimate: one row is one posting line
            postings += [replace(posting) for _ in range(rng.randrange(1, 3))]
    return postings


def _account(rng: Random) -> Account:
    draw = rng.random()
    if draw < 0.02:
        return SALARIES
    if draw < 0.025:
        return UNKNOWN
    return ACCOUNTS[rng.randrange(len(ACCOUNTS))]


def _stray(rng: Random, postings: list[Posting], year: int, years: tuple[int, int]) -> None:
    """Moves some whole invoices just outside the file's year: files are cut by accounting period, not by date."""
    cases = sorted({posting.case_id or "" for posting in postings})
    for case in rng.sample(cases, k=max(1, len(cases) // 300)):
        late = year == years[0] or (year < years[1] and rng.random() < 0.5)
        day = date(year + 1, 1, rng.randrange(2, 9)) if late else date(year - 1, 12, rng.randrange(20, 31))
        for posting in postings:
            if posting.case_id == case:
                posting.day = day


def _without_id(supplier: Supplier) -> Supplier:
    """The same supplier in a file that does not tell suppliers at all."""
    return replace(supplier, kind="no_id", identity=None, public_until=None)


def _spoil(rng: Random, shape: Shape, postings: list[Posting]) -> None:
    """A few rows that must go to quarantine, below the shares of rows and euros that refuse a delivery: a row without an amount weighs
    as much as the mean of its file."""
    usable = [defect for defect in DEFECTS[: shape.defects] if shape.has_date or not defect.startswith("date")]
    usable += ["row_malformed"] if shape.malformed else []
    texts = {
        "amount_unreadable": "#ARVO!",
        "amount_missing": "",
        "date_unreadable": "ei tiedossa",
        "date_missing": "",
        "date_out_of_range": "",
        "row_malformed": "yksi solu liikaa",
    }
    lonely = [posting for posting in postings if posting.account.known]
    lost: dict[object, float] = {}
    for defect, posting in zip(usable, rng.sample(lonely, k=len(usable)), strict=True):
        if _bears(shape, postings, posting, defect, lost):
            posting.defect = defect
            posting.defect_text = texts[defect]
        elif shape.has_date:  # a small file bears only what can be weighed
            least = min((one for one in lonely if not one.defect), key=lambda one: abs(one.cents))
            if _bears(shape, postings, least, "date_unreadable", lost):
                least.defect, least.defect_text = "date_unreadable", texts["date_unreadable"]


def _bears(shape: Shape, postings: list[Posting], posting: Posting, defect: str, lost: dict[object, float]) -> bool:
    """Whether the posting's file can lose it to a defect; `lost` holds what the files have lost so far, and this row if it can."""
    before = posting.day
    if defect == "date_out_of_range":
        posting.day = date(1900, 1, 1)
    file = _file_of(shape, posting)
    beside = [abs(other.cents) for other in postings if _file_of(shape, other) == file]
    weight = abs(posting.cents) if defect.startswith("date") else sum(beside) / len(beside)
    share = lost.get(file, 0.0) + weight / sum(beside)
    if share > LOSS:
        posting.day = before
        return False
    lost[file] = share
    return True


def _file_of(shape: Shape, posting: Posting) -> object:
    return posting.part, posting.day.month if shape.is_monthly else 0


def _canaries(rng: Random, shape: Shape, year: int, first_case: int) -> list[Posting]:
    """Rows with a personal identity code where a business id belongs, some with an address or a telephone number beside the name:
    accepted, as a private trader."""
    postings = []
    for index in range(shape.canaries):
        number = year * 7 + index * 13 + first_case % 89
        code = personal_id(number)
        name = f"Kanarialintu Näyte{number}"
        supplier = Supplier(name, "private_trader", None, (code,))
        beside = ("", f" nayte{number}@henkilo.example", f" +358 4{number % 10} {7_200_000 + number}")[(year + index) % 3]
        text = f"{name}{beside}" if index % 2 == 0 else f"{name} {code}"
        postings.append(
            Posting(
                organisation=shape.organisations[0],
                day=date(year, 3, 1 + index),
                file_year=year,
                part=shape.parts[0],
                case_id=str(first_case + index) if shape.has_case else None,
                account=ACCOUNTS[0],
                supplier=supplier,
                cents=rng.randrange(1_000, 90_000),
                vat_cents=0,
                id_text=code if index % 2 == 0 else "",
                name_text=text,
                unit=1,
                dated=shape.has_date,
            )
        )
    return postings
