"""Invoices (cases): group posting lines by case id first, then count (METHOD 20). Keyed, by year, in DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.key_figure import KeyFigure
from transforms.key_figures.spend import COVERAGE, EXCLUSIONS
from transforms.key_figures.suppliers import COVERED

COMMON: Mapping[str, object] = {
    "version": 1,
    "direction": "down",
    "sources": ("purchase_invoices",),
    "aggregate": "plan",
    "standing": "proposal",
    "coverage_text": COVERAGE,
    "closing": "invoices",
    "scopes": ("all",),
    "period_kinds": ("year",),
    "exclusions": ("Files without a case id (no_case_id).", *EXCLUSIONS),
    "assumptions": ("A case is an organisation's case id within the year.",),
    "strategy_intent": "I6-3",
}
DEFINITIONS = (
    KeyFigure(
        figure_id="small_invoice_share",
        name={"fi": "Pienlaskujen osuus", "sv": "Andel småfakturor", "en": "Small-invoice share"},
        definition={
            "fi": "Laskut, joiden summa on suurempi kuin nolla ja enintään raja-arvo, osuutena kaikista laskuista.",
            "sv": "Fakturor vars summa är större än noll och högst gränsvärdet, som andel av alla fakturor.",
            "en": "Invoices with a sum above zero and at most the limit, as a share of all invoices.",
        },
        unit="share",
        numerator="Cases with a sum in (0, limit]; limit: small_invoice_limit in the register of limits.",
        denominator="Cases.",
        origin="KEY_FIGURES 7.2, proposal; the limit is our own.",
        **COMMON,  # type: ignore[arg-type]
    ),
    KeyFigure(
        figure_id="invoice_lines_per_case",
        name={"fi": "Tiliöintirivejä laskua kohden", "sv": "Konteringsrader per faktura", "en": "Posting lines per invoice"},
        definition={
            "fi": "Tiliöintirivien määrä jaettuna laskujen määrällä.",
            "sv": "Antal konteringsrader delat med antal fakturor.",
            "en": "Posting lines divided by invoices.",
        },
        unit="per_case",
        numerator="Posting lines that bear a case id.",
        denominator="Cases.",
        origin="KEY_FIGURES 7.2, proposal.",
        **COMMON,  # type: ignore[arg-type]
    ),
)

PLANS: Mapping[str, str] = {
    "cases": f"""
WITH {COVERED},
one AS MATERIALIZED (
    SELECT c.organisation_id, p.period_kind, p.period_start, p.period_end, c.case_id, sum(c.net_cents) AS cents, sum(c.lines) AS lines
    FROM case_month c JOIN period p ON c.period BETWEEN p.period_start AND p.period_end
    WHERE p.period_kind = 'year' GROUP BY ALL),
counted AS MATERIALIZED (
    SELECT o.organisation_id, o.period_kind, o.period_start, o.period_end, count(*) AS cases, sum(o.lines) AS lines,
        count(*) FILTER (o.cents > 0 AND o.cents <= l.cents) AS small
    FROM one o LEFT JOIN limits l ON l.limit_id = 'small_invoice_limit' AND o.period_end BETWEEN l.valid_from AND l.valid_to
    GROUP BY ALL),
total AS MATERIALIZED (
    SELECT m.level, m.level_id, c.period_kind, c.period_start, sum(c.cases) AS cases, sum(c.lines) AS lines, sum(c.small) AS small
    FROM counted c JOIN membership m ON m.organisation_id = c.organisation_id AND c.period_end BETWEEN m.valid_from AND m.valid_to
    GROUP BY ALL),
cell AS (
    SELECT 'small_invoice_share' AS figure_id, level, level_id, period_kind, period_start, small AS numerator, cases FROM total
    UNION ALL
    SELECT 'invoice_lines_per_case', level, level_id, period_kind, period_start, lines, cases FROM total),
empty AS (
    SELECT f.figure_id, c.level, c.level_id, c.period_kind, c.period_start,
        CASE WHEN NOT c.present THEN 'missing_delivery' WHEN c.has_net IS NOT TRUE THEN 'not_comparable'
            WHEN NOT c.has_case_id THEN 'no_case_id' ELSE 'no_invoices_in_period' END AS reason
    FROM covered c CROSS JOIN (VALUES ('small_invoice_share'), ('invoice_lines_per_case')) f(figure_id)
    ANTI JOIN total t ON t.level = c.level AND t.level_id = c.level_id AND t.period_kind = c.period_kind AND t.period_start = c.period_start)
SELECT figure_id, '' AS variant, 'all' AS scope, '' AS breakdown_kind, '' AS breakdown_id, level, level_id, period_kind, period_start,
    numerator::BIGINT AS numerator, cases::BIGINT AS denominator, NULL::DOUBLE AS direct_value, cases::BIGINT AS n,
    coalesce(covered, 0)::BIGINT AS covered, coalesce(asked, 0)::BIGINT AS asked, NULL::VARCHAR AS reason
FROM cell LEFT JOIN covered USING (level, level_id, period_kind, period_start)
UNION ALL
SELECT figure_id, '', 'all', '', '', level, level_id, period_kind, period_start, NULL, NULL, NULL, 0, covered::BIGINT, asked::BIGINT, reason
FROM empty JOIN covered USING (level, level_id, period_kind, period_start)
""",
}
