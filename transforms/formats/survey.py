"""Exports of survey tools as tables: wide (one row per response, questions as headings) and long (one row per answer).

Only columns of questions that `is_question` knows are looked at: names, addresses and open answers stay in the file. A heading
may hold a question and a row of it ("Question: row", "Question [row]").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from transforms.formats.detect import HEADER_WITHIN, columns_of
from transforms.formats.grids import FORMULA, Grid, frame_of
from transforms.ids import read_ids

LONG = ("respondent", "item", "value")
"""Columns that make a table a long one."""
ABOUT = ("survey", "year", "wave_month", "responded_on", "organisation_id", "company_id")
"""What a response tells besides its answers."""
WAVES = ("survey", "year", "wave_month")
"""What of it tells the wave: the same id in another wave is another respondent."""
LOST = "\x00lost"
_RESPONSE_ID = re.compile(r"(?=.*\d)(?=.*[^0_\W])\S+")
"""Ids hold a digit, no blank, and not zeros alone; names are none."""
_BRACKETS = re.compile(r"(.+?)\s*\[(.+)\]\s*", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """A question as a delivery names it: the tool's id (may be blank), its text, and the row of a battery (may be blank)."""

    question_id: str
    text: str
    row: str

    def names(self) -> tuple[tuple[int, str], ...]:
        """What a register may call it: (rank, name), the most exact name first."""
        row = f": {self.row}" if self.row else ""
        whole = [(0, self.question_id and self.question_id + row), (1, self.text and self.text + row)]
        parts = [(2, self.question_id), (3, self.row), (4, self.text)] if self.row else []
        return tuple((rank, name) for rank, name in (*whole, *parts) if name)


@dataclass(frozen=True)
class Answer:
    """One answer: where it stands, whose it is (a running number), and what was asked."""

    line: int
    respondent: int
    asked: Asked
    text: str


@dataclass
class Collected:
    """What a file holds: answers, what responses tell besides (respondent -> ABOUT column -> text), lines that cannot be read,
    where unused columns stand (never their text: questions may name people), and questions that head two columns."""

    kind: str
    answers: list[Answer] = field(default_factory=list)
    about: dict[int, dict[str, str]] = field(default_factory=dict)
    lines: dict[int, int] = field(default_factory=dict)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    repeated: set[Asked] = field(default_factory=set)
    survey_id: str = ""
    apart: list[int] = field(default_factory=list)
    """Lines of responses whose id a spreadsheet has made a number of: each a respondent of its own."""
    lost: list[int] = field(default_factory=list)
    """Lines of single answers with such an id: whose they are is not known."""
    beside: list[str] = field(default_factory=list)
    """Names of the file's other tables."""


    def tell(self, respondent: int, about: Mapping[str, str]) -> None:
        """What a response tells of its respondent; of an earlier one with the same id only what this one leaves blank stays."""
        known = self.about.setdefault(respondent, {})
        known |= {name: text for name, text in about.items() if text.strip() or name not in known}


def asked_of(heading: str) -> Asked:
    """A heading's question, and its row where it has one."""
    brackets = _BRACKETS.fullmatch(heading)
    if brackets is not None:
        return Asked("", brackets[1], brackets[2])
    question, mark, row = heading.rpartition(": ")
    return Asked("", question, row.strip()) if mark and row.strip() else Asked("", heading, "")


def read_table(grid: Grid, headings: Mapping[str, str], is_question: Callable[[Asked], bool]) -> Collected | None:
    """A grid as a survey's answers; None where it is no such table. `headings`: known heading (normalised) -> column."""
    best: tuple[int, int, dict[int, str], list[int]] | None = None
    for at, cells in enumerate(grid.rows[: 1 if grid.has_header else HEADER_WITHIN]):
        columns = columns_of(cells, headings)
        questions = [
            place for place, cell in enumerate(cells) if place not in columns and cell.strip() and is_question(asked_of(cell))
        ]
        if set(LONG) <= set(columns.values()):
            return _long(grid, at, columns)
        if questions and (best is None or len(questions) > best[0]):
            best = len(questions), at, columns, questions
    return None if best is None else _wide(grid, *best[1:])


def _wide(grid: Grid, at: int, columns: Mapping[int, str], questions: Sequence[int]) -> Collected:
    header = grid.rows[at]
    frame, malformed = frame_of(grid, at, {place: str(place) for place in range(len(header))})
    found = Collected(f"{grid.kind}, wide", malformed=malformed)
    told = {name: str(place) for place, name in columns.items() if name in ABOUT}
    asked = {str(place): asked_of(header[place]) for place in questions}
    scored = list(asked.values())
    found.repeated = {one for one in scored if scored.count(one) > 1}
    ids = _response_ids(frame, columns)
    numbers: dict[tuple[str, ...], int] = {}
    chosen = {place for place in asked if _is_choice(frame[place].to_list())}
    found.unused = _unused(header, (*columns, *questions))
    for number, (row, identity) in enumerate(zip(frame.iter_rows(named=True), ids, strict=True), start=1):
        if not any(row[str(place)].strip() for place in range(len(header))):
            continue
        if identity == LOST:
            found.apart.append(row["source_line"])
        waves = (row[told[name]].strip() for name in WAVES if name in told)
        whose = (identity, *waves) if identity not in ("", LOST) else (LOST, str(number))
        respondent = numbers.setdefault(whose, number)
        found.lines.setdefault(respondent, row["source_line"])
        found.tell(respondent, {name: row[place] for name, place in told.items()})
        for place, question in asked.items():
            text = row[place].strip()
            if text and not (place in chosen and text in ("0", "1")):
                found.answers.append(Answer(row["source_line"], respondent, question, text))
    return found


def _response_ids(frame: pl.DataFrame, columns: Mapping[int, str]) -> list[str]:
    """The response id of every row: "" where there is none (names and zeros are none), LOST where it stands for several."""
    place = next((str(place) for place, name in columns.items() if name == "respondent"), None)
    if place is None:
        return [""] * frame.height
    texts = frame[place].str.strip_chars().str.replace(r"^(\d+)[.,]0+$", "${1}")
    ids = read_ids(texts.set(texts == "", None))
    lost = ids.ruined | ids.shortened
    return [
        LOST if is_lost else text if text and _RESPONSE_ID.fullmatch(text) else ""
        for text, is_lost in zip(ids.values.to_list(), lost.to_list(), strict=True)
    ]


def _unused(header: Sequence[str], used: Collection[int]) -> list[str]:
    return [f"column {place + 1}" for place, cell in enumerate(header) if cell.strip() and place not in used]


def _is_choice(cells: Sequence[str]) -> bool:
    """A column of a question with several choices, 1 where the choice was made and 0 where not: no score."""
    values = {cell.strip() for cell in cells} - {""}
    return "0" in values and values <= {"0", "1"}


def _long(grid: Grid, at: int, columns: Mapping[int, str]) -> Collected:
    frame, malformed = frame_of(grid, at, columns)
    found = Collected(f"{grid.kind}, long", malformed=malformed, unused=_unused(grid.rows[at], columns))
    numbers: dict[tuple[str, ...], int] = {}
    waves = [name for name in WAVES if name in frame.columns]
    ids = read_ids(frame["respondent"].str.strip_chars().str.replace(r"^(\d+)[.,]0+$", "${1}"))
    for row, identity, is_lost in zip(frame.iter_rows(named=True), ids.values, ids.ruined | ids.shortened, strict=True):
        if not any(row[name].strip() for name in columns.values()):
            continue
        if not row["respondent"].strip() or row["respondent"] == FORMULA:
            found.malformed.append((row["source_line"], "the respondent's number is missing"))
            continue
        if is_lost:
            found.lost.append(row["source_line"])
            continue
        whose = (identity, *(row[name].strip() for name in waves))
        respondent = numbers.setdefault(whose, len(numbers) + 1)
        found.lines.setdefault(respondent, row["source_line"])
        told = found.about.setdefault(respondent, {})
        for name in ABOUT:
            if row.get(name, "").strip():
                told.setdefault(name, row[name])
        if row["value"].strip():
            text = row["item"].strip()
            asked = asked_of(text) if ": " in text or "[" in text else Asked(text, text, "")
            found.answers.append(Answer(row["source_line"], respondent, asked, row["value"].strip()))
    return found
