"""Contracts of the measure tables of notices: one grain each, one organisation and one month on every row.

Every table has exactly one `month`: the warehouse restricts tables by it and recomputes the months that changed.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Table
from schemas.procurement_notices import ANSWERS

PLACE = (
    Column("procedure_id", pl.String, "Procedure (BT-04), else the notice that stands outside any.", required=True),
    Column("organisation_id", pl.String, "First buyer.", required=True),
    Column("month", pl.Date, "First day of the month that the row belongs to.", required=True),
    Column("is_ted", pl.Boolean, "From an EU notice.", required=True),
)
SERIES = ("competitive", "dps", "outside", "unknown")
DECISIONS = ("counted", "negative", "too_long", "no_decision", "no_deadline", "no_call")
CALL_VALUES = ("known", "other_currency", "missing")


def _count(name: str, text: str) -> Column:
    return Column(name, pl.Int64, text, minimum=0)


def _flag(name: str, text: str) -> Column:
    return Column(name, pl.Boolean, text)


NOTICE_FACT = Table(
    "notice_fact",
    "One row per notice in its newest version, changes included; month of the notice's own date.",
    (
        *PLACE,
        Column("notice_id", pl.String, "Notice.", required=True),
        Column("role", pl.String, "planning, consultation, call, veat, result, modification, change, completion, small_value.", required=True),
        _flag("has_procedure", "Bears a procedure id; planning notices need none."),
        _flag("states_value", "Gives a public value in EUR: an estimate, a winning tender's or contract's value, or a total."),
        _count("buyers_n", "Distinct buyers."),
        _count("buyers_without_id_n", "Buyers without a readable registration number."),
    ),
    primary_key=("procedure_id", "notice_id"),
)
PROCEDURE_START = Table(
    "procedure_start",
    "One row per procedure with a call or a result; month of the first call, else of the first result.",
    (
        *PLACE,
        _flag("has_call", "A call is known."),
        Column("procedure_type", pl.String, "BT-105 of the newest result, else of the newest call."),
        _flag("is_cancelled", "A notice cancelled its call and nothing was awarded."),
        _count("lots_n", "Lots of the call, corrections included; null without a call."),
        Column(
            "call_value_cents",
            pl.Int64,
            "Advertised value: the call's estimate, else the sum of its lots' when all are known.",
            unit="cent",
        ),
        Column("call_value_state", pl.String, "Whether the advertised value is known; null without a call.", codes=CALL_VALUES),
    ),
    primary_key=("procedure_id",),
)
PROCEDURE_RESULT = Table(
    "procedure_result",
    "One row per procedure with a result notice; month of the first one.",
    (
        *PLACE,
        Column("procedure_type", pl.String, "BT-105 of the newest result, else of the newest call."),
        _flag("is_joint", "More than one buyer."),
        _flag("is_central", "A buyer acts as a central purchasing body."),
        _flag("is_eforms", "Its newest result is an eForms notice."),
        _flag("has_call", "A call is held, or an award names one."),
        _flag("begun_after_switch", "Begun after the eForms switch, and without a call after the feed of notices began."),
        _count("awarded_n", "Lot results with a winner; null where no notice tells any result."),
        _flag("is_price_only", "All awarded lots decided on price alone; null when a lot's criteria are unknown."),
        _flag("is_modified", "A contract modification notice followed."),
    ),
    primary_key=("procedure_id",),
)
CALL_LOT = Table(
    "call_lot",
    "One row per lot called for; month of the call, also when a change moved its deadline.",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        Column(
            "deadline_days", pl.Int64, "Whole days from publication of the call to the newest deadline (BT-131); null unknown."
        ),
        _flag("is_dps", "DPS usage other than none."),
    ),
    primary_key=("procedure_id", "lot_id"),
)
CLOSED_LOT = Table(
    "closed_lot",
    "One row per lot that ended: awarded (month of the first award), else closed without one, else cancelled by a notice.",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        _flag("is_awarded", "A winner was chosen in some result."),
        _flag("is_cancelled_by_notice", "No result: a change notice cancelled the lot."),
    ),
    primary_key=("procedure_id", "lot_id"),
)
LOT_RESULT_FACT = Table(
    "lot_result_fact",
    "One row per lot result (a proxy for the contract); month of the result notice, of the first one when it was corrected.",
    (
        *PLACE,
        Column("notice_id", pl.String, "Result notice.", required=True),
        Column("result_id", pl.String, "Lot result.", required=True),
        Column("lot_id", pl.String, "Lot.", required=True),
        Column("result_code", pl.String, "BT-142; null when withheld."),
        Column(
            "series",
            pl.String,
            "METHOD 9: competitive; dps: DPS usage; outside: framework, contract within one, no call; unknown.",
            required=True,
            codes=SERIES,
        ),
        _count("tenders_n", "Tenders received; null unknown."),
        _count("tenders_sme_n", "Tenders from SMEs; null unknown."),
        Column("award_value_cents", pl.Int64, "Award value; null unknown, withheld or not in EUR.", unit="cent"),
        _count("winners_n", "Contractors: distinct tenderers of the winning tenders."),
        _count("winners_without_id_n", "Contractors without a readable registration number."),
        _count("winners_sized_n", "Contractors whose size is stated."),
        _count("winners_sme_n", "Micro, small, medium or SME among them."),
    ),
    primary_key=("procedure_id", "notice_id", "result_id"),
)
LOT_DECISION = Table(
    "lot_decision",
    "One row per awarded lot outside DPS and procedures without a call: its earliest decision (METHOD 10).",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        Column("decision_date", pl.Date, "Earliest winner decision date (BT-1451)."),
        Column("deadline_date", pl.Date, "Deadline (BT-131) of the linked call, newest version."),
        Column("days", pl.Int64, "Decision minus deadline, also when it is not counted."),
        Column("outcome", pl.String, "counted, or why not.", required=True, codes=DECISIONS),
    ),
    primary_key=("procedure_id", "lot_id"),
)
LOT_ANSWER = Table(
    "lot_answer",
    "One row per lot that Hilma asks its questions for; month of the procedure's first result, else of its call.",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        *(_flag(f"answer_{name}", f"Latest non-null answer {name}, the award's before the call's.") for name in ANSWERS),
        Column(
            "call_value_cents", pl.Int64, "Advertised value of the lot's procedure (procedure_start); null unknown.", unit="cent"
        ),
    ),
    primary_key=("procedure_id", "lot_id"),
)
NOTICE_BUYER = Table(
    "notice_buyer",
    "What notices say of their first buyers, per procedure and month.",
    (
        *PLACE[:3],
        Column("name", pl.String, "Name as delivered."),
        Column("sector", pl.String, "Sector by the buyer's legal type (BT-11)."),
        Column("region", pl.String, "Region by NUTS (BT-507)."),
    ),
)
MEASURES = (
    NOTICE_FACT,
    PROCEDURE_START,
    PROCEDURE_RESULT,
    CALL_LOT,
    CLOSED_LOT,
    LOT_RESULT_FACT,
    LOT_DECISION,
    LOT_ANSWER,
    NOTICE_BUYER,
)
