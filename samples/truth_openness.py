"""True figures of openness: how many organisations publish their invoices, and how much of their spend they advertised.

An agency is asked for every month from its first year to the sample's last month, for each organisation that its files name;
a month is there when the agency delivered its year. An organisation of the frame publishes a year when a month of it is there.
The last month is the last one delivered: on the sample's day, 21 November 2025, no later month has closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from samples.cells import Cell, Place, Series, Span, places, shift
from samples.facts import Holding, Organisation, Posting, Procedure
from samples.truth_notices import call_value
from samples.truth_spend import counted

COVERAGE, RATE = Series("open_invoice_coverage", "all"), Series("publication_rate_spend", "all_notices")
WINDOW_YEARS = 3


def cells(
    holdings: Iterable[Holding],
    postings: Iterable[Posting],
    procedures: Iterable[Procedure],
    frame: Sequence[tuple[Organisation, date]],
    span: Span,
) -> Mapping[tuple[Series, Place], Cell]:
    """Both figures by year: coverage for all levels but organisations, the rate for the nation and sectors.

    `frame`: the organisations that are asked to publish, with their last day.
    """
    present: dict[tuple[Organisation, date], bool] = {}
    for _, organisation, years in holdings:
        month = max(date(years[0], 1, 1), organisation.since)
        while month <= span.last:
            key = (organisation, month)
            present[key] = present.get(key, False) or month.year in years
            month = shift(month, 1)
    return _coverage(present, frame, span) | _rate(present, postings, procedures, span)


def _coverage(
    present: Mapping[tuple[Organisation, date], bool], frame: Sequence[tuple[Organisation, date]], span: Span
) -> dict[tuple[Series, Place], Cell]:
    """Organisations that publish / those that there are on 31 December; undefined where nobody is asked."""
    found: dict[tuple[Series, Place], Cell] = {}
    for year in range(span.first.year, span.last.year + 1):
        known = {organisation for organisation, month in present if month.year == year}
        publishing = {organisation for (organisation, month), there in present.items() if there and month.year == year}
        asked = {organisation for organisation, until in frame if until >= date(year, 12, 31)}
        for organisation in known | asked:
            for place in places(span, organisation, date(year, 1, 1), ("year",)):
                if place.level == "organisation":
                    continue
                cell = found.setdefault((COVERAGE, place), Cell(None, None, 0))
                if organisation in asked:
                    cell.numerator = (cell.numerator or 0) + int(organisation in publishing)
                    cell.denominator = (cell.denominator or 0) + 1
                    cell.n += 1
    return found


def _rate(
    present: Mapping[tuple[Organisation, date], bool], postings: Iterable[Posting], procedures: Iterable[Procedure], span: Span
) -> dict[tuple[Series, Place], Cell]:
    """Value called for / spend, over the 36 months that end with a year; buyers and months whose invoices are there."""
    found: dict[tuple[Series, Place], Cell] = defaultdict(lambda: Cell(0, 0, 0))

    def add(organisation: Organisation, day: date, numerator: int, denominator: int, n: int) -> None:
        for year in range(day.year, day.year + WINDOW_YEARS):
            if date(year - WINDOW_YEARS + 1, 1, 1) < span.first or year > span.last.year:
                continue
            for place in places(span, organisation, date(year, 1, 1), ("year",)):
                if place.level in ("national", "sector"):
                    cell = found[RATE, place]
                    cell.numerator = (cell.numerator or 0) + numerator
                    cell.denominator = (cell.denominator or 0) + denominator
                    cell.n += n

    for line in counted(postings):
        add(line.organisation, line.day, 0, line.cents, 0)
    for procedure in procedures:
        call, cents = procedure.notice("call"), call_value(procedure)
        if procedure.country == "FI" and call is not None and cents is not None:
            buyer = procedure.buyers[0]
            if present.get((buyer, call.day.replace(day=1))):
                add(buyer, call.day, cents, 0, 1)
    return dict(found)
