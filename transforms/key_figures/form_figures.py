"""What figures of forms (returns, registers, cases) have in common: their definition's defaults."""

from __future__ import annotations

from schemas.key_figure import KeyFigure
from transforms.key_figures.facts import ALL, Texts, defined

MONTHS_KNOWN = "; of that, the months of the period that had ended when the newest delivery was produced."
"""Ends the coverage text of figures whose facts bear `reaches`."""
YEAR_ONLY = ("year",)
"""Kinds of period of yearly returns and survey waves, which stand in January (METHOD 3: no rolling windows)."""


def form_figure(figure_id: str, source: str, names: Texts, definitions: Texts, **values: object) -> KeyFigure:
    """A definition with what all figures of forms have in common; `values` are KeyFigure's fields."""
    common: dict[str, object] = {"sources": (source,), "closing": "months", "scopes": (ALL,)}
    return defined(figure_id, names, definitions, **(common | values))
