"""Amounts, dates, ids and file names by property: the truth comes from Decimal, datetime and python-stdnum."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.fi import ytunnus

from schemas.purchase_invoices import MAX_CENTS
from schemas.reference import Reference
from tests.examples import examples
from transforms.amounts import BLANK, OUT_OF_RANGE, READ, UNREADABLE, guess_decimal_mark, parse_cents
from transforms.coded import Coded, tidy
from transforms.dates import detect_date_format, parse_dates
from transforms.file_coverage import coverage
from transforms.formats.detect import normalise_header
from transforms.suppliers import NAMED, Words, business_id, has_personal_id, identify, read_id

CENTS = st.integers(-MAX_CENTS, MAX_CENTS)
MARKS = st.sampled_from([",", "."])


def written(cents: int, mark: str, thousands: str, minus: str) -> str:
    whole, rest = divmod(abs(cents), 100)
    text = f"{whole:,}".replace(",", thousands) + f"{mark}{rest:02d}"
    if cents >= 0:
        return text
    return text + "-" if minus == "behind" else minus + text


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(CENTS, st.sampled_from(["", " ", "\u00a0", "\u202f", "'"]), st.sampled_from(["-", "\u2212", "–", "behind"]))
    ),
    MARKS,
)
def test_written_amounts_come_back_to_the_cent(amounts: list[tuple[int, str, str]], mark: str) -> None:
    texts = pl.Series([written(cents, mark, thousands, minus) for cents, thousands, minus in amounts], dtype=pl.String)
    cents, state = parse_cents(texts, mark)
    assert cents.to_list() == [amount for amount, _, _ in amounts]
    assert state.to_list() == [READ] * len(amounts)


@settings(max_examples=examples(150), deadline=None)
@given(st.decimals(min_value=-(10**7), max_value=10**7, places=7), st.sampled_from(["f", "E"]))
def test_more_decimals_are_rounded_half_away_from_zero(number: Decimal, how: str) -> None:
    cents, _ = parse_cents(pl.Series([format(number, how)]), ".")
    assert cents[0] == int((number * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.text(max_size=80)), MARKS)
def test_no_text_breaks_amounts(texts: list[str], mark: str) -> None:
    cents, state = parse_cents(pl.Series(texts, dtype=pl.String), mark)
    assert (cents.is_not_null() == (state == READ)).all()
    assert len(cents) == len(texts)


@pytest.mark.parametrize(
    ("text", "state"),
    [("", BLANK), ("\u00a0 ", BLANK), ("1e30", OUT_OF_RANGE), ("-1e30", OUT_OF_RANGE), ("1e999999", OUT_OF_RANGE), ("9" * 90, OUT_OF_RANGE),
     ("abc", UNREADABLE), ("1 23,4", UNREADABLE), ("12.50", UNREADABLE), ("--1", UNREADABLE), ("-1-", UNREADABLE), ("nan", UNREADABLE),
     ("=1+1", UNREADABLE), ("1.234,50 €", READ), ("(5,00)", READ), ("1e-999", READ), (",5", READ)],
)  # fmt: skip
def test_states_of_amounts(text: str, state: int) -> None:
    assert parse_cents(pl.Series([text]), ",")[1].to_list() == [state]


@pytest.mark.parametrize(
    ("text", "mark", "cents"),
    [("1.250,-", ",", 125000), ("100,-- €", ",", 10000), ("100.-", ",", 10000), ("1'250.-", ".", 125000), ("(100,-)", ",", -10000),
     ("\u22121\u00a0250,\u2012", ",", -125000), ("7,\u2015", ",", 700), ("100,00-", ",", -10000), ("0,-", ",", 0),
     ("1.250.-", ".", None), ("1.250.-", ",", None), ("1,250,-", ",", None), ("99,50,-", ",", None), ("1e3,-", ",", None)],
)  # fmt: skip
def test_what_stands_before_a_dash_for_no_cents_is_whole(text: str, mark: str, cents: int | None) -> None:
    assert parse_cents(pl.Series([text]), mark)[0].to_list() == [cents]


def test_decimal_mark_is_seen() -> None:
    assert guess_decimal_mark(pl.Series(["1 234,50", "12", "0,5"]), ".") == ","
    assert guess_decimal_mark(pl.Series(["1,234.50", "9.680000000001"]), ",") == "."
    assert guess_decimal_mark(pl.Series(["1234", None]), ".") == "."


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.dates(date(2013, 1, 1), date(2099, 12, 31)), min_size=1),
    st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%y%m%d", "%Y/%m/%d"]),
)
def test_written_dates_come_back(days: list[date], date_format: str) -> None:
    texts = pl.Series([day.strftime(date_format) for day in days])
    assert parse_dates(texts, date_format).to_list() == days


@pytest.mark.parametrize(
    ("texts", "found"),
    [(["13.1.2021", "1.2.2021"], "%d.%m.%Y"), (["2021-01-31 00:00:00"], "%Y-%m-%d"), (["210131", "211231"], "%y%m%d"), (["01/13/2021"], "%m/%d/%Y"),
     (["44197"], "excel_serial"), (["2017-06"], "%Y-%m"), (["x", ""], None)],
)  # fmt: skip
def test_date_formats_are_seen(texts: list[str], found: str | None) -> None:
    assert detect_date_format(pl.Series(texts)) == found


def test_impossible_dates_are_null() -> None:
    assert parse_dates(pl.Series(["31.2.2021", "1.1.20211", "1.1.21", "", "x"]), "%d.%m.%Y").null_count() == 5


def test_excel_serials_are_days() -> None:
    assert parse_dates(pl.Series(["44197", "44228.5"]), "excel_serial").to_list() == [date(2021, 1, 1), date(2021, 2, 1)]


def valid_id(number: int) -> str | None:
    digits = f"{number:07d}"
    check = (11 - sum(int(d) * w for d, w in zip(digits, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
    return None if check == 10 else f"{digits}-{check}"


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(1, 9_999_999), st.integers(0, 9))
def test_business_ids_agree_with_the_arithmetic(number: int, check: int) -> None:
    text = f"{number:07d}-{check}"
    expected = text if valid_id(number) == text else None
    assert business_id(text) == expected
    assert business_id(f"FI{text[:7]}{check}") == expected
    assert (expected is not None) == ytunnus.is_valid(text)
    if number < 1_000_000:
        assert business_id(text[1:]) == expected  # old six-digit numbers


@settings(max_examples=examples(300), deadline=None)
@given(st.text(max_size=30))
def test_no_text_breaks_ids(text: str) -> None:
    state, found = read_id(text.strip())
    assert (found is None) or state in (1, 2)


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9_999_999), st.integers(0, 9)), min_size=1),
    st.sampled_from(["{:07d}-{}", "FI{:07d}{}", "{:d}-{}"]),
)
def test_many_ids_at_once_agree_with_stdnum(numbers: list[tuple[int, int]], how: str) -> None:
    texts = [how.format(*number) for number in numbers]
    found = identify(Coded.of(pl.Series(texts)).tidied(), None, len(texts), Words(Reference.load()))
    for text, kind, stored in zip(texts, found.kind, found.id, strict=True):
        digits = text.removeprefix("FI").replace("-", "")
        counts = len(digits) in (7, 8) and int(digits) > 0 and ytunnus.is_valid(digits.zfill(8))
        assert (kind == "business_id") == counts
        assert stored == (f"{digits.zfill(8)[:7]}-{digits[-1]}" if counts else None)


def test_nobodys_id_is_refused() -> None:
    assert business_id("0000000-0") is None


@pytest.mark.parametrize("text", ["131052-308T", "131052A308T", "131052308T", "Virtanen 131052-308T", "311299y999X"])
def test_personal_codes_are_seen(text: str) -> None:
    assert has_personal_id(text)
    assert read_id(text)[1] is None


@pytest.mark.parametrize("text", ["0988084-1", "FI09880841", "556040-6034", "HRB 3639", "Oy 2000 Ab"])
def test_other_ids_are_not_personal(text: str) -> None:
    assert not has_personal_id(text)


@pytest.mark.parametrize(
    ("name", "kind", "stored"),
    [("Sähkö Oy", "no_id", "Sähkö Oy"), ("Oy Ab Karl", "no_id", "Oy Ab Karl"), ("Helsingin kaupunki", "no_id", "Helsingin kaupunki"),
     ("Matti Meikäläinen", "private_trader", None), ("Tmi Matti M", "private_trader", None), ("T:mi Matti", "private_trader", None),
     ("Matti M toiminimi", "private_trader", None), ("private trader", "private_trader", None), ("toiminimiyrittäjä", "private_trader", None),
     ("Virtanen 131052-308T Oy", "private_trader", None), ("Salassa pidettävä", "masked", None), ("Sekretessbelagd", "masked", None),
     ("CONFIDENTIAL", "masked", None), ("Muster GmbH", "no_id", "Muster GmbH"), ("Hansel Oy", "no_id", "Hansel Oy"), ("", "no_id", None)],
)  # fmt: skip
def test_names_without_an_id(name: str, kind: str, stored: str | None) -> None:
    found = identify(None, Coded.of(pl.Series([name])).tidied(), 1, Words(Reference.load()))
    assert (found.kind[0], found.name[0], found.id[0]) == (kind, stored, None)


def test_a_sole_trader_with_a_business_id_keeps_neither() -> None:
    ids, names = pl.Series(["0988084-1", "0988084-1"]), pl.Series(["Tmi Matti", "Matti M"])
    found = identify(Coded.of(ids).tidied(), Coded.of(names).tidied(), 2, Words(Reference.load()))
    assert found.kind.to_list() == ["private_trader", "business_id"]
    assert found.id.to_list() == [None, "0988084-1"]
    assert found.name.to_list() == [None, None], "a business id alone makes no name an organisation's"


def test_only_named_names_are_stored() -> None:
    assert NAMED in Words(Reference.load()).read_names(pl.Series(["Maanmittauslaitos"]))


@pytest.mark.parametrize(
    ("name", "first", "last", "part"),
    [("th_data_2025.csv", "2025-01-01", "2025-12-31", ""), ("ostolaskudata_2021_oulunkaupunki.xlsx", "2021-01-01", "2021-12-31", ""),
     ("ostolaskut-2024-03.csv", "2024-03-01", "2024-03-31", ""), ("ostolaskut_202402.csv", "2024-02-01", "2024-02-29", ""),
     ("2019, part 2", "2019-01-01", "2019-12-31", "2"), ("espoo_2019_osa1.csv", "2019-01-01", "2019-12-31", "1"),
     ("hus_2024_q2.xlsx", "2024-04-01", "2024-06-30", ""), ("x_20240101-20240331.csv", "2024-01-01", "2024-03-31", ""),
     ("2012-2014.xlsx", "2012-01-01", "2014-12-31", ""), ("maaliskuu 2024.csv", "2024-03-01", "2024-03-31", ""),
     ("ostot_2021_20220315.csv", "2021-01-01", "2021-12-31", ""), ("ostot_2022-03-15.csv", None, None, ""),
     ("helsingin-ostot-all-from-2017.csv", None, None, ""), ("ostot.csv", None, None, "")],
)  # fmt: skip
def test_coverage_of_file_names(name: str, first: str | None, last: str | None, part: str) -> None:
    found = coverage(name)
    assert (found[0] and found[0].isoformat(), found[1] and found[1].isoformat(), found[2]) == (first, last, part)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=60))
def test_no_file_name_breaks_coverage(name: str) -> None:
    first, last, _ = coverage(name)
    assert (first is None) == (last is None)
    assert first is None or (first <= last and last - first < timedelta(days=36600))  # type: ignore[operator]


def test_headers_are_normalised() -> None:
    assert normalise_header("\ufeffToimittajan\u00a0\n  nro ") == "toimittajan nro"
    assert normalise_header('"Kunnan nimi "') == "kunnan nimi"
    assert tidy(pl.Series(["  a \u00a0 b ", " "])).to_list() == ["a b", None]


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("aä \u00a0\u200b\t\n\u2003\u3000\u0085", max_size=8)), min_size=1))
def test_tidying_collapses_every_run_of_blanks(texts: list[str | None]) -> None:
    expected = [None if text is None else " ".join(text.replace("\u200b", " ").split()) or None for text in texts]
    assert tidy(pl.Series(texts, dtype=pl.String)).to_list() == expected
