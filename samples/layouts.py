"""Headers and cells of the agencies' file layouts, as the real files have them (DATA_SOURCES, 1a-1c).

A layout turns one planted posting line into the cells of one delivered row; the header is kept verbatim with its trailing
blanks, double blanks, line breaks and no-break spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from samples.facts import Account, Posting
from samples.xlsx import Cell

NBSP = "\u00a0"


def _no_category(account: Account) -> str | None:
    return None


def _account_group(account: Account) -> str | None:
    return account.group


def _account_category(account: Account) -> str | None:
    return account.category


@dataclass(frozen=True)
class Layout:
    """How one file looks. `cells` gives the row of a posting; amounts and dates are already in the layout's form."""

    name: str
    header: tuple[str, ...]
    cells: Callable[[Posting], Sequence[Cell]]
    kind: Literal["text", "xlsx"] = "text"
    encoding: str = "utf-8"
    delimiter: str = ";"
    quoted: bool = True
    amount_index: int = 0
    """Position of the amount that the layout is read by: where a grand total stands."""
    category: Callable[[Account], str | None] = _no_category
    """What the file states as procurement category."""


def point(cents: int) -> str:
    """1234.56"""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def comma(cents: int) -> str:
    """1234,56"""
    return point(cents).replace(".", ",")


def comma_thousands(cents: int) -> str:
    """1 234,56 with a no-break space, as bookkeeping systems print it."""
    sign = "-" if cents < 0 else ""
    whole = f"{abs(cents) // 100:,}".replace(",", NBSP)
    return f"{sign}{whole},{abs(cents) % 100:02d}"


def number(cents: int) -> Decimal:
    """A number cell."""
    return Decimal(cents).scaleb(-2)


def _amount(posting: Posting, form: Callable[[int], Cell], cents: int | None = None) -> Cell:
    if posting.defect.startswith("amount"):
        return posting.defect_text
    return form(posting.cents if cents is None else cents)


def _date(posting: Posting, form: Callable[[date], Cell]) -> Cell:
    if posting.defect in ("date_missing", "date_unreadable"):
        return posting.defect_text
    return form(posting.day)


def _european(day: date) -> str:
    return f"{day:%d.%m.%Y}"


def _yymmdd(day: date) -> str:
    return f"{day:%y%m%d}"


def _as_is(day: date) -> date:
    return day


def _unit(posting: Posting) -> str:
    return f"Yksikkö {posting.unit}"


def _centre(posting: Posting) -> str:
    return f"{posting.unit:04d}"


_STATE = ("lasku_id", "tili", "tiliointisumma", "tositepvm", "toimittaja_y_tunnus", "toimittaja_nimi", "hankintayksikko_tunnus",
          "hankintayksikko", "ylaorganisaatio_tunnus", "ylaorganisaatio", "sektori", "tuote_palveluryhma", "hankintakategoria")  # fmt: skip
_SECTOR_WORDS = {"state": "Valtio", "municipality": "Kunta", "wellbeing_county": "Hyvinvointialue", "joint_authority": "Kuntayhtymä"}


def state(era: Literal["old", "new"], codes: dict[str, str], branches: dict[str, str]) -> Layout:
    """The state's th_data file: TAB and dd.mm.yyyy in the old era, semicolon and ISO dates in the new one; never quoted.

    `codes` gives the code of an organisation that is not a state unit, `branches` the names of administrative branches.
    """
    form: Callable[[date], Cell] = _european if era == "old" else date.isoformat

    def cells(posting: Posting) -> Sequence[Cell]:
        buyer, account = posting.organisation, posting.account
        return (
            posting.case_id, f"{account.code} {account.name}", _amount(posting, point), _date(posting, form), posting.id_text,
            posting.name_text, buyer.code or codes[buyer.organisation_id], buyer.name_fi, buyer.branch,
            branches.get(buyer.branch, ""), _SECTOR_WORDS[buyer.sector], account.group, account.category,
        )  # fmt: skip

    return Layout("state", _STATE, cells, delimiter="\t" if era == "old" else ";", quoted=False, amount_index=2,
                  category=_account_category)


def _espoo(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (posting.organisation.name_fi, _unit(posting), f"{_centre(posting)} Kustannuspaikka", _date(posting, _european), posting.case_id,
            account.group, account.code, account.name, posting.name_text, posting.id_text, _amount(posting, comma), "")  # fmt: skip


ESPOO = Layout(
    "espoo",
    ("Kunnan nimi", "Tulosyksikön nimi", "Kustannuspaikan nimi", "Kirjauspäivämäärä", "Laskun numero", "Tiliryhmän nimi", "Tilin numero",
     "Tilin nimi", "Toimittajan nimi", "Toimittajan Y-tunnus", "Summa ALV0 euroina", "Ostotilausnumero"),
    _espoo, amount_index=10,
)  # fmt: skip

_SIX_CITIES = ("Kuntakoodi", "Kunnan nimi", "Ostajan Y-tunnus", "Tulosyksikön ID", "Tulosyksikön nimi", "Osasto", "Kustannuspaikan ID",
               "Kustannuspaikan nimi", "Laskun päivämäärä", "Tositteen numero", "Ostotilausnumero", "Sopimusnumero", "Kirjauspäivämäärä",
               "Laskun numero", "Tiliryhmän numero", "Tiliryhmän nimi", "Tilin numero", "Tilin nimi", "Toimittajan nimi",
               "Toimittajan Y-tunnus", "Summa ALV0 euroina", "ALVin määrä euroina", "Kokonaissumma euroina")  # fmt: skip


def _tampere(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    matched = int(posting.case_id or 0) % 5 == 0  # the invoice date is missing where the invoice was matched to an order
    return (buyer.city_code, buyer.name_fi, buyer.business_id, posting.unit, _unit(posting), "", _centre(posting), "Kustannuspaikka",
            "" if matched else _date(posting, _european), posting.case_id, "", "", _date(posting, _european), posting.case_id,
            account.code[:2], account.group, account.code, account.name, posting.name_text, posting.id_text,
            _amount(posting, comma), comma(posting.vat_cents), _amount(posting, comma, posting.cents + posting.vat_cents))  # fmt: skip


TAMPERE = Layout("tampere", _SIX_CITIES, _tampere, delimiter=",", amount_index=20)


def _oulu(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (int(buyer.city_code), buyer.name_fi, buyer.business_id, posting.case_id, posting.name_text, posting.id_text, posting.supplier.country,
            _amount(posting, number), _date(posting, _yymmdd), account.code, account.name, None,
            _amount(posting, number, posting.cents + posting.vat_cents), "24", number(posting.vat_cents), _centre(posting))  # fmt: skip


OULU = Layout(
    "oulu",
    ("Kuntanro", "KUNTA", "Oulun kaupungin Y-tunnus", "Tosite numero", "Toimittajan nimi", "Toimittajan y-tunnus", "Toimittajan maakoodi",
     "Laskun summa ilman ALV:tä", "Tositepäivämäärä", "TILI", "TILIN NIMI", "Palveluluokka", "Kokonaissumma", "ALV-KOODI",
     "RIVIN OSUUS VERO", "Kustannuspaikka"),
    _oulu, kind="xlsx", amount_index=7,
)  # fmt: skip


def _jyvaskyla_2016(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (f"{100 + posting.unit}, Vastuualue {posting.unit}", f"{posting.unit:06d}", posting.id_text, posting.name_text, account.group,
            account.code, account.name, _amount(posting, number), None, None, None)  # fmt: skip


def _jyvaskyla_2019(posting: Posting) -> Sequence[Cell]:
    return (*_jyvaskyla_2016(posting)[:8], _date(posting, _as_is))


def _jyvaskyla_2020(posting: Posting) -> Sequence[Cell]:
    return (*_jyvaskyla_2019(posting), "00100")


def _jyvaskyla_2021(posting: Posting) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (int(buyer.city_code), buyer.name_fi, buyer.business_id, f"{100 + posting.unit} Vastuualue {posting.unit}", _centre(posting),
            _unit(posting), posting.name_text, posting.id_text, posting.supplier.country, account.group, account.code, account.name,
            account.code[:4], account.name[:50], _amount(posting, number), _date(posting, _as_is), None)  # fmt: skip


JYVASKYLA_2016 = Layout(
    "jyvaskyla",
    ("Vastuualue", "Toimittaja  nro", "Y-tunnus", "Toimittajan nimi", "Tiliryhmä", "Tili nro", "Tilin nimi", "Netto", "", "", ""),
    _jyvaskyla_2016, kind="xlsx", amount_index=7,
)  # fmt: skip
JYVASKYLA_2019 = Layout(
    "jyvaskyla",
    ("Vastuualue", "Toimittaja nro", "Y-tunnus", "Toimittajan nimi", "Tiliryhmä", "Tili", "Tilin nimi", "Nettosumma", "Kirjauspäivämäärä"),
    _jyvaskyla_2019, kind="xlsx", amount_index=7,
)  # fmt: skip
JYVASKYLA_2020 = Layout(
    "jyvaskyla",
    ("Vastuualue", "Toimittaja\n nro", f"Y-tunnus{NBSP}", "Toimittajan nimi", "Tiliryhmä", "Tili", "Tilin nimi", "Nettosumma", "Kirjauspvm",
     "Postinumero "),
    _jyvaskyla_2020, kind="xlsx", amount_index=7,
)  # fmt: skip
JYVASKYLA_2021 = Layout(
    "jyvaskyla",
    ("Kuntanumero", "Kunnan nimi ", "Kunnan y-tunnus", "Vastuualue", "Tulosyksikkö", "Tulosyksikön nimi", "Toimittajan nimi",
     "Toimittajan y-tunnus", "Toimittajan maakoodi", "Tiliryhmä", "Tili", f"Tilin{NBSP}nimi", "JHS-tili", "JHS-tilin nimi",
     "Laskun summa\nilman ALV", "Kirjauspäivämäärä", "Palveluluokka"),
    _jyvaskyla_2021, kind="xlsx", amount_index=14,
)  # fmt: skip


def _kaarina(posting: Posting) -> Sequence[Cell]:
    account = posting.account
    return (posting.organisation.name_fi, posting.case_id, _date(posting, _european), posting.name_text, posting.id_text,
            posting.supplier.country, _amount(posting, comma_thousands), account.code, account.name, account.group)  # fmt: skip


KAARINA = Layout(
    "kaarina",
    ("Kunnan nimi", "Tositenumero", "Tapaht.pvm", "Toimittajan  nimi", "Toimittajan y-tunnus", "Toimittajan maakoodi",
     "Laskun summa ilman ALV", "Tilinumero", "Tilin nimi", "Palveluluokka"),
    _kaarina, encoding="latin-1", amount_index=6, category=_account_group,
)  # fmt: skip


def _porvoo(posting: Posting) -> Sequence[Cell]:
    return (_centre(posting), _unit(posting), posting.case_id, posting.account.name,
            _amount(posting, comma_thousands, posting.cents + posting.vat_cents), f"R{posting.case_id}")  # fmt: skip


PORVOO = Layout(
    "porvoo",
    ("Kustannuspaikka", "Kustannuspaikan nimi", "Tositenumero", "Selite", "EUR, brutto", "Rondo ID"),
    _porvoo, encoding="latin-1", amount_index=4,
)  # fmt: skip

_GUIDE_2021 = ("Kunnan tai kuntayhtymän nimi", "Kuntanumero", "Kunnan y-tunnus", "Tositenumero", "Tositepäivämäärä", "Toimittajan nimi",
               "Toimittajan y-tunnus", "Toimittajan maakoodi", "Laskun summa ilman ALV", "Palveluluokka", "Tilin nimi",
               "Kirjanpidon tilinumero", "Hilma-tunnus")  # fmt: skip


def _guide(posting: Posting, amount: Cell, day: Cell) -> Sequence[Cell]:
    buyer, account = posting.organisation, posting.account
    return (buyer.name_fi, buyer.city_code, buyer.business_id, posting.case_id, day, posting.name_text, posting.id_text,
            posting.supplier.country, amount, account.group, account.name, account.code, "")  # fmt: skip


GUIDE_2021 = Layout(
    "guide_2021", _GUIDE_2021, lambda posting: _guide(posting, _amount(posting, comma), _date(posting, _european)), amount_index=8,
    category=_account_group,
)
GUIDE_2021_XLSX = Layout(
    "guide_2021", _GUIDE_2021, lambda posting: _guide(posting, _amount(posting, number), _date(posting, _as_is)), kind="xlsx", amount_index=8,
    category=_account_group,
)
