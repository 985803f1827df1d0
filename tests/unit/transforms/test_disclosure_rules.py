"""The register of classes: every figure has one, and rows that say nonsense are told with what to do."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.disclosure.rules import OPEN, PROTECTED, REGISTER, TREE_LEVELS, protected, rules
from transforms.key_figures import DEFINITIONS

HEADER = (
    "source,figure_id,variant,class,table,levels,period_kinds,linked,owned,minimum_n,minimum_contributors,without_largest,"
    "extreme_below,scale,contributor,follows,reason"
)


def found(*rows: str) -> object:
    return rules(Reference.load({REGISTER: "\n".join([HEADER, *rows])}), DEFINITIONS)


def test_every_figure_has_a_class() -> None:
    classes = rules(Reference.load(), DEFINITIONS)
    assert set(classes) == {(figure.figure_id, variant) for figure in DEFINITIONS.values() for variant in figure.variants}


def test_public_by_law_is_open() -> None:
    classes = rules(Reference.load(), DEFINITIONS)
    by_source = {(DEFINITIONS[figure_id].sources[0], rule.disclosure_class) for (figure_id, _), rule in classes.items()}
    assert {name for source, name in by_source if source == "procurement_notices"} == {"P0"}
    assert {name for source, name in by_source if source == "purchase_invoices"} == {"P1"}


@pytest.mark.parametrize(
    ("figure_id", "variant", "n", "contributors"),
    [
        ("csat_mean", "", 5, 0),
        ("csat_share_ge_350", "", 10, 0),
        ("ssat_mean", "", 5, 3),
        ("contact_resolution_days", "median", 5, 0),
        ("competence_level_mean", "", 5, 3),
        ("goals_on_track_share", "due", 5, 3),
        ("impact_final", "cases", 3, 3),
        ("minicomp_single_bid_share", "", 3, 3),
        ("minicomp_lead_days", "", 3, 3),
        ("contact_reopen_share", "", 5, 0),
        ("contacts_advice_share", "", 5, 0),
    ],
)
def test_thresholds_are_those_of_the_method(figure_id: str, variant: str, n: int, contributors: int) -> None:
    rule = rules(Reference.load(), DEFINITIONS)[figure_id, variant]
    assert (rule.minimum_n, rule.minimum_contributors) == (n, contributors)


def test_owners_cells_are_those_of_p3_and_contacts_by_customer() -> None:
    classes = rules(Reference.load(), DEFINITIONS)
    owned = {figure_id for (figure_id, _), rule in classes.items() if rule.is_owned}
    p3 = {figure_id for (figure_id, _), rule in classes.items() if rule.disclosure_class == "P3"}
    assert p3 <= owned
    contacts = {"contact_first_response_hours", "contact_resolution_days", "contact_reopen_share", "contacts_advice_share"}
    assert owned - p3 == contacts | {
        "minicomp_bids_mean",
        "minicomp_single_bid_share",
        "minicomp_invited_mean",
        "minicomp_lead_days",
    }
    assert not any("organisation" in rule.levels for rule in classes.values() if rule.is_owned)


def test_only_listed_levels_and_classes_are_used() -> None:
    for rule in rules(Reference.load(), DEFINITIONS).values():
        assert rule.disclosure_class in (*OPEN, *PROTECTED)
        assert set(rule.levels) <= set(TREE_LEVELS)


def test_a_variant_wins_over_its_figure_and_a_figure_over_its_source() -> None:
    classes = rules(Reference.load(), DEFINITIONS)
    assert classes["school_grade", "customers"].table != classes["school_grade", "suppliers"].table
    assert classes["response_rate", "suppliers"].follows == classes["ssat_mean", ""].table
    assert set(protected(classes)) == {key for (key, _), rule in classes.items() if rule.disclosure_class in PROTECTED}


def test_a_table_can_only_follow_one_that_is_linked_and_follows_none() -> None:
    with pytest.raises(ConfigurationError, match="follows 'contact_times', which is no linked table"):
        found("market_court_cases,,,P2,courts,national,year,,,,,,,,,contact_times,")


def test_a_figure_without_a_class_is_refused() -> None:
    table = Reference.load().table(REGISTER)
    tables = {REGISTER: table.filter(source="market_court_cases").clear()}
    with pytest.raises(ConfigurationError, match=r"has no class; add a row"):
        rules(Reference(tables), DEFINITIONS)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("market_court_cases,,,P9,,,,,,,,,,,,,", "class 'P9' is none of"),
        ("market_court_cases,,,P2,courts,national|region,year,,,,,,,,,,", "levels has 'region'"),
        ("market_court_cases,,,P2,courts,sector,year,,,,,,,,,,", "levels from the nation down"),
        ("market_court_cases,,,P2,,national,year,,,,,,,,,,", "a protected table has a name"),
        ("market_court_cases,,,P2,courts,national,decade,,,,,,,,,,", "period_kinds has 'decade'"),
        ("market_court_cases,,,P2,courts,national,year,,,five,,,,,,,", "minimum_n 'five' is not a whole number"),
        ("market_court_cases,,,P2,courts,national,year,,,5,,,,1-5,,,", "scale '1-5' is not two whole numbers"),
        ("market_court_cases,,,P2,courts,national|sector,year,,,5,,,,,case.judge,,", "only figures of the nation alone"),
        (
            "market_court_cases,,,P2,courts,national,year,,,5,,,,,case.judge,,",
            "contributor 'case.judge' is no column of a measure",
        ),
        (
            "satisfaction_surveys,,,P2,s,national,year,,,5,,,,,survey_response.company,,",
            "is no column of a measure of satisfaction_surveys",
        ),
    ],
)
def test_a_row_that_says_nonsense_is_refused(row: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"catalogue/disclosure.csv, row \d+: ") as told:
        found(row)
    assert message in str(told.value).replace("\\|", "|")
