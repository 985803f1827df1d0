"""Who delivers what in the sample: the agencies, their layouts by year, and their rows in the registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from samples import layouts, layouts_xlsx
from samples.cellforms import Layout
from samples.facts import Organisation
from samples.purchases import DEFECTS, Shape
from samples.registry import BRANCHES, World

Size = Literal["tiny", "demo", "large"]
CHART = "naytetilikartta"
MONTHLY = 2025
"""The year that one city delivers month by month."""
STATE = "sample-state"
NOTICES = "hilma-sample"


@dataclass(frozen=True)
class Plan:
    """One invoice agency: key of its organisation, years, file name (with {year}, {part} or {month}), layout and shape by year.

    `grand_totals` are the years whose file ends in a keyless total row; `monthly` those delivered month by month.
    """

    agency: str
    key: str
    file_name: str
    years: tuple[int, ...]
    layout: Callable[[int], Layout]
    shape: Callable[[int], Shape]
    columns: Mapping[str, str] = field(default_factory=dict)
    grand_totals: tuple[int, ...] = ()
    monthly: tuple[int, ...] = ()
    blank_lines: bool = False
    gross: bool = False
    title_lines: int = 0
    with_manifest: bool = True

    def register_row(self, organisation: Organisation | None) -> dict[str, str]:
        """The agency's row in agencies.csv."""
        name = organisation.name_fi if organisation else "Esimerkkivaltion ostolaskudata"
        row = {
            "agency": self.agency,
            "name": f"{name} (näyte)",
            "language": "fi",
            "sources": "purchase_invoices",
            "organisation_id": organisation.organisation_id if organisation else "",
            "chart": CHART,
            "layout": self.layout(self.years[-1]).name,
            "amount_basis": "gross" if self.gross else "net",
            "rhythm": "year",
            "due_working_days": "100",
            "frame_from": f"{self.years[0]}-01-01",
            "precedence": "50" if organisation is None else "10",
            "openly_published": "yes",
            "confirmed": "yes",
            "note": "sample agency",
        }
        return row | dict(self.columns)


_CASES = {"tiny": 0.02, "demo": 1.0}


def plans(world: World, size: Size, rows: int | None = None) -> list[Plan]:
    """The sample's invoice agencies. `rows`: about how many posting lines a large sample holds (demo: some 40 000)."""
    scale = _CASES[size] if size != "large" else (rows or 1_000_000) / 40_000
    years = (2023, 2024) if size == "tiny" else (2021, 2022, 2023, 2024, 2025)
    cities = [] if size == "tiny" else _cities(world, scale, years)
    return [_state(world, size, scale, years), _kaarina(world, scale, years, tiny=size == "tiny"), *cities]


def guest_codes(world: World) -> dict[str, str]:
    """Codes, in the state's files, of organisations that are not state units."""
    return {world.organisations["tampere"].organisation_id: "851", world.organisations["county"].organisation_id: "861"}


def _state(world: World, size: Size, scale: float, years: tuple[int, ...]) -> Plan:
    codes, names = guest_codes(world), dict(BRANCHES)
    units = tuple(world.state_units if size != "tiny" else world.state_units[::3])

    def shape(year: int) -> Shape:
        return Shape(
            units,
            int(1700 * scale),
            60_000,
            masks=True,
            stray_dates=True,
            malformed=size != "tiny" and year >= 2023,
            canaries=1 if size == "tiny" else 3,
            defects=2 if size == "tiny" else len(DEFECTS),
        )

    def layout(year: int) -> Layout:
        return layouts.state("old" if year <= 2022 else "new", codes, names)

    return Plan(STATE, "", "th_data_{year}.csv", years, layout, shape, with_manifest=False)


def _kaarina(world: World, scale: float, years: tuple[int, ...], *, tiny: bool) -> Plan:
    shape = Shape(
        (world.organisations["kaarina"],),
        int(600 * scale * (2 if tiny else 1)),
        has_country=True,
        canaries=1,
        defects=1 if tiny else 6,
    )
    return Plan(
        "sample-koela",
        "kaarina",
        "koela_ostolaskut_{year}.csv",
        years,
        lambda year: layouts.KAARINA,
        lambda year: replace(shape, is_monthly=year == MONTHLY),
        {"encoding": "", "decimal_mark": ""},
        blank_lines=True,
        grand_totals=years[:1],
        monthly=(MONTHLY,) if MONTHLY in years else (),
        with_manifest=False,
    )


def _cities(world: World, scale: float, years: tuple[int, ...]) -> list[Plan]:
    def only(key: str) -> tuple[Organisation, ...]:
        return (world.organisations[key],)

    espoo = Shape(only("espoo"), int(700 * scale), parts=("1", "2"), canaries=1)
    tampere = Shape(only("tampere"), int(700 * scale), 50_000)
    oulu = Shape(only("oulu"), int(600 * scale), has_country=True, defects=4, canaries=1)
    porvoo = Shape(only("porvoo"), int(300 * scale), has_date=False, has_supplier=False)
    joint = Shape(only("joint"), int(250 * scale), 30_000, has_country=True)
    county = Shape(only("county"), int(800 * scale), 55_000, has_country=True, canaries=2)

    def jyvaskyla(year: int) -> Shape:
        return Shape(only("jyvaskyla"), int(500 * scale), has_case=False, has_date=year != 2021, has_country=year >= 2024)

    sheets = {2021: layouts_xlsx.JYVASKYLA_2016, 2022: layouts_xlsx.JYVASKYLA_2019, 2023: layouts_xlsx.JYVASKYLA_2020}
    return [
        Plan(
            "sample-exempelstad",
            "espoo",
            "esimerkkila_ostolaskut_{year}_osa{part}.csv",
            years,
            lambda year: layouts.ESPOO,
            lambda year: espoo,
        ),
        Plan(
            "sample-mallila",
            "tampere",
            "mallila_ostolaskut_{year}.csv",
            years,
            lambda year: layouts.TAMPERE,
            lambda year: tampere,
        ),
        Plan(
            "sample-naytela",
            "oulu",
            "ostolaskudata_{year}_naytelankaupunki.xlsx",
            years,
            lambda year: layouts_xlsx.OULU,
            lambda year: oulu,
            {"date_format": "%y%m%d"},
        ),
        Plan(
            "sample-otosvuori",
            "jyvaskyla",
            "otosvuori_ostolaskut_{year}.xlsx",
            years,
            lambda year: sheets.get(year, layouts_xlsx.JYVASKYLA_2021),
            jyvaskyla,
            grand_totals=(2022, 2023, 2024),
        ),
        Plan(
            "sample-harjoituslahti",
            "porvoo",
            "harjoituslahti_ostot_{year}.csv",
            years[:-1],
            lambda year: layouts.PORVOO,
            lambda year: porvoo,
            gross=True,
            with_manifest=False,
        ),
        Plan(
            "sample-nayteyhtyma",
            "joint",
            "nayteyhtyma_ostolaskut_{year}.csv",
            years,
            lambda year: layouts.GUIDE_2021,
            lambda year: joint,
            grand_totals=(2023,),
        ),
        Plan(
            "sample-esimerkkihyva",
            "county",
            "esimerkin_hva_ostolaskut_{year}.xlsx",
            (2024, 2025),
            lambda year: layouts.GUIDE_2021_XLSX,
            lambda year: county,
            title_lines=2,
        ),
    ]
