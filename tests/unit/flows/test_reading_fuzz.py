"""Mutated workbooks, Parquet files and zips through the real ingest path of one file: loaded or refused, never anything else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import receiving
from flows.preparing import prepare
from schemas.reference import Reference
from tests.examples import examples
from transforms.delivery import Context, Limits
from transforms.registry import SOURCES
from warehouse.findings import PreparedBatch
from warehouse.home import Home

AT = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = ["Kunnan nimi", "Tositenumero", "Tapaht.pvm", "Tilinumero", "Laskun summa ilman ALV"]
ROWS = [["Kaarina", str(number), "15.03.2024", "4300", f"{number},50"] for number in range(30)]
CSV = "\n".join(";".join(row) for row in [HEADER, *ROWS]).encode()
NOTICE = (Path(__file__).parents[2] / "cases" / "notices" / "joint_procurement" / "input.xml").read_bytes()


def workbook() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def table() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEADER, zip(*ROWS, strict=True), strict=True))), buffer)
    return buffer.getvalue()


def zipped(name: str, data: bytes, method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, data)
        archive.writestr(f"2/{name}", data[: len(data) // 2])
    return buffer.getvalue()


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
SEEDS = {
    "xlsx": [("a.xlsx", "kaarina", "purchase_invoices", workbook())],
    "parquet": [("a.parquet", "kaarina", "purchase_invoices", table())],
    "zip": [("a.zip", "kaarina", "purchase_invoices", zipped("a.csv", CSV, method)) for method in METHODS]
    + [("a.zip", "hilma", "procurement_notices", zipped("a.xml", NOTICE, method)) for method in METHODS],
}
FORM = "joint_procurements"


@st.composite
def mutated(draw: st.DrawFn, kind: str) -> tuple[str, str, str, bytes]:
    """A sound file with some bytes changed, cut out or repeated; now and then under another source."""
    name, agency, source, data = draw(st.sampled_from(SEEDS[kind]))
    for _ in range(draw(st.integers(1, 4))):
        place, length = draw(st.integers(0, max(len(data) - 1, 0))), draw(st.integers(1, 40))
        change = draw(st.sampled_from(["byte", "byte", "bytes", "cut", "repeat", "end"]))
        if change == "byte":
            data = data[:place] + bytes([draw(st.integers(0, 255))]) + data[place + 1 :]
        elif change == "bytes":
            data = data[:place] + draw(st.binary(min_size=length, max_size=length)) + data[place + length :]
        elif change == "cut":
            data = data[:place] + data[place + length :]
        elif change == "repeat":
            data = data[:place] + data[place : place + length] * 2 + data[place + length :]
        else:
            data = data[:place]
    return name, agency, draw(st.sampled_from([source, source, source, FORM])), data


def become(name: str, agency: str, source: str, data: bytes) -> Iterator[PreparedBatch | str]:
    """What the file becomes at the door (the codes of its refusal) and when it is prepared."""
    overlay = {"agencies.csv": f"agency,name,sources\n{agency},Sample,{source}\n"} if source == FORM else {}
    reference = Reference.load(overlay)
    with TemporaryDirectory() as directory:
        home = Home(Path(directory) / "home")
        home.create()
        path = home.inbox / agency / source / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        for item in receiving.sweep_inbox(home, reference, AT, 0, Limits()):
            if item.landed is None:
                yield "".join(reason.code for reason in item.reasons)
            else:
                for batches in prepare([(SOURCES[source], [item.landed])], Context(reference), home):
                    yield from batches


def assert_told(name: str, agency: str, source: str, data: bytes) -> None:
    for outcome in become(name, agency, source, data):
        if isinstance(outcome, str):
            assert outcome
            assert outcome != "file_not_taken", "nobody foresaw this error"
            continue
        for reasons in outcome.refused.values():
            assert reasons
            foreseen = not any(reason.text.startswith("cannot be read as") for reason in reasons)
            assert foreseen, f"a reader raised what it should have said: {reasons}"


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=examples(70), suppress_health_check=QUIET)
@given(data=st.data())
def test_mutated_files(kind: str, data: st.DataObject) -> None:
    assert_told(*data.draw(mutated(kind)))


@pytest.mark.heavy
@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=2000, suppress_health_check=QUIET)
@given(data=st.data())
def test_many_mutated_files(kind: str, data: st.DataObject) -> None:
    assert_told(*data.draw(mutated(kind)))


def test_an_index_beyond_its_dictionary_is_refused() -> None:
    """One byte of a page changed: the last of thirty document numbers is said to be the thirty-first."""
    sound, broken = b"{0\xcaI", b"{0xI"
    data = table()
    assert data.count(sound) == 2, "numbers and amounts lie packed in five bits each"
    outcomes = list(become("a.parquet", "kaarina", "purchase_invoices", data.replace(sound, broken, 1)))
    (batch,) = outcomes
    assert not isinstance(batch, str)
    ((reason,),) = batch.refused.values()
    assert (reason.code, reason.text.startswith("cannot be read as")) == ("parquet_broken", False)


@pytest.mark.parametrize("kind", SEEDS)
def test_the_seeds_are_sound(kind: str) -> None:
    """Else the mutations would reach nothing."""
    for seed in SEEDS[kind]:
        taken = [outcome for outcome in become(*seed) if not isinstance(outcome, str) and not outcome.counts.is_empty()]
        assert any(batch.counts["rows_accepted"].sum() for batch in taken)
