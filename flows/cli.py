"""The command line. Every command works without a server and without a network. Exit codes: `EXIT_CODES`."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows import reporting
from flows.settings import Settings
from schemas.errors import Busy, ConfigurationError, NyckeltalError, Reason, ServiceUnavailable
from schemas.key_figure import BLOCK_NAMES

if TYPE_CHECKING:
    from flows import pipeline

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

EXIT_CODES = """
Exit codes: 0 done, 1 doctor found something wrong, 2 wrong words, 3 settings or registers wrong, 4 `receive` or `check` refused
a file (`nightly` tells of refusals and ends with 0), 5 an invariant stopped the publication (the former one stays), 6 the disk
is full, 69 Prefect's API does not answer, 70 a defect of ours, 75 another run is writing: try again.
"""
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
out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 150)
err = Console(stderr=True)
_settings: Settings

Output = Literal["table", "csv", "json"]
Language = Literal["fi", "sv", "en"]
Level = Literal["national", "sector", "branch", "region", "group", "organisation", "all"]
PeriodKind = Literal["month", "quarter", "year", "rolling_12m", "point", "all"]
Panel = Literal["all", "fixed"]
PATIENCE_SECONDS = 60.0


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
    global _settings  # noqa: PLW0603 - one process, one command line
    given: dict[str, Any] = {"home": home, "as_of": as_of.date() if as_of else None, "wait_seconds": wait}
    try:
        _settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"NYCKELTAL_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(f"settings are wrong: {wrong}") from error
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


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
    taken = pipeline.receive(_settings, paths, agency, source)
    announcing.landed(_settings, taken)
    for received in taken:
        if received.landed:
            word = "received" if received.is_new else "received before"
            landed = received.landed
            out.print(
                f"{word}  {landed.delivery_id}  {landed.intent.agency}/{landed.intent.source}  {received.name}",
                highlight=False,
                markup=False,
            )
        else:
            refused += 1
            _print_reasons(received.name, received.reasons)
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
    content, text = reporting.check(_settings, file, agency, source, language)
    out.print(text, highlight=False, markup=False, end="")
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
    out.print(f"{path} written", highlight=False, markup=False)


@app.command()
def nightly() -> None:
    """Sweep the inbox, load what landed, compute what changed, publish. Safe to repeat at any time."""
    from flows import pipeline

    with _progress() as report:
        run = pipeline.nightly(_patient(), report)
    _print_run(run)


@app.command()
def sweep() -> None:
    """Take in and publish whatever was left lying; quick when nothing was. What Prefect runs every ten minutes."""
    from flows import pipeline

    with _progress() as report:
        _print_run(pipeline.sweep(_patient(), report))


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
) -> None:
    """Read deliveries again from landing, load and publish: after a column map or a rule changed."""
    from flows import pipeline

    days = (first.date() if first else None, last.date() if last else None)
    with _progress() as report:
        count, run = pipeline.backfill(_patient(), source, agency, *days, report)
    out.print(f"{count} deliveries read again", highlight=False)
    _print_run(run)


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
    service.up(_settings, server, port or _settings.port)


@app.command()
def down() -> None:
    """End the `up` that runs on this home, and wait for it."""
    from flows import service

    out.print("down" if service.down(_settings) else "`nyckeltal up` does not run on this home", highlight=False)


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
    watch_inbox(_settings, stop)


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

        _print_rows(registers.reference_values(_settings, figure), output, registers.REFERENCE_TABLE)
        return
    from flows import figure_view

    rows = figure_view.figures(_settings, figure, level, level_id, period_kind, period, language, panel, published)
    if output != "table":
        _print_rows(rows, output, figure_view.FIGURE_TABLE)
        return
    idle = {"who"} if level == "national" else set()
    if not any(row["breakdown"] for row in rows):
        idle.add("breakdown")
    columns = [name for name in figure_view.FIGURE_TABLE if name not in idle]
    if not rows:
        _print_rows([], output, columns)
    for block, of_block in groupby(rows, key=itemgetter("block")):
        out.print(f"\n[bold]{BLOCK_NAMES[block][language]}[/]", highlight=False)
        _print_rows([figure_view.for_people(row) for row in of_block], output, columns)


@app.command()
def status(
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Deliveries and what became of them."""
    _print_rows(reporting.status(_settings), output, reporting.STATUS_TABLE)


@app.command()
def quarantine(
    delivery: Annotated[str | None, typer.Argument(help="Delivery id or its beginning; all when left out.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 100,
    output: Annotated[Output, typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Rows that broke a rule: table, row, column, rule, value (masked where personal)."""
    _print_rows(reporting.quarantine(_settings, delivery, limit), output, reporting.QUARANTINE_TABLE)


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
    """Hash of the current figures: equal for equal content, whatever the order or way the deliveries came."""
    out.print(reporting.fingerprint(_settings), highlight=False)


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

    home = pipeline.home_of(_settings)
    gone = pruning.prune(pruning.retention_of(_settings), home, landing.now(), dry_run, _settings.wait_seconds)
    _print_rows([vars(item) for item in gone], output, ("kind", "path", "bytes", "why"))
    if output == "table":
        total = sum(item.bytes for item in gone) / 1024**2
        out.print(f"{len(gone)} {'would go' if dry_run else 'gone'}, {total:.1f} MiB", highlight=False)


@app.command()
def doctor() -> None:
    """Look at the installation: versions, home, disk, publication, deliveries that wait or were refused, service, lock, last night.

    Exit 1 when something is wrong.
    """
    from flows import doctoring

    findings = [*reporting.doctor(_settings), *doctoring.operation(_settings)]
    for finding in findings:
        colour = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.severity]
        out.print(f"[{colour}]{finding.severity:4}[/] ", end="")
        out.print(f"{finding.what}: {finding.text}", highlight=False, markup=False, soft_wrap=True)
    if any(finding.severity == "fail" for finding in findings):
        raise typer.Exit(1)


@reference_app.command()
def cpv(
    file: Annotated[Path, typer.Argument(help="The official list as CSV: code, check, kind, parent, name_en, name_fi, name_sv.")],
) -> None:
    """Load the whole Common Procurement Vocabulary in place of the 45 divisions that ship. The next `nightly` publishes it."""
    from flows import registers

    out.print(f"{registers.load_cpv(_settings, file)} codes loaded", highlight=False)


def _patient() -> Settings:
    """The settings of commands that cron starts: where no waiting is set they wait a minute, longer than any reader holds on."""
    if "wait_seconds" in _settings.model_fields_set:
        return _settings
    return _settings.model_copy(update={"wait_seconds": PATIENCE_SECONDS})


def _command(kind: str, delivery: str, reason: str) -> None:
    from flows import pipeline

    landed = pipeline.command(_settings, kind, delivery, reason)
    out.print(
        f"{kind}  {landed.delivery_id}  {landed.intent.file_name}: the next `nightly` carries it out",
        highlight=False,
        markup=False,
    )


def _print_run(run: pipeline.Run) -> None:
    at_the_door = [received for received in run.received if not received.landed]
    for received in at_the_door:
        _print_reasons(received.name, received.reasons)
    published = run.published
    refused = len(run.ingested.refused) + len(at_the_door)
    out.print(f"run {run.run_id}: {len(run.ingested.loaded)} deliveries loaded, {refused} refused", highlight=False)
    if published and published.is_new:
        out.print(
            f"publication {published.publication_no}: {published.cells_n} figures in force, {published.cells_changed} new or changed",
            highlight=False,
        )
    elif published:
        out.print(f"nothing changed: publication {published.publication_no} stays in force", highlight=False)
    for alert in run.alerts:
        err.print(f"alert  {alert.kind}  {alert.subject}", highlight=False, markup=False, soft_wrap=True)
    if run.alerts:
        _send_alerts()
    out.print(f"{_settings.home.resolve() / 'published' / 'nyckeltal.duckdb'}", highlight=False, soft_wrap=True)


def _send_alerts() -> None:
    from flows import announcing

    try:
        announcing.send_alerts(_settings)
    except (ServiceUnavailable, Busy) as error:
        err.print(f"the alerts go out with the next run: {error}", highlight=False, markup=False, soft_wrap=True)


def _print_reasons(name: str, reasons: Sequence[Reason]) -> None:
    for reason in reasons:
        text = str(reason) if reason.file else f"{name}: {reason}"
        err.print(f"refused  {text.encode('utf-8', 'backslashreplace').decode()}", highlight=False, markup=False, soft_wrap=True)


def _print_rows(rows: list[dict[str, Any]], output: str, columns: Sequence[str]) -> None:
    if output == "json":
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, default=str, indent=2) + "\n")
    elif output == "csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, rows[0] if rows else columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: reporting.escaped(value) for name, value in row.items()} for row in rows)
        sys.stdout.write(buffer.getvalue())
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name, justify="right" if name in reporting.NUMBERS else "left", overflow="fold")
        for row in rows:
            table.add_row(*(reporting.cell(name, row[name]) for name in columns))
        out.print(table)


@contextmanager
def _progress() -> Iterator[Any]:
    """Progress bars on a terminal; silence (logs) otherwise."""
    if not err.is_terminal:
        yield lambda _name, _rows: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def report(name: str, rows: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=None)
            progress.advance(tasks[name], rows)

        yield report


def main() -> None:
    """Entry point: our errors without a traceback and with their exit code, defects with one and 70."""
    gc.set_threshold(50_000)  # libraries make a million objects that live as long as the process: not to be looked at every 700
    try:
        app()
    except NyckeltalError as error:
        err.print(f"nyckeltal: {error}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            err.print("nyckeltal: the disk is full; nothing was half-loaded, free space and run again", highlight=False)
            sys.exit(6)
        logging.getLogger("nyckeltal").exception("a defect of nyckeltal")
        sys.exit(70)
    except Exception:
        logging.getLogger("nyckeltal").exception("a defect of nyckeltal; please report it with this traceback")
        sys.exit(70)


if __name__ == "__main__":
    main()
