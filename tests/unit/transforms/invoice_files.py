"""Invoice files for tests: written to a folder, read and cleaned as a delivery, and what became of their rows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from schemas.reference import Reference
from transforms.delivery import CleanPart, Conclusion, Context, Delivered
from transforms.sources import purchase_invoices as source

CONTEXT = Context(Reference.load())
HEADER = "Tositenumero;Kirjauspäivämäärä;Toimittajan nimi;Toimittajan y-tunnus;Tilin numero;Laskun summa ilman ALV\n"


def delivered_of(path: Path, agency: str = "hameenlinna") -> Delivered:
    return Delivered("id", "purchase_invoices", agency, path, path.name, path.stat().st_size, datetime(2022, 2, 1))  # noqa: DTZ001


def run(path: Path, agency: str = "hameenlinna", context: Context = CONTEXT) -> tuple[list[CleanPart], Conclusion]:
    delivered = delivered_of(path, agency)
    parts = [source.clean(raw, [delivered], context) for raw in source.read([delivered], context)]
    return parts, source.conclude(parts, [delivered], context)


def refused(path: Path, agency: str = "hameenlinna", context: Context = CONTEXT) -> set[str]:
    parts, conclusion = run(path, agency, context)
    reasons = [reason for one in (*parts, conclusion) for found in one.refused.values() for reason in found]
    assert all(reason.file == path.name for reason in reasons)
    return {reason.code for reason in reasons}


def put(folder: Path, content: bytes | str, name: str = "ostot_2021.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(count: int, start: int = 1) -> str:
    return "".join(f"{n};0{n % 9 + 1}.03.2021;Sähkö {n} Oy;0988084-1;4340;{n},25\n" for n in range(start, start + count))


def failures(parts: list[CleanPart], conclusion: Conclusion) -> list[tuple[str, int]]:
    frame = pl.concat([*(part.failures for part in parts), conclusion.failures])
    return sorted(frame.select("rule", "source_line").iter_rows())


def balance(parts: list[CleanPart], conclusion: Conclusion) -> dict[str, int]:
    """Counts over all parts, after checking that nothing was lost."""
    counts = pl.concat([*(part.counts for part in parts), conclusion.counts]).select(pl.col(pl.Int64).sum()).row(0, named=True)
    assert counts["rows_read"] == counts["rows_accepted"] + counts["rows_set_aside"] + counts["rows_quarantined"]
    assert counts["cents_read"] == counts["cents_accepted"] + counts["cents_set_aside"] + counts["cents_quarantined"]
    return counts


def accepted(parts: list[CleanPart]) -> pl.DataFrame:
    return pl.concat([part.accepted["posting_line"] for part in parts if part.accepted])


def warnings(parts: list[CleanPart]) -> list[tuple[str, int, str | None]]:
    frame = pl.concat([part.warnings for part in parts])
    return sorted(frame.select("rule", "source_line", "column_name").iter_rows())
