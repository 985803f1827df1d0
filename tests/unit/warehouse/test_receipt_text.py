"""What a receipt tells people: columns that were not used, what is missing and which figures that costs, in their language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.purchase_invoices import DELIVERED, NEEDS, POSTING_LINE
from tests.unit.transforms.invoice_files import put, run
from warehouse import validation
from warehouse.publication import wording
from warehouse.publication.receipts import LABELS, as_text

FULL = {"Summa": "net_amount", "Tili": "account_code", "Y-tunnus": "supplier_business_id", "Pvm": "posting_date", "Tosite": "case_id",
        "Palveluluokka": "category_name"}  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    read_as = {"columns": FULL, "unknown_columns": []}
    plain = {
        "delivery_id": "d",
        "file_name": "f.csv",
        "source": "purchase_invoices",
        "agency": "a",
        "status": "loaded",
        "is_held": False,
    }
    return plain | {"tables": [], "reasons": [], "rules": [], "read_as": read_as} | changes


@pytest.mark.parametrize(
    ("language", "unused", "missing"),
    [("fi", "Sarakkeet, joita ei käytetty: Rondo ID, Toimittaja nro", "Puuttuu: tili, toimittajan y-tunnus -> luvut ilman niitä: "),
     ("sv", "Kolumner som inte användes: Rondo ID, Toimittaja nro", "Saknas: konto, leverantörens FO-nummer -> tal utan dem: "),
     ("en", "Columns not used: Rondo ID, Toimittaja nro", "Missing: account, supplier id -> figures without them: ")],
)  # fmt: skip
def test_columns_not_used_and_missing_are_told(language: str, unused: str, missing: str) -> None:
    columns = {name: column for name, column in FULL.items() if column not in ("account_code", "supplier_business_id")}
    text = as_text(content(read_as={"columns": columns, "unknown_columns": ["Rondo ID", "Toimittaja\n  nro"]}), language)
    lines = text.splitlines()
    assert unused in lines
    [told] = [line for line in lines if line.startswith(missing)]
    assert all(need.figures[language] in told for need in NEEDS[1:3])


@pytest.mark.parametrize("language", LABELS)
def test_a_full_file_is_told_nothing(language: str) -> None:
    for quiet in (content(), content(read_as={}), content(source="procurement_notices", read_as={"columns": {"a": "b"}})):
        text = as_text(quiet, language)
        assert LABELS[language]["missing"] not in text
        assert LABELS[language]["unused"] not in text


def test_labels_and_needs_speak_three_languages_of_real_columns() -> None:
    known = {column.name for column in DELIVERED}
    assert len({frozenset(words) for words in LABELS.values()}) == 1
    for need in NEEDS:
        assert set(need.name) == set(need.figures) == set(LABELS)
        assert set(need.columns) <= known


def test_statuses_are_words_of_the_language() -> None:
    assert "Tila: hylätty\n" in as_text(content(status="refused"), "fi")
    assert "Status: ersatt av en nyare\n" in as_text(content(status="superseded"), "sv")
    assert "Status: loaded\n" in as_text(content(), "en")
    for words in (*wording.STATUS.values(), *wording.SEVERITY.values()):
        assert set(words) == set(LABELS)


def test_every_rule_of_invoices_has_words() -> None:
    for rule in POSTING_LINE.rules:
        assert set(wording.RULES[rule.name]) == {"fi", "sv"}, rule.name


HEADER = "Tositenumero;Kirjauspäivämäärä;Laskun summa ilman ALV\n"
REFUSED: list[tuple[str, bytes, str, str]] = [
    ("header_unrecognised", b"a;b\n", "löytyi: 'a', 'b';", "hittades: 'a', 'b';"),
    (
        "amount_column_missing",
        b"Tositenumero;Tilin nimi\n1;x\n",
        "löytyi: 'Tositenumero', 'Tilin nimi';",
        "hittades: 'Tositenumero'",
    ),
    ("amount_column_ambiguous", b"Tositenumero;Netto;Nettosumma\n", "'Netto', 'Nettosumma'", "'Netto', 'Nettosumma'"),
    ("file_cut_off", f"{HEADER}1;1.1.2021;1,00\n2;2.1".encode(), "2 solua, otsikossa 3", "2 celler, rubriken har 3"),
    ("no_rows", HEADER.encode(), "ei rivejä", "inga rader"),
    ("file_empty", b" ", "tyhjä", "tom"),
    ("wrong_format", b"%PDF-1", "ei ole taulukko", "ingen tabell"),
    ("line_too_long", b"x" * 1_100_000, "pidempi kuin 1048576", "längre än 1048576"),
    ("coverage_unknown", b"Tilin nimi;Netto;Tili\nx;1;2\n", "vuosi", "året"),
    ("parquet_broken", b"PAR1 x", "vioittunut", "skadad"),
    ("zip_broken", b"PK\x03\x04 x", "vioittunut", "skadad"),
]


@pytest.mark.parametrize(("code", "data", "finnish", "swedish"), REFUSED, ids=[row[0] for row in REFUSED])
def test_real_refusals_are_told_in_the_language(tmp_path: Path, code: str, data: bytes, finnish: str, swedish: str) -> None:
    parts, conclusion = run(put(tmp_path, data, "ostot.csv"))
    [reason] = [reason for one in (*parts, conclusion) for found in one.refused.values() for reason in found]
    assert reason.code == code
    assert finnish in wording.reason_text(reason.code, reason.text, "fi")
    assert swedish in wording.reason_text(reason.code, reason.text, "sv")
    assert wording.reason_text(reason.code, reason.text, "en") == reason.text


def test_a_broken_limit_is_told_with_its_numbers() -> None:
    check = next(item for item in validation.checks(POSTING_LINE) if item.name == "date_missing")
    row = {"table_name": POSTING_LINE.name, "rule": check.name, "description": check.description, "limit_share": check.limit, "share_of": check.of}
    reason = validation._reason(row | {"rows_failed": 7, "rows_checked": 20})
    told = as_text(content(status="refused", reasons=[reason.__dict__]), "fi")
    assert "7 riviä 20 rivistä rikkoo sääntöä date_missing (päivämäärä puuttuu); enintään 5% sallitaan" in told
    assert "7 av 20 rader" in as_text(content(reasons=[reason.__dict__]), "sv")


def test_a_held_delivery_is_told_with_both_sizes() -> None:
    for text in (
        "would replace 900 rows with 12; release it",
        "would replace 900 EUR (absolute) with 12 EUR; release it",
        "would replace 900 rows of 2024-01 with 12; release it",
    ):
        assert "(900 -> 12 riviä tai euroa)" in wording.reason_text("held", text, "fi")


def test_what_has_no_sentence_stays_english() -> None:
    assert wording.reason_text("held", "it would shrink {x}", "fi") == "it would shrink {x}"
    assert wording.reason_text("file_cut_off", "other words", "fi") == "other words"


def test_rules_broken_are_told_in_the_language() -> None:
    example = {"source_line": 3, "column_name": None, "value": None}
    rules = [{"rule": "no_final_newline", "severity": "warn", "rows_n": 1, "examples": [example]}]
    assert (
        "viimeinen rivi päättyy ilman rivinvaihtoa; loppu voi puuttua [no_final_newline] (varoitus): 1, esim. rivi 3"
        in as_text(content(rules=rules), "fi")
    )
    assert "  - no_final_newline (warning): 1, e.g. row 3" in as_text(content(rules=rules), "en")
