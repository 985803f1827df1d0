"""Disclosure control in a home: the open file holds no cell of a single organisation that is its own, owners' files hold theirs
alone, and what is told is what was computed."""

from __future__ import annotations

import errno
import shutil
import stat
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest

from flows import pipeline
from schemas.errors import StorageFailed
from schemas.key_figure import KEY_FIGURE
from tests.acceptance import support
from tests.acceptance.disclosed import before_withholding, classes
from tests.acceptance.support import ledger, published, query
from transforms.disclosure.protect import HIDDEN
from transforms.disclosure.rules import protected
from transforms.key_figures import DEFINITIONS
from warehouse.publication import generations

pytestmark = pytest.mark.slow
CELL = [*KEY_FIGURE.primary_key]


def restricted(home: Path) -> dict[str, pl.DataFrame]:
    """The cells of every owner's file."""
    files = sorted((home / "published" / "restricted").glob("*/nyckeltal.duckdb"))
    return {unquote(path.parent.name): query(path, "FROM mart.key_figure") for path in files}


def test_the_open_file_holds_no_cell_that_is_its_owners(demo_home: Path) -> None:
    found = classes(demo_home)
    owned = [(figure_id, variant) for (figure_id, variant), rule in found.items() if rule.is_owned]
    assert owned
    pairs = pl.DataFrame(owned, schema=["figure_id", "variant"], orient="row")
    rows = published(demo_home, "SELECT figure_id, variant, level FROM mart.key_figure").join(pairs, on=["figure_id", "variant"])
    assert rows.height
    assert rows.filter(pl.col("level").is_in(["organisation", "group", "branch", "region"])).is_empty()


def test_the_open_file_names_no_owner_that_nothing_else_tells_of(demo_home: Path) -> None:
    unnamed = "SELECT level_id FROM mart.level ANTI JOIN mart.key_figure USING (level, level_id)"
    assert published(demo_home, unnamed).is_empty()


def test_protected_figures_are_told_at_listed_places_only(demo_home: Path) -> None:
    found = classes(demo_home)
    rows = published(demo_home, "SELECT DISTINCT figure_id, variant, level, period_kind FROM mart.key_figure WHERE panel = 'all'")
    for figure_id, variant, level, kind in rows.filter(pl.col("figure_id").is_in(protected(found))).iter_rows():
        rule = found[figure_id, variant]
        if rule.levels:
            assert level in rule.levels
            assert kind in (rule.period_kinds if level == "national" else rule.period_kinds[:1])


def test_what_is_told_is_what_was_computed_and_the_rest_tells_nothing(demo_home: Path) -> None:
    ids = list(protected(classes(demo_home)))
    told = published(demo_home, "SELECT * FROM mart.key_figure WHERE list_contains(?, figure_id)", [ids])
    computed = before_withholding(demo_home)
    both = told.join(computed, on=CELL, how="left", suffix="_computed", validate="1:1")
    hidden, shown = both.filter(status="suppressed"), both.filter(pl.col("status") != "suppressed")
    assert hidden.height > 100
    assert shown.height > 100
    assert hidden.select(HIDDEN).null_count().row(0) == (hidden.height,) * len(HIDDEN)
    assert set(hidden["light"]) == set(hidden["trend"]) == {"none"}
    for name in ("value", "numerator", "denominator", "n", "status", "reason"):
        assert shown[name].equals(shown[f"{name}_computed"], check_names=False), name


def test_owners_files_hold_their_own_cells_whole_and_nobody_elses(demo_home: Path) -> None:
    files = restricted(demo_home)
    assert len(files) > 5
    found = classes(demo_home)
    owned = {figure_id for (figure_id, _), rule in found.items() if rule.is_owned}
    computed = before_withholding(demo_home).filter(pl.col("level") == "organisation", pl.col("figure_id").is_in(owned))
    assert set(files) == set(computed["level_id"])
    for owner, rows in files.items():
        assert set(rows["level_id"]) == {owner}
        assert set(rows["level"]) == {"organisation"}
        own = computed.filter(level_id=owner).select(*CELL, "value", "numerator", "denominator", "n")
        assert rows.select(own.columns).sort(CELL).equals(own.sort(CELL))


def test_owners_files_explain_themselves_and_are_readable_by_their_owner_only(demo_home: Path) -> None:
    top = demo_home / "published" / "restricted"
    assert stat.S_IMODE(top.stat().st_mode) == 0o700
    for path in top.glob("*/nyckeltal.duckdb"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        unexplained = "SELECT figure_id FROM mart.key_figure ANTI JOIN mart.figure USING (figure_id)"
        assert query(path, unexplained).is_empty()
        assert query(path, "SELECT DISTINCT level_id FROM mart.level")["level_id"].to_list() == [unquote(path.parent.name)]
        assert query(path, "SELECT fingerprint FROM meta.publication")["fingerprint"].item() == support.fingerprint(demo_home)


@pytest.mark.long
def test_a_withdrawn_return_takes_its_owners_file_with_it(
    demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before the open file stands without it, too: the disk is full while that one is built."""
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, symlinks=True)
    before = restricted(home)
    goals = ledger(
        home,
        "SELECT delivery_id FROM ledger.delivery WHERE source IN ('strategic_goals', 'contact_requests', 'strategy_followup', 'mini_competitions') "
        "ORDER BY source = 'strategic_goals', delivery_id",
    )
    *most, last = goals["delivery_id"]
    for delivery_id in most:
        pipeline.command(support.settings(home), "withdrawn", delivery_id, "")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(generations, "build", full)
        with pytest.raises(StorageFailed):
            support.nightly(home)
    written = home / "published" / "restricted" / ".building"
    assert list(written.glob("*/*.duckdb"))
    shutil.rmtree(written)
    assert {owner: frame.rows() for owner, frame in restricted(home).items()} == {
        owner: frame.rows() for owner, frame in before.items()
    }

    pipeline.command(support.settings(home), "withdrawn", last, "")
    support.nightly(home)
    assert before
    assert restricted(home) == {}
    assert not list((home / "published" / "restricted").glob("*"))
    sources = ("strategic_goals", "contact_requests", "strategy_followup", "mini_competitions")
    owned = [figure_id for (figure_id, _), rule in classes(home).items() if rule.is_owned]
    assert {DEFINITIONS[figure_id].sources[0] for figure_id in owned} <= set(sources)
    left = published(
        home, "SELECT figure_id, level, status, reason FROM mart.key_figure WHERE list_contains(?, figure_id)", [owned]
    )
    assert sorted(left["figure_id"]) == sorted(set(owned))
    # what was withheld of that year once stays withheld, though nobody delivers it any more
    assert set(left.drop("figure_id").rows()) <= {
        ("national", "no_data", "no_delivery"),
        ("national", "suppressed", "disclosure"),
    }


def test_what_was_withheld_stays_withheld_after_everything_is_computed_again(demo_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home, home, symlinks=True)
    hidden = (
        "SELECT figure_id, variant, breakdown_id, level, level_id, period_start FROM mart.key_figure WHERE status = 'suppressed'"
    )
    before = published(home, hidden)
    assert before.height
    support.nightly(home)
    assert published(home, hidden).sort(pl.all()).equals(before.sort(pl.all()))
