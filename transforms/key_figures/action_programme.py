"""Progress of the action programme for innovative procurement: a closed series without a current light (METHOD 26)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.action_programme import ACTIONS
from schemas.key_figure import CELL, NATIONAL
from transforms.key_figures.facts import ALL
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters

FIGURE = "action_programme_progress"
CATEGORY = "category"

DEFINITIONS = (
    form_figure(
        FIGURE,
        "action_programme",
        ("Toimenpideohjelman eteneminen", "Åtgärdsprogrammets framsteg", "Action programme progress"),
        (
            "Toteutetut toimenpiteet osuutena ohjelman 14 toimenpiteestä; hallinnonaloittain sitä koskevista; erittely luokittain.",
            "Genomförda åtgärder som andel av programmets 14 åtgärder; per förvaltningsområde av dem som gäller det; per kategori.",
            "Actions done as a share of the programme's 14; by branch of those that apply to it; by category.",
        ),
        direction="up",
        period_kinds=YEAR_ONLY,
        levels=("national", "branch"),
        numerator="Actions done; nationally: in every branch that they apply to.",
        denominator="Nationally 14, by category the reported actions of the category; by branch the actions that apply to it.",
        standing="official_goal",
        origin="Ministry of Economic Affairs and Employment, news of 13.12.2017 (14 actions, 4 categories); status and formula ours.",
        coverage_text="Actions reported / 14; by category: reported / reported.",
        strategy_intent="I5",
        exclusions=("Actions that apply to no branch are not done.",),
        assumptions=(
            "An action that a branch did not report is not counted as its own; nationally a silent branch is not waited for.",
        ),
    ),
)


def cells(
    measures: Mapping[str, pl.DataFrame], _parameters: Parameters, touched: pl.DataFrame, _members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of the nation and the branches for the years with reports."""
    years = touched.filter(pl.col("period_kind") == "year").select("period_kind", "period_start", month="period_start")
    facts = measures["action_by_branch"].join(years, on="month").with_columns(applies=pl.col("status") != "not_applicable")
    period = ["period_kind", "period_start"]
    whole = _nation(facts, period, []).group_by(period).agg(
        _done(), pl.lit(ACTIONS).alias("denominator"), pl.len().alias("covered"), asked=pl.lit(ACTIONS)
    )  # fmt: skip
    by_category = _nation(facts, period, ["category"]).group_by(*period, breakdown_id=pl.col("category").cast(pl.String)).agg(
        _done(), pl.len().alias("denominator"), pl.len().alias("covered"), asked=pl.len()
    )  # fmt: skip
    by_branch = facts.with_columns(is_done=pl.col("status") == "done").group_by(*period, level_id="branch").agg(
        _done(), pl.col("applies").sum().alias("denominator"), pl.len().alias("covered"), asked=pl.lit(ACTIONS)
    )  # fmt: skip
    parts = [
        whole.with_columns(
            level=pl.lit("national"), level_id=pl.lit(NATIONAL), breakdown_kind=pl.lit(""), breakdown_id=pl.lit("")
        ),
        by_category.with_columns(level=pl.lit("national"), level_id=pl.lit(NATIONAL), breakdown_kind=pl.lit(CATEGORY)),
        by_branch.with_columns(level=pl.lit("branch"), breakdown_kind=pl.lit(""), breakdown_id=pl.lit("")),
    ]
    labelled = pl.concat(parts, how="diagonal_relaxed").with_columns(
        figure_id=pl.lit(FIGURE),
        variant=pl.lit(""),
        scope=pl.lit(ALL),
        direct_value=pl.lit(None, pl.Float64),
        n=pl.col("denominator"),
        reason=pl.lit(None, pl.String),
    )
    return labelled.select(CELL.polars_schema().names()).cast(CELL.polars_schema())


def _nation(facts: pl.DataFrame, period: list[str], by: list[str]) -> pl.DataFrame:
    """One row per period and action: done when every branch that it applies to has done it."""
    done_or_not_asked = ~pl.col("applies") | (pl.col("status") == "done")
    return facts.group_by(*period, *by, "action_no").agg(is_done=pl.col("applies").any() & done_or_not_asked.all())


def _done() -> pl.Expr:
    return pl.col("is_done").sum().alias("numerator")
