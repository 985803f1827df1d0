"""The published tables: schema `mart`, wide and simple enough for any dashboard tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas.key_figure import BLOCKS, KEY_FIGURE, KeyFigure
from warehouse.publication.generations import Connection, PublishedTable

FIGURE = {
    "figure_id": "Key figure.",
    "version": "Version of the definition; a change of meaning raises it.",
    "name_fi": "Name in Finnish.",
    "name_sv": "Name in Swedish.",
    "name_en": "Name in English.",
    "definition_fi": "Definition in Finnish.",
    "definition_sv": "Definition in Swedish.",
    "definition_en": "Definition in English.",
    "block": "Part of the national view: competition, spend, joint, service, impact, satisfaction, strategy, other.",
    "block_no": "Order of the parts.",
    "unit": "share (0-1), eur, count, days, hours, per_lot, per_case, hhi, per_mille, per_meur, score, grade, index, points.",
    "direction": "up: higher is better; down: lower is better; context: no good direction.",
    "standing": "official, official_goal (official goal, our formula), proposal (ours).",
    "origin": "Source of the definition.",
    "numerator": "What the numerator counts.",
    "denominator": "What the denominator counts; null for sums.",
    "numerator_unit": "eur, count, days or score.",
    "denominator_unit": "eur, count, days or score.",
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
    "status": "computed; no_data: no source lets it be computed.",
    "waits_for": "Why it is not computed; null when it is.",
}

LEVEL = {
    "level": "national, sector, branch, region, group, organisation.",
    "level_id": "Id within the level.",
    "name_fi": "Name in Finnish.",
    "name_sv": "Name in Swedish.",
    "name_en": "Name in English.",
}

LABELS = {"cent": "eur", "count": "count", "days": "days", "score": "score"}


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
            "block": figure.block,
            "block_no": list(BLOCKS).index(figure.block) + 1,
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
            "status": "no_data" if figure.waits_for else "computed",
            "waits_for": figure.waits_for or None,
        }
        for figure in sorted(figures.values(), key=lambda item: item.figure_id)
    ]
    schema = {name: pl.Int32 if name in ("version", "block_no") else pl.String for name in FIGURE}
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
        frame.select(schema).cast(KEY_FIGURE.polars_schema()).sort(KEY_FIGURE.primary_key),
        KEY_FIGURE.primary_key,
    )


TARGET = {
    "figure_id": "Key figure.",
    "variant": "Variant, '' when there is one only.",
    "scope": "Scope that the target speaks of.",
    "level": "Level that the target speaks of.",
    "valid_from": "First day in force.",
    "valid_to": "Last day in force; null: still.",
    "target": "The target.",
    "target_operator": "How value and target are compared.",
    "green_operator": "Green when the value stands so to green_value.",
    "green_value": "Bound of green; null: the target.",
    "red_operator": "Red when the value stands so to red_value; between is yellow.",
    "red_value": "Bound of red; null: everything not green, or the own rule.",
    "rule": "official: bands of the edition; own: yellow when missed by at most a tenth; line: drawn, never a light.",
    "confirmed": "yes: thresholds confirmed by the source; no: shown without a light.",
    "edition": "Edition of the source.",
    "source": "Source.",
}


def target_table(register: pl.DataFrame) -> PublishedTable:
    """Dated targets with operators and source."""
    days = [pl.col(name).str.to_date() for name in ("valid_from", "valid_to")]
    numbers = [pl.col(name).cast(pl.Decimal(28, 8)) for name in ("target", "green_value", "red_value")]
    frame = register.select(list(TARGET)).with_columns(*days, *numbers, pl.col("variant").fill_null(""))
    return PublishedTable("mart", "target", "Dated targets with operators and source.", TARGET, frame)


SERIES = tuple(name for name in KEY_FIGURE.primary_key if name != "period_start")


def with_derived(rows: pl.DataFrame, names: pl.DataFrame, through: pl.DataFrame) -> pl.DataFrame:
    """All current rows with what follows from the whole publication: names, newest period, how far the data reach."""
    newest = pl.col("period_start").filter(pl.col("value").is_not_null()).max().over(SERIES)
    return _labelled(rows, names, through).with_columns(is_latest=(pl.col("period_start") == newest).fill_null(value=False))


def _labelled(rows: pl.DataFrame, names: pl.DataFrame, through: pl.DataFrame) -> pl.DataFrame:
    labels = names.select("level", "level_id", pl.col("name_fi").alias("level_name"))
    joined = rows.join(through, on="figure_id", how="left").join(labels, on=["level", "level_id"], how="left")
    return joined.with_columns(pl.col("level_name").fill_null(pl.col("level_id")))


def replace_rows(con: Connection, opened: pl.DataFrame, closed: pl.DataFrame, names: pl.DataFrame, through: pl.DataFrame) -> None:
    """Bring a copied `mart.key_figure` up to date: rows closed go, rows opened come, derived columns follow.

    Equal to building the table anew; tests hold it to that.
    """
    key = list(KEY_FIGURE.primary_key)
    columns = KEY_FIGURE.polars_schema()
    new = _labelled(opened, names, through).with_columns(is_latest=pl.lit(value=False)).select(columns.names()).cast(columns)
    touched = pl.concat([opened.select(key), closed.select(key)]).unique()
    labels = names.select("level", "level_id", pl.col("name_fi").alias("level_name"))
    frames = {"opened_row": new, "touched_key": touched, "label": labels, "through": through}
    for name, frame in frames.items():
        con.register(name, frame.to_arrow())
    on = " AND ".join(f'k."{name}" = t."{name}"' for name in key)
    series = ", ".join(f'"{name}"' for name in SERIES)
    same = " AND ".join(f'k."{name}" = s."{name}"' for name in SERIES)
    con.execute(f"DELETE FROM mart.key_figure k USING touched_key t WHERE {on}")
    con.execute("INSERT INTO mart.key_figure BY NAME SELECT * FROM opened_row")
    con.execute(
        f"UPDATE mart.key_figure k SET is_latest = coalesce(k.period_start = s.newest, false) FROM ("
        f"SELECT {series}, max(period_start) FILTER (value IS NOT NULL) AS newest FROM mart.key_figure "
        f"SEMI JOIN (SELECT DISTINCT {series} FROM touched_key) USING ({series}) GROUP BY ALL) s "
        f"WHERE {same} AND k.is_latest IS DISTINCT FROM coalesce(k.period_start = s.newest, false)"
    )
    con.execute(
        "UPDATE mart.key_figure k SET data_through = t.data_through FROM through t "
        "WHERE k.figure_id = t.figure_id AND k.data_through IS DISTINCT FROM t.data_through"
    )
    con.execute(
        "UPDATE mart.key_figure k SET level_name = l.level_name FROM label l "
        "WHERE k.level = l.level AND k.level_id = l.level_id AND k.level_name <> l.level_name"
    )
    for name in frames:
        con.unregister(name)
