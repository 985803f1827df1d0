"""The files under deploy/ and prefect.yaml: valid for the programs that read them, and of one mind with the code."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.service import GUARDED

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
EXAMPLE = ROOT / "deploy" / "systemd" / "nyckeltal.env.example"
ONLY_IN_UP = {"PYTHONSAFEPATH", "PREFECT_CLI_COLORS", "PREFECT_LOGGING_COLORS", "PREFECT_RUNNER_POLL_FREQUENCY"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = unit.read_text("utf-8").replace("/opt/nyckeltal/.venv/bin/nyckeltal ", "/bin/true ")
    (tmp_path / unit.name).write_text(text.replace("/opt/nyckeltal/.venv/bin/prefect ", "/bin/true "), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", tmp_path / unit.name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr


def test_units_are_hardened_and_capped() -> None:
    assert len(UNITS) == 4
    for unit in UNITS:
        lines = unit.read_text("utf-8").splitlines()
        assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "IPAddressDeny=any"} <= set(lines), unit.name
        assert any(line.startswith("MemoryMax=") for line in lines), unit.name


def test_the_example_environment_is_what_up_sets() -> None:
    lines = [line for line in EXAMPLE.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    assert {name: values.get(name) for name in GUARDED if name not in ONLY_IN_UP} == {
        name: value for name, value in GUARDED.items() if name not in ONLY_IN_UP
    }


def test_every_deployment_is_one_at_a_time_tagged_and_described() -> None:
    found = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    names = [item["name"] for item in found["deployments"]]
    assert names == ["ingest", "refresh", "nightly", "sweep", "backfill"]
    for item in found["deployments"]:
        assert item["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert "nyckeltal" in item["tags"]
        assert item["description"]
        assert item["entrypoint"] == f"flows.orchestration.{item['name']}"
    assert set(found["definitions"]["work_pools"]) == {"process", "docker", "kubernetes"}


def test_automations_name_events_that_are_emitted() -> None:
    """An alert on an event that nobody emits would be silent for ever."""
    found = yaml.safe_load((ROOT / "deploy" / "automations.yaml").read_text("utf-8"))["automations"]
    code = "".join(path.read_text("utf-8") for path in (ROOT / "flows").glob("*.py"))
    expected = {name for item in found for name in item["trigger"]["expect"] if name.startswith("nyckeltal.")}
    assert len(expected) == 7
    for name in expected:
        assert name in code or f'"{name.removeprefix("nyckeltal.")}"' in code, name
