"""The published tables of drawn panels: which there are, who stands in them, and growth over the same organisations."""

from __future__ import annotations

import polars as pl

from schemas.key_figure import QUANTITY
from warehouse.publication.generations import PublishedTable

CENTS = 100

PANEL = {
    "panel": "general; counties (wellbeing services counties, from 2023).",
    "panel_year": "Year of the panel: the organisations with all months of this and the four years before (counties: from 2023).",
    "drawn_on": "Day of the run that drew it.",
    "is_final": "Drawn for good; false: drawn again until the next 1 July, because the data of that day were still coming in.",
    "organisations_n": "Organisations in it; what merged is one.",
}

MEMBER = {
    "panel": "general; counties.",
    "panel_year": "Year of the panel.",
    "entity_id": "Organisation that stands in the panel.",
    "organisation_id": "The same, or an organisation that merged into it: they count as one.",
    "since": "First day on which the organisation counts there.",
    "until": "Last day on which it counts there; 9999-12-31: still.",
    "sector": "Sector in which it counts in all of the panel's periods.",
}

GROWTH = {
    "panel": "general; counties.",
    "figure_id": "Key figure, a sum in EUR.",
    "level": "national, sector.",
    "level_id": "Id within the level; FI for the nation.",
    "year": "Year that is compared with the year before.",
    "panel_year": "Year of the panel whose organisations are summed in both years.",
    "is_linked": "This panel speaks for the year: its growth stands in the linked series.",
    "organisations_n": "Organisations of the panel at the level.",
    "numerator": "EUR in the year.",
    "denominator": "EUR of the same organisations in the year before.",
    "growth": "numerator / denominator - 1.",
    "index_value": "Linked series: 100 in the year before its first growth, multiplied by every linked growth since; null when not linked.",
    "reason": "Why there is no growth: panel_too_small, panel_incomplete, denominator_zero; null otherwise.",
}


def tables(drawn: pl.DataFrame, members: pl.DataFrame, growth: pl.DataFrame) -> list[PublishedTable]:
    """From the drawn panels, their members, and growth with its quotient and index (sums in cents)."""
    key = ["panel", "panel_year"]
    sizes = members.group_by(key).agg(pl.col("entity_id").n_unique().cast(pl.Int64).alias("organisations_n"))
    panels = drawn.join(sizes, on=key, how="left").with_columns(pl.col("organisations_n").fill_null(0))
    of_euros = [
        (pl.col(name).cast(pl.Decimal(38, 2)) / CENTS).cast(QUANTITY).alias(name) for name in ("numerator", "denominator")
    ]
    grown = growth.with_columns(of_euros)
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
            grown.select(list(GROWTH)).sort("figure_id", "level", "level_id", "year", "panel_year"),
            ("figure_id", "level", "level_id", "year", "panel_year"),
        ),
    ]
