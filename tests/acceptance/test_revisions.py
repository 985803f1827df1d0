"""Revisions (METHOD 30): what changed after it had been final, told by cause, and the parts add up to the whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from flows import code_marks, ingesting, pipeline, stepping
from samples.generate import generate
from schemas.errors import StorageFailed
from tests.acceptance import support
from tests.acceptance.buyers import BUYERS, MUNICIPALITY, Buyer, deliver, registers
from transforms.key_figures import DEFINITIONS, spend

pytestmark = pytest.mark.slow
DAY = date(2025, 7, 1)
ALKU, BETONI, LATE = (BUYERS[key] for key in ("alku", "betoni", "viides"))
CORRECTED = replace(ALKU, euros=ALKU.euros + 37)
Row = tuple[object, ...]


@pytest.fixture(scope="module")
def published_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two municipalities' invoices of 2022 and 2023, published when both years are final; a third may deliver. Never changed."""
    home = tmp_path_factory.mktemp("revisions") / "home"
    registers(home, [ALKU, BETONI, LATE])
    for year in (2022, 2023):
        deliver(home, ALKU, year)
        deliver(home, BETONI, year)
    support.nightly(home, as_of=DAY)
    return home


@pytest.fixture
def home(published_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(published_home, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def correct(home: Path, buyer: Buyer = CORRECTED) -> None:
    deliver(home, buyer, 2023, produced=datetime(2025, 3, 1, tzinfo=UTC))


def rows(home: Path, level_id: str = "FI", figure: str = "spend_total", year: int = 2023) -> list[Row]:
    """publication_no, cause, difference, value_before, value_after of a year."""
    sql = (
        "SELECT publication_no, cause, difference, value_before, value_after FROM mart.revision "
        "WHERE figure_id = ? AND level_id = ? AND period_kind = 'year' AND period_start = ? ORDER BY ALL"
    )
    return support.published(home, sql, [figure, level_id, date(year, 1, 1)]).rows()


BEFORE_2022 = ALKU.year(2022) + BETONI.year(2022)
BEFORE = ALKU.year(2023) + BETONI.year(2023)
PARTS = {"correction": CORRECTED.year(2023) - ALKU.year(2023), "late": LATE.year(2023)}
AFTER = BEFORE + sum(PARTS.values())


def test_a_first_publication_revises_nothing(home: Path) -> None:
    assert support.published(home, "FROM mart.revision").is_empty()


@pytest.mark.parametrize(("cause", "buyer"), [("correction", CORRECTED), ("late", LATE)])
def test_one_cause_is_the_whole_difference(home: Path, cause: str, buyer: Buyer) -> None:
    deliver(home, buyer, 2023, produced=datetime(2025, 3, 1, tzinfo=UTC))
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, cause, PARTS[cause], BEFORE, BEFORE + PARTS[cause])]
    assert rows(home, year=2022) == []


def test_a_correction_and_a_late_delivery_of_one_night_are_told_apart(home: Path) -> None:
    correct(home)
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, cause, part, BEFORE, AFTER) for cause, part in sorted(PARTS.items())]


def test_a_file_that_corrects_one_year_and_adds_another_is_both(home: Path) -> None:
    """A delivery of 2023 anew that holds 2024 too."""
    more = replace(CORRECTED, years=range(2023, 2025))
    deliver(home, more, 2023, through=2024, produced=datetime(2025, 3, 1, tzinfo=UTC))
    support.nightly(home, as_of=DAY)
    whole = BEFORE + PARTS["correction"]
    assert rows(home) == [(2, "correction", PARTS["correction"], BEFORE, whole)]
    assert rows(home, year=2024) == [], "what was not there before is no revision"


@pytest.mark.parametrize("order", [("late", "correction"), ("correction", "late")])
def test_loads_that_wait_for_one_refresh_are_told_apart(home: Path, order: tuple[str, str]) -> None:
    """As events do it: two loads, one after the other, before anything is computed."""
    settings = support.settings(home, as_of=DAY)
    for cause in order:
        if cause == "late":
            deliver(home, LATE, 2023)
        else:
            correct(home)
        pipeline.land(settings)
        pipeline.load(settings)
    pipeline.refresh(settings)
    assert rows(home) == [(2, cause, part, BEFORE, AFTER) for cause, part in sorted(PARTS.items())]


def test_a_load_that_fails_leaves_no_step_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    correct(home)
    deliver(home, LATE, 2023)

    def fail(*_: object) -> None:
        raise StorageFailed("full")

    with monkeypatch.context() as broken:
        broken.setattr(ingesting, "measure", fail)
        with pytest.raises(StorageFailed):
            support.nightly(home, as_of=DAY)
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, cause, part, BEFORE, AFTER) for cause, part in sorted(PARTS.items())]


def test_what_is_withdrawn_is_a_correction(home: Path) -> None:
    sql = "SELECT delivery_id FROM ledger.delivery WHERE agency = 'alku' AND file_name LIKE '%2023%'"
    pipeline.command(support.settings(home), "withdrawn", support.ledger(home, sql).item(), "wrong")
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, "correction", -ALKU.year(2023), BEFORE, BETONI.year(2023))]
    gone = (2, "correction", None, ALKU.year(2023), None)
    assert rows(home, "alku") == [gone]
    correct(home)
    support.nightly(home, as_of=DAY)
    assert rows(home, "alku") == [gone, (3, "late", None, None, CORRECTED.year(2023))], "it had no value in between"


def _moved_to_another_sector(home: Path) -> None:
    path = home / "registry" / "organisations.csv"
    path.write_text(path.read_text("utf-8").replace("Alku,,,municipality", "Alku,,,joint_authority"), "utf-8")


def test_registers_come_before_data(home: Path) -> None:
    _moved_to_another_sector(home)
    correct(home)
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, cause, part, BEFORE, AFTER) for cause, part in sorted(PARTS.items())]
    after = BETONI.year(2023) + LATE.year(2023)
    assert rows(home, MUNICIPALITY) == [
        (2, "late", LATE.year(2023), BEFORE, after),
        (2, "reference", -ALKU.year(2023), BEFORE, after),
    ]


def test_what_waits_to_be_published_is_told_by_the_registers_it_came_under(home: Path) -> None:
    settings = support.settings(home, as_of=DAY)
    deliver(home, LATE, 2023)
    pipeline.land(settings)
    pipeline.load(settings)
    _moved_to_another_sector(home)
    pipeline.refresh(settings)
    after = BETONI.year(2023) + LATE.year(2023)
    assert rows(home, MUNICIPALITY) == [
        (2, "late", LATE.year(2023), BEFORE, after),
        (2, "reference", -ALKU.year(2023), BEFORE, after),
    ]


def test_registers_that_change_nothing_are_no_cause_of_what_comes_later(home: Path) -> None:
    path = home / "registry" / "organisations.csv"
    path.write_text(path.read_text("utf-8").replace("Betoni,,,municipality,,,,,,", "Betoni,,,municipality,,,,,,a note"), "utf-8")
    support.nightly(home, as_of=DAY)
    assert support.published(home, "SELECT publication_no FROM meta.publication").item() == 1
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, "late", PARTS["late"], BEFORE, BEFORE + PARTS["late"])]


def test_no_delivery_waits_for_a_step_that_cannot_be_worked_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TypeError("a defect")

    monkeypatch.setattr(stepping, "look_ahead", fail)
    correct(home)
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    assert rows(home) == [(2, "correction", sum(PARTS.values()), BEFORE, AFTER)], "told as one"


def _other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that counts spend twice, known by another mark of its block."""
    plain = spend.compute
    monkeypatch.setattr(spend, "compute", lambda *given: plain(*given).with_columns(pl.col("numerator") * 2))
    marks = code_marks.worked_out()
    other = replace(marks, blocks={**marks.blocks, "spend": "other"})
    monkeypatch.setattr(code_marks, "of", lambda _store, keeps=True: other)


def test_code_comes_before_registers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that counts spend twice, with another register and a late delivery, in one night."""
    _other_code(monkeypatch)
    _moved_to_another_sector(home)
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    after = 2 * (BETONI.year(2023) + LATE.year(2023))
    assert rows(home, MUNICIPALITY) == [
        (2, "code", BEFORE, BEFORE, after),
        (2, "late", 2 * LATE.year(2023), BEFORE, after),
        (2, "reference", -2 * ALKU.year(2023), BEFORE, after),
    ]


def test_every_cell_gets_the_cause_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that counts spend twice and raises the version of one figure, and a correction, in one night."""
    _other_code(monkeypatch)
    monkeypatch.setitem(DEFINITIONS, "spend_total", replace(DEFINITIONS["spend_total"], version=2))
    correct(home)
    support.nightly(home, as_of=DAY)
    after, part = 2 * (BEFORE + PARTS["correction"]), 2 * PARTS["correction"]
    assert rows(home) == [(2, "correction", part, BEFORE, after), (2, "definition", BEFORE, BEFORE, after)]
    assert rows(home, figure="spend_market") == [(2, "code", BEFORE, BEFORE, after), (2, "correction", part, BEFORE, after)]
    versions = "SELECT DISTINCT version FROM mart.key_figure WHERE figure_id = 'spend_total' AND panel = 'all'"
    assert support.published(home, versions)["version"].to_list() == [2], "of all years"


def test_what_was_loaded_before_the_code_changed_is_not_blamed_for_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction waits for its refresh when the product changes: former code cannot be run, so the code bears it all; what comes
    after that has its own difference."""
    settings = support.settings(home, as_of=DAY)
    correct(home)
    pipeline.land(settings)
    pipeline.load(settings)
    _other_code(monkeypatch)
    deliver(home, LATE, 2023)
    support.nightly(home, as_of=DAY)
    corrected = 2 * (BEFORE + PARTS["correction"])
    assert rows(home) == [
        (2, "code", corrected - BEFORE, BEFORE, corrected + 2 * LATE.year(2023)),
        (2, "late", 2 * LATE.year(2023), BEFORE, corrected + 2 * LATE.year(2023)),
    ]
    assert rows(home, year=2022) == [(2, "code", BEFORE_2022, BEFORE_2022, 2 * BEFORE_2022)]


def test_what_is_provisional_is_not_revised(home: Path) -> None:
    """Before 30 June of the next year the year 2024 is provisional: it changes, and that is no revision."""
    day = date(2025, 5, 1)
    for euros in (1000, 2000):
        deliver(home, replace(BETONI, euros=euros), 2024, produced=datetime(2025, 1, 1 + euros // 1000, tzinfo=UTC))
        support.nightly(home, as_of=day)
    sql = (
        "SELECT revision_no, status FROM mart.key_figure WHERE figure_id = 'spend_total' AND level_id = 'FI' "
        "AND period_kind = 'year' AND panel = 'all' AND period_start = ?"
    )
    assert support.published(home, sql, [date(2024, 1, 1)]).rows() == [(1, "provisional")]
    assert rows(home, year=2024) == []


@pytest.mark.long
def test_all_parts_add_up_and_join_what_two_publications_said(tmp_path: Path) -> None:
    """Over every figure of the tiny sample: notices corrected and added, an invoice file corrected, another added."""
    sample = tmp_path / "sample"
    generate(sample, "tiny")
    files = support.delivered_files(sample)
    later = [path for path in files if path.name in ("hilma_2024_tasmennykset_01.json", "hilma_2023_01.json", "th_data_2023.csv")]
    assert len(later) == 3
    home = support.empty_home(sample, tmp_path / "home")
    support.deliver([path for path in files if path not in later], sample, home)
    support.nightly(home)
    before = _values(home)
    support.deliver(later, sample, home)
    koela = home / "inbox" / "sample-koela" / "purchase_invoices" / "koela_ostolaskut_2024.csv"
    koela.parent.mkdir(parents=True, exist_ok=True)
    koela.write_bytes(b"".join((sample / koela.relative_to(home)).read_bytes().splitlines(keepends=True)[:-6]))
    manifest = {"produced_at": "2026-01-01T00:00:00+00:00", "coverage_from": "2024-01-01", "coverage_to": "2024-12-31"}
    koela.with_name(f"{koela.name}.manifest.json").write_text(json.dumps(manifest), "utf-8")
    support.nightly(home)

    told = support.published(home, "FROM mart.revision")
    assert set(told["cause"]) == {"correction", "late"}
    cell = [name for name in before.columns if name != "value"]
    sums = told.group_by(cell, maintain_order=True).agg(
        pl.col("difference").sum(), pl.col("value_before", "value_after").first(), several=pl.len() > 1
    )
    assert sums["several"].any(), "some cells have two causes"
    both = sums.drop_nulls(["value_before", "value_after"])
    assert both.filter(pl.col("difference") != pl.col("value_after") - pl.col("value_before")).is_empty()
    for values, column in ((before, "value_before"), (_values(home), "value_after")):
        joined = sums.join(values, on=cell, how="left")
        assert joined.filter(pl.col(column).ne_missing(pl.col("value"))).is_empty()


def _values(home: Path) -> pl.DataFrame:
    names = "figure_id, variant, scope, panel, level, level_id, breakdown_kind, breakdown_id, period_kind, period_start"
    return support.published(home, f"SELECT {names}, value FROM mart.key_figure")


@pytest.mark.long
def test_first_values_against_those_of_a_year_later(tmp_path: Path) -> None:
    """A month after the first publication, the months of 2023 become 37 EUR more and those of 2022 20 EUR less; what comes more
    than a year later does not count."""
    home = tmp_path / "home"
    registers(home, [ALKU, BETONI, LATE])
    for buyer, year in ((ALKU, 2022), (BETONI, 2022), (ALKU, 2023), (BETONI, 2023)):
        deliver(home, buyer, year)

    def publish(at: datetime) -> list[Row]:
        pipeline.nightly(support.settings(home, as_of=DAY), at=at)
        sql = (
            "SELECT period_kind, cells_n, mean_revision, mean_absolute_revision FROM mart.revision_summary "
            "WHERE figure_id = 'spend_total' AND period_kind IN ('month', 'year') ORDER BY ALL"
        )
        return support.published(home, sql).rows()

    assert publish(datetime(2025, 7, 1, tzinfo=UTC)) == []
    correct(home)
    deliver(home, replace(BETONI, euros=BETONI.euros - 20), 2022, produced=datetime(2025, 3, 1, tzinfo=UTC))
    assert publish(datetime(2025, 8, 1, tzinfo=UTC)) == []
    deliver(home, LATE, 2022)
    assert publish(datetime(2026, 7, 2, tzinfo=UTC)) == [
        ("month", 24, Decimal("8.5"), Decimal("28.5")),
        ("year", 2, None, None),
    ]
