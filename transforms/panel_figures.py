"""Figures of drawn panels (METHOD 7): cells of what a panel speaks for, and growth from year to year.

A period is spoken for by the panel of the year it ends in, else by the year before's, which runs on a year, else by the first
panel that reaches back to it (`panel.speaking`). Trend and growth compare two periods of one panel, never of two panels. A cell
without all of its panel's months is no_data (panel_incomplete), one of fewer than three organisations or less than 30 % of the
spend of all units is no_data too (panel_too_small).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl

from schemas.key_figure import CELL, NATIONAL, VALUE, PeriodKind
from transforms import levels, panel
from transforms.key_figures import spend
from transforms.panel import COUNTIES, COUNTY_SECTOR, GENERAL, Panels
from transforms.periods import SCHEMA, months_of, period
from transforms.rollup import PLACE, SERIES, roll_up

FIXED = "fixed"
"""The published `panel` of these rows."""
PERIOD_KINDS: tuple[PeriodKind, ...] = ("quarter", "year", "rolling_12m")
LEVELS = ("national", "sector")
FIGURES = {figure.figure_id: figure for figure in spend.DEFINITIONS}
"""Additive figures of invoices; the shares are built from the same sums."""
WHOLE = "spend_total"
"""The figure whose sum says how much of all units' spend a panel holds."""
SUMS = ("spend_total", "spend_market")
LEAST_ORGANISATIONS = 3
LEAST_SHARE = (3, 10)
"""Shown from so many organisations, and from so large a share of the spend of all units."""
AT = ["level", "level_id", "period_kind", "period_start"]
BASE = 100

GROWTH = pl.Schema(
    {
        "panel": pl.String,
        "figure_id": pl.String,
        "level": pl.String,
        "level_id": pl.String,
        "year": pl.Int32,
        "panel_year": pl.Int32,
        "is_linked": pl.Boolean,
        "organisations_n": pl.Int64,
        "numerator": pl.Int64,
        "denominator": pl.Int64,
        "reason": pl.String,
    }
)
"""Growth of a sum into `year`, over the same organisations in both years: cents of the year and of the year before. `is_linked`:
of the panel that speaks for the year, so the one that a linked series takes."""


def of_kinds(periods: pl.DataFrame) -> pl.DataFrame:
    """The periods (SCHEMA) that panels have."""
    return periods.filter(pl.col("period_kind").is_in(PERIOD_KINDS))


def spoken(periods: pl.DataFrame, drawn: Panels) -> Iterator[tuple[str, int | None, pl.DataFrame]]:
    """(panel, its year or None, the periods it speaks for) for `periods` (SCHEMA) and both kinds of panel."""
    for name in panel.PANELS:
        years = {year: panel.speaking(drawn, name, year) for year in periods["period_end"].dt.year().unique()}
        for drawn_year in sorted(set(years.values()), key=lambda year: year or 0):
            own = [year for year, speaker in years.items() if speaker == drawn_year]
            yield name, drawn_year, periods.filter(pl.col("period_end").dt.year().is_in(own))


def cells(
    name: str, year: int | None, members: pl.DataFrame, whole: pl.DataFrame, contributions: pl.DataFrame, periods: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows, one for each of `whole`'s in `periods` that the panel `name` of `year` (None: nothing is drawn) is about.

    `members`: MEMBERS of all panels; `whole`: CELL rows over all units of the same figures; `contributions`: those of
    `spend.compute`. The general panel is about the nation and all sectors but that of the counties, which have their own.
    """
    about = (pl.col("level_id") == COUNTY_SECTOR) == (name == COUNTIES)
    key = ["period_kind", "period_start"]
    rows = whole.filter(about).join(periods.select(key), on=key, how="semi")
    own = _own(members, name, year)
    if year is not None:
        periods = periods.filter(pl.col("period_start") >= panel.first_month(name, year))
    places = _places(own, name)
    rolled = roll_up(_of_entities(contributions, own), FIGURES, periods, places)
    return _shown(rows, rolled, _sizes(places), _gaps(own, contributions, periods, places))


def _own(members: pl.DataFrame, name: str, year: int | None) -> pl.DataFrame:
    return members.filter((pl.col("panel") == name) & (pl.col("panel_year") == (-1 if year is None else year)))


def _of_entities(contributions: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Contributions of a panel's organisations while they count, under their entity."""
    joined = contributions.join(own.select("organisation_id", "entity_id", "since", "until"), on="organisation_id")
    counts = pl.col("month").is_between(pl.col("since").dt.month_start(), "until")
    return joined.filter(counts).with_columns(organisation_id="entity_id").drop("entity_id", "since", "until")


def _places(own: pl.DataFrame, name: str) -> pl.DataFrame:
    """Membership of a panel's entities, the same in all its periods: the nation (general panel) and their sector."""
    identities = {"sector": pl.col("sector")} | ({"national": pl.lit(NATIONAL)} if name == GENERAL else {})
    frames = [
        own.select(
            pl.col("entity_id").alias("organisation_id"),
            pl.lit(level).alias("level"),
            identity.alias("level_id"),
            pl.lit(levels.ALWAYS[0]).alias("valid_from"),
            pl.lit(levels.ALWAYS[1]).alias("valid_to"),
        )
        for level, identity in identities.items()
    ]
    return pl.concat(frames).unique(maintain_order=True)


def _sizes(places: pl.DataFrame) -> pl.DataFrame:
    return places.group_by("level", "level_id").agg(pl.len().cast(pl.Int64).alias("organisations_n"))


def _gaps(own: pl.DataFrame, contributions: pl.DataFrame, periods: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """AT and is_complete: whether the months of every entity are there, for all `periods`."""
    if periods.is_empty() or own.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(AT[:3], pl.String) | {AT[3]: pl.Date, "is_complete": pl.Boolean})
    months = months_of(periods).with_columns(months_n=pl.len().over("period_kind", "period_start"))
    first, end = months["month"].min(), months["period_end"].max()
    assert isinstance(first, date)  # noqa: S101 - of a frame that is not empty
    assert isinstance(end, date)  # noqa: S101
    needed = panel.demanded(own, first, end)
    of_total = contributions.filter(pl.col("figure_id") == WHOLE)
    for column, kinds in (("in_years", ("all", "year")), ("in_shorter", ("all", "shorter"))):
        there = panel.usable(of_total, kinds).with_columns(pl.lit(value=True).alias(column))
        needed = needed.join(there, on=["organisation_id", "month"], how="left")
    # the parts of a composite make one month
    needed = needed.group_by("entity_id", "month").agg(pl.col("in_years", "in_shorter").fill_null(value=False).all())
    at = places.select(pl.col("organisation_id").alias("entity_id"), "level", "level_id").join(
        _sizes(places), on=["level", "level_id"]
    )
    counts = pl.when(pl.col("period_kind") == "year").then("in_years").otherwise("in_shorter")
    return (
        needed.join(months, on="month")
        .join(at, on="entity_id")
        .group_by(AT)
        .agg((counts.sum() == pl.col("months_n").first() * pl.col("organisations_n").first()).alias("is_complete"))
    )


def _shown(rows: pl.DataFrame, rolled: pl.DataFrame, sizes: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Cells for `rows`: the panel's numbers where it is large enough and complete, else the reason."""

    def total(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        return frame.filter((pl.col("figure_id") == WHOLE) & (pl.col("breakdown_kind") == "")).select(
            *AT, pl.col("numerator").alias(name)
        )

    numbers = ["numerator", "denominator", "direct_value", "n", "covered", "asked", "reason"]
    joined = (
        rows.select(*SERIES, *PLACE)
        .join(rolled, on=[*SERIES, *PLACE], how="left")
        .join(sizes, on=["level", "level_id"], how="left")
        .join(gaps, on=AT, how="left")
        .join(total(rows, "all_units"), on=AT, how="left")
        .join(total(rolled, "panel_units"), on=AT, how="left")
    )
    share = pl.col("panel_units") * LEAST_SHARE[1] >= pl.col("all_units") * LEAST_SHARE[0]
    why = (
        pl.when(pl.col("organisations_n").fill_null(0) < LEAST_ORGANISATIONS)
        .then(pl.lit("panel_too_small"))
        .when(~pl.col("is_complete").fill_null(value=False))
        .then(pl.lit("panel_incomplete"))
        .when(~((pl.col("all_units") > 0) & share).fill_null(value=False))
        .then(pl.lit("panel_too_small"))
    )
    shown = joined.with_columns(why=why).with_columns(
        pl.when(pl.col("why").is_null()).then(pl.col(name)).alias(name) for name in numbers
    )
    shown = shown.with_columns(pl.col("n", "covered", "asked").fill_null(0), reason=pl.coalesce("why", "reason"))
    return shown.select(CELL.polars_schema().names()).cast(CELL.polars_schema())


def growth(
    name: str, year: int, drawn: Panels, members: pl.DataFrame, whole: pl.DataFrame, contributions: pl.DataFrame
) -> pl.DataFrame:
    """GROWTH of one drawn panel into its years, and into the one that it runs on to; parameters as those of `cells`."""
    first = panel.first_month(name, year).year
    rows = [period("year", date(of, 1, 1)) for of in range(first, year + 2)]
    periods = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    sums = pl.col("figure_id").is_in(SUMS)
    found = cells(name, year, members, whole.filter(sums), contributions.filter(sums), periods)
    found = found.with_columns(year=pl.col("period_start").dt.year())
    former = found.select("figure_id", "level", "level_id", pl.col("year") + 1, denominator="numerator", former_reason="reason")
    sizes = _sizes(_places(_own(members, name, year), name))
    joined = (
        found.drop("denominator")
        .join(former, on=["figure_id", "level", "level_id", "year"])
        .join(sizes, on=["level", "level_id"], how="left")
    )
    nothing = pl.when(pl.col("denominator") <= 0).then(pl.lit("denominator_zero"))
    reason = pl.coalesce("reason", "former_reason", nothing)
    linked = [of for of in range(first, year + 2) if panel.speaking(drawn, name, of) == year]
    shown = joined.with_columns(
        panel=pl.lit(name),
        panel_year=pl.lit(year),
        is_linked=pl.col("year").is_in(linked),
        organisations_n=pl.col("organisations_n").fill_null(0),
        reason=reason,
    ).with_columns(pl.when(pl.col("reason").is_null()).then(pl.col(sum_)).alias(sum_) for sum_ in ("numerator", "denominator"))
    return shown.select(GROWTH.names()).cast(GROWTH).sort(GROWTH.names())


def grown(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds to GROWTH rows of all panels growth (numerator / denominator - 1) and index_value: 100 times the product of the linked
    growths up to the year, anew after a year without; null where the growth is not linked. Eight decimals, half to even, from
    exact ratios."""
    rows = rows.sort("figure_id", "level", "level_id", "year", "panel_year")
    chain: dict[tuple[str, str, str], tuple[int, Fraction]] = {}
    growths: list[Decimal | None] = []
    values: list[Decimal | None] = []
    for row in rows.iter_rows(named=True):
        ratio = None if row["numerator"] is None else Fraction(row["numerator"], row["denominator"])
        growths.append(None if ratio is None else _decimals(ratio - 1))
        if ratio is None or not row["is_linked"]:
            values.append(None)
            continue
        series = (row["figure_id"], row["level"], row["level_id"])
        at, former = chain.get(series, (0, Fraction(BASE)))
        chain[series] = (row["year"], (former if at == row["year"] - 1 else Fraction(BASE)) * ratio)
        values.append(_decimals(chain[series][1]))
    return rows.with_columns(pl.Series("growth", growths, VALUE), pl.Series("index_value", values, VALUE))


def _decimals(ratio: Fraction) -> Decimal:
    return Decimal(round(ratio * 10**8)).scaleb(-8)
