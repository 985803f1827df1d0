"""Contact requests: the columns of exports become the contract's, their words its codes; and the source's own rules.

An export's column set is its view, in the language of who exports. Which heading means which column stands in the contract;
an agency's own headings, words, customers and joint procurements are registers. What no register knows of a customer or a
joint procurement is dropped here, before anything is stored: it may be a person's name or free text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

import polars as pl

from schemas.contact_requests import CASE, CONTRACT, PARENTS, UNMAPPED
from schemas.forms import delivered
from schemas.reference import Reference
from transforms.aliases import aliases_on
from transforms.formats import dataverse
from transforms.formats.detect import HEADER_WITHIN, heading_of, normalise_header
from transforms.formats.grids import FORMULA, Cells, Grid
from transforms.ids import is_ruined
from transforms.sources.form_cleaning import Broken
from transforms.sources.forms import Form
from transforms.suppliers import business_id

DECIDED = ("state", "status_reason", "origin", "request_type", "joint_procurement", "organisation_id")
"""Columns whose cell is decided from everything that stands under any of their headings."""
REQUIRED = {"case_id", "received_at"}
ELSE = {"status_reason": "other", "origin": "other", "request_type": UNMAPPED}
"""What an unknown word becomes: systems let agencies add status reasons and origins; an unknown state is an error."""
_HIDDEN = re.compile(r"\([^)]+\)\s*\S")
_PREFIXED = re.compile(r"([a-z][a-z0-9]{1,7})_(\w+)", re.IGNORECASE)
_DEFAULT_PREFIX = re.compile(r"new|cr[0-9a-f]{3,5}", re.IGNORECASE)
CUSTOM = ("first_response_at", "reopened_at")
"""Columns that no table of Dataverse has by itself."""
BEHIND = 1000
"""How far names with a prefix stand behind all others."""
_CODE = re.compile(r"(?=.*\d)[\w-][\w./-]{0,31}", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CASE_ID = r"^\S{0,99}\d\S{0,99}$"
"""Ids of systems hold a digit; a name or a title in their place is no id."""


def _joined(heading: str) -> str:
    """A heading as it is compared: logical names have nothing between their words, or an underscore."""
    return heading_of(heading).replace("_", "").replace("-", "")


_PARENTS = frozenset(map(_joined, PARENTS))
Decide = Callable[[Sequence[str]], str]


@lru_cache(maxsize=1)
def _headings() -> Mapping[str, tuple[str, int]]:
    """Known heading -> its column and its rank among the column's headings."""
    found: dict[str, tuple[str, int]] = {}
    for column in delivered(CASE):
        for rank, heading in enumerate((column.name, *(column.labels or {}).values(), *column.also)):
            found.setdefault(_joined(heading), (column.name, rank))
    return found


def ready(grid: Grid, reference: Reference | None, agency: str, day: date | None) -> Grid:
    """The grid with the contract's headings, codes and ids; a grid without a case and its time of receipt as it is: no table is
    found in it then, as headings are compared as `Form` compares them.

    The first three columns of an Excel export are hidden ones, "(Do Not Modify) ..." in whatever language: the case's id, a
    checksum, the time of change.
    """
    known = dict(_headings())
    if reference is not None:
        own = reference.table("codelists/contact_headings.csv").filter(agency=agency)
        known |= {_joined(row["delivered"]): (row["column"], -1) for row in own.iter_rows(named=True)}
    plain = dataverse.plain(grid, lambda name: _meant(name, known)[0] in DECIDED)
    best: tuple[int, dict[str, list[int]]] = (0, {})
    for at, cells in enumerate(plain.rows[: 1 if plain.has_header else HEADER_WITHIN]):
        places = _places(cells, known)
        if len(places) > len(best[1]) and set(places) >= REQUIRED:
            best = at, places
    at, places = best
    if not places:
        return plain
    before = plain.rows[at]
    header = [
        "" if plain is not grid or any(place in found for found in places.values()) else name for place, name in enumerate(before)
    ]
    if _is_hidden(before):
        header[1] = ""
    for column, found in places.items():
        header[found[0]] = column
    parents = {place for place in places.get("is_child", []) if _joined(before[place]) in _PARENTS}
    decides = {} if reference is None or day is None else _decides(reference, agency, day)
    rows = [*plain.rows[:at], header, *(_row(row, places, parents, decides) for row in plain.rows[at + 1 :])]
    read = {place for column, found in places.items() for place in (found if column in DECIDED else found[:1])}
    unread = [name for place, name in enumerate(before) if name.strip() and place not in read and not header[place].strip()]
    return replace(plain, rows=rows, unread=unread)


def _is_hidden(cells: Cells) -> bool:
    return len(cells) > 3 and all(_HIDDEN.match(cell.strip()) for cell in cells[:3])


def _places(cells: Cells, known: Mapping[str, tuple[str, int]]) -> dict[str, list[int]]:
    """Column -> the places of its headings, the preferred one first."""
    ranked: dict[str, list[tuple[int, int]]] = {}
    for place, cell in enumerate(cells):
        column, rank = _meant(cell, known)
        if column:
            ranked.setdefault(column, []).append((rank, place))
    if _is_hidden(cells):
        ranked.setdefault("case_id", []).append((-2, 0))
        ranked.setdefault("modified_at", []).append((-2, 2))
    return {column: [place for _, place in sorted(found)] for column, found in ranked.items()}


def _meant(heading: str, known: Mapping[str, tuple[str, int]]) -> tuple[str, int]:
    """(column, rank) of a heading, "" where it is not known. A custom column's logical name begins with its publisher's prefix."""
    if (found := known.get(_joined(heading))) is not None:
        return found
    prefixed = _PREFIXED.fullmatch(heading.strip())
    column, rank = known.get(_joined(prefixed[2]), ("", 0)) if prefixed else ("", 0)
    is_own = prefixed is not None and (column in CUSTOM or _DEFAULT_PREFIX.fullmatch(prefixed[1]) is not None)
    return (column, rank + BEHIND) if column and is_own else ("", 0)


def _row(row: Cells, places: Mapping[str, list[int]], parents: set[int], decides: Mapping[str, Decide]) -> Cells:
    cells = list(row)
    for column, found in places.items():
        if found[0] >= len(row):
            continue
        if column in decides:
            texts = [row[place] for place in found if place < len(row)]
            words = [word.strip() for text in texts for word in text.split(dataverse.SEPARATOR) if word.strip()]
            cells[found[0]] = FORMULA if FORMULA in words else decides[column](words) if words else ""
        elif found[0] in parents and row[found[0]].strip() not in ("", FORMULA):
            cells[found[0]] = "true"
    return cells


def _decides(reference: Reference, agency: str, day: date) -> Mapping[str, Decide]:
    words = reference.table("codelists/contact_words.csv")
    found = {
        kind: _coded(_known(words.filter(kind=kind), "code", agency), _own_words(kind), ELSE.get(kind))
        for kind in ("state", "status_reason", "origin", "request_type")
    }
    joint = _known(reference.table("codelists/contact_joint_procurements.csv"), "joint_procurement", agency)
    return {**found, "joint_procurement": _joint(joint), "organisation_id": _customer(reference, agency, day)}


def _known(register: pl.DataFrame, column: str, agency: str) -> list[dict[str, str]]:
    """What the delivered words of a register stand for: the agency's own rows, then those of everybody."""
    return [
        {normalise_header(row["delivered"]): row[column] for row in register.iter_rows(named=True) if row["agency"] == whose}
        for whose in (agency, None)
    ]


def _own_words(column: str) -> frozenset[str]:
    spoken = CASE.column(column).words or {}
    return frozenset(normalise_header(word) for code, words in spoken.items() for word in (code, *words))


def _hit(known: Sequence[Mapping[str, str]], words: Sequence[str]) -> str | None:
    return next((codes[key] for codes in known for word in words if (key := normalise_header(word)) in codes), None)


def _coded(known: Sequence[Mapping[str, str]], own: frozenset[str], otherwise: str | None) -> Decide:
    def decide(words: Sequence[str]) -> str:
        spoken = next((word for word in words if normalise_header(word) in own), None)
        return _hit(known, words) or spoken or otherwise or words[-1]

    return decide


def _joint(known: Sequence[Mapping[str, str]]) -> Decide:
    def decide(words: Sequence[str]) -> str:
        code = next((word for word in words if _CODE.fullmatch(word) and not _GUID.fullmatch(word) and not is_ruined(word)), None)
        return _hit(known, words) or code or UNMAPPED

    return decide


def _customer(reference: Reference, agency: str, day: date) -> Decide:
    """Id of the register of organisations by id, alias (an account's GUID, a code), business id or a name that only one has."""
    register = reference.table("organisations.csv")
    ids = set(register["organisation_id"].to_list())
    known = {normalise_header(code): organisation for code, organisation in aliases_on(reference, agency, day).items()}
    numbers, names = dict[str, set[str]](), dict[str, set[str]]()
    for row in register.iter_rows(named=True):
        if row["business_id"]:
            numbers.setdefault(row["business_id"], set()).add(row["organisation_id"])
        for name in (row["name_fi"], row["name_sv"], row["name_en"]):
            if name:
                names.setdefault(normalise_header(name), set()).add(row["organisation_id"])

    def one(word: str) -> str | None:
        number = business_id(word) or ""
        candidates = numbers.get(number) or names.get(normalise_header(word)) or set()
        alone = next(iter(candidates)) if len(candidates) == 1 else None
        return known.get(normalise_header(word)) or (word if word in ids else number if number in ids else alone)

    return lambda words: next((found for word in words if (found := one(word))), "")


def _is_closed() -> pl.Expr:
    status = pl.col("status_reason").is_in(["solved", "information"])
    return pl.when(pl.col("state").is_null()).then(status).otherwise(pl.col("state") == "resolved")


def _check(_table: str, _reference: Reference) -> Sequence[Broken]:
    after = [
        ("value_out_of_range", name, pl.col(name) < pl.col("received_at"))
        for name in ("first_response_at", "closed_at", "reopened_at")
    ]
    return [
        *after,
        ("value_unreadable", "case_id", ~pl.col("case_id").str.contains(_CASE_ID)),
        ("closing_time_missing", "closed_at", pl.col("closed_at").is_null() & _is_closed()),
        ("type_unmapped", "request_type", pl.col("request_type") == UNMAPPED),
        ("joint_procurement_unmapped", "joint_procurement", pl.col("joint_procurement") == UNMAPPED),
    ]


FORM = Form(CONTRACT, _check, ready)
