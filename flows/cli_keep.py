"""Commands that keep a home: mend, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows import console
from schemas.errors import Damaged

app = typer.Typer()


@app.command()
def mend() -> None:
    """Read every lake file and what is published, as `doctor --deep` does, and make again what is damaged: from the originals in
    landing and from the history. What cannot be healed is named."""
    from flows import pipeline

    with console.progress() as report:
        console.print_run(pipeline.mend(console.patient(), report))


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="Directory of the backup, on another disk; new, empty, or the backup made there before.")],
) -> None:
    """Copy the home to TO: originals, lake, warehouse, publications, registers, receipts. Works beside a running night.

    What has not changed since the backup in TO is not copied again. Not in it: inbox, work, service (secrets, logs).
    """
    from flows import keeping

    with console.progress("MiB") as report:
        copied = keeping.back_up(console.patient(), to, lambda room, size: report(room, size / 1024**2))
    for item in copied.damaged:
        console.print_damage(item)
    console.out.print(
        f"{copied.files} files, {copied.bytes / 1024**2:.1f} MiB in {to}; {copied.new_files} files, {copied.new_bytes / 1024**2:.1f} MiB new",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help="Directory of a backup.")],
    only: Annotated[
        str | None, typer.Option(help="Bring only this file or folder of landing, lake, registry or journal back into the home that stands.")
    ] = None,
) -> None:
    """Make a home at --home from the backup in FROM, checking every file. The place must be empty or not there yet.

    Then `doctor --deep` and `nightly`.
    """
    from flows import keeping

    if only is not None:
        brought = keeping.put_back(console.patient(), source, only)
        for path in brought:
            console.out.print(f"restored  {path}", highlight=False, markup=False, soft_wrap=True)
        console.out.print(f"{len(brought)} files restored; the next `nightly` takes them up", highlight=False)
        return
    with console.progress("MiB") as report:
        manifest, damaged = keeping.restore(console.settings(), source, lambda room, size: report(room, size / 1024**2))
    home = console.settings().home.resolve()
    console.out.print(
        f"{len(manifest.files) - len(damaged)} files of {manifest.made_at} restored to {home}", highlight=False, soft_wrap=True
    )
    if damaged:
        raise Damaged(*damaged)
