"""Ids of forms that a spreadsheet took for numbers: no case, agreement or court case stands for two."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.transforms import contact_deliveries
from tests.unit.transforms.form_deliveries import broken, cleaned
from transforms.sources import contact_requests, joint_procurements, market_court_cases


def test_contacts_are_never_one_case_by_a_lost_id(tmp_path: Path) -> None:
    rows = ["Tapausnumero;Luotu;Tila", *(f"{case};{day}.3.2024 10.00;Aktiivinen" for day, case in enumerate(
        ["2,02501E+11", "2,02501E+11", "CAS-1", "00123", "124", "2.02501000001e+11"], 1))]  # fmt: skip
    part = cleaned(contact_requests.FORM, tmp_path / "contacts.csv", rows)
    assert broken(part) == [(2, "case_id", "id_is_number"), (3, "case_id", "id_is_number")]
    assert part.accepted["contact_request"]["case_id"].to_list() == ["CAS-1", "00123", "124", "202501000001"]
    assert part.warnings.select("source_line", "rule").rows() == [(6, "id_zeros_lost")]


def test_numbers_of_json_are_ids_without_their_point(tmp_path: Path) -> None:
    records = [{"Case number": case, "Created on": "2024-03-01T10:00:00Z"} for case in (202501000001.0, 2.02501e30, "CAS-01001")]
    path = tmp_path / "contacts.json"
    path.write_text(json.dumps(records).replace("2.02501e+30", "2.02501E+11"), "utf-8")
    part = contact_deliveries.cleaned(path)
    assert part.accepted["contact_request"]["case_id"].to_list() == ["202501000001", "CAS-01001"]
    assert contact_deliveries.broken(part.failures) == [[2, "case_id", "id_is_number"]]


@pytest.mark.parametrize("lost", ["2,02501E+11", "Mar-21", "1.3.2021", "2021-03-01 00:00:00"])
def test_agreements_and_court_cases(tmp_path: Path, lost: str) -> None:
    court = ["Diaarinumero;Vireilletulopäivä;Organisaation Y-tunnus", f"{lost};1.3.2024;0201256-6", f"{lost};1.3.2024;0201256-6", "123/2024;1.3.2024;0201256-6"]
    part = cleaned(market_court_cases.FORM, tmp_path / "court.csv", court)
    assert {rule for _, _, rule in broken(part)} >= {"id_is_number"}
    assert part.accepted["market_court_case"]["case_number"].to_list() == ["123/2024"]
    sales = ["Yhteishankinnan tunnus;Toimittajan Y-tunnus", f"{lost};0201256-6", f"{lost};0201256-6", "YH-1;0201256-6"]
    part = cleaned(joint_procurements.FORM, tmp_path / "suppliers.csv", sales)
    assert part.accepted["agreement_supplier"]["agreement_id"].to_list() == ["YH-1"]
