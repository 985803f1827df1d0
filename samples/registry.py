"""The fictional world: organisations, suppliers, accounts. Every name says that it is a sample; every business id is one
that was never issued. Figures of the sample are invented and speak of nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from samples.facts import Account, Organisation, Supplier
from samples.ids import business_ids, spellings, wrong_check_digit

FOREVER = date(9999, 12, 31)
PRIVATISED = date(2023, 12, 31)
"""Last day on which one sample supplier is a public body: shows that the register is dated."""
RECLASSIFIED = date(2023, 12, 31)
"""Last day on which the sample's seminar account counts as procurement: shows that the account map is dated."""

BRANCHES = (
    ("91", "Esimerkkioikeuden hallinnonala (näyte)"),
    ("92", "Mallisivistyksen hallinnonala (näyte)"),
    ("93", "Näyteliikenteen hallinnonala (näyte)"),
    ("94", "Koevarojen hallinnonala (näyte)"),
)
REGIONS = (
    ("91", "Esimerkkimaa (näyte)", "Exempellandet (prov)"),
    ("92", "Mallimaa (näyte)", "Mallandet (prov)"),
    ("93", "Otosmaa (näyte)", "Urvalslandet (prov)"),
)

_STATE_UNITS = (
    ("901", "Esimerkkivirasto", "Exempelverket", "91", "91"),
    ("902", "Mallioikeuslaitos", "Malldomstolen", "91", "92"),
    ("903", "Näyterekisterikeskus", "Provregistercentralen", "91", "93"),
    ("904", "Koeopetushallitus", "Provutbildningsstyrelsen", "92", "91"),
    ("905", "Mallimuseovirasto", "Mallmuseiverket", "92", "92"),
    ("906", "Näytekirjasto", "Provbiblioteket", "92", "93"),
    ("907", "Esimerkkiväylävirasto", "Exempelledsverket", "93", "91"),
    ("908", "Koeliikennevirasto", "Provtrafikverket", "93", "92"),
    ("909", "Otosilmailulaitos", "Urvalsluftfartsverket", "93", "93"),
    ("910", "Mallitullilaitos", "Mallstullen", "94", "91"),
    ("911", "Näytekassavirasto", "Provkassaverket", "94", "92"),
    ("912", "Koetilastokeskus", "Provstatistikcentralen", "94", "93"),
)


@dataclass(frozen=True)
class World:
    """All organisations by a short key (state units under their code), and the supplier pools."""

    organisations: dict[str, Organisation]
    companies: tuple[Supplier, ...]
    publics: tuple[Supplier, ...]
    oddities: dict[str, tuple[Supplier, ...]]

    @property
    def state_units(self) -> list[Organisation]:
        return [
            organisation for organisation in self.organisations.values() if organisation.code and organisation.sector == "state"
        ]


_CITIES = (
    ("espoo", "Esimerkkilän kaupunki", "Exempelstad", "municipality", "91", "981"),
    ("tampere", "Mallilan kaupunki", "Mallstad", "municipality", "92", "982"),
    ("oulu", "Näytelän kaupunki", "Provstad", "municipality", "93", "083"),
    ("kaarina", "Koelan kaupunki", "Försöksstad", "municipality", "91", "984"),
    ("porvoo", "Harjoituslahden kaupunki", "Övningsvik stad", "municipality", "91", "985"),
    ("jyvaskyla", "Otosvuoren kaupunki", "Urvalsbergs stad", "municipality", "93", "986"),
    ("county", "Esimerkin hyvinvointialue", "Exemplets välfärdsområde", "wellbeing_county", "92", ""),
    ("joint", "Näytteen koulutuskuntayhtymä", "Provets utbildningssamkommun", "joint_authority", "93", "987"),
)

ACCOUNTS = (
    Account(
        "43920000",
        "Asiantuntija- ja tutkimuspalvelut",
        "Asiantuntija- ja tutkimuspalvelut",
        "Asiantuntija- ja toimistopalvelut",
        FOREVER,
    ),
    Account("43010000", "Rakennusten kunnossapitopalvelut", "Rakennusten ylläpito", "Rakennusten ja alueiden ylläpito", FOREVER),
    Account("43500000", "ICT-käyttöpalvelut", "ICT-palvelut", "ICT-hankinnat", FOREVER),
    Account("43700000", "Asiakaspalvelujen ostot", "Asiakaspalvelut", "Asiakaspalvelujen ostot", FOREVER),
    Account("40100000", "Toimistotarvikkeet", "Tarvikkeet", "Tavarat", FOREVER),
    Account("40300000", "Elintarvikkeet", "Elintarvikkeet", "Ruokapalvelut ja elintarvikkeet", FOREVER),
    Account("42000000", "Vuokrat", "Toimitilat", "Toimitilapalvelut", FOREVER),
    Account("12200000", "Maa- ja vesirakenteet", "Alueet ja väylät", "Alueet ja väylät", FOREVER),
    Account("43980000", "Seminaaripalvelut", "Seminaarit", "Koulutus", RECLASSIFIED),
)
SALARIES = Account("41100000", "Palkat ja palkkiot", "Henkilöstökulut", "Ei hankinta", None)
UNKNOWN = Account("77300000", "Selvittelytili", "Selvittely", "Muut", FOREVER, known=False)

_TRADES = (
    "Rakennus",
    "Konsultointi",
    "Siivous",
    "Ohjelmisto",
    "Hoiva",
    "Ruoka",
    "Kuljetus",
    "Toimitila",
    "Opetus",
    "Metsä",
    "Sähkö",
    "Paino",
)
_PREFIXES = ("Esimerkki", "Malli", "Näyte", "Otos", "Koe")


def build(rng: Random, companies: int) -> World:
    """The world of one seed: `companies` ordinary suppliers, and the odd ones that files are known to hold."""
    numbers = business_ids(9_000_000 + rng.randrange(0, 1000) * 100)
    organisations = {
        unit[0]: Organisation(f"state:{unit[0]}", next(numbers), unit[0], unit[1], unit[2], "state", unit[3], unit[4])
        for unit in _STATE_UNITS
    }
    for key, name_fi, name_sv, sector, region, city_code in _CITIES:
        business_id = next(numbers)
        organisations[key] = Organisation(business_id, business_id, "", name_fi, name_sv, sector, "", region, city_code)
    return World(
        organisations=organisations,
        companies=tuple(_company(index, next(numbers)) for index in range(companies)),
        publics=tuple(_public_bodies(numbers)),
        oddities=_oddities(numbers),
    )


def _company(index: int, business_id: str) -> Supplier:
    trade = _TRADES[index % 12]
    trade = f'"{trade}"' if index % 23 == 7 else trade  # stray quotes stand in real files
    name = f"{_PREFIXES[index % 5]}-{trade} {index + 1} {'Oyj' if index % 17 == 0 else 'Ab' if index % 11 == 0 else 'Oy'}"
    return Supplier(
        name,
        "business_id",
        business_id,
        spellings(business_id),
        size="large" if index % 6 == 0 else "" if index % 9 == 4 else "sme",
    )


def _public_bodies(numbers: Iterator[str]) -> Iterator[Supplier]:
    for name, until in (
        ("Esimerkki-Kiinteistöt (valtio, näyte)", FOREVER),
        ("Malli-ICT-keskus (valtio, näyte)", FOREVER),
        ("Näytesairaanhoito ky", FOREVER),
        ("Otosenergia Oy (kunnan, näyte)", PRIVATISED),
    ):
        business_id = next(numbers)
        yield Supplier(name, "business_id", business_id, spellings(business_id), size="large", public_until=until)


def _oddities(numbers: Iterator[str]) -> dict[str, tuple[Supplier, ...]]:
    sole = next(numbers)
    return {
        "no_id": (
            Supplier("Esimerkki-Kioski Oy", "no_id", None, ("",)),
            Supplier("Malli-Huolto Ky", "no_id", None, ("",)),
            Supplier("Näytekauppa Oy", "no_id", None, ("-",)),
            Supplier("Nollatunnus Näyte Oy", "no_id", None, ("0000000-0",)),
            Supplier("Foreign Example GmbH", "no_id", None, ("",), country="DE"),
        ),
        "wrong_digit": tuple(
            Supplier(f"Tarkistusnäyte {index} Oy", "no_id", None, (wrong_check_digit(next(numbers)),)) for index in range(1, 4)
        ),
        "private": (
            Supplier("Tmi Erkki Esimerkki", "private_trader", None, ("",)),
            Supplier("Maija Mallikas toiminimi", "private_trader", None, (sole,)),
            Supplier("T:mi Niilo Näyte", "private_trader", None, ("",)),
        ),
        "foreign": (
            Supplier("Exempel Konsult AB", "foreign_id", "SE559912345601", ("SE559912345601",), country="SE"),
            Supplier("Näidis OÜ", "foreign_id", "EE199912345", ("EE199912345",), country="EE"),
        ),
    }
