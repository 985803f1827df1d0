"""One hostile file never stops the others: it is refused or left, with a reason, and everything else is loaded."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import pipeline, receiving, reporting
from flows.settings import Settings
from tests.unit.flows.inbox_files import put
from transforms.registry import SOURCES
from warehouse import landing, refused
from warehouse.home import Home
from warehouse.landing import Landing

CSV = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;12,50\n"
HOURS = 60


def good(settings: Settings) -> None:
    """A sound delivery that comes after all others by name."""
    put(settings, "kaarina/purchase_invoices/zz_2024.csv", CSV.encode())


def landed_and_loaded(settings: Settings) -> pipeline.Run:
    """A night without the publication."""
    received = pipeline.land(settings)
    run = pipeline.load(settings)
    run.received = received
    return run


def outcomes(run: pipeline.Run) -> dict[str, list[str]]:
    return {item.name.rsplit("/", 1)[-1]: [reason.code for reason in item.reasons] for item in run.received}


def bent_lzma() -> bytes:
    """A zip whose LZMA stream has another byte in its middle."""
    buffer = io.BytesIO()
    text = random.Random(1).randbytes(3000).hex()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.csv", text)
    data = bytearray(buffer.getvalue())
    data[200:240] = bytes(40)
    return bytes(data)


def test_a_bent_lzma_zip_is_refused(settings: Settings) -> None:
    put(settings, "kaarina/purchase_invoices/a.zip", bent_lzma())
    good(settings)
    run = pipeline.nightly(settings)
    assert outcomes(run) == {"a.zip": ["zip_broken"], "zz_2024.csv": []}
    assert len(run.ingested.loaded) == 1


def test_folders_nested_beyond_recursion(settings: Settings) -> None:
    good(settings)
    before = Path.cwd()
    os.chdir(settings.home / "inbox")
    try:
        for _ in range(1100):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.csv").write_text("", "utf-8")
    finally:
        os.chdir(before)
    try:
        run = landed_and_loaded(settings)
    finally:
        subprocess.run(["rm", "-r", str(settings.home / "inbox" / "d")], check=True)  # pytest would recurse
    assert outcomes(run) == {"a.csv": ["source_unknown"], "zz_2024.csv": []}
    assert len(run.ingested.loaded) == 1


PROGRAM = """
import json, os, sys
from flows import pipeline
from flows.settings import Settings
pipeline.land(Settings(home=sys.argv[2], settle_seconds=0))  # imports everything: the interpreter may not be for everybody
os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = pipeline.land(Settings(home=sys.argv[1], settle_seconds=float(sys.argv[3])))
print(json.dumps([[item.name, item.landed is not None, [reason.code for reason in item.reasons]] for item in found]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize("settle", ["0", "0.05"])
def test_a_folder_that_may_be_listed_and_not_searched(settings: Settings, tmp_path: Path, settle: str) -> None:
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == 0 and len(place.parts) > 2:
            place.chmod(0o755)
    put(settings, "aaa/purchase_invoices/x.csv", b"secret")
    good(settings)
    for path in [settings.home, *settings.home.rglob("*")]:
        os.chown(path, 65534, 65534)
    (settings.home / "inbox/aaa/purchase_invoices").chmod(0o444)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(settings.home), str(tmp_path / "warm"), settle],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
    )
    assert done.returncode == 0, done.stderr
    found = {name: landed for name, landed, _ in json.loads(done.stdout.splitlines()[-1])}
    assert found["kaarina/purchase_invoices/zz_2024.csv"]


def across_devices(home: Path) -> Callable[..., Path]:
    """Path.rename as it is where the inbox is a mount of its own."""
    rename = Path.rename

    def across(self: Path, target: Path) -> Path:
        if (home / "inbox" in self.parents) != (home / "inbox" in Path(target).parents):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(self, target)

    return across


def test_an_inbox_on_another_file_system(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = put(settings, "kaarina/purchase_invoices/a.csv")
    empty.with_name("a.csv.manifest.json").write_text("{}", "utf-8")
    link = empty.with_name("b.csv")
    link.symlink_to(settings.home / "nowhere")
    pipe = empty.with_name("c.csv")
    os.mkfifo(pipe)
    good(settings)
    monkeypatch.setattr(Path, "rename", across_devices(settings.home))
    run = landed_and_loaded(settings)
    assert outcomes(run) == {"a.csv": ["file_empty"], "b.csv": ["not_a_file"], "c.csv": ["not_a_file"], "zz_2024.csv": []}
    assert len(run.ingested.loaded) == 1
    assert pipe.exists()
    assert not empty.exists()
    assert not link.is_symlink()
    assert {row["file_name"] for row in refused.at_the_door(pipeline.home_of(settings))} == {"a.csv", "b.csv"}
    assert len(list((settings.home / "refused").glob("*/delivered/a.csv.manifest.json"))) == 1


def test_a_reader_that_fails_on_a_file_does_not_recognise_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    put(settings, "a.csv", b"poison")
    good(settings)

    def fail(path: Path) -> int:
        raise KeyError(path.name)

    for name, source in SOURCES.items():
        monkeypatch.setitem(SOURCES, name, dataclasses.replace(source, recognise=fail))
    run = landed_and_loaded(settings)
    assert outcomes(run) == {"a.csv": ["source_unknown"], "zz_2024.csv": []}
    assert len(run.ingested.loaded) == 1


def test_what_nobody_foresaw_leaves_the_file_and_takes_the_others(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(settings, "kaarina/purchase_invoices/a.csv", b"poison")
    good(settings)
    take = Landing.take

    def fail(self: Landing, path: Path, *arguments: object) -> object:
        if path.name == "a.csv":
            raise RuntimeError
        return take(self, path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Landing, "take", fail)
    run = landed_and_loaded(settings)
    assert outcomes(run) == {"a.csv": ["file_not_taken"], "zz_2024.csv": []}
    assert len(run.ingested.loaded) == 1
    assert path.read_bytes() == b"poison"


def test_what_has_landed_is_loaded_even_when_landing_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    put(settings, "kaarina/purchase_invoices/aa_2023.csv", CSV.replace("2024", "2023").encode())
    pipeline.land(settings)
    good(settings)

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Landing, "take", full)
    with pytest.raises(OSError, match="No space"):
        pipeline.nightly(settings)
    monkeypatch.undo()
    assert {row["file_name"]: row["status"] for row in reporting.status(settings)} == {"aa_2023.csv": "loaded"}


def test_a_manifest_of_odd_values_is_refused(settings: Settings) -> None:
    """Each of these once raised what nobody caught."""
    for number, manifest in enumerate(
        [{"source": ["x"]}, {"source": {}, "agency": 5}, {"produced_at": "0001-01-01T00:00:00+14:00"}, {"part": "\ud800"}]
    ):
        path = put(settings, f"a{number}_2024.csv", CSV.encode())
        path.with_name(f"{path.name}.manifest.json").write_text(json.dumps(manifest), "utf-8")
    run = landed_and_loaded(settings)
    told = outcomes(run)
    assert told["a0_2024.csv"] == ["source_unknown"]
    assert told["a2_2024.csv"] == ["manifest_invalid"]
    assert "file_not_taken" not in {code for codes in told.values() for code in codes}


# ---- files with the names of our receipts

NAMES = ("x.refused.json", "x.refused.txt", "receipt.json", "receipt.txt", "delivered", "x.csv.refused.json")


CONTENTS = (b"[1]", b"{}", b'{"file": 1}', b'{"file": "a", "reasons": [1]}', b"1", b'{"reasons": 5}', b"\xff")


def test_refused_files_that_bear_a_receipts_name(settings: Settings) -> None:
    for number, data in enumerate(CONTENTS):
        for name in NAMES:
            put(settings, f"nobody{number}/purchase_invoices/{name}", data)
    good(settings)
    run = landed_and_loaded(settings)
    assert len(run.ingested.loaded) == 1
    rows = [row for row in reporting.status(settings) if row["status"] == "refused"]
    assert sorted(row["file_name"] for row in rows) == sorted(NAMES * len(CONTENTS))
    assert all("agencies.csv" in row["why"] for row in rows)
    alerts = [alert for alert in run.alerts if alert.kind == "delivery.refused"]
    assert len(alerts) == len(rows)
    assert all(alert.data["reasons"] == ["agency_unknown"] for alert in alerts)


def test_pipes_and_links_that_bear_a_receipts_name(settings: Settings, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"file": "canary/a/b", "reasons": []}', "utf-8")
    place = settings.home / "inbox" / "nobody"
    place.mkdir(parents=True)
    os.mkfifo(place / "x.refused.json")
    (place / "y.refused.json").symlink_to(secret)
    good(settings)
    run = landed_and_loaded(settings)
    assert outcomes(run) == {"x.refused.json": ["not_a_file"], "y.refused.json": ["not_a_file"], "zz_2024.csv": []}
    assert "canary" not in str(reporting.status(settings)) + str([alert.data for alert in run.alerts])


def test_what_a_former_version_refused_is_still_listed(settings: Settings) -> None:
    place = settings.home / "refused" / "20250601T010101-abcd1234"
    place.mkdir(parents=True)
    reasons = [{"code": "agency_unknown", "text": "not known", "file": "x"}]
    for name, data in {
        "x.refused.json": "[1]",
        "x.refused.json.refused.json": json.dumps({"agency": "kylä", "file_name": "x.refused.json", "reasons": reasons}),
        "x.refused.json.refused.txt": "",
    }.items():
        (place / name).write_text(data, "utf-8")
    (told,) = refused.at_the_door(Home(settings.home))
    assert (told["file_name"], told["agency"], told["reasons"]) == ("x.refused.json", "kylä", reasons)


def test_a_long_name_and_its_manifest_lie_beside_one_another(settings: Settings) -> None:
    name = "x" * 220 + ".csv"
    path = put(settings, f"nobody/purchase_invoices/{name}", b"delivered")
    path.with_name(name + ".manifest.json").write_text("{}", "utf-8")
    landed_and_loaded(settings)
    kept = [path.read_bytes() for path in (settings.home / "refused").glob("*/delivered/*")]
    assert sorted(kept) == [b"delivered", b"{}"]


def test_landing_passes_over_an_intent_that_cannot_be_read(settings: Settings) -> None:
    home = pipeline.home_of(settings)
    waiting = home.landing / ".incoming" / "token"
    waiting.mkdir(parents=True)
    (waiting / "file").write_text("x", "utf-8")
    (waiting / "intent.json").write_text("{}", "utf-8")
    assert landing.Landing(home).recover() == 0
    assert receiving.anything_waits(home) is False
