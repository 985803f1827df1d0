"""The shipped registers: true business ids, known sectors and regions, targets that can be read, breaks of known figures."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from stdnum.fi import ytunnus

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms import levels
from transforms.key_figures import DEFINITIONS
from transforms.lights import targets
from transforms.trend import with_breaks

REFERENCE = Reference.load()


def test_organisations_bear_valid_ids_and_belong_to_known_levels() -> None:
    table = REFERENCE.table("organisations.csv")

    assert all(ytunnus.is_valid(identity) for identity in table["business_id"])
    assert set(table["sector"]) <= set(REFERENCE.table("sectors.csv")["sector"])
    assert set(table["region"].drop_nulls()) <= set(REFERENCE.table("regions.csv")["region"])
    delivering = {agency.organisation_id for agency in REFERENCE.agencies.values() if agency.organisation_id}
    assert delivering <= set(table["organisation_id"])


def test_an_organisation_belongs_to_one_sector_on_any_day() -> None:
    known = levels.organisations(REFERENCE, pl.DataFrame(schema=levels.OBSERVED_SCHEMA))

    spans = known.sort("organisation_id", "valid_from").with_columns(
        before=pl.col("valid_to").shift().over("organisation_id", order_by="valid_from")
    )

    assert spans.filter(pl.col("before") >= pl.col("valid_from")).is_empty()


def test_every_target_is_readable_dated_and_of_one_edition_at_a_time() -> None:
    known = targets(REFERENCE)
    keys = [(one.figure_id, one.variant, one.scope, one.level, one.valid_from) for one in known]

    assert len(set(keys)) == len(keys)
    for one in known:
        for other in known:
            if one is not other and keys[known.index(one)][:4] == keys[known.index(other)][:4]:
                assert one.valid_to < other.valid_from or other.valid_to < one.valid_from


def test_targets_and_breaks_speak_of_figures_and_variants_that_exist() -> None:
    variants = {figure_id: figure.variants for figure_id, figure in DEFINITIONS.items()}
    for target in targets(REFERENCE):
        assert target.variant in variants[target.figure_id], target
        assert target.scope in DEFINITIONS[target.figure_id].scopes, target
    breaks = REFERENCE.table("catalogue/breaks.csv")
    assert set(breaks["figure_id"]) <= set(DEFINITIONS)
    for figure_id, variant in breaks.drop_nulls("variant").select("figure_id", "variant").iter_rows():
        assert variant in variants[figure_id]


def test_a_break_marks_the_variants_and_breakdowns_it_speaks_of_and_no_others() -> None:
    rows = [
        ("joint_procurement_spend", "", "category", 2019, True),
        ("joint_procurement_spend", "", "", 2019, False),
        ("ssat_mean", "", "", 2023, True),
        ("school_grade", "suppliers", "", 2023, True),
        ("school_grade", "customers", "", 2023, False),
        ("nps", "suppliers", "", 2023, True),
        ("nps", "customers", "", 2023, False),
        ("notices_n", "", "", 2019, True),
        ("notices_n", "", "", 2021, False),
        ("price_only_share", "", "", 2016, True),
    ]
    frame = pl.DataFrame(rows, schema=["figure_id", "variant", "breakdown_kind", "year", "expected"], orient="row")
    frame = frame.with_columns(period_start=pl.date("year", 1, 1), period_end=pl.date("year", 12, 31))

    flagged = with_breaks(frame, REFERENCE)

    assert flagged["break_flag"].to_list() == flagged["expected"].to_list()


def test_innovation_goal_is_dated_ten_per_cent_now_and_five_before() -> None:
    goals = [
        target for target in targets(REFERENCE) if (target.figure_id, target.variant) == ("innovative_share", "new_to_market")
    ]
    spans = {(goal.valid_from.year, goal.valid_to.year): goal for goal in goals}

    assert float(spans[2020, 9999].target) == 0.10
    assert float(spans[2015, 2020].target) == 0.05
    assert spans[2020, 9999].valid_from == date(2020, 9, 9)
    assert spans[2015, 2020].rule == "line"


def test_a_target_that_is_no_number_names_its_row_and_column() -> None:
    header = ",".join(REFERENCE.table("catalogue/targets.csv").columns)
    overlay = {"catalogue/targets.csv": f"{header}\nx,,ted,national,2020-01-01,,ten,<=,<=,0.1,>,0.2,official,yes,,\n"}

    with pytest.raises(ConfigurationError, match=r"row 2: target 'ten'"):
        Reference.load(overlay)


def test_every_figure_of_the_catalogue_is_defined_and_those_without_a_source_say_what_they_wait_for() -> None:
    waiting = {figure_id for figure_id, figure in DEFINITIONS.items() if figure.waits_for}

    assert waiting == {
        "spend_deviation",
        "spend_above_thresholds",
        "einvoice_share",
        "market_dialogue_share",
        "food_spend_share",
        "food_sustainable_share",
        "cost_saving_share",
        "effect_based_share",
        "impact_assessed_share",
    }
