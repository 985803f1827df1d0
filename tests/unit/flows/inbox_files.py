"""Files in an inbox and readers that give up on them, for tests of receiving and preparing."""

from __future__ import annotations

from pathlib import Path

from flows.settings import Settings


def put(settings: Settings, place: str, data: bytes = b"") -> Path:
    """A file at a place of the inbox; returns its path."""
    path = settings.home / "inbox" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


class PanicException(BaseException):
    """What a library in Rust raises when it gives up."""
