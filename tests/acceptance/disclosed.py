"""Figures under disclosure control as they are before anything is withheld: for comparing with the truth and with what is told."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from flows.pipeline import reference_of
from schemas.reference import Reference
from tests.acceptance.support import AS_OF, ledger
from transforms import periods
from transforms.disclosure.rules import Rules, protected, rules
from transforms.key_figures import DEFINITIONS
from transforms.settle import settle
from warehouse.home import Home

NAMES = {"level": pl.String, "level_id": pl.String, "name_fi": pl.String}


def reference(home: Path) -> Reference:
    return reference_of(Home(home))


def classes(home: Path) -> Rules:
    return rules(reference(home), DEFINITIONS)


def before_withholding(home: Path) -> pl.DataFrame:
    """The settled rows of protected figures, all levels and periods, as the warehouse computes them."""
    ids = protected(classes(home))
    cells = ledger(home, "SELECT * FROM figure.cell WHERE list_contains(?, figure_id)", [list(ids)])
    known = [periods.period(kind, start) for kind, start in cells.select("period_kind", "period_start").unique().iter_rows()]
    ends = pl.DataFrame(known, schema=periods.SCHEMA, orient="row")
    figures = {figure_id: DEFINITIONS[figure_id] for figure_id in ids}
    members = ledger(home, "FROM figure.membership")
    return settle(
        cells.join(ends, on=["period_kind", "period_start"]), figures, reference(home), members, pl.DataFrame(schema=NAMES), AS_OF
    )
