"""A generation brought up to date from the former one equals one built from nothing."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows import pipeline, publishing
from flows.settings import Settings
from samples.generate import generate

QUERY = "SELECT * EXCLUDE (revision_no) FROM mart.key_figure ORDER BY ALL"
AS_OF = date(2025, 11, 21)


def rows(home: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str((home / "published" / "nyckeltal.duckdb").resolve()), read_only=True) as con:
        return con.execute(QUERY).fetchall()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    generate(root, "tiny", 1)
    return root


def home_with(sample: Path, root: Path) -> Settings:
    shutil.copytree(sample / "registry", root / "registry")
    return Settings(home=root, settle_seconds=0, as_of=AS_OF)


@pytest.mark.slow
def test_in_portions_equals_all_at_once(sample: Path, tmp_path: Path) -> None:
    settings = home_with(sample, tmp_path / "steps")
    shutil.copytree(sample / "inbox", tmp_path / "inbox")
    files = sorted(
        path for path in (tmp_path / "inbox").rglob("*") if path.is_file() and not path.name.endswith(".manifest.json")
    )
    for number, path in enumerate(files):
        agency, source = path.parent.parent.name, path.parent.name
        pipeline.receive(settings, [path], agency, source)
        if number % 2 and path != files[-1]:
            continue
        run = pipeline.nightly(settings)
        assert run.published is not None
    steps = run.published

    whole = home_with(sample, tmp_path / "whole")
    shutil.copytree(sample / "inbox", whole.home / "inbox")
    once = pipeline.nightly(whole).published

    assert steps is not None
    assert once is not None
    assert steps.publication_no > once.publication_no == 1
    assert steps.fingerprint == once.fingerprint
    assert rows(settings.home) == rows(whole.home)


@pytest.mark.slow
def test_withdrawing_brings_back_the_former_figures(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = home_with(sample, tmp_path / "home")
    shutil.copytree(sample / "inbox", settings.home / "inbox")
    first = pipeline.nightly(settings).published
    before = rows(settings.home)
    landed = next(
        item for item in pipeline.Landing(pipeline.home_of(settings)).all() if item.intent.source == "purchase_invoices"
    )

    pipeline.command(settings, "withdrawn", landed.delivery_id, "test")
    without = pipeline.nightly(settings).published
    path = tmp_path / "again"
    shutil.copyfile(landed.file, path)
    intent = landed.intent
    target = settings.home / "inbox" / intent.agency / intent.source / intent.file_name
    path.rename(target)
    monkeypatch.setattr(publishing, "WHOLE_EVERY", 3)  # the third generation is built from nothing
    back = pipeline.nightly(settings).published

    assert first is not None
    assert without is not None
    assert back is not None
    assert without.fingerprint != first.fingerprint
    assert back.fingerprint == first.fingerprint
    assert rows(settings.home) == before
    assert pipeline.nightly(settings).published == publishing.Published(
        back.publication_no, False, back.cells_n, 0, back.fingerprint
    )
