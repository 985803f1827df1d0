"""What a publication tells of protected figures: whole rows or none of their numbers, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random

import polars as pl
import pytest

from schemas.key_figure import KEY_FIGURE
from tests.unit.transforms import disclosure_tables as tables
from tests.unit.transforms.disclosure_tables import Respondent, World
from transforms.disclosure.protect import BEHIND, FORMER, HIDDEN, NODE, PART, protect

SAID = (0.5, 0.6, 0.7)


def people(**many: int) -> World:
    """Organisations named sector_number with so many respondents, who say different things."""
    sector_of = {name: name.split("_")[0] for name in many}
    said = [(0.2, 0.4, 0.6), (0.9, 0.8, 0.5)]
    return World(sector_of, tuple(Respondent(name, 1 + i % 4, said[i % 2]) for name, count in many.items() for i in range(count)))


def told(table: str, *worlds: World) -> list[pl.DataFrame]:
    """The publications of some states of the world, one after the other."""
    found: list[pl.DataFrame] = []
    for each in worlds:
        found.append(tables.told(tables.content(table, each), tables.members(*worlds), *found))
    return found


def withheld(rows: pl.DataFrame, level: str = "organisation", kind: str = "year") -> set[str]:
    return set(rows.filter(level=level, period_kind=kind, status="suppressed")["level_id"])


def shown(rows: pl.DataFrame, level: str = "organisation") -> set[str]:
    return set(rows.filter(pl.col("status") != "suppressed", level=level)["level_id"])


def test_an_unsafe_cell_takes_the_smallest_sibling_that_suffices_with_it() -> None:
    (rows,) = told("customer_survey", people(a_1=2, a_2=30, a_3=7, a_4=12, b_1=20, b_2=9))
    assert withheld(rows) == {"a_1", "a_3"}
    assert withheld(rows, "sector") == withheld(rows, "national") == set()


def test_a_lone_unsafe_organisation_takes_its_sector_and_another_one() -> None:
    (rows,) = told("customer_survey", people(a_1=3, b_1=20, b_2=9, c_1=40))
    assert withheld(rows, "sector") == {"a", "b"}
    assert "a_1" in withheld(rows)
    assert withheld(rows) & {"b_1", "b_2"}, "the sector's organisations would tell it"


def test_five_respondents_are_enough_and_four_are_not() -> None:
    (rows,) = told("customer_survey", people(a_1=5, a_2=6, a_3=9))
    assert withheld(rows) == set()
    (rows,) = told("customer_survey", people(a_1=4, a_2=6, a_3=9))
    assert "a_1" in withheld(rows)


def test_numbers_of_a_withheld_row_go_together() -> None:
    (rows,) = told("customer_survey", people(a_1=2, a_2=30, a_3=7))
    hidden = rows.filter(status="suppressed")
    assert hidden.height
    assert hidden.select(HIDDEN).null_count().row(0) == (hidden.height,) * len(HIDDEN)
    assert set(hidden["light"]) == set(hidden["trend"]) == {"none"}
    assert set(hidden["reason"]) == {"disclosure"}
    assert not hidden["mix_flag"].any()


def test_all_figures_of_a_table_are_withheld_together() -> None:
    (rows,) = told("customer_survey", people(a_1=2, a_2=30, a_3=7))
    by_place = rows.group_by("level", "level_id").agg(pl.col("status").n_unique())
    assert set(by_place["status"]) == {1}


def test_shares_say_nothing_of_all_alike_under_twenty() -> None:
    same = World({"a_1": "a"}, tuple(Respondent("a_1", 1, (0.9, 0.9, 0.9)) for _ in range(19)))
    (rows,) = told("customer_survey_shares", same)
    assert withheld(rows, "national") == {"FI"}
    more = World({"a_1": "a"}, tuple(Respondent("a_1", 1, (0.9, 0.9, 0.9)) for _ in range(20)))
    (rows,) = told("customer_survey_shares", more)
    assert shown(rows, "national") == {"FI"}


def test_the_nation_of_p3_needs_three_organisations_and_five_units_without_the_largest() -> None:
    (enough,) = told("competence", people(a_1=1, a_2=2, a_3=2, a_4=5))
    assert shown(enough.filter(~pl.col("is_restricted")), "national") == {"FI"}
    for few in (people(a_1=2, a_2=3, a_3=5), people(a_1=1, a_2=1, a_3=2, a_4=50)):
        (rows,) = told("competence", few)
        assert withheld(rows, "national") == {"FI"}, few.sector_of


def test_owners_cells_are_restricted_and_whole() -> None:
    (rows,) = told("competence", people(a_1=1, a_2=2, a_3=2, a_4=5))
    own = rows.filter("is_restricted")
    assert set(own["level"]) == {"organisation"}
    assert set(own["level_id"]) == {"a_1", "a_2", "a_3", "a_4"}
    assert own["value"].null_count() == 0


def test_levels_and_periods_that_no_table_lists_are_not_told() -> None:
    (rows,) = told("impact", people(a_1=5, a_2=6, a_3=9, b_1=4, b_2=5, b_3=5))
    assert set(rows["level"]) == {"national", "sector"}
    (rows,) = told("minicomp_survey", people(a_1=50, a_2=60, a_3=90))
    assert set(rows.filter(level="national")["period_kind"]) == {"year", "quarter"}
    assert set(rows.filter(level="sector")["period_kind"]) == {"year"}


def test_what_was_withheld_stays_withheld_when_it_has_become_safe() -> None:
    first, second = told("customer_survey", people(a_1=2, a_2=30, a_3=7), people(a_1=12, a_2=30, a_3=7))
    assert withheld(first) == {"a_1", "a_3"} <= withheld(second)
    (fresh,) = told("customer_survey", people(a_1=12, a_2=30, a_3=7))
    assert withheld(fresh) == set(), "without the former publication nothing would be withheld"


def test_an_unchanged_publication_tells_the_same_again() -> None:
    for seed in range(10):
        rng = Random(seed)
        for table in tables.LINKED:
            same = tables.world(rng, 3)
            first, second = told(table, same, same)
            assert first.sort(KEY_FIGURE.primary_key).equals(second.sort(KEY_FIGURE.primary_key))


def with_parts_of_nobody(table: str, of: World) -> dict[tables.Place, dict[tables.Series, tables.Numbers]]:
    """Every place has a row of every part, also of those that nobody there answered."""
    empty = dict.fromkeys(tables.series_of(table), (0, Decimal(0)))
    return {place: empty | parts for place, parts in tables.content(table, of).items()}


def test_parts_of_nobody_that_are_withheld_with_their_node_are_no_secret() -> None:
    """A unit withheld whole takes its empty parts along: protecting the same data once more withholds no more."""
    seen = 0
    for seed in range(40):
        rng = Random(f"nobody-{seed}")
        of = tables.world(rng, 3)
        nobody = tuple(replace(each, says=(*each.says[:2], 0.0)) for each in of.respondents[: rng.randint(0, 9)])
        of = replace(of, respondents=nobody + of.respondents[len(nobody) :])
        truth, everyone = with_parts_of_nobody("customer_survey", of), tables.members(of)
        first = tables.told(truth, everyone)
        second = tables.told(truth, everyone, first, then=truth)
        assert second.sort(KEY_FIGURE.primary_key).equals(first.sort(KEY_FIGURE.primary_key))
        seen += not tables.told(truth, everyone, first).sort(KEY_FIGURE.primary_key).equals(first.sort(KEY_FIGURE.primary_key))
    assert seen, "taken for secrets, some of them would have taken more along"


def test_what_was_decided_on_the_same_content_is_decided_again() -> None:
    """Whatever else former publications withheld meanwhile."""
    of = people(a_1=2, a_2=30, a_3=7, a_4=12, b_1=20, b_2=9)
    truth, everyone = tables.settled(tables.content("customer_survey", of)), tables.members(of)
    nothing = pl.DataFrame(schema=FORMER), pl.DataFrame(schema=FORMER)
    behind = pl.DataFrame(schema=BEHIND)
    first = protect(truth, tables.RULES, everyone, behind, *nothing)
    known = {tuple(row) for row in first.marks.iter_rows()}
    hidden = first.rows.filter(status="suppressed")
    cells = {(row[: len(PART)], row[len(PART) :]) for row in hidden.select(*PART, *NODE).iter_rows()}
    more = truth.filter(level="organisation").with_columns(behind_n=pl.lit(None, pl.Int64)).select(FORMER.names())

    def recall(*asked: object) -> set[tuple[tuple[str, ...], tuple[str, ...]]] | None:
        return cells if asked in known else None

    again = protect(truth, tables.RULES, everyone, behind, more, nothing[1], recall)
    assert again.rows.equals(first.rows)
    assert again.marks.equals(first.marks)
    moved = truth.with_columns(n=pl.when(level="organisation", level_id="a_4").then(pl.col("n") + 1).otherwise("n"))
    other = protect(moved, tables.RULES, everyone, behind, more, nothing[1], recall)
    assert not set(other.marks.rows()) & known
    assert withheld(other.rows) > withheld(first.rows), "what is not recalled stays withheld for ever"


def test_one_newly_unsafe_cell_takes_the_sums_that_its_change_would_tell() -> None:
    before, after = people(a_1=8, a_2=30, a_3=7, b_1=20, b_2=9), people(a_1=2, a_2=30, a_3=7, b_1=20, b_2=9)
    first, second = told("customer_survey", before, after)
    assert withheld(first) == set()
    assert "a_1" in withheld(second)
    assert withheld(second, "sector") >= {"a"}
    assert withheld(second, "national") == {"FI"}


def test_a_cell_withheld_and_gone_takes_the_sum_that_would_tell_it() -> None:
    first, second = told("customer_survey", people(a_1=2, a_2=30, a_3=7, a_4=9), people(a_2=30, a_3=7, a_4=9))
    assert withheld(first) == {"a_1", "a_3"}
    assert "a" in withheld(second, "sector")


@pytest.mark.parametrize("table", tables.LINKED)
def test_the_order_of_rows_says_nothing(table: str) -> None:
    for seed in range(5):
        truth = tables.content(table, tables.world(Random(seed), 3))
        everyone = tables.members(tables.world(Random(seed), 3))
        one, other = (tables.told(truth, everyone, seed=order).sort(KEY_FIGURE.primary_key) for order in (1, 2))
        assert one.equals(other)


def test_a_trend_against_a_withheld_year_is_not_told() -> None:
    rows = told("customer_survey", people(a_1=2, a_2=30, a_3=7))[0]
    assert set(rows.filter(level="national")["trend"]) == {"none"}, "nothing was told of the year before"


def test_quarters_beside_a_withheld_one_do_not_tell_it() -> None:
    counts = ((1, 2), (2, 40), (3, 20), (4, 60))
    many = tuple(Respondent(f"a_{i % 5}", quarter, (0.2 * (i % 5), 0.5, 0.5)) for quarter, n in counts for i in range(n))
    (rows,) = told("minicomp_survey", World({f"a_{i}": "a" for i in range(5)}, many))
    quarters = set(rows.filter(period_kind="quarter", status="suppressed")["period_start"])
    assert quarters == {date(2024, 1, 1), date(2024, 7, 1)}


def test_what_is_withheld_of_means_is_withheld_of_the_shares_beside_them() -> None:
    """Twelve respondents who all say five of one area: that mean may not be told, their shares by themselves might."""
    sector_of = {"a_1": "a", "b_1": "b", "c_1": "c"}
    others = [(0.9, 0.4, 0.6), (0.4, 0.7, 0.5), (0.1, 0.5, 0.3)]
    said = {
        "a_1": [(each, 1.0, 0.6 - each / 3) for each in [0.9] * 9 + [0.4] * 2 + [0.1]],
        "b_1": others * 10,
        "c_1": others * 20,
    }
    of = World(sector_of, tuple(Respondent(name, 1, each) for name, many in said.items() for each in many))
    rows = tables.told(tables.content("customer_survey_shares", of), tables.members(of))
    assert rows.filter(status="suppressed").is_empty()
    both = {place: dict(parts) for place, parts in tables.content("customer_survey", of).items()}
    for place, parts in tables.content("customer_survey_shares", of).items():
        both[place] |= parts

    rows = tables.told(both, tables.members(of))

    means = rows.filter(figure_id="csat_mean", status="suppressed")
    shares = rows.filter(pl.col("figure_id").str.starts_with("csat_share"))
    at = ["level", "level_id", "period_kind"]
    assert "a" in withheld(means, "sector")
    assert shares.join(means, on=at, how="semi").filter(pl.col("status") != "suppressed").is_empty()
    assert shares.filter(pl.col("status") != "suppressed").height
