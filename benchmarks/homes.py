"""Home directories of the benchmark: registers, landed files, and how they are made fresh again."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from warehouse.home import MARK

KEPT = ("landing", "registry", "inbox", MARK)
HISTORY, CITY = "bench", "bench_city"
"""The large deliverer, and the one whose month arrives on its history."""
CITY_ORGANISATION = "9050001-6"


def make(root: Path) -> Path:
    """An empty home that knows the two benchmark agencies."""
    shutil.rmtree(root, ignore_errors=True)
    registry = root / "registry"
    registry.mkdir(parents=True)
    header = resources.files("schemas").joinpath("agencies.csv").read_text("utf-8").splitlines()[0]
    fields = header.split(",")
    rows = [
        {"agency": HISTORY, "name": "Bench", "frame_from": "2017-01-01", "rhythm": "year"},
        {
            "agency": CITY,
            "name": "Bench city",
            "organisation_id": CITY_ORGANISATION,
            "frame_from": "2024-08-01",
            "rhythm": "month",
        },
    ]
    common = {"language": "fi", "sources": "purchase_invoices", "chart": "municipal", "amount_basis": "net", "precedence": "10"}
    common |= {"openly_published": "yes", "confirmed": "yes"}
    lines = [header, *(",".join((common | row).get(field, "") for field in fields) for row in rows)]
    (registry / "agencies.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return root


def reset(root: Path) -> None:
    """Forget everything but what landed and the registers."""
    for path in root.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def landed_file(root: Path) -> Path:
    """The one delivered file in landing."""
    (found,) = (path for path in (root / "landing").rglob("file") if path.is_file())
    return found
