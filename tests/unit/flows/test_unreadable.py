"""What nyckeltal's user may not read stops nobody else's deliveries: it stays where it is, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.acceptance import support

PROGRAM = """
import json, os, sys
from flows import pipeline
from flows.settings import Settings
pipeline.land(Settings(home=sys.argv[2], settle_seconds=0))  # imports everything: the interpreter may not be for everybody
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = pipeline.land(Settings(home=sys.argv[1], settle_seconds=0))
print(json.dumps([[item.name, item.landed is not None, [reason.code for reason in item.reasons]] for item in found]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_files_and_folders_of_others_are_passed_over(tmp_path: Path) -> None:
    home = support.sample(tmp_path / "home")
    open_ones = {str(path.relative_to(home / "inbox")) for path in support.delivered_files(home)}
    inbox = home / "inbox" / "sample-koela" / "purchase_invoices"
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == 0 and str(place).startswith(tempfile.gettempdir() + os.sep):
            place.chmod(0o755)
    for path in [home, *home.rglob("*")]:
        os.chown(path, 65534, 65534)
    closed = inbox / "a-closed.csv"
    closed.write_text("secret", "utf-8")
    closed.chmod(0o600)
    folder = home / "inbox" / "aaa-closed"
    folder.mkdir(mode=0o700)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), str(support.sample(tmp_path / "warm"))],
        env=support.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {name: (landed, codes) for name, landed, codes in json.loads(done.stdout.splitlines()[-1])}
    assert found.pop("sample-koela/purchase_invoices/a-closed.csv") == (False, ["file_not_permitted"])
    assert found.keys() == open_ones
    assert all(landed for landed, _ in found.values())
    assert closed.read_text("utf-8") == "secret"
