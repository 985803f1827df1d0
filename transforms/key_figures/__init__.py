"""The registry of key figures: one module per figure or tight family, listed here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

import polars as pl

from schemas.key_figure import KeyFigure
from transforms.key_figures import cases, competition, market, procedures, spend, spend_openness, strategic, suppliers

MODULES: tuple[ModuleType, ...] = (competition, procedures, market, strategic, spend, spend_openness, suppliers, cases)


@dataclass(frozen=True)
class Figure:
    """A figure as the pipeline sees it: its definition and the module that computes it."""

    definition: KeyFigure
    module: ModuleType


FIGURES: dict[str, Figure] = {
    definition.figure_id: Figure(definition, module) for module in MODULES for definition in module.DEFINITIONS
}
DEFINITIONS: dict[str, KeyFigure] = {figure_id: figure.definition for figure_id, figure in FIGURES.items()}
Compute = Callable[[Mapping[str, pl.DataFrame], object], pl.DataFrame]
