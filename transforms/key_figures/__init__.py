"""The registry of key figures: one module per figure or tight family, listed here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from schemas.key_figure import KeyFigure
from transforms.key_figures import (
    action_programme,
    appeals,
    cases,
    competition,
    contact_times,
    contacts,
    contract_coverage,
    expenditure,
    group_actors,
    impact,
    impact_coverage,
    joint_procurement_suppliers,
    joint_procurements,
    joint_procurements_contacts,
    joint_procurements_share,
    local_spend,
    lots,
    market,
    mini_competitions,
    networks,
    procedures,
    satisfaction_scores,
    satisfaction_shares,
    spend,
    spend_openness,
    strategic,
    strategic_goals,
    strategy_counts,
    strategy_networks,
    strategy_shares,
    supplier_sizes,
    suppliers,
    uncomputed,
)

MODULES: tuple[ModuleType, ...] = (
    competition,
    procedures,
    lots,
    market,
    strategic,
    spend,
    expenditure,
    spend_openness,
    suppliers,
    local_spend,
    group_actors,
    networks,
    cases,
    appeals,
    contacts,
    contact_times,
    mini_competitions,
    impact,
    impact_coverage,
    strategy_shares,
    strategy_counts,
    strategy_networks,
    strategic_goals,
    action_programme,
    satisfaction_scores,
    satisfaction_shares,
    joint_procurements,
    joint_procurement_suppliers,
    joint_procurements_share,
    contract_coverage,
    supplier_sizes,
    joint_procurements_contacts,
    uncomputed,
)


@dataclass(frozen=True)
class Figure:
    """A figure as the pipeline sees it: its definition and the module that computes it."""

    definition: KeyFigure
    module: ModuleType


FIGURES: dict[str, Figure] = {
    definition.figure_id: Figure(definition, module) for module in MODULES for definition in module.DEFINITIONS
}
DEFINITIONS: dict[str, KeyFigure] = {figure_id: figure.definition for figure_id, figure in FIGURES.items()}
