"""Personal identity codes and names of people: found in every column and spelling, stored nowhere; ordinary numbers stay."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samples.ids import personal_id
from schemas.reference import Reference
from tests.examples import examples
from tests.unit.transforms.invoice_files import CONTEXT, HEADER, accepted, delivered_of, failures, put, rows, run, warnings
from transforms.coded import Coded
from transforms.delivery import CleanPart, Conclusion
from transforms.personal import has_personal_id, is_swedish_number, personal_values, shapes
from transforms.sources import purchase_invoices as source
from transforms.suppliers import Words, identify, read_id

CODE = "131052-308T"
WIDE = (
    "Kunnan nimi;Tulosyksikön ID;Tulosyksikön nimi;Tositenumero;Kirjauspäivämäärä;Toimittajan nimi;Toimittajan y-tunnus;"
    "Toimittajan maakoodi;Tilin numero;Tilin nimi;Palveluluokka;Hilma-tunnus;Laskun summa ilman ALV\n"
)
PLAIN = [
    "Koela",
    "12",
    "Keskus",
    "77",
    "01.03.2021",
    "Sähkö Oy",
    "0988084-1",
    "FI",
    "4340",
    "Palvelut",
    "Hoito",
    "2021-1",
    "5,00",
]
STORED = {
    0: "organisation_name", 1: "unit_code", 2: "unit_name", 3: "case_id", 8: "account_code", 9: "account_name",
    10: "category_name", 11: "notice_id",
}  # fmt: skip
DASHES = ["-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\uff0d", " - ", "\u00a0\u2013 "]


def stored(parts: list[CleanPart], conclusion: Conclusion) -> str:
    frames = [frame for part in parts for frame in (*part.accepted.values(), part.failures, part.warnings)]
    return "\n".join(frame.write_csv() for frame in [*frames, conclusion.failures, conclusion.set_aside]).upper()


@pytest.mark.parametrize("place", STORED)
@pytest.mark.parametrize("text", [CODE, f"Potilas {CODE} hoito", f"x{CODE.lower()}", "131052 – 308T"])
def test_codes_in_any_stored_column_are_dropped_and_counted(tmp_path: Path, place: int, text: str) -> None:
    cells = [*PLAIN]
    cells[place] = text
    content = WIDE + ";".join(PLAIN) + "\n" + ";".join(cells) + "\n"
    parts, conclusion = run(put(tmp_path, content))
    assert failures(parts, conclusion) == []
    first, second = accepted(parts).iter_rows(named=True)
    assert second == first | {"source_line": 3, STORED[place]: None}
    assert warnings(parts) == [("personal_id_found", 3, STORED[place])]
    assert "308T" not in stored(parts, conclusion)


def test_of_an_account_in_one_cell_the_leading_code_stays(tmp_path: Path) -> None:
    head = "lasku_id;tili;tiliointisumma;tositepvm;hankintayksikko_tunnus\n"
    content = (
        head + f"1;43920000 Hoito {CODE};1.00;2021-01-01;9\n2;{CODE} Hoito;1.00;2021-01-01;9\n3;4 A;1.00;2021-01-01;{CODE}\n"
    )
    parts, conclusion = run(put(tmp_path, content), "state")
    assert accepted(parts).select("account_code", "account_name").rows() == [("43920000", None), (None, None)]
    assert failures(parts, conclusion) == [("organisation_missing", 4)]
    assert "308T" not in stored(parts, conclusion)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.integers(0, 40_000),
    st.sampled_from(DASHES),
    st.sampled_from(["", " "]),
    st.sampled_from(["", "Inc Maija ", "Potilas", "Tili 4340 "]),
)
def test_every_code_is_found_whatever_its_dash(number: int, dash: str, blank: str, before: str) -> None:
    code = personal_id(number)
    text = f"{before}{code[:6]}{dash}{code[7:10]}{blank}{code[10]} Oy"
    assert personal_values(pl.Series([text, text.lower()])).to_list() == [True, True]
    found = identify(None, Coded.of(pl.Series([text])).tidied(), 1, Words(Reference.load()))
    assert (found.kind[0], found.name[0], list(found.personal)) == ("private_trader", None, [True])


@pytest.mark.parametrize(
    "text", ["131052 - 308T", "131052- 308 T", "1 3 1 0 5 2 - 3 0 8 T", "131052−308T", "131052308T", "010180-1234"]
)
def test_ids_that_are_codes_are_dropped(text: str) -> None:
    found = identify(Coded.of(pl.Series([text])).tidied(), None, 1, Words(Reference.load()))
    assert (found.kind[0], found.id[0], list(found.personal)) == ("private_trader", None, [True])


@pytest.mark.parametrize(
    "name", ["Inc Maija 131052-308 T", "Potilas131052-308T Oy", "Anna AB 19800101-1234", "Anna800101-1234 AB"]
)
def test_names_that_hold_codes_are_dropped(name: str) -> None:
    ids = Coded.of(pl.Series(["0988084-1"]))
    found = identify(ids, Coded.of(pl.Series([name])).tidied(), 1, Words(Reference.load()))
    assert (found.kind[0], found.id[0], found.name[0]) == ("private_trader", None, None)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2024, 12, 31)),
    st.integers(0, 9999),
    st.sampled_from(["SE{}-{}", "{}-{}", "{} – {}", "SE {}{}"]),
)
def test_swedish_personal_numbers_are_no_foreign_ids(born: date, number: int, how: str) -> None:
    for day in (f"{born:%Y%m%d}", f"{born:%Y%m%d}"[2:]):
        assert read_id(how.format(day, f"{number:04d}"))[1] is None


def test_swedish_organisation_numbers_stay() -> None:
    for text in ("556040-6034", "SE556040-6034", "5560406034", "SE556040603401", "212000-0142"):
        assert not is_swedish_number(text)
        assert read_id(text)[1] == text


ORDINARY = st.one_of(
    st.from_regex(r"[0-9]{7}-[0-9]", fullmatch=True),  # business ids
    st.from_regex(r"FI[0-9]{8}", fullmatch=True),
    st.from_regex(r"[0-9]{4,20}", fullmatch=True),  # accounts, cases, references
    st.from_regex(r"[0-9]{2} [0-9]{5} [0-9]{5} [0-9]{5}", fullmatch=True),
    st.from_regex(r"RF[0-9]{2}( [0-9]{4}){2,5}", fullmatch=True),
    st.from_regex(r"FI[0-9]{2}( [0-9]{4}){3} [0-9]{2}", fullmatch=True),
    st.from_regex(r"20[0-9]{2}-[0-9]{4,7}", fullmatch=True),
    st.from_regex(r"[0-9]{4,8} [A-ZÅÄÖ][a-zåäö]{3,12}", fullmatch=True),
    st.from_regex(r"20[12][0-9](0[1-9]|1[0-2])(0[1-9]|[12][0-9])-[0-9]{1,6}", fullmatch=True),  # day and running number
)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(ORDINARY, min_size=1, max_size=40))
def test_ordinary_numbers_are_never_taken_for_people(texts: list[str]) -> None:
    assert not personal_values(pl.Series(texts)).any()
    assert not any(has_personal_id(text) for text in texts)


def test_of_running_numbers_behind_a_day_few_are_lost() -> None:
    texts = pl.Series([f"0{day}0421-{number:04d}" for day in range(1, 10) for number in range(1000)])
    assert personal_values(texts).sum() <= len(texts) // 20


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40))))
def test_no_text_breaks_the_search(texts: list[str | None]) -> None:
    values = pl.Series(texts, dtype=pl.String)
    sure, shape = personal_values(values), personal_values(values, surely=False)
    assert sure.null_count() == 0
    assert not (sure & ~shape).any()
    assert len(shapes(values)) == len(values)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Virtanen Matti", None), ("Matti  J. Virtanen", None), (CODE, None), ("31.02.2021", "31.02.2021"), ("Virtanen", "xxxxxxxx"),
     ("#ARVO!", "#xxxx!"), ("1 23,4", "1 23,4"), ("12 kpl", "12 xxx"), ("Åke-Örjan", None), ("19800101-1234", None), (None, None)],
)  # fmt: skip
def test_of_dates_and_amounts_only_the_shape_is_shown(text: str | None, shown: str | None) -> None:
    assert shapes(pl.Series([text], dtype=pl.String)).to_list() == [shown]


def test_shifted_columns_show_no_name(tmp_path: Path) -> None:
    content = (
        HEADER + rows(20) + "1;Virtanen Matti;x;;4340;1,00\n1;01.03.2021;Oy A;;4340;Virtanen Matti\n1;Virtanen;A Oy;;4340;1,00\n"
    )
    parts, conclusion = run(put(tmp_path, content))
    assert failures(parts, conclusion) == [("amount_unreadable", 23), ("date_unreadable", 22), ("date_unreadable", 24)]
    assert "VIRTANEN" not in stored(parts, conclusion)
    assert parts[0].failures.sort("source_line")["value"].to_list() == [None, None, "xxxxxxxx"]


def test_a_file_without_a_header_shows_no_row(tmp_path: Path) -> None:
    parts, conclusion = run(put(tmp_path, f"17;1.3.2021;Virtanen Matti;{CODE};5,00\n" * 3))
    [reason] = [reason for part in parts for found in part.refused.values() for reason in found]
    assert reason.code == "header_unrecognised"
    assert "Virtanen" not in reason.text
    assert "308T" not in reason.text
    assert not conclusion.refused


def test_a_code_among_the_headers_is_not_noted(tmp_path: Path) -> None:
    parts, conclusion = run(put(tmp_path, f"Tositenumero;Kirjauspäivämäärä;{CODE};Nettosumma\n1;1.3.2021;a;5,00\n"))
    assert failures(parts, conclusion) == []
    [raw] = source.read([delivered_of(tmp_path / "ostot_2021.csv")], CONTEXT)
    assert raw.notes["unknown_columns"] == ["***"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Matti Meikäläinen", "private_trader"),
        ("MEIKÄLÄINEN MATTI", "private_trader"),
        ("Anna-Liisa Mallikas", "private_trader"),
        ("Åke von Modell", "private_trader"),
        ("Johan K. Modellström", "private_trader"),
        ("Virtanen, Maija", "private_trader"),
        ("Matti Meikäläinen Oy", "business_id"),
        ("Ab Anna Modell", "business_id"),
        ("Maija Mallikkaan säätiö", "business_id"),
        ("Annan kaupunki", "business_id"),
        ("Kuolinpesä Mallikas", "private_trader"),
        ("Mallikas Eeli kp.", "private_trader"),
        ("Dödsboet efter Modellgren", "private_trader"),
        ("F:ma Mallikas", "private_trader"),
        ("T:mi Eelin Hoiva", "private_trader"),
        ("Eeli Mallikas c/o Malli Oy", "private_trader"),
        ("Malli Oy c/o Eeli Mallikas", "private_trader"),
        ("Enskild firma Modellgren", "private_trader"),
    ],
)
def test_first_and_last_name_without_a_form_is_a_private_trader_whatever_its_id(name: str, kind: str) -> None:
    is_private = kind == "private_trader"
    assert supplied(name) == (kind, *((None, None) if is_private else ("0112038-9", name)))


@pytest.mark.parametrize("name", ["Matti", "Malli Konepaja", "Olga 24", "Mallikas & kumpp.", "Mallitie 3 A 4, 00100 Helsinki"])
def test_a_business_id_alone_makes_no_name_an_organisations(name: str) -> None:
    assert supplied(name) == ("business_id", "0112038-9", None)


def supplied(name: str) -> tuple[str, str | None, str | None]:
    """Kind, id and name of a supplier that bears a sound business id."""
    ids, names = (Coded(pl.Series([text]), np.zeros(1, dtype=np.uint32)) for text in ("0112038-9", name))
    found = identify(ids, names, 1, Words(Reference.load()))
    return found.kind[0], found.id[0], found.name[0]


TYPED = ["Eeli Mallikas", "Mallikkaan Eelin perhehoito", "c/o Mallikas, Mallitie 3", "FI2112345600000785", "fi21 1234 5600 0007 85", "+358 40 123 4567"]


@pytest.mark.parametrize("text", TYPED)
@pytest.mark.parametrize("place", STORED)
def test_what_people_type_is_left_out_or_hashed_in_every_column(tmp_path: Path, place: int, text: str) -> None:
    """Of a register's words, codes and company forms nothing is lost; the row counts either way."""
    known = [*PLAIN]
    known[0], known[9], known[10] = "Koelan kaupunki", "Palvelujen ostot", "Siivous"
    cells = [*known]
    cells[place] = text
    parts, conclusion = run(put(tmp_path, WIDE + ";".join(known) + "\n" + ";".join(cells) + "\n"))
    assert text.upper() not in stored(parts, conclusion)
    assert "MALLIKA" not in stored(parts, conclusion)
    first, second = accepted(parts).rows(named=True)
    assert (first[STORED[place]] or "").lower() == ("" if STORED[place] == "unit_name" else known[place].lower())
    assert second["net_cents"] == first["net_cents"]
    assert second[STORED[place]] is None or str(second[STORED[place]]).startswith("#")


def test_texts_that_nobody_knows_stay_apart(tmp_path: Path) -> None:
    """Two categories are two, and two invoices are two, though neither is told; the same is the same in another file."""
    lines = [[*PLAIN], [*PLAIN], [*PLAIN]]
    for cells, text in zip(lines, ("Eelin kerho", "Eelin leiri", "Eelin kerho"), strict=True):
        cells[3] = cells[10] = text
    parts, _ = run(put(tmp_path, WIDE + "".join(";".join(cells) + "\n" for cells in lines)))
    again, _ = run(put(tmp_path, WIDE + ";".join(lines[1]) + "\n", name="ostot_2022.csv"))
    for name in ("case_id", "category_name"):
        first, second, third = (row[name] for row in accepted(parts).rows(named=True))
        assert first == third != second == accepted(again).row(0, named=True)[name]


@pytest.mark.parametrize("text", ["0040301", "43010000", "4340.01", "43 010", "LK4340"])
def test_accounts_are_no_telephone_numbers(tmp_path: Path, text: str) -> None:
    cells = [*PLAIN]
    cells[8] = text
    parts, _ = run(put(tmp_path, WIDE + ";".join(cells) + "\n"))
    assert accepted(parts).row(0, named=True)["account_code"] == text
