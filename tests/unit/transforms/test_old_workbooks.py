"""xls, xlsb and ods: read like XLSX as far as their cells tell what they are; what they do not tell stands in the receipt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.unit.transforms.invoice_files import CONTEXT, accepted, balance, delivered_of, failures, refused, run
from tests.unit.transforms.old_workbooks import ods, xls, xlsb
from tests.unit.transforms.survey_files import answers
from tests.unit.transforms.survey_files import taken as survey
from tests.unit.transforms.test_forms import taken as form
from transforms.formats.detect import detect_encoding
from transforms.registry import SOURCES
from transforms.sources import purchase_invoices
from warehouse.publication.receipts import LABELS, as_text
from warehouse.publication.wording import reason_text

HEADS = ["Tositenumero", "Kirjauspäivämäärä", "Toimittajan nimi", "Toimittajan y-tunnus", "Tilin numero", "Laskun summa ilman ALV"]
MADE = [ods, xlsb]


def lines(*amounts: object) -> list[list[object]]:
    return [HEADS, *([number, "1.3.2021", "Oy", "0988084-1", 4340, amount] for number, amount in enumerate(amounts, 1))]


def cents(path: Path) -> list[int]:
    parts, conclusion = run(path)
    balance(parts, conclusion)
    return accepted(parts)["net_cents"].to_list()


def test_an_old_excel_file(tmp_path: Path) -> None:
    parts, conclusion = run(xls(tmp_path / "ostot_2021.xls", "numbers"))
    balance(parts, conclusion)
    rows = accepted(parts)
    assert rows["net_cents"].to_list() == [100025, 8065, -1200]
    assert rows["posting_date"].to_list() == [date(2021, 3, day) for day in (1, 2, 3)]
    assert rows["case_id"].to_list() == ["202501000001", "007", "3#4"], "007 shows zeros that 3 lacks"
    assert rows["supplier_name"][0] == "Sähkö Oy"


@pytest.mark.parametrize("made", MADE)
def test_numbers_texts_and_truth_values(tmp_path: Path, made: Callable[..., Path]) -> None:
    path = made(tmp_path / "ostot_2021", lines(1000.25, 80.645, 7, -0.5))
    assert cents(path) == [100025, 8065, 700, -50]
    parts, conclusion = run(made(tmp_path / "ostot_2021", lines("1.000,50", 12.5, True, "2.000", "100, -")))
    assert accepted(parts)["net_cents"].to_list() == [100050, 1250, 200000, 10000]
    assert failures(parts, conclusion) == [("amount_unreadable", 4)]
    parts, conclusion = run(made(tmp_path / "ostot_2021", lines(12.5, "2.000", "n/a")))
    assert failures(parts, conclusion) == [("amount_ambiguous", 3), ("amount_unreadable", 4)]


def test_mixed_columns_of_old_excel_files(tmp_path: Path) -> None:
    parts, conclusion = run(xls(tmp_path / "ostot_2021.xls", "mixed"))
    assert accepted(parts)["net_cents"].to_list() == [100050, 1250, 200000]
    assert failures(parts, conclusion) == [("amount_unreadable", 4)]
    parts, conclusion = run(xls(tmp_path / "ostot_2021.xls", "unclear"))
    assert failures(parts, conclusion) == [("amount_ambiguous", 3)]


def test_the_receipt_says_what_the_format_does_not_tell(tmp_path: Path) -> None:
    path = ods(tmp_path / "ostot_2021.ods", lines(1))
    item = delivered_of(path)
    [raw] = purchase_invoices.read([item], CONTEXT)
    content = {"delivery_id": "d", "source": "purchase_invoices", "agency": "a", "file_name": "f", "status": "loaded", "is_held": False,
               "tables": [], "reasons": [], "rules": [], "read_as": raw.notes}  # fmt: skip
    for language in ("fi", "sv", "en"):
        assert LABELS[language]["untyped"] in as_text(content, language)


@pytest.mark.parametrize("made", MADE)
def test_forms_and_surveys(tmp_path: Path, made: Callable[..., Path]) -> None:
    heads = ["Organisaation Y-tunnus", "Vuosi", "Summa euroina", "Henkilöitä", "Valmis"]
    rows = [heads, ["0101263-6", 2023, 1234.5, 7, True], ["0101263-6", 2024, "1 234,50", "8", "ei"]]
    part, _ = form(made(tmp_path / "f", rows))
    assert part.accepted["return"].select("year", "spent_cents", "people_n", "is_done").rows() == [
        (2023, 123450, 7, True), (2024, 123450, 8, False),
    ]  # fmt: skip
    path = made(tmp_path / "asiakaskysely", [["Vastaajatunnus", "Vuosi", "Palveluasenne"], ["a1", 2023, 5], ["a2", 2023, 4]])
    assert [value for _, _, value in answers(survey(path)[1])] == [5, 4]


@pytest.mark.parametrize("made", MADE)
def test_they_are_recognised(tmp_path: Path, made: Callable[..., Path]) -> None:
    path = made(tmp_path / "file", lines(1, 2))
    scores = {slug: source.recognise(path) for slug, source in SOURCES.items()}
    assert max(scores, key=scores.__getitem__) == "purchase_invoices"


def test_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    assert refused(ods(tmp_path / "ostot_2021.ods", lines(1), hidden=True)) == {"header_unrecognised"}


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_OLE + "EncryptedPackage".encode("utf-16-le"), "workbook_encrypted"),
        (_OLE + "WordDocument".encode("utf-16-le"), "wrong_format"),
        (_OLE + "Workbook".encode("utf-16-le"), "workbook_broken"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "packing_unknown"),
        (b"Rar!\x1a\x07\x01" + bytes(50), "packing_unknown"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "packing_unknown"),
    ],
)
def test_what_is_not_read_is_refused_with_what_to_do(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "ostot_2021.xls").write_bytes(data)
    parts, conclusion = run(tmp_path / "ostot_2021.xls")
    [reason] = [reason for one in (*parts, conclusion) for found in one.refused.values() for reason in found]
    assert reason.code == code
    assert len({reason_text(reason.code, reason.text, language) for language in ("fi", "sv", "en")}) == 3


def test_a_cut_off_file_is_refused(tmp_path: Path) -> None:
    for path in (xls(tmp_path / "a_2021.xls", "numbers"), ods(tmp_path / "b_2021.ods", lines(1)), xlsb(tmp_path / "c_2021.xlsb", lines(1))):
        path.write_bytes(path.read_bytes()[:-700])
        assert refused(path) <= {"workbook_broken", "zip_broken", "wrong_format"}


def test_gzip_bytes_are_never_text() -> None:
    with pytest.raises(Exception, match="packing_unknown"):
        detect_encoding(b"\x1f\x8b\x08", "f")
