"""Registration numbers as they are met in notices, and names that must not be kept."""

from __future__ import annotations

import pytest

from schemas.reference import Reference
from transforms.sources.notice_ids import Names, read_id

NAMES = Names(Reference.load())


@pytest.mark.parametrize(
    ("text", "country", "value", "kind"),
    [
        ("2626335-1", "FI", "2626335-1", "business_id"),
        ("FI19921555", "FI", "1992155-5", "business_id"),
        ("fi 19921555", "FI", "1992155-5", "business_id"),
        ("19921555", "FI", "1992155-5", "business_id"),
        ("19921555", None, "1992155-5", "business_id"),
        (" 2626335-1 ", "FI", "2626335-1", "business_id"),
        ("Putki Oy Business ID 2716791-9", "FI", "2716791-9", "business_id"),
        ("2716791-9 (Y-tunnus 2716791-9)", "FI", "2716791-9", "business_id"),
        ("2716791-9, 2626335-1", "FI", None, "unreadable"),
        ("2626335-2", "FI", None, "unreadable"),
        ("0000000-0", "FI", None, "unreadable"),
        ("00000000", "FI", None, "unreadable"),
        ("12626335-1", "FI", None, "unreadable"),
        ("University of Somewhere", "FI", None, "unreadable"),
        ("", "FI", None, "none"),
        (None, "FI", None, "none"),
        ("FI19921555", "SE", "1992155-5", "business_id"),
        ("19921555", "DK", "DK:19921555", "foreign_id"),
        ("DK-40516611", "DK", "DK:DK-40516611", "foreign_id"),
        ("HRB 3639", "DE", "DE:HRB3639", "foreign_id"),
        ("556040-6034", "SE", "SE:556040-6034", "foreign_id"),
        ("917 755 736", "NO", "NO:917755736", "foreign_id"),
        ("none", "DE", None, "unreadable"),
        ("person@example.org 123", "DE", None, "unreadable"),
        ("+49 30 1234567", "DE", None, "unreadable"),
    ],
)
def test_registration_numbers(text: str | None, country: str | None, value: str | None, kind: str) -> None:
    found = read_id(text, country)

    assert (found.value, found.kind, found.is_personal) == (value, kind, False)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("131052-308T", "FI"),  # sample code of the Digital and Population Data Services Agency
        ("131052-308t", None),
        ("hetu 131052-308T", "FI"),
        ("880320-0016", "SE"),  # sample of the Swedish personnummer documentation
        ("151086 95088", "NO"),
        ("36805280109", "EE"),
        ("33309240064", "LT"),
    ],
)
def test_personal_identity_codes_are_dropped_and_told(text: str, country: str | None) -> None:
    found = read_id(text, country)

    assert found.value is None
    assert found.is_personal


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Siivous Oy", "Siivous Oy"),
        ("Tmi Maija Mallikas", None),
        ("Maija Mallikas T:mi", None),
        ("Toiminimi Mallikas", None),
        ("Tmitech Oy", "Tmitech Oy"),
        ("Yritys Oy / maija@example.org", None),
        ("Mallikas 131052-308T", None),
        ("x" * 400, "x" * 300),
        ("Maija Mallikas", None),
        ("MALLIKAS MAIJA-LIISA", None),
        ("Åke von Modell", None),
        ("Matti J. Mallikas", None),
        ("Maija Mallikas Oy", "Maija Mallikas Oy"),
        ("Mallikas ja kumppanit ky", "Mallikas ja kumppanit ky"),
        ("Modell & Söner Ab", "Modell & Söner Ab"),
        ("Mallilan kaupunki", "Mallilan kaupunki"),
        ("Mallila Stad", "Mallila Stad"),
        ("Mallitekniikka", "Mallitekniikka"),
        ("Malli Tekniikka 24", "Malli Tekniikka 24"),
        (None, None),
    ],
)
def test_names(name: str | None, kept: str | None) -> None:
    assert NAMES.kept(name, is_buyer=False) == kept


def test_a_persons_name_stays_where_a_public_body_buys() -> None:
    assert NAMES.kept("Suomen Mallilaitos", is_buyer=True) == "Suomen Mallilaitos"
    assert NAMES.kept("Malli Toimi", is_buyer=True) == "Malli Toimi"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Maija Mallikas Oy", True),
        ("Ab Modell", True),
        ("Mallikkaan ystävät ry.", True),
        ("Firma Maija (ky)", True),
        ("Malli GmbH", True),
        ("Maija Mallikas", False),
        ("Sa Nguyen", False),
        ("Tmi Maija Mallikas", False),
        (None, False),
    ],
)
def test_company_forms(name: str | None, expected: bool) -> None:
    assert NAMES.is_company(name) is expected
