"""Notice figures against independent plain SQL over the same accepted tables, month by month and scope by scope."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from schemas.reference import Reference
from tests.unit.transforms.notice_random import random_notices
from tests.unit.transforms.notice_sql import BASE, QUERIES
from transforms.key_figures import FIGURES
from transforms.key_figures.parameters import Parameters
from transforms.measures.procurement_notices import measure

COLUMNS = ("figure_id", "variant", "breakdown_id", "month", "is_ted", "numerator", "denominator")
KEYS = ["figure_id", "variant", "breakdown_id", "scope", "month"]
SEEDS = (1, 2, 3)
FIGURE_IDS = sorted(
    {query.split("'")[1] for query in QUERIES if query.startswith("SELECT")}
    | {"innovative_share", "innovative_value_share", "employment_clause_share", "green_share"}
)


FEED = "agency,name,sources,frame_from\nhilma,Hilma,procurement_notices,2022-01-01\n"


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed{seed}")
def both(request: pytest.FixtureRequest) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sums by figure, variant, breakdown, scope and month: from SQL, and from our contributions."""
    tables = random_notices(request.param, 400)
    with duckdb.connect() as con:
        for name, frame in tables.items():
            con.register(f"{name}_frame", frame)
            con.execute(f"CREATE TABLE {name} AS FROM {name}_frame")
        con.execute(BASE)
        facts = con.execute(
            f"SELECT * FROM ({' UNION ALL '.join(f'({query})' for query in QUERIES)}) t({', '.join(COLUMNS)})"
        ).pl()
    scopes = pl.concat(
        [facts.filter("is_ted").with_columns(scope=pl.lit("ted")), facts.with_columns(scope=pl.lit("all_notices"))]
    )
    measures = measure(tables, Reference.load({"agencies.csv": FEED}))
    modules = {FIGURES[figure_id].module.__name__: FIGURES[figure_id].module for figure_id in FIGURE_IDS}
    ours = pl.concat([module.compute(measures, Parameters()) for module in modules.values()])
    return summed(scopes), summed(ours)


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    sums = rows.group_by(KEYS).agg(pl.col("numerator", "denominator").sum().cast(pl.Int64))
    return sums.filter((pl.col("numerator") != 0) | (pl.col("denominator") != 0)).sort(KEYS)


@pytest.mark.parametrize("figure_id", FIGURE_IDS)
def test_equals_plain_sql(both: tuple[pl.DataFrame, pl.DataFrame], figure_id: str) -> None:
    theirs, ours = (frame.filter(pl.col("figure_id") == figure_id) for frame in both)
    series = theirs.select("figure_id", "variant", "breakdown_id").unique()
    ours = ours.join(series, on=["figure_id", "variant", "breakdown_id"], how="semi").sort(KEYS)

    assert theirs.height > 10, "the random notices do not touch the figure"
    differing = theirs.join(ours, on=KEYS, how="full", coalesce=True, suffix="_ours").filter(
        ~pl.col("numerator").eq_missing(pl.col("numerator_ours")) | ~pl.col("denominator").eq_missing(pl.col("denominator_ours"))
    )
    assert differing.is_empty(), differing
