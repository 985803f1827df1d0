"""Delivered names and values on their way to a terminal or a log: what would steer it, or reorder what is read, is written out."""

from __future__ import annotations

import re

_LINES = "\n\t"
_STEERING = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ANY = re.compile(f"[{_STEERING}]")


def plain(text: str) -> str:
    """The text with control characters, marks that turn its direction and lone surrogates as `\\uXXXX`; lines and tabs stay."""
    return _ANY.sub(lambda found: found[0] if found[0] in _LINES else _written(found[0]), text)


def plain_line(text: str) -> str:
    """`plain` for what must stay on its line: a line break is written out too."""
    return _ANY.sub(lambda found: _written(found[0]), text)


def _written(character: str) -> str:
    return f"\\u{ord(character):04x}"
