"""Damage: every kind of it is named by doctor with its cure, no night crashes on it, and what is said to heal it does."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from flows import inspecting, keeping, pipeline
from flows.reporting import Finding
from schemas.errors import ConfigurationError, Damaged, InvariantBroken
from tests.acceptance import damages
from tests.acceptance.damages import (
    ALL,
    DEEP,
    ENDS_3,
    ENDS_5,
    ENDS_7,
    GOES_ON,
    HEALS,
    KINDS,
    MEND,
    NIGHTLY,
    NOTHING,
    ONLY,
    REBUILDS,
    RECEIVE,
    RESTORE,
    SEES_NOTHING,
    UNTIL_READ,
    Kind,
)
from tests.acceptance.support import ROOT, assert_same, fingerprint, ledger, nightly, published, settings
from warehouse.home import Home
from warehouse.landing import Landing

BY_NAME = {kind.name: kind for kind in KINDS}
HEALED_ALWAYS = (
    "manifest cut short",
    "lake file gone",
    "publication cut short",
    "all that is published gone",
    "a byte of the publication other",
)
"""Kinds whose healing the default suite tries; `make test-long` tries all."""
STOPS = {ENDS_3: ConfigurationError, ENDS_5: InvariantBroken, ENDS_7: Damaged}


def silent(_room: str, _size: float) -> None:
    """Nobody watches."""


@pytest.fixture
def whole(request: pytest.FixtureRequest, kind: Kind) -> Path:
    """The home that a kind of damage comes over, before it. Read only."""
    found: Path = request.getfixturevalue(f"{kind.size}_home")
    return found


@pytest.fixture
def harmed(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def wrong(home: Path, deep: bool) -> list[Finding]:
    return [item for item in inspecting.damage(settings(home), deep) if item.severity != "ok"]


def test_the_page_tells_of_every_kind() -> None:
    page = (ROOT / "docs" / "damage.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "`doctor" in line]
    assert rows == [kind.row for kind in KINDS]
    assert len(BY_NAME) == len(KINDS) >= 30


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_doctor_names_the_file_and_the_cure(kind: Kind, harmed: Path) -> None:
    path = kind.harm(harmed)
    told = wrong(harmed, deep=kind.seen == DEEP)
    assert any(path in item.text and kind.says in item.text and ("`nyckeltal" in item.text or ";" in item.text) for item in told), told
    assert all(item.severity == ("warn" if kind.cure == NOTHING else "fail") for item in told)
    if kind.seen == DEEP:
        assert not any(path in item.text for item in wrong(harmed, deep=False))


@pytest.mark.parametrize("kind", [BY_NAME[name] for name in HEALED_ALWAYS], ids=lambda kind: kind.name)
def test_what_is_said_to_heal_heals(kind: Kind, harmed: Path, whole: Path, tmp_path: Path) -> None:
    _is_healed(kind, harmed, whole, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name not in HEALED_ALWAYS], ids=lambda kind: kind.name)
def test_what_is_said_to_heal_heals_each_kind(kind: Kind, harmed: Path, whole: Path, tmp_path: Path) -> None:
    _is_healed(kind, harmed, whole, tmp_path)


def _is_healed(kind: Kind, home: Path, whole: Path, tmp_path: Path) -> None:
    """Do the damage, let a night go over it, cure it; then nothing is wrong and every figure is as it was."""
    keeping.back_up(settings(whole), tmp_path / "backup", silent)
    path = kind.harm(home)
    _night(kind, home, path)
    if kind.cure in (RESTORE, ALL):
        if kind.cure == RESTORE and kind.harm != damages.older_warehouse:  # its journal is as old as it, in this test
            pipeline.rebuild(settings(home))
            assert_same(home, whole)
        keeping.restore(settings(tmp_path / "restored"), tmp_path / "backup", silent)
        home = tmp_path / "restored"
        assert "damaged" not in str(nightly(home).damaged)
    elif kind.cure == ONLY:
        place = path if path.startswith("landing/") else f"registry/{path}"
        assert keeping.put_back(settings(home), tmp_path / "backup", place) == [place]
        nightly(home)
    elif kind.cure == RECEIVE:
        _receive_again(home, whole, path, tmp_path)
        nightly(home)
    elif kind.cure == MEND:
        assert path in [item.path for item in pipeline.mend(settings(home)).damaged if item.is_healed]
    assert [item for item in wrong(home, deep=True) if item.severity == "fail"] == []
    assert_same(home, whole)


def _night(kind: Kind, home: Path, path: str) -> None:
    if kind.night in STOPS:
        with pytest.raises(STOPS[kind.night], match=path if kind.night != ENDS_5 else "conservation"):
            nightly(home)
        return
    if kind.night == UNTIL_READ:
        with suppress(Damaged):
            nightly(home)
        return
    run = nightly(home)
    told = {item.path: item.is_healed for item in run.damaged}
    if kind.night in (SEES_NOTHING, REBUILDS):
        assert told == {}
    else:
        assert told[path] is (kind.night == HEALS)
        assert kind.night != GOES_ON or path in [alert.subject for alert in run.alerts if alert.kind == "home.damaged"]
    if kind.night == HEALS and path.startswith("published/"):
        assert run.published is not None
        assert run.published.is_new is False
        assert published(home, "SELECT publication_no FROM meta.publication").item() == 1
    assert fingerprint(home) == ledger(home, "SELECT fingerprint FROM ledger.publication ORDER BY publication_no DESC LIMIT 1").item()
    assert kind.cure != NIGHTLY or kind.night in (HEALS, REBUILDS)


def _receive_again(home: Path, whole: Path, path: str, tmp_path: Path) -> None:
    """The file that a damaged delivery came as."""
    digits = path.split("/")[3] if path.startswith("landing/") else path.split("/")[4].split("-", maxsplit=1)[0]
    landed = next(item for item in Landing(Home(whole)).all() if digits in (item.sha256, item.delivery_id))
    file = tmp_path / landed.intent.file_name
    shutil.copyfile(landed.file, file)
    (received,) = pipeline.receive(settings(home), [file], landed.intent.agency, landed.intent.source)
    assert received.landed
    assert received.landed.delivery_id == landed.delivery_id


@pytest.mark.long
def test_rows_lost_for_good_fall_out_of_force_when_they_must_be_measured_anew(home: Path) -> None:
    damages.lake_file_and_original(home)
    before = fingerprint(home)
    nightly(home)
    assert fingerprint(home) == before
    register = home / "registry" / "agencies.csv"
    register.write_text(register.read_text("utf-8").replace("Koelan kaupunki", "Koelan kunta"), "utf-8")
    run = nightly(home)
    assert "delivery.refused" in [alert.kind for alert in run.alerts]
    assert fingerprint(home) != before
    assert "rows_lost" in ledger(home, "SELECT reasons FROM ledger.delivery WHERE status = 'refused'").item()


def test_a_broken_file_of_the_journal_is_named_and_comes_back_from_a_backup(home: Path, tmp_path: Path) -> None:
    path = home / "journal" / "000001.zip"
    whole = path.read_bytes()
    keeping.back_up(settings(home), tmp_path / "backup", silent)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert [item.text for item in wrong(home, deep=True) if "journal/000001.zip cannot be read" in item.text]
    assert keeping.put_back(settings(home), tmp_path / "backup", "journal") == ["journal/000001.zip"]
    assert path.read_bytes() == whole


def test_recompute_from_a_lake_that_is_not_whole_changes_nothing(home: Path) -> None:
    path = damages.garbled(home, damages.lake_file(home))
    before = fingerprint(home)
    with pytest.raises(Damaged, match=path):
        pipeline.recompute(settings(home), from_lake=True)
    assert fingerprint(home) == before
