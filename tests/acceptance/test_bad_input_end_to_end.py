"""Whatever is delivered: a receipt or refusal that says why, a documented exit code, nothing lost, nothing half-loaded,
no crash, and the former publication untouched."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from flows import readers
from tests.acceptance.support import assert_same, content, ledger, nightly
from warehouse.home import Home
from warehouse.landing import Landing

Nyckeltal = Callable[..., Any]
KOELA = Path("inbox/sample-koela/purchase_invoices")
HILMA = Path("inbox/hilma-sample/procurement_notices")
HEADER = (
    "Kunnan nimi;Tositenumero;Tapaht.pvm;Toimittajan nimi;Toimittajan y-tunnus;Toimittajan maakoodi;"
    "Laskun summa ilman ALV;Tilinumero;Tilin nimi;Palveluluokka\r\n"
)
ROW = "Koelan kaupunki;{n};{day};Esimerkki Oy;9048533-8;FI;{amount};43700000;Palvelujen ostot;Palvelut\r\n"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NOTICE = 'xmlns="urn:oasis:names:specification:ubl:schema:xsd:ContractNotice-2"'


def table(rows: int = 5, day: str = "23.01.2024", amount: str = "71,10") -> str:
    return HEADER + "".join(ROW.format(n=n, day=day, amount=amount) for n in range(rows))


@cache
def bomb(name: str = "a.xml", megabytes: int = 300) -> bytes:
    """A zip whose one member unpacks to far more than its size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open(name, "w") as member:
        for _ in range(megabytes):
            member.write(b" " * 1024**2)
    return buffer.getvalue()


def workbook(amount: str) -> bytes:
    """A sheet in the contract's columns; `amount` may be a formula."""
    import openpyxl

    book, buffer = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["case_id", "posting_date", "net_amount"])
    sheet.append(["1", "2024-01-23", amount])
    book.save(buffer)
    return buffer.getvalue()


@cache
def sheet_bomb() -> bytes:
    """A workbook whose sheet is a bomb."""
    buffer = io.BytesIO(workbook("1.25"))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b" " * (300 * 1024**2))
    return buffer.getvalue()


def entities() -> bytes:
    """Nested entities that would expand to a billion words."""
    lines = ['<!ENTITY e0 "lol">'] + [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    return f"{XML}<!DOCTYPE ContractNotice [{''.join(lines)}]><ContractNotice {NOTICE}>&e9;</ContractNotice>".encode()


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


WHOLLY_REFUSED: dict[str, tuple[Path, Callable[[], bytes]]] = {
    "empty.csv": (KOELA, lambda: b""),
    "blank_2024.csv": (KOELA, lambda: b"\r\n \r\n"),
    "header_2024.csv": (KOELA, HEADER.encode),
    "unknown_columns_2024.csv": (KOELA, lambda: b"id;date;text\n1;2021-01-01;x\n"),
    "missing_columns_2024.csv": (KOELA, lambda: b"Kunnan nimi;Toimittajan nimi\nA;B\n"),
    "nul_2024.csv": (KOELA, lambda: b"\0" * 20_000),
    "binary_2024.csv": (KOELA, lambda: Random(1).randbytes(50_000)),
    "document_2024.csv": (KOELA, lambda: b"%PDF-1.7\n" + Random(2).randbytes(500)),
    "formula_2024.xlsx": (KOELA, lambda: workbook("=1+1")),
    "sheet_bomb_2024.xlsx": (KOELA, sheet_bomb),
    "not_a_sheet_2024.xlsx": (KOELA, lambda: zipped("[Content_Types].xml", b"<Types/>")),
    "nothing_in_it_2024.zip": (KOELA, lambda: b"PK\x05\x06" + bytes(18)),
    "folder_in_it_2024.zip": (KOELA, lambda: zipped("folder/", b"")),
    "bomb_2024.zip": (KOELA, lambda: bomb("ostot_2024.csv")),
    "locked_2024.zip": (
        KOELA,
        lambda: zipped("ostot_2024.csv", table().encode()).replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
    ),
    "invoices_as_notices.csv": (HILMA, lambda: table().encode("latin-1")),
    "notices_as_invoices_2024.xml": (KOELA, f"{XML}<ContractNotice {NOTICE}/>".encode),
    "no_notice.xml": (HILMA, f"{XML}<html><body/></html>".encode),
    "broken.xml": (HILMA, f"{XML}<ContractNotice {NOTICE}><a></b>".encode),
    "entity_bomb.xml": (HILMA, entities),
    "external.xml": (
        HILMA,
        f'{XML}<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><ContractNotice {NOTICE}>&e;</ContractNotice>'.encode,
    ),
    "deep.xml": (
        HILMA,
        f"{XML}<ContractNotice {NOTICE}>{'<a>' * 5000}{'</a>' * 5000}</ContractNotice>".encode,
    ),
    "bomb.zip": (HILMA, bomb),
    "not_a_zip.zip": (HILMA, lambda: b"PK\x03\x04" + Random(3).randbytes(2_000)),
    "empty_object.json": (HILMA, lambda: b"{}"),
    "deep.json": (HILMA, lambda: b"[" * 100_000),
    "not_base64.json": (HILMA, lambda: b'[{"noticeId": "1", "eForm": "%%%"}]'),
    "escaping.zip": (HILMA, lambda: zipped("../../escaped.xml", b"<ContractNotice/>")),
}
"""Files of which nothing may be loaded: name, place, content."""

BAD_ROWS: dict[str, tuple[str, str]] = {
    "year_zero": ("01.01.0000", "1,00"),
    "year_9999": ("31.12.9999", "1,00"),
    "amount_1e30": ("01.03.2024", "1e30"),
    "amount_thirty_digits": ("01.03.2024", "9" * 30 + ",00"),
    "formula_amount": ("01.03.2024", "=1+1"),
}
"""Day and amount of one bad row; among two hundred sound ones it is fewer than the gate lets through."""
SOUND_ROWS = 200


def rows_as_csv(bad: tuple[str, str]) -> bytes:
    day, amount = bad
    return (table(SOUND_ROWS) + ROW.format(n=999, day=day, amount=amount)).encode("latin-1")


def rows_as_workbook(bad: tuple[str, str]) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": bad[1].startswith("=")}) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(rows_as_csv(bad).decode("latin-1").splitlines()):
            sheet.write_row(number, 0, line.split(";"))
    return buffer.getvalue()


FORMATS: dict[str, Callable[[tuple[str, str]], bytes]] = {"csv": rows_as_csv, "xlsx": rows_as_workbook}


def put(home: Path, place: Path, name: str, data: bytes) -> Path:
    path = home / place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def refusal(home: Path, name: str) -> list[dict[str, Any]]:
    """Reasons for which a file was refused, on receipt (refused/) or on loading (the ledger); [] when it was not."""
    for path in (home / "refused").glob("*/receipt.json"):
        told = json.loads(path.read_text("utf-8"))
        if Path(told["file"]).name == name:
            return list(told["reasons"])
    sql = "SELECT reasons FROM ledger.delivery WHERE file_name = ? AND status = 'refused'"
    return [reason for (text,) in ledger(home, sql, [name]).iter_rows() for reason in json.loads(text)]


def assert_kept(home: Path, data: bytes) -> None:
    """The bytes are in landing, among the refused, or still in the inbox."""
    places = [*(home / "landing").rglob("file"), *(home / "refused").rglob("*"), *(home / "inbox").rglob("*")]
    kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in places if path.is_file() and not path.is_symlink()}
    assert hashlib.sha256(data).hexdigest() in kept, "the delivered bytes are lost"


def assert_sound(home: Path) -> None:
    """Nothing half-loaded: every landed delivery has a ledger row, counts that balance, a receipt, and its Parquet, no more."""
    landed = {item.delivery_id: item for item in Landing(Home(home)).all()}
    rows = {row["delivery_id"]: row for row in ledger(home, "SELECT * FROM ledger.delivery").iter_rows(named=True)}
    assert set(rows) == set(landed)
    for row in rows.values():
        receipt = home / "receipts" / row["agency"] / row["source"] / f"{row['delivery_id']}.json"
        assert json.loads(receipt.read_text("utf-8"))["status"] == row["status"]
        assert receipt.with_suffix(".txt").stat().st_size > 0
        if row["status"] == "refused":
            assert all(reason["code"] and len(reason["text"]) > 10 for reason in json.loads(row["reasons"]))
            assert json.loads(row["reasons"])
    unbalanced = ledger(
        home,
        "SELECT * FROM ledger.table_count WHERE rows_read <> rows_accepted + rows_set_aside + rows_quarantined "
        "OR cents_read <> cents_accepted + cents_set_aside + cents_quarantined",
    )
    assert unbalanced.is_empty()
    named = ledger(home, "SELECT path, rows_n FROM ledger.batch_file")
    found = {str(path.relative_to(home / "lake")) for path in (home / "lake").rglob("*.parquet")}
    assert found == set(named["path"])
    for path, rows_n in named.iter_rows():
        assert pl.scan_parquet(home / "lake" / path).select(pl.len()).collect().item() == rows_n
    assert not list((home / "landing" / ".incoming").iterdir())


def test_the_kinds_are_delivered_together(nyckeltal: Nyckeltal, home: Path, tiny_home: Path) -> None:
    """All files of which nothing may be loaded, in one inbox: each refused with a reason, none in the others' way."""
    contents = {name: make() for name, (_, make) in WHOLLY_REFUSED.items()}
    for name, (place, _) in WHOLLY_REFUSED.items():
        put(home, place, name, contents[name])
    assert nyckeltal(home, "nightly").code == 0
    untold = [name for name in WHOLLY_REFUSED if not refusal(home, name)]
    assert not untold, f"not refused: {untold}"
    for data in contents.values():
        assert_kept(home, data)
    assert not list(home.parent.rglob("escaped*"))
    assert_sound(home)
    assert_same(home, tiny_home)


@pytest.fixture(scope="module")
def told_home(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
    """A home that is told of all these files, one after the other."""
    home = tmp_path_factory.mktemp("told") / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    return home


@pytest.mark.parametrize("name", sorted(WHOLLY_REFUSED))
def test_check_and_receive_say_why(nyckeltal: Nyckeltal, told_home: Path, tmp_path: Path, name: str) -> None:
    place, make = WHOLLY_REFUSED[name]
    path = tmp_path / name
    path.write_bytes(make())
    words = ("--agency", place.parts[1], "--source", place.parts[2])
    checked = nyckeltal(told_home, "check", path, *words)
    assert checked.code == 4
    assert "[" in checked.out + checked.err, "a reason has a code"
    received = nyckeltal(told_home, "receive", path, *words)
    assert received.code in (0, 4)
    assert path.exists()


@pytest.mark.parametrize("ending", FORMATS)
def test_bad_rows_go_to_quarantine(nyckeltal: Nyckeltal, home: Path, ending: str) -> None:
    """One bad row in two hundred: that row is in quarantine, the others are loaded."""
    contents = {f"{name}_{2010 + n}.{ending}": FORMATS[ending](bad) for n, (name, bad) in enumerate(BAD_ROWS.items())}
    for name, data in contents.items():
        put(home, KOELA, name, data)
    assert nyckeltal(home, "nightly").code == 0
    for data in contents.values():
        assert_kept(home, data)
    assert_sound(home)
    counts = ledger(
        home,
        "SELECT file_name, sum(rows_quarantined)::BIGINT, sum(rows_accepted)::BIGINT "
        "FROM ledger.table_count JOIN ledger.delivery USING (delivery_id) GROUP BY 1",
    )
    told = {name: (quarantined, accepted) for name, quarantined, accepted in counts.iter_rows() if name in contents}
    assert told == dict.fromkeys(contents, (1, SOUND_ROWS))


def test_mixed_encodings(nyckeltal: Nyckeltal, home: Path) -> None:
    mixed = table(30).encode("latin-1") + ROW.format(n=99, day="01.03.2024", amount="1,00").replace("Koelan", "Köelän").encode()
    data = mixed + ROW.format(n=98, day="01.03.2024", amount="1,00").replace("Koelan", "Köelän").encode("latin-1")
    put(home, KOELA, "mixed_2024.csv", data + b"Koelan\0 kaupunki;1\r\n")
    assert nyckeltal(home, "nightly").code == 0
    assert_kept(home, data + b"Koelan\0 kaupunki;1\r\n")
    assert_sound(home)


def test_unknown_places(nyckeltal: Nyckeltal, home: Path, tiny_home: Path) -> None:
    names = {
        "no_agency_2024.csv": Path("inbox/no-such-agency/purchase_invoices"),
        "no_source_2024.csv": Path("inbox/sample-koela/no_such_source"),
        "not_agreed_2024.csv": Path("inbox/hilma-sample/purchase_invoices"),
        "loose_2024.txt": Path("inbox"),
    }
    for name, place in names.items():
        put(home, place, name, f"{name}\n".encode())
    told = put(home, KOELA, "told_2024.csv", table().encode("latin-1"))
    manifest = {"agency": "../../etc", "source": "../secrets", "produced_at": "yesterday"}
    told.with_name(told.name + ".manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert nyckeltal(home, "nightly").code == 0
    for name in names:
        assert refusal(home, name), name
        assert_kept(home, f"{name}\n".encode())
    assert [reason["code"] for reason in refusal(home, told.name)] == ["manifest_invalid"]
    assert_kept(home, table().encode("latin-1"))
    assert_sound(home)
    assert_same(home, tiny_home)


def _whole_files(tiny_sample: Path) -> dict[str, tuple[Path, bytes]]:
    notices = {path.suffix: path.read_bytes() for path in sorted((tiny_sample / HILMA).iterdir())}
    with zipfile.ZipFile(io.BytesIO(notices[".zip"])) as archive:
        xml = archive.read(archive.namelist()[0])
    return {
        "csv": (KOELA, (tiny_sample / KOELA / "koela_ostolaskut_2024.csv").read_bytes()),
        "xlsx": (KOELA, workbook("1.25")),
        "xml": (HILMA, xml),
        "json": (HILMA, notices[".json"]),
        "zip": (HILMA, notices[".zip"]),
    }


@pytest.mark.slow
def test_truncated_at_every_tenth(nyckeltal: Nyckeltal, home: Path, tiny_sample: Path) -> None:
    files = {
        f"cut{tenth}_2024.{kind}": (place, data[: len(data) * tenth // 10])
        for kind, (place, data) in _whole_files(tiny_sample).items()
        for tenth in range(1, 10)
    }
    for name, (place, data) in files.items():
        put(home, place, name, data)
    assert nyckeltal(home, "nightly").code == 0
    for name, (_, data) in files.items():
        assert_kept(home, data)
        last = data.rpartition(b"\n")[2]
        if not name.endswith(".csv") or (last and last.count(b";") < data.split(b"\n")[0].count(b";")):
            assert refusal(home, name), f"{name} is cut short and was taken all the same"
    assert_sound(home)


def _long_line(megabytes: int) -> bytes:
    return table(3).encode("latin-1") + b"x" * (megabytes * 1024**2) + b"\r\n"


def test_a_long_line(nyckeltal: Nyckeltal, home: Path, tiny_home: Path) -> None:
    put(home, KOELA, "line_2024.csv", _long_line(5))
    assert nyckeltal(home, "nightly").code == 0
    assert [reason["code"] for reason in refusal(home, "line_2024.csv")] == ["line_too_long"]
    assert_sound(home)
    assert_same(home, tiny_home)


@pytest.mark.heavy
def test_a_line_of_100_megabytes(nyckeltal: Nyckeltal, home: Path, tiny_home: Path) -> None:
    put(home, KOELA, "line_2024.csv", b"x" * (100 * 1024**2))
    put(home, HILMA, "line.json", b'["' + b"x" * (100 * 1024**2))
    put(home, HILMA, "line.xml", XML.encode() + b"<a>" + b"x" * (100 * 1024**2))
    assert nyckeltal(home, "nightly").code == 0
    assert all(refusal(home, name) for name in ("line_2024.csv", "line.json", "line.xml"))
    assert_sound(home)
    assert_same(home, tiny_home)


def test_sizes_are_limited(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NYCKELTAL_MAX_DELIMITED_BYTES", "100")
    monkeypatch.setenv("NYCKELTAL_MAX_OTHER_BYTES", "100")
    put(home, KOELA, "large_2024.csv", table().encode("latin-1"))
    put(home, HILMA, "large.xml", f"{XML}<ContractNotice {NOTICE}>{' ' * 200}</ContractNotice>".encode())
    assert nyckeltal(home, "nightly").code == 0
    assert refusal(home, "large_2024.csv")
    assert refusal(home, "large.xml")
    assert_same(home, tiny_home)


@pytest.fixture
def growing(tmp_path: Path, home: Path) -> Iterator[Path]:
    """A file in the inbox that a thread keeps appending to."""
    path = put(home, KOELA, "growing_2025.csv", HEADER.encode())
    over = threading.Event()

    def append() -> None:
        with path.open("ab", buffering=0) as file:
            while not over.is_set():
                file.write(ROW.format(n=1, day="23.01.2025", amount="1,00").encode())
                time.sleep(0.002)

    thread = threading.Thread(target=append)
    thread.start()
    try:
        yield path
    finally:
        over.set()
        thread.join()


def test_a_file_that_still_grows_waits(
    nyckeltal: Nyckeltal, home: Path, tiny_home: Path, growing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NYCKELTAL_SETTLE_SECONDS", "0.3")
    assert nyckeltal(home, "nightly").code == 0
    assert growing.exists()
    assert_same(home, tiny_home)
    assert_sound(home)


def test_a_file_that_grows_while_it_is_received(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, growing: Path) -> None:
    """The inbox is told to wait for nobody: what was taken too early is refused, and the file delivered whole is loaded."""
    assert nyckeltal(home, "receive", growing).code in (0, 4)
    assert nyckeltal(home, "nightly").code == 0
    rows = ledger(home, "SELECT status, reasons FROM ledger.delivery WHERE file_name = ?", [growing.name])
    for status, reasons in rows.iter_rows():
        assert status == "refused"
        assert "file_growing" in reasons
    assert_same(home, tiny_home)


def test_links_pipes_and_names(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(table().encode("latin-1"))
    inbox = home / KOELA
    inbox.mkdir(parents=True, exist_ok=True)
    (inbox / "link_2024.csv").symlink_to(secret)
    (inbox / "dangling_2024.csv").symlink_to(tmp_path / "nowhere")
    (inbox / "folder").symlink_to(tmp_path)
    os.mkfifo(inbox / "pipe_2024.csv")
    awkward = [
        "new\nline.csv",
        "right\u202eto\u2066left.csv",
        "$(reboot);'\".csv",
        "x" * 240 + ".csv",
        "\u00e4" * 120 + ".csv",
        "-rf.csv",
        "..csv",
    ]
    for name in awkward:
        put(home, KOELA, name, name.encode())
    put(home, KOELA, "y" * 245 + ".zip", zipped("z" * 240 + ".csv", b"no table"))
    (inbox / os.fsdecode(b"bytes\xff\xfe.csv")).write_bytes(b"bytes")
    assert nyckeltal(home, "nightly").code == 0
    assert secret.read_bytes() == table().encode("latin-1")
    for name in ("link_2024.csv", "dangling_2024.csv", "folder", "pipe_2024.csv"):
        assert [reason["code"] for reason in refusal(home, name)] == ["not_a_file"], name
    for name in awkward:
        assert_kept(home, name.encode())
    assert_kept(home, b"bytes")
    assert_sound(home)
    assert_same(home, tiny_home)
    for output in ("table", "csv", "json"):
        assert nyckeltal(home, "status", "--format", output).code == 0


def test_paths_that_climb(nyckeltal: Nyckeltal, home: Path, tiny_home: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside_2024.csv"
    outside.write_bytes(b"not a table")
    told = nyckeltal(home, "receive", home / "inbox" / ".." / ".." / outside.name)
    assert told.code == 4
    assert outside.read_bytes() == b"not a table", "a file outside the inbox stays where it is"
    assert nyckeltal(home, "receive", outside, "--agency", "../sample-koela", "--source", "purchase_invoices").code == 4
    assert nyckeltal(home, "nightly").code == 0
    assert_same(home, tiny_home)


def test_a_hard_link_does_not_reach_into_landing(nyckeltal: Nyckeltal, home: Path, tmp_path: Path) -> None:
    """What is landed stays as it was hashed, whoever else holds a name of the delivered file."""
    outside = tmp_path / "outside.csv"
    outside.write_bytes(table().encode("latin-1"))
    (home / KOELA).mkdir(parents=True, exist_ok=True)
    (home / KOELA / "linked_2024.csv").hardlink_to(outside)
    assert nyckeltal(home, "receive", home / KOELA / "linked_2024.csv").code in (0, 4)
    outside.write_bytes(b"changed afterwards")
    for item in Landing(Home(home)).all():
        assert hashlib.sha256(item.file.read_bytes()).hexdigest() == item.sha256
    assert_kept(home, table().encode("latin-1"))
    assert nyckeltal(home, "nightly").code == 0
    assert_sound(home)


def _fresh_delivery(home: Path) -> bytes:
    data = table(40, day="23.01.2025").encode("latin-1")
    put(home, KOELA, "ostot_2025.csv", data)
    return data


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path) -> Path:
    """The home after one more delivery on a disk with room."""
    home = tmp_path_factory.mktemp("expected") / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    _fresh_delivery(home)
    nightly(home)
    return home


POINTS = (
    "warehouse.landing.write_durably",
    "warehouse.lake.Batch.move_in",
    "warehouse.publication.receipts.write_together",
    "warehouse.publication.generations.create_table",
    "polars.DataFrame.write_parquet",
)
MORE_POINTS = (
    "warehouse.landing.sync_directory",
    "warehouse.lake.Batch.write",
    "warehouse.publication.generations.sync_file",
    "pathlib.Path.rename",
)
"""Beside one of those above in landing, the lake and the publication."""


def in_this_process(function: Callable[..., object], *told: object, progress: Callable[..., None], **_: object) -> object:
    """A question to a reader, answered without one."""
    return function(*told, progress)


@pytest.mark.long
@pytest.mark.parametrize("point", [*POINTS, *(pytest.param(point, marks=pytest.mark.long) for point in MORE_POINTS)])
def test_the_disk_is_full(
    nyckeltal: Nyckeltal, home: Path, tiny_home: Path, expected: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    data = _fresh_delivery(home)

    hits = []

    def full(*_arguments: object, **_names: object) -> None:
        hits.append(point)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(point, full)
        patch.setattr(readers, "ask", in_this_process)  # so that what is patched is what reads
        told = nyckeltal(home, "nightly")
    assert hits, "the run does not pass this point"
    assert told.code == 6
    assert "disk is full" in told.err
    assert_kept(home, data)
    assert content(home).equals(content(tiny_home)) or content(home).equals(content(expected))
    assert nyckeltal(home, "nightly").code == 0
    assert_sound(home)
    assert_same(home, expected)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, whose size the test sets."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(disk)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.long
@pytest.mark.parametrize(
    "room", [8, 256, 1200, 5000, *(pytest.param(room, marks=pytest.mark.long) for room in (64, 600, 2000, 3000))]
)
def test_a_full_disk(nyckeltal: Nyckeltal, tiny_home: Path, expected: Path, small_disk: Path, room: int) -> None:
    """`room` KiB are left on the disk when the nightly starts."""
    home = small_disk / "home"
    shutil.copytree(tiny_home, home, symlinks=True)
    data = _fresh_delivery(home)
    used = shutil.disk_usage(small_disk).used
    subprocess.run(["mount", "-o", f"remount,size={used // 1024 + room}k", str(small_disk)], check=True)
    told = nyckeltal(home, "nightly")
    if told.code != 0:
        assert told.code == 6
        assert "disk is full" in told.err
        assert_kept(home, data)
        assert content(home).equals(content(tiny_home)) or content(home).equals(content(expected))
        subprocess.run(["mount", "-o", "remount,size=256m", str(small_disk)], check=True)
        assert nyckeltal(home, "nightly").code == 0
    assert_sound(home)
    assert_same(home, expected)
