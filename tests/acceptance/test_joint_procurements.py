"""Joint procurement end to end: published volumes add up, and every euro of market spend is on contract, off contract or in no
contract category."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from tests.acceptance.conftest import CommandLine
from tests.acceptance.support import assert_same, ledger, nightly, published

VOLUMES: Mapping[str, tuple[int, ...]] = {
    "Vehicle and logistics": (93457, 97113, 102520, 97471, 80095, 104882),
    "Expert services": (106406, 135006, 143459, 127634, 151800, 198369),
    "Food and restaurant": (25199, 25779, 76128, 86308, 94586, 107638),
    "Energy": (87199, 82381, 63107, 107122, 212886, 206725),
    "HR and health": (73560, 78008, 73435, 90690, 113777, 145180),
    "IT hardware": (87409, 76275, 89826, 90937, 112903, 146653),
    "Furniture and office": (60414, 44944, 60214, 84006, 86375, 108888),
    "Data centre": (58522, 60279, 60997, 45361, 34184, 44237),
    "Travel and meeting": (87324, 97917, 25313, 20477, 59437, 78550),
    "Software": (44871, 53450, 62084, 115136, 167933, 187456),
    "Cleaning": (36132, 39232, 46323, 52079, 54683, 65847),
    "Financial": (64224, 52105, 56880, 66398, 73579, 102250),
    "Data communications": (45732, 32156, 25714, 34811, 47754, 59174),
    "Security": (24764, 25028, 29969, 33112, 33280, 36820),
}
"""Joint procurement volume by category, thousand EUR, 2018-2023: Hansel, annual reports 2022 and 2023."""
TOTALS = (895213, 899673, 915970, 1051541, 1323273, 1592670)
"""The same reports' totals."""
AGENCY = "agency,name,language,sources,rhythm,confirmed\nbody,Yhteishankintayksikkö,fi,joint_procurements,year,yes\n"
SPLIT = {"contract_coverage": "of_market", "off_contract_share": "of_market", "no_category_share": ""}


def register_of(home: Path, more: str = "") -> None:
    """The body as an agency of the home, beside those that are there."""
    path = home / "registry" / "agencies.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    old = list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.exists() else []
    new = list(csv.DictReader((AGENCY + more).splitlines()))
    header = list(dict.fromkeys(name for row in [*old, *new] for name in row))
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*old, *new])


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def test_the_fourteen_published_categories_add_up_to_the_published_totals(tmp_path: Path, nyckeltal: CommandLine) -> None:
    home = tmp_path / "home"
    register_of(home)
    rows = [
        (2018 + place, category, thousands * 1000) for category, row in VOLUMES.items() for place, thousands in enumerate(row)
    ]
    path = workbook(
        tmp_path / "volyymit_2024-03-01.xlsx",
        {
            "Ostot": [("Vuosi", "Hankintakategoria", "Ostot euroa"), *rows],
            "Yhteishankinnat": [
                ("Yhteishankinnan tunnus", "Muoto", "Hankintakategoria", "Voimassa alkaen"),
                ("P-1", "Puitejärjestely", "Energia", "1.1.2020"),
            ],
            "Toimittajat": [
                ("Yhteishankinnan tunnus", "Toimittajan Y-tunnus", "Yrityksen koko"),
                ("P-1", "0101263-6", "Pieni yritys"),
            ],
        },
    )

    assert nyckeltal(home, "receive", path, "--agency", "body").code == 0
    assert nyckeltal(home, "nightly").code == 0

    volume = published(
        home,
        "SELECT breakdown_id, year(period_start)::INT AS year, value, status FROM mart.key_figure WHERE figure_id = "
        "'joint_procurement_spend' AND level = 'national' AND panel = 'all' AND period_kind = 'year' ORDER BY ALL",
    )
    assert set(volume["status"]) == {"final"}
    totals = volume.filter(breakdown_id="").sort("year")
    assert totals["year"].to_list() == list(range(2018, 2024))
    assert all(abs(value - total * 1000) <= 1000 for value, total in zip(totals["value"].to_list(), TOTALS, strict=True)), totals
    by_category = volume.filter(pl.col("breakdown_id") != "")
    assert by_category["breakdown_id"].n_unique() == 14
    assert by_category.group_by("year").agg(pl.col("value").sum()).sort("year").rows() == totals.select("year", "value").rows()
    food = by_category.filter(breakdown_id="food_restaurant").sort("year")["value"].to_list()
    assert food == [thousands * 1000 for thousands in VOLUMES["Food and restaurant"]]
    rows_n = ledger(home, "SELECT table_name, rows_accepted FROM ledger.table_count ORDER BY ALL").rows()
    assert rows_n == [("agreement", 1), ("agreement_supplier", 1), ("reported_purchase", 84)]
    frameworks = published(
        home, "SELECT max(value)::INT FROM mart.key_figure WHERE figure_id = 'framework_n' AND period_kind = 'month'"
    )
    assert frameworks.item() == 1


def deliver(home: Path, name: str, agreements: Sequence[str], suppliers: Sequence[str], open_to: Sequence[str]) -> None:
    """A register as three CSV files of one day."""
    folder = home / "inbox" / "body" / "joint_procurements"
    folder.mkdir(parents=True, exist_ok=True)
    headers = {
        "agreements": "agreement_id;kind;category;valid_from;valid_to;procedure_id;is_open_to_all",
        "suppliers": "agreement_id;supplier_id",
        "open_to": "agreement_id;organisation_id;sector",
    }
    for (part, header), rows in zip(headers.items(), (agreements, suppliers, open_to), strict=True):
        if rows:
            (folder / f"{part}_{name}.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")


def split(home: Path) -> pl.DataFrame:
    """Place and period with the three parts' numerators, their denominators, and the market spend that is published."""
    rows = published(
        home,
        "SELECT figure_id, variant, level, level_id, period_kind, period_start, numerator, denominator, coverage, reason "
        "FROM mart.key_figure WHERE panel = 'all' AND breakdown_kind = ''",
    )
    place = ["level", "level_id", "period_kind", "period_start"]
    market = rows.filter(figure_id="spend_market").select(*place, market="numerator")
    found = market
    for figure_id, variant in SPLIT.items():
        part = rows.filter(figure_id=figure_id, variant=variant)
        shown = part.select(
            *place, pl.col("numerator").alias(figure_id), pl.col("denominator", "reason", "coverage").name.suffix(f"_{figure_id}")
        )
        found = found.join(shown, on=place, how="left")
    return found.filter(pl.col("denominator_no_category_share").is_not_null())


def suppliers_of(home: Path, number: int) -> list[str]:
    """The largest suppliers of the home's invoices."""
    sql = "SELECT supplier_id FROM measure.supplier_month GROUP BY ALL ORDER BY sum(net_cents) DESC, supplier_id LIMIT ?"
    ids = ledger(home, sql, [number])["supplier_id"].to_list()
    return [one for one in ids if len(one) == 9 and one[7] == "-"]


@pytest.fixture
def bodied(home: Path) -> Path:
    register_of(home)
    return home


AGREEMENTS = (
    "P-1;dps;expert_services;2020-01-01;;2019-1;yes",
    "P-2;framework;software;2023-05-10;2024-03-01;;no",
    "P-3;framework;cleaning;2020-01-01;2023-01-15;2019-3;no",
)


def test_the_three_parts_of_market_spend_are_all_of_it_at_every_place(bodied: Path) -> None:
    suppliers = [f"{agreement};{one}" for one in suppliers_of(bodied, 4) for agreement in ("P-1", "P-2", "P-3")]
    deliver(bodied, "2025-11-01", AGREEMENTS, suppliers, ["P-2;;state", "P-3;;municipality"])
    nightly(bodied)

    cells = split(bodied)
    told = cells.drop_nulls(list(SPLIT))

    assert told.height > 50
    assert set(told["level"]) >= {"national", "sector", "branch", "region", "organisation"}
    assert set(told["period_kind"]) == {"quarter", "year"}
    parts = told.with_columns(total=pl.sum_horizontal(*SPLIT), denominators=pl.concat_list(f"denominator_{one}" for one in SPLIT))
    assert parts.filter(pl.col("total") != pl.col("market")).is_empty()
    assert parts.filter(pl.col("denominators").list.n_unique() != 1).is_empty()
    assert parts.filter(pl.col("denominator_no_category_share") != pl.col("market")).is_empty()
    nation = told.filter(level="national", period_kind="year")
    assert all(nation[one].sum() > 0 for one in SPLIT), nation  # each part is put to the test
    untold = cells.filter(pl.col("contract_coverage").is_null())
    assert set(untold["reason_contract_coverage"]) <= {"no_category"}
    assert untold.filter(pl.col("no_category_share") != pl.col("market")).is_empty()


def test_spend_of_months_that_the_register_does_not_speak_for_stays_outside_and_lowers_the_coverage(bodied: Path) -> None:
    deliver(bodied, "2024-06-30", AGREEMENTS, [], ["P-2;;state", "P-3;;municipality"])
    nightly(bodied)

    cells = split(bodied).filter(level="national").sort("period_start", "period_kind")
    quarters = cells.filter(period_kind="quarter")
    year = cells.filter(period_kind="year").filter(pl.col("period_start").dt.year() == 2024)

    assert [str(day) for day in quarters["period_start"]][-1] == "2024-04-01"
    halves = quarters.filter(pl.col("period_start").dt.year() == 2024)
    assert year["denominator_no_category_share"].sum() == halves["market"].sum()
    assert year["market"].item() > halves["market"].sum()
    assert 0.3 < year["coverage_no_category_share"].item() < 0.7


@pytest.mark.long
def test_who_may_use_an_agreement_decides_and_may_change(bodied: Path, tmp_path: Path, tiny_home: Path) -> None:
    """A newer list of users alone moves the figures, and any order of arrival ends alike."""
    suppliers = [f"P-1;{one}" for one in suppliers_of(bodied, 12)]
    closed = ("P-1;dps;expert_services;2020-01-01;;2019-1;no", AGREEMENTS[2])
    other = tmp_path / "other"
    shutil.copytree(tiny_home, other, symlinks=True)
    register_of(other)

    deliver(bodied, "2025-10-31", closed, suppliers, ["P-1;;parish"])
    nightly(bodied)
    assert split(bodied)["contract_coverage"].drop_nulls().unique().to_list() == [0]
    deliver(bodied, "2025-11-01", (), [], ["P-1;;state"])
    nightly(bodied)
    deliver(other, "2025-11-01", (), [], ["P-1;;state"])
    nightly(other)
    deliver(other, "2025-10-31", closed, suppliers, ["P-1;;parish"])
    nightly(other)

    nation = split(bodied).filter(level="sector", period_kind="year")
    assert nation.filter(level_id="state")["contract_coverage"].max() > 0
    assert nation.filter(pl.col("level_id") != "state")["contract_coverage"].drop_nulls().unique().to_list() in ([], [0])
    assert_same(bodied, other)
