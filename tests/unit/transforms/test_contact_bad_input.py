"""Contact requests of any bad kind: refused with a reason or quarantined by row, nothing lost, nobody's name kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.contact_requests import CASE
from schemas.reference import Reference
from tests.unit.transforms.contact_deliveries import AGENCY, broken, cleaned
from tests.unit.transforms.test_contact_cases import CASES
from transforms.delivery import Context, Delivered
from transforms.registry import SOURCES
from transforms.sources.contact_requests import FORM
from warehouse.publication.wording import rule_text

REAL = Path(__file__).parents[4] / "shared" / "data" / "contacts" / "dataverse_incidents.json"
HEADER = "Yhteydenoton tunnus;Saapunut;Yhteydenoton tyyppi;Yhteishankinta;Asiakas"
GUID = "5350cb01-a1b6-ea11-a812-000d3a3e1af1"
RECORD = '{"incidentid": "a1", "createdon": "2023-05-02T00:00:00Z"'


def _put(folder: Path, content: bytes | str, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _refused(path: Path) -> list[str]:
    """Why a file was refused, when it was read or when all its rows were seen."""
    part = cleaned(path)
    item = Delivered("d2", "contact_requests", "sample", path, path.name, 1, datetime(2024, 4, 2, tzinfo=UTC))
    conclusion = FORM.conclude([part], [item], Context(Reference.load(AGENCY)))
    return [reason.code for reasons in (*part.refused.values(), *conclusion.refused.values()) for reason in reasons]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b" \n\n", "file_empty"),
        (bytes(range(256)) * 40, "binary_file"),
        (b"%PDF-1.7 ...", "wrong_format"),
        (b"PK\x03\x04 broken", "zip_broken"),
        (b"PAR1 broken", "parquet_broken"),
        ('{"value": [' + RECORD, "json_broken"),
        ('{"value": [' + RECORD + "}", "json_broken"),
        ("[" * 100_000, "json_broken"),
        ('{"value": ' + "[" * 900 + "]" * 900 + "}", "json_shape"),
        ('{"value": [1, 2]}', "json_shape"),
        ('{"value": []}', "header_unrecognised"),
        ('{"error": {"code": "0x80040220", "message": "no rights"}}', "header_unrecognised"),
        ('{"value": [' + RECORD + ', "createdon": "2024-05-02T00:00:00Z"}]}', "json_key_repeated"),
        ('[{"value": 7, "@odata.nextLink": "x"}, {"value": "x"}]', "header_unrecognised"),
        ('{"value": [' + RECORD.replace("2023", "1e400") + "}]}", "value_unreadable"),
        ('{"value": [' + RECORD.replace('"2023-05-02T00:00:00Z"', "9" * 5_000) + "}]}", "value_unreadable"),
        ('{"value": [' + RECORD + '}], "@odata.nextLink": "https://x.example/?$skiptoken=2"}', "pages_missing"),
        ('[{"value": [' + RECORD + '}]}, {"value": [' + RECORD + '}], "@odata.nextLink": "x"}]', "pages_missing"),
        ('{"value": [' + RECORD + '}], "@odata.nextLink": "x"}\n{"value": [], "@odata.nextLink": "y"}\n', "pages_missing"),
        (HEADER, "no_rows"),
        ("Otsikko;Kuvaus\nMaija;kysyy\n", "header_unrecognised"),
    ],
)
def test_whole_files_are_refused_with_a_reason(tmp_path: Path, content: bytes | str, code: str) -> None:
    path = _put(tmp_path, content)

    assert _refused(path) == [code]
    assert FORM.recognise(path) in range(101)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_words_are_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    content = f"{HEADER}\nCAS-1;2.5.2023 12.00;Asiakirjojen kommentointi;Y-1;Jyväskylän kaupunki\n"

    part = cleaned(_put(tmp_path, content.encode(encoding)))

    rows = part.accepted["contact_request"].select("request_type", "organisation_id").rows()
    assert rows == [("document_comment", "0174666-4")]


@pytest.mark.parametrize("name", [column.name for column in CASE.columns if column.labels])
def test_an_identity_code_leaves_no_trace_in_any_column(tmp_path: Path, name: str) -> None:
    record = {"case_id": "CAS-1", "received_at": "2023-05-02T00:00:00Z", "joint_procurement": "Y-1"}
    path = _put(tmp_path, json.dumps([record, record | {"case_id": "CAS-2"} | {name: "131052-308T"}]))

    part = cleaned(path)

    told = (*part.accepted.values(), part.failures, part.warnings)
    assert not [frame for frame in told if "131052" in frame.cast(pl.String).write_csv()]
    assert part.counts["rows_read"].sum() == 2
    assert part.accepted["contact_request"]["case_id"][0] == "CAS-1"


def test_slipped_cells_show_nobody(tmp_path: Path) -> None:
    header = ";".join((column.labels or {})["fi"] for column in CASE.columns if column.labels)
    path = _put(tmp_path, f"{header}\nCAS-1;2.5.2023{';' * 12}\n" + ";".join(["Maija Mallikas"] * 14) + "\n")

    part = cleaned(path)

    assert part.failures.height > 5
    assert part.failures["value"].drop_nulls().to_list() == []
    assert part.accepted["contact_request"].height == 1


@pytest.mark.parametrize("title", ["", "Case id;Received at\n", "Customer;State;Case Type;Product;Origin\n"])
@pytest.mark.parametrize("star", ["", " *", "*"])
def test_a_customers_name_is_dropped_wherever_the_headings_stand(tmp_path: Path, title: str, star: str) -> None:
    header = f"Yhteydenoton tunnus{star};Saapunut{star};Tila;Yhteydenoton tyyppi;Asiakas"
    path = _put(tmp_path, f"{title}{header}\nCAS-1;2.5.2023;Aktiivinen;Neuvonta;Maija Mallikas\n")

    part = cleaned(path)

    assert "Mallikas" not in part.accepted["contact_request"].cast(pl.String).write_csv()
    assert part.accepted["contact_request"].filter(case_id="CAS-1")["request_type"].to_list() == ["advice"]


@pytest.mark.parametrize(
    ("customer", "found"),
    [
        ("Espoon kaupunki", "0101263-6"),
        ("ESBO  STAD", "0101263-6"),
        ("0101263-6", "0101263-6"),
        ("FI01012636", "0101263-6"),
        (GUID.upper(), "0124610-9"),
        ("asiakas 17", "0124610-9"),
        ("0737546-2", None),  # a valid business id of nobody in the register
        ("Maija Mallikas", None),
        ("", None),
    ],
)
def test_customers_are_those_of_the_register(tmp_path: Path, customer: str, found: str | None) -> None:
    rows = [f"sample,{GUID},0124610-9", "sample,Asiakas 17,0124610-9", "other,Maija Mallikas,0101263-6"]
    aliases = "\n".join(["agency,delivered_code,organisation_id,valid_from", *(f"{row}," for row in rows)]) + "\n"
    path = _put(tmp_path, f"{HEADER}\nCAS-1;2.5.2023;;;{customer}\n")

    part = cleaned(path, {"organisation_aliases.csv": aliases})

    assert part.accepted["contact_request"]["organisation_id"].to_list() == [found]


@pytest.mark.parametrize(("until", "found"), [("2024-04-01", "0124610-9"), ("2024-04-02", "0101263-6"), ("", "0101263-6")])
def test_an_alias_counts_on_the_day_that_the_export_was_made(tmp_path: Path, until: str, found: str) -> None:
    later = "sample,Asiakas 17,0124610-9,2024-04-02,\n" if until == "2024-04-01" else ""
    aliases = f"agency,delivered_code,organisation_id,valid_from,valid_to\nsample,Asiakas 17,0101263-6,,{until}\n{later}"
    path = _put(tmp_path, f"{HEADER}\nCAS-1;2.5.2023;;;Asiakas 17\n")

    part = cleaned(path, {"organisation_aliases.csv": aliases}, day=2)

    assert part.accepted["contact_request"]["organisation_id"].to_list() == [found]


def test_an_agencys_own_words_come_before_everybodys(tmp_path: Path) -> None:
    overlay = {
        "codelists/contact_headings.csv": "agency,delivered,column,note\nsample,cr123_requestkind,request_type,\nsample,cr123_answeredon,first_response_at,\n",
        "codelists/contact_words.csv": "agency,kind,delivered,code\nsample,request_type,Question,other\nsample,origin,100000004,phone\n",
        "codelists/contact_joint_procurements.csv": "agency,delivered,joint_procurement,note\nsample,Office supplies,YH-031,\n",
    }
    label = "@OData.Community.Display.V1.FormattedValue"
    record = {
        "incidentid": "CAS-1", "createdon": "2023-05-02T00:00:00Z", "cr123_requestkind": 1, f"cr123_requestkind{label}": "Question",
        "cr123_answeredon": "2023-05-02T01:00:00Z", "caseorigincode": 100000004, "_productid_value": GUID, f"_productid_value{label}": "office SUPPLIES",
    }  # fmt: skip
    page = json.dumps({"value": [record]})

    own = cleaned(_put(tmp_path, page), overlay).accepted["contact_request"].row(0, named=True)
    common = cleaned(_put(tmp_path, page)).accepted["contact_request"].row(0, named=True)

    names = ("request_type", "origin", "joint_procurement", "first_response_at")
    assert [own[name] for name in names] == ["other", "phone", "YH-031", datetime(2023, 5, 2, 1, tzinfo=UTC)]
    assert [common[name] for name in names] == [None, "other", "unmapped", None]


@pytest.mark.skipif(not REAL.exists(), reason="the real sample is not part of the repository")
def test_the_real_sample_is_read() -> None:
    part = cleaned(REAL)

    assert broken(part.failures) == []
    row = part.accepted["contact_request"].row(0, named=True)
    assert row["case_id"] == "6571371e-5049-4929-9523-fb82efb23914"
    assert row["received_at"] == datetime(2020, 6, 26, 9, 31, 17, tzinfo=UTC)
    assert (row["state"], row["status_reason"], row["origin"], row["closed_at"]) == ("active", "in_progress", None, None)
    stored = part.accepted["contact_request"].cast(pl.String).write_csv()
    assert [text for text in ("Pavan", "Test Case", "Test Account", "ArmBand", "Products") if text in stored] == []


@pytest.mark.parametrize("case", ["dataverse_page", "dataverse_pages", "view_swedish_csv", "generic_csv", "json_lines"])
def test_its_files_are_taken_for_no_other_source(case: str) -> None:
    path = next((CASES / case).glob("input.*"))
    marks = {slug: source.recognise(path) for slug, source in SOURCES.items()}

    assert max(marks, key=lambda slug: marks[slug]) == "contact_requests"
    assert sorted(marks.values())[-2] < marks["contact_requests"]


@pytest.mark.parametrize("rule", ["type_unmapped", "joint_procurement_unmapped"])
@pytest.mark.parametrize("language", ["fi", "sv"])
def test_its_own_rules_are_told_in_the_agencys_language(rule: str, language: str) -> None:
    assert rule_text(rule, language) != rule


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)
NAMES = [
    "incidentid",
    "createdon",
    "modifiedon",
    "statecode",
    "casetypecode",
    "_customerid_value",
    "_parentcaseid_value",
    "merged",
]


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS | st.integers() | st.booleans() | st.none()), max_size=12))
def test_whatever_the_records_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]]) -> None:
    first = {"incidentid": "CAS-1", "createdon": "2023-05-02T00:00:00Z", "@odata.etag": "x"}
    path = _put(tmp_path_factory.mktemp("any"), json.dumps({"value": [first, *records]}), "f.json")

    part = cleaned(path)

    counts = part.counts.row(0, named=True)
    assert counts["rows_read"] == len(records) + 1
    assert counts["rows_read"] == counts["rows_accepted"] + counts["rows_set_aside"] + counts["rows_quarantined"]
    assert part.failures["source_line"].n_unique() == counts["rows_quarantined"]


def test_a_page_and_the_next_one_that_it_tells_of_are_whole_together(tmp_path: Path) -> None:
    other = RECORD.replace('"CAS-1"', '"CAS-2"')
    path = _put(tmp_path, '[{"value": [' + RECORD + '}], "@odata.nextLink": "x"}, {"value": [' + other + "}]}]")

    assert cleaned(path).accepted["contact_request"].height == 2
