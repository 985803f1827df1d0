"""The command `plan`: what the next night would do, and why, before it does."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from flows import console

app = typer.Typer()
DELIVERIES = ("outcome", "was", "agency", "source", "file", "rows_accepted", "rows_quarantined", "reasons")
LARGEST = ("figure", "level", "who", "what", "period", "old", "new", "difference", "cause", "cells")
FIGURES = ("figure", "level", "value_changed", "status_changed", "otherwise_changed", "new", "closed")


@app.command()
def plan(
    registry: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Try the registers of this directory in place of HOME/registry."),
    ] = None,
    scratch: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Where the scratch goes, as large as the warehouse (else NYCKELTAL_SCRATCH, TMPDIR)."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of the largest changes.")] = 30,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """What the next `nightly` would do: deliveries, holds, figures that would change and why. Nothing is published or changed.

    HOME need only be readable: a newer release's `plan` on it tries that release. Exit 0: the night would do nothing, 1: something.
    """
    from flows import planning

    settings = console.patient()
    with _ended_by_sigterm(), console.progress() as report:
        found = planning.plan(settings, registry, scratch or settings.scratch, report)
    told = planning.summary(found, limit)
    if output == "json":
        console.print_json(told)
    else:
        _print(told)
    if found.does_something:
        raise typer.Exit(1)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """A process that is told to end removes its scratch first."""
    former = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _print(told: Mapping[str, Any]) -> None:
    if not told["does_something"]:
        console.out.print(f"as of {told['as_of']} the next night would do nothing", highlight=False)
    _section("Damaged files", told["damaged"], ("file", "wrong", "cure"))
    _section("Deliveries", told["deliveries"], DELIVERIES)
    if told["publication_no"] is None:
        return
    cells = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in told["cells"].items())
    console.out.print(f"\n[bold]Publication {told['publication_no']}[/] as of {told['as_of']}: {cells}", highlight=False)
    _section("Values changed, by cause", told["causes"], ("cause", "cells", "figures"))
    _section("Status changed", told["statuses"], ("status_before", "status", "cells"))
    _section("By figure and level", told["figures"], FIGURES)
    _section("Largest changes", [_for_people(row) for row in told["largest"]], LARGEST)


def _section(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if rows:
        console.out.print(f"\n[bold]{title}[/]", highlight=False)
        console.print_rows([_cells(row, columns) for row in rows], "table", columns)


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    texts = {"reasons": "; ".join(row.get("reasons") or []), "figure": row.get("figure") or row.get("figure_id")}
    return {name: texts.get(name, row.get(name)) for name in columns}


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """A change as people read it: shares in per cent, differences with their sign."""
    parts = (row["variant"], row["scope"], row["breakdown_kind"], row["breakdown_id"], "panel" if row["panel"] == "fixed" else "")
    return {
        **row,
        "figure": row["figure_id"],
        "who": row["who"] or row["level_id"],
        "what": " ".join(part for part in parts if part),
        "period": _period(row),
        "old": _number(row["value_before"], row["unit"]),
        "new": _number(row["value"], row["unit"]),
        "difference": _number(row["difference"], row["unit"], "+"),
    }


def _period(row: Mapping[str, Any]) -> str:
    start = row["period_start"]
    if row["period_kind"] == "year":
        return str(start.year)
    if row["period_kind"] == "quarter":
        return f"{start.year} Q{(start.month + 2) // 3}"
    return f"{start:%Y-%m}" + ("" if row["period_kind"] == "month" else f" {row['period_kind']}")


def _number(value: Decimal | None, unit: str, sign: str = "") -> str:
    if value is None:
        return "-"
    factor, word = (100, " %") if unit == "share" else (1, "")
    shown = value * factor
    text = f"{shown:{sign},.{0 if abs(shown) >= 1000 else 3}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + word
