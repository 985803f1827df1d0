"""Figures of drawn panels (METHOD 7): cells of what a panel speaks for, and growth from year to year.

A period is spoken for by the panel of the year it ends in, else by the year before's, which runs on a year, else by the first
panel that reaches back to it (`panel.speaking`). Trend and growth compare two periods of one panel, never of two panels. A cell
without all of its panel's months is no_data (panel_incomplete), one of fewer than three organisations or less than 30 % of the
spend of all units is no_data too (panel_too_small).

All panels are worked out side by side: until they are settled, their cells bear panel and year before their variant
("returns/2024/frame").
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl

from schemas.key_figure import CELL, NATIONAL, QUANTITY, SCALE, VALUE, PeriodKind
from transforms import levels, panel
from transforms.key_figures import spend, strategy_counts, strategy_shares
from transforms.panel import COUNTY_SECTOR, MEMBERS, PANELS, Panels, is_december
from transforms.periods import a_year_later, months_of, period
from transforms.rollup import PLACE, SERIES, roll_up

FIXED = "fixed"
"""The published `panel` of these rows."""
PERIOD_KINDS: tuple[PeriodKind, ...] = ("quarter", "year", "rolling_12m")
LEVELS = ("national", "sector")
FIGURES = {figure.figure_id: figure for module in (spend, strategy_shares, strategy_counts) for figure in module.DEFINITIONS}
"""Additive figures of invoices and of the yearly return; the shares are built from the same sums."""
WHOLE = "spend_total"
"""The figure whose sum says how much of all units' spend a panel holds."""
SUMS = tuple(figure_id for figure_id, figure in FIGURES.items() if figure.aggregate == "sum")
"""Figures whose growth is told."""
LEAST_ORGANISATIONS = 3
LEAST_SHARE = (3, 10)
"""Shown from so many organisations, and from so large a share of the spend of all units."""
AT = ["code", "level", "level_id", "period_kind", "period_start"]
"""`code` is panel and year ("returns/2024")."""
PERIOD_KEY = ["period_kind", "period_start"]
OF_SOURCE = pl.col("figure_id").replace_strict(
    {key: figure.sources[0] for key, figure in FIGURES.items()}, return_dtype=pl.String
) == pl.col("source")
"""Whether a figure is one of the panel's source."""
BASE = 100

ASKED = pl.Schema(
    {
        "panel": pl.String,
        "panel_year": pl.Int32,
        "period_kind": pl.String,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "speaks": pl.Boolean,
    }
)
"""Periods to be worked out for a panel; `speaks`: it speaks for the period, else the period is there to compare with. Year 0:
no panel speaks."""

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
"""Growth of a sum into `year`, over the same organisations in both years: cents or counts of the year and of the year before.
`is_linked`: of the panel that speaks for the year, so the one that a linked series takes."""


def asked(periods: pl.DataFrame, drawn: Panels) -> pl.DataFrame:
    """ASKED for `periods` (SCHEMA) of the kinds that panels have: what is spoken for and the same a year earlier, and all
    drawn panels' years among them with the year before, for growth."""
    periods = periods.filter(pl.col("period_kind").is_in(PERIOD_KINDS))
    rows: dict[tuple[str, int, str, date, date], bool] = {}
    for kind, start, end in periods.iter_rows():
        for name, its in PANELS.items():
            if kind == "year" or not its.is_yearly:
                rows[name, panel.speaking(drawn, name, end.year) or 0, kind, start, end] = True
    years = sorted({start.year for kind, start, _ in periods.iter_rows() if kind == "year"})
    for name, year in drawn:
        for of in years:
            if panel.first_month(name, year).year <= of <= year + 1:
                rows.setdefault((name, year, *period("year", date(of, 1, 1))), False)
    known = pl.DataFrame([(*key, speaks) for key, speaks in rows.items()], schema=ASKED, orient="row")
    before = [
        (name, year, *row, False)
        for (name, year), own in known.group_by("panel", "panel_year", maintain_order=True)
        for row in a_year_later(own.select("period_kind", "period_start"), -1).iter_rows()
        if year and row[1] >= panel.first_month(str(name), int(str(year)))
    ]
    every = pl.concat([known, pl.DataFrame(before, schema=ASKED, orient="row")])
    return every.unique(ASKED.names()[:5], keep="first", maintain_order=True)


def cells(
    members: pl.DataFrame, whole: pl.DataFrame, contributions: pl.DataFrame, there: pl.DataFrame, wanted: pl.DataFrame
) -> pl.DataFrame:
    """CELL rows for ASKED rows, one for each row of `whole` in the period that the panel is about.

    `members`: MEMBERS of the drawn panels; `whole`: CELL rows over all units of the same figures; `contributions`: those of
    FIGURES, of returns in Decembers; `there`: panel.THERE. The general panels are about the nation and all sectors but that of the
    counties, which have their own.
    """
    wanted = _coded(wanted).join(_kinds(), on="panel")
    about = (pl.col("level_id") == COUNTY_SECTOR) == pl.col("is_of_counties")
    rows = whole.join(wanted, on=PERIOD_KEY).filter(about, OF_SOURCE | (pl.col("figure_id") == WHOLE))
    periods = wanted.select(*PERIOD_KEY, "period_end").unique(maintain_order=True)
    months = months_of(wanted).select("code", "month").unique()
    members = _coded(members).join(_kinds(), on="panel").join(months.select("code").unique(), on="code", how="semi")
    since = pl.col("since").dt.month_start()
    needed = members.join(months, on="code").filter(pl.col("month").is_between(since, "until"))
    # who returns for a year is who exists on its last day
    needed = needed.filter(~(pl.col("is_yearly") & is_december() & (pl.col("until") < pl.col("month").dt.month_end())))
    needed = needed.select("code", "source", "sector", "entity_id", "organisation_id", "month")
    rolled = _with_code(roll_up(_of_sectors(needed, contributions), FIGURES, periods, _places(members)))
    shown = _shown(_packed(rows), rolled, _sizes(members), _complete(needed, members, there, wanted))
    return shown.filter(OF_SOURCE).select(CELL.polars_schema().names()).cast(CELL.polars_schema())


def _kinds() -> pl.DataFrame:
    """panel, source, is_of_counties, is_yearly."""
    rows = [(name, its.source, its.is_of_counties, its.is_yearly) for name, its in PANELS.items()]
    return pl.DataFrame(rows, schema=["panel", "source", "is_of_counties", "is_yearly"], orient="row")


def _coded(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(code=pl.format("{}/{}", "panel", "panel_year"))


def _packed(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows whose variant bears their code."""
    return frame.with_columns(variant=pl.format("{}/{}", "code", "variant"))


def _with_code(frame: pl.DataFrame) -> pl.DataFrame:
    """Adds `code`, which rows bear before their variant."""
    return frame.with_columns(code=pl.col("variant").str.extract("^([^/]*/[^/]*)/"))


def _of_sectors(needed: pl.DataFrame, contributions: pl.DataFrame) -> pl.DataFrame:
    """Contributions of the panels' organisations in the months that they count, under their sector: the figures are sums, and in
    a panel nobody changes sector."""
    joined = contributions.join(needed, on=["organisation_id", "month"]).filter(OF_SOURCE | (pl.col("figure_id") == WHOLE))
    return _packed(joined).with_columns(organisation_id="sector").drop("sector", "entity_id", "code", "source")


def _places(members: pl.DataFrame) -> pl.DataFrame:
    """Membership of sectors as `roll_up` takes it: in the nation and in themselves, always."""
    sectors = members.select(
        organisation_id="sector", valid_from=pl.lit(levels.ALWAYS[0]), valid_to=pl.lit(levels.ALWAYS[1])
    ).unique()
    identities = {"national": pl.lit(NATIONAL), "sector": pl.col("organisation_id")}
    return pl.concat([sectors.with_columns(level=pl.lit(name), level_id=identity) for name, identity in identities.items()])


def _sizes(members: pl.DataFrame) -> pl.DataFrame:
    """code, level, level_id, organisations_n; what merged is one."""
    placed = members.join(_places(members), left_on="sector", right_on="organisation_id")
    number = pl.col("entity_id").n_unique().cast(pl.Int64).alias("organisations_n")
    return placed.group_by("code", "level", "level_id").agg(number)


def _complete(needed: pl.DataFrame, members: pl.DataFrame, there: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """AT and is_complete: whether all months of all entities are there; of yearly panels, the Decembers."""
    marked = needed.join(there, on=["source", "organisation_id", "month"], how="left")
    sizes = members.group_by("code", "sector").agg(pl.col("entity_id").n_unique().alias("size"))
    # an entity counts as there when all its parts of the month are
    whole = pl.col("in_years", "in_shorter").fill_null(value=False).all()
    everybody = pl.col("entity_id").n_unique() == pl.col("size").first()
    by_month = marked.join(sizes, on=["code", "sector"]).group_by("code", "sector", "month").agg(whole & everybody)
    places = _places(members).select("level", "level_id", sector="organisation_id")
    counts = pl.when(pl.col("period_kind") == "year").then("in_years").otherwise("in_shorter")
    return (
        months_of(wanted)
        .filter(~pl.col("is_yearly") | is_december())
        .join(sizes.drop("size"), on="code")
        .join(by_month, on=["code", "sector", "month"], how="left")
        .join(places, on="sector")
        .group_by(AT)
        .agg(counts.fill_null(value=False).all().alias("is_complete"))
    )


def _shown(rows: pl.DataFrame, rolled: pl.DataFrame, sizes: pl.DataFrame, complete: pl.DataFrame) -> pl.DataFrame:
    """Cells for `rows`: the panel's numbers where it is large enough and complete, else the reason."""

    def total(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        return frame.filter(pl.col("figure_id") == WHOLE).select(*AT, pl.col("numerator").alias(name))

    numbers = ["numerator", "denominator", "direct_value", "n", "covered", "asked", "reason"]
    joined = (
        rows.select(*SERIES, *PLACE, "code", "source")
        .join(rolled.drop("code"), on=[*SERIES, *PLACE], how="left")
        .join(sizes, on=["code", "level", "level_id"], how="left")
        .join(complete, on=AT, how="left")
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
    return shown.with_columns(pl.col("n", "covered", "asked").fill_null(0), reason=pl.coalesce("why", "reason"))


def spoken(settled: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Settled rows of `cells` that a panel speaks for, as they are published."""
    speaking = _coded(wanted.filter("speaks")).select("code", *PERIOD_KEY)
    spoken_for = _with_code(settled).join(speaking, on=["code", *PERIOD_KEY], how="semi")
    return spoken_for.with_columns(variant=pl.col("variant").str.replace("^[^/]*/[^/]*/", "")).drop("code")


def growth(rows: pl.DataFrame, members: pl.DataFrame, drawn: Panels) -> pl.DataFrame:
    """GROWTH into every year whose year before stands among `rows` (CELL rows of `cells`) too."""
    of_all = (pl.col("period_kind") == "year") & (pl.col("breakdown_kind") == "")
    years = _with_code(rows.filter(of_all & pl.col("figure_id").is_in(SUMS))).select(
        "code", "figure_id", "level", "level_id", "numerator", "reason", year=pl.col("period_start").dt.year()
    )
    at = ["code", "figure_id", "level", "level_id", "year"]
    former = years.with_columns(pl.col("year") + 1).rename({"numerator": "denominator", "reason": "former_reason"})
    codes = _coded(pl.DataFrame(sorted(drawn), schema={name: MEMBERS[name] for name in ("panel", "panel_year")}, orient="row"))
    joined = years.join(former, on=at).join(codes, on="code")
    joined = joined.join(_sizes(_coded(members)), on=["code", "level", "level_id"], how="left")
    linked = pl.DataFrame(
        [(name, panel.speaking(drawn, name, year), year, True) for name in PANELS for year in years["year"].unique()],
        schema={"panel": pl.String, "panel_year": pl.Int32, "year": pl.Int32, "is_linked": pl.Boolean},
        orient="row",
    )
    nothing = pl.when(pl.col("denominator") <= 0).then(pl.lit("denominator_zero"))
    shown = joined.join(linked, on=["panel", "panel_year", "year"], how="left").with_columns(
        pl.col("is_linked").fill_null(value=False),
        pl.col("organisations_n").fill_null(0),
        reason=pl.coalesce("reason", "former_reason", nothing),
    )
    sums = [pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in ("numerator", "denominator")]
    return shown.with_columns(sums).select(GROWTH.names()).cast(GROWTH).sort(GROWTH.names())


def grown(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds to GROWTH rows of all panels growth (numerator / denominator - 1) and index_value: 100 times the product of the linked
    growths up to the year, anew after a year without; null where the growth is not linked. Eight decimals, half to even, from
    exact ratios. Numerator and denominator become EUR or counts."""
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
    scale = pl.col("figure_id").replace_strict(
        {key: SCALE[figure.numerator_quantity] for key, figure in FIGURES.items()}, return_dtype=pl.Int64
    )
    in_units = [
        (pl.col(name).cast(pl.Decimal(38, 2)) / scale).cast(QUANTITY).alias(name) for name in ("numerator", "denominator")
    ]
    return rows.with_columns(*in_units, pl.Series("growth", growths, VALUE), pl.Series("index_value", values, VALUE))


def _decimals(ratio: Fraction) -> Decimal:
    return Decimal(round(ratio * 10**8)).scaleb(-8)
