"""A procurement's whole life from the bytes of its notices: changes and corrections reach the figures, months stay."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.procurement_notices import CONTRACT
from schemas.reference import Reference
from tests.unit.transforms.test_notices_source import AWARD, CALL, NOTICE_ID, take
from transforms.measures.procurement_notices import measure

DISPATCHED = b"2024-05-06+03:00"


def dated(data: bytes, number: int, day: str, changes: int | None = None, number_given: str | None = None) -> bytes:
    """The notice under another id, dispatched another day; changing the first version of notice `changes`, if any."""
    data = data.replace(NOTICE_ID, name(number).encode()).replace(DISPATCHED, f"{day}+03:00".encode())
    if changes is None:
        return data
    reference = number_given or f"{name(changes)}-01"
    told = f"<efac:Changes><efbc:ChangedNoticeIdentifier>{reference}</efbc:ChangedNoticeIdentifier></efac:Changes>"
    return data.replace(b"<efac:NoticeSubType>", told.encode() + b"<efac:NoticeSubType>")


def name(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def until(day: str) -> bytes:
    """The call with a deadline."""
    deadline = (
        f"<cac:TenderSubmissionDeadlinePeriod><cbc:EndDate>{day}+03:00</cbc:EndDate>"
        "<cbc:EndTime>12:00:00+03:00</cbc:EndTime></cac:TenderSubmissionDeadlinePeriod>"
    )
    place = b'<cac:ContractingSystem><cbc:ContractingSystemTypeCode listName="framework-agreement">'
    return CALL.replace(place, deadline.encode() + place)


def measured(folder: Path, *notices: bytes) -> dict[str, pl.DataFrame]:
    parts, conclusion = take(folder, {f"{number}.xml": data for number, data in enumerate(notices)})
    assert not conclusion.refused
    assert not any(part.refused for part in parts)
    accepted = {table.name: pl.concat([part.accepted[table.name] for part in parts]) for table in CONTRACT.tables}
    return measure(accepted, Reference.load())


def test_change_moves_the_deadline_and_no_month(tmp_path: Path) -> None:
    first, change = dated(until("2024-05-16"), 1, "2024-05-06"), dated(until("2024-06-20"), 2, "2024-06-05", changes=1)

    [lot] = measured(tmp_path, first, change)["call_lot"].to_dicts()

    assert (lot["month"], lot["deadline_days"]) == (date(2024, 5, 1), 45)


def test_change_of_a_change_belongs_to_the_first_call(tmp_path: Path) -> None:
    first, change = dated(until("2024-05-16"), 1, "2024-05-06"), dated(until("2024-06-20"), 2, "2024-06-05", changes=1)
    again = dated(until("2024-07-06"), 3, "2024-07-01", changes=2)

    measures = measured(tmp_path, again, first, change)

    [lot] = measures["call_lot"].to_dicts()
    assert (lot["month"], lot["deadline_days"]) == (date(2024, 5, 1), 61)
    assert measures["notice_fact"]["month"].to_list() == [date(2024, month, 1) for month in (5, 6, 7)]


def test_corrected_award_counts_once_in_its_first_month(tmp_path: Path) -> None:
    award, corrected = dated(AWARD, 3, "2024-09-02"), dated(AWARD, 4, "2024-11-05", changes=3)
    alone = measured(tmp_path, award)["lot_result_fact"]

    both = measured(tmp_path, corrected, award)["lot_result_fact"]

    assert both["notice_id"].unique().to_list() == [name(4)]
    assert both["month"].unique().to_list() == [date(2024, 9, 1)]
    assert both.drop("notice_id").equals(alone.drop("notice_id"))


@pytest.mark.parametrize("reference", [f"{name(1)}-01", f" {name(1)} "], ids=["with_version", "spaced"])
def test_award_that_names_its_call_leaves_the_call_alone(tmp_path: Path, reference: str) -> None:
    call, award = dated(until("2024-06-06"), 1, "2024-05-06"), dated(AWARD, 3, "2024-09-02", changes=1, number_given=reference)

    measures = measured(tmp_path, call, award)

    [start] = measures["procedure_start"].to_dicts()
    assert (start["has_call"], start["month"], start["lots_n"]) == (True, date(2024, 5, 1), 1)
    assert measures["procedure_result"]["month"].to_list() == [date(2024, 9, 1)]
