"""Headers and cells of the cities that deliver workbooks: Oulu, and Jyväskylä whose headers change from year to year."""

from __future__ import annotations

from collections.abc import Sequence

from samples.cellforms import NBSP, Layout, amount_cell, as_is, centre, columns, date_cell, number, unit, yymmdd
from samples.facts import Posting
from samples.xlsx import Cell


def _oulu(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (
        int(buyer.city_code),
        buyer.name_fi,
        buyer.business_id,
        posting.case_id,
        posting.name_text,
        posting.id_text,
        posting.supplier.country,
        amount_cell(posting, number),
        date_cell(posting, yymmdd),
        account.code,
        account.name,
        None,
        amount_cell(posting, number, posting.cents + posting.vat_cents),
        "24",
        number(posting.vat_cents),
        centre(posting),
    )


OULU = Layout(
    "oulu",
    columns(
        "Kuntanro|KUNTA|Oulun kaupungin Y-tunnus|Tosite numero|Toimittajan nimi|Toimittajan y-tunnus|"
        "Toimittajan maakoodi|Laskun summa ilman ALV:tä|Tositepäivämäärä|TILI|TILIN NIMI|Palveluluokka|"
        "Kokonaissumma|ALV-KOODI|RIVIN OSUUS VERO|Kustannuspaikka"
    ),
    _oulu,
    kind="xlsx",
    amount_index=7,
)


def _jyvaskyla_2016(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (
        f"{100 + posting.unit}, Vastuualue {posting.unit}",
        f"{posting.unit:06d}",
        posting.id_text,
        posting.name_text,
        account.group,
        account.code,
        account.name,
        amount_cell(posting, number),
        None,
        None,
        None,
    )


def _jyvaskyla_2019(posting: Posting) -> Sequence[Cell]:
    return (*_jyvaskyla_2016(posting)[:8], date_cell(posting, as_is))


def _jyvaskyla_2020(posting: Posting) -> Sequence[Cell]:
    return (*_jyvaskyla_2019(posting), "00100")


def _jyvaskyla_2021(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (
        int(buyer.city_code),
        buyer.name_fi,
        buyer.business_id,
        f"{100 + posting.unit} Vastuualue {posting.unit}",
        centre(posting),
        unit(posting),
        posting.name_text,
        posting.id_text,
        posting.supplier.country,
        account.group,
        account.code,
        account.name,
        account.code[:4],
        account.name[:50],
        amount_cell(posting, number),
        date_cell(posting, as_is),
        None,
    )


JYVASKYLA_2016 = Layout(
    "jyvaskyla",
    columns("Vastuualue|Toimittaja  nro|Y-tunnus|Toimittajan nimi|Tiliryhmä|Tili nro|Tilin nimi|Netto| | | "),
    _jyvaskyla_2016,
    kind="xlsx",
    amount_index=7,
)
JYVASKYLA_2019 = Layout(
    "jyvaskyla",
    columns("Vastuualue|Toimittaja nro|Y-tunnus|Toimittajan nimi|Tiliryhmä|Tili|Tilin nimi|Nettosumma|Kirjauspäivämäärä"),
    _jyvaskyla_2019,
    kind="xlsx",
    amount_index=7,
)
JYVASKYLA_2020 = Layout(
    "jyvaskyla",
    columns(
        f"Vastuualue|Toimittaja\n nro|Y-tunnus{NBSP}|Toimittajan nimi|Tiliryhmä|Tili|Tilin nimi|"
        "Nettosumma|Kirjauspvm|Postinumero "
    ),
    _jyvaskyla_2020,
    kind="xlsx",
    amount_index=7,
)
JYVASKYLA_2021 = Layout(
    "jyvaskyla",
    columns(
        "Kuntanumero|Kunnan nimi |Kunnan y-tunnus|Vastuualue|Tulosyksikkö|Tulosyksikön nimi|"
        f"Toimittajan nimi|Toimittajan y-tunnus|Toimittajan maakoodi|Tiliryhmä|Tili|Tilin{NBSP}nimi|"
        "JHS-tili|JHS-tilin nimi|Laskun summa\nilman ALV|Kirjauspäivämäärä|Palveluluokka"
    ),
    _jyvaskyla_2021,
    kind="xlsx",
    amount_index=14,
)
