"""Hostile files: none takes more than its reader may, each is refused by name or read for what it is, none stops a night."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows import pipeline
from flows.alerting import REFUSED
from schemas.reference import Reference
from tests.acceptance import many, support
from tests.hostile.inputs import AGENCIES, INPUTS, KINDS, MB, Hostile
from tests.hostile.outcomes import become
from transforms.delivery import Limits
from warehouse.home import Home
from warehouse.publication.wording import REASONS, RULES
from warehouse.store import reading

SLACK_BYTES = 128 * MB
"""What a reader may grow by between two looks."""
DIE = {"text: blank lines"}
"""What no limit foresees: its reader is ended, and the file refused."""
QUICK = ("workbook: cell at A99999999", "workbook: two hundred sheets of one part", "zip: bomb", "text: blank lines", "JSON: nested without end",
         "notices: empty lists", "notice: billion laughs", "Parquet: twenty million nulls", "contacts: half a surrogate", "form: entity of the file system")


def assert_harmless(name: str, hostile: Hostile, root: Path) -> None:
    found = become(hostile, root, Reference.load({"agencies.csv": AGENCIES}), Limits())
    assert found.peak_bytes <= Limits().reader_bytes + SLACK_BYTES, name
    assert found.refused or found.read, f"{name}: neither refused nor read"
    assert set(found.refused) <= {*REASONS, *RULES}, name
    assert "file_not_taken" not in found.refused, f"{name}: nobody foresaw this at the door"
    assert "agency_unknown" not in found.refused, f"{name}: the test's own place"
    assert "source_not_agreed" not in found.refused, f"{name}: the test's own place"
    unforeseen = [text for text in found.texts if text.startswith("cannot be read as")]
    assert not unforeseen, f"{name}: a reader raised what it should have said: {unforeseen}"
    assert ("reader_died" in found.refused) == (name in DIE), f"{name}: {found.texts}"
    if not found.refused:
        assert found.read == found.accepted + found.told, f"{name}: rows are lost"


def test_there_are_enough() -> None:
    assert len(INPUTS) >= 200
    assert set(QUICK) | DIE <= set(INPUTS)


@pytest.mark.parametrize("name", QUICK)
def test_some_are_harmless(name: str, tmp_path: Path) -> None:
    assert_harmless(name, INPUTS[name], tmp_path / "home")


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind, *_ in KINDS])
def test_each_is_harmless(kind: str, tmp_path: Path) -> None:
    for number, (name, hostile) in enumerate(INPUTS.items()):
        if name.startswith(f"{kind}:"):
            assert_harmless(name, hostile, tmp_path / str(number))


POISON = (*QUICK, "workbook: cell at AAAAAAA1", "workbook: two million merged cells", "zip: size that lies", "text: every row broken",
          "JSON: empty objects", "notices: zeros", "notice: twenty megabytes of elements", "notice: address of the network",
          "Parquet: five million rows of one", "Parquet: only its magic")


@pytest.mark.parametrize(
    ("agencies", "months", "notices", "files", "poison"),
    [
        pytest.param(2, 4, 6, 10, POISON[:3], marks=pytest.mark.slow),
        pytest.param(35, 26, 35, 980, POISON, marks=pytest.mark.long),
    ],
)
def test_a_night_loads_what_is_sound_and_tells_of_the_rest(
    tmp_path: Path, agencies: int, months: int, notices: int, files: int, poison: tuple[str, ...]
) -> None:
    home = Home(tmp_path / "home")
    truth = many.write(home.root, agencies=agencies, months=months, notices=notices)
    assert truth.deliveries >= files
    with (home.registry / "agencies.csv").open("a", encoding="utf-8") as register:
        width = (home.registry / "agencies.csv").read_text("utf-8").splitlines()[0].count(",")
        agency, name, sources = AGENCIES.splitlines()[1].split(",")
        register.write(f"{agency},{name},,{sources}{',' * (width - 3)}\n")
    for hostile in (INPUTS[one] for one in poison):
        path = home.inbox / hostile.place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(hostile.data())
    settings = support.settings(home.root)
    run = pipeline.nightly(settings)
    many.check(home.root, truth)
    told = {Path(row["file_name"]).name for row in told_of(home, run)}
    assert told == {Path(INPUTS[one].place).name for one in poison}
    assert not pipeline.nightly(settings).ingested.changed, "what was set apart is not tried again by itself"
    alerts = [item for item in run.alerts if item.kind == REFUSED]
    assert len(alerts) == len(poison)


def told_of(home: Home, run: pipeline.Run) -> list[dict[str, str]]:
    """What was refused at the door or by a reader, each with its reasons."""
    with reading(home) as store:
        assert store
        rows = store.rows("SELECT file_name, reasons FROM ledger.delivery WHERE status = 'refused'")
    assert all(json.loads(row["reasons"]) for row in rows)
    return rows + [{"file_name": item.name} for item in run.received if item.landed is None and item.reasons]
