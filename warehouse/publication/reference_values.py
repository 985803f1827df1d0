"""Reference data as published: figures that others have published beside the computed ones, and the codes of the CPV."""

from __future__ import annotations

import polars as pl

from schemas.key_figure import VALUE
from warehouse.publication.generations import Connection, PublishedTable, create_table

CELL = ("figure_id", "variant", "scope", "level", "level_id", "breakdown_kind", "breakdown_id", "period_kind", "period_start")
REFERENCE_VALUE = {
    "reference_id": "Our id of the row.",
    "what": "What was published, in English.",
    "figure_id": "Key figure that it speaks of; null: none does.",
    "variant": "Variant, '' when there is one only.",
    "scope": "Scope as published; null when no figure is named.",
    "level": "Level as in mart.key_figure, or eu.",
    "level_id": "Id within the level; EU for the European Union.",
    "breakdown_kind": "'' for the whole; else as in mart.key_figure.",
    "breakdown_id": "'' for the whole.",
    "period_kind": "year or month; null: the source gives no date.",
    "period_start": "First day of the period.",
    "value": "The published value, shares 0-1.",
    "unit": "Its unit, as in mart.figure.",
    "precision": "exact; rounded; about; over and under: the source says more or less than.",
    "tolerance": "How far a computed value may lie from it and still agree (what rounding allows); null: the source does not say.",
    "kind": "test: a loaded original must give it; display: shown for comparison, no test (METHOD 10).",
    "is_comparable": "Scope and definition match the key figure; false: `note` tells the difference where it is known.",
    "source": "Who published it.",
    "note": "What else is known.",
    "computed_value": "mart.key_figure of the same key, where is_comparable; null: not computed.",
    "computed_status": "Its status.",
    "computed_coverage": "Its coverage.",
    "difference": "computed_value - value.",
    "is_within": "Whether the difference lies within the tolerance; null where either is missing.",
}
CPV = {
    "code": "Code of the Common Procurement Vocabulary 2008, eight digits.",
    "parent": "Code one level up; null: a division.",
    "kind": "supplies, services, works.",
    "name_fi": "Name in Finnish.",
    "name_sv": "Name in Swedish.",
    "name_en": "Name in English.",
}


def fill(con: Connection, values: pl.DataFrame) -> None:
    """Write `mart.reference_value` into a publication whose `mart.key_figure` is complete; `values` as `reference_values` gives."""
    con.register("reference_row", values.to_arrow())
    on = " AND ".join(f'k."{name}" = r."{name}"' for name in CELL)
    computed = con.execute(
        f"SELECT r.reference_id, k.value AS computed_value, k.status AS computed_status, k.coverage AS computed_coverage "
        f"FROM reference_row r JOIN mart.key_figure k ON {on} WHERE r.is_comparable AND k.panel = 'all'"
    ).pl()
    con.unregister("reference_row")
    create_table(con, table(values, computed))


def table(values: pl.DataFrame, computed: pl.DataFrame) -> PublishedTable:
    """`values` beside `computed` (reference_id, computed_value, computed_status, computed_coverage)."""
    joined = values.join(computed, on="reference_id", how="left", validate="1:1").with_columns(
        difference=(pl.col("computed_value") - pl.col("value")).cast(VALUE)
    )
    within = pl.col("difference").abs() <= pl.col("tolerance")
    return PublishedTable(
        "mart",
        "reference_value",
        "Figures published by others, beside the computed ones where scope and definition match.",
        REFERENCE_VALUE,
        joined.with_columns(is_within=within).select(list(REFERENCE_VALUE)).sort("figure_id", "period_start", "reference_id", nulls_last=True),
        ("reference_id",),
    )  # fmt: skip


def cpv_table(register: pl.DataFrame) -> PublishedTable:
    """Codes and names of the CPV: the 45 divisions as shipped, all codes once `nyckeltal reference cpv` has loaded them."""
    return PublishedTable(
        "mart", "cpv", "Common Procurement Vocabulary.", CPV, register.select(list(CPV)).sort("code"), ("code",)
    )
