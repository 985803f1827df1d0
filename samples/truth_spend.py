"""True spend figures from planted posting lines, as METHOD 18-20 rule.

Counted: accepted lines on accounts that are procurement on the posting date, net of VAT, of the copy that counts. Additive
figures are summed for all periods; keyed ones (distinct suppliers, concentration, invoices) are worked out anew for every
level and period of years.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from importlib import resources

from samples.cells import Cell, Place, Series, Span, Sums, month_of, places, shift
from samples.facts import Organisation, Posting

KEYED_KINDS = ("year", "quarter", "month")
TOTAL, MARKET = Series("spend_total", "all"), Series("spend_market", "market")
PRIVATE = Series("private_trader_share", "all")
MASKED, NO_ID = Series("masked_supplier_share", "all"), Series("no_id_supplier_share", "all")


def small_limit_cents() -> int:
    """The limit of a small invoice (limits.csv, small_invoice_limit), the one in force; 100 euros while the register has none."""
    text = resources.files("schemas").joinpath("catalogue/limits.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["limit_id"] == "small_invoice_limit"]
    return round(Fraction(rows[-1]["value"]) * 100) if rows else 100_00


def counted(postings: Iterable[Posting]) -> list[Posting]:
    """The posting lines that spend figures rest on."""
    return [
        posting for posting in postings if posting.accepted and posting.counted and posting.account.is_procurement(posting.day)
    ]


def cells(postings: Iterable[Posting], span: Span) -> Mapping[tuple[Series, Place], Cell]:
    """All spend figures by level and period."""
    lines = counted(postings)
    sums = Sums(span)
    for line in lines:
        _additive(sums, line)
    found = dict(sums.cells())
    found.update(_keyed(lines, span))
    blocked = _undated(lines, span)
    return {key: cell for key, cell in found.items() if key[1] not in blocked}


def _additive(sums: Sums, line: Posting) -> None:
    sums.add(TOTAL, line.organisation, line.day, line.cents)
    if not line.supplier.is_public(line.day):
        sums.add(MARKET, line.organisation, line.day, line.cents)
    sums.add(MASKED, line.organisation, line.day, line.cents if line.supplier.kind == "masked" else 0, line.cents)
    sums.add(NO_ID, line.organisation, line.day, line.cents if line.supplier.kind == "no_id" else 0, line.cents)
    sums.add(PRIVATE, line.organisation, line.day, line.cents if line.supplier.kind == "private_trader" else 0, line.cents)


def _undated(lines: Iterable[Posting], span: Span) -> set[Place]:
    """Places that hold lines of which only the year is known: nothing shorter or rolling can be told there."""
    blocked: set[Place] = set()
    for organisation, year in {(line.organisation, line.day.year) for line in lines if not line.dated}:
        for month in range(1, 13):
            blocked.update(places(span, organisation, date(year, month, 1), ("month", "quarter", "rolling_12m")))
    return blocked


def _keyed(lines: Iterable[Posting], span: Span) -> dict[tuple[Series, Place], Cell]:
    suppliers: dict[Place, dict[tuple[str | None, str], int]] = defaultdict(lambda: defaultdict(int))
    cases: dict[Place, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for (organisation, month, category, identity), cents in _supplier_months(lines).items():
        for place in places(span, organisation, month, KEYED_KINDS):
            suppliers[place][category, identity] += cents
    for (organisation, month, case_id), (cents, count) in _case_months(lines).items():
        for place in places(span, organisation, month, KEYED_KINDS):
            case = cases[place][organisation.organisation_id, case_id]
            case[0] += cents
            case[1] += count
    found: dict[tuple[Series, Place], Cell] = {}
    for place, spend in suppliers.items():
        _concentration(found, place, spend)
    limit = small_limit_cents()
    for place, sums in cases.items():
        small = sum(0 < cents <= limit for cents, _ in sums.values())
        count = sum(lines for _, lines in sums.values())
        found[Series("small_invoice_share", "all"), place] = Cell(small, len(sums), len(sums))
        found[Series("invoice_lines_per_case", "all"), place] = Cell(count, len(sums), len(sums))
    return found


def _supplier_months(lines: Iterable[Posting]) -> dict[tuple[Organisation, date, str | None, str], int]:
    """Net cents by buyer, month, category and supplier: with an id, and no public body."""
    found: dict[tuple[Organisation, date, str | None, str], int] = defaultdict(int)
    for line in lines:
        if line.supplier.identity and not line.supplier.is_public(line.day):
            found[line.organisation, month_of(line.day), line.category, line.supplier.identity] += line.cents
    return found


def _case_months(lines: Iterable[Posting]) -> dict[tuple[Organisation, date, str], list[int]]:
    """Cents and lines by buyer, month and invoice."""
    found: dict[tuple[Organisation, date, str], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        if line.case_id:
            part = found[line.organisation, month_of(line.day), line.case_id]
            part[0] += line.cents
            part[1] += 1
    return found


def _concentration(found: dict[tuple[Series, Place], Cell], place: Place, spend: Mapping[tuple[str | None, str], int]) -> None:
    """Suppliers, top ten and HHI over suppliers with positive net spend in the place (METHOD 19).

    One organisation's HHI is its dependence on its suppliers; elsewhere suppliers are pooled per category and the categories'
    indices weighted by spend.
    """
    totals: dict[str, int] = defaultdict(int)
    for (_, identity), cents in spend.items():
        totals[identity] += cents
    positive = sorted((cents for cents in totals.values() if cents > 0), reverse=True)
    if not positive:
        return
    found[Series("suppliers_n", "market"), place] = Cell(len(positive), None, len(positive))
    found[Series("top10_share", "market"), place] = Cell(sum(positive[:10]), sum(positive), len(positive))
    if place.level == "organisation":
        index = Fraction(10_000 * sum(cents * cents for cents in positive), sum(positive) ** 2)
        found[Series("hhi_supplier", "market"), place] = Cell(None, sum(positive), len(positive), index)
        return
    by_category: dict[str | None, list[int]] = defaultdict(list)
    for (category, _), cents in spend.items():
        if cents > 0:
            by_category[category].append(cents)
    base = sum(sum(values) for values in by_category.values())
    weighted = sum(
        (Fraction(10_000 * sum(cents * cents for cents in values), sum(values)) for values in by_category.values()), Fraction(0)
    )
    found[Series("hhi_supplier", "market"), place] = Cell(None, base, len(positive), weighted / base if base else None)


def last_month(years: tuple[int, int]) -> date:
    """The last month that the sample's invoices speak for."""
    return date(2025, 10, 1) if years[1] >= 2025 else shift(date(years[1] + 1, 1, 1), -1)
