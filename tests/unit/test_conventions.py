"""Conventions that hold the house together."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import flows
import samples
import schemas
import transforms
import warehouse
from transforms.key_figures import FIGURES, MODULES
from transforms.registry import SOURCES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("package", [flows, samples, schemas, transforms, warehouse])
def test_generic_package_names_are_ours(package: object) -> None:
    """The five names are common words: a dependency must never shadow them."""
    assert Path(str(package.__file__)).is_relative_to(ROOT)  # type: ignore[attr-defined]


def test_every_source_is_named_alike_in_every_room() -> None:
    for slug, source in SOURCES.items():
        assert source.contract.source == slug
        assert (ROOT / "schemas" / f"{slug}.py").is_file()
        assert (ROOT / "transforms" / "sources" / f"{slug}.py").is_file()
        assert (ROOT / "transforms" / "measures" / f"{slug}.py").is_file()


def test_every_key_figure_has_its_page_and_one_definition() -> None:
    ids = [definition.figure_id for module in MODULES for definition in module.DEFINITIONS]

    assert sorted(ids) == sorted(FIGURES)
    assert [name for name in ids if not (ROOT / "docs" / "key-figures" / f"{name}.md").is_file()] == []


def test_definitions_speak_three_languages_and_plain_words() -> None:
    for figure in FIGURES.values():
        definition = figure.definition
        assert set(definition.name) == set(definition.definition) == {"fi", "sv", "en"}
        assert all(len(name.split()) <= 6 for name in definition.name.values()), definition.figure_id
        assert definition.version >= 1


def test_prefect_deploys_what_exists() -> None:
    plan = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))

    for deployment in plan["deployments"]:
        module, name = deployment["entrypoint"].rsplit(".", 1)
        flow = getattr(importlib.import_module(module), name)
        assert set(deployment.get("parameters", {})) <= set(flow.parameters.properties)


def test_nothing_committed_names_a_host_of_packages_or_this_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"/" + r"work/|pypi\." + r"org|files\.python" + r"hosted|registry\.npm" + r"js")
    named = [name for name in tracked if (ROOT / name).is_file() and pattern.search((ROOT / name).read_text("utf-8", "ignore"))]

    assert named == []


@pytest.mark.parametrize("room", ["schemas", "transforms"])
def test_pure_rooms_ask_no_clock_no_environment_and_no_network(room: str) -> None:
    """ARCHITECTURE: the day, the settings and what is delivered are given to them."""
    asked = {"now", "today", "utcnow", "environ", "getenv", "urlopen"}
    found = []
    for path in (ROOT / room).rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found += [
            f"{path.name}: {node.attr}" for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in asked
        ]
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        found += [
            f"{path.name}: {name}" for name in names if name != "urllib.parse" and name.split(".")[0] in ("socket", "urllib", "http", "requests", "time")
        ]
    assert found == []
