"""Openness: how many organisations' invoice data are there, and how much of their spend they advertised."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.spend import COVERAGE, EXCLUSIONS, months

WINDOW_YEARS = 3
"""publication_rate_spend looks at so many years (METHOD 14: 36 months)."""

DEFINITIONS = (
    KeyFigure(
        figure_id="open_invoice_coverage",
        version=2,
        name={"fi": "Ostolaskudatan avaaminen", "sv": "Öppna fakturadata", "en": "Organisations publishing invoice data"},
        definition={
            "fi": "Kehikon organisaatiot, joiden ostolaskuja on vuodelta toimitettu, osuutena kehikosta vuoden lopussa.",
            "sv": "Ramens organisationer vars inköpsfakturor för året har levererats, som andel av ramen vid årets slut.",
            "en": "Organisations of the frame whose invoices of the year are delivered, as a share of the frame at the year's end.",
        },
        unit="share",
        direction="up",
        sources=("purchase_invoices",),
        aggregate="ratio",
        numerator="Organisations of the frame with a delivery in force for any month of the year.",
        denominator="Organisations in the frame on the last day of the year.",
        standing="proposal",
        origin="KEY_FIGURES 7.2, strategy goal I3-1; formula ours.",
        coverage_text="Organisations in the frame / those and the ones outside it that agencies deliver or have delivered.",
        closing="invoices",
        scopes=("all",),
        period_kinds=("year",),
        levels=("national", "sector", "branch", "region"),
        assumptions=(
            "The frame: organisations with in_frame yes in organisations.csv, as long as they exist. Whole sectors belong into it.",
            "Where no organisation is in the frame: not_computable, no_frame. None is as shipped; the frame is data to register.",
            "Organisations outside the frame count neither above nor below the line; they lower the coverage.",
        ),
        strategy_intent="I3-1",
    ),
    KeyFigure(
        figure_id="publication_rate_spend",
        version=1,
        name={
            "fi": "Ilmoitettujen hankintojen arvo hankintamenoista",
            "sv": "Annonserade upphandlingars värde av inköpen",
            "en": "Publication rate, spend",
        },
        definition={
            "fi": "Ilmoitettujen hankintojen arvo osuutena samojen organisaatioiden hankintamenoista, 36 kuukautta vuoden loppuun.",
            "sv": "De annonserade upphandlingarnas värde som andel av samma organisationers inköp, 36 månader till årets slut.",
            "en": "Advertised value of calls as a share of the same organisations' procurement spend, 36 months to the year's end.",
        },
        unit="share",
        direction="up",
        sources=("procurement_notices", "purchase_invoices"),
        aggregate="ratio",
        numerator="Advertised value of calls with a known value, in months for which the buyer's invoices are delivered.",
        denominator="Procurement spend of the same organisations and months.",
        standing="proposal",
        origin="Opentender's idea of a publication rate; window and population ours (METHOD 14).",
        coverage_text=COVERAGE,
        closing="invoices",
        scopes=("all_notices",),
        period_kinds=("year",),
        levels=("national", "sector"),
        numerator_quantity="cent",
        denominator_quantity="cent",
        exclusions=("Calls without a known value; buyers whose invoices are not delivered.", *EXCLUSIONS),
        assumptions=(
            "The year figure holds the 36 months that end with the year; incomplete_window where the data begin later.",
            "A call's value falls on the month of the call, its spend comes later: the window is long for that reason.",
        ),
        reach_years=WINDOW_YEARS - 1,
    ),
)


def compute(measures: Mapping[str, pl.DataFrame], parameters: Parameters) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows, with period_kinds, from expected, spend_month and procedure_start (where there)."""
    parts = [_coverage(measures["expected"], parameters)]
    if "procedure_start" in measures:
        parts.append(_publication_rate(measures))
    return pl.concat(parts)


def _rows(frame: pl.DataFrame, figure_id: str, scope: str) -> pl.DataFrame:
    """CONTRIBUTION columns around organisation_id, month, numerator, denominator, n, covered, asked, reason, period_kinds."""
    return frame.select(
        pl.lit(figure_id).alias("figure_id"),
        "organisation_id",
        "month",
        pl.lit("").alias("variant"),
        pl.lit(scope).alias("scope"),
        pl.lit("").alias("breakdown_kind"),
        pl.lit("").alias("breakdown_id"),
        pl.col("numerator", "denominator").cast(pl.Int64),
        pl.lit(None, pl.Int64).alias("amount"),
        pl.col("n", "covered", "asked").cast(pl.Int64),
        pl.col("reason").cast(pl.String),
        pl.col("period_kinds").cast(pl.String),
    )


def _coverage(expected: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """One row per organisation and year, in its last month: an organisation counts once, whatever it delivers of the year."""
    known = expected.group_by("organisation_id", month=pl.date(pl.col("month").dt.year(), 12, 1)).agg(pl.col("present").any())
    schema = {"organisation_id": pl.String, "since": pl.Date, "until": pl.Date}
    frame = pl.DataFrame(list(parameters.frame), schema=schema, orient="row").join(known.select("month").unique(), how="cross")
    frame = frame.filter(pl.col("month").dt.month_end().is_between("since", "until")).select("organisation_id", "month").unique()
    inside = frame.join(known, on=["organisation_id", "month"], how="left").select(
        "organisation_id",
        "month",
        numerator=pl.col("present").fill_null(False).cast(pl.Int64),
        denominator=pl.lit(1, pl.Int64),
        n=1,
        covered=1,
        reason=pl.lit(None, pl.String),
    )
    outside = known.join(frame, on=["organisation_id", "month"], how="anti").select(
        "organisation_id",
        "month",
        numerator=pl.lit(None, pl.Int64),
        denominator=pl.lit(None, pl.Int64),
        n=0,
        covered=0,
        reason=pl.lit("no_frame"),
    )
    every = pl.concat([inside, outside]).with_columns(asked=1, period_kinds=pl.lit("year"))
    return _rows(every, "open_invoice_coverage", "all")


def _publication_rate(measures: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Values and spend of a month count in its own year and in the years of the window after it."""
    delivered = measures["expected"].filter("present").select("organisation_id", "month")
    calls = measures["procedure_start"].filter(pl.col("has_call") & (pl.col("call_value_state") == "known"))
    calls = calls.join(delivered, on=["organisation_id", "month"], how="semi").select(
        "organisation_id",
        "month",
        numerator=pl.col("call_value_cents"),
        denominator=pl.lit(0, pl.Int64),
        n=1,
        covered=0,
        asked=0,
        reason=None,
    )
    spend = months(measures).filter(pl.col("period_kinds") != "shorter")
    spend = spend.select(
        "organisation_id",
        "month",
        numerator=pl.when(pl.col("reason").is_null()).then(0),
        denominator="net_cents",
        n=0,
        covered="covered",
        asked="asked",
        reason="reason",
    )
    every = pl.concat([calls, spend], how="vertical_relaxed")
    shifted = pl.concat([every.with_columns(pl.col("month").dt.offset_by(f"{ahead}y")) for ahead in range(WINDOW_YEARS)])
    # of all months there are, not of those that happen to be computed together
    first = measures.get("expected_first", measures["expected"])["month"].min()
    window = pl.date(pl.col("month").dt.year() - (WINDOW_YEARS - 1), 1, 1)
    incomplete = window < pl.lit(first, pl.Date)
    return _rows(
        shifted.with_columns(
            pl.when(~incomplete).then(pl.col("numerator", "denominator")),
            reason=pl.when(incomplete).then(pl.lit("incomplete_window")).otherwise("reason"),
            period_kinds=pl.lit("year"),
        ),
        "publication_rate_spend",
        "all_notices",
    )
