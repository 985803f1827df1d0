"""Files in an inbox, for tests of receiving."""

from __future__ import annotations

from pathlib import Path

from flows.settings import Settings


def put(settings: Settings, place: str, data: bytes = b"") -> Path:
    """A file at a place of the inbox; returns its path."""
    path = settings.home / "inbox" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
