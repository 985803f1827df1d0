"""What the notice figures share: how a definition is written and how facts become contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.key_figure import CONTRIBUTION, KeyFigure

SCOPES = ("ted", "all_notices")
LANGUAGES = ("fi", "sv", "en")
Texts = tuple[str, str, str]
SCOREBOARD = "European Commission, Single Market Scoreboard: public procurement"
HILMA = "Hilma statistics questions (hilmaStatistics); METHOD 15-16"
ALL_KNOWN = "All of them: the notices are a census."
FIRST_BUYER = (
    "A unit belongs to its first buyer and to the month of the first notice that tells of it; a correction moves no month."
)
POPULATION = "Notices whose first buyer is not Finnish, and business registrations (X01, X02)."


def notice_figure(figure_id: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    """A definition with what all notice figures have in common; `values` are KeyFigure's fields. Exclusions and assumptions
    are added to the common ones."""
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
    }
    own = {name: values.get(name, ()) for name in ("exclusions", "assumptions")}
    shared = {"exclusions": (*own["exclusions"], POPULATION), "assumptions": (FIRST_BUYER, *own["assumptions"])}  # type: ignore[misc]
    return KeyFigure(**(common | values | shared))  # type: ignore[arg-type]


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

    `n` counts a fact (1 by default), `covered` of `asked` says whether the figure rests on it. `labels` may give variant,
    breakdown_kind, breakdown_id, reason, amount, unit_id. Facts are summed by organisation and month, but for the single
    observations (amount, unit_id) of medians and distinct counts: there a fact without one only adds to `asked`.
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
    if "amount" not in labels and "unit_id" not in labels:
        shaped = shaped.group_by(*SERIES, maintain_order=True).agg(*(_total(name) for name in SUMS))
    ted = shaped.filter("is_ted").with_columns(scope=pl.lit("ted"))
    return pl.concat([ted, shaped.with_columns(scope=pl.lit("all_notices"))]).select(COLUMNS)


SERIES = (
    "figure_id",
    "organisation_id",
    "month",
    "is_ted",
    "variant",
    "breakdown_kind",
    "breakdown_id",
    "amount",
    "unit_id",
    "reason",
)
SUMS = ("numerator", "denominator", "n", "covered", "asked")
COLUMNS = ("figure_id", *CONTRIBUTION.polars_schema().names())


def _total(name: str) -> pl.Expr:
    """The sum of a column; null where no row gives a value."""
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)


def share_of(facts: pl.DataFrame, figure_id: str, hit: pl.Expr, known: pl.Expr, **labels: str) -> pl.DataFrame:
    """A share over facts whose answer is known: hits / known; coverage = known / all."""
    is_known = known.fill_null(value=False)
    return contributions(
        facts, figure_id, is_known & hit.fill_null(value=False), is_known, n=is_known, covered=is_known, asked=None, **labels
    )


def stacked(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Contributions of several figures under each other."""
    return pl.concat(frames)


Measures = Mapping[str, pl.DataFrame]
