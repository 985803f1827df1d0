"""Local spend: what is bought from suppliers that are domiciled in the buyer's own region.

Worked out anew for every level and period in DuckDB, from supplier-months and the register of domiciles.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.reference import Reference
from transforms.key_figures.spend_coverage import PERIOD_KINDS, covered, keyed_figure, places
from transforms.key_figures.suppliers import OUTSIDE
from transforms.measures.purchase_invoices import dated

FILE = "supplier_domiciles.csv"
MISSING = "domiciles_missing"

DEFINITIONS = (
    keyed_figure(
        "local_spend_share",
        ("Paikallisten toimittajien osuus", "Lokala leverantörers andel", "Local share"),
        (
            "Ostajan omassa maakunnassa kotipaikkaansa pitävien toimittajien osuus ostoista, joiden toimittajan kotipaikka tunnetaan.",
            "Andel av inköpen från leverantörer med hemort i köparens eget landskap, av inköp vars leverantörs hemort är känd.",
            "Share of spend on suppliers domiciled in the buyer's own region, of spend on suppliers whose domicile is known.",
        ),
        "market",
        unit="share",
        numerator="Net spend on suppliers whose domicile (supplier_domiciles.csv) lies in the buyer's own region.",
        denominator="Net spend on suppliers with a known domicile.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        origin="KEY_FIGURES 7.2, proposal; the municipality is not looked at, only the region.",
        coverage_text=(
            "Organisation-months that rest on data, as for the other figures by supplier, times the share of absolute net euros "
            "on suppliers with an id whose domicile is known."
        ),
        exclusions=("Buyers whose region is not registered.", *(text for text in OUTSIDE if "zero or negative" not in text)),
        assumptions=("At every level each buyer's own region counts, not the level's.",),
    ),
)

PLANS: Mapping[str, str] = {
    "local": f"""
WITH {places(PERIOD_KINDS)},
{covered("business_id_lines + foreign_id_lines", "no_supplier_id", scaled=False)},
home AS (SELECT organisation_id, level_id AS region, valid_from, valid_to FROM membership WHERE level = 'region'),
bought AS MATERIALIZED (
    SELECT organisation_id, period, has_date, sum(abs(net_cents)) AS weight FROM supplier_month GROUP BY ALL),
known AS MATERIALIZED (
    SELECT s.organisation_id, s.period, s.has_date, sum(s.net_cents) AS cents, sum(abs(s.net_cents)) AS weight,
        coalesce(sum(s.net_cents) FILTER (d.region = h.region), 0) AS local_cents, sum(s.lines) AS lines
    FROM supplier_month s
    JOIN supplier_domicile d ON d.business_id = s.supplier_id AND s.period BETWEEN d.valid_from AND d.valid_to
    JOIN home h ON h.organisation_id = s.organisation_id AND s.period BETWEEN h.valid_from AND h.valid_to
    GROUP BY ALL),
cell AS (
    SELECT m.place_id, sum(k.local_cents)::BIGINT AS numerator, sum(k.cents)::BIGINT AS denominator, sum(k.lines)::BIGINT AS n,
        sum(b.weight) AS weight, coalesce(sum(k.weight), 0) AS known_weight
    FROM period_month p JOIN bought b ON b.period = p.month AND (b.has_date OR p.period_kind = 'year')
    JOIN member m ON m.organisation_id = b.organisation_id AND m.period_kind = p.period_kind AND m.period_start = p.period_start
    LEFT JOIN known k ON k.organisation_id = b.organisation_id AND k.period = b.period AND k.has_date = b.has_date
    GROUP BY ALL)
SELECT 'local_spend_share' AS figure_id, '' AS variant, 'market' AS scope, '' AS breakdown_kind, '' AS breakdown_id,
    p.level, p.level_id, p.period_kind, p.period_start,
    CASE WHEN c.usable > 0 THEN e.numerator END AS numerator, CASE WHEN c.usable > 0 THEN e.denominator END AS denominator,
    NULL::DOUBLE AS direct_value, coalesce(e.n, 0)::BIGINT AS n,
    coalesce(c.covered * e.known_weight::HUGEINT // nullif(e.weight, 0), 0)::BIGINT AS covered, c.asked::BIGINT AS asked,
    (CASE WHEN c.usable = 0 THEN c.gap WHEN e.denominator IS NULL THEN '{MISSING}' END)::VARCHAR AS reason
FROM covered c JOIN place p USING (place_id) LEFT JOIN cell e USING (place_id)
""",
}


def relations(reference: Reference) -> dict[str, pl.DataFrame]:
    """`supplier_domicile` (business_id, region, valid_from, valid_to); a blank region is a domicile abroad."""
    return {"supplier_domicile": dated(reference.table(FILE)).select("business_id", "region", "valid_from", "valid_to")}
