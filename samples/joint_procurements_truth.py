"""True figures of joint procurement, from the planted register, purchases and posting lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

from samples import truth_spend
from samples.cells import Cell, Place, Series, Span, shift
from samples.deliveries import Written
from samples.facts import Organisation, Supplier
from samples.registry import World

if TYPE_CHECKING:
    from samples.joint_procurements import Agreement, Purchase

AGENCY = "sample-cpb"
OWN = (("national", "FI"), ("organisation", f"unknown:{AGENCY}"))
"""Where an agreement counts: no register knows the body's organisation."""
AREAS = ("preparedness", "data_protection", "information_security")
SME = ("micro", "small", "medium")
Truth = dict[tuple[Series, Place], Cell]


def cells(
    final: Sequence[Agreement],
    purchases: Sequence[Purchase],
    world: World,
    written: Written,
    span: Span,
    known: Mapping[tuple[Series, Place], Cell],
    matches: Mapping[str, str],
    sizes: Sequence[tuple[Supplier, str, str, str]],
) -> Truth:
    """Everything that follows for years. `matches`: category of invoices -> of agreements; `sizes`: supplier, size, first, last day."""
    found: Truth = {}
    for year in range(span.first.year, span.last.year):  # the register does not know the end of the last year
        for level, level_id in OWN:
            place = Place(level, level_id, "year", date(year, 1, 1))
            _agreements(found, place, [one for one in final if in_force(one.since, one.until, date(year, 12, 31))])
    _volumes(found, purchases)
    _customers(found, purchases, world, known)
    _shares(found, purchases, world, known)
    _coverage(found, final, written, matches)
    _sizes(found, written, sizes)
    return found | _contacts(found, final, known)


def in_force(since: date | None, until: date | None, day: date) -> bool:
    return (since is None or since <= day) and (until is None or day < until)


def _agreements(found: Truth, place: Place, there: Sequence[Agreement]) -> None:
    def put(figure_id: str, numerator: int, denominator: int | None = None, variant: str = "") -> None:
        found[Series(figure_id, "all", variant), place] = Cell(numerator, denominator, 0)

    end = date(place.period_start.year, 12, 31)
    for figure_id, kind in (("framework_n", "framework"), ("dps_n", "dps"), ("small_scale_n", "small_scale")):
        put(figure_id, sum(one.kind == kind for one in there))
    put("contracts_expiring_12m", sum(one.until is not None and one.until <= date(end.year + 1, 12, 31) for one in there))
    for number, area in enumerate(AREAS):
        levels = [one.levels[number] for one in there if one.levels[number]]
        for level in (1, 2, 3):
            put("prestudy_level_share", levels.count(level), len(levels), f"{area}_{level}")
    critical = [one for one in there if one.critical and one.prepared is not None]
    put("preparedness_plan_share", sum(bool(one.prepared) for one in critical), len(critical))
    parties: dict[str, list[tuple[str, bool | None]]] = defaultdict(list)
    for one in there:
        for party in one.parties:
            if in_force(party.since, party.until, end):
                later = party.checked_on is not None and party.checked_on > end
                parties[party.supplier.identity or ""].append((party.size, None if later else party.checked))
    put("contract_suppliers_n", len(parties))
    sizes = [rows[0][0] for rows in parties.values() if rows[0][0]]
    put("contract_supplier_sme_share", sum(size in SME for size in sizes), len(sizes))
    told = [[flag for _, flag in rows if flag is not None] for rows in parties.values()]
    put("tax_compliance_share", sum(all(flags) for flags in told if flags), sum(bool(flags) for flags in told))


def _volumes(found: Truth, purchases: Iterable[Purchase]) -> None:
    """Volume, whole and by category."""
    for one in purchases:
        cents = one.cents
        category = one.agreement.category if one.agreement else one.category
        for level, level_id in _memberships(one.organisation):
            place = Place(level, level_id, "year", date(one.year, 1, 1))
            for series in (
                Series("joint_procurement_spend", "all"),
                Series("joint_procurement_spend", "all", "", "category", category),
            ):
                cell = found.setdefault((series, place), Cell(0, None, 0))
                cell.numerator = (cell.numerator or 0) + cents
                cell.n += 1


def _customers(found: Truth, purchases: Iterable[Purchase], world: World, known: Mapping[tuple[Series, Place], Cell]) -> None:
    """Customers who bought for more than nothing or were in touch, in years of which purchases were reported; from three up."""
    bought: dict[tuple[str, int], int] = defaultdict(int)
    organisations = set(world.organisations.values())
    for one in purchases:
        organisations |= {one.organisation} if one.organisation else set()
        bought[one.organisation.organisation_id if one.organisation else "", one.year] += one.cents
    active: dict[Place, int] = defaultdict(int)
    for year in sorted({year for _, year in bought}):
        for organisation in organisations:
            own = Place("organisation", organisation.organisation_id, "year", date(year, 1, 1))
            if bought[organisation.organisation_id, year] > 0 or (Series("contacts_n", "all"), own) in known:
                for level, level_id in organisation.memberships():
                    if level in ("national", "sector"):
                        active[Place(level, level_id, "year", own.period_start)] += 1
    for place, number in active.items():
        found[Series("customers_active_n", "all"), place] = Cell(number if number >= 3 else None, None, 0)


def _memberships(organisation: Organisation | None) -> Sequence[tuple[str, str]]:
    return organisation.memberships() if organisation else (*OWN, ("sector", "unknown"))


def _shares(found: Truth, purchases: Iterable[Purchase], world: World, known: Mapping[tuple[Series, Place], Cell]) -> None:
    """Of every organisation with invoices in a year of which customers were reported, both sums."""
    reported: dict[tuple[str, int], int] = defaultdict(int)
    for one in purchases:
        if one.organisation:
            reported[one.organisation.organisation_id, one.year] += one.cents
    for year in sorted({year for _, year in reported}):
        for organisation in world.organisations.values():
            own = Place("organisation", organisation.organisation_id, "year", date(year, 1, 1))
            spent = known.get((Series("spend_total", "all"), own))
            if spent is None:
                continue
            for level, level_id in organisation.memberships():
                place = Place(level, level_id, "year", own.period_start)
                cell = found.setdefault((Series("joint_procurement_share", "all"), place), Cell(0, 0, 0))
                cell.numerator = (cell.numerator or 0) + reported[organisation.organisation_id, year]
                cell.denominator = (cell.denominator or 0) + (spent.numerator or 0)
                cell.n += 1


def _coverage(found: Truth, final: Sequence[Agreement], written: Written, matches: Mapping[str, str]) -> None:
    """Market spend of years: matched, off contract, in no category; and what of the matched has a notice."""
    sums: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in truth_spend.counted(written.postings):
        if line.supplier.is_public(line.day):
            continue
        months = [line.day.replace(day=1)] if line.dated else [date(line.day.year, month, 1) for month in range(1, 13)]
        category = matches.get(line.category or "") if line.supplier.identity else None
        open_to_buyer = [
            (one, month)
            for one in final
            for month in months
            if one.category == category and one.is_open(line.organisation) and _touches(one.since, one.until, month)
        ]
        hits = [
            one
            for one, month in open_to_buyer
            if any(party.supplier == line.supplier and _touches(party.since, party.until, month) for party in one.parties)
        ]
        kind = "matched" if hits else "off" if open_to_buyer else "none"
        for level, level_id in line.organisation.memberships():
            part = sums[Place(level, level_id, "year", date(line.day.year, 1, 1))]
            part["market"] += line.cents
            part[kind] += line.cents
            part["placed"] += category is not None
            part["hits"] += bool(hits)
            if any(one.notice for one in hits):
                part["noticed"] += line.cents
                part["notices"] += 1
    for place, part in sums.items():
        market, matched, off = part["market"], part["matched"], part["off"]
        told = part["placed"] > 0
        for series, numerator, denominator, known in (
            (Series("contract_coverage", "market", "of_market"), matched, market, told),
            (Series("contract_coverage", "market", "of_addressable"), matched, matched + off, told),
            (Series("off_contract_share", "market", "of_market"), off, market, told),
            (Series("off_contract_share", "market", "of_addressable"), off, matched + off, told),
            (Series("no_category_share", "market"), part["none"], market, True),
            (Series("tendered_share", "market"), part["noticed"], market, told and not (part["hits"] and not part["notices"])),
        ):
            found[series, place] = Cell(numerator, denominator, 0) if known else Cell(None, None, 0)


def _touches(since: date | None, until: date | None, month: date) -> bool:
    """In force on a day of the month."""
    return (since is None or since < shift(month, 1)) and (until is None or until > month)


def _contacts(found: Truth, final: Sequence[Agreement], known: Mapping[tuple[Series, Place], Cell]) -> Truth:
    """Contacts about agreements that are in force in the year, as another part of the sample planted them, per million euros."""
    rates: Truth = {}
    contacts: dict[tuple[Place, str], int] = defaultdict(int)
    categories = {one.agreement_id: one for one in final}
    for (series, place), cell in known.items():
        one = categories.get(series.breakdown_id)
        if series.figure_id != "contacts_n" or series.breakdown_kind != "joint_procurement" or one is None:
            continue
        ends = one.until and one.until <= place.period_start
        if place.level == "national" and place.period_kind == "year" and not ends:
            for category in ("", one.category):
                contacts[place, category] += cell.numerator or 0
    for (place, category), count in contacts.items():
        kind = "category" if category else ""
        spent = found.get((Series("joint_procurement_spend", "all", "", kind, category), place))
        if spent and spent.numerator:
            rate = Fraction(count * 100 * 10**6, spent.numerator)
            rates[Series("contacts_per_meur", "all", "", kind, category), place] = Cell(count, spent.numerator, count, rate)
    return rates


def _sizes(found: Truth, written: Written, sizes: Sequence[tuple[Supplier, str, str, str]]) -> None:
    """Spend of years on suppliers whose size the register knows in the month."""
    known: dict[str | None, list[tuple[str, str, str]]] = {}
    for one, size, since, until in sizes:
        known.setdefault(one.identity, []).append((size, since, until))
    for line in truth_spend.counted(written.postings):
        month = line.day.replace(day=1) if line.dated else date(line.day.year, 1, 1)
        identity = line.supplier.identity
        if identity is None:
            continue
        size = next((size for size, since, until in known.get(identity, ()) if since <= str(month) <= (until or "9999")), "")
        if not size:
            continue
        for level, level_id in line.organisation.memberships():
            place = Place(level, level_id, "year", date(line.day.year, 1, 1))
            cell = found.setdefault((Series("sme_spend_share", "market"), place), Cell(0, 0, 0))
            cell.numerator = (cell.numerator or 0) + line.cents * (size in SME)
            cell.denominator = (cell.denominator or 0) + line.cents
