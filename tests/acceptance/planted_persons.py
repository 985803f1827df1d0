"""Persons in every place where a text can stand in what agencies deliver, and where any of them is found again.

Each of the sample's files, one of every source and format, gets persons that nobody asked for: in its name, its manifest, headings
and cells of columns that no contract has, sheet and member names, keys, attributes, comments, properties and metadata. Invoices have
them in the columns that contracts have, too; some files are refused. No name here is one that registers or word lists know.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pyarrow.parquet as pq
from openpyxl.comments import Comment

from tests.hostile.inputs import zipped

FIRST = (
    "hallan", "kuuran", "roudan", "tyrskyn", "usvan", "havun", "katajan", "pihkan", "sammalen", "naavan", "turpeen", "rahkan",
    "suopursun", "karpalon", "muuramen", "vaapukan", "mesin", "humalan", "hopean", "pronssin", "messingin", "nikkelin", "kuparin",
    "lyijyn", "sinkin", "kobaltin", "vanadin", "kvartsin",
)
LAST = (
    "poukama", "notkelma", "harjanne", "mutkala", "selkala", "uomala", "saarnio", "pajukko", "myllyla", "ahtola", "kiisla", "korento",
    "varpula", "tuohela", "nivera", "sakila", "vuoltee", "hakamaa", "lietso", "ruskea", "torvela",
)
GIVEN = ("Eemeliina", "Ojaspekka", "Vilhelmus", "Säteri", "Tuovikki", "Aapokas", "Helinor", "Kertturi")
ROWS_PLANTED = 11
HEADS = (
    "Kunnan nimi;Tulosyksikön ID;Tulosyksikön nimi;Tositenumero;Kirjauspäivämäärä;Toimittajan nimi;Toimittajan y-tunnus;"
    "Toimittajan maakoodi;Tilin numero;Tilin nimi;Palveluluokka;Hilma-tunnus;Laskun summa ilman ALV"
)
SOUND = "Koelan kaupunki;12;Keskus;77;01.03.2024;Sähkö Oy;0988084-1;FI;4340;Palvelujen ostot;Siivous;2021-1;5,00"


@dataclass
class Persons:
    """Gives out persons, each once, and keeps the place where each was planted and the agency that delivered it."""

    places: dict[str, str] = field(default_factory=dict)
    agencies: dict[str, str] = field(default_factory=dict)
    agency: str = ""
    _surnames: Iterator[str] = field(default_factory=lambda: ("".join(pair) for pair in product(FIRST, LAST)))

    def at(self, place: str) -> str:
        """A first name and a surname of a person who stands at `place`."""
        surname = next(self._surnames)
        self.places[surname], self.agencies[surname] = place, self.agency
        return f"{GIVEN[len(self.places) % len(GIVEN)]} {surname.title()}"


def plant(persons: Persons, path: Path, place: str) -> Path:
    """Plant persons in and around a file; returns the file, renamed."""
    planted: Callable[[Persons, bytes, str], bytes] | None = PLANTED.get(path.suffix.lower())
    if planted is not None:
        path.write_bytes(planted(persons, path.read_bytes(), place))
    manifest = path.with_name(f"{path.name}.manifest.json")
    known = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
    known |= {"contact": persons.at(f"{place}: manifest value"), persons.at(f"{place}: manifest key"): "yes"}
    renamed = path.with_name(f"{persons.at(f'{place}: file name')} {path.name}")
    path.rename(renamed)
    manifest.unlink(missing_ok=True)
    renamed.with_name(f"{renamed.name}.manifest.json").write_text(json.dumps(known), "utf-8")
    return renamed


def _csv(persons: Persons, data: bytes, place: str) -> bytes:
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = "latin-1", data.decode("latin-1")
    delimiter = max(";,\t|", key=text.partition("\n")[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    width = max(map(len, rows))
    for number, row in enumerate(rows[: ROWS_PLANTED + 1]):
        row.extend([*[""] * (width - len(row)), persons.at(f"{place}: {'cell' if number else 'heading'}")])
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue().encode(encoding)


def _json(persons: Persons, data: bytes, place: str) -> bytes:
    try:
        content = json.loads(data)
    except json.JSONDecodeError:  # pages of an answer, one after the other
        return _jsonl(persons, data, place)
    for item in list(_objects(content))[:ROWS_PLANTED]:
        item[persons.at(f"{place}: key")] = persons.at(f"{place}: value")
    return json.dumps(content, ensure_ascii=False).encode()


def _jsonl(persons: Persons, data: bytes, place: str) -> bytes:
    lines = data.decode().splitlines()
    for number, line in enumerate(lines[:ROWS_PLANTED]):
        lines[number] = _json(persons, line.encode(), place).decode()
    return "\n".join(lines).encode()


def _objects(content: Any) -> Iterator[dict[str, Any]]:
    if isinstance(content, dict):
        yield content
    for inner in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from _objects(inner)


def _xml(persons: Persons, data: bytes, place: str) -> bytes:
    text = data.decode()
    attribute, comment, element = (persons.at(f"{place}: {word}") for word in ("attribute", "comment", "element"))
    text = re.sub(r"(<[A-Za-z][^>?!]*?)(/?>)", rf'\1 huom="{attribute}"\2<!-- {comment} -->', text, count=1)
    return re.sub(r"(</[^<]*>\s*)$", rf'<x:huom xmlns:x="urn:x" nimi="{element}">{element}</x:huom>\1', text).encode()


def _xlsx(persons: Persons, data: bytes, place: str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    column = sheet.max_column + 1
    for row in range(1, min(sheet.max_row, ROWS_PLANTED + 1) + 1):
        sheet.cell(row, column, persons.at(f"{place}: {'cell' if row > 1 else 'heading'}"))
    sheet.cell(1, 1).comment = Comment(persons.at(f"{place}: comment"), persons.at(f"{place}: author of a comment"))
    book.properties.creator = persons.at(f"{place}: creator")
    book.properties.title = persons.at(f"{place}: title")
    hidden = book.create_sheet(persons.at(f"{place}: hidden sheet"))
    hidden["A1"], hidden.sheet_state = persons.at(f"{place}: cell of a hidden sheet"), "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet(persons: Persons, data: bytes, place: str) -> bytes:
    table = pq.read_table(io.BytesIO(data))
    names = [persons.at(f"{place}: cell") if row < ROWS_PLANTED else "" for row in range(table.num_rows)]
    table = table.append_column(persons.at(f"{place}: heading"), [names])
    table = table.replace_schema_metadata({persons.at(f"{place}: metadata key"): persons.at(f"{place}: metadata value")})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _zip(persons: Persons, data: bytes, place: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    planted = {}
    for number, (name, content) in enumerate(members.items()):
        inner = PLANTED.get(Path(name).suffix.lower())
        if number < ROWS_PLANTED and inner is not None:
            planted[f"{persons.at(f'{place}: member name')}/{name}"] = inner(persons, content, f"{place}: {Path(name).suffix}")
        else:
            planted[name] = content
    return zipped(planted | {f"{persons.at(f'{place}: member beside')}.txt": persons.at(f"{place}: text member").encode()})


PLANTED = {
    ".csv": _csv, ".tsv": _csv, ".json": _json, ".jsonl": _jsonl, ".xml": _xml, ".xlsx": _xlsx, ".parquet": _parquet, ".zip": _zip,
}  # fmt: skip


def invoices(persons: Persons, folder: Path) -> Path:
    """An invoice file with persons in every column that contracts have, sound rows and broken ones."""
    heads = HEADS.split(";")
    sound = SOUND.split(";")
    rows = [[persons.at("invoices: above the header")], heads, *([*sound] for _ in range(400))]
    for column, head in enumerate(heads):
        for row in rows[2 + 6 * column : 8 + 6 * column]:
            row[column] = persons.at(f"invoices: {head}")
    for row, form in zip(rows[100:], ("Kuolinpesä {}", "T:mi {}", "F:ma {}", "{} c/o Malli Oy", "{}n perhepäivähoito"), strict=False):
        row[5] = form.format(persons.at(f"invoices: {form}"))
    path = folder / "ostot_2024.csv"
    path.write_text("\n".join(";".join(row) for row in rows) + "\n", "utf-8")
    return path


def refused(persons: Persons, folder: Path) -> list[Path]:
    """Files that cannot be read, each with persons in its name and bytes."""
    texts = {
        "kuva.png": "\x89PNG {}", "tyhja.csv": "{}\n{}\n", "rikki.xlsx": "PK {}", "ilmoitus.xml": "<a><{}></a>", "otsake.csv": "{};{}\n1;2\n",
        "lista.json": '{{"{}": ["{}"]}}', "rivit.jsonl": '{{"{}": "{}"}}\nrikki {}\n', "paketti.zip": "PK\x03\x04{}",
    }  # fmt: skip
    found = []
    for name, text in texts.items():
        path = folder / f"{persons.at(f'refused {name}: file name')} {name}"
        path.write_text(text.format(*(persons.at(f"refused {name}: content") for _ in range(text.count("{}")))), "utf-8")
        found.append(path)
    return found


def found_in(home: Path, persons: Persons, may_tell: Callable[[Path, str], bool]) -> Counter[tuple[str, str]]:
    """How many persons are found where (file, table and column; place of planting). `may_tell`: whether a file below the home may tell
    of what an agency delivered."""
    surnames = sorted(persons.places)
    hits: Counter[tuple[str, str]] = Counter()
    for path in sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink()):
        below = path.relative_to(home)
        for where, cells in {"path": [str(below).lower()], **_texts(path)}.items():
            for surname in _among(cells, surnames):
                if not may_tell(below, persons.agencies[surname]):
                    hits[f"{below.parts[0]}: {where}", persons.places[surname]] += 1
    return hits


def _texts(path: Path) -> dict[str, list[str]]:
    """The texts of a file in lower case: of tables by column, else its bytes."""
    if path.suffix == ".duckdb":
        con = duckdb.connect(str(path), read_only=True)
        try:
            tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
            return {f"{schema}.{table}.{column}": cells for schema, table in tables for column, cells in _columns(con, f'"{schema}"."{table}"')}
        finally:
            con.close()
    if path.suffix == ".parquet":
        return {"column": [json.dumps(pl.read_parquet(path).select(pl.col(pl.String)).to_dicts(), ensure_ascii=False).lower()]}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        return {
            name: [pl.read_parquet(io.BytesIO(data)).select(pl.col(pl.String)).write_csv().lower()]
            for name, data in parts.items()
            if name.endswith(".parquet")
        }
    data = path.read_bytes()
    return {"bytes": [data.decode("utf-8", "replace").lower(), data.decode("latin-1").lower()]}


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> Iterator[tuple[str, list[str]]]:
    for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {table}").fetchall():
        if kind == "VARCHAR":
            yield name, [row[0] for row in con.execute(f'SELECT DISTINCT lower("{name}") FROM {table} WHERE "{name}" IS NOT NULL').fetchall()]


def _among(cells: list[str], surnames: list[str]) -> list[str]:
    column = pl.Series(cells, dtype=pl.String)
    found = column.str.extract_many(surnames, overlapping=True).explode().drop_nulls()
    return sorted(set(found.to_list()))
