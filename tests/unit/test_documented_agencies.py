"""Every agency that the documentation names in a command or a place of the inbox exists as shipped, and `hansel` with its sources."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import intents
from flows.walking import Found
from schemas.errors import DeliveryRefused
from schemas.reference import Reference
from transforms.delivery import Limits
from transforms.registry import SOURCES

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"(?:--agency[ =]|inbox/)([a-z][a-z0-9_-]*)\b(?!>)")


def test_agencies_of_the_documentation_exist() -> None:
    shipped = Reference.load().agencies
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
    named = {name for page in pages for name in NAMED.findall(page.read_text("utf-8"))}
    assert named
    assert named - set(shipped) == set()


def test_the_central_purchasing_body_delivers_what_only_it_has() -> None:
    hansel = Reference.load().agencies["hansel"]
    assert set(hansel.sources) <= set(SOURCES)
    assert {"contact_requests", "joint_procurements", "mini_competitions", "satisfaction_surveys"} <= set(hansel.sources)


def test_a_file_of_contacts_is_not_the_one_registered_agencys_unsaid(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("case_id;received_at\nA1;2024-01-02\n", "utf-8")
    at = datetime(2024, 2, 1, tzinfo=UTC)
    with pytest.raises(DeliveryRefused, match="agency not recognised"):
        intents.intent_of(Reference.load(), Found(path, path.name, None, "contact_requests", False), at, Limits())
    told = intents.intent_of(Reference.load(), Found(path, path.name, "hansel", "contact_requests", False), at, Limits())
    assert told.agency == "hansel"
