"""Whose a notice is: the register and its validity, aliases, names, hashes; sectors and regions that deliveries tell."""

from __future__ import annotations

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.notice_facts import Given, tables
from transforms.measures.procurement_notices import measure

ORGANISATIONS = """organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note
state:901,2626335-1,Mallivirasto,Mallverket,,state,25,01,2020-01-01,2024-05-31,,
state:902,2626335-1,Uusi virasto,Nya verket,,state,25,01,2024-06-01,,,
0201256-6,0201256-6,Mallila,,,municipality,,01,,,,
unit:1,0201256-6,Mallilan vesi,,,municipality,,01,,,,
twin:1,,Kaksoset,,,state,,,,,,
twin:2,,Kaksoset,,,state,,,,,,
"""
ALIASES = """agency,delivered_code,organisation_id,valid_from,valid_to,note
hilma,0174666-4,0201256-6,,,old number
helsinki,0187690-1,0201256-6,,,an alias of invoices only
"""
REFERENCE = Reference.load({"organisations.csv": ORGANISATIONS, "organisation_aliases.csv": ALIASES})


def organisation_of(day: str = "2024-06-03", procedure_id: str = "P1", **buyer: object) -> str:
    given: Given = {
        "notice": [{"notice_id": "A", "notice_date": day, "procedure_id": procedure_id}],
        "organisation": [{"notice_id": "A", **buyer}],
        "lot_result": [{"notice_id": "A"}],
    }
    [found] = measure(tables(given), REFERENCE)["notice_fact"]["organisation_id"]
    return str(found)


@pytest.mark.parametrize(
    ("day", "business_id", "expected"),
    [
        pytest.param("2024-05-31", "2626335-1", "state:901", id="last day of the old unit"),
        pytest.param("2024-06-01", "2626335-1", "state:902", id="first day of the new unit"),
        pytest.param("2019-12-31", "2626335-1", "2626335-1", id="before the register knows it"),
        pytest.param("2024-06-03", "0201256-6", "0201256-6", id="the city, not a unit that shares its id"),
        pytest.param("2024-06-03", "0174666-4", "0201256-6", id="alias of notice deliveries"),
        pytest.param("2024-06-03", "0187690-1", "0187690-1", id="aliases of other deliveries say nothing here"),
    ],
)
def test_business_id_through_the_register(day: str, business_id: str, expected: str) -> None:
    assert organisation_of(day, registration_id=business_id) == expected


def test_name_of_one_registered_organisation_stands_in_for_a_missing_id() -> None:
    assert organisation_of(registration_id=None, id_kind="none", name="  NYA   verket ") == "state:902"


def test_name_that_two_organisations_bear_is_nobody_in_the_register() -> None:
    assert organisation_of(registration_id=None, id_kind="none", name="Kaksoset").startswith("notice-buyer:")


def test_hash_is_stable_and_takes_country_and_tidied_name() -> None:
    own = organisation_of(registration_id=None, id_kind="none", name="Tuntematon Oy")

    assert own == "notice-buyer:d93511c3739c"  # sha256 of b"FI\0tuntematon oy"
    assert organisation_of(registration_id="x", id_kind="unreadable", name="TUNTEMATON  oy") == own
    assert organisation_of(registration_id=None, id_kind="none", name="Tuntematon Oy", country="SE") != own


def test_nameless_buyers_are_kept_apart_by_procedure() -> None:
    first, second = (organisation_of(procedure_id=name, registration_id=None, id_kind="none", name=None) for name in ("P1", "P2"))

    assert first.startswith("notice-buyer:")
    assert first != second


@pytest.mark.parametrize(
    ("legal_type", "nuts", "sector", "region"),
    [
        ("cga", "FI1B1", "state", "01"),
        ("la", "FI197", "municipality", "06"),
        ("body-pl", "FI1D6", "other_public", "17"),
        ("ra", "FI200", "wellbeing_county", "21"),
        (None, "FI1", None, None),
        ("new-code", None, None, None),
    ],
)
def test_sector_by_legal_type_and_region_by_nuts(
    legal_type: str | None, nuts: str | None, sector: str | None, region: str | None
) -> None:
    given: Given = {
        "notice": [{"notice_id": "A"}],
        "organisation": [{"notice_id": "A", "legal_type": legal_type, "nuts": nuts, "name": "Ostaja"}],
        "lot_result": [{"notice_id": "A"}],
    }

    [row] = measure(tables(given), REFERENCE)["notice_buyer"].to_dicts()

    assert (row["name"], row["sector"], row["region"]) == ("Ostaja", sector, region)


def test_registers_of_sectors_and_regions_are_whole() -> None:
    reference = Reference.load()
    sectors = set(reference.table("sectors.csv")["sector"])
    nuts = reference.table("regions.csv")["nuts"].str.split("|").explode()

    assert set(reference.table("sector_aliases.csv")["sector"]) <= sectors
    assert reference.table("regions.csv").height == 19
    assert nuts.is_unique().all()
    assert nuts.str.contains(r"^FI(1[BCD9][0-9]|200)$").all()
    for name in ("sectors.csv", "regions.csv", "branches.csv"):
        assert reference.table(name).select(pl.col("name_fi", "name_sv", "name_en").null_count()).row(0) == (0, 0, 0)


def test_decisions_that_are_dropped_are_counted() -> None:
    call = {"notice_id": "C", "form_type": "competition", "subtype": "16", "notice_date": "2024-01-02"}
    days = {"LOT-0001": "2024-03-01", "LOT-0002": "2024-01-31", "LOT-0003": "2026-02-02", "LOT-0004": None}
    given: Given = {
        "notice": [call, {"notice_id": "A"}],
        "lot": [{"notice_id": name, "lot_id": lot, "deadline_date": "2024-02-01"} for name in ("C", "A") for lot in days],
        "lot_result": [{"notice_id": "A", "lot_id": lot, "decision_date": day} for lot, day in days.items()],
    }

    outcomes = measure(tables(given), REFERENCE)["lot_decision"].select("lot_id", "outcome", "days").rows()

    assert outcomes == [
        ("LOT-0001", "counted", 29),
        ("LOT-0002", "negative", -1),
        ("LOT-0003", "too_long", 732),
        ("LOT-0004", "no_decision", None),
    ]
