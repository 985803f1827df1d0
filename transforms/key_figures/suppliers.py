"""Suppliers and concentration (METHOD 19): over suppliers with an id, positive net spend in the period, no public bodies.

Keyed: worked out anew for every level, quarter and year from supplier-months, in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping

from transforms.key_figures.spend import EXCLUSIONS
from transforms.key_figures.spend_coverage import PERIOD_KINDS, SLOTS, covered, keyed_figure, places

OUTSIDE = (
    "Masked suppliers, suppliers without an id, private traders and public bodies stand outside numerator and base.",
    "Suppliers whose net spend in the period is zero or negative.",
    *EXCLUSIONS,
)
DEFINITIONS = (
    keyed_figure(
        "suppliers_n",
        ("Toimittajien määrä", "Antal leverantörer", "Suppliers"),
        (
            "Eri toimittajat, joilta ostettiin jakson aikana nettona enemmän kuin nolla euroa.",
            "Olika leverantörer som man köpt av för mer än noll euro netto under perioden.",
            "Distinct suppliers with positive net spend in the period.",
        ),
        "market",
        unit="count",
        numerator="Distinct supplier ids with positive net spend.",
        denominator=None,
        origin="KEY_FIGURES 7.2, proposal.",
        exclusions=OUTSIDE,
    ),
    keyed_figure(
        "top10_share",
        ("Kymmenen suurimman osuus", "De tio största leverantörernas andel", "Top-10 share"),
        (
            "Kymmenen suurimman toimittajan osuus ostoista.",
            "De tio största leverantörernas andel av inköpen.",
            "Share of spend that goes to the ten largest suppliers.",
        ),
        "market",
        unit="share",
        numerator="Net spend on the ten largest suppliers.",
        denominator="Net spend on all suppliers of the base.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        origin="KEY_FIGURES 7.2, proposal.",
        exclusions=OUTSIDE,
    ),
    keyed_figure(
        "hhi_supplier",
        ("Toimittajien keskittyminen (HHI)", "Leverantörskoncentration (HHI)", "Supplier concentration (HHI)"),
        (
            "Toimittajien markkinaosuuksien neliösumma (0-10 000) hankintakategorioittain, ostoilla painotettuna.",
            "Summan av kvadraterna på leverantörernas andelar (0-10 000) per kategori, vägd med inköpen.",
            "Sum of squared supplier shares (0-10,000) by category, weighted by spend; for one organisation over all its suppliers.",
        ),
        "market",
        unit="hhi",
        numerator="Sum of squared supplier shares times 10,000.",
        denominator="Net spend of the base (weight).",
        denominator_quantity="cent",
        origin="METHOD 19; Herfindahl-Hirschman index.",
        assumptions=(
            "Organisation: dependence of the buyer on its suppliers, all categories together.",
            "Other levels: supplier shares pooled per category, the whole is the spend-weighted mean of the categories.",
            "Categories that category_models.csv or codelists/agreement_categories.csv know are told one by one.",
        ),
        exclusions=OUTSIDE,
    ),
)

# Quarters first, years from them; suppliers and categories become numbers, so that levels are grouped over three integers.
_KEYED = """
by_quarter AS MATERIALIZED (
    SELECT slot_id, category, supplier_id, sum(net_cents)::BIGINT AS cents
    FROM supplier_month JOIN month_slot USING (organisation_id, period, has_date) GROUP BY ALL),
supplier AS MATERIALIZED (
    SELECT supplier_id, row_number() OVER ()::INTEGER AS supplier_no FROM (SELECT DISTINCT supplier_id FROM by_quarter)),
category AS MATERIALIZED (
    SELECT category, row_number() OVER ()::INTEGER AS category_no FROM (SELECT DISTINCT category FROM by_quarter)),
numbered AS MATERIALIZED (
    SELECT slot_id, category_no, supplier_no, cents FROM by_quarter JOIN supplier USING (supplier_id) JOIN category USING (category)),
by_year AS MATERIALIZED (
    SELECT year_id, category_no, supplier_no, sum(cents)::BIGINT AS cents FROM numbered JOIN year_slot USING (slot_id) GROUP BY ALL),
slot_sum AS (SELECT p.place_id, p.level, category_no, supplier_no, cents FROM numbered JOIN slot_place p USING (slot_id)),
year_sum AS (SELECT p.place_id, p.level, category_no, supplier_no, cents FROM by_year JOIN year_place p USING (year_id)),
pooled AS MATERIALIZED (
    SELECT place_id, category_no, supplier_no, sum(cents)::BIGINT AS cents
    FROM (FROM slot_sum WHERE level <> 'organisation' UNION ALL FROM year_sum WHERE level <> 'organisation') GROUP BY ALL)"""

# Where no file names categories, the sum over categories is the pooled sum itself. Squares are added as integers and
# categories in order of size: equal data give equal figures whatever the order of rows.
_TOTALS = """
whole AS MATERIALIZED (
    SELECT place_id, supplier_no, cents FROM pooled WHERE (SELECT count(*) FROM category) <= 1 AND cents > 0
    UNION ALL
    SELECT place_id, supplier_no, sum(cents)::BIGINT AS cents FROM pooled WHERE (SELECT count(*) FROM category) > 1
    GROUP BY ALL HAVING sum(cents) > 0
    UNION ALL
    SELECT place_id, supplier_no, sum(cents)::BIGINT AS cents
    FROM (FROM slot_sum WHERE level = 'organisation' UNION ALL FROM year_sum WHERE level = 'organisation')
    GROUP BY ALL HAVING sum(cents) > 0),
total AS MATERIALIZED (
    SELECT place_id, count(*) AS suppliers, sum(cents) AS base, list_sum(max(cents, 10)) AS top10,
        sum(cents::HUGEINT * cents) AS squares
    FROM whole GROUP BY ALL),
by_category AS MATERIALIZED (
    SELECT place_id, category_no, count(*) AS suppliers, sum(cents) AS base, sum(cents::HUGEINT * cents) AS squares
    FROM pooled WHERE cents > 0 GROUP BY ALL),
hhi AS (
    SELECT place_id, '' AS breakdown_kind, '' AS breakdown_id, suppliers, base,
        squares::DOUBLE / base::DOUBLE / base::DOUBLE * 10000 AS hhi
    FROM total SEMI JOIN (FROM place WHERE level = 'organisation') USING (place_id)
    UNION ALL
    SELECT t.place_id, '', '', any_value(t.suppliers), sum(c.base),
        list_sum(list_sort(list(c.squares::DOUBLE / c.base::DOUBLE))) / sum(c.base)::DOUBLE * 10000
    FROM by_category c JOIN total t USING (place_id) GROUP BY t.place_id
    UNION ALL
    SELECT place_id, 'category', category, suppliers, base, squares::DOUBLE / base::DOUBLE / base::DOUBLE * 10000
    FROM by_category JOIN category USING (category_no) SEMI JOIN (FROM place WHERE level = 'national') USING (place_id)
    WHERE category <> '' AND NOT starts_with(category, '#')),  -- what no register knows travels as a hash and is no breakdown
cell AS (
    SELECT 'suppliers_n' AS figure_id, place_id, '' AS breakdown_kind, '' AS breakdown_id, suppliers AS numerator,
        NULL AS denominator, suppliers::DOUBLE AS direct_value, suppliers AS n
    FROM total
    UNION ALL
    SELECT 'top10_share', place_id, '', '', top10, base, NULL, suppliers FROM total
    UNION ALL
    SELECT 'hhi_supplier', place_id, breakdown_kind, breakdown_id, NULL, base, hhi, suppliers FROM hhi)"""

# A place without a supplier: none was bought from (zero suppliers, no concentration), or the data cannot tell.
_EMPTY = """
empty AS (
    SELECT f.figure_id, c.place_id, CASE WHEN c.usable = 0 THEN c.gap WHEN f.figure_id <> 'suppliers_n' THEN 'no_suppliers' END AS reason,
        CASE WHEN c.usable > 0 AND f.figure_id = 'suppliers_n' THEN 0 END AS zero
    FROM covered c CROSS JOIN (VALUES ('suppliers_n'), ('top10_share'), ('hhi_supplier')) f(figure_id)
    ANTI JOIN total t ON t.place_id = c.place_id)"""

PLANS: Mapping[str, str] = {
    "concentration": f"""
WITH {places(PERIOD_KINDS)},
{covered("business_id_lines + foreign_id_lines", "no_supplier_id", scaled=False)},
{SLOTS},
{_KEYED},
{_TOTALS},
{_EMPTY},
every AS (
    SELECT figure_id, place_id, breakdown_kind, breakdown_id, numerator, denominator, direct_value, n, NULL AS reason FROM cell
    UNION ALL
    SELECT figure_id, place_id, '', '', zero, NULL, zero, 0, reason FROM empty)
SELECT e.figure_id, '' AS variant, 'market' AS scope, e.breakdown_kind, e.breakdown_id, p.level, p.level_id, p.period_kind,
    p.period_start, e.numerator::BIGINT AS numerator, e.denominator::BIGINT AS denominator,
    e.direct_value::DOUBLE AS direct_value, e.n::BIGINT AS n, coalesce(c.covered, 0)::BIGINT AS covered,
    coalesce(c.asked, 0)::BIGINT AS asked, e.reason::VARCHAR AS reason
FROM every e JOIN place p USING (place_id) LEFT JOIN covered c USING (place_id)
""",
}
