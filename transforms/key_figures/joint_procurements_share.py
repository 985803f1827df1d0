"""Joint procurement's share of spend: reported purchases against invoices of the same organisations and year."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.key_figures.facts import ALL, contributions, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.spend import months

NO_REPORTS = "no_reported_purchases"
NO_INVOICES = "no_invoices"
INCOMPLETE = "missing_delivery"

DEFINITIONS = (
    form_figure(
        "joint_procurement_share",
        "joint_procurements",
        ("Yhteishankintojen osuus menoista", "Andel gemensam upphandling", "Joint procurement share"),
        (
            "Yhteishankintojen kautta raportoitujen ostojen osuus samojen organisaatioiden hankintamenoista samana vuonna.",
            "Rapporterade inköp genom gemensam upphandling som andel av samma organisationers upphandlingsutgifter samma år.",
            "Reported purchases through joint procurement as a share of the same organisations' procurement spend of the year.",
        ),
        direction="up",
        sources=("joint_procurements", "purchase_invoices"),
        period_kinds=YEAR_ONLY,
        closing="invoices",
        numerator="Reported purchases of organisations whose invoices of the whole year are in force.",
        denominator="Procurement spend of these organisations, as spend_total.",
        numerator_quantity="cent",
        denominator_quantity="cent",
        scopes=(ALL,),
        origin="KEY_FIGURES 7.2.",
        coverage_text="Organisations whose invoices of the whole year can be added up / organisations with invoices or reported purchases.",
        assumptions=(
            "In a year of which customers are reported, an organisation without a reported purchase bought nothing that way.",
            "Purchases reported without a customer stand outside.",
        ),
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """Contributions by organisation and year, in January."""
    reported = measures["reported_purchase_month"].filter("has_customer")
    january = pl.col("month").dt.truncate("1y")
    bought = reported.group_by("organisation_id", january).agg(pl.col("purchase_cents").sum())
    years = bought.select("month").unique().with_columns(is_reported=pl.lit(value=True))
    invoices = _years(measures)
    joined = (
        invoices.join(bought, on=["organisation_id", "month"], how="full", coalesce=True)
        .join(years, on="month", how="left")
        .with_columns(
            reason=pl.when(pl.col("is_reported").is_null())
            .then(pl.lit(NO_REPORTS))
            .when(pl.col("is_whole").is_null())
            .then(pl.lit(NO_INVOICES))
            .otherwise("reason")
        )
    )
    counts = pl.col("reason").is_null()
    return stacked(
        [
            contributions(
                joined,
                "joint_procurement_share",
                pl.when(counts).then(pl.col("purchase_cents").fill_null(0)),
                pl.when(counts).then("net_cents"),
                n=counts,
                covered=counts,
                reason=pl.col("reason"),
            )
        ]
    )


def _years(measures: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """organisation_id, month (January), net_cents, is_whole, reason: spend of organisations' years, and why it is not whole."""
    counted = months(measures).filter(pl.col("period_kinds") != "shorter").with_columns(month=pl.col("month").dt.truncate("1y"))
    years = counted.group_by("organisation_id", "month").agg(
        pl.col("net_cents").sum(), reason=pl.col("reason").filter(pl.col("asked") > 0).drop_nulls().min()
    )
    reached = (
        measures["expected"]
        .group_by(month=pl.col("month").dt.truncate("1y"))
        .agg(is_whole=pl.col("month").max().dt.month() == 12)
    )
    whole = years.join(reached, on="month")
    not_whole = pl.when(~pl.col("is_whole")).then(pl.lit(INCOMPLETE))
    return whole.with_columns(reason=pl.coalesce("reason", not_whole))
