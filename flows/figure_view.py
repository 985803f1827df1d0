"""Published key figures as the command line shows them: of now, or as a past publication had them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from flows.reporting import cell
from flows.settings import HELSINKI, Settings
from schemas.errors import UsageError
from warehouse import withheld
from warehouse.home import Home
from warehouse.publication import mart, reader
from warehouse.store import reading

FIGURE_TABLE = (
    "figure",
    "variant",
    "scope",
    "who",
    "breakdown",
    "period",
    "value",
    "target",
    "light",
    "trend",
    "coverage",
    "status",
)


def figures(
    settings: Settings,
    figure: str | None,
    level: str,
    level_id: str | None,
    period_kind: str,
    period: str,
    language: str,
    panel: str = "all",
    published: str | None = None,
) -> list[dict[str, Any]]:
    """Published key figures of a panel (all, fixed) that match; the whole only (no breakdowns) unless one figure is asked for.

    `published`: as a past publication had them, by its number or the day (YYYY-MM-DD) at whose end it was in force.
    """
    if language not in ("fi", "sv", "en"):
        raise UsageError(f"language {language!r} is not fi, sv or en")
    home = Home(settings.home.resolve())
    if figure and not reader.query(home, "SELECT 1 FROM mart.figure WHERE figure_id = ?", [figure]):
        raise UsageError(f"figure {figure!r} is not in the catalogue; `nyckeltal figures` lists them")
    condition, parameters = _matching(figure, level, level_id, period_kind, period, panel)
    past = {"as_published": _as_published(home, published, settings.memory_mb)} if published else {}
    return reader.query(
        home,
        f"SELECT f.name_{language} AS figure, f.block, k.*, l.name_{language} AS who, "
        "trim(k.breakdown_kind || ' ' || k.breakdown_id) AS breakdown, "
        "CASE k.period_kind WHEN 'year' THEN strftime(k.period_start, '%Y') WHEN 'month' THEN strftime(k.period_start, '%Y-%m') "
        "WHEN 'quarter' THEN strftime(k.period_start, '%Y') || ' Q' || quarter(k.period_start) "
        "ELSE strftime(k.period_start, '%Y-%m') || ' - ' || strftime(k.period_end, '%Y-%m') END AS period "
        f"FROM {'as_published' if past else 'mart.key_figure'} k JOIN mart.figure f USING (figure_id) LEFT JOIN mart.level l USING (level, level_id) "
        f"WHERE {condition} ORDER BY f.block_no, k.figure_id, k.variant, k.scope, k.level, k.level_id, k.breakdown_id, k.period_start",
        parameters,
        past,
    )


def _matching(
    figure: str | None, level: str, level_id: str | None, period_kind: str, period: str, panel: str
) -> tuple[str, list[str]]:
    conditions, parameters = ["k.panel = ?"], [panel]
    for column, value in (("k.figure_id", figure), ("k.level_id", level_id)):
        if value:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    for column, value in (("k.level", level), ("k.period_kind", period_kind)):
        if value != "all":
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if period == "latest":
        conditions.append("k.is_latest")
    elif period != "all":
        conditions.append("k.period_start = CAST(? AS DATE)")
        parameters.append(_day(period))
    if not figure:
        conditions.append("k.breakdown_kind = ''")
    return " AND ".join(conditions), parameters


def _as_published(home: Home, published: str, memory_mb: int) -> pl.DataFrame:
    """The whole long table as a past publication had it, from the history in the warehouse; names are today's."""
    wanted: object
    if published.isdecimal():
        condition, wanted = "publication_no = ?", int(published[:9])
    else:
        midnight = datetime.combine(date.fromisoformat(_day(published)) + timedelta(days=1), time(), HELSINKI)
        condition, wanted = "published_at < ?", midnight.astimezone(UTC).replace(tzinfo=None)
    with reading(home, memory_mb=memory_mb) as warehouse:
        if warehouse is None:
            raise UsageError(f"nothing is published in {home.root} yet; run `nyckeltal nightly` first")
        found = warehouse.rows(
            f"SELECT max(publication_no) AS number FROM ledger.publication WHERE is_out AND {condition}", [wanted]
        )
        if found[0]["number"] is None:
            ends = warehouse.rows(
                "SELECT min(publication_no) AS first, max(publication_no) AS last FROM ledger.publication WHERE is_out"
            )[0]
            raise UsageError(
                f"no publication {published!r}: there are numbers {ends['first']} to {ends['last']}, and days since the first"
            )
        rows = withheld.as_published(warehouse, found[0]["number"])
    names = pl.DataFrame(reader.query(home, "SELECT level, level_id, name_fi FROM mart.level"))
    through = pl.DataFrame(schema={"figure_id": pl.String, "data_through": pl.Date})
    return mart.with_derived(rows, names, through)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise UsageError(f"period {text!r} is no day, YYYY-MM-DD, nor another word that this option takes") from error


UNITS = {"eur": " EUR", "days": " d", "hours": " h", "per_mille": " ‰", "per_meur": " per M EUR"}
LIGHTS = {"green": "● green", "yellow": "▲ yellow", "red": "■ red", "none": ""}
TRENDS = {"up": "↗ up", "down": "↘ down", "flat": "→ flat", "none": ""}


def for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """A figure's row as people read it: shares in per cent, euros with their unit, light and trend as sign and word.

    A value that rounding would put on its target, or beyond it, gets as many more decimals as it needs (METHOD 34).
    """
    factor, unit = (100, " %") if row["unit"] == "share" else (1, UNITS.get(row["unit"], ""))
    target = None if row["target"] is None else row["target"] * factor
    value = None if row["value"] is None else row["value"] * factor
    status = row["status"] if value is not None or not row["reason"] else f"{row['status']}: {row['reason']}"
    return {
        **row,
        "value": None if value is None else _rounded(value, target, factor) + unit,
        "target": "" if target is None else f"{row['target_operator']} {_rounded(target, None, factor)}{unit}",
        "light": LIGHTS[row["light"]],
        "trend": TRENDS[row["trend"]],
        "status": status,
    }


def _rounded(value: Decimal, target: Decimal | None, factor: int) -> str:
    if factor == 1 and target is None:
        return cell("value", value)
    decimals = 1 if factor > 1 else 0 if abs(value) >= 1000 else 3
    while target is not None and decimals < 8 and _side(round(value, decimals), target) != _side(value, target):
        decimals += 1
    text = f"{value:,.{decimals}f}"
    return text if factor > 1 or "." not in text else text.rstrip("0").rstrip(".")


def _side(value: Decimal, target: Decimal) -> int:
    return (value > target) - (value < target)
