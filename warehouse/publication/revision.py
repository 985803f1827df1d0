"""The published tables of revisions: what changed after it had been final, why, and how far first values lay off a year later."""

from __future__ import annotations

from warehouse import revisions
from warehouse.publication.generations import PublishedTable
from warehouse.store import Store

_KEY = ", ".join(f'"{name}"' for name in revisions.CELL)
_PLACE = {
    "figure_id": "Key figure.",
    "variant": "Variant, '' when there is one only.",
    "scope": "What the figure speaks of.",
    "panel": "all: every organisation that delivers; fixed: the fixed panel.",
    "level": "national, sector, branch, region, group, organisation.",
    "level_id": "Id within the level; FI for the nation.",
    "breakdown_kind": "'' for the whole, else what the row is broken down by.",
    "breakdown_id": "'' for the whole, else the class.",
    "period_kind": "month, quarter, year, rolling_12m, point.",
    "period_start": "First day of the period.",
}
REVISION = {
    "publication_no": "Publication that changed the value.",
    "cause": "definition (of another version), code (any other change of the product), reference (registers), correction (of what was delivered), "
    "late (what was not there before).",
    **_PLACE,
    "value_before": "Value of the publication before; null: it had none.",
    "value_after": "Value of this publication; null: it has none any more.",
    "difference": "The cause's part of value_after - value_before; the parts of all causes add up to it. Null where either is null.",
}
SUMMARY = {
    **{name: _PLACE[name] for name in ("figure_id", "variant", "scope", "period_kind")},
    "cells_n": "National cells with a first value and one 12 months later, without a change of definition or code in between.",
    "mean_revision": "Mean of value 12 months later - first value; null for fewer than 12 cells.",
    "mean_absolute_revision": "Mean of its absolute value; null for fewer than 12 cells.",
}
LEAST_CELLS = 12
"""Mean revisions are told from so many points (METHOD 30)."""


def tables(store: Store) -> list[PublishedTable]:
    """`mart.revision` and `mart.revision_summary`, whole: a cell that is withheld now has no revisions of before either."""
    text = "Values that changed after they had been final: one row per cell, publication and cause."
    rows = revisions.told(store).select(list(REVISION))
    return [
        PublishedTable("mart", "revision", text, REVISION, rows, ("publication_no", "cause", *revisions.CELL)),
        _summary(store),
    ]


def _summary(store: Store) -> PublishedTable:
    """The first value of every national cell against the one in force 12 months after it was published."""
    frame = store.frame(
        f"""
        WITH open AS (FROM figure.history ANTI JOIN ({revisions.WITHHELD}) USING ({_KEY})
            WHERE level = 'national' AND panel = 'all' AND breakdown_kind = '' AND NOT is_restricted),
        first AS (SELECT {_KEY}, min(valid_from_no) AS first_no, arg_min(value, valid_from_no) AS first_value,
                arg_min(version, valid_from_no) AS first_version
            FROM open WHERE value IS NOT NULL GROUP BY {_KEY}),
        later AS (SELECT f.*, (SELECT max(n.publication_no) FROM ledger.publication n
                WHERE n.published_at <= p.published_at + INTERVAL 12 MONTH) AS later_no
            FROM first f JOIN ledger.publication p ON p.publication_no = f.first_no
            WHERE (SELECT max(published_at) FROM ledger.publication) >= p.published_at + INTERVAL 12 MONTH),
        compared AS (SELECT l.*, h.value - l.first_value AS revision FROM later l JOIN open h USING ({_KEY})
            WHERE h.value IS NOT NULL AND h.version = l.first_version AND h.valid_from_no <= l.later_no
                AND (h.valid_to_no IS NULL OR h.valid_to_no > l.later_no)
            AND NOT EXISTS (FROM figure.revision r WHERE r.cause IN ('definition', 'code') AND r.publication_no > l.first_no
                AND r.publication_no <= l.later_no AND {" AND ".join(f'r."{name}" = l."{name}"' for name in revisions.CELL)}))
        SELECT figure_id, variant, scope, period_kind, count(*) AS cells_n,
            CASE WHEN count(*) >= {LEAST_CELLS} THEN (sum(revision) / count(*))::DECIMAL(28, 8) END AS mean_revision,
            CASE WHEN count(*) >= {LEAST_CELLS} THEN (sum(abs(revision)) / count(*))::DECIMAL(28, 8) END AS mean_absolute_revision
        FROM compared GROUP BY ALL ORDER BY ALL
        """
    )
    text = "How far first values lay off what was published 12 months later (METHOD 30)."
    return PublishedTable("mart", "revision_summary", text, SUMMARY, frame, ("figure_id", "variant", "scope", "period_kind"))
