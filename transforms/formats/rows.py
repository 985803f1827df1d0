"""What a notice becomes on its way to the contract: rows of text and whole numbers, per table, without the key columns.

The readers of every schema fill one `Notice`; `Columns` gathers many notices column by column, so that a worker process
returns a handful of frames. Raw frames have the contract's column names; dates and times are still text, registration ids
and names are as delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.procurement_notices import ANSWERS

Value = str | int | bool | None

_S, _I, _B = pl.String, pl.Int64, pl.Boolean

RAW: Mapping[str, Mapping[str, type[pl.DataType]]] = {
    "notice": {
        "notice_no": _I, "delivery_id": _S, "source_line": _I, "notice_id": _S, "notice_version": _S, "schema": _S,
        "schema_version": _S, "form_type": _S, "notice_type": _S, "subtype": _S, "legal_basis": _S, "is_ted": _B,
        "procedure_id": _S, "previous_notice_id": _S, "changed_notice_id": _S, "is_cancelled": _B, "dispatch_date": _S,
        "dispatch_time": _S, "publication_date": _S, "publication_number": _S, "language": _S, "country": _S,
        "total_value_cents": _I, "other_currency": _S, "withheld_fields": _S,
    },
    "procedure": {
        "notice_no": _I, "procedure_id": _S, "procedure_type": _S, "is_accelerated": _B, "nature": _S, "cpv": _S,
        "buyers_n": _I, "is_joint": _B, "is_central_purchasing": _B, "buyer_legal_type": _S, "buyer_activity": _S,
        "estimated_value_cents": _I, "lots_n": _I,
    },
    "lot": {
        "notice_no": _I, "lot_id": _S, "nature": _S, "cpv": _S, "framework": _S, "dps": _S, "deadline_date": _S,
        "deadline_time": _S, "criteria": _S, "estimated_value_cents": _I, "sme_suitable": _B, "green_codes": _S,
        "social_codes": _S, "innovation_codes": _S, "strategic_codes": _S, "is_asked": _B,
        **{f"answer_{name}": _B for name in ANSWERS}, "answer_employment_opportunities": _I,
    },
    "lot_result": {
        "notice_no": _I, "result_id": _S, "lot_id": _S, "result_code": _S, "non_award_reason": _S, "tenders_n": _I,
        "tenders_sme_n": _I, "requests_n": _I, "within_framework": _B, "decision_date": _S, "award_value_cents": _I,
        "lowest_cents": _I, "highest_cents": _I, "review_requests_n": _I, "irregularities_n": _I,
    },
    "tender": {
        "notice_no": _I, "tender_id": _S, "result_id": _S, "lot_id": _S, "is_winner": _B, "rank": _I, "value_cents": _I,
        "currency": _S, "contract_id": _S,
    },
    "winner": {"notice_no": _I, "result_id": _S, "lot_id": _S, "organisation_ref": _S, "size": _S},
    "contract": {
        "notice_no": _I, "contract_id": _S, "decision_date": _S, "signed_date": _S, "within_framework": _B,
        "value_cents": _I,
    },
    "organisation": {
        "notice_no": _I, "organisation_ref": _S, "name": _S, "registration_text": _S, "country": _S, "nuts": _S, "size": _S,
        "is_buyer": _B, "buyer_no": _I, "is_winner": _B, "is_service": _B, "legal_type": _S, "is_central_purchasing": _B,
        "is_person": _B,
    },
    "finding": {
        "notice_no": _I, "delivery_id": _S, "source_line": _I, "rule": _S, "column_name": _S, "value": _S,
    },
}  # fmt: skip
"""Columns of the raw frames. `finding` holds what the reader saw that breaks a rule of the contract's notice table; its
notice_no is null where the document could not be read at all."""

CONTRADICTORY = "notice_contradictory"
"""Rule of a notice that says two things of one (METHOD 38): the value is unknown."""
NO_ANSWERS: tuple[None, ...] = (None,) * (len(ANSWERS) + 1)


@dataclass(slots=True)
class Notice:
    """One notice as read: the notice row, the procedure row (or None), the child rows, and what was found on the way.

    Rows are tuples in the order of RAW without `notice_no` (the notice row also without delivery_id and source_line).
    """

    notice: tuple[Value, ...] = ()
    procedure: tuple[Value, ...] | None = None
    lots: list[tuple[Value, ...]] = field(default_factory=list)
    lot_results: list[tuple[Value, ...]] = field(default_factory=list)
    tenders: list[tuple[Value, ...]] = field(default_factory=list)
    winners: list[tuple[Value, ...]] = field(default_factory=list)
    contracts: list[tuple[Value, ...]] = field(default_factory=list)
    organisations: list[tuple[Value, ...]] = field(default_factory=list)
    findings: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)

    def found(self, rule: str, column: str | None = None, value: str | None = None) -> None:
        """Notes that the notice breaks `rule`; `value` must not be personal."""
        self.findings.append((rule, column, value[:200] if value else None))


def agreed(small: int | None, winning: int, notice: Notice) -> int | None:
    """The tenders of SMEs as told; None, noted, where fewer than the winning tenders of SMEs (METHOD 38)."""
    if small is None or small >= winning:
        return small
    notice.found(CONTRADICTORY, "tenders_sme_n")
    return None


class Columns:
    """Gathers rows per raw table; `frames` turns them into Polars frames in one go."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Value, ...]]] = {table: [] for table in RAW}

    def add(self, number: int, delivery_id: str, source_line: int, notice: Notice) -> None:
        """Takes a read notice under its running number."""
        rows, key = self._rows, (number,)
        rows["notice"].append((number, delivery_id, source_line, *notice.notice))
        if notice.procedure is not None:
            rows["procedure"].append(key + notice.procedure)
        for table, children in (
            ("lot", notice.lots),
            ("lot_result", notice.lot_results),
            ("tender", notice.tenders),
            ("winner", notice.winners),
            ("contract", notice.contracts),
            ("organisation", notice.organisations),
        ):
            if children:
                rows[table].extend([key + child for child in children])
        for rule, column, value in notice.findings:
            rows["finding"].append((number, delivery_id, source_line, rule, column, value))

    def unread(self, delivery_id: str, source_line: int, rule: str, text: str) -> None:
        """Notes a document that could not be read as a notice at all; `text` says why."""
        self._rows["finding"].append((None, delivery_id, source_line, rule, None, text[:200]))

    def frames(self) -> dict[str, pl.DataFrame]:
        """One frame per raw table, with the columns and types of RAW, also when empty."""
        return {table: _frame(rows, RAW[table]) for table, rows in self._rows.items()}


def _frame(rows: Sequence[tuple[Value, ...]], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=dict(schema))
    columns = zip(*rows, strict=True)
    return pl.DataFrame([pl.Series(name, values, dtype=schema[name]) for name, values in zip(schema, columns, strict=True)])
