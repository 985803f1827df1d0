"""kill -9 at every single step that receiving takes in the file system: the delivered bytes are never lost, and the next
run lands them once."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import support
from warehouse.home import Home
from warehouse.landing import Landing

DRIVER = """
import os, signal, sys, json
from datetime import UTC, datetime
from pathlib import Path
from warehouse.home import Home
from warehouse.landing import Intent, Landing

root, path, move, last = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "move", int(sys.argv[4])
home = Home(root)
home.create()
STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "open", "shutil.copyfileobj"}
steps = 0

def step(event, arguments):
    global steps
    if event in STEPS and (event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)

moment = datetime(2025, 1, 1, tzinfo=UTC)
intent = Intent("purchase_invoices", "sample-koela", "a.csv", moment, moment, "receipt")
sys.addaudithook(step)
Landing(home).take(path, intent, move)
print(steps)
"""


def take(home: Path, path: Path, way: str, step: int) -> int | None:
    """Take a file in a process that dies at `step`; the steps of a process that came to its end, else None."""
    words = [sys.executable, "-c", DRIVER, str(home), str(path), way, str(step)]
    done = subprocess.run(words, env=support.environment(), capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return int(done.stdout) if done.returncode == 0 else None


def landed(home: Path) -> list[tuple[str, int]]:
    """(hash of the bytes, receipts) of each landed delivery."""
    Landing(Home(home)).recover()
    found = list(Landing(Home(home)).all())
    for item in found:
        assert hashlib.sha256(item.file.read_bytes()).hexdigest() == item.sha256
        assert json.loads((item.directory / "manifest.json").read_text("utf-8"))["size"] == item.file.stat().st_size
    assert not list((home / "landing" / ".incoming").glob("*"))
    return [(item.sha256, item.receipts_n) for item in found]


@pytest.mark.long
@pytest.mark.parametrize("way", ["move", "copy", "linked"])
def test_receiving_survives_a_kill_at_every_step(tmp_path: Path, way: str) -> None:
    data = b"x;y\n" + b"1;2\n" * 50_000
    digest = hashlib.sha256(data).hexdigest()
    word = "copy" if way == "copy" else "move"
    step, survived = 1, None
    while survived is None:
        home, path = tmp_path / f"home{step}", tmp_path / f"file{step}.csv"
        path.write_bytes(data)
        if way == "linked":
            path.with_suffix(".other").hardlink_to(path)
        survived = take(home, path, word, step)
        found = landed(home)
        assert [sha256 for sha256, _ in found] in ([], [digest]), f"step {step}: something else was landed"
        assert found or path.exists(), f"step {step}: the delivered bytes are lost"
        if path.exists():
            take(home, path, word, 0)
        assert [sha256 for sha256, _ in landed(home)] == [digest]
        step += 1
    assert step > 10
    assert path.exists() is (way == "copy")
