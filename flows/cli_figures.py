"""Commands that work key figures out again."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from flows import console

app = typer.Typer()


@app.command()
def recompute(
    source: Annotated[
        Literal["measures", "lake"], typer.Option("--from", help="From the measures, or from the accepted rows in the lake.")
    ] = "measures",
) -> None:
    """Compute all key figures again and publish what comes out otherwise: nothing, where nothing else has changed.

    A home whose figures change by this has found a defect of ours. Loads nothing and reads no originals.
    """
    from flows import pipeline

    console.print_run(pipeline.recompute(console.patient(), from_lake=source == "lake"))
