"""What the tiny sample's figures were at the last release: figures.csv, one row per figure (figure_id, version, cells_n, digest).

`python -m tests.release.figures` writes the file anew (`make release-figures`).
"""

from __future__ import annotations

import csv
import hashlib
import re
import tempfile
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tests.acceptance import support

FILE = Path(__file__).with_name("figures.csv")
CHANGELOG = support.ROOT / "CHANGELOG.md"
SAID = "value, numerator, denominator, n, coverage, status, reason"
"""What a figure says of its period and place; targets, lights and trends follow from it and from registers."""


@dataclass(frozen=True, order=True)
class Told:
    """What is published of one figure: how many cells, and a digest of what they say."""

    figure_id: str
    version: str
    cells_n: str
    digest: str


def told(home: Path) -> list[Told]:
    """The figures that a home publishes."""
    key = ", ".join((*support.KEY, "panel"))
    rows = support.published(home, f"SELECT version, {key}, {SAID} FROM mart.key_figure").sort("version", *support.KEY, "panel")
    return [
        Told(str(figure), str(version), str(frame.height), hashlib.sha256(frame.write_csv().encode()).hexdigest()[:16])
        for (figure, version), frame in rows.group_by("figure_id", "version", maintain_order=True)
    ]


def released() -> list[Told]:
    """What the last release published of the tiny sample."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [Told(**row) for row in csv.DictReader(lines)]


def unsaid(before: list[Told], now: list[Told], changelog: str) -> list[str]:
    """Figures that come out otherwise, or not at all, under the version they had, and that the changelog's top section does not name."""
    known, named = set(now), set(re.findall(r"`(\w+)`", top_section(changelog)))
    versions = {figure.figure_id: int(figure.version) for figure in now}
    return [
        was.figure_id
        for was in sorted(before)
        if was not in known and was.figure_id not in named and versions.get(was.figure_id, 0) <= int(was.version)
    ]


def top_section(changelog: str) -> str:
    """What the changelog says of the release that is being made."""
    return re.split(r"^## .*$", changelog, flags=re.MULTILINE)[1]


def write() -> None:
    """Write the file from this checkout's code."""
    with tempfile.TemporaryDirectory() as place:
        home = support.sample(Path(place) / "home")
        support.nightly(home)
        rows = sorted(told(home))
    with FILE.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(field.name for field in fields(Told))
        writer.writerows(astuple(row) for row in rows)


if __name__ == "__main__":
    write()
