"""A buyer that one notice names without its id is the organisation that bears the name elsewhere, in whatever order they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import support

CALL = (Path(__file__).parents[1] / "cases" / "notices" / "joint_procurement" / "input.xml").read_text("utf-8")
HILMA = Path("inbox") / "hilma" / "procurement_notices"
pytestmark = pytest.mark.slow


def notice(number: int, name: str, business_id: str) -> str:
    """The call of two buyers under an id and a procedure of its own, with another first buyer."""
    text = CALL.replace("00000000-0000-4000-8000-000000000001", f"00000000-0000-4000-8000-{number:012d}")
    text = text.replace("10000000-0000-4000-8000-000000000001", f"10000000-0000-4000-8000-{number:012d}")
    first, separator, rest = text.partition("</efac:Organization>")
    start, _, end = first.partition('<cbc:Name languageID="FIN">')
    first = f'{start}<cbc:Name languageID="FIN">{name}<{end.partition("<")[2]}'
    start, _, end = first.partition("<cbc:CompanyID>")
    assert end
    return f"{start}<cbc:CompanyID>{business_id}<{end.partition('<')[2]}{separator}{rest}"


NOTICES = {
    "nameless.xml": notice(1, "Malliverkko Oy", ""),
    "known.xml": notice(2, "MALLIVERKKO OY", "1927400-1"),
    "another.xml": notice(3, "Toinen verkko Oy", ""),
}


def counted(home: Path) -> dict[str, int]:
    sql = (
        "SELECT level_id, numerator::INT AS n FROM mart.key_figure WHERE figure_id = 'notices_n' AND variant = '' "
        "AND level = 'organisation' AND period_kind = 'year' AND scope = 'all_notices'"
    )
    return dict(support.published(home, sql).iter_rows())


def home_of(path: Path, *nights: tuple[str, ...]) -> Path:
    for names in nights:
        (path / HILMA).mkdir(parents=True, exist_ok=True)
        for name in names:
            (path / HILMA / name).write_text(NOTICES[name], "utf-8")
        support.nightly(path)
    return path


def test_one_organisation_in_whatever_order_the_notices_come(tmp_path: Path) -> None:
    late = home_of(tmp_path / "late", ("nameless.xml", "another.xml"), ("known.xml",))
    first = home_of(tmp_path / "first", ("known.xml",), ("another.xml", "nameless.xml"))

    found = counted(late)
    assert found.pop("1927400-1", 0) == 2, found
    [(other, once)] = found.items()
    assert (other.startswith("notice-buyer:"), once) == (True, 1)
    support.assert_same(late, first)
