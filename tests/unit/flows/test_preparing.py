"""Preparing: what spoils one delivery refuses that delivery alone, with a reason; what is wrong with us is raised."""

from __future__ import annotations

import io
import logging
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from flows import pipeline, preparing, readers, reporting
from flows.settings import Settings
from schemas.errors import MemoryShort, StorageFailed
from tests.unit.flows.inbox_files import PanicException, put
from transforms.registry import SOURCES
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.store import reading

CSV = "Kunnan nimi;Tositenumero;Tapaht.pvm;Tilinumero;Laskun summa ilman ALV\nKaarina;1;15.03.2024;4300;12,50\n"
NOTICE = (Path(__file__).parents[2] / "cases" / "notices" / "joint_procurement" / "input.xml").read_bytes()
NOTICE_ID = b"00000000-0000-4000-8000-000000000001"


def reasons(settings: Settings) -> dict[str, str]:
    """File name -> reasons in the ledger, '' for what was loaded."""
    with reading(Home(settings.home.resolve())) as store:
        assert store is not None
        return {
            row["file_name"]: (row["reasons"] or "").replace("[]", "")
            for row in store.rows("SELECT file_name, reasons FROM ledger.delivery")
        }


def workbook(rows: int = 400) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, CSV.split("\n", maxsplit=1)[0].split(";"))
        for number in range(1, rows):
            sheet.write_row(number, 0, ["Kaarina", str(number), "15.03.2024", "4300", number * 1.25])
    return buffer.getvalue()


def bent(data: bytes, part: str) -> bytes:
    """A zip whose named part has other bytes in the middle of its packed stream."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(part)
    names = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
    middle = info.header_offset + 30 + sum(names) + info.compress_size // 2
    return data[:middle] + b"\xff" * 20 + data[middle + 20 :]


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"]
)
def test_a_bent_stream_in_a_workbook_is_refused(settings: Settings, part: str) -> None:
    put(settings, "kaarina/purchase_invoices/a_2023.xlsx", bent(workbook(), part))
    put(settings, "kaarina/purchase_invoices/b_2024.csv", CSV.encode())
    pipeline.land(settings)
    pipeline.load(settings)
    told = reasons(settings)
    assert "workbook_broken" in told["a_2023.xlsx"]
    assert told["b_2024.csv"] == ""


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_arguments: object) -> object:
        raise error

    return fail


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes the reader of invoices raise, in this process."""

    def to_raise(error: BaseException) -> None:
        source = SOURCES["purchase_invoices"]
        before = source.read
        object.__setattr__(source, "read", failing(error))
        undo.append(lambda: object.__setattr__(source, "read", before))

    undo: list[Callable[[], None]] = []
    monkeypatch.setattr(preparing, "WORKERS", 1)
    monkeypatch.setattr(readers, "ask", lambda function, *told, bounds, progress: function(*told, progress))
    yield to_raise  # type: ignore[misc]
    for step in undo:
        step()


@pytest.mark.parametrize(
    "error", [TypeError(), AttributeError(), RecursionError(), KeyError("x"), PanicException(), pl.exceptions.ComputeError()]
)
def test_whatever_a_reader_raises_refuses_the_delivery(
    settings: Settings, reader: Callable[[BaseException], None], error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    put(settings, "kaarina/purchase_invoices/a_2024.csv", CSV.encode())
    reader(error)
    pipeline.land(settings)
    with caplog.at_level(logging.ERROR):
        run = pipeline.load(settings)
    assert len(run.ingested.refused) == 1
    assert "file_unreadable" in reasons(settings)["a_2024.csv"]
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_what_is_wrong_with_us_is_no_matter_of_the_file(
    settings: Settings, reader: Callable[[BaseException], None], error: BaseException
) -> None:
    put(settings, "kaarina/purchase_invoices/a_2024.csv", CSV.encode())
    reader(error)
    pipeline.land(settings)
    with pytest.raises((MemoryShort, StorageFailed)):
        pipeline.load(settings)
    assert [row["status"] for row in reporting.status(settings)] == ["received"]


def test_a_file_that_changed_after_landing_is_refused_alone(settings: Settings) -> None:
    """Of an agency's notices, which are read together, only the one that changed is refused, under its own name."""
    for number in (1, 2, 3):
        data = NOTICE.replace(NOTICE_ID, f"00000000-0000-4000-8000-{number:012d}".encode())
        put(settings, f"hilma/procurement_notices/n{number}.xml", data)
    pipeline.land(settings)
    (changed,) = (item for item in Landing(Home(settings.home.resolve())).all() if item.intent.file_name == "n2.xml")
    whole = changed.file.read_bytes()
    changed.file.chmod(0o600)
    changed.file.write_bytes(whole + b" ")
    pipeline.load(settings)
    told = reasons(settings)
    assert (told["n1.xml"], told["n3.xml"]) == ("", "")
    assert '"file_growing"' in told["n2.xml"]
    assert '"n2.xml"' in told["n2.xml"]

    put(settings, "hilma/procurement_notices/n2.xml", whole)
    pipeline.land(settings)
    pipeline.load(settings)
    assert reasons(settings)["n2.xml"] == "", "delivered whole it is loaded"
