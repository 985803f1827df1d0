"""Spend: totals and the shares of suppliers that stand outside concentration. Additive, from organisation and month."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.parameters import Parameters

BASIS = 10_000
"""Coverage is carried in ten-thousandths of an organisation's month."""

COVERAGE = (
    "Organisation-months whose slice is in force / organisation-months expected of the agencies that have delivered, each times "
    "the share of absolute net euros on accounts that the account map knows."
)
EXCLUSIONS = (
    "Rows on accounts that are not procurement or that the account map does not know.",
    "Files that give amounts with VAT only (not_comparable).",
    "The copy of an organisation's month that a second agency delivers.",
)
ASSUMPTIONS = (
    "Credit notes stay in the sums.",
    "Rows without a date serve year figures only (no_date for shorter periods).",
    "An organisation's month whose rows have no known account at all is not computable (no_account), it is not zero.",
)


def spend_figure(
    figure_id: str, names: tuple[str, str, str], definitions: tuple[str, str, str], scope: str, **changes: object
) -> KeyFigure:
    """A definition with what figures of posting lines have in common; `changes` are KeyFigure's fields."""
    values: dict[str, object] = {
        "figure_id": figure_id,
        "version": 1,
        "name": dict(zip(("fi", "sv", "en"), names, strict=True)),
        "definition": dict(zip(("fi", "sv", "en"), definitions, strict=True)),
        "unit": "share",
        "direction": "context",
        "sources": ("purchase_invoices",),
        "aggregate": "ratio",
        "standing": "proposal",
        "coverage_text": COVERAGE,
        "closing": "invoices",
        "scopes": (scope,),
        "numerator_quantity": "cent",
        "denominator_quantity": "cent",
        "exclusions": EXCLUSIONS,
        "assumptions": ASSUMPTIONS,
    }
    return KeyFigure(**(values | changes))  # type: ignore[arg-type]


DEFINITIONS = (
    spend_figure(
        "spend_total",
        ("Hankintamenot", "Upphandlingsutgifter", "Procurement spend"),
        (
            "Ostolaskujen veroton summa hankintatileillä, hyvityslaskut mukaan lukien.",
            "Inköpsfakturornas summa utan moms på upphandlingskonton, kreditnotor medräknade.",
            "Sum of purchase invoices without VAT on procurement accounts, credit notes included.",
        ),
        "all",
        unit="eur",
        aggregate="sum",
        numerator="Net amount of posting lines on procurement accounts.",
        denominator=None,
        standing="official_goal",
        origin="Fields of the state's open purchase-invoice data; Hankintatutka (Hankintamenot); account map ours (METHOD 18).",
    ),
    spend_figure(
        "spend_market",
        ("Hankinnat markkinoilta", "Inköp från marknaden", "Spend from the market"),
        (
            "Hankintamenot ilman ostoja julkisilta organisaatioilta.",
            "Upphandlingsutgifter utan inköp från offentliga organisationer.",
            "Procurement spend without purchases from public bodies.",
        ),
        "market",
        unit="eur",
        aggregate="sum",
        numerator="Procurement spend minus spend from suppliers classed as public bodies.",
        denominator=None,
        standing="official_goal",
        origin="Scope of the published 31 bn EUR (2018); list of public bodies ours.",
    ),
    spend_figure(
        "masked_supplier_share",
        ("Salattujen toimittajien osuus", "Andel sekretessbelagda leverantörer", "Masked supplier share"),
        (
            "Salattujen toimittajien osuus hankintamenoista.",
            "Sekretessbelagda leverantörers andel av upphandlingsutgifterna.",
            "Share of procurement spend whose supplier the deliverer has masked.",
        ),
        "all",
        numerator="Net spend on masked suppliers.",
        denominator="Procurement spend.",
        origin="METHOD 19: what stands outside concentration is shown.",
    ),
    spend_figure(
        "no_id_supplier_share",
        ("Tunnuksettomien toimittajien osuus", "Andel leverantörer utan nummer", "Share without supplier id"),
        (
            "Ilman kelvollista Y-tunnusta olevien toimittajien osuus hankintamenoista.",
            "Andel av upphandlingsutgifterna hos leverantörer utan giltigt FO-nummer.",
            "Share of procurement spend from suppliers without a valid id.",
        ),
        "all",
        numerator="Net spend on suppliers without a valid business id or foreign id.",
        denominator="Procurement spend.",
        origin="METHOD 19: what stands outside concentration is shown.",
    ),
    spend_figure(
        "private_trader_share",
        ("Yksityisten elinkeinonharjoittajien osuus", "Andel enskilda näringsidkare", "Private trader share"),
        (
            "Toiminimien ja henkilöiden osuus hankintamenoista, yhtenä luokkana.",
            "Enskilda näringsidkares och personers andel av upphandlingsutgifterna, som en klass.",
            "Share of procurement spend from sole traders and persons, shown as one class.",
        ),
        "all",
        numerator="Net spend on sole traders and persons.",
        denominator="Procurement spend.",
        origin="METHOD 5, class P1: private traders are one class.",
    ),
)


def months(measures: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One row per expected organisation-month and kind of period it counts in: sums, covered, asked, reason, period_kinds.

    A month of a year that was delivered without dates counts in year figures (its sum stands in January) and is no_date in
    shorter periods. Rows dated in a month that nobody covers, or that is missing, stay in the sums and cover nothing.
    """
    sums = (
        "net_cents",
        "public_cents",
        "masked_cents",
        "no_id_cents",
        "private_trader_cents",
        "procurement_lines",
        "public_lines",
    )
    spend, expected = measures["spend_month"].lazy(), measures["expected"].lazy()
    keys = ["organisation_id", "period", "has_date"]
    grouped = spend.group_by(keys).agg(
        pl.col(*sums, "known_absolute_cents", "unknown_absolute_cents").sum(), pl.col("is_gross").any()
    )
    no_account = (pl.col("known_absolute_cents") == 0) & (pl.col("unknown_absolute_cents") > 0)
    grouped = grouped.with_columns(basis=_basis(), year=pl.col("period").dt.year(), no_account=no_account)
    dated = grouped.filter("has_date").drop("has_date", "year")
    undated = grouped.filter(~pl.col("has_date"))
    years = undated.select("organisation_id", "year", pl.col("basis", "is_gross", "no_account").name.prefix("undated_"))
    joined = (
        expected.with_columns(year=pl.col("month").dt.year())
        .join(years, on=["organisation_id", "year"], how="left")
        .join(dated, left_on=["organisation_id", "month"], right_on=["organisation_id", "period"], how="left")
    )
    strays = dated.rename({"period": "month"}).join(expected, on=["organisation_id", "month"], how="anti")
    only_undated = pl.col("undated_basis").is_not_null() & pl.col("basis").is_null() & pl.col("present")
    every = pl.concat(
        [
            joined.filter(~only_undated).with_columns(period_kinds=pl.lit("all")),
            joined.filter(only_undated).with_columns(period_kinds=pl.lit("shorter"), undated=pl.lit(value=True)),
            joined.filter(only_undated).with_columns(
                period_kinds=pl.lit("year"), basis="undated_basis", is_gross="undated_is_gross", no_account="undated_no_account"
            ),
            undated.select("organisation_id", pl.col("period").alias("month"), *sums, "is_gross", "no_account").with_columns(
                present=pl.lit(value=True), period_kinds=pl.lit("year"), asked=pl.lit(0, pl.Int64)
            ),
            strays.with_columns(present=pl.lit(value=False), period_kinds=pl.lit("all"), asked=pl.lit(0, pl.Int64)),
        ],
        how="diagonal",
    )
    reason = (
        pl.when(~pl.col("present") & pl.col("basis").is_null())
        .then(pl.lit("missing_delivery"))
        .when(pl.col("undated"))
        .then(pl.lit("no_date"))
        .when(pl.col("is_gross"))
        .then(pl.lit("not_comparable"))
        .when(pl.col("no_account"))
        .then(pl.lit("no_account"))
    )
    every = every.with_columns(reason=reason, asked=pl.col("asked").fill_null(BASIS))
    counts = pl.col("reason").is_null()
    return every.with_columns(
        *(pl.when(counts).then(pl.col(name).fill_null(0)).alias(name) for name in sums),
        covered=pl.when(counts & pl.col("present") & (pl.col("asked") > 0)).then(pl.col("basis").fill_null(BASIS)).otherwise(0),
    ).collect()


def _basis() -> pl.Expr:
    """Known accounts' share of absolute net cents, in ten-thousandths; a month without net amounts is fully known."""
    total = pl.col("known_absolute_cents") + pl.col("unknown_absolute_cents")
    return (
        pl.when(total > 0).then(pl.col("known_absolute_cents").cast(pl.Int128) * BASIS // total).otherwise(BASIS).cast(pl.Int64)
    )


def contribution(
    frame: pl.DataFrame,
    figure_id: str,
    scope: str,
    numerator: pl.Expr,
    denominator: pl.Expr | None,
    n: pl.Expr = pl.col("procurement_lines"),  # noqa: B008 - an expression is a value
) -> pl.DataFrame:
    """Contribution rows of one figure from `months`; `n` counts the posting lines that it rests on."""
    return frame.select(
        pl.lit(figure_id).alias("figure_id"),
        "organisation_id",
        "month",
        pl.lit("").alias("variant"),
        pl.lit(scope).alias("scope"),
        pl.lit("").alias("breakdown_kind"),
        pl.lit("").alias("breakdown_id"),
        numerator.cast(pl.Int64).alias("numerator"),
        (pl.lit(None, pl.Int64) if denominator is None else denominator.cast(pl.Int64)).alias("denominator"),
        pl.lit(None, pl.Int64).alias("amount"),
        n.fill_null(0).alias("n"),
        "covered",
        "asked",
        "reason",
        "period_kinds",
    )


def compute(measures: Mapping[str, pl.DataFrame], _parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows, with period_kinds, from spend_month and expected."""
    frame = months(measures)
    total, market_lines = pl.col("net_cents"), pl.col("procurement_lines") - pl.col("public_lines")
    return pl.concat(
        [
            contribution(frame, "spend_total", "all", total, None),
            contribution(frame, "spend_market", "market", total - pl.col("public_cents"), None, market_lines),
            contribution(frame, "masked_supplier_share", "all", pl.col("masked_cents"), total),
            contribution(frame, "no_id_supplier_share", "all", pl.col("no_id_cents"), total),
            contribution(frame, "private_trader_share", "all", pl.col("private_trader_cents"), total),
        ]
    )
