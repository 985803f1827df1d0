"""The published tables of drawn panels: which there are, who stands in them, and growth over the same organisations."""

from __future__ import annotations

import polars as pl

from warehouse.publication.generations import PublishedTable

NAMES = (
    "general; counties (wellbeing services counties, from 2023): of invoices. returns; returns_counties: of the yearly return."
)
PANEL = {
    "panel": NAMES,
    "panel_year": "Year of the panel: the organisations with all months (returns: all years) of this and the four years before (counties: from 2023).",
    "drawn_on": "Day of the run that drew it.",
    "is_final": "Drawn for good; false: drawn again until the next 1 July, because the data of that day were still coming in.",
    "organisations_n": "Organisations in it; what merged is one.",
}

MEMBER = {
    "panel": NAMES,
    "panel_year": "Year of the panel.",
    "entity_id": "Organisation that stands in the panel.",
    "organisation_id": "The same, or an organisation that merged into it: they count as one.",
    "since": "First day on which the organisation counts there.",
    "until": "Last day on which it counts there; 9999-12-31: still.",
    "sector": "Sector in which it counts in all of the panel's periods.",
}

GROWTH = {
    "panel": NAMES,
    "figure_id": "Key figure, a sum in EUR or a count.",
    "level": "national, sector.",
    "level_id": "Id within the level; FI for the nation.",
    "year": "Year that is compared with the year before.",
    "panel_year": "Year of the panel whose organisations are summed in both years.",
    "is_linked": "This panel speaks for the year: its growth stands in the linked series.",
    "organisations_n": "Organisations of the panel at the level.",
    "numerator": "EUR or count in the year.",
    "denominator": "The same of the same organisations in the year before.",
    "growth": "numerator / denominator - 1.",
    "index_value": "Linked series: 100 in the year before its first growth, multiplied by every linked growth since; null when not linked.",
    "reason": "Why there is no growth: panel_too_small, panel_incomplete, denominator_zero; null otherwise.",
}


def tables(drawn: pl.DataFrame, members: pl.DataFrame, growth: pl.DataFrame) -> list[PublishedTable]:
    """From the drawn panels, their members, and growth with its quotient and index."""
    key = ["panel", "panel_year"]
    sizes = members.group_by(key).agg(pl.col("entity_id").n_unique().cast(pl.Int64).alias("organisations_n"))
    panels = drawn.join(sizes, on=key, how="left").with_columns(pl.col("organisations_n").fill_null(0))
    return [
        PublishedTable("mart", "panel", "Drawn panels.", PANEL, panels.select(list(PANEL)).sort(key), tuple(key)),
        PublishedTable(
            "mart",
            "panel_member",
            "Organisations of drawn panels.",
            MEMBER,
            members.select(list(MEMBER)).sort(list(MEMBER)),
            (*key, "entity_id", "organisation_id", "since"),
        ),
        PublishedTable(
            "mart",
            "panel_growth",
            "Growth of sums from year to year over the same organisations (METHOD 7).",
            GROWTH,
            growth.select(list(GROWTH)).sort("figure_id", "level", "level_id", "year", "panel_year"),
            ("figure_id", "level", "level_id", "year", "panel_year"),
        ),
    ]
