"""Counts of a lot result of an eForms notice: submissions received (BT-759), tenders of SMEs among them, appeals (BT-712)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.procurement_notices import SME_SIZES
from transforms.formats.eforms_parts import EFAC, EFBC, Element, Organisations, Reading, first, text_of
from transforms.formats.rows import CONTRADICTORY, agreed

STATISTICS = EFAC + "ReceivedSubmissionsStatistics"
APPEALS = EFAC + "AppealRequestsStatistics"
SMALL = ("t-micro", "t-small", "t-med")
COLUMNS = {"tenders": "tenders_n", "part-req": "requests_n"} | dict.fromkeys(("t-sme", *SMALL), "tenders_sme_n")


def received(element: Element, reading: Reading) -> dict[str, int | None]:
    """BT-759 by BT-760; blank codes are skipped; withheld counts, and those told in two ways (noted), are None."""
    counts: dict[str, int | None] = {}
    disputed: set[str] = set()
    for statistics in element.iterchildren(STATISTICS):
        code = text_of(statistics, EFBC + "StatisticsCode")
        if not code or "BT-759" in reading.withheld(statistics):
            continue
        number = reading.number(text_of(statistics, EFBC + "StatisticsNumeric"), "tenders_n")
        if counts.setdefault(code, number) != number:
            disputed.add(code)
    for code in sorted(disputed & COLUMNS.keys()):
        counts[code] = None
        reading.notice.found(CONTRADICTORY, COLUMNS[code])
    return counts


def small_tenders(
    counts: Mapping[str, int | None], winning: Sequence[Sequence[str]], reading: Reading, organisations: Organisations
) -> int | None:
    """Tenders of SMEs: t-sme where it is told, else the sum of its three parts. `winning` are the tenderers of each winning tender:
    fewer than those of SMEs alone is a contradiction."""
    small = counts.get("t-sme")
    if "t-sme" not in counts and all(counts.get(size) is not None for size in SMALL):
        small = sum(counts[size] or 0 for size in SMALL)
    if small is None or small >= len(winning):
        return small
    sizes = [[found.size if (found := organisations.find(reference)) else None for reference in party] for party in winning]
    return agreed(small, sum(bool(party) and all(size in SME_SIZES for size in party) for party in sizes), reading.notice)


def appeals(element: Element, list_name: str, reading: Reading) -> int | None:
    """BT-712(b) or BT-635: the same element tells them apart by the list of its code only."""
    found: list[int] = []
    for statistics in element.iterchildren(APPEALS):
        code = first(statistics, EFBC + "StatisticsCode")
        if code is not None and code.get("listName") == list_name and "BT-712" not in reading.withheld(statistics):
            number = reading.number(text_of(statistics, EFBC + "StatisticsNumeric"), "review_requests_n")
            if number is not None:
                found.append(number)
    return sum(found) if found else None
