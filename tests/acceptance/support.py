"""What the acceptance tests share: a home with a sample in it, the real command line, and what the published file holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows import pipeline
from flows.settings import Settings
from samples.generate import generate

AS_OF = date(2025, 11, 21)
ROOT = Path(__file__).resolve().parents[2]
COMMAND_LINE = "import sys; from flows.cli import main; sys.argv[0] = 'nyckeltal'; main()"
DOCUMENTED_EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 75}
"""Every exit code of the command line except 70, which stands for a defect of ours."""
KEY = ["figure_id", "variant", "scope", "level", "level_id", "breakdown_kind", "breakdown_id", "period_kind", "period_start"]


def settings(home: Path, **changes: Any) -> Settings:
    """Settings of a test: one fixed day, no waiting for files to settle."""
    return Settings(**{"home": home, "settle_seconds": 0, "as_of": AS_OF} | changes)


def nightly(home: Path, **changes: Any) -> pipeline.Run:
    return pipeline.nightly(settings(home, **changes))


def environment(**variables: str) -> dict[str, str]:
    """The environment of a command: this checkout, no waiting, quiet."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NYCKELTAL_SETTLE_SECONDS": "0", "COLUMNS": "300", **variables}


def arguments(home: Path, *words: str | Path) -> list[str]:
    return [sys.executable, "-c", COMMAND_LINE, "--home", str(home), "--as-of", AS_OF.isoformat(), *map(str, words)]


def run(home: Path, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line in a process of its own; a traceback or an undocumented exit code fails the test."""
    done = subprocess.run(
        arguments(home, *words), env=environment(**variables), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode in DOCUMENTED_EXITS, done.stderr
    assert "a defect of nyckeltal" not in done.stderr, done.stderr
    return done


def sample(out: Path, size: str = "tiny") -> Path:
    """A home with a generated sample in its inbox."""
    generate(out, size)  # type: ignore[arg-type]
    return out


def empty_home(like: Path, home: Path) -> Path:
    """A home with the registers of another and nothing in its inbox."""
    shutil.copytree(like / "registry", home / "registry")
    (home / "inbox").mkdir()
    return home


def delivered_files(home: Path) -> list[Path]:
    """The files in an inbox, without manifests, in path order."""
    return sorted(path for path in (home / "inbox").rglob("*") if path.is_file() and not path.name.endswith(".manifest.json"))


def deliver(files: Iterable[Path], source_home: Path, home: Path) -> None:
    """Copy delivered files with their manifests to the same places of another inbox."""
    for path in files:
        target = home / path.relative_to(source_home)
        target.parent.mkdir(parents=True, exist_ok=True)
        manifest = path.with_name(path.name + ".manifest.json")
        if manifest.exists():
            shutil.copyfile(manifest, target.with_name(manifest.name))
        shutil.copyfile(path, target)


def canaries(home: Path) -> list[str]:
    """The texts of people that a sample plants, to be found nowhere."""
    return sorted(set(pl.read_csv(home / "truth" / "canaries.csv", infer_schema=False)["text"]))


def query(path: Path, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
    """Rows of a query on a DuckDB file, read-only, past the process's instance cache."""
    con = duckdb.connect(str(path.resolve()), read_only=True)
    try:
        return pl.DataFrame(con.execute(sql, list(parameters)).to_arrow_table())
    finally:
        con.close()


def published(home: Path, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
    return query(home / "published" / "nyckeltal.duckdb", sql, parameters)


def ledger(home: Path, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
    return query(home / "warehouse.duckdb", sql, parameters)


def fingerprint(home: Path) -> str:
    return str(published(home, "SELECT fingerprint FROM meta.publication").item())


def content(home: Path) -> pl.DataFrame:
    """All published figures, sorted; revision numbers tell of the way, not of the content."""
    frame = published(home, "SELECT * EXCLUDE (revision_no) FROM mart.key_figure")
    return frame.sort(*KEY, "panel", "version")


def assert_same(home: Path, other: Path) -> None:
    """Equal fingerprints, and equal rows whatever the fingerprint says."""
    mine, theirs = content(home), content(other)
    if not mine.equals(theirs):
        raise AssertionError(_difference(mine, theirs))
    assert fingerprint(home) == fingerprint(other)


def _difference(mine: pl.DataFrame, theirs: pl.DataFrame) -> str:
    """Which cells are on one side only, and which columns of which figures differ."""
    key = [*KEY, "panel", "version"]
    both = mine.join(theirs, on=key, how="full", suffix="_other")
    alone = both.filter(pl.col("figure_id").is_null() | pl.col("figure_id_other").is_null())
    alone = alone.select(pl.coalesce(name, f"{name}_other") for name in KEY).with_columns(
        alone["figure_id"].is_null().alias("is_missing")
    )
    pairs = both.drop_nulls(["figure_id", "figure_id_other"])
    lines = [f"{alone.height} cells on one side only"]
    lines += [
        f"  {row}"
        for row in alone.group_by("is_missing", "figure_id", "period_kind", "period_start").len().sort("len").rows()[:20]
    ]
    for name in mine.columns:
        if name in key:
            continue
        wrong = pairs.filter(pl.col(name).ne_missing(pl.col(f"{name}_other")))
        if wrong.height:
            figures = ", ".join(sorted(wrong["figure_id"].unique()))
            lines.append(f"{name} differs in {wrong.height} cells of {figures}")
            lines += [f"  {row}" for row in wrong.select(*KEY, name, f"{name}_other").head(3).rows()]
    return "\n".join(lines)
