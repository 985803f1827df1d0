"""Invoice key figures of a small random world against plain loops over its lines (METHOD 18-20), for every level and period."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from functools import cache

import polars as pl
import pytest

from schemas.key_figure import CELL
from tests.unit.transforms import invoice_lines as lines
from transforms.key_figures import cases, spend, suppliers
from transforms.key_figures.parameters import Parameters
from transforms.rollup import roll_up

Key = tuple[str, str, str, str, str, date]
WHOLE = ("", "")
SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3)))
WORLD_IDS = ["seed1", "seed2", "seed3"]


@cache
def world(seed: int) -> tuple[lines.Line, ...]:
    return tuple(lines.lines(seed))


def computed(found: Iterable[lines.Line], limits: pl.DataFrame | None = None) -> pl.DataFrame:
    """Cells of all invoice figures, as the refresh computes them."""
    con = lines.warehouse(lines.frame(found), limits)
    measures = {name: lines.read(con, f"FROM {name}") for name in ("spend_month", "expected")}
    figures = {figure.figure_id: figure for figure in spend.DEFINITIONS}
    rolled = roll_up(spend.compute(measures, Parameters()), figures, lines.all_periods(), lines.members())
    planned = [lines.read(con, plan) for module in (suppliers, cases) for plan in module.PLANS.values()]
    schema = CELL.polars_schema()
    return pl.concat([part.select(schema.names()).cast(dict(schema)) for part in (rolled, *planned)])


@cache
def cells(seed: int) -> dict[Key, dict[str, object]]:
    frame = computed(world(seed))
    keys = ("figure_id", "breakdown_id", "level", "level_id", "period_kind", "period_start")
    assert not frame.select(keys).is_duplicated().any()
    return {tuple(row[name] for name in keys): row for row in frame.to_dicts()}  # type: ignore[misc]


def of_month(seed: int, organisation: str, month: date, *, is_year: bool) -> list[lines.Line]:
    """An organisation's lines of a month; in years, those of which only the year is known too."""
    own = [line for line in world(seed) if line.organisation == organisation]
    return [x for x in own if x.month == month or (is_year and not x.dated and x.month.year == month.year)]


def gap(seed: int, organisation: str, month: date, *, is_year: bool, key: str = "") -> str | None:
    """Why an organisation's month cannot be counted; None when it can."""
    found = of_month(seed, organisation, month, is_year=is_year)
    buys = lines.bought(found)
    reasons = {
        "missing_delivery": (organisation, month) == lines.MISSING,
        "not_comparable": any(line.cents is None for line in found),
        "no_date": not is_year and organisation == "B" and month.year == 2023,
        "no_account": bool(found) and all(line.is_procurement is None for line in found),
        "no_case_id": key == "case" and bool(buys) and not any(line.case for line in buys),
        "no_supplier_id": key == "supplier" and bool(buys) and not any(line.supplier for line in buys),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def usable(seed: int, place: lines.Place, end: date, who: set[str], key: str = "") -> bool:
    months = [month for month in lines.MONTHS if place[3] <= month <= end]
    return any(gap(seed, name, month, is_year=place[2] == "year", key=key) is None for name in who for month in months)


@pytest.mark.parametrize("seed", SEEDS, ids=WORLD_IDS)
def test_sums_and_shares(seed: int) -> None:
    """A share is a sum over a sum; what cannot be computed has no numerator."""
    seen = 0
    for place, end, who in lines.places():
        buys = lines.bought(lines.inside(world(seed), place, end, who))
        total = sum(line.cents or 0 for line in buys)
        truth = {
            "spend_total": (total, None),
            "spend_market": (sum(line.cents or 0 for line in buys if not line.is_public), None),
            "masked_supplier_share": (sum(line.cents or 0 for line in buys if line.kind == "masked"), total),
            "no_id_supplier_share": (sum(line.cents or 0 for line in buys if line.kind == "no_id"), total),
            "private_trader_share": (sum(line.cents or 0 for line in buys if line.kind == "private_trader"), total),
        }
        for figure_id, (numerator, denominator) in truth.items():
            cell = cells(seed)[(figure_id, "", *place)]
            if not usable(seed, place, end, who):
                assert cell["reason"] is not None
                assert cell["numerator"] is None
                continue
            seen += 1
            assert (cell["numerator"], cell["denominator"]) == (numerator, denominator), (figure_id, place)
            assert cell["reason"] is None
            assert cell["n"] == sum(figure_id != "spend_market" or not line.is_public for line in buys)
    assert seen > 1000


@pytest.mark.parametrize("seed", SEEDS, ids=WORLD_IDS)
def test_suppliers_and_concentration(seed: int) -> None:
    """Positive suppliers of the base only; an organisation's HHI is its dependence, other levels pool shares per category."""
    seen = 0
    for place, end, who in lines.places():
        if place[2] not in ("quarter", "year"):
            assert ("suppliers_n", "", *place) not in cells(seed)
            continue
        chosen = [x for x in lines.bought(lines.inside(world(seed), place, end, who)) if x.supplier and not x.is_public]
        totals = sorted((cents for cents in lines.by(chosen, "supplier").values() if cents > 0), reverse=True)
        count, top, hhi = (cells(seed)[(name, "", *place)] for name in ("suppliers_n", "top10_share", "hhi_supplier"))
        if not totals:
            assert top["reason"] is not None
            assert hhi["reason"] is not None
            assert (count["numerator"] == 0) == usable(seed, place, end, who, "supplier")
            continue
        seen += 1
        assert count["numerator"] == count["n"] == len(totals)
        assert (top["numerator"], top["denominator"]) == (sum(totals[:10]), sum(totals))
        by_category: dict[object, list[int]] = {}
        for (category, _), cents in lines.by(chosen, "category", "supplier").items():
            if cents > 0:
                by_category.setdefault("" if place[0] == "organisation" else category, []).append(cents)
        if place[0] == "organisation":
            by_category = {"": totals}
        base = sum(sum(values) for values in by_category.values())
        truth = sum(Fraction(10_000 * sum(cents**2 for cents in values), sum(values)) for values in by_category.values()) / base
        assert hhi["direct_value"] == pytest.approx(float(truth), rel=1e-12)
        assert hhi["denominator"] == base
        if place[0] == "national":
            for category in {"ICT", "Ruoka"} & by_category.keys():
                values = by_category[category]
                row = cells(seed)[("hhi_supplier", category, *place)]
                assert row["breakdown_kind"] == "category"
                assert row["direct_value"] == pytest.approx(
                    10_000 * sum(cents**2 for cents in values) / sum(values) ** 2, rel=1e-12
                )
                assert (row["denominator"], row["n"]) == (sum(values), len(values))
    assert seen > 20


@pytest.mark.parametrize("seed", SEEDS, ids=WORLD_IDS)
def test_cases(seed: int) -> None:
    """Lines are grouped by invoice first; an invoice of two months of the period is one."""
    seen = 0
    for place, end, who in lines.places():
        if place[2] not in ("quarter", "year"):
            continue
        chosen = [line for line in lines.bought(lines.inside(world(seed), place, end, who)) if line.case]
        sums = lines.by(chosen, "organisation", "case")
        small, per_case = (cells(seed)[(name, "", *place)] for name in ("small_invoice_share", "invoice_lines_per_case"))
        if not sums:
            assert small["reason"] is not None
            assert small["numerator"] is None
            continue
        seen += 1
        assert (small["numerator"], small["denominator"]) == (sum(0 < cents <= 100_00 for cents in sums.values()), len(sums))
        assert (per_case["numerator"], per_case["denominator"]) == (len(chosen), len(sums))
        assert small["n"] == len(sums)
    assert seen > 20


@pytest.mark.parametrize("seed", SEEDS, ids=WORLD_IDS)
@pytest.mark.parametrize(
    ("figure_id", "key"), [("spend_total", ""), ("suppliers_n", "supplier"), ("small_invoice_share", "case")]
)
def test_coverage(seed: int, figure_id: str, key: str) -> None:
    """Organisation-months that count, each times what is known of its accounts (and cases), over the months asked for."""
    for place, end, who in lines.places():
        is_year = place[2] == "year"
        if figure_id != "spend_total" and place[2] not in ("quarter", "year"):
            continue
        cell = cells(seed)[(figure_id, "", *place)]
        covered, months = 0, [month for month in lines.MONTHS if place[3] <= month <= end]
        for name in who:
            for month in months:
                if gap(seed, name, month, is_year=is_year, key=key) is not None:
                    continue
                found = of_month(seed, name, month, is_year=is_year)
                known = sum(abs(x.cents or 0) for x in found if x.is_procurement is not None)
                every = sum(abs(x.cents or 0) for x in found)
                basis = known * 10_000 // every if every else 10_000
                buys = lines.bought(found)
                if key == "case" and buys:
                    basis = basis * sum(x.case is not None for x in buys) // len(buys)
                covered += basis
        assert (cell["covered"], cell["asked"]) == (covered, len(who) * len(months) * 10_000), place


@pytest.mark.parametrize(
    ("organisation", "kind", "start", "figure_id", "reason"),
    [
        ("G", "year", date(2023, 1, 1), "spend_total", "not_comparable"),
        ("G", "year", date(2023, 1, 1), "suppliers_n", "not_comparable"),
        ("N", "year", date(2023, 1, 1), "spend_market", "no_account"),
        ("N", "quarter", date(2024, 1, 1), "top10_share", "no_account"),
        ("B", "month", date(2023, 3, 1), "spend_total", "no_date"),
        ("B", "quarter", date(2023, 4, 1), "hhi_supplier", "no_date"),
        ("B", "quarter", date(2023, 1, 1), "small_invoice_share", "no_date"),
        ("B", "year", date(2023, 1, 1), "spend_total", None),
        ("B", "year", date(2023, 1, 1), "suppliers_n", None),
        ("A3", "year", date(2024, 1, 1), "small_invoice_share", "no_case_id"),
        ("A3", "quarter", date(2024, 1, 1), "invoice_lines_per_case", "no_case_id"),
        ("A3", "month", date(2024, 5, 1), "spend_total", "missing_delivery"),
        ("A3", "year", date(2024, 1, 1), "spend_total", None),
    ],
)
def test_what_data_cannot_tell_is_said(organisation: str, kind: str, start: date, figure_id: str, reason: str | None) -> None:
    cell = cells(1)[(figure_id, "", "organisation", organisation, kind, start)]
    assert cell["reason"] == reason
    assert (cell["numerator"] is None) == (reason is not None)


def test_undated_gross_files_are_not_comparable_in_years() -> None:
    """A file with neither dates nor net amounts must not pass for a year of zero spend."""
    found = [
        lines.Line(
            "gross",
            "G",
            date(2023, 1, 1),
            dated=False,
            kind="no_id",
            supplier=None,
            account="4300",
            category=None,
            case=None,
            cents=None,
        )
    ]
    frame = computed(found).filter(
        (pl.col("level") == "organisation") & (pl.col("level_id") == "G") & (pl.col("period_start") == date(2023, 1, 1))
    )
    years = frame.filter(pl.col("period_kind") == "year")
    assert set(years["reason"]) == {"not_comparable"}
    assert years["numerator"].null_count() == years.height


def test_a_delivered_month_without_lines_is_zero_not_missing() -> None:
    frame = computed([line for line in world(1) if not (line.organisation == "A1" and line.month.year == 2024)])
    own = frame.filter(
        (pl.col("level_id") == "A1") & (pl.col("period_kind") == "year") & (pl.col("period_start") == date(2024, 1, 1))
    )
    rows = {row["figure_id"]: row for row in own.to_dicts()}
    assert (rows["spend_total"]["numerator"], rows["spend_total"]["reason"]) == (0, None)
    assert rows["spend_total"]["covered"] == rows["spend_total"]["asked"]
    assert (rows["suppliers_n"]["numerator"], rows["suppliers_n"]["reason"]) == (0, None)
    assert rows["top10_share"]["reason"] == "no_suppliers"
    assert rows["small_invoice_share"]["reason"] == "no_invoices_in_period"


def test_limit_of_small_invoices_is_inclusive_dated_data() -> None:
    chance = [(1, 99_99), (2, 100_00), (3, 100_01), (4, -5_00), (5, 0), (6, 150_00)]
    found = [
        lines.Line(
            "a",
            "A1",
            date(year, 2, 1),
            dated=True,
            kind="no_id",
            supplier=None,
            account="4300",
            category=None,
            case=str(case),
            cents=cents,
        )
        for case, cents in chance
        for year in (2023, 2024)
    ]
    limits = pl.DataFrame(
        {
            "limit_id": ["small_invoice_limit", "small_invoice_limit"],
            "cents": [100_00, 150_00],
            "valid_from": [lines.LOW, date(2024, 1, 1)],
            "valid_to": [date(2023, 12, 31), lines.HIGH],
        }
    )
    frame = computed(found, limits).filter((pl.col("figure_id") == "small_invoice_share") & (pl.col("level") == "national"))
    years = frame.filter(pl.col("period_kind") == "year").sort("period_start")
    assert years["numerator"].to_list() == [2, 4]
    assert years["denominator"].to_list() == [6, 6]
    none = computed(found, limits.clear()).filter((pl.col("figure_id") == "small_invoice_share") & (pl.col("n") > 0))
    assert set(none["reason"]) == {"no_limit"}


def test_organisations_add_up_to_the_nation() -> None:
    """Additive figures and distinct invoices do; distinct suppliers do not (a supplier sells to several)."""
    frame = computed(world(2)).filter(pl.col("breakdown_kind") == "")
    own = (
        frame.filter(pl.col("level") == "organisation")
        .group_by("figure_id", "period_kind", "period_start")
        .agg(pl.col("numerator", "n", "covered", "asked").sum())
    )
    nation = frame.filter(pl.col("level") == "national").join(own, on=["figure_id", "period_kind", "period_start"], suffix="_own")
    additive = nation.filter(~pl.col("figure_id").is_in(["suppliers_n", "top10_share", "hhi_supplier"]))
    assert additive.filter(pl.col("numerator") != pl.col("numerator_own")).is_empty()
    assert additive.filter(pl.col("n") != pl.col("n_own")).is_empty()
    assert nation.filter((pl.col("covered") != pl.col("covered_own")) | (pl.col("asked") != pl.col("asked_own"))).is_empty()
    counts = nation.filter((pl.col("figure_id") == "suppliers_n") & (pl.col("period_kind") == "year"))
    assert (counts["numerator"] < counts["numerator_own"]).all()


def test_order_of_lines_does_not_matter_to_the_last_bit() -> None:
    frame = computed(world(3))
    shuffled = list(world(3))
    random.Random(5).shuffle(shuffled)
    keys = list(CELL.polars_schema().names()[:9])
    assert computed(shuffled).sort(keys).equals(frame.sort(keys))
