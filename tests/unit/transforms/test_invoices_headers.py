"""What headers mean: spellings met in the wild, two amounts of one kind, a total that does not say whether VAT is in it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.invoice_files import CONTEXT, accepted, put, refused, run
from transforms.delivery import Context
from transforms.sources.purchase_invoices import header_map_of

SHARED = Path(os.environ.get("NYCKELTAL_SHARED", Path(__file__).parents[4] / "shared"))
MEANS = {
    "org_number": {"organisation_code"}, "org_name": {"organisation_name"}, "org_id": {"organisation_business_id"},
    "org_sub_name": {"unit_name"}, "org_sub_number": {"unit_code"}, "voucher": {"case_id"}, "suppl_name": {"supplier_name"},
    "suppl_id": {"supplier_business_id"}, "id": {"supplier_business_id"}, "country": {"supplier_country"},
    "price_ex_vat": {"net_amount"}, "date": {"posting_date"}, "account_number": {"account_code"}, "account_name": {"account_name"},
    "service_cat": {"category_name", "unit_code"}, "service_cat_name": {"category_name", "unit_name"}, "total": {"gross_amount"},
    "vat_amount": {"vat_amount"}, "cost_pool_name": {"unit_name"}, "cost_pool": {"unit_code"}, "cost_pool_id": {"unit_code"},
    "hilma_code": {"notice_id"},
}  # fmt: skip
NOT_READ = {"invoice_account", "vat_code"}
"""Fields that no column of the contract takes."""


def common(header: str) -> str | None:
    return header_map_of(CONTEXT.reference, "").match([header]).get(0)


@pytest.mark.parametrize("name", ["mandatory_fields.csv", "optional_fields.csv"])
def test_collected_spellings_are_known(name: str) -> None:
    path = SHARED / "data" / "reference" / "osta" / name
    if not path.is_file():
        pytest.skip("no shared reference here")
    for row in csv.DictReader(path.read_text("utf-8").splitlines()):
        if row["key"].startswith("reskontra"):
            assert common(row["key"]) is None, "a ledger number is no supplier's name"
        elif row["value"] not in NOT_READ:
            assert common(row["key"]) in MEANS[row["value"]], row


@pytest.mark.parametrize(
    ("header", "column"),
    [("EUR, brutto", "gross_amount"), ("Toimittaja Y-tun/sotu", "supplier_business_id"), ("Tosite pvä", "posting_date"),
     ("Summa (ALV 0 %)", "net_amount"), ("Reskontranumero", None), ("Toimittaja nro", None), ("Verkkolaskuosoite", None)],
)  # fmt: skip
def test_spellings(header: str, column: str | None) -> None:
    assert common(header) == column


@pytest.mark.parametrize("cells", [["Y-tunnus", "Toimittajan y-tunnus"], ["Toimittajan y-tunnus", "Y-tunnus"]])
def test_the_plainer_spelling_counts_wherever_it_stands(cells: list[str]) -> None:
    [position] = header_map_of(CONTEXT.reference, "").match(cells)
    assert cells[position] == "Toimittajan y-tunnus"


def table(header: str, *cells: str) -> str:
    return f"Tositenumero;Kirjauspäivämäärä;{header}\n" + "".join(f"{n};01.03.2021;{';'.join(cells)}\n" for n in range(3))


AMBIGUOUS = [
    ("Laskun summa ilman ALV;Rivin nettosumma", "net_amount"),
    ("Nettosumma;Nettosumma", "net_amount"),
    ("Kokonaissumma euroina;Rivin bruttosumma", "gross_amount"),
]


@pytest.mark.parametrize(("header", "column"), AMBIGUOUS)
def test_two_amounts_of_one_kind_are_refused_by_name(tmp_path: Path, header: str, column: str) -> None:
    parts, _ = run(put(tmp_path, table(header, "1,00", "100,00")))
    [reason] = [reason for part in parts for found in part.refused.values() for reason in found]
    assert reason.code == "amount_column_ambiguous"
    assert all(repr(name) in reason.text for name in header.split(";"))
    assert column in reason.text


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "jsonl"])
def test_two_amounts_are_refused_in_every_format(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame({"case_id": ["1"], "posting_date": ["2021-03-01"], "net_amount": ["1.25"], "Nettosumma": ["2.50"]})
    path = tmp_path / f"two_2021.{kind}"
    {"xlsx": frame.write_excel, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[kind](path)
    assert refused(path) == {"amount_column_ambiguous"}


def test_a_layout_that_fixes_one_amount_decides(tmp_path: Path) -> None:
    overlay = {
        "column_maps/purchase_invoices.csv": "layout,source_column,column,confirmed,origin\nhame,rivin nettosumma,net_amount,yes,test\n"
    }
    agencies = "agency,name,sources,organisation_id,chart,layout\nhameenlinna,H,purchase_invoices,0146921-4,municipal,hame\n"
    context = Context(Reference.load(overlay | {"agencies.csv": agencies}))
    parts, _ = run(put(tmp_path, table("Laskun summa ilman ALV;Rivin nettosumma", "100,00", "1,00")), context=context)
    assert accepted(parts)["net_cents"].to_list() == [100] * 3


@pytest.mark.parametrize(
    ("agency", "header", "cells", "net", "gross"),
    [("hameenlinna", "Kokonaissumma euroina", ["1,00"], 100, None), ("hameenlinna", "Summa", ["1,00"], 100, None),
     ("hameenlinna", "Rivin bruttosumma", ["1,00"], None, 100), ("hameenlinna", "EUR, brutto", ["1,00"], None, 100),
     ("hameenlinna", "Kokonaissumma euroina;ALVin määrä euroina", ["1,24", "0,24"], None, 124),
     ("hameenlinna", "Kokonaissumma euroina;Nettosumma", ["1,24", "1,00"], 100, 124), ("porvoo", "Kokonaissumma euroina", ["1,24"], None, 124)],
)  # fmt: skip
def test_a_lone_total_is_what_the_agencys_row_says(
    tmp_path: Path, agency: str, header: str, cells: list[str], net: int | None, gross: int | None
) -> None:
    parts, _ = run(put(tmp_path, table(header, *cells)), agency)
    assert accepted(parts).select("net_cents", "gross_cents").rows() == [(net, gross)] * 3
