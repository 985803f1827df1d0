"""Writes the true figures, the expected outcomes and the planted personal data beside the sample deliveries."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from samples.cells import Cell, Place, Series, decimal_text
from samples.facts import Canary, Outcome

CENTS = frozenset({"spend_total", "spend_market", "joint_procurement_spend", "category_model_spend"})
HEADER = (
    "figure_id",
    "variant",
    "scope",
    "level",
    "level_id",
    "breakdown_kind",
    "breakdown_id",
    "period_kind",
    "period_start",
    "numerator",
    "denominator",
    "value",
    "n",
)


def value_of(series: Series, cell: Cell) -> Fraction | None:
    """The figure's value in its unit; None where it is undefined (denominator zero or negative, too little covered)."""
    if cell.value is not None or series.figure_id == "publication_rate_gdp":
        return cell.value
    if cell.numerator is None:
        return None
    if cell.denominator is None:
        return Fraction(cell.numerator, 100) if series.figure_id in CENTS else Fraction(cell.numerator)
    return Fraction(cell.numerator, cell.denominator) if cell.denominator > 0 else None


def write(
    folder: Path, cells: Mapping[tuple[Series, Place], Cell], outcomes: Sequence[Outcome], canaries: Sequence[Canary]
) -> None:
    """Writes key_figures.csv, outcomes.csv and canaries.csv under `folder`, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "key_figures.csv", HEADER, sorted(_row(series, place, cell) for (series, place), cell in cells.items()))
    fields = (
        "file",
        "agency",
        "source",
        "expected",
        "reason",
        "rows_accepted",
        "rows_set_aside",
        "rows_quarantined",
        "blank_lines",
        "cents_accepted",
        "cents_set_aside",
        "cents_quarantined",
        "amounts_unreadable",
    )
    rows = [
        [str(getattr(outcome, name)) for name in fields] + ["|".join(f"{rule}:{count}" for rule, count in outcome.rules.items())]
        for outcome in outcomes
    ]
    _write(folder / "outcomes.csv", (*fields, "rules"), sorted(rows))
    _write(
        folder / "canaries.csv", ("text", "kind", "file", "where"), sorted([c.text, c.kind, c.file, c.where] for c in canaries)
    )


def _row(series: Series, place: Place, cell: Cell) -> list[str]:
    def whole(number: int | None) -> str:
        return "" if number is None else str(number)

    return [
        series.figure_id,
        series.variant,
        series.scope,
        place.level,
        place.level_id,
        series.breakdown_kind,
        series.breakdown_id,
        place.period_kind,
        place.period_start.isoformat(),
        whole(cell.numerator),
        whole(cell.denominator),
        decimal_text(value_of(series, cell)),
        str(cell.n),
    ]


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
