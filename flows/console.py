"""What every command shares: the settings of this process, the two consoles, tables, progress, and how a run is told."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows import reporting
from flows.settings import Settings
from schemas.errors import Busy, Damage, Reason, ServiceUnavailable
from schemas.plain import plain, plain_line

if TYPE_CHECKING:
    from flows import pipeline


class PlainConsole(Console):
    """A console to which no delivered name or value can send control characters."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(plain(item) if isinstance(item, str) else item for item in objects), **options)


class PlainFormatter(logging.Formatter):
    """The same for lines of a log, tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record))


out = PlainConsole(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 150)
err = PlainConsole(stderr=True)
Output = Literal["table", "csv", "json"]
PATIENCE_SECONDS = 60.0
_used: list[Settings] = []


def use(settings: Settings) -> None:
    """The settings of this process from now on: one process, one command line."""
    _used[:] = [settings]


def settings() -> Settings:
    """The settings of this process."""
    return _used[0]


def patient() -> Settings:
    """The settings of commands that cron starts: where no waiting is set they wait a minute, longer than any reader holds on."""
    if "wait_seconds" in settings().model_fields_set:
        return settings()
    return settings().model_copy(update={"wait_seconds": PATIENCE_SECONDS})


def print_run(run: pipeline.Run) -> None:
    at_the_door = [received for received in run.received if not received.landed]
    for received in at_the_door:
        print_reasons(received.name, received.reasons)
    for item in run.damaged:
        print_damage(item)
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
        send_alerts()
    out.print(f"{settings().home.resolve() / 'published' / 'nyckeltal.duckdb'}", highlight=False, soft_wrap=True)


def send_alerts() -> None:
    from flows import announcing

    try:
        announcing.send_alerts(settings())
    except (ServiceUnavailable, Busy) as error:
        err.print(f"the alerts go out with the next run: {error}", highlight=False, markup=False, soft_wrap=True)


def print_reasons(name: str, reasons: Sequence[Reason]) -> None:
    for reason in reasons:
        text = str(reason) if reason.file else f"{name}: {reason}"
        err.print(f"refused  {text}", highlight=False, markup=False, soft_wrap=True)


def print_json(content: Any) -> None:
    sys.stdout.write(plain(json.dumps(content, ensure_ascii=False, default=str, indent=2)) + "\n")


def print_damage(item: Damage) -> None:
    err.print(f"{'healed' if item.is_healed else 'damaged'}  {item}", highlight=False, markup=False, soft_wrap=True)


def print_rows(rows: list[dict[str, Any]], output: str, columns: Sequence[str]) -> None:
    if output == "json":
        print_json(rows)
    elif output == "csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, rows[0] if rows else columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: reporting.escaped(value) for name, value in row.items()} for row in rows)
        sys.stdout.write(plain(buffer.getvalue()))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name, justify="right" if name in reporting.NUMBERS else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(plain_line(reporting.cell(name, row[name]))) for name in columns))
        out.print(table)


@contextmanager
def progress(unit: str = "rows") -> Iterator[Any]:
    """Progress bars on a terminal, counting `unit`; silence (logs) otherwise."""
    if not err.is_terminal:
        yield lambda _name, _rows: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} " + unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(name: str, rows: float) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.advance(tasks[name], rows)

        yield report
