"""Contract suppliers at the end of periods, and customers of the year: counted as different ones at every place (METHOD 2)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.joint_procurements import SME
from transforms import levels
from transforms.key_figures.contacts import SOURCE as CONTACTS
from transforms.key_figures.facts import ALL
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.joint_procurements import IN_FORCE, KEEPERS, KNOWN, SOURCE, STOCK_KINDS, stock
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of

FEWEST = 3
"""Fewest customers of a figure that speaks of their contacts (METHOD 5)."""
NO_REPORTS = "no_reported_purchases"
ONE_SIZE = "A supplier has one size, the one that the register told last."

DEFINITIONS = (
    stock(
        "contract_suppliers_n",
        ("Sopimustoimittajat", "Avtalsleverantörer", "Contract suppliers"),
        (
            "Eri toimittajat voimassa olevissa yhteishankinnoissa jakson viimeisenä päivänä.",
            "Olika leverantörer i gällande gemensamma upphandlingar periodens sista dag.",
            "Distinct suppliers of joint procurements in force on the period's last day.",
        ),
        "Distinct suppliers of agreements in force.",
        aggregate="distinct",
        coverage_text="Every supplier of an agreement: 1.",
    ),
    stock(
        "contract_supplier_sme_share",
        ("Pk-yritysten osuus sopimustoimittajista", "SMF bland avtalsleverantörer", "SME share of contract suppliers"),
        (
            "Mikro-, pienten ja keskisuurten yritysten osuus sopimustoimittajista, joiden koko tiedetään.",
            "Mikroföretags, små och medelstora företags andel av de avtalsleverantörer vars storlek är känd.",
            "Share of micro, small and medium-sized enterprises among contract suppliers whose size is known.",
        ),
        "Distinct suppliers of agreements in force that are micro, small or medium-sized.",
        denominator="Distinct suppliers of agreements in force whose size is known.",
        unit="share",
        aggregate="ratio",
        direction="up",
        coverage_text="Suppliers whose size is known / suppliers.",
        assumptions=(IN_FORCE, KNOWN, ONE_SIZE, "Sizes are those of the register of agreements, never self-declared ones of notices."),
    ),
    stock(
        "tax_compliance_share",
        ("Tilaajavastuu kunnossa", "Beställaransvar i skick", "Contractor's liability in order"),
        (
            "Sopimustoimittajat, joiden tilaajavastuutiedot on tarkistettu ja kunnossa, osuutena toimittajista, joista tieto on.",
            "Avtalsleverantörer vars uppgifter om beställaransvar har kontrollerats och är i skick, som andel av dem man vet om.",
            "Contract suppliers whose contractor's-liability information has been checked and is in order, of those of which it is told.",
        ),
        "Distinct suppliers in order on every agreement of which it is told.",
        denominator="Distinct suppliers of agreements in force of which it is told.",
        unit="share",
        aggregate="ratio",
        direction="up",
        standing="proposal",
        origin="KEY_FIGURES 7.6; Act on the Contractor's Obligations and Liability (1233/2006).",
        strategy_intent="I6-1",
        coverage_text="Suppliers of which it is told / suppliers.",
        assumptions=(IN_FORCE, KNOWN, "A check made after the period's end does not count in it."),
    ),
    form_figure(
        "customers_active_n",
        SOURCE,
        ("Aktiiviset asiakkaat", "Aktiva kunder", "Active customers"),
        (
            "Eri asiakasorganisaatiot, joille on vuodelta raportoitu ostoja yhteishankintojen kautta tai jotka ottivat yhteyttä.",
            "Olika kundorganisationer som enligt rapporterna gjorde inköp genom gemensam upphandling under året eller tog kontakt.",
            "Distinct customer organisations with purchases through joint procurement reported for the year, or with a contact request.",
        ),
        version=2,
        unit="count",
        direction="up",
        aggregate="distinct",
        sources=(SOURCE, CONTACTS),
        period_kinds=YEAR_ONLY,
        levels=("national", "sector"),
        minimum_n=FEWEST,
        numerator="Distinct registered customers with reported purchases above zero, or with a contact request that counts, in the year.",
        denominator=None,
        origin="KEY_FIGURES 7.3.",
        coverage_text="Reported purchases that name their customer / reported purchases, by absolute value.",
        assumptions=(
            "From three customers up, and not by organisation: contacts by customer are the customer's own (METHOD 5).",
            "A year of which no purchases were reported has no figure; one without contact data counts purchases alone.",
        ),
    ),
)  # fmt: skip
PLACE = ["level", "level_id", "period_kind", "period_start"]


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of DEFINITIONS from `agreement_supplier_month`, `reported_purchase_month` and `contact_case`."""
    found = [_suppliers(measures["agreement_supplier_month"], touched, members)]
    return pl.concat([*found, _customers(measures, touched, members)])


def _suppliers(rows: pl.DataFrame, touched: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    ends = touched.filter(pl.col("period_kind").is_in(STOCK_KINDS)).with_columns(month=pl.col("period_end").dt.month_start())
    facts = rows.filter("is_in_force").select("organisation_id", "month", "supplier_id", "size", "is_liability_valid")
    placed = levels.placed(facts.join(ends, on="month"), members).filter(pl.col("level").is_in(KEEPERS))
    each = placed.group_by(*PLACE, "supplier_id").agg(
        is_sme=pl.col("size").is_in(SME).any(),
        has_size=pl.col("size").is_not_null().any(),
        in_order=pl.col("is_liability_valid").drop_nulls().all(),
        is_told=pl.col("is_liability_valid").is_not_null().any(),
    )
    sums = each.group_by(PLACE).agg(
        pl.len().cast(pl.Int64).alias("suppliers"),
        sme=pl.col("is_sme").sum(),
        sized=pl.col("has_size").sum(),
        in_order=(pl.col("in_order") & pl.col("is_told")).sum(),
        told=pl.col("is_told").sum(),
    )
    every = pl.col("suppliers")
    return pl.concat(
        [
            _cells(sums, "contract_suppliers_n", every, None, every, every),
            _cells(sums, "contract_supplier_sme_share", pl.col("sme"), pl.col("sized"), pl.col("sized"), every),
            _cells(sums, "tax_compliance_share", pl.col("in_order"), pl.col("told"), pl.col("told"), every),
        ]
    )


def _customers(measures: Mapping[str, pl.DataFrame], touched: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    years = months_of(touched.filter(period_kind="year"))
    whose = ["organisation_id", "period_kind", "period_start", "period_end"]
    purchases, known = measures["reported_purchase_month"].join(years, on="month"), pl.col("has_customer")
    # a case that stands with the agency bears its name: no register knows the customer
    contacts = measures["contact_case"].filter(pl.col("organisation_name").is_null()).join(years, on="month")
    spent = purchases.group_by(whose).agg(
        bought=pl.col("purchase_cents").filter(known).sum(),
        told=pl.col("purchase_cents").filter(known).abs().sum(),
        asked=pl.col("purchase_cents").abs().sum(),
    )
    active = pl.concat([spent.filter(pl.col("bought") > 0).select(whose), contacts.select(whose)]).unique()
    customers = _told_of(active, members).agg(customers=pl.len())
    sums = _told_of(spent, members).agg(pl.col("told", "asked").sum()).join(customers, on=PLACE, how="full", coalesce=True)
    sums = sums.with_columns(
        pl.col("told", "asked", "customers").fill_null(0),
        is_reported=pl.col("period_start").is_in(purchases["period_start"].unique().to_list()),
    )
    reason = (
        pl.when(~pl.col("is_reported"))
        .then(pl.lit(NO_REPORTS))
        .when(pl.col("told") == 0, pl.col("asked") > 0)
        .then(pl.lit("no_customers_told"))
    )
    number = pl.col("customers")
    return _cells(sums, "customers_active_n", number, None, pl.col("told"), pl.col("asked"), n=number, reason=reason)


def _told_of(rows: pl.DataFrame, members: pl.DataFrame) -> pl.dataframe.group_by.GroupBy:
    """Rows of organisations, grouped by the places that customers are told of."""
    return levels.placed(rows, members.filter(pl.col("level").is_in(["national", "sector"]))).group_by(PLACE)


def _cells(
    sums: pl.DataFrame,
    figure_id: str,
    numerator: pl.Expr,
    denominator: pl.Expr | None,
    covered: pl.Expr,
    asked: pl.Expr,
    n: pl.Expr | None = None,
    reason: pl.Expr | None = None,
) -> pl.DataFrame:
    return sums.select(
        *PLACE,
        figure_id=pl.lit(figure_id),
        variant=pl.lit(""),
        scope=pl.lit(ALL),
        breakdown_kind=pl.lit(""),
        breakdown_id=pl.lit(""),
        numerator=numerator.cast(pl.Int64),
        denominator=pl.lit(None, pl.Int64) if denominator is None else denominator.cast(pl.Int64),
        direct_value=pl.lit(None, pl.Float64),
        n=(covered if n is None else n).cast(pl.Int64),
        covered=covered.cast(pl.Int64),
        asked=asked.cast(pl.Int64),
        reason=pl.lit(None, pl.String) if reason is None else reason.cast(pl.String),
    )
