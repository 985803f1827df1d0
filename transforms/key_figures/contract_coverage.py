"""Contract coverage: market spend by whether a contract open to the buyer covers it (METHOD 21), from supplier-months and the
register of joint procurements.

Every euro of market spend is one of three: matched (supplier, category and date of an agreement open to the buyer), off contract
(the category has an agreement open to the buyer, the supplier is on none of them), or in no such category; so the three shares of
market spend add up to 1. Worked out anew for every level and period in DuckDB.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from schemas.reference import Reference
from transforms.key_figures.spend import EXCLUSIONS
from transforms.key_figures.spend_coverage import PERIOD_KINDS, covered, keyed_figure, places

CATEGORIES = "codelists/agreement_categories.csv"
MARKET, ADDRESSABLE = "of_market", "of_addressable"
VARIANT_NAMES = {
    MARKET: {"fi": "markkinaostoista", "sv": "av inköpen från marknaden", "en": "of market spend"},
    ADDRESSABLE: {"fi": "sopimuskategorioiden ostoista", "sv": "av inköpen i avtalskategorier", "en": "of spend in contract categories"},
}  # fmt: skip
COVERAGE = "Organisation-months of invoices that rest on data and that the register of agreements speaks for / organisation-months expected."
ASSUMPTIONS = (
    "An agreement counts in a month in which it is in force for a day; lines without a date, in a year in which it is.",
    "Categories of invoices are matched to those of agreements by a register (agreement_categories.csv).",
    "Spend without a supplier's id, or whose category the register does not match, is in no category.",
    "A buyer none of whose invoices bear a matched category has no coverage (no_category); it is in the nation's no-category share.",
)


def _figure(
    figure_id: str, names: tuple[str, str, str], definitions: tuple[str, str, str], numerator: str, **changes: object
) -> KeyFigure:
    common: dict[str, object] = {
        "sources": ("joint_procurements", "purchase_invoices"),
        "unit": "share",
        "numerator": numerator,
        "denominator": "Market spend, as spend_market.",
        "numerator_quantity": "cent",
        "denominator_quantity": "cent",
        "origin": "KEY_FIGURES 7.2; METHOD 21.",
        "coverage_text": COVERAGE,
        "exclusions": EXCLUSIONS,
        "assumptions": ASSUMPTIONS,
    }
    return keyed_figure(figure_id, names, definitions, "market", **(common | changes))


BOTH: dict[str, object] = {
    "variants": (MARKET, ADDRESSABLE),
    "variant_names": VARIANT_NAMES,
    "denominator": "Market spend, as spend_market; variant of_addressable: spend in categories with an agreement open to the buyer.",
}
DEFINITIONS = (
    _figure(
        "contract_coverage",
        ("Sopimuskattavuus", "Avtalstäckning", "Contract coverage"),
        (
            "Ostot, jotka vastaavat ostajalle avointa voimassa olevaa yhteishankintaa toimittajan, kategorian ja ajan mukaan.",
            "Inköp som motsvarar en gällande gemensam upphandling öppen för köparen, enligt leverantör, kategori och tid.",
            "Spend that matches a joint procurement in force and open to the buyer, by supplier, category and date.",
        ),
        "Spend matched by supplier, category and date.",
        direction="up",
        **BOTH,
    ),
    _figure(
        "off_contract_share",
        ("Ohiostot", "Inköp utanför avtal", "Off-contract spend"),
        (
            "Ostot kategorioista, joissa ostajalla on voimassa oleva yhteishankinta, mutta muilta kuin sen toimittajilta.",
            "Inköp i kategorier där köparen har en gällande gemensam upphandling, men från andra än dess leverantörer.",
            "Spend in categories with a joint procurement in force and open to the buyer, but from other suppliers.",
        ),
        "Spend in such categories that is not matched.",
        direction="down",
        **BOTH,
    ),
    _figure(
        "no_category_share",
        ("Ostot sopimuskategorioiden ulkopuolelta", "Inköp utanför avtalskategorier", "Spend outside contract categories"),
        (
            "Ostot, joiden kategoriassa ostajalla ei ole voimassa olevaa yhteishankintaa tai joiden kategoriaa tai toimittajaa ei tiedetä.",
            "Inköp i vars kategori köparen inte har någon gällande gemensam upphandling, eller vars kategori eller leverantör är okänd.",
            "Spend in whose category no joint procurement is open to the buyer, or whose category or supplier is not known.",
        ),
        "Market spend that is neither matched nor off contract.",
    ),
    _figure(
        "tendered_share",
        ("Kilpailutettu osuus", "Konkurrensutsatt andel", "Tendered spend share"),
        (
            "Yhteishankintaa vastaavat ostot, joiden sopimuksella on hankintailmoitus, osuutena markkinaostoista.",
            "Inköp som motsvarar en gemensam upphandling med upphandlingsannons, som andel av inköpen från marknaden.",
            "Spend matched to a joint procurement whose procurement notice is known, as a share of market spend.",
        ),
        "Matched spend of which an agreement names its notice.",
        direction="up",
        coverage_text=f"{COVERAGE[:-1]}, times the share of matched spend whose agreement names its notice.",
        assumptions=(*ASSUMPTIONS, "An agreement without a notice id is unknown, not untendered (METHOD 21)."),
    ),
)

# The tables of the register are named with their schema: they are no part of the invoices' copy that counts.
_MATCHED = """
known AS (SELECT min(month) AS first_month, max(month) AS last_month FROM measure.agreement_month),
spend AS MATERIALIZED (
    SELECT organisation_id, period, has_date, sum(net_cents - public_cents)::BIGINT AS market,
        sum(procurement_lines - public_lines)::BIGINT AS lines
    FROM spend_month CROSS JOIN known
    WHERE period >= first_month AND CASE WHEN has_date THEN period ELSE period + INTERVAL 11 MONTH END <= last_month GROUP BY ALL),
buyer AS (
    SELECT organisation_id, period, has_date, unnest(CASE WHEN has_date THEN [period]
        ELSE [(period + to_months(m::INTEGER))::DATE FOR m IN range(12)] END) AS month FROM spend),
sector AS (SELECT organisation_id, level_id, valid_from, valid_to FROM membership WHERE level = 'sector'),
asker AS MATERIALIZED (
    SELECT organisation_id, period, has_date, month, unnest(['*', organisation_id]) AS whom FROM buyer
    UNION ALL
    SELECT b.organisation_id, b.period, b.has_date, b.month, 'sector:' || s.level_id
    FROM buyer b JOIN sector s ON s.organisation_id = b.organisation_id AND last_day(b.month) BETWEEN s.valid_from AND s.valid_to),
offered AS MATERIALIZED (
    SELECT month, agency, agreement_id, category, has_notice, unnest(string_split(open_to, '|')) AS whom
    FROM measure.agreement_month WHERE month IN (SELECT month FROM asker)),
opened AS MATERIALIZED (
    SELECT DISTINCT a.organisation_id, a.period, a.has_date, a.month, o.agency, o.agreement_id, o.category
    FROM asker a JOIN offered o USING (month, whom)),
open_category AS MATERIALIZED (SELECT DISTINCT organisation_id, period, has_date, category FROM opened),
named AS (SELECT DISTINCT agency, category AS delivered FROM supplier_month WHERE category <> ''),
mapped AS MATERIALIZED (
    SELECT n.agency, n.delivered, arg_max(c.category, length(c.agency)) AS category
    FROM named n JOIN agreement_category c ON c.delivered = lower(trim(n.delivered)) AND c.agency IN ('', n.agency) GROUP BY ALL),
bought AS MATERIALIZED (
    SELECT s.organisation_id, s.period, s.has_date, m.category, sum(s.net_cents)::BIGINT AS cents
    FROM supplier_month s JOIN mapped m ON m.agency = s.agency AND m.delivered = s.category GROUP BY ALL),
contractor AS MATERIALIZED (
    SELECT DISTINCT month, category, supplier_id, agency, agreement_id, has_notice FROM measure.agreement_supplier_month
    WHERE month IN (SELECT month FROM asker)),
candidate AS MATERIALIZED (
    SELECT s.organisation_id, s.period, s.has_date, m.category, s.supplier_id, sum(s.net_cents)::BIGINT AS cents
    FROM supplier_month s JOIN mapped m ON m.agency = s.agency AND m.delivered = s.category
    SEMI JOIN contractor c ON c.supplier_id = s.supplier_id AND c.category = m.category GROUP BY ALL),
hit AS (
    SELECT b.organisation_id, b.period, b.has_date, b.category, b.supplier_id, any_value(b.cents) AS cents, bool_or(s.has_notice) AS has_notice
    FROM candidate b JOIN contractor s ON s.supplier_id = b.supplier_id AND s.category = b.category
    JOIN opened o ON o.organisation_id = b.organisation_id AND o.period = b.period AND o.has_date = b.has_date
        AND o.month = s.month AND o.agency = s.agency AND o.agreement_id = s.agreement_id
    GROUP BY ALL),
matched AS MATERIALIZED (
    SELECT organisation_id, period, has_date, category, sum(cents)::BIGINT AS cents, bool_or(has_notice) AS has_notice,
        coalesce(sum(cents) FILTER (has_notice), 0)::BIGINT AS noticed FROM hit GROUP BY ALL),
split AS MATERIALIZED (
    SELECT b.organisation_id, b.period, b.has_date, coalesce(sum(m.cents), 0) AS matched, coalesce(sum(m.noticed), 0) AS noticed,
        bool_or(m.category IS NOT NULL) AS has_match, coalesce(bool_or(m.has_notice), false) AS has_notice,
        coalesce(sum(b.cents - coalesce(m.cents, 0)) FILTER (c.category IS NOT NULL), 0) AS off
    FROM bought b LEFT JOIN matched m USING (organisation_id, period, has_date, category)
    LEFT JOIN open_category c USING (organisation_id, period, has_date, category)
    GROUP BY ALL)"""

PLANS: Mapping[str, str] = {
    "contract_coverage": f"""
WITH {places(PERIOD_KINDS)},
{covered("procurement_lines", "no_lines", scaled=False)},
{_MATCHED},
summed AS (
    SELECT m.place_id, sum(s.market)::BIGINT AS market, sum(s.lines)::BIGINT AS lines, coalesce(sum(x.matched), 0)::BIGINT AS matched,
        coalesce(sum(x.off), 0)::BIGINT AS off, coalesce(sum(x.noticed), 0)::BIGINT AS noticed,
        bool_or(x.has_match) AS has_match, bool_or(x.has_notice) AS has_notice, count(x.matched) > 0 AS has_category
    FROM period_month p JOIN spend s ON s.period = p.month AND (s.has_date OR p.period_kind = 'year')
    JOIN member m ON m.organisation_id = s.organisation_id AND m.period_kind = p.period_kind AND m.period_start = p.period_start
    LEFT JOIN split x ON x.organisation_id = s.organisation_id AND x.period = s.period AND x.has_date = s.has_date
    GROUP BY ALL),
rested AS (
    SELECT m.place_id, sum(CASE WHEN gap IS NULL THEN basis ELSE 0 END)::BIGINT AS covered
    FROM period_month p JOIN judged j ON j.month = p.month AND j.is_year = (p.period_kind = 'year')
    JOIN member m ON m.organisation_id = j.organisation_id AND m.period_kind = p.period_kind AND m.period_start = p.period_start
    JOIN known k ON j.month BETWEEN k.first_month AND k.last_month
    GROUP BY ALL),
cell AS (
    SELECT c.place_id, c.asked, coalesce(r.covered, 0) AS covered, s.*,
        CASE WHEN c.usable = 0 THEN c.gap WHEN s.place_id IS NULL THEN 'no_register' END AS gap
    FROM covered c LEFT JOIN rested r USING (place_id) LEFT JOIN summed s USING (place_id)),
every AS (
    SELECT place_id, f.*, asked, covered, lines, has_category, gap FROM cell, LATERAL (VALUES
        ('contract_coverage', '{MARKET}', matched, market), ('contract_coverage', '{ADDRESSABLE}', matched, matched + off),
        ('off_contract_share', '{MARKET}', off, market), ('off_contract_share', '{ADDRESSABLE}', off, matched + off),
        ('no_category_share', '', market - matched - off, market)) f(figure_id, variant, numerator, denominator)
    UNION ALL
    SELECT place_id, 'tendered_share', '', noticed, market, asked,
        CASE WHEN matched > 0 THEN (covered * greatest(least(noticed, matched), 0)::HUGEINT // matched)::BIGINT ELSE covered END, lines, has_category,
        coalesce(gap, CASE WHEN has_match AND NOT has_notice THEN 'no_notice_ids' END)
    FROM cell),
judged_cell AS (
    SELECT *, coalesce(gap, CASE WHEN figure_id <> 'no_category_share' AND NOT has_category THEN 'no_category' END) AS why FROM every)
SELECT e.figure_id, e.variant, 'market' AS scope, '' AS breakdown_kind, '' AS breakdown_id, p.level, p.level_id, p.period_kind,
    p.period_start, CASE WHEN why IS NULL THEN e.numerator END::BIGINT AS numerator,
    CASE WHEN why IS NULL THEN e.denominator END::BIGINT AS denominator, NULL::DOUBLE AS direct_value,
    coalesce(e.lines, 0)::BIGINT AS n, e.covered::BIGINT AS covered, e.asked::BIGINT AS asked, e.why::VARCHAR AS reason
FROM judged_cell e JOIN place p USING (place_id)
""",
}


def relations(reference: Reference) -> dict[str, pl.DataFrame]:
    """`agreement_category` (agency, '' for all; delivered, lower case; category): categories of invoices."""
    rows = reference.table(CATEGORIES).filter(kind="invoice")
    return {
        "agreement_category": rows.select(
            pl.col("agency").fill_null(""), pl.col("delivered").str.strip_chars().str.to_lowercase(), "category"
        )
    }
