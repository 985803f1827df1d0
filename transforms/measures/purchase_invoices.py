"""Measures of purchase invoices: posting lines -> one row per slice, organisation and month, and by supplier or invoice.

The plans are SQL for DuckDB over `posting_line` (accepted lines + agency, part, delivery_id) and the relations that
`relations` gives. Money is net cents (METHOD 18): lines of gross files have none, are counted and stay outside every sum.
An account counts as procurement by the longest prefix of its agency's chart that is in force on the line's period. No match,
no account on the line, no chart of the agency: the account is unknown; its cents stay outside the sums and lower the coverage.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.contract import Column, Table
from schemas.errors import ConfigurationError
from schemas.purchase_invoices import SUPPLIER_KINDS
from schemas.reference import Reference
from transforms.categories import known_categories

SLICE = (
    Column("agency", pl.String, "Who delivered the lines.", required=True),
    Column("part", pl.String, "Part of the delivery, '' when there is one only.", required=True),
    Column("slice_period", pl.Date, "Slice that the lines belong to.", required=True),
    Column("organisation_id", pl.String, "Buying organisation.", required=True),
    Column("period", pl.Date, "First day of the month; 1 January of the year where lines have no date.", required=True),
    Column("has_date", pl.Boolean, "False where lines have no date: they serve year figures only.", required=True),
)
"""The key that every measure begins with; slices are replaced by (agency, part, slice_period)."""


def _cents(name: str, description: str) -> Column:
    return Column(name, pl.Int64, description, required=True, unit="cent")


def _count(name: str, description: str) -> Column:
    return Column(name, pl.Int64, description, required=True)


SPEND_MONTH = Table(
    "spend_month",
    "Additive measures of posting lines by slice, organisation and month.",
    (
        *SLICE,
        Column("organisation_name", pl.String, "Name as delivered; the first in order where there are several."),
        Column("branch_code", pl.String, "Administrative branch as delivered, code."),
        Column("branch_name", pl.String, "Administrative branch as delivered, name."),
        Column("sector_name", pl.String, "Sector as delivered."),
        _cents("net_cents", "Net cents on procurement accounts."),
        _cents("public_cents", "Of net_cents: suppliers that are public bodies."),
        _cents("masked_cents", "Of net_cents: suppliers that the deliverer hid."),
        _cents("no_id_cents", "Of net_cents: suppliers without a valid id."),
        _cents("private_trader_cents", "Of net_cents: private traders."),
        _cents("other_cents", "Net cents on accounts that are not procurement."),
        _cents("unknown_cents", "Net cents on unknown accounts."),
        _cents("known_absolute_cents", "Sum of absolute net cents on known accounts, procurement or not."),
        _cents("unknown_absolute_cents", "Sum of absolute net cents on unknown accounts."),
        _cents("gross_cents", "Cents with VAT over all lines, where delivered."),
        _count("lines", "All lines."),
        _count("procurement_lines", "Lines on procurement accounts that have a net amount."),
        *(_count(f"{kind}_lines", f"Of procurement_lines: supplier kind {kind}.") for kind in SUPPLIER_KINDS),
        _count("public_lines", "Of procurement_lines: supplier is a public body."),
        _count("case_lines", "Of procurement_lines: with a case id."),
        Column("has_case_id", pl.Boolean, "Any line has a case id.", required=True),
        Column("has_supplier_id", pl.Boolean, "Any line has a supplier with an id.", required=True),
        Column("is_gross", pl.Boolean, "Lines without a net amount: sums would not be comparable.", required=True),
    ),
)

SUPPLIER_MONTH = Table(
    "supplier_month",
    "Net cents on procurement accounts by supplier with an id that is no public body, and category.",
    (
        *SLICE,
        Column("category", pl.String, "Category as delivered where it is known, else a hash; '' where the line has none.", required=True),
        Column("supplier_id", pl.String, "Business id or foreign id.", required=True),
        _cents("net_cents", "Net cents."),
        _count("lines", "Lines."),
    ),
)

CASE_MONTH = Table(
    "case_month",
    "Net cents and lines on procurement accounts by invoice (case id).",
    (
        *SLICE,
        Column("case_id", pl.String, "Invoice or voucher id, unique within its organisation.", required=True),
        _cents("net_cents", "Net cents."),
        _count("lines", "Lines."),
    ),
)

MEASURES: tuple[Table, ...] = (SPEND_MONTH, SUPPLIER_MONTH, CASE_MONTH)

FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)
KEYS = ", ".join(column.name for column in SLICE)
SLICE_SQL = "l.agency, l.part, l.slice_period, l.organisation_id, l.period, l.posting_date IS NOT NULL AS has_date"

# An account's class by spans of time, per distinct account: the join per line is an equality on two short texts. The list
# and unnest at the end change nothing but the planner's guess of the size: it would hash the lines instead of the accounts.
CLASSES = """
account AS (SELECT DISTINCT agency, account_code FROM posting_line WHERE account_code IS NOT NULL),
matched AS MATERIALIZED (
    SELECT a.agency, a.account_code, c.account_prefix, c.is_procurement, c.valid_from, c.valid_to
    FROM account a JOIN agency_format f USING (agency)
    JOIN account_class c ON c.chart = f.chart AND starts_with(a.account_code, c.account_prefix)),
edge AS (
    SELECT DISTINCT agency, account_code, since
    FROM (SELECT agency, account_code, unnest([valid_from, valid_to + 1]) AS since FROM matched)),
span AS (
    SELECT e.agency, e.account_code, e.since, arg_max(m.is_procurement, (length(m.account_prefix), m.valid_from)) AS is_procurement
    FROM edge e LEFT JOIN matched m
        ON m.agency = e.agency AND m.account_code = e.account_code AND e.since BETWEEN m.valid_from AND m.valid_to
    GROUP BY ALL),
closed AS (
    SELECT *, lead(since, 1, DATE '10000-01-01') OVER (PARTITION BY agency, account_code ORDER BY since) AS before FROM span),
class AS MATERIALIZED (
    SELECT unnest(spans, recursive := true)
    FROM (SELECT list({'agency': agency, 'account_code': account_code, 'since': since, 'before': before,
                       'is_procurement': is_procurement}) AS spans FROM closed WHERE is_procurement IS NOT NULL))"""
CLASS_OF_LINE = (
    "class c ON c.agency = l.agency AND c.account_code = l.account_code AND l.period >= c.since AND l.period < c.before"
)
_PUBLIC_OF_LINE = "public_body b ON b.business_id = l.supplier_id AND l.period BETWEEN b.valid_from AND b.valid_to"


def _sum(name: str, condition: str, value: str = "cents") -> str:
    return f"coalesce(sum({value}) FILTER ({condition}), 0)::BIGINT AS {name}"


# Lines are grouped once by the few classes they fall into; the columns are spread from those groups.
_SPEND = f"""
WITH {CLASSES},
classed AS MATERIALIZED (
    SELECT {SLICE_SQL}, c.is_procurement, l.supplier_kind AS kind, b.business_id IS NOT NULL AS is_public,
        min(l.organisation_name) AS organisation_name, min(l.branch_code) AS branch_code, min(l.branch_name) AS branch_name,
        min(l.sector_name) AS sector_name, sum(l.net_cents) AS cents, sum(abs(l.net_cents)) AS absolute, sum(l.gross_cents) AS gross,
        count(*) AS lines, count(l.net_cents) AS net_lines, count(l.case_id) AS cases,
        count(CASE WHEN l.net_cents IS NOT NULL THEN l.case_id END) AS net_cases
    FROM posting_line l LEFT JOIN {CLASS_OF_LINE} LEFT JOIN {_PUBLIC_OF_LINE}
    GROUP BY ALL)
SELECT {KEYS}, min(organisation_name) AS organisation_name, min(branch_code) AS branch_code, min(branch_name) AS branch_name,
    min(sector_name) AS sector_name,
    {_sum("net_cents", "is_procurement")},
    {_sum("public_cents", "is_procurement AND is_public")},
    {_sum("masked_cents", "is_procurement AND kind = 'masked'")},
    {_sum("no_id_cents", "is_procurement AND kind = 'no_id'")},
    {_sum("private_trader_cents", "is_procurement AND kind = 'private_trader'")},
    {_sum("other_cents", "NOT is_procurement")},
    {_sum("unknown_cents", "is_procurement IS NULL")},
    {_sum("known_absolute_cents", "is_procurement IS NOT NULL", "absolute")},
    {_sum("unknown_absolute_cents", "is_procurement IS NULL", "absolute")},
    {_sum("gross_cents", "true", "gross")},
    {_sum("lines", "true", "lines")},
    {_sum("procurement_lines", "is_procurement", "net_lines")},
    {", ".join(_sum(f"{kind}_lines", f"is_procurement AND kind = '{kind}'", "net_lines") for kind in SUPPLIER_KINDS)},
    {_sum("public_lines", "is_procurement AND is_public", "net_lines")},
    {_sum("case_lines", "is_procurement", "net_cases")},
    sum(cases) > 0 AS has_case_id, bool_or(kind IN ('business_id', 'foreign_id')) AS has_supplier_id,
    sum(lines) > sum(net_lines) AS is_gross
FROM classed GROUP BY ALL"""

_SUPPLIERS = f"""
WITH {CLASSES},
bought AS (
    SELECT {SLICE_SQL}, coalesce(l.category_name, '') AS category, l.supplier_id, sum(l.net_cents)::BIGINT AS net_cents,
        count(*) AS lines
    FROM posting_line l JOIN {CLASS_OF_LINE}
    WHERE c.is_procurement AND l.supplier_kind IN ('business_id', 'foreign_id')
        AND l.supplier_id IS NOT NULL AND l.net_cents IS NOT NULL
    GROUP BY ALL)
SELECT l.* REPLACE (CASE WHEN l.category = '' OR starts_with(l.category, '#') OR k.category IS NOT NULL THEN l.category
    ELSE '#' || left(sha256(l.category), 12) END AS category)
FROM bought l LEFT JOIN known_category k ON k.category = lower(l.category) ANTI JOIN {_PUBLIC_OF_LINE}"""
"""Lines that were read before unknown categories were hashed at the door hold them as delivered."""

_CASES = f"""
WITH {CLASSES}
SELECT {SLICE_SQL}, l.case_id, sum(l.net_cents)::BIGINT AS net_cents, count(*) AS lines
FROM posting_line l JOIN {CLASS_OF_LINE}
WHERE c.is_procurement AND l.case_id IS NOT NULL AND l.net_cents IS NOT NULL
GROUP BY ALL"""

PLANS: dict[str, str] = {SPEND_MONTH.name: _SPEND, SUPPLIER_MONTH.name: _SUPPLIERS, CASE_MONTH.name: _CASES}


def relations(reference: Reference) -> dict[str, pl.DataFrame]:
    """The reference relations that the plans name.

    `account_class` (chart, account_prefix, is_procurement, valid_from, valid_to), `agency_format` (agency, chart, amount_basis,
    openly_published), `public_body` (business_id, valid_from, valid_to; spans of one id never overlap), `agency_own` (agency,
    organisation_id), `known_category` (category, in lower case). Days are never null. Raises ConfigurationError where a day or a yes/no cannot be read.
    """
    agencies = list(reference.agencies.values())
    return {
        "account_class": _accounts(reference),
        "agency_format": pl.DataFrame(
            [(agency.agency, agency.chart, agency.amount_basis, agency.openly_published) for agency in agencies],
            schema={"agency": pl.String, "chart": pl.String, "amount_basis": pl.String, "openly_published": pl.Boolean},
            orient="row",
        ),
        "public_body": _public_bodies(reference),
        "agency_own": pl.DataFrame(
            [(agency.agency, agency.organisation_id) for agency in agencies if agency.organisation_id],
            schema={"agency": pl.String, "organisation_id": pl.String},
            orient="row",
        ),
        "known_category": pl.DataFrame({"category": known_categories(reference)}, schema={"category": pl.String}),
    }


def _accounts(reference: Reference) -> pl.DataFrame:
    file = "accounts.csv"
    table = reference.table(file)
    unread = table.filter(~pl.col("is_procurement").is_in(["yes", "no"]).fill_null(value=False))
    if unread.height:
        row = unread.row(0, named=True)
        where = f"chart {row['chart']}, prefix {row['account_prefix']}"
        raise ConfigurationError(f"{file}, {where}: is_procurement {row['is_procurement']!r} is not yes or no")
    return dated(table).select(
        "chart", "account_prefix", (pl.col("is_procurement") == "yes").alias("is_procurement"), "valid_from", "valid_to"
    )


def _public_bodies(reference: Reference) -> pl.DataFrame:
    """public_bodies.csv and every organisation's business id."""
    files = ("public_bodies.csv", "organisations.csv")
    columns = ("business_id", "valid_from", "valid_to")
    return merged_spans(pl.concat([dated(reference.table(file)).select(columns).drop_nulls("business_id") for file in files]))


def merged_spans(every: pl.DataFrame) -> pl.DataFrame:
    """business_id, valid_from, valid_to: overlapping and adjacent spans of one id made one."""
    merged: list[tuple[str, date, date]] = []
    for business_id, since, until in every.sort(every.columns).iter_rows():
        last = merged[-1] if merged else None
        if last and last[0] == business_id and since.toordinal() <= last[2].toordinal() + 1:
            merged[-1] = (business_id, last[1], max(last[2], until))
        else:
            merged.append((business_id, since, until))
    schema = {"business_id": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    return pl.DataFrame(merged, schema=schema, orient="row")


def dated(table: pl.DataFrame) -> pl.DataFrame:
    """A register's valid_from and valid_to as days, open ends as FIRST_DAY and LAST_DAY."""
    return table.with_columns(
        pl.col("valid_from").str.to_date("%Y-%m-%d").fill_null(FIRST_DAY),
        pl.col("valid_to").str.to_date("%Y-%m-%d").fill_null(LAST_DAY),
    )
