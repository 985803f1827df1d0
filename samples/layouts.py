"""Headers and cells of the agencies' text layouts and of the guide of 2021, as the real files have them.

A layout turns one planted posting line into the cells of one delivered row; the header is kept verbatim with its trailing
blanks, double blanks, line breaks and no-break spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal

from samples.cellforms import (
    Layout,
    account_category,
    account_group,
    amount_cell,
    as_is,
    centre,
    columns,
    comma,
    comma_thousands,
    date_cell,
    european,
    number,
    point,
    unit,
)
from samples.facts import Posting
from samples.xlsx import Cell

_STATE = columns(
    "lasku_id|tili|tiliointisumma|tositepvm|toimittaja_y_tunnus|toimittaja_nimi|"
    "hankintayksikko_tunnus|hankintayksikko|ylaorganisaatio_tunnus|ylaorganisaatio|sektori|"
    "tuote_palveluryhma|hankintakategoria"
)
_SECTOR_WORDS = {
    "state": "Valtio",
    "municipality": "Kunta",
    "wellbeing_county": "Hyvinvointialue",
    "joint_authority": "Kuntayhtymä",
}


def state(era: Literal["old", "new"], codes: dict[str, str], branches: dict[str, str]) -> Layout:
    """The state's th_data file: TAB and dd.mm.yyyy in the old era, semicolon and ISO dates in the new one; never quoted.

    `codes` gives the code of an organisation that is not a state unit, `branches` the names of administrative branches.
    """
    form: Callable[[date], Cell] = european if era == "old" else date.isoformat

    def cells(posting: Posting) -> Sequence[Cell]:
        buyer, account = posting.organisation, posting.account
        surplus = (posting.defect_text,) if posting.defect == "row_malformed" else ()
        return (
            posting.case_id,
            f"{account.code} {account.name}",
            amount_cell(posting, point),
            date_cell(posting, form),
            posting.id_text,
            posting.name_text,
            buyer.code or codes[buyer.organisation_id],
            buyer.name_fi,
            buyer.branch,
            branches.get(buyer.branch, ""),
            _SECTOR_WORDS[buyer.sector],
            account.group,
            account.category,
            *surplus,
        )

    return Layout(
        "state", _STATE, cells, delimiter="\t" if era == "old" else ";", quoted=False, amount_index=2, category=account_category
    )


def _espoo(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (
        posting.organisation.name_fi,
        unit(posting),
        f"{centre(posting)} Kustannuspaikka",
        date_cell(posting, european),
        posting.case_id,
        account.group,
        account.code,
        account.name,
        posting.name_text,
        posting.id_text,
        amount_cell(posting, comma),
        "",
    )


ESPOO = Layout(
    "espoo",
    columns(
        "Kunnan nimi|Tulosyksikön nimi|Kustannuspaikan nimi|Kirjauspäivämäärä|Laskun numero|"
        "Tiliryhmän nimi|Tilin numero|Tilin nimi|Toimittajan nimi|Toimittajan Y-tunnus|"
        "Summa ALV0 euroina|Ostotilausnumero"
    ),
    _espoo,
    amount_index=10,
)

_SIX_CITIES = columns(
    "Kuntakoodi|Kunnan nimi|Ostajan Y-tunnus|Tulosyksikön ID|Tulosyksikön nimi|Osasto|"
    "Kustannuspaikan ID|Kustannuspaikan nimi|Laskun päivämäärä|Tositteen numero|Ostotilausnumero|"
    "Sopimusnumero|Kirjauspäivämäärä|Laskun numero|Tiliryhmän numero|Tiliryhmän nimi|Tilin numero|"
    "Tilin nimi|Toimittajan nimi|Toimittajan Y-tunnus|Summa ALV0 euroina|ALVin määrä euroina|"
    "Kokonaissumma euroina"
)


def _tampere(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    matched = int(posting.case_id or 0) % 5 == 0  # the invoice date is missing where the invoice was matched to an order
    return (
        buyer.city_code,
        buyer.name_fi,
        buyer.business_id,
        posting.unit,
        unit(posting),
        "",
        centre(posting),
        "Kustannuspaikka",
        "" if matched else date_cell(posting, european),
        posting.case_id,
        "",
        "",
        date_cell(posting, european),
        posting.case_id,
        account.code[:2],
        account.group,
        account.code,
        account.name,
        posting.name_text,
        posting.id_text,
        amount_cell(posting, comma),
        comma(posting.vat_cents),
        amount_cell(posting, comma, posting.cents + posting.vat_cents),
    )


TAMPERE = Layout("tampere", _SIX_CITIES, _tampere, delimiter=",", amount_index=20)


def _kaarina(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (
        posting.organisation.name_fi,
        posting.case_id,
        date_cell(posting, european),
        posting.name_text,
        posting.id_text,
        posting.supplier.country,
        amount_cell(posting, comma_thousands),
        account.code,
        account.name,
        account.group,
    )


KAARINA = Layout(
    "kaarina",
    columns(
        "Kunnan nimi|Tositenumero|Tapaht.pvm|Toimittajan  nimi|Toimittajan y-tunnus|"
        "Toimittajan maakoodi|Laskun summa ilman ALV|Tilinumero|Tilin nimi|Palveluluokka"
    ),
    _kaarina,
    encoding="latin-1",
    amount_index=6,
    category=account_group,
)


def _porvoo(posting: Posting) -> Sequence[Cell]:
    return (
        centre(posting),
        unit(posting),
        posting.case_id,
        posting.account.name,
        amount_cell(posting, comma_thousands, posting.cents + posting.vat_cents),
        f"R{posting.case_id}",
    )


PORVOO = Layout(
    "porvoo",
    columns("Kustannuspaikka|Kustannuspaikan nimi|Tositenumero|Selite|EUR, brutto|Rondo ID"),
    _porvoo,
    encoding="latin-1",
    amount_index=4,
)

_GUIDE_2021 = columns(
    "Kunnan tai kuntayhtymän nimi|Kuntanumero|Kunnan y-tunnus|Tositenumero|Tositepäivämäärä|"
    "Toimittajan nimi|Toimittajan y-tunnus|Toimittajan maakoodi|Laskun summa ilman ALV|"
    "Palveluluokka|Tilin nimi|Kirjanpidon tilinumero|Hilma-tunnus"
)


def _guide(posting: Posting, amount: Cell, day: Cell) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (
        buyer.name_fi,
        buyer.city_code,
        buyer.business_id,
        posting.case_id,
        day,
        posting.name_text,
        posting.id_text,
        posting.supplier.country,
        amount,
        account.group,
        account.name,
        account.code,
        "",
    )


GUIDE_2021 = Layout(
    "guide_2021",
    _GUIDE_2021,
    lambda posting: _guide(posting, amount_cell(posting, comma), date_cell(posting, european)),
    amount_index=8,
    category=account_group,
)
GUIDE_2021_XLSX = Layout(
    "guide_2021",
    _GUIDE_2021,
    lambda posting: _guide(posting, amount_cell(posting, number), date_cell(posting, as_is)),
    kind="xlsx",
    amount_index=8,
    category=account_group,
)
