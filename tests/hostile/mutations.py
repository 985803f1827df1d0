"""The demo's sound files, one of each source and format, with bytes or words changed by a seed, through their source's reading:
what a reader is asked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from flows.pipeline import reference_of
from schemas.errors import DeliveryRefused
from tests.hostile.inputs import zipped
from transforms.delivery import Context, Delivered
from transforms.registry import SOURCES
from warehouse.home import Home

PARSERS = (
    "action_programme.csv", "contact_requests.csv", "contact_requests.json", "contact_requests.jsonl", "contact_requests.xlsx",
    "impact_assessments.csv", "impact_assessments.xlsx", "joint_procurements.csv", "joint_procurements.json", "market_court_cases.csv",
    "mini_competitions.csv", "mini_competitions.xlsx", "procurement_notices.json", "procurement_notices.xml", "procurement_notices.zip",
    "purchase_invoices.csv", "purchase_invoices.xlsx", "satisfaction_surveys.csv", "satisfaction_surveys.json",
    "satisfaction_surveys.xlsx", "strategic_goals.csv", "strategic_goals.xlsx", "strategy_followup.csv", "strategy_followup.xlsx",
)
NOTICE = Path(__file__).parents[1] / "cases" / "notices" / "joint_procurement" / "input.xml"
LEAST_BYTES, MOST_BYTES = 350, 120_000
WORDS = (b"", b"\0", b'"', b"'", b";", b",", b"\n", b"\r", b"<", b">", b"&", b"{", b"}", b"[", b"]", b"-", b"1e999", b"NaN", b"\xff\xfe",
         b"\xef\xbb\xbf", b"9" * 40, b"true", b"null", b"99.99.9999", b"=1+1", b"\xc3", b"\xed\xa0\x80", b"PK\x03\x04", b"A99999999")


@dataclass(frozen=True)
class Seeds:
    """The sound files of a sample, and what reading them may know."""

    context: Context
    files: Mapping[str, tuple[str, str, bytes]]
    """By source and ending: agency, file name, bytes."""


def seeds_of(home: Path) -> Seeds:
    """The smallest file of each source and format in the inbox of a sample."""
    found: dict[str, tuple[str, str, bytes]] = {}
    for path in sorted((home / "inbox").glob("*/*/*"), key=lambda path: path.stat().st_size):
        parser = f"{path.parent.name}{path.suffix}"
        if LEAST_BYTES <= path.stat().st_size <= MOST_BYTES and not path.name.endswith(".manifest.json"):
            found.setdefault(parser, (path.parent.parent.name, path.name, path.read_bytes()))
    agency, _, _ = found["procurement_notices.zip"]
    found["procurement_notices.xml"] = (agency, "ilmoitus.xml", NOTICE.read_bytes())  # the sample's only one is cut off
    return Seeds(Context(reference_of(Home(home))), found)


def mutated(parser: str, sound: bytes, seed: int) -> bytes:
    """The sound file, changed at one to four places; of a zip, half of them behind its checksums."""
    rng = Random(f"{parser}/{seed}")
    if sound.startswith(b"PK") and rng.random() < 0.5:
        with zipfile.ZipFile(io.BytesIO(sound)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist() if info.file_size}
        name = rng.choice(sorted(members))
        return zipped(members | {name: _changed(members[name], rng)})
    return _changed(sound, rng)


def _changed(data: bytes, rng: Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        place, length = rng.randrange(len(data) + 1), rng.randint(1, 40)
        change = rng.choice(("byte", "word", "word", "over", "cut", "repeat", "swap", "end"))
        if change == "byte":
            data = data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
        elif change == "word":
            data = data[:place] + rng.choice(WORDS) + data[place:]
        elif change == "over":
            data = data[:place] + rng.choice(WORDS) + data[place + length :]
        elif change == "cut":
            data = data[:place] + data[place + length :]
        elif change == "repeat":
            data = data[:place] + data[place : place + length] * rng.randint(2, 50) + data[place + length :]
        elif change == "swap":
            other = rng.randrange(len(data) + 1)
            data = data[:place] + data[other : other + length] + data[place + length :]
        else:
            data = data[:place]
        data = data or b"x"
    return data


def read(seeds: Seeds, parser: str, data: bytes, folder: Path) -> int:
    """Read, clean and conclude: 0 of what is refused, else the rows read, which add up. Raises whatever else there is."""
    agency, name, _ = seeds.files[parser]
    path, source = folder / name, SOURCES[parser.partition(".")[0]]
    path.write_bytes(data)
    delivered = [Delivered("d", source.contract.source, agency, path, name, len(data), datetime(2026, 3, 1, tzinfo=UTC))]
    try:
        parts = [source.clean(part, delivered, seeds.context) for part in source.read(delivered, seeds.context)]
        conclusion = source.conclude(parts, delivered, seeds.context)
    except DeliveryRefused:
        return 0
    if conclusion.refused or any(part.refused for part in parts):
        return 0
    counts = [*(part.counts for part in parts), conclusion.counts]
    read, accepted, aside, quarantined = (
        sum(int(one[f"rows_{name}"].sum()) for one in counts if one.height)
        for name in ("read", "accepted", "set_aside", "quarantined")
    )
    assert read == accepted + aside + quarantined
    return read


def many(seeds: Seeds, parser: str, first: int, count: int, progress: Callable[..., Any]) -> tuple[int, list[tuple[int, str]]]:
    """How many of some seeds were read, and the seeds of which reading raised what it should have said, with the error."""
    taken, failed = 0, []
    with TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            progress(seed)
            try:
                taken += read(seeds, parser, mutated(parser, seeds.files[parser][2], seed), Path(folder)) > 0
            except BaseException as error:
                failed.append((seed, f"{type(error).__name__}: {error}"[:300]))
    return taken, failed
