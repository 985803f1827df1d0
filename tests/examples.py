"""How many examples a property test tries: a third in the default suite of what `make test-long` tries."""

from __future__ import annotations

from hypothesis import settings

SHARE = 3


def examples(count: int) -> int:
    """`count` in `make test-long` (profile `long`), else a third of it."""
    return count if settings.get_current_profile_name() == "long" else count // SHARE
