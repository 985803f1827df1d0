"""Use of the management view and coverage of the wellbeing counties' network: over groups of the register."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from schemas.key_figure import CELL, NATIONAL
from transforms.key_figures.facts import ALL, contributions, stacked
from transforms.key_figures.form_figures import YEAR_ONLY, form_figure
from transforms.key_figures.parameters import Parameters
from transforms.key_figures.strategy_shares import EITHER, SOURCE, any_of, unanswered
from transforms.rollup import roll_up

USES = {
    "overall_picture": "uses_overall_picture",
    "regular_followup": "uses_regular_followup",
    "deviations": "uses_deviations",
    "decisions": "uses_decisions",
}
PILOT = "pilot"
WELLBEING_NETWORK = "wellbeing_network"
"""Kinds of group in groups.csv."""
COUNTY_SECTOR = "wellbeing_county"
COUNTIES = 22
"""21 wellbeing services counties and HUS, from 2023-01-01 (Act 611/2021)."""
FIRST_YEAR = 2023
NO_REGISTER = "no_register"

DEFINITIONS = (
    form_figure(
        "view_use",
        SOURCE,
        ("Johdon näkymän käyttö", "Användning av ledningsvyn", "Use of the management view"),
        (
            "Organisaatiot, jotka käyttävät johdon näkymää, osuutena pilottiorganisaatioista tai vastanneista; erittely käytön mukaan.",
            "Organisationer som använder ledningsvyn, som andel av pilotorganisationerna eller av dem som svarat; per användning.",
            "Organisations that use the management view, as a share of pilot organisations or of those answering; by use.",
        ),
        direction="up",
        period_kinds=YEAR_ONLY,
        variants=("pilot", "responding"),
        variant_names={
            "pilot": {"fi": "Pilottiorganisaatiot", "sv": "Pilotorganisationer", "en": "Pilot organisations"},
            "responding": {"fi": "Kaikki vastanneet", "sv": "Alla som svarat", "en": "All answering (scale-up)"},
        },
        numerator="Organisations that use the view in any of the four ways; by use: in that one.",
        denominator="Variant pilot: organisations of groups of kind pilot on the year's last day; variant responding: units that answered.",
        origin="Management view of the national strategy (PRODUCT S9, METHOD 28); formula ours.",
        coverage_text="Organisations that answered / organisations of the variant (responding: those that returned).",
        strategy_intent="I3-1",
        assumptions=("A pilot organisation without an answer does not use it.", EITHER),
    ),
    form_figure(
        "wellbeing_network_coverage",
        SOURCE,
        (
            "Hyvinvointialueiden verkoston kattavuus",
            "Välfärdsområdenas nätverk, täckning",
            "Coverage of the wellbeing counties' network",
        ),
        (
            "Hankintaverkostoon kuuluvat hyvinvointialueet ja HUS osuutena 21 hyvinvointialueesta ja HUSista.",
            "Välfärdsområden och HUS som hör till upphandlingsnätverket, som andel av de 21 välfärdsområdena och HUS.",
            "Wellbeing services counties and HUS in the procurement network, as a share of the 21 counties and HUS.",
        ),
        direction="up",
        period_kinds=YEAR_ONLY,
        levels=("national",),
        numerator="Counties and HUS in a group of kind wellbeing_network on the year's last day, or that returned so.",
        denominator="22: the 21 wellbeing services counties and HUS.",
        origin="METHOD 28; formula ours.",
        coverage_text="22 of 22: counties and HUS in the register of organisations; with fewer no_data: no_register.",
        strategy_intent="I1",
        exclusions=("Years before 2023: the counties did not exist.",),
        assumptions=("Other members of the network do not count.",),
    ),
)


def cells(
    measures: Mapping[str, pl.DataFrame], parameters: Parameters, touched: pl.DataFrame, members: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows of both figures for the years with returns."""
    returns = measures["unit_return"]
    years = touched.filter(pl.col("period_kind") == "year", pl.col("period_start").is_in(returns["month"].unique().to_list()))
    inside = years.join(members, how="cross").filter(pl.col("period_end").is_between("valid_from", "valid_to"))
    use = roll_up(_view_use(returns, _of_kind(inside, PILOT, parameters)), {"view_use": DEFINITIONS[0]}, years, members)
    return pl.concat([use, _coverage(returns, inside, parameters)])


def _of_kind(inside: pl.DataFrame, kind: str, parameters: Parameters) -> pl.DataFrame:
    """organisation_id, month (January) of the members of groups of a kind on each year's last day."""
    groups = [group for group, its_kind in parameters.group_kinds.items() if its_kind == kind]
    found = inside.filter(pl.col("level") == "group", pl.col("level_id").is_in(groups))
    return found.select("organisation_id", month="period_start").unique().sort(pl.all())


def _view_use(returns: pl.DataFrame, pilots: pl.DataFrame) -> pl.DataFrame:
    with_pilots = pilots.join(returns, on=["organisation_id", "month"], how="left")
    return stacked(
        [part for facts, variant in ((with_pilots, "pilot"), (returns, "responding")) for part in _uses(facts, variant)]
    )


def _uses(facts: pl.DataFrame, variant: str) -> Iterator[pl.LazyFrame]:
    for kind, key, hit in [("", "", any_of(USES)), *(("use", use, pl.col(name)) for use, name in USES.items())]:
        answered = hit.is_not_null()
        denominator = pl.lit(1) if variant == PILOT else answered
        yield contributions(
            facts, "view_use", hit.fill_null(value=False), denominator, n=denominator, covered=answered,
            variant=variant, breakdown_kind=kind, breakdown_id=key, reason=unanswered(answered),
        )  # fmt: skip


def _coverage(returns: pl.DataFrame, inside: pl.DataFrame, parameters: Parameters) -> pl.DataFrame:
    """One cell per year from 2023 on. Counties that the register does not know cannot be seen in the network: none is told
    while any is missing."""
    is_whole = pl.col("covered") >= COUNTIES
    counties = (
        inside.filter(pl.col("level") == "sector", pl.col("level_id") == COUNTY_SECTOR)
        .filter(pl.col("period_start").dt.year() >= FIRST_YEAR)
        .select("organisation_id", "period_kind", "period_start", month="period_start")
    )
    said = returns.filter(pl.col("in_wellbeing_network")).select("organisation_id", "month")
    joined = (
        pl.concat([said, _of_kind(inside, WELLBEING_NETWORK, parameters)]).unique().with_columns(is_member=pl.lit(value=True))
    )
    by_year = counties.join(joined, on=["organisation_id", "month"], how="left").group_by("period_kind", "period_start")
    return (
        by_year.agg(numerator=pl.col("is_member").count(), covered=pl.len())
        .select(
            figure_id=pl.lit("wellbeing_network_coverage"),
            variant=pl.lit(""),
            scope=pl.lit(ALL),
            breakdown_kind=pl.lit(""),
            breakdown_id=pl.lit(""),
            level=pl.lit("national"),
            level_id=pl.lit(NATIONAL),
            period_kind="period_kind",
            period_start="period_start",
            numerator=pl.when(is_whole).then("numerator").cast(pl.Int64),
            denominator=pl.lit(COUNTIES, pl.Int64),
            direct_value=pl.lit(None, pl.Float64),
            n=pl.lit(COUNTIES, pl.Int64),
            covered=pl.min_horizontal(pl.col("covered").cast(pl.Int64), pl.lit(COUNTIES, pl.Int64)),
            asked=pl.lit(COUNTIES, pl.Int64),
            reason=pl.when(~is_whole).then(pl.lit(NO_REGISTER)),
        )
        .cast(CELL.polars_schema())
    )
