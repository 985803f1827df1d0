"""Joint procurements of the sample nation: a register that was delivered twice, and reported purchases of the years.

What the register says in the end stands in `agreements`; the truth follows from it in `joint_procurements_truth`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from samples import joint_procurements_truth
from samples.cells import Cell, Place, Series, Span
from samples.deliveries import Written
from samples.facts import Canary, Organisation, Supplier
from samples.ids import personal_id
from samples.registry import World

SOURCE = "joint_procurements"
AGENCY = "sample-cpb"
FIRST_FILE, LAST_FILE = "yhteishankinnat_2022-12-31.json", "yhteishankinnat_2025-10-31.json"
YEARS = (2021, 2022, 2023, 2024)
SPENT = {
    "Asiantuntija- ja tutkimuspalvelut": "expert_services",
    "ICT-hankinnat": "software",
    "ICT-palvelut": "software",
    "Rakennusten ja alueiden ylläpito": "cleaning",
    "Rakennusten ylläpito": "cleaning",
    "Ruokapalvelut ja elintarvikkeet": "food_restaurant",
    "Elintarvikkeet": "food_restaurant",
    "Tarvikkeet": "furniture_office",
}
"""Categories of the sample's invoices and of its agreements; one row more ships with the registers, the rest match nothing."""
SHIPPED = {"Asiantuntija- ja toimistopalvelut": "expert_services"}
WORDS = {"expert_services": "Asiantuntijapalvelut", "software": "software", "cleaning": "Städning", "food_restaurant": "Food and restaurant",
         "energy": "Energia", "travel_meeting": "Resor och möten", "unmapped": "Kuvitteelliset palvelut"}  # fmt: skip
SIZES = ("micro", "small", "medium", "small")


@dataclass(frozen=True)
class Party:
    """A supplier on an agreement. `checked`: contractor's liability in order, None: not told; `checked_on` its day."""

    supplier: Supplier
    size: str
    since: date | None = None
    until: date | None = None
    checked: bool | None = None
    checked_on: date | None = None


@dataclass(frozen=True)
class Agreement:
    """An agreement; `until` None: open-ended. `open_to`: None everybody, else organisation ids and sectors."""

    agreement_id: str
    kind: str
    category: str
    since: date
    until: date | None
    notice: str
    open_to: tuple[str, ...] | None
    parties: tuple[Party, ...]
    critical: bool | None = None
    prepared: bool | None = None
    levels: tuple[int | None, int | None, int | None] = (None, None, None)

    def is_open(self, organisation: Organisation) -> bool:
        return self.open_to is None or bool({organisation.organisation_id, organisation.sector} & set(self.open_to))


@dataclass(frozen=True)
class Purchase:
    """A reported purchase; `month` 0: the year only; `organisation` None: no customer told."""

    year: int
    month: int
    agreement: Agreement | None
    category: str
    organisation: Organisation | None
    cents: int


def size_of(world: World, supplier: Supplier) -> str:
    """What the business register says of a company; '' nothing."""
    return _size(world.companies.index(supplier), supplier)


def _size(place: int, supplier: Supplier) -> str:
    return SIZES[place % 4] if supplier.size == "sme" else supplier.size


def agreements(world: World) -> list[Agreement]:
    """The register as its last delivery leaves it."""
    companies = world.companies
    oulu = world.organisations["oulu"].organisation_id

    def parties(start: int, count: int, step: int = 3) -> tuple[Party, ...]:
        picked = [companies[(start + place * step) % len(companies)] for place in range(count)]
        flags = (True, True, False, None, True)
        days = (date(2022, 3, 1), None, None, None, date(2024, 2, 1))
        return tuple(
            Party(one, size_of(world, one), checked=flags[n % 5], checked_on=days[n % 5]) for n, one in enumerate(picked)
        )

    late = Party(companies[2], size_of(world, companies[2]), since=date(2023, 4, 10), until=date(2024, 9, 15))
    return [
        Agreement("YH-001", "framework", "expert_services", date(2020, 1, 1), date(2024, 1, 1), "2019-001234", None,
                  parties(0, 40), True, True, (3, 2, 1)),
        Agreement("YH-002", "framework", "expert_services", date(2023, 6, 15), date(2027, 6, 15), "", ("state",),
                  (*parties(5, 30), late), False, None, (1, 2, None)),
        Agreement("YH-014", "dps", "software", date(2021, 3, 1), None, "2021-000777", None,
                  parties(1, 50, 2), True, False, (2, 3, 3)),
        Agreement("YH-022", "framework", "cleaning", date(2019, 5, 1), date(2022, 12, 31), "2019-000099", ("municipality", "wellbeing_county"),
                  parties(2, 25), True, None, (1, None, 1)),
        Agreement("YH-023", "dps", "cleaning", date(2022, 10, 10), date(2026, 10, 10), "", (oulu, "state:901"),
                  parties(7, 20, 5), None, None, (1, 1, 1)),
        Agreement("YH-031", "small_scale", "food_restaurant", date(2021, 1, 1), date(2025, 1, 1), "2020-004321", ("municipality",),
                  parties(3, 30), False, True, (2, 1, 2)),
        Agreement("YH-032", "small_scale", "energy", date(2022, 1, 20), date(2022, 12, 20), "2021-9", None,
                  parties(9, 4), True, True, (3, 3, 3)),
        Agreement("YH-040", "framework", "travel_meeting", date(2018, 1, 1), date(2021, 1, 15), "", None, parties(11, 3), False, None),
        Agreement("YH-050", "dps", "unmapped", date(2024, 2, 1), date(2025, 11, 1), "", None, parties(4, 6)),
    ]  # fmt: skip


def sizes(world: World) -> list[tuple[Supplier, str, str, str]]:
    """What the business register says: supplier, size, first and last day; one company outgrew its size in 2023."""
    (first, small), *rest = [(one, _size(place, one)) for place, one in enumerate(world.companies) if one.size]
    return [(first, small, "", "2022-12-31"), (first, "large", "2023-01-01", ""), *((one, size, "", "") for one, size in rest)]


def registers(world: World) -> dict[str, list[dict[str, str]]]:
    """Rows of the registers: categories of invoices, sizes of companies."""
    return {
        "codelists/agreement_categories.csv": [
            {"kind": "invoice", "delivered": delivered.lower(), "category": category, "note": "sample"}
            for delivered, category in SPENT.items()
        ],
        "supplier_sizes.csv": [
            {"business_id": one.identity or "", "size": size, "valid_from": since, "valid_to": until, "source": "sample"}
            for one, size, since, until in sizes(world)
        ],
    }


def deliver(
    rng: Random, world: World, written: Written, span: Span, known: Mapping[tuple[Series, Place], Cell]
) -> dict[tuple[Series, Place], Cell]:
    """Two registers (the first one has an agreement's former kind, end and suppliers) and the purchases of four years, of which
    2023 was reported twice."""
    from samples.form_files import outcome

    final = agreements(world)
    changed = Agreement("YH-014", "framework", "energy", date(2021, 3, 1), date(2023, 3, 1), "", None, final[0].parties[:5])
    there = [one for one in final if one.since < date(2022, 12, 31) and one.agreement_id != "YH-040"]
    former = [changed if one.agreement_id == changed.agreement_id else one for one in there]
    kept = [one for one in final if one.agreement_id != "YH-031"]
    for name, rows in ((FIRST_FILE, former), (LAST_FILE, kept)):
        tables = _tables(rows)
        written.place(AGENCY, name, SOURCE).write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", "utf-8")
        outcome(written, AGENCY, SOURCE, name, sum(len(part) for part in tables.values()))
    purchases: list[Purchase] = []
    for year in YEARS:
        rows_of_year = _purchases(rng, world, final, year)
        if year == 2023:
            _report(rng, written, f"yhteishankintaostot_{year}_2024-01-20.csv", rows_of_year[::2])
        _report(rng, written, f"yhteishankintaostot_{year}_{year + 1}-02-01.csv", rows_of_year)
        purchases += rows_of_year
    return joint_procurements_truth.cells(final, purchases, world, written, span, known, SPENT | SHIPPED, sizes(world))


def _tables(rows: Sequence[Agreement]) -> dict[str, list[dict[str, object]]]:
    names = ("preparedness_level", "data_protection_level", "information_security_level")
    return {
        "agreements": [
            {
                "agreement_id": one.agreement_id, "kind": one.kind, "category": WORDS[one.category],
                "valid_from": one.since.isoformat(), "valid_to": one.until and one.until.isoformat(), "procedure_id": one.notice,
                "is_open_to_all": one.open_to is None, "is_critical": one.critical, "has_preparedness_plan": one.prepared,
                **dict(zip(names, one.levels, strict=True)),
            }
            for one in rows
        ],
        "suppliers": [
            {
                "agreement_id": one.agreement_id, "supplier_id": party.supplier.identity, "size": party.size or "unknown",
                "valid_from": party.since and party.since.isoformat(), "valid_to": party.until and party.until.isoformat(),
                "is_liability_checked": party.checked, "liability_checked_on": party.checked_on and party.checked_on.isoformat(),
            }
            for one in rows
            for party in one.parties
        ],
        "open_to": [
            {"agreement_id": one.agreement_id, **({"organisation_id": whom} if ":" in whom or "-" in whom else {"sector": whom})}
            for one in rows
            for whom in one.open_to or ()
        ],
    }  # fmt: skip


def _purchases(rng: Random, world: World, final: Sequence[Agreement], year: int) -> list[Purchase]:
    """2021: by category only; later by customer, agreement and, for the dynamic systems, month; some credits."""
    if year == 2021:
        return [Purchase(year, 0, None, category, None, rng.randrange(10**6, 10**8)) for category in sorted(set(WORDS))]
    from samples.overlays import silent

    found = [Purchase(year, 0, None, "energy", None, 1_234_567), Purchase(year, 0, final[6], "", silent()[0][0], 7_654_321)]
    for key, organisation in world.organisations.items():
        if organisation.since.year > year or key in ("910", "joint"):
            continue
        for one in final:
            if one.is_open(organisation) and rng.random() < 0.4:
                months = rng.sample(range(1, 13), 2) if one.kind == "dps" else [0]
                cents = rng.randrange(100, 500_000)
                found += [Purchase(year, month, one, "", organisation, cents) for month in months]
                if rng.random() < 0.1:
                    found.append(Purchase(year, months[0], one, "", organisation, -cents // 4))
    return found


def _report(rng: Random, written: Written, name: str, purchases: Sequence[Purchase]) -> None:
    """A CSV with Finnish headings and decimal commas. Its last rows name neither agreement nor category, or a person where an
    agreement should stand; the people who filled it in stand in a column of their own and in cells of categories."""
    from samples.form_files import outcome

    file = str(written.place(AGENCY, name, SOURCE).relative_to(written.out))
    people = [f"Kanarialintu Tilaaja{rng.randrange(10**6)}" for _ in purchases]
    personal = personal_id(rng.randrange(100_000))
    written.canaries += [Canary(one, "person_name", file, "Yhteyshenkilö") for one in people]
    written.canaries.append(Canary(personal, "personal_id", file, "Yhteishankinnan tunnus"))
    with written.place(AGENCY, name, SOURCE).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";", lineterminator="\r\n")
        writer.writerow(
            (
                "Vuosi",
                "Kuukausi",
                "Yhteishankinnan tunnus",
                "Hankintakategoria",
                "Asiakkaan Y-tunnus",
                "Ostot euroa",
                "Yhteyshenkilö",
            )
        )
        for number, (one, person) in enumerate(zip(purchases, people, strict=True)):
            writer.writerow(
                (
                    one.year, one.month or "", one.agreement.agreement_id if one.agreement else "",
                    WORDS.get(one.category, person if one.agreement and number % 5 == 0 else ""),
                    one.organisation.organisation_id if one.organisation else "",
                    f"{'-' if one.cents < 0 else ''}{abs(one.cents) // 100},{abs(one.cents) % 100:02d}", person,
                )
            )  # fmt: skip
        writer.writerow((purchases[0].year, "", "", "", "", "1000,00", ""))
        writer.writerow((purchases[0].year, "", people[0], "Energia", "", "1000,00", ""))
        writer.writerow((purchases[0].year, "", personal, "", "", "1000,00", ""))
    rules = {"purchase_unplaced": 2, "text_not_a_code": 1}  # the identity code is dropped, and nothing is left to place by
    outcome(written, AGENCY, SOURCE, name, len(purchases), rows_quarantined=3, rules=rules)
