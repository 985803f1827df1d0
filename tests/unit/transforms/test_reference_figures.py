"""Figures that rest on registers: against plain loops over random posting lines, and by hand where a rule decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import duckdb
import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from tests.unit.transforms import invoice_lines as lines
from tests.unit.transforms.invoice_lines import HIGH, LOW, Line
from transforms import periods
from transforms.key_figures import expenditure, group_actors, local_spend, networks
from transforms.key_figures.parameters import Parameters, parameters_of
from transforms.measures import invoice_categories
from transforms.rollup import roll_up

SEEDS = range(3)
MODELS = [("ICT", "it", LOW, date(2024, 3, 31)), ("ICT", "it", date(2024, 6, 1), HIGH), ("Ruoka", "food", date(2023, 4, 1), HIGH)]
SUPPORT = frozenset({"it"})
ACTORS = [("0988084-1", date(2023, 3, 1), HIGH), ("9100001-1", LOW, date(2023, 12, 31))]
SIZES = (("A1", "small", LOW, date(2024, 6, 30)), ("A1", "large", date(2024, 7, 1), HIGH), ("B", "large", LOW, HIGH))
REGIONS = [("A1", "01"), ("A2", "02"), ("B", "01"), ("G", "01"), ("N", "01")]
DOMICILES = [
    ("9100000-0", "01", LOW, date(2024, 2, 29)),
    ("9100000-0", "02", date(2024, 3, 1), HIGH),
    ("9100002-2", "02", LOW, HIGH),
    ("SE5560001", None, LOW, HIGH),
]


def in_force(rows: list[tuple[str, str, date, date]], key: str | None, day: date) -> str | None:
    return next((value for name, value, since, until in rows if name == key and since <= day <= until), None)


def warehouse(world: list[Line]) -> duckdb.DuckDBPyConnection:
    """The random world's measures with category_month and the registers of suppliers and categories."""
    con = lines.warehouse(lines.frame(world))
    given = {
        "category_model": lines._table(MODELS, "delivered category_model valid_from valid_to"),
        "group_actor": lines._table(ACTORS, "business_id valid_from valid_to"),
        "supplier_domicile": lines._table(DOMICILES, "business_id region valid_from valid_to"),
        "home": lines._table(
            [(name, "region", region, LOW, HIGH) for name, region in REGIONS],
            "organisation_id level level_id valid_from valid_to",
        ),
    }
    for name, table in given.items():
        con.register("given", table.to_arrow())
        con.execute(f"CREATE TABLE {name} AS FROM given" if name != "home" else "INSERT INTO membership FROM given")
        con.unregister("given")
    con.execute(f"CREATE TABLE category_month AS {invoice_categories.PLANS['category_month']}")
    return con


def measures(con: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    return {name: lines.read(con, f"FROM {name}") for name in ("spend_month", "category_month", "expected")}


def sums(frame: pl.DataFrame, figure_id: str, kind: str = "", key: str = "") -> dict[lines.Place, tuple[int | None, int | None]]:
    """Numerator and denominator of cells without a reason."""
    found = frame.filter(pl.col("reason").is_null(), figure_id=figure_id, breakdown_kind=kind, breakdown_id=key)
    names = ("level", "level_id", "period_kind", "period_start")
    return {
        (row["level"], row["level_id"], row["period_kind"], row["period_start"]): (row["numerator"], row["denominator"])
        for row in found.select(*names, "numerator", "denominator").to_dicts()
    }


def truth(world: list[Line], pick: Callable[[Line], tuple[int, int] | None]) -> dict[lines.Place, tuple[int, int]]:
    """Years only: what `pick` gives of each counted line, summed; places whose every organisation-month has a reason are absent."""
    found = {}
    for place, end, who in lines.places():
        if place[2] == "year" and who - {"G", "N"}:
            picked = [pair for line in lines.bought(lines.inside(world, place, end, who - {"G", "N"})) if (pair := pick(line))]
            found[place] = (sum(pair[0] for pair in picked), sum(pair[1] for pair in picked))
    return found


def model_of(line: Line) -> str | None:
    return in_force(MODELS, line.category, line.month)


def is_actor(line: Line) -> bool:
    return any(line.supplier == name and since <= line.month <= until for name, since, until in ACTORS)


@pytest.mark.parametrize("seed", SEEDS)
def test_spend_by_category_model_and_group_actors_add_up_line_by_line(seed: int) -> None:
    world = lines.lines(seed)
    figures = {figure.figure_id: figure for figure in group_actors.DEFINITIONS}
    registers = Parameters(sizes=SIZES, category_models=frozenset(model for _, model, *_ in MODELS), support_models=SUPPORT)
    found = roll_up(group_actors.compute(measures(warehouse(world)), registers), figures, lines.all_periods(), lines.members())

    def support(line: Line) -> tuple[int, int] | None:
        cents = line.cents or 0
        return (cents if is_actor(line) else 0, cents) if model_of(line) == "it" else None

    def large(line: Line) -> tuple[int, int] | None:
        is_large = line.organisation == "B" or (line.organisation == "A1" and line.month >= date(2024, 7, 1))
        return support(line) if is_large else None

    assert sums(found, "group_actor_share") == truth(world, support)
    by_size = sums(found, "group_actor_share", "size", "large")
    assert by_size == {place: pair for place, pair in truth(world, large).items() if place in by_size}
    assert {place[1] for place in by_size if place[0] == "organisation"} == {"A1", "B"}
    for model in ("it", "food"):
        spent = truth(world, lambda line, model=model: (line.cents or 0, 0) if model_of(line) == model else None)  # type: ignore[misc]
        assert sums(found, "category_model_spend", "category_model", model) == {p: (v, None) for p, (v, _) in spent.items()}
    whole = truth(world, lambda line: (line.cents or 0, 0) if model_of(line) else None)
    assert sums(found, "category_model_spend") == {place: (value, None) for place, (value, _) in whole.items()}


def test_without_category_models_there_is_a_reason_and_no_zero() -> None:
    con = warehouse(lines.lines(1, 300))
    con.execute("DELETE FROM category_month")
    found = group_actors.compute(measures(con), Parameters())

    reasons = {figure_id: set(part["reason"]) for (figure_id,), part in found.group_by("figure_id")}
    assert found["numerator"].null_count() == found.height
    assert None not in reasons["group_actor_share"] | reasons["category_model_spend"]
    assert "no_support_model" in reasons["group_actor_share"]
    assert "no_category_model" in reasons["category_model_spend"]


@pytest.mark.parametrize("seed", SEEDS)
def test_local_share_counts_the_buyers_own_region_and_known_domiciles_only(seed: int) -> None:
    world = lines.lines(seed)
    con = warehouse(world)
    found = lines.read(con, local_spend.PLANS["local"])
    homes = dict(REGIONS)
    known = {name for name, *_ in DOMICILES}

    def local(line: Line) -> tuple[int, int] | None:
        if line.supplier not in known or line.is_public or line.organisation not in homes:
            return None
        region = in_force(DOMICILES, line.supplier, line.month)  # type: ignore[arg-type]
        return (line.cents or 0) if region == homes[line.organisation] else 0, line.cents or 0

    expected = {place: pair for place, pair in truth(world, local).items() if place[0] != "region"}
    got = {place: pair for place, pair in sums(found, "local_spend_share").items() if place[2] == "year" and place[0] != "region"}
    assert got == {place: pair for place, pair in expected.items() if place != ("organisation", "A3", *place[2:])}
    a3 = found.filter(level_id="A3", period_kind="year", period_start=date(2024, 1, 1)).row(0, named=True)
    assert (a3["reason"], a3["numerator"]) == ("domiciles_missing", None)  # A3's region is not registered
    assert found.filter(pl.col("covered") > pl.col("asked")).is_empty()


def test_a_network_is_summed_over_its_members_and_the_nation_counts_each_once() -> None:
    world = lines.lines(5)
    group = [
        ("A1", "group", "net", LOW, HIGH),
        ("A2", "group", "net", LOW, date(2024, 12, 30)),
        ("A1", "group", "other", LOW, HIGH),
        ("A3", "group", "pilots", LOW, HIGH),
    ]
    members = pl.concat([lines.members(), lines._table(group, "organisation_id level level_id valid_from valid_to")])
    parameters = Parameters(group_kinds={"net": "network", "other": "network", "pilots": "pilot"})
    found = networks.cells(measures(warehouse(world)), parameters, lines.all_periods(), members)
    market = lambda who: {  # noqa: E731
        year: sum(
            line.cents or 0
            for line in lines.bought(world)
            if line.organisation in who and line.month.year == year and not line.is_public and line.organisation not in ("G", "N")
        )
        for year in (2023, 2024)
    }  # fmt: skip
    nation, a1, both = market(lines.ORGANISATIONS), market(("A1",)), market(("A1", "A2"))

    assert sums(found, "network_participation") == {
        ("group", "net", "year", date(2023, 1, 1)): (both[2023], nation[2023]),
        ("group", "net", "year", date(2024, 1, 1)): (a1[2024], nation[2024]),  # A2 left a day before the year ended
        ("group", "other", "year", date(2023, 1, 1)): (a1[2023], nation[2023]),
        ("group", "other", "year", date(2024, 1, 1)): (a1[2024], nation[2024]),
        ("national", "FI", "year", date(2023, 1, 1)): (both[2023], nation[2023]),
        ("national", "FI", "year", date(2024, 1, 1)): (a1[2024], nation[2024]),
    }


def test_a_nation_without_network_members_has_no_data() -> None:
    found = networks.cells(measures(warehouse(lines.lines(1, 400))), Parameters(), lines.all_periods(), lines.members())

    assert set(found["reason"]) == {"no_network_members"}
    assert set(found["level"]) == {"national"}


def spent(months: int, organisation: str = "A1", year: int = 2023, present: bool = True) -> tuple[list[Line], pl.DataFrame]:
    """100 euros in each of some months of a year; what is expected of the organisation."""
    bought = [
        Line("a", organisation, date(year, month, 1), True, "no_id", None, "4300", None, None, 100_00)
        for month in range(1, months + 1)
    ]
    rows = [(organisation, date(year, month, 1), present or month <= months) for month in range(1, 13)]
    return bought, pl.DataFrame(rows, schema=["organisation_id", "month", "present"], orient="row")


def shares(bought: list[Line], expected: pl.DataFrame, known: dict[tuple[str, int], int]) -> dict[str, tuple[object, ...]]:
    frames = {"spend_month": lines.read(lines.warehouse(lines.frame(bought)), "FROM spend_month"), "expected": expected}
    figures = {figure.figure_id: figure for figure in expenditure.DEFINITIONS}
    wanted = periods.touched([date(2023, 1, 1)], date(2023, 1, 1), date(2023, 12, 1))
    found = roll_up(expenditure.compute(frames, Parameters(expenditure_cents=known)), figures, wanted, lines.members())
    return {row["level_id"]: tuple(row[name] for name in ("numerator", "denominator", "covered", "asked", "reason")) for row in found.to_dicts()}  # fmt: skip


def test_share_of_expenditure_counts_whole_years_of_organisations_whose_expenditure_is_known() -> None:
    whole, expected = spent(12)
    part, partly_expected = spent(6, "A3", present=False)
    unknown, also_expected = spent(12, "A2")
    found = shares(
        [*whole, *part, *unknown], pl.concat([expected, partly_expected, also_expected]), {("A1", 2023): 5000_00, ("A3", 2023): 7000_00}
    )  # fmt: skip

    assert found["A1"] == (1200_00, 5000_00, 120_000, 120_000, None)
    assert found["A2"] == (None, None, 0, 120_000, "expenditure_missing")
    assert found["A3"] == (None, None, 0, 120_000, "incomplete_year")
    assert found["FI"] == (1200_00, 5000_00, 120_000, 360_000, None)


def test_a_year_that_is_not_over_has_no_share_of_expenditure() -> None:
    bought, expected = spent(10)
    assert shares(bought, expected.head(10), {("A1", 2023): 5000_00})["A1"] == (None, None, 0, 100_000, "incomplete_year")


def test_expenditure_of_a_year_counts_once_where_only_the_year_of_lines_is_known() -> None:
    bought = [Line("b", "B", date(2023, 1, 1), False, "no_id", None, "4300", None, None, 900_00)]
    expected = pl.DataFrame(
        [("B", date(2023, month, 1), True) for month in range(1, 13)],
        schema=["organisation_id", "month", "present"],
        orient="row",
    )
    assert shares(bought, expected, {("B", 2023): 4000_00})["B"] == (900_00, 4000_00, 120_000, 120_000, None)


HEADER = "organisation_id,business_id,name_fi,name_sv,name_en,sector,branch,region,valid_from,valid_to,predecessor_id,note,in_frame,size\n"


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("catalogue/total_expenditure.csv", "organisation_id,year,eur,source\nx,2023,much,s\n", "eur 'much'"),
        ("catalogue/total_expenditure.csv", "organisation_id,year,eur,source\nx,,5,s\n", "year or eur"),
        ("catalogue/total_expenditure.csv", "organisation_id,year,eur,source\nx,2023,0,s\n", "above zero"),
        ("organisations.csv", f"{HEADER}x,,X,,,state,,,,,,,,tiny\n", "'tiny'"),
        ("category_models.csv", "delivered,category_model,is_support_service,valid_from,valid_to,source\nICT,it,maybe,,,s\n", "'maybe'"),
        ("category_models.csv", "delivered,category_model,is_support_service,valid_from,valid_to,source\nICT,it,yes,,,s\nIT,it,no,,,s\n", "both yes and no"),
    ],
)  # fmt: skip
def test_registers_that_cannot_be_read_are_named_with_their_row(file: str, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{file}, row \d+") as caught:
        parameters_of(Reference.load({file: text}))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("ICT,it,yes,,2023-12-31,s\nICT,ict,yes,2023-12-31,,s\n", "two rows are valid on 2023-12-31"),
        ("ICT,,yes,,,s\n", "category_model is blank"),
        ("ICT,it,yes,1.1.2024,,s\n", "1.1.2024"),
    ],
)
def test_category_models_that_overlap_or_are_nameless_are_refused(rows: str, said: str) -> None:
    text = f"delivered,category_model,is_support_service,valid_from,valid_to,source\n{rows}"
    with pytest.raises(ConfigurationError, match=r"category_models.csv") as caught:
        invoice_categories.relations(Reference.load({"category_models.csv": text}))
    assert said in str(caught.value)


def test_a_group_actor_counts_once_whatever_rows_name_it_and_slots_without_an_id_not_at_all() -> None:
    header = "supplier_group,name,business_id,valid_from,valid_to,source\n"
    rows = "state_group_actors,Hansel Oy,0988084-1,2020-01-01,,s\nstate_group_actors,Hansel,0988084-1,,2021-12-31,s\nothers,X,1234567-1,,,s\n"
    found = invoice_categories.relations(Reference.load({"supplier_groups.csv": header + rows}))["group_actor"]

    hansel = found.filter(business_id="0988084-1").rows()
    assert [(since.year, until.year) for _, since, until in hansel] == [(1, 9999)]
    assert found["business_id"].null_count() == 0
    assert "1234567-1" not in found["business_id"].to_list()
