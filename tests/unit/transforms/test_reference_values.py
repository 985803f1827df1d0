"""Published figures of others: the shipped register can be read, agrees with itself and the catalogue, and is compared exactly."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.key_figures import DEFINITIONS
from transforms.reference_values import reference_values
from warehouse.publication.reference_values import table

REFERENCE = Reference.load()
SHIPPED = reference_values(REFERENCE, DEFINITIONS)
COLUMNS = REFERENCE.table("catalogue/reference_values.csv").columns
ROW = {
    "reference_id": "x", "what": "X", "figure_id": "appeals_n", "scope": "all", "level": "national", "level_id": "FI", "period": "2021",
    "value": "1", "unit": "count", "precision": "exact", "tolerance": "0", "kind": "display", "matches": "yes", "source": "S",
}  # fmt: skip


def own(**changes: str) -> pl.DataFrame:
    """The register with one row more, as an overlay brings it."""
    row = {**ROW, **changes}
    text = ",".join(COLUMNS) + "\n" + ",".join(row.get(name, "") for name in COLUMNS) + "\n"
    return reference_values(Reference.load({"catalogue/reference_values.csv": text}), DEFINITIONS).filter(reference_id="x")


def test_every_named_figure_exists() -> None:
    assert set(SHIPPED["figure_id"].drop_nulls()) <= set(DEFINITIONS)
    assert SHIPPED["reference_id"].n_unique() == SHIPPED.height
    assert SHIPPED["source"].null_count() == 0
    assert SHIPPED.filter(~pl.col("is_comparable"), pl.col("figure_id").is_not_null())["note"].null_count() == 0


def test_the_fourteen_categories_of_a_year_sum_to_the_published_total_within_a_thousand_euros() -> None:
    volume = SHIPPED.filter(figure_id="joint_procurement_spend", kind="test").with_columns(year=pl.col("period_start").dt.year())
    parts: dict[int, list[Decimal]] = defaultdict(list)
    totals = {}
    for row in volume.iter_rows(named=True):
        if row["breakdown_id"]:
            parts[row["year"]].append(row["value"])
        else:
            totals[row["year"]] = row["value"]
    assert sorted(parts) == sorted(totals) == list(range(2018, 2024))
    for year, values in parts.items():
        assert len(values) == 14
        assert abs(sum(values) - totals[year]) <= 1000, year
    assert totals[2023] == 1_592_670_000


def test_only_what_originals_must_give_is_a_test() -> None:
    """METHOD 10: volumes by category; everything else is shown only."""
    assert set(SHIPPED.filter(kind="test")["figure_id"]) == {"joint_procurement_spend"}


def test_sources_that_differ_are_both_listed() -> None:
    share = SHIPPED.filter(figure_id="csat_share_ge_350").filter(pl.col("period_start").dt.year() == 2021)
    assert sorted(share["value"].to_list()) == [Decimal("0.84"), Decimal("0.85")]
    assert share["source"].n_unique() == 2
    innovative = SHIPPED.filter(figure_id="innovative_share").filter(pl.col("period_start").dt.year() == 2020)
    assert sorted(innovative.select("variant", pl.col("value").cast(pl.Float64)).rows()) == [
        ("either", 0.47),
        ("new_to_buyer", 0.45),
        ("new_to_market", 0.05),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"period": "2021-13"}, "period '2021-13'"),
        ({"period": "spring"}, "period 'spring'"),
        ({"value": "much"}, "value 'much'"),
        ({"tolerance": "some"}, "tolerance 'some'"),
        ({"precision": "nearly"}, "precision 'nearly'"),
        ({"kind": "proof"}, "kind 'proof'"),
        ({"matches": ""}, "matches None"),
        ({"figure_id": "nothing_n"}, "'nothing_n' is no figure"),
        ({"unit": "share"}, "unit 'share'"),
        ({"scope": "ted"}, "scope 'ted'"),
        ({"variant": "own"}, "variant 'own'"),
        ({"level": "eu"}, "level 'eu'"),
        ({"period": ""}, "period_kind None"),
    ],
)
def test_a_row_that_cannot_be_read_or_compared_is_named(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"catalogue/reference_values.csv, row \d+") as caught:
        own(**changes)
    assert said in str(caught.value)


def test_a_figure_that_nobody_computes_may_stand_alone() -> None:
    row = own(figure_id="", scope="", matches="no", unit="eur", period="").row(0, named=True)
    assert (row["figure_id"], row["period_start"], row["is_comparable"]) == (None, None, False)


@pytest.mark.parametrize(
    ("computed", "tolerance", "difference", "is_within"),
    [
        ("0.845", "0.005", "-0.005", True),
        ("0.8449999", "0.005", "-0.0050001", False),
        ("0.855", "0.005", "0.005", True),
        ("0.86", "", "0.01", None),
        (None, "0.005", None, None),
    ],
)
def test_values_agree_up_to_their_tolerance_and_not_beyond(
    computed: str | None, tolerance: str, difference: str | None, is_within: bool | None
) -> None:
    values = own(value="0.85", unit="share", figure_id="single_bid_share", scope="ted", tolerance=tolerance)
    found = pl.DataFrame(
        {
            "reference_id": ["x"],
            "computed_value": [None if computed is None else Decimal(computed)],
            "computed_status": ["final"],
            "computed_coverage": [Decimal(1)],
        },
        schema={
            "reference_id": pl.String, "computed_value": pl.Decimal(38, 8), "computed_status": pl.String,
            "computed_coverage": pl.Decimal(9, 6),
        },
    )  # fmt: skip
    row = table(values, found).frame.row(0, named=True)
    assert row["difference"] == (None if difference is None else Decimal(difference))
    assert row["is_within"] is is_within
