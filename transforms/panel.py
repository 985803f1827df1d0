"""The fixed panel (METHOD 7): national and sector figures over the same organisations from year to year.

Panel of year y: every organisation whose months of y-4 to y are all there and that was one unbroken entity all that time. What
merged is one composite back in time (`predecessor_id` of organisations.csv); who divided is not unbroken across that day.
Wellbeing services counties have a panel of their own from 2023 on and stand in no panel that reaches across 2023-01-01.

Yearly returns have panels of their own: who returns for a year is who exists on its last day, so a return stands for December, and
the Decembers of y-4 to y are what such a panel demands.

A panel is drawn on 1 July and stays; figures of drawn panels: panel_figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from schemas.reference import Reference

YEARS = 5
INVOICES, RETURNS = "purchase_invoices", "strategy_followup"
"""Sources whose figures have panels (METHOD 31: notices are a census, there silence is a true zero)."""


@dataclass(frozen=True)
class Panel:
    """Panels of a kind, one for each year: whose data they demand, and whether they hold the wellbeing services counties or
    everybody else (from 2027 on, when no panel reaches across 2023-01-01, the general ones hold all)."""

    source: str
    is_of_counties: bool

    @property
    def is_yearly(self) -> bool:
        """A fact a year, which stands in December, instead of one a month."""
        return self.source == RETURNS


GENERAL, COUNTIES, RETURNING, RETURNING_COUNTIES = "general", "counties", "returns", "returns_counties"
PANELS: Mapping[str, Panel] = {
    GENERAL: Panel(INVOICES, is_of_counties=False),
    COUNTIES: Panel(INVOICES, is_of_counties=True),
    RETURNING: Panel(RETURNS, is_of_counties=False),
    RETURNING_COUNTIES: Panel(RETURNS, is_of_counties=True),
}
COUNTY_SECTOR = "wellbeing_county"
COUNTIES_FROM = date(2023, 1, 1)

PARTS = pl.Schema({"entity_id": pl.String, "organisation_id": pl.String, "since": pl.Date, "until": pl.Date})
MEMBERS = pl.Schema(
    [("panel", pl.String), ("panel_year", pl.Int32), *((name, PARTS[name]) for name in PARTS), ("sector", pl.String)]
)
"""Who stands in a drawn panel: an entity, the organisations that it consists of with the days they count, and its sector on the
last day of the panel's year, where it stays for all the panel's periods."""

THERE = pl.Schema(
    {"source": pl.String, "organisation_id": pl.String, "month": pl.Date, "in_years": pl.Boolean, "in_shorter": pl.Boolean}
)
"""Organisations' months of a source that are there and can be computed with, in years and in shorter periods."""

Bounds = Mapping[str, tuple[date, date]]
"""First and last month of each source's data."""
Panels = Collection[tuple[str, int]]
"""Drawn panels: (panel, year)."""


def drawing_day(year: int) -> date:
    """The day from which the panel of `year` is drawn."""
    return date(year + 1, 7, 1)


def last_drawing_day(as_of: date) -> date:
    return date(as_of.year if as_of >= date(as_of.year, 7, 1) else as_of.year - 1, 7, 1)


def first_month(panel: str, year: int) -> date:
    """The first month that a panel demands."""
    start = date(year - YEARS + 1, 1, 1)
    return max(start, COUNTIES_FROM) if PANELS[panel].is_of_counties else start


def to_draw(bounds: Bounds, as_of: date) -> list[tuple[str, int]]:
    """The panels whose drawing day has come by `as_of` and whose months all lie within `bounds`, their source's data."""
    found = []
    for name, panel in PANELS.items():
        if panel.source not in bounds:
            continue
        first, last = bounds[panel.source]
        if panel.is_yearly:
            first, last = date(first.year, 1, 1), date(last.year, 12, 1)
        found += [
            (name, year)
            for year in range(first.year, last.year + 1)
            if drawing_day(year) <= as_of
            and first_month(name, year) >= first.replace(day=1)
            and date(year, 12, 1) <= last
            and (not panel.is_of_counties or year >= COUNTIES_FROM.year)
        ]
    return found


def speaking(panels: Panels, panel: str, year: int) -> int | None:
    """The year of the panel that speaks for periods that end in `year`; None where none does."""
    drawn = {drawn_year for name, drawn_year in panels if name == panel}
    for candidate in (year, year - 1):
        if candidate in drawn:
            return candidate
    reaching = [later for later in drawn if first_month(panel, later).year <= year < later]
    return min(reaching, default=None)


@dataclass(frozen=True)
class Entities:
    """What organisations consist of back in time: `parts` (PARTS), and the days on which an entity was broken (entity_id, day)."""

    parts: pl.DataFrame
    breaks: pl.DataFrame


def entities(known: pl.DataFrame, reference: Reference) -> Entities:
    """Every organisation of `known` (`levels.organisations`) with those that merged into it, from the register's predecessors.

    `predecessor_id` names one organisation or several (with `;`) that were merged into the row's on its valid_from: they must
    have ended the day before, and into nothing else. Any other predecessor (one that goes on, that several name, that nobody
    knows) tells of a division: both sides are broken on that day.
    """
    spans: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for organisation, since, until in known.select("organisation_id", "valid_from", "valid_to").iter_rows():
        spans[organisation].append((since, until))
    predecessors = _predecessors(reference)
    successors: dict[str, set[str]] = defaultdict(set)
    for organisation, found in predecessors.items():
        for name, _ in found:
            successors[name].add(organisation)
    merged: dict[str, list[str]] = defaultdict(list)
    breaks: list[tuple[str, date]] = []
    for organisation, found in predecessors.items():
        for name, day in found:
            if (
                name in spans
                and max(until for _, until in spans[name]) == day - timedelta(days=1)
                and successors[name] == {organisation}
            ):
                merged[organisation].append(name)
            else:
                breaks += [(organisation, day), (name, day)]
    rows = [
        (organisation, part, since, until)
        for organisation in sorted(spans)
        for part in _ancestry(organisation, merged)
        for since, until in spans[part]
    ]
    days = defaultdict(set)
    for name, day in breaks:
        days[name].add(day)
    broken = [
        (organisation, day) for organisation in sorted(spans) for part in _ancestry(organisation, merged) for day in days[part]
    ]
    return Entities(
        pl.DataFrame(rows, schema=PARTS, orient="row"),
        pl.DataFrame(broken, schema={"entity_id": pl.String, "day": pl.Date}, orient="row"),
    )


def _predecessors(reference: Reference) -> dict[str, list[tuple[str, date]]]:
    """Per organisation, the predecessors that its rows name, each with the row's first day."""
    rows = reference.table("organisations.csv").drop_nulls(["predecessor_id", "valid_from"])
    found: dict[str, list[tuple[str, date]]] = defaultdict(list)
    for organisation, text, day in rows.select("organisation_id", "predecessor_id", "valid_from").iter_rows():
        names = {name.strip() for name in text.split(";")} - {"", organisation}
        found[organisation] += [(name, date.fromisoformat(day)) for name in sorted(names)]
    return found


def _ancestry(organisation: str, merged: Mapping[str, list[str]]) -> list[str]:
    """An organisation and all that merged into it, directly or before."""
    found = [organisation]
    for name in found:
        found += [part for part in merged.get(name, ()) if part not in found]
    return found


def draw(panel: str, year: int, known: pl.DataFrame, whole: Entities, there: pl.DataFrame) -> pl.DataFrame:
    """MEMBERS of the panel of a year. `there`: THERE of any sources."""
    first, end = first_month(panel, year), date(year, 12, 31)
    kind = PANELS[panel]
    at_end = known.filter(pl.lit(end).is_between("valid_from", "valid_to")).select(
        pl.col("organisation_id").alias("entity_id"), "sector"
    )
    if kind.is_of_counties:
        at_end = at_end.filter(pl.col("sector") == COUNTY_SECTOR)
    elif first < COUNTIES_FROM <= end:
        at_end = at_end.filter(pl.col("sector") != COUNTY_SECTOR)
    cut = whole.breaks.filter(pl.col("day").is_between(pl.lit(first), pl.lit(end), closed="right"))
    candidates = whole.parts.join(at_end, on="entity_id").join(cut, on="entity_id", how="anti").filter(pl.col("until") >= first)
    marked = there.filter("in_years", source=kind.source).select("organisation_id", "month", there=pl.lit(value=True))
    needed = demanded(candidates, first, end, is_yearly=kind.is_yearly).join(marked, on=["organisation_id", "month"], how="left")
    months = _months_between(first, end) // (12 if kind.is_yearly else 1)
    complete = (
        needed.group_by("entity_id")
        .agg(pl.col("there").fill_null(value=False).all(), pl.col("month").n_unique().alias("months"))
        .filter("there", pl.col("months") == months)
    )
    members = candidates.join(complete, on="entity_id", how="semi").with_columns(
        panel=pl.lit(panel), panel_year=pl.lit(year, pl.Int32), since=pl.max_horizontal("since", pl.lit(first))
    )
    return members.select(MEMBERS.names()).cast(MEMBERS).sort(MEMBERS.names())


def demanded(members: pl.DataFrame, first: date, end: date, *, is_yearly: bool = False) -> pl.DataFrame:
    """`members` once for each month (`is_yearly`: each December) from `first` to `end` in which they count: adds month."""
    low = pl.max_horizontal(pl.col("since").dt.month_start(), pl.lit(first))
    high = pl.min_horizontal("until", pl.lit(end))
    inside = members.with_columns(low=low, high=high).filter(pl.col("low") <= pl.col("high"))
    months = inside.with_columns(month=pl.date_ranges("low", "high", interval="1mo")).explode("month").drop("low", "high")
    return months.filter(is_december() & (pl.col("until") >= pl.col("month").dt.month_end())) if is_yearly else months


def is_december() -> pl.Expr:
    """Whether `month` is one that a yearly return stands in."""
    return pl.col("month").dt.month() == 12


def december(month: pl.Expr) -> pl.Expr:
    """The month that a return for the year of `month` stands in."""
    return pl.date(month.dt.year(), 12, 1)


def _months_between(first: date, end: date) -> int:
    return (end.year - first.year) * 12 + end.month - first.month + 1


def usable(months: pl.DataFrame) -> pl.DataFrame:
    """THERE from `spend.months` (or its contributions)."""

    def counts(shape: str) -> pl.Expr:
        of_shape = pl.col("period_kinds").is_in(["all", shape])
        return of_shape.any() & (pl.col("reason").is_null() | ~of_shape).all()

    by_month = months.filter(pl.col("asked") > 0).group_by("organisation_id", "month")
    found = by_month.agg(source=pl.lit(INVOICES), in_years=counts("year"), in_shorter=counts("shorter"))
    return found.select(THERE.names()).cast(THERE)


def returned(months: pl.DataFrame) -> pl.DataFrame:
    """THERE from returns (organisation_id, month: any of the year)."""
    return (
        months.select(
            "organisation_id",
            source=pl.lit(RETURNS),
            month=december(pl.col("month")),
            in_years=pl.lit(value=True),
            in_shorter=pl.lit(value=False),
        )
        .select(THERE.names())
        .cast(THERE)
    )
