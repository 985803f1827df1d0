"""Key figures: the definition record, and the tables every figure's computation passes through.

measures -> contributions (one figure, by organisation and month) -> cells (by level and period) -> key figures (settled:
value, status, coverage, target, light, trend) -> the published table `mart.key_figure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from schemas.contract import Column, Table

Aggregate = Literal["sum", "ratio", "mean", "median", "distinct", "plan"]
"""sum: value = sum of numerators · ratio, mean: sum of numerators / sum of denominators · median: of `amount`, recomputed
for every level and period · distinct: number of different `unit_id`, counted anew likewise · plan: the warehouse groups keyed measures by the SQL that the figure states (`PLAN`)."""

Unit = Literal[
    "share", "eur", "count", "days", "hours", "per_case", "hhi", "per_lot", "per_mille", "per_meur", "score", "grade", "index", "points"
]  # fmt: skip
Quantity = Literal["count", "cent", "days", "score"]
SCALE: Mapping[str, int] = {"count": 1, "days": 1, "cent": 100, "score": 2520}
"""How many of the integers that are summed make one unit of a quantity. Scores are carried in 2520ths (the least common
multiple of 1 to 10), so that a respondent's mean over up to ten items stays an exact integer."""
PeriodKind = Literal["month", "quarter", "year", "rolling_12m", "point"]
Level = Literal["national", "sector", "branch", "region", "group", "organisation"]
Standing = Literal["official", "official_goal", "proposal"]

LEVELS: tuple[Level, ...] = ("national", "sector", "branch", "region", "group", "organisation")
PERIOD_KINDS: tuple[PeriodKind, ...] = ("month", "quarter", "year", "rolling_12m", "point")
STATUSES = ("final", "provisional", "not_computable", "no_data", "suppressed")
LIGHTS = ("green", "yellow", "red", "none")
TRENDS = ("up", "down", "flat", "none")
NATIONAL = "FI"
"""level_id of the national level."""


@dataclass(frozen=True)
class KeyFigure:
    """A definition. `name`, `definition` hold fi, sv, en. A change of meaning raises `version` (a changelog line too).

    `numerator`, `denominator`, `exclusions`, `assumptions` are English sentences for the figure's page; `standing` says
    whether the formula is official, an official goal with our formula, or our proposal; `origin` names the source.
    `closing_days` after the period's end the figure is final (METHOD 29); None with year figures of invoices: 30 June.
    `coverage_text` says what coverage measures here. `variants` ("",) when there is only one.
    `reach_years`: a month counts in the figures of so many later years too (windows longer than a year).
    `closing`: invoices and notices as METHOD 29; months: 45 days after any period; waves: with the period.
    `is_stock`: a state at the end of a period: of its months only the last one counts.
    `waits_for`: why no source lets it be computed; '' when it is.
    `factor` multiplies the quotient (per mille: 1000); under `minimum_n` units a figure is not computable (n_too_small).
    """

    figure_id: str
    version: int
    name: Mapping[str, str]
    definition: Mapping[str, str]
    unit: Unit
    direction: Literal["up", "down", "context"]
    sources: tuple[str, ...]
    aggregate: Aggregate
    numerator: str
    denominator: str | None
    standing: Standing
    origin: str
    coverage_text: str
    closing: Literal["invoices", "notices", "months", "waves"]
    scopes: tuple[str, ...]
    variants: tuple[str, ...] = ("",)
    variant_names: Mapping[str, Mapping[str, str]] | None = None
    period_kinds: tuple[PeriodKind, ...] = ("month", "quarter", "year", "rolling_12m")
    levels: tuple[Level, ...] = LEVELS
    numerator_quantity: Quantity = "count"
    denominator_quantity: Quantity = "count"
    exclusions: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    minimum_coverage: float | None = None
    strategy_intent: str | None = None
    owner: str = "nyckeltal"
    reach_years: int = 0
    is_stock: bool = False
    factor: int = 1
    minimum_n: int = 0
    waits_for: str = ""

    @property
    def block(self) -> str:
        """The part of the national view that the figure belongs to, by its first source (see BLOCKS)."""
        return next((block for block, sources in BLOCKS.items() if self.sources[0] in sources), "other")


BLOCKS: Mapping[str, tuple[str, ...]] = {
    "competition": ("procurement_notices", "market_court_cases"),
    "spend": ("purchase_invoices",),
    "joint": ("joint_procurements",),
    "service": ("contact_requests", "mini_competitions"),
    "impact": ("impact_assessments",),
    "satisfaction": ("satisfaction_surveys",),
    "strategy": ("strategic_goals", "strategy_followup", "action_programme"),
    "other": (),
}
"""Parts of the national view in the order in which people read them, and their sources."""
BLOCK_NAMES: Mapping[str, Mapping[str, str]] = {
    "competition": {"fi": "Kilpailu ja ilmoitukset", "sv": "Konkurrens och annonser", "en": "Competition and notices"},
    "spend": {"fi": "Hankintamenot", "sv": "Upphandlingsutgifter", "en": "Procurement spend"},
    "joint": {"fi": "Yhteishankinnat", "sv": "Gemensamma upphandlingar", "en": "Joint procurement"},
    "service": {"fi": "Palvelut ja tuki", "sv": "Tjänster och stöd", "en": "Services and support"},
    "impact": {"fi": "Vaikuttavuus", "sv": "Genomslag", "en": "Impact"},
    "satisfaction": {"fi": "Tyytyväisyys", "sv": "Nöjdhet", "en": "Satisfaction"},
    "strategy": {"fi": "Strategia ja osaaminen", "sv": "Strategi och kompetens", "en": "Strategy and competence"},
    "other": {"fi": "Muut", "sv": "Övriga", "en": "Other"},
}


CONTRIBUTION = Table(
    "contribution",
    "What one organisation and month contribute to a figure; several rows per organisation and month are summed.",
    (
        Column("organisation_id", pl.String, "Whom the rows are about.", required=True),
        Column("month", pl.Date, "First day of the month.", required=True),
        Column("variant", pl.String, "Variant of the figure, '' when there is one only.", required=True),
        Column("scope", pl.String, "ted, all_notices; all, market, above_thresholds.", required=True),
        Column("breakdown_kind", pl.String, "'' for the whole; else e.g. category.", required=True),
        Column("breakdown_id", pl.String, "'' for the whole.", required=True),
        Column("numerator", pl.Int64, "Cents, counts or days, see the definition."),
        Column("denominator", pl.Int64, "Null for sums."),
        Column("amount", pl.Int64, "The single observation of a median figure."),
        Column("unit_id", pl.String, "The unit that a distinct figure counts."),
        Column("n", pl.Int64, "Units of count behind the contribution.", required=True),
        Column("covered", pl.Int64, "What of `asked` the contribution rests on.", required=True),
        Column("asked", pl.Int64, "What it should rest on.", required=True),
        Column("reason", pl.String, "Why the organisation and month cannot be computed, else null."),
    ),
)

CELL = Table(
    "cell",
    "One figure at one level and period before it is settled.",
    (
        Column("figure_id", pl.String, "Figure.", required=True),
        Column("variant", pl.String, "Variant or ''.", required=True),
        Column("scope", pl.String, "Scope.", required=True),
        Column("breakdown_kind", pl.String, "'' for the whole.", required=True),
        Column("breakdown_id", pl.String, "'' for the whole.", required=True),
        Column("level", pl.String, "Level.", required=True, codes=LEVELS),
        Column("level_id", pl.String, "Id within the level.", required=True),
        Column("period_kind", pl.String, "Kind of period.", required=True, codes=PERIOD_KINDS),
        Column("period_start", pl.Date, "First day.", required=True),
        Column("numerator", pl.Int64, "In the definition's quantity."),
        Column("denominator", pl.Int64, "In the definition's quantity."),
        Column("direct_value", pl.Float64, "Value of figures that are not a ratio or a sum (median, HHI); else null."),
        Column("n", pl.Int64, "Units of count.", required=True),
        Column("covered", pl.Int64, "Coverage numerator.", required=True),
        Column("asked", pl.Int64, "Coverage denominator.", required=True),
        Column("reason", pl.String, "Why not computable; null otherwise."),
    ),
)

VALUE = pl.Decimal(28, 8)
QUANTITY = pl.Decimal(24, 2)

KEY_FIGURE = Table(
    "key_figure",
    "National key figures, one row per figure, variant, scope, panel, level, breakdown and period; the newest revision of each.",
    (
        Column("figure_id", pl.String, "Figure, see mart.figure.", required=True),
        Column("version", pl.Int32, "Version of the definition.", required=True),
        Column("variant", pl.String, "Variant of the definition, '' when there is one only.", required=True),
        Column("scope", pl.String, "What the figure speaks of: ted, all_notices; all, market.", required=True),
        Column("panel", pl.String, "all: every organisation that delivers; fixed: the fixed panel.", required=True),
        Column(
            "level",
            pl.String,
            "national, sector, branch (administrative branch), region, group (network, group actor), organisation.",
            required=True,
        ),
        Column("level_id", pl.String, "Id within the level; FI for the nation.", required=True),
        Column("level_name", pl.String, "Name in Finnish; other languages in mart.level.", required=True),
        Column("breakdown_kind", pl.String, "'' for the whole, else what the row is broken down by.", required=True),
        Column("breakdown_id", pl.String, "'' for the whole, else the class.", required=True),
        Column(
            "period_kind",
            pl.String,
            "month, quarter, year, rolling_12m (12 months ending with period_end), point.",
            required=True,
        ),
        Column("period_start", pl.Date, "First day of the period.", required=True),
        Column("period_end", pl.Date, "Last day of the period.", required=True),
        Column(
            "unit",
            pl.String,
            "share (0-1), eur, count, days, hours, per_lot, per_case, hhi (0-10000), per_mille, per_meur (per million EUR), score (1-5), grade (4-10), index (0-100), points.",
            required=True,
        ),
        Column("value", VALUE, "The figure; null when the status says so."),
        Column("numerator", QUANTITY, "Numerator in EUR, counts or days."),
        Column("denominator", QUANTITY, "Denominator in EUR, counts or days; null for sums."),
        Column("n", pl.Int64, "Units of count behind the figure; null when suppressed."),
        Column(
            "coverage", pl.Decimal(9, 6), "Share (0-1) of what the figure should rest on that it does rest on; null when unknown."
        ),
        Column("status", pl.String, "final, provisional, not_computable, no_data, suppressed.", required=True, codes=STATUSES),
        Column("reason", pl.String, "Why the figure is not computable, missing or noteworthy; null otherwise."),
        Column("revision_no", pl.Int32, "How often a published value of this cell has changed.", required=True),
        Column("target", VALUE, "Target in force on the period's last day; null when none."),
        Column("target_operator", pl.String, "How value and target are compared: >=, >, <=, <."),
        Column("light", pl.String, "green, yellow, red, none.", required=True, codes=LIGHTS),
        Column("trend", pl.String, "Against the same period a year before: up, down, flat, none.", required=True, codes=TRENDS),
        Column("organisation_median", VALUE, "Unweighted median over organisations, from 5 organisations up."),
        Column("organisation_q1", VALUE, "Lower quartile over organisations, from 5 up."),
        Column("organisation_q3", VALUE, "Upper quartile over organisations, from 5 up."),
        Column(
            "mix_flag",
            pl.Boolean,
            "The figure moved against all its children since a year before (composition effect).",
            required=True,
        ),
        Column("break_flag", pl.Boolean, "The series breaks at or after the comparison period.", required=True),
        Column("is_latest", pl.Boolean, "The newest period of its series that has a value.", required=True),
        Column("data_through", pl.Date, "Last day that the figure's sources hold data for; null: none was delivered."),
    ),
    primary_key=(
        "figure_id",
        "version",
        "variant",
        "scope",
        "panel",
        "level",
        "level_id",
        "breakdown_kind",
        "breakdown_id",
        "period_kind",
        "period_start",
    ),
)
