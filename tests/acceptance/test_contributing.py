"""One more source and one more figure by the steps of CONTRIBUTING.md alone, in a copy of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import support

PACKAGES = ("flows", "transforms", "schemas", "warehouse", "samples", "docs")
FILES = ("pyproject.toml", "prefect.yaml", "deploy")

CONTRACT = '''"""Audits of suppliers, one row per organisation and year."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract
from schemas.forms import column, form, labels, organisation, year

AUDIT = form(
    "audit",
    labels("Auditoinnit", "Revisioner", "Audits"),
    "Audits of suppliers in a year.",
    columns=(
        *organisation(),
        year(),
        column("audits_n", pl.Int64, "Auditointeja", "Antal revisioner", "Audits", required=True, minimum=0),
        column("passed_n", pl.Int64, "Hyväksyttyjä", "Godkända", "Passed", required=True, minimum=0),
    ),
    key=("organisation_id", "year"),
    unit=("organisation_id", "year"),
)
CONTRACT = Contract(
    "supplier_audits", "1.0", "keyed", labels("Toimittaja-auditoinnit", "Leverantörsrevisioner", "Supplier audits"), "Audits.", (AUDIT,)
)
'''
CLEANING = '''"""Audits of suppliers: the form as it stands."""

from schemas.supplier_audits import CONTRACT
from transforms.sources.forms import Form

FORM = Form(CONTRACT)
'''
MEASURES = '''"""Measures of audits: one row per organisation and year, in January."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.reference import Reference

YEAR = Table(
    "audit_year",
    "Audits by year.",
    (
        Column("organisation_id", pl.String, "Organisation.", required=True),
        Column("month", pl.Date, "January of the year.", required=True),
        Column("audits_n", pl.Int64, "Audits.", required=True),
        Column("passed_n", pl.Int64, "Passed.", required=True),
    ),
)
MEASURES = (YEAR,)


def measure(tables: Mapping[str, pl.DataFrame], _reference: Reference) -> dict[str, pl.DataFrame]:
    """MEASURES from the rows that count."""
    rows = tables["audit"].with_columns(month=pl.date("year", 1, 1))
    return {"audit_year": rows.select(YEAR.polars_schema().names())}
'''
FIGURE = '''"""Share of audits that suppliers pass."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.key_figures.facts import contributions, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters

DEFINITIONS = (
    form_figure(
        "audits_passed_share",
        "supplier_audits",
        ("Hyväksytyt auditoinnit", "Godkända revisioner", "Audits passed"),
        ("Hyväksytyt / kaikki.", "Godkända / alla.", "Passed / all."),
        period_kinds=YEAR_ONLY,
        numerator="Audits passed.",
        denominator="Audits.",
        origin="A test.",
        coverage_text="Every return: 1.",
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions from `audit_year`."""
    return stacked([contributions(measures["audit_year"], "audits_passed_share", pl.col("passed_n"), pl.col("audits_n"), n=pl.col("audits_n"))])
'''
DELIVERY = """Organisaation Y-tunnus;Vuosi;Auditointeja;Hyväksyttyjä
0101263-6;2024;8;6
0201256-6;2024;4;3
"""


def _insert(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for before, after in changes:
        assert text.count(before) == 1, f"{path.name}: {before!r} stands there {text.count(before)} times"
        text = text.replace(before, after)
    path.write_text(text, "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository with one more source and one more figure."""
    root = tmp_path / "copy"
    for name in (*PACKAGES, *FILES):
        source = support.ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            root.mkdir(exist_ok=True)
            shutil.copy(source, root / name)
    (root / "schemas" / "supplier_audits.py").write_text(CONTRACT, "utf-8")
    (root / "transforms" / "sources" / "supplier_audits.py").write_text(CLEANING, "utf-8")
    (root / "transforms" / "measures" / "supplier_audits.py").write_text(MEASURES, "utf-8")
    _insert(
        root / "transforms" / "registry.py",
        ("SOURCES: dict[str, Source] = {\n", ENTRY),
    )
    (root / "transforms" / "key_figures" / "audits.py").write_text(FIGURE, "utf-8")
    _insert(
        root / "transforms" / "key_figures" / "__init__.py",
        (
            "MODULES: tuple[ModuleType, ...] = (",
            "from transforms.key_figures import audits\n\nMODULES: tuple[ModuleType, ...] = (audits, ",
        ),
    )
    for register, row in DATA_ROWS.items():
        path = root / "schemas" / "catalogue" / register
        with path.open("a", encoding="utf-8") as handle:
            handle.write(row + "\n")
    return root


ENTRY = """from transforms.measures import supplier_audits as audit_measures
from transforms.sources import supplier_audits

SOURCES: dict[str, Source] = {
    "supplier_audits": supplier_audits.FORM.source(TableMeasures(audit_measures.MEASURES, audit_measures.measure)),
"""
DATA_ROWS = {
    "disclosure.csv": "supplier_audits,,,P0,,,,,,,,,,,,,Counts of audits.",
    "strategy_map.csv": "audits_passed_share,,,,context,",
}
"""Register of schemas/catalogue -> the row that the steps ask for."""


def _run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_source_and_a_figure_by_the_steps(copy: Path, tmp_path: Path) -> None:
    stale = _run(copy, "docs/generate.py", "--check")
    assert stale.returncode != 0
    assert "audits_passed_share" in stale.stdout + stale.stderr
    assert _run(copy, "docs/generate.py").returncode == 0
    assert _run(copy, "docs/generate.py", "--check").returncode == 0

    home = tmp_path / "home"
    command = ("-c", "import sys; from flows.cli import main; sys.argv[0] = 'nyckeltal'; main()", "--home", str(home))
    (home / "registry").mkdir(parents=True)
    (home / "registry" / "agencies.csv").write_text("agency,name,sources\nauditor,Auditor,supplier_audits\n", "utf-8")
    file = tmp_path / "a.csv"
    file.write_text(DELIVERY, "utf-8")
    received = _run(copy, *command, "receive", str(file), "--agency", "auditor")
    assert received.returncode == 0, received.stdout + received.stderr
    assert "auditor/supplier_audits" in received.stdout  # recognised by its headings
    night = _run(copy, *command, "nightly")
    assert night.returncode == 0, night.stderr
    found = support.published(
        home,
        "SELECT level_id, numerator::INT, denominator::INT, value FROM mart.key_figure "
        "WHERE figure_id = 'audits_passed_share' AND level IN ('national', 'organisation') ORDER BY ALL",
    )
    assert [(place, top, bottom) for place, top, bottom, _ in found.rows()] == [
        ("0101263-6", 6, 8),
        ("0201256-6", 3, 4),
        ("FI", 9, 12),
    ]
    assert (
        support.published(home, "SELECT name_sv FROM mart.figure WHERE figure_id = 'audits_passed_share'").item()
        == "Godkända revisioner"
    )
