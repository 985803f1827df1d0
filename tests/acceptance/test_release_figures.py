"""No figure changes its meaning unsaid: the tiny sample's figures against those of the last release."""

from __future__ import annotations

from pathlib import Path

from tests.release.figures import CHANGELOG, FILE, Told, released, told, unsaid

TEXT = "# Changelog\n\n## Unreleased\n\n- `named_share`: a fault mended.\n\n## 0.1.0\n\n- `open_share`\n"
BEFORE = [Told("named_share", "1", "9", "a"), Told("open_share", "1", "9", "b"), Told("raised_share", "1", "9", "c")]


def test_the_figures_of_the_last_release_are_those_of_today_or_it_is_said_why(tiny_home: Path) -> None:
    moved = unsaid(released(), told(tiny_home), CHANGELOG.read_text("utf-8"))
    assert not moved, (
        f"{len(moved)} figures of the tiny sample come out otherwise than at the last release: {', '.join(moved)}. Where the meaning "
        "changed, raise `version` in the definition; where it is the same and a fault was mended, name the figure in the top section "
        f"of CHANGELOG.md; where samples/ alone changed, write {FILE.name} anew in the same commit (make release-figures)"
    )


def test_what_comes_out_otherwise_is_said() -> None:
    assert unsaid(BEFORE, BEFORE, TEXT) == []
    raised = Told("raised_share", "2", "9", "d")
    assert unsaid(BEFORE, [Told("named_share", "1", "9", "x"), *BEFORE[1:2], raised], TEXT) == []
    assert unsaid(BEFORE, [*BEFORE, Told("new_share", "1", "9", "x")], TEXT) == []
    assert unsaid(BEFORE, [BEFORE[0], Told("open_share", "1", "8", "b"), raised], TEXT) == ["open_share"], "named of old only"
    assert unsaid(BEFORE, BEFORE[:2], TEXT) == ["raised_share"], "it is gone"
