"""Measures of procurement notices: facts at the grains that METHOD keeps apart, each with its organisation and one month.

Rows of a procedure depend on that procedure's notices alone, so touched procedures can be measured by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.reference import Reference
from transforms.measures import notice_buyers, notice_lots, notice_procedures, notice_results
from transforms.measures.notice_projects import names_of
from transforms.measures.notice_tables import MEASURES
from transforms.measures.notice_versions import KEY, Notices, counting, current

__all__ = ["MEASURES", "current", "measure", "names_of"]


def measure(tables: Mapping[str, pl.DataFrame], reference: Reference) -> dict[str, pl.DataFrame]:
    """Measure tables (MEASURES) by name from accepted rows, all versions, of whole procedures; sorted by their columns.

    `tables`: the contract's tables. Never raises for content: what is unknown stays null or in a class of its own.
    """
    notices = counting(current(tables), reference)
    lots = notice_lots.lots_of(notices)
    start = notice_procedures.procedure_start(notices, lots)
    frames = {
        "notice_fact": _notice_fact(notices),
        "procedure_start": start,
        "procedure_result": notice_procedures.procedure_result(notices, lots, notice_procedures.feeds_began(reference)),
        "call_lot": notice_lots.call_lot(lots),
        "closed_lot": notice_lots.closed_lot(notices, lots),
        "lot_result_fact": notice_results.lot_result_fact(notices, lots, start),
        "lot_decision": notice_results.lot_decision(lots, start),
        "lot_answer": notice_lots.lot_answer(notices).join(
            start.select("procedure_id", "call_value_cents"), on="procedure_id", how="left"
        ),
        "notice_buyer": notice_buyers.observed(notices.notices, reference),
    }
    schemas = {table.name: table.polars_schema() for table in MEASURES}
    return {name: frames[name].select(schema.names()).cast(schema).sort(pl.all()) for name, schema in schemas.items()}


def _notice_fact(notices: Notices) -> pl.DataFrame:
    """One row per notice: NOTICE_FACT. The lowest and highest tender are no value of the notice."""
    tables = notices.tables
    values = (
        notices.notices.select(*KEY, cents="total_value_cents"),
        tables["procedure"].select(*KEY, cents="estimated_value_cents"),
        tables["lot"].select(*KEY, cents="estimated_value_cents"),
        tables["lot_result"].select(*KEY, cents="award_value_cents"),
        tables["tender"].filter("is_winner").select(*KEY, cents="value_cents"),
        tables["contract"].select(*KEY, cents="value_cents"),
    )
    stated = pl.concat(values).drop_nulls("cents").select(KEY).unique().with_columns(states_value=pl.lit(value=True))
    joined = notices.notices.join(stated, on=KEY, how="left")
    return joined.with_columns(
        states_value=pl.col("states_value").fill_null(value=False), month=pl.col("notice_date").dt.month_start()
    )
