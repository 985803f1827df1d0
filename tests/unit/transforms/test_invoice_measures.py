"""Invoice measures against plain loops over the same lines."""

from __future__ import annotations

import random
from collections.abc import Iterable

import polars as pl
import pytest

from schemas.errors import ConfigurationError
from schemas.reference import Reference
from tests.unit.transforms import invoice_lines as lines
from transforms.measures import purchase_invoices as measures

KEY = ["agency", "organisation_id", "period", "has_date"]


@pytest.fixture(scope="module", params=[1, 2])
def world(request: pytest.FixtureRequest) -> list[lines.Line]:
    return lines.lines(request.param)


def groups(world: Iterable[lines.Line], *more: str) -> dict[tuple[object, ...], list[lines.Line]]:
    found: dict[tuple[object, ...], list[lines.Line]] = {}
    for line in world:
        key = (line.agency, line.organisation, line.month, line.dated, *(getattr(line, name) for name in more))
        found.setdefault(key, []).append(line)
    return found


def test_spend_month_is_what_loops_say(world: list[lines.Line]) -> None:
    got = {
        tuple(row[name] for name in KEY): row
        for row in lines.read(lines.warehouse(lines.frame(world)), "FROM spend_month").to_dicts()
    }
    expected = groups(world)
    assert got.keys() == expected.keys()
    for key, found in expected.items():
        row, net = got[key], [line for line in found if line.cents is not None]
        buys = lines.bought(found)

        def cents(chosen: Iterable[lines.Line]) -> int:
            return sum(line.cents or 0 for line in chosen)

        assert row["net_cents"] == cents(buys)
        assert row["public_cents"] == cents(line for line in buys if line.is_public)
        assert row["masked_cents"] == cents(line for line in buys if line.kind == "masked")
        assert row["no_id_cents"] == cents(line for line in buys if line.kind == "no_id")
        assert row["private_trader_cents"] == cents(line for line in buys if line.kind == "private_trader")
        assert row["other_cents"] == cents(line for line in net if line.is_procurement is False)
        assert row["unknown_cents"] == cents(line for line in net if line.is_procurement is None)
        assert row["known_absolute_cents"] == sum(abs(line.cents or 0) for line in net if line.is_procurement is not None)
        assert row["unknown_absolute_cents"] == sum(abs(line.cents or 0) for line in net if line.is_procurement is None)
        assert row["net_cents"] + row["other_cents"] + row["unknown_cents"] == cents(net)
        assert row["lines"] == len(found)
        assert row["procurement_lines"] == len(buys) == sum(row[f"{kind}_lines"] for kind in measures.SUPPLIER_KINDS)
        assert row["foreign_id_lines"] == sum(line.kind == "foreign_id" for line in buys)
        assert row["public_lines"] == sum(line.is_public for line in buys)
        assert row["case_lines"] == sum(line.case is not None for line in buys)
        assert row["has_case_id"] == any(line.case for line in found)
        assert row["has_supplier_id"] == any(line.supplier for line in found)
        assert row["is_gross"] == (len(net) < len(found))
        assert row["gross_cents"] == 124 * (len(found) - len(net))
        assert row["organisation_name"] == f"Nimi {key[1]}"


def test_supplier_month_holds_suppliers_with_an_id_that_are_no_public_bodies(world: list[lines.Line]) -> None:
    rows = lines.read(lines.warehouse(lines.frame(world)), "FROM supplier_month")
    got = {
        (*(row[name] for name in KEY), row["category"] or None, row["supplier_id"]): (row["net_cents"], row["lines"])
        for row in rows.to_dicts()
    }
    chosen = [line for line in lines.bought(world) if line.supplier and not line.is_public]
    expected = groups(chosen, "category", "supplier")
    assert got == {key: (sum(line.cents or 0 for line in found), len(found)) for key, found in expected.items()}
    assert any("0988084-1" in key for key in got), "a public body of other months is a supplier in this one"


def test_case_month_adds_up_the_lines_of_an_invoice(world: list[lines.Line]) -> None:
    rows = lines.read(lines.warehouse(lines.frame(world)), "FROM case_month")
    got = {(*(row[name] for name in KEY), row["case_id"]): (row["net_cents"], row["lines"]) for row in rows.to_dicts()}
    expected = groups([line for line in lines.bought(world) if line.case], "case")
    assert got == {key: (sum(line.cents or 0 for line in found), len(found)) for key, found in expected.items()}


def test_order_of_lines_does_not_matter(world: list[lines.Line]) -> None:
    shuffled = list(world)
    random.Random(9).shuffle(shuffled)
    for table in measures.MEASURES:
        names = [column.name for column in table.columns]
        one, other = (
            lines.read(lines.warehouse(lines.frame(order)), f"SELECT {', '.join(names)} FROM {table.name} ORDER BY ALL")
            for order in (world, shuffled)
        )
        assert one.equals(other)
        assert one.cast(dict(table.polars_schema())).schema == table.polars_schema()


def test_measures_of_slices_add_up_to_measures_of_all(world: list[lines.Line]) -> None:
    """Slice by slice is how the warehouse measures; it must not matter which slices come together."""
    whole = lines.read(
        lines.warehouse(lines.frame(world)),
        "SELECT * EXCLUDE (branch_code, branch_name, sector_name) FROM spend_month ORDER BY ALL",
    )
    parts = [
        lines.read(
            lines.warehouse(lines.frame([line for line in world if line.month.month % 3 == rest])),
            "SELECT * EXCLUDE (branch_code, branch_name, sector_name) FROM spend_month",
        )
        for rest in range(3)
    ]
    assert pl.concat(parts).sort(pl.all()).equals(whole.sort(pl.all()))


def test_no_lines_give_no_measures() -> None:
    con = lines.warehouse(lines.frame([]))
    assert all(lines.read(con, f"FROM {table.name}").is_empty() for table in measures.MEASURES)


def test_relations_of_the_shipped_registers() -> None:
    found = measures.relations(Reference.load())
    assert found["account_class"]["is_procurement"].dtype == pl.Boolean
    assert found["account_class"].null_count().sum_horizontal().item() == 0
    assert found["public_body"].null_count().sum_horizontal().item() == 0
    helsinki = found["agency_own"].filter(pl.col("agency") == "helsinki")
    assert helsinki["organisation_id"].to_list() == ["0201256-6"]
    gross = found["agency_format"].filter(pl.col("amount_basis") == "gross")
    assert gross["agency"].to_list() == ["porvoo"]


def test_spans_of_one_public_body_never_overlap() -> None:
    """A line must meet a public body once: two registers may name the same id."""
    header = "business_id,name,kind,valid_from,valid_to,note\n"
    rows = "1234567-1,X,city,2020-01-01,2021-12-31,\n1234567-1,X,city,2021-06-01,,\n7654321-2,Y,city,,2019-12-31,\n7654321-2,Y,city,2021-01-01,,\n"
    found = measures.relations(Reference.load({"public_bodies.csv": header + rows}))["public_body"]
    spans = found.filter(pl.col("business_id").is_in(["1234567-1", "7654321-2"])).rows()
    assert [(row[0], row[1].isoformat(), row[2].isoformat()) for row in spans] == [
        ("1234567-1", "2020-01-01", "9999-12-31"),
        ("7654321-2", "0001-01-01", "2019-12-31"),
        ("7654321-2", "2021-01-01", "9999-12-31"),
    ]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "accounts.csv",
            "chart,account_prefix,is_procurement,name,valid_from,valid_to,confirmed,note\nx,4,maybe,N,2000-01-01,,no,\n",
            "maybe",
        ),
        (
            "accounts.csv",
            "chart,account_prefix,is_procurement,name,valid_from,valid_to,confirmed,note\nx,4,yes,N,1.1.2000,,no,\n",
            "1.1.2000",
        ),
        ("public_bodies.csv", "business_id,name,kind,valid_from,valid_to,note\n1,X,city,,2020-13-01,\n", "2020-13-01"),
    ],
)
def test_wrong_registers_are_named(file: str, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=file) as caught:
        measures.relations(Reference.load({file: text}))
    assert said in str(caught.value)
