"""Contract suppliers at the end of periods, and customers of the year: counted as different ones at every place (METHOD 2)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.joint_procurements import SME
from transforms import levels
from transforms.key_figures.form_figures import ALL, YEAR_ONLY, form_figure
from transforms.key_figures.joint_procurements import IN_FORCE, KEEPERS, KNOWN, SOURCE, STOCK_KINDS, stock
from transforms.key_figures.parameters import Parameters
from transforms.periods import months_of

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
            "Eri asiakasorganisaatiot, joille on vuoden aikana raportoitu ostoja yhteishankintojen kautta.",
            "Olika kundorganisationer som enligt rapporterna har gjort inköp genom gemensam upphandling under året.",
            "Distinct customer organisations with purchases through joint procurement reported for the year.",
        ),
        unit="count",
        direction="up",
        aggregate="distinct",
        period_kinds=YEAR_ONLY,
        numerator="Distinct customers with reported purchases above zero in the year.",
        denominator=None,
        origin="KEY_FIGURES 7.3.",
        coverage_text="Reported purchases that name their customer / reported purchases, by absolute value.",
        assumptions=("Sectors: level sector.", "Contact requests do not make a customer active: they may precede any purchase."),
    ),
)  # fmt: skip
PLACE = ["level", "level_id", "period_kind", "period_start"]


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of DEFINITIONS from `agreement_supplier_month` and `reported_purchase_month`."""
    found = [_suppliers(measures["agreement_supplier_month"], touched, members)]
    return pl.concat([*found, _customers(measures["reported_purchase_month"], touched, members)])


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


def _customers(rows: pl.DataFrame, touched: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    months = months_of(touched.filter(period_kind="year"))
    placed = levels.placed(rows.join(months, on="month"), members)
    known = pl.col("has_customer")
    each = placed.group_by(*PLACE, "organisation_id").agg(
        bought=pl.col("purchase_cents").filter(known).sum(),
        told=pl.col("purchase_cents").filter(known).abs().sum(),
        asked=pl.col("purchase_cents").abs().sum(),
    )
    sums = each.group_by(PLACE).agg((pl.col("bought") > 0).sum().alias("customers"), pl.col("told", "asked").sum())
    customers = pl.col("customers")
    no_customers = pl.when(pl.col("told") == 0, pl.col("asked") > 0).then(pl.lit("no_customers_told"))
    return _cells(sums, "customers_active_n", customers, None, pl.col("told"), pl.col("asked"), n=customers, reason=no_customers)


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
