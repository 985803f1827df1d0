"""What a plan tells of cells: values only of those that no publication withholds, restricted ones never."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.flows.history_rows import publish, warehouse
from warehouse import planned, revisions
from warehouse.store import Store

ONE, TWO = Decimal(1), Decimal(2)
Row = dict[str, Any]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Store]:
    with warehouse(tmp_path / "home") as store:
        yield store


def hidden(name: str) -> Row:
    return {"variant": name, "status": "suppressed", "value": None, "reason": "disclosure"}


def test_cells_that_come_go_and_change(opened: Store) -> None:
    former: list[Row] = [{"variant": name, "value": ONE} for name in ("stays", "value", "light", "goes", "status")]
    former[-1]["status"] = "provisional"
    publish(opened, 1, former)
    revisions.note(opened, 2, revisions.LATE)
    publish(opened, 2, [
        {"variant": "stays", "value": ONE},
        {"variant": "value", "value": TWO},
        {"variant": "light", "value": ONE, "light": "red"},
        {"variant": "status", "value": ONE},
        {"variant": "comes", "value": TWO},
    ])  # fmt: skip
    found = planned.cells(opened, 2).select("variant", "change", "status_before", "status", "value_before", "value")
    assert set(found.iter_rows()) == {
        ("value", "value", "final", "final", ONE, TWO),
        ("light", "other", "final", "final", ONE, ONE),
        ("status", "status", "provisional", "final", ONE, ONE),
        ("goes", "closed", "final", None, ONE, None),
        ("comes", "new", None, "final", None, TWO),
    }
    causes = planned.causes(opened, 2).select("variant", "cause", "difference")
    assert set(causes.iter_rows()) == {("value", "late", ONE), ("goes", "late", None)}


@pytest.mark.parametrize("turn", ["was", "becomes", "once was"])
def test_of_a_withheld_cell_no_value_is_told(opened: Store, turn: str) -> None:
    first = [hidden("secret")] if turn in ("was", "once was") else [{"variant": "secret", "value": ONE}]
    publish(opened, 1, first)
    if turn == "once was":
        publish(opened, 2, [{"variant": "secret", "value": ONE}])
    number = 3 if turn == "once was" else 2
    revisions.note(opened, number, revisions.CORRECTION)
    publish(opened, number, [hidden("secret")] if turn == "becomes" else [{"variant": "secret", "value": TWO}])
    found = planned.cells(opened, number).select("change", "status_before", "status", "value_before", "value")
    told = {
        "was": [("status", "suppressed", "final", None, None)],
        "becomes": [("status", "final", "suppressed", None, None)],
        "once was": [],
    }
    assert found.rows() == told[turn]
    assert planned.causes(opened, number).is_empty()


def test_what_is_its_owners_is_not_told_of(opened: Store) -> None:
    publish(opened, 1, [{"variant": name, "value": ONE} for name in ("own", "closes")])
    opened.con.execute("UPDATE figure.history SET is_restricted = variant = 'own'")
    revisions.note(opened, 2, revisions.LATE)
    publish(opened, 2, [{"variant": name, "value": TWO} for name in ("own", "closes", "new")])
    opened.con.execute("UPDATE figure.history SET is_restricted = variant IN ('own', 'closes', 'new') WHERE valid_from_no = 2")
    found = planned.cells(opened, 2).select("variant", "change", "status", "value_before", "value")
    assert found.rows() == [("closes", "closed", None, None, None)]
    assert planned.causes(opened, 2).is_empty()
