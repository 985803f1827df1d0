"""Registers: a slip of the pen is told with file, row, column and value; of one thing one row is in force on a day."""

from __future__ import annotations

from datetime import date
from importlib import resources

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.reference import KEYS, Reference
from schemas.register_checks import WHERE
from transforms import levels

ESPOO = "0101263-6"
OBSERVED = pl.DataFrame(schema=levels.OBSERVED_SCHEMA)


def organisations(rows: str) -> Reference:
    return Reference.load({"organisations.csv": f"organisation_id,name_fi,sector,region,valid_from,valid_to\n{rows}"})


def placed(reference: Reference, day: date, organisation: str = ESPOO) -> list[tuple[str, str]]:
    members = levels.membership(levels.organisations(reference, OBSERVED), levels.group_members(reference))
    value = pl.DataFrame({"organisation_id": [organisation], "period_end": [day]})
    return sorted(levels.placed(value, members).select("level", "level_id").rows())


def test_an_organisation_moves_on_the_day_its_later_row_says_and_counts_once() -> None:
    moved = organisations(f"{ESPOO},Espoon kaupunki,joint_authority,01,2024-01-01,\n")

    before, after = placed(moved, date(2023, 12, 31)), placed(moved, date(2024, 1, 31))
    assert before == placed(Reference.load(), date(2023, 12, 31))
    assert after == [*(row for row in before if row[0] != "sector"), ("sector", "joint_authority")]


def test_a_row_with_the_shipped_key_replaces_it() -> None:
    replaced = organisations(f"{ESPOO},Espoon kaupunki,joint_authority,01,,\n")
    assert dict(placed(replaced, date(2020, 12, 31)))["sector"] == "joint_authority"
    assert replaced.table("organisations.csv").filter(organisation_id=ESPOO).height == 1


def test_an_organisation_stands_in_several_groups() -> None:
    rows = f"big-buyers,{ESPOO},2020-01-01,\nmanagement-view-pilot,{ESPOO},2021-01-01,2022-12-31\n"
    reference = Reference.load({"group_members.csv": f"group,organisation_id,valid_from,valid_to\n{rows}"})
    found = placed(reference, date(2021, 12, 31))
    assert [place for level, place in found if level == "group"] == ["big-buyers", "management-view-pilot"]
    assert [level for level, _ in found].count("national") == 1


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 12, 31)), min_size=1, max_size=5, unique=True), st.dates(date(1990, 1, 1)))
def test_however_often_an_organisation_moves_it_stands_in_one_sector(moves: list[date], day: date) -> None:
    sectors = ["state", "parish", "university", "joint_authority", "other_public"]
    told = dict(zip(moves, sectors, strict=False))
    reference = organisations("".join(f"{ESPOO},Espoo,{sector},01,{since},\n" for since, sector in told.items()))

    last = max((since for since in moves if since <= day), default=None)
    truth = "municipality" if last is None else told[last]
    assert [place for level, place in placed(reference, day) if level == "sector"] == [truth]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "organisations.csv",
            "organisation_id,valid_from\nx,1.1.2024\n",
            "HOME/registry/organisations.csv, row 2: valid_from '1.1.2024' is not a day; write it as 2024-12-31",
        ),
        ("organisations.csv", "organisation_id,valid_from\nx,20240101\n", "valid_from '20240101' is not a day"),
        ("organisations.csv", "organisation_id,valid_from,valid_to\n\nx,2024-01-01,2023-12-31\n", "row 3: valid_to '2023-12-31' lies before"),
        ("organisations.csv", "organisation_id,valid_from,sector\nx,,municipalty\n", "sector 'municipalty' is not in sectors.csv"),
        ("organisations.csv", "organisation_id,valid_from\nx,\ny,\nx,\n", "row 4: the same organisation_id x, valid_from blank as HOME"),
        (
            "organisations.csv",
            "organisation_id,valid_from,valid_to\nx,2024-01-01,\nx,2020-01-01,2024-01-01\n",
            "row 2: for x two rows are valid on 2024-01-01; end the earlier one (HOME/registry/organisations.csv, row 3) the day before",
        ),
        ("organisations.csv", "organisation_id;valid_from\nx;\n", "save it with commas"),
        ("agencies.csv", "agency,frame_from\nx,2024\n", "row 2: frame_from '2024' is not a day"),
        ("agencies.csv", "agency,frame_to\nx,31.12.2024\n", "row 2: frame_to '31.12.2024' is not a day"),
        ("organisation_aliases.csv", "agency,delivered_code,valid_from\nx,y,2024-2-30\n", "valid_from '2024-2-30' is not a day"),
        ("catalogue/breaks.csv", "figure_id,break_date\nx,2019\n", "break_date '2019' is not a day"),
        ("catalogue/breaks.csv", "figure_id,break_date\nx,\n", "break_date is blank"),
        ("catalogue/targets.csv", "figure_id,variant,scope,level,valid_from\nx,,all,national,2024-13-01\n", "valid_from '2024-13-01'"),
        ("catalogue/targets.csv", "figure_id,variant,scope,level,valid_from,rule\nx,,all,national,,offical\n", "rule 'offical' is not one of"),
        ("catalogue/limits.csv", "limit_id,valid_from,value\nx,,\"1,5\"\n", "value '1,5' is not a number"),
        ("catalogue/gdp.csv", "year,gdp_eur\n2024.0,1\n", "year '2024.0' is not a whole number"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_place(file: str, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        Reference.load({file: text})
    assert said in str(told.value)


def test_a_byte_order_mark_and_blank_lines_change_nothing() -> None:
    rows = f"{ESPOO},Espoo,joint_authority,01,2024-01-01,\n"
    plain = organisations(rows)
    header = "\ufefforganisation_id,name_fi,sector,region,valid_from,valid_to\n"
    marked = Reference.load({"organisations.csv": f"{header}{rows}\n,,,,,\n"})
    assert marked.fingerprint == plain.fingerprint
    assert all(WHERE not in marked.table(name).columns for name in KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_what_ships_may_be_kept_in_the_registry_as_it_is(name: str) -> None:
    text = resources.files("schemas").joinpath(name).read_text("utf-8")
    same = Reference.load({name: text})
    assert same.table(name).rows() == Reference.load().table(name).rows()
