"""Revision rows from a history written by hand: parts by cause, and what must not be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.flows.history_rows import PLAIN, publish, warehouse
from warehouse import revisions
from warehouse.publication import revision
from warehouse.store import Store

Value = Decimal | None
CAUSES = revisions.CAUSES


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with warehouse(tmp_path / "home") as opened:
        yield opened


def revise(store: Store, number: int, value: Value, *causes: str, **more: Any) -> None:
    """One cell's value as a publication tells it, and why it changed."""
    for cause in causes:
        revisions.note(store, number, cause)
    publish(store, number, [{"value": value, **more}])
    revisions.write(store, number)


def told(store: Store) -> list[tuple[object, ...]]:
    return revisions.told(store).select("publication_no", "cause", "value_before", "value_after", "difference").rows()


def frame(values: Mapping[str, Value] | None, name: str = "value") -> pl.DataFrame:
    """CELL and a value of the cells that have one, or of which it is said that they have none."""
    rows = [
        ({**{key: PLAIN[key] for key in revisions.CELL}, "variant": key, name: value}) for key, value in (values or {}).items()
    ]
    schema = dict.fromkeys(revisions.CELL, pl.String) | {"period_start": pl.Date, name: pl.Decimal(28, 8)}
    return pl.DataFrame(rows, schema=schema)


def test_a_provisional_value_is_not_revised_and_a_final_one_is(store: Store) -> None:
    revise(store, 1, Decimal(1), status="provisional")
    revise(store, 2, Decimal(2), "late")
    revise(store, 3, Decimal(5), "correction")
    assert told(store) == [(3, "correction", 2, 5, 3)]


def test_what_has_no_steps_is_borne_by_the_code_that_changed_not_by_who_delivers(store: Store) -> None:
    publish(store, 1, [{"value": Decimal(1)}])
    for cause in ("code", "correction"):
        revisions.note(store, 2, cause)
        if cause == "code":
            revisions.note_borne(store, {"single_bid_share": "code"}, ["single_bid_share"])
    publish(store, 2, [{"value": Decimal(4)}])
    revisions.write(store, 2)
    assert told(store) == [(2, "code", 1, 4, 3)]
    revise(store, 3, Decimal(5), "correction")
    assert told(store)[1:] == [(3, "correction", 4, 5, 1)], "the next publication has causes of its own"


def test_a_publication_made_again_tells_once(store: Store) -> None:
    revise(store, 1, Decimal(1))
    for value in (2, 3):
        revisions.note(store, 2, "late")
        publish_again(store, Decimal(value))
    assert told(store) == [(2, "late", 1, 3, 2)]
    assert store.scalar("SELECT revision_no FROM figure.history WHERE valid_to_no IS NULL") == 1


def publish_again(store: Store, value: Decimal) -> None:
    """Publication 2, which did not go out the first time."""
    store.con.execute("DELETE FROM ledger.publication WHERE publication_no = 2")
    publish(store, 2, [{"value": value}])
    revisions.write(store, 2)


def test_what_is_suppressed_later_was_never_told(store: Store) -> None:
    revise(store, 1, Decimal(1))
    revise(store, 2, Decimal(2), "late")
    assert len(told(store)) == 1
    revise(store, 3, None, "late", status="suppressed", reason="disclosure")
    assert told(store) == []
    revise(store, 4, Decimal(4), "late")
    assert told(store) == [], "suppressed stays suppressed"


def test_what_is_its_owners_now_is_not_told(store: Store) -> None:
    revise(store, 1, Decimal(1))
    revise(store, 2, Decimal(2), "late")
    store.con.execute("UPDATE figure.history SET is_restricted = true WHERE valid_to_no IS NULL")
    assert told(store) == []


def test_a_new_definition_is_no_revision_to_measure_first_values_by(store: Store) -> None:
    """Published a year and a day ago; the definition changed while the value was provisional."""
    months = [{"period_kind": "month", "period_start": PLAIN["period_start"].replace(month=month)} for month in range(1, 13)]
    for number, values in enumerate(({"version": 1}, {"version": 2, "value": Decimal("0.5")}), start=1):
        publish(store, number, [{**month, "status": "provisional", **values} for month in months])
    store.con.execute("UPDATE ledger.publication SET published_at = published_at - INTERVAL 367 DAY WHERE publication_no = 1")
    store.con.execute("UPDATE ledger.publication SET published_at = published_at - INTERVAL 300 DAY WHERE publication_no = 2")
    publish(store, 3, [{"value": Decimal("0.7")}])
    _, summary = revision.tables(store)
    assert summary.frame.is_empty()
    store.con.execute("UPDATE figure.history SET version = 1")
    _, summary = revision.tables(store)
    assert summary.frame.select("cells_n", "mean_revision").rows() == [(12, Decimal("0.41"))]


VALUES = st.none() | st.integers(-5, 5).map(Decimal)


@given(
    published=st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1),
    causes=st.lists(st.sampled_from(CAUSES), min_size=1, max_size=5),
    data=st.data(),
)
def test_the_parts_of_all_causes_add_up(published: dict[str, Value], causes: Sequence[str], data: st.DataObject) -> None:
    """Whatever causes come in whatever order, as often as they may; None is a cell without a value."""
    states = [data.draw(st.fixed_dictionaries(dict.fromkeys(published, VALUES))) for _ in causes]
    differing = [{key: value for key, value in state.items() if value != published[key]} for state in states]
    steps = [frame(state).with_columns(step_no=pl.lit(number, pl.Int32)) for number, state in enumerate(differing[:-1], start=1)]
    none = frame(None).with_columns(step_no=pl.lit(0, pl.Int32))
    rows = revisions._by_cause(frame(published, "published"), pl.concat([none, *steps]), frame(differing[-1]), causes)
    for key, before in published.items():
        after = states[-1][key]
        of_cell = rows.filter(variant=key)
        assert of_cell["cause"].is_unique().all()
        if before is None or after is None:
            assert of_cell["difference"].is_null().all()
            assert before == after or not of_cell.is_empty()
        else:
            assert (of_cell["difference"].sum() or 0) == after - before
            assert 0 not in of_cell["difference"]
