"""A notice that contradicts itself says nothing on that point (METHOD 38), in every schema."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.unit.transforms.hilma_shapes import REFERENCE, Json, award, awarded, cleaned
from tests.unit.transforms.test_notice_values import raw
from tests.unit.transforms.test_notices_source import AWARD, TED
from transforms.delivery import CleanPart, Limits, RawPart
from transforms.formats import notices
from transforms.sources import notice_cleaning
from transforms.sources.notice_contradictions import without_contradictions

RULE = "notice_contradictory"
CONTRACTOR = (
    '<CONTRACTOR><ADDRESS_CONTRACTOR><OFFICIALNAME>{name}</OFFICIALNAME><NATIONALID>{number}</NATIONALID><COUNTRY VALUE="SE"/>'
    "</ADDRESS_CONTRACTOR><{size}/></CONTRACTOR>"
)


def section(
    value: float | None, tenders: int | None, small: int | None = None, lot: str = "", name: str = "Ett Ab", **more: Any
) -> str:
    """One AWARD_CONTRACT of R2.0.9; the contractor is Swedish."""
    contractor = CONTRACTOR.format(name=name, number=more.get("number", "556012-5790"), size=more.get("size", "NO_SME"))
    counts = "".join(
        f"<{tag}>{count}</{tag}>"
        for tag, count in (("NB_TENDERS_RECEIVED", tenders), ("NB_TENDERS_RECEIVED_SME", small))
        if count is not None
    )
    amount = "" if value is None else f'<VALUES><VAL_TOTAL CURRENCY="EUR">{value}</VAL_TOTAL></VALUES>'
    number = f"<LOT_NO>{lot}</LOT_NO>" if lot else ""
    day = more.get("day", "2018-03-05")
    return (
        f"<AWARD_CONTRACT>{number}<AWARDED_CONTRACT><DATE_CONCLUSION_CONTRACT>{day}</DATE_CONCLUSION_CONTRACT>"
        f"<TENDERS>{counts}</TENDERS><CONTRACTORS>{contractor}</CONTRACTORS>{amount}</AWARDED_CONTRACT></AWARD_CONTRACT>"
    )


def ted(sections: str, total: str = "", lots: tuple[str, ...] = ("1", "2", "3")) -> bytes:
    """An award notice of 2018 (before Hilma wrote TED XML) with these sections and lots."""
    described = "".join(f"<OBJECT_DESCR><LOT_NO>{lot}</LOT_NO></OBJECT_DESCR>" for lot in lots) or "<OBJECT_DESCR/>"
    given = f'<VALUES><VAL_TOTAL CURRENCY="EUR">{total}</VAL_TOTAL></VALUES>' if total else ""
    return f"""<TED_EXPORT xmlns="http://publications.europa.eu/resource/schema/ted/R2.0.9/publication" VERSION="R2.0.9.S02.E01" DOC_ID="123456-2018">
      <CODED_DATA_SECTION><REF_OJS><DATE_PUB>20180320</DATE_PUB></REF_OJS><CODIF_DATA><DS_DATE_DISPATCH>20180316</DS_DATE_DISPATCH></CODIF_DATA></CODED_DATA_SECTION>
      <FORM_SECTION><F03_2014 CATEGORY="ORIGINAL" FORM="F03" LG="SV"><CONTRACTING_BODY><ADDRESS_CONTRACTING_BODY>
        <OFFICIALNAME>Vasa stad</OFFICIALNAME><NATIONALID>0209602-6</NATIONALID><COUNTRY VALUE="FI"/></ADDRESS_CONTRACTING_BODY></CONTRACTING_BODY>
        <OBJECT_CONTRACT>{given}{described}</OBJECT_CONTRACT>{sections}</F03_2014></FORM_SECTION></TED_EXPORT>""".encode()


def told(part: CleanPart) -> set[tuple[str, str]]:
    rules = part.warnings.filter(pl.col("rule").is_in([RULE, "result_repeated"]))
    return set(rules.select("rule", "column_name").iter_rows())


def results(part: CleanPart, *columns: str) -> list[tuple[Any, ...]]:
    return part.accepted["lot_result"].select("result_id", *columns).sort("result_id").rows()


def read(data: bytes) -> CleanPart:
    frames = notices.read_chunk([notices.Blob("d", 1, data)], Limits())
    part = notice_cleaning.clean(RawPart(frames=frames, refused={}), REFERENCE)
    assert part.failures.is_empty()
    return part


# awards above the notice's own total


def test_old_schema_awards_above_the_total_have_no_value() -> None:
    part = read(ted(section(600_000, 3, lot="1") + section(500_000, 2, lot="2"), total="1000000"))
    assert results(part, "award_value_cents", "tenders_n") == [("RES-1", None, 3), ("RES-2", None, 2)]
    assert part.accepted["notice"]["total_value_cents"].to_list() == [None]
    assert part.accepted["tender"]["value_cents"].to_list() == [None, None]
    assert told(part) == {(RULE, column) for column in ("total_value_cents", "award_value_cents", "value_cents")}


def test_sections_that_each_repeat_the_total_have_no_value() -> None:
    part = read(ted("".join(section(10_800_000, n, lot=str(n)) for n in (1, 2, 3)), total="10800000"))
    assert results(part, "award_value_cents") == [(f"RES-{n}", None) for n in (1, 2, 3)]


def test_awards_up_to_the_total_and_rounded_ones_stand() -> None:
    part = read(ted(section(600_000.6, 3, lot="1") + section(399_999.9, 2, lot="2"), total="1000000"))
    assert [value for _, value in results(part, "award_value_cents")] == [60_000_060, 39_999_990]
    assert not told(part)


def eforms(*changes: tuple[str, str]) -> bytes:
    text = AWARD.decode()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text.encode()


TOTAL = '<efac:NoticeResult><cbc:TotalAmount currencyID="EUR">{}</cbc:TotalAmount>'


@pytest.mark.parametrize(("total", "value"), [("999.99", 100_000), ("998.99", None), ("1000", 100_000)])
def test_eforms_award_above_its_total(total: str, value: int | None) -> None:
    part = read(eforms(("<efac:NoticeResult>", TOTAL.format(total))))
    assert results(part, "award_value_cents")[0] == ("RES-0001", value)
    assert (part.accepted["notice"]["total_value_cents"][0] is None) == (value is None)
    assert part.accepted["tender"].filter(~pl.col("is_winner"))["value_cents"].null_count() == (1 if value is None else 0)


def test_hilma_lots_above_the_total() -> None:
    part = cleaned(
        award(awarded(4, 2, 70_000), procurementObject={"totalValue": {"type": 1, "value": 60_000, "currency": "EUR"}})
    )
    assert results(part, "award_value_cents", "tenders_n") == [("RES-1", None, 4)]
    assert (RULE, "award_value_cents") in told(part)


def test_one_tender_of_several_lots_is_added_once() -> None:
    tenders = [{"tender_id": "TEN-1", "result_id": f"RES-{n}", "is_winner": True, "value_cents": 90_000_00} for n in (1, 2)]
    frames = raw(notice=[{"total_value_cents": 90_000_00}], tender=tenders)
    assert without_contradictions(frames)[1].is_empty()


# tenders of SMEs below the SMEs that won


STATISTIC = (
    "<efac:ReceivedSubmissionsStatistics><efbc:StatisticsCode>{}</efbc:StatisticsCode>"
    "<efbc:StatisticsNumeric>{}</efbc:StatisticsNumeric></efac:ReceivedSubmissionsStatistics>"
)
FIRST = "<efac:ReceivedSubmissionsStatistics>"
BOTH_SMALL = ('size">large', 'size">medium')
"""Both members of the group that wins are SMEs."""


@pytest.mark.parametrize(("small", "expected"), [(0, None), (1, 1)])
def test_eforms_fewer_tenders_of_smes_than_smes_won(small: int, expected: int | None) -> None:
    added = AWARD.decode().replace(FIRST, STATISTIC.format("t-sme", small) + FIRST, 1).replace(*BOTH_SMALL)
    part = read(added.encode())
    assert results(part, "tenders_sme_n")[0] == ("RES-0001", expected)
    assert ((RULE, "tenders_sme_n") in told(part)) == (expected is None)


def test_a_group_with_a_large_company_is_no_tender_of_an_sme() -> None:
    part = read(AWARD.decode().replace(FIRST, STATISTIC.format("t-sme", 0) + FIRST, 1).encode())
    assert results(part, "tenders_sme_n")[0] == ("RES-0001", 0)


def test_old_schema_fewer_tenders_of_smes_than_smes_won() -> None:
    sections = (
        section(1_000, 4, 0, lot="1", size="SME") + section(2_000, 4, 1, lot="2", size="SME") + section(3_000, 4, 0, lot="3")
    )
    part = read(ted(sections))
    assert [small for _, small in results(part, "tenders_sme_n")] == [None, 1, 0]
    assert told(part) == {(RULE, "tenders_sme_n")}


def box(name: str, number: str) -> Json:
    return {
        "officialName": name,
        "nationalRegistrationNumber": number,
        "isSmallMediumEnterprise": True,
        "postalAddress": {"country": "FI"},
    }


@pytest.mark.parametrize(("small", "expected"), [(1, None), (2, 2)])
def test_hilma_two_smes_won_contracts_of_one_lot(small: int, expected: int | None) -> None:
    first = awarded(5, small, 10_000, contractors=[box("Linja Oy", "1234567-1")])
    second = awarded(5, small, 20_000, contractors=[box("Polku Oy", "0112038-9")])
    part = cleaned(award(first, second, first))  # the same company twice may have tendered once
    assert results(part, "tenders_sme_n", "tenders_n") == [("RES-1", expected, 5)]


# two numbers of tenders of one lot


def test_eforms_two_counts_in_one_result() -> None:
    [known, *_] = results(read(AWARD), "tenders_n")
    for number, expected in ((77, None), (known[1], known[1])):
        added = AWARD.decode().replace(FIRST, STATISTIC.format("tenders", number) + FIRST, 1)
        part = read(added.encode())
        assert results(part, "tenders_n")[0] == ("RES-0001", expected)
        assert told(part) == ({(RULE, "tenders_n")} if expected is None else set())


def test_old_schema_two_counts_of_one_lot() -> None:
    sections = section(1_000, 4, lot="1") + section(2_000, 5, lot="1", name="Två Ab") + section(3_000, 6, lot="2")
    part = read(ted(sections))
    assert results(part, "tenders_n", "award_value_cents") == [
        ("RES-1", None, 100_000), ("RES-2", None, 200_000), ("RES-3", 6, 300_000),
    ]  # fmt: skip
    undivided = read(ted(section(1_000, 4) + section(2_000, 5), lots=()))
    assert [count for _, count in results(undivided, "tenders_n")] == [None, None]


def test_hilma_two_counts_of_one_lot() -> None:
    part = cleaned(award(awarded(4, None, 10_000), awarded(5, None, 20_000)))
    assert results(part, "tenders_n") == [("RES-1", None)]
    assert told(part) == {(RULE, "tenders_n")}


def test_sections_that_name_no_lot_may_be_of_several() -> None:
    part = read(ted(section(1_000, 4) + section(2_000, 5)))
    assert [count for _, count in results(part, "tenders_n")] == [4, 5]


# sections without a lot number that repeat each other


def test_nine_sections_that_repeat_each_other_are_one_result() -> None:
    names = [f"Firma {n} Ab" for n in range(9)]
    sections = "".join(
        section(10_800_000, 12, 7, name=name, number=f"55601{n}-5790", day=f"2018-03-0{9 - n}") for n, name in enumerate(names)
    )
    part = read(ted(sections, total="10800000"))
    columns = ("tenders_n", "tenders_sme_n", "award_value_cents", "decision_date")
    [(name, *counts, day)] = results(part, *columns)
    assert (name, counts, str(day)) == ("RES-1", [12, 7, 1_080_000_000], "2018-03-01")
    assert (part.accepted["winner"].height, part.accepted["contract"].height) == (9, 9)
    assert part.accepted["notice"]["total_value_cents"].to_list() == [1_080_000_000]
    assert part.accepted["tender"]["value_cents"].sum() == 1_080_000_000
    assert told(part) == {("result_repeated", "result_id")}


@pytest.mark.parametrize(
    "second",
    [
        section(1_000, 5),
        section(1_001, 4),
        section(None, 4),
        section(1_000, None),
        section(1_000, 4, lot="2"),
        section(1_000, 4, 1),
    ],
    ids=["another count", "another value", "no value", "no count", "a lot number", "another count of SMEs"],
)
def test_other_sections_are_results_of_their_own(second: str) -> None:
    part = read(ted(section(1_000, 4) + second))
    assert part.accepted["lot_result"].height == 2
    assert not {rule for rule, _ in told(part)} & {"result_repeated"}


def test_the_usual_notices_contradict_nothing() -> None:
    for data in (AWARD, TED):
        assert not told(read(data))
