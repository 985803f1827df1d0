"""The truth beside the samples: worked examples by hand, and identities that hold whatever was planted."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from samples import truth_notices, truth_openness, truth_spend
from samples.cells import Place, Series, Span, median, shift
from samples.facts import Account, Award, Lot, Notice, Organisation, Posting, Procedure, Result, Supplier
from samples.generate import Sample, generate
from samples.registry import FOREVER

SPAN = Span(date(2024, 1, 1), date(2024, 12, 1))
CITY = Organisation("9000001-X", "9000001-X", "", "Testilä", "Teststad", "municipality", "", "91")
SERVICE = Account("43", "Palvelut", "Palvelut", "Palvelut", FOREVER)
YEAR = Place("national", "FI", "year", date(2024, 1, 1))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return generate(tmp_path_factory.mktemp("demo_truth"), "demo", seed=2)


def company(name: str) -> Supplier:
    return Supplier(name, "business_id", name, (name,), size="sme")


def line(supplier: Supplier, cents: int, case: str = "1", day: date = date(2024, 3, 1), **changes: object) -> Posting:
    posting = Posting(CITY, day, 2024, "", case, SERVICE, supplier, cents, 0, "", "", 1)
    for name, value in changes.items():
        setattr(posting, name, value)
    return posting


def test_publishing_municipalities_by_hand() -> None:
    """One of two municipalities delivered 2024 and is missing in 2025; the state, whom nobody asks, lowers no share."""
    span = Span(date(2024, 1, 1), date(2025, 10, 1))
    silent = Organisation("9000002-X", "9000002-X", "", "Hiljala", "Tystby", "municipality", "", "92")
    merged = Organisation("9000003-X", "9000003-X", "", "Vaitela", "Ordknapp", "municipality", "", "92")
    unit = Organisation("state:1", "9000004-X", "1", "Virasto", "Verket", "state", "9", "91")
    frame = [(CITY, FOREVER), (silent, FOREVER), (merged, date(2024, 12, 30))]
    cells = truth_openness.cells([("city", CITY, (2024,)), ("state", unit, (2024, 2025))], [], [], frame, span)
    found = {
        (place.level, place.level_id, place.period_start.year): (cell.numerator, cell.denominator)
        for (series, place), cell in cells.items()
        if series.figure_id == "open_invoice_coverage"
    }
    for level, level_id in (("national", "FI"), ("sector", "municipality")):
        assert [found[level, level_id, year] for year in (2024, 2025)] == [(1, 2), (0, 2)]
    assert [found["region", region, 2024] for region in ("91", "92")] == [(1, 1), (0, 1)]
    assert [found[level, level_id, 2024] for level, level_id in (("sector", "state"), ("branch", "9"))] == [(None, None)] * 2
    assert {level for level, _, _ in found} == {"national", "sector", "region", "branch"}


def test_spend_by_hand() -> None:
    public = Supplier("P", "business_id", "P", ("P",), public_until=FOREVER)
    postings = [
        line(company("A"), 60_00),
        line(company("A"), 240_00, "2"),
        line(company("B"), 100_00, "3"),
        line(company("C"), -50_00, "4"),
        line(public, 500_00, "5"),
        line(Supplier("M", "masked", None, ("M",)), 150_00, "6"),
        line(company("A"), 999_00, "7", defect="date_missing"),
        line(company("A"), 999_00, "8", counted=False),
        line(company("A"), 999_00, "9", account=Account("41", "Palkat", "", "", None)),
    ]
    cells = truth_spend.cells(postings, SPAN)
    assert cells[Series("spend_total", "all"), YEAR].numerator == 1000_00
    assert cells[Series("spend_market", "market"), YEAR].numerator == 500_00
    assert cells[Series("suppliers_n", "market"), YEAR].numerator == 2
    top = cells[Series("top10_share", "market"), YEAR]
    assert (top.numerator, top.denominator) == (400_00, 400_00)
    assert cells[Series("hhi_supplier", "market"), YEAR].value == Fraction(10_000 * (300 * 300 + 100 * 100), 400 * 400)
    lines = cells[Series("invoice_lines_per_case", "all"), YEAR]
    assert (lines.numerator, lines.denominator) == (6, 6)
    masked = cells[Series("masked_supplier_share", "all"), YEAR]
    assert (masked.numerator, masked.denominator) == (150_00, 1000_00)


def procedure(**changes: object) -> Procedure:
    results = [
        Result("selec-w", tenders, 1, date(2024, 5, 20), [Award(value, (company("A"),))])
        for tenders, value in ((1, 100_00), (3, 300_00))
    ]
    lots = [Lot(f"LOT-000{i}", "1", "services", ("price",), result=result) for i, result in enumerate(results, start=1)]
    found = Procedure("p", "eforms", True, (CITY,), "open", lots)
    found.notices = [
        Notice("c", "call", "16", date(2024, 3, 1), None, deadline=date(2024, 4, 20)),
        Notice("r", "result", "29", date(2024, 6, 1), None),
    ]
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def number(cells: object, figure: str, variant: str = "", scope: str = "ted") -> tuple[int | None, int | None]:
    cell = cells[Series(figure, scope, variant), YEAR]
    return cell.numerator, cell.denominator


def test_notices_by_hand() -> None:
    cells = truth_notices.cells([procedure()], SPAN)
    assert number(cells, "single_bid_share") == (1, 2)
    assert number(cells, "single_bid_value_share") == (100_00, 400_00)
    assert number(cells, "bids_mean") == (4, 2)
    assert number(cells, "decision_days_mean") == (60, 2)
    assert cells[Series("bids_median", "ted"), YEAR].value == 2
    assert number(cells, "price_only_share") == (1, 1)
    assert number(cells, "lots_share") == (1, 1)
    assert number(cells, "missing_call_share") == (0, 1)
    assert number(cells, "notices_n") == (2, None)
    assert number(cells, "procurements_n") == (1, None)
    assert number(cells, "sme_bid_share") == (2, 4)


@pytest.mark.parametrize(("days", "short"), [(14, 2), (15, 0)])
def test_a_short_period_is_under_fifteen_days_from_the_call_to_the_changed_deadline(days: int, short: int) -> None:
    moved = procedure()
    deadline = date(2024, 3, 1) + timedelta(days=days)
    moved.notices.append(Notice("d", "change", "16", date(2024, 3, 5), None, deadline=deadline))

    assert number(truth_notices.cells([moved], SPAN), "short_deadline_share") == (short, 2)


def test_a_corrected_award_counts_as_corrected_in_its_first_month() -> None:
    corrected = procedure()
    corrected.notices.append(Notice("s", "result", "29", date(2024, 7, 1), None))
    for lot in corrected.lots:
        lot.former = Result("clos-nw", 0)
    cells = truth_notices.cells([corrected], SPAN)

    assert number(cells, "single_bid_share") == (1, 2)
    assert number(cells, "cancelled_share") == (0, 2)
    assert number(cells, "value_stated_share") == (1, 3)
    assert number(cells, "notices_n") == (3, None)
    june = Place("national", "FI", "month", date(2024, 6, 1))
    assert cells[Series("cancelled_share", "ted"), june].denominator == 2


def test_the_samples_hold_what_the_rules_turn_on(demo: Sample) -> None:
    calls = [(found.notice("call"), found.notice("change"), found) for found in demo.procedures]
    moved = {
        ((change.deadline - call.day).days, found.is_ted)
        for call, change, found in calls
        if call and change and change.deadline and not change.cancels
    }
    months = [(found.first("result"), found.notice("result")) for found in demo.procedures if found.lots[0].former]

    assert {(14, True), (15, True), (14, False), (15, False)} <= moved
    assert sum(first.day.month != newest.day.month for first, newest in months if first and newest) == 3


def test_frameworks_dps_and_direct_awards_stand_outside_single_bids() -> None:
    for change in ({"procedure_type": "neg-wo-call"}, {"procedure_type": "oth-single"}):
        cells = truth_notices.cells([procedure(**change)], SPAN)
        assert (Series("single_bid_share", "ted"), YEAR) not in cells
        assert number(cells, "no_call_share")[1] == 1
    framework = procedure()
    for lot in framework.lots:
        lot.framework = "fa-wo-rc"
    assert (Series("single_bid_share", "ted"), YEAR) not in truth_notices.cells([framework], SPAN)


def test_foreign_buyers_and_national_notices() -> None:
    assert not truth_notices.cells([procedure(country="SE")], SPAN)
    cells = truth_notices.cells([procedure(is_ted=False)], SPAN)
    assert (Series("single_bid_share", "ted"), YEAR) not in cells
    assert number(cells, "single_bid_share", scope="all_notices") == (1, 2)


def test_levels_and_periods_add_up(demo: Sample) -> None:
    """Sectors, organisations and months of a sum add up to the nation's year."""
    for figure, scope, year in (("spend_total", "all", 2023), ("notices_n", "all_notices", 2024)):
        sums: Counter[str] = Counter()
        for (series, place), cell in demo.cells.items():
            if series == Series(figure, scope) and place.period_start.year == year:
                if place.period_kind == "year":
                    sums[place.level] += cell.numerator or 0
                elif place.level == "national":
                    sums[place.period_kind] += cell.numerator or 0 if place.period_kind == "month" else 0
        assert sums["national"] == sums["sector"] == sums["organisation"] == sums["region"] == sums["month"] > 0


def test_shares_stay_between_nought_and_one(demo: Sample) -> None:
    rows = csv.DictReader((Path(demo.out) / "truth/key_figures.csv").read_text("utf-8").splitlines())
    figures = set()
    of_money = {
        "masked_supplier_share", "no_id_supplier_share", "private_trader_share", "group_actor_share", "local_spend_share",
        "sme_spend_share",
    }  # fmt: skip  # credit notes may outweigh purchases
    for row in rows:
        figures.add(row["figure_id"])
        if row["figure_id"].endswith("_share") and row["value"] and row["figure_id"] not in of_money:
            assert 0 <= float(row["value"]) <= 1, row
    assert len(figures) >= 38


def test_the_demo_looks_plausible(demo: Sample) -> None:
    single = demo.cells[Series("single_bid_share", "ted"), Place("national", "FI", "year", date(2024, 1, 1))]
    assert 0.1 < Fraction(single.numerator or 0, single.denominator or 1) < 0.4
    assert single.n >= 30


def test_helpers() -> None:
    assert median([3, 1, 2]) == 2
    assert median([4, 1, 2, 3]) == Fraction(5, 2)
    assert shift(date(2024, 1, 1), -1) == date(2023, 12, 1)
    assert [kind for kind, _ in SPAN.periods(date(2024, 6, 1))] == ["month", "quarter", "year", "rolling_12m"]
