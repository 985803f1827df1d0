"""What the notice figures share: how a definition is written and how facts become contributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures import facts
from transforms.key_figures.facts import Texts, defined

SCOPES = ("ted", "all_notices")
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
    common: dict[str, object] = {"sources": ("procurement_notices",), "closing": "notices", "scopes": SCOPES}
    own = {name: values.get(name, ()) for name in ("exclusions", "assumptions")}
    shared = {"exclusions": (*own["exclusions"], POPULATION), "assumptions": (FIRST_BUYER, *own["assumptions"])}  # type: ignore[misc]
    return defined(figure_id, names, definitions, **(common | values | shared))


SCOPE = pl.when("is_ted").then(pl.lit("ted")).otherwise(pl.lit("national"))


def in_scopes(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Contributions by SCOPE, once for every scope of figures that they stand in: those of TED, and all."""
    every = pl.lit("all_notices")
    scopes = pl.when(scope="ted").then(pl.concat_list(pl.lit("ted"), every)).otherwise(pl.concat_list(every))
    return rows.with_columns(scope=scopes).explode("scope")


def contributions(
    notices: pl.DataFrame, figure_id: str, numerator: pl.Expr, denominator: pl.Expr | None = None, **given: Any
) -> pl.LazyFrame:
    """facts.contributions for both scopes, from facts of notices (organisation_id, month, is_ted ...)."""
    return in_scopes(facts.contributions(notices, figure_id, numerator, denominator, scope=SCOPE, **given))


def share_of(notices: pl.DataFrame, figure_id: str, hit: pl.Expr, known: pl.Expr, **labels: str) -> pl.LazyFrame:
    """facts.share_of for both scopes, from facts of notices."""
    return in_scopes(facts.share_of(notices, figure_id, hit, known, scope=SCOPE, **labels))


Measures = Mapping[str, pl.DataFrame]
