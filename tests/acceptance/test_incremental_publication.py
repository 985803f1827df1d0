"""A generation brought up to date from the former one equals one built from nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from flows import pipeline, publishing
from tests.acceptance import support

QUERY = "SELECT * EXCLUDE (revision_no) FROM mart.key_figure ORDER BY ALL"


def rows(home: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str((home / "published" / "nyckeltal.duckdb").resolve()), read_only=True) as con:
        return con.execute(QUERY).fetchall()


@pytest.mark.long
def test_in_portions_equals_all_at_once(tiny_sample: Path, tiny_home: Path, tmp_path: Path) -> None:
    settings = support.settings(support.empty_home(tiny_sample, tmp_path / "steps"))
    shutil.copytree(tiny_sample / "inbox", tmp_path / "inbox")
    files = sorted(
        path for path in (tmp_path / "inbox").rglob("*") if path.is_file() and not path.name.endswith(".manifest.json")
    )
    for number, path in enumerate(files):
        agency, source = path.parent.parent.name, path.parent.name
        pipeline.receive(settings, [path], agency, source)
        if number % 4 and path != files[-1]:
            continue
        run = pipeline.nightly(settings)
        assert run.published is not None
    steps = run.published

    assert steps is not None
    assert steps.publication_no > 1
    assert steps.fingerprint == support.fingerprint(tiny_home)
    assert rows(settings.home) == rows(tiny_home)


@pytest.mark.long
def test_withdrawing_brings_back_the_former_figures(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = support.settings(home)
    first, before = support.fingerprint(home), rows(home)
    landed = next(
        item for item in pipeline.Landing(pipeline.home_of(settings)).all() if item.intent.source == "purchase_invoices"
    )

    pipeline.command(settings, "withdrawn", landed.delivery_id, "test")
    without = pipeline.nightly(settings).published
    path = tmp_path / "again"
    shutil.copyfile(landed.file, path)
    intent = landed.intent
    target = home / "inbox" / intent.agency / intent.source / intent.file_name
    path.rename(target)
    monkeypatch.setattr(publishing, "WHOLE_EVERY", 3)  # the third generation is built from nothing
    back = pipeline.nightly(settings).published

    assert without is not None
    assert back is not None
    assert without.fingerprint != first
    assert back.fingerprint == first
    assert rows(home) == before
    assert pipeline.nightly(settings).published == publishing.Published(
        back.publication_no, False, back.cells_n, 0, back.fingerprint
    )
