"""The published tables: schema `mart`, wide and simple enough for any dashboard tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.key_figure import KEY_FIGURE, KeyFigure
from warehouse.publication.generations import PublishedTable

FIGURE = {
    "figure_id": "Key figure.",
    "version": "Version of the definition; a change of meaning raises it.",
    "name_fi": "Name in Finnish.",
    "name_sv": "Name in Swedish.",
    "name_en": "Name in English.",
    "definition_fi": "Definition in Finnish.",
    "definition_sv": "Definition in Swedish.",
    "definition_en": "Definition in English.",
    "unit": "share (0-1), eur, count, days, per_lot, per_case, hhi.",
    "direction": "up: higher is better; down: lower is better; context: no good direction.",
    "standing": "official, official_goal (official goal, our formula), proposal (ours).",
    "origin": "Source of the definition.",
    "numerator": "What the numerator counts.",
    "denominator": "What the denominator counts; null for sums.",
    "numerator_unit": "eur, count or days.",
    "denominator_unit": "eur, count or days.",
    "exclusions": "What is left out, one sentence per line.",
    "assumptions": "What is assumed, one sentence per line.",
    "coverage_text": "What coverage measures.",
    "sources": "Sources, comma-separated.",
    "scopes": "Scopes, comma-separated.",
    "variants": "Variants, comma-separated; '' when there is one only.",
    "period_kinds": "Kinds of period, comma-separated.",
    "levels": "Levels, comma-separated.",
    "strategy_intent": "Intent of the national procurement strategy (I1-I8) and goal, null when none.",
    "owner": "Who answers for the definition.",
}

LEVEL = {
    "level": "national, sector, branch, region, organisation.",
    "level_id": "Id within the level.",
    "name_fi": "Name in Finnish.",
    "name_sv": "Name in Swedish.",
    "name_en": "Name in English.",
}

LABELS = {"eur": "eur", "cent": "eur", "count": "count", "days": "days"}


def key_figure_columns() -> dict[str, str]:
    return {column.name: column.description for column in KEY_FIGURE.columns}


def figure_table(figures: Mapping[str, KeyFigure]) -> PublishedTable:
    """The catalogue: one row per figure."""
    rows = [
        {
            "figure_id": figure.figure_id,
            "version": figure.version,
            **{f"name_{language}": figure.name[language] for language in ("fi", "sv", "en")},
            **{f"definition_{language}": figure.definition[language] for language in ("fi", "sv", "en")},
            "unit": figure.unit,
            "direction": figure.direction,
            "standing": figure.standing,
            "origin": figure.origin,
            "numerator": figure.numerator,
            "denominator": figure.denominator,
            "numerator_unit": LABELS[figure.numerator_quantity],
            "denominator_unit": LABELS[figure.denominator_quantity] if figure.denominator else None,
            "exclusions": "\n".join(figure.exclusions),
            "assumptions": "\n".join(figure.assumptions),
            "coverage_text": figure.coverage_text,
            "sources": ",".join(figure.sources),
            "scopes": ",".join(figure.scopes),
            "variants": ",".join(figure.variants),
            "period_kinds": ",".join(figure.period_kinds),
            "levels": ",".join(figure.levels),
            "strategy_intent": figure.strategy_intent,
            "owner": figure.owner,
        }
        for figure in sorted(figures.values(), key=lambda item: item.figure_id)
    ]
    schema = {name: pl.Int32 if name == "version" else pl.String for name in FIGURE}
    return PublishedTable(
        "mart", "figure", "The catalogue of key figures.", FIGURE, pl.DataFrame(rows, schema=schema), ("figure_id",)
    )


def level_table(names: pl.DataFrame) -> PublishedTable:
    """Names of what figures are about, in three languages."""
    frame = names.select(list(LEVEL)).unique(["level", "level_id"], keep="first").sort("level", "level_id")
    return PublishedTable("mart", "level", "Names of levels in three languages.", LEVEL, frame, ("level", "level_id"))


def key_figure_table(frame: pl.DataFrame) -> PublishedTable:
    """The long table; `frame` has exactly the contract's columns."""
    schema: Sequence[str] = KEY_FIGURE.polars_schema().names()
    return PublishedTable(
        "mart",
        "key_figure",
        f"{KEY_FIGURE.description} Primary key: {', '.join(KEY_FIGURE.primary_key)}.",
        key_figure_columns(),
        frame.select(schema).cast(dict(KEY_FIGURE.polars_schema())).sort(KEY_FIGURE.primary_key),
        KEY_FIGURE.primary_key,
    )
