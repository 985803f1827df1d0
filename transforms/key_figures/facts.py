"""From facts (a row per organisation, month and whatever is counted) to contributions, whatever the source."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.key_figure import CONTRIBUTION, KeyFigure

LANGUAGES = ("fi", "sv", "en")
COLUMNS = ("figure_id", *CONTRIBUTION.polars_schema().names(), "reaches")
SUMS = ("numerator", "denominator", "n", "covered", "asked")
ALL = "all"
Texts = tuple[str, str, str]


def defined(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    """A definition with what all figures from facts have in common; `values` are KeyFigure's fields."""
    common: dict[str, object] = {
        "figure_id": figure_id,
        "version": 1,
        "name": dict(zip(LANGUAGES, names, strict=True)),
        "definition": dict(zip(LANGUAGES, definitions, strict=True)),
        "unit": "share",
        "direction": "context",
        "aggregate": "ratio",
        "standing": "proposal",
    }
    return KeyFigure(**(common | values))  # type: ignore[arg-type]


def contributions(
    facts: pl.DataFrame,
    figure_id: str,
    numerator: pl.Expr,
    denominator: pl.Expr | None = None,
    n: pl.Expr | None = None,
    covered: pl.Expr | None = None,
    asked: pl.Expr | None = None,
    **labels: str | pl.Expr,
) -> pl.LazyFrame:
    """Contribution rows of one figure from facts (organisation_id, month), summed per organisation and month; `stacked` collects.

    `n`, `covered` and `asked` are 1 per row unless given. `labels` set variant, scope, breakdown_kind, breakdown_id, reason,
    and, for medians and distinct counts (which are not summed), amount and unit_id. Facts may bear `reaches` (transforms/reach).
    """
    one = pl.lit(1, pl.Int64)

    def label(name: str, default: pl.Expr) -> pl.Expr:
        value = labels.get(name, default)
        return (pl.lit(value) if isinstance(value, str) else value).alias(name)

    shaped = facts.lazy().select(
        pl.lit(figure_id).alias("figure_id"),
        "organisation_id",
        "month",
        label("variant", pl.lit("")),
        label("scope", pl.lit(ALL)),
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
        (pl.col("reaches") if "reaches" in facts.columns else pl.lit(None)).cast(pl.Date).alias("reaches"),
    )
    if "amount" not in labels and "unit_id" not in labels:
        series = [name for name in COLUMNS if name not in SUMS]
        totals = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in SUMS]
        shaped = shaped.group_by(series, maintain_order=True).agg(totals)
    return shaped.select(COLUMNS)


def share_of(facts: pl.DataFrame, figure_id: str, hit: pl.Expr, known: pl.Expr, **labels: str | pl.Expr) -> pl.LazyFrame:
    """A share over facts whose answer is known: hits / known; coverage = known / all."""
    is_known = known.fill_null(value=False)
    return contributions(
        facts, figure_id, is_known & hit.fill_null(value=False), is_known, n=is_known, covered=is_known, asked=None, **labels
    )


def none() -> pl.DataFrame:
    """No contributions: what `compute` gives when its source has no rows."""
    schema = {"figure_id": pl.String} | dict(CONTRIBUTION.polars_schema()) | {"reaches": pl.Date()}
    return pl.DataFrame(schema=schema).select(COLUMNS)


def stacked(frames: Sequence[pl.LazyFrame | pl.DataFrame]) -> pl.DataFrame:
    """Contributions of several figures under each other, computed side by side."""
    return pl.concat([frame.lazy() for frame in (none(), *frames)], how="vertical_relaxed").collect()
