"""Invoices whose agency nobody names: found by the buyer's id on the rows, else by the header; never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import pipeline
from flows.receiving import Received
from flows.settings import Settings
from tests.unit.flows.inbox_files import PanicException
from transforms.registry import SOURCES

GUIDE = "Kunnan nimi;Kunnan y-tunnus;Tositenumero;Tositepäivämäärä;Toimittajan nimi;Toimittajan y-tunnus;Tilin nimi;Laskun summa ilman ALV"
ROW = "{name};{buyer};1;15.03.2024;Otos Oy;9048548-5;Palvelut;10,00"
STATE = (
    "lasku_id;tili;tiliointisumma;tositepvm;toimittaja_y_tunnus;toimittaja_nimi;hankintayksikko_tunnus;hankintayksikko;"
    "ylaorganisaatio_tunnus;ylaorganisaatio;sektori;tuote_palveluryhma;hankintakategoria\n"
    "1;43920000 Asiantuntijapalvelut;126.68;2025-02-25;9048548-5;Otos Oy;151;Virasto;25;Ministeriö;Valtio;Palvelut;Palvelut\n"
)
ESPOO = (
    "City;Unit;Cost centre;Posting date;Invoice number;Account no;Account name;Supplier name;Supplier business ID;Total (VAT 0)\n"
    "Espoo;1;2;2024-03-15;7;4300;Palvelut;Otos Oy;9048548-5;10,00\n"
)
ORDINARY = (
    "Kaupunki;Yksikkö;Laskun numero;Kirjauspäivä;Toimittajan nimi;Tilin nimi;Summa\nKylä;1;7;15.03.2024;Otos Oy;Palvelut;10,00\n"
)


def receive(settings: Settings, tmp_path: Path, text: str, name: str = "ostot_2024.csv") -> Received:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    (received,) = pipeline.receive(settings, [path], None, "purchase_invoices")
    return received


def agency(received: Received) -> str | None:
    return received.landed.intent.agency if received.landed else None


def guide(*buyers: str) -> str:
    return "\n".join([GUIDE, *(ROW.format(name="Kaupunki", buyer=buyer) for buyer in buyers)]) + "\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(guide("0133226-9", "0133226-9"), "kaarina", id="the buyer's id on all rows"),
        pytest.param(guide("FI01332269"), "kaarina", id="the id in another spelling"),
        pytest.param(guide("0164308-3"), "helsinki", id="an id that the agency's organisation is delivered under"),
        pytest.param(STATE, "state", id="the state's header"),
        pytest.param(guide("0136169-2", ""), "paimio", id="an agency's id, and rows without one"),
        pytest.param(ESPOO, "espoo", id="a city's own header"),
    ],
)
def test_recognised(settings: Settings, tmp_path: Path, text: str, expected: str) -> None:
    received = receive(settings, tmp_path, text)
    assert agency(received) == expected, received.reasons


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(guide("0133226-9", "0211675-2"), id="two agencies' ids"),
        pytest.param(ORDINARY, id="a few words of one layout"),
        pytest.param(guide("9048548-5"), id="nobody's id"),
        pytest.param(guide(""), id="no id, a header that many write"),
        pytest.param(
            ESPOO.replace("Unit", "Kunnan y-tunnus").replace("Espoo;1", "Espoo;9048548-5"),
            id="the header says one, the rows another",
        ),
    ],
)
def test_not_guessed(settings: Settings, tmp_path: Path, text: str) -> None:
    received = receive(settings, tmp_path, text)
    assert agency(received) is None
    (reason,) = received.reasons
    assert reason.code == "agency_unrecognised"
    assert "agency not recognised; say --agency" in reason.text


def test_a_header_that_two_agencies_write_is_no_agencys(settings: Settings, tmp_path: Path) -> None:
    registry = settings.home / "registry"
    registry.mkdir(parents=True)
    (registry / "agencies.csv").write_text("agency,name,sources,layout\nother,Toinen,purchase_invoices,espoo\n", "utf-8")
    assert agency(receive(settings, tmp_path, ESPOO)) is None


def test_an_agency_that_is_named_is_not_second_guessed(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "ostot_2024.csv"
    path.write_text(guide("0133226-9"), "utf-8")
    (received,) = pipeline.receive(settings, [path], "tampere", "purchase_invoices")
    assert agency(received) == "tampere"
    (received,) = pipeline.receive(settings, [path], "nobody", "purchase_invoices")
    assert [reason.code for reason in received.reasons] == ["agency_unknown"]


@pytest.mark.parametrize("error", [PanicException(), RecursionError(), KeyError("x")])
def test_a_file_that_no_reader_stands_is_not_recognised(
    settings: Settings, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_path: Path) -> int:
        raise error

    for source in SOURCES.values():
        monkeypatch.setitem(source.__dict__, "recognise", fails)
    path = tmp_path / "ostot.csv"
    path.write_text("a;b\n1;2\n", "utf-8")
    (received,) = pipeline.receive(settings, [path], None, None)
    assert received.landed is None
    assert [reason.code for reason in received.reasons] == ["source_unknown"]
