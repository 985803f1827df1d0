"""Networks: what part of the nation's procurement from the market their members make (METHOD 22)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.key_figure import CELL, NATIONAL
from transforms.key_figures import spend
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.spend import COVERAGE, spend_figure
from transforms.rollup import roll_up

NETWORK = "network"
"""Kind of group in groups.csv."""
MARKET = next(figure for figure in spend.DEFINITIONS if figure.figure_id == "spend_market")
NO_MEMBERS = "no_network_members"
PERIOD = ["period_kind", "period_start"]

DEFINITIONS = (
    spend_figure(
        "network_participation",
        ("Verkostojen osuus hankinnoista", "Nätverkens andel av upphandlingarna", "Networks' share of procurement"),
        (
            "Hankintaverkostojen jäsenten osuus julkisen sektorin hankinnoista markkinoilta.",
            "Andel av den offentliga sektorns inköp från marknaden som görs av upphandlingsnätverkens medlemmar.",
            "Share of the public sector's procurement from the market that members of procurement networks make.",
        ),
        "market",
        period_kinds=("year",),
        levels=("national", "group"),
        numerator="Spend from the market of organisations that are members on the year's last day; national: of any network.",
        denominator="Spend from the market of all organisations of the nation.",
        origin="KEY_FIGURES 7.6 (large buyers, Vaikuttavat hankkijat), METHOD 22; formula ours.",
        coverage_text=COVERAGE,
        strategy_intent="I1",
        assumptions=(
            "Networks are groups of kind network in groups.csv, members with validity in group_members.csv.",
            "An organisation in several networks counts once in the nation.",
        ),
    ),
)


def cells(
    measures: Mapping[str, pl.DataFrame], parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows by network and for the nation: members' market spend over that of the nation."""
    years = touched.filter(pl.col("period_kind") == "year")
    market = spend.compute(measures, parameters).filter(pl.col("figure_id") == MARKET.figure_id)
    spent = roll_up(market, {MARKET.figure_id: MARKET}, years, members)
    nation = spent.filter(pl.col("level") == "national").select(
        *PERIOD, denominator="numerator", covered="covered", asked="asked", gap="reason"
    )
    networks = [group for group, kind in parameters.group_kinds.items() if kind == NETWORK]
    inside = years.join(members.filter(pl.col("level") == "group", pl.col("level_id").is_in(networks)), how="cross").filter(
        pl.col("period_end").is_between("valid_from", "valid_to")
    )
    own = spent.filter(pl.col("level") == "organisation").select(*PERIOD, "numerator", "n", organisation_id="level_id")
    of_members = (
        inside.select(*PERIOD, "level", "level_id", "organisation_id").unique().join(own, on=[*PERIOD, "organisation_id"])
    )
    anyone = of_members.unique([*PERIOD, "organisation_id"]).with_columns(level=pl.lit("national"), level_id=pl.lit(NATIONAL))
    summed = (
        pl.concat([of_members, anyone.select(of_members.columns)])
        .group_by("level", "level_id", *PERIOD)
        .agg(pl.when(pl.col("numerator").count() > 0).then(pl.col("numerator").sum()), pl.col("n").sum())
    )
    every = pl.concat(
        [nation.select(*PERIOD, level=pl.lit("national"), level_id=pl.lit(NATIONAL)), summed.select(*PERIOD, "level", "level_id")]
    ).unique()
    joined = every.join(nation, on=PERIOD).join(summed, on=["level", "level_id", *PERIOD], how="left")
    return joined.select(
        figure_id=pl.lit("network_participation"),
        variant=pl.lit(""),
        scope=pl.lit("market"),
        breakdown_kind=pl.lit(""),
        breakdown_id=pl.lit(""),
        level="level",
        level_id="level_id",
        period_kind="period_kind",
        period_start="period_start",
        numerator="numerator",
        denominator="denominator",
        direct_value=pl.lit(None, pl.Float64),
        n=pl.col("n").fill_null(0),
        covered="covered",
        asked="asked",
        reason=pl.coalesce("gap", pl.when(pl.col("n").is_null()).then(pl.lit(NO_MEMBERS)), _unspent()),
    ).cast(CELL.polars_schema())  # fmt: skip


def _unspent() -> pl.Expr:
    """Members that there are, none of which has delivered what can be summed."""
    return pl.when(pl.col("numerator").is_null()).then(pl.lit("missing_delivery"))
