"""Bad invoice files: each is refused with a reason or its rows are quarantined; never a crash, never half a number."""

from __future__ import annotations

import os
import random
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from schemas.reference import Reference
from tests.examples import examples
from tests.unit.transforms.invoice_files import CONTEXT, HEADER, balance, failures, put, refused, rows, run, warnings
from transforms.delivery import Context, Limits
from transforms.formats import delimited
from transforms.sources import purchase_invoices as source


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\n \n", "file_empty"),
        (bytes(range(256)) * 50, "binary_file"),
        (random.Random(1).randbytes(20_000), "binary_file"),
        (b"%PDF-1.4 ...", "wrong_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "wrong_format"),
        (b"<?xml version='1.0'?><ContractNotice/>", "wrong_format"),
        (b"id;date;text\n1;2021-01-01;x\n", "header_unrecognised"),
        (b"Kunnan nimi;Toimittajan nimi\nA;B\n", "amount_column_missing"),
        (HEADER.encode(), "no_rows"),
        (b"PK\x03\x04 broken", "zip_broken"),
        (b"PAR1 broken", "parquet_broken"),
        (b'{"case_id": [', "header_unrecognised"),
    ],
)
def test_whole_files_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    assert refused(put(tmp_path, content)) == {code}


def test_refusals_name_the_headers_found(tmp_path: Path) -> None:
    path = put(tmp_path, "Kunnan nimi;Toimittajan nimi;Hinta\nA;B;1\n")
    parts, _ = run(path)
    assert "'Hinta'" in parts[0].refused["id"][0].text


def test_files_without_dates_need_a_year(tmp_path: Path) -> None:
    content = "Toimittajan nimi;Tilin numero;Laskun summa ilman ALV\nOy A;4340;1,00\n"
    assert refused(put(tmp_path, content, "ostot.csv")) == {"coverage_unknown"}
    assert refused(put(tmp_path, content, "ostot_2019-2021.csv")) == {"coverage_ambiguous"}
    assert refused(put(tmp_path, content, "ostot_2021.csv")) == set()


@pytest.mark.parametrize("size", [100 * 1024**2])
def test_a_huge_single_line_is_refused_early(tmp_path: Path, size: int) -> None:
    path = tmp_path / "line_2021.csv"
    with path.open("wb") as file:
        file.truncate(0)
        for _ in range(size // 1024**2):
            file.write(b"a" * 1024**2)
    assert refused(path) == {"line_too_long"}
    path.write_bytes(HEADER.encode() + rows(10).encode() + b"x" * (3 * 1024**2) + b"\n" + rows(10).encode())
    assert refused(path) == {"line_too_long"}


def test_sizes_are_limited(tmp_path: Path) -> None:
    context = Context(CONTEXT.reference, Limits(delimited_bytes=100, other_bytes=100))
    assert refused(put(tmp_path, HEADER + rows(5)), context=context) == {"file_too_large"}
    assert refused(put(tmp_path, '{"case_id":"1","net_amount":1}\n' * 9), context=context) == {"file_too_large"}


WHOLE = (HEADER + rows(200)).encode()


@pytest.mark.parametrize(
    "end", [len(WHOLE) * tenth // 10 for tenth in range(1, 10)] + list(range(len(WHOLE) - 45, len(WHOLE) + 1))
)
def test_text_cut_in_the_middle_of_a_row_is_refused_whole(tmp_path: Path, end: int) -> None:
    cut = WHOLE[:end]
    parts, conclusion = run(put(tmp_path, cut))
    last = cut.rpartition(b"\n")[2]
    if last and last.count(b";") < 5:
        [reason] = [reason for part in parts for found in part.refused.values() for reason in found]
        assert reason.code == "file_cut_off"
        assert not any(part.accepted for part in parts)
        return
    assert not any(part.refused for part in parts)
    assert balance(parts, conclusion)["rows_read"] == cut.count(b"\n") - 1 + bool(last)
    assert warnings(parts) == ([("no_final_newline", cut.count(b"\n") + 1, None)] if last else [])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cut_text_in_other_encodings(tmp_path: Path, encoding: str, end: str) -> None:
    text = (HEADER + rows(5)).replace("\n", end)
    assert refused(put(tmp_path, (text + "6;06.03.20").encode(encoding))) == {"file_cut_off"}
    for ending in ("", "\x1a", end):
        parts, _ = run(put(tmp_path, (text + ending).encode(encoding)))
        assert not any(part.refused for part in parts)
        assert warnings(parts) == []
    parts, _ = run(put(tmp_path, text.removesuffix(end).encode(encoding)))
    assert warnings(parts) == [("no_final_newline", 6, None)]


def test_a_cut_file_of_many_parts_is_warned_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "ROWS_PER_PART", 10)
    monkeypatch.setattr(delimited, "read_blocks", lambda *a: lines_in_blocks(*a, size=500))
    from transforms.formats.lines import read_blocks as lines_in_blocks

    parts, conclusion = run(put(tmp_path, WHOLE[:-1]))
    assert len(parts) > 2
    assert warnings(parts) == [("no_final_newline", 201, None)]
    assert balance(parts, conclusion)["rows_accepted"] == 200
    assert refused(put(tmp_path, WHOLE[:-8])) == {"file_cut_off"}


def test_a_header_without_a_line_break_is_no_cut_row(tmp_path: Path) -> None:
    assert refused(put(tmp_path, HEADER.strip())) == {"no_rows"}


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "jsonl"])
@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated_files_of_other_formats(tmp_path: Path, kind: str, tenth: int) -> None:
    whole = tmp_path / f"whole_2021.{kind}"
    frame = pl.DataFrame(
        {"case_id": [str(n) for n in range(300)], "posting_date": ["2021-03-01"] * 300, "net_amount": ["1.25"] * 300}
    )
    if kind == "xlsx":
        frame.write_excel(whole)
    elif kind == "parquet":
        frame.write_parquet(whole)
    else:
        frame.write_ndjson(whole)
    data = whole.read_bytes()
    parts, conclusion = run(put(tmp_path, data[: len(data) * tenth // 10], f"cut_2021.{kind}"))
    codes = {reason.code for part in parts for found in part.refused.values() for reason in found}
    if kind == "jsonl":
        assert codes == set()
        assert balance(parts, conclusion)["rows_quarantined"] <= 1
    else:
        assert codes in ({"zip_broken"}, {"workbook_broken"}, {"parquet_broken"})
        assert not any(part.accepted for part in parts)


def test_nul_bytes_and_wrong_cells_are_quarantined_with_their_lines(tmp_path: Path) -> None:
    content = HEADER + rows(3) + "1;2;3\n" + "4;01.03.2021;A\0B Oy;;4340;5,00\n" + "\n" + rows(1) + "1;2;3;4;5;6;7\n" + rows(1)
    parts, conclusion = run(put(tmp_path, content))
    assert failures(parts, conclusion) == [("row_malformed", 5), ("row_malformed", 6), ("row_malformed", 9)]
    assert conclusion.set_aside["source_line"].to_list() == [7]
    assert pl.concat([part.accepted["posting_line"] for part in parts])["source_line"].to_list() == [2, 3, 4, 8, 10]


def test_mixed_encodings_are_quarantined(tmp_path: Path) -> None:
    latin, utf = rows(30).encode("latin-1"), rows(1).encode()
    parts, conclusion = run(put(tmp_path, HEADER.encode("latin-1") + latin + utf + latin))
    assert failures(parts, conclusion) == [("row_malformed", 32)]
    utf, latin = rows(30).encode(), rows(1).encode("latin-1")
    parts, conclusion = run(put(tmp_path, HEADER.encode() + utf + latin + utf))
    assert failures(parts, conclusion) == [("row_malformed", 32)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_encodings_are_read_alike(tmp_path: Path, encoding: str) -> None:
    text = HEADER + rows(50) + ("" if encoding == "latin-1" else "99;01.03.2021;Œuvre – Äö Oy;;4340;1,00\n")
    parts, conclusion = run(put(tmp_path, text.encode(encoding)))
    frame = parts[0].accepted["posting_line"]
    assert frame["supplier_name"][0] == "Sähkö 1 Oy"
    assert encoding == "latin-1" or frame["supplier_name"][-1] == "Œuvre – Äö Oy"
    assert failures(parts, conclusion) == []


def test_latin_1_after_megabytes_of_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "SAMPLE_BYTES", 2000)
    monkeypatch.setattr(delimited, "ROWS_PER_PART", 700)
    monkeypatch.setattr(delimited, "read_blocks", lambda *a: lines_in_blocks(*a, size=5000))
    from transforms.formats.lines import read_blocks as lines_in_blocks

    header = HEADER.replace("ä", "a").replace("Kirjauspaivamaara", "posting_date")
    plain = rows(2000).replace("ä", "a").replace("ö", "o")
    parts, conclusion = run(put(tmp_path, header.encode() + plain.encode() + rows(500, 2001).encode("latin-1")))
    frame = pl.concat([part.accepted["posting_line"] for part in parts])
    assert len(parts) > 2
    assert frame["source_line"].to_list() == list(range(2, 2502))
    assert frame["supplier_name"][-1] == "Sähkö 2500 Oy"
    assert frame["net_cents"].sum() == sum(n * 100 + 25 for n in range(1, 2501))
    assert failures(parts, conclusion) == []


@pytest.mark.parametrize(
    ("cells", "rule"),
    [("1;01.03.2021;Oy A;;4340;1e30", "amount_out_of_range"), ("1;01.03.2021;Oy A;;4340;", "amount_missing"),
     ("1;01.03.2021;Oy A;;4340;x", "amount_unreadable"), ("1;;Oy A;;4340;1,00", "date_missing"), ("1;31.02.2021;Oy A;;4340;1,00", "date_unreadable"),
     ("1;01.01.0000;Oy A;;4340;1,00", "date_out_of_range"), ("1;31.12.9999;Oy A;;4340;1,00", "date_out_of_range"),
     ("1;31.12.1999;Oy A;;4340;1,00", "date_out_of_range"), (";;;;;7,00", "keyless_row")],
)  # fmt: skip
def test_row_rules(tmp_path: Path, cells: str, rule: str) -> None:
    parts, conclusion = run(put(tmp_path, HEADER + rows(20) + cells + "\n"))
    assert failures(parts, conclusion) == [(rule, 22)]
    balance(parts, conclusion)


def test_no_organisation_is_a_failure(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        "lasku_id;tili;tiliointisumma;tositepvm;hankintayksikko_tunnus\n1;4 A;1.00;2021-01-01;\n2;4 A;1.00;2021-01-01;9\n",
    )
    parts, conclusion = run(path, "state")
    assert failures(parts, conclusion) == [("organisation_missing", 2)]


def bomb(path: Path, sheet: bytes) -> Path:
    book = xlsxwriter.Workbook(path)
    book.add_worksheet().write_row(0, 0, ["case_id", "posting_date", "net_amount"])
    book.close()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else data)
    return path


def test_workbook_bombs_are_refused_before_opening(tmp_path: Path) -> None:
    assert refused(bomb(tmp_path / "ratio_2021.xlsx", b" " * 30_000_000)) == {"zip_ratio"}
    context = Context(CONTEXT.reference, Limits(unpacked_bytes=1000))
    assert refused(bomb(tmp_path / "size_2021.xlsx", b"<x/>"), context=context) == {"zip_too_large"}


def test_a_doctype_in_a_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "doctype_2021.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet().write_row(0, 0, ["case_id", "posting_date", "net_amount"])
    book.get_worksheet_by_name("Sheet1").write_row(1, 0, ["1", "2021-01-01", 5])
    book.close()
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    evil = sheet.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet', 1)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, evil if name == "xl/worksheets/sheet1.xml" else data)
    assert refused(path) == {"doctype_refused"}


@pytest.mark.parametrize(
    ("part", "written", "lying"),
    [
        ("c", 'r="A2"', 'r="A99999999"'),
        ("c", 'r="A2"', 'r="AAAAAAA1"'),
        ("c", 'r="A2"', 'r="&#65;2"'),
        ("c", 'r="A2"', "r='A18446744073709551616'"),
        ("row", 'r="2"', 'r="99999999999"'),
        ("dimension", 'ref="A1:C2"', 'ref="A1:AAAAAAAA99"'),
    ],
)
def test_a_reference_that_no_sheet_has_is_refused_before_a_reader_believes_it(
    tmp_path: Path, part: str, written: str, lying: str
) -> None:
    path = tmp_path / "far_2021.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet().write_row(0, 0, ["case_id", "posting_date", "net_amount"])
    book.get_worksheet_by_name("Sheet1").write_row(1, 0, ["1", "2021-01-01", 5])
    book.close()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    changed = sheet.replace(f"<{part} {written}".encode(), f"<{part} {lying}".encode(), 1)
    assert changed != sheet
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, changed if name == "xl/worksheets/sheet1.xml" else data)
    assert refused(path) == {"workbook_broken"}


def test_rows_of_a_sheet_keep_their_numbers_and_formulas_are_found_in_shifted_sheets(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "shifted_2021.xlsx")
    sheet = book.add_worksheet()
    sheet.write_row(4, 2, ["case_id", "posting_date", "net_amount", "unit_name"])
    sheet.write_row(6, 2, ["1", "2021-01-01", 5, "x"])
    sheet.write_row(7, 2, ["2", "2021-01-01", 5])
    sheet.write_formula(7, 5, "=A1")  # a formula beside the amount does no harm
    sheet.write_row(8, 2, ["3", "2021-01-01"])
    sheet.write_formula(8, 4, "=SUM(E7:E8)", value=10)
    book.close()
    parts, conclusion = run(tmp_path / "shifted_2021.xlsx")
    assert failures(parts, conclusion) == [("amount_is_formula", 9)]
    assert parts[0].accepted["posting_line"]["source_line"].to_list() == [7, 8]


def test_parquet_with_typed_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"case_id": [7], "posting_date": [date(2021, 3, 1)], "net_amount": [9.68]}, schema_overrides={"case_id": pl.Int64}
    )
    frame.write_parquet(tmp_path / "typed_2021.parquet")
    parts, _ = run(tmp_path / "typed_2021.parquet")
    row = parts[0].accepted["posting_line"].row(0, named=True)
    assert (row["case_id"], row["posting_date"], row["net_cents"], row["source_line"]) == ("7", date(2021, 3, 1), 968, 1)


def test_an_agency_is_added_with_data_only(tmp_path: Path) -> None:
    reference = Reference.load(
        {
            "agencies.csv": "agency,name,sources,organisation_id,chart,layout,decimal_mark\nnewtown,Newtown,purchase_invoices,0988084-1,municipal,newtown,\n",
            "column_maps/purchase_invoices.csv": "layout,source_column,column,confirmed,origin\nnewtown,när,posting_date,yes,test\n"
            "newtown,hur mycket,net_amount,yes,test\nnewtown,av vem,supplier_name,yes,test\n",
        }
    )
    path = put(tmp_path, "När|Av vem|Hur  mycket\n2021-05-06|Bröd Ab|1 000,50\n")
    parts, conclusion = run(path, "newtown", Context(reference))
    row = parts[0].accepted["posting_line"].row(0, named=True)
    assert (row["organisation_id"], row["supplier_name"], row["net_cents"], row["period"]) == (
        "0988084-1",
        "Bröd Ab",
        100050,
        date(2021, 5, 1),
    )
    assert not conclusion.refused


def test_rows_that_end_with_a_lone_delimiter(tmp_path: Path) -> None:
    content = HEADER + rows(20).replace("\n", ";\n")
    parts, conclusion = run(put(tmp_path, content))
    assert failures(parts, conclusion) == []
    assert parts[0].accepted["posting_line"].height == 20


def test_cells_all_in_quotes(tmp_path: Path) -> None:
    content = "\n".join(";".join(f'"{cell}"' for cell in line.split(";")) for line in (HEADER + rows(20)).splitlines())
    parts, conclusion = run(put(tmp_path, content))
    assert failures(parts, conclusion) == []
    assert parts[0].accepted["posting_line"]["supplier_name"][0] == "Sähkö 1 Oy"


def test_line_ends_of_all_kinds(tmp_path: Path) -> None:
    for end in ("\r\n", "\r", "\n"):
        parts, conclusion = run(put(tmp_path, (HEADER + rows(20)).replace("\n", end)))
        assert failures(parts, conclusion) == []
        assert parts[0].accepted["posting_line"]["source_line"].to_list() == list(range(2, 22))


def test_a_total_that_does_not_add_up_is_quarantined_and_one_that_does_is_set_aside(tmp_path: Path) -> None:
    content = HEADER + rows(2) + ";;;;;3,50\n;;;;;3,51\n"
    parts, conclusion = run(put(tmp_path, content))
    assert conclusion.set_aside.select("source_line", "reason", "cents").rows() == [(4, "grand_total", 350)]
    assert failures(parts, conclusion) == [("keyless_row", 5)]
    assert balance(parts, conclusion)["cents_quarantined"] == 351


def test_real_notices_are_not_invoices() -> None:
    shared = Path(os.environ.get("NYCKELTAL_SHARED", Path(__file__).parents[4] / "shared"))
    notices = sorted((shared / "data" / "notices").rglob("*.xml"))[:20]
    if not notices:
        pytest.skip("no shared samples here")
    assert {source.recognise(path) for path in notices} == {0}


CELLS = st.one_of(
    st.sampled_from(["", "1,00", "-3,5", "01.03.2021", "0988084-1", "Oy A", "1e30", '"', "\0", "\u00a0", "Yhteensä"]),
    st.text(max_size=8),
)


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=30),
    st.sampled_from(["utf-8", "latin-1"]),
    st.sampled_from("\t;,|"),
)
def test_whatever_the_rows_nothing_is_lost(tmp_path: Path, cells: list[list[str]], encoding: str, delimiter: str) -> None:
    assume(sum('"' in "".join(row) for row in cells) < 2)  # lines from an open quote to the next quote are one row
    text = HEADER.replace(";", delimiter) + rows(3).replace(",", ".").replace(";", delimiter)
    text += "".join(delimiter.join(row).replace("\n", " ").replace("\r", " ") + "\n" for row in cells)
    parts, conclusion = run(put(tmp_path, text.encode(encoding, "replace")))
    if any(part.refused for part in parts):
        return
    counts = balance(parts, conclusion)
    assert counts["rows_read"] == 3 + len(cells)
    seen = Counter(line for part in parts if part.accepted for line in part.accepted["posting_line"]["source_line"])
    seen.update(set(pl.concat([*(part.failures for part in parts), conclusion.failures])["source_line"]))
    seen.update(conclusion.set_aside["source_line"].to_list())
    assert seen == Counter(range(2, 5 + len(cells)))


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([".csv", ".xlsx", ".jsonl", ".parquet"]),
    st.sampled_from([b"", HEADER.encode(), b"PK\x03\x04", b"PAR1", b"{"]),
)
def test_no_bytes_crash_the_readers(tmp_path: Path, data: bytes, suffix: str, start: bytes) -> None:
    path = put(tmp_path, start + data, f"fuzz_2021{suffix}")
    parts, conclusion = run(path)
    balance(parts, conclusion)
    assert 0 <= source.recognise(path) <= 100
