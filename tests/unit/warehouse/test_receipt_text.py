"""What a receipt tells people: columns that were not used, what is missing and which figures that costs, in their language."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.purchase_invoices import DELIVERED, NEEDS
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
