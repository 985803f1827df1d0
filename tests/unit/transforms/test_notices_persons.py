"""A person's particulars typed where an amount, a reference, a date or a code belongs: told to nobody, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from tests.unit.transforms.test_notices_source import AWARD, CALL, TED, take
from transforms.delivery import CleanPart

CASES = Path(__file__).parents[2] / "cases" / "notices"
NATIONAL = (CASES / "national_award_fi70" / "input.xml").read_bytes()
PERSON = "Matti Meikalainen 131052-308T"
OF_PERSON = ("meikalainen", "131052-308", "+358 40 123 4567")
NAMES = ("Name", "OFFICIALNAME")


def tainted(data: bytes, text: str) -> Iterator[bytes]:
    """The notice with `text` in place of each of its texts, one at a time; names of organisations are public and stay."""
    root = etree.fromstring(data)
    for element in root.iter(etree.Element):
        former = element.text
        if (former or "").strip() and etree.QName(element).localname not in NAMES:
            element.text = text
            yield etree.tostring(root)
            element.text = former


def _cells(part: CleanPart) -> Iterator[str]:
    for frame in part.accepted.values():
        for column in frame.select(pl.selectors.string()):
            yield from column.drop_nulls().unique()


@pytest.mark.parametrize("data", [AWARD, TED, NATIONAL], ids=["eforms", "ted", "national"])
@pytest.mark.parametrize("text", [PERSON, "Meikalainen", f"{PERSON} +358 40 123 4567"])
def test_no_cell_of_a_notice_tells_of_a_person(tmp_path: Path, data: bytes, text: str) -> None:
    files = {f"{number}.xml": notice for number, notice in enumerate(tainted(data, text))}

    parts, conclusion = take(tmp_path, files)

    told = [value for part in parts for value in pl.concat([part.failures, part.warnings])["value"].drop_nulls()]
    told += [reason.text + (reason.value or "") for reasons in conclusion.refused.values() for reason in reasons]
    assert len(files) > 20
    assert told
    told += [cell for part in parts for cell in _cells(part)] if " " in text else []  # one word alone may be a code
    assert [value for value in told if any(word in value.lower() for word in OF_PERSON)] == []


@pytest.mark.parametrize(
    ("identifier", "is_kept"),
    [
        ("a5010203-123b-4567-8901-234567890123", True),
        ("12010203-1234-4567-8901-040123456789", True),
        ("HEL 2024-000123", True),
        ("131052-308T", False),
        ("Meikalainen Matti", False),
    ],
)
def test_numbers_that_systems_give_stay(tmp_path: Path, identifier: str, is_kept: bool) -> None:
    root = etree.fromstring(AWARD)
    folder = next(root.iter("{*}ContractFolderID"))
    folder.text = identifier

    parts, conclusion = take(tmp_path, {"a.xml": etree.tostring(root), "b.xml": CALL})

    assert "b.xml" not in conclusion.refused
    assert (identifier in parts[0].accepted["notice"]["procedure_id"].to_list()) is is_kept
    assert ("a.xml" in conclusion.refused) is not is_kept


def test_what_cannot_be_a_person_is_told(tmp_path: Path) -> None:
    odd = AWARD.replace(b">1000</cbc:PayableAmount>", b">1e30</cbc:PayableAmount>").replace(
        b">2000</cbc:PayableAmount>", b">tuhat</cbc:PayableAmount>"
    )

    parts, _ = take(tmp_path, {"a.xml": odd})

    assert set(parts[0].warnings.filter(rule="value_unreadable")["value"]) == {"1e30", "xxxxx"}
    assert set(parts[0].warnings.filter(rule="reference_broken")["value"]) == {"TEN-0009"}


FLAG = "<efbc:NaturalPersonIndicator>true</efbc:NaturalPersonIndicator>"


@pytest.mark.parametrize(
    ("name", "is_flagged", "expected"),
    [
        ("Siivous Oy", True, ("Siivous Oy", "0112038-9", "business_id")),
        ("Städ Ab", True, ("Städ Ab", "0112038-9", "business_id")),
        ("Mallilan siivoojat ry", True, ("Mallilan siivoojat ry", "0112038-9", "business_id")),
        ("Maija Mallikas", True, (None, None, "none")),
        ("Mallisiivous", True, (None, None, "none")),
        ("Maija Mallikas", False, (None, "0112038-9", "business_id")),
        ("Siivous Oy", False, ("Siivous Oy", "0112038-9", "business_id")),
    ],
)
def test_a_company_form_says_more_than_a_flag(
    tmp_path: Path, name: str, is_flagged: bool, expected: tuple[str | None, ...]
) -> None:
    text = AWARD.decode().replace(">Siivous Oy<", f">{name}<")
    head, company, tail = text.partition('<efac:Company><efbc:CompanySizeCode listName="economic-operator-size">small')
    assert company
    [part], conclusion = take(tmp_path, {"a.xml": (head + (FLAG if is_flagged else "") + company + tail).encode()})
    assert not conclusion.refused
    second = part.accepted["organisation"].filter(organisation_ref="ORG-0002")
    assert second.select("name", "registration_id", "id_kind").rows() == [expected]
    winner = part.accepted["winner"].filter(organisation_ref="ORG-0002")
    assert winner.select("supplier_id", "id_kind").rows() == [expected[1:]]


def test_first_and_last_name_are_a_private_trader_in_other_schemas(tmp_path: Path) -> None:
    [part], _ = take(tmp_path, {"a.xml": TED.replace(b"<OFFICIALNAME>Siivous Oy<", b"<OFFICIALNAME>Maija Mallikas<")})
    assert part.accepted["organisation"]["name"].drop_nulls().to_list() == ["Esimerkkil\u00e4n kaupunki", "Puhdas Oyj"]
