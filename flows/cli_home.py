"""Commands for homes that live for years."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from flows import console

app = typer.Typer()


@app.command()
def rebuild(
    source: Annotated[
        Literal["journal", "landing"],
        typer.Option("--from", help="journal: rows that were accepted count as they are; landing: every original is read again."),
    ] = "journal",
) -> None:
    """Make the warehouse anew where it is lost or broken: from HOME/journal and the lake, or from the originals in landing.

    Numbers, history, revisions and what was told stay; the former warehouse is kept as HOME/warehouse.duckdb.before-rebuild.
    Tells what is lost, then loads what waits and publishes what changed: nothing, where nothing was lost.
    """
    from flows import pipeline

    with console.progress() as report:
        found, run = pipeline.rebuild(console.patient(), source == "landing", report)
    console.out.print(
        f"made anew: {found.publications} publications, {found.deliveries} deliveries; {found.again} read again", highlight=False
    )
    for text in found.lost:
        console.err.print(f"lost  {text}", highlight=False, markup=False, soft_wrap=True)
    console.print_run(run)
