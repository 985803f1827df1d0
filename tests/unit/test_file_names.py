"""What is told of the names of delivered files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.file_names import told_name


@pytest.mark.parametrize(
    "name",
    ["koela_ostolaskut_2025-06.csv", "hilma_2024_03.json", "ted_samat_ilmoitukset.zip", "osa-0042.csv", "Ostot (2).XLSX", "00123456-2025.xml"],
)
def test_known_parts_stand(name: str) -> None:
    assert told_name(name, "sample-koela", "purchase_invoices").lower() == name.lower()


@pytest.mark.parametrize(
    "name", ["Eeli Mallikas.csv", "ostot_Mallikas_2024.csv", "eeli.mallikas@malli.fi.xlsx", "0401234567.csv", "FI2112345600000785.json", "Mallikas"]
)
def test_what_nobody_knows_is_hashed(name: str) -> None:
    told = told_name(name, "sample-koela", "purchase_invoices")
    assert not {"eeli", "mallikas", "0401234567", "2112345600000785"} & set(told.lower().replace("_", " ").replace(".", " ").split())
    assert "#" in told
    assert told != told_name(f"x{name}", "sample-koela", "purchase_invoices")


@given(st.text(max_size=40))
def test_any_name_is_told_alike_and_without_control_characters(name: str) -> None:
    told = told_name(name)
    assert told == told_name(name)
    assert told.isprintable()
