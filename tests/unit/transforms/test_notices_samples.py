"""The real samples, where they are at hand: none crashes, the invalid ones are refused by their rule, the page is current."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_notices", ROOT / "docs" / "generate_notices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_notices"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    module = generator()
    if not module.folder().is_dir():
        pytest.skip("the shared samples are not at hand (NYCKELTAL_SHARED)")
    return module


def test_every_sample_is_read_and_the_invalid_ones_are_refused_by_their_rule(pages: ModuleType) -> None:
    found = {outcome.file: outcome for outcome in pages.outcomes(pages.folder())}

    assert len(found) == 102
    refused = {name: outcome.remarks for name, outcome in found.items() if not outcome.is_accepted}
    assert refused.keys() == pages.EXPECTED.keys()
    for name, (rule, _) in pages.EXPECTED.items():
        assert rule in refused[name]
    # Counted by hand in the files themselves.
    assert found["2024-OJS198-00612681.xml"].counts == (25, 0, 0)
    assert found["can_24_LSBU.xml"].bids == 12
    assert found["can_25_withheld.xml"].bids is None
    assert found["104324-2022.xml"].counts == (1, 1, 2)


def test_the_page_is_current(pages: ModuleType) -> None:
    assert pages.PAGE.read_text("utf-8") == pages.render(pages.outcomes(pages.folder())), "run docs/generate_notices.py"


def test_every_notice_of_hilmas_own_json_is_taken(pages: ModuleType) -> None:
    found = pages.outcomes(pages.hilma_folder(), pages.HILMA)

    assert len(found) == 13  # in ten files: HILMA_JSON.md
    assert all(outcome.is_accepted for outcome in found)
    assert pages.HILMA_PAGE.read_text("utf-8") == pages.render(found), "run docs/generate_notices.py"


def test_no_finnish_buyer_of_the_older_schema_is_without_a_sector(pages: ModuleType) -> None:
    old = [o for o in pages.outcomes(pages.folder(), "ted-r209-fi/*.xml") if o.sector != pages.ABROAD]

    assert len(old) == 53
    assert [o.file for o in old if o.sector == "unknown"] == []
