"""The one place that wires a source."""

from __future__ import annotations

from transforms.delivery import Source

SOURCES: dict[str, Source] = {}
