"""Sample deliveries read back with plain csv, openpyxl and lxml: what is written is what was planted."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from decimal import Decimal, InvalidOperation
from pathlib import Path

import openpyxl
import pytest
from lxml import etree
from stdnum.fi import ytunnus

from samples.__main__ import main
from samples.generate import PROCEDURES, Sample, generate

# agency -> (encoding, delimiter, header of the amount); the state's delimiter follows the era and its cells are never quoted
TEXT = {
    "sample-exempelstad": ("utf-8", ";", "Summa ALV0 euroina"),
    "sample-mallila": ("utf-8", ",", "Summa ALV0 euroina"),
    "sample-koela": ("latin-1", ";", "Laskun summa ilman ALV"),
    "sample-harjoituslahti": ("latin-1", ";", "EUR, brutto"),
    "sample-nayteyhtyma": ("utf-8", ";", "Laskun summa ilman ALV"),
}
AMOUNTS = {"laskun summa ilman alv", "laskun summa ilman alv:tä", "netto", "nettosumma"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return generate(tmp_path_factory.mktemp("demo"), "demo")


def digest(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_files(tmp_path: Path) -> None:
    generate(tmp_path / "a", "tiny", seed=3)
    assert main([str(tmp_path / "b"), "--size", "tiny", "--seed", "3"]) == 0
    generate(tmp_path / "c", "tiny", seed=4)
    first = digest(tmp_path / "a")
    assert first == digest(tmp_path / "b")
    assert first != digest(tmp_path / "c")
    assert len(first) > 15


@pytest.mark.long
def test_demo_is_deterministic_too(demo: Sample, tmp_path: Path) -> None:
    generate(tmp_path, "demo")
    assert digest(tmp_path) == digest(demo.out)


def test_tiny_is_small(tmp_path: Path) -> None:
    sample = generate(tmp_path, "tiny")
    agencies = {path.name for path in (tmp_path / "inbox").iterdir()}
    assert agencies == {"sample-state", "sample-koela", "hilma-sample"}
    assert 150 <= len(sample.postings) <= 500
    assert 10 <= sum(len(procedure.notices) for procedure in sample.procedures) <= 60


@pytest.mark.long
def test_large_sample_has_about_as_many_rows_as_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROCEDURES, "large", PROCEDURES["tiny"])  # rows are of invoices
    sample = generate(tmp_path, "large", rows=20_000)
    assert 14_000 < len(sample.postings) < 40_000


def text_rows(path: Path, agency: str) -> tuple[list[dict[str, str]], str]:
    if agency == "sample-state":
        lines = path.read_text("utf-8").split("\n")
        delimiter = "\t" if "\t" in lines[0] else ";"
        header = lines[0].split(delimiter)
        cells = [line.split(delimiter) for line in lines[1:] if line]
        return [dict(zip(header, row, strict=True)) if len(row) == len(header) else {} for row in cells], "tiliointisumma"
    encoding, delimiter, amount = TEXT[agency]
    rows = csv.DictReader(io.StringIO(path.read_bytes().decode(encoding)), delimiter=delimiter)
    return [row for row in rows if any(row.values())], amount


def sheet_rows(path: Path) -> tuple[list[dict[str, object]], str]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = [list(row) for row in book.active.iter_rows(values_only=True)]
    book.close()
    start = next(i for i, row in enumerate(rows) if sum(cell is not None for cell in row) > 6)
    header = [" ".join(str(cell or "").split()) for cell in rows[start]]
    width = len(header)
    found = [dict(zip(header, (row + [None] * width)[:width], strict=True)) for row in rows[start + 1 :]]
    return found, next(name for name in header if name.lower() in AMOUNTS)


def cents(value: object) -> int | None:
    """Cents of a cell in any of the layouts' forms; None when it is no amount."""
    if isinstance(value, int | float):
        return round(Decimal(str(value)) * 100)
    text = str(value or "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        return int(Decimal(text) * 100)
    except InvalidOperation:
        return None


def test_every_file_holds_the_planted_euros_to_the_cent(demo: Sample) -> None:
    checked = 0
    for outcome in demo.outcomes:
        if outcome.source != "purchase_invoices" or outcome.expected != "loaded":
            continue
        path = demo.out / outcome.file
        rows, amount = sheet_rows(path) if path.suffix == ".xlsx" else text_rows(path, outcome.agency)
        read = [cents(row.get(amount)) for row in rows]
        assert len(rows) == outcome.rows_accepted + outcome.rows_quarantined + outcome.rows_set_aside - outcome.blank_lines, (
            outcome.file
        )
        assert sum(value is None for value in read) == outcome.amounts_unreadable, outcome.file
        total = outcome.cents_accepted + outcome.cents_quarantined + outcome.cents_set_aside
        assert sum(value or 0 for value in read) == total, outcome.file
        checked += 1
    assert checked > 50


def test_a_grand_total_row_is_the_sum_of_the_others(demo: Sample) -> None:
    path = demo.out / "inbox/sample-otosvuori/purchase_invoices/otosvuori_ostolaskut_2023.xlsx"
    rows, amount = sheet_rows(path)
    assert {key for key, value in rows[-1].items() if value is not None} == {amount}
    assert cents(rows[-1][amount]) == sum(cents(row[amount]) or 0 for row in rows[:-1])


def test_state_files_change_their_form_between_the_eras(demo: Sample) -> None:
    folder = demo.out / "inbox/sample-state/purchase_invoices"
    old, new = (folder / "th_data_2021.csv").read_text("utf-8"), (folder / "th_data_2025.csv").read_text("utf-8")
    assert re.search(r"\t\d\d\.\d\d\.2021\t", old)
    assert re.search(r";2025-\d\d-\d\d;", new)
    assert old.split("\n")[0].split("\t") == new.split("\n")[0].split(";")
    assert 'Näyte-"' in old or '-"' in old, "stray quotes stand in supplier names"
    assert "Salassa pidettävä" in old


IN_OWN_SHAPE = ("hilma_oma_", "hilma_lahetetyt_", "hilma_hakutulokset", "ted_samat_")
"""Beginnings of files with notices in Hilma's own shape, and of what goes with them."""


def notices(demo: Sample) -> list[bytes]:
    found = []
    for path in sorted((demo.out / "inbox/hilma-sample/procurement_notices").iterdir()):
        if path.name.startswith(IN_OWN_SHAPE):
            continue
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found += [archive.read(name) for name in archive.namelist()]
        elif path.suffix == ".json":
            batch = json.loads(path.read_text("utf-8"))
            assert len(batch) <= 50
            found += [base64.b64decode(element["eForm"]) for element in batch]
    return found


def test_every_notice_is_well_formed_and_planted(demo: Sample) -> None:
    planted = sum(notice.versions for procedure in demo.procedures for notice in procedure.notices if procedure.schema != "hilma")
    roots = [etree.fromstring(content).tag for content in notices(demo)]
    assert len(roots) == planted
    assert planted > 500
    assert {etree.QName(tag).localname for tag in roots} == {
        "TED_EXPORT",
        "PriorInformationNotice",
        "ContractNotice",
        "ContractAwardNotice",
    }
    with pytest.raises(etree.XMLSyntaxError):
        etree.parse(demo.out / "inbox/hilma-sample/procurement_notices/katkennut_ilmoitus.xml")


def test_notices_hold_the_planted_tender_counts(demo: Sample) -> None:
    """Sum of `tenders` statistics in the newest versions of award notices that none corrects, against the planted facts."""
    spaces = {
        "efac": "http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1",
        "efbc": "http://data.europa.eu/p27/eforms-ubl-extension-basic-components/1",
        "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    }
    newest: dict[str, tuple[str, int]] = {}
    corrected: set[str] = set()
    for content in notices(demo):
        root = etree.fromstring(content)
        if root.find("cbc:NoticeTypeCode[@listName='result']", spaces) is None:
            continue
        for changed in root.iterfind(".//efac:Changes/efbc:ChangedNoticeIdentifier", spaces):
            corrected.add(changed.text.rsplit("-", 1)[0])
        identifier, version = root.findtext("cbc:ID", namespaces=spaces), root.findtext("cbc:VersionID", namespaces=spaces)
        statistics = root.iterfind(".//efac:LotResult/efac:ReceivedSubmissionsStatistics", spaces)
        counts = [
            int(row.findtext("efbc:StatisticsNumeric", namespaces=spaces))
            for row in statistics
            if row.findtext("efbc:StatisticsCode", namespaces=spaces) == "tenders"
        ]
        if version > newest.get(identifier, ("", 0))[0]:
            newest[identifier] = (version, sum(count for count in counts if count >= 0))
    planted = sum(
        lot.result.tenders or 0
        for procedure in demo.procedures
        if procedure.schema == "eforms" and procedure.notice("result")
        for lot in procedure.lots
        if lot.result
    )
    assert len(corrected & newest.keys()) == len(corrected) >= 3
    assert sum(count for identifier, (_, count) in newest.items() if identifier not in corrected) == planted > 100


def test_business_ids_are_valid_and_were_never_issued(demo: Sample) -> None:
    rows = csv.DictReader((demo.out / "registry/organisations.csv").read_text("utf-8").splitlines())
    found = [row["business_id"] for row in rows]
    found += [posting.supplier.identity for posting in demo.postings if posting.supplier.kind == "business_id"]
    for identifier in set(found):
        assert ytunnus.is_valid(identifier)
        assert int(identifier[:7]) >= 9_000_000


def test_personal_data_are_planted_and_recorded(demo: Sample) -> None:
    rows = list(csv.DictReader((demo.out / "truth/canaries.csv").read_text("utf-8").splitlines()))
    assert {row["kind"] for row in rows} == {"personal_id", "person_name", "email", "phone", "free_text"}
    contents = {file: _all_of(demo.out / file) for file in {row["file"] for row in rows}}
    for row in rows:
        content = contents[row["file"]]
        assert row["text"].encode("utf-8") in content or row["text"].encode("latin-1") in content


def _all_of(path: Path) -> bytes:
    """A file's bytes with those of the documents packed into it."""
    content = path.read_bytes()
    if path.suffix in (".xlsx", ".zip"):
        with zipfile.ZipFile(path) as archive:
            return b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".xml"))
    packed = re.findall(rb'"eForm": "([^"]*)"', content)
    return content + b"".join(base64.b64decode(one) for one in packed)


def test_registers_have_the_headers_of_the_shipped_ones(demo: Sample) -> None:
    for path in sorted((demo.out / "registry").rglob("*.csv")):
        shipped = Path("schemas") / path.relative_to(demo.out / "registry")
        assert path.read_text("utf-8").split("\n")[0] == shipped.read_text("utf-8").split("\n")[0]


def test_manifests_name_coverage_and_agency(demo: Sample) -> None:
    manifests = sorted((demo.out / "inbox").rglob("*.manifest.json"))
    assert len(manifests) > 20
    for path in manifests:
        content = json.loads(path.read_text("utf-8"))
        assert content["agency"] == path.parent.parent.name
        assert content["coverage_from"] <= content["coverage_to"]
        assert (path.parent / path.name.removesuffix(".manifest.json")).is_file()
    state = demo.out / "inbox/sample-state/purchase_invoices"
    first, corrected = (json.loads((state / f"th_data_2024{x}.csv.manifest.json").read_text()) for x in ("", "_korjattu"))
    assert first["produced_at"] < corrected["produced_at"]


def test_notices_in_hilmas_own_shape_hold_what_is_planted(demo: Sample) -> None:
    """Both layouts, keys in either case, lists with and without a name; tender counts of awards, added up; XML of what comes twice."""
    folder = demo.out / "inbox/hilma-sample/procurement_notices"
    texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("hilma_[ol]*.json"))}
    lists = [json.loads(text.lower()) for text in texts.values()]
    elements = [element for found in lists for element in (found if isinstance(found, list) else found["value"])]
    planted = [(procedure, notice) for procedure in demo.procedures if procedure.schema == "hilma" for notice in procedure.notices]

    assert len(elements) == len(planted) > 400
    assert {len([name for name in texts if name.startswith(start)]) for start in IN_OWN_SHAPE[:2]} == {4}
    assert {'"NoticeNumber"' in text for text in texts.values()} == {True, False}
    contents = [element.get("notice", element) for element in elements]
    kinds = {content["type"] for content in contents}
    assert kinds == {100, 200, 300, 301, 500, 600, 1500, 9901, 9902, 9903, 9904, 9905, 9911, 9912, 9913}
    results = [lot["awardcontract"] for content in contents if content["type"] in (300, 301, 600) for lot in content["objectdescriptions"]]
    contracts = [(one.get("awardedcontracts") or [one["awardedcontract"]])[0] for one in results if one["contractawarded"] == 1]
    counts = [one["numberoftenders"] for one in contracts]
    told = sum(count["total"] for count in counts if not count.get("disagreetenderinformationtobepublished"))
    lots = [lot for procedure, notice in planted if notice.role == "result" for lot in procedure.lots]
    assert told == sum(lot.result.tenders or 0 for lot in lots if lot.result)
    with zipfile.ZipFile(folder / "ted_samat_ilmoitukset.zip") as archive:
        assert sorted(archive.namelist()) == sorted(f"{notice.number}.xml" for _, notice in planted if notice.also_ted)
