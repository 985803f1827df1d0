"""What must hold for the measures and contributions of any notices."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.key_figure import CONTRIBUTION
from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from tests.examples import examples
from tests.unit.transforms.notice_facts import Given, tables
from tests.unit.transforms.notice_random import random_notices
from transforms.key_figures import FIGURES
from transforms.key_figures.parameters import Parameters
from transforms.measures.procurement_notices import MEASURES, measure

REFERENCE = Reference.load()
PARAMETERS = Parameters(gdp_cents={2024: 10**9})
SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOTICE_FIGURES = {
    key: figure
    for key, figure in FIGURES.items()
    if figure.definition.sources == ("procurement_notices",) and not figure.definition.waits_for
}
MODULES = list({figure.module.__name__: figure.module for figure in NOTICE_FIGURES.values()}.values())
Frames = dict[str, pl.DataFrame]


def contributions(measures: Frames) -> pl.DataFrame:
    parts: list[pl.DataFrame] = [module.compute(measures, PARAMETERS) for module in MODULES]
    return pl.concat(parts)


def same(left: Frames, right: Frames) -> bool:
    return all(left[table.name].equals(right[table.name]) for table in MEASURES)


@FEW
@given(seed=SEEDS)
def test_procedures_measured_alone_give_their_rows_of_all(seed: int) -> None:
    found = random_notices(seed, 25)
    everything = measure(found, REFERENCE)
    chosen = {f"P{number:04d}" for number in Random(seed).sample(range(25), 8)}
    notices = found["notice"].filter(pl.col("procedure_id").is_in(chosen))
    some = {name: frame.join(notices.select("notice_id").unique(), on="notice_id", how="semi") for name, frame in found.items()}

    alone = measure(some, REFERENCE)

    for table in MEASURES:
        assert alone[table.name].equals(everything[table.name].filter(pl.col("procedure_id").is_in(chosen))), table.name


@FEW
@given(seed=SEEDS)
def test_order_of_rows_does_not_matter(seed: int) -> None:
    found = random_notices(seed, 20)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in found.items()}

    assert same(measure(found, REFERENCE), measure(shuffled, REFERENCE))


@FEW
@given(seed=SEEDS)
def test_older_versions_and_copies_are_harmless(seed: int) -> None:
    found = random_notices(seed, 20)
    copy = {name: frame.with_columns(delivery_id=pl.lit("c0")) for name, frame in found.items()}
    older = {
        name: frame.with_columns(notice_version=pl.lit(0, pl.Int32), delivery_id=pl.lit("z")) for name, frame in found.items()
    }
    older = {name: frame.unique(maintain_order=True) for name, frame in older.items()}
    more = {name: pl.concat([found[name], copy[name], older[name]]) for name in found}

    assert same(measure(found, REFERENCE), measure(more, REFERENCE))


@FEW
@given(seed=SEEDS)
def test_measures_keep_their_contracts(seed: int) -> None:
    measures = measure(random_notices(seed, 20), REFERENCE)

    for table in MEASURES:
        frame = measures[table.name]
        assert frame.schema == table.polars_schema(), table.name
        assert not table.primary_key or not frame.select(table.primary_key).is_duplicated().any(), table.name
        for column in table.columns:
            assert not column.required or frame[column.name].null_count() == 0, (table.name, column.name)
            assert column.codes is None or set(frame[column.name].drop_nulls()) <= set(column.codes), (table.name, column.name)
            assert column.minimum is None or frame.filter(pl.col(column.name) < column.minimum).is_empty()


@FEW
@given(seed=SEEDS)
def test_shares_lie_between_nothing_and_all(seed: int) -> None:
    rows = contributions(measure(random_notices(seed, 30), REFERENCE))
    shares = [
        key for key, figure in NOTICE_FIGURES.items() if figure.definition.unit == "share" and key != "publication_rate_gdp"
    ]

    wrong = rows.filter(pl.col("figure_id").is_in(shares) & ~pl.col("numerator").is_between(0, pl.col("denominator")))
    uncovered = rows.filter(~pl.col("covered").is_between(0, pl.col("asked")) | (pl.col("n") < 0))

    assert wrong.is_empty(), wrong
    assert uncovered.is_empty(), uncovered


@FEW
@given(seed=SEEDS)
def test_ted_is_a_part_of_all_notices(seed: int) -> None:
    rows = contributions(measure(random_notices(seed, 30), REFERENCE)).filter(pl.col("figure_id") != "publication_rate_gdp")
    sums = rows.group_by("figure_id", "variant", "breakdown_id", "organisation_id", "month").agg(
        *(
            (pl.col(name).filter(pl.col("scope") == scope).sum()).alias(f"{name}_{scope}")
            for name in ("n", "asked")
            for scope in ("ted", "all_notices")
        )
    )

    assert sums.filter(
        (pl.col("n_ted") > pl.col("n_all_notices")) | (pl.col("asked_ted") > pl.col("asked_all_notices"))
    ).is_empty()


@FEW
@given(seed=SEEDS)
def test_months_restricted_before_or_after_computing_are_equal(seed: int) -> None:
    measures = measure(random_notices(seed, 30), REFERENCE)
    months = (pl.date(2024, 4, 1), pl.date(2024, 9, 1))
    restricted = {name: frame.filter(pl.col("month").is_between(*months)) for name, frame in measures.items()}

    before, after = contributions(restricted), contributions(measures).filter(pl.col("month").is_between(*months))

    apart = pl.col("figure_id") != "publication_rate_gdp"  # its GDP stands in one month of the year
    assert before.filter(apart).sort(pl.all()).equals(after.filter(apart).sort(pl.all()))


def test_no_notices_give_no_rows_and_no_error() -> None:
    measures = measure({table.name: pl.DataFrame(schema=table.polars_schema()) for table in CONTRACT.tables}, REFERENCE)

    rows = contributions(measures)

    assert rows.is_empty()
    assert rows.columns == ["figure_id", *CONTRIBUTION.polars_schema().names(), "reaches"]


@pytest.mark.parametrize("ring", [["A", "A"], ["A", "B", "A"], ["A", "B", "C", "A"]], ids=["itself", "two", "three"])
def test_notices_that_change_each_other_in_a_ring_are_measured(ring: list[str]) -> None:
    notices = [{"notice_id": own, "changed_notice_id": other} for own, other in pairwise(ring)]
    given_rows: Given = {"notice": notices, "lot_result": [{"notice_id": row["notice_id"], "tenders_n": 1} for row in notices]}

    measures = measure(tables(given_rows), REFERENCE)

    assert measures["notice_fact"].height == len(notices)
    assert measures["procedure_result"].height == 1


VERSIONS = {"missing_call_share": 2}
"""Whose meaning has changed: METHOD 37."""


@pytest.mark.parametrize("figure_id", sorted(NOTICE_FIGURES))
def test_definitions_say_what_the_catalogue_needs(figure_id: str) -> None:
    definition = NOTICE_FIGURES[figure_id].definition

    assert definition.version == VERSIONS.get(figure_id, 1)
    for texts in (definition.name, definition.definition, *(definition.variant_names or {}).values()):
        assert set(texts) == {"fi", "sv", "en"}
        assert all(text.strip() for text in texts.values())
    assert set(definition.scopes) <= {"ted", "all_notices"}
    assert definition.numerator
    assert definition.origin
    assert definition.coverage_text
    assert len(definition.variants) == 1 or set(definition.variant_names or {}) == set(definition.variants)
