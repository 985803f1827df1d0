"""Measures of procurement notices: facts at the grains that METHOD keeps apart, each with its organisation and month.

Rows of a procedure depend on that procedure's notices alone, so touched procedures can be measured by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import Column, Table
from schemas.procurement_notices import ANSWERS
from schemas.reference import Reference
from transforms.measures import notice_lots, notice_procedures
from transforms.measures.notice_versions import KEY, Current, current

PLACE = (
    Column("procedure_id", pl.String, "Procedure, else the notice that stands outside any.", required=True),
    Column("organisation_id", pl.String, "First buyer.", required=True),
    Column("month", pl.Date, "First day of the month of the notice that tells of it.", required=True),
    Column("is_ted", pl.Boolean, "EU notice.", required=True),
)


def _count(name: str, text: str) -> Column:
    return Column(name, pl.Int64, text)


def _flag(name: str, text: str) -> Column:
    return Column(name, pl.Boolean, text)


NOTICE_FACT = Table(
    "notice_fact",
    "One row per notice in force.",
    (
        *PLACE,
        Column("notice_id", pl.String, "Notice.", required=True),
        Column("form_type", pl.String, "BT-03.", required=True),
        _flag("states_value", "Gives a public value in EUR."),
        _count("buyers_n", "Buyers."),
        _count("buyers_without_id", "Buyers without a registration number."),
    ),
)
PROCEDURE_FACT = Table(
    "procedure_fact",
    "One row per procedure with a call or an award; month and organisation of the call, else of the award.",
    (
        *PLACE,
        Column("result_organisation_id", pl.String, "Organisation of the first award notice."),
        Column("result_month", pl.Date, "Month of the first award notice."),
        Column("result_schema", pl.String, "Schema of the first award notice."),
        _flag("has_call", "Has a call for competition."),
        _flag("has_result", "Has an award notice."),
        Column("procedure_type", pl.String, "BT-105."),
        _flag("is_joint", "More than one buyer."),
        _flag("is_central", "Through a central purchasing body."),
        _count("call_lots_n", "Lots in the call."),
        _flag("is_price_only", "All awarded lots decided on price alone; null unknown."),
        _count("awarded_lots", "Lots awarded."),
        _flag("is_modified", "Has a contract modification notice."),
        _flag("is_cancelled", "A notice cancelled it."),
    ),
)
CALL_LOT_FACT = Table(
    "call_lot_fact",
    "One row per lot called for.",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        _count("deadline_days", "Days from publication of the call to the newest deadline."),
        Column("dps", pl.String, "BT-766."),
        Column("cancelled_month", pl.Date, "Month of the notice that cancelled the procedure."),
    ),
)
CALL_VALUE = Table(
    "call_value",
    "Advertised value of calls.",
    (*PLACE, Column("value_cents", pl.Int64, "EUR cents; null unknown.", unit="cent")),
)
LOT_RESULT_FACT = Table(
    "lot_result_fact",
    "One row per lot result of an award notice.",
    (
        *PLACE,
        Column("notice_id", pl.String, "Award notice.", required=True),
        Column("result_id", pl.String, "Lot result.", required=True),
        Column("lot_id", pl.String, "Lot.", required=True),
        Column("result_code", pl.String, "BT-142."),
        _count("tenders_n", "Tenders received."),
        _count("tenders_sme_n", "Tenders from SMEs."),
        Column("award_value_cents", pl.Int64, "Award value, EUR cents.", unit="cent"),
        _flag("is_competitive", "METHOD 9: no framework, DPS, contract within one, nor procedure without a call."),
        _flag("is_dps", "DPS usage."),
        _flag("is_decided_after_call", "Neither DPS nor without a call."),
        _count("winners_n", "Contractors."),
        _count("winners_without_id", "Contractors without a registration number."),
        _count("winners_sized", "Contractors of known size."),
        _count("winners_sme", "SMEs among them."),
        _count("decision_days", "Days from the deadline to the earliest decision of the lot."),
        _flag("is_days_refused", "The days were negative or over two years."),
    ),
)
LOT_ANSWER_FACT = Table(
    "lot_answer_fact",
    "Hilma's statistics answers per lot, merged over call and award.",
    (
        *PLACE,
        Column("lot_id", pl.String, "Lot.", required=True),
        _flag("is_asked", "The questions are asked for the lot."),
        *(_flag(f"answer_{name}", f"Answer {name}; null unanswered.") for name in ANSWERS),
    ),
)
NOTICE_BUYER = Table(
    "notice_buyer",
    "What notices say of their first buyers.",
    (
        *PLACE[:3],
        Column("name", pl.String, "Name."),
        Column("sector", pl.String, "Sector by the legal type (BT-11)."),
        Column("region", pl.String, "Region by NUTS."),
    ),
)
MEASURES = (NOTICE_FACT, PROCEDURE_FACT, CALL_LOT_FACT, CALL_VALUE, LOT_RESULT_FACT, LOT_ANSWER_FACT, NOTICE_BUYER)


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """Measure tables from accepted rows (all versions) of whole procedures: name -> frame with exactly its columns."""
    now = current(tables, reference)
    frames = {
        "notice_fact": _notices(now),
        "procedure_fact": notice_procedures.procedure_fact(now),
        "call_lot_fact": notice_procedures.call_lot_fact(now),
        "call_value": notice_procedures.call_value(now),
        "lot_result_fact": notice_lots.lot_result_fact(now),
        "lot_answer_fact": notice_lots.lot_answer_fact(now),
        "notice_buyer": _notice_buyers(now, reference),
    }
    return {
        table.name: frames[table.name].select(table.polars_schema().names()).cast(dict(table.polars_schema()))
        for table in MEASURES
    }


def _notices(now: Current) -> pl.DataFrame:
    sources = (
        now.tables["procedure"].select(*KEY, value="estimated_value_cents"),
        now.tables["lot"].select(*KEY, value="estimated_value_cents"),
        now.tables["lot_result"].select(*KEY, value="award_value_cents"),
        now.tables["tender"].select(*KEY, value="value_cents"),
        now.notices.select(*KEY, value="total_value_cents"),
    )
    stated = pl.concat(sources).drop_nulls("value").select(KEY).unique().with_columns(states_value=pl.lit(value=True))
    joined = now.notices.join(stated, on=KEY, how="left")
    return joined.with_columns(procedure_id=pl.col("procedure_key"), states_value=pl.col("states_value").fill_null(value=False))


def _notice_buyers(now: Current, reference: Reference) -> pl.DataFrame:
    aliases = reference.table("sector_aliases.csv").filter(kind="legal_type").select(legal_type="delivered", sector="sector")
    regions = reference.table("regions.csv").select(nuts="nuts", region="region").drop_nulls().unique("nuts")
    buyers = now.notices.with_columns(procedure_id=pl.col("procedure_key"), name=pl.col("buyer_name"))
    return buyers.join(aliases, on="legal_type", how="left").join(regions, on="nuts", how="left")
