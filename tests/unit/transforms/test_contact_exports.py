"""Exports of contact requests: pages that are missing, headings as systems and people write them, closings without a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.transforms.contact_deliveries import cleaned
from tests.unit.transforms.survey_files import taken
from tests.unit.transforms.test_forms import RETURN, text_file
from tests.unit.transforms.test_forms import taken as form_taken

COUNT, NEXT = "@odata.count", "@odata.nextLink"
COOKIE = "https://x.example/incidents?$skiptoken=%3Ccookie%20pagenumber=%22{}%22%20pagingcookie=%22%253ccookie%22%20/%3E"


def page(*numbers: int, **beside: Any) -> dict[str, Any]:
    named = {"count": COUNT, "next": NEXT, "total": "@Microsoft.Dynamics.CRM.totalrecordcount", "more": "@Microsoft.Dynamics.CRM.morerecords"}
    records = [{"incidentid": f"a{n}", "createdon": "2023-05-02T00:00:00Z", "statecode": 0} for n in numbers]
    return {named[name]: value for name, value in beside.items()} | {"value": records}


def put(folder: Path, *pages: dict[str, Any], lines: bool = False) -> Path:
    path = folder / "contacts.json"
    path.write_text("\n".join(map(json.dumps, pages)) if lines else json.dumps(pages[0] if len(pages) == 1 else pages), "utf-8")
    return path


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(
    ("pages", "rows"),
    [
        ([page(1, count=1)], 1),
        ([page(1, count=2)], None),
        ([page(2, count=2)], None),
        ([page(1, 2, 3, count=2)], 3),
        ([page(1, total=-1)], 1),
        ([page(1, total=3)], None),
        ([page(1, more=True)], None),
        ([page(1, more=False)], 1),
        ([page(count=7)], None),
        ([page(1, count=2, next="x"), page(2, count=2)], 2),
        ([page(1, count=3, next="x"), page(2, count=3)], None),
        ([page(1, next=COOKIE.format(2)), page(2, next=COOKIE.format(3)), page(3)], 3),
        ([page(1, next=COOKIE.format(2)), page(3)], 2),
        ([page(1, next=COOKIE.format(2)), page(3, next=COOKIE.format(4)), page(4)], None),
        ([page(2, next=COOKIE.format(3)), page(3)], None),
        ([page(1, next=COOKIE.format(2)), page(1, next=COOKIE.format(2)), page(2)], None),
    ],
)
def test_all_pages_or_none(tmp_path: Path, pages: list[dict[str, Any]], rows: int | None, lines: bool) -> None:
    part = cleaned(put(tmp_path, *pages, lines=lines))
    if rows is None:
        assert [reason.code for reasons in part.refused.values() for reason in reasons] == ["pages_missing"]
    else:
        assert part.accepted["contact_request"].height == rows


def test_pages_of_other_sources_are_missed_too(tmp_path: Path) -> None:
    record = {"Organisation's business id": "0201256-6", "Year": 2023, "Answer": "yes"}
    path = put(tmp_path, {"value": [record], COUNT: 2})
    assert [reason.code for reasons in form_taken(path)[0].refused.values() for reason in reasons] == ["pages_missing"], RETURN.name
    answers = [{"respondent id": "1", "year": 2023, "Palveluasenne": "5"}]
    path = put(tmp_path, {"value": answers, NEXT: "x"})
    assert [reason.code for reasons in taken(path)[1].refused.values() for reason in reasons] == ["pages_missing"]


@pytest.mark.parametrize(
    "heading",
    ["first_responsesenton", "First Response Sent On", "FirstResponseSentOn", "new_firstresponsesenton", "hansel_FirstResponseSentOn",
     "cr5d1_first_response_sent_on", "ENSIVASTAUS", "Första  svaret", "first-response-at", "new_ensivaste"],
)  # fmt: skip
def test_headings_without_blanks_case_and_prefix(tmp_path: Path, heading: str) -> None:
    lines = f"Ticket Number;CREATEDON;{heading}\nCAS-1;1.3.2024 10.00;1.3.2024 12.00\n"
    (tmp_path / "f.csv").write_text(lines, "utf-8")
    part = cleaned(tmp_path / "f.csv")
    [moment] = part.accepted["contact_request"]["first_response_at"].to_list()
    assert (moment.hour, moment.minute) == (10, 0)
    assert part.accepted["contact_request"]["case_id"].to_list() == ["CAS-1"]


@pytest.mark.parametrize("heading", ["parent_createdon", "old_casenumber", "msdyn_resolutiondate", "firstresponsesla_status"])
def test_other_columns_with_a_prefix_are_not_taken(tmp_path: Path, heading: str) -> None:
    (tmp_path / "f.csv").write_text(f"case number;created on;{heading}\nCAS-1;1.3.2024 10.00;2.3.2024 12.00\n", "utf-8")
    row = cleaned(tmp_path / "f.csv").accepted["contact_request"].row(0, named=True)
    assert (row["case_id"], row["closed_at"], row["first_response_at"]) == ("CAS-1", None, None)
    assert row["received_at"].day == 1


def test_a_plain_heading_wins_over_one_with_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("new_createdon;case number;created on\n9.3.2024 1.00;CAS-1;1.3.2024 10.00\n", "utf-8")
    assert cleaned(tmp_path / "f.csv").accepted["contact_request"]["received_at"][0].day == 1


@pytest.mark.parametrize(
    ("state", "reason", "closed", "told"),
    [
        ("Ratkaistu", "", "", True),
        ("Resolved", "", "2.3.2024 9.00", False),
        ("", "Problem Solved", "", True),
        ("", "tiedot annettu", "", True),
        ("Aktiivinen", "", "", False),
        ("Peruutettu", "", "", False),
        ("Active", "Problem Solved", "", False),
    ],
)
def test_closed_cases_without_a_closing_time_are_told(tmp_path: Path, state: str, reason: str, closed: str, told: bool) -> None:
    lines = f"Tapausnumero;Luotu;Tila;Tilan syy;Ratkaistu klo\nCAS-1;1.3.2024 10.00;{state};{reason};{closed}\n"
    (tmp_path / "f.csv").write_text(lines, "utf-8")
    part = cleaned(tmp_path / "f.csv")
    assert part.accepted["contact_request"].height == 1
    assert part.warnings.filter(pl.col("rule") == "closing_time_missing").height == told


def test_headings_of_other_forms_are_compared_so_too(tmp_path: Path) -> None:
    part, _ = form_taken(text_file(tmp_path, "OrganisationID;VUOSI;organisation_name", "0201256-6;2023;Espoon kaupunki"))
    assert part.accepted["return"]["year"].to_list() == [2023]
