"""The command line. Every command works without a server and without a network. Exit codes: `EXIT_CODES`."""

from __future__ import annotations

import errno
import gc
import logging
import os
import sys
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError

from flows import cli_figures, cli_home, cli_keep, cli_plan, console, readers, reporting
from flows.console import Output
from flows.settings import Settings
from schemas.errors import ConfigurationError, NyckeltalError
from schemas.key_figure import BLOCK_NAMES

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

EXIT_CODES = """
Exit codes: 0 done, 1 doctor found something wrong or `plan` something to do, 2 wrong words, 3 settings or registers wrong or a
home of a newer release, 4 `receive` or `check` refused a file (`nightly` tells of refusals and ends with 0), 5 an invariant
stopped the publication (the former one stays), 6 the disk is full, 7 a file of the home is damaged and no run can go on without
it (the message names it and the cure), 8 memory is short (NYCKELTAL_MEMORY_MB), 69 Prefect's API does not answer, 70 a defect of
ours, 75 another run is writing: try again.
"""
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

app = typer.Typer(
    name="nyckeltal",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="National key figures of public procurement from what agencies deliver.\n\n"
    "Files go in by `receive` (or by dropping them into HOME/inbox/AGENCY/SOURCE/), `nightly` loads them and publishes "
    "HOME/published/nyckeltal.duckdb, which dashboards open read-only.",
    epilog=EXIT_CODES,
)
reference_app = typer.Typer(no_args_is_help=True, help="Load reference data into HOME/registry.")
app.add_typer(reference_app, name="reference")
app.add_typer(cli_figures.app)
app.add_typer(cli_home.app)
app.add_typer(cli_plan.app)
app.add_typer(cli_keep.app)

Language = Literal["fi", "sv", "en"]
Level = Literal["national", "sector", "branch", "region", "group", "organisation", "all"]
PeriodKind = Literal["month", "quarter", "year", "rolling_12m", "point", "all"]
Panel = Literal["all", "fixed"]


@app.callback()
def _options(
    home: Annotated[Path | None, typer.Option(help="Home directory (else NYCKELTAL_HOME, else ./nyckeltal-home).")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Compute as of this day (else today in Helsinki).")
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds to wait for another run; left out: nightly, sweep, backfill 60, others 0."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
) -> None:
    given: dict[str, Any] = {"home": home, "as_of": as_of.date() if as_of else None, "wait_seconds": wait}
    try:
        console.use(Settings(**{name: value for name, value in given.items() if value is not None}))
    except ValidationError as error:
        wrong = "; ".join(f"NYCKELTAL_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(f"settings are wrong: {wrong}") from error
    to_log = logging.StreamHandler()
    to_log.setFormatter(console.PlainFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[to_log])


@app.command()
def receive(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders; folders are walked, zips of notices taken whole.")],
    agency: Annotated[str | None, typer.Option(help="Who delivers (agencies.csv); else manifest, inbox path, header.")] = None,
    source: Annotated[str | None, typer.Option(help="Kind of data; else manifest, inbox path, header.")] = None,
) -> None:
    """Land files. They are hashed, kept as delivered, and loaded at once where `up` runs, else by the next `nightly`.

    Agency and source come from the options, else from FILE.manifest.json, else from the inbox path, else from the header.
    """
    from flows import announcing, pipeline

    refused = 0
    taken = pipeline.receive(console.settings(), paths, agency, source)
    announcing.landed(console.settings(), taken)
    for received in taken:
        if received.landed:
            word = "received" if received.is_new else "received before"
            landed = received.landed
            console.out.print(
                f"{word}  {landed.delivery_id}  {landed.intent.agency}/{landed.intent.source}  {received.name}",
                highlight=False,
                markup=False,
            )
        else:
            refused += 1
            console.print_reasons(received.name, received.reasons)
    if refused:
        raise typer.Exit(4)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file an agency means to deliver.")],
    agency: Annotated[str | None, typer.Option(help="Who would deliver it.")] = None,
    source: Annotated[str | None, typer.Option(help="Kind of data.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the answer.")] = "en",
) -> None:
    """Dry run for an agency: what would be accepted of FILE and what not, and why. Nothing is kept."""
    content, text = reporting.check(console.settings(), file, agency, source, language)
    console.out.print(text, highlight=False, markup=False, end="")
    if content["status"] == "refused":
        raise typer.Exit(4)


@app.command()
def template(
    source: Annotated[str, typer.Argument(help="Kind of data, as in `check --source`.")],
    language: Annotated[Language, typer.Option("--lang", "--language", help="Language of headings and instructions.")] = "en",
    to: Annotated[Path | None, typer.Option("--out", help="File to write, SOURCE-LANGUAGE.xlsx here when left out.")] = None,
) -> None:
    """Write an XLSX to fill in for SOURCE: instructions, drop-downs, checks. `receive` takes the filled-in file."""
    from flows import templates

    if source not in templates.sources():
        raise typer.BadParameter(f"{source} has no template; these have: {', '.join(templates.sources())}")
    path = to or Path(f"{source}-{language}.xlsx")
    if path.exists():
        raise typer.BadParameter(f"{path} is there already; name another file, so that nothing filled in is lost")
    templates.write(source, language, path)
    console.out.print(f"{path} written", highlight=False, markup=False)


@app.command()
def nightly() -> None:
    """Sweep the inbox, load what landed, compute what changed, publish. Safe to repeat at any time."""
    readers.warm_up()  # beside what this process imports
    from flows import pipeline

    with console.progress() as report:
        run = pipeline.nightly(console.patient(), report)
    console.print_run(run)


@app.command()
def sweep() -> None:
    """Take in and publish whatever was left lying; quick when nothing was. What Prefect runs every ten minutes."""
    from flows import pipeline

    with console.progress() as report:
        console.print_run(pipeline.sweep(console.patient(), report))


@app.command()
def backfill(
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Only what speaks for this day or later.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Only what speaks for this day or earlier.")
    ] = None,
    outdated: Annotated[
        bool, typer.Option("--outdated", help="Only what is in force and was read by other code (see `doctor`).")
    ] = False,
) -> None:
    """Read deliveries again from landing, load and publish: after a column map or a rule changed, or code that reads."""
    readers.warm_up()
    from flows import pipeline

    days = (first.date() if first else None, last.date() if last else None)
    with console.progress() as report:
        count, run = pipeline.backfill(console.patient(), source, agency, *days, report, outdated=outdated)
    console.out.print(f"{count} deliveries read again", highlight=False)
    for name in run.gone:
        console.out.print(f"not read again, its original is gone by the rules of retention: {name}", highlight=False, markup=False)
    console.print_run(run)


@app.command()
def up(
    server: Annotated[bool, typer.Option(help="Start a Prefect server here; --no-server joins PREFECT_API_URL.")] = True,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Loopback port of that server (else NYCKELTAL_PORT).")
    ] = None,
) -> None:
    """Run it all on this machine until stopped: Prefect server, flows, inbox watcher. Files dropped into the inbox are published.

    The server listens on loopback only and wants the secret of HOME/service/auth. Logs are in HOME/service/logs.
    """
    from flows import service

    logging.getLogger("flows").setLevel(logging.INFO)
    service.up(console.settings(), server, port or console.settings().port)


@app.command()
def down() -> None:
    """End the `up` that runs on this home, and wait for it."""
    from flows import service

    console.out.print("down" if service.down(console.settings()) else "`nyckeltal up` does not run on this home", highlight=False)


@app.command()
def watch() -> None:
    """Watch the inbox, land what is whole, tell Prefect. `up` starts this; alone it goes beside a worker."""
    import signal
    import threading

    from flows.watcher import watch as watch_inbox

    logging.getLogger("flows").setLevel(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch_inbox(console.settings(), stop)


@app.command()
def serve() -> None:
    """Serve the flows to Prefect's API from this process, without a work pool. `up` starts this."""
    import asyncio

    from flows import orchestration

    logging.getLogger("flows").setLevel(logging.INFO)
    asyncio.run(orchestration.serve())


@app.command()
def figures(
    figure: Annotated[str | None, typer.Option(help="Only this figure id.")] = None,
    level: Annotated[Level, typer.Option(help="Only this level.")] = "national",
    level_id: Annotated[str | None, typer.Option(help="Only this id within the level.")] = None,
    period_kind: Annotated[PeriodKind, typer.Option(help="Only this kind of period.")] = "year",
    period: Annotated[str, typer.Option(help="'latest', 'all', or the first day of a period, YYYY-MM-DD.")] = "latest",
    panel: Annotated[Panel, typer.Option(help="Every organisation that delivers, or the fixed panel.")] = "all",
    published: Annotated[
        str | None,
        typer.Option(help="As a past publication had them: its number, or the day, YYYY-MM-DD, at whose end it was in force."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of names.")] = "en",
    reference: Annotated[
        bool, typer.Option("--reference", help="What others have published, all periods, beside the computed value.")
    ] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Published key figures: value, target, light, trend, coverage."""
    if reference:
        from flows import registers

        console.print_rows(registers.reference_values(console.settings(), figure), output, registers.REFERENCE_TABLE)
        return
    from flows import figure_view

    rows = figure_view.figures(console.settings(), figure, level, level_id, period_kind, period, language, panel, published)
    if output != "table":
        console.print_rows(rows, output, figure_view.FIGURE_TABLE)
        return
    idle = {"who"} if level == "national" else set()
    if not any(row["breakdown"] for row in rows):
        idle.add("breakdown")
    columns = [name for name in figure_view.FIGURE_TABLE if name not in idle]
    if not rows:
        console.print_rows([], output, columns)
    for block, of_block in groupby(rows, key=itemgetter("block")):
        console.out.print(f"\n[bold]{BLOCK_NAMES[block][language]}[/]", highlight=False)
        console.print_rows([figure_view.for_people(row) for row in of_block], output, columns)


@app.command()
def status(
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Deliveries and what became of them."""
    console.print_rows(reporting.status(console.settings()), output, reporting.STATUS_TABLE)


@app.command()
def quarantine(
    delivery: Annotated[str | None, typer.Argument(help="Delivery id or its beginning; all when left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100,
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Rows that broke a rule: table, row, column, rule, value (masked where personal)."""
    console.print_rows(reporting.quarantine(console.settings(), delivery, limit), output, reporting.QUARANTINE_TABLE)


@app.command()
def withdraw(
    delivery: Annotated[str, typer.Argument(help="Delivery id or its beginning (see `status`).")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
) -> None:
    """Take a delivery out of force; what it had replaced comes back. The next `nightly` carries it out."""
    _command("withdrawn", delivery, reason)


@app.command()
def release(
    delivery: Annotated[str, typer.Argument(help="Delivery id or its beginning (see `status`).")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
) -> None:
    """Let a delivery that the shrink guard holds take effect. The next `nightly` carries it out."""
    _command("released", delivery, reason)


@app.command()
def reprocess(
    delivery: Annotated[str, typer.Argument(help="Delivery id or its beginning (see `status`).")],
    reason: Annotated[str, typer.Option(help="Why; recorded.")] = "",
) -> None:
    """Read a delivery again from landing, after a column map or rule changed. The next `nightly` carries it out."""
    _command("reprocess", delivery, reason)


@app.command()
def fingerprint() -> None:
    """Hash of the current figures before protection: equal for equal data and code, whatever the order or way the deliveries came.

    It rests on numbers that are withheld: not to be passed on. What is published bears a hash of what it tells (meta.publication).
    """
    console.out.print(reporting.fingerprint(console.settings()), highlight=False)


@app.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go; change nothing.")] = False,
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Remove what has been kept long enough: refused files, old generations, files of deliveries long out of force.

    How long: NYCKELTAL_KEEP_REFUSED_DAYS, _WITHDRAWN_DAYS, _SUPERSEDED_DAYS, NYCKELTAL_KEEP_GENERATIONS. Hashes and history stay.
    """
    from flows import pipeline, pruning
    from warehouse import landing

    home = pipeline.home_of(console.settings())
    settings = console.settings()
    gone = pruning.prune(pruning.retention_of(settings), home, landing.now(), dry_run, settings.wait_seconds, settings.memory_mb)
    console.print_rows([vars(item) for item in gone], output, ("kind", "path", "bytes", "why"))
    if output == "table":
        total = sum(item.bytes for item in gone) / 1024**2
        console.out.print(f"{len(gone)} {'would go' if dry_run else 'gone'}, {total:.1f} MiB", highlight=False)


@app.command()
def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Read every file of the home: originals, lake, warehouse, publications.")] = False,
) -> None:
    """Look at the installation: versions, home, disk, publication, deliveries that wait or were refused, service, lock, last night,
    damaged files.

    Exit 1 when something is wrong.
    """
    from flows import doctoring, inspecting

    settings = console.settings()
    findings = [*reporting.doctor(settings), *doctoring.operation(settings), *inspecting.damage(settings, deep)]
    for finding in findings:
        colour = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.severity]
        console.out.print(f"[{colour}]{finding.severity:4}[/] ", end="")
        console.out.print(f"{finding.what}: {finding.text}", highlight=False, markup=False, soft_wrap=True)
    if any(finding.severity == "fail" for finding in findings):
        raise typer.Exit(1)


@reference_app.command()
def cpv(
    file: Annotated[Path, typer.Argument(help="The official list as CSV: code, check, kind, parent, name_en, name_fi, name_sv.")],
) -> None:
    """Load the whole Common Procurement Vocabulary in place of the 45 divisions that ship. The next `nightly` publishes it."""
    from flows import registers

    console.out.print(f"{registers.load_cpv(console.settings(), file)} codes loaded", highlight=False)


def _command(kind: str, delivery: str, reason: str) -> None:
    from flows import pipeline

    landed = pipeline.command(console.settings(), kind, delivery, reason)
    console.out.print(
        f"{kind}  {landed.delivery_id}  {landed.intent.file_name}: the next `nightly` carries it out",
        highlight=False,
        markup=False,
    )


def main() -> None:
    """Entry point: our errors without a traceback and with their exit code, defects with one and 70."""
    gc.set_threshold(50_000)  # libraries make a million objects that live as long as the process: not to be looked at every 700
    try:
        app()
    except NyckeltalError as error:
        console.err.print(f"nyckeltal: {error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            console.err.print("nyckeltal: the disk is full; nothing was half-loaded, free space and run again", highlight=False)
            sys.exit(6)
        if error.errno in FORBIDDEN:
            text = f"{error.filename}: {error.strerror}; run as the owner of the home, on a disk that may be written"
            console.err.print(f"nyckeltal: {text}", highlight=False, markup=False, soft_wrap=True)
            sys.exit(3)
        logging.getLogger("nyckeltal").info("the file system failed", exc_info=True)
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror or type(error).__name__}; look at the disk, then run again: nothing was half-loaded"
        console.err.print(f"nyckeltal: {text}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(6)
    except UnicodeError as error:
        logging.getLogger("nyckeltal").info("a text cannot be written", exc_info=True)
        text = f"a name or value holds characters that are no text ({type(error).__name__}); rename the file or correct the word and run again"
        console.err.print(f"nyckeltal: {text}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except Exception:
        logging.getLogger("nyckeltal").exception("a defect of nyckeltal; please report it with this traceback")
        sys.exit(70)


if __name__ == "__main__":
    main()
