"""Reference data on the command line: what others have published beside what is computed, and loading the CPV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.pipeline import home_of
from flows.settings import Settings
from schemas.errors import ConfigurationError, UsageError
from schemas.reference import Reference
from transforms.cpv import official_list
from warehouse.home import Home, write_durably
from warehouse.publication import reader

REFERENCE_TABLE = ("figure_id", "what", "who", "period", "published", "computed", "source")
WORDS = {"exact": "", "rounded": "", "about": "about ", "over": "over ", "under": "under "}
CPV = "cpv.csv"


def reference_values(settings: Settings, figure: str | None) -> list[dict[str, Any]]:
    """mart.reference_value for people; those of one figure, or all. Raises UsageError for a figure that nobody has published."""
    rows = reader.query(
        Home(settings.home.resolve()),
        "SELECT figure_id, what, concat_ws(' ', level_id, nullif(variant, ''), nullif(breakdown_id, '')) AS who, "
        "CASE period_kind WHEN 'year' THEN strftime(period_start, '%Y') ELSE strftime(period_start, '%Y-%m') END AS period, "
        "precision, unit, value, "
        "computed_value, difference, source, note FROM mart.reference_value WHERE $1 IS NULL OR figure_id = $1 "
        "ORDER BY figure_id NULLS LAST, period_start, reference_id",
        [figure],
    )
    if figure and not rows:
        raise UsageError(f"no published value speaks of {figure!r}; `nyckeltal figures --reference` lists those that there are")
    for row in rows:
        row["published"] = WORDS[row["precision"]] + _plain(row["value"])
        row["computed"] = None if row["computed_value"] is None else _plain(row["computed_value"])
        row["difference"] = None if row["difference"] is None else _plain(row["difference"])
    return rows


def _plain(value: Any) -> str:
    """A decimal without the zeros at its end."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def load_cpv(settings: Settings, file: Path) -> int:
    """Put the official list into HOME/registry/cpv.csv; returns how many codes it has. Raises ConfigurationError."""
    home = home_of(settings)
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file.name} cannot be read as UTF-8 text ({error})") from error
    register = official_list(text, file.name, Reference.load().table(CPV)["code"].to_list())
    write_durably(home.registry / CPV, register.encode())
    return len(register.splitlines()) - 1
