"""Suppliers and concentration (METHOD 19): over suppliers with an id, positive net spend in the period, no public bodies.

Keyed: worked out anew for every level and year from supplier-months, in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.key_figure import KeyFigure
from transforms.key_figures.spend import COVERAGE, EXCLUSIONS

BASE = (
    "Masked suppliers, suppliers without an id, private traders and public bodies stand outside numerator and base.",
    "Suppliers whose net spend in the period is zero or negative.",
)
COMMON: Mapping[str, object] = {
    "version": 1,
    "direction": "context",
    "sources": ("purchase_invoices",),
    "aggregate": "plan",
    "standing": "proposal",
    "coverage_text": COVERAGE,
    "closing": "invoices",
    "scopes": ("market",),
    "period_kinds": ("year",),
    "exclusions": (*BASE, *EXCLUSIONS),
}
DEFINITIONS = (
    KeyFigure(
        figure_id="suppliers_n",
        name={"fi": "Toimittajien määrä", "sv": "Antal leverantörer", "en": "Suppliers"},
        definition={
            "fi": "Eri toimittajat, joilta ostettiin vuoden aikana nettona enemmän kuin nolla euroa.",
            "sv": "Olika leverantörer som man köpt av för mer än noll euro netto under året.",
            "en": "Distinct suppliers with positive net spend in the year.",
        },
        unit="count",
        numerator="Distinct supplier ids with positive net spend.",
        denominator=None,
        origin="KEY_FIGURES 7.2, proposal.",
        **COMMON,  # type: ignore[arg-type]
    ),
    KeyFigure(
        figure_id="top10_share",
        name={"fi": "Kymmenen suurimman osuus", "sv": "De tio största leverantörernas andel", "en": "Top-10 share"},
        definition={
            "fi": "Kymmenen suurimman toimittajan osuus ostoista.",
            "sv": "De tio största leverantörernas andel av inköpen.",
            "en": "Share of spend that goes to the ten largest suppliers.",
        },
        unit="share",
        numerator="Net spend on the ten largest suppliers.",
        denominator="Net spend on all suppliers of the base.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        origin="KEY_FIGURES 7.2, proposal.",
        **COMMON,  # type: ignore[arg-type]
    ),
    KeyFigure(
        figure_id="hhi_supplier",
        name={
            "fi": "Toimittajien keskittyminen (HHI)",
            "sv": "Leverantörskoncentration (HHI)",
            "en": "Supplier concentration (HHI)",
        },
        definition={
            "fi": "Toimittajien markkinaosuuksien neliösumma (0-10 000) hankintakategorioittain, ostoilla painotettuna.",
            "sv": "Summan av kvadraterna på leverantörernas andelar (0-10 000) per kategori, vägd med inköpen.",
            "en": "Sum of squared supplier shares (0-10,000) by category, weighted by spend; for one organisation over all its suppliers.",
        },
        unit="hhi",
        numerator="Sum of squared supplier shares times 10,000.",
        denominator="Net spend of the base (weight).",
        denominator_quantity="cent",
        origin="METHOD 19; Herfindahl-Hirschman index.",
        assumptions=(
            "Organisation: dependence of the buyer on its suppliers, all categories together.",
            "Other levels: supplier shares pooled per category, the whole is the spend-weighted mean of the categories.",
        ),
        **COMMON,  # type: ignore[arg-type]
    ),
)

# Expected organisation-months and what is known of them, by level: the coverage of keyed figures.
COVERED = """
known AS (
    SELECT organisation_id, year(period) AS year, NOT bool_or(is_gross) AS has_net, bool_or(has_supplier_id) AS has_supplier_id,
        bool_or(has_case_id) AS has_case_id, sum(known_absolute_cents) AS known_cents,
        sum(known_absolute_cents + unknown_absolute_cents) AS all_cents
    FROM spend_month GROUP BY ALL),
covered AS (
    SELECT m.level, m.level_id, p.period_kind, p.period_start, count(*) * 10000 AS asked,
        sum(CASE WHEN NOT e.present OR k.has_net IS FALSE THEN 0
            WHEN coalesce(k.all_cents, 0) = 0 THEN 10000 ELSE k.known_cents * 10000 // k.all_cents END) AS covered,
        bool_or(k.has_net) AS has_net, bool_or(k.has_net AND k.has_supplier_id) AS has_supplier_id,
        bool_or(k.has_net AND k.has_case_id) AS has_case_id, bool_or(e.present) AS present
    FROM period p JOIN expected e ON e.month BETWEEN p.period_start AND p.period_end
    JOIN membership m ON m.organisation_id = e.organisation_id AND p.period_end BETWEEN m.valid_from AND m.valid_to
    LEFT JOIN known k ON k.organisation_id = e.organisation_id AND k.year = year(e.month)
    WHERE p.period_kind = 'year' GROUP BY ALL)
"""
CELL = """'' AS variant, 'market' AS scope, breakdown_kind, breakdown_id, level, level_id, period_kind, period_start"""

PLANS: Mapping[str, str] = {
    "concentration": f"""
WITH {COVERED},
bought AS MATERIALIZED (
    SELECT s.organisation_id, p.period_kind, p.period_start, p.period_end, s.category, s.supplier_id, sum(s.net_cents) AS cents
    FROM supplier_month s JOIN period p ON s.period BETWEEN p.period_start AND p.period_end
    WHERE p.period_kind = 'year' GROUP BY ALL),
pooled AS MATERIALIZED (
    SELECT m.level, m.level_id, b.period_kind, b.period_start, b.category, b.supplier_id, sum(b.cents) AS cents
    FROM bought b JOIN membership m ON m.organisation_id = b.organisation_id AND b.period_end BETWEEN m.valid_from AND m.valid_to
    WHERE m.level <> 'organisation' GROUP BY ALL),
whole AS MATERIALIZED (
    SELECT level, level_id, period_kind, period_start, supplier_id, sum(cents) AS cents FROM pooled GROUP BY ALL HAVING sum(cents) > 0
    UNION ALL
    SELECT 'organisation', organisation_id, period_kind, period_start, supplier_id, sum(cents) FROM bought
    GROUP BY ALL HAVING sum(cents) > 0),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY level, level_id, period_kind, period_start ORDER BY cents DESC, supplier_id) AS place FROM whole),
total AS MATERIALIZED (
    SELECT level, level_id, period_kind, period_start, count(*) AS suppliers, sum(cents) AS base,
        sum(cents) FILTER (place <= 10) AS top10, sum(cents::DOUBLE * cents::DOUBLE) AS squares FROM ranked GROUP BY ALL),
by_category AS MATERIALIZED (
    SELECT level, level_id, period_kind, period_start, category, count(*) AS suppliers, sum(cents) AS base,
        sum(cents::DOUBLE * cents::DOUBLE) / (sum(cents)::DOUBLE * sum(cents)::DOUBLE) * 10000 AS hhi
    FROM pooled WHERE cents > 0 GROUP BY ALL),
hhi AS (
    SELECT level, level_id, period_kind, period_start, '' AS breakdown_kind, '' AS breakdown_id, suppliers, base,
        squares / (base::DOUBLE * base::DOUBLE) * 10000 AS hhi FROM total WHERE level = 'organisation'
    UNION ALL
    SELECT level, level_id, period_kind, period_start, '', '', sum(suppliers), sum(base), sum(hhi * base) / sum(base) FROM by_category GROUP BY ALL
    UNION ALL
    SELECT level, level_id, period_kind, period_start, 'category', category, suppliers, base, hhi FROM by_category
    WHERE level = 'national' AND category <> ''),
cell AS (
    SELECT 'suppliers_n' AS figure_id, level, level_id, period_kind, period_start, '' AS breakdown_kind, '' AS breakdown_id,
        suppliers AS numerator, NULL AS denominator, suppliers::DOUBLE AS direct_value, suppliers AS n FROM total
    UNION ALL
    SELECT 'top10_share', level, level_id, period_kind, period_start, '', '', top10, base, NULL, suppliers FROM total
    UNION ALL
    SELECT 'hhi_supplier', level, level_id, period_kind, period_start, breakdown_kind, breakdown_id, NULL, base, hhi, suppliers FROM hhi),
empty AS (
    SELECT f.figure_id, c.level, c.level_id, c.period_kind, c.period_start,
        CASE WHEN NOT c.present THEN 'missing_delivery' WHEN c.has_net IS NOT TRUE THEN 'not_comparable'
            WHEN NOT c.has_supplier_id THEN 'no_supplier_id' ELSE 'no_suppliers' END AS reason
    FROM covered c CROSS JOIN (VALUES ('suppliers_n'), ('top10_share'), ('hhi_supplier')) f(figure_id)
    ANTI JOIN total t ON t.level = c.level AND t.level_id = c.level_id AND t.period_kind = c.period_kind AND t.period_start = c.period_start)
SELECT figure_id, {CELL}, numerator::BIGINT AS numerator, denominator::BIGINT AS denominator, direct_value, n::BIGINT AS n,
    coalesce(covered, 0)::BIGINT AS covered, coalesce(asked, 0)::BIGINT AS asked, NULL::VARCHAR AS reason
FROM cell LEFT JOIN covered USING (level, level_id, period_kind, period_start)
UNION ALL
SELECT figure_id, '', 'market', '', '', level, level_id, period_kind, period_start, NULL, NULL, NULL, 0, covered::BIGINT, asked::BIGINT, reason
FROM empty JOIN covered USING (level, level_id, period_kind, period_start)
""",
}
