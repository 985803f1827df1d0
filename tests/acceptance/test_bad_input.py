"""Bad input and what it gets: a reason, nothing lost, nothing half-loaded, the former publication untouched."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import openpyxl
import pytest

from flows import pipeline
from tests.acceptance import support

CITY, HILMA = "sample-koela", "hilma-sample"
INVOICES, NOTICES = "purchase_invoices", "procurement_notices"
HEADER = "Kunnan nimi;Tositenumero;Toimittajan nimi;Toimittajan y-tunnus;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\n"
ROW = "Koela;{number};Esimerkki Oy;9100000-0;{day};4300;{amount}\n"


def rows(day: str = "15.03.2024", amount: str = "12,50") -> bytes:
    return (HEADER + "".join(ROW.format(number=number, day=day, amount=amount) for number in range(50))).encode("latin-1")


def workbook(amount: object) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER.strip().split(";"))
    for number in range(20):
        sheet.append(["Koela", str(number), "Esimerkki Oy", "9100000-0", "15.03.2024", "4300", amount])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def sheet_bomb() -> bytes:
    members = {
        info.filename: zipfile.ZipFile(io.BytesIO(workbook(1))).read(info)
        for info in zipfile.ZipFile(io.BytesIO(workbook(1))).infolist()
    }
    return zipped(members | {"xl/worksheets/sheet1.xml": b"<worksheet>" + b"0" * 150_000_000})


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'.encode() for i in range(9))
    + b"]><ContractNotice>&j;</ContractNotice>"
)
XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><ContractNotice>&a;</ContractNotice>'
DEEP = b"<a>" * 5000 + b"</a>" * 5000

BAD: dict[str, tuple[str, str, str, Callable[[], bytes]]] = {
    "empty": (CITY, INVOICES, "koela_2024.csv", lambda: b""),
    "header only": (CITY, INVOICES, "koela_vain_otsikko_2024.csv", HEADER.encode),
    "binary": (CITY, INVOICES, "koela_binaari_2024.csv", lambda: Random(1).randbytes(50_000)),
    "nul bytes": (CITY, INVOICES, "koela_nul_2024.csv", lambda: rows().replace(b"Oy", b"\0\0")),
    "one long line": (CITY, INVOICES, "koela_rivi_2024.csv", lambda: HEADER.encode() + b"x" * 5_000_000),
    "missing amount column": (CITY, INVOICES, "koela_summa_2024.csv", lambda: b"Kunnan nimi;Tositenumero\nKoela;1\n"),
    "nothing recognised": (CITY, INVOICES, "koela_muu_2024.csv", lambda: b"a;b;c\n1;2;3\n4;5;6\n"),
    "dates of year 0": (CITY, INVOICES, "koela_nolla_2024.csv", lambda: rows(day="01.01.0000")),
    "dates of year 9999": (CITY, INVOICES, "koela_9999_2024.csv", lambda: rows(day="31.12.9999")),
    "amounts of 1e30": (CITY, INVOICES, "koela_suuri_2024.csv", lambda: rows(amount="1e30")),
    "wrong source: notices": (CITY, INVOICES, "koela_ilmoitus_2024.csv", lambda: b"<ContractNotice/>"),
    "formulas": (CITY, INVOICES, "koela_kaavat_2024.xlsx", lambda: workbook("=1+1")),
    "spreadsheet bomb": (CITY, INVOICES, "koela_pommi_2024.xlsx", sheet_bomb),
    "truncated spreadsheet": (CITY, INVOICES, "koela_katkennut_2024.xlsx", lambda: workbook(1)[:2000]),
    "wrong source: invoices": (HILMA, NOTICES, "laskut.csv", rows),
    "zip bomb": (HILMA, NOTICES, "pommi.zip", lambda: zipped({"a.xml": b"0" * 150_000_000})),
    "zip that climbs": (HILMA, NOTICES, "kiipeava.zip", lambda: zipped({"../../evil.xml": b"<ContractNotice/>"})),
    "entity bomb": (HILMA, NOTICES, "nauru.xml", lambda: LAUGHS),
    "external entity": (HILMA, NOTICES, "ulkoinen.xml", lambda: XXE),
    "deep nesting": (HILMA, NOTICES, "syva.xml", lambda: DEEP),
    "broken json": (HILMA, NOTICES, "rikki.json", lambda: b'[{"noticeId": 1, "eform": "!!!not base64"}'),
    "unknown agency": ("no-such-agency", INVOICES, "x_2024.csv", rows),
    "unknown source": (CITY, "no_such_source", "x_2024.csv", rows),
    "name with newline": (CITY, INVOICES, "a\nb_2024.csv", lambda: b"\x00"),
    "name that turns around": (CITY, INVOICES, "a\u202excod_2024.csv", lambda: b"\x01"),
    "name like a formula": (CITY, INVOICES, "=cmd_2024.csv", lambda: b"\x02"),
}


@pytest.fixture(scope="module")
def bad_home(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> tuple[Path, pipeline.Nightly, float]:
    """A published home into whose inbox every bad file was dropped, after the next nightly run."""
    home = tmp_path_factory.mktemp("bad") / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    for agency, source, name, make in BAD.values():
        folder = home / "inbox" / agency / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(make())
    secret = home.parent / "secret.csv"
    secret.write_bytes(rows())
    (home / "inbox" / CITY / INVOICES / "link_2024.csv").symlink_to(secret)
    os.mkfifo(home / "inbox" / CITY / INVOICES / "pipe_2024.csv")
    started = time.monotonic()
    run = support.nightly(home)
    return home, run, time.monotonic() - started


def refusals(home: Path) -> dict[str, list[dict[str, str]]]:
    """Reasons by file name: of deliveries refused in the ledger, and of files that never became one."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in support.ledger(home, "SELECT file_name, reasons FROM ledger.delivery WHERE status = 'refused'").iter_rows(
        named=True
    ):
        found[row["file_name"]] = json.loads(row["reasons"])
    for path in (home / "refused").rglob("*.refused.json"):
        told = json.loads(path.read_text("utf-8"))
        found[Path(told["file"]).name] = told["reasons"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD)
def test_each_kind_is_refused_with_a_reason_and_what_to_do(bad_home: tuple[Path, pipeline.Nightly, float], kind: str) -> None:
    home, _, _ = bad_home
    reasons = refusals(home).get(BAD[kind][2])

    assert reasons, f"{kind}: no refusal; refused were {sorted(refusals(home))}"
    assert all(reason["code"] and len(reason["text"]) > 10 for reason in reasons)


@pytest.mark.slow
def test_nothing_changed_nothing_lost_nothing_read_outside(
    bad_home: tuple[Path, pipeline.Nightly, float], tiny_home: Path
) -> None:
    home, run, seconds = bad_home

    support.assert_same(home, tiny_home)
    kept = sum(1 for path in (home / "landing").rglob("file")) + sum(
        1
        for path in (home / "refused").rglob("*")
        if (path.is_file() and not path.name.endswith(".json")) or path.is_fifo() or path.is_symlink()
    )
    assert kept == len(BAD) + 2 + sum(1 for path in (tiny_home / "landing").rglob("file"))
    assert not [path for path in (home / "inbox").rglob("*") if not path.is_dir()]
    assert {reason["code"] for name in ("link_2024.csv", "pipe_2024.csv") for reason in refusals(home)[name]} == {"not_a_file"}
    for path in (home / "lake").rglob("*.parquet"):
        assert b"passwd" not in path.read_bytes()
    assert len(run.ingested.refused) + sum(received.landed is None for received in run.received) == len(BAD) + 2
    assert seconds < 60


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".zip", ".json"])
def test_cut_at_every_tenth_nothing_crashes_or_half_loads(
    tmp_path: Path, tiny_home: Path, tiny_sample: Path, ending: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    whole = max(
        (path for path in support.delivered_files(tiny_sample) if path.suffix == ending), key=lambda path: path.stat().st_size
    )
    data = whole.read_bytes()
    for tenth in range(1, 10):
        target = home / whole.relative_to(tiny_sample).with_name(f"cut{tenth}_{whole.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data[: len(data) * tenth // 10])

    run = support.nightly(home)

    assert len(run.ingested.loaded) + len(run.ingested.refused) == 9
    broken = support.ledger(
        home,
        "SELECT delivery_id FROM ledger.table_count WHERE rows_read <> rows_accepted + rows_set_aside + rows_quarantined "
        "OR cents_read <> cents_accepted + cents_set_aside + cents_quarantined",
    )
    assert broken.is_empty()
    if ending != ".csv":
        # an archive or a document is taken whole or not at all; lines of a text file stand by themselves
        assert run.ingested.loaded == []
        support.assert_same(home, tiny_home)


@pytest.mark.slow
def test_a_file_that_still_grows_waits(tmp_path: Path, tiny_home: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    path = home / "inbox" / CITY / INVOICES / "koela_kasvava_2022.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    over = threading.Event()

    def write() -> None:
        with path.open("ab") as file:
            file.write(HEADER.encode())
            while not over.wait(0.05):
                file.write(b"x")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.2)
    try:
        run = support.nightly(home, settle_seconds=0.6)
    finally:
        over.set()
        writer.join()

    assert run.received == []
    assert path.exists()
    support.assert_same(home, tiny_home)


@pytest.mark.slow
def test_a_full_disk_ends_with_its_exit_code_and_heals(tmp_path: Path, tiny_home: Path, tiny_sample: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        home = place / "home"
        shutil.copytree(tiny_home, home, symlinks=True)
        again = home / "inbox" / CITY / INVOICES / "koela_ostolaskut_2022.csv"
        again.parent.mkdir(parents=True, exist_ok=True)
        again.write_bytes(rows(day="15.03.2022"))
        used = shutil.disk_usage(place).used
        (place / "ballast").write_bytes(b"0" * (200 * 1024**2 - used - 600_000))
        full = support.run(home, "nightly")
        assert full.returncode == 6, full.stderr
        assert "disk is full" in full.stderr
        support.assert_same(home, tiny_home)

        (place / "ballast").unlink()
        healed = support.run(home, "nightly")
        assert healed.returncode == 0, healed.stderr
        assert support.fingerprint(home) != support.fingerprint(tiny_home)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
