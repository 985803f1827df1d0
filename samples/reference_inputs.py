"""Reference inputs of the sample nation and what follows from them: networks, sizes, group actors, category models, suppliers'
domiciles, total expenditure; and the true figures that rest on them and on planted posting lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from samples.cells import Cell, Place, Series, Span, Sums, month_of, places
from samples.facts import Organisation, Posting
from samples.registry import PRIVATISED, REGIONS, World
from samples.truth_spend import counted

Row = Mapping[str, str]
CELLS = dict[tuple[Series, Place], Cell]
SIZES = ("small", "medium", "large")
MEMBERS = {"espoo": None, "901": None, "907": date(2023, 12, 30), "county": None}
"""Members of the sample's network, with the last day of the one that left a day too early for 2023."""
OTHERS = {"901": None, "oulu": None}
"""Members of a second network; one is in both."""
MODELS = {
    "ICT-hankinnat": ("ict", True, None),
    "Toimitilapalvelut": ("premises", True, None),
    "Asiantuntija- ja toimistopalvelut": ("experts", False, None),
    "Tavarat": ("office", True, PRIVATISED),
    "Ruokapalvelut ja elintarvikkeet": ("food", False, None),
}
"""Delivered category -> category model, whether it is a support service, its last day."""
ACTORS = ("Malli-ICT-keskus (valtio, näyte)", "Esimerkki-Kiinteistöt (valtio, näyte)")
"""Suppliers that stand for the state's group actors; the second one joined the group in 2023."""
JOINED = date(2023, 1, 1)
EXPENDITURE_YEARS = (2022, 2023, 2024)
INCOMPLETE = ("901", 2025)
"""A unit whose expenditure is known of a year that is not wholly delivered: no share can be told."""


def networks(world: World) -> Iterator[tuple[str, str, list[tuple[Organisation, date | None, date | None]]]]:
    """(group, kind, members with first and last day)."""
    for group, members in (("sample-network", MEMBERS), ("sample-other-network", OTHERS)):
        yield group, "network", [(world.organisations[key], None, until) for key, until in members.items()]


def size_of(organisation: Organisation) -> str:
    """State units have a size, others have none."""
    return SIZES[int(organisation.code) % len(SIZES)] if organisation.sector == "state" else ""


def registers(world: World) -> dict[str, list[Row]]:
    """Rows of the registers that hold nothing as shipped."""
    publics = {supplier.name: supplier.identity or "" for supplier in world.publics}
    return {
        "category_models.csv": [
            {
                "delivered": delivered,
                "category_model": model,
                "is_support_service": "yes" if is_support else "no",
                "valid_to": "" if until is None else until.isoformat(),
                "source": "sample",
            }
            for delivered, (model, is_support, until) in MODELS.items()
        ],
        "supplier_groups.csv": [
            {
                "supplier_group": "state_group_actors",
                "name": name,
                "business_id": publics[name],
                "valid_from": "" if name == ACTORS[0] else JOINED.isoformat(),
                "source": "sample",
            }
            for name in ACTORS
        ],
        "supplier_domiciles.csv": [
            {"business_id": identity, "region": region, "source": "sample"} for identity, region in domiciles(world).items()
        ],
        "catalogue/total_expenditure.csv": [
            {"organisation_id": organisation.organisation_id, "year": str(year), "eur": f"{cents / 100:.2f}", "source": "sample"}
            for (organisation, year), cents in expenditure(world).items()
        ],
    }


def domiciles(world: World) -> dict[str, str]:
    """Business id -> region; every fourth company's is not known, and one is domiciled abroad (blank)."""
    known = [supplier.identity for supplier in world.companies if supplier.identity]
    found = {identity: REGIONS[place % 3][0] for place, identity in enumerate(known) if place % 4 != 3}
    return found | {known[0]: ""}


def expenditure(world: World) -> dict[tuple[Organisation, int], int]:
    """Total expenditure, in cents, of state units and one city; of the others it is not known."""
    units = [*world.state_units[::2], world.organisations["espoo"]]
    found = {
        (organisation, year): 900_000_00 + 1_234_567 * place + 10_050 * year
        for place, organisation in enumerate(units)
        for year in EXPENDITURE_YEARS
    }
    return found | {(world.organisations[INCOMPLETE[0]], INCOMPLETE[1]): 5_000_000_00}


def cells(postings: Iterable[Posting], world: World, span: Span) -> CELLS:
    """True figures by year."""
    lines = counted(postings)
    sums, known = Sums(span), domiciles(world)
    actors = {supplier.name: supplier.identity for supplier in world.publics}
    for line in lines:
        _by_category(sums, line, actors)
        _local(sums, line, known)
    return {**sums.cells(), **_expenditure(lines, world, span), **_networks(lines, world)}


def _by_category(sums: Sums, line: Posting, actors: Mapping[str, str | None]) -> None:
    """What a delivered category's model says on the first of the line's month."""
    model, is_support, until = MODELS.get(line.category or "", ("", False, None))
    day = month_of(line.day) if line.dated else date(line.day.year, 1, 1)
    if not model or (until is not None and day > until):
        return
    for kind, key in (("", ""), ("category_model", model)):
        sums.add(Series("category_model_spend", "all", "", kind, key), line.organisation, line.day, line.cents)
    if not is_support:
        return
    first = line.supplier.identity == actors[ACTORS[0]]
    later = line.supplier.identity == actors[ACTORS[1]] and day >= JOINED
    cents = line.cents if first or later else 0
    size = size_of(line.organisation)
    for kind, key in (("", ""), *([("size", size)] if size else [])):
        sums.add(Series("group_actor_share", "all", "", kind, key), line.organisation, line.day, cents, line.cents)


def _local(sums: Sums, line: Posting, known: Mapping[str, str]) -> None:
    """Suppliers with an id that are no public bodies, of known domicile."""
    identity = line.supplier.identity
    if identity and identity in known and not line.supplier.is_public(line.day):
        is_local = known[identity] == line.organisation.region
        sums.add(Series("local_spend_share", "market"), line.organisation, line.day, line.cents if is_local else 0, line.cents)


def _expenditure(lines: Iterable[Posting], world: World, span: Span) -> CELLS:
    spent: dict[tuple[Organisation, int], int] = defaultdict(int)
    for line in lines:
        spent[line.organisation, line.day.year] += line.cents
    found: CELLS = defaultdict(Cell)
    for (organisation, year), cents in expenditure(world).items():
        if (organisation, year) not in spent or date(year, 12, 1) > span.last:
            continue
        for place in places(span, organisation, date(year, 1, 1), ("year",)):
            cell = found[Series("spend_share_of_total", "all"), place]
            cell.numerator = (cell.numerator or 0) + spent[organisation, year]
            cell.denominator = (cell.denominator or 0) + cents
    return found


def _networks(lines: Iterable[Posting], world: World) -> CELLS:
    """Members on the year's last day: by network, and of any network for the nation."""
    nation: dict[int, int] = defaultdict(int)
    spent: dict[tuple[str, int], int] = defaultdict(int)
    groups = {group: members for group, _, members in networks(world)}
    for line in lines:
        if line.supplier.is_public(line.day):
            continue
        year = line.day.year
        nation[year] += line.cents
        inside = [
            group
            for group, members in groups.items()
            if any(who == line.organisation and (until is None or until >= date(year, 12, 31)) for who, _, until in members)
        ]
        for group in [*inside, *(["FI"] if inside else [])]:
            spent[group, year] += line.cents
    return {
        (
            Series("network_participation", "market"),
            Place("national" if group == "FI" else "group", group, "year", date(year, 1, 1)),
        ): Cell(cents, nation[year])
        for (group, year), cents in spent.items()
    }
