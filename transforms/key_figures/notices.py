"""What the notice figures share: how a definition is written and how facts become contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.key_figure import KeyFigure

SCOPES = ("ted", "all_notices")
LANGUAGES = ("fi", "sv", "en")
Texts = tuple[str, str, str]
SCOREBOARD = "European Commission, Single Market Scoreboard: public procurement"
HILMA = "Hilma statistics questions (hilmaStatistics); METHOD 15-16"
FIRST_BUYER = "A unit belongs to its first buyer and to the month of the notice that tells of it."


def notice_figure(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    """A definition with what all notice figures have in common; `values` are KeyFigure's fields."""
    common: dict[str, object] = {
        "figure_id": figure_id,
        "version": 1,
        "name": dict(zip(LANGUAGES, names, strict=True)),
        "definition": dict(zip(LANGUAGES, definitions, strict=True)),
        "unit": "share",
        "direction": "context",
        "sources": ("procurement_notices",),
        "aggregate": "ratio",
        "standing": "proposal",
        "closing": "notices",
        "scopes": SCOPES,
        "assumptions": (FIRST_BUYER,),
    }
    return KeyFigure(**(common | values))  # type: ignore[arg-type]


def contributions(
    facts: pl.DataFrame,
    figure_id: str,
    numerator: pl.Expr,
    denominator: pl.Expr | None = None,
    *,
    n: pl.Expr | None = None,
    covered: pl.Expr | None = None,
    asked: pl.Expr | None = None,
    **labels: pl.Expr | str,
) -> pl.DataFrame:
    """figure_id and CONTRIBUTION rows for both scopes from facts (organisation_id, month, is_ted).

    One row per fact: `n` counts it (1 by default), `covered` of `asked` says whether the figure rests on it. `labels` may give
    variant, breakdown_kind, breakdown_id, amount, unit, reason.
    """
    one = pl.lit(1, pl.Int64)

    def label(name: str, default: pl.Expr) -> pl.Expr:
        value = labels.get(name, default)
        return (pl.lit(value) if isinstance(value, str) else value).alias(name)

    shaped = facts.select(
        pl.lit(figure_id).alias("figure_id"),
        "organisation_id",
        "month",
        "is_ted",
        label("variant", pl.lit("")),
        label("breakdown_kind", pl.lit("")),
        label("breakdown_id", pl.lit("")),
        numerator.cast(pl.Int64).alias("numerator"),
        (pl.lit(None) if denominator is None else denominator).cast(pl.Int64).alias("denominator"),
        label("amount", pl.lit(None)).cast(pl.Int64),
        label("unit_id", pl.lit(None)).cast(pl.String),
        (one if n is None else n).cast(pl.Int64).alias("n"),
        (one if covered is None else covered).cast(pl.Int64).alias("covered"),
        (one if asked is None else asked).cast(pl.Int64).alias("asked"),
        label("reason", pl.lit(None)).cast(pl.String),
    )
    ted = shaped.filter("is_ted").with_columns(scope=pl.lit("ted"))
    return pl.concat([ted, shaped.with_columns(scope=pl.lit("all_notices"))]).drop("is_ted")


def share_of(facts: pl.DataFrame, figure_id: str, hit: pl.Expr, known: pl.Expr, **labels: pl.Expr | str) -> pl.DataFrame:
    """A share over facts whose answer is known: hits / known; coverage = known / all."""
    is_known = known.fill_null(value=False)
    return contributions(
        facts, figure_id, is_known & hit.fill_null(value=False), is_known, n=is_known, covered=is_known, **labels
    )


def placed(facts: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Facts moved to another organisation and month: columns <prefix>_organisation_id and <prefix>_month."""
    return facts.with_columns(
        pl.col(f"{prefix}_organisation_id").alias("organisation_id"), pl.col(f"{prefix}_month").alias("month")
    )


def stacked(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(frames, how="diagonal_relaxed")


Measures = Mapping[str, pl.DataFrame]
