"""Invoices (cases): group posting lines by case id first, then count (METHOD 20). Keyed, by quarter and year, in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.key_figures.spend import EXCLUSIONS
from transforms.key_figures.spend_coverage import PERIOD_KINDS, SLOTS, covered, keyed_figure, places

SHARED: Mapping[str, object] = {
    "direction": "down",
    "exclusions": ("Files without a case id (no_case_id).", *EXCLUSIONS),
    "assumptions": ("A case is an organisation's case id within the period.",),
    "strategy_intent": "I6-3",
}
DEFINITIONS = (
    keyed_figure(
        "small_invoice_share",
        ("Pienlaskujen osuus", "Andel småfakturor", "Small-invoice share"),
        (
            "Laskut, joiden summa on suurempi kuin nolla ja enintään raja-arvo, osuutena kaikista laskuista.",
            "Fakturor vars summa är större än noll och högst gränsvärdet, som andel av alla fakturor.",
            "Invoices with a sum above zero and at most the limit, as a share of all invoices.",
        ),
        "all",
        unit="share",
        numerator="Cases with a sum in (0, limit]; limit: small_invoice_limit in the register of limits.",
        denominator="Cases.",
        origin="KEY_FIGURES 7.2, proposal; the limit is our own.",
        **SHARED,
    ),
    keyed_figure(
        "invoice_lines_per_case",
        ("Tiliöintirivejä laskua kohden", "Konteringsrader per faktura", "Posting lines per invoice"),
        (
            "Tiliöintirivien määrä jaettuna laskujen määrällä.",
            "Antal konteringsrader delat med antal fakturor.",
            "Posting lines divided by invoices.",
        ),
        "all",
        unit="per_case",
        numerator="Posting lines that bear a case id.",
        denominator="Cases.",
        origin="KEY_FIGURES 7.2, proposal.",
        **SHARED,
    ),
)

# Invoices are grouped once, by year: nearly every one lies in one month, so its quarter is known; only the others are grouped
# again by quarter.
PLANS: Mapping[str, str] = {
    "cases": f"""
WITH {places(PERIOD_KINDS)},
{covered("case_lines", "no_case_id", scaled=True)},
{SLOTS},
once AS MATERIALIZED (
    SELECT y.year_id, c.case_id, count(*) AS rows_n, any_value(m.slot_id) AS slot_id, sum(c.net_cents)::BIGINT AS cents,
        sum(c.lines)::BIGINT AS lines
    FROM case_month c JOIN month_slot m USING (organisation_id, period, has_date) JOIN year_slot y USING (slot_id) GROUP BY ALL),
by_quarter AS (
    SELECT slot_id, cents, lines FROM once WHERE rows_n = 1
    UNION ALL
    SELECT slot_id, cents, lines FROM (
        SELECT m.slot_id, c.case_id, sum(c.net_cents)::BIGINT AS cents, sum(c.lines)::BIGINT AS lines
        FROM case_month c JOIN month_slot m USING (organisation_id, period, has_date) JOIN year_slot y USING (slot_id)
        SEMI JOIN (FROM once WHERE rows_n > 1) o ON o.year_id = y.year_id AND o.case_id = c.case_id GROUP BY ALL)),
limit_of AS MATERIALIZED (
    SELECT p.place_id, any_value(l.cents) AS cents FROM place p JOIN period w USING (period_kind, period_start)
    JOIN limits l ON l.limit_id = 'small_invoice_limit' AND w.period_end BETWEEN l.valid_from AND l.valid_to GROUP BY ALL),
counted_slot AS MATERIALIZED (
    SELECT q.slot_id, l.cents AS most, count(*) AS cases, sum(q.lines) AS lines, count(*) FILTER (q.cents > 0 AND q.cents <= l.cents) AS small
    FROM by_quarter q CROSS JOIN (SELECT DISTINCT cents FROM limit_of UNION SELECT NULL) l GROUP BY ALL),
counted_year AS MATERIALIZED (
    SELECT q.year_id, l.cents AS most, count(*) AS cases, sum(q.lines) AS lines, count(*) FILTER (q.cents > 0 AND q.cents <= l.cents) AS small
    FROM once q CROSS JOIN (SELECT DISTINCT cents FROM limit_of UNION SELECT NULL) l GROUP BY ALL),
total AS MATERIALIZED (
    SELECT c.place_id, sum(c.cases) AS cases, sum(c.lines) AS lines, sum(CASE WHEN l.cents IS NOT NULL THEN c.small END) AS small
    FROM (SELECT place_id, most, cases, lines, small FROM counted_slot JOIN slot_place USING (slot_id)
          UNION ALL
          SELECT place_id, most, cases, lines, small FROM counted_year JOIN year_place USING (year_id)) c
    LEFT JOIN limit_of l USING (place_id) WHERE c.most IS NOT DISTINCT FROM l.cents GROUP BY ALL),
every AS (
    SELECT 'small_invoice_share' AS figure_id, place_id, small AS numerator, cases, CASE WHEN small IS NULL THEN 'no_limit' END AS reason
    FROM total
    UNION ALL
    SELECT 'invoice_lines_per_case', place_id, lines, cases, NULL FROM total
    UNION ALL
    SELECT f.figure_id, c.place_id, NULL, NULL, CASE WHEN c.usable = 0 THEN c.gap ELSE 'no_invoices_in_period' END
    FROM covered c CROSS JOIN (VALUES ('small_invoice_share'), ('invoice_lines_per_case')) f(figure_id)
    ANTI JOIN total t ON t.place_id = c.place_id)
SELECT e.figure_id, '' AS variant, 'all' AS scope, '' AS breakdown_kind, '' AS breakdown_id, p.level, p.level_id, p.period_kind,
    p.period_start, e.numerator::BIGINT AS numerator, e.cases::BIGINT AS denominator, NULL::DOUBLE AS direct_value,
    coalesce(e.cases, 0)::BIGINT AS n, coalesce(c.covered, 0)::BIGINT AS covered, coalesce(c.asked, 0)::BIGINT AS asked, e.reason
FROM every e JOIN place p USING (place_id) LEFT JOIN covered c USING (place_id)
""",
}
