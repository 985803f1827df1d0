"""SME share of spend by the business register's sizes: never mixed with sizes that tenderers state in notices (METHOD 13)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.errors import ConfigurationError
from schemas.joint_procurements import SIZES, SME
from schemas.key_figure import PeriodKind
from schemas.reference import Reference
from transforms.key_figures.spend_coverage import covered, keyed_figure, places
from transforms.key_figures.suppliers import OUTSIDE
from transforms.measures.purchase_invoices import dated

FILE = "supplier_sizes.csv"
MISSING = "sizes_missing"
PERIOD_KINDS: tuple[PeriodKind, ...] = ("year",)

DEFINITIONS = (
    keyed_figure(
        "sme_spend_share",
        ("Pk-yritysten osuus ostoista", "SMF-andel av inköpen", "SME spend share"),
        (
            "Mikro-, pienten ja keskisuurten yritysten osuus ostoista, joiden toimittajan koko tunnetaan yritysrekisteristä.",
            "Mikroföretags, små och medelstora företags andel av inköpen från leverantörer vars storlek är känd från företagsregistret.",
            "Share of micro, small and medium-sized enterprises in spend on suppliers whose size the business register knows.",
        ),
        "market",
        unit="share",
        direction="up",
        period_kinds=PERIOD_KINDS,
        numerator="Net spend on suppliers that are micro, small or medium-sized (supplier_sizes.csv) in the month.",
        denominator="Net spend on suppliers with a known size.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        standing="official_goal",
        origin="Hansel published the share 2012-2016; KEY_FIGURES 7.2.",
        coverage_text="Organisation-months that rest on data, times the share of market spend on suppliers whose size is known.",
        exclusions=tuple(text for text in OUTSIDE if "zero or negative" not in text),
    ),
)

_SMALL = ", ".join(f"'{size}'" for size in SME)
PLANS: Mapping[str, str] = {
    "sizes": f"""
WITH {places(PERIOD_KINDS)},
{covered("business_id_lines + foreign_id_lines", "no_supplier_id", scaled=False)},
spend AS MATERIALIZED (
    SELECT organisation_id, period, has_date, sum(net_cents - public_cents)::BIGINT AS market FROM spend_month GROUP BY ALL),
known AS MATERIALIZED (
    SELECT s.organisation_id, s.period, s.has_date, sum(s.net_cents) AS cents, sum(s.lines) AS lines,
        coalesce(sum(s.net_cents) FILTER (z.size IN ({_SMALL})), 0) AS small_cents
    FROM supplier_month s JOIN supplier_size z ON z.business_id = s.supplier_id AND s.period BETWEEN z.valid_from AND z.valid_to
    GROUP BY ALL),
summed AS (
    SELECT m.place_id, sum(s.market) AS market, sum(k.cents)::BIGINT AS cents, sum(k.small_cents)::BIGINT AS small_cents,
        sum(k.lines)::BIGINT AS lines
    FROM period_month p JOIN spend s ON s.period = p.month
    JOIN member m ON m.organisation_id = s.organisation_id AND m.period_kind = p.period_kind AND m.period_start = p.period_start
    LEFT JOIN known k ON k.organisation_id = s.organisation_id AND k.period = s.period AND k.has_date = s.has_date
    GROUP BY ALL)
SELECT 'sme_spend_share' AS figure_id, '' AS variant, 'market' AS scope, '' AS breakdown_kind, '' AS breakdown_id,
    p.level, p.level_id, p.period_kind, p.period_start, CASE WHEN c.usable > 0 THEN s.small_cents END AS numerator,
    CASE WHEN c.usable > 0 THEN s.cents END AS denominator, NULL::DOUBLE AS direct_value, coalesce(s.lines, 0)::BIGINT AS n,
    CASE WHEN s.market > 0 THEN c.covered * greatest(least(coalesce(s.cents, 0), s.market), 0)::HUGEINT // s.market ELSE 0 END::BIGINT
        AS covered,
    c.asked::BIGINT AS asked, CASE WHEN c.usable = 0 THEN c.gap WHEN s.cents IS NULL THEN '{MISSING}' END::VARCHAR AS reason
FROM covered c JOIN place p USING (place_id) LEFT JOIN summed s USING (place_id)
""",
}


def relations(reference: Reference) -> dict[str, pl.DataFrame]:
    """`supplier_size` (business_id, size, valid_from, valid_to) without unknown sizes. Raises ConfigurationError for another word."""
    rows = dated(reference.table(FILE)).select("business_id", "size", "valid_from", "valid_to")
    other = rows.filter(~pl.col("size").is_in(list(SIZES)).fill_null(value=False))
    if other.height:
        row = other.row(0, named=True)
        raise ConfigurationError(f"{FILE}, business_id {row['business_id']}: size {row['size']!r} is none of {', '.join(SIZES)}")
    return {"supplier_size": rows.filter(pl.col("size") != "unknown")}
