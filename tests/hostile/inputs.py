"""Two hundred files that are no honest delivery: each is refused by name, or read for what it is; none stops a night.

`INPUTS` gives, by a name that says what is wrong, the file's place in an inbox and a function that makes its bytes; made when asked
for, since some unpack to much.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = ["Kunnan nimi", "Tositenumero", "Tapaht.pvm", "Tilinumero", "Laskun summa ilman ALV"]
MB = 1024**2
INVOICES, NOTICES, CONTACTS, FORMS = (
    "kaarina/purchase_invoices",
    "hilma/procurement_notices",
    "palvelu/contact_requests",
    "palvelu/strategy_followup",
)
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class Hostile:
    """A file by its place below an inbox; `data()` makes it."""

    place: str
    data: Callable[[], bytes]


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def workbook(sheet: bytes, sheets: str = '<sheet name="a" sheetId="1" r:id="r1"/>', **parts: bytes) -> bytes:
    """A workbook of one part `sheet`; `sheets`: how the workbook names it; `parts`: others, `__` for a slash and `_dot_` for a dot."""
    members = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ).encode(),
        "xl/workbook.xml": f'<workbook xmlns="{SPREADSHEET}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>'.encode(),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>'
        ).encode(),
        "xl/worksheets/sheet1.xml": sheet,
    }
    members |= {name.replace("__", "/").replace("_dot_", "."): data for name, data in parts.items()}
    return zipped(members)


def sheet(rows: str, after: str = "", before: str = "") -> bytes:
    return f'<worksheet xmlns="{SPREADSHEET}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'.encode()


def cell(text: str, place: str = "", more: str = "") -> str:
    place = f' r="{place}"' if place else ""
    return f'<c{place} t="inlineStr"{more}><is><t>{text}</t></is></c>'


HEAD = "<row>" + "".join(cell(name) for name in HEADER) + "</row>"
ROW = "<row>" + "".join(cell(text) for text in ("Kaarina", "1", "15.03.2024", "4300", "12,50")) + "</row>"
RANGES = ("A99999999", "AAAAAAA1", "A0", "1A", "A", "XFE1", "A1048577", "ZZZ9999999", "A-1", "A1:B2", "Ä1", "A4294967297", "A18446744073709551617")
WRONG_VALUES = {
    "shared string that is not there": '<c t="s"><v>99999999</v></c>',
    "shared string below zero": '<c t="s"><v>-1</v></c>',
    "style that is not there": '<c s="4294967295"><v>1</v></c>',
    "number without end": f"<c><v>{'9' * 100_000}</v></c>",
    "exponent without end": "<c><v>1e999999999</v></c>",
    "not a number": "<c><v>NaN</v></c>",
    "error": '<c t="e"><v>#REF!</v></c>',
    "date before time": '<c t="d"><v>-99999-01-01</v></c>',
    "unknown type": '<c t="zzz"><v>1</v></c>',
    "cell in a cell": "<c><c><v>1</v></c></c>",
    "value twice": "<c><v>1</v><v>2</v></c>",
    "formula that calls a program": '<c t="str"><f>cmd|\' /C calc\'!A0</f><v>1</v></c>',
    "text of ten megabytes": cell("x" * 10 * MB),
    "rich text of many runs": '<c t="inlineStr"><is>' + "<r><t>x</t></r>" * 300_000 + "</is></c>",
}


def _workbooks() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for place in RANGES:
        yield f"cell at {place}", partial(lambda at: workbook(sheet(HEAD + ROW + f"<row>{cell('1', at)}</row>")), place)
    for number in ("99999999", "0", "-1", "4294967296", "x"):
        yield f"row {number}", partial(lambda n: workbook(sheet(HEAD + ROW + f'<row r="{n}">{cell("1")}</row>')), number)
    for reach in ("A1:XFD1048576", "A1:AAAAAAA99999999", "B2:A1", "A1:", ":", "A1:B2:C3"):
        yield f"dimension {reach}", partial(lambda at: workbook(sheet(HEAD + ROW, before=f'<dimension ref="{at}"/>')), reach)
        yield f"merged {reach}", partial(
            lambda at: workbook(sheet(HEAD + ROW, after=f'<mergeCells><mergeCell ref="{at}"/></mergeCells>')), reach
        )
    for name, content in WRONG_VALUES.items():
        yield name, partial(lambda c: workbook(sheet(HEAD + ROW + f"<row>{c}</row>")), content)
    yield "two million merged cells", lambda: workbook(
        sheet(HEAD + ROW, after="<mergeCells>" + '<mergeCell ref="A9:B9"/>' * 2_000_000 + "</mergeCells>")
    )
    yield "two hundred sheets of one part", lambda: workbook(
        sheet(HEAD + ROW * 20_000), "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, 201))
    )
    yield "five thousand sheets", lambda: workbook(
        sheet(HEAD), "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(5000))
    )
    yield "two far cells", lambda: workbook(sheet(HEAD + ROW + f'<row r="1048576">{cell("1", "XFD1048576")}</row>'))
    yield "a far column of cells", lambda: workbook(
        sheet(HEAD + "".join(f'<row r="{n}">{cell("1", f"XFD{n}")}</row>' for n in range(2, 3000)))
    )
    yield "a shared text a million times", lambda: workbook(
        sheet(HEAD + ('<row>' + '<c t="s"><v>0</v></c>' * 5 + "</row>") * 60_000),
        xl__sharedStrings_dot_xml=f'<sst xmlns="{SPREADSHEET}"><si><t>{"x" * 30_000}</t></si></sst>'.encode(),
    )
    yield "a million empty rows", lambda: workbook(sheet(HEAD + ROW + "<row/>" * 1_000_000))
    yield "ten million empty cells", lambda: workbook(sheet(HEAD + ("<row>" + "<c/>" * 100 + "</row>") * 100_000))
    yield "a million styles", lambda: workbook(
        sheet(HEAD + ROW),
        xl__styles_dot_xml=f'<styleSheet xmlns="{SPREADSHEET}"><cellXfs>'.encode() + b'<xf numFmtId="0"/>' * 1_000_000
        + b"</cellXfs></styleSheet>",
    )
    yield "elements nested without end", lambda: workbook(sheet(HEAD + "<row>" + "<c>" * 200_000))
    yield "doctype", lambda: workbook(b'<!DOCTYPE a [<!ENTITY x "y">]>' + sheet(HEAD + ROW))
    yield "entity of the file system", lambda: workbook(
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + sheet(HEAD + f"<row>{cell('&x;')}</row>")
    )
    yield "no sheets", lambda: workbook(sheet(""), "")
    yield "sheet that leads outside", lambda: workbook(
        sheet(HEAD),
        xl___rels__workbook_dot_xml_dot_rels=f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{RELATIONS}/worksheet" Target="../../../etc/passwd"/></Relationships>'.encode(),
    )
    yield "external sheet", lambda: workbook(
        sheet(HEAD),
        xl___rels__workbook_dot_xml_dot_rels=f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{RELATIONS}/worksheet" TargetMode="External" Target="http://example.invalid/"/></Relationships>'.encode(),
    )
    yield "sheet is its workbook", lambda: workbook(sheet(HEAD), xl__worksheets__sheet1_dot_xml=workbook(sheet(HEAD)))
    yield "sheet of nulls", lambda: workbook(b"\0" * 50_000)
    yield "sheet in UTF-16 that says UTF-8", lambda: workbook(
        b'<?xml version="1.0" encoding="UTF-8"?>' + sheet(HEAD + ROW).decode().encode("utf-16")
    )
    yield "sheet in an unknown encoding", lambda: workbook(b'<?xml version="1.0" encoding="zz-9"?>' + sheet(HEAD + ROW))
    yield "no content types", lambda: zipped({"xl/workbook.xml": b"<workbook/>"})
    yield "encrypted workbook", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096
    yield "workbook cut off", lambda: workbook(sheet(HEAD + ROW * 100))[:-200]
    yield "workbook of zeros behind its magic", lambda: b"PK\x03\x04" + b"\0" * 100_000


def _packed_lies() -> Iterator[tuple[str, Callable[[], bytes]]]:
    row = (b"Kaarina;1;15.03.2024;4300;12,50\n")
    text = ";".join(HEADER).encode() + b"\n" + row * 10
    for name in ("../a.csv", "/etc/a.csv", "C:/a.csv", "a\nb.csv", "a/../../b.csv", "..\\a.csv", "\u202ea.csv"):
        yield f"member called {name!r}", partial(lambda n: zipped({n: text}), name)
    yield "member without a name", lambda: zipped({"a.csv": text}).replace(b"a.csv", b"").replace(b"\x05\x00\x00\x00", b"\x00" * 4)
    yield "a member twice", lambda: _twice("a.csv", text)
    yield "bomb", lambda: zipped({"a.csv": b"\0" * 300 * MB})
    yield "bomb of bzip2", lambda: zipped({"a.csv": b"\0" * 100 * MB}, zipfile.ZIP_BZIP2)
    yield "bomb of lzma", lambda: zipped({"a.csv": b"\0" * 100 * MB}, zipfile.ZIP_LZMA)
    yield "zip in a zip", lambda: zipped({"a.zip": zipped({"b.zip": zipped({"a.csv": text})})})
    yield "many members", lambda: zipped({f"{n}.csv": b"" for n in range(60_000)}, zipfile.ZIP_STORED)
    yield "names of 60,000 characters", lambda: zipped({f"{n}" + "x" * 60_000 + ".csv": b"a" for n in range(20)})
    yield "size that lies", lambda: _lying(zipped({"a.csv": text}))
    yield "checksum that lies", lambda: _bent(zipped({"a.csv": text * 100}), 60)
    yield "cut off", lambda: zipped({"a.csv": text * 100})[:-40]
    yield "only its end", lambda: b"PK\x05\x06" + b"\0" * 18
    yield "encrypted member", lambda: _flagged(zipped({"a.csv": text}))
    yield "comment of 60,000 bytes", lambda: zipped({"a.csv": text})[:-2] + struct.pack("<H", 60_000) + b"x" * 60_000
    yield "unknown method", lambda: _of_method(zipped({"a.csv": text}), 99)


def _of_method(data: bytes, method: int) -> bytes:
    place = data.index(b"PK\x01\x02")
    return data[: place + 10] + struct.pack("<H", method) + data[place + 12 :]


def _twice(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
        archive.writestr("b" + name[1:], data)
    return buffer.getvalue().replace(b"b" + name[1:].encode(), name.encode())


def _lying(data: bytes) -> bytes:
    place = data.index(b"PK\x01\x02")
    return data[: place + 24] + struct.pack("<I", 7) + data[place + 28 :]


def _bent(data: bytes, place: int) -> bytes:
    return data[:place] + bytes(byte ^ 0x55 for byte in data[place : place + 8]) + data[place + 8 :]


def _flagged(data: bytes) -> bytes:
    place = data.index(b"PK\x01\x02")
    return data[: place + 8] + b"\x01\x00" + data[place + 10 :]


def _texts() -> Iterator[tuple[str, Callable[[], bytes]]]:
    head = ";".join(HEADER).encode() + b"\n"
    row = b"Kaarina;1;15.03.2024;4300;12,50\n"
    yield "nothing but a header", lambda: head
    yield "nulls", lambda: b"\0" * 100_000
    yield "one line of twenty megabytes", lambda: head + b"x" * 20 * MB
    yield "a quote never closed", lambda: head + row + b'"' + row * 200_000
    yield "quotes only", lambda: head + b'"' * MB
    yield "a million columns", lambda: b";".join([b"a"] * 500_000) + b"\n" + row
    yield "delimiters only", lambda: head + b";" * MB + b"\n" * 10
    yield "blank lines", lambda: head + b"\n" * 5 * MB
    yield "every row broken", lambda: head + b"Kaarina;1;99.99.2024;4300;zz\n" * 500_000
    yield "amounts beyond a number", lambda: head + b"Kaarina;1;15.03.2024;4300;" + b"9" * 5000 + b",50\n" + row
    yield "amount of infinity", lambda: head + b"Kaarina;1;15.03.2024;4300;Infinity\n" + row
    yield "formulas", lambda: head + b"=cmd|' /C calc'!A0;1;15.03.2024;4300;12,50\n" + row
    yield "escape codes", lambda: head + b"\x1b[2J\x1b]0;x\x07;1;15.03.2024;4300;12,50\n" + row
    yield "UTF-16 without a mark", lambda: (head + row).decode().encode("utf-16-le")
    yield "UTF-32", lambda: (head + row).decode().encode("utf-32")
    yield "UTF-7", lambda: (head + row).decode().encode("utf-7")
    yield "UTF-8 broken off", lambda: head + row + b"Kaarina\xc3"
    yield "overlong UTF-8", lambda: head + b"\xc0\x80\xe0\x80\x80;1;15.03.2024;4300;12,50\n" + row
    yield "several encodings", lambda: head + "Säätiö".encode() + b";" + "Säätiö".encode("latin-1") + b";15.03.2024;4300;1,00\n"
    yield "carriage returns only", lambda: (head + row * 3).replace(b"\n", b"\r")
    yield "header twice", lambda: head + head + row
    yield "headings of a kilobyte", lambda: b";".join([b"Tositenumero" * 100] * 50) + b"\n" + row
    yield "dates of all ages", lambda: head + b"".join(f"Kaarina;1;01.01.{year:04};4300;1,00\n".encode() for year in range(0, 9999, 37))
    yield "random bytes", lambda: bytes((n * 7919 + (n >> 3)) % 256 for n in range(200_000))
    yield "a picture", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 5000
    yield "a PDF", lambda: b"%PDF-1.7\n" + b"0" * 5000
    yield "a web page", lambda: b"<!DOCTYPE html><html><body>" + b"<p>x</p>" * 1000
    yield "a program", lambda: b"\x7fELF" + b"\0" * 5000
    yield "gzip bomb", lambda: _gzip(b"\0" * 300 * MB)
    yield "gzip cut off", lambda: _gzip(head + row * 1000)[:-20]


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _jsons() -> Iterator[tuple[str, Callable[[], bytes]]]:
    record = dict(zip(HEADER, ("Kaarina", "1", "2024-03-15", "4300", 12.5), strict=True))
    line = json.dumps(record).encode() + b"\n"
    yield "empty lists", lambda: b"[" + b"[]," * 7_000_000 + b"[]]"
    yield "empty objects", lambda: b"[" + b"{}," * 7_000_000 + b"{}]"
    yield "zeros", lambda: b"[" + b"0," * 10_000_000 + b"0]"
    yield "nested without end", lambda: b"[" * 200_000
    yield "objects nested without end", lambda: b'{"a":' * 200_000
    yield "number without end", lambda: b'[{"a":' + b"9" * MB + b"}]"
    yield "exponent without end", lambda: line.replace(b"12.5", b"1e999999999")
    yield "not numbers", lambda: line.replace(b"12.5", b"NaN") + line.replace(b"12.5", b"-Infinity")
    yield "text without end", lambda: b'[{"a":"' + b"x" * 20 * MB
    yield "half a surrogate", lambda: line.replace(b"Kaarina", b"\\ud800")
    yield "null characters", lambda: line.replace(b"Kaarina", b"\\u0000")
    yield "a key twice", lambda: b'{"Tositenumero":1,' + line[1:]
    yield "a different key in each object", lambda: b"[" + b",".join(f'{{"k{n}":1}}'.encode() for n in range(20_000)) + b"]"
    yield "not closed", lambda: b"[" + line[:-1]
    yield "several documents", lambda: line * 3 + b"[]" + line
    yield "true for an amount", lambda: line.replace(b"12.5", b"true")
    yield "objects for cells", lambda: line.replace(b"12.5", b'{"a":{"b":[1]}}')
    yield "in UTF-16", lambda: line.decode().encode("utf-16")
    yield "only a text", lambda: b'"x"'
    yield "only null", lambda: b"null"
    yield "a byte order mark in the middle", lambda: line + b"\xef\xbb\xbf" + line
    yield "Base64 of nothing", lambda: b'[{"eFormsXml":"!!!!"}]'
    yield "Base64 of a bomb", lambda: b'[{"eFormsXml":"' + b"PGE+" * 5 * MB + b'"}]'
    yield "pages without end", lambda: json.dumps({"value": [record], "@odata.nextLink": "http://example.invalid/"}).encode()


def _documents() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def root(content: bytes, before: bytes = b"") -> bytes:
        space = b"urn:oasis:names:specification:ubl:schema:xsd:ContractAwardNotice-2"
        return b'<?xml version="1.0"?>' + before + b'<ContractAwardNotice xmlns="' + space + b'">' + content + b"</ContractAwardNotice>"

    laughs = b"".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">'.encode() for n in range(1, 10))
    yield "billion laughs", lambda: root(b"&l9;", b'<!DOCTYPE a [<!ENTITY l0 "x">' + laughs + b"]>")
    yield "quadratic entity", lambda: root(b"&x;" * 50_000, b'<!DOCTYPE a [<!ENTITY x "' + b"x" * 50_000 + b'">]>')
    yield "file of the system", lambda: root(b"&x;", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    yield "address of the network", lambda: root(b"&x;", b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://example.invalid/">]>')
    yield "parameter entity", lambda: root(b"", b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://example.invalid/"> %x;]>')
    yield "doctype in UTF-16", lambda: root(b"&x;", b'<!DOCTYPE a [<!ENTITY x "y">]>').decode().replace(
        '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>'
    ).encode("utf-16")
    yield "twenty megabytes of elements", lambda: root(b"<b/>" * 5 * MB)
    yield "elements beside each other, closed", lambda: root(b"<b></b>" * 2 * MB)
    yield "attributes without end", lambda: root(b"<b " + b" ".join(f'a{n}="1"'.encode() for n in range(300_000)) + b"/>")
    yield "namespaces without end", lambda: root(b"<b " + b" ".join(f'xmlns:a{n}="u:{n}"'.encode() for n in range(50_000)) + b"/>")
    yield "nested without end", lambda: root(b"<b>" * 100_000)
    yield "nested to 200", lambda: root(b"<b>" * 200 + b"</b>" * 200)
    yield "a name of a megabyte", lambda: root(b"<" + b"b" * MB + b"/>")
    yield "a text of thirty megabytes", lambda: root(b"<b>" + b"x" * 30 * MB + b"</b>")
    yield "an attribute of thirty megabytes", lambda: root(b'<b c="' + b"x" * 30 * MB + b'"/>')
    yield "comments", lambda: root(b"<!--x-->" * MB)
    yield "instructions", lambda: root(b"<?x y?>" * MB)
    yield "character data", lambda: root(b"<![CDATA[" + b"]]" * 100_000 + b"]]>")
    yield "character references", lambda: root(b"&#x41;" * MB)
    yield "stylesheet", lambda: root(b"", b'<?xml-stylesheet href="http://example.invalid/x.xsl"?>')
    yield "inclusion", lambda: root(b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>')
    yield "schema elsewhere", lambda: root(
        b'<b xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a http://example.invalid/"/>'
    )
    yield "unknown encoding", lambda: root(b"").replace(b'"1.0"?', b'"1.0" encoding="zz-9"?')
    yield "two roots", lambda: root(b"") * 2
    yield "cut off", lambda: root(b"<b>1</b>")[:-10]
    yield "another vocabulary", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    yield "control characters", lambda: root(b"<b>\x01\x02</b>")
    yield "nulls inside", lambda: root(b"<b>\0\0</b>")
    yield "only an opening", lambda: b"<"
    yield "no bytes but a declaration", lambda: b'<?xml version="1.0"?>'


def _tables() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def table(columns: Mapping[str, object], **options: object) -> bytes:
        buffer = io.BytesIO()
        pq.write_table(pa.table(dict(columns)), buffer, **options)
        return buffer.getvalue()

    def rows(number: int, **others: object) -> dict[str, object]:
        cells = ("Kaarina", "1", "15.03.2024", "4300", "12,50")
        return dict(zip(HEADER, ([text] * number for text in cells), strict=True)) | others

    sound = table(rows(30))
    yield "twenty million nulls", lambda: table({name: pa.nulls(20_000_000, pa.string()) for name in HEADER})
    yield "one long text, many times", lambda: table(
        {name: pa.DictionaryArray.from_arrays(pa.array([0] * 300_000, pa.int32()), pa.array(["x" * 100_000])) for name in HEADER}
    )
    yield "five million rows of one", lambda: table({name: pa.array(["x"]).take(pa.nulls(5_000_000, pa.int64()).fill_null(0)) for name in HEADER})
    yield "nested lists", lambda: table(rows(3) | {"Laskun summa ilman ALV": pa.array([[[[1]]]] * 3)})
    yield "structures", lambda: table(rows(3) | {"Tositenumero": pa.array([{"a": {"b": 1}}] * 3)})
    yield "maps", lambda: table(rows(3) | {"Tositenumero": pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int64()))})
    yield "wide binary", lambda: table(rows(3) | {"Tositenumero": pa.array([b"x" * 5000] * 3, pa.binary(5000))})
    yield "bytes that are no text", lambda: table(rows(3) | {"Kunnan nimi": pa.array([b"\xff\xfe"] * 3)})
    yield "floats that are no numbers", lambda: table(rows(3) | {"Laskun summa ilman ALV": [float("nan"), float("inf"), 1e300]})
    yield "decimals of 76 digits", lambda: table(
        rows(3) | {"Laskun summa ilman ALV": pa.array([None, None, 10**75], pa.decimal256(76, 0))}
    )
    yield "truth values for amounts", lambda: table(rows(3) | {"Laskun summa ilman ALV": [True, False, True]})
    yield "times at the end of time", lambda: table(
        rows(3) | {"Tapaht.pvm": pa.array([2**63 - 1, -(2**63), 0], pa.timestamp("us"))}
    )
    yield "ten thousand columns", lambda: table(rows(2) | {f"c{n}": [1, 2] for n in range(10_000)})
    yield "a column twice", lambda: _bytes(pa.Table.from_arrays([pa.array(["1"])] * 2, ["Tositenumero", "Tositenumero"]))
    yield "no columns", lambda: _bytes(pa.table({}))
    yield "no rows", lambda: table(rows(0))
    yield "many groups", lambda: table(rows(5000), row_group_size=1)
    yield "metadata of ten megabytes", lambda: _bytes(pa.table(rows(3)).replace_schema_metadata({"x": "y" * 10 * MB}))
    yield "cut off", lambda: sound[:-20]
    yield "only its magic", lambda: b"PAR1PAR1"
    yield "footer longer than the file", lambda: sound[:-8] + struct.pack("<I", 2**31 - 1) + b"PAR1"
    yield "footer of zeros", lambda: sound[:-200] + b"\0" * 192 + sound[-8:]
    for number in range(8):
        yield f"footer bent at {number}", partial(lambda n: _bent(sound, len(sound) - 20 - 37 * n), number)
    yield "pages bent", lambda: _bent(sound, 30)


def _bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


KINDS: tuple[tuple[str, str, str, Callable[[], Iterator[tuple[str, Callable[[], bytes]]]]], ...] = (
    ("workbook", INVOICES, "xlsx", _workbooks),
    ("form", FORMS, "xlsx", lambda: (one for at, one in enumerate(_workbooks()) if at % 5 == 0)),
    ("zip", INVOICES, "zip", _packed_lies),
    ("text", INVOICES, "csv", _texts),
    ("JSON", INVOICES, "json", _jsons),
    ("contacts", CONTACTS, "json", _jsons),
    ("notices", NOTICES, "json", _jsons),
    ("notice", NOTICES, "xml", _documents),
    ("Parquet", INVOICES, "parquet", _tables),
)
INPUTS: dict[str, Hostile] = {
    f"{kind}: {name}": Hostile(f"{place}/{kind}_{number:03}.{ending}", data)
    for kind, place, ending, inputs in KINDS
    for number, (name, data) in enumerate(inputs())
}
AGENCIES = "agency,name,sources\npalvelu,Palvelu,contact_requests|strategy_followup\n"
"""Register of the agencies whose inboxes they lie in, beside those that the product knows."""
