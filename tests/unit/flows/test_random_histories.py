"""Two hundred random histories of a cell: what every past publication told stays known exactly, and every revision has its size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.unit.flows.history_rows import publish, warehouse
from warehouse import revisions
from warehouse.store import Store
from warehouse.withheld import as_published

CELLS, PUBLICATIONS = 200, 8
CAUSES = ("late", "correction", "reference", "definition")
STATUSES = ("final", "final", "provisional", "no_data")


@dataclass(frozen=True)
class Told:
    """What a publication told of a cell; value None: none."""

    value: Decimal | None
    status: str
    revision_no: int


Snapshot = dict[str, Told]


def following(rng: Random, former: Snapshot) -> Snapshot:
    """The next publication: values change or stay, cells go and come back, by the rules in plain words."""
    found: Snapshot = {}
    for number in range(CELLS):
        name = f"cell-{number}"
        before = former.get(name)
        if rng.random() < 0.1:
            continue
        status = rng.choice(STATUSES) if before is None or rng.random() < 0.3 else before.status
        value = None if status == "no_data" else before.value if before and rng.random() < 0.6 else Decimal(rng.randint(-9, 9))
        if status != "no_data" and value is None:
            value = Decimal(0)
        found[name] = Told(value, status, before.revision_no + (value != before.value) if before else 0)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_past_publication_is_known_exactly(tmp_path: Path, seed: int) -> None:
    rng, snapshots = Random(seed), [Snapshot()]
    with warehouse(tmp_path / "home") as store:
        for number in range(1, PUBLICATIONS + 1):
            snapshots.append(following(rng, snapshots[-1]))
            revisions.note(store, number, CAUSES[number % 4])
            rows = [{"variant": name, "value": told.value, "status": told.status} for name, told in snapshots[-1].items()]
            publish(store, number, rows)
            revisions.write(store, number)
        for number in range(1, PUBLICATIONS + 1):
            assert _known(store, number) == snapshots[number]
        told = revisions.told(store).select("publication_no", "variant", "cause", "value_before", "value_after", "difference")
        assert sorted(told.iter_rows()) == sorted(_expected(snapshots))
    assert told.height > CELLS


def _known(store: Store, number: int) -> Snapshot:
    rows = as_published(store, number).select("variant", "value", "status", "revision_no")
    return {variant: Told(value, status, revision) for variant, value, status, revision in rows.iter_rows()}


def _expected(snapshots: list[Snapshot]) -> list[tuple[object, ...]]:
    """Every change of a value after the cell had been final once, from the snapshots alone."""
    found: list[tuple[object, ...]] = []
    once_final: set[str] = set()
    for number, (former, now) in enumerate(pairwise(snapshots), start=1):
        for name in former.keys() | now.keys():
            before, after = (snapshot[name].value if name in snapshot else None for snapshot in (former, now))
            if name in once_final and before != after:
                difference = None if before is None or after is None else after - before
                found.append((number, name, CAUSES[number % 4], before, after, difference))
        once_final |= {name for name, told in now.items() if told.status == "final"}
    return found
