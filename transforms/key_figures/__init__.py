"""The registry of key figures: one module per figure or tight family, listed here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
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

LATER: Mapping[str, str] = {
    "spend_deviation": "Needs 48 months, frozen fences and the deviation rules (METHOD 8).",
    "einvoice_share": "Needs the channel of each invoice.",
    "market_dialogue_share": "No source tells of each procurement whether there was a dialogue; market_dialogues_n counts them.",
    "food_sustainable_share": "No invoice data flag sustainable food; food_notice_share tells what notices say.",
    "cost_saving_share": "No source documents a reference price and the awarded one; model savings are no measurement.",
    "effect_based_share": "No source flags effect-based procurements.",
    "impact_assessed_share": "No source tells which procurements over a limit had their effects assessed; impact_coverage tells it of cases.",
}
"""Figures of the catalogue (KEY_FIGURES section 7) that are not computed, and what they wait for."""
