"""Measures of purchase invoices, with the one by category model: what is bought of each, and what of it from the state's group
actors. Lines in no category model are in no row here; see `purchase_invoices` for everything else.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Column, Table
from schemas.errors import ConfigurationError
from schemas.reference import Reference
from transforms.measures import purchase_invoices
from transforms.measures.purchase_invoices import CLASS_OF_LINE, CLASSES, SLICE, SLICE_SQL, dated, merged_spans

GROUP_ACTORS = "state_group_actors"
"""The group of suppliers (supplier_groups.csv) that METHOD 28 speaks of: Hansel, Palkeet, Valtori, Senaatti."""

CATEGORY_MONTH = Table(
    "category_month",
    "Net cents on procurement accounts by category model.",
    (
        *SLICE,
        Column("category_model", pl.String, "Category model of the delivered category.", required=True),
        Column("net_cents", pl.Int64, "Net cents.", required=True, unit="cent"),
        Column("group_actor_cents", pl.Int64, "Of net_cents: suppliers that are group actors of the state.", required=True, unit="cent"),
        Column("lines", pl.Int64, "Lines.", required=True),
    ),
)  # fmt: skip

_CATEGORIES = f"""
WITH {CLASSES}
SELECT {SLICE_SQL}, m.category_model, sum(l.net_cents)::BIGINT AS net_cents,
    coalesce(sum(l.net_cents) FILTER (g.business_id IS NOT NULL), 0)::BIGINT AS group_actor_cents, count(*) AS lines
FROM posting_line l JOIN category_model m ON m.delivered = l.category_name AND l.period BETWEEN m.valid_from AND m.valid_to
    JOIN {CLASS_OF_LINE}
    LEFT JOIN group_actor g ON g.business_id = l.supplier_id AND l.period BETWEEN g.valid_from AND g.valid_to
WHERE c.is_procurement AND l.net_cents IS NOT NULL
GROUP BY ALL"""

MEASURES = (*purchase_invoices.MEASURES, CATEGORY_MONTH)
PLANS = {**purchase_invoices.PLANS, CATEGORY_MONTH.name: _CATEGORIES}


def relations(reference: Reference) -> dict[str, pl.DataFrame]:
    """The relations of `purchase_invoices`, and `category_model` (delivered, category_model, valid_from, valid_to; spans of one
    category never overlap) and `group_actor` (business_id, valid_from, valid_to; likewise).

    Raises ConfigurationError naming the file and the row's key.
    """
    groups = reference.table("supplier_groups.csv").filter(supplier_group=GROUP_ACTORS)
    actors = dated(groups).select("business_id", "valid_from", "valid_to").drop_nulls("business_id")
    return purchase_invoices.relations(reference) | {
        "category_model": _category_models(reference),
        "group_actor": merged_spans(actors),
    }


def _category_models(reference: Reference) -> pl.DataFrame:
    file = "category_models.csv"
    found = dated(reference.table(file)).select("delivered", "category_model", "valid_from", "valid_to")
    nameless = found.filter(pl.col("category_model").is_null())["delivered"]
    if not nameless.is_empty():
        raise ConfigurationError(f"{file}, delivered {nameless[0]!r}: category_model is blank; name the model")
    return found
